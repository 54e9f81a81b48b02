//! Wide tables: a row a day of a meter, or a column a meter.

use super::gather::{Gathering, Reading};
use super::heading::{Places, guess_delimiter, places};
use super::mapping::{Mapping, MappingError, Meaning, Shape, StampsAt};
use super::row::Row;
use super::words::{Described, number_of, with_code};
use crate::by_line::{ByLine, Records};
use crate::item::{Beside, Foreign, IntervalBlock, Item, Reader, Series};
use crate::limits;
use crate::number::Mantissas;
use crate::quantity::Measure;
use crate::refusal::{ReadError, Reason, Refusal};
use crate::stamp::{Clock, StampReader};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{ChannelKind, Commodity, IntervalLength, LocalDay, Quality};
use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

/// Reads wide tables.
///
/// A row a day ([`Shape::WideDays`]): the values stand in the column `value` and all that follow. The row's time is a
/// local date, whose day has as many intervals as its clock gives it, or a stamp, from which the values run on. A column
/// `quality` holds one word for the row or runs of them, `valid*92 missing*4`.
///
/// A column a meter ([`Shape::WideMeters`]): the first column is the stamp, the heading names the meters.
#[derive(Debug)]
pub struct WideReader<R>(ByLine<R, Table>);

#[derive(Debug)]
struct Table {
    mapping: Mapping,
    meaning: Meaning,
    delimiter: u8,
    places: Option<Places>,
    stamps: StampReader,
    clock: Clock,
    row: Row,
    meters: Vec<Gathering>,
    columns: usize,
}

impl<R: Read> WideReader<R> {
    /// Reads `input` as `mapping` says.
    ///
    /// # Errors
    /// [`MappingError`] where the mapping contradicts itself.
    pub fn new(input: R, mapping: Mapping) -> Result<Self, MappingError> {
        let meaning = mapping.meaning()?;
        let table = Table {
            clock: Clock::new(meaning.zone.clone().unwrap_or(TimeZone::UTC)),
            stamps: StampReader::new(meaning.form.clone()),
            mapping,
            meaning,
            delimiter: b',',
            places: None,
            row: Row::default(),
            meters: Vec::new(),
            columns: 0,
        };
        Ok(Self(ByLine::new(input, table)))
    }
}

impl<R: Read> Reader for WideReader<R> {
    fn next(&mut self) -> Result<Option<Item>, ReadError> {
        self.0.next()
    }

    fn met_local_times(&self) -> bool {
        self.0.records().clock.met_local_times()
    }
}

impl Records for Table {
    fn line(&mut self, number: u64, line: &[u8], out: &mut VecDeque<Item>) -> Result<(), ReadError> {
        self.take(number, line, out)
    }

    fn end(&mut self, _lines: u64, out: &mut VecDeque<Item>) {
        self.flush(out);
    }
}

impl Table {
    fn take(&mut self, number: u64, line: &[u8], out: &mut VecDeque<Item>) -> Result<(), ReadError> {
        if line.is_empty() || number <= u64::from(self.mapping.skip_lines) {
            return Ok(());
        }
        let Some(places) = self.places.clone() else { return self.heading(number, line) };
        let done = if !self.row.split(line, self.delimiter) {
            Err(Reason::Damaged("a quote is not closed".into()))
        } else if self.mapping.shape == Shape::WideMeters {
            self.instant(number, line, &places, out)
        } else {
            self.day(number, line, &places).map(|block| out.push_back(Item::Block(block)))
        };
        if let Err(reason) = done {
            out.push_back(Item::Refused(Refusal::new(number, reason, line)));
        }
        Ok(())
    }

