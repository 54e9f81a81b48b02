//! Meter time to instants and back.

use crate::facts::ModelFacts;
use dlms::Data;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use model::event::ClockStatus;

/// A time as a meter tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MeterTime {
    pub(crate) at: Timestamp,
    pub(crate) clock: ClockStatus,
}

const UNSPECIFIED: u16 = 0x8000;
const STATUS_INVALID: u8 = 0x01;
const STATUS_DOUBTFUL: u8 = 0x02;
const STATUS_DST: u8 = 0x80;

/// A date-time in either of the types that meters use for one.
pub(crate) fn read(value: &Data, facts: &ModelFacts) -> Option<MeterTime> {
    match value {
        Data::OctetString(bytes) => from_bytes(bytes.as_slice().try_into().ok()?, facts),
        Data::DateTime(bytes) => from_bytes(*bytes, facts),
        _ => None,
    }
}

/// A COSEM date-time; fields left open make no instant.
pub(crate) fn from_bytes(bytes: [u8; 12], facts: &ModelFacts) -> Option<MeterTime> {
    let [y0, y1, month, day, _, hour, minute, second, _, d0, d1, status] = bytes;
    let small = |value: u8| i8::try_from(value).ok();
    let civil = DateTime::new(
        i16::try_from(u16::from_be_bytes([y0, y1])).ok()?,
        small(month)?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(second)?,
        0,
    )
    .ok()?;
    let deviation = i16::from_be_bytes([d0, d1]);
    let at = if u16::from_be_bytes([d0, d1]) == UNSPECIFIED {
        in_zone(civil, &facts.zone, status & STATUS_DST != 0 && status != 0xFF)?
    } else {
        let minutes = i32::from(if facts.deviation_inverted { deviation } else { -deviation });
        Offset::from_seconds(minutes * 60).ok()?.to_timestamp(civil).ok()?
    };
    // 0xFF says that the meter keeps no status, not that its clock is invalid.
    let doubtful = status != 0xFF && status & (STATUS_INVALID | STATUS_DOUBTFUL) != 0;
    let clock = if doubtful { ClockStatus::Doubtful } else { ClockStatus::Synchronised };
    Some(MeterTime { at, clock })
}

/// In the repeated hour of autumn the daylight saving bit tells which of the two is meant.
fn in_zone(civil: DateTime, zone: &TimeZone, dst: bool) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    if dst { ambiguous.earlier().ok() } else { ambiguous.later().ok() }
}

/// `at` as the meter would write it: local time of its zone with deviation and daylight saving bit.
pub(crate) fn to_bytes(at: Timestamp, facts: &ModelFacts) -> [u8; 12] {
    let info = facts.zone.to_offset_info(at);
    let civil = facts.zone.to_datetime(at);
    let minutes = i16::try_from(info.offset().seconds() / 60).unwrap_or(0);
    let deviation = if facts.deviation_inverted { minutes } else { -minutes };
    let small = |value: i8| u8::try_from(value).unwrap_or(0);
    let [y0, y1] = civil.year().to_be_bytes();
    let [d0, d1] = deviation.to_be_bytes();
    let status = if info.dst().is_dst() { STATUS_DST } else { 0 };
    let weekday = u8::try_from(civil.weekday().to_monday_one_offset()).unwrap_or(0xFF);
    [
        y0,
        y1,
        small(civil.month()),
        small(civil.day()),
        weekday,
        small(civil.hour()),
        small(civil.minute()),
        small(civil.second()),
        0,
        d0,
        d1,
        status,
    ]
}

/// How far the meter's clock is ahead of ours (negative: behind), the answer having taken `round_trip`.
pub(crate) fn offset(meter: Timestamp, now: Timestamp, round_trip: SignedDuration) -> SignedDuration {
    meter.duration_since(now) + round_trip / 2
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use model::channel::Commodity;

    pub(crate) fn facts(zone: &str) -> ModelFacts {
        ModelFacts {
            commodity: Commodity::Electricity,
            zone: TimeZone::get(zone).unwrap(),
            deviation_inverted: false,
            listens: None,
            clock: dlms::Obis::new(0, 0, 1, 0, 0, 255),
            profile: None,
            registers: Vec::new(),
            instantaneous: Vec::new(),
            events: None,
            identity: None,
        }
    }

    #[test]
    fn summer_in_berlin_is_minus_120() {
        let facts = facts("Europe/Berlin");
        let at: Timestamp = "2024-07-01T10:30:05Z".parse().unwrap();
        let bytes = to_bytes(at, &facts);
        assert_eq!(bytes, [0x07, 0xE8, 7, 1, 1, 12, 30, 5, 0, 0xFF, 0x88, 0x80]);
        let read = from_bytes(bytes, &facts).unwrap();
        assert_eq!((read.at, read.clock), (at, ClockStatus::Synchronised));
    }

    #[test]
    fn the_repeated_hour_is_told_apart_without_deviation() {
        let facts = facts("Europe/Berlin");
        for (second, dst) in [(0, true), (3600, false)] {
            // 02:00 local comes twice that night: at 00:00 and at 01:00 UTC.
            let midnight: Timestamp = "2024-10-27T00:00:00Z".parse().unwrap();
            let at = midnight + SignedDuration::from_secs(second);
            let mut bytes = to_bytes(at, &facts);
            assert_eq!(bytes[11] == STATUS_DST, dst);
            (bytes[9], bytes[10]) = (0x80, 0);
            assert_eq!(from_bytes(bytes, &facts).unwrap().at, at);
        }
    }

    #[test]
    fn open_and_impossible_fields_make_no_instant() {
        let facts = facts("UTC");
        let good = [0x07, 0xE8, 2, 29, 4, 23, 59, 59, 0, 0, 0, 0];
        assert!(from_bytes(good, &facts).is_some());
        for (field, value) in [(0, 0xFF), (2, 0xFF), (2, 13), (3, 30), (5, 24), (6, 60), (7, 0xFF)] {
            let mut bytes = good;
            bytes[field] = value;
            assert_eq!(from_bytes(bytes, &facts), None, "{field} {value}");
        }
    }
}
