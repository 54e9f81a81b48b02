//! Gaps through the whole service: registers days apart, late ones, time-of-use, graces of groups, last year, holidays.

mod days;

use crate::tests::{QUARTER, days_later, start_of};
use crate::{Mdm, ModelFacts};
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::{
    BatchSource, BillId, ChannelId, ChannelKind, Commodity, IntervalLength, MeterId, PremiseNumber,
    QualityClass, ReadBatch, RegisterRead, RegisterValue, Serial,
};
use std::collections::BTreeMap;
use store::{
    NewMeter, NewPremise, NewRoute, NewServicePoint, Provision, Store, StoredDay, VersionSource, WeatherHour,
};
use vee::{Estimator, RuleBook};

const METER: MeterId = MeterId::new(1);
const CHANNEL: ChannelId = ChannelId::new(1);
/// A Monday; the clocks go forward on the Sunday before.
const MONDAY: Date = date(2026, 3, 30);

/// One meter with one channel in Zurich.
fn town(kind: ChannelKind, interval: IntervalLength, rules: impl Into<RuleBook>) -> Mdm {
    street(1, kind, interval, rules)
}

/// So many of them.
fn street(meters: u8, kind: ChannelKind, interval: IntervalLength, rules: impl Into<RuleBook>) -> Mdm {
    let store = Store::open_in_memory().unwrap();
    let premise = PremiseNumber::new("P-1");
    let commodity = match kind {
        ChannelKind::Gas => Commodity::Gas,
        ChannelKind::Water => Commodity::Water,
        _ => Commodity::Electricity,
    };
    let all = Provision {
        premises: vec![NewPremise {
            number: premise.clone(),
            address: "1 Alder Court".to_owned(),
            town: "Wattle".to_owned(),
            position: Some(store::Position { lat_e6: 47_376_900, lon_e6: 8_541_700 }),
        }],
        service_points: vec![NewServicePoint {
            number: "SP-1".to_owned(),
            premise,
            account: None,
            transformer: None,
            commodity,
            rate_class: None,
            supply: model::master::Supply::default(),
        }],
        meters: (1..=meters)
            .map(|number| NewMeter {
                serial: Serial::new(format!("M-{number}")),
                model: "five-dials".to_owned(),
                commodity,
                service_point: (number == 1).then(|| "SP-1".to_owned()),
                route: NewRoute::Direct { endpoint: format!("10.0.0.{number}:4059") },
                system_title: [number; 8],
                client_sap: 1,
                server_sap: 1,
                security: "hls5".to_owned(),
                installed_at: "2024-01-01T00:00:00Z".parse().unwrap(),
                channels: vec![(kind, interval)],
                keys: Vec::new(),
                metering: model::master::Metering::default(),
            })
            .collect(),
        ..Provision::default()
    };
    store
        .write(|w| {
            w.set_utility("Alder Electric", "Europe/Zurich")?;
            w.provision(&all)
        })
        .unwrap();
    Mdm::new(store, rules, BTreeMap::from([("five-dials".to_owned(), ModelFacts::default())])).unwrap()
}

fn rules(toml: &str) -> RuleBook {
    RuleBook::from_toml(toml).unwrap()
}

/// What flows in the interval that starts at `at`; of a net channel below zero around noon.
fn flow(kind: ChannelKind, at: Timestamp) -> i64 {
    let quarter = at.as_second() / 900;
    let noise = quarter * 7919 % 97;
    match kind {
        ChannelKind::Net => noise * 9 - 400,
        ChannelKind::Export | ChannelKind::Generation => (noise - 20).max(0),
        _ => 100 + noise,
    }
}

fn batch(mdm: &Mdm, kind: ChannelKind, interval: IntervalLength, on: Date) -> ReadBatch {
    let day = mdm.local_day(on).unwrap();
    let slots = day.intervals(interval);
    let (unit, scaler) = kind.stored_unit();
    ReadBatch {
        meter: METER,
        kind,
        start: day.start(),
        interval,
        values: (0..slots).map(|n| Some(flow(kind, day.interval_start(interval, n)))).collect(),
        scaler,
        unit,
        status: vec![0; slots],
        received_at: day.end(),
        source: BatchSource::Scheduled,
    }
}