    fn heading(&mut self, number: u64, line: &[u8]) -> Result<(), ReadError> {
        let given = self.mapping.delimiter.and_then(|char| u8::try_from(char).ok());
        self.delimiter = given.unwrap_or_else(|| guess_delimiter(line));
        let mut mapping = self.mapping.clone();
        if mapping.shape == Shape::WideMeters {
            mapping.columns.time.get_or_insert_with(|| "1".into());
            mapping.columns.value.get_or_insert_with(|| "2".into());
        }
        let mut places = places(number, line, self.delimiter, &mapping, &mut self.stamps)?;
        self.row.split(line, self.delimiter);
        self.columns = self.row.len();
        if self.mapping.shape == Shape::WideDays && mapping.columns.value.is_none() {
            // The first column of values is the one named 1, v1 or 00:00, else the heading's value.
            let first =
                self.row.fields(line).position(|name| matches!(name, b"1" | b"v1" | b"V1" | b"00:00"));
            places.value = first.unwrap_or(places.value);
        }
        if self.mapping.shape == Shape::WideMeters {
            let names: Vec<String> = self
                .row
                .fields(line)
                .skip(places.value)
                .map(|name| String::from_utf8_lossy(name).chars().take(limits::NAME).collect())
                .collect();
            for name in names {
                let meter = self.mapping.meters.get(&name).cloned().unwrap_or(name);
                self.add_meter(meter);
            }
        }
        self.places = Some(places);
        Ok(())
    }

    fn add_meter(&mut self, meter: String) {
        let (measure, exponent) = Measure::parse(self.mapping.value.unit.as_deref().unwrap_or(""));
        let kind = self.meaning.kind.or_else(|| measure.usual_kind(Commodity::Electricity));
        let series = Series { meter, kind, measure, ..Series::default() };
        let ending = self.mapping.time.stamps == StampsAt::End;
        self.meters.push(Gathering::new(Arc::new(series), exponent, self.meaning.interval, ending));
    }

    /// A row of [`Shape::WideMeters`].
    fn instant(
        &mut self,
        number: u64,
        line: &[u8],
        places: &Places,
        out: &mut VecDeque<Item>,
    ) -> Result<(), Reason> {
        if self.row.len() != self.columns {
            return Err(Reason::Count { found: self.row.len(), wanted: self.columns });
        }
        let time = self.row.field(line, places.time);
        let stamp = self.stamps.read(time);
        let stamp = stamp.ok_or_else(|| Reason::field("time", time, "a stamp as 2024-03-10T01:15:00Z"))?;
        let expected = self.meters.first().and_then(Gathering::expected);
        let at = self.clock.instant(stamp, expected)?;
        let mut held = 0;
        for (index, meter) in self.meters.iter_mut().enumerate() {
            let field = self.row.field(line, places.value + index);
            match number_of(field, &self.meaning) {
                Ok(value) => {
                    let quality = if value.is_some() { Quality::RAW } else { Quality::MISSING };
                    meter.push(Reading { at, value, quality, beside: None, line: number }, out);
                    held += meter.held();
                }
                // One bad cell does not take its row along.
                Err(reason) => out.push_back(Item::Refused(Refusal::new(number, reason, field))),
            }
        }
        if held > limits::GATHERED_VALUES {
            self.flush(out);
        }
        Ok(())
    }

    /// A row of [`Shape::WideDays`].
    fn day(&mut self, number: u64, line: &[u8], places: &Places) -> Result<IntervalBlock, Reason> {
        let Described { series, exponent, interval } = places.told(&self.row, line).describe(
            places.named_unit.as_deref(),
            &self.mapping,
            &self.meaning,
        )?;
        let written: Vec<&[u8]> = self.row.fields(line).skip(places.value).collect();
        let words = places.quality.map_or(&b""[..], |place| self.row.field(line, place));
        let (told, beside) = qualities(words, &self.meaning)?;
        let filled = written.iter().rposition(|field| !field.is_empty()).map_or(0, |last| last + 1);
        let interval = match interval {
            Some(interval) => interval,
            None => whole_day(filled).ok_or(Reason::NoInterval)?,
        };
        let time = self.row.field(line, places.time);
        let stamp = self.stamps.read(time).ok_or_else(|| Reason::field("time", time, "a date or a stamp"))?;
        let start = self.clock.instant(stamp, None)?;
        let start = Timestamp::from_second(start)
            .map_err(|_| Reason::field("time", time, "a date of the calendar"))?;
        let count = match &told {
            Told::Runs(list) => list.len(),
            Told::All(_) | Told::Nothing => self.day_length(start, interval, time)?,
        };
        if filled > count || written.len() < count || count > limits::BLOCK_VALUES {
            return Err(Reason::Count { found: filled, wanted: count });
        }
        let (mut column, mut quality) = (Mantissas::default(), Vec::with_capacity(count));
        for (index, field) in written.iter().take(count).enumerate() {
            let value = number_of(field, &self.meaning)?;
            let word = match &told {
                Told::Runs(list) => list.get(index).copied(),
                Told::All(word) if value.is_some() => Some(*word),
                Told::All(_) | Told::Nothing => None,
            };
            let word = word.unwrap_or(if value.is_some() { Quality::RAW } else { Quality::MISSING });
            if value.is_some() == word.is_missing() {
                let what =
                    format!("value {} and its quality {} contradict each other", index + 1, word.word());
                return Err(Reason::Contradiction(what));
            }
            match value {
                None => column.push_nothing(),
                Some(number) if column.push_decimal(number) => {}
                Some(_) => {
                    return Err(Reason::Contradiction("the values do not fit 64 bits together".into()));
                }
            }
            quality.push(word);
        }
        let (values, scaler) = column.finish(exponent);
        let (series, costs) = (Arc::new(series), Vec::new());
        let most = u32::try_from(count).unwrap_or(u32::MAX);
        let cut = |run: Beside| Beside { count: run.count.min(most.saturating_sub(run.first)), ..run };
        let beside = beside.into_iter().map(cut).collect();
        Ok(IntervalBlock {
            series,
            line: number,
            start,
            interval,
            scaler,
            values,
            quality,
            beside,
            costs,
            updated: None,
            loaded: None,
        })
    }

