//! Two job workers over one PostgreSQL that fold months, remove what is old and seal pushes, killed at random moments: what
//! comes out is what one worker leaves that nobody disturbs.

use crate::common::until;
use crate::work::{METERS, Outcome, Utility, harass};
use cluster::Database;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::{BatchSource, BillId, ChannelId, ChannelKind, IntervalLength, MeterId, Quality, ReadBatch, Unit};
use operations::chores::{FOLD, RETAIN, SEAL};
use std::collections::BTreeMap;
use store::page::PAGE;
use store::{DayPage, DaySummary, JobState, Kept, PageHead, Pin, Read, Retention, Store, StoreError};

/// Pages of old days, from the second on, so that they are nobody's of whom pushes come.
const PAGES: u32 = 5;
/// Channels of each that have days.
const CHANNELS: u32 = 16;
const MONTHS: i64 = 24;
/// Months that are kept.
const KEPT: u32 = 13;
/// Groups of pushes, an hour of one meter each.
const GROUPS: i64 = 300;
/// Old days that bills were computed from.
const PINNED: u32 = 3;

fn zone() -> TimeZone {
    TimeZone::get("Europe/Zurich").unwrap()
}

fn midnight(day: Date) -> Timestamp {
    day.to_zoned(zone()).unwrap().timestamp()
}

/// The day of a month so many months ago that has readings.
fn day_of(today: Date, back: i64) -> Date {
    today.first_of_month() - back.months()
}

/// A day a month for two years, three of them billed; settings that let the oldest go; pushes that wait.
fn fill(store: &Store, today: Date) {
    let now = Timestamp::now();
    store
        .write(|w| {
            for back in 0..MONTHS {
                let day = day_of(today, back);
                let head = PageHead {
                    day,
                    start: midnight(day),
                    interval: IntervalLength::HOUR,
                    slots: 24,
                    quality: Quality::VALID,
                    recorded_at: midnight(day),
                    rules: 1,
                    received_at: midnight(day),
                    source: BatchSource::Import,
                    unit: Unit::WattHour,
                    scaler: 0,
                    exponent: 0,
                };
                let page = |number: u32| {
                    let mut page = DayPage::new(head, number);
                    for channel in 0..CHANNELS {
                        let id = ChannelId::new(number * PAGE + channel);
                        let value = |hour: i64| i64::from(id.get()) * 3 + back * 7 + hour * hour % 50;
                        assert!(page.push(id, &(0..24).map(value).collect::<Vec<_>>()));
                    }
                    page
                };
                let pages: Vec<DayPage> = (1..=PAGES).map(page).collect();
                w.put_pages(&pages.iter().collect::<Vec<_>>())?;
            }
            for nth in 0..PINNED {
                let channel = ChannelId::new((nth + 1) * PAGE + nth);
                w.pin(BillId::new(1), &Pin { channel, day: day_of(today, 18), version: 1 }, now)?;
            }
            for kind in [Kept::Raw, Kept::Intervals] {
                let (set_by, reason) = ("Ada".to_owned(), "the law".to_owned());
                w.set_retention(&Retention { kind, months: KEPT, set_by, reason, set_at: now })?;
            }
            // Closing days is another test's.
            w.close_day(today.yesterday().unwrap(), now)
        })
        .unwrap();
    for group in 0..GROUPS {
        let (meter, hour) = (group % i64::from(METERS), group / i64::from(METERS));
        let start = midnight(today - 9.days()) + SignedDuration::from_hours(hour);
        let batch = ReadBatch {
            meter: MeterId::new(u32::try_from(meter).unwrap() + 1),
            kind: ChannelKind::Import,
            start,
            interval: IntervalLength::HOUR,
            values: vec![Some(300 + hour % 24 * 10 + meter)],
            scaler: 0,
            unit: Unit::WattHour,
            status: vec![0],
            received_at: start + SignedDuration::from_hours(2),
            source: BatchSource::Push,
        };
        store.write(|w| w.append_pushes(&[batch], now - SignedDuration::from_mins(5))).unwrap();
    }
}