/// A register at an instant: the total, or one of time-of-use that counts what `counts` says.
fn register(kind: ChannelKind, tou: u8, at: Timestamp, raw: i64) -> RegisterRead {
    let (unit, scaler) = kind.stored_unit();
    RegisterRead {
        meter: METER,
        kind,
        tou,
        at,
        value: RegisterValue { raw, scaler, unit },
        received_at: at,
        source: BatchSource::Scheduled,
    }
}

fn read_days(
    mdm: &Mdm,
    kind: ChannelKind,
    interval: IntervalLength,
    from: Date,
    days: impl Iterator<Item = i64>,
) {
    for day in days {
        let on = from + day.days();
        let now = days_later(mdm, on, 1);
        mdm.ingest(now, vec![batch(mdm, kind, interval, on)]).unwrap();
    }
}

fn stored(mdm: &Mdm, on: Date) -> StoredDay {
    mdm.store().read(|r| r.day(CHANNEL, on)).unwrap().unwrap()
}

fn total(mdm: &Mdm, on: Date) -> i64 {
    stored(mdm, on).block.values.iter().sum()
}

fn truth(mdm: &Mdm, kind: ChannelKind, interval: IntervalLength, on: Date) -> i64 {
    batch(mdm, kind, interval, on).values.iter().flatten().sum()
}

fn close(mdm: &Mdm, on: Date) {
    mdm.close_day(start_of(mdm, on + 1.days()) + SignedDuration::from_hours(7), on).unwrap();
}

fn source(mdm: &Mdm, on: Date) -> (VersionSource, String) {
    let version = stored(mdm, on).block.version;
    let origin = mdm.store().read(|r| r.origin(CHANNEL, on, version)).unwrap().unwrap();
    (origin.source, origin.note.unwrap_or_default())
}

/// Registers before and after a gap of three days, the day of the clock change in the middle, and two weeks of history.
/// Whatever the channel, the estimator and the order in which register and closing come, the days add up exactly.
#[test]
fn a_gap_of_days_adds_up_to_the_registers_around_it() {
    let saturday = date(2026, 3, 28);
    for estimator in [Estimator::Ladder, Estimator::Blend] {
        for (kind, interval) in [
            (ChannelKind::Import, QUARTER),
            (ChannelKind::Export, QUARTER),
            (ChannelKind::Generation, IntervalLength::HOUR),
            (ChannelKind::Net, QUARTER),
            (ChannelKind::Gas, IntervalLength::HOUR),
            (ChannelKind::Water, IntervalLength::HOUR),
        ] {
            for late in [false, true] {
                let mut rules = vee::Rules::default();
                rules.estimation.estimator = estimator;
                let mdm = town(kind, interval, rules);
                read_days(&mdm, kind, interval, saturday, -14..0);
                let (first, end) = (start_of(&mdm, saturday), start_of(&mdm, saturday + 3.days()));
                let moved: i64 = (0..3).map(|n| truth(&mdm, kind, interval, saturday + n.days())).sum();
                mdm.ingest_registers(first, vec![register(kind, 0, first, 70_000)]).unwrap();
                let after = register(kind, 0, end, 70_000 + moved);
                if !late {
                    mdm.ingest_registers(end, vec![after.clone()]).unwrap();
                }
                for day in 0..3 {
                    close(&mdm, saturday + day.days());
                }
                if late {
                    assert!(!is_scaled(&mdm, saturday));
                    mdm.ingest_registers(days_later(&mdm, saturday, 5), vec![after]).unwrap();
                }
                let what = format!("{kind:?} {estimator:?} late {late}");
                let sum: i64 = (0..3).map(|n| total(&mdm, saturday + n.days())).sum();
                assert_eq!(sum, moved, "{what}");
                assert_eq!(
                    stored(&mdm, saturday + 1.days()).block.values.len(),
                    if interval == QUARTER { 92 } else { 23 }
                );
                for n in 0..3 {
                    assert!(is_scaled(&mdm, saturday + n.days()), "{what} {n}");
                    let values = stored(&mdm, saturday + n.days()).block.values;
                    assert!(kind.is_signed() || values.iter().all(|value| *value >= 0), "{what}");
                }
            }
        }
    }
}

fn is_scaled(mdm: &Mdm, on: Date) -> bool {
    let quality = stored(mdm, on).block.quality;
    quality.iter().all(|quality| quality.class() == QualityClass::EstimatedScaled)
}

