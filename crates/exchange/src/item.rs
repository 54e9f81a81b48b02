//! What a file of readings holds, whatever its format.

use crate::number::Decimal;
use crate::quantity::Measure;
use crate::refusal::{ReadError, Refusal};
use jiff::Timestamp;
use model::quality::codes::{Aemo, Cim, Cmep};
use model::{ChannelKind, IntervalLength, Quality};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Hands out a file's items one at a time, in the order of the file.
///
/// Memory is bounded: a reader holds the record at hand and, where a format mixes series line by line, a bounded
/// number of values that it gathers.
pub trait Reader {
    /// The next item, or `None` at the end of the file.
    ///
    /// # Errors
    /// [`ReadError`] where nothing further can be read; what was handed out before stands.
    fn next(&mut self) -> Result<Option<Item>, ReadError>;

    /// Whether times without an offset were met so far, which were taken for those of the options' zone.
    fn met_local_times(&self) -> bool {
        false
    }
}

/// One thing that a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Consecutive intervals of one series.
    Block(IntervalBlock),
    /// A cumulative register at an instant.
    Register(RegisterReading),
    /// A quantity of an arbitrary span of time.
    Period(Period),
    /// What a bill says of usage and cost.
    Summary(Box<Summary>),
    /// What the file says beside readings, as it is written there.
    Note(Note),
    /// A record that was left out.
    Refused(Refusal),
}

/// A statement that is no reading: an order number, a transaction code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The line of the file.
    pub line: u64,
    /// Whose, where it belongs to a series.
    pub series: Option<Arc<Series>>,
    /// The record as written, at most [`crate::limits::EXCERPT`] characters.
    pub text: String,
}

/// Whose values these are, in the file's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// The place of delivery: NMI, usage point, premise. Empty where the file names none.
    pub service_point: String,
    /// The meter's serial. Empty where the file names none.
    pub meter: String,
    /// The register or channel: NMI suffix, reading type. Empty where the file names none.
    pub channel: String,
    /// What it measures, where the file says so.
    pub kind: Option<ChannelKind>,
    /// What is counted.
    pub measure: Measure,
    /// What else the format says of the series, under the format's own names.
    pub extra: BTreeMap<String, String>,
}

/// Consecutive intervals of one series. Value `i` belongs to `[start + i * interval, start + (i + 1) * interval)` and is
/// `values[i] x 10^scaler` of the series' measure; it is 0 where the quality says missing.
///
/// ```text
/// start          +L           +2L          +3L
///   |  values[0]  |  values[1]  |  values[2]  |
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntervalBlock {
    /// Whose.
    pub series: Arc<Series>,
    /// The line of the file where it begins, from 1.
    pub line: u64,
    /// Start of the first interval, UTC.
    pub start: Timestamp,
    /// Length of every interval.
    pub interval: IntervalLength,
    /// Decimal exponent of every value, the unit's own prefix included: kWh with three decimals is 0.
    pub scaler: i8,
    /// One integer an interval.
    pub values: Vec<i64>,
    /// One quality an interval, same length as `values`.
    pub quality: Vec<Quality>,
    /// What the file's quality codes say beyond our byte, in order, without overlap.
    pub beside: Vec<Beside>,
    /// Cost of each interval in hundred-thousandths of the series' currency; empty where the file gives none.
    pub costs: Vec<Option<i64>>,
    /// When the sender last changed the values, if it says.
    pub updated: Option<Timestamp>,
    /// When the market's system took the values in, if the file says (NEM12's MSATS load time).
    pub loaded: Option<Timestamp>,
}

/// A run of intervals and what the file said of their quality beyond our byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// The first interval of the run, from 0.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// What was said.
    pub code: Foreign,
}

/// A quality as another format writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// ESPI `QualityOfReading`, as many as were given.
    Espi(Vec<u16>),
    /// CIM `system.category.index`, as many as were given.
    Cim(Vec<Cim>),
    /// AEMO flag and method, with the reason.
    Aemo(Aemo, Remark),
    /// CMEP letter and status bits.
    Cmep(Cmep),
    /// A word of somebody's table.
    Word(String),
}

