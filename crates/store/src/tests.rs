mod pages;
mod retention;

use crate::*;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use model::command::{Action, Command, CommandState};
use model::{
    BatchSource, ChannelId, ChannelKind, ClockStatus, CommandId, Commodity, DayBlock, EventKind,
    IntervalLength, MeterEvent, MeterId, PremiseNumber, Quality, ReadBatch, RegisterRead, RegisterValue,
    Serial, Unit,
};

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + secs).unwrap()
}

fn meter(serial: &str, address: u32) -> NewMeter {
    NewMeter {
        serial: Serial::new(serial),
        model: "electricity-single-phase".to_owned(),
        commodity: Commodity::Electricity,
        service_point: Some("SP-1".to_owned()),
        route: NewRoute::Behind { collector: "C-1".to_owned(), address },
        system_title: [b'W', b'T', b'L', 0, 0, 0, 0, u8::try_from(address).unwrap()],
        client_sap: 1,
        server_sap: 1,
        security: "hls5".to_owned(),
        installed_at: at(0),
        channels: vec![
            (ChannelKind::Import, IntervalLength::QUARTER_HOUR),
            (ChannelKind::Voltage, IntervalLength::QUARTER_HOUR),
        ],
        keys: vec![("guek".to_owned(), vec![1; 24])],
        metering: model::master::Metering::default(),
    }
}

fn street() -> Provision {
    Provision {
        premises: vec![NewPremise {
            number: PremiseNumber::new("P-1"),
            address: "1 Alder Court".to_owned(),
            town: "Wattle".to_owned(),
            position: Some(Position { lat_e6: 46_000_000, lon_e6: -8_900_000 }),
        }],
        customers: vec![NewCustomer { account: "A-1".to_owned(), name: "Ada Moss".to_owned(), email: None }],
        transformers: vec![NewTransformer {
            name: "T-1".to_owned(),
            feeder: "F-1".to_owned(),
            rating_va: 50_000,
            position: None,
        }],
        feeders: Vec::new(),
        collectors: vec![NewCollector {
            name: "C-1".to_owned(),
            endpoint: "127.0.0.1:4059".to_owned(),
            technology: "mesh".to_owned(),
            network_id: 1,
            max_concurrent: 4,
            position: None,
        }],
        service_points: vec![NewServicePoint {
            number: "SP-1".to_owned(),
            premise: PremiseNumber::new("P-1"),
            account: Some("A-1".to_owned()),
            transformer: Some("T-1".to_owned()),
            commodity: Commodity::Electricity,
            supply: model::master::Supply::default(),
            rate_class: None,
        }],
        meters: vec![meter("M-1", 1), meter("M-2", 2)],
    }
}

/// Runs a test on a file of SQLite, on SQLite in memory and on an empty database of PostgreSQL, where that is installed.
fn on_each_engine(test: impl Fn(Store)) {
    let dir = tempfile::tempdir().unwrap();
    test(Store::open(&dir.path().join("wattle.db")).unwrap());
    test(Store::open_in_memory().unwrap());
    if let Some(database) = cluster::Database::fresh() {
        test(Store::connect(&PgConfig::parse(&database.address()).unwrap()).unwrap());
    }
}

/// As [`on_each_engine`], with [`street`] in it.
fn on_each_street(test: impl Fn(Store)) {
    on_each_engine(|store| {
        store.write(|w| w.provision(&street())).unwrap();
        test(store);
    });
}

fn batch(start: Timestamp, values: &[i64]) -> ReadBatch {
    ReadBatch {
        meter: MeterId::new(1),
        kind: ChannelKind::Import,
        start,
        interval: IntervalLength::QUARTER_HOUR,
        values: values.iter().copied().map(Some).collect(),
        scaler: 0,
        unit: Unit::WattHour,
        status: vec![0; values.len()],
        received_at: at(0),
        source: BatchSource::Push,
    }
}

fn day(version: u32, value: i64, sealed: bool) -> StoredDay {
    StoredDay {
        block: DayBlock {
            channel: ChannelId::new(1),
            day: date(2026, 5, 1),
            version,
            interval: IntervalLength::HOUR,
            values: vec![value; 24],
            quality: vec![Quality::VALID; 24],
            recorded_at: at(0),
        },
        sealed,
        rules: 1,
    }
}

