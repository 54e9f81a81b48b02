use super::*;
use crate::wire::{MAX_DEPTH, Why};
use proptest::prelude::*;

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Any value but compact arrays, and floats without NaN, which equals nothing.
pub(crate) fn any_data() -> impl Strategy<Value = Data> {
    let octets = || prop::collection::vec(any::<u8>(), 0..140);
    let leaf = prop_oneof![
        Just(Data::Null),
        Just(Data::DontCare),
        any::<bool>().prop_map(Data::Boolean),
        (prop::collection::vec(any::<u8>(), 1..20), 0usize..8).prop_map(|(bytes, spare)| {
            Data::BitString(BitString { bits: bytes.len() * 8 - spare, bytes })
        }),
        any::<i32>().prop_map(Data::DoubleLong),
        any::<u32>().prop_map(Data::DoubleLongUnsigned),
        octets().prop_map(Data::OctetString),
        octets().prop_map(Data::VisibleString),
        "\\PC{0,20}".prop_map(Data::Utf8String),
        any::<i8>().prop_map(Data::Bcd),
        any::<i8>().prop_map(Data::Integer),
        any::<i16>().prop_map(Data::Long),
        any::<u8>().prop_map(Data::Unsigned),
        any::<u16>().prop_map(Data::LongUnsigned),
        any::<i64>().prop_map(Data::Long64),
        any::<u64>().prop_map(Data::Long64Unsigned),
        any::<u8>().prop_map(Data::Enum),
        (-1.0e30f32..1.0e30).prop_map(Data::Float32),
        (-1.0e300f64..1.0e300).prop_map(Data::Float64),
        any::<[u8; 12]>().prop_map(Data::DateTime),
        any::<[u8; 5]>().prop_map(Data::Date),
        any::<[u8; 4]>().prop_map(Data::Time),
    ];
    leaf.prop_recursive(4, 40, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Data::Array),
            prop::collection::vec(inner, 0..8).prop_map(Data::Structure),
        ]
    })
}

#[test]
fn refusals() {
    for (bytes, at, why) in [
        ("", 0, Why::Truncated { missing: 1 }),
        ("06 000001", 1, Why::Truncated { missing: 1 }),
        ("07", 0, Why::UnknownType(7)),
        ("09 05 0102", 1, Why::TooLong { length: 5, left: 2 }),
        ("01 84ffffffff", 1, Why::TooLong { length: 0xFFFF_FFFF, left: 0 }),
        ("04 84ffffffff 00", 1, Why::TooLong { length: 0x2000_0000, left: 1 }),
        ("09 85", 1, Why::BadLength(0x85)),
        ("0c 02 ffff", 1, Why::NotUtf8),
        ("00 00", 1, Why::Trailing(1)),
    ] {
        assert_eq!(Data::decode_all(&unhex(bytes)), Err(crate::wire::DecodeError { at, why }), "{bytes}");
    }
    let deep: Vec<u8> = [1, 1].repeat(1000);
    assert_eq!(
        Data::decode(&deep).unwrap_err(),
        crate::wire::DecodeError { at: 2 * MAX_DEPTH, why: Why::TooDeep }
    );
}

#[test]
fn compact_arrays_expand() {
    let wire = unhex("13 02 02 12 11 06 0001 02 0003 04");
    let (value, rest) = Data::decode(&wire).unwrap();
    assert!(rest.is_empty());
    assert_eq!(value.to_bytes(), wire);
    let row = |a, b| Data::Structure(vec![Data::LongUnsigned(a), Data::Unsigned(b)]);
    assert_eq!(value.expand(), Ok(Data::Array(vec![row(1, 2), row(3, 4)])));
    // Elements that take no bytes would have no end.
    let endless = Data::decode_all(&unhex("13 02 00 01 00")).unwrap();
    assert!(endless.expand().is_err());
    let bomb = Data::decode_all(&unhex("13 01 ffff 01 ffff 01 ffff 00 01 00")).unwrap();
    assert_eq!(bomb.expand().unwrap_err().why, Why::TooMany);
}

#[test]
fn json_keeps_types() {
    let value = Data::Structure(vec![
        Data::DoubleLongUnsigned(5),
        Data::OctetString(vec![0, 255]),
        Data::Long64Unsigned(u64::MAX),
        Data::Null,
    ]);
    let json = r#"{"structure":[{"double-long-unsigned":5},{"octet-string":"00ff"},{"long64-unsigned":"18446744073709551615"},{"null-data":null}]}"#;
    assert_eq!(value.to_json().to_string(), json);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn round_trip(value in any_data()) {
        prop_assert_eq!(Data::decode_all(&value.to_bytes()), Ok(value));
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0u8..28], 0..120)) {
        if let Ok((value, rest)) = Data::decode(&bytes) {
            let _ = value.to_json();
            prop_assert!(rest.len() < bytes.len());
            let _ = value.expand();
        }
    }
}
