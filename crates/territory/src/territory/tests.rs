use super::*;
use crate::history::HistoryDay;
use crate::registry::MeterRoute;
use crate::scenario::Scenario;
use dlms::apdu::AttributeRef;
use dlms::client::{Client, ClientConfig, ClientEvent, Outcome, Request};
use dlms::gateway::{self, GatewayKind};
use dlms::security::{Key, Keys, SystemTitle};
use dlms::wrapper::{self, WrapperDecoder};
use dlms::{Data, Obis};
use field::Technology;
use jiff::SignedDuration;
use jiff::civil::date;
use model::{ChannelKind, IntervalLength};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn start() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

fn territory(name: &str, meters: u32, seed: u64) -> Territory {
    Territory::build(&Scenario::named(name).unwrap().with_meters(meters), seed, start()).unwrap()
}

/// Lets `seconds` pass second by second; gives what left.
fn live(territory: &mut Territory, now: &mut Timestamp, seconds: i64) -> Vec<Outgoing> {
    let mut out = Vec::new();
    for _ in 0..seconds {
        *now += SECOND;
        territory.advance(*now);
        out.extend(core::iter::from_fn(|| territory.poll_transmit()));
    }
    out
}

/// Logs in to a meter by its registry entry, through whatever is in between, and reads an attribute.
fn read(territory: &mut Territory, now: &mut Timestamp, meter: usize, what: AttributeRef) -> Option<Data> {
    let entry = territory.registry().meters[meter].clone();
    let keys = Keys::new(Key::new(entry.keys.encryption), Key::new(entry.keys.authentication));
    let config = ClientConfig::secure(1, keys, SystemTitle(*b"HEADEND1"), 1);
    let mut client = Client::new(config);
    let conn = ConnId(u64::from(entry.id.get()));
    match entry.route {
        MeterRoute::Behind { collector, .. } => territory.handle_collector_connected(*now, collector, conn),
        MeterRoute::Direct => territory.handle_direct_connected(*now, entry.id, conn),
    }
    client.associate(&mut |bytes| bytes.fill(7)).unwrap();
    let mut asked = false;
    for _ in 0..120 {
        while let Some(apdu) = client.poll_transmit() {
            match entry.route {
                MeterRoute::Behind { collector, address } => {
                    let message = gateway::encode_node(GatewayKind::Request, 0, address, &apdu);
                    let bytes = wrapper::encode(1, 1, &message).unwrap();
                    territory.handle_collector_bytes(*now, collector, conn, &bytes);
                }
                MeterRoute::Direct => {
                    let bytes = wrapper::encode(1, 1, &apdu).unwrap();
                    territory.handle_direct_bytes(*now, entry.id, conn, &bytes);
                }
            }
        }
        for out in live(territory, now, 1) {
            if matches!(out.to, Endpoint::Push(_)) {
                continue;
            }
            let mut decoder = WrapperDecoder::default();
            decoder.push(&out.bytes);
            let payload = decoder.next().unwrap().unwrap().payload;
            let apdu = gateway::parse(&payload).unwrap().map_or(&payload[..], |frame| frame.apdu).to_vec();
            client.handle_apdu(&apdu).ok()?;
        }
        while let Some(event) = client.poll_event() {
            if let ClientEvent::Response { outcome: Outcome::Get(result), .. } = event {
                return result.ok();
            }
        }
        if client.is_open() && !asked {
            asked = true;
            client.request(Request::Get(what, None)).unwrap();
        }
    }
    None
}

const IMPORT_TOTAL: AttributeRef =
    AttributeRef { class: 3, object: Obis([1, 0, 1, 8, 0, 255]), attribute: 2 };

fn first(territory: &Territory, technology: Technology) -> usize {
    let mut meters = territory.registry().meters.iter();
    meters
        .position(|meter| meter.technology == technology && meter.commodity == Commodity::Electricity)
        .unwrap()
}

