//! A table of air temperatures: a row an observation, as weather services and archives give them away.

use super::heading::{by_name_or_number, guess_delimiter, plain};
use super::mapping::{Mapping, MappingError, Meaning, StampsAt};
use super::row::Row;
use crate::lines::{Line, Lines};
use crate::number::{Decimal, power};
use crate::refusal::{ReadError, Reason, Refusal};
use crate::stamp::{Clock, StampReader};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::io::Read;

/// The coldest and the warmest air that is believed, tenths of a degree Celsius.
const BELIEVED: core::ops::RangeInclusive<i128> = -900..=600;

const TIME: &[&str] = &[
    "time",
    "timestamp",
    "ts",
    "dt",
    "datetime",
    "date_time",
    "start",
    "stamp",
    "valid",
    "valid_time",
    "hour",
    "utc",
    "ts_utc",
    "time_utc",
    "utc_time",
    "local_time",
    "ts_hour_ending",
    "hour_ending",
    "time_ending",
    "end",
    "date",
];
const STATION: &[&str] = &["station", "station_id", "site", "location", "wmo", "wmo_id", "usaf"];

/// An air temperature as observed, or forecast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Where it stands.
    pub line: u64,
    /// The instant, or the start of the span that it is the mean of.
    pub at: Timestamp,
    /// Air temperature, tenths of a degree Celsius.
    pub temperature_dc: i16,
    /// The station, where the table has a column for it.
    pub station: Option<String>,
}

/// What a line of the table came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeatherItem {
    /// A temperature.
    Observed(Observation),
    /// A line with a time and no temperature: nothing was measured.
    Empty,
    /// A line that nothing can be made of.
    Refused(Refusal),
}

/// Reads a table of temperatures, line by line.
///
/// The heading says which column is what, where a mapping does not: `columns.time`, `columns.value` for the temperature and
/// `columns.meter` for the station. Degrees are Celsius unless the heading (`temp_f`, `tempF`, `temperature (°F)`) or the mapping's
/// `value.unit` says Fahrenheit. Stamps are the start of what they stand for, unless the mapping or the heading (`hour_ending`) says
/// the end. What is finer than a tenth of a degree is rounded to it, halves away from zero.
pub struct WeatherReader {
    lines: Lines<Box<dyn Read>>,
    row: Row,
    stamps: StampReader,
    clock: Clock,
    meaning: Meaning,
    delimiter: u8,
    places: Places,
}

#[derive(Clone, Copy, Debug)]
struct Places {
    time: usize,
    temperature: usize,
    station: Option<usize>,
    fahrenheit: bool,
    ending: bool,
}

impl core::fmt::Debug for WeatherReader {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("WeatherReader").field("places", &self.places).finish_non_exhaustive()
    }
}

/// Why a table of temperatures cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WeatherError {
    /// The mapping contradicts itself.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// The table cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl WeatherReader {
    /// Reads the heading; `usual` is the zone of stamps without an offset where the mapping names none.
    ///
    /// # Errors
    /// [`WeatherError`] for a heading without a time or a temperature.
    pub fn new(
        input: impl Read + 'static,
        mapping: &Mapping,
        usual: &TimeZone,
    ) -> Result<Self, WeatherError> {
        let meaning = mapping.meaning()?;
        let mut lines = Lines::new(Box::new(input) as Box<dyn Read>);
        for _ in 0..mapping.skip_lines {
            lines.next_line().map_err(ReadError::Io)?;
        }
        let heading = loop {
            match lines.next_line().map_err(ReadError::Io)? {
                Some((_, Line::Whole(line))) if line.trim_ascii().is_empty() => {}
                Some((number, Line::Whole(line) | Line::TooLong(line))) => {
                    break Some((number, line.to_vec()));
                }
                None => break None,
            }
        };
        let (number, heading) = heading.ok_or(ReadError::Heading { line: 1, column: "the time" })?;
        let given = mapping.delimiter.and_then(|char| u8::try_from(char).ok());
        let delimiter = given.unwrap_or_else(|| guess_delimiter(&heading));
        let places = Places::find(&heading, delimiter, mapping)
            .map_err(|column| ReadError::Heading { line: number, column })?;
        let zone = meaning.zone.clone().unwrap_or_else(|| usual.clone());
        Ok(Self {
            lines,
            row: Row::default(),
            stamps: StampReader::new(meaning.form.clone()),
            clock: Clock::new(zone),
            meaning,
            delimiter,
            places,
        })
    }

    /// What the next line came to; nothing at the end of the table.
    ///
    /// # Errors
    /// [`ReadError::Io`].
    pub fn next_item(&mut self) -> Result<Option<WeatherItem>, ReadError> {
        loop {
            let Some((number, line)) = self.lines.next_line()? else { return Ok(None) };
            let line = match line {
                Line::Whole(line) if line.trim_ascii().is_empty() => continue,
                Line::Whole(line) => line,
                Line::TooLong(head) => {
                    let reason = Reason::LineTooLong { limit: crate::limits::LINE };
                    return Ok(Some(WeatherItem::Refused(Refusal::new(number, reason, head))));
                }
            };
            let whole = self.row.split(line, self.delimiter);
            let cells = Cells { row: &self.row, line, places: self.places };
            let found = if whole {
                observe(number, &cells, &mut self.stamps, &mut self.clock, &self.meaning)
            } else {
                Err(Reason::Damaged("a quote is not closed".to_owned()))
            };
            return Ok(Some(match found {
                Ok(Some(observed)) => WeatherItem::Observed(observed),
                Ok(None) => WeatherItem::Empty,
                Err(reason) => WeatherItem::Refused(Refusal::new(number, reason, line)),
            }));
        }
    }
}

