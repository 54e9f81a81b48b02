//! The real series that drive the meters, carried in the executable, and what each meter makes of them.
//!
//! A load is a pure function of the quarter hour: nothing is remembered, so any meter can be asked for
//! any time, in any order, at the same small cost.

use crate::calendar::{Slot, season_week};
use crate::daylight::share;
use flate2::read::GzDecoder;
use std::io::Read;
use std::sync::OnceLock;

const SWISS: &[u8] = include_bytes!("../../../testdata/loads/swiss_15min.csv.gz");
const FONTANA: &[u8] = include_bytes!("../../../testdata/loads/fontana_hourly.csv.gz");
const WATER: &[u8] = include_bytes!("../../../testdata/loads/alicante_water_hourly.csv.gz");
const GAS: &[u8] = include_bytes!("../../../testdata/loads/uk_gas_hourly.csv.gz");

const SWISS_WEEKS: i64 = 7;
/// Weeks since the first Monday of 1970 in which the series of a year begin.
const FONTANA_ORIGIN: i64 = 2430;
const WATER_ORIGIN: i64 = 2409;
const GAS_ORIGIN: i64 = 2622;
const HOURS: usize = 8736;

/// What flows in one quarter hour: Wh, or litres.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    /// To the customer.
    pub(crate) delivered: i64,
    /// From the customer.
    pub(crate) received: i64,
}

/// What a meter measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// A Swiss home, moved by whole weeks and made a little larger or smaller.
    Swiss { home: usize, weeks: i64, per_mille: i64 },
    /// A home in Fontana with solar panels of so many tenths of a kilowatt.
    Fontana { home: usize, panels_dkw: i64 },
    /// The water of a home.
    Water { home: usize, weeks: i64 },
    /// The gas of a home.
    Gas { weeks: i64, per_mille: i64 },
}

#[derive(Debug)]
struct Fontana {
    temperature_dc: Vec<i16>,
    /// Per home: load in Wh and panels' output in W per kW, by the hour.
    homes: Vec<(Vec<i32>, Vec<i32>)>,
}

/// Homes in the Swiss series.
pub(crate) fn swiss_homes() -> usize {
    swiss().len()
}

/// Homes in the Fontana series.
pub(crate) fn fontana_homes() -> usize {
    fontana().homes.len()
}

/// Homes in the water series.
pub(crate) fn water_homes() -> usize {
    water().len()
}

/// Air temperature in tenths of a degree Celsius in the hour of `slot`.
pub(crate) fn temperature_dc(slot: Slot) -> i16 {
    fontana()
        .temperature_dc
        .get(hour(slot.solar_week, slot.solar_quarter, FONTANA_ORIGIN))
        .copied()
        .unwrap_or(0)
}

impl Load {
    /// What flows in the quarter hour `slot`.
    pub(crate) fn flow(self, slot: Slot) -> Flow {
        match self {
            Self::Swiss { home, weeks, per_mille } => {
                let week = usize::try_from((slot.week + weeks).rem_euclid(SWISS_WEEKS)).unwrap_or(0);
                let wh = pick(swiss(), home, week * 672 + slot.quarter);
                Flow { delivered: wh * per_mille / 1000, received: 0 }
            }
            Self::Fontana { home, panels_dkw } => {
                let at = hour(slot.solar_week, slot.solar_quarter, FONTANA_ORIGIN);
                let Some((load, panels)) = fontana().homes.get(home) else { return Flow::default() };
                let used = quarter_of(i64::from(load.get(at).copied().unwrap_or(0)), slot.solar_quarter);
                let made = i64::from(panels.get(at).copied().unwrap_or(0)) * panels_dkw / 10;
                let net = used - share(made, slot.solar_quarter, slot.lit);
                Flow { delivered: net.max(0), received: (-net).max(0) }
            }
            Self::Water { home, weeks } => {
                let litres = pick(water(), home, hour(slot.week + weeks, slot.quarter, WATER_ORIGIN));
                Flow { delivered: quarter_of(litres, slot.quarter), received: 0 }
            }
            Self::Gas { weeks, per_mille } => {
                let litres =
                    pick(gas(), 0, hour(slot.week + weeks, slot.quarter, GAS_ORIGIN)) * per_mille / 1000;
                Flow { delivered: quarter_of(litres, slot.quarter), received: 0 }
            }
        }
    }
}

