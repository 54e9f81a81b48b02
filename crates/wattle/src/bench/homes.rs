//! Open household data that benches of the engines run on, as days.

use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::{ChannelKind, IntervalLength, LocalDay, Quality};
use std::io::{BufRead, BufReader};
use std::path::Path;
use vee::{Day, Slot};

const SWISS: &[u8] = include_bytes!("../../../../testdata/estimation/swiss_15min.csv.gz");
const SGSC: &[u8] = include_bytes!("../../../../testdata/estimation/sgsc_30min.csv.gz");
const LONDON: &[u8] = include_bytes!("../../../../testdata/estimation/london_30min.csv.gz");
const FONTANA: &[u8] = include_bytes!("../../../../testdata/estimation/fontana_hourly.csv.gz");

/// A set of homes, described in `testdata/SOURCES.md`.
#[derive(Debug)]
pub(super) struct Homes {
    /// A short name.
    pub(super) name: String,
    /// Length of every interval.
    pub(super) interval: IntervalLength,
    /// The whole days of each home, consecutive; what was not read is missing.
    pub(super) homes: Vec<Vec<Day>>,
    /// Of each home, whether constants may not be tuned on it: a hash of its name decides, one half each.
    pub(super) held_out: Vec<bool>,
}

/// Every set: quarter hours, half hours and hours, in order of interval; those of the project, or of a folder.
pub(super) fn sets(folder: Option<&Path>) -> Result<Vec<Homes>> {
    let Some(folder) = folder else {
        let files = [
            ("swiss_15min", SWISS),
            ("sgsc_30min", SGSC),
            ("london_30min", LONDON),
            ("fontana_hourly", FONTANA),
        ];
        return files.into_iter().map(|(name, file)| read(name, file)).collect();
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))? {
        files.push(entry?.path());
    }
    files.sort();
    let mut sets = Vec::new();
    for path in files {
        let named =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".csv.gz"));
        let Some(name) = named else { continue };
        let what = || format!("could not read {}", path.display());
        sets.push(read(name, &std::fs::read(&path).with_context(what)?).with_context(what)?);
    }
    if sets.is_empty() {
        bail!(
            "{} holds no homes; a file is NAME_15min.csv.gz, NAME_30min.csv.gz or NAME_hourly.csv.gz",
            folder.display()
        );
    }
    Ok(sets)
}

/// A set by the name of its file, which ends in the length of its intervals.
fn read(file_name: &str, file: &[u8]) -> Result<Homes> {
    let (name, interval) = match file_name.rsplit_once('_') {
        Some((name, "15min")) => (name.to_owned(), IntervalLength::QUARTER_HOUR),
        Some((name, "30min")) => (name.to_owned(), IntervalLength::HALF_HOUR),
        Some((name, "hourly")) => (name.to_owned(), IntervalLength::HOUR),
        _ => bail!("the name of the file ends in none of _15min, _30min and _hourly"),
    };
    let lines = BufReader::new(GzDecoder::new(file)).lines().skip(1);
    let mut set = Homes { name, interval, homes: Vec::new(), held_out: Vec::new() };
    for (number, line) in lines.enumerate() {
        let line = line?;
        set.homes.push(days(&line, interval).with_context(|| format!("line {}", number + 2))?);
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
        let sets = sets(None).unwrap();
        let counts: Vec<_> = sets.iter().map(|set| (set.name.as_str(), set.homes.len())).collect();
        assert_eq!(counts, [("swiss", 60), ("sgsc", 7), ("london", 3), ("fontana", 12)]);
    }
}
