use super::*;
use dlms::gateway::encode_node;
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_770_000_000 + second).unwrap()
}

const CONN: ConnId = ConnId(7);

fn collector(limits: CollectorLimits) -> Collector {
    let mut collector = Collector::new(CollectorId::new(1), (1..=50).collect(), limits);
    collector.handle_connected(CONN);
    collector
}

fn ask(collector: &mut Collector, node: u32, apdu: &[u8]) {
    let message = encode_node(GatewayKind::Request, 3, node, apdu);
    collector.handle_bytes(CONN, &wrapper::encode(16, 1, &message).unwrap());
}

fn said(collector: &mut Collector) -> Vec<(Upstream, Wpdu)> {
    core::iter::from_fn(|| collector.poll_transmit())
        .map(|(to, bytes)| {
            let mut decoder = WrapperDecoder::default();
            decoder.push(&bytes);
            (to, decoder.next().unwrap().unwrap())
        })
        .collect()
}

fn answer(frame: &AirFrame, apdu: &[u8]) -> Vec<u8> {
    AirFrame { kind: FrameKind::Response, apdu: apdu.to_vec(), ..frame.clone() }.encode()
}

#[test]
fn a_request_goes_down_and_its_answer_comes_back() {
    let mut collector = collector(CollectorLimits::default());
    ask(&mut collector, 5, b"get");
    let (node, bytes) = collector.poll_send(at(0)).unwrap();
    let frame = AirFrame::decode(&bytes).unwrap();
    assert_eq!((node, frame.client, frame.server, &frame.apdu[..]), (5, 16, 1, &b"get"[..]));
    collector.handle_delivery(5, &answer(&frame, b"value"));
    let said = said(&mut collector);
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].0, said[0].1.source, said[0].1.destination), (Upstream::Conn(CONN), 1, 16));
    let frame = gateway::parse(&said[0].1.payload).unwrap().unwrap();
    assert_eq!((frame.kind, frame.network_id, frame.node()), (GatewayKind::Response, 3, Some(5)));
    assert_eq!(frame.apdu, b"value");
    assert_eq!(collector.poll_timeout(), None);
}

#[test]
fn a_meter_has_one_exchange_at_a_time_and_a_late_answer_is_not_taken_for_the_next() {
    let mut collector = collector(CollectorLimits::default());
    ask(&mut collector, 5, b"one");
    ask(&mut collector, 5, b"two");
    let (_, first) = collector.poll_send(at(0)).unwrap();
    assert_eq!(collector.poll_send(at(0)), None);
    collector.handle_timeout(at(45));
    assert_eq!(gateway::parse(&said(&mut collector)[0].1.payload).unwrap().unwrap().apdu, UNREACHABLE);
    let (_, second) = collector.poll_send(at(46)).unwrap();
    collector.handle_delivery(5, &answer(&AirFrame::decode(&first).unwrap(), b"late"));
    assert!(said(&mut collector).is_empty());
    collector.handle_delivery(5, &answer(&AirFrame::decode(&second).unwrap(), b"good"));
    assert!(said(&mut collector)[0].1.payload.ends_with(b"good"));
}

#[test]
fn refusals_are_told_at_once() {
    let mut collector = collector(CollectorLimits { waiting: 2, ..CollectorLimits::default() });
    ask(&mut collector, 999, b"x");
    collector.handle_bytes(CONN, &wrapper::encode(16, 1, b"\xC0\x01").unwrap());
    ask(&mut collector, 1, b"x");
    ask(&mut collector, 2, b"x");
    ask(&mut collector, 3, b"x");
    let ends: Vec<_> = said(&mut collector).into_iter().map(|(_, wpdu)| wpdu.payload).collect();
    assert!(ends[0].ends_with(&UNKNOWN_NODE) && ends[1] == NOT_A_METER && ends[2].ends_with(&UNREACHABLE));
    let (node, _) = collector.poll_send(at(0)).unwrap();
    collector.handle_refused(node);
    assert!(said(&mut collector)[0].1.payload.ends_with(&UNREACHABLE));
    assert_eq!(collector.stats().refused, 4);
}

#[test]
fn only_so_many_exchanges_are_open() {
    let mut collector = collector(CollectorLimits { open: 4, ..CollectorLimits::default() });
    (1..=10).for_each(|node| ask(&mut collector, node, b"x"));
    assert_eq!(core::iter::from_fn(|| collector.poll_send(at(0))).count(), 4);
    collector.handle_timeout(at(60));
    assert_eq!(core::iter::from_fn(|| collector.poll_send(at(60))).count(), 4);
}

#[test]
fn pushes_go_to_the_push_listener_with_header_e6() {
    let mut collector = collector(CollectorLimits::default());
    let push = AirFrame { kind: FrameKind::Push, tag: 0, client: 102, server: 1, apdu: b"gasp".to_vec() };
    collector.handle_delivery(5, &push.encode());
    let said = said(&mut collector);
    assert_eq!(said[0].0, Upstream::Push);
    assert_eq!(said[0].1.payload, encode_node(GatewayKind::Request, 0, 5, b"gasp"));
}

proptest! {
    #[test]
    fn any_bytes_close_one_connection_at_most(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut collector = collector(CollectorLimits::default());
        collector.handle_connected(ConnId(8));
        collector.handle_bytes(CONN, &bytes);
        collector.handle_delivery(1, &bytes);
        let message = encode_node(GatewayKind::Request, 0, 4, b"get");
        collector.handle_bytes(ConnId(8), &wrapper::encode(16, 1, &message).unwrap());
        let reached = core::iter::from_fn(|| collector.poll_send(at(0))).any(|(node, _)| node == 4);
        prop_assert!(reached);
    }
}
