//! Identities over random channels, units, cycles, and what a missing input means.

use super::*;
use crate::dated::{Change, NameRefused};
use crate::group::{GroupFilter, GroupRule, Scope};
use crate::load::{LoadRefused, Measure};
use crate::read::AsOf;
use crate::tests::{MONDAY, QUARTER, days_later, start_of, utility};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use model::{BatchSource, MeterId, Quality, QualityClass, ReadBatch, Unit, UserId};
use proptest::prelude::*;

/// Meter 1 has channels 1 to 3 (import, export, voltage), meter 2 has 4 to 6.
const IMPORT: ChannelId = ChannelId::new(1);
const EXPORT: ChannelId = ChannelId::new(2);
const VOLTAGE: ChannelId = ChannelId::new(3);
const OTHER: ChannelId = ChannelId::new(4);
const USER: UserId = UserId::new(1);

fn change(mdm: &Mdm, day: Date, from: Option<Date>) -> Change<'static> {
    Change { now: start_of(mdm, day), user: USER, from, reason: "for the test" }
}

fn take_in(mdm: &Mdm, meter: u32, kind: ChannelKind, day: Date, values: Vec<Option<i64>>) {
    let start = start_of(mdm, day);
    let now = days_later(mdm, day, 1);
    let batch = ReadBatch {
        meter: MeterId::new(meter),
        kind,
        start,
        interval: QUARTER,
        status: vec![0; values.len()],
        values,
        scaler: 0,
        unit: Unit::WattHour,
        received_at: now,
        source: BatchSource::Scheduled,
    };
    mdm.ingest(now, vec![batch]).unwrap();
}

fn save(mdm: &Mdm, name: &str, formula: &Formula) -> VirtualId {
    mdm.put_virtual(&change(mdm, MONDAY, None), name, formula).unwrap().unwrap()
}

fn values(mdm: &Mdm, id: SeriesId, day: Date) -> Vec<(i64, Quality)> {
    mdm.series(id, day, AsOf::Latest).unwrap().unwrap().slots
}

#[test]
fn formulas_that_make_no_sense_are_refused_in_words() {
    let mdm = utility();
    let try_out =
        |name: &str, formula: &Formula| mdm.put_virtual(&change(&mdm, MONDAY, None), name, formula).unwrap();
    let net = save(&mdm, "net", &Formula::net(IMPORT, EXPORT));
    let mixed = Formula::without(ChannelKind::Import, IMPORT, VOLTAGE);
    assert!(matches!(try_out("mixed", &mixed), Err(VirtualRefused::Unit { .. })));
    let unknown = Formula::net(IMPORT, ChannelId::new(99));
    assert!(matches!(try_out("unknown", &unknown), Err(VirtualRefused::UnknownInput(_))));
    assert_eq!(try_out("none", &Formula::sum(ChannelKind::Net, [])), Err(VirtualRefused::Terms(0)));
    let lean = |id| Formula {
        kind: ChannelKind::Net,
        terms: vec![Term { factor: Ratio::ONE, input: SeriesId::Virtual(id) }],
        when_missing: WhenMissing::Missing,
    };
    let second = save(&mdm, "second", &lean(net));
    assert_eq!(try_out("net", &lean(second)), Err(VirtualRefused::Cycle("net".to_owned())));
    assert_eq!(try_out("net", &lean(net)), Err(VirtualRefused::Cycle("net".to_owned())));
    let odd = |below| Term { factor: Ratio::new(1, below).unwrap(), input: SeriesId::Channel(IMPORT) };
    let fine = Formula { terms: vec![odd(999_999_937), odd(999_999_893)], ..lean(net) };
    assert_eq!(try_out("fine", &fine), Err(VirtualRefused::Denominator));
    assert_eq!(mdm.virtual_channels().unwrap().len(), 2);
    let other = Formula::sum(ChannelKind::Voltage, [VOLTAGE]);
    assert!(matches!(try_out("net", &other), Err(VirtualRefused::OtherUnit { .. })));
    let again = NameRefused::Unchanged("net".to_owned());
    assert_eq!(try_out("net", &Formula::net(IMPORT, EXPORT)), Err(again.into()));
    let silent = Change { reason: " ", ..change(&mdm, MONDAY, None) };
    let mute = mdm.put_virtual(&silent, "net", &Formula::sum(ChannelKind::Net, [IMPORT])).unwrap();
    assert_eq!(mute, Err(NameRefused::NoReason.into()));
}

