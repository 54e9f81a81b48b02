// Behaviour of the whole service: on SQLite in memory, and once more, as `tests_on_postgres`, on PostgreSQL.

use crate::read::PageOf;
use crate::*;
use jiff::civil::date;
use jiff::{SignedDuration, ToSpan};
use model::{
    BatchSource, ChannelId, ChannelKind, ClockStatus, Commodity, EventKind, IntervalLength, MeterId,
    PremiseNumber, Quality, QualityClass, RegisterValue, Serial, ServicePointId, Unit,
};
use proptest::prelude::*;
use store::{NewMeter, NewPremise, NewRoute, NewServicePoint, Origin, Provision, StoredDay, WeatherHour};

pub(crate) const METER: MeterId = MeterId::new(1);
pub(crate) const CHANNEL: ChannelId = ChannelId::new(1);
pub(crate) const QUARTER: IntervalLength = IntervalLength::QUARTER_HOUR;
/// The clocks go forward in Zurich on 2026-03-29 and back on 2026-10-25.
pub(crate) const MONDAY: Date = date(2026, 3, 2);

fn house(number: u8) -> (NewPremise, NewServicePoint, NewMeter) {
    let premise = PremiseNumber::new(format!("P-{number}"));
    let point = format!("SP-{number}");
    (
        NewPremise {
            number: premise.clone(),
            address: format!("{number} Alder Court"),
            town: "Wattle".to_owned(),
            position: None,
        },
        NewServicePoint {
            number: point.clone(),
            premise,
            account: None,
            transformer: None,
            commodity: Commodity::Electricity,
            supply: model::master::Supply::default(),
            rate_class: None,
        },
        NewMeter {
            serial: Serial::new(format!("M-{number}")),
            model: "five-dials".to_owned(),
            commodity: Commodity::Electricity,
            service_point: Some(point),
            route: NewRoute::Direct { endpoint: format!("10.0.0.{number}:4059") },
            system_title: [0, 0, 0, 0, 0, 0, 0, number],
            client_sap: 1,
            server_sap: 1,
            security: "hls5".to_owned(),
            installed_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            channels: vec![
                (ChannelKind::Import, QUARTER),
                (ChannelKind::Export, QUARTER),
                (ChannelKind::Voltage, QUARTER),
            ],
            keys: Vec::new(),
            metering: model::master::Metering::default(),
        },
    )
}

fn on_postgres() -> bool {
    module_path!().ends_with("_on_postgres")
}

/// An empty database of the engine that this copy of the tests is for.
pub(crate) fn empty_store() -> Store {
    if on_postgres()
        && let Some(database) = cluster::Database::fresh()
    {
        let store = Store::connect(&store::PgConfig::parse(&database.address()).unwrap()).unwrap();
        // It stays as long as the cluster, which ends with the tests.
        std::mem::forget(database);
        return store;
    }
    Store::open_in_memory().unwrap()
}

/// Two homes.
pub(crate) fn houses() -> Provision {
    let mut all = Provision::default();
    for number in 1..=2 {
        let (premise, point, meter) = house(number);
        all.premises.push(premise);
        all.service_points.push(point);
        all.meters.push(meter);
    }
    all
}

pub(crate) fn utility() -> Mdm {
    let store = empty_store();
    let all = houses();
    store
        .write(|w| {
            w.set_utility("Alder Electric", "Europe/Zurich")?;
            w.provision(&all)
        })
        .unwrap();
    let dials = ModelFacts { modulus: Some(100_000_000), ..ModelFacts::default() };
    Mdm::new(store, Rules::default(), BTreeMap::from([("five-dials".to_owned(), dials)])).unwrap()
}

pub(crate) fn batch(start: Timestamp, values: &[i64]) -> ReadBatch {
    ReadBatch {
        meter: METER,
        kind: ChannelKind::Import,
        start,
        interval: QUARTER,
        values: values.iter().copied().map(Some).collect(),
        scaler: 0,
        unit: Unit::WattHour,
        status: vec![0; values.len()],
        received_at: start,
        source: BatchSource::Push,
    }
}

/// What the meter counts in the quarter hour that starts at `at`: the same whenever it is asked.
pub(crate) fn truth(at: Timestamp) -> i64 {
    let quarter = at.as_second() / 900;
    100 + (quarter * 7919 % 97)
}

