use super::*;
use model::QualityClass;
use proptest::prelude::*;

fn qualities() -> impl Strategy<Value = Quality> {
    (0..13usize, 0..16u8).prop_map(|(class, flags)| Quality::new(QualityClass::ALL[class]).with(flags << 4))
}

proptest! {
    #[test]
    fn what_is_packed_comes_back(
        day in prop::collection::vec((any::<i64>(), qualities()), 0..1500),
        small in any::<bool>(),
    ) {
        let values: Vec<i64> = day.iter().map(|(value, _)| if small { value % 1000 } else { *value }).collect();
        let quality: Vec<Quality> = day.iter().map(|(_, quality)| *quality).collect();
        let (back, back_quality) = unpack(&pack(&values, &quality).unwrap()).unwrap();
        prop_assert_eq!(&back_quality, &quality);
        for ((value, quality), back) in values.iter().zip(&quality).zip(&back) {
            prop_assert_eq!(*back, if quality.is_missing() { 0 } else { *value });
        }
    }

    #[test]
    fn what_was_read_comes_back(
        read in prop::collection::vec((prop::option::of(any::<i64>()), any::<u8>()), 0..700),
        small in any::<bool>(),
    ) {
        let values: Vec<Option<i64>> =
            read.iter().map(|(value, _)| value.map(|v| if small { v % 5000 } else { v })).collect();
        let status: Vec<u8> = read.iter().map(|(_, status)| *status).collect();
        prop_assert_eq!(unpack_raw(&pack_raw(&values, &status).unwrap()).unwrap(), (values, status));
    }

    #[test]
    fn any_bytes_are_refused_or_read(mut bytes in prop::collection::vec(any::<u8>(), 0..300), honest in any::<bool>()) {
        if honest && !bytes.is_empty() {
            bytes[0] = FORMAT;
        }
        let _ = unpack(&bytes);
        let _ = unpack_raw(&bytes);
    }
}

/// A household's quarter hours: a base load, a morning and an evening, and something switched on now and then.
fn household(seed: u64) -> Vec<i64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        i64::try_from(state % below).unwrap()
    };
    (0..96)
        .map(|quarter| {
            let shape = if (24..36).contains(&quarter) || (68..88).contains(&quarter) { 180 } else { 60 };
            let kettle = if random(20) == 0 { 400 + random(300) } else { 0 };
            shape + random(120) + kettle
        })
        .collect()
}

#[test]
fn a_quarter_hour_costs_little() {
    let valid = vec![Quality::VALID; 96];
    let bytes: usize = (0..500).map(|seed| pack(&household(seed), &valid).unwrap().len()).sum();
    let hundredths = bytes * 100 / (500 * 96);
    assert!(hundredths < 145, "{hundredths} hundredths of a byte an interval");
    // An idle channel is a handful of bytes.
    assert!(pack(&[0; 96], &valid).unwrap().len() <= 8);
    assert!(pack(&[2305; 96], &valid).unwrap().len() <= 8);
}

#[test]
fn the_longest_block_is_refused_when_longer() {
    let values = vec![1; MAX_VALUES + 1];
    let quality = vec![Quality::RAW; MAX_VALUES + 1];
    assert_eq!(pack(&values, &quality), Err(BlockError::TooMany(MAX_VALUES + 1)));
    assert!(unpack(&[1, 0xFF, 0xFF, 0xFF, 0x7F]).is_err());
}
