//! Any bytes on a TCP connection, in one piece and cut in two.
#![no_main]

use dlms::wrapper::WrapperDecoder;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut decoder = WrapperDecoder::new(4096);
    decoder.push(bytes);
    let whole: Vec<_> = decoder.by_ref().take_while(Result::is_ok).flatten().collect();
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let mut halves = WrapperDecoder::new(4096);
    halves.push(first);
    let mut found: Vec<_> = halves.by_ref().take_while(Result::is_ok).flatten().collect();
    halves.push(second);
    found.extend(halves.take_while(Result::is_ok).flatten());
    assert_eq!(found, whole);
    for unit in &whole {
        let _ = dlms::gateway::parse(&unit.payload);
    }
});
