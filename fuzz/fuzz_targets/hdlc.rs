//! Any bytes on a line, in one piece and cut in two, to decoder, server and client.
#![no_main]

use core::time::Duration;
use dlms::hdlc::{Address, ClientLink, Decoder, LinkConfig, ServerLink};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut decoder = Decoder::new();
    decoder.push(bytes);
    let frames = decoder.by_ref().filter(Result::is_ok).count();
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let mut halves = Decoder::new();
    halves.push(first);
    let mut found = halves.by_ref().filter(Result::is_ok).count();
    halves.push(second);
    found += halves.by_ref().filter(Result::is_ok).count();
    assert_eq!(found, frames);

    let config = LinkConfig::new(Address::short(16), Address::server(1, None));
    let mut server = ServerLink::new(config.clone());
    server.handle_bytes(Duration::ZERO, bytes);
    while server.poll_transmit().is_some() {}
    while server.poll_event().is_some() {}
    let mut client = ClientLink::new(config);
    client.connect(Duration::ZERO);
    client.handle_bytes(Duration::ZERO, bytes);
    while client.poll_transmit().is_some() {}
    while client.poll_event().is_some() {}
});
