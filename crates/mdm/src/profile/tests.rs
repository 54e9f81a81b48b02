use super::*;
use crate::{Incoming, Rules};
use jiff::civil::date;
use jiff::{SignedDuration, ToSpan};
use model::{Commodity, PremiseNumber, RegisterRead, RegisterValue, Serial};
use std::collections::BTreeMap;
use store::{NewMeter, NewPremise, NewRoute, NewServicePoint, Provision, Store};

pub(crate) const METERS: u16 = 300;
pub(crate) const FIRST: Date = date(2026, 3, 27);

fn on_postgres() -> bool {
    module_path!().ends_with("_on_postgres")
}

/// A utility of [`METERS`] meters with one hourly channel each; their ids are those of their channels.
pub(crate) fn utility() -> Mdm {
    let store =
        if on_postgres() { crate::tests_on_postgres::empty_store() } else { crate::tests::empty_store() };
    fleet(store)
}

fn fleet(store: Store) -> Mdm {
    let mut all = Provision::default();
    for number in 1..=METERS {
        let premise = PremiseNumber::new(format!("P-{number}"));
        all.premises.push(NewPremise {
            number: premise.clone(),
            address: format!("{number} Alder Court"),
            town: "Wattle".to_owned(),
            position: None,
        });
        all.service_points.push(NewServicePoint {
            number: format!("SP-{number}"),
            premise,
            account: None,
            transformer: None,
            commodity: Commodity::Electricity,
            supply: model::master::Supply::default(),
            rate_class: None,
        });
        let [high, low] = number.to_be_bytes();
        all.meters.push(NewMeter {
            serial: Serial::new(format!("M-{number}")),
            model: "plain".to_owned(),
            commodity: Commodity::Electricity,
            service_point: Some(format!("SP-{number}")),
            route: NewRoute::Direct { endpoint: format!("10.0.{high}.{low}:4059") },
            system_title: [0, 0, 0, 0, 0, 0, high, low],
            client_sap: 1,
            server_sap: 1,
            security: "hls5".to_owned(),
            installed_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            channels: vec![(ChannelKind::Import, IntervalLength::HOUR)],
            keys: Vec::new(),
            // Some stand behind current transformers.
            metering: model::master::Metering {
                multiplier: if number % 37 == 5 { 40 } else { 1 },
                ..Default::default()
            },
        });
    }
    store
        .write(|w| {
            w.set_utility("Alder Electric", "Europe/Zurich")?;
            w.provision(&all)
        })
        .unwrap();
    Mdm::new(store, Rules::default(), BTreeMap::new()).unwrap()
}

fn head(received_at: Timestamp) -> ProfileHead {
    ProfileHead {
        kind: ChannelKind::Import,
        interval: IntervalLength::HOUR,
        unit: Unit::WattHour,
        scaler: 0,
        source: BatchSource::Import,
        received_at,
    }
}

pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A day's lines with faults in them: spikes, holes, negatives, standing registers, short days, strangers, rubbish.
fn lines(mdm: &Mdm, date: Date, seed: u64) -> String {
    let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let day = mdm.local_day(date).unwrap();
    let slots = day.intervals(IntervalLength::HOUR);
    let mut text = String::new();
    for meter in 1..=METERS + 2 {
        let mut values: Vec<String> = (0..slots).map(|_| (150 + chance.below(900)).to_string()).collect();
        match chance.below(40) {
            0 => values[5] = "900000".to_owned(),
            1 => values[6].clear(),
            2 => values[7] = "-40".to_owned(),
            3 => values.fill("321".to_owned()),
            4 => values.truncate(20),
            5 => values.fill("0".to_owned()),
            6 => values[3] = "many".to_owned(),
            7 => values[9] = "5000000000000".to_owned(),
            8 => continue,
            _ => {}
        }
        text.push_str(&format!("{meter},{},{}\n", day.start().as_second(), values.join(",")));
    }
    text
}

/// Everything that is kept of a channel.
pub(crate) fn kept(mdm: &Mdm, days: i64) -> Vec<impl PartialEq + std::fmt::Debug> {
    let end = FIRST + days.days();
    let (from, to) = (mdm.local_day(FIRST).unwrap().start(), mdm.local_day(end).unwrap().start());
    (1..=u32::from(METERS))
        .map(|channel| {
            let channel = ChannelId::new(channel);
            mdm.store()
                .read(|r| {
                    let mut versions = Vec::new();
                    for day in 0..days {
                        versions.extend(r.day_versions(channel, FIRST + day.days())?);
                    }
                    Ok::<_, MdmError>((
                        versions,
                        r.findings(channel, FIRST, end)?,
                        r.raw_batches(channel, from, to)?,
                        r.channel_stats(channel)?,
                    ))
                })
                .unwrap()
        })
        .collect()
}

