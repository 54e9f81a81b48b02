//! Writing NEM12 and NEM13.

use super::{AEST_S, suffix_of_kind};
use crate::item::{Foreign, IntervalBlock, Item, Period, RegisterReading, Remark, Series};
use crate::number::Decimal;
use crate::write::{WriteError, Writer, unit_of, value_text};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use model::Quality;
use model::quality::codes::{Aemo, to_aemo};
use std::io::Write;
use std::sync::Arc;

/// A quality with its reason, as a record says it.
type Code = (Aemo, Remark);

/// Writes interval blocks as NEM12, one record 300 a day of Australian Eastern Standard Time.
///
/// Intervals of a day that no block holds are written as 0 with quality N, as the format has no gaps. Days of 23 and 25
/// hours of another zone lie across the 24-hour days of the format and come back as the same instants.
#[derive(Debug)]
pub struct Nem12Writer<W> {
    output: W,
    created: Timestamp,
    from: String,
    to: String,
    begun: bool,
    series: Option<Arc<Series>>,
    interval_s: u32,
    day: Option<OpenDay>,
}

#[derive(Debug)]
struct OpenDay {
    /// Days from 1970 on the market's clock.
    number: i64,
    values: Vec<Option<(i64, i8)>>,
    codes: Vec<Code>,
    updated: Option<Timestamp>,
    loaded: Option<Timestamp>,
}

impl<W: Write> Nem12Writer<W> {
    /// Writes to `output` as sent by participant `from` to participant `to`.
    pub fn new(output: W, created: Timestamp, from: &str, to: &str) -> Self {
        let (from, to) = (from.to_owned(), to.to_owned());
        Self { output, created, from, to, begun: false, series: None, interval_s: 0, day: None }
    }

    fn begin(&mut self) -> Result<(), WriteError> {
        if !self.begun {
            self.begun = true;
            writeln!(
                self.output,
                "100,NEM12,{},{},{}",
                stamp(self.created, "%Y%m%d%H%M"),
                self.from,
                self.to
            )?;
        }
        Ok(())
    }

    fn block(&mut self, block: &IntervalBlock) -> Result<(), WriteError> {
        let unfit =
            |why| WriteError::Unfit { what: "a block", series: block.series.title(), format: "NEM12", why };
        let secs = block.interval.secs();
        if !secs.is_multiple_of(60) || secs > 3600 {
            return Err(unfit("intervals are whole minutes, at most an hour"));
        }
        if block.start.as_second().rem_euclid(i64::from(secs)) != 0 {
            return Err(unfit("intervals lie off the grid of the market's day"));
        }
        let other = self.series.as_ref().is_none_or(|series| **series != *block.series);
        if other || self.interval_s != secs {
            self.flush()?;
            self.series = Some(Arc::clone(&block.series));
            self.interval_s = secs;
            self.header()?;
        }
        for (index, (value, quality)) in block.values.iter().zip(&block.quality).enumerate() {
            let local = block.at(index).as_second() + AEST_S;
            let slot = usize::try_from(local.rem_euclid(86_400) / i64::from(secs)).unwrap_or(0);
            let code = match block.beside_at(index) {
                Some(Foreign::Aemo(code, remark)) => (*code, remark.clone()),
                _ => {
                    let (code, word) = to_aemo(*quality);
                    let remark = word.map_or_else(Remark::default, |text| Remark { code: Some(0), text });
                    (code, remark)
                }
            };
            self.open(local.div_euclid(86_400), block)?;
            let Some(day) = &mut self.day else { continue };
            if let (Some(value_slot), Some(code_slot)) = (day.values.get_mut(slot), day.codes.get_mut(slot)) {
                *value_slot = (!quality.is_missing()).then_some((*value, block.scaler));
                *code_slot = code;
            }
        }
        Ok(())
    }

    fn header(&mut self) -> Result<(), WriteError> {
        let Some(series) = &self.series else { return Ok(()) };
        let place = if series.service_point.is_empty() { &series.meter } else { &series.service_point };
        let suffix = suffix(series);
        let or_suffix =
            |name| Some(series.extra(name)).filter(|text| !text.is_empty()).unwrap_or(&suffix).to_owned();
        writeln!(
            self.output,
            "200,{},{},{},{suffix},{},{},{},{},{}",
            field(place),
            or_suffix("configuration"),
            or_suffix("register_id"),
            series.extra("stream"),
            field(&series.meter),
            unit_of(&series.measure).0,
            self.interval_s / 60,
            series.extra("next_read"),
        )?;
        Ok(())
    }

