//! CMEP, the comma-separated records of the California Metering Exchange Protocol: MEPMD01, metering data.
//!
//! ```text
//! MEPMD01,version,sender,its customer,receiver,its customer,created,meter,purpose,commodity,units,constant,interval,count
//!   then count times: time, quality, value
//! ```
//!
//! A time is the end of its interval; one that is left out follows the one before. Units that end in `REG` are registers.
//!
//! **Interpretation:** times are UTC where nobody names a zone.
//!
//! Standard: California Metering Exchange Protocol, record MEPMD01.

use crate::csv::Row;
use crate::item::{Beside, Foreign, IntervalBlock, Item, Note, Reader, RegisterReading, Series};
use crate::limits;
use crate::lines::{Line, Lines};
use crate::number::{Decimal, Mantissas};
use crate::quantity::Measure;
use crate::refusal::{ReadError, Reason, Refusal};
use crate::stamp::{Clock, Stamp, days};
use crate::write::{WriteError, Writer, unit_of, value_text};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::quality::codes::{Cmep, from_cmep, to_cmep};
use model::{ChannelKind, Commodity, IntervalLength, Quality};
use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::sync::Arc;

/// Other records of the protocol; they are kept as notes.
const SIBLINGS: [&[u8]; 10] = [
    b"MEPMD02", b"MEPEC01", b"MLA01", b"MEPAD01", b"MEPAD02", b"MEPBD01", b"MEPBD02", b"MEPBD03", b"MEPLF01",
    b"MEPRR01",
];

/// Fields before the first triple.
const HEAD: usize = 14;

/// Triples that one record holds at most when we write it.
const TRIPLES: usize = 48;

/// Reads CMEP.
#[derive(Debug)]
pub struct CmepReader<R> {
    lines: Lines<R>,
    row: Row,
    clock: Clock,
    out: VecDeque<Item>,
}

impl<R: Read> CmepReader<R> {
    /// Reads `input`, with times in `zone`.
    pub fn new(input: R, zone: TimeZone) -> Self {
        Self { lines: Lines::new(input), row: Row::default(), clock: Clock::new(zone), out: VecDeque::new() }
    }
}

impl<R: Read> Reader for CmepReader<R> {
    fn next(&mut self) -> Result<Option<Item>, ReadError> {
        loop {
            if let Some(item) = self.out.pop_front() {
                return Ok(Some(item));
            }
            match self.lines.next_line()? {
                None => return Ok(None),
                Some((number, Line::TooLong(head))) => {
                    let reason = Reason::LineTooLong { limit: limits::LINE };
                    return Ok(Some(Item::Refused(Refusal::new(number, reason, head))));
                }
                Some((number, Line::Whole(line))) => {
                    let kept = self.out.len();
                    if let Err(reason) = record(number, line, &mut self.row, &mut self.clock, &mut self.out) {
                        self.out.truncate(kept);
                        self.out.push_back(Item::Refused(Refusal::new(number, reason, line)));
                    }
                }
            }
        }
    }

    fn met_local_times(&self) -> bool {
        self.clock.met_local_times()
    }
}

fn record(
    number: u64,
    line: &[u8],
    row: &mut Row,
    clock: &mut Clock,
    out: &mut VecDeque<Item>,
) -> Result<(), Reason> {
    if line.trim_ascii().is_empty() {
        return Ok(());
    }
    if !row.split(line, b',') {
        return Err(Reason::Damaged("a quote is not closed".into()));
    }
    let kind = row.field(line, 0);
    if kind != b"MEPMD01" {
        return other_record(number, kind, line, out);
    }
    let head = Head::read(row, line)?;
    let count: usize = parsed(row.field(line, 13), "count", "a number of triples")?;
    let found = row.len().saturating_sub(HEAD);
    if count.checked_mul(3) != Some(found) {
        return Err(Reason::Count { found: found / 3, wanted: count });
    }
    let mut open: Option<Open> = None;
    let mut expected = None;
    for index in 0..count {
        let at = HEAD + 3 * index;
        let time = row.field(line, at);
        let instant = match (time, expected) {
            (b"", Some(next)) => next,
            (b"", None) => return Err(Reason::Missing { field: "time of the first triple" }),
            (time, expected) => clock.instant(stamp12(time)?, expected)?,
        };
        let step = head.interval.map(|length| i64::from(length.secs()));
        expected = step.map(|step| instant + step);
        let (code, value) = (row.field(line, at + 1), row.field(line, at + 2));
        let triple = Triple::read(instant, code, value, head.constant)?;
        if head.register {
            if let Some(reading) = triple.register(&head, number) {
                out.push_back(reading);
            }
            continue;
        }
        let Some(interval) = head.interval else {
            return Err(Reason::field(
                "interval",
                row.field(line, 12),
                "MMDDhhmm, as 00000015 for 15 minutes",
            ));
        };
        open = Some(match open.take() {
            Some(open) if open.next == instant => open,
            before => {
                out.extend(before.map(|open| open.finish(&head, interval, number)));
                Open::new(instant)
            }
        });
        if let Some(open) = &mut open {
            open.push(triple, i64::from(interval.secs()))?;
        }
    }
    if let (Some(open), Some(interval)) = (open, head.interval) {
        out.push_back(open.finish(&head, interval, number));
    }
    Ok(())
}

