//! A file of air temperatures, on its way into the utility's weather.

use super::import::{digest, unreadable};
use super::{FileError, FileWish};
use exchange::ReadError;
use exchange::container::{self, Source};
use exchange::csv::{Observation, WeatherError, WeatherItem, WeatherReader};
use jiff::Timestamp;
use mdm::Mdm;
use std::collections::{BTreeMap, BTreeSet};
use store::{ImportRefusal, ImportedFile, Read, StoreError, WeatherHour};

/// Refusals that are kept of a file; the others are counted.
const KEPT: usize = 10_000;
const HOUR_S: i64 = 3600;

/// What became of a file of temperatures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeatherReport {
    /// The number under which the file is kept; `None` of a dry run.
    pub file: Option<u32>,
    /// It was taken in before, to the byte.
    pub known: bool,
    /// Temperatures that were read.
    pub observations: u64,
    /// Lines with a time and no temperature.
    pub empty: u64,
    /// Temperatures of stations that were not asked for.
    pub elsewhere: u64,
    /// Hours that the utility had no temperature of.
    pub new: u64,
    /// Hours of which it had another.
    pub replaced: u64,
    /// Hours of which it had the same.
    pub same: u64,
    /// The first and the last of the hours.
    pub span: Option<(Timestamp, Timestamp)>,
    /// How many lines were left out.
    pub refused: u64,
    /// The first of them.
    pub refusals: Vec<ImportRefusal>,
}

/// Why nothing of a file of temperatures was taken in.
#[derive(Debug, thiserror::Error)]
pub enum WeatherFileError {
    /// The file cannot be read, or cannot be kept.
    #[error(transparent)]
    File(#[from] FileError),
    /// The mapping contradicts itself.
    #[error("{name}: {source}")]
    Mapping {
        /// The file.
        name: String,
        /// Why.
        source: exchange::csv::MappingError,
    },
    /// Temperatures of several places, and nobody said whose.
    #[error("{name} holds the stations {stations}; name the one that stands for this utility with --station")]
    WhichStation {
        /// The file.
        name: String,
        /// Their names, with commas.
        stations: String,
    },
    /// The station that was named is not in the file.
    #[error(
        "{name} holds nothing of the station {wanted:?}, but of {stations}; name one of them with --station"
    )]
    NoSuchStation {
        /// The file.
        name: String,
        /// The one that was named.
        wanted: String,
        /// The names that are there, with commas.
        stations: String,
    },
    /// No line could be read.
    #[error(
        "{name} holds no temperature that can be read; a line is a time and degrees, as 2026-03-04T10:00Z,3.5"
    )]
    Nothing {
        /// The file.
        name: String,
    },
}

/// Takes a file of temperatures in, whole or not at all: one transaction, on disk when this returns.
///
/// An hour gets the mean of what was observed in it. The same file again changes nothing; another temperature of an hour replaces
/// the one before. Of several stations only `station` is taken, since a utility has one weather. The files of an archive count as
/// one, each with a heading.
///
/// # Errors
/// [`WeatherFileError`]; then nothing was taken in.
pub fn import_weather<S: Source>(
    mdm: &Mdm,
    now: Timestamp,
    source: &S,
    wish: &FileWish<'_>,
    station: Option<&str>,
) -> Result<WeatherReport, WeatherFileError> {
    let mut gathered = Gathered { station, ..Gathered::default() };
    let bad = |error| WeatherFileError::from(unreadable(wish.name, error));
    for index in 0..container::count(source).map_err(bad)? {
        let Some(member) = container::member(source, index).map_err(bad)? else { continue };
        let reader = WeatherReader::new(member.input, &wish.options.mapping, mdm.zone());
        let mut reader = reader.map_err(|error| match error {
            WeatherError::Read(error) => bad(error),
            WeatherError::Mapping(source) => WeatherFileError::Mapping { name: wish.name.to_owned(), source },
        })?;
        while let Some(item) = reader.next_item().map_err(bad)? {
            gathered.take(item);
        }
    }
    gathered.check(wish.name)?;
    let digest = digest(source, wish.options).map_err(|error| bad(ReadError::Io(error)))?;
    let digest = format!("{digest}:weather:{}", station.unwrap_or(""));
    keep(mdm, now, wish, &digest, gathered)
        .map_err(|error| FileError::Ours { name: wish.name.to_owned(), source: error.into() }.into())
}

fn keep(
    mdm: &Mdm,
    now: Timestamp,
    wish: &FileWish<'_>,
    digest: &str,
    gathered: Gathered<'_>,
) -> Result<WeatherReport, StoreError> {
    let hours = gathered.hours();
    let mut report = gathered.report;
    report.span = hours.first().zip(hours.last()).map(|(first, last)| (first.at, last.at));
    if wish.dry_run {
        return mdm.store().read(|read| {
            count(read, &hours, &mut report)?;
            report.known = read.imported_file(digest)?.is_some();
            Ok(report)
        });
    }
    mdm.store().write(|write| {
        write.put_weather(&count(write, &hours, &mut report)?)?;
        report.known = write.imported_file(digest)?.is_some();
        let file = ImportedFile {
            id: 0,
            name: wish.name.to_owned(),
            format: "weather".to_owned(),
            digest: digest.to_owned(),
            loaded_at: now,
            offered: report.observations,
            stored: report.new + report.replaced,
            duplicates: report.same,
            substituted: 0,
            registers: 0,
            refused: report.refused,
            by: wish.by,
        };
        report.file = Some(write.put_imported_file(&file, &report.refusals)?);
        Ok(report)
    })
}