#[test]
fn the_registry_is_consistent() {
    for (name, meters) in [("demo", 500), ("street", 30), ("bench", 100)] {
        let territory = territory(name, meters, 3);
        let registry = territory.registry();
        assert_eq!(registry.meters.len(), usize::try_from(meters).unwrap());
        let place = |id: u32| usize::try_from(id).unwrap() - 1;
        for (index, meter) in registry.meters.iter().enumerate() {
            assert_eq!(place(meter.id.get()), index);
            let point = &registry.service_points[place(meter.service_point.get())];
            assert_eq!(point.commodity, meter.commodity);
            let premise = &registry.premises[place(point.premise.get())];
            assert_eq!(premise.position, meter.position);
            assert!(place(point.customer.get()) < registry.customers.len());
            assert_eq!(point.transformer.is_some(), meter.commodity == Commodity::Electricity);
            if let Some(transformer) = point.transformer {
                assert!(place(transformer.get()) < registry.transformers.len());
            }
            if let MeterRoute::Behind { collector, .. } = meter.route {
                assert_eq!(registry.collectors[place(collector.get())].technology, meter.technology);
            }
        }
        let unique = |values: Vec<String>| values.iter().collect::<BTreeSet<_>>().len() == values.len();
        assert!(unique(registry.meters.iter().map(|meter| meter.serial.to_string()).collect()));
        assert!(unique(registry.premises.iter().map(|premise| premise.address.clone()).collect()));
        assert!(unique(registry.meters.iter().map(|meter| format!("{:?}", meter.keys.encryption)).collect()));
    }
}

#[test]
fn the_demo_has_something_for_every_page() {
    let territory = territory("demo", 500, 1);
    let registry = territory.registry();
    let count =
        |what: &dyn Fn(&crate::MeterEntry) -> bool| registry.meters.iter().filter(|m| what(m)).count();
    assert!(count(&|meter| meter.technology == Technology::Mesh) > 300);
    for technology in [Technology::Plc, Technology::Cellular, Technology::Broadband] {
        assert!(count(&|meter| meter.technology == technology) >= 3, "{technology:?}");
    }
    for commodity in [Commodity::Water, Commodity::Gas] {
        assert!(count(&|meter| meter.commodity == commodity) >= 5);
    }
    assert!(registry.collectors.len() >= 4);
    assert!(registry.service_points.iter().filter(|point| point.solar).count() >= 3);
    assert!(
        registry.service_points[0].solar && registry.service_points[0].customer == registry.demo_customer
    );
    let hours = territory.weather(start(), start() + SignedDuration::from_hours(48));
    assert_eq!(hours.len(), 48);
    assert!(hours.iter().any(|hour| hour.temperature_dc != hours[0].temperature_dc));
}

#[test]
fn energy_at_the_transformer_is_what_its_meters_measure_and_what_is_lost() {
    let mut territory = territory("street", 30, 5);
    let end = start() + SignedDuration::from_hours(20);
    territory.advance(end);
    let transformer = TransformerId::new(1);
    assert!(!territory.truth().outages(transformer).is_empty());
    let sites = territory.world.irons[0].sites.clone();
    let since = start() - SignedDuration::from_hours(24);
    let mut measured = 0;
    for site in sites {
        territory.devices[site].advance(&territory.world, site, end);
        let truth = territory.devices[site].meter().truth();
        measured += truth.delivered_milli - truth.received_milli;
    }
    let (mut taken, mut lost, mut at, mut dark) = (0, 0, since, false);
    while at < end {
        let truth = territory.truth().transformer(transformer, at).unwrap();
        assert_eq!(truth.taken_mwh, truth.meters_mwh + truth.losses_mwh);
        dark |= truth.taken_mwh == 0;
        (taken, lost) = (taken + truth.taken_mwh, lost + truth.losses_mwh);
        at += SignedDuration::from_mins(15);
    }
    assert!(dark, "an outage covers whole quarter hours");
    assert!(lost > 0);
    assert_eq!(taken - lost, measured);
}