pub(crate) fn read(start: Timestamp, count: usize) -> ReadBatch {
    let values: Vec<i64> =
        (0..count).map(|n| truth(start + 900i64.seconds() * i64::try_from(n).unwrap())).collect();
    batch(start, &values)
}

pub(crate) fn start_of(mdm: &Mdm, date: Date) -> Timestamp {
    mdm.local_day(date).unwrap().start()
}

pub(crate) fn whole_day(mdm: &Mdm, date: Date) -> ReadBatch {
    let day = mdm.local_day(date).unwrap();
    read(day.start(), day.intervals(QUARTER))
}

pub(crate) fn days_later(mdm: &Mdm, date: Date, days: i64) -> Timestamp {
    start_of(mdm, date + days.days())
}

fn stored(mdm: &Mdm, date: Date) -> StoredDay {
    mdm.store().read(|r| r.day(CHANNEL, date)).unwrap().unwrap()
}

/// Everything that ingest decides, to be compared.
fn everything(
    mdm: &Mdm,
    from: Date,
    days: i64,
) -> (Vec<StoredDay>, Vec<store::StoredFinding>, u64, Option<Vec<u8>>) {
    mdm.store()
        .read(|r| {
            let mut versions = Vec::new();
            for day in 0..days {
                versions.extend(r.day_versions(CHANNEL, from + day.days())?);
            }
            let findings = r.findings(CHANNEL, from, from + days.days())?;
            Ok::<_, MdmError>((versions, findings, r.raw_batch_count()?, r.channel_stats(CHANNEL)?))
        })
        .unwrap()
}

#[test]
fn a_day_is_read_validated_and_sealed() {
    let mdm = utility();
    let now = days_later(&mdm, MONDAY, 1);
    let report = mdm.ingest(now, vec![whole_day(&mdm, MONDAY)]).unwrap();
    assert_eq!((report.batches, report.stored, report.findings), (1, 96, 0));
    assert_eq!(report.days, [(CHANNEL, MONDAY)]);
    let day = stored(&mdm, MONDAY);
    assert_eq!((day.block.version, day.sealed), (1, true));
    assert!(day.block.quality.iter().all(|quality| *quality == Quality::VALID));
    assert_eq!(day.block.values[5], truth(start_of(&mdm, MONDAY) + SignedDuration::from_secs(4500)));
}

#[test]
fn days_of_23_and_25_hours_are_whole() {
    for (date, quarters) in [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100)] {
        let mdm = utility();
        let first = start_of(&mdm, date.yesterday().unwrap());
        // One push runs across the whole stretch, midnights included.
        let report = mdm.ingest(days_later(&mdm, date, 2), vec![read(first, 96 + quarters + 96)]).unwrap();
        assert_eq!((report.stored, report.days.len(), report.findings), (96 + quarters + 96, 3, 0));
        let profile = mdm.profile(METER, ChannelKind::Import, date).unwrap().unwrap();
        assert_eq!(profile.series.slots.len(), quarters);
        assert_eq!(profile.series.counts(), (quarters, 0, 0));
        for (index, (value, _)) in profile.series.slots.iter().enumerate() {
            assert_eq!(*value, truth(profile.day.interval_start(QUARTER, index)));
        }
        assert!(
            mdm.missing(METER, ChannelKind::Import, first, days_later(&mdm, date, 2)).unwrap().is_empty()
        );
    }
}