/// The register that closes the bracket comes days later: every day of the gap becomes a new version that says why, bills
/// are flagged, and nothing happens a second time.
#[test]
fn a_late_register_scales_the_days_once() {
    let kind = ChannelKind::Import;
    let mdm = town(kind, QUARTER, rules(""));
    read_days(&mdm, kind, QUARTER, MONDAY, -14..0);
    mdm.ingest_registers(start_of(&mdm, MONDAY), vec![register(kind, 0, start_of(&mdm, MONDAY), 500)])
        .unwrap();
    for day in 0..3 {
        close(&mdm, MONDAY + day.days());
    }
    // Two more days are read before anybody reads the register, at eight in the morning.
    read_days(&mdm, kind, QUARTER, MONDAY, 3..5);
    let unscaled: Vec<StoredDay> = (0..3).map(|n| stored(&mdm, MONDAY + n.days())).collect();
    let bill = BillId::new(7);
    let pin = store::Pin { channel: CHANNEL, day: MONDAY + 1.days(), version: unscaled[1].block.version };
    mdm.pin_versions(days_later(&mdm, MONDAY, 4), bill, &[pin]).unwrap();
    let at = start_of(&mdm, MONDAY + 4.days()) + SignedDuration::from_hours(8);
    let gap = 31_000;
    let known: i64 = truth(&mdm, kind, QUARTER, MONDAY + 3.days())
        + batch(&mdm, kind, QUARTER, MONDAY + 4.days()).values[..32].iter().flatten().sum::<i64>();
    let late = register(kind, 0, at, 500 + gap + known);
    let now = days_later(&mdm, MONDAY, 6);
    mdm.ingest_registers(now, vec![late.clone()]).unwrap();
    assert_eq!((0..3).map(|n| total(&mdm, MONDAY + n.days())).sum::<i64>(), gap);
    for (n, before) in (0..).zip(&unscaled) {
        let on = MONDAY + i64::from(n).days();
        assert_eq!(stored(&mdm, on).block.version, before.block.version + 1);
        let (source, note) = source(&mdm, on);
        assert_eq!(source, VersionSource::Estimation);
        assert!(!note.is_empty());
        assert_eq!(
            mdm.store().read(|r| r.day_version(CHANNEL, on, before.block.version)).unwrap().as_ref(),
            Some(before)
        );
    }
    assert_eq!(mdm.rebill_flags(true).unwrap().iter().map(|flag| flag.bill).collect::<Vec<_>>(), [bill]);
    let all = |mdm: &Mdm| {
        (0..5)
            .map(|n| mdm.store().read(|r| r.day_versions(CHANNEL, MONDAY + i64::from(n).days())).unwrap())
            .collect::<Vec<_>>()
    };
    let once = all(&mdm);
    mdm.ingest_registers(now, vec![late]).unwrap();
    for day in 0..5 {
        mdm.close_day(now, MONDAY + day.days()).unwrap();
    }
    assert_eq!(all(&mdm), once, "nothing happens a second time");
}

/// A reading that comes late for one day of the gap leaves the rest to the others; what a person set stays.
#[test]
fn a_late_reading_moves_the_rest_of_the_bracket() {
    let kind = ChannelKind::Import;
    let mdm = town(kind, QUARTER, rules(""));
    read_days(&mdm, kind, QUARTER, MONDAY, -14..0);
    let (from, to) = (start_of(&mdm, MONDAY), start_of(&mdm, MONDAY + 3.days()));
    let reads = vec![register(kind, 0, from, 0), register(kind, 0, to, 45_000)];
    mdm.ingest_registers(to, reads).unwrap();
    for day in 0..3 {
        close(&mdm, MONDAY + day.days());
    }
    let sum = |mdm: &Mdm| (0..3).map(|n| total(mdm, MONDAY + i64::from(n).days())).sum::<i64>();
    assert_eq!(sum(&mdm), 45_000);
    let before = stored(&mdm, MONDAY);
    let now = days_later(&mdm, MONDAY, 8);
    mdm.ingest(now, vec![batch(&mdm, kind, QUARTER, MONDAY + 1.days())]).unwrap();
    assert_eq!(total(&mdm, MONDAY + 1.days()), truth(&mdm, kind, QUARTER, MONDAY + 1.days()));
    assert_eq!(sum(&mdm), 45_000);
    assert_eq!(stored(&mdm, MONDAY).block.version, before.block.version + 1);
    // An edit takes its share too.
    let user = model::UserId::new(1);
    let edit = crate::edit::Edit {
        command: "set-noon".to_owned(),
        channel: CHANNEL,
        date: MONDAY,
        slots: [48].into_iter().collect(),
        op: crate::edit::Op::Set { values: vec![4000] },
        reason: Some(crate::edit::ReasonCode::Other),
        note: "the customer read it".to_owned(),
        expected_version: stored(&mdm, MONDAY).block.version,
    };
    mdm.apply(now, crate::edit::Editor { user, may_edit_billed: true }, &edit).unwrap().unwrap();
    assert_eq!((stored(&mdm, MONDAY).block.values[48], sum(&mdm)), (4000, 45_000));
    assert_eq!(stored(&mdm, MONDAY).block.quality[48].class(), QualityClass::Edited);
}

