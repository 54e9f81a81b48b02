use super::*;
use proptest::prelude::*;

fn unpacked(bytes: &[u8], days: &[usize]) -> Result<Vec<i64>, BlockError> {
    Unpacker::default().take(&mut Input::new(bytes), days).map(|values| values.to_vec())
}

fn packed(values: &[i64], days: &[usize]) -> Vec<u8> {
    let mut out = Vec::new();
    put(values, days, &mut out);
    out
}

/// Days of hours as they come: whole ones, those of a clock change, some of nothing.
fn days() -> impl Strategy<Value = Vec<usize>> {
    let whole = prop::collection::vec(prop::sample::select(vec![24usize]), 0..40);
    let mixed = prop::collection::vec(prop::sample::select(vec![0usize, 1, 23, 24, 25, 96, 100]), 0..70);
    prop_oneof![whole, mixed]
}

proptest! {
    #[test]
    fn what_is_packed_comes_back(days in days(), seed in any::<u64>(), below in 1i64..i64::MAX, kind in 0u8..3) {
        let count: usize = days.iter().sum();
        let mut state = seed | 1;
        let values: Vec<i64> = (0..count)
            .map(|index| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let random = (state >> 11).cast_signed();
                match kind {
                    0 => random % below - below / 2,
                    1 => i64::try_from(index).unwrap() * 37 + random % 9,
                    _ if random % 13 == 0 => state.cast_signed(),
                    _ => random % 700,
                }
            })
            .collect();
        let bytes = packed(&values, &days);
        let mut input = Input::new(&bytes);
        let mut unpacker = Unpacker::default();
        prop_assert_eq!(&*unpacker.take(&mut input, &days).unwrap(), values.as_slice());
        prop_assert_eq!(input.at, bytes.len());
        // The same memory again, for something else.
        prop_assert_eq!(&*unpacker.take(&mut Input::new(&packed(&[7, -7], &[2])), &[2]).unwrap(), &[7, -7]);
    }

    #[test]
    fn sums_are_those_of_the_values(
        days in 1usize..33,
        slots in prop::sample::select(vec![1usize, 5, 24, 96]),
        edges in prop::array::uniform3(0usize..97),
        weekends in any::<bool>(),
        seed in any::<u64>(),
        width in 1u32..64,
    ) {
        let mut state = seed | 1;
        let values: Vec<i64> = (0..days * slots)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let wide = if state % 17 == 0 { width } else { width / 2 };
                (state.cast_signed() >> (63 - wide)) + 40
            })
            .collect();
        let bucket = |day: usize, slot: usize| {
            let past = edges.iter().filter(|edge| slot >= **edge).count();
            if weekends && day % 7 > 4 && past == 1 { 4 } else { past }
        };
        let mut sums = [0i64; 4];
        for (day, values) in values.chunks(slots).enumerate() {
            for (slot, value) in values.iter().enumerate() {
                if let Some(sum) = sums.get_mut(bucket(day, slot)) {
                    *sum = sum.wrapping_add(*value);
                }
            }
        }
        // As the tables lie: slot by slot, within a slot day by day; in time they are not summed up here.
        let mut packed = vec![SLOTS];
        put_groups(&arranged(SLOTS, &values, &vec![slots; days]), &mut packed);
        let pieces = Pieces::of(days, slots, bucket);
        let mut found = [0i64; 4];
        let mut input = Input::new(&packed);
        prop_assert!(Unpacker::default().sum(&mut input, &pieces, &mut found).unwrap());
        prop_assert_eq!(input.at, packed.len());
        prop_assert_eq!(found, sums);
        for end in (0..packed.len()).step_by(packed.len() / 8 + 1) {
            let mut input = Input::new(&packed[..end]);
            prop_assert!(Unpacker::default().sum(&mut input, &pieces, &mut found).is_err(), "{}", end);
        }
        packed[0] = TIME;
        let mut input = Input::new(&packed);
        prop_assert!(!Unpacker::default().sum(&mut input, &pieces, &mut found).unwrap());
    }

    #[test]
    fn any_bytes_are_refused_or_read(
        mut bytes in prop::collection::vec(any::<u8>(), 0..300),
        days in days(),
        order in 0u8..3,
    ) {
        if let Some(first) = bytes.first_mut() {
            *first = order;
        }
        let _ = unpacked(&bytes, &days);
        let pieces = Pieces::of(days.len(), days.first().copied().unwrap_or(0), |day, _| day % 3);
        let _ = Unpacker::default().sum(&mut Input::new(&bytes), &pieces, &mut [0; 2]);
    }
}

/// Twenty days of four slots: a base, an evening, and something large twice.
fn small() -> (Vec<i64>, Vec<usize>) {
    let mut values: Vec<i64> =
        (0..80i64).map(|at| [40, 30, 60, 210][usize::try_from(at % 4).unwrap()] + at * at * 5 % 7).collect();
    values[9] = 4000;
    values[71] = -5;
    (values, vec![4; 20])
}

#[test]
fn the_layout_is_what_it_was() {
    let (values, days) = small();
    let bytes = packed(&values, &days);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        "00020c080006092300004af340d0d328cd03414fa3340f043d85211403301486510cc05018463100e4187ae1489263e88523498ea1178e377de7dddddcdad7dadcdddddcdad7da00dddd0506025509000000000401003c"
    );
    assert_eq!(unpacked(&bytes, &days).unwrap(), values);
}

#[test]
fn each_order_wins_where_it_fits() {
    let odd =
        |at: i64, below: i64| (at.wrapping_mul(6_364_136_223_846_793_005) >> 33).rem_euclid(7919) % below;
    let by_hour: Vec<i64> = (0..31 * 24i64).map(|at| at % 24 / 2 * 7 % 12 * 400 + odd(at, 50)).collect();
    let rising: Vec<i64> = (0..31 * 24i64).map(|at| at * 1000 + odd(at, 16)).collect();
    let quiet = vec![0i64; 31 * 24];
    let order = |values: &[i64]| packed(values, &[24; 31])[0];
    assert_eq!((order(&by_hour), order(&rising)), (SLOTS, DIFFERENCES));
    assert!(packed(&quiet, &[24; 31]).len() < 16, "{}", packed(&quiet, &[24; 31]).len());
}

#[test]
fn what_asks_for_more_than_it_has_is_refused() {
    let (values, days) = small();
    let bytes = packed(&values, &days);
    for end in 0..bytes.len() {
        assert!(unpacked(&bytes[..end], &days).is_err(), "{end}");
    }
    assert!(unpacked(&[3, 0, 0], &days).is_err());
}