#[test]
fn a_contradiction_makes_a_version_and_a_finding_and_keeps_both() {
    let mdm = utility();
    let now = days_later(&mdm, MONDAY, 1);
    let start = start_of(&mdm, MONDAY);
    mdm.ingest(now, vec![whole_day(&mdm, MONDAY)]).unwrap();
    let other = batch(start + SignedDuration::from_hours(5), &[11, 12]);
    let report = mdm.ingest(now, vec![other.clone()]).unwrap();
    assert_eq!((report.conflicting, report.stored), (2, 0));
    let versions = mdm.profile_versions(METER, ChannelKind::Import, MONDAY).unwrap();
    assert_eq!(versions.len(), 2);
    assert_eq!(versions[0].block.values[20], truth(start + SignedDuration::from_hours(5)));
    assert_eq!((versions[1].block.values[20], versions[1].block.version), (11, 2));
    assert!(versions[1].block.quality[20].has(Quality::SUPERSEDED));
    let before = everything(&mdm, MONDAY, 1);
    assert!(before.1.iter().any(|f| f.origin == Origin::Ingest && f.rule == "duplicate" && f.version == 2));
    assert_eq!(before.2, 2, "both raw batches are kept");
    // The first batch once more is old news, not a contradiction of the second.
    mdm.ingest(now + SignedDuration::from_hours(1), vec![whole_day(&mdm, MONDAY), other]).unwrap();
    assert_eq!(everything(&mdm, MONDAY, 1), before);
}

#[test]
fn gaps_are_estimated_when_due_and_give_way_to_late_readings() {
    let mdm = utility();
    let start = start_of(&mdm, MONDAY);
    for day in 0..7 {
        mdm.ingest(days_later(&mdm, MONDAY, day + 1), vec![whole_day(&mdm, MONDAY + day.days())]).unwrap();
    }
    let gap_day = MONDAY + 7.days();
    let gap_start = start_of(&mdm, gap_day);
    let (hole, end) = (gap_start + SignedDuration::from_hours(6), gap_start + SignedDuration::from_hours(12));
    mdm.ingest(days_later(&mdm, gap_day, 1), vec![read(gap_start, 24), read(end, 48)]).unwrap();
    assert_eq!(
        mdm.missing(METER, ChannelKind::Import, start, days_later(&mdm, gap_day, 1)).unwrap(),
        [Gap { from: hole, to: end }]
    );
    assert!(!stored(&mdm, gap_day).sealed);

    let due = days_later(&mdm, gap_day, 4);
    assert!(mdm.due_days(days_later(&mdm, gap_day, 1)).unwrap().iter().all(|day| *day < gap_day));
    let closed = mdm.close_due(due).unwrap();
    let (_, report) = closed.iter().find(|(day, _)| *day == gap_day).unwrap();
    assert_eq!(report.channels, 6);
    let estimated = stored(&mdm, gap_day);
    assert!(estimated.sealed);
    assert!(
        estimated.block.quality[24..48].iter().all(|quality| quality.is_estimated()),
        "{:?}",
        estimated.block.quality
    );
    assert!(mdm.close_due(due).unwrap().is_empty(), "closed days stay closed");
    let before = everything(&mdm, gap_day, 1);
    mdm.close_day(due, gap_day).unwrap();
    assert_eq!(everything(&mdm, gap_day, 1).0, before.0, "closing twice changes nothing");
    // Estimates are no readings: the head-end is still to ask for them.
    let gaps = mdm.all_missing(gap_start, days_later(&mdm, gap_day, 1)).unwrap();
    let import = gaps.iter().find(|gaps| gaps.meter == METER && gaps.kind == ChannelKind::Import).unwrap();
    assert_eq!(import.gaps, [Gap { from: hole, to: end }]);

    let late = mdm.ingest(due, vec![read(hole, 24)]).unwrap();
    assert_eq!((late.superseded, late.conflicting), (24, 0));
    let versions = mdm.profile_versions(METER, ChannelKind::Import, gap_day).unwrap();
    assert_eq!(versions.len(), usize::try_from(estimated.block.version + 1).unwrap());
    assert_eq!(versions[versions.len() - 2], estimated, "the estimate stays as a version");
    let newest = versions.last().unwrap();
    assert!(newest.block.quality.iter().all(|quality| quality.class() == QualityClass::Valid));
    assert_eq!(newest.block.values[30], truth(gap_start + SignedDuration::from_secs(30 * 900)));
}