/// A record that holds no readings.
fn other_record(number: u64, kind: &[u8], line: &[u8], out: &mut VecDeque<Item>) -> Result<(), Reason> {
    if !SIBLINGS.contains(&kind) {
        return Err(Reason::Unknown(String::from_utf8_lossy(kind.get(..16).unwrap_or(kind)).into_owned()));
    }
    let text = String::from_utf8_lossy(line.get(..limits::EXCERPT).unwrap_or(line)).into_owned();
    out.push_back(Item::Note(Note { line: number, series: None, text }));
    Ok(())
}

/// Whose readings a record holds.
struct Head {
    series: Arc<Series>,
    exponent: i8,
    constant: Decimal,
    interval: Option<IntervalLength>,
    register: bool,
}

impl Head {
    fn read(row: &Row, line: &[u8]) -> Result<Self, Reason> {
        let text = |at: usize, what| {
            let field = row.field(line, at);
            if field.len() > limits::NAME {
                return Err(Reason::field(what, field, "a name of at most 128 bytes"));
            }
            core::str::from_utf8(field).map(str::to_owned).map_err(|_| Reason::field(what, field, "UTF-8"))
        };
        let meter = text(7, "meter")?;
        if meter.is_empty() {
            return Err(Reason::Missing { field: "meter" });
        }
        let units = text(10, "units")?;
        let upper = units.to_ascii_uppercase();
        let register = upper.ends_with("REG");
        let (measure, exponent) = Measure::parse(upper.strip_suffix("REG").unwrap_or(&upper));
        let commodity = match row.field(line, 9) {
            b"E" => Some(Commodity::Electricity),
            b"G" => Some(Commodity::Gas),
            b"W" => Some(Commodity::Water),
            b"S" => None,
            other => return Err(Reason::field("commodity", other, "E, G, W or S")),
        };
        let kind = commodity.and_then(|commodity| measure.usual_kind(commodity));
        let constant = match row.field(line, 11) {
            b"" => Decimal::ONE,
            written => Decimal::parse(written, b'.')
                .map(Decimal::trimmed)
                .ok_or_else(|| Reason::field("calculation constant", written, "a decimal number"))?,
        };
        let mut extra = BTreeMap::new();
        for (at, name) in [(2, "sender"), (3, "sender_customer"), (4, "receiver"), (8, "purpose")] {
            let field = text(at, name)?;
            if !field.is_empty() {
                extra.insert(name.to_owned(), field);
            }
        }
        // What values were multiplied by stays with them: whoever knows the meter's own multiplier compares.
        if let Some(factor) = constant.rescaled(0).filter(|factor| *factor != 1) {
            extra.insert(CONSTANT.to_owned(), factor.to_string());
        }
        let customer = text(5, "receiver's customer")?;
        let service_point = if customer == meter { String::new() } else { customer };
        let series = Series { service_point, meter, channel: String::new(), kind, measure, extra };
        let interval = interval(row.field(line, 12))?;
        Ok(Self { series: Arc::new(series), exponent, constant, interval, register })
    }
}

fn parsed<T: core::str::FromStr>(
    field: &[u8],
    name: &'static str,
    wanted: &'static str,
) -> Result<T, Reason> {
    let plain = field.iter().all(u8::is_ascii_digit);
    let text = core::str::from_utf8(field).ok().filter(|_| plain);
    text.and_then(|text| text.parse().ok()).ok_or_else(|| Reason::field(name, field, wanted))
}