#[test]
fn a_day_is_computed_with_the_formula_that_was_in_force_on_it() {
    let mdm = utility();
    let [tuesday, wednesday] = [MONDAY + 1.days(), MONDAY + 2.days()];
    for day in [MONDAY, tuesday, wednesday] {
        take_in(&mdm, 1, ChannelKind::Import, day, vec![Some(100); 96]);
        take_in(&mdm, 1, ChannelKind::Export, day, vec![Some(30); 96]);
    }
    let (later, latest) = (wednesday + 5.days(), wednesday + 6.days());
    let net = save(&mdm, "net", &Formula::net(IMPORT, EXPORT));
    let twice = Formula {
        terms: vec![Term { factor: Ratio::new(2, 1).unwrap(), input: SeriesId::Virtual(net) }],
        ..Formula::net(IMPORT, EXPORT)
    };
    let twice = save(&mdm, "twice", &twice);
    let sum = Formula::sum(ChannelKind::Net, [IMPORT, EXPORT]);
    mdm.put_virtual(&change(&mdm, later, Some(tuesday)), "net", &sum).unwrap().unwrap();
    let first = |id, day, when| mdm.virtual_day(id, day, when).unwrap().map(|it| it.series.slots[0].0);
    assert_eq!(
        [MONDAY, tuesday, wednesday].map(|day| first(net, day, AsOf::Latest)),
        [Some(70), Some(130), Some(130)]
    );
    assert_eq!([MONDAY, tuesday].map(|day| first(twice, day, AsOf::Latest)), [Some(140), Some(260)]);
    // Before the correction was made, its days were computed as they were known.
    let before = start_of(&mdm, later - 1.days());
    assert_eq!(first(net, tuesday, AsOf::At(before)), Some(70));
    // A cycle on any later day is one.
    let lean = Formula { terms: vec![Term { factor: Ratio::ONE, input: SeriesId::Virtual(twice) }], ..sum };
    let cycle = mdm.put_virtual(&change(&mdm, latest, Some(latest)), "net", &lean).unwrap();
    assert_eq!(cycle, Err(VirtualRefused::Cycle("net".to_owned())));
    // What others lean on cannot go before them.
    let retire = |id| mdm.retire_virtual(&change(&mdm, latest, Some(wednesday)), id).unwrap();
    assert_eq!(retire(net), Err(VirtualRefused::Needed("twice".to_owned())));
    assert_eq!((retire(twice), retire(net)), (Ok(()), Ok(())));
    assert_eq!([tuesday, wednesday].map(|day| first(twice, day, AsOf::Latest)), [Some(260), None]);
    assert_eq!(retire(net), Err(NameRefused::NotInUse("net".to_owned(), wednesday).into()));
    let net = mdm.virtual_channels().unwrap().into_iter().find(|one| one.id == net).unwrap();
    let history: Vec<_> = net.versions.iter().map(|one| (one.number, one.from, one.is.is_some())).collect();
    assert_eq!(history, [(1, store::SINCE_EVER, true), (2, tuesday, true), (3, wednesday, false)]);
}

#[test]
fn a_channel_of_a_retired_meter_is_there_for_the_days_before() {
    let mdm = utility();
    take_in(&mdm, 1, ChannelKind::Import, MONDAY, vec![Some(100); 96]);
    take_in(&mdm, 1, ChannelKind::Export, MONDAY, vec![Some(30); 96]);
    let net = save(&mdm, "net", &Formula::net(IMPORT, EXPORT));
    let tuesday = MONDAY + 1.days();
    mdm.store().write(|w| w.retire_meter(MeterId::new(1), start_of(&mdm, tuesday))).unwrap();
    mdm.reload().unwrap();
    assert_eq!(values(&mdm, SeriesId::Virtual(net), MONDAY)[0], (70, Quality::VALID));
    assert!(values(&mdm, SeriesId::Virtual(net), tuesday)[0].1.is_missing());
}

#[test]
fn a_missing_input_is_a_missing_value_unless_the_formula_says_otherwise() {
    let mdm = utility();
    let mut received = vec![Some(30); 96];
    received[7] = None;
    take_in(&mdm, 1, ChannelKind::Import, MONDAY, (0..96).map(|n| Some(100 + n)).collect());
    take_in(&mdm, 1, ChannelKind::Export, MONDAY, received);
    let strict = save(&mdm, "strict", &Formula::net(IMPORT, EXPORT));
    let formula = Formula { when_missing: WhenMissing::Zero, ..Formula::net(IMPORT, EXPORT) };
    let lenient = save(&mdm, "lenient", &formula);
    let (strict, lenient) =
        (values(&mdm, SeriesId::Virtual(strict), MONDAY), values(&mdm, SeriesId::Virtual(lenient), MONDAY));
    assert_eq!(strict[6], (76, Quality::VALID));
    assert!(strict[7].1.is_missing());
    assert_eq!((lenient[7].0, lenient[7].1.class()), (107, QualityClass::Questionable));
    let day = mdm.virtual_day(VirtualId::new(1), MONDAY, AsOf::Latest).unwrap().unwrap();
    let inputs: Vec<_> = day.inputs.iter().map(|input| (input.channel, input.version)).collect();
    assert_eq!(inputs, [(IMPORT, 1), (EXPORT, 1)]);
    assert!(mdm.virtual_day(VirtualId::new(9), MONDAY, AsOf::Latest).unwrap().is_none());
}

