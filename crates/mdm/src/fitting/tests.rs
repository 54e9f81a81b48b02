use super::*;
use crate::tests::{MONDAY, batch, start_of, utility};
use jiff::SignedDuration;
use model::{IntervalLength, Serial};
use store::{NewMeter, NewRoute, NewUser, Provision};

const OLD: MeterId = MeterId::new(1);
const NEW: MeterId = MeterId::new(3);
const POINT: ServicePointId = ServicePointId::new(1);
const ADA: UserId = UserId::new(1);

fn spare() -> NewMeter {
    NewMeter {
        serial: Serial::new("M-3"),
        model: "five-dials".to_owned(),
        commodity: model::Commodity::Electricity,
        service_point: None,
        route: NewRoute::Direct { endpoint: "10.0.0.3:4059".to_owned() },
        system_title: [0, 0, 0, 0, 0, 0, 0, 3],
        client_sap: 1,
        server_sap: 1,
        security: "hls5".to_owned(),
        installed_at: "2026-02-01T00:00:00Z".parse().unwrap(),
        channels: vec![(ChannelKind::Import, IntervalLength::QUARTER_HOUR)],
        keys: Vec::new(),
        metering: model::master::Metering::default(),
    }
}

/// Two homes and a spare meter that came into store before Monday.
fn with_spare() -> Mdm {
    let mdm = utility();
    let person = NewUser {
        name: "ada".to_owned(),
        display_name: "Ada".to_owned(),
        role: "administrator".to_owned(),
        password_hash: None,
        customer: None,
        service_point: None,
    };
    mdm.store().write(|write| write.insert_user(&person)).unwrap();
    let spare = Provision { meters: vec![spare()], ..Provision::default() };
    mdm.store().write(|write| write.provision(&spare)).unwrap();
    mdm.reload().unwrap();
    mdm
}

fn noon(mdm: &Mdm) -> Timestamp {
    start_of(mdm, MONDAY) + SignedDuration::from_hours(12)
}

fn exchange(at: Timestamp) -> Fitting {
    let start = vec![ReadOff { kind: ChannelKind::Import, value: 17 }];
    Fitting {
        meter: OLD,
        deed: Deed::Exchange { new: NEW, start, retire: true },
        at,
        registers: vec![ReadOff { kind: ChannelKind::Import, value: 99_004_800 }],
        user: ADA,
        reason: "its display was dark".to_owned(),
    }
}

