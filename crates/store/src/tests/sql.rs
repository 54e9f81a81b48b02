//! Queries of people: the same on both engines, the same as the program reads, and nothing else than queries.

use super::*;
use core::ops::ControlFlow;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What the documentation promises to answer.
const DOCUMENT: &str = include_str!("../../../../docs/sql.md");
const MAY: Date = date(2026, 5, 1);

/// Gathers a result.
#[derive(Default)]
struct Table {
    names: Vec<String>,
    rows: Vec<Vec<SqlValue>>,
    most: usize,
}

impl SqlTaker for Table {
    fn columns(&mut self, names: &[String]) -> ControlFlow<()> {
        self.names = names.to_vec();
        ControlFlow::Continue(())
    }

    fn row(&mut self, values: &[SqlValue]) -> ControlFlow<()> {
        self.rows.push(values.to_vec());
        if self.rows.len() == self.most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn ask(sql: &Sql, query: &str) -> Table {
    let mut table = Table::default();
    sql.query(query, &mut table).unwrap_or_else(|error| panic!("{query}: {error:?}"));
    table
}

fn start(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::get("Europe/Zurich").unwrap()).unwrap().timestamp()
}

fn paged(day: Date, hours: i64) -> DayPage {
    let head = PageHead {
        day,
        start: start(day),
        interval: IntervalLength::HOUR,
        slots: u16::try_from(hours).unwrap(),
        quality: Quality::VALID,
        recorded_at: start(day),
        rules: 1,
        received_at: start(day),
        source: BatchSource::Import,
        unit: Unit::WattHour,
        scaler: 0,
        exponent: 0,
    };
    let mut page = DayPage::new(head, 0);
    for channel in [1, 3] {
        let value = |hour: i64| 300 + hour * 7 % 11 * i64::from(channel) + i64::from(day.day());
        assert!(page.push(ChannelId::new(channel), &(0..hours).map(value).collect::<Vec<_>>()));
    }
    page
}

/// A second version with everything that a value can be.
fn mended(channel: u32, day: Date, version: u32) -> StoredDay {
    let quality = |slot: usize| match slot {
        3 => Quality::MISSING,
        4 => {
            Quality::new(model::QualityClass::EstimatedLinear).with(Quality::POWER_FAIL | Quality::SUPERSEDED)
        }
        5 => Quality::new(model::QualityClass::Questionable),
        _ => Quality::VALID,
    };
    let block = DayBlock {
        channel: ChannelId::new(channel),
        day,
        version,
        interval: IntervalLength::HOUR,
        values: (0..24).map(|slot| if slot == 3 { 0 } else { slot * 1_000_003 - 7_000_000 }).collect(),
        quality: (0..24).map(quality).collect(),
        recorded_at: start(day),
    };
    StoredDay { block, sealed: version.is_multiple_of(2), rules: 1 }
}

fn people(w: &Write) -> Result<()> {
    let user = w.insert_user(&NewUser {
        name: "ada".to_owned(),
        display_name: "Ada".to_owned(),
        role: "analyst".to_owned(),
        password_hash: Some("$argon2id$x".to_owned()),
        customer: None,
        service_point: None,
    })?;
    for (rule, day) in [("spike", 2), ("spike", 3), ("missing", 3)] {
        w.insert_finding(&StoredFinding {
            channel: ChannelId::new(1),
            day: date(2026, 5, day),
            origin: Origin::Validation,
            rule: rule.to_owned(),
            first: 3,
            count: 2,
            version: 1,
            severity: "serious".to_owned(),
            sentence: "it's 7 times the usual".to_owned(),
            found_at: at(0),
        })?;
    }
    w.insert_edit(
        ChannelId::new(2),
        date(2026, 6, 2),
        &EditEntry {
            command: "c".to_owned(),
            at: at(60),
            user,
            op: "set".to_owned(),
            slots: "4".to_owned(),
            reason: "meter_fault".to_owned(),
            note: "seen on site".to_owned(),
            version_before: 1,
            version_after: 2,
        },
    )?;
    Ok(())
}

/// May in folded months, June in pages and rows, registers, an event, people.
fn fill(store: &Store) {
    let value = |raw| RegisterValue { raw, scaler: 1, unit: Unit::WattHour };
    store
        .write(|w| {
            w.set_utility("Alder Electric", "Europe/Zurich")?;
            w.rule_set_id("hash", "text")?;
            w.put_page(&paged(date(2025, 10, 26), 25))?;
            for offset in 0..34 {
                w.put_page(&paged(MAY + offset.days(), 24))?;
            }
            w.put_day(&mended(1, date(2026, 5, 7), 2))?;
            for (meter, day, raw) in [(1, MAY, 1000), (1, date(2026, 6, 1), 25_000), (2, MAY, 7)] {
                w.insert_register(&RegisterRead {
                    meter: MeterId::new(meter),
                    kind: ChannelKind::Import,
                    tou: 0,
                    at: start(day),
                    value: value(raw),
                    received_at: start(day),
                    source: BatchSource::Scheduled,
                })?;
            }
            let event = MeterEvent {
                meter: MeterId::new(1),
                kind: EventKind::PowerFailed,
                at: at(5),
                clock: ClockStatus::Doubtful,
                seq: 1,
            };
            w.insert_event(&event, at(6))?;
            people(w)
        })
        .unwrap();
    store.write(|w| w.fold(MAY, 0, at(0))).unwrap();
    // Versions that came after the month was folded, an open one among them.
    store.write(|w| w.put_day(&mended(1, date(2026, 5, 7), 3))).unwrap();
    store.write(|w| w.put_day(&mended(3, date(2026, 6, 2), 2))).unwrap();
    store.write(|w| w.put_day(&mended(2, date(2026, 6, 2), 1))).unwrap();
}

/// Both engines with the same in them, opened for queries.
fn on_each_filled(test: impl Fn(&Store, &Sql)) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wattle.db");
    let store = Store::open(&path).unwrap();
    store.write(|w| w.provision(&street())).unwrap();
    fill(&store);
    test(&store, &Sql::open(&path).unwrap());
    if let Some(database) = cluster::Database::fresh() {
        let config = PgConfig::parse(&database.address()).unwrap();
        let store = Store::connect(&config).unwrap();
        store.write(|w| w.provision(&street())).unwrap();
        fill(&store);
        test(&store, &Sql::connect(&config).unwrap());
    }
}