    /// How many intervals the local day has that begins here.
    fn day_length(&self, start: Timestamp, interval: IntervalLength, time: &[u8]) -> Result<usize, Reason> {
        let day = LocalDay::containing(start, self.clock.zone())
            .map_err(|_| Reason::field("time", time, "a date of the calendar"))?;
        if day.start() != start {
            return Err(Reason::field(
                "time",
                time,
                "a local midnight, where no runs of quality say the length",
            ));
        }
        Ok(day.intervals(interval))
    }

    fn flush(&mut self, out: &mut VecDeque<Item>) {
        for meter in &mut self.meters {
            meter.flush(out);
        }
    }
}

/// What a row says of its qualities.
enum Told {
    Nothing,
    All(Quality),
    Runs(Vec<Quality>),
}

/// The qualities of a row, and the sender's own codes that stand with them.
fn qualities(words: &[u8], meaning: &Meaning) -> Result<(Told, Vec<Beside>), Reason> {
    if words.is_empty() {
        return Ok((Told::Nothing, Vec::new()));
    }
    let bad =
        |word: &str| Reason::field("quality", word.as_bytes(), "a quality, as valid, or runs, as valid*96");
    let text = core::str::from_utf8(words).map_err(|_| Reason::field("quality", words, "UTF-8"))?;
    let one = |word: &str| match meaning.quality.get(word.as_bytes()) {
        Some(mapped) => Ok((*mapped, Some(Foreign::Word(word.to_owned())))),
        None => Quality::from_word(word)
            .map(|quality| (quality, None))
            .or_else(|| with_code(word))
            .ok_or_else(|| bad(word)),
    };
    let beside = |first, count, code: Option<Foreign>| code.map(|code| Beside { first, count, code });
    if !text.contains('*') {
        let (quality, code) = one(text)?;
        return Ok((Told::All(quality), beside(0, u32::MAX, code).into_iter().collect()));
    }
    let (mut list, mut codes) = (Vec::new(), Vec::new());
    for run in text.split_ascii_whitespace() {
        let (word, count) = run.split_once('*').ok_or_else(|| bad(run))?;
        let count: usize = count.parse().map_err(|_| bad(run))?;
        if list.len() + count > limits::BLOCK_VALUES {
            return Err(bad(run));
        }
        let (quality, code) = one(word)?;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        codes.extend(beside(number(list.len()), number(count), code));
        list.resize(list.len() + count, quality);
    }
    Ok((Told::Runs(list), codes))
}

/// The interval of a row with so many values: those of a day of 23, 24 or 25 hours.
fn whole_day(values: usize) -> Option<IntervalLength> {
    [3600u32, 1800, 900, 600, 300, 60].into_iter().find_map(|secs| {
        let hour = usize::try_from(3600 / secs).ok()?;
        let fits = [23, 24, 25].iter().any(|hours| hours * hour == values);
        IntervalLength::from_secs(secs).ok().filter(|_| fits)
    })
}

/// What a wide table of ours calls its channel.
pub(crate) fn channel_name(series: &Series) -> &str {
    match series.kind.map(ChannelKind::name) {
        Some(name) => name,
        None => &series.channel,
    }
}
