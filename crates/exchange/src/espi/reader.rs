//! The reader: XML events to items.

use super::guard::Guard;
use super::kinds;
use super::links::{Directory, Fields, Links};
use super::run::{Reading, Run, instant};
use super::skim;
use crate::item::{Item, Note, Reader, Series, Summary};
use crate::limits;
use crate::refusal::{ReadError, Reason, Refusal};
use quick_xml::events::{BytesStart, Event};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

/// Bytes asked of the input at once.
const AT_ONCE: usize = 64 * 1024;

/// Elements nested deeper than this are no Green Button.
const DEPTH: usize = 64;

/// Characters of one element that are kept.
const TEXT: usize = 1024;

/// Fields of one element that are kept.
const FIELDS: usize = 1000;

/// Reads Green Button feeds and fragments.
pub struct EspiReader<R: Read> {
    xml: quick_xml::Reader<Guard<BufReader<R>>>,
    buffer: Vec<u8>,
    state: State,
    out: VecDeque<Item>,
    ended: bool,
}

impl<R: Read> core::fmt::Debug for EspiReader<R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("EspiReader").field("line", &self.state.line).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct State {
    line: u64,
    depth: usize,
    text: Vec<u8>,
    /// The element that was opened last is a leaf so far.
    leaf: bool,
    directory: Directory,
    /// The entry at hand; outside of one, of a bare fragment.
    links: Links,
    in_entry: bool,
    collecting: Option<Collecting>,
    block: Option<BlockState>,
    reading: Option<Reading>,
    fault: Option<Reason>,
    in_period: bool,
    /// The end of an interval reading was read last, and nothing after it.
    between_readings: bool,
    /// Blocks whose reading type has not come yet.
    waiting: Vec<(Links, Run)>,
    waiting_values: usize,
    runs: Vec<Run>,
    seen: bool,
}

/// An element whose fields are kept by name.
#[derive(Debug)]
struct Collecting {
    what: Kept,
    depth: usize,
    line: u64,
    path: Vec<String>,
    fields: Fields,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    UsagePoint,
    MeterReading,
    ReadingType,
    TimeParameters,
    Summary,
}

#[derive(Debug, Default)]
struct BlockState {
    start: Option<i64>,
    duration: Option<u32>,
    /// Where the next reading begins if it does not say.
    next: Option<i64>,
}

impl<R: Read> EspiReader<R> {
    /// Reads `input`.
    pub fn new(input: R) -> Self {
        Self::with_capacity(AT_ONCE, input)
    }

    pub(super) fn with_capacity(bytes: usize, input: R) -> Self {
        let mut xml = quick_xml::Reader::from_reader(Guard::new(BufReader::with_capacity(bytes, input)));
        xml.config_mut().expand_empty_elements = true;
        let state = State { line: 1, ..State::default() };
        Self { xml, buffer: Vec::new(), state, out: VecDeque::new(), ended: false }
    }

    /// Reads the interval readings that follow the one just read, as long as they are plain and whole in the buffer.
    fn skim(&mut self) {
        let input = self.xml.get_mut();
        // An input that breaks off is met again by the reader of events.
        let Ok(bytes) = input.fill_buf() else { return };
        let mut used = 0;
        while let Some(found) = bytes.get(used..).and_then(skim::reading) {
            let mut reading = found.reading;
            reading.line += self.state.line;
            self.state.take_reading(reading, &mut self.out);
            self.state.line += found.lines;
            used += found.bytes;
            if !self.out.is_empty() {
                break;
            }
        }
        input.consume(used);
        input.whole();
    }

    fn pump(&mut self) {
        if self.state.between_readings {
            self.state.between_readings = false;
            self.skim();
            if !self.out.is_empty() {
                self.state.between_readings = true;
                return;
            }
        }
        self.buffer.clear();
        let event = self.xml.read_event_into(&mut self.buffer);
        let done = match event {
            Ok(Event::Eof) => {
                self.ended = true;
                self.state.end(&mut self.out)
            }
            Ok(event) => {
                let line = self.state.line;
                let done = self.state.event(&event, &mut self.out);
                self.state.line = line + newlines(&event);
                done
            }
            Err(error) => Err(Reason::Damaged(error.to_string())),
        };
        self.xml.get_mut().whole();
        if let Err(reason) = done {
            self.state.close_block(&mut self.out);
            self.state.release(true, &mut self.out);
            let refusal = Refusal::new(self.state.line, reason, &self.buffer);
            self.out.push_back(Item::Refused(refusal));
            self.ended = true;
        }
    }
}

impl<R: Read> Reader for EspiReader<R> {
    fn next(&mut self) -> Result<Option<Item>, ReadError> {
        loop {
            if let Some(item) = self.out.pop_front() {
                return Ok(Some(item));
            }
            if self.ended {
                return Ok(None);
            }
            self.pump();
        }
    }
}

