//! Where the town lies under the sun, and in which quarters of an hour it shines there.
//!
//! What panels make is known by the hour. The hour in which the sun rises is half a night: an even share for each of its
//! quarters would have the panels feed in before dawn.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use vee::Sun;

/// Where the real loads and their weather come from; the town is invented.
const ORIGIN_E6: (i32, i32) = (34_092_000, -117_435_000);
/// Half of the width of a zone.
const HALF_ZONE_E6: i32 = 7_500_000;
/// The upper edge of the sun is on the horizon, hundredths of a degree.
const RISE_CDEG: i32 = -83;
/// An instant of a northern winter: its offset without daylight saving is the zone's own.
const WINTER: Timestamp = Timestamp::constant(1_768_478_400, 0);

/// Latitude and longitude of the town, millionths of a degree: where its loads come from if that lies in its zone,
/// otherwise on the middle of its zone, so that noon is about noon.
pub(crate) fn place_e6(zone: &TimeZone) -> (i32, i32) {
    let info = zone.to_offset_info(WINTER);
    let saved = if info.dst().is_dst() { 3600 } else { 0 };
    // 15 degrees an hour.
    let middle = (info.offset().seconds() - saved) * 12_500 / 3;
    let (north, east) = ORIGIN_E6;
    if middle.abs_diff(east) <= HALF_ZONE_E6.unsigned_abs() { (north, east) } else { (north, middle) }
}

/// In which quarters of the hour that begins at `hour_s` (Unix seconds) the sun is up in the middle: a bit for each, the first
/// in the lowest.
pub(crate) fn lit(place_e6: (i32, i32), hour_s: i64) -> u8 {
    let east_s = i64::from(place_e6.1) * 240 / 1_000_000;
    let noon_s = (hour_s + east_s).div_euclid(86_400) * 86_400 + 43_200 - east_s;
    let sun = Sun::over(place_e6, noon_s, RISE_CDEG);
    (0u8..4)
        .filter(|quarter| !sun.is_below(hour_s + i64::from(*quarter) * 900 + 450))
        .fold(0, |lit, quarter| lit | 1 << quarter)
}

/// The share of what an hour of sun makes that falls into one of its quarters: a fourth where it shines, nothing where it does
/// not. Put into the quarters that are left, the hour of dawn would tower above its morning, as no sunrise does.
pub(crate) fn share(amount: i64, quarter: usize, lit: u8) -> i64 {
    let quarter = quarter % 4;
    if lit >> quarter & 1 == 0 {
        return 0;
    }
    let part = i64::try_from(quarter).unwrap_or(0);
    amount * (part + 1) / 4 - amount * part / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_town_lies_in_its_zone() {
        let rows = [
            ("America/Los_Angeles", -117_435_000),
            ("Europe/Zurich", 15_000_000),
            ("Australia/Sydney", 150_000_000),
            ("UTC", 0),
        ];
        for (name, east) in rows {
            assert_eq!(place_e6(&TimeZone::get(name).unwrap()), (34_092_000, east), "{name}");
        }
    }

    #[test]
    fn the_hour_of_dawn_is_dark_until_its_last_quarter() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
        // Sunrise in Fontana on 2026-11-28 is at 06:36, sunset at 16:40, both Pacific standard time.
        let place = (34_092_000, -117_435_000);
        let rows = [
            ("2026-11-28T13:00:00Z", 0b0000),
            ("2026-11-28T14:00:00Z", 0b1000),
            ("2026-11-28T15:00:00Z", 0b1111),
            ("2026-11-29T00:00:00Z", 0b1111),
            ("2026-11-29T01:00:00Z", 0b0000),
        ];
        for (hour, expected) in rows {
            assert_eq!(lit(place, at(hour)), expected, "{hour}");
        }
        for lit in 0..16u8 {
            let shares: Vec<i64> = (0..4).map(|quarter| share(851, quarter, lit)).collect();
            assert_eq!(shares.iter().sum::<i64>() == 851, lit == 0b1111);
            assert!((0..4).all(|quarter| shares[quarter]
                == if lit >> quarter & 1 == 1 { [212, 213, 213, 213][quarter] } else { 0 }));
        }
    }
}
