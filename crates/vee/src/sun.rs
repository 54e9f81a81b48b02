//! Where the sun stands, well enough to tell night from day, and the same to the last bit on every machine.
//!
//! Only additions, multiplications, divisions and our own sine are used: those are exact by IEEE 754, while the sine of a
//! system's library is not the same everywhere.

use core::f64::consts::{PI, TAU};

/// The sun of one day over one place, and the height that counts as night.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sun {
    /// Night is where the cosine of the hour angle is below this.
    night_below: f64,
    /// Unix seconds of the sun's highest place on the day.
    noon_s: f64,
}

impl Sun {
    /// The sun of the day whose middle is about `noon_s` (Unix seconds), seen from `position` (latitude and longitude in
    /// millionths of a degree), for the elevation `below_cdeg` (hundredths of a degree).
    ///
    /// The declination and the equation of time are those of the day's middle, by the usual short series: right within
    /// about half a degree and a minute, which is a hundredth of the night.
    pub fn over(position: (i32, i32), noon_s: i64, below_cdeg: i32) -> Self {
        let latitude = radians(f64::from(position.0) / 1e6);
        let east_s = f64::from(position.1) / 1e6 * 240.0;
        // Days since the first noon of 2000; seconds of this and the next centuries are exact in 53 bits.
        let days = seconds(noon_s - 946_728_000) / 86_400.0;
        let anomaly = radians(357.529 + 0.985_600_28 * days);
        let mean_longitude = 280.459 + 0.985_647_36 * days;
        let longitude = radians(mean_longitude + 1.915 * sine(anomaly) + 0.020 * sine(2.0 * anomaly));
        let obliquity = radians(23.439);
        let sine_declination = sine(obliquity) * sine(longitude);
        let cosine_declination = (1.0 - sine_declination * sine_declination).sqrt();
        // The equation of time in minutes, by its two largest terms.
        let equation_s = 60.0 * (-7.655 * sine(anomaly) + 9.873 * sine(2.0 * radians(mean_longitude) + PI));
        let height = sine(radians(f64::from(below_cdeg) / 100.0));
        let across = cosine(latitude) * cosine_declination;
        let night_below =
            if across > 1e-9 { (height - sine(latitude) * sine_declination) / across } else { 2.0 };
        let midnight_s = seconds(noon_s.div_euclid(86_400) * 86_400);
        Self { night_below, noon_s: midnight_s + 43_200.0 - east_s - equation_s }
    }

    /// How much higher than the chosen elevation the sun stands at an instant (Unix seconds) of the day, in millionths of
    /// an arbitrary unit that is the same all day; 0 below it.
    pub(crate) fn weight(&self, at_s: i64) -> i64 {
        let angle = (seconds(at_s) - self.noon_s) / 86_400.0 * TAU;
        #[expect(clippy::cast_possible_truncation, reason = "at most three million")]
        let weight = ((cosine(angle) - self.night_below).clamp(0.0, 3.0) * 1e6) as i64;
        weight
    }

    /// Whether the sun is lower than the chosen elevation at an instant (Unix seconds) of the day.
    pub fn is_below(&self, at_s: i64) -> bool {
        let angle = (seconds(at_s) - self.noon_s) / 86_400.0 * TAU;
        cosine(angle) < self.night_below
    }
}

/// Unix seconds as a float: exact for a hundred million years.
fn seconds(at_s: i64) -> f64 {
    let high = i32::try_from(at_s.div_euclid(1 << 31)).unwrap_or(0);
    let low = u32::try_from(at_s.rem_euclid(1 << 31)).unwrap_or(0);
    f64::from(high) * 2_147_483_648.0 + f64::from(low)
}

fn radians(degrees: f64) -> f64 {
    degrees * (PI / 180.0)
}

fn cosine(angle: f64) -> f64 {
    sine(angle + PI / 2.0)
}

/// The sine by its series, after folding the angle into a quarter turn; right to about 1e-10.
fn sine(angle: f64) -> f64 {
    let turns = angle / TAU;
    let mut folded = (turns - (turns + 0.5).floor()) * TAU;
    if folded > PI / 2.0 {
        folded = PI - folded;
    } else if folded < -PI / 2.0 {
        folded = -PI - folded;
    }
    let square = folded * folded;
    let series = 1.0 / 362_880.0 + square * (-1.0 / 39_916_800.0 + square / 6_227_020_800.0);
    folded
        * (1.0 + square * (-1.0 / 6.0 + square * (1.0 / 120.0 + square * (-1.0 / 5040.0 + square * series))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sine_is_a_sine() {
        for step in -2000..2000 {
            let angle = f64::from(step) * 0.013;
            assert!((sine(angle) - angle.sin()).abs() < 1e-8, "{angle}");
        }
    }

    /// Sunrise, sunset and noon as almanacs have them, within ten minutes. With an elevation of -0.83 degrees, night ends
    /// at sunrise.
    #[test]
    fn the_sun_rises_and_sets_when_almanacs_say() {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
        // place, noon UTC (about), sunrise UTC, sunset UTC
        let rows = [
            ((47_376_900, 8_541_700), "2026-06-21T11:00:00Z", "2026-06-21T03:29:00Z", "2026-06-21T19:26:00Z"),
            ((47_376_900, 8_541_700), "2026-12-21T11:00:00Z", "2026-12-21T07:09:00Z", "2026-12-21T15:38:00Z"),
            (
                (34_092_200, -117_435_000),
                "2026-03-20T19:53:00Z",
                "2026-03-20T13:53:00Z",
                "2026-03-21T02:01:00Z",
            ),
            (
                (-33_868_800, 151_209_300),
                "2026-12-21T02:00:00Z",
                "2026-12-20T18:41:00Z",
                "2026-12-21T09:05:00Z",
            ),
        ];
        for (place, noon, rise, set) in rows {
            let sun = Sun::over(place, at(noon), -83);
            for (instant, before, after) in [(at(rise), true, false), (at(set), false, true)] {
                assert_eq!(sun.is_below(instant - 600), before, "{noon} {instant}");
                assert_eq!(sun.is_below(instant + 600), after, "{noon} {instant}");
            }
        }
    }

    #[test]
    fn there_is_no_night_in_a_polar_summer_and_no_day_in_its_winter() {
        let tromso = (69_649_200, 18_955_300);
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
        let (summer, winter) = (at("2026-06-21T11:00:00Z"), at("2026-12-21T11:00:00Z"));
        for hour in -12..12 {
            assert!(!Sun::over(tromso, summer, -600).is_below(summer + hour * 3600));
            assert!(Sun::over(tromso, winter, 600).is_below(winter + hour * 3600));
        }
    }
}
