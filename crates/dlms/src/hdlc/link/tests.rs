use super::*;
use crate::hdlc::{Control, Decoder, Frame};
use proptest::prelude::*;

fn config(info: u16, window: u8) -> LinkConfig {
    let mut config = LinkConfig::new(Address::short(16), Address::server(1, Some(17)));
    config.parameters = Parameters {
        max_info_transmit: info,
        max_info_receive: info,
        window_transmit: window,
        window_receive: window,
    };
    config.retries = 20;
    config
}

/// A client and an echoing server joined by a line that may lose or spoil whole transmissions.
struct Pair {
    client: ClientLink,
    server: ServerLink,
    now: Duration,
    heard: Vec<Vec<u8>>,
    echoed: Vec<Vec<u8>>,
}

impl Pair {
    fn new(client: LinkConfig, server: LinkConfig) -> Self {
        Self {
            client: ClientLink::new(client),
            server: ServerLink::new(server),
            now: Duration::ZERO,
            heard: Vec::new(),
            echoed: Vec::new(),
        }
    }

    /// Runs until nothing moves any more; `spoil` may change or drop what is on the line.
    fn run(&mut self, mut spoil: impl FnMut(Vec<u8>) -> Option<Vec<u8>>) {
        for _ in 0..10_000 {
            let mut quiet = true;
            while let Some(bytes) = self.client.poll_transmit() {
                quiet = false;
                if let Some(bytes) = spoil(bytes) {
                    self.server.handle_bytes(self.now, &bytes);
                }
                self.serve();
            }
            while let Some(bytes) = self.server.poll_transmit() {
                quiet = false;
                if let Some(bytes) = spoil(bytes) {
                    self.client.handle_bytes(self.now, &bytes);
                }
            }
            while let Some(event) = self.client.poll_event() {
                if let LinkEvent::Apdu { apdu, .. } = event {
                    self.echoed.push(apdu);
                }
            }
            if quiet {
                let Some(at) = self.client.poll_timeout() else { return };
                self.now = self.now.max(at);
                self.client.handle_timeout(self.now);
            }
        }
        panic!("the link never comes to rest");
    }

    fn serve(&mut self) {
        while let Some(event) = self.server.poll_event() {
            if let LinkEvent::Apdu { apdu, client } = event {
                assert_eq!(client, 16);
                self.server.send(&apdu);
                self.heard.push(apdu);
            }
        }
    }
}

#[test]
fn long_messages_cross_in_segments_and_windows() {
    for (info, window) in [(128, 1), (32, 3), (512, 7), (2030, 1)] {
        let mut pair = Pair::new(config(info, window), config(300, 7));
        pair.client.connect(pair.now);
        let message: Vec<u8> = (0..3000u16).map(|n| n.to_le_bytes()[0]).collect();
        pair.client.send(pair.now, &message);
        pair.run(Some);
        assert_eq!(pair.client.agreed().max_info_transmit, info.min(300));
        assert_eq!(pair.client.agreed().window_transmit, window);
        assert_eq!(pair.server.agreed(), pair.client.agreed());
        assert_eq!(pair.heard, pair.echoed);
        assert_eq!(pair.echoed, [message]);
        pair.client.disconnect(pair.now);
        pair.run(Some);
        assert!(!pair.client.is_open() && !pair.server.is_open());
    }
}

#[test]
fn a_dead_line_is_given_up() {
    let mut link = ClientLink::new(LinkConfig { retries: 2, ..config(128, 1) });
    link.connect(Duration::ZERO);
    let mut sent = 0;
    while let Some(at) = link.poll_timeout() {
        sent += core::iter::from_fn(|| link.poll_transmit()).count();
        link.handle_timeout(at);
    }
    assert_eq!(sent, 3);
    assert_eq!(link.poll_event(), Some(LinkEvent::Error(LinkError::Timeout(2))));
    assert_eq!(link.poll_event(), Some(LinkEvent::Disconnected));
}

#[test]
fn a_stranger_and_an_unconnected_client_get_dm() {
    let mut server = ServerLink::new(config(128, 1));
    let mut frame = Frame {
        destination: Address::server(1, Some(17)),
        source: Address::short(9),
        control: Control::ReceiveReady { nr: 0, poll: true },
        segmented: false,
        information: Vec::new(),
    };
    server.handle_bytes(Duration::ZERO, &frame.encode().unwrap());
    let mut decoder = Decoder::new();
    decoder.push(&server.poll_transmit().unwrap());
    assert_eq!(decoder.next().unwrap().unwrap().control, Control::DisconnectedMode { poll: true });
    // A frame for another physical device on the same line is not ours to answer.
    frame.destination = Address::server(1, Some(18));
    server.handle_bytes(Duration::ZERO, &frame.encode().unwrap());
    assert_eq!(server.poll_transmit(), None);
}

