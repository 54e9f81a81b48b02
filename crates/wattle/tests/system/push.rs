//! A fleet that pushes at a head-end which is killed at random moments: what was acknowledged is kept, and kept once.
//!
//! A data-notification is answered by nobody. What acknowledges it is the meter's push counter: a push whose counter is on
//! disk is refused as a replay, and one whose counter is not may come again. So the fleet does what a concentrator does: it
//! sends each meter's pushes in order, and after a break again from the first one that was not acknowledged.

use crate::common::{Plate, Process, Utility, done, text, until, write_plates};
use cluster::Database;
use dlms::Data;
use dlms::apdu::{Apdu, DataNotification};
use dlms::security::{Envelope, Key, Keys, Protection, SystemTitle, protect};
use dlms::wrapper;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use mdm::Mdm;
use model::{ChannelKind, MeterId};
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;
use store::{JobState, PgConfig, Read, Store, StoreError};

const METERS: u32 = 20;
/// Pushes of each meter: an hour each, a whole day.
const PUSHES: u32 = 24;
const KILLS: u32 = 6;
const ZONE: &str = "Europe/Zurich";

/// The import of the interval that begins so many quarter hours into the day.
fn import(meter: u32, quarter: u32) -> u32 {
    60 + (meter * 31 + quarter * 17) % 140
}

fn keys(meter: u32) -> [[u8; 16]; 2] {
    let number = u8::try_from(meter).unwrap();
    [[number; 16], [0xD0 ^ number; 16]]
}

fn plate(meter: u32) -> Plate {
    let [key, auth_key] = keys(meter).map(hex::encode);
    Plate {
        serial: format!("{meter:08}"),
        title: format!("57544C00{meter:08X}"),
        model: "electricity-push",
        // Nobody listens there: what these meters have to say comes as pushes only.
        endpoint: "127.0.0.1:9".to_owned(),
        key,
        auth_key,
    }
}

fn clock(at: Timestamp) -> Data {
    let civil = TimeZone::UTC.to_datetime(at);
    let [y0, y1] = civil.year().to_be_bytes();
    let small = |value: i8| u8::try_from(value).unwrap();
    let date = [y0, y1, small(civil.month()), small(civil.day()), 0xFF];
    let time = [small(civil.hour()), small(civil.minute()), small(civil.second()), 0, 0, 0, 0];
    Data::OctetString([&date[..], &time[..]].concat())
}

/// A meter's push under counter `number`: the four quarter hours of the hour before that number.
fn push(meter: u32, number: u32, midnight: Timestamp) -> Vec<u8> {
    let rows = (number * 4 - 4..number * 4).map(|quarter| {
        let end = midnight + SignedDuration::from_mins(15 * (i64::from(quarter) + 1));
        Data::Structure(vec![
            clock(end),
            Data::Unsigned(0),
            Data::DoubleLongUnsigned(import(meter, quarter)),
            Data::DoubleLongUnsigned(0),
            Data::LongUnsigned(2300),
        ])
    });
    let body =
        Data::Structure(vec![Data::OctetString(vec![0, 0, 25, 9, 0, 255]), Data::Array(rows.collect())]);
    let apdu =
        Apdu::DataNotification(DataNotification { long_invoke: number, at: Vec::new(), body }).encode();
    let [guek, gak] = keys(meter).map(Key::new);
    let [.., a, b, c, d] = u64::from(meter).to_be_bytes();
    let title = SystemTitle([b'W', b'T', b'L', 0, a, b, c, d]);
    let sealed = protect(
        Envelope::GeneralGlo,
        Protection::AuthenticatedEncrypted,
        &Keys::new(guek, gak),
        title,
        number,
        &apdu,
    );
    wrapper::encode(1, 1, &sealed.unwrap()).unwrap()
}

/// Where the story plays: how its processes are started and how its database is opened.
struct Ground {
    start: Box<dyn Fn() -> (Vec<Process>, String)>,
    store: Box<dyn Fn() -> Store>,
}

