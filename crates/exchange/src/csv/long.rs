//! The long table: a row a reading.

use super::gather::{Gathering, Reading};
use super::heading::{Places, guess_delimiter, places};
use super::mapping::{Mapping, MappingError, Meaning, StampsAt};
use super::row::Row;
use crate::by_line::{ByLine, Records};
use crate::item::{Foreign, Item, Reader, Series};
use crate::limits;
use crate::number::Decimal;
use crate::quantity::Measure;
use crate::refusal::{ReadError, Reason, Refusal};
use crate::stamp::{Clock, StampReader};
use jiff::tz::TimeZone;
use model::{ChannelKind, Commodity, IntervalLength, Quality};
use std::collections::{BTreeMap, VecDeque};
use std::io::Read;
use std::sync::Arc;

/// Reads meter, time, value and, where there are such columns, quality, unit and channel.
///
/// Stamps without an offset are in the mapping's zone, or UTC where it names none. The readings of a series may lie
/// among those of others; of a series they are best in order of time, as every step back begins a new block.
#[derive(Debug)]
pub struct LongReader<R>(ByLine<R, Rows>);

#[derive(Debug)]
struct Rows {
    mapping: Mapping,
    meaning: Meaning,
    delimiter: Option<u8>,
    places: Option<Places>,
    stamps: StampReader,
    clock: Clock,
    row: Row,
    /// Each series' key, meter, place, channel and unit, and its number.
    index: BTreeMap<Vec<u8>, usize>,
    series: Vec<Gathering>,
    last: usize,
    key: Vec<u8>,
    last_key: Vec<u8>,
    held: usize,
}

impl<R: Read> LongReader<R> {
    /// Reads `input` as `mapping` says.
    ///
    /// # Errors
    /// [`MappingError`] where the mapping contradicts itself.
    pub fn new(input: R, mapping: Mapping) -> Result<Self, MappingError> {
        let meaning = mapping.meaning()?;
        let clock = Clock::new(meaning.zone.clone().unwrap_or(TimeZone::UTC));
        let rows = Rows {
            delimiter: mapping.delimiter.and_then(|char| u8::try_from(char).ok()),
            stamps: StampReader::new(meaning.form.clone()),
            mapping,
            meaning,
            places: None,
            clock,
            row: Row::default(),
            index: BTreeMap::new(),
            series: Vec::new(),
            last: usize::MAX,
            key: Vec::new(),
            last_key: Vec::new(),
            held: 0,
        };
        Ok(Self(ByLine::new(input, rows)))
    }
}

impl<R: Read> Reader for LongReader<R> {
    fn next(&mut self) -> Result<Option<Item>, ReadError> {
        self.0.next()
    }
}

impl Records for Rows {
    fn line(&mut self, number: u64, line: &[u8], out: &mut VecDeque<Item>) -> Result<(), ReadError> {
        self.take(number, line, out)
    }

    fn end(&mut self, _lines: u64, out: &mut VecDeque<Item>) {
        self.flush(out);
    }
}

impl Rows {
    fn take(&mut self, number: u64, line: &[u8], out: &mut VecDeque<Item>) -> Result<(), ReadError> {
        if line.is_empty() || number <= u64::from(self.mapping.skip_lines) {
            return Ok(());
        }
        let Some(delimiter) = self.delimiter.filter(|_| self.places.is_some()) else {
            return self.first_line(number, line, out);
        };
        if let Err(reason) = self.reading(number, line, delimiter, out) {
            out.push_back(Item::Refused(Refusal::new(number, reason, line)));
        }
        Ok(())
    }

    #[cold]
    fn first_line(&mut self, number: u64, line: &[u8], out: &mut VecDeque<Item>) -> Result<(), ReadError> {
        let delimiter = self.delimiter.unwrap_or_else(|| guess_delimiter(line));
        let places = places(number, line, delimiter, &self.mapping, &mut self.stamps)?;
        let is_heading = places.is_heading;
        self.delimiter = Some(delimiter);
        self.places = Some(places);
        if is_heading { Ok(()) } else { self.line(number, line, out) }
    }

