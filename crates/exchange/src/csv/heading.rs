//! What a table's first line says of its columns.

use super::mapping::{Columns, Mapping};
use super::row::Row;
use super::words::Told;
use crate::quantity::Measure;
use crate::refusal::ReadError;
use crate::stamp::StampReader;

/// The place of each column in a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) meter: Option<usize>,
    pub(crate) service_point: Option<usize>,
    pub(crate) time: usize,
    pub(crate) clock: Option<usize>,
    pub(crate) value: usize,
    pub(crate) quality: Option<usize>,
    pub(crate) unit: Option<usize>,
    pub(crate) channel: Option<usize>,
    pub(crate) interval: Option<usize>,
    /// The unit that the heading of the value names, as `energy_wh` or `value (kWh)`.
    pub(crate) named_unit: Option<String>,
    /// Whether the line is a heading and holds no reading.
    pub(crate) is_heading: bool,
}

const METER: &[&str] = &[
    "meter",
    "meter_id",
    "meterid",
    "meter_number",
    "meter_no",
    "meter_serial",
    "serial",
    "lclid",
    "device",
];
const SERVICE_POINT: &[&str] =
    &["service_point", "usage_point", "nmi", "mpan", "premise", "site", "household"];
const TIME: &[&str] = &[
    "time",
    "timestamp",
    "ts",
    "start",
    "start_time",
    "datetime",
    "date_time",
    "stamp",
    "utc",
    "tstp",
    "interval_start",
    "interval_start_time",
    "time_utc",
    "timestamp_utc",
    "ts_utc",
    "datetime_utc",
    "start_utc",
    "utc_time",
    "utc_timestamp",
    "local_time",
];
const VALUE: &[&str] =
    &["value", "reading", "energy", "consumption", "usage", "load", "volume", "v1", "00:00"];
const QUALITY: &[&str] = &["quality", "flag", "status"];
const UNIT: &[&str] = &["unit", "uom", "units"];
const INTERVAL: &[&str] = &["interval_s"];
const CHANNEL: &[&str] = &["channel", "register", "kind", "suffix"];

impl Places {
    /// What a row says of its series.
    #[inline]
    pub(crate) fn told<'a>(&self, row: &'a Row, line: &'a [u8]) -> Told<'a> {
        let field = |place: Option<usize>| place.map(|place| row.field(line, place));
        Told {
            meter: field(self.meter),
            service_point: field(self.service_point),
            channel: field(self.channel),
            unit: field(self.unit),
            interval: field(self.interval),
        }
    }
}

/// A delimiter that the line seems to be written with.
pub(crate) fn guess_delimiter(line: &[u8]) -> u8 {
    let count = |delimiter: u8| memchr::memchr_iter(delimiter, line).count();
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

/// Finds the columns in the first line of a table.
pub(crate) fn places(
    number: u64,
    line: &[u8],
    delimiter: u8,
    mapping: &Mapping,
    stamps: &mut StampReader,
) -> Result<Places, ReadError> {
    let mut row = Row::default();
    row.split(line, delimiter);
    let names: Vec<String> = row.fields(line).map(|field| plain(&String::from_utf8_lossy(field))).collect();
    let holds_stamp = row.fields(line).any(|field| stamps.read(field).is_some_and(|s| s.civil > 0));
    if holds_stamp && mapping.columns == Columns::default() {
        return positional(number, &row, line, stamps);
    }
    let mut found =
        by_names(&names, mapping).map_err(|column| ReadError::Heading { line: number, column })?;
    found.is_heading = !holds_stamp;
    Ok(found)
}

/// A heading as it is compared.
pub(crate) fn plain(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace([' ', '-'], "_")
}

/// The columns of a table whose headings are [`plain`] `names`.
///
/// # Errors
/// The column that is missing.
pub(crate) fn by_names(names: &[String], mapping: &Mapping) -> Result<Places, &'static str> {
    let columns = &mapping.columns;
    // A name that the mapping gives and the table has not is never replaced by a guess.
    let find = |given: &Option<String>, usual: &[&str], what| match given {
        Some(name) => by_name_or_number(name, names).map(Some).ok_or(what),
        None => Ok(usual.iter().find_map(|usual| names.iter().position(|name| name == usual))),
    };
    let by_unit = || names.iter().position(|name| unit_of(name).is_some());
    let value = find(&columns.value, VALUE, "the value")?.or_else(by_unit).ok_or("the value")?;
    Ok(Places {
        meter: find(&columns.meter, METER, "the meter")?,
        service_point: find(&columns.service_point, SERVICE_POINT, "the service point")?,
        time: find(&columns.time, TIME, "the time")?.ok_or("the time")?,
        clock: find(&columns.clock, &[], "the time of day")?,
        value,
        quality: find(&columns.quality, QUALITY, "the quality")?,
        unit: find(&columns.unit, UNIT, "the unit")?,
        channel: find(&columns.channel, CHANNEL, "the channel")?,
        interval: find(&None, INTERVAL, "the interval")?,
        named_unit: names.get(value).and_then(|name| unit_of(name)),
        is_heading: true,
    })
}

/// The column that a mapping means by a name or by a number from 1.
pub(crate) fn by_name_or_number(given: &str, names: &[String]) -> Option<usize> {
    let wanted = plain(given);
    names.iter().position(|name| *name == wanted).or_else(|| given.parse::<usize>().ok()?.checked_sub(1))
}

/// The unit in a heading: `kwh`, `energy_wh`, `value (kWh)`, `energy(kwh/hh)`.
fn unit_of(name: &str) -> Option<String> {
    let mut parts = name.split(['(', '[', '_', '/', ')', ']']).filter(|part| !part.is_empty());
    parts
        .rfind(|part| part.len() > 1 && !matches!(Measure::parse(part).0, Measure::Other(_)))
        .map(str::to_owned)
}

/// A table without a heading: meter, time, value, and then quality, unit and channel; or time and value alone.
fn positional(number: u64, row: &Row, line: &[u8], stamps: &mut StampReader) -> Result<Places, ReadError> {
    let time = row.fields(line).position(|field| stamps.read(field).is_some_and(|s| s.civil > 0));
    let missing = |column| ReadError::Heading { line: number, column };
    let time = time.filter(|at| *at < 2).ok_or_else(|| missing("the time"))?;
    if row.len() < time + 2 {
        return Err(missing("the value"));
    }
    let optional = |offset: usize| (row.len() > time + offset).then_some(time + offset);
    Ok(Places {
        meter: (time == 1).then_some(0),
        time,
        value: time + 1,
        quality: optional(2),
        unit: optional(3),
        channel: optional(4),
        ..Places::default()
    })
}