impl Places {
    fn find(heading: &[u8], delimiter: u8, mapping: &Mapping) -> Result<Self, &'static str> {
        let mut row = Row::default();
        row.split(heading, delimiter);
        let names: Vec<String> =
            row.fields(heading).map(|field| plain(&String::from_utf8_lossy(field))).collect();
        let given = |name: &Option<String>, what| match name {
            Some(name) => by_name_or_number(name, &names).map(Some).ok_or(what),
            None => Ok(None),
        };
        let usual =
            |usual: &[&str]| usual.iter().find_map(|usual| names.iter().position(|name| name == usual));
        let columns = &mapping.columns;
        let time = given(&columns.time, "the time")?.or_else(|| usual(TIME)).ok_or("the time")?;
        let temperature = given(&columns.value, "the temperature")?
            .or_else(|| names.iter().position(|name| is_temperature(name)))
            .ok_or("the temperature")?;
        let station = given(&columns.meter, "the station")?.or_else(|| usual(STATION));
        let name = names.get(temperature).map_or("", String::as_str);
        let fahrenheit = match mapping.value.unit.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None => is_fahrenheit(name),
            Some("f" | "°f" | "degf" | "fahrenheit") => true,
            Some("c" | "°c" | "degc" | "celsius") => false,
            Some(_) => return Err("the temperature in C or F, which value.unit may say"),
        };
        let ending = mapping.time.stamps == StampsAt::End
            || names.get(time).is_some_and(|name| name.ends_with("ending") || name == "end");
        Ok(Self { time, temperature, station, fahrenheit, ending })
    }
}

/// Whether a column of this name holds the air's temperature: not that of the dew point, the soil or what is felt.
fn is_temperature(name: &str) -> bool {
    let other = ["dew", "wet", "soil", "apparent", "feel", "water"].iter().any(|word| name.contains(word));
    let ours = name.starts_with("temp")
        || name == "t2m"
        || ["air_temp", "dry_bulb", "drybulb", "outdoor_temp", "outside_temp"]
            .iter()
            .any(|word| name.contains(word));
    ours && !other
}

fn is_fahrenheit(name: &str) -> bool {
    let name = name.trim_end_matches([')', ']']);
    name == "tempf"
        || name.ends_with("_f")
        || name.ends_with("degf")
        || name.ends_with("°f")
        || name.ends_with("(f")
        || name.ends_with("fahrenheit")
}

struct Cells<'a> {
    row: &'a Row,
    line: &'a [u8],
    places: Places,
}

fn observe(
    line: u64,
    cells: &Cells<'_>,
    stamps: &mut StampReader,
    clock: &mut Clock,
    meaning: &Meaning,
) -> Result<Option<Observation>, Reason> {
    let Cells { row, line: text, places } = cells;
    let (time, value) = (row.field(text, places.time), row.field(text, places.temperature));
    if time.is_empty() {
        return Err(Reason::Missing { field: "time" });
    }
    let not_a_time =
        || Reason::field("time", time, "a time as 2026-03-04T10:00, with an offset or in the zone of --zone");
    let stamp = stamps.read(time).ok_or_else(not_a_time)?;
    let mut second = clock.instant(stamp, None)?;
    // The end of an hour is the start of the next one; a second earlier it is still the one that is meant.
    if places.ending {
        second -= 1;
    }
    let at = Timestamp::from_second(second).map_err(|_| not_a_time())?;
    if value.is_empty()
        || [&b"na"[..], b"nan", b"null", b"m"].iter().any(|word| value.eq_ignore_ascii_case(word))
    {
        return Ok(None);
    }
    let wanted = "an air temperature from -90 to 60 degrees Celsius";
    let believed = Decimal::parse(value, meaning.decimal)
        .and_then(|number| tenths(number, places.fahrenheit))
        .filter(|tenths| BELIEVED.contains(tenths))
        .and_then(|tenths| i16::try_from(tenths).ok());
    let temperature_dc = believed.ok_or_else(|| Reason::field("temperature", value, wanted))?;
    let station = places.station.map(|place| String::from_utf8_lossy(row.field(text, place)).into_owned());
    Ok(Some(Observation { line, at, temperature_dc, station }))
}

