//! Local metering days and interval lengths. Instants are [`jiff::Timestamp`], always UTC.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// The length of a profile interval. It divides an hour or a day evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct IntervalLength(u32);

/// A length that is no even part of an hour, nor an hour or a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an interval of {0} s is neither an even part of an hour nor an hour or a day")]
pub struct OddInterval(pub u32);

impl IntervalLength {
    /// A quarter of an hour, the usual electricity profile.
    pub const QUARTER_HOUR: Self = Self(900);
    /// Half an hour.
    pub const HALF_HOUR: Self = Self(1800);
    /// An hour, the usual gas and water profile.
    pub const HOUR: Self = Self(3600);

    /// A length in seconds.
    ///
    /// # Errors
    /// [`OddInterval`] unless the length divides an hour, or is an hour or a day.
    pub const fn from_secs(secs: u32) -> Result<Self, OddInterval> {
        if secs == 86_400 || (secs > 0 && 3600 % secs == 0) { Ok(Self(secs)) } else { Err(OddInterval(secs)) }
    }

    /// Seconds.
    pub const fn secs(self) -> u32 {
        self.0
    }

    /// As a duration.
    pub const fn duration(self) -> SignedDuration {
        SignedDuration::from_secs(self.0 as i64)
    }

    /// The boundary at or before `at`, counted from the Unix epoch.
    pub fn floor(self, at: Timestamp) -> Timestamp {
        let past = at.as_second().rem_euclid(i64::from(self.0));
        Timestamp::from_second(at.as_second() - past).unwrap_or(at)
    }
}

impl TryFrom<u32> for IntervalLength {
    type Error = OddInterval;

    fn try_from(secs: u32) -> Result<Self, OddInterval> {
        Self::from_secs(secs)
    }
}

impl From<IntervalLength> for u32 {
    fn from(length: IntervalLength) -> Self {
        length.0
    }
}

/// A metering day: the local calendar day of a zone, half-open, of 23, 24 or 25 hours.
///
/// ```text
/// 2024-03-10 America/Los_Angeles   08:00Z |---- 23 h ----| 07:00Z   92 quarter hours
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalDay {
    date: Date,
    zone: TimeZone,
    start: Timestamp,
    end: Timestamp,
}

/// A date whose bounds are outside the range of instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} has no bounds as instants")]
pub struct DateOutOfRange(pub Date);

impl LocalDay {
    /// The day `date` in `zone`.
    ///
    /// # Errors
    /// [`DateOutOfRange`] at the far ends of the calendar.
    pub fn new(date: Date, zone: &TimeZone) -> Result<Self, DateOutOfRange> {
        let midnight =
            |d: Date| d.to_zoned(zone.clone()).map(|z| z.timestamp()).map_err(|_| DateOutOfRange(date));
        let next = date.checked_add(1.day()).map_err(|_| DateOutOfRange(date))?;
        Ok(Self { date, zone: zone.clone(), start: midnight(date)?, end: midnight(next)? })
    }

    /// The day that holds the instant `at`.
    ///
    /// # Errors
    /// [`DateOutOfRange`] at the far ends of the calendar.
    pub fn containing(at: Timestamp, zone: &TimeZone) -> Result<Self, DateOutOfRange> {
        Self::new(at.to_zoned(zone.clone()).date(), zone)
    }

    /// The calendar date.
    pub const fn date(&self) -> Date {
        self.date
    }

    /// The zone whose calendar it is.
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Its first instant.
    pub const fn start(&self) -> Timestamp {
        self.start
    }

    /// The first instant of the next day.
    pub const fn end(&self) -> Timestamp {
        self.end
    }

    /// How many intervals of `length` it holds: 92, 96 or 100 quarter hours, 23 to 25 hours, or one day.
    pub fn intervals(&self, length: IntervalLength) -> usize {
        if length.secs() == 86_400 {
            return 1;
        }
        let secs = self.end.as_second() - self.start.as_second();
        usize::try_from(secs / i64::from(length.secs())).unwrap_or(0)
    }

    /// The start of interval `index`; for `index = intervals(..)` the end of the day.
    pub fn interval_start(&self, length: IntervalLength, index: usize) -> Timestamp {
        let offset = i64::from(length.secs()) * i64::try_from(index).unwrap_or(i64::MAX / 86_400);
        Timestamp::from_second(self.start.as_second().saturating_add(offset))
            .unwrap_or(self.end)
            .min(self.end)
    }

    /// The interval that starts at `at`, if one of this day does.
    pub fn interval_at(&self, length: IntervalLength, at: Timestamp) -> Option<usize> {
        if at < self.start || at >= self.end || at.subsec_nanosecond() != 0 {
            return None;
        }
        let secs = at.as_second() - self.start.as_second();
        let step = i64::from(length.secs());
        if secs % step == 0 { usize::try_from(secs / step).ok() } else { None }
    }

    /// The next day.
    ///
    /// # Errors
    /// [`DateOutOfRange`] at the far end of the calendar.
    pub fn next(&self) -> Result<Self, DateOutOfRange> {
        let date = self.date.checked_add(1.day()).map_err(|_| DateOutOfRange(self.date))?;
        Self::new(date, &self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_of_23_24_and_25_hours() {
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        for (day, quarters) in [(date(2024, 3, 10), 92), (date(2024, 11, 3), 100), (date(2024, 7, 1), 96)] {
            let day = LocalDay::new(day, &zone).unwrap();
            assert_eq!(day.intervals(IntervalLength::QUARTER_HOUR), quarters);
            assert_eq!(day.intervals(IntervalLength::HOUR) * 4, quarters);
            assert_eq!(day.interval_start(IntervalLength::QUARTER_HOUR, quarters), day.end());
            for index in 0..quarters {
                let at = day.interval_start(IntervalLength::QUARTER_HOUR, index);
                assert_eq!(day.interval_at(IntervalLength::QUARTER_HOUR, at), Some(index));
            }
            assert_eq!(day.interval_at(IntervalLength::QUARTER_HOUR, day.end()), None);
        }
    }

    #[test]
    fn a_day_is_found_by_any_of_its_instants() {
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        let day = LocalDay::new(date(2024, 3, 10), &zone).unwrap();
        let last = day.end() - SignedDuration::from_secs(1);
        assert_eq!(LocalDay::containing(last, &zone).unwrap(), day);
        assert_eq!(LocalDay::containing(day.end(), &zone).unwrap(), day.next().unwrap());
    }

    #[test]
    fn odd_intervals_are_refused() {
        assert!(IntervalLength::from_secs(7 * 60).is_err());
        assert!(IntervalLength::from_secs(0).is_err());
        assert!(IntervalLength::from_secs(86_400).is_ok());
    }
}
