//! Tables of registers: a row a reading of a cumulative register.

use super::heading::{Places, guess_delimiter, places};
use super::mapping::{Mapping, MappingError, Meaning};
use super::row::Row;
use super::words::{number_of, quality_of};
use super::write::{channel_cell, quality_word, quoted, stamp, unfit};
use crate::by_line::{ByLine, Records};
use crate::item::{Item, Reader, RegisterReading, Series};
use crate::number::Decimal;
use crate::refusal::{ReadError, Reason, Refusal};
use crate::stamp::{Clock, StampReader};
use crate::write::{WriteError, Writer, unit_of, value_text};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::Arc;

/// The heading that the writer writes.
const HEADING: &str = "service_point,meter,channel,unit,time,tou,value,quality";

/// Whether a table that begins with `line` is one of registers as the writer writes them. Others are named so in a mapping
/// file: a column of that name may as well hold the period of a tariff.
pub(crate) fn is_heading(line: &[u8]) -> bool {
    line.trim_ascii() == HEADING.as_bytes()
}

/// The column of the time-of-use register.
const TOU: &[u8] = b"tou";

/// Reads meter, time, register and value, each row for itself; stamps are instants of reading.
#[derive(Debug)]
pub struct RegisterReader<R>(ByLine<R, Rows>);

#[derive(Debug)]
struct Rows {
    mapping: Mapping,
    meaning: Meaning,
    delimiter: u8,
    /// The columns, and where the register's number stands.
    places: Option<(Places, Option<usize>)>,
    stamps: StampReader,
    clock: Clock,
    row: Row,
    /// The series of the row before, as most have the same.
    last: Option<Arc<Series>>,
}

impl<R: Read> RegisterReader<R> {
    /// Reads `input` as `mapping` says.
    ///
    /// # Errors
    /// [`MappingError`] where the mapping contradicts itself.
    pub fn new(input: R, mapping: Mapping) -> Result<Self, MappingError> {
        let meaning = mapping.meaning()?;
        let rows = Rows {
            delimiter: b',',
            stamps: StampReader::new(meaning.form.clone()),
            clock: Clock::new(meaning.zone.clone().unwrap_or(TimeZone::UTC)),
            mapping,
            meaning,
            places: None,
            row: Row::default(),
            last: None,
        };
        Ok(Self(ByLine::new(input, rows)))
    }
}

impl<R: Read> Reader for RegisterReader<R> {
    fn next(&mut self) -> Result<Option<Item>, ReadError> {
        self.0.next()
    }

    fn met_local_times(&self) -> bool {
        self.0.records().clock.met_local_times()
    }
}

impl Records for Rows {
    fn line(&mut self, number: u64, line: &[u8], out: &mut VecDeque<Item>) -> Result<(), ReadError> {
        if line.is_empty() || number <= u64::from(self.mapping.skip_lines) {
            return Ok(());
        }
        if self.places.is_none() {
            let given = self.mapping.delimiter.and_then(|char| u8::try_from(char).ok());
            self.delimiter = given.unwrap_or_else(|| guess_delimiter(line));
            let places = places(number, line, self.delimiter, &self.mapping, &mut self.stamps)?;
            self.row.split(line, self.delimiter);
            let tou = self.row.fields(line).position(|name| name.trim_ascii().eq_ignore_ascii_case(TOU));
            let is_heading = places.is_heading;
            self.places = Some((places, tou.filter(|_| is_heading)));
            if is_heading {
                return Ok(());
            }
        }
        match self.register(number, line) {
            Ok(read) => out.push_back(Item::Register(read)),
            Err(reason) => out.push_back(Item::Refused(Refusal::new(number, reason, line))),
        }
        Ok(())
    }

    fn end(&mut self, _lines: u64, _out: &mut VecDeque<Item>) {}
}

impl Rows {
    fn register(&mut self, number: u64, line: &[u8]) -> Result<RegisterReading, Reason> {
        if !self.row.split(line, self.delimiter) {
            return Err(Reason::Damaged("a quote is not closed".into()));
        }
        let Some((places, tou)) = &self.places else { return Err(Reason::Missing { field: "heading" }) };
        let time = self.row.field(line, places.time);
        let read = self.stamps.read(time);
        let read = read.ok_or_else(|| Reason::field("time", time, "a stamp as 2024-03-10T01:15:00Z"))?;
        let second = self.clock.instant(read, None)?;
        let at = Timestamp::from_second(second)
            .map_err(|_| Reason::field("time", time, "an instant of the calendar"))?;
        let tou = match tou.map(|place| self.row.field(line, place)) {
            None | Some(b"") => 0,
            Some(field) => core::str::from_utf8(field)
                .ok()
                .and_then(|text| text.parse::<u8>().ok())
                .ok_or_else(|| Reason::field("tou", field, "the number of a register, 0 for the total"))?,
        };
        let told = places.told(&self.row, line);
        let described = told.describe(places.named_unit.as_deref(), &self.mapping, &self.meaning)?;
        let written = self.row.field(line, places.value);
        let value = number_of(written, &self.meaning)?.ok_or(Reason::Missing { field: "value" })?;
        let exponent = value.exponent.checked_add(described.exponent);
        let exponent =
            exponent.ok_or_else(|| Reason::field("value", written, "a number that fits 64 bits"))?;
        let word = places.quality.map_or(&b""[..], |place| self.row.field(line, place));
        let (quality, beside) = quality_of(word, true, &self.meaning)?;
        let series = match &self.last {
            Some(last) if **last == described.series => Arc::clone(last),
            _ => Arc::new(described.series),
        };
        self.last = Some(Arc::clone(&series));
        let value = Decimal { exponent, ..value };
        Ok(RegisterReading { series, line: number, tou, at, value, quality, beside })
    }
}

/// Writes a row a register: place, meter, channel, unit, instant in UTC, time-of-use register, value, quality.
#[derive(Debug)]
pub struct RegisterWriter<W> {
    output: W,
    begun: bool,
}

impl<W: Write> RegisterWriter<W> {
    /// Writes to `output`.
    pub const fn new(output: W) -> Self {
        Self { output, begun: false }
    }

    fn begin(&mut self) -> Result<(), WriteError> {
        if !self.begun {
            self.begun = true;
            writeln!(self.output, "{HEADING}")?;
        }
        Ok(())
    }
}

impl<W: Write> Writer for RegisterWriter<W> {
    fn write(&mut self, item: &Item) -> Result<(), WriteError> {
        self.begin()?;
        let Item::Register(read) = item else {
            return unfit(item, "the table holds registers only");
        };
        let series = &read.series;
        let (unit, exponent) = unit_of(&series.measure);
        writeln!(
            self.output,
            "{},{},{},{},{},{},{},{}",
            quoted(&series.service_point),
            quoted(&series.meter),
            quoted(&channel_cell(series)),
            quoted(&unit),
            stamp(read.at),
            read.tou,
            value_text(read.value.mantissa, read.value.exponent, exponent),
            quality_word(read.quality, read.beside.as_ref()),
        )?;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), WriteError> {
        self.begin()?;
        Ok(self.output.flush()?)
    }
}