#[inline]
fn newlines(event: &Event<'_>) -> u64 {
    let bytes: &[u8] = event;
    u64::try_from(memchr::memchr_iter(b'\n', bytes).count()).unwrap_or(0)
}

impl State {
    /// An error ends the file: what cannot be parsed cannot be passed over.
    #[inline]
    fn event(&mut self, event: &Event<'_>, out: &mut VecDeque<Item>) -> Result<(), Reason> {
        match event {
            Event::Start(start) => self.open(start),
            Event::End(end) => {
                self.depth = self.depth.saturating_sub(1);
                let name = end.local_name();
                self.close(name.into_inner(), out);
                self.leaf = false;
                Ok(())
            }
            Event::Text(text) => {
                if self.leaf && self.text.len() < TEXT {
                    self.text.extend_from_slice(text.get(..TEXT.min(text.len())).unwrap_or_default());
                }
                Ok(())
            }
            Event::CData(text) => {
                self.text.extend_from_slice(text.get(..TEXT.min(text.len())).unwrap_or_default());
                Ok(())
            }
            Event::GeneralRef(name) => self.reference(name),
            Event::DocType(_) => {
                Err(Reason::Unsupported("a document type could name entities, so none is read".into()))
            }
            _ => Ok(()),
        }
    }

    fn reference(&mut self, name: &quick_xml::events::BytesRef<'_>) -> Result<(), Reason> {
        let bytes: &[u8] = name;
        let char = match bytes {
            b"amp" => '&',
            b"lt" => '<',
            b"gt" => '>',
            b"quot" => '"',
            b"apos" => '\'',
            _ => match name.resolve_char_ref() {
                Ok(Some(char)) => char,
                _ => return Err(Reason::Unsupported("an entity that XML itself does not know".into())),
            },
        };
        if self.text.len() < TEXT {
            self.text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Ok(())
    }

    #[inline]
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), Reason> {
        self.depth += 1;
        self.text.clear();
        self.leaf = true;
        if self.depth > DEPTH {
            return Err(Reason::Unsupported(format!("elements are nested more than {DEPTH} deep")));
        }
        let name = start.local_name();
        let name = name.into_inner();
        if let Some(collecting) = &mut self.collecting {
            collecting.path.push(String::from_utf8_lossy(name.get(..64).unwrap_or(name)).into_owned());
            return Ok(());
        }
        let kept = match name {
            b"IntervalReading" => {
                self.reading = Some(Reading { line: self.line, ..Reading::default() });
                self.fault = None;
                return Ok(());
            }
            b"timePeriod" => {
                self.in_period = true;
                return Ok(());
            }
            b"IntervalBlock" => {
                self.seen = true;
                self.block = Some(BlockState::default());
                return Ok(());
            }
            b"entry" => {
                self.links = Links::default();
                self.in_entry = true;
                return Ok(());
            }
            b"link" => return self.link(start),
            b"UsagePoint" => Kept::UsagePoint,
            b"MeterReading" => Kept::MeterReading,
            b"ReadingType" => Kept::ReadingType,
            b"LocalTimeParameters" => Kept::TimeParameters,
            b"UsageSummary" | b"ElectricPowerUsageSummary" | b"ElectricPowerQualitySummary" => Kept::Summary,
            _ => return Ok(()),
        };
        self.seen = true;
        let (depth, line) = (self.depth, self.line);
        self.collecting = Some(Collecting { what: kept, depth, line, path: Vec::new(), fields: Vec::new() });
        Ok(())
    }

    fn link(&mut self, start: &BytesStart<'_>) -> Result<(), Reason> {
        let attribute = |name: &str| {
            let found = start.try_get_attribute(name).map_err(|error| Reason::Damaged(error.to_string()))?;
            let value = found.map(|found| found.unescape_value().map(std::borrow::Cow::into_owned));
            value.transpose().map_err(|error| Reason::Damaged(error.to_string()))
        };
        let (Some(rel), Some(mut href)) = (attribute("rel")?, attribute("href")?) else { return Ok(()) };
        href.truncate(href.floor_char_boundary(TEXT));
        match rel.as_str() {
            "self" => self.links.own = href,
            "up" => self.links.up = href,
            "related" if self.links.related.len() < FIELDS => self.links.related.push(href),
            _ => {}
        }
        Ok(())
    }