#[test]
fn a_power_failure_is_known_to_be_zero() {
    let mdm = utility();
    let start = start_of(&mdm, MONDAY);
    let event = |kind, secs, seq| MeterEvent {
        meter: METER,
        kind,
        at: start + SignedDuration::from_secs(secs),
        clock: ClockStatus::Synchronised,
        seq,
    };
    let events =
        vec![event(EventKind::PowerFailed, 6 * 3600, 1), event(EventKind::PowerRestored, 9 * 3600, 2)];
    let now = days_later(&mdm, MONDAY, 1);
    assert_eq!(mdm.ingest_events(now, events.clone()).unwrap().events, 2);
    assert_eq!(mdm.ingest_events(now, events).unwrap().events, 0);
    let later = start + SignedDuration::from_hours(9);
    mdm.ingest(now, vec![read(start, 24), read(later, 60)]).unwrap();
    mdm.close_day(days_later(&mdm, MONDAY, 4), MONDAY).unwrap();
    let day = stored(&mdm, MONDAY);
    assert!(day.block.quality[24..36].iter().all(|quality| quality.class() == QualityClass::DerivedZero));
    assert!(day.block.values[24..36].iter().all(|value| *value == 0));
    assert_eq!(mdm.meter_events(METER, start, now, 10).unwrap()[0].event.kind, EventKind::PowerRestored);
}

#[test]
fn registers_that_disagree_are_noticed_and_a_rollover_is_not() {
    for (end, questionable) in [(0, false), (5_000, true)] {
        let mdm = utility();
        let (start, now) = (start_of(&mdm, MONDAY), days_later(&mdm, MONDAY, 1));
        let day = whole_day(&mdm, MONDAY);
        let used: i64 = day.values.iter().flatten().sum();
        let first = 100_000_000 - used / 2;
        let register = |at, raw| RegisterRead {
            meter: METER,
            kind: ChannelKind::Import,
            tou: 0,
            at,
            value: RegisterValue { raw, scaler: 0, unit: Unit::WattHour },
            received_at: now,
            source: BatchSource::Scheduled,
        };
        mdm.ingest(now, vec![day]).unwrap();
        let last = (first + used) % 100_000_000 + end;
        let report = mdm.ingest_registers(now, vec![register(start, first), register(now, last)]).unwrap();
        assert_eq!(report.registers, 2);
        let profile = mdm.profile(METER, ChannelKind::Import, MONDAY).unwrap().unwrap();
        assert_eq!(
            profile.findings.iter().any(|f| f.rule == "sum_check"),
            questionable,
            "{:?}",
            profile.findings
        );
        assert_eq!(profile.versions, if questionable { 2 } else { 1 });
        assert_eq!(profile.series.slots[0].1.class() == QualityClass::Questionable, questionable);
    }
}

#[test]
fn what_is_not_exact_is_refused_in_words_and_kept_raw() {
    let mdm = utility();
    let now = days_later(&mdm, MONDAY, 1);
    let fine = ReadBatch { scaler: -3, ..batch(start_of(&mdm, MONDAY), &[1000, 1001, 2000]) };
    let report = mdm.ingest(now, vec![fine]).unwrap();
    assert_eq!((report.stored, report.batches), (2, 1));
    let day = stored(&mdm, MONDAY);
    assert_eq!(day.block.values[..3], [1, 0, 2]);
    assert!(day.block.quality[1].is_missing());
    assert!(everything(&mdm, MONDAY, 1).1.iter().any(|finding| finding.rule == "unit"));
    assert_eq!(everything(&mdm, MONDAY, 1).2, 1);
}

#[test]
fn strange_items_stop_nobody_else() {
    let mdm = utility();
    let now = days_later(&mdm, MONDAY, 1);
    let stranger = ReadBatch { meter: MeterId::new(77), ..whole_day(&mdm, MONDAY) };
    let ancient = batch(Timestamp::UNIX_EPOCH, &[1]);
    let first = batch(Timestamp::MIN, &[1]);
    let endless = batch(start_of(&mdm, MONDAY), &vec![0; store::block::MAX_VALUES + 1]);
    let gas = ReadBatch { kind: ChannelKind::Gas, ..whole_day(&mdm, MONDAY) };
    let future = read(now, 4);
    let half = ReadBatch { status: Vec::new(), ..whole_day(&mdm, MONDAY) };
    let report = mdm.ingest(now, vec![stranger, ancient, first, endless, gas, future, half]).unwrap();
    assert_eq!((report.unknown, report.refused, report.stored), (2, 3, 96));
    assert!(report.findings > 0, "the future is told");
}

