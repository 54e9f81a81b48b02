//! What readings are held against, from what a meter says to the queue.

use crate::tests::{CHANNEL, METER, MONDAY, batch, days_later, start_of, utility, whole_day};
use crate::{Incoming, Mdm, ModelFacts};
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::{BatchSource, BillId, MeterCheck, Quality, ReadBatch, Serial, Unit};
use std::collections::BTreeMap;
use store::{Pin, StoredFinding};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A rule, and what a meter tells that breaks it.
type Told = (&'static str, fn(Timestamp) -> MeterCheck);

fn findings(mdm: &Mdm) -> Vec<StoredFinding> {
    let (from, to) = (MONDAY - 40.days(), MONDAY + 40.days());
    mdm.store().read(|r| r.findings(CHANNEL, from, to)).unwrap()
}

fn rules(mdm: &Mdm) -> Vec<String> {
    findings(mdm).into_iter().map(|finding| finding.rule).collect()
}

/// How many intervals of the day were read.
fn present(mdm: &Mdm) -> usize {
    let stored = mdm.store().read(|r| r.day(CHANNEL, MONDAY)).unwrap();
    stored.map_or(0, |day| day.block.quality.iter().filter(|quality| quality.is_read()).count())
}

fn scheduled(batch: ReadBatch, received_at: Timestamp) -> Incoming {
    Incoming::Batch(ReadBatch { source: BatchSource::Scheduled, received_at, ..batch })
}

fn check(at: Timestamp) -> MeterCheck {
    MeterCheck::new(METER, at)
}

#[test]
fn another_device_or_another_multiplier_is_refused_until_the_registry_fits() {
    let rows: [Told; 4] = [
        ("identification", |at| MeterCheck { serial: Some(Serial::new("M-9")), ..check(at) }),
        ("multiplier", |at| MeterCheck { multiplier: Some(40), ..check(at) }),
        ("multiplier", |at| MeterCheck { scaler_off: Some(1), ..check(at) }),
        ("multiplier", |at| MeterCheck { scaler_off: Some(-3), multiplier: Some(1), ..check(at) }),
    ];
    for (rule, told) in rows {
        let mdm = utility();
        let now = days_later(&mdm, MONDAY, 1) + HOUR;
        let day = scheduled(whole_day(&mdm, MONDAY), now);
        let report = mdm.receive(now, vec![Incoming::Check(told(now)), day.clone()]).unwrap();
        assert_eq!((report.stored, report.batches, present(&mdm)), (0, 1, 0), "{rule}");
        assert_eq!(rules(&mdm), [rule]);
        assert_eq!(mdm.store().read(store::Read::raw_batch_count).unwrap(), 1, "what was read is kept");
        // The same readings from the right device fill what is empty.
        let fine = MeterCheck {
            serial: Some(Serial::new("M-1")),
            multiplier: Some(1),
            scaler_off: Some(0),
            ..check(now + HOUR)
        };
        mdm.receive(now + HOUR, vec![Incoming::Check(fine), day]).unwrap();
        assert_eq!(present(&mdm), 96, "{rule}");
    }
}

#[test]
fn a_clock_that_was_lost_is_doubted_since_it_was_last_good() {
    let mdm = utility();
    let start = start_of(&mdm, MONDAY);
    let at = |hours: i64| start + SignedDuration::from_hours(hours);
    let clock = |hours: i64, offset_s: i64| {
        Incoming::Check(MeterCheck { clock_offset_ms: Some(offset_s * 1000), ..check(at(hours)) })
    };
    let values = batch(at(8), &(0..12).map(|n| 100 + n).collect::<Vec<_>>());
    // Good at nine, an hour ahead at eleven, set and good again a moment later, in the same visit.
    let items = vec![clock(9, 2), clock(11, 3600), clock(11, 1), scheduled(values, at(11))];
    mdm.receive(at(11), items).unwrap();
    let stored = mdm.store().read(|r| r.day(CHANNEL, MONDAY)).unwrap().unwrap();
    let doubted: Vec<usize> =
        (0..96).filter(|index| stored.block.quality[*index].has(Quality::CLOCK_DOUBTFUL)).collect();
    assert_eq!(doubted, (36..44).collect::<Vec<_>>(), "nine to eleven");
    let found = findings(&mdm);
    let found = found.iter().find(|finding| finding.severity == "fail").unwrap();
    assert_eq!((found.rule.as_str(), found.first, found.count), ("clock", 36, 8));
    assert!(found.sentence.contains("3600 s ahead"), "{}", found.sentence);
    // What comes after is trusted.
    mdm.receive(at(12), vec![scheduled(batch(at(11), &[100, 101, 102, 103]), at(12))]).unwrap();
    let stored = mdm.store().read(|r| r.day(CHANNEL, MONDAY)).unwrap().unwrap();
    assert!(!stored.block.quality[44].has(Quality::CLOCK_DOUBTFUL));
}

#[test]
fn our_own_clock_is_told_when_it_was_off_the_reference() {
    for (offset_ms, expected) in [(2000, 0), (-2001, 1)] {
        let mdm = utility();
        let now = days_later(&mdm, MONDAY, 1) + HOUR;
        mdm.store().write(|w| w.note_system_clock(now - HOUR, offset_ms, "reference")).unwrap();
        mdm.receive(now, vec![scheduled(whole_day(&mdm, MONDAY), now)]).unwrap();
        assert_eq!(rules(&mdm).iter().filter(|rule| *rule == "system_clock").count(), expected);
        assert_eq!(present(&mdm), 96);
    }
}

#[test]
fn a_value_for_a_billed_day_goes_to_the_queue_of_late_ones() {
    let mdm = utility();
    let now = days_later(&mdm, MONDAY, 1) + HOUR;
    let pin = Pin { channel: CHANNEL, day: MONDAY, version: 1 };
    mdm.pin_versions(now, BillId::new(1), &[pin]).unwrap();
    mdm.receive(now, vec![scheduled(whole_day(&mdm, MONDAY), now)]).unwrap();
    assert_eq!(rules(&mdm), ["late"]);
    let tuesday = MONDAY + 1.day();
    mdm.receive(now + 24.hours(), vec![scheduled(whole_day(&mdm, tuesday), now + 24.hours())]).unwrap();
    assert_eq!(rules(&mdm), ["late"], "the day after is not billed");
}

#[test]
fn what_is_from_before_or_after_the_meter_is_not_its_own() {
    let mdm = utility();
    let noon = start_of(&mdm, MONDAY) + 12.hours();
    let now = days_later(&mdm, MONDAY, 1) + HOUR;
    mdm.store().write(|w| w.retire_meter(METER, noon)).unwrap();
    mdm.reload().unwrap();
    mdm.receive(now, vec![scheduled(whole_day(&mdm, MONDAY), now)]).unwrap();
    assert_eq!(present(&mdm), 48, "the morning was this meter's");
    assert_eq!(rules(&mdm), ["identification"]);
    let late = days_later(&mdm, MONDAY, 2);
    mdm.close_day(late, MONDAY).unwrap();
    assert!(!rules(&mdm).contains(&"gap".to_owned()), "nobody waits for what another meter has");
    let report = mdm.close_day(late + 24.hours(), MONDAY + 1.day()).unwrap();
    // The other meter of the utility is still there.
    assert_eq!(report.channels, 3);
}

#[test]
fn the_future_and_foreign_units_never_become_values() {
    let mdm = utility();
    let noon = start_of(&mdm, MONDAY) + 12.hours();
    let ahead = batch(noon, &[100, 101, 102, 103]);
    mdm.receive(noon, vec![scheduled(ahead, noon)]).unwrap();
    assert_eq!((present(&mdm), rules(&mdm)), (0, vec!["future".to_owned()]));
    let mdm = utility();
    let water = ReadBatch { unit: Unit::CubicMetre, ..batch(start_of(&mdm, MONDAY), &[1, 2]) };
    mdm.receive(noon, vec![scheduled(water, noon)]).unwrap();
    assert_eq!((present(&mdm), rules(&mdm)), (0, vec!["unit".to_owned()]));
}

#[test]
fn a_full_counter_ran_over() {
    let plain = utility();
    let model = ModelFacts { counter_bits: Some(16), ..ModelFacts::default() };
    let models = BTreeMap::from([("five-dials".to_owned(), model)]);
    let mdm = Mdm::new(plain.store().clone(), vee::Rules::default(), models).unwrap();
    let start = start_of(&mdm, MONDAY);
    let now = start + HOUR;
    mdm.receive(now, vec![scheduled(batch(start, &[100, 65_535, 101]), now)]).unwrap();
    assert_eq!(present(&mdm), 2);
    assert_eq!(rules(&mdm), ["overflow"]);
}
