//! Sums over each scope, worked out by hand: an exchange, a move, a class and a feeder that change, and clock-change days.
//!
//! ```text
//! SP-1 (T-1, F-1)  M-1: 10 a quarter hour until Tuesday 12:07, then M-4: 1000
//! SP-2 (T-1, F-1)  M-2: 20; class R-1, from Wednesday R-2
//! SP-3 (T-2, F-2)  M-3: 40 until Thursday 06:07, then it hangs at SP-4 (T-1, F-1)
//! F-1 begins at West; F-2 too, from Wednesday at East
//! ```

use super::*;
use crate::dated::{Change, NameRefused};
use crate::group::{GroupFilter, GroupRule};
use crate::tests::{MONDAY, QUARTER};
use jiff::civil::{Time, date, time};
use jiff::{Timestamp, ToSpan};
use model::{
    BatchSource, Commodity, GroupId, MeterId, PremiseNumber, ReadBatch, Serial, ServicePointId,
    TransformerId, Unit, UserId,
};
use store::{
    NewFeeder, NewMeter, NewPremise, NewRoute, NewServicePoint, NewTransformer, Provision, SINCE_EVER, Store,
};

const TUESDAY: Date = date(2026, 3, 3);
const WEDNESDAY: Date = date(2026, 3, 4);
const THURSDAY: Date = date(2026, 3, 5);
/// A day of 23 hours, and one of 25.
const SPRING: Date = date(2026, 3, 29);
const AUTUMN: Date = date(2026, 10, 25);
const EXCHANGED: Time = time(12, 7, 0, 0);
const MOVED: Time = time(6, 7, 0, 0);

fn at(mdm: &Mdm, day: Date, time: Time) -> Timestamp {
    day.to_datetime(time).to_zoned(mdm.zone().clone()).unwrap().timestamp()
}

fn meter(number: u8, point: u8, installed_at: Timestamp) -> NewMeter {
    NewMeter {
        serial: Serial::new(format!("M-{number}")),
        model: "any".to_owned(),
        commodity: Commodity::Electricity,
        service_point: Some(format!("SP-{point}")),
        route: NewRoute::Direct { endpoint: format!("10.0.0.{number}:4059") },
        system_title: [number; 8],
        client_sap: 1,
        server_sap: 1,
        security: "hls5".to_owned(),
        installed_at,
        channels: vec![(ChannelKind::Import, QUARTER), (ChannelKind::Export, QUARTER)],
        keys: Vec::new(),
        metering: model::master::Metering::default(),
    }
}

fn street() -> Provision {
    let iron = |number: u8| NewTransformer {
        name: format!("T-{number}"),
        feeder: format!("F-{number}"),
        rating_va: 50_000,
        position: None,
    };
    let point = |number: u8| NewServicePoint {
        number: format!("SP-{number}"),
        premise: PremiseNumber::new("P-1"),
        account: None,
        transformer: Some(format!("T-{}", if number == 3 { 2 } else { 1 })),
        commodity: Commodity::Electricity,
        supply: model::master::Supply::default(),
        rate_class: (number < 4).then(|| "R-1".to_owned()),
    };
    let begins = |name: &str| NewFeeder { name: name.to_owned(), substation: "West".to_owned() };
    let premise = NewPremise {
        number: PremiseNumber::new("P-1"),
        address: "1 Alder Court".to_owned(),
        town: "Wattle".to_owned(),
        position: None,
    };
    Provision {
        premises: vec![premise],
        transformers: [1, 2].map(iron).into(),
        feeders: ["F-1", "F-2"].map(begins).into(),
        service_points: [1, 2, 3, 4].map(point).into(),
        meters: [1, 2, 3].map(|number| meter(number, number, "2026-01-01T00:00:00Z".parse().unwrap())).into(),
        ..Provision::default()
    }
}

/// What a meter sends for a day: `values` from the interval `first` on.
fn take_in(mdm: &Mdm, number: u32, day: Date, first: usize, values: Vec<i64>) {
    let day = mdm.local_day(day).unwrap();
    let batch = ReadBatch {
        meter: MeterId::new(number),
        kind: ChannelKind::Import,
        start: day.interval_start(QUARTER, first),
        interval: QUARTER,
        status: vec![0; values.len()],
        values: values.into_iter().map(Some).collect(),
        scaler: 0,
        unit: Unit::WattHour,
        received_at: day.end(),
        source: BatchSource::Scheduled,
    };
    mdm.ingest(day.end(), vec![batch]).unwrap();
}

