//! What is older than its setting goes, from the command line: shown first, killed in the middle, counted in the end.

use crate::common::{Process, Utility, done, run, text, until};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use model::{BatchSource, BillId, ChannelId, IntervalLength, Quality, Unit};
use rusqlite::types::Value as Cell;
use std::fs;
use std::path::Path;
use std::time::Duration;
use store::page::PAGE;
use store::{DayPage, PageHead, Pin, Store, StoreError};

const PAGES: u32 = 24;
const MONTHS: i64 = 30;
/// Months that are kept.
const KEPT: i64 = 13;
/// Channels of each page that have days.
const CHANNELS: u32 = 16;

/// Two and a half years of a day a month, and a bill of an old one.
fn fill(store: &Store, today: Date) -> u64 {
    let zone = TimeZone::get("Europe/Zurich").unwrap();
    let pinned = today.first_of_month() - 20.months();
    store
        .write(|w| {
            for back in 0..MONTHS {
                let day = today.first_of_month() - back.months();
                let start = day.to_zoned(zone.clone()).unwrap().timestamp();
                let head = PageHead {
                    day,
                    start,
                    interval: IntervalLength::HOUR,
                    slots: 24,
                    quality: Quality::VALID,
                    recorded_at: start,
                    rules: 1,
                    received_at: start,
                    source: BatchSource::Import,
                    unit: Unit::WattHour,
                    scaler: 0,
                    exponent: 0,
                };
                for page in 0..PAGES {
                    let mut of = DayPage::new(head, page);
                    for channel in 0..CHANNELS {
                        let id = ChannelId::new(page * PAGE + channel + 1);
                        let value = |hour: i64| i64::from(id.get()) * 3 + back * 7 + hour * hour % 50;
                        assert!(of.push(id, &(0..24).map(value).collect::<Vec<_>>()));
                    }
                    w.put_page(&of)?;
                }
            }
            w.pin(
                BillId::new(1),
                &Pin { channel: ChannelId::new(1), day: pinned, version: 1 },
                Timestamp::now(),
            )?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
    store.checkpoint().unwrap();
    // The current month and those that are kept stay, and the day of the bill.
    u64::from(PAGES * CHANNELS) * (MONTHS - KEPT - 1).unsigned_abs() - 1
}

/// Everything in the tables of days, without the moments at which it was written.
fn rows(file: &Path) -> Vec<Vec<Cell>> {
    let database = rusqlite::Connection::open(file).unwrap();
    let tables = [
        "SELECT 'month', month, page, batches, block FROM month_page ORDER BY month, page",
        "SELECT 'page', day, page, block, 0 FROM day_page ORDER BY day, page, part",
        "SELECT 'day', day, channel, version, block FROM day_block ORDER BY day, channel, version",
        "SELECT 'log', kind, before_day, removed, pinned FROM retention_log ORDER BY id",
    ];
    let mut all = Vec::new();
    for sql in tables {
        let mut found = database.prepare(sql).unwrap();
        let found = found.query_map([], |row| (0..5).map(|index| row.get(index)).collect()).unwrap();
        all.extend(found.map(|row| row.unwrap()));
    }
    all
}

/// Removes, killed again and again while it is at it, until it is done.
fn killed(utility: &Utility) {
    let data = text(&utility.data);
    let store = Store::open(&utility.database()).unwrap();
    let progress = || {
        let jobs = store.read(|read| read.jobs(None, 10)).unwrap();
        let days = jobs.into_iter().find(|job| job.key.starts_with("intervals"));
        days.map_or((false, String::new()), |job| (job.outcome.contains("removed,"), job.payload))
    };
    let mut kills = 0;
    while !progress().0 && kills < 6 {
        let before = progress();
        let mut removing = Process::start(&["admin", "retention", "--data", data, "--apply"]);
        until("a portion to be removed", || (progress() != before || !removing.lives()).then_some(()));
        std::thread::sleep(Duration::from_millis(kills * 3));
        removing.kill();
        kills += 1;
        // What a dead process holds is free when its lease is over; here it is let go at once.
        let release = "UPDATE job SET lease_until_ms = NULL WHERE state = 'waiting'";
        rusqlite::Connection::open(utility.database()).unwrap().execute(release, []).unwrap();
    }
    assert!(kills > 1, "it was done before it was killed");
    if !progress().0 {
        done(&["admin", "retention", "--data", data, "--apply"]);
    }
}

#[test]
fn removals_are_shown_killed_resumed_and_counted() {
    let home = tempfile::tempdir().unwrap();
    let utility = Utility::set_up(home.path(), &home.path().join("harsh"));
    let today = Timestamp::now().to_zoned(TimeZone::get("Europe/Zurich").unwrap()).date();
    let old = fill(&Store::open(&utility.database()).unwrap(), today);
    let data = text(&utility.data);
    let retention = |more: &[&str]| run(&[&["--json", "admin", "retention", "--data", data], more].concat());

    let because = ["--by", "Ada", "--reason", "the law says so"];
    for (wish, code, told) in [
        ("intervals=13", 1, "raw readings for ever"),
        ("raw=1", 1, "3 to 1200"),
        ("raw=soon", 2, "KIND=MONTHS"),
        ("bills=13", 2, "kinds are raw"),
    ] {
        let refused = retention(&[&["--set", wish], &because[..]].concat());
        assert_eq!(refused.code, Some(code), "{wish}: {}", refused.err);
        assert!(refused.err.contains(told), "{wish}: {}", refused.err);
    }
    assert_eq!(retention(&["--set", "raw=13"]).code, Some(2), "nobody sets anything without a reason");
    done(
        &[&["admin", "retention", "--data", data, "--set", "raw=13", "--set", "intervals=13"], &because[..]]
            .concat(),
    );
    let shown = retention(&[]).records();
    let of = |kind: &str| shown.iter().find(|one| one["kind"] == kind).unwrap().clone();
    assert_eq!(of("intervals")["would_remove"], old);
    assert_eq!((of("intervals")["pinned"].as_u64(), of("raw")["would_remove"].as_u64()), (Some(1), Some(0)));
    assert!(of("events")["months"].is_null());
    assert!(retention(&["--log"]).records().is_empty(), "nothing was removed by showing it");

    let calm = home.path().join("calm");
    fs::create_dir(&calm).unwrap();
    Store::open(&utility.database()).unwrap().checkpoint().unwrap();
    for file in ["wattle.sqlite", "master.key"] {
        fs::copy(utility.data.join(file), calm.join(file)).unwrap();
    }
    done(&["admin", "retention", "--data", text(&calm), "--apply"]);
    let expected = rows(&calm.join("wattle.sqlite"));

    killed(&utility);
    let log = retention(&["--log"]).records();
    assert_eq!(log.len(), 2, "{log:?}");
    let found = rows(&utility.database());
    let names = |rows: &[Vec<Cell>]| rows.iter().map(|row| row[..3].to_vec()).collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expected));
    assert!(found == expected, "the rows have the same keys and other contents");
    let shown = retention(&[]).records();
    assert!(shown.iter().all(|one| one["would_remove"].as_u64().unwrap_or(0) == 0), "{shown:?}");
    let listed = done(&["--json", "admin", "jobs", "--data", data]).records();
    assert!(
        listed.iter().filter(|job| job["kind"] == "retain").all(|job| job["state"] == "done"),
        "{listed:?}"
    );
}