#[test]
fn sums_of_groups_are_the_sums_of_their_meters_and_say_what_they_lack() {
    let mdm = utility();
    for (day, quarters) in [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100), (MONDAY, 96)] {
        take_in(&mdm, 1, ChannelKind::Import, day, (0..quarters).map(|n| Some(100 + n)).collect());
        let half = (0..quarters).map(|n| (n % 2 == 0).then_some(5)).collect();
        take_in(&mdm, 2, ChannelKind::Import, day, half);
        let kind = Measure::Kind(ChannelKind::Import);
        let days = (day, day + 1.days());
        let load = mdm.load(&Scope::System, kind, days, None).unwrap().unwrap();
        assert_eq!(
            (load.channels, load.days.len(), load.days[0].slots.len()),
            (2, 1, usize::try_from(quarters).unwrap())
        );
        let slots = &load.days[0].slots;
        assert_eq!((slots[0].total, slots[0].read, slots[0].missing), (105, 2, 0));
        assert_eq!((slots[1].total, slots[1].read, slots[1].missing), (101, 1, 1));
        let hours = mdm.load(&Scope::System, kind, days, Some(model::IntervalLength::HOUR)).unwrap().unwrap();
        assert_eq!(hours.days[0].slots.len() * 4, slots.len());
        // An hour of which a quarter is missing is missing.
        assert_eq!((hours.days[0].slots[0].total, hours.days[0].slots[0].missing), (406, 1));
        let of = |scope: &Scope| mdm.load(scope, kind, days, None).unwrap().unwrap().days[0].total();
        let one = |id| of(&Scope::Meters(vec![MeterId::new(id)]));
        assert_eq!(of(&Scope::System), one(1) + one(2));
    }
    let filter = GroupFilter { serial_prefix: Some("M-2".to_owned()), ..GroupFilter::default() };
    let group =
        mdm.put_group(&change(&mdm, MONDAY, None), "twos", &GroupRule::Filter(filter)).unwrap().unwrap();
    assert_eq!(mdm.members(&Scope::Group(group), MONDAY).unwrap().unwrap().len(), 1);
    let days = (MONDAY, MONDAY + 1.days());
    let refused = |scope: &Scope, measure| mdm.load(scope, measure, days, None).unwrap().unwrap_err();
    assert_eq!(refused(&Scope::Group(model::GroupId::new(9)), Measure::NetEnergy), LoadRefused::NoSuchGroup);
    let voltage = Measure::Kind(ChannelKind::Voltage);
    assert_eq!(refused(&Scope::System, voltage), LoadRefused::NotAdditive(ChannelKind::Voltage));
    assert_eq!("feeder:F-1".parse(), Ok(Scope::Feeder("F-1".to_owned())));
    assert!("feeder:".parse::<Scope>().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn identities_hold_to_the_last_unit(
        delivered in prop::collection::vec(prop::option::weighted(0.9, 0..4000i64), 96),
        received in prop::collection::vec(prop::option::weighted(0.9, 0..4000i64), 96),
        above in -50..50i64,
        below in 1..50i64,
    ) {
        let mdm = utility();
        take_in(&mdm, 1, ChannelKind::Import, MONDAY, delivered);
        take_in(&mdm, 1, ChannelKind::Export, MONDAY, received.clone());
        take_in(&mdm, 2, ChannelKind::Import, MONDAY, received);
        let net = save(&mdm, "net", &Formula::net(IMPORT, EXPORT));
        let house = save(&mdm, "house", &Formula::house_use(OTHER, IMPORT, EXPORT));
        let share = Ratio::new(above, below).unwrap();
        let scaled = save(&mdm, "scaled", &Formula {
            kind: ChannelKind::Net,
            terms: vec![Term { factor: share, input: SeriesId::Virtual(net) }],
            when_missing: WhenMissing::Missing,
        });
        let of = |id: SeriesId| values(&mdm, id, MONDAY);
        let (import, export) = (of(SeriesId::Channel(IMPORT)), of(SeriesId::Channel(EXPORT)));
        let (net, house) = (of(SeriesId::Virtual(net)), of(SeriesId::Virtual(house)));
        let scaled = of(SeriesId::Virtual(scaled));
        for slot in 0..96 {
            let missing = import[slot].1.is_missing() || export[slot].1.is_missing();
            prop_assert_eq!(net[slot].1.is_missing(), missing);
            if !missing {
                prop_assert_eq!(net[slot].0, import[slot].0 - export[slot].0);
                prop_assert_eq!(scaled[slot].0, share.times(net[slot].0));
                prop_assert_eq!(net[slot].1, worst(import[slot].1, export[slot].1));
                // The same series is generated and received, so the house uses what is delivered.
                prop_assert_eq!(house[slot].0, import[slot].0);
            }
        }
        let load = mdm.load(
            &Scope::Meters(vec![MeterId::new(1)]),
            Measure::NetEnergy,
            (MONDAY, MONDAY + 1.days()),
            None,
        ).unwrap().unwrap();
        let known: i64 = import.iter().map(|(value, _)| value).sum::<i64>()
            - export.iter().map(|(value, _)| value).sum::<i64>();
        prop_assert_eq!(load.days[0].total(), known);
    }
}