#[test]
fn a_late_answer_is_asked_for() {
    let mut client = ClientLink::new(config(128, 1));
    let mut server = ServerLink::new(config(128, 1));
    let mut now = Duration::ZERO;
    client.connect(now);
    client.send(now, b"question");
    let mut answer = None;
    for round in 0..20 {
        while let Some(bytes) = client.poll_transmit() {
            server.handle_bytes(now, &bytes);
        }
        while server.poll_event().is_some() {}
        if round == 4 {
            server.send(b"answer");
        }
        while let Some(bytes) = server.poll_transmit() {
            client.handle_bytes(now, &bytes);
        }
        while let Some(event) = client.poll_event() {
            if let LinkEvent::Apdu { apdu, .. } = event {
                answer = Some(apdu);
            }
        }
        if let Some(at) = client.poll_timeout() {
            now = now.max(at);
            client.handle_timeout(now);
        }
    }
    assert_eq!(answer.as_deref(), Some(&b"answer"[..]));
}

#[test]
fn silence_closes_the_server() {
    let mut pair = Pair::new(config(128, 1), config(128, 1));
    pair.client.connect(pair.now);
    pair.run(Some);
    let at = pair.server.poll_timeout().unwrap();
    pair.server.handle_timeout(at);
    assert_eq!(pair.server.poll_event(), Some(LinkEvent::Disconnected));
    assert_eq!(pair.server.poll_timeout(), None);
}

#[test]
fn parameters_as_meters_write_them() {
    let field = [0x81, 0x80, 0x14, 5, 2, 0, 128, 6, 2, 0, 128, 7, 4, 0, 0, 0, 1, 8, 4, 0, 0, 0, 1];
    assert_eq!(Parameters::decode(&field), Parameters::default());
    assert_eq!(Parameters::decode(&[]), Parameters::default());
    let wide = Parameters { max_info_transmit: 1024, window_receive: 7, ..Parameters::default() };
    assert_eq!(Parameters::decode(&wide.encode()), wide);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the line loses or spoils, a message arrives once, whole, and in order.
    #[test]
    fn a_bad_line_delays_and_loses_nothing(
        faults in prop::collection::vec(0u8..10, 8..40),
        info in 16u16..80,
        window in 1u8..8,
        sizes in prop::collection::vec(0usize..300, 1..4),
    ) {
        let mut pair = Pair::new(config(info, window), config(info, window));
        pair.client.connect(pair.now);
        pair.run(Some);
        let messages: Vec<Vec<u8>> = sizes.iter().zip(1u8..).map(|(size, tag)| vec![tag; *size]).collect();
        // The line recovers at last, or the client would rightly give up.
        let mut faults = faults.into_iter().chain(core::iter::repeat(9));
        for message in &messages {
            pair.client.send(pair.now, message);
            pair.run(|mut bytes| match faults.next() {
                Some(0) => None,
                Some(1) => {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 0x40;
                    Some(bytes)
                }
                Some(2) => Some([&[0x7E, 0xA0, 0x55][..], &bytes].concat()),
                _ => Some(bytes),
            });
        }
        prop_assert_eq!(&pair.heard, &messages);
        prop_assert_eq!(&pair.echoed, &messages);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut client = ClientLink::new(config(128, 1));
        client.connect(Duration::ZERO);
        client.handle_bytes(Duration::ZERO, &bytes);
        let mut server = ServerLink::new(config(128, 1));
        server.handle_bytes(Duration::ZERO, &bytes);
        while server.poll_event().is_some() {}
        while server.poll_transmit().is_some() {}
    }

    #[test]
    fn any_frame_is_survived(control: u8, information in prop::collection::vec(any::<u8>(), 0..40), segmented: bool) {
        let Ok(control) = Control::from_byte(control) else { return Ok(()) };
        let mut pair = Pair::new(config(64, 2), config(64, 2));
        pair.client.connect(pair.now);
        pair.run(Some);
        let (client, server) = (Address::short(16), Address::server(1, Some(17)));
        for (source, destination) in [(client, server), (server, client)] {
            let frame = Frame { destination, source, control, segmented, information: information.clone() };
            let bytes = frame.encode().unwrap();
            if source == client {
                pair.server.handle_bytes(pair.now, &bytes);
            } else {
                pair.client.handle_bytes(pair.now, &bytes);
            }
        }
    }
}