/// Why a value was substituted: reason code and free text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remark {
    /// The code; 0 stands for free text.
    pub code: Option<u16>,
    /// The text.
    pub text: String,
}

/// A cumulative register as read at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterReading {
    /// Whose.
    pub series: Arc<Series>,
    /// The line of the file.
    pub line: u64,
    /// Time-of-use register, or 0 for the total.
    pub tou: u8,
    /// The instant the value belongs to, UTC.
    pub at: Timestamp,
    /// The value, in the series' measure.
    pub value: Decimal,
    /// How far it can be trusted.
    pub quality: Quality,
    /// What the file's quality code says beyond our byte.
    pub beside: Option<Foreign>,
}

/// A quantity of a span that is no interval of a profile: a month between two visits, a day of 23 hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// Whose.
    pub series: Arc<Series>,
    /// The line of the file.
    pub line: u64,
    /// Its beginning, UTC.
    pub start: Timestamp,
    /// Its end, UTC, not included.
    pub end: Timestamp,
    /// The quantity, in the series' measure; `None` where only a cost is given.
    pub value: Option<Decimal>,
    /// Its cost in hundred-thousandths of the series' currency, where given.
    pub cost: Option<i64>,
    /// How far it can be trusted.
    pub quality: Quality,
    /// What the file's quality code says beyond our byte.
    pub beside: Option<Foreign>,
}

/// Usage and cost of a billing period, as the sender sums them up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The place of delivery.
    pub service_point: String,
    /// The line of the file.
    pub line: u64,
    /// Start of the billing period and its length in seconds.
    pub period: Option<(Timestamp, u32)>,
    /// Each figure under the format's own name, as written.
    pub figures: Vec<(String, String)>,
}

impl Foreign {
    /// As its own format writes it, with the reason where there is one.
    pub fn text(&self) -> String {
        let join = |codes: Vec<String>| codes.join(" ");
        match self {
            Self::Espi(codes) => join(codes.iter().map(u16::to_string).collect()),
            Self::Cim(codes) => join(codes.iter().map(Cim::to_string).collect()),
            Self::Aemo(code, remark) => match remark.code {
                None => code.to_string(),
                Some(reason) => format!("{code} reason {reason} {}", remark.text).trim_end().to_owned(),
            },
            Self::Cmep(code) => code.to_string(),
            Self::Word(word) => word.clone(),
        }
    }
}

impl Series {
    /// The name that stands for the series in messages: meter, else place of delivery, and the channel.
    pub fn title(&self) -> String {
        let who = if self.meter.is_empty() { &self.service_point } else { &self.meter };
        if self.channel.is_empty() { who.clone() } else { format!("{who}/{}", self.channel) }
    }

    /// What else the format said under `name`.
    pub fn extra(&self, name: &str) -> &str {
        self.extra.get(name).map_or("", String::as_str)
    }
}

impl IntervalBlock {
    /// The first instant after the block.
    pub fn end(&self) -> Timestamp {
        self.at(self.values.len())
    }

    /// The instant at which interval `index` begins.
    pub fn at(&self, index: usize) -> Timestamp {
        let offset = i64::try_from(index).unwrap_or(i64::MAX).saturating_mul(i64::from(self.interval.secs()));
        let second = self.start.as_second().saturating_add(offset);
        Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
    }

    /// Each interval's start, value under the block's scaler (`None` where missing) and quality.
    pub fn readings(&self) -> impl Iterator<Item = (Timestamp, Option<i64>, Quality)> + '_ {
        self.values.iter().zip(&self.quality).enumerate().map(|(index, (value, quality))| {
            (self.at(index), (!quality.is_missing()).then_some(*value), *quality)
        })
    }

    /// What the file said of interval `index`'s quality beyond our byte.
    pub fn beside_at(&self, index: usize) -> Option<&Foreign> {
        let index = u32::try_from(index).ok()?;
        let after = self.beside.partition_point(|run| run.first <= index);
        let run = self.beside.get(after.checked_sub(1)?)?;
        (index - run.first < run.count).then_some(&run.code)
    }
}