/// The hours that are new or other than what is there, which are all that need writing.
fn count(
    read: &Read,
    hours: &[WeatherHour],
    report: &mut WeatherReport,
) -> Result<Vec<WeatherHour>, StoreError> {
    let (Some(first), Some(last)) = (hours.first(), hours.last()) else { return Ok(Vec::new()) };
    let end = Timestamp::from_second(last.at.as_second() + HOUR_S).unwrap_or(Timestamp::MAX);
    let there: BTreeMap<Timestamp, i16> =
        read.weather(first.at, end)?.into_iter().map(|hour| (hour.at, hour.temperature_dc)).collect();
    let mut changed = Vec::new();
    for hour in hours {
        match there.get(&hour.at) {
            Some(known) if *known == hour.temperature_dc => {
                report.same += 1;
                continue;
            }
            Some(_) => report.replaced += 1,
            None => report.new += 1,
        }
        changed.push(*hour);
    }
    Ok(changed)
}

/// The lines of a file so far.
#[derive(Default)]
struct Gathered<'a> {
    station: Option<&'a str>,
    stations: BTreeSet<String>,
    /// By second: the temperature, and the line that says so.
    observed: BTreeMap<i64, (i16, u64)>,
    report: WeatherReport,
}

impl Gathered<'_> {
    fn take(&mut self, item: WeatherItem) {
        match item {
            WeatherItem::Empty => self.report.empty += 1,
            WeatherItem::Observed(one) => self.observe(one),
            WeatherItem::Refused(refusal) => {
                let reason = (refusal.reason.name(), refusal.reason.to_string(), refusal.reason.remedy());
                self.refuse(refusal.line, reason, refusal.text);
            }
        }
    }

    fn observe(&mut self, one: Observation) {
        if let Some(station) = one.station {
            let wanted = self.station.is_none_or(|wanted| wanted == station);
            self.stations.insert(station);
            if !wanted {
                self.report.elsewhere += 1;
                return;
            }
        }
        self.report.observations += 1;
        let second = one.at.as_second();
        let Some((known, line)) = self.observed.get(&second).copied() else {
            self.observed.insert(second, (one.temperature_dc, one.line));
            return;
        };
        // Where several stations are in one file and none was named, nothing is taken in anyhow.
        if known != one.temperature_dc && self.stations.len() < 2 {
            let sentence = format!("line {line} has another temperature for the same time, {}", one.at);
            let remedy = "ask the sender which of the two is right";
            self.refuse(one.line, ("contradiction", sentence, remedy), one.at.to_string());
        }
    }

    fn refuse(&mut self, line: u64, (reason, sentence, remedy): (&str, String, &str), excerpt: String) {
        self.report.refused += 1;
        if self.report.refusals.len() < KEPT {
            let (reason, remedy) = (reason.to_owned(), remedy.to_owned());
            self.report.refusals.push(ImportRefusal { line, reason, sentence, remedy, excerpt });
        }
    }

    fn check(&self, name: &str) -> Result<(), WeatherFileError> {
        let names: Vec<&str> = self.stations.iter().map(String::as_str).collect();
        let (name, stations) = (name.to_owned(), names.join(", "));
        match self.station {
            None if self.stations.len() > 1 => Err(WeatherFileError::WhichStation { name, stations }),
            Some(wanted) if !self.stations.is_empty() && !self.stations.contains(wanted) => {
                Err(WeatherFileError::NoSuchStation { name, wanted: wanted.to_owned(), stations })
            }
            _ if self.observed.is_empty() && self.report.empty == 0 => {
                Err(WeatherFileError::Nothing { name })
            }
            _ => Ok(()),
        }
    }

    /// The mean of every hour in which something was observed, halves rounded up.
    fn hours(&self) -> Vec<WeatherHour> {
        let mut sums: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for (second, (temperature, _)) in &self.observed {
            let sum = sums.entry(second.div_euclid(HOUR_S)).or_default();
            *sum = (sum.0 + i64::from(*temperature), sum.1 + 1);
        }
        let hour = |(hour, (sum, count)): (i64, (i64, i64))| {
            let mean = (2 * sum + count).div_euclid(2 * count);
            let at = Timestamp::from_second(hour * HOUR_S).ok()?;
            Some(WeatherHour { at, temperature_dc: i16::try_from(mean).ok()?, irradiance_w_m2: None })
        };
        sums.into_iter().filter_map(hour).collect()
    }
}
