use super::*;
use crate::day::Slot;
use jiff::ToSpan;
use jiff::civil::date;
use jiff::tz::TimeZone;
use model::{ChannelKind, IntervalLength, LocalDay, Quality, QualityClass};

fn day(offset: i64, value: i64) -> Day {
    let local = LocalDay::new(date(2026, 3, 1) + offset.days(), &TimeZone::UTC).unwrap();
    let mut day = Day::missing(local, IntervalLength::HOUR, ChannelKind::Import);
    day.slots.fill(Slot::new(value, Quality::VALID));
    day
}

#[test]
fn any_order_and_any_repetition_remember_the_same() {
    let mut forward = Stats::default();
    let mut backward = Stats::default();
    for offset in 0..28 {
        forward.absorb(&day(offset, offset));
        backward.absorb(&day(27 - offset, 27 - offset));
        backward.absorb(&day(27 - offset, 27 - offset));
    }
    assert_eq!(forward, backward);
    assert_eq!(Stats::from_bytes(&forward.to_bytes()).unwrap(), forward);
    assert_eq!(forward.days().len(), 28);
    forward.absorb(&day(40, 1));
    assert_eq!(forward.days().len(), 28);
    forward.absorb(&day(-1, 1));
    assert_eq!(forward.days().len(), 28, "a day older than all remembered ones is not taken in");
}

#[test]
fn the_mean_leaves_out_the_day_itself_and_unsound_days() {
    let mut stats = Stats::default();
    assert_eq!(stats.mean_before(date(2026, 3, 3)), None);
    stats.absorb(&day(0, 10));
    stats.absorb(&day(1, 20));
    let mut odd = day(2, 900);
    odd.slots[0].quality = Quality::new(QualityClass::EstimatedLinear);
    stats.absorb(&odd);
    stats.absorb(&day(3, 5000));
    assert_eq!(stats.mean_before(date(2026, 3, 4)), Some((15 * 24, 2)));
}

#[test]
fn rows_end_at_a_hole() {
    let mut stats = Stats::default();
    for offset in [0, 2, 3] {
        stats.absorb(&day(offset, 0));
    }
    assert_eq!(stats.row_before(day_number(date(2026, 3, 5)), |stat| stat.zero), 2);
    assert_eq!(stats.row_before(day_number(date(2026, 3, 4)), |stat| stat.zero), 1);
    assert_eq!(stats.row_before(day_number(date(2026, 3, 7)), |stat| stat.zero), 0);
}

#[test]
fn damaged_bytes_are_refused() {
    assert!(Stats::from_bytes(&[0; 12]).is_err());
    assert!(Stats::from_bytes(&[0; 26]).is_err());
    assert!(Stats::from_bytes(&[0xFF; 13]).is_err());
    assert_eq!(Stats::from_bytes(&[]).unwrap(), Stats::default());
}

#[test]
fn reading_in_place_leaves_nothing_of_before() {
    let mut long = Stats::default();
    for offset in 0..80 {
        long.absorb(&day(offset * 2, offset));
    }
    let mut short = Stats::default();
    short.absorb(&day(3, 7));
    let mut stats = long.clone();
    stats.read(&short.to_bytes()).unwrap();
    assert_eq!(stats, short);
    stats.read(&long.to_bytes()).unwrap();
    assert_eq!(stats, long);
    assert!(stats.read(&[0; 12]).is_err());
    assert_eq!(stats, Stats::default());
}

/// Every form that was ever written is still read: 13 bytes a day, and what has no habit yet.
#[test]
fn earlier_forms_are_read() {
    let mut stats = Stats::default();
    for offset in 0..40 {
        stats.absorb(&day(offset, 100 + offset * 3));
    }
    let days: Vec<u8> = (stats.days().iter())
        .flat_map(|stat| {
            [&stat.day.to_le_bytes()[..], &stat.total.to_le_bytes(), &[u8::from(stat.sound)]].concat()
        })
        .collect();
    let old = Stats::from_bytes(&days).unwrap();
    assert_eq!(old.mean_before(date(2026, 4, 10)), stats.mean_before(date(2026, 4, 10)));
    let mut bytes = stats.to_bytes();
    // These days are flat, so nothing of a habit was learnt: its one byte is the last that means something.
    assert_eq!(bytes[0], 3);
    bytes[0] = 2;
    bytes.pop();
    if bytes.len().is_multiple_of(13) {
        bytes.push(0);
    }
    assert_eq!(Stats::from_bytes(&bytes).unwrap(), stats);
}