#[test]
fn a_database_is_made_opened_again_and_refused_from_the_future() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wattle.db");
    let first = Store::open(&path).unwrap();
    assert!(first.schema_version().unwrap() > 1);
    first.write(|w| w.set_utility("Alder Electric", "Europe/Zurich")).unwrap();
    assert!(first.write(|w| w.set_utility("Alder Electric", "Mars/Olympus")).is_err());
    drop(first);
    let again = Store::open(&path).unwrap();
    assert_eq!(again.read(Read::utility).unwrap().unwrap().name, "Alder Electric");
    drop(again);
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.pragma_update(None, "user_version", 99).unwrap();
    drop(raw);
    assert!(matches!(Store::open(&path), Err(StoreError::TooNew { found: 99, .. })));
}

#[test]
fn a_street_is_provisioned_whole_or_not_at_all() {
    on_each_street(|store| {
        let (row, channels, keys) = store
            .read(|r| {
                Ok::<_, StoreError>((
                    r.meter(MeterId::new(2))?,
                    r.channels_of(MeterId::new(2))?,
                    r.keys_of(MeterId::new(2))?,
                ))
            })
            .unwrap();
        let row = row.unwrap();
        assert_eq!(row.serial, Serial::new("M-2"));
        assert_eq!(row.route, Route::Behind { collector: model::CollectorId::new(1), address: 2 });
        assert_eq!(
            channels.iter().map(|c| c.kind).collect::<Vec<_>>(),
            [ChannelKind::Import, ChannelKind::Voltage]
        );
        assert_eq!(keys[0].wrapped, vec![1; 24]);

        let mut bad = street();
        bad.premises[0].number = PremiseNumber::new("P-2");
        bad.customers.clear();
        bad.transformers.clear();
        bad.collectors.clear();
        bad.service_points[0].number = "SP-2".to_owned();
        bad.service_points[0].account = Some("A-9".to_owned());
        bad.meters = vec![meter("M-1", 3), meter("M-4", 2), meter("M-5", 9), meter("M-5", 10)];
        bad.meters[2].channels.push((ChannelKind::Gas, IntervalLength::HOUR));
        let ProvisionError::Refused(refusals) = store.write(|w| w.provision(&bad)).unwrap_err() else {
            panic!()
        };
        let said: Vec<String> =
            refusals.iter().map(|r| format!("{} {}: {}", r.table, r.index, r.why)).collect();
        assert_eq!(
            said,
            [
                "meters 0: meter M-1 is there already",
                "meters 3: meter M-5 is given twice, first in row 3",
                "service_points 0: customer A-9 of service point SP-2 is unknown",
                "meters 1: meter M-4 has address 2 at C-1, as has meter M-2",
                "meters 2: meter M-5 cannot have a channel for gas",
            ]
        );
        assert!(store.read(|r| r.premise_by_number(&PremiseNumber::new("P-2"))).unwrap().is_none());
    });
}

#[test]
fn raw_batches_registers_and_events_are_kept_once() {
    on_each_street(|store| {
        let channel = ChannelId::new(1);
        let (one, other) = (batch(at(0), &[1, 2, 3]), batch(at(0), &[1, 2, 4]));
        let event = MeterEvent {
            meter: MeterId::new(1),
            kind: EventKind::PowerFailed,
            at: at(5),
            clock: ClockStatus::Synchronised,
            seq: 7,
        };
        let read = RegisterRead {
            meter: MeterId::new(1),
            kind: ChannelKind::Import,
            tou: 0,
            at: at(0),
            value: RegisterValue { raw: 12, scaler: 3, unit: Unit::WattHour },
            received_at: at(1),
            source: BatchSource::Scheduled,
        };
        for (round, new) in [true, false].into_iter().enumerate() {
            store
                .write(|w| {
                    assert_eq!(w.insert_raw(channel, &one)?, new, "round {round}");
                    assert_eq!(w.insert_raw(channel, &other)?, new);
                    assert_eq!(w.insert_event(&event, at(6))?, new);
                    assert_eq!(w.insert_register(&read)?, new);
                    Ok::<_, StoreError>(())
                })
                .unwrap();
        }
        store
            .read(|r| {
                let kept = r.raw_batches(channel, at(0), at(1))?;
                assert_eq!(kept.len(), 2);
                assert!(kept.iter().any(|batch| batch.values == one.values && batch.status == one.status));
                assert_eq!(r.supply_events(at(0), at(10))?, std::slice::from_ref(&event));
                assert_eq!(r.supply_events_of(event.meter, at(0), at(10))?, std::slice::from_ref(&event));
                assert_eq!(r.supply_events_of(MeterId::new(99), at(0), at(10))?, []);
                assert_eq!(r.events_of(MeterId::new(1), at(0), at(10), 9)?[0].received_at, at(6));
                assert_eq!(r.latest_registers(MeterId::new(1))?, std::slice::from_ref(&read));
                assert!(r.register_before(MeterId::new(1), ChannelKind::Import, 0, at(-1))?.is_none());
                let after = |at| r.register_after(MeterId::new(1), ChannelKind::Import, 0, at);
                assert_eq!(after(at(-1))?.map(|read| read.at), Some(at(0)));
                assert!(after(at(100_000_000))?.is_none());
                Ok::<_, StoreError>(())
            })
            .unwrap();
    });
}