#[test]
fn profiles_hold_what_history_tells() {
    let mut territory = territory("demo", 60, 7);
    let now = start() + SignedDuration::from_hours(1);
    let yesterday = date(2026, 11, 19);
    let days: Vec<_> = territory.history(yesterday, yesterday).collect();
    assert_eq!(days.len(), 60);
    for site in [0, 1, 17, 33] {
        territory.devices[site].advance(&territory.world, site, now);
        let day = &days[site];
        let values = |kind| &day.channels.iter().find(|(it, _)| *it == kind).unwrap().1;
        let mut compared = 0;
        for row in territory.devices[site].meter().load_profile() {
            let begin = Timestamp::from_second(row.end_s - 900).unwrap();
            let Some(index) = day.day.interval_at(IntervalLength::QUARTER_HOUR, begin) else { continue };
            compared += 1;
            let (import, export) = (values(ChannelKind::Import)[index], values(ChannelKind::Export)[index]);
            assert_eq!((import, export), (Some(i64::from(row.delivered)), Some(i64::from(row.received))));
            let volts = values(ChannelKind::Voltage)[index].unwrap();
            assert!((i64::from(row.voltage_dv) - volts).abs() <= 1);
        }
        assert!(compared > 60, "{compared}");
    }
}

#[test]
fn history_knows_short_and_long_days_and_holes() {
    let territory = territory("demo", 40, 7);
    let of = |day| territory.history(day, day).next().unwrap();
    assert_eq!(of(date(2026, 3, 8)).channels[0].1.len(), 92);
    assert_eq!(of(date(2026, 11, 1)).channels[0].1.len(), 100);
    let days: Vec<_> = territory.history(date(2026, 10, 1), date(2026, 10, 20)).collect();
    assert_eq!(days.len(), 20 * 40);
    let holes = days.iter().filter(|day| day.meter == MeterId::new(1) && day.channels[0].1.contains(&None));
    assert_eq!(holes.map(|day| day.day.date()).collect::<Vec<_>>(), [date(2026, 10, 8), date(2026, 10, 17)]);
    assert!(
        days.windows(2).all(|pair| (pair[0].day.date(), pair[0].meter) < (pair[1].day.date(), pair[1].meter))
    );
}

#[test]
fn the_demo_has_something_to_work_on() {
    let territory = territory("demo", 60, 7);
    let last = date(2026, 10, 20);
    let days: Vec<_> = territory.history(last - jiff::Span::new().days(6), last).collect();
    let of = |meter: MeterId, before: i64, kind| {
        let day = last - jiff::Span::new().days(before);
        let found = days.iter().find(|it| it.meter == meter && it.day.date() == day).unwrap();
        found.channels.iter().find(|(it, _)| *it == kind).unwrap().1.clone()
    };
    let meters: Vec<MeterId> = territory.flaws.iter().map(|flaw| flaw.meter).collect();
    let [spike, other, stuck, panels, negative] = meters[..] else { panic!("{meters:?}") };
    for meter in [spike, other] {
        let values = of(meter, 1, ChannelKind::Import);
        assert!(values[56].unwrap() >= 6500 && values[57].unwrap() < 6500);
    }
    let values = of(stuck, 2, ChannelKind::Import);
    assert!(values[36..80].iter().all(|value| *value == values[36] && value.unwrap() >= 120));
    let sent = of(panels, 1, ChannelKind::Export).into_iter().flatten().sum::<i64>();
    assert!(sent > 5000, "{sent} Wh");
    assert_eq!(of(panels, 5, ChannelKind::Export).into_iter().flatten().sum::<i64>(), 0);
    assert!(of(negative, 5, ChannelKind::Import)[24..32].iter().any(|value| value.unwrap() < 0));
}

