//! Roles in separate processes over one PostgreSQL, killed at random moments: nothing is lost and nothing is doubled.

use crate::common::{Process, done, until};
use cluster::Database;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use mdm::{Incoming, Mdm};
use model::{
    BatchSource, ChannelId, ChannelKind, Commodity, IntervalLength, MeterId, PremiseNumber, Quality,
    ReadBatch, Serial, Unit,
};
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::{
    InboxItem, JobState, NewMeter, NewPremise, NewRoute, NewServicePoint, PgConfig, Provision, Read, Store,
    StoreError,
};

pub(crate) const METERS: u8 = 4;
const DAYS: i64 = 40;
const KILLS: u32 = 24;

/// A database, a data directory for its key, and a configuration that names both.
pub(crate) struct Utility {
    database: Database,
    config: PathBuf,
}

impl Utility {
    /// Four homes, set up from the command line and filled as a program would.
    pub(crate) fn set_up(home: &Path, database: Database, close_meters: u32) -> Self {
        let (data, address) = (home.join("data"), database.address());
        let data = data.to_str().unwrap();
        let place = ["--data", data, "--database", &address];
        done(&[&["admin", "migrate"], &place[..], &["--name", "Alder", "--zone", "Europe/Zurich"]].concat());
        let config = home.join("serve.toml");
        let text = format!(
            "data = \"{data}\"\ndatabase = \"{address}\"\n[web]\nlisten = \"127.0.0.1:0\"\n\
             [head_end]\nlisten_pushes = \"127.0.0.1:0\"\n[jobs]\nlease_s = 1\nclose_meters = {close_meters}\n"
        );
        std::fs::write(&config, text).unwrap();
        let utility = Self { database, config };
        utility.store().write(|w| w.provision(&homes())).unwrap();
        utility
    }

    pub(crate) fn store(&self) -> Store {
        Store::connect(&PgConfig::parse(&self.database.address()).unwrap()).unwrap()
    }

    pub(crate) fn start(&self, role: &str) -> Process {
        let mut process =
            Process::start(&["--json", "serve", "--config", self.config.to_str().unwrap(), "--role", role]);
        process.record();
        process
    }
}

fn homes() -> Provision {
    let mut all = Provision::default();
    for number in 1..=METERS {
        let premise = PremiseNumber::new(format!("P-{number}"));
        all.premises.push(NewPremise {
            number: premise.clone(),
            address: format!("{number} Alder Court"),
            town: "Alder".to_owned(),
            position: None,
        });
        all.service_points.push(NewServicePoint {
            number: format!("SP-{number}"),
            supply: model::master::Supply::default(),
            rate_class: None,
            premise,
            account: None,
            transformer: None,
            commodity: Commodity::Electricity,
        });
        all.meters.push(NewMeter {
            serial: Serial::new(format!("M-{number}")),
            model: "electricity-single-phase".to_owned(),
            commodity: Commodity::Electricity,
            service_point: Some(format!("SP-{number}")),
            route: NewRoute::Direct { endpoint: format!("127.0.0.1:{number}") },
            system_title: [b'W', b'T', b'L', 0, 0, 0, 0, number],
            client_sap: 1,
            server_sap: 1,
            security: "hls5".to_owned(),
            installed_at: Timestamp::now() - SignedDuration::from_hours(24 * 400),
            channels: vec![(ChannelKind::Import, IntervalLength::HOUR)],
            keys: Vec::new(),
            metering: model::master::Metering::default(),
        });
    }
    all
}

/// Days of hours, of which every seventh is missing, so that closing has something to estimate.
fn history(today: Date, zone: &jiff::tz::TimeZone) -> Vec<ReadBatch> {
    let mut batches = Vec::new();
    for back in 3..DAYS + 3 {
        let start = (today - back.days()).to_zoned(zone.clone()).unwrap().timestamp();
        for meter in 1..=METERS {
            let value = |hour: i64| 400 + (hour * 37 + back * 11 + i64::from(meter) * 5) % 90;
            let values = (0..20).map(|hour| ((hour + back) % 7 != 0).then(|| value(hour))).collect();
            batches.push(ReadBatch {
                meter: MeterId::new(meter.into()),
                kind: ChannelKind::Import,
                start,
                interval: IntervalLength::HOUR,
                values,
                scaler: 0,
                unit: Unit::WattHour,
                status: vec![0; 20],
                received_at: start + SignedDuration::from_hours(25),
                source: BatchSource::Scheduled,
            });
        }
    }
    batches
}

/// What the days have come to, without the moments at which that was written.
pub(crate) type Outcome = BTreeMap<(Date, ChannelId, u32), (bool, Vec<i64>, Vec<u8>, usize)>;