/// The street with all that happens in it.
fn lived(store: Store) -> Mdm {
    store
        .write(|w| {
            w.set_utility("Alder Electric", "Europe/Zurich")?;
            w.provision(&street())
        })
        .unwrap();
    let mdm = Mdm::new(store, vee::Rules::default(), BTreeMap::new()).unwrap();
    let (exchanged, moved) = (at(&mdm, TUESDAY, EXCHANGED), at(&mdm, THURSDAY, MOVED));
    let flat = |value: i64, count: usize| vec![value; count];
    take_in(&mdm, 1, MONDAY, 0, flat(10, 96));
    take_in(&mdm, 1, TUESDAY, 0, [flat(10, 48), flat(5, 1)].concat());
    let successor = Provision { meters: vec![meter(4, 1, exchanged)], ..Provision::default() };
    mdm.store()
        .write(|w| {
            w.retire_meter(MeterId::new(1), exchanged)?;
            w.provision(&successor)?;
            w.move_meter(MeterId::new(3), Some(ServicePointId::new(4)), moved)?;
            w.put_feeder("F-2", Some("East"), WEDNESDAY, exchanged)?;
            w.set_rate_class(ServicePointId::new(2), Some("R-2"), WEDNESDAY, exchanged)?;
            Ok::<_, store::ProvisionError>(())
        })
        .unwrap();
    mdm.reload().unwrap();
    take_in(&mdm, 4, TUESDAY, 48, [flat(7, 1), flat(1000, 47)].concat());
    for (day, quarters) in
        [(MONDAY, 96), (TUESDAY, 96), (WEDNESDAY, 96), (THURSDAY, 96), (SPRING, 92), (AUTUMN, 100)]
    {
        // Of M-2 nothing is known in spring.
        if day != SPRING {
            take_in(&mdm, 2, day, 0, flat(20, quarters));
        }
        take_in(&mdm, 3, day, 0, flat(40, quarters));
        if day > TUESDAY {
            take_in(&mdm, 4, day, 0, flat(1000, quarters));
        }
    }
    mdm
}

fn on_each_engine(test: impl Fn(&Mdm)) {
    test(&lived(Store::open_in_memory().unwrap()));
    if let Some(database) = cluster::Database::fresh() {
        test(&lived(Store::connect(&store::PgConfig::parse(&database.address()).unwrap()).unwrap()));
    }
}

/// A day, its sum, how many intervals it has, and of some of them: which, sum, read, missing.
type Expected<'a> = (Date, i64, usize, &'a [(usize, i64, u32, u32)]);