#[test]
fn registers_of_the_past_count_what_flowed_and_run_on_into_the_living_meter() {
    let mut territory = territory("demo", 60, 7);
    let (first, last) = (date(2026, 11, 1), date(2026, 11, 20));
    let days: Vec<_> = territory.history(first, last).collect();
    let flawed: Vec<MeterId> = territory.flaws.iter().map(|flaw| flaw.meter).collect();
    let mut compared = 0;
    for site in 0..territory.commodities.len() {
        let meter = territory.registry.meters[site].id;
        let mine: Vec<&HistoryDay> = days.iter().filter(|day| day.meter == meter).collect();
        let of = |day: &HistoryDay, kind, tou| {
            let told = day.registers.iter().rev().find(|told| told.kind == kind && told.tou == tou);
            told.map(|told| told.value)
        };
        let kinds = mine[0].channels.iter().filter(|(kind, _)| kind.is_additive()).map(|(kind, _)| *kind);
        for kind in kinds {
            assert!(mine[0].registers.iter().any(|told| told.kind == kind && told.at == mine[0].day.start()));
            for pair in mine.windows(2) {
                let moved = of(pair[1], kind, 0).unwrap() - of(pair[0], kind, 0).unwrap();
                let values = &pair[1].channels.iter().find(|(known, _)| *known == kind).unwrap().1;
                let known: Option<Vec<i64>> = values.iter().copied().collect();
                let Some(known) = known.filter(|_| !flawed.contains(&meter)) else { continue };
                assert_eq!(known.iter().sum::<i64>(), moved, "{meter} {kind:?} {}", pair[1].day.date());
                compared += 1;
            }
            let rates: Vec<i64> = (1..=4).filter_map(|tou| of(mine[18], kind, tou)).collect();
            let later: Vec<i64> = (1..=4).filter_map(|tou| of(mine[19], kind, tou)).collect();
            let total = of(mine[19], kind, 0).unwrap() - of(mine[18], kind, 0).unwrap();
            if kind == ChannelKind::Import {
                assert_eq!((rates.len(), of(mine[2], kind, 1)), (4, None), "rates of two weeks");
                assert_eq!(later.iter().sum::<i64>() - rates.iter().sum::<i64>(), total);
            }
        }
        territory.devices[site].advance(&territory.world, site, start());
        let (import, export) = territory.devices[site].meter().registers();
        let shown = |kind: ChannelKind| if kind == ChannelKind::Export { export } else { import };
        // A clock that drifts changes the rate early or late.
        let faulty = territory.faulty.iter().any(|(it, ..)| *it == meter);
        for told in mine[19].registers.iter().filter(|told| told.at == start() && !(faulty && told.tou > 0)) {
            assert_eq!(told.value, i64::from(shown(told.kind)[usize::from(told.tou)]), "{meter} {told:?}");
        }
    }
    assert!(compared > 1000, "{compared}");
}

#[test]
fn a_swiss_week_stays_a_week() {
    let territory = territory("demo", 40, 7);
    let day = |d| territory.history(d, d).nth(1).unwrap().channels[0].1.clone();
    assert_eq!(day(date(2026, 10, 5)), day(date(2026, 11, 23)), "seven weeks later the series begins again");
    assert_ne!(day(date(2026, 10, 5)), day(date(2026, 10, 12)));
}

#[test]
fn meters_answer_over_every_technology_with_real_bytes() {
    let mut territory = territory("demo", 500, 11);
    let mut now = start();
    for technology in [Technology::Mesh, Technology::Plc, Technology::Cellular, Technology::Broadband] {
        let meter = first(&territory, technology);
        let data = read(&mut territory, &mut now, meter, IMPORT_TOTAL).unwrap_or(Data::Null);
        let expected = territory.devices[meter].meter().registers().0[0];
        assert!(
            matches!(data, Data::DoubleLongUnsigned(value) if value == expected),
            "{technology:?}: {data:?}"
        );
    }
    assert!(territory.stats().network.delivered > 10);
}