    #[inline]
    fn close(&mut self, name: &[u8], out: &mut VecDeque<Item>) {
        if self.collecting.is_some() {
            self.close_collected(out);
            return;
        }
        if self.reading.is_some() {
            self.close_in_reading(name, out);
            return;
        }
        match name {
            b"start" => {
                let start = self.number("block's start");
                if let Some(block) = &mut self.block {
                    block.start = start;
                    block.next = start;
                }
            }
            b"duration" => {
                let duration = self.number("block's duration").and_then(|n| u32::try_from(n).ok());
                if let Some(block) = &mut self.block {
                    block.duration = duration;
                }
            }
            b"IntervalBlock" => {
                self.block = None;
                if !self.in_entry {
                    self.close_block(out);
                }
            }
            b"title" if self.in_entry => self.links.title = self.words(),
            b"entry" => {
                self.close_block(out);
                self.in_entry = false;
            }
            _ => {}
        }
    }

    fn words(&self) -> String {
        String::from_utf8_lossy(&self.text).trim().to_owned()
    }

    #[inline]
    fn close_in_reading(&mut self, name: &[u8], out: &mut VecDeque<Item>) {
        match name {
            b"IntervalReading" => {
                self.close_reading(out);
                self.between_readings = self.depth + 3 <= DEPTH;
            }
            b"timePeriod" => self.in_period = false,
            b"value" => {
                let number = self.number("value");
                self.in_reading(|reading| reading.value = number);
            }
            b"start" if self.in_period => {
                let number = self.number("start");
                self.in_reading(|reading| reading.start = number);
            }
            b"duration" if self.in_period => {
                let number = self.number("duration").and_then(|number| u32::try_from(number).ok());
                self.in_reading(|reading| reading.duration = number);
            }
            b"cost" => {
                let number = self.number("cost");
                self.in_reading(|reading| reading.cost = number);
            }
            b"quality" => {
                let number = self.number("quality").and_then(|number| u16::try_from(number).ok());
                self.in_reading(|reading| reading.codes.extend(number));
            }
            _ => {}
        }
    }

    #[inline]
    fn in_reading(&mut self, change: impl FnOnce(&mut Reading)) {
        if let Some(reading) = &mut self.reading {
            change(reading);
        }
    }

