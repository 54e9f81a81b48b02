//! Reading a street: schedules, losses, limits, counters, clocks, backfill.

use crate::world::{HEAD_END, Street, at, import, keys, start};
use dlms::acse::Conformance;
use headend::{
    Failure, HeadEndConfig, HeadEndEvent, IdentityFacts, LinkId, ModelFacts, ReadPlan, Route, What,
};
use jiff::SignedDuration;
use model::MeterCheck;
use model::channel::ChannelKind;
use model::command::{Action, Command};
use model::event::EventKind;
use model::id::{CollectorId, CommandId, MeterId, Serial};
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeSet;
use std::sync::Arc;

fn plan(street: &mut Street, what: What, patience: SignedDuration) {
    let plan = ReadPlan {
        group: "all".into(),
        first_at: street.now,
        every: SignedDuration::from_hours(24),
        patience,
        what,
    };
    street.head.schedule(street.now, plan);
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[test]
fn a_day_of_every_meter_behind_collectors_and_direct() {
    let mut street = Street::new(1);
    street.collector(1, 100, 30, 4);
    street.collector(2, 200, 30, 7);
    street.direct(300);
    street.houses.get_mut(&MeterId::new(300)).unwrap().device.events =
        vec![(at("2024-07-01T03:00:00Z"), 1, 5), (at("2024-07-01T04:00:00Z"), 2, 6)];
    plan(&mut street, What::ALL, HOUR);
    street.run_for(HOUR);
    let read = street.read();
    assert_eq!(read.len(), 61 * 96);
    assert!(read.iter().all(|((_, end), value)| *value == i64::from(import(*end))));
    assert_eq!((street.head.metrics().reads_due, street.head.metrics().reads_done), (61, 61));
    assert_eq!(street.head.metrics().read_success_permille(), Some(1000));
    assert_eq!(street.most_at_once[&CollectorId::new(1)], 4);
    assert_eq!(street.most_at_once[&CollectorId::new(2)], 7);
    let registers = street
        .events
        .iter()
        .filter(|event| matches!(event, HeadEndEvent::Registers(reads) if reads.len() == 2));
    assert_eq!(registers.count(), 61);
    let events: Vec<_> = street
        .events
        .iter()
        .filter_map(|event| match event {
            HeadEndEvent::Event(event) => Some((event.kind, event.seq)),
            _ => None,
        })
        .collect();
    assert_eq!(events, [(EventKind::PowerFailed, 5), (EventKind::PowerRestored, 6)]);
    let closed = HeadEndEvent::Link { link: LinkId::Meter(MeterId::new(300)), up: false };
    assert!(street.events.contains(&closed), "a direct connection is not kept");
}

#[test]
fn the_next_read_goes_on_where_the_last_stopped() {
    let mut street = Street::new(1);
    street.collector(1, 1, 3, 2);
    plan(&mut street, What::PROFILE, HOUR);
    street.run_for(SignedDuration::from_hours(23));
    street.events.clear();
    street.run_for(SignedDuration::from_hours(2));
    let read = street.read();
    assert_eq!(read.len(), 3 * 96);
    assert_eq!(read.keys().next().unwrap().1, at("2024-07-02T00:15:00Z"));
}

#[test]
fn a_lossy_network_costs_retries_and_no_intervals() {
    let mut street = Street::new(7);
    street.collector(1, 1, 40, 8);
    street.loss_permille = 30;
    plan(&mut street, What::ALL, SignedDuration::from_hours(20));
    street.run_for(SignedDuration::from_hours(20));
    let metrics = *street.head.metrics();
    assert!(metrics.retries > 5, "{metrics:?}");
    assert!(metrics.reads_done >= 38, "{metrics:?}");
    assert_eq!(metrics.reads_done + metrics.reads_missed, 40);
    assert_eq!(metrics.failed_security, 0, "{metrics:?}");
    assert!(street.read().values().len() >= 38 * 96);
    assert_eq!(street.head.busy_meters(), 0);
}

#[test]
fn a_dead_meter_is_missed_and_disturbs_nobody() {
    let mut street = Street::new(3);
    street.collector(1, 1, 10, 2);
    street.houses.get_mut(&MeterId::new(4)).unwrap().dead = true;
    plan(&mut street, What::PROFILE, HOUR);
    street.run_for(SignedDuration::from_hours(2));
    assert_eq!(street.head.metrics().reads_done, 9);
    let missed: Vec<_> = street
        .events
        .iter()
        .filter_map(|event| match event {
            HeadEndEvent::Missed { meter, why } => Some((meter.get(), why.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(missed, [(4, Some(Failure::NoAnswer(60)))]);
    assert_eq!(street.head.metrics().visits, 9 + u64::from(HeadEndConfig::new(HEAD_END).attempts));
}

#[test]
fn a_cut_collector_is_tried_again_and_catches_up() {
    let mut street = Street::new(3);
    street.collector(1, 1, 20, 4);
    plan(&mut street, What::PROFILE, SignedDuration::from_hours(10));
    street.run_for(SignedDuration::from_millis(500));
    let link = LinkId::Collector(CollectorId::new(1));
    street.cut(link);
    street.run_for(SignedDuration::from_mins(5));
    assert!(street.head.metrics().reads_done < 20);
    street.cut.clear();
    street.run_for(SignedDuration::from_hours(3));
    assert_eq!(street.head.metrics().reads_done, 20, "{:?}", street.head.metrics());
    assert_eq!(street.read().len(), 20 * 96);
}

#[test]
fn a_collector_that_never_comes_back_expires_the_reads() {
    let mut street = Street::new(3);
    street.collector(1, 1, 5, 4);
    street.cut(LinkId::Collector(CollectorId::new(1)));
    plan(&mut street, What::PROFILE, HOUR);
    street.run_for(SignedDuration::from_hours(2));
    assert_eq!(street.head.metrics().reads_missed, 5);
    assert_eq!(street.head.reads_open(), 0);
}

#[test]
fn a_wandering_clock_is_set_and_read_back() {
    let mut street = Street::new(3);
    street.collector(1, 1, 2, 2);
    let drift = |street: &Street, id| street.houses[&MeterId::new(id)].device.drift.as_secs();
    street.houses.get_mut(&MeterId::new(1)).unwrap().device.drift = SignedDuration::from_secs(-400);
    street.houses.get_mut(&MeterId::new(2)).unwrap().device.drift = SignedDuration::from_secs(20);
    plan(&mut street, What::ALL, HOUR);
    street.run_for(HOUR);
    assert_eq!(street.head.metrics().clocks_set, 1);
    assert!(drift(&street, 1).abs() <= 1, "{}", drift(&street, 1));
    assert_eq!(drift(&street, 2), 20);
    assert_eq!(street.head.metrics().reads_done, 2);
}

/// What is read is held against what the meter says of itself: so that comes first, and a clock as it was found.
#[test]
fn a_meter_says_who_it_is_and_how_it_counts() {
    let mut street = Street::new(3);
    street.facts =
        Arc::new(ModelFacts { identity: Some(IdentityFacts::STANDARD), ..(*street.facts).clone() });
    street.direct(1);
    let house = street.houses.get_mut(&MeterId::new(1)).unwrap();
    (house.device.drift, house.device.scaler) = (SignedDuration::from_secs(-400), 1);
    plan(&mut street, What::ALL, HOUR);
    street.run_for(HOUR);
    let first_batch = street.events.iter().position(|event| matches!(event, HeadEndEvent::Batch(_))).unwrap();
    let checks: Vec<(usize, MeterCheck)> = street
        .events
        .iter()
        .enumerate()
        .filter_map(|(index, event)| match event {
            HeadEndEvent::Check(check) => Some((index, check.clone())),
            _ => None,
        })
        .collect();
    assert!(checks.iter().all(|(index, _)| *index < first_batch));
    let offsets: Vec<i64> = checks.iter().filter_map(|(_, check)| check.clock_offset_ms).collect();
    assert_eq!(offsets.len(), 2, "found, and set");
    assert!((offsets[0] + 400_000).abs() < 2000 && offsets[1].abs() < 2000, "{offsets:?}");
    let (_, told) = checks.iter().find(|(_, check)| check.serial.is_some()).unwrap();
    assert_eq!(told.serial, Some(Serial::new("40210455")));
    assert_eq!((told.multiplier, told.scaler_off), (Some(40), Some(1)));
    // It is not asked again within the day.
    street.events.clear();
    let meter = MeterId::new(1);
    street.head.read_meter(street.now, meter, What::ALL, street.now + HOUR);
    street.run_for(HOUR);
    let again = |event: &HeadEndEvent| matches!(event, HeadEndEvent::Check(check) if check.serial.is_some());
    assert!(!street.events.iter().any(again));
}

#[test]
fn a_gap_is_read_again_in_pieces() {
    let mut street = Street::new(3);
    street.direct(1);
    let (from, to) = (at("2024-06-01T00:00:00Z"), at("2024-06-21T00:00:00Z"));
    let meter = MeterId::new(1);
    for kind in [ChannelKind::Import, ChannelKind::Voltage, ChannelKind::Gas] {
        street.head.backfill(street.now, meter, kind, from, to);
    }
    street.run_for(HOUR);
    let read = street.read();
    assert_eq!(read.len(), 20 * 96);
    assert_eq!(read.keys().map(|(_, end)| *end).min(), Some(at("2024-06-01T00:15:00Z")));
    assert_eq!(read.keys().map(|(_, end)| *end).max(), Some(to));
    assert_eq!(street.head.metrics().intervals, 20 * 96 * 2, "read once for all channels");
}

#[test]
fn counters_are_reserved_before_use_and_never_used_again_after_a_crash() {
    let mut street = Street::new(3);
    street.collector(1, 1, 5, 4);
    plan(&mut street, What::ALL, HOUR);
    // The head-end is killed in the middle of its visits.
    street.run_for(SignedDuration::from_millis(700));
    let used: BTreeSet<u32> =
        (1..=5).map(|id| street.houses[&MeterId::new(id)].server.highest_received()).collect();
    assert!(used.iter().any(|counter| *counter > 0), "it was in the middle of something");
    let ceilings = street.ceilings.clone();
    let houses = core::mem::take(&mut street.houses);
    let mut again = Street::new(99);
    again.now = street.now;
    again.collector(1, 1, 5, 4);
    again.houses = houses;
    for id in 1..=5 {
        let mut meter = again.registered(id, Route::node(CollectorId::new(1), id));
        meter.counter_ceiling = ceilings[&MeterId::new(id)];
        again.head.add_meter(meter);
        assert!(ceilings[&MeterId::new(id)] > again.houses[&MeterId::new(id)].server.highest_received());
    }
    plan(&mut again, What::ALL, HOUR);
    again.run_for(HOUR);
    assert_eq!(again.head.metrics().reads_done, 5);
    assert_eq!(again.head.metrics().failed_security, 0);
    assert_eq!(again.head.metrics().visits, 5, "no counter was refused");
    for id in 1..=5 {
        let meter = MeterId::new(id);
        let highest = again.houses[&meter].server.highest_received();
        assert!(highest > ceilings[&meter] && highest < again.ceilings[&meter]);
    }
}

#[test]
fn a_counter_that_fell_back_is_found_out_and_set_right() {
    // By how much a database restored from a backup lags behind what the meter has seen.
    for lag in [u32::MAX, 3, 1, 0] {
        let mut street = Street::new(3);
        street.direct(1);
        plan(&mut street, What::PROFILE, HOUR);
        street.run_for(HOUR);
        assert_eq!(street.head.metrics().reads_done, 1);
        let houses = core::mem::take(&mut street.houses);
        let seen = houses[&MeterId::new(1)].server.highest_received();
        let mut again = Street::new(5);
        again.now = street.now;
        again.direct(1);
        again.houses = houses;
        let mut meter = again.registered(1, Route::Direct { endpoint: "meter-1".into() });
        meter.counter_ceiling = seen.saturating_sub(lag);
        again.head.add_meter(meter);
        plan(&mut again, What::PROFILE, HOUR);
        again.run_for(HOUR);
        let metrics = again.head.metrics();
        assert_eq!((metrics.reads_done, metrics.failed_security), (1, 0), "lag {lag}: {:?}", again.events);
    }
}

#[test]
fn a_wrong_key_is_named_and_not_tried_again() {
    let mut street = Street::new(3);
    street.collector(1, 1, 2, 2);
    street.build(2, keys(77));
    plan(&mut street, What::ALL, HOUR);
    street.run_for(HOUR);
    let alarms: Vec<String> = street
        .events
        .iter()
        .filter_map(|event| match event {
            HeadEndEvent::Refused { why, .. } => Some(why.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert!(alarms[0].contains("key differs"), "{alarms:?}");
    let metrics = street.head.metrics();
    assert_eq!((metrics.failed_security, metrics.reads_done, metrics.reads_missed), (1, 1, 1));
    assert_eq!(metrics.retries, 0);
}

#[test]
fn a_meter_without_lists_is_asked_one_by_one() {
    let questions = |conformance| {
        let mut street = Street::new(3);
        let mut config = (*street.server_config).clone();
        config.conformance = conformance;
        street.server_config = Arc::new(config);
        street.collector(1, 1, 1, 1);
        plan(&mut street, What::ALL, HOUR);
        street.run_for(HOUR);
        assert_eq!(street.head.metrics().reads_done, 1, "{:?}", street.events);
        street.houses[&MeterId::new(1)].server.highest_received()
    };
    let all = Street::new(3).server_config.conformance;
    let without = Conformance(all.0 & !Conformance::MULTIPLE_REFERENCES.0);
    assert_eq!(questions(without), questions(all) + 1, "two registers are two questions");
}

#[test]
fn a_sleeping_meter_is_visited_after_its_push() {
    let mut street = Street::new(3);
    let mut facts = (*street.facts).clone();
    facts.listens = Some(SignedDuration::from_secs(30));
    street.facts = Arc::new(facts);
    street.collector(1, 1, 1, 1);
    plan(&mut street, What::ALL, SignedDuration::from_hours(20));
    street.run_for(HOUR);
    assert_eq!(street.head.metrics().visits, 0);
    let push = street.houses.get_mut(&MeterId::new(1)).unwrap().push_event(street.now, 7, 1);
    street.push(&push);
    street.run_for(SignedDuration::from_secs(20));
    assert_eq!((street.head.metrics().visits, street.head.metrics().reads_done), (1, 1));
}

#[test]
fn answers_that_come_twice_change_nothing() {
    let mut street = Street::new(9);
    street.collector(1, 1, 10, 3);
    street.doubled_permille = 400;
    plan(&mut street, What::ALL, HOUR);
    street.run_for(HOUR);
    let metrics = street.head.metrics();
    assert_eq!((metrics.reads_done, metrics.visits, metrics.failed_security), (10, 10, 0), "{metrics:?}");
    assert!(metrics.strays > 10);
}

#[test]
fn a_wrong_key_is_told_from_a_counter_that_fell_back() {
    let mut street = Street::new(3);
    street.direct(1);
    plan(&mut street, What::PROFILE, HOUR);
    street.run_for(HOUR);
    // The meter has seen counters, and now our key for it is wrong as well.
    let houses = core::mem::take(&mut street.houses);
    let mut again = Street::new(5);
    again.now = street.now;
    again.direct(1);
    again.houses = houses;
    let mut meter = again.registered(1, Route::Direct { endpoint: "meter-1".into() });
    meter.client.keys = Some(keys(44));
    again.head.add_meter(meter);
    plan(&mut again, What::PROFILE, HOUR);
    again.run_for(HOUR);
    let named = |event: &HeadEndEvent| match event {
        HeadEndEvent::Refused { why, .. } => Some(why.to_string()),
        _ => None,
    };
    let alarms: Vec<String> = again.events.iter().filter_map(named).collect();
    assert!(alarms.last().is_some_and(|alarm| alarm.contains("its key differs from ours")), "{alarms:?}");
    assert_eq!((again.head.metrics().failed_security, again.head.metrics().reads_missed), (1, 1));
}

/// Whatever goes wrong, limits hold, every command ends, and the head-end comes to rest.
#[test]
fn chaos_ends_in_order() {
    for seed in 0..12 {
        let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
        let mut street = Street::new(seed);
        street.collector(1, 1, 25, 3);
        street.collector(2, 101, 25, 6);
        for id in 201..211 {
            street.direct(id);
        }
        (street.loss_permille, street.doubled_permille) = (20, 20);
        plan(&mut street, What::ALL, HOUR);
        let mut commands = 0;
        for _ in 0..120 {
            street.run_for(SignedDuration::from_secs(5));
            let meter = MeterId::new([1, 101, 201][rng.next_u32() as usize % 3] + rng.next_u32() % 10);
            match rng.next_u32() % 6 {
                0 => street.cut(LinkId::Collector(CollectorId::new(1 + rng.next_u32() % 2))),
                1 => street.cut(LinkId::Meter(meter)),
                2 => street.cut.clear(),
                3 => street.houses.values_mut().for_each(|house| house.server.reset()),
                4 => {
                    let house = street.houses.get_mut(&meter).unwrap();
                    house.dead = !house.dead;
                }
                _ => {
                    commands += 1;
                    let command = Command {
                        id: CommandId::new(commands),
                        meter,
                        action: Action::ReadRegisters,
                        not_after: street.now + SignedDuration::from_mins(30),
                        requested_by: None,
                        requested_at: street.now,
                        reason: String::new(),
                    };
                    street.head.command(street.now, &command);
                }
            }
        }
        street.cut.clear();
        street.run_for(SignedDuration::from_hours(3));
        let metrics = street.head.metrics();
        assert_eq!(metrics.reads_done + metrics.reads_missed, 60, "seed {seed}: {metrics:?}");
        assert_eq!(metrics.commands_done + metrics.commands_failed, u64::from(commands), "seed {seed}");
        assert_eq!(street.head.busy_meters(), 0, "seed {seed}");
        assert!(street.most_at_once[&CollectorId::new(1)] <= 3, "seed {seed}");
        assert!(street.most_at_once[&CollectorId::new(2)] <= 6, "seed {seed}");
        assert_eq!(metrics.failed_security, 0, "seed {seed}: {metrics:?}");
        assert!(street.read().iter().all(|((_, end), value)| *value == i64::from(import(*end))));
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let story = |seed| {
        let mut street = Street::new(seed);
        street.collector(1, 1, 20, 5);
        street.loss_permille = 50;
        plan(&mut street, What::ALL, HOUR);
        street.run_for(SignedDuration::from_hours(2));
        format!("{:?} {:?}", street.events, street.head.metrics())
    };
    assert_eq!(story(11), story(11));
    assert_ne!(story(11), story(12));
    assert_eq!(start(), at("2024-07-02T00:05:00Z"));
}