#[test]
fn an_outage_is_heard_and_so_is_its_end() {
    let mut territory = territory("demo", 300, 13);
    let mut now = start();
    let transformer = TransformerId::new(4);
    territory.cut(now, transformer, 600);
    let pushes = |out: Vec<Outgoing>| out.iter().filter(|out| matches!(out.to, Endpoint::Push(_))).count();
    let gasps = pushes(live(&mut territory, &mut now, 60));
    assert!((1..=12).contains(&gasps), "{gasps}");
    let meter = territory.world.irons[3].sites[0];
    assert!(!territory.devices[meter].is_powered());
    assert_eq!(read(&mut territory, &mut now, meter, IMPORT_TOTAL), None);
    let restored = pushes(live(&mut territory, &mut now, 700));
    assert!(restored >= 9, "{restored}");
    assert!(territory.devices[meter].is_powered());
}

#[test]
fn a_dead_collector_drops_its_connections_and_takes_none() {
    let mut territory = territory("demo", 300, 17);
    let (id, now) = (CollectorId::new(1), start());
    territory.handle_collector_connected(now, id, ConnId(1));
    territory.happen(now, Happening::CollectorDies(0));
    assert_eq!(territory.poll_close(), Some(Endpoint::Collector(id, ConnId(1))));
    territory.handle_collector_connected(now, id, ConnId(2));
    assert_eq!(territory.poll_close(), Some(Endpoint::Collector(id, ConnId(2))));
    territory.happen(now, Happening::CollectorLives(0));
    territory.handle_collector_connected(now, id, ConnId(3));
    assert_eq!(territory.poll_close(), None);
}

#[test]
fn the_same_seed_lives_the_same_life() {
    let run = |seed| {
        let mut territory = territory("street", 30, seed);
        let mut now = start();
        let mut out = Vec::new();
        for _ in 0..24 * 60 {
            now += SignedDuration::from_mins(1);
            territory.advance(now);
            out.extend(core::iter::from_fn(|| territory.poll_transmit()));
        }
        (out, territory.stats())
    };
    let (out, stats) = run(21);
    assert!(out.len() > 20, "{}", out.len());
    assert_eq!((out, stats), run(21));
    assert_ne!(run(21).0, run(22).0);
}

#[test]
fn sockets_full_of_rubbish_change_nothing() {
    let mut territory = territory("street", 30, 23);
    let now = start();
    territory.handle_collector_connected(now, CollectorId::new(1), ConnId(1));
    territory.handle_collector_bytes(now, CollectorId::new(1), ConnId(1), b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(territory.poll_close(), Some(Endpoint::Collector(CollectorId::new(1), ConnId(1))));
    territory.handle_collector_bytes(now, CollectorId::new(99), ConnId(1), b"x");
    territory.handle_direct_bytes(now, MeterId::new(0), ConnId(1), b"x");
    territory.handle_direct_connected(now, MeterId::new(77), ConnId(5));
    assert_eq!(territory.poll_close(), Some(Endpoint::Direct(MeterId::new(77), ConnId(5))));
}

/// The rule that looks for generators at night finds nothing in any home on any day of a year.
#[test]
fn panels_never_feed_in_by_night() {
    let territory = territory("demo", 200, 1);
    let world = &territory.world;
    let homes: Vec<usize> = (0..world.sites.len())
        .filter(|site| matches!(world.sites[*site].load, crate::loads::Load::Fontana { .. }))
        .collect();
    assert!(homes.len() >= 3, "{homes:?}");
    let mut sunny = 0;
    for day in 0..365 {
        let midnight = start().as_second() + day * 86_400;
        let sun = vee::Sun::over(world.place_e6, midnight + 43_200, -600);
        let quarters = (0..96).map(|k| Timestamp::from_second(midnight + k * 900).unwrap());
        let mut fed = vec![0; homes.len()];
        for at in quarters {
            let (quarter, dark) = (world.quarter(at), sun.is_below(at.as_second() + 450));
            for (home, fed) in homes.iter().zip(&mut fed) {
                let received = world.demand(*home, quarter).received;
                sunny += received;
                *fed += if dark { received } else { 0 };
            }
        }
        assert!(fed.iter().all(|fed| *fed == 0), "day {day}: {fed:?} Wh by night");
    }
    assert!(sunny > 1_000_000, "{sunny} Wh in all");
}