/// Whether everything is folded, removed and sealed.
fn is_over(store: &Store) -> bool {
    store
        .read(|r| {
            if r.pushes_waiting()? > 0 {
                return Ok(false);
            }
            let jobs = r.jobs(None, 10_000)?;
            let of = |kind: &str| jobs.iter().filter(|job| job.kind == kind).collect::<Vec<_>>();
            let done =
                |kind: &str| !of(kind).is_empty() && of(kind).iter().all(|job| job.state == JobState::Done);
            Ok::<_, StoreError>([FOLD, RETAIN, SEAL].into_iter().all(done))
        })
        .unwrap()
}

/// What is left: every old day, how many rows of each kind of table, what was removed, and the days that were pushed.
type Left = (Vec<Vec<DaySummary>>, BTreeMap<Kept, (u64, u64)>, u64, Outcome);

fn left(store: &Store, today: Date) -> Left {
    let days =
        (0..MONTHS).map(|back| store.read(|r| r.day_summaries(day_of(today, back))).unwrap()).collect();
    let mut removed: BTreeMap<Kept, (u64, u64)> = BTreeMap::new();
    for one in store.read(|r| r.removals(100)).unwrap() {
        let sum = removed.entry(one.kind).or_default();
        (sum.0, sum.1) = (sum.0 + one.removed, sum.1 + one.pinned);
    }
    let pushed = outcome_of_pushes(store, today);
    (days, removed, store.read(Read::raw_batch_count).unwrap(), pushed)
}

fn outcome_of_pushes(store: &Store, today: Date) -> Outcome {
    let mut all = Outcome::new();
    store
        .read(|r| {
            for channel in r.channels()? {
                for back in 0..12 {
                    let day = today - back.days();
                    for stored in r.day_versions(channel.id, day)? {
                        let marks = stored.block.quality.iter().map(|quality| quality.byte()).collect();
                        let values = (stored.sealed, stored.block.values, marks, 0);
                        all.insert((day, channel.id, stored.block.version), values);
                    }
                }
            }
            Ok::<_, StoreError>(all)
        })
        .unwrap()
}

#[test]
fn folding_removing_and_sealing_by_killed_workers_is_done_once() {
    let (Some(calm), Some(harsh)) = (Database::fresh(), Database::fresh()) else { return };
    let (calm_home, harsh_home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (calm, harsh) =
        (Utility::set_up(calm_home.path(), calm, 99), Utility::set_up(harsh_home.path(), harsh, 99));
    let today = Timestamp::now().to_zoned(zone()).date();
    fill(&calm.store(), today);
    fill(&harsh.store(), today);
    let worker = calm.start("jobs");
    let store = calm.store();
    until("the calm worker", || is_over(&store).then_some(()));
    drop(worker);
    let look = harsh.store();
    let kills = harass(&harsh, "jobs", 2_026, move || is_over(&look));
    assert!(kills > 3, "it was over after {kills} kills");
    let store = harsh.store();
    let jobs = store.read(|r| r.jobs(None, 10_000)).unwrap();
    let again = jobs.iter().filter(|job| job.attempts > 1).count();
    let dead: Vec<_> = jobs.iter().filter(|job| job.state == JobState::Dead).collect();
    assert!(dead.is_empty(), "{dead:?}");
    eprintln!("{kills} kills, {again} of {} jobs were taken up again", jobs.len());
    let (left_harsh, left_calm) = (left(&store, today), left(&calm.store(), today));
    // Months before those that are kept and the current one have gone, but for what was billed; counted once.
    let gone =
        u64::from(PAGES * CHANNELS) * (MONTHS - i64::from(KEPT) - 1).unsigned_abs() - u64::from(PINNED);
    assert_eq!(left_harsh.1[&Kept::Intervals], (gone, PINNED.into()));
    let billed: Vec<_> = left_harsh.0[18].iter().map(|day| day.channel).collect();
    assert_eq!(billed, (0..PINNED).map(|nth| ChannelId::new((nth + 1) * PAGE + nth)).collect::<Vec<_>>());
    let kept = u64::from(PAGES * CHANNELS) * (u64::from(KEPT) + 1) + u64::from(PINNED);
    assert_eq!(left_harsh.2, kept + GROUPS.unsigned_abs(), "batches, none lost and none doubled");
    assert_eq!(left_harsh, left_calm);
}