/// The hour of a series of one year.
fn hour(week: i64, quarter: usize, origin: i64) -> usize {
    (season_week(week, origin) * 168 + quarter / 4).min(HOURS - 1)
}

/// The share of an hour's amount that falls into a quarter: even, the remainder to the last ones.
fn quarter_of(amount: i64, quarter: usize) -> i64 {
    let k = i64::try_from(quarter % 4).unwrap_or(0);
    amount * (k + 1) / 4 - amount * k / 4
}

fn pick(rows: &[Vec<i32>], row: usize, at: usize) -> i64 {
    rows.get(row).and_then(|row| row.get(at)).copied().map_or(0, i64::from)
}

fn swiss() -> &'static [Vec<i32>] {
    static ROWS: OnceLock<Vec<Vec<i32>>> = OnceLock::new();
    ROWS.get_or_init(|| rows(SWISS))
}

fn water() -> &'static [Vec<i32>] {
    static ROWS: OnceLock<Vec<Vec<i32>>> = OnceLock::new();
    ROWS.get_or_init(|| rows(WATER))
}

fn gas() -> &'static [Vec<i32>] {
    static ROWS: OnceLock<Vec<Vec<i32>>> = OnceLock::new();
    ROWS.get_or_init(|| rows(GAS))
}

fn fontana() -> &'static Fontana {
    static HOMES: OnceLock<Fontana> = OnceLock::new();
    HOMES.get_or_init(|| {
        let mut found = Fontana { temperature_dc: Vec::with_capacity(HOURS), homes: Vec::new() };
        for line in text(FONTANA).lines().skip(1) {
            let mut numbers = line.split(',').map(|field| field.parse::<i32>().unwrap_or(0));
            let temperature = numbers.next().and_then(|number| i16::try_from(number).ok());
            found.temperature_dc.push(temperature.unwrap_or(0));
            let mut home = 0;
            while let (Some(load), Some(panels)) = (numbers.next(), numbers.next()) {
                if found.homes.len() == home {
                    found.homes.push((Vec::with_capacity(HOURS), Vec::with_capacity(HOURS)));
                }
                found.homes[home].0.push(load);
                found.homes[home].1.push(panels);
                home += 1;
            }
        }
        found
    })
}

/// Rows of numbers behind a name, one home a row, without the heading.
fn rows(packed: &[u8]) -> Vec<Vec<i32>> {
    text(packed)
        .lines()
        .skip(1)
        .map(|line| line.split(',').skip(1).map(|field| field.parse().unwrap_or(0)).collect())
        .collect()
}

/// The text of an embedded file; the tests prove that all of it is there.
fn text(packed: &[u8]) -> String {
    let mut text = String::new();
    let _ = GzDecoder::new(packed).read_to_string(&mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_are_whole() {
        assert_eq!((swiss_homes(), fontana_homes(), water_homes(), gas().len()), (100, 6, 12, 1));
        assert!(swiss().iter().all(|row| row.len() == 7 * 672 && row.iter().sum::<i32>() > 0));
        assert!(water().iter().chain(gas()).all(|row| row.len() == HOURS && row.iter().sum::<i32>() > 0));
        assert_eq!(fontana().temperature_dc.len(), HOURS);
        assert!(fontana().homes.iter().all(|(load, panels)| load.len() == HOURS && panels.len() == HOURS));
        assert!(fontana().temperature_dc.iter().all(|t| (-50..450).contains(t)));
    }

    #[test]
    fn quarters_add_up_to_their_hour() {
        for amount in [0, 1, 2, 3, 4, 851, 2275] {
            assert_eq!((0..4).map(|k| quarter_of(amount, k)).sum::<i64>(), amount);
        }
    }

    #[test]
    fn panels_feed_at_noon_and_not_at_night() {
        let home = Load::Fontana { home: 1, panels_dkw: 60 };
        let at =
            |quarter| Slot { week: 2960, quarter, solar_week: 2960, solar_quarter: quarter, lit: 0b1111 };
        assert!((48..52).all(|quarter| home.flow(at(quarter)).received > 0));
        assert!((0..16).all(|quarter| home.flow(at(quarter)).received == 0));
    }
}