#[test]
fn a_sealed_version_never_changes() {
    on_each_street(|store| {
        let put = |stored: StoredDay| store.write(|w| w.put_day(&stored));
        put(day(1, 5, false)).unwrap();
        put(day(1, 6, true)).unwrap();
        assert!(put(day(1, 7, true)).is_err());
        put(day(2, 7, false)).unwrap();
        store
            .read(|r| {
                let channel = ChannelId::new(1);
                let newest = r.day(channel, date(2026, 5, 1))?.unwrap();
                assert_eq!((newest.block.version, newest.block.values[0]), (2, 7));
                assert_eq!(r.day_version(channel, date(2026, 5, 1), 1)?.unwrap().block.values[0], 6);
                assert_eq!(r.day_versions(channel, date(2026, 5, 1))?.len(), 2);
                let summaries = r.day_summaries(date(2026, 5, 1))?;
                assert_eq!(summaries.len(), 1);
                assert_eq!((summaries[0].version, summaries[0].total, summaries[0].present), (2, 7 * 24, 24));
                assert_eq!(r.day_range()?, Some((date(2026, 5, 1), date(2026, 5, 1))));
                Ok::<_, StoreError>(())
            })
            .unwrap();
    });
}

#[test]
fn a_command_goes_through_the_outbox_once() {
    on_each_street(|store| {
        let order = |id: u32, not_after: i64| Command {
            id: CommandId::new(id),
            meter: MeterId::new(1),
            action: Action::ReadProfile { from: at(0), to: at(900) },
            not_after: at(not_after),
            requested_by: None,
            requested_at: at(0),
            reason: "a customer asked".to_owned(),
        };
        store
            .write(|w| {
                assert_eq!(w.take_command_id()?.get(), 1);
                assert!(w.insert_command(&order(1, 100))?);
                assert!(!w.insert_command(&order(1, 999))?, "the same id again changes nothing");
                assert!(w.insert_command(&order(2, 10))?);
                assert_eq!(w.latest_commands(1)?[0].command.id.get(), 2);
                Ok::<_, StoreError>(())
            })
            .unwrap();
        store
            .write(|w| {
                assert_eq!(w.expire_commands(at(50))?, [CommandId::new(2)]);
                let claimed = w.claim_command(at(50))?.unwrap();
                assert_eq!((claimed.command, claimed.state), (order(1, 100), CommandState::Sent));
                assert!(w.claim_command(at(50))?.is_none());
                let outcome = serde_json::json!({"clock_offset_ms": 12});
                assert!(w.update_command(
                    CommandId::new(1),
                    CommandState::Confirmed,
                    at(60),
                    "answered",
                    Some(&outcome)
                )?);
                assert!(!w.update_command(
                    CommandId::new(1),
                    CommandState::Failed,
                    at(61),
                    "late news",
                    None
                )?);
                assert!(w.update_command(CommandId::new(9), CommandState::Failed, at(61), "", None).is_err());
                let done = w.command(CommandId::new(1))?.unwrap();
                assert_eq!(
                    (done.state, done.outcome, done.updated_at),
                    (CommandState::Confirmed, Some(outcome), at(60))
                );
                assert_eq!(w.commands_of(MeterId::new(1), 10)?.len(), 2);
                assert!(w.commands_in(CommandState::Sent, 10)?.is_empty());
                Ok::<_, StoreError>(())
            })
            .unwrap();
    });
}