#[test]
fn a_first_load_is_the_same_as_living_through_it() {
    let (loaded, lived) = (utility(), utility());
    let now = days_later(&loaded, MONDAY, 20);
    let days: Vec<Incoming> = (0..14)
        .filter(|day| *day != 9)
        .map(|day| {
            let mut batch = whole_day(&loaded, MONDAY + day.days());
            if day == 5 {
                batch.values[40..60].fill(None);
            }
            Incoming::Batch(batch)
        })
        .collect();
    let report = loaded.bulk_load(now, days.clone()).unwrap();
    assert_eq!((report.days, report.unknown), (13, 0));
    for item in days {
        lived.receive(now, vec![item]).unwrap();
    }
    loaded.close_due(now).unwrap();
    lived.close_due(now).unwrap();
    assert_eq!(everything(&loaded, MONDAY, 14), everything(&lived, MONDAY, 14));
    assert!(stored(&loaded, MONDAY + 5.days()).block.quality[50].is_estimated());
    let health = loaded.meter(METER).unwrap().unwrap().health;
    assert_eq!(health.last_read, Some(start_of(&loaded, MONDAY + 13.days())));
}

#[test]
fn the_pages_see_days_months_and_the_fleet() {
    let mdm = utility();
    let now = days_later(&mdm, MONDAY, 3) + SignedDuration::from_hours(2);
    for day in 0..3 {
        mdm.ingest(now, vec![whole_day(&mdm, MONDAY + day.days())]).unwrap();
    }
    let hours: Vec<WeatherHour> = (0..24)
        .map(|hour| WeatherHour {
            at: start_of(&mdm, MONDAY) + SignedDuration::from_hours(hour),
            temperature_dc: i16::try_from(hour).unwrap(),
            irradiance_w_m2: None,
        })
        .collect();
    mdm.store().write(|w| w.put_weather(&hours)).unwrap();
    let point = ServicePointId::new(1);
    let day = mdm.usage_day(point, MONDAY).unwrap().unwrap();
    assert_eq!((day.meter, day.used.counts(), day.weather.len()), (METER, (96, 0, 0), 24));
    assert_eq!(day.sent.as_ref().unwrap().counts(), (0, 0, 96));
    assert_eq!(day.sent.unwrap().total(), None);
    let month = mdm.usage_month(point, MONDAY).unwrap().unwrap();
    assert_eq!((month.first, month.days.len()), (date(2026, 3, 1), 31));
    assert_eq!(month.days[1].used, day.used.total());
    assert_eq!(month.days[1].mean_temperature_dc, Some(11));
    assert_eq!((month.days[0].used, month.days[0].missing()), (None, 96));
    assert_eq!(month.days[28].expected, 92);
    assert!(mdm.usage_day(ServicePointId::new(99), MONDAY).unwrap().is_none());

    let overview = mdm.overview(now).unwrap();
    // Two hours into a day, readings of the one before may still be on their way.
    assert_eq!(overview.success.day, MONDAY + 1.days());
    assert_eq!(overview.meters, [(Commodity::Electricity, 2)]);
    assert_eq!((overview.success.expected, overview.success.present), (192, 96));
    assert_eq!(overview.success.permille(), Some(500));
    assert_eq!((overview.today.expected, overview.today.present), (16, 0));
    assert_eq!(overview.collectors.len(), 1);
    assert_eq!((overview.collectors[0].late, overview.silent), (1, 2));
    let page = mdm
        .fleet_page(&Default::default(), store::FleetSort::Serial, false, PageOf { number: 2, size: 1 })
        .unwrap();
    assert_eq!((page.total, page.rows[0].meter), (2, MeterId::new(2)));
    let view = mdm.meter(METER).unwrap().unwrap();
    assert_eq!((view.channels.len(), view.premise.unwrap().address.as_str()), (3, "1 Alder Court"));
}

