//! Any bytes as an APDU: never a panic, and what is understood is written the same again and again.
#![no_main]

use dlms::apdu::Apdu;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(apdu) = Apdu::decode(bytes) {
        let written = apdu.encode();
        let again = Apdu::decode(&written).expect("what was written is understood").encode();
        assert_eq!(again, written);
    }
});
