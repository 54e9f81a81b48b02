use super::*;
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_770_000_000 + second).unwrap()
}

const ROOT: CollectorId = CollectorId::new(1);

/// A street: a collector at its west end and a meter every 60 m, beyond one hop's reach in all.
fn street(seed: u64, homes: u32, technology: Technology, step_m: i32) -> Network {
    let mut network = Network::new(seed);
    network.add_collector(ROOT, technology, Position::new(0, 0));
    for n in 1..=homes {
        let east = i32::try_from(n).unwrap() * step_m;
        network.add_node(n, technology, Position::new(east, 0), None);
    }
    network
}

fn arrivals(network: &mut Network, until: i64) -> Vec<Delivery> {
    core::iter::from_fn(|| network.poll_delivery(at(until))).collect()
}

fn relays(network: &mut Network, node: u32) -> Vec<u32> {
    let ends = network.path(node).into_iter().map(|hop| hop.to);
    ends.filter_map(|end| if let HopEnd::Node(n) = end { (n != node).then_some(n) } else { None }).collect()
}

/// How many of `tries` messages down to `node` arrive.
fn share(network: &mut Network, node: u32, from: i64, tries: i64) -> usize {
    for k in 0..tries {
        let _ = network.send(at(from + k * 20), Direction::Down, node, vec![0; 60]);
    }
    arrivals(network, from + tries * 20 + 600).len()
}

#[test]
fn far_meters_are_reached_over_several_hops() {
    let mut network = street(1, 20, Technology::Mesh, 50);
    assert!(relays(&mut network, 1).is_empty());
    let far = network.path(20);
    assert!(far.len() >= 4, "{far:?}");
    assert_eq!(far[0].from, HopEnd::Collector(ROOT));
    assert!(far.iter().all(|hop| (-105..0).contains(&hop.signal_dbm)));
    assert!(share(&mut network, 20, 0, 50) > 40);
}

#[test]
fn a_meter_without_power_relays_nothing_and_its_children_find_another_way_or_none() {
    let mut network = street(2, 20, Technology::Mesh, 50);
    let through = relays(&mut network, 20);
    let dead = through[through.len() / 2];
    network.set_power(at(0), dead, false);
    assert_eq!(share(&mut network, 20, 1, 2), 0, "its route still runs through the dead meter");
    let healed = HEALING_S + 1;
    assert!(share(&mut network, 20, healed, 30) > 20, "neighbours route around it");
    assert!(!relays(&mut network, 20).contains(&dead));
    for n in 3..=18 {
        network.set_power(at(5_000), n, false);
    }
    assert_eq!(share(&mut network, 20, 5_000 + healed, 10), 0, "too many are dark");
    let refused = network.send(at(9_000), Direction::Up, 20, vec![1]);
    assert_eq!(refused, Err(Refusal::NoRoute(20)));
}

#[test]
fn what_is_on_its_way_through_a_meter_that_loses_power_is_lost() {
    let mut network = street(3, 20, Technology::Mesh, 50);
    let relay = relays(&mut network, 20)[0];
    network.send(at(0), Direction::Down, 20, vec![0; 100]).unwrap();
    network.set_power(at(0), relay, false);
    assert!(arrivals(&mut network, 60).is_empty());
    assert_eq!(network.stats().lost, 1);
}

#[test]
fn a_dying_meter_is_heard_only_while_its_capacitor_lasts() {
    let mut network = street(4, 6, Technology::Mesh, 50);
    network.build();
    network.set_power(at(0), 6, false);
    assert_eq!(network.send(at(1), Direction::Down, 6, vec![1]), Err(Refusal::NoRoute(6)));
    network.send(at(2), Direction::Up, 6, b"dying".to_vec()).unwrap();
    assert_eq!(arrivals(&mut network, 30).len(), 1);
    assert_eq!(network.send(at(HOLD_UP_S + 1), Direction::Up, 6, vec![1]), Err(Refusal::NoRoute(6)));
    // When the neighbours are dark too, nobody carries the call.
    let mut network = street(4, 20, Technology::Mesh, 50);
    network.build();
    (1..=20).for_each(|n| network.set_power(at(0), n, false));
    assert_eq!(network.send(at(2), Direction::Up, 20, vec![1]), Err(Refusal::NoRoute(20)));
}

#[test]
fn a_meter_whose_power_is_back_is_soon_heard() {
    let mut network = street(4, 20, Technology::Mesh, 50);
    network.build();
    (10..=20).for_each(|n| network.set_power(at(0), n, false));
    assert_eq!(share(&mut network, 20, HEALING_S, 5), 0);
    (10..=20).for_each(|n| network.set_power(at(1_000), n, true));
    assert!(share(&mut network, 20, 1_000 + JOINING_S, 20) > 10);
}

#[test]
fn a_partition_and_a_dead_collector_cut_off() {
    let mut network = street(5, 10, Technology::Mesh, 40);
    assert!(share(&mut network, 10, 0, 10) > 5);
    (6..=10).for_each(|n| network.set_group(at(1_000), n, 1));
    assert_eq!(share(&mut network, 10, 1_100, 10), 0);
    assert!(share(&mut network, 3, 1_100, 10) > 5, "this side still talks");
    (6..=10).for_each(|n| network.set_group(at(3_000), n, 0));
    assert!(share(&mut network, 10, 3_100, 10) > 5);
    network.set_collector_alive(at(5_000), ROOT, false);
    assert_eq!(network.send(at(5_000), Direction::Up, 1, vec![1]), Err(Refusal::NoRoute(1)));
    network.set_collector_alive(at(6_000), ROOT, true);
    assert!(share(&mut network, 10, 6_100, 10) > 5);
}