/// The counters of the meters that are on disk.
fn acknowledged(store: &Store) -> BTreeMap<u32, u32> {
    let counters = store.read(Read::counters).unwrap();
    let mut all: BTreeMap<u32, u32> = (1..=METERS).map(|meter| (meter, 0)).collect();
    all.extend(counters.into_iter().map(|(meter, counter)| (meter.get(), counter.push)));
    all
}

/// How often each push is kept, by meter and hour: in a group that waits, or as a batch of its day.
fn kept(store: &Store, midnight: Timestamp) -> BTreeMap<(u32, i64), usize> {
    let hour = |start: Timestamp| start.duration_since(midnight).as_hours();
    store
        .read(|read| {
            let mut all = BTreeMap::new();
            for group in read.push_groups(u32::MAX)? {
                for batch in group.batches.iter().filter(|batch| batch.kind == ChannelKind::Import) {
                    *all.entry((batch.meter.get(), hour(batch.start))).or_default() += 1;
                }
            }
            for channel in read.channels()?.iter().filter(|channel| channel.kind == ChannelKind::Import) {
                let until = midnight + SignedDuration::from_hours(24);
                for batch in read.raw_batches(channel.id, midnight, until)? {
                    *all.entry((channel.meter.get(), hour(batch.start))).or_default() += 1;
                }
            }
            Ok::<_, StoreError>(all)
        })
        .unwrap()
}

/// Sends every meter's pushes from the first that is not acknowledged, hour by hour, until the other end is gone or `most` are
/// sent.
fn send(address: &str, from: &BTreeMap<u32, u32>, midnight: Timestamp) {
    let Some(mut stream) = crate::common::connect(address) else { return };
    for number in 1..=PUSHES {
        for (meter, acknowledged) in from {
            if number > *acknowledged && stream.write_all(&push(*meter, number, midnight)).is_err() {
                return;
            }
        }
        // A fleet does not speak all at once; this is what makes moments to be killed in.
        std::thread::sleep(Duration::from_millis(8));
    }
}

fn story(ground: &Ground, seed: u64) {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
    let day = Timestamp::now().to_zoned(TimeZone::get(ZONE).unwrap()).date() - 1.day();
    let midnight = day.to_zoned(TimeZone::get(ZONE).unwrap()).unwrap().timestamp();
    let store = (ground.store)();
    let mut before = acknowledged(&store);
    let mut told = Vec::new();
    for _ in 0..KILLS {
        let (mut processes, address) = (ground.start)();
        let from = acknowledged(&store);
        let sending = std::thread::spawn(move || send(&address, &from, midnight));
        // The moment is what is drawn; what is waited for is that anything was acknowledged.
        until("an acknowledgement", || {
            let now = acknowledged(&store);
            (now != before || now.values().all(|counter| *counter == PUSHES)).then_some(())
        });
        std::thread::sleep(Duration::from_millis(random.next_u64() % 60));
        let seen = acknowledged(&store);
        processes.iter_mut().for_each(Process::kill);
        sending.join().unwrap();
        before = acknowledged(&store);
        let kept = kept(&store, midnight);
        for (meter, counter) in &before {
            assert!(*counter >= seen[meter], "the counter of meter {meter} went back");
            for hour in 0..i64::from(*counter) {
                assert_eq!(kept.get(&(*meter, hour)), Some(&1), "hour {hour} of meter {meter}, acknowledged");
            }
        }
        told.push(before.values().sum::<u32>());
    }
    assert!(told.windows(2).any(|pair| pair[0] < pair[1]), "every kill came too late: {told:?}");
    let (_processes, address) = (ground.start)();
    send(&address, &acknowledged(&store), midnight);
    until("the last push in its day", || {
        let all = acknowledged(&store).values().all(|counter| *counter == PUSHES);
        (all && store.read(Read::pushes_waiting).unwrap() == 0).then_some(())
    });
    // Somebody who listened sends all of it again.
    send(&address, &(1..=METERS).map(|meter| (meter, 0)).collect(), midnight);
    until("the refusal of what was replayed", || {
        let refused = store.read(|read| read.refused_pushes(Timestamp::MIN)).unwrap();
        (refused >= u64::from(METERS * PUSHES)).then_some(())
    });
    assert!(kept(&store, midnight).values().all(|count| *count == 1), "a push is kept twice");
    is_whole(store, day);
}