    fn open(&mut self, number: i64, block: &IntervalBlock) -> Result<(), WriteError> {
        if self.day.as_ref().is_some_and(|day| day.number == number) {
            return Ok(());
        }
        self.flush()?;
        let per_day = usize::try_from(86_400 / self.interval_s.max(1)).unwrap_or(0);
        let codes = vec![(Aemo::NULL, Remark::default()); per_day];
        let (updated, loaded) = (block.updated, block.loaded);
        self.day = Some(OpenDay { number, values: vec![None; per_day], codes, updated, loaded });
        Ok(())
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        let (Some(day), Some(series)) = (self.day.take(), &self.series) else { return Ok(()) };
        let exponent = unit_of(&series.measure).1;
        let mut line = format!("300,{}", date(day.number));
        for value in &day.values {
            line.push(',');
            line.push_str(
                &value.map_or_else(|| "0".to_owned(), |(v, scaler)| value_text(v, scaler, exponent)),
            );
        }
        let runs = runs(&day.codes);
        let written = |at: Option<Timestamp>| at.map_or_else(String::new, |at| stamp(at, "%Y%m%d%H%M%S"));
        let (updated, loaded) = (written(day.updated), written(day.loaded));
        if let [(_, _, code)] = runs.as_slice() {
            writeln!(self.output, "{line},{},{updated},{loaded}", code_text(code))?;
            return Ok(());
        }
        writeln!(self.output, "{line},V,,,{updated},{loaded}")?;
        for (first, last, code) in &runs {
            writeln!(self.output, "400,{first},{last},{}", code_text(code))?;
        }
        Ok(())
    }
}

impl<W: Write> Writer for Nem12Writer<W> {
    fn write(&mut self, item: &Item) -> Result<(), WriteError> {
        self.begin()?;
        match item {
            Item::Block(block) => self.block(block),
            Item::Note(_) | Item::Refused(_) => Ok(()),
            Item::Register(read) => {
                Err(unfit("a register", &read.series, "it holds intervals; registers are NEM13's"))
            }
            Item::Period(period) => Err(unfit("a quantity", &period.series, "it holds intervals of a day")),
            Item::Summary(_) => Err(unfit("a bill's summary", &Series::default(), "it holds readings only")),
        }
    }

    fn finish(&mut self) -> Result<(), WriteError> {
        self.begin()?;
        self.flush()?;
        writeln!(self.output, "900")?;
        self.output.flush()?;
        Ok(())
    }
}

fn unfit(what: &'static str, series: &Series, why: &'static str) -> WriteError {
    WriteError::Unfit { what, series: series.title(), format: "NEM12", why }
}

/// Runs of equal codes, from and to counted from 1.
fn runs(codes: &[Code]) -> Vec<(usize, usize, &Code)> {
    let mut runs: Vec<(usize, usize, &Code)> = Vec::new();
    for (index, code) in codes.iter().enumerate() {
        match runs.last_mut() {
            Some((_, last, open)) if *open == code => *last = index + 1,
            _ => runs.push((index + 1, index + 1, code)),
        }
    }
    runs
}

fn code_text((code, remark): &Code) -> String {
    let reason = remark.code.map_or_else(String::new, |code| code.to_string());
    format!("{code},{reason},{}", field(&remark.text))
}

/// A field of the format has no quotes, so no comma either.
fn field(text: &str) -> String {
    text.replace([',', '\r', '\n'], " ")
}

fn suffix(series: &Series) -> String {
    let of_format = series.channel.len() == 2 && series.channel.bytes().all(|b| b.is_ascii_alphanumeric());
    if of_format { series.channel.clone() } else { suffix_of_kind(series.kind).to_owned() }
}

fn date(number: i64) -> String {
    let at = Timestamp::from_second(number.saturating_mul(86_400)).unwrap_or_default();
    at.to_zoned(TimeZone::UTC).strftime("%Y%m%d").to_string()
}