    fn reading(
        &mut self,
        number: u64,
        line: &[u8],
        delimiter: u8,
        out: &mut VecDeque<Item>,
    ) -> Result<(), Reason> {
        if !self.row.split(line, delimiter) {
            return Err(Reason::Damaged("a quote is not closed".into()));
        }
        let Some(places) = &self.places else { return Ok(()) };
        let time = self.row.field(line, places.time);
        let stamp = match places.clock {
            None => self.stamps.read(time),
            Some(clock) => self.stamps.read(&[time, b" ", self.row.field(line, clock)].concat()),
        };
        let Some(stamp) = stamp else {
            return Err(match time {
                b"" => Reason::Missing { field: "time" },
                _ => Reason::field("time", time, "a stamp as 2024-03-10T01:15:00Z"),
            });
        };
        let at = self.series_of(line, out)?;
        let Some(places) = &self.places else { return Ok(()) };
        let Some(gathering) = self.series.get_mut(at) else { return Ok(()) };
        let instant = self.clock.instant(stamp, gathering.expected())?;
        let written = self.row.field(line, places.value);
        let value = number_of(written, &self.meaning)?;
        let word = places.quality.map_or(&b""[..], |place| self.row.field(line, place));
        let (quality, beside) = quality_of(word, value.is_some(), &self.meaning)?;
        let held = gathering.held();
        gathering.push(Reading { at: instant, value, quality, beside, line: number }, out);
        self.held = (self.held + gathering.held()).saturating_sub(held);
        if self.held > limits::GATHERED_VALUES {
            self.flush(out);
        }
        Ok(())
    }

    /// The series of the row; mostly that of the row before.
    fn series_of(&mut self, line: &[u8], out: &mut VecDeque<Item>) -> Result<usize, Reason> {
        let Some(places) = &self.places else { return Ok(0) };
        let key = [places.meter, places.service_point, places.channel, places.unit, places.interval];
        let mut rest = self.last_key.as_slice();
        let begins_alike = key.into_iter().flatten().all(|place| {
            let field = self.row.field(line, place);
            match rest.split_at_checked(field.len()) {
                Some((head, [0, tail @ ..])) if head == field => {
                    rest = tail;
                    true
                }
                _ => false,
            }
        });
        if begins_alike && rest.is_empty() && self.last != usize::MAX {
            return Ok(self.last);
        }
        self.key.clear();
        for place in key.into_iter().flatten() {
            self.key.extend_from_slice(self.row.field(line, place));
            self.key.push(0);
        }
        let at = match self.index.get(&self.key) {
            Some(at) => *at,
            None => self.new_series(line, out)?,
        };
        self.last = at;
        self.last_key.clone_from(&self.key);
        Ok(at)
    }

    #[cold]
    fn new_series(&mut self, line: &[u8], out: &mut VecDeque<Item>) -> Result<usize, Reason> {
        if self.series.len() >= limits::GATHERED_SERIES {
            self.flush(out);
            self.series.clear();
            self.index.clear();
            // A row that then cannot be described must not leave the place of a series that is gone.
            self.last = usize::MAX;
        }
        let Some(places) = &self.places else { return Ok(0) };
        let described = describe(&self.row, line, places, &self.mapping, &self.meaning)?;
        let ending = self.mapping.time.stamps == StampsAt::End;
        let at = self.series.len();
        let Described { series, exponent, interval } = described;
        self.series.push(Gathering::new(Arc::new(series), exponent, interval, ending));
        self.index.insert(self.key.clone(), at);
        Ok(at)
    }

    fn flush(&mut self, out: &mut VecDeque<Item>) {
        for gathering in &mut self.series {
            gathering.flush(out);
        }
        self.held = 0;
    }
}