#[test]
fn intervals_are_those_that_the_program_reads() {
    on_each_filled(|store, sql| {
        let query = "SELECT channel, day, slot, value, quality, version, length_s, start FROM wattle_interval \
                     ORDER BY channel, day, slot";
        let mut rows = ask(sql, query).rows.into_iter();
        let zone = TimeZone::get("Europe/Zurich").unwrap();
        let days = store
            .read(|r| {
                let mut all = Vec::new();
                for channel in 1..5 {
                    all.extend(r.days(ChannelId::new(channel), date(2025, 1, 1), date(2027, 1, 1))?);
                }
                Ok::<_, StoreError>(all)
            })
            .unwrap();
        assert_eq!(days.len(), 71);
        for stored in days {
            let block = &stored.block;
            let midnight = block.day.to_zoned(zone.clone()).unwrap().timestamp();
            for (slot, (value, quality)) in (0i64..).zip(block.values.iter().zip(&block.quality)) {
                let value = if quality.is_missing() { SqlValue::Null } else { SqlValue::Integer(*value) };
                let expected = [
                    SqlValue::Integer(block.channel.get().into()),
                    SqlValue::Text(block.day.to_string()),
                    SqlValue::Integer(slot),
                    value,
                    SqlValue::Text(quality.word()),
                    SqlValue::Integer(block.version.into()),
                    SqlValue::Integer(3600),
                    SqlValue::Text((midnight + SignedDuration::from_hours(slot)).to_string()),
                ];
                assert_eq!(rows.next().as_deref(), Some(&expected[..]));
            }
        }
        assert_eq!(rows.next(), None);
    });
}

#[test]
fn days_are_counted_as_the_program_counts() {
    on_each_filled(|store, sql| {
        let query = "SELECT channel, version, sealed, expected, present, estimated, value FROM wattle_day WHERE day = ";
        for day in
            [date(2025, 10, 26), date(2026, 5, 7), date(2026, 5, 8), date(2026, 6, 2), date(2026, 7, 1)]
        {
            let found = ask(sql, &format!("{query}'{day}' ORDER BY channel")).rows;
            let expected: Vec<Vec<SqlValue>> = (store.read(|r| r.day_summaries(day)).unwrap().into_iter())
                .map(|one| {
                    let counts =
                        [one.version, u32::from(one.sealed), one.expected, one.present, one.estimated];
                    let mut row = vec![SqlValue::Integer(one.channel.get().into())];
                    row.extend(counts.map(|count| SqlValue::Integer(count.into())));
                    row.push(SqlValue::Integer(one.total));
                    row
                })
                .collect();
            assert_eq!(found, expected, "{day}");
        }
    });
}

/// As they look: a decimal is text in SQLite, and a sum of integers a decimal in PostgreSQL.
fn printed(table: &Table) -> Vec<Vec<String>> {
    let text = |value: &SqlValue| match value {
        SqlValue::Integer(number) => number.to_string(),
        SqlValue::Text(text) | SqlValue::Decimal(text) => text.clone(),
        other => format!("{other:?}"),
    };
    table.rows.iter().map(|row| row.iter().map(text).collect()).collect()
}