#[test]
fn counters_and_health_never_go_back() {
    on_each_street(|store| {
        let id = MeterId::new(1);
        store
            .write(|w| {
                for ceiling in [100, 300, 200] {
                    w.reserve_counter(id, ceiling)?;
                }
                w.accept_peer_counter(id, 9)?;
                w.accept_peer_counter(id, 4)?;
                let counter = w.counter(id)?;
                assert_eq!((counter.own_ceiling, counter.peer), (300, 9));
                w.note_health(
                    id,
                    &Health { last_heard: Some(at(9)), rtt_ms: Some(40), ..Health::default() },
                )?;
                w.note_health(
                    id,
                    &Health {
                        last_heard: Some(at(5)),
                        failure: Some("no answer".to_owned()),
                        ..Health::default()
                    },
                )?;
                let health = w.health(id)?;
                assert_eq!((health.last_heard, health.rtt_ms), (Some(at(9)), Some(40)));
                assert_eq!(health.failure.as_deref(), Some("no answer"));
                Ok::<_, StoreError>(())
            })
            .unwrap();
    });
}

#[test]
fn sessions_end() {
    on_each_street(|store| {
        let (token, hour) = ([7; 32], SignedDuration::from_hours(1));
        let new = NewUser {
            name: "ada".to_owned(),
            display_name: "Ada".to_owned(),
            role: "customer".to_owned(),
            password_hash: Some("$argon2id$x".to_owned()),
            customer: None,
            service_point: None,
        };
        store
            .write(|w| {
                let user = w.insert_user(&new)?;
                let session = Session { user, created_at: at(0), expires_at: at(0) + hour };
                w.insert_session(&token, &session)?;
                assert_eq!(w.session(&token, at(10))?, Some(session));
                assert_eq!(w.session(&token, at(0) + hour)?, None);
                w.set_disabled(user, true)?;
                assert_eq!(w.session(&token, at(10))?, None);
                assert!(w.user(user)?.unwrap().disabled);
                assert!(!format!("{:?}", w.user(user)?).contains("argon2"));
                Ok::<_, StoreError>(())
            })
            .unwrap();
        assert!(matches!(store.write(|w| w.insert_user(&new)), Err(StoreError::Constraint(_))));
    });
}

#[test]
fn the_fleet_is_filtered_sorted_and_paged() {
    on_each_street(|store| {
        store
            .write(|w| {
                w.note_health(MeterId::new(2), &Health { last_heard: Some(at(50)), ..Health::default() })
            })
            .unwrap();
        let count = |filter: FleetFilter| {
            store.read(|r| r.fleet(&filter, FleetSort::Serial, false, 0, 10)).unwrap().0.len()
        };
        let text = |text: &str| FleetFilter { text: Some(text.to_owned()), ..FleetFilter::default() };
        assert_eq!(count(FleetFilter::default()), 2);
        assert_eq!(count(text("alder")), 2);
        assert_eq!(count(text("m-1")), 1);
        assert_eq!(count(text("%")), 0);
        assert_eq!(count(FleetFilter { silent_since: Some(at(40)), ..FleetFilter::default() }), 1);
        assert_eq!(count(FleetFilter { commodity: Some(Commodity::Gas), ..FleetFilter::default() }), 0);
        let (rows, total) =
            store.read(|r| r.fleet(&FleetFilter::default(), FleetSort::LastHeard, true, 1, 1)).unwrap();
        assert_eq!((rows.len(), total, rows[0].meter), (1, 2, MeterId::new(1)));
    });
}

#[test]
fn readers_see_whole_transactions_while_one_writes() {
    on_each_street(|store| writes_beside_reads(&store));
}

fn writes_beside_reads(store: &Store) {
    let channel = ChannelId::new(1);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..100i64 {
                store
                    .write(|w| {
                        w.insert_raw(channel, &batch(at(round * 1800), &[round]))?;
                        w.insert_raw(channel, &batch(at(round * 1800 + 900), &[round]))
                    })
                    .unwrap();
            }
        });
        for _ in 0..3 {
            scope.spawn(|| {
                let mut last = 0;
                while last < 200 {
                    let (counted, again) = store
                        .read(|r| Ok::<_, StoreError>((r.raw_batch_count()?, r.raw_batch_count()?)))
                        .unwrap();
                    assert_eq!(counted, again, "a snapshot stands still");
                    assert_eq!(counted % 2, 0, "half of a transaction was seen");
                    assert!(counted >= last);
                    last = counted;
                }
            });
        }
        writer.join().unwrap();
    });
}

