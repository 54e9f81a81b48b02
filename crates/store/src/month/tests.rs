use super::*;
use jiff::Timestamp;
use jiff::civil::date;
use model::{IntervalLength, QualityClass};
use proptest::prelude::*;

fn day(channel: u32, of_month: i8, version: u32, mut values: Vec<i64>, odd: bool, raw: bool) -> Folded {
    let day = date(2026, 3, of_month);
    let mut quality = vec![Quality::VALID; values.len()];
    if odd && !quality.is_empty() {
        quality[0] = Quality::new(QualityClass::Questionable);
        quality[5] = Quality::new(QualityClass::Missing);
        values[5] = 0;
    }
    let recorded_at = Timestamp::from_second(1_772_500_000 + i64::from(of_month) * 86_400).unwrap();
    let block = DayBlock {
        channel: ChannelId::new(channel),
        day,
        version,
        interval: IntervalLength::HOUR,
        values,
        quality,
        recorded_at,
    };
    let raw = raw.then_some(AsRead {
        start_s: i64::from(day_number(day)) * 86_400 - 3600,
        received_ms: recorded_at.as_millisecond() - 1234,
        source: 5,
        unit: 30,
        scaler: 0,
        exponent: 0,
    });
    Folded { stored: StoredDay { block, sealed: true, rules: 3 }, raw }
}

fn unpacked(block: &[u8], page: u32) -> Result<Vec<Folded>> {
    let mut view = MonthView::read(block)?;
    let mut found = Vec::new();
    while let Some(share) = view.next(page)? {
        found.extend(view.days(month_number(date(2026, 3, 1)), &share)?);
    }
    Ok(found)
}

proptest! {
    #[test]
    fn what_is_folded_comes_back(
        days in prop::collection::btree_map(
            (0u32..32, 1u32..4, 1i8..32),
            (prop::collection::vec(-5000i64..5000, 23..26), any::<bool>(), any::<bool>()),
            0..60,
        ),
    ) {
        let days: Vec<Folded> = days
            .into_iter()
            .map(|((place, version, of_month), (values, odd, raw))| {
                day(320 + place, of_month, version, values, odd, raw && version == 1)
            })
            .collect();
        prop_assert_eq!(unpacked(&pack(days.clone()), 10).unwrap(), days);
    }

    #[test]
    fn any_bytes_are_refused_or_read(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if !bytes.is_empty() {
            bytes[0] = FORMAT;
        }
        let _ = unpacked(&bytes, 3);
    }
}

#[test]
fn the_newest_version_of_a_day_stands() {
    let days = vec![
        day(9, 1, 1, vec![1; 24], false, true),
        day(9, 2, 1, vec![2; 24], false, true),
        day(9, 1, 2, vec![7; 24], true, false),
    ];
    let block = pack(days);
    let mut view = MonthView::read(&block).unwrap();
    let share = view.next(0).unwrap().unwrap();
    let mut seen = Vec::new();
    share.newest(&mut Unpacker::default(), |day, values| seen.push((day, values[0]))).unwrap();
    assert_eq!(seen, [(1, 7), (2, 2)]);
    assert!(share.holds(1) && !share.holds(3));
}
