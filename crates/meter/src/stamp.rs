//! Times as meters write them: local civil time with the deviation of that moment.
//!
//! Standard: IEC 62056-6-2, 4.6.1 date and time notation. The deviation is minutes from local time to UTC, so it
//! is negative east of Greenwich; a quirk of the model turns the sign.

use dlms::datetime::{ClockStatus, CosemDateTime, DeviationSign};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Dst, TimeZone};

/// Clock status: daylight saving time is in force.
const DST: u8 = 0x80;
/// Clock status: not to be relied on.
pub(crate) const DOUBTFUL: u8 = 0x02;

/// How a meter writes times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamps<'a> {
    pub(crate) zone: &'a TimeZone,
    pub(crate) east_positive: bool,
}

impl Stamps<'_> {
    /// The 12 bytes of an instant by the meter's clock, Unix milliseconds, with extra bits of the clock status.
    pub(crate) fn write(&self, shown_ms: i64, status: u8) -> [u8; 12] {
        let at = Timestamp::from_millisecond(shown_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let info = self.zone.to_offset_info(at);
        let east = i16::try_from(info.offset().seconds() / 60).unwrap_or(0);
        let dst = if info.dst() == Dst::Yes { DST } else { 0 };
        let seconds = shown_ms.div_euclid(1000);
        let CosemDateTime(mut bytes) =
            CosemDateTime::from_unix(seconds, Some(-east), ClockStatus(dst | status));
        bytes[8] = u8::try_from(shown_ms.rem_euclid(1000) / 10).unwrap_or(0);
        if self.east_positive {
            bytes[9..11].copy_from_slice(&east.to_be_bytes());
        }
        bytes
    }

    /// The instant, Unix milliseconds, that 12 bytes mean; `None` unless date and time are complete.
    ///
    /// Without a deviation it is the meter's local time; of an hour that comes twice, the daylight saving bit
    /// says which.
    pub(crate) fn read(&self, bytes: &[u8]) -> Option<i64> {
        let written = CosemDateTime::try_from(bytes).ok()?;
        let hundredths = bytes.get(8).copied().filter(|hundredths| *hundredths <= 99).unwrap_or(0);
        let seconds = if written.deviation().is_some() {
            let sign = if self.east_positive { DeviationSign::Opposite } else { DeviationSign::Standard };
            written.unix_seconds(sign, None).ok()?
        } else {
            let local = Timestamp::from_second(written.local_seconds().ok()?).ok()?;
            let ambiguous = self.zone.to_ambiguous_timestamp(TimeZone::UTC.to_datetime(local));
            let status = written.status();
            let standard_time = status != ClockStatus::UNSPECIFIED && !status.daylight_saving();
            let at = if standard_time { ambiguous.later() } else { ambiguous.compatible() };
            at.ok()?.as_second()
        };
        Some(seconds * 1000 + i64::from(hundredths) * 10)
    }

    /// Whether daylight saving time is in force at an instant, Unix seconds.
    pub(crate) fn is_dst(&self, shown_s: i64) -> bool {
        let at = Timestamp::from_second(shown_s).unwrap_or(Timestamp::UNIX_EPOCH);
        self.zone.to_offset_info(at).dst() == Dst::Yes
    }

    /// Local civil time of an instant, Unix seconds.
    pub(crate) fn local(&self, shown_s: i64) -> DateTime {
        let at = Timestamp::from_second(shown_s).unwrap_or(Timestamp::UNIX_EPOCH);
        self.zone.to_datetime(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zurich() -> TimeZone {
        TimeZone::get("Europe/Zurich").unwrap()
    }

    #[test]
    fn times_are_local_with_their_deviation() {
        let zone = zurich();
        let stamps = Stamps { zone: &zone, east_positive: false };
        let at: Timestamp = "2024-07-01T10:15:00Z".parse().unwrap();
        // 12:15 local, Monday, 120 minutes east, so -120 = 0xFF88, daylight saving time.
        let bytes = [0x07, 0xE8, 7, 1, 1, 12, 15, 0, 0, 0xFF, 0x88, 0x80];
        assert_eq!(stamps.write(at.as_millisecond(), 0), bytes);
        assert_eq!(stamps.read(&bytes), Some(at.as_millisecond()));
        let quirk = Stamps { east_positive: true, ..stamps };
        assert_eq!(quirk.write(at.as_millisecond(), 0)[9..11], [0x00, 0x78]);
        assert_eq!(quirk.read(&quirk.write(at.as_millisecond(), 0)), Some(at.as_millisecond()));
    }

    #[test]
    fn the_hour_that_comes_twice() {
        let zone = zurich();
        let stamps = Stamps { zone: &zone, east_positive: false };
        let first: Timestamp = "2024-10-27T00:30:00Z".parse().unwrap();
        let second: Timestamp = "2024-10-27T01:30:00Z".parse().unwrap();
        for at in [first, second] {
            let mut bytes = stamps.write(at.as_millisecond(), 0);
            assert_eq!(bytes[5..7], [2, 30]);
            assert_eq!(stamps.read(&bytes), Some(at.as_millisecond()));
            bytes[9..11].copy_from_slice(&[0x80, 0x00]);
            assert_eq!(stamps.read(&bytes), Some(at.as_millisecond()), "told apart by the status");
        }
    }

    #[test]
    fn incomplete_times_are_no_instants() {
        let zone = zurich();
        let stamps = Stamps { zone: &zone, east_positive: false };
        assert_eq!(stamps.read(&[0xFF; 12]), None);
        assert_eq!(stamps.read(&[]), None);
        assert_eq!(stamps.read(&[0x07, 0xE8, 13, 1, 1, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(stamps.read(&[0x07, 0xE8, 2, 30, 1, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
