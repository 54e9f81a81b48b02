//! A mapping file: what the columns of somebody's table mean.

use crate::stamp::StampForm;
use jiff::tz::TimeZone;
use model::{ChannelKind, IntervalLength, Quality};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a table's columns mean. Everything may be left out; then the heading decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// Long, or one of the wide shapes.
    pub shape: Shape,
    /// Between fields: `,` where nothing is said and the heading has no other.
    pub delimiter: Option<char>,
    /// The decimal point: `.` where nothing is said.
    pub decimal: Option<char>,
    /// Lines before the heading that are passed over.
    pub skip_lines: u32,
    /// Which column is what.
    pub columns: Columns,
    /// How times are written.
    pub time: Times,
    /// What values are.
    pub value: Values,
    /// Each of the table's quality words and ours: `"E" = "estimated_linear"`.
    pub quality: BTreeMap<String, String>,
    /// Each of the table's meter names and the meter's serial, where they differ.
    pub meters: BTreeMap<String, String>,
}

/// How readings lie in the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A row a reading.
    #[default]
    Long,
    /// A row a day of a meter, a column an interval.
    WideDays,
    /// A row an instant, a column a meter.
    WideMeters,
    /// A row a reading of a cumulative register.
    Registers,
}

/// Which column is what, by its heading or by its number from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// The meter's serial or another name of it.
    pub meter: Option<String>,
    /// The place of delivery.
    pub service_point: Option<String>,
    /// The stamp, or the day of a row of a wide table.
    pub time: Option<String>,
    /// The time of day, where it stands apart from the date in `time`.
    pub clock: Option<String>,
    /// The value; of a wide table, the first column of values.
    pub value: Option<String>,
    /// The quality.
    pub quality: Option<String>,
    /// The unit.
    pub unit: Option<String>,
    /// The channel.
    pub channel: Option<String>,
}

/// How times are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Times {
    /// The zone of stamps without an offset, `America/Los_Angeles` or `+10:00`.
    pub zone: Option<String>,
    /// Whether a stamp is the start or the end of its interval.
    pub stamps: StampsAt,
    /// `iso`, `unix`, or a pattern of `strptime`.
    pub format: Option<String>,
    /// Length of an interval in seconds; found from the first stamps where nothing is said.
    pub interval_s: Option<u32>,
}

/// What a stamp stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StampsAt {
    /// The start of the interval.
    #[default]
    Start,
    /// The end of the interval.
    End,
}

/// What values are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Values {
    /// The unit, where no column says.
    pub unit: Option<String>,
    /// What every value is multiplied by, written as a decimal number.
    pub multiplier: Option<String>,
    /// What the channel holds, where no column says: `import`, `gas`.
    pub kind: Option<String>,
}

/// Why a mapping file is none.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// It is no TOML, or has a key that nobody reads.
    #[error("the mapping cannot be read: {}", .0.to_string().trim_end())]
    Toml(Box<toml::de::Error>),
    /// A key holds what it cannot hold.
    #[error("{key} is {found:?}, which is not {wanted}")]
    Value {
        /// The key.
        key: &'static str,
        /// What it holds.
        found: String,
        /// What it may hold.
        wanted: &'static str,
    },
}

impl From<toml::de::Error> for MappingError {
    fn from(error: toml::de::Error) -> Self {
        Self::Toml(Box::new(error))
    }
}

/// A mapping in the types that readers use.
#[derive(Clone, Debug)]
pub(crate) struct Meaning {
    pub(crate) decimal: u8,
    pub(crate) zone: Option<TimeZone>,
    pub(crate) form: StampForm,
    pub(crate) interval: Option<IntervalLength>,
    pub(crate) multiplier: Option<crate::number::Decimal>,
    pub(crate) kind: Option<ChannelKind>,
    pub(crate) quality: BTreeMap<Vec<u8>, Quality>,
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`MappingError`], naming the key.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let mapping: Self = toml::from_str(text)?;
        mapping.meaning()?;
        Ok(mapping)
    }

    /// Whether every key holds what it can hold.
    ///
    /// # Errors
    /// [`MappingError`], naming the key.
    pub fn check(&self) -> Result<(), MappingError> {
        self.meaning().map(drop)
    }

    /// A mapping that says only the zone of stamps without an offset.
    pub fn in_zone(zone: &str) -> Self {
        Self { time: Times { zone: Some(zone.to_owned()), ..Times::default() }, ..Self::default() }
    }

    pub(crate) fn meaning(&self) -> Result<Meaning, MappingError> {
        let value = |key, found: &str, wanted| MappingError::Value { key, found: found.to_owned(), wanted };
        let byte = |key, given: Option<char>, usual| match given {
            None => Ok(usual),
            Some(char) if char.is_ascii() => {
                u8::try_from(char).map_err(|_| value(key, &char.to_string(), "ASCII"))
            }
            Some(char) => Err(value(key, &char.to_string(), "an ASCII character")),
        };
        byte("delimiter", self.delimiter, b',')?;
        let zone = match &self.time.zone {
            None => None,
            Some(name) => Some(
                zone(name).ok_or_else(|| value("time.zone", name, "a zone, as Europe/Zurich or +10:00"))?,
            ),
        };
        let form = match self.time.format.as_deref() {
            None | Some("iso") => StampForm::Iso,
            Some("unix") => StampForm::Unix,
            Some(pattern) => StampForm::Pattern(pattern.to_owned()),
        };
        let interval = match self.time.interval_s {
            None => None,
            Some(secs) => Some(IntervalLength::from_secs(secs).map_err(|_| {
                value("time.interval_s", &secs.to_string(), "an even part of an hour, an hour or a day")
            })?),
        };
        let multiplier = match &self.value.multiplier {
            None => None,
            Some(text) => Some(
                crate::number::Decimal::parse(text.as_bytes(), b'.')
                    .ok_or_else(|| value("value.multiplier", text, "a decimal number"))?,
            ),
        };
        let kind = match &self.value.kind {
            None => None,
            Some(name) => Some(
                ChannelKind::from_name(name)
                    .ok_or_else(|| value("value.kind", name, "a channel, as import"))?,
            ),
        };
        let mut quality = BTreeMap::new();
        for (theirs, ours) in &self.quality {
            let word = Quality::from_word(ours)
                .ok_or_else(|| value("quality", ours, "a quality, as estimated_linear"))?;
            quality.insert(theirs.clone().into_bytes(), word);
        }
        let decimal = byte("decimal", self.decimal, b'.')?;
        Ok(Meaning { decimal, zone, form, interval, multiplier, kind, quality })
    }
}

/// A zone by its name, as Europe/Zurich, or a fixed offset, as +10:00.
pub fn zone(name: &str) -> Option<TimeZone> {
    if let Ok(zone) = TimeZone::get(name) {
        return Some(zone);
    }
    let fixed: jiff::tz::Offset = jiff::fmt::temporal::DateTimeParser::new()
        .parse_time_zone(name)
        .ok()
        .and_then(|zone| zone.to_fixed_offset().ok())?;
    Some(fixed.to_time_zone())
}