/// Tenths of a degree Celsius, halves rounded away from zero; none for what no thermometer shows.
fn tenths(number: Decimal, fahrenheit: bool) -> Option<i128> {
    // Millionths, as nobody gives more digits that mean something.
    let shift = i16::from(number.exponent) + 6;
    let mantissa = i128::from(number.mantissa);
    let factor = i128::from(power(u8::try_from(shift.unsigned_abs()).ok()?)?);
    let millionths = if shift >= 0 { mantissa.checked_mul(factor)? } else { mantissa / factor };
    let (top, bottom) =
        if fahrenheit { ((millionths - 32_000_000) * 5, 900_000) } else { (millionths, 100_000) };
    Some((2 * top.abs() + bottom) / (2 * bottom) * top.signum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str, mapping: &str) -> Result<Vec<String>, String> {
        let mapping = Mapping::parse(mapping).unwrap();
        let zone = TimeZone::get("Europe/Zurich").unwrap();
        let mut reader =
            WeatherReader::new(text.as_bytes(), &mapping, &zone).map_err(|error| error.to_string())?;
        let mut said = Vec::new();
        while let Some(item) = reader.next_item().unwrap() {
            said.push(match item {
                WeatherItem::Observed(one) => {
                    let station = one.station.map(|station| format!(" {station}")).unwrap_or_default();
                    format!("{} {}{station}", one.at, one.temperature_dc)
                }
                WeatherItem::Empty => "-".to_owned(),
                WeatherItem::Refused(refusal) => format!("{}: {}", refusal.line, refusal.reason.name()),
            });
        }
        Ok(said)
    }

    #[test]
    fn tables_as_they_are_given_away() {
        let rows: [(&str, &str, &str, &[&str]); 7] = [
            (
                "ISO with an offset, Fahrenheit",
                "dt,tempF\n2015-11-22T00:00:00-06:00,21.01\n",
                "",
                &["2015-11-22T06:00:00Z -61"],
            ),
            (
                "hour ending",
                "ts_hour_ending,outdoor_dry_bulb_temperature\n2016-08-01 01:00,20.05\n",
                "",
                &["2016-07-31T22:59:59Z 201"],
            ),
            ("a number first", ",dt,tempC\n0,2020-04-01 02:00:00,-5.15\n", "", &["2020-04-01T00:00:00Z -52"]),
            (
                "lines above",
                "latitude,longitude\n52,13\n\ntime,dew_point_2m (°C),temperature_2m (°C)\n2026-01-01T00:00,1,2.3\n",
                "skip_lines = 3\n[time]\nzone = \"UTC\"",
                &["2026-01-01T00:00:00Z 23"],
            ),
            (
                "stations",
                "station;time;temp_f\nKZH;2026-01-01T00:00Z;32\n",
                "",
                &["2026-01-01T00:00:00Z 0 KZH"],
            ),
            (
                "a comma for a point",
                "Zeit;Luft\n01.02.2026 03:00;-1,25\n",
                "decimal = \",\"\n[columns]\ntime = \"Zeit\"\nvalue = \"2\"\n[time]\nformat = \"%d.%m.%Y %H:%M\"\n",
                &["2026-02-01T02:00:00Z -13"],
            ),
            (
                "what cannot be read",
                "time,temp\n2026-01-01T00:00Z,\n2026-01-01T01:00Z,NaN\n,3\nyesterday,3\n2026-01-01T02:00Z,-9999\n2026-01-01T03:00Z,warm\n2026-03-29T02:30,3\n\"x,3\n",
                "",
                &[
                    "-",
                    "-",
                    "4: missing_field",
                    "5: bad_field",
                    "6: bad_field",
                    "7: bad_field",
                    "8: skipped_hour",
                    "9: damaged",
                ],
            ),
        ];
        for (name, text, mapping, expected) in rows {
            assert_eq!(read(text, mapping).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn a_table_without_the_columns_says_which() {
        for (text, mapping, lacks) in [
            ("", "", "the time"),
            ("when,temp\n", "", "the time"),
            ("time,dew_point\n", "", "the temperature"),
            ("time,temp\n", "[columns]\nvalue = \"t2m\"\n", "the temperature"),
            ("time,temp\n", "[value]\nunit = \"K\"\n", "in C or F"),
        ] {
            let error = read(text, mapping).unwrap_err();
            assert!(error.contains(lacks), "{text:?}: {error}");
        }
    }
}