    /// The whole number that the element holds; anything else is a fault of the reading at hand.
    #[inline]
    fn number(&mut self, field: &'static str) -> Option<i64> {
        let text = self.text.trim_ascii();
        let (negative, digits) = text.strip_prefix(b"-").map_or((false, text), |digits| (true, digits));
        let mut number = 0i64;
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            let next = number.checked_mul(10).and_then(|n| n.checked_add(i64::from(digit)));
            match next {
                Some(next) if digit < 10 => number = next,
                _ => {
                    self.fault = Some(Reason::field(field, text, "a whole number"));
                    return None;
                }
            }
        }
        if digits.is_empty() {
            self.fault = Some(Reason::field(field, text, "a whole number"));
            return None;
        }
        Some(if negative { -number } else { number })
    }

    #[inline]
    fn close_reading(&mut self, out: &mut VecDeque<Item>) {
        let Some(reading) = self.reading.take() else { return };
        if let Some(reason) = self.fault.take() {
            out.push_back(Item::Refused(Refusal::new(reading.line, reason, b"IntervalReading")));
            return;
        }
        self.take_reading(reading, out);
    }

    #[inline]
    fn take_reading(&mut self, mut reading: Reading, out: &mut VecDeque<Item>) {
        let line = reading.line;
        let (block_start, block_length) = match &self.block {
            Some(block) => (block.next, block.duration),
            None => (None, None),
        };
        let Some(start) = reading.start.or(block_start) else {
            let reason = Reason::Missing { field: "timePeriod.start" };
            out.push_back(Item::Refused(Refusal::new(line, reason, b"IntervalReading")));
            return;
        };
        let given = reading.duration.or_else(|| self.usual_length()).or(block_length);
        let Some(secs) = given else {
            let reason = Reason::Missing { field: "timePeriod.duration" };
            out.push_back(Item::Refused(Refusal::new(line, reason, b"IntervalReading")));
            return;
        };
        if start.unsigned_abs() > 250_000_000_000 {
            let reason = Reason::field("start", start.to_string().as_bytes(), "an instant of the calendar");
            out.push_back(Item::Refused(Refusal::new(line, reason, b"IntervalReading")));
            return;
        }
        if let Some(block) = &mut self.block {
            block.next = start.checked_add(i64::from(secs));
        }
        match self.runs.last_mut() {
            Some(run) if run.continues(start, secs) && run.len() < limits::BLOCK_VALUES => {
                run.push(&mut reading);
            }
            _ => {
                // The next run begins; what is complete can go if its series is known.
                if !self.runs.is_empty() {
                    self.hand_on(out);
                }
                let mut run = Run::new(line, start, secs);
                run.push(&mut reading);
                self.runs.push(run);
            }
        }
    }

    /// The length that the reading type names, for readings without their own.
    #[cold]
    fn usual_length(&self) -> Option<u32> {
        let reading_type = self.directory.belonging(&self.links).reading_type?;
        let length = kinds::number(&reading_type, "intervalLength")?;
        u32::try_from(length).ok().filter(|secs| *secs > 0)
    }

    fn close_block(&mut self, out: &mut VecDeque<Item>) {
        self.hand_on(out);
    }

    /// Turns the runs of the entry at hand into items, or holds them until their reading type comes.
    fn hand_on(&mut self, out: &mut VecDeque<Item>) {
        if self.runs.is_empty() {
            return;
        }
        let belonging = self.directory.belonging(&self.links);
        if belonging.reading_type.is_some() {
            let runs = core::mem::take(&mut self.runs);
            for run in runs {
                emit(&belonging, run, out);
            }
            return;
        }
        for run in self.runs.drain(..) {
            self.waiting_values += run.len() + 64;
            self.waiting.push((self.links.clone(), run));
        }
        if self.waiting_values > limits::GATHERED_VALUES {
            self.release(true, out);
        }
    }

    /// Hands out held blocks: those whose type has come, or all.
    fn release(&mut self, all: bool, out: &mut VecDeque<Item>) {
        for (links, run) in core::mem::take(&mut self.waiting) {
            let belonging = self.directory.belonging(&links);
            if all || belonging.reading_type.is_some() {
                emit(&belonging, run, out);
            } else {
                self.waiting.push((links, run));
            }
        }
        self.waiting_values = self.waiting.iter().map(|(_, run)| run.len() + 64).sum();
    }

    fn close_collected(&mut self, out: &mut VecDeque<Item>) {
        let leaf = self.leaf;
        let Some(collecting) = &mut self.collecting else { return };
        if self.depth >= collecting.depth {
            if leaf && collecting.fields.len() < FIELDS {
                let text = String::from_utf8_lossy(&self.text).trim().to_owned();
                collecting.fields.push((collecting.path.join("."), text));
            }
            collecting.path.pop();
            return;
        }
        let Some(Collecting { what, line, fields, .. }) = self.collecting.take() else { return };
        match what {
            Kept::UsagePoint => self.directory.usage_point(&self.links, fields),
            Kept::MeterReading => self.directory.meter_reading(self.links.clone()),
            Kept::ReadingType => {
                self.directory.reading_type(&self.links, fields);
                self.release(false, out);
            }
            Kept::TimeParameters => {
                let pairs: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let text = format!("LocalTimeParameters {}", pairs.join(" "));
                out.push_back(Item::Note(Note { line, series: None, text }));
            }
            Kept::Summary => out.push_back(Item::Summary(Box::new(self.summary(line, fields)))),
        }
    }

    fn summary(&self, line: u64, fields: Fields) -> Summary {
        let number = |name: &str| {
            let field = fields.iter().find(|(field, _)| field == name);
            field.and_then(|(_, value)| value.parse::<i64>().ok())
        };
        let period = number("billingPeriod.start").zip(number("billingPeriod.duration"));
        let period = period.and_then(|(start, secs)| Some((instant(start), u32::try_from(secs).ok()?)));
        let service_point = self.directory.belonging(&self.links).usage_point;
        Summary { service_point, line, period, figures: fields }
    }

    fn end(&mut self, out: &mut VecDeque<Item>) -> Result<(), Reason> {
        self.close_block(out);
        self.release(true, out);
        if self.depth > 0 {
            return Err(Reason::Damaged("the file ends inside an element".into()));
        }
        if !self.seen {
            return Err(Reason::Unsupported("the XML holds nothing of Green Button".into()));
        }
        Ok(())
    }
}

/// The items of a run under what is known of its series.
fn emit(belonging: &super::links::Belonging, run: Run, out: &mut VecDeque<Item>) {
    let empty = std::collections::BTreeMap::new();
    let reading_type = belonging.reading_type.as_deref().unwrap_or(&empty);
    let (measure, scaler) = kinds::measure(reading_type);
    let kind = kinds::kind(reading_type, &measure, belonging.service.as_deref());
    let mut extra = reading_type.clone();
    for (name, value) in [("title", &belonging.title), ("meter_reading", &belonging.meter_reading)] {
        if !value.is_empty() {
            extra.insert(name.to_owned(), value.clone());
        }
    }
    let (service_point, channel) = (belonging.usage_point.clone(), belonging.meter_reading.clone());
    let series = Series { service_point, meter: String::new(), channel, kind, measure, extra };
    let behaviour = kinds::number(reading_type, "accumulationBehaviour");
    let default = kinds::number(reading_type, "defaultQuality").and_then(|code| u16::try_from(code).ok());
    let register = matches!(behaviour, Some(1 | 3));
    run.items(&Arc::new(series), scaler, default, register, out);
}
