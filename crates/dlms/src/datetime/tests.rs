use super::*;
use crate::data::tests::unhex;
use proptest::prelude::*;

fn at(hex: &str) -> CosemDateTime {
    CosemDateTime::try_from(unhex(hex).as_slice()).unwrap()
}

#[test]
fn clocks_of_real_meters() {
    // Iskra in Slovenia and Netz NOE in Austria, both in summer time; Energomera in UTC+3.
    for (hex, shown, unix) in [
        ("07e7040106152023 00ff8880", "2023-04-01 21:32:35.00 -02:00", 1_680_377_555),
        ("07e5091b01092f0f 00ff8880", "2021-09-27 09:47:15.00 -02:00", 1_632_728_835),
        ("07e60b03ff0f2619 ffff4cff", "2022-11-03 15:38:25 -03:00", 1_667_479_105),
    ] {
        assert_eq!(at(hex).to_string(), shown);
        assert_eq!(at(hex).unix_seconds(DeviationSign::Standard, None), Ok(unix), "{shown}");
    }
    assert!(at("07e7040106152023 00ff8880").status().daylight_saving());
    assert!(!at("07e60b03ff0f2619 ffff4cff").status().daylight_saving());
}

#[test]
fn the_opposite_sign_and_none() {
    let written_opposite = at("07e7040106152023 00007880");
    assert_eq!(written_opposite.unix_seconds(DeviationSign::Opposite, None), Ok(1_680_377_555));
    let unspecified = at("07e1090f05052128 ff800000");
    assert_eq!(unspecified.to_string(), "2017-09-15 05:33:40");
    assert_eq!(
        unspecified.unix_seconds(DeviationSign::Standard, None),
        Err(NotAnInstant::Unspecified("deviation"))
    );
    assert_eq!(unspecified.unix_seconds(DeviationSign::Opposite, Some(-60)), Ok(1_505_450_020));
}

#[test]
fn refusals() {
    for (hex, error) in [
        ("ffff0101ff000000 00000000", NotAnInstant::Unspecified("year")),
        ("07e9ff01ff000000 00000000", NotAnInstant::Unspecified("month")),
        ("07e90d01ff000000 00000000", NotAnInstant::OutOfRange { field: "month", value: 13 }),
        ("07e9021dff000000 00000000", NotAnInstant::OutOfRange { field: "day", value: 29 }),
        ("07e90101ff180000 00000000", NotAnInstant::OutOfRange { field: "hour", value: 24 }),
        ("07e90101ff000000 00100000", NotAnInstant::OutOfRange { field: "deviation", value: 4096 }),
    ] {
        assert_eq!(at(hex).unix_seconds(DeviationSign::Standard, None), Err(error), "{hex}");
    }
    assert_eq!(CosemDateTime::UNSPECIFIED.to_string(), "*-*-* *:*:*");
}

#[test]
fn written() {
    let made = CosemDateTime::from_unix(1_680_377_555, Some(-120), ClockStatus(0x80));
    assert_eq!(made, at("07e7040106152023 00ff8880"));
    let leap = CosemDateTime::from_unix(951_782_400, None, ClockStatus::UNSPECIFIED);
    assert_eq!(leap, at("07d0021d02000000 008000ff"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn round_trip(seconds in -60_000_000_000i64..1_900_000_000_000, deviation in -840i16..=840) {
        let shown = CosemDateTime::from_unix(seconds, Some(deviation), ClockStatus(0));
        prop_assert_eq!(shown.unix_seconds(DeviationSign::Standard, None), Ok(seconds));
    }

    #[test]
    fn any_bytes_never_panic(bytes in any::<[u8; 12]>()) {
        let clock = CosemDateTime(bytes);
        let _ = (clock.unix_seconds(DeviationSign::Opposite, None), clock.to_string());
    }
}
