use super::*;
use crate::data::tests::unhex;
use proptest::prelude::*;

fn frame(body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len()).unwrap();
    let mut frame = vec![0x68, length, length, 0x68];
    frame.extend_from_slice(body);
    frame.push(body.iter().fold(0, |sum, byte| sum.wrapping_add(*byte)));
    frame.push(0x16);
    frame
}

#[test]
fn broken_frames() {
    for (bytes, at, why) in [
        ("10 40 01 41 16", 0, MbusWhy::NoFrame),
        ("68 03 04 68 08 01 70 79 16", 1, MbusWhy::Length(3, 4)),
        ("68 02 02 68 08 01 09 16", 1, MbusWhy::Length(2, 2)),
        ("68 03 03 68 08 01", 6, MbusWhy::Truncated(3)),
        ("68 03 03 68 08 01 70 78 16", 7, MbusWhy::Checksum { written: 0x78, computed: 0x79 }),
        ("68 03 03 68 08 01 70 79 17", 8, MbusWhy::NoStop(0x17)),
    ] {
        assert_eq!(LongFrame::decode(&unhex(bytes)), Err(MbusError { at, why }), "{bytes}");
    }
}

/// One record behind control information 0x78, which has no header.
fn record(bytes: &str) -> Result<MbusRecord, MbusError> {
    let frame = frame(&unhex(&format!("08 01 78 {bytes}")));
    let answer = LongFrame::decode(&frame).unwrap().answer()?;
    assert_eq!(answer.records.len(), 1);
    Ok(answer.records.into_iter().next().unwrap())
}

#[test]
fn values() {
    for (bytes, value) in [
        ("01 13 ff", MbusValue::Number(-1)),
        ("02 13 ff7f", MbusValue::Number(0x7FFF)),
        ("03 13 000080", MbusValue::Number(-0x80_0000)),
        ("06 13 010000000000", MbusValue::Number(1)),
        ("07 13 ffffffffffffffff", MbusValue::Number(-1)),
        ("0c 13 78563412", MbusValue::Number(12_345_678)),
        ("0c 13 785634f2", MbusValue::Number(-2_345_678)),
        ("0a 13 0ddd", MbusValue::Bytes(vec![0x0D, 0xDD])),
        ("05 13 0000c03f", MbusValue::Real(1.5)),
        ("0d 13 03 434241", MbusValue::Text("ABC".to_owned())),
        ("0d 13 c2 3412", MbusValue::Number(1234)),
        ("0d 13 d2 3412", MbusValue::Number(-1234)),
        ("02 6c 9f1c", MbusValue::Time("2012-12-31".to_owned())),
        ("02 6c 0100", MbusValue::Time("2000-00-01".to_owned())),
        ("04 6d 8d0d9f1c", MbusValue::Bytes(vec![0x8D, 0x0D, 0x9F, 0x1C])),
        ("00 13", MbusValue::None),
    ] {
        assert_eq!(record(bytes).unwrap().value, value, "{bytes}");
    }
    assert_eq!(record("0d 13 ff").unwrap_err().why, MbusWhy::VariableLength(0xFF));
}

#[test]
fn extensions() {
    let record = record("c4 50 93 74 01000000").unwrap();
    assert_eq!((record.storage, record.tariff, record.device), (1, 1, 1));
    let quantity = record.quantity.unwrap();
    // Litres (10^-3 m^3), and 10^-2 of them.
    assert_eq!((quantity.unit, quantity.exponent), ("m^3", -5));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_payload_never_panics(mut body in prop::collection::vec(any::<u8>(), 3..200), ci in prop::sample::select(vec![0x72u8, 0x78, 0x73, 0x70, 0x7A])) {
        body[2] = ci;
        let frame = frame(&body);
        let _ = LongFrame::decode(&frame).unwrap().answer();
    }
}
