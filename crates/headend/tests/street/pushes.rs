//! What meters send unasked, and what others send in their name.

use crate::world::{Street, at, keys};
use dlms::gateway::{self, GatewayKind};
use dlms::wrapper;
use headend::{Failure, HeadEndEvent, LinkAction, PushConn, Source};
use model::event::EventKind;
use model::id::MeterId;
use model::reading::BatchSource;

fn refusals(street: &Street) -> Vec<Failure> {
    let refused = |event: &HeadEndEvent| match event {
        HeadEndEvent::Refused { why, .. } => Some(why.clone()),
        _ => None,
    };
    street.events.iter().filter_map(refused).collect()
}

#[test]
fn profile_rows_and_events_arrive_from_behind_a_gateway_and_direct() {
    let mut street = Street::new(1);
    street.collector(1, 1, 2, 1);
    let (from, to) = (at("2024-07-01T00:15:00Z"), at("2024-07-01T06:00:00Z"));
    let direct = street.houses.get_mut(&MeterId::new(1)).unwrap().push_rows(from, to);
    street.push(&direct);
    let event = street.houses.get_mut(&MeterId::new(2)).unwrap().push_event(at("2024-07-01T07:00:00Z"), 1, 9);
    let behind = gateway::encode_node(GatewayKind::Request, 0, 2, &event[wrapper::HEADER..]);
    street.push(&wrapper::encode(1, 1, &behind).unwrap());
    assert_eq!(street.read().len(), 24);
    assert!(
        street
            .events
            .iter()
            .any(|event| matches!(event, HeadEndEvent::Batch(batch) if batch.source == BatchSource::Push))
    );
    assert!(street.events.iter().any(|event| matches!(event, HeadEndEvent::Event(event)
        if event.kind == EventKind::PowerFailed && event.seq == 9 && event.meter == MeterId::new(2))));
    assert_eq!(street.head.metrics().pushes, 2);
    assert_eq!(refusals(&street), []);
}

#[test]
fn a_replayed_or_older_push_is_refused_by_name() {
    let mut street = Street::new(1);
    street.collector(1, 1, 1, 1);
    let (from, to) = (at("2024-07-01T00:15:00Z"), at("2024-07-01T06:00:00Z"));
    let house = street.houses.get_mut(&MeterId::new(1)).unwrap();
    let pushes: Vec<_> = (0..3).map(|_| house.push_rows(from, to)).collect();
    for push in [&pushes[0], &pushes[2], &pushes[2], &pushes[1], &pushes[0]] {
        street.push(push);
    }
    let replayed = |got| Failure::ReplayedPush { last: 3, got };
    assert_eq!(refusals(&street), [replayed(3), replayed(2), replayed(1)]);
    assert_eq!((street.head.metrics().pushes, street.head.metrics().pushes_replayed), (2, 3));
}

#[test]
fn forged_unprotected_unknown_and_broken_pushes_are_told_apart() {
    let mut street = Street::new(1);
    street.collector(1, 1, 1, 1);
    let (from, to) = (at("2024-07-01T00:15:00Z"), at("2024-07-01T06:00:00Z"));
    // Somebody else's key under the meter's system title.
    street.build(1, keys(66));
    let forged = street.houses.get_mut(&MeterId::new(1)).unwrap().push_rows(from, to);
    street.push(&forged);
    street.build(5, keys(5));
    let unknown = street.houses.get_mut(&MeterId::new(5)).unwrap().push_rows(from, to);
    street.push(&unknown);
    let plain = gateway::encode_node(GatewayKind::Request, 0, 1, &[0x0F, 0, 0, 0, 1, 0, 0]);
    street.head.handle_push_bytes(street.now, PushConn(1), &wrapper::encode(1, 1, &plain).unwrap());
    street.push(&wrapper::encode(1, 1, &[0xE6, 0, 9]).unwrap());
    let metrics = street.head.metrics();
    assert_eq!((metrics.pushes, metrics.pushes_forged, metrics.pushes_malformed), (0, 1, 1));
    assert_eq!(metrics.pushes_unknown, 2, "plain bytes on the listener name nobody");
    assert_eq!(refusals(&street).len(), 4);
    assert!(street.read().is_empty());
}

#[test]
fn a_listener_that_hears_no_wrapper_closes() {
    let mut street = Street::new(1);
    street.head.handle_push_bytes(street.now, PushConn(8), b"GET / HTTP/1.1\r\n");
    assert_eq!(street.head.poll_action(), Some(LinkAction::ClosePush { conn: PushConn(8) }));
    assert!(matches!(
        street.head.poll_event(),
        Some(HeadEndEvent::Refused { from: Source::Push(PushConn(8)), why: Failure::Wrapper(_) })
    ));
}

#[test]
fn any_bytes_on_the_listener_are_survived() {
    use rand_core::{RngCore, SeedableRng};
    let mut rng = rand_pcg::Pcg64::seed_from_u64(5);
    let mut street = Street::new(1);
    street.collector(1, 1, 1, 1);
    let good = street
        .houses
        .get_mut(&MeterId::new(1))
        .unwrap()
        .push_rows(at("2024-07-01T00:15:00Z"), at("2024-07-01T01:00:00Z"));
    for conn in 0..2000 {
        let mut bytes = good.clone();
        for _ in 0..3 {
            let index = usize::try_from(rng.next_u64()).unwrap_or(usize::MAX) % bytes.len();
            bytes[index] = rng.next_u64().to_le_bytes()[0];
        }
        street.head.handle_push_bytes(street.now, PushConn(conn), &bytes);
    }
}
