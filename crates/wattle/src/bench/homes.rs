//! Open household data that benches of the engines run on, as days.

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::{ChannelKind, IntervalLength, LocalDay, Quality};
use std::io::{BufRead, BufReader};
use vee::{Day, Slot};

const SWISS: &[u8] = include_bytes!("../../../../testdata/estimation/swiss_15min.csv.gz");
const SGSC: &[u8] = include_bytes!("../../../../testdata/estimation/sgsc_30min.csv.gz");
const LONDON: &[u8] = include_bytes!("../../../../testdata/estimation/london_30min.csv.gz");
const FONTANA: &[u8] = include_bytes!("../../../../testdata/estimation/fontana_hourly.csv.gz");

/// A set of homes, described in `testdata/SOURCES.md`.
#[derive(Debug)]
pub(super) struct Homes {
    /// A short name.
    pub(super) name: &'static str,
    /// Length of every interval.
    pub(super) interval: IntervalLength,
    /// The whole days of each home, consecutive; what was not read is missing.
    pub(super) homes: Vec<Vec<Day>>,
    /// Of each home, whether constants may not be tuned on it: a hash of its name decides, one half each.
    pub(super) held_out: Vec<bool>,
}

/// Every set: quarter hours, half hours and hours, in order of interval.
pub(super) fn sets() -> Result<Vec<Homes>> {
    let files = [
        ("swiss", SWISS, IntervalLength::QUARTER_HOUR),
        ("sgsc", SGSC, IntervalLength::HALF_HOUR),
        ("london", LONDON, IntervalLength::HALF_HOUR),
        ("fontana", FONTANA, IntervalLength::HOUR),
    ];
    files.into_iter().map(|(name, file, interval)| read(name, file, interval)).collect()
}

fn read(name: &'static str, file: &[u8], interval: IntervalLength) -> Result<Homes> {
    let lines = BufReader::new(GzDecoder::new(file)).lines().skip(1);
    let mut set = Homes { name, interval, homes: Vec::new(), held_out: Vec::new() };
    for line in lines {
        let line = line?;
        set.homes.push(days(&line, interval)?);
        set.held_out.push(is_held_out(line.split(',').next().unwrap_or("")));
    }
    // So few homes that the hash left none on one side are all kept from tuning.
    if !set.held_out.contains(&true) {
        set.held_out.fill(true);
    }
    Ok(set)
}

/// The lowest bit of FNV-1a, mixed down, as its own lowest bit is little more than a parity.
fn is_held_out(name: &str) -> bool {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    (hash ^ hash >> 29 ^ hash >> 47) & 1 == 1
}

/// One row: id, first date, then a value an interval, empty where nothing was read.
fn days(line: &str, interval: IntervalLength) -> Result<Vec<Day>> {
    let mut fields = line.split(',');
    let _id = fields.next();
    let first: Date = fields.next().context("a home without a date")?.parse()?;
    let values: Vec<Option<i64>> = fields
        .map(|field| if field.is_empty() { Ok(None) } else { field.parse().map(Some) })
        .collect::<Result<_, _>>()?;
    let whole = LocalDay::new(first, &TimeZone::UTC)?.intervals(interval);
    let day = |(number, values): (usize, &[Option<i64>])| {
        let date = first.checked_add(i64::try_from(number)?.days())?;
        let mut day = Day::missing(LocalDay::new(date, &TimeZone::UTC)?, interval, ChannelKind::Import);
        for (slot, value) in day.slots.iter_mut().zip(values) {
            *slot = value.map_or(Slot::MISSING, |value| Slot::new(value, Quality::VALID));
        }
        Ok(day)
    };
    values.chunks_exact(whole).enumerate().map(day).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_is_there_in_whole_days() {
        let counts: Vec<_> = sets().unwrap().into_iter().map(|set| (set.name, set.homes.len())).collect();
        assert_eq!(counts, [("swiss", 60), ("sgsc", 7), ("london", 3), ("fontana", 12)]);
    }
}