const TOU: &str = "
[[estimation.tou]]
register = 1
days = \"working\"
from = \"07:00\"
to = \"22:00\"
[[estimation.tou]]
register = 2
from = \"00:00\"
to = \"00:00\"
";

/// Time-of-use registers around a gap from Friday to Monday: each counts its own hours, and each comes out exact. A holiday
/// counts as a day of rest.
#[test]
fn each_time_of_use_register_comes_out_exact() {
    let kind = ChannelKind::Import;
    let friday = date(2026, 3, 27);
    for holidays in ["", "[estimation]\nholidays = [\"2026-03-27\"]\n"] {
        let mdm = town(kind, QUARTER, rules(&format!("{holidays}{TOU}")));
        read_days(&mdm, kind, QUARTER, friday, -14..0);
        let day = |n: i64| mdm.local_day(friday + n.days()).unwrap();
        let high = |n: i64, slot: usize| {
            let time = day(n).interval_start(QUARTER, slot).to_zoned(mdm.zone().clone());
            let rest = (n == 0 && !holidays.is_empty()) || n == 1 || n == 2;
            !rest && (7..22).contains(&time.hour())
        };
        let sums = |values: &dyn Fn(i64) -> Vec<i64>| {
            let mut sums = [0i64; 2];
            for n in 0..4 {
                for (slot, value) in values(n).into_iter().enumerate() {
                    sums[usize::from(!high(n, slot))] += value;
                }
            }
            sums
        };
        let moved =
            sums(&|n| batch(&mdm, kind, QUARTER, friday + n.days()).values.into_iter().flatten().collect());
        let (from, to) = (day(0).start(), day(3).end());
        let mut reads = Vec::new();
        for (tou, moved) in [(0, moved[0] + moved[1]), (1, moved[0]), (2, moved[1])] {
            let first = 1000 * i64::from(tou);
            reads.extend([register(kind, tou, from, first), register(kind, tou, to, first + moved)]);
        }
        mdm.ingest_registers(to, reads).unwrap();
        for n in 0..4 {
            close(&mdm, friday + n.days());
        }
        assert_eq!(sums(&|n| stored(&mdm, friday + n.days()).block.values), moved, "{holidays}");
    }
}

/// A group with more time than others is closed with a later day, by its own grace.
#[test]
fn the_grace_of_a_group_is_its_own() {
    let kind = ChannelKind::Import;
    let book =
        "grace_h = 6\n[[group]]\nname = \"cellular\"\nmodel = [\"five-dials\"]\n[group.set]\ngrace_h = 30\n";
    let mdm = town(kind, QUARTER, rules(book));
    read_days(&mdm, kind, QUARTER, MONDAY, -14..0);
    let noon = start_of(&mdm, MONDAY + 1.days()) + SignedDuration::from_hours(12);
    mdm.close_due(noon).unwrap();
    assert!(mdm.due_days(noon).unwrap().is_empty(), "the day is closed for the others");
    assert!(mdm.store().read(|r| r.day(CHANNEL, MONDAY)).unwrap().is_none());
    mdm.close_due(noon + SignedDuration::from_hours(24)).unwrap();
    assert!(stored(&mdm, MONDAY).sealed);
    assert_eq!(
        stored(&mdm, MONDAY).block.quality.iter().filter(|quality| quality.is_estimated()).count(),
        96
    );
    assert!(mdm.store().read(|r| r.day(CHANNEL, MONDAY + 1.days())).unwrap().is_none());
}