#[test]
fn a_crowd_waits_longer_than_one() {
    let delay = |count: u32| {
        let mut network = street(6, 100, Technology::Mesh, 5);
        for n in 1..=count {
            network.send(at(0), Direction::Up, n, vec![0; 800]).unwrap();
        }
        let last = arrivals(&mut network, 3_600).into_iter().next_back().unwrap();
        last.at.duration_since(last.sent_at).as_millis()
    };
    assert!(delay(100) > 20 * delay(1), "{} and {}", delay(100), delay(1));
}

#[test]
fn power_line_loses_more_with_distance_and_noise() {
    let evening = 19 * 3600 - at(0).as_second().rem_euclid(86_400);
    let night = evening + 8 * 3600;
    let lost = |distance: i32, second: i64| {
        let mut lost = 0;
        for seed in 0..20 {
            let mut network = street(seed, 1, Technology::Plc, distance);
            lost += 100 - share(&mut network, 1, second, 100);
        }
        lost
    };
    let (near, far) = (lost(100, night), lost(560, night));
    assert!(near * 3 < far, "{near} and {far}");
    let noisy = lost(560, evening);
    assert!(noisy > 2 * far + 50, "{noisy} and {far}");
}

#[test]
fn queues_are_bounded() {
    let mut network = street(7, 5, Technology::Mesh, 20);
    let taken = (0..10_000).filter(|_| network.send(at(0), Direction::Up, 1, vec![0; 10]).is_ok()).count();
    assert!(taken <= MOST_IN_CELL + 50, "{taken}");
    assert!(network.in_flight() <= MOST_IN_CELL);
    assert_eq!(
        network.send(at(0), Direction::Up, 2, vec![0; LONGEST + 1]),
        Err(Refusal::TooLong(LONGEST + 1))
    );
    assert_eq!(network.send(at(0), Direction::Up, 99, vec![0]), Err(Refusal::UnknownNode(99)));
}

#[test]
fn ideal_links_deliver_all_at_once_and_public_networks_with_delay() {
    let mut network = Network::new(8);
    network.add_collector(ROOT, Technology::Ideal, Position::new(0, 0));
    network.add_node(1, Technology::Ideal, Position::new(90_000, 0), Some(ROOT));
    network.add_node(2, Technology::Cellular, Position::new(10, 0), None);
    assert_eq!(network.collector_of(1), Some(ROOT));
    network.send(at(0), Direction::Down, 1, vec![1]).unwrap();
    assert_eq!(network.poll_delivery(at(0)).unwrap().at, at(0));
    network.send(at(0), Direction::Down, 2, vec![1]).unwrap();
    assert_eq!(network.poll_delivery(at(0)), None);
    assert!(network.poll_delivery(at(30)).is_some());
    assert_eq!(network.path(2)[0].from, HopEnd::Operator);
}

#[test]
fn five_thousand_meters_are_built_quickly_and_nearly_all_reached() {
    let mut network = Network::new(9);
    for c in 0..20u32 {
        let (x, y) = (i32::try_from(c % 5).unwrap(), i32::try_from(c / 5).unwrap());
        network.add_collector(
            CollectorId::new(c),
            Technology::Mesh,
            Position::new(x * 450 + 200, y * 450 + 200),
        );
    }
    for n in 0..5_000u32 {
        let (x, y) = (i32::try_from(n % 75).unwrap(), i32::try_from(n / 75).unwrap());
        network.add_node(n, Technology::Mesh, Position::new(x * 30, y * 27), None);
    }
    network.build();
    let reached = (0..5_000).filter(|n| !network.path(*n).is_empty()).count();
    assert!(reached > 4_950, "{reached}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_same_seed_gives_the_same_deliveries_once_each_and_in_order(
        seed in 0u64..1_000,
        sends in prop::collection::vec((1u32..12, any::<bool>(), 0i64..300, 1usize..600), 1..60),
        double in any::<bool>(),
    ) {
        let run = || {
            let mut network = street(seed, 12, Technology::Mesh, 45);
            network.set_duplication_per_mille(if double { 300 } else { 0 });
            let mut sends = sends.clone();
            sends.sort_by_key(|send| send.2);
            let mut accepted = 0;
            for (k, (node, up, second, length)) in sends.iter().enumerate() {
                let direction = if *up { Direction::Up } else { Direction::Down };
                let mut bytes = u32::try_from(k).unwrap().to_be_bytes().to_vec();
                bytes.resize(4 + length, 0);
                accepted += u64::from(network.send(at(*second), direction, *node, bytes).is_ok());
            }
            let got = arrivals(&mut network, 10_000);
            let stats = network.stats();
            assert_eq!((stats.accepted, stats.delivered + stats.lost), (accepted, accepted));
            assert_eq!(network.in_flight(), 0);
            (got, stats)
        };
        let (got, stats) = run();
        prop_assert_eq!(&got, &run().0);
        let mut labels: Vec<_> = got.iter().map(|delivery| delivery.bytes[..4].to_vec()).collect();
        if !double {
            prop_assert_eq!(stats.doubled, 0);
            for node in 1..12 {
                let of_node = got.iter().filter(|d| d.node == node && d.direction == Direction::Up);
                prop_assert!(of_node.map(|d| &d.bytes[..4]).is_sorted());
            }
        }
        labels.sort();
        let all = labels.len();
        labels.dedup();
        prop_assert_eq!(u64::try_from(all - labels.len()).unwrap(), stats.doubled);
    }
}
