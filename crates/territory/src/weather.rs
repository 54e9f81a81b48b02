//! The weather of the territory: real, moved in time by whole weeks.

use crate::calendar::slot;
use crate::loads;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// One hour's weather.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeatherHour {
    /// Start of the hour, UTC.
    pub start: Timestamp,
    /// Air temperature, tenths of a degree Celsius.
    pub temperature_dc: i16,
}

/// The hours that begin in `[from, to)`.
pub(crate) fn hours(zone: &TimeZone, from: Timestamp, to: Timestamp) -> Vec<WeatherHour> {
    let first = from.as_second().div_euclid(3600) + i64::from(from.as_second().rem_euclid(3600) > 0);
    (first..)
        .map_while(|hour| Timestamp::from_second(hour * 3600).ok().filter(|start| *start < to))
        .map(|start| WeatherHour { start, temperature_dc: loads::temperature_dc(slot(start, zone)) })
        .collect()
}
