//! Any bytes as a value, as profile rows and as a compact array.
#![no_main]

use dlms::Data;
use dlms::profile::{Rows, notification};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok((value, rest)) = Data::decode(bytes) {
        let written = value.to_bytes();
        let (again, none) = Data::decode(&written).expect("what was written is understood");
        assert!(none.is_empty() && rest.len() < bytes.len());
        assert_eq!(again.to_bytes(), written);
        let _ = value.to_json();
        let _ = value.expand();
    }
    let body = notification(bytes).map_or(bytes, |push| push.body);
    if let Ok(Some(mut rows)) = Rows::find(body) {
        let mut cells = Vec::new();
        while let Ok(true) = rows.read_row(&mut cells) {}
    }
});
