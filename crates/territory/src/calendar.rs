//! Where an instant falls in the weeks of a load series.
//!
//! Real years are laid over simulated ones by whole weeks, so that weekdays agree and the season stays
//! within a few days:
//!
//! ```text
//! source   |week 0|week 1|  ...  |week 51|
//! simulated    ... |week w|week w+1| ...      w -> the source week of the same season
//! ```

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Days between the Unix epoch, a Thursday, and the Monday after it.
const FIRST_MONDAY_S: i64 = 4 * 86_400;
const QUARTER_S: i64 = 900;
const QUARTERS_A_WEEK: i64 = 672;

/// A quarter hour of the local week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Weeks since the first Monday of 1970, by the clock on the wall.
    pub(crate) week: i64,
    /// Quarter hour of that week, 0 to 671.
    pub(crate) quarter: usize,
    /// The same without daylight saving: series of sun and weather know no summer time.
    pub(crate) solar_week: i64,
    /// Quarter hour of that week.
    pub(crate) solar_quarter: usize,
    /// The quarters of this hour in which the sun is up; see [`crate::daylight::lit`].
    pub(crate) lit: u8,
}

/// The slot of the quarter hour that holds `at`, under a sun that never sets.
pub(crate) fn slot(at: Timestamp, zone: &TimeZone) -> Slot {
    let info = zone.to_offset_info(at);
    let wall = at.as_second() + i64::from(info.offset().seconds());
    let saved = if info.dst().is_dst() { 3600 } else { 0 };
    let split = |local: i64| {
        let quarter = (local - FIRST_MONDAY_S).div_euclid(QUARTER_S);
        let within = usize::try_from(quarter.rem_euclid(QUARTERS_A_WEEK)).unwrap_or(0);
        (quarter.div_euclid(QUARTERS_A_WEEK), within)
    };
    let ((week, quarter), (solar_week, solar_quarter)) = (split(wall), split(wall - saved));
    Slot { week, quarter, solar_week, solar_quarter, lit: 0b1111 }
}

/// The week, 0 to 51, of a series of one year that begins in week `origin`, for the season of `week`.
pub(crate) fn season_week(week: i64, origin: i64) -> usize {
    let passed = week - origin;
    // 365.2425 days a year, in ten-thousandths.
    let years = (passed * 70_000).div_euclid(3_652_425);
    let shift = (years * 3_652_425 + 35_000).div_euclid(70_000);
    usize::try_from((passed - shift).clamp(0, 51)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const FONTANA: i64 = 2430;

    #[test]
    fn weekdays_and_seasons_agree() {
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        let monday = date(2016, 8, 1).at(0, 0, 0, 0).to_zoned(zone.clone()).unwrap().timestamp();
        let first = slot(monday, &zone);
        assert_eq!((first.week, first.quarter, first.solar_quarter), (FONTANA, 0, 668));
        for (day, expected_day) in [(date(2026, 8, 3), 0), (date(2026, 8, 7), 4), (date(2027, 1, 17), 6)] {
            let at = day.at(12, 0, 0, 0).to_zoned(zone.clone()).unwrap().timestamp();
            let slot = slot(at, &zone);
            assert_eq!(slot.quarter / 96, expected_day);
            let source_day = i64::try_from(season_week(slot.solar_week, FONTANA) * 7).unwrap();
            let source = date(2016, 8, 1).checked_add(jiff::Span::new().days(source_day)).unwrap();
            let apart = (i32::from(source.day_of_year()) - i32::from(day.day_of_year())).rem_euclid(365);
            assert!(!(12..=353).contains(&apart), "{day} is driven by the week of {source}");
        }
    }

    #[test]
    fn every_week_has_a_source_week() {
        let mut last = season_week(2000, FONTANA);
        for week in 2001..4000 {
            let now = season_week(week, FONTANA);
            assert!(now <= 51 && (now == last || now == last + 1 || now <= 1));
            last = now;
        }
    }
}
