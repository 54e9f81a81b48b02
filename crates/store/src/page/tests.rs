use super::*;
use jiff::civil::date;
use proptest::prelude::*;

fn head(slots: u16) -> PageHead {
    PageHead {
        day: date(2026, 3, 1),
        start: Timestamp::from_second(1_772_323_200).unwrap(),
        interval: IntervalLength::HOUR,
        slots,
        quality: Quality::VALID,
        recorded_at: Timestamp::from_second(1_772_500_000).unwrap(),
        rules: 1,
        received_at: Timestamp::from_second(1_772_499_000).unwrap(),
        source: BatchSource::Import,
        unit: Unit::WattHour,
        scaler: 0,
        exponent: 0,
    }
}

proptest! {
    #[test]
    fn what_enters_a_page_comes_back(
        days in prop::collection::btree_map(0u32..256, prop::collection::vec(any::<i64>(), 24), 0..40),
    ) {
        let mut page = DayPage::new(head(24), 7);
        for (place, values) in &days {
            prop_assert!(page.push(ChannelId::new(7 * PAGE + place), values));
        }
        let block = page.to_block();
        let view = PageView::read(&block, 24).unwrap();
        prop_assert_eq!(view.channels(7).count(), days.len());
        for place in 0..256 {
            let found = view.find(ChannelId::new(7 * PAGE + place)).unwrap();
            prop_assert_eq!(found.as_ref(), days.get(&place));
        }
        let mut seen = Vec::new();
        view.each(7, &mut Vec::new(), |channel, values| seen.push((channel.get() - 7 * PAGE, values.to_vec()))).unwrap();
        prop_assert_eq!(seen, days.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_are_refused_or_read(mut bytes in prop::collection::vec(any::<u8>(), 0..400), slots in 0usize..100) {
        if !bytes.is_empty() {
            bytes[0] = 1;
        }
        if let Ok(view) = PageView::read(&bytes, slots) {
            let _ = view.each(0, &mut Vec::new(), |_, _| {});
            let _ = view.find(ChannelId::new(9));
        }
    }
}

#[test]
fn strangers_and_the_disorderly_stay_out() {
    let mut page = DayPage::new(head(24), 0);
    assert!(page.push(ChannelId::new(5), &[1; 24]));
    assert!(!page.push(ChannelId::new(5), &[1; 24]), "twice");
    assert!(!page.push(ChannelId::new(4), &[1; 24]), "backwards");
    assert!(!page.push(ChannelId::new(256), &[1; 24]), "of another page");
    assert!(!page.push(ChannelId::new(6), &[1; 23]), "too short");
    assert_eq!((page.len(), page.range()), (1, Some((ChannelId::new(5), ChannelId::new(5)))));
}