fn check(mdm: &Mdm, scope: &Scope, rows: &[Expected<'_>]) {
    let kind = Measure::Kind(ChannelKind::Import);
    for (day, total, count, slots) in rows {
        let load = mdm.load(scope, kind, (*day, *day + 1.days()), None).unwrap().unwrap();
        let sum = &load.days[0];
        assert_eq!((sum.total(), sum.slots.len()), (*total, *count), "{scope:?} on {day}");
        for (index, total, read, missing) in *slots {
            let slot = sum.slots[*index];
            assert_eq!(
                (slot.total, slot.read, slot.missing),
                (*total, *read, *missing),
                "{scope:?} {day} {index}"
            );
        }
        let hours =
            mdm.load(scope, kind, (*day, *day + 1.days()), Some(IntervalLength::HOUR)).unwrap().unwrap();
        assert_eq!(hours.days[0].slots.len() * 4, *count, "{scope:?} on {day} in hours");
        assert_eq!(hours.days[0].total(), *total, "{scope:?} on {day} in hours");
    }
}

#[test]
fn a_transformer_carries_whom_it_fed_at_the_time() {
    on_each_engine(|mdm| {
        let scope = |id| Scope::Transformer(TransformerId::new(id));
        check(
            mdm,
            &scope(1),
            &[
                (MONDAY, 2_880, 96, &[(0, 30, 2, 0), (95, 30, 2, 0)]),
                // Until 12:00 30 each, the interval of the exchange 5 + 7 + 20, then 1020 each.
                (TUESDAY, 49_412, 96, &[(47, 30, 2, 0), (48, 32, 3, 0), (49, 1_020, 2, 0)]),
                (WEDNESDAY, 97_920, 96, &[(0, 1_020, 2, 0)]),
                // M-3 counts from the first interval that began after it came.
                (THURSDAY, 100_760, 96, &[(24, 1_020, 2, 0), (25, 1_060, 3, 0)]),
                (SPRING, 95_680, 92, &[(0, 1_040, 2, 1), (91, 1_040, 2, 1)]),
                (AUTUMN, 106_000, 100, &[(99, 1_060, 3, 0)]),
            ],
        );
        check(
            mdm,
            &scope(2),
            &[
                (WEDNESDAY, 3_840, 96, &[(95, 40, 1, 0)]),
                (THURSDAY, 1_000, 96, &[(24, 40, 1, 0), (25, 0, 0, 0)]),
            ],
        );
        let gone =
            mdm.load(&scope(2), Measure::NetEnergy, (SPRING, SPRING + 1.days()), None).unwrap().unwrap();
        assert_eq!((gone.channels, gone.days[0].total()), (0, 0), "nothing hangs there any more");
    });
}

#[test]
fn a_feeder_carries_its_transformers() {
    on_each_engine(|mdm| {
        let scope = |name: &str| Scope::Feeder(name.to_owned());
        check(mdm, &scope("F-1"), &[(TUESDAY, 49_412, 96, &[]), (THURSDAY, 100_760, 96, &[])]);
        check(mdm, &scope("F-2"), &[(MONDAY, 3_840, 96, &[]), (THURSDAY, 1_000, 96, &[(95, 0, 0, 0)])]);
    });
}

#[test]
fn a_substation_carries_the_feeders_that_began_there() {
    on_each_engine(|mdm| {
        let scope = |name: &str| Scope::Substation(name.to_owned());
        let west: [Expected<'_>; 3] = [
            (MONDAY, 6_720, 96, &[(0, 70, 3, 0)]),
            (TUESDAY, 53_252, 96, &[]),
            (WEDNESDAY, 97_920, 96, &[(0, 1_020, 2, 0)]),
        ];
        check(mdm, &scope("West"), &west);
        check(mdm, &scope("East"), &[(WEDNESDAY, 3_840, 96, &[(0, 40, 1, 0)])]);
    });
}

#[test]
fn a_class_of_rates_is_who_paid_by_it_on_the_day() {
    on_each_engine(|mdm| {
        let scope = |name: &str| Scope::RateClass(name.to_owned());
        let first: [Expected<'_>; 3] = [
            (MONDAY, 6_720, 96, &[(0, 70, 3, 0)]),
            (WEDNESDAY, 99_840, 96, &[(0, 1_040, 2, 0)]),
            // SP-4, where M-3 hangs since, is of no class.
            (SPRING, 92_000, 92, &[(0, 1_000, 1, 0)]),
        ];
        check(mdm, &scope("R-1"), &first);
        check(mdm, &scope("R-2"), &[(WEDNESDAY, 1_920, 96, &[]), (SPRING, 0, 92, &[(0, 0, 0, 1)])]);
    });
}

#[test]
fn a_saved_group_is_who_it_meant_on_the_day() {
    on_each_engine(|mdm| {
        let said = |day: Date, from| Change {
            now: at(mdm, day, Time::midnight()),
            user: UserId::new(1),
            from,
            reason: "for the trial",
        };
        let list = GroupRule::List(vec![MeterId::new(1), MeterId::new(2)]);
        let behind = GroupFilter { transformer: Some(TransformerId::new(2)), ..GroupFilter::default() };
        let behind = GroupRule::Filter(behind);
        let id = mdm.put_group(&said(MONDAY, None), "trial", &list).unwrap().unwrap();
        assert_eq!(mdm.put_group(&said(WEDNESDAY, None), "trial", &behind).unwrap(), Ok(id));
        let same = mdm.put_group(&said(THURSDAY, None), "trial", &behind).unwrap();
        assert_eq!(same, Err(NameRefused::Unchanged("trial".to_owned())));
        assert_eq!(mdm.retire_group(&said(THURSDAY, Some(SPRING)), id).unwrap(), Ok(()));
        let scope = Scope::Group(id);
        check(
            mdm,
            &scope,
            &[
                (MONDAY, 2_880, 96, &[(0, 30, 2, 0)]),
                // M-1 counts while it was there and is not missed after.
                (TUESDAY, 2_405, 96, &[(48, 25, 2, 0), (49, 20, 1, 0)]),
                (WEDNESDAY, 3_840, 96, &[(0, 40, 1, 0)]),
                (THURSDAY, 1_000, 96, &[]),
            ],
        );
        let ask = |days| mdm.load(&scope, Measure::NetEnergy, days, None).unwrap();
        assert_eq!(ask((SPRING, SPRING + 1.days())), Err(LoadRefused::NoSuchGroup));
        let month = ask((MONDAY, SPRING + 1.days())).unwrap();
        assert_eq!((month.days.len(), month.days[27].total()), (28, 0));
        let history = mdm.saved_group(id).unwrap().unwrap();
        let from: Vec<_> = history.versions.iter().map(|one| (one.from, one.is.is_some())).collect();
        assert_eq!(from, [(SINCE_EVER, true), (WEDNESDAY, true), (SPRING, false)]);
        let unknown = mdm.retire_group(&said(THURSDAY, None), GroupId::new(9)).unwrap();
        assert_eq!(unknown, Err(NameRefused::Unknown));
    });
}

#[test]
fn the_system_is_every_meter_once() {
    on_each_engine(|mdm| {
        check(
            mdm,
            &Scope::System,
            &[
                (MONDAY, 6_720, 96, &[(0, 70, 3, 0)]),
                (TUESDAY, 53_252, 96, &[(47, 70, 3, 0), (48, 72, 4, 0), (49, 1_060, 3, 0)]),
                (THURSDAY, 101_760, 96, &[(24, 1_060, 3, 0), (25, 1_060, 3, 0)]),
                (SPRING, 95_680, 92, &[(8, 1_040, 2, 1)]),
                (AUTUMN, 106_000, 100, &[(12, 1_060, 3, 0)]),
            ],
        );
        let kind = Measure::Kind(ChannelKind::Import);
        let week = mdm.load(&Scope::System, kind, (MONDAY, THURSDAY), None).unwrap().unwrap();
        assert_eq!(week.channels, 4, "the exchanged meter and its successor");
        let today = mdm.members(&Scope::System, SPRING).unwrap().unwrap();
        assert_eq!(today, [2, 3, 4].map(MeterId::new).into());
    });
}