/// Every meter's day holds what was pushed, and every chore went well.
fn is_whole(store: Store, day: Date) {
    let mdm = Mdm::new(store.clone(), vee::Rules::default(), operations::models::judged()).unwrap();
    store
        .read(|read| {
            for meter in 1..=METERS {
                let channel = read.channel(MeterId::new(meter), ChannelKind::Import)?.unwrap();
                // The day may have been closed between two pushes; what came later superseded the estimates.
                let newest = read.day(channel.id, day)?.unwrap().block;
                let sent: Vec<i64> = (0..PUSHES * 4).map(|quarter| import(meter, quarter).into()).collect();
                assert_eq!(newest.values, sent, "meter {meter}");
                assert!(newest.quality.iter().all(|quality| quality.is_read()), "meter {meter}");
                assert_eq!(sent.len(), mdm.local_day(day).unwrap().intervals(channel.interval));
            }
            let dead = read.jobs(Some(JobState::Dead), 10)?;
            assert!(dead.is_empty(), "{dead:?}");
            let seal = read.job(operations::chores::SEAL, "pushes")?.unwrap();
            assert_eq!(seal.state, JobState::Done);
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn what_a_fleet_pushed_and_was_acknowledged_survives_every_kill() {
    let home = tempfile::tempdir().unwrap();
    let utility = Utility::set_up(home.path(), &home.path().join("data"));
    let plates: Vec<Plate> = (1..=METERS).map(plate).collect();
    let loaded = utility.load(&write_plates(&home.path().join("master"), &plates));
    assert_eq!(loaded.code, Some(0), "{}", loaded.err);
    let database = utility.database();
    let start = move || {
        let (process, _, pushes) = utility.serve();
        (vec![process], pushes)
    };
    let file = database.clone();
    let store = move || Store::open(&file).unwrap();
    let ground = Ground { start: Box::new(start), store: Box::new(store) };
    story(&ground, 3);
    // A group that nobody understands is set aside, and stops no other.
    let damage = "INSERT INTO push_group (received_ms, batches, block) VALUES (0, 1, x'01')";
    rusqlite::Connection::open(&database).unwrap().execute(damage, []).unwrap();
    let store = (ground.store)();
    let _serving = (ground.start)();
    until("the damaged group to be set aside", || {
        let dead = store.read(|read| read.jobs(Some(JobState::Dead), 10)).unwrap();
        dead.iter().any(|job| job.kind == "push-group" && job.payload == "01").then_some(())
    });
    assert_eq!(store.read(Read::pushes_waiting).unwrap(), 0);
}

#[test]
fn a_head_end_and_a_job_worker_killed_together_lose_no_push() {
    let Some(database) = Database::fresh() else { return };
    let home = tempfile::tempdir().unwrap();
    let (data, address) = (home.path().join("data"), database.address());
    let place = ["--data", text(&data), "--database", address.as_str()];
    done(&[&["admin", "migrate"], &place[..], &["--name", "Alder", "--zone", ZONE]].concat());
    let plates: Vec<Plate> = (1..=METERS).map(plate).collect();
    let files: Vec<PathBuf> = write_plates(&home.path().join("master"), &plates);
    let files: Vec<&str> = files.iter().map(|file| text(file)).collect();
    done(&[&["admin", "load"], &place[..], &files[..]].concat());
    let config = home.path().join("serve.toml");
    let settings = format!(
        "data = {data:?}\ndatabase = \"{address}\"\n[web]\nlisten = \"127.0.0.1:0\"\n\
         [head_end]\nlisten_pushes = \"127.0.0.1:0\"\n[jobs]\nlease_s = 1\n"
    );
    std::fs::write(&config, settings).unwrap();
    let start = move || {
        let role = |role| Process::start(&["--json", "serve", "--config", text(&config), "--role", role]);
        let mut processes = vec![role("headend"), role("jobs")];
        let pushes = processes[0].record()["pushes"].as_str().unwrap().to_owned();
        processes[1].record();
        (processes, pushes)
    };
    let store = move || Store::connect(&PgConfig::parse(&address).unwrap()).unwrap();
    story(&Ground { start: Box::new(start), store: Box::new(store) }, 4);
}