fn outcome(store: &Store) -> Outcome {
    store
        .read(|r| {
            let mut all = Outcome::new();
            let Some((first, last)) = r.day_range()? else { return Ok(all) };
            for channel in r.channels()? {
                let mut day = first;
                while day <= last {
                    let findings = r.findings(channel.id, day, day.tomorrow().unwrap())?.len();
                    for stored in r.day_versions(channel.id, day)? {
                        let marks = stored.block.quality.iter().map(|quality| quality.byte()).collect();
                        let values = (stored.sealed, stored.block.values, marks, findings);
                        all.insert((day, channel.id, stored.block.version), values);
                    }
                    day = day.tomorrow().unwrap();
                }
            }
            Ok::<_, StoreError>(all)
        })
        .unwrap()
}

/// Starts two processes of a role and kills one or the other at random moments, until `over`.
pub(crate) fn harass(utility: &Utility, role: &str, seed: u64, mut over: impl FnMut() -> bool) -> u32 {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
    let mut workers = [utility.start(role), utility.start(role)];
    let mut kills = 0;
    while kills < KILLS && !over() {
        // The moment is what is drawn; nothing is waited for.
        std::thread::sleep(Duration::from_millis(random.next_u64() % 120));
        let victim = usize::from(random.next_u32().is_multiple_of(2));
        workers[victim].kill();
        kills += 1;
        workers[victim] = utility.start(role);
    }
    until("the end of the work", || over().then_some(()));
    kills
}

#[test]
fn two_job_workers_killed_at_random_do_every_chore_once() {
    let (Some(calm), Some(harsh)) = (Database::fresh(), Database::fresh()) else { return };
    let (calm_home, harsh_home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // One closes a day at once, the others in two parts that they share.
    let utilities =
        [Utility::set_up(calm_home.path(), calm, 99), Utility::set_up(harsh_home.path(), harsh, 2)];
    let now = Timestamp::now();
    for utility in &utilities {
        let mdm = Mdm::new(utility.store(), vee::Rules::default(), operations::models::judged()).unwrap();
        let today = mdm.day_of(now).unwrap().date();
        let items = history(today, mdm.zone()).into_iter().map(Incoming::Batch);
        mdm.bulk_load(now, items).unwrap();
    }
    let [calm, harsh] = utilities;
    let all_closed = |utility: &Utility| {
        let store = utility.store();
        let mdm = Mdm::new(store, vee::Rules::default(), BTreeMap::new()).unwrap();
        move || mdm.due_days(now).unwrap().is_empty()
    };
    let worker = calm.start("jobs");
    let over = all_closed(&calm);
    until("the calm worker", || over().then_some(()));
    drop(worker);
    let kills = harass(&harsh, "jobs", 20_261_128, all_closed(&harsh));
    let jobs = harsh.store().read(|r| r.jobs(None, 10_000)).unwrap();
    let closed: Vec<_> = jobs.iter().filter(|job| job.kind == operations::chores::CLOSE_DAY).collect();
    assert!(closed.iter().all(|job| job.state == JobState::Done), "{closed:?}");
    assert!(i64::try_from(closed.len()).unwrap() >= DAYS, "{} jobs", closed.len());
    assert!(kills > 0);
    let parts = jobs.iter().filter(|job| job.kind == operations::chores::CLOSE_PART).count();
    assert_eq!(parts, closed.len() * 2);
    let again = closed.iter().filter(|job| job.attempts > 1).count();
    eprintln!("{kills} kills, {again} of {} jobs were taken up again", closed.len());
    assert_eq!(outcome(&harsh.store()), outcome(&calm.store()));
}

#[test]
fn what_waits_in_the_inbox_is_taken_in_once_by_killed_managers() {
    let Some(database) = Database::fresh() else { return };
    let home = tempfile::tempdir().unwrap();
    let utility = Utility::set_up(home.path(), database, 99);
    let store = utility.store();
    let mdm = Mdm::new(store.clone(), vee::Rules::default(), BTreeMap::new()).unwrap();
    let batches = history(mdm.day_of(Timestamp::now()).unwrap().date(), mdm.zone());
    let mut expected = 0;
    for group in batches.chunks(8) {
        expected += group.len() as u64;
        store
            .write(|w| {
                group.iter().try_for_each(|batch| {
                    let item = serde_json::json!({ "batch": batch }).to_string();
                    w.put_inbox(&InboxItem { meter: batch.meter, received_at: batch.received_at, item })
                })
            })
            .unwrap();
    }
    let look = store.clone();
    let kills = harass(&utility, "mdm", 7, move || look.read(Read::inbox_is_empty).unwrap());
    eprintln!("{kills} kills while {expected} items were taken in");
    assert_eq!(store.read(Read::raw_batch_count).unwrap(), expected);
    assert!(store.read(Read::job_counts).unwrap().is_empty(), "nothing was set aside");
    let versions = outcome(&store);
    assert_eq!(versions.len() as u64, expected, "a version a day, none of them doubled");
    let read = |mark: &u8| Quality::try_from(*mark).unwrap().is_read();
    let slots = versions.values().flat_map(|(_, values, marks, _)| values.iter().zip(marks));
    let held: i64 = slots.filter(|(_, mark)| read(mark)).map(|(value, _)| value).sum();
    let sent: i64 = batches.iter().flat_map(|batch| batch.values.iter().flatten()).sum();
    assert_eq!(held, sent);
}