/// `MMDDhhmm`; months are no interval.
fn interval(field: &[u8]) -> Result<Option<IntervalLength>, Reason> {
    if field.is_empty() {
        return Ok(None);
    }
    let wanted = "MMDDhhmm, as 00000015 for 15 minutes";
    let number: u32 = parsed(field, "interval", wanted)?;
    let minutes = number / 10_000 * 1440 + number / 100 % 100 * 60 + number % 100;
    if number >= 1_000_000 {
        return Ok(None);
    }
    IntervalLength::from_secs(minutes * 60).map(Some).map_err(|_| Reason::field("interval", field, wanted))
}

/// `YYYYMMDDhhmm`.
fn stamp12(field: &[u8]) -> Result<Stamp, Reason> {
    let bad = || Reason::field("time", field, "a time of 12 digits");
    let number: i64 = parsed(field, "time", "a time of 12 digits")?;
    if field.len() != 12 {
        return Err(bad());
    }
    let (date, time) = (number / 10_000, number % 10_000);
    let days = days(date / 10_000, date / 100 % 100, date % 100).ok_or_else(bad)?;
    let (hour, minute) = (time / 100, time % 100);
    if (hour > 23 && time != 2400) || minute > 59 {
        return Err(bad());
    }
    Ok(Stamp { civil: days * 86_400 + hour * 3600 + minute * 60, offset: None })
}

/// One reading of a record.
struct Triple {
    at: i64,
    value: Option<Decimal>,
    quality: Quality,
    beside: Option<Foreign>,
}

impl Triple {
    fn read(at: i64, code: &[u8], value: &[u8], constant: Decimal) -> Result<Self, Reason> {
        let text = core::str::from_utf8(code).unwrap_or("");
        let code =
            Cmep::parse(text).ok_or_else(|| Reason::field("quality", code, "R, E, A or N and a number"))?;
        let quality = from_cmep(code);
        let number = match value {
            b"" => None,
            written => Some(
                Decimal::parse(written, b'.')
                    .and_then(|number| number.checked_mul(constant))
                    .ok_or_else(|| Reason::field("value", written, "a decimal number"))?,
            ),
        };
        let number = if quality.is_missing() { number.filter(|number| number.mantissa != 0) } else { number };
        if number.is_some() == quality.is_missing() {
            let holds = if number.is_some() { "a value" } else { "no value" };
            return Err(Reason::Contradiction(format!("the quality is {code} where {holds} stands")));
        }
        let beside = (to_cmep(quality) != code).then_some(Foreign::Cmep(code));
        Ok(Self { at, value: number, quality, beside })
    }

    fn register(self, head: &Head, line: u64) -> Option<Item> {
        let value = self.value?;
        Some(Item::Register(RegisterReading {
            series: Arc::clone(&head.series),
            line,
            tou: 0,
            at: Timestamp::from_second(self.at).ok()?,
            value: Decimal { exponent: value.exponent.checked_add(head.exponent)?, ..value },
            quality: self.quality,
            beside: self.beside,
        }))
    }
}

/// The name under which [`Series::extra`] has the whole number that the values were multiplied by, if it was not 1.
pub const CONSTANT: &str = "calculation_constant";

/// Consecutive triples.
struct Open {
    first: i64,
    next: i64,
    column: Mantissas,
    quality: Vec<Quality>,
    beside: Vec<Beside>,
}

impl Open {
    fn new(at: i64) -> Self {
        Self { first: at, next: at, column: Mantissas::default(), quality: Vec::new(), beside: Vec::new() }
    }

    fn push(&mut self, triple: Triple, step: i64) -> Result<(), Reason> {
        match triple.value {
            None => self.column.push_nothing(),
            Some(number) if self.column.push_decimal(number) => {}
            Some(_) => return Err(Reason::Contradiction("the values do not fit 64 bits together".into())),
        }
        if let Some(code) = triple.beside {
            let at = u32::try_from(self.quality.len()).unwrap_or(u32::MAX);
            match self.beside.last_mut() {
                Some(run) if run.first + run.count == at && run.code == code => run.count += 1,
                _ => self.beside.push(Beside { first: at, count: 1, code }),
            }
        }
        self.quality.push(triple.quality);
        self.next = triple.at + step;
        Ok(())
    }

    fn finish(self, head: &Head, interval: IntervalLength, line: u64) -> Item {
        let (values, scaler) = self.column.finish(head.exponent);
        let start = self.first - i64::from(interval.secs());
        Item::Block(IntervalBlock {
            series: Arc::clone(&head.series),
            line,
            start: Timestamp::from_second(start).unwrap_or_default(),
            interval,
            scaler,
            values,
            quality: self.quality,
            beside: self.beside,
            costs: Vec::new(),
            updated: None,
            loaded: None,
        })
    }
}