/// A series as a row describes it.
pub(crate) struct Described {
    pub(crate) series: Series,
    pub(crate) exponent: i8,
    pub(crate) interval: Option<IntervalLength>,
}

/// Reads the names, the unit and the interval that stand in a row.
pub(crate) fn describe(
    row: &Row,
    line: &[u8],
    places: &Places,
    mapping: &Mapping,
    meaning: &Meaning,
) -> Result<Described, Reason> {
    let name = |place: Option<usize>, what| {
        let field = place.map_or(&b""[..], |place| row.field(line, place));
        if field.len() > limits::NAME {
            return Err(Reason::field(what, field, "a name of at most 128 bytes"));
        }
        core::str::from_utf8(field).map(str::to_owned).map_err(|_| Reason::field(what, field, "UTF-8"))
    };
    let (meter, service_point) = (name(places.meter, "meter")?, name(places.service_point, "service_point")?);
    let named = places.meter.is_some() || places.service_point.is_some();
    if named && meter.is_empty() && service_point.is_empty() {
        return Err(Reason::Missing { field: "meter" });
    }
    let unit = Some(name(places.unit, "unit")?).filter(|unit| !unit.is_empty());
    let unit = unit.or_else(|| mapping.value.unit.clone()).or_else(|| places.named_unit.clone());
    let (measure, exponent) = Measure::parse(unit.as_deref().unwrap_or(""));
    let channel = name(places.channel, "channel")?;
    let by_name = || ChannelKind::from_name(&channel);
    let kind = meaning.kind.or_else(by_name).or_else(|| measure.usual_kind(Commodity::Electricity));
    let interval = match places.interval {
        None => meaning.interval,
        Some(place) => {
            let field = row.field(line, place);
            let secs = core::str::from_utf8(field).ok().and_then(|text| text.parse().ok());
            let length = secs.and_then(|secs| IntervalLength::from_secs(secs).ok());
            Some(length.ok_or_else(|| Reason::field("interval_s", field, "seconds of an interval"))?)
        }
    };
    let meter = mapping.meters.get(&meter).cloned().unwrap_or(meter);
    let series = Series { service_point, meter, channel, kind, measure, extra: BTreeMap::new() };
    Ok(Described { series, exponent, interval })
}

/// The value of a field; `None` where the table says there is none.
pub(crate) fn number_of(written: &[u8], meaning: &Meaning) -> Result<Option<Decimal>, Reason> {
    if let Some(number) = Decimal::parse(written, meaning.decimal) {
        return match meaning.multiplier {
            None => Ok(Some(number)),
            Some(factor) => number
                .checked_mul(factor)
                .map(Some)
                .ok_or_else(|| Reason::field("value", written, "a number that fits 64 bits")),
        };
    }
    let nothing: &[&[u8]] = &[b"", b"null", b"na", b"n/a", b"nan", b"none"];
    if nothing.iter().any(|word| word.eq_ignore_ascii_case(written)) {
        return Ok(None);
    }
    Err(Reason::field("value", written, "a decimal number"))
}

/// The quality of a word and a value, and what the word says beyond our byte.
pub(crate) fn quality_of(
    word: &[u8],
    has_value: bool,
    meaning: &Meaning,
) -> Result<(Quality, Option<Foreign>), Reason> {
    if word.is_empty() {
        return Ok((if has_value { Quality::RAW } else { Quality::MISSING }, None));
    }
    let text = core::str::from_utf8(word).unwrap_or("");
    let (quality, beside) = match meaning.quality.get(word) {
        Some(quality) => (*quality, Some(Foreign::Word(text.to_owned()))),
        None => match Quality::from_word(text) {
            Some(quality) => (quality, None),
            None => return Err(Reason::field("quality", word, "a quality, as valid or estimated_linear")),
        },
    };
    if has_value == quality.is_missing() {
        let reason =
            format!("the quality is {text:?} where {} value stands", if has_value { "a" } else { "no" });
        return Err(Reason::Contradiction(reason));
    }
    Ok((quality, beside))
}
