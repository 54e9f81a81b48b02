//! The long table: a row a reading.

use super::gather::{Gathering, Reading};
use super::heading::{Places, guess_delimiter, places};
use super::mapping::{Mapping, MappingError, Meaning, StampsAt};
use super::row::Row;
use super::shelf::Shelf;
use super::usual::Usual;
use super::words::{Described, number_of, quality_of};
use crate::by_line::{ByLine, Records};
use crate::item::{Item, Reader};
use crate::refusal::{ReadError, Reason, Refusal};
use crate::stamp::{Clock, StampReader};
use jiff::tz::TimeZone;
use std::collections::VecDeque;
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
    shelf: Shelf,
    key: Vec<u8>,
    usual: Usual,
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
            shelf: Shelf::default(),
            key: Vec::new(),
            usual: Usual::default(),
        };
        Ok(Self(ByLine::new(input, rows)))
    }
}

impl<R: Read> Reader for LongReader<R> {
    fn next(&mut self) -> Result<Option<Item>, ReadError> {
        self.0.next()
    }

    fn met_local_times(&self) -> bool {
        self.0.records().clock.met_local_times()
    }
}

impl Records for Rows {
    fn line(&mut self, number: u64, line: &[u8], out: &mut VecDeque<Item>) -> Result<(), ReadError> {
        self.take(number, line, out)
    }

    fn end(&mut self, _lines: u64, out: &mut VecDeque<Item>) {
        self.shelf.flush(out);
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
        if self.usual_row(line) {
            return Ok(());
        }
        self.usual.forget();
        if let Err(reason) = self.reading(number, line, delimiter, out) {
            out.push_back(Item::Refused(Refusal::new(number, reason, line)));
        }
        Ok(())
    }

    /// Takes a row in that only goes on from the one before; else nothing is done.
    #[inline]
    fn usual_row(&mut self, line: &[u8]) -> bool {
        let Some((stamp, value, quality)) = self.usual.read(line, &self.stamps) else { return false };
        let Some(series) = self.shelf.going_on() else { return false };
        let Ok(at) = self.clock.instant(stamp, series.expected()) else { return false };
        let added = series.go_on(at, value, quality);
        if added {
            self.shelf.added();
        }
        added
    }

    #[cold]
    fn first_line(&mut self, number: u64, line: &[u8], out: &mut VecDeque<Item>) -> Result<(), ReadError> {
        let delimiter = self.delimiter.unwrap_or_else(|| guess_delimiter(line));
        let places = places(number, line, delimiter, &self.mapping, &mut self.stamps)?;
        let is_heading = places.is_heading;
        self.delimiter = Some(delimiter);
        self.usual = Usual::new(&places, delimiter, self.meaning.decimal);
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
        let told = places.told(&self.row, line);
        told.key(&mut self.key);
        let at = match self.shelf.find(&self.key) {
            Some(at) => at,
            None => {
                let Described { series, exponent, interval } =
                    told.describe(places.named_unit.as_deref(), &self.mapping, &self.meaning)?;
                let ending = self.mapping.time.stamps == StampsAt::End;
                self.shelf.add(&self.key, Gathering::new(Arc::new(series), exponent, interval, ending), out)
            }
        };
        let instant = self.clock.instant(stamp, self.shelf.expected(at))?;
        let value = number_of(self.row.field(line, places.value), &self.meaning)?;
        let word = places.quality.map_or(&b""[..], |place| self.row.field(line, place));
        let (quality, beside) = quality_of(word, value.is_some(), &self.meaning)?;
        if value.is_some() && beside.is_none() && self.meaning.multiplier.is_none() {
            self.usual.learn(&self.row, line, quality);
        }
        self.shelf.push(at, Reading { at: instant, value, quality, beside, line: number }, out);
        Ok(())
    }
}