#[test]
fn what_was_acknowledged_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wattle.db");
    let (premise, point, meter) = house(1);
    let all = Provision {
        premises: vec![premise],
        service_points: vec![point],
        meters: vec![meter],
        ..Provision::default()
    };
    let store = Store::open(&path).unwrap();
    store
        .write(|w| {
            w.set_utility("Alder Electric", "Europe/Zurich")?;
            w.provision(&all)
        })
        .unwrap();
    let mdm = Mdm::new(store, Rules::default(), BTreeMap::new()).unwrap();
    mdm.ingest(days_later(&mdm, MONDAY, 1), vec![whole_day(&mdm, MONDAY)]).unwrap();
    let before = everything(&mdm, MONDAY, 1);
    drop(mdm);
    let again = Mdm::new(Store::open(&path).unwrap(), Rules::default(), BTreeMap::new()).unwrap();
    assert_eq!(everything(&again, MONDAY, 1), before);
}

/// The old meter measured until noon, the new one from then on; what either sends of another time is not its own.
#[test]
fn a_meter_that_takes_the_place_of_another_measures_from_then_on() {
    let store = empty_store();
    store
        .write(|w| {
            w.set_utility("Alder Electric", "Europe/Zurich")?;
            w.provision(&houses())
        })
        .unwrap();
    let noon: Timestamp = "2026-03-02T11:00:00Z".parse().unwrap();
    let (_, _, mut new) = house(3);
    new.service_point = Some("SP-1".to_owned());
    (new.metering.fitted, new.metering.replaces) = (Some(noon), Some(Serial::new("M-1")));
    store.write(|w| w.provision(&Provision { meters: vec![new], ..Provision::default() })).unwrap();
    let mdm = Mdm::new(store, Rules::default(), BTreeMap::new()).unwrap();
    let (old, new) = (METER, MeterId::new(3));
    let both = [old, new].map(|meter| ReadBatch { meter, ..whole_day(&mdm, MONDAY) });
    mdm.ingest(days_later(&mdm, MONDAY, 1), both.to_vec()).unwrap();
    for (meter, own) in [(old, 0..48usize), (new, 48..96)] {
        let series = mdm.profile(meter, ChannelKind::Import, MONDAY).unwrap().unwrap().series;
        let read: Vec<usize> = (0..96).filter(|slot| series.slots[*slot].1.is_read()).collect();
        assert_eq!(read, own.collect::<Vec<_>>(), "{meter:?}");
    }
    for channel in [CHANNEL, ChannelId::new(7)] {
        let found = mdm.exceptions_of_day(channel, MONDAY).unwrap();
        assert!(found.iter().any(|one| one.finding.rule == "identification"), "{channel:?}: {found:?}");
    }
}

/// Batches as a bad network delivers them: pieces of three days in any order, overlapping, again and again.
fn deliveries() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((0..288usize, 1..40usize), 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if on_postgres() { 4 } else { 48 }))]

    #[test]
    fn any_order_any_overlap_and_any_repetition_end_the_same(pieces in deliveries(), groups in 1..6usize) {
        let mdm = utility();
        let (start, now) = (start_of(&mdm, MONDAY), days_later(&mdm, MONDAY, 3));
        let batches: Vec<ReadBatch> = pieces
            .iter()
            .map(|(first, count)| {
                let at = start + SignedDuration::from_secs(900 * i64::try_from(*first).unwrap());
                read(at, (*count).min(288 - first))
            })
            .collect();
        for group in batches.chunks(groups) {
            mdm.ingest(now, group.to_vec()).unwrap();
        }
        let once = everything(&mdm, MONDAY, 3);
        let again = mdm.ingest(now, batches.iter().rev().cloned().collect()).unwrap();
        prop_assert_eq!((again.batches, again.stored, again.conflicting, again.findings), (0, 0, 0, 0));
        prop_assert_eq!(&everything(&mdm, MONDAY, 3), &once);
        for index in 0..288 {
            let covered = pieces.iter().any(|(first, count)| (*first..first + count).contains(&index));
            let at = start + SignedDuration::from_secs(900 * i64::try_from(index).unwrap());
            let date = MONDAY + i64::try_from(index / 96).unwrap().days();
            let slots = mdm.profile(METER, ChannelKind::Import, date).unwrap().unwrap().series.slots;
            let (value, quality) = slots[index % 96];
            prop_assert_eq!(quality.is_read(), covered);
            prop_assert!(quality.is_missing() || quality.is_estimated() || value == truth(at));
        }
        prop_assert!(once.1.iter().all(|finding| finding.rule != "duplicate"), "nothing was contradicted");
    }
}