fn stamp(at: Timestamp, form: &str) -> String {
    at.to_zoned(Offset::constant(10).to_time_zone()).strftime(form).to_string()
}

/// Writes pairs of registers with the quantity between them as NEM13.
///
/// Items come as the reader hands them out: the earlier register, the later one, the quantity. Registers alone are
/// written with the difference as the quantity.
#[derive(Debug)]
pub struct Nem13Writer<W> {
    output: W,
    created: Timestamp,
    from: String,
    to: String,
    begun: bool,
    held: Vec<RegisterReading>,
}

impl<W: Write> Nem13Writer<W> {
    /// Writes to `output` as sent by participant `from` to participant `to`.
    pub fn new(output: W, created: Timestamp, from: &str, to: &str) -> Self {
        let (from, to) = (from.to_owned(), to.to_owned());
        Self { output, created, from, to, begun: false, held: Vec::new() }
    }

    fn record(&mut self, period: &Period) -> Result<(), WriteError> {
        let series = &period.series;
        let unfit =
            |why| WriteError::Unfit { what: "a quantity", series: series.title(), format: "NEM13", why };
        let [previous, current] = self.held.as_slice() else {
            return Err(unfit("both registers have to come before it"));
        };
        let direction = if series.kind == Some(model::ChannelKind::Export) { "I" } else { "E" };
        let (unit, exponent) = unit_of(&series.measure);
        let text = |name: &str, value: Decimal| match series.extra(name) {
            "" => value_text(value.mantissa, value.exponent, exponent),
            written => written.to_owned(),
        };
        let value = period.value.ok_or_else(|| unfit("it has no quantity"))?;
        let end = |read: &RegisterReading, name| {
            let code = code_of(read.quality, read.beside.as_ref());
            format!("{},{},{}", text(name, read.value), stamp(read.at, "%Y%m%d%H%M%S"), code_text(&code))
        };
        let place = if series.service_point.is_empty() { &series.meter } else { &series.service_point };
        writeln!(
            self.output,
            "250,{},{},{},{},{},{},{direction},{},{},{},{unit},{},{},{}",
            field(place),
            series.extra("configuration"),
            series.extra("register_id"),
            series.channel,
            series.extra("stream"),
            field(&series.meter),
            end(previous, "previous_read"),
            end(current, "current_read"),
            value_text(value.mantissa, value.exponent, exponent),
            series.extra("next_read"),
            series.extra("updated"),
            series.extra("loaded"),
        )?;
        Ok(())
    }
}

fn code_of(quality: Quality, beside: Option<&Foreign>) -> Code {
    match beside {
        Some(Foreign::Aemo(code, remark)) => (*code, remark.clone()),
        _ => {
            let (code, word) = to_aemo(quality);
            (code, word.map_or_else(Remark::default, |text| Remark { code: Some(0), text }))
        }
    }
}

impl<W: Write> Writer for Nem13Writer<W> {
    fn write(&mut self, item: &Item) -> Result<(), WriteError> {
        if !self.begun {
            self.begun = true;
            writeln!(
                self.output,
                "100,NEM13,{},{},{}",
                stamp(self.created, "%Y%m%d%H%M"),
                self.from,
                self.to
            )?;
        }
        match item {
            Item::Register(read) => {
                if self.held.len() == 2 || self.held.last().is_some_and(|held| held.series != read.series) {
                    self.held.clear();
                }
                self.held.push(read.clone());
                Ok(())
            }
            Item::Period(period) => self.record(period),
            Item::Note(note) if note.text.starts_with("550") => Ok(writeln!(self.output, "{}", note.text)?),
            Item::Note(_) | Item::Refused(_) => Ok(()),
            Item::Block(block) => Err(WriteError::Unfit {
                what: "a block",
                series: block.series.title(),
                format: "NEM13",
                why: "it holds registers; intervals are NEM12's",
            }),
            Item::Summary(_) => Err(WriteError::Unfit {
                what: "a bill's summary",
                series: String::new(),
                format: "NEM13",
                why: "it holds readings only",
            }),
        }
    }

    fn finish(&mut self) -> Result<(), WriteError> {
        writeln!(self.output, "900")?;
        self.output.flush()?;
        Ok(())
    }
}