/// Nothing was read for two months: the same weeks of last year fill the gap, or days as warm as this one.
#[test]
fn last_year_and_the_weather_help_where_nothing_is_near() {
    let kind = ChannelKind::Import;
    let hour = IntervalLength::HOUR;
    for (ladder, by_weather) in [("last_year", false), ("proxy_day", true)] {
        let mdm = town(kind, hour, rules(&format!("[estimation]\nladder = [\"{ladder}\"]\n")));
        let last_year = MONDAY - 364.days();
        read_days(&mdm, kind, hour, last_year, [-14, -7, -1, 0, 1, 7].into_iter());
        if by_weather {
            let cold = |on: Date| on == MONDAY || on == last_year + 1.days();
            let mut hours = Vec::new();
            for on in [last_year, last_year + 1.days(), last_year + 7.days(), MONDAY] {
                let start = start_of(&mdm, on);
                hours.extend((0..24).map(|n| WeatherHour {
                    at: start + SignedDuration::from_hours(n),
                    temperature_dc: if cold(on) { -50 } else { 120 },
                    irradiance_w_m2: None,
                }));
            }
            mdm.store().write(|w| w.put_weather(&hours)).unwrap();
        }
        close(&mdm, MONDAY);
        let values =
            |on: Date| batch(&mdm, kind, hour, on).values.into_iter().flatten().collect::<Vec<i64>>();
        let mean = |days: &[i64]| -> Vec<i64> {
            let all: Vec<Vec<i64>> = days.iter().map(|n| values(last_year + n.days())).collect();
            let count = i64::try_from(days.len()).unwrap();
            (0..24)
                .map(|at| (2 * all.iter().map(|day| day[at]).sum::<i64>() + count).div_euclid(2 * count))
                .collect()
        };
        let expected = if by_weather { mean(&[1]) } else { mean(&[-7, 0, 7]) };
        assert_eq!(stored(&mdm, MONDAY).block.values, expected, "{ladder}");
    }
}

/// The days after a gap make the blend's estimates better a week later, once; the ladder does not look back.
#[test]
fn the_blend_is_revised_when_the_days_after_were_read() {
    let kind = ChannelKind::Import;
    for (estimator, revised) in [("ladder", false), ("blend", true)] {
        let mdm = town(kind, QUARTER, rules(&format!("[estimation]\nestimator = \"{estimator}\"\n")));
        read_days(&mdm, kind, QUARTER, MONDAY, -14..0);
        for day in 0..7 {
            if day > 0 {
                read_days(&mdm, kind, QUARTER, MONDAY, day..day + 1);
            }
            close(&mdm, MONDAY + day.days());
        }
        let before = stored(&mdm, MONDAY);
        read_days(&mdm, kind, QUARTER, MONDAY, 7..8);
        close(&mdm, MONDAY + 7.days());
        let after = stored(&mdm, MONDAY);
        assert_eq!(after != before, revised, "{estimator}");
        if revised {
            assert_eq!(source(&mdm, MONDAY).0, VersionSource::Estimation);
        }
        close(&mdm, MONDAY + 7.days());
        assert_eq!(stored(&mdm, MONDAY), after);
    }
}

/// A cold snap on the very day that a meter is silent: the blend takes it from the neighbours that were read, the ladder
/// cannot know.
#[test]
fn neighbours_tell_the_blend_of_a_cold_day() {
    let (kind, hour) = (ChannelKind::Import, IntervalLength::HOUR);
    for (estimator, close_to) in [("blend", true), ("ladder", false)] {
        let mdm = street(12, kind, hour, rules(&format!("[estimation]\nestimator = \"{estimator}\"\n")));
        for day in -16..=0 {
            let on = MONDAY + i64::from(day).days();
            let factor = if day == 0 { 2 } else { 1 };
            let batches = (1..=12).filter(|meter| day < 0 || *meter != 1).map(|meter| {
                let mut batch = batch(&mdm, kind, hour, on);
                batch.meter = MeterId::new(meter);
                for value in batch.values.iter_mut().flatten() {
                    *value = (*value + i64::from(meter) * 10) * factor;
                }
                batch
            });
            let batches = batches.collect();
            mdm.ingest(days_later(&mdm, on, 1), batches).unwrap();
            close(&mdm, on);
        }
        let usual = truth(&mdm, kind, hour, MONDAY - 7.days()) + 240;
        let percent = total(&mdm, MONDAY) * 100 / usual;
        assert_eq!((180..=210).contains(&percent), close_to, "{estimator}: {percent} % of a usual day");
    }
}