/// Writes CMEP, times in UTC, at most 48 readings a record.
///
/// The format names no direction: energy received, net and generation are refused.
#[derive(Debug)]
pub struct CmepWriter<W> {
    output: W,
    created: Timestamp,
    sender: String,
}

impl<W: Write> CmepWriter<W> {
    /// Writes to `output` as sent by `sender`.
    pub fn new(output: W, created: Timestamp, sender: &str) -> Self {
        Self { output, created, sender: sender.replace(',', " ") }
    }

    fn head(
        &self,
        series: &Series,
        register: bool,
        interval: &str,
        count: usize,
    ) -> Result<String, WriteError> {
        let unfit = |why| WriteError::Unfit { what: "a series", series: series.title(), format: "CMEP", why };
        let commodity = match series.kind {
            Some(ChannelKind::Gas) => 'G',
            Some(ChannelKind::Water) => 'W',
            Some(ChannelKind::Import | ChannelKind::ReactiveImport | ChannelKind::Voltage) | None => 'E',
            Some(_) => return Err(unfit("the format does not name the direction of energy")),
        };
        let meter = if series.meter.is_empty() { &series.service_point } else { &series.meter };
        let place = if series.service_point.is_empty() { meter } else { &series.service_point };
        let units = unit_of(&series.measure).0.to_ascii_uppercase() + if register { "REG" } else { "" };
        let or = |name, usual: &str| match series.extra(name) {
            "" => usual.to_owned(),
            written => written.to_owned(),
        };
        Ok(format!(
            "MEPMD01,20080501,{},{},{},{},{},{},{},{commodity},{units},1,{interval},{count}",
            or("sender", &self.sender),
            or("sender_customer", ""),
            or("receiver", ""),
            place.replace(',', " "),
            minute(self.created),
            meter.replace(',', " "),
            or("purpose", "OK"),
        ))
    }

    fn block(&mut self, block: &IntervalBlock) -> Result<(), WriteError> {
        let secs = block.interval.secs();
        if !secs.is_multiple_of(60) || block.start.as_second() % 60 != 0 {
            let (what, why) = ("a block", "its intervals are no whole minutes");
            return Err(WriteError::Unfit { what, series: block.series.title(), format: "CMEP", why });
        }
        let minutes = secs / 60;
        let interval = format!("00{:02}{:02}{:02}", minutes / 1440, minutes / 60 % 24, minutes % 60);
        let exponent = unit_of(&block.series.measure).1;
        let readings: Vec<_> = block.readings().enumerate().collect();
        for chunk in readings.chunks(TRIPLES) {
            let mut line = self.head(&block.series, false, &interval, chunk.len())?;
            for (index, (_, value, quality)) in chunk {
                let value = value.map_or_else(String::new, |value| value_text(value, block.scaler, exponent));
                let code = code_of(*quality, block.beside_at(*index));
                line.push_str(&format!(",{},{code},{value}", minute(block.at(index + 1))));
            }
            writeln!(self.output, "{line}")?;
        }
        Ok(())
    }
}

fn code_of(quality: Quality, beside: Option<&Foreign>) -> Cmep {
    match beside {
        Some(Foreign::Cmep(code)) => *code,
        _ => to_cmep(quality),
    }
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y%m%d%H%M").to_string()
}

impl<W: Write> Writer for CmepWriter<W> {
    fn write(&mut self, item: &Item) -> Result<(), WriteError> {
        let unfit = |what, series: &Series, why| {
            Err(WriteError::Unfit { what, series: series.title(), format: "CMEP", why })
        };
        match item {
            Item::Block(block) => self.block(block),
            Item::Register(read) => {
                let line = self.head(&read.series, true, "", 1)?;
                let exponent = unit_of(&read.series.measure).1;
                let value = value_text(read.value.mantissa, read.value.exponent, exponent);
                let code = code_of(read.quality, read.beside.as_ref());
                Ok(writeln!(self.output, "{line},{},{code},{value}", minute(read.at))?)
            }
            Item::Period(period) => unfit("a quantity", &period.series, "it holds intervals and registers"),
            Item::Summary(_) => unfit("a bill's summary", &Series::default(), "it holds readings only"),
            Item::Note(_) | Item::Refused(_) => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<(), WriteError> {
        Ok(self.output.flush()?)
    }
}

/// Whether a record begins like one of the protocol.
pub(crate) fn begins_like(line: &[u8]) -> bool {
    line.starts_with(b"MEPMD01,") || SIBLINGS.iter().any(|kind| line.starts_with(kind))
}

#[cfg(test)]
mod tests;
