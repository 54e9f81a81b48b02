//! The reader of both: which record stands where.

use super::accumulation;
use super::interval::{Day, DayParser, Header};
use crate::by_line::{ByLine, Records};
use crate::csv::Row;
use crate::item::{Item, Note, Reader, RegisterReading, Series};
use crate::limits;
use crate::refusal::{ReadError, Reason, Refusal};
use jiff::Timestamp;
use model::Quality;
use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

/// Reads NEM12 and NEM13.
///
/// A file without its header or its end is said to be so and read all the same, record by record; so is one file that
/// holds several.
#[derive(Debug)]
pub struct NemReader<R>(ByLine<R, State>);

#[derive(Debug, Default)]
struct State {
    row: Row,
    parser: DayParser,
    /// A header stood before this record.
    opened: bool,
    /// Records came since the last end record.
    unclosed: bool,
    header: Option<Arc<Header>>,
    /// A day whose qualities follow.
    day: Option<Day>,
    accumulated: Option<Arc<Series>>,
}

impl<R: Read> NemReader<R> {
    /// Reads `input`.
    pub fn new(input: R) -> Self {
        Self(ByLine::new(input, State::default()))
    }
}

impl<R: Read> Reader for NemReader<R> {
    fn next(&mut self) -> Result<Option<Item>, ReadError> {
        self.0.next()
    }
}

impl Records for State {
    fn line(&mut self, number: u64, line: &[u8], out: &mut VecDeque<Item>) -> Result<(), ReadError> {
        if let Err(reason) = self.record(number, line, out) {
            out.push_back(Item::Refused(Refusal::new(number, reason, line)));
        }
        Ok(())
    }

    fn too_long(&mut self, out: &mut VecDeque<Item>) {
        self.close_day(out);
    }

    fn end(&mut self, lines: u64, out: &mut VecDeque<Item>) {
        self.finish(lines, out);
    }
}

impl State {
    fn record(&mut self, number: u64, line: &[u8], out: &mut VecDeque<Item>) -> Result<(), Reason> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let kind = line.get(..3).filter(|_| matches!(line.get(3), None | Some(b',')));
        if kind != Some(b"400") && kind != Some(b"500") {
            self.close_day(out);
        }
        if !self.opened && kind != Some(b"100") {
            self.opened = true;
            out.push_back(Item::Refused(Refusal::new(
                number,
                Reason::Missing { field: "header record 100" },
                line,
            )));
        }
        match kind {
            Some(b"300") => self.day_record(number, line, out),
            Some(b"400") => self.quality_record(line, out),
            Some(b"200") => {
                self.row.split(line, b',');
                self.header = None;
                self.header = Some(Arc::new(Header::parse(&self.row, line)?));
                Ok(())
            }
            Some(b"100") => self.header_record(number, line, out),
            Some(b"500") => self.transaction(number, line, out),
            Some(b"250") => {
                self.row.split(line, b',');
                self.accumulated = None;
                self.accumulated = Some(accumulation::read(number, &self.row, line, out)?);
                Ok(())
            }
            Some(b"550") => {
                let Some(series) = &self.accumulated else {
                    return Err(orphan("550", "record 250"));
                };
                out.push_back(note(number, Some(series), line));
                Ok(())
            }
            Some(b"900") => {
                self.unclosed = false;
                self.header = None;
                self.accumulated = None;
                Ok(())
            }
            _ => Err(Reason::Unknown(String::from_utf8_lossy(line.get(..16).unwrap_or(line)).into_owned())),
        }
    }

    fn header_record(&mut self, number: u64, line: &[u8], out: &mut VecDeque<Item>) -> Result<(), Reason> {
        self.opened = true;
        self.unclosed = true;
        self.header = None;
        self.row.split(line, b',');
        let version = self.row.field(line, 1);
        if version != b"NEM12" && version != b"NEM13" {
            return Err(Reason::field("version header", version, "NEM12 or NEM13"));
        }
        out.push_back(note(number, None, line));
        Ok(())
    }

    fn day_record(&mut self, number: u64, line: &[u8], out: &mut VecDeque<Item>) -> Result<(), Reason> {
        let header = self.header.as_ref().ok_or_else(|| orphan("300", "record 200"))?;
        let day = self.parser.parse(number, header, line)?;
        if day.is_variable() {
            self.day = Some(day);
        } else {
            out.push_back(Item::Block(day.into_block()));
        }
        Ok(())
    }

    fn quality_record(&mut self, line: &[u8], out: &mut VecDeque<Item>) -> Result<(), Reason> {
        let day = self.day.as_mut().ok_or_else(|| orphan("400", "record 300 with quality V"))?;
        self.row.split(line, b',');
        let done = day.quality_record(&self.row, line);
        if done.is_err() {
            // Without this run the day's other qualities are worth nothing.
            let day = self.day.take();
            if let Some(day) = day {
                let reason = Reason::Contradiction("a record 400 of the day cannot be read".into());
                out.push_back(Item::Refused(day.refused(reason)));
            }
        }
        done
    }

    /// Hands out the day whose quality records have all been seen.
    fn close_day(&mut self, out: &mut VecDeque<Item>) {
        if let Some(day) = self.day.take() {
            out.push_back(match day.complete() {
                Ok(block) => Item::Block(block),
                Err(refusal) => Item::Refused(refusal),
            });
        }
    }

    fn transaction(&mut self, number: u64, line: &[u8], out: &mut VecDeque<Item>) -> Result<(), Reason> {
        let header = self.header.as_ref().ok_or_else(|| orphan("500", "record 200"))?;
        self.row.split(line, b',');
        let (at, index) = (self.row.field(line, 3), self.row.field(line, 4));
        if !index.is_empty() {
            let value = accumulation::scaled(super::number("index read", index)?, header.exponent)?;
            let at = super::stamp14(at)
                .and_then(|second| Timestamp::from_second(second).ok())
                .ok_or_else(|| Reason::field("read date and time", at, "14 digits"))?;
            let (series, quality) = (Arc::clone(&header.series), Quality::RAW);
            let line = number;
            out.push_back(Item::Register(RegisterReading {
                series,
                line,
                tou: 0,
                at,
                value,
                quality,
                beside: None,
            }));
        }
        out.push_back(note(number, Some(&header.series), line));
        Ok(())
    }

    fn finish(&mut self, number: u64, out: &mut VecDeque<Item>) {
        self.close_day(out);
        if self.unclosed {
            let reason = Reason::Damaged("the end record 900 is missing".into());
            out.push_back(Item::Refused(Refusal::new(number, reason, b"")));
        } else if !self.opened {
            let reason = Reason::Missing { field: "header record 100" };
            out.push_back(Item::Refused(Refusal::new(number.max(1), reason, b"")));
        }
    }
}

fn note(line: u64, series: Option<&Arc<Series>>, text: &[u8]) -> Item {
    let head = text.get(..limits::EXCERPT).unwrap_or(text);
    let text = String::from_utf8_lossy(head).trim_end_matches(',').to_owned();
    Item::Note(Note { line, series: series.cloned(), text })
}

fn orphan(record: &str, needs: &'static str) -> Reason {
    Reason::Orphan { record: record.to_owned(), needs }
}