#[test]
fn an_exchange_ends_one_meter_and_begins_another_and_no_register_runs_across() {
    let mdm = with_spare();
    let (start, noon) = (start_of(&mdm, MONDAY), noon(&mdm));
    let now = noon + SignedDuration::from_hours(48);
    let read = |meter, at, raw| RegisterRead {
        meter,
        kind: ChannelKind::Import,
        tou: 0,
        at,
        value: RegisterValue { raw, scaler: 0, unit: model::Unit::WattHour },
        received_at: at,
        source: BatchSource::Scheduled,
    };
    mdm.ingest_registers(now, vec![read(OLD, start, 99_000_000)]).unwrap();
    mdm.ingest(now, vec![batch(start, &[100; 48])]).unwrap();
    mdm.fit(now, &exchange(noon)).unwrap().unwrap();
    let store = mdm.store();
    let old = store.read(|read| read.meter(OLD)).unwrap().unwrap();
    let new = store.read(|read| read.meter(NEW)).unwrap().unwrap();
    assert_eq!((old.retired_at, new.fitted_at, new.service_point), (Some(noon), Some(noon), Some(POINT)));
    let facts = mdm.catalogue().get(NEW, ChannelKind::Import).unwrap().facts;
    assert_eq!((facts.installed, facts.removed), (Some(noon), None));
    assert_eq!(mdm.catalogue().get(OLD, ChannelKind::Import).unwrap().facts.removed, Some(noon));
    assert_eq!(mdm.catalogue().exchanges(OLD), [noon]);
    let told = store.read(|read| read.meter_changes(NEW)).unwrap();
    assert_eq!(
        (told[0].what, told[0].other, told[0].reason.as_str()),
        (MeterDeed::Fitted, Some(OLD), "its display was dark")
    );

    // 48 quarter hours of 100 Wh: the final register closes the half day exactly, the start register of the other is no part of it.
    let mut later = batch(noon, &[50; 48]);
    later.meter = NEW;
    mdm.ingest(now, vec![later]).unwrap();
    mdm.ingest_registers(now, vec![read(NEW, start + SignedDuration::from_hours(24), 17 + 48 * 50)]).unwrap();
    for meter in [OLD, NEW] {
        let channel = mdm.catalogue().get(meter, ChannelKind::Import).unwrap().channel.id;
        let found = mdm.exceptions_of_day(channel, MONDAY).unwrap();
        let rules: Vec<&str> = found.iter().map(|one| one.finding.rule.as_str()).collect();
        assert!(!rules.contains(&"sum_check") && !rules.contains(&"register"), "{meter}: {rules:?}");
    }
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mdm = with_spare();
    let noon = noon(&mdm);
    let now = noon + SignedDuration::from_hours(1);
    let of = |meter: MeterId, deed: Deed| Fitting { meter, deed, registers: Vec::new(), ..exchange(noon) };
    let rows = [
        (Fitting { reason: " ".to_owned(), ..exchange(noon) }, "say why"),
        (exchange(now + SignedDuration::from_hours(1)), "yet to come"),
        (of(MeterId::new(9), Deed::Retire), "no such meter"),
        (of(OLD, Deed::Fit { at: POINT }), "hangs somewhere already"),
        (of(NEW, Deed::TakeOff), "hangs nowhere"),
        (of(NEW, Deed::Fit { at: POINT }), "meter M-1 measures there already"),
        (of(NEW, Deed::Fit { at: ServicePointId::new(99) }), "no such service point"),
        (
            Fitting { at: "2026-01-15T00:00:00Z".parse().unwrap(), ..exchange(noon) },
            "came to where it is only",
        ),
        (
            Fitting { registers: vec![ReadOff { kind: ChannelKind::Gas, value: 1 }], ..exchange(noon) },
            "no register of gas",
        ),
    ];
    for (fitting, why) in rows {
        let told = mdm.fit(now, &fitting).unwrap().unwrap_err().to_string();
        assert!(told.contains(why), "{why}: {told}");
    }
    // The new one measures something else: the old one, which was taken off first, hangs where it hung.
    let gas = NewMeter {
        serial: Serial::new("G-1"),
        commodity: model::Commodity::Gas,
        system_title: [9; 8],
        channels: vec![(ChannelKind::Gas, IntervalLength::HOUR)],
        ..spare()
    };
    let gas = Provision { meters: vec![gas], ..Provision::default() };
    let gas = mdm.store().write(|write| write.provision(&gas)).unwrap().meters[0];
    let told = mdm.fit(now, &of(OLD, Deed::Exchange { new: gas, start: Vec::new(), retire: true }));
    assert!(told.unwrap().unwrap_err().to_string().contains("measures something else"));
    let old = mdm.store().read(|read| read.meter(OLD)).unwrap().unwrap();
    assert_eq!((old.service_point, old.retired_at), (Some(POINT), None));
    assert_eq!(mdm.store().read(|read| read.meter_changes(OLD)).unwrap(), []);
    mdm.fit(now, &exchange(noon)).unwrap().unwrap();
    let told = mdm.fit(now, &of(OLD, Deed::Retire)).unwrap().unwrap_err().to_string();
    assert!(told.contains("was retired"), "{told}");
}

#[test]
fn a_meter_that_was_taken_off_is_fitted_elsewhere() {
    let mdm = with_spare();
    let (noon, other) = (noon(&mdm), ServicePointId::new(2));
    let now = noon + SignedDuration::from_hours(5);
    let deed = |meter, deed, hours| Fitting {
        meter,
        deed,
        at: noon + SignedDuration::from_hours(hours),
        registers: Vec::new(),
        ..exchange(noon)
    };
    mdm.fit(now, &deed(OLD, Deed::TakeOff, 0)).unwrap().unwrap();
    let removed = mdm.catalogue().get(OLD, ChannelKind::Import).unwrap().facts.removed;
    assert_eq!(removed, Some(noon), "nothing is expected of a meter in store");
    mdm.fit(now, &deed(MeterId::new(2), Deed::Retire, 1)).unwrap().unwrap();
    mdm.fit(now, &deed(OLD, Deed::Fit { at: other }, 2)).unwrap().unwrap();
    let meter = mdm.store().read(|read| read.meter(OLD)).unwrap().unwrap();
    assert_eq!((meter.service_point, meter.retired_at), (Some(other), None));
    assert_eq!(mdm.catalogue().get(OLD, ChannelKind::Import).unwrap().facts.removed, None);
    let deeds: Vec<MeterDeed> =
        mdm.store().read(|read| read.meter_changes(OLD)).unwrap().into_iter().map(|it| it.what).collect();
    assert_eq!(deeds, [MeterDeed::TakenOff, MeterDeed::Fitted]);
}
