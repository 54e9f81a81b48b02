//! Any bytes as association and release APDUs and as protected ones.
#![no_main]

use dlms::acse::{Aare, Aarq, InitiateRequest, InitiateResponse, Rlre, Rlrq};
use dlms::security::{Expect, Key, Keys, Protection, unprotect};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(aarq) = Aarq::decode(bytes) {
        assert!(Aarq::decode(&aarq.encode()).is_ok());
    }
    if let Ok(aare) = Aare::decode(bytes) {
        assert!(Aare::decode(&aare.encode()).is_ok());
    }
    let _ = (Rlrq::decode(bytes), Rlre::decode(bytes));
    let _ = (InitiateRequest::decode(bytes), InitiateResponse::decode(bytes));
    let keys = Keys::new(Key::new([1; 16]), Key::new([2; 16]));
    let expect = Expect { keys: &keys, peer: None, least: Protection::None, last_counter: None };
    let _ = unprotect(bytes, &expect);
});