#[test]
fn every_documented_query_answers_alike_on_both_engines() {
    let queries: Vec<&str> =
        DOCUMENT.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(queries.len(), 10);
    let answers = std::cell::RefCell::new(Vec::new());
    on_each_filled(|_, sql| {
        let of_engine: Vec<Table> = queries.iter().map(|query| ask(sql, query)).collect();
        for (query, table) in queries.iter().zip(&of_engine) {
            assert!(!table.rows.is_empty(), "{query} finds nothing");
        }
        answers.borrow_mut().push(of_engine);
    });
    for other in &answers.borrow()[1..] {
        for ((query, one), other) in queries.iter().zip(&answers.borrow()[0]).zip(other) {
            assert_eq!((&one.names, printed(one)), (&other.names, printed(other)), "{query}");
        }
    }
}

#[test]
fn the_documentation_names_every_view_and_column() {
    on_each_filled(|_, sql| {
        for view in SQL_VIEWS {
            let names = ask(sql, &format!("SELECT * FROM {}", view.name)).names;
            let told: Vec<&str> = view.columns.iter().map(|column| column.name).collect();
            assert_eq!(names, told, "{}", view.name);
            let line =
                DOCUMENT.lines().find(|line| line.starts_with(&format!("| `{}` |", view.name))).unwrap();
            for column in told {
                assert!(line.contains(&format!("`{column}`")), "{} {column}", view.name);
            }
        }
    });
}

#[test]
fn whoever_has_seen_enough_ends_the_query() {
    on_each_filled(|_, sql| {
        let mut table = Table { most: 3, ..Table::default() };
        sql.query("SELECT * FROM wattle_interval", &mut table).unwrap();
        assert_eq!(table.rows.len(), 3);
        assert_eq!(ask(sql, "SELECT 1 AS one;").rows, [[SqlValue::Integer(1)]]);
    });
}

#[test]
fn nothing_is_written_and_no_table_is_open() {
    on_each_filled(|store, sql| {
        let refused = |query: &str| sql.query(query, &mut Table::default()).expect_err(query);
        for query in [
            "DELETE FROM meter",
            "UPDATE meter SET serial = 'x'",
            "INSERT INTO premise (number, address, town) VALUES ('a', 'b', 'c')",
            "CREATE TABLE mine (a INTEGER)",
            "CREATE VIEW wattle_mine AS SELECT 1",
            "DROP VIEW wattle_interval",
            "BEGIN",
            "COMMIT",
            "SELECT 1; DELETE FROM meter",
            "SELECT 1; SELECT 2",
        ] {
            assert!(matches!(refused(query), StoreError::ReadOnly | StoreError::NotAView { .. }), "{query}");
        }
        for query in [
            "SELECT serial FROM meter",
            "SELECT count(*) FROM wrapped_key",
            "WITH wattle_edit AS (SELECT password_hash FROM \"user\") SELECT * FROM wattle_edit",
            "SELECT meter FROM wattle_meter UNION SELECT token_hash::text FROM session",
        ] {
            let error = refused(query);
            let syntax = query.contains("::") && matches!(error, StoreError::Query { .. });
            assert!(syntax || matches!(error, StoreError::NotAView { .. }), "{query}: {error:?}");
        }
        // What the database says of it, in one sentence, without the words of a driver.
        for (query, word) in [
            ("SELECT nonsense FROM wattle_meter", "nonsense"),
            ("SELECT * FORM wattle_meter", "syntax error"),
            ("SELECT * FROM wattle_metre", "wattle_metre"),
            ("SELECT abs(-9223372036854775807 - 1)", "o"),
        ] {
            let error = refused(query);
            let StoreError::Query { why } = &error else { panic!("{query}: {error:?}") };
            assert!(why.contains(word) && !why.contains("Error code") && !why.contains('\n'), "{why}");
            assert!(std::error::Error::source(&error).is_none());
        }
        assert_eq!(store.read(Read::meters).unwrap().len(), 2);
        assert_eq!(ask(sql, "SELECT count(*) FROM wattle_meter").rows, [[SqlValue::Integer(2)]]);
    });
}

#[test]
fn amounts_keep_every_digit() {
    on_each_filled(|_, sql| {
        for (number, exponent, text) in [
            (1234, -1, "123.4"),
            (-5, -3, "-0.005"),
            (0, -3, "0.000"),
            (i64::MAX, -3, "9223372036854775.807"),
            (i64::MIN + 1, 0, "-9223372036854775807"),
            (7, 2, "700"),
            (0, 2, "0"),
        ] {
            let found = ask(sql, &format!("SELECT wattle_amount({number}, {exponent})"));
            assert_eq!(printed(&found), [[text]]);
        }
    });
}

#[test]
fn a_database_of_another_release_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wattle.db");
    drop(Store::open(&path).unwrap());
    for (version, old) in [(1, true), (99, false)] {
        rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", version).unwrap();
        match Sql::open(&path).unwrap_err() {
            StoreError::TooOld { found: 1, .. } => assert!(old),
            StoreError::TooNew { found: 99, .. } => assert!(!old),
            other => panic!("{other:?}"),
        }
    }
}
