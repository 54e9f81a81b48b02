//! Any bytes as a capture, with and without keys.
#![no_main]

use dlms::decode::{DecodeKeys, decode};
use dlms::security::Key;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let keys = DecodeKeys { encryption: Some(Key::new([1; 16])), ..DecodeKeys::default() };
    for keys in [DecodeKeys::default(), keys] {
        let decoded = decode(bytes, &keys);
        let _ = (decoded.to_text(), decoded.to_json());
        assert!(bytes.is_empty() || decoded.messages.iter().all(|message| message.end > message.at));
    }
});