fn batches(load: &ProfileLoad, profiles: Profiles) -> Vec<Incoming> {
    let rows = profiles.meters.iter().zip(profiles.values.chunks_exact(load.slots));
    let whole = rows.map(|(meter, values)| Incoming::Batch(load.batch(*meter, values)));
    whole.chain(profiles.odd.iter().cloned().map(Incoming::Batch)).collect()
}

fn loaded(mdm: &Mdm, load: &ProfileLoad, text: &str, cuts: &[usize]) -> (ProfileReport, usize) {
    let mut report = ProfileReport::default();
    let mut bad = Vec::new();
    let all: Vec<&str> = text.lines().collect();
    let mut from = 0;
    for to in cuts.iter().copied().chain([all.len()]) {
        let profiles = parse(load, all[from..to].join("\n").as_bytes(), 1 + from as u64, &mut bad);
        let prepared = mdm.prepare(load, profiles).unwrap();
        let mark = Some(("a load", to as u64));
        report.add(&mdm.commit(load, vec![prepared], mark).unwrap());
        from = to;
    }
    (report, bad.len())
}

#[test]
fn both_ways_leave_the_same_in_the_store() {
    // A server in another process takes the ordinary way slowly.
    for seed in 1..if on_postgres() { 2 } else { 4 } {
        let (bulk, ordinary) = (utility(), utility());
        let days = if on_postgres() { 3i64 } else { 5 };
        let mut whole = 0;
        for day in 0..days {
            let date = FIRST + day.days();
            let now = bulk.local_day(date).unwrap().end() + SignedDuration::from_hours(3);
            let text = lines(&bulk, date, seed * 100 + day.unsigned_abs());
            for mdm in [&bulk, &ordinary] {
                if day == 2 {
                    // A register brackets a day of some meters, rightly and wrongly.
                    let at = mdm.local_day(date).unwrap();
                    let read = |meter: u32, at, raw| RegisterRead {
                        meter: MeterId::new(meter),
                        kind: ChannelKind::Import,
                        tou: 0,
                        at,
                        value: RegisterValue { raw, scaler: 0, unit: Unit::WattHour },
                        received_at: now,
                        source: BatchSource::Scheduled,
                    };
                    mdm.ingest_registers(now, vec![read(9, at.start(), 1000), read(9, at.end(), 1001)])
                        .unwrap();
                }
            }
            let load = bulk.begin_profiles(now, head(now), date).unwrap();
            let cuts = [40, 41, 120 + usize::try_from(seed).unwrap() * 20];
            let (report, bad) = loaded(&bulk, &load, &text, &cuts);
            assert!(bad > 0 && report.odd > 0, "{report:?}");
            whole += report.whole;
            assert_eq!(bulk.store().read(|r| r.load_mark("a load")).unwrap(), text.lines().count() as u64);

            let load = ordinary.begin_profiles(now, head(now), date).unwrap();
            let items = batches(&load, parse(&load, text.as_bytes(), 1, &mut Vec::new()));
            ordinary.receive(now, items).unwrap();
        }
        assert!(whole > u64::from(METERS), "most go the short way: {whole}");
        assert_eq!(kept(&bulk, days), kept(&ordinary, days));
        // Once more the whole of it changes nothing.
        let before = kept(&bulk, days);
        let now = bulk.local_day(FIRST).unwrap().end() + SignedDuration::from_hours(3);
        let load = bulk.begin_profiles(now, head(now), FIRST).unwrap();
        let (report, _) = loaded(&bulk, &load, &lines(&bulk, FIRST, seed * 100), &[100]);
        assert_eq!(report.whole, 0);
        assert_eq!(kept(&bulk, days), before);
    }
}

#[test]
fn what_came_in_between_is_not_trodden_upon() {
    let mdm = utility();
    let now = mdm.local_day(FIRST).unwrap().end() + SignedDuration::from_hours(3);
    let load = mdm.begin_profiles(now, head(now), FIRST).unwrap();
    let start = load.day.start().as_second();
    let text = |add: u32| -> String {
        let values = (0..24u32).map(|hour| (200 + hour * 3 + add).to_string()).collect::<Vec<_>>().join(",");
        (1..=20).map(|meter| format!("{meter},{start},{values}\n")).collect()
    };
    let mut bad = Vec::new();
    let late = mdm.prepare(&load, parse(&load, text(0).as_bytes(), 1, &mut bad)).unwrap();
    mdm.receive(now, batches(&load, parse(&load, text(1).as_bytes(), 1, &mut bad)).split_off(15)).unwrap();
    let report = mdm.commit(&load, vec![late], None).unwrap();
    assert_eq!((report.whole, report.odd), (0, 20));
    let versions =
        |channel| mdm.store().read(|r| r.day_versions(ChannelId::new(channel), FIRST)).unwrap().len();
    assert_eq!((versions(1), versions(20), bad.len()), (1, 2, 0));
}