#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wattle.db");
    let store = Store::open(&path).unwrap();
    store.write(|w| w.provision(&street())).unwrap();
    let channel = ChannelId::new(1);
    store
        .write(|w| {
            let pages: i64 = crate::column::value(&w.conn, "PRAGMA page_count", [])?;
            let limit = format!("PRAGMA max_page_count = {}", pages + 4);
            crate::column::value::<i64>(&w.conn, &limit, [])
        })
        .unwrap();
    let noise: Vec<i64> = (0..2000).map(|n: i64| n.wrapping_mul(0x5851_F42D_4C95_7F2D)).collect();
    let mut acknowledged = 0u64;
    let refusal = loop {
        let start = at(900 * i64::try_from(acknowledged).unwrap());
        match store.write(|w| w.insert_raw(channel, &batch(start, &noise))) {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refusal, StoreError::DiskFull(_)), "{refusal:?}");
    drop(store);
    let again = Store::open(&path).unwrap();
    assert_eq!(again.read(Read::raw_batch_count).unwrap(), acknowledged);
}

#[test]
fn a_failed_transaction_leaves_nothing() {
    on_each_street(|store| {
        let failed = store.write(|w| {
            w.insert_raw(ChannelId::new(1), &batch(at(0), &[1]))?;
            Err::<(), _>(StoreError::NotFound { what: "meter", id: 9 })
        });
        assert!(failed.is_err());
        assert_eq!(store.read(Read::raw_batch_count).unwrap(), 0);
    });
}

#[test]
fn weather_paths_and_pushes_come_back() {
    on_each_street(|store| {
        let id = MeterId::new(1);
        let hours: Vec<WeatherHour> = (0..3)
            .map(|hour| WeatherHour { at: at(hour * 3600), temperature_dc: -5, irradiance_w_m2: Some(100) })
            .collect();
        let path = vec![
            Hop { from: "M-1".to_owned(), to: "M-2".to_owned(), signal_dbm: Some(-80) },
            Hop { from: "M-2".to_owned(), to: "C-1".to_owned(), signal_dbm: None },
        ];
        let push = PushEntry {
            received_at: at(1),
            meter: Some(id),
            peer: "127.0.0.1:9".to_owned(),
            accepted: false,
            note: "counter 4 was used before".to_owned(),
        };
        store
            .write(|w| {
                w.put_weather(&hours)?;
                w.put_weather(&hours)?;
                w.set_path(id, &path)?;
                w.set_path(id, &path)?;
                w.log_push(&push)?;
                assert_eq!(w.weather(at(0), at(7200))?, hours[..2]);
                assert_eq!(w.path_of(id)?, path);
                assert_eq!(w.push_log(Some(id), 5)?, std::slice::from_ref(&push));
                assert_eq!(w.push_log(Some(MeterId::new(2)), 5)?, []);
                assert_eq!(w.refused_pushes(at(0))?, 1);
                Ok::<_, StoreError>(())
            })
            .unwrap();
    });
}

mod bench;
mod citus;
mod class_day;
mod job;
mod sql;
mod tls;
mod views;

#[test]
fn a_flood_of_pushes_does_not_fill_the_disk() {
    on_each_engine(|store| {
        let flood = PushEntry {
            received_at: at(1),
            meter: None,
            peer: "203.0.113.9:40000".to_owned(),
            accepted: false,
            note: "no wrapper header".to_owned(),
        };
        store
            .write(|w| {
                w.log_push(&flood)?;
                let last = "INSERT INTO push_log (id, received_ms, peer, accepted, note) VALUES (100999, 0, '', 0, '')";
                crate::column::execute(&w.conn, last, [])?;
                if matches!(w.conn, crate::engine::Conn::Pg(_)) {
                    let next = "SELECT setval(pg_get_serial_sequence('push_log', 'id'), 100999)";
                    assert_eq!(crate::column::value::<i64>(&w.conn, next, [])?, 100_999);
                }
                w.log_push(&flood)?;
                assert_eq!(w.push_log(None, 10)?.len(), 2, "the first one made room");
                Ok::<_, StoreError>(())
            })
            .unwrap();
    });
}
