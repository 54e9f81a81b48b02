//! Writing tables that the readers beside read back.

use super::wide::channel_name;
use crate::foreign::BETWEEN;
use crate::item::{Foreign, IntervalBlock, Item, Series};
use crate::write::{WriteError, Writer, unit_of, value_text};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{LocalDay, Quality};
use std::io::Write;

/// Writes a row a reading: place, meter, channel, unit, interval, start in UTC, value, quality.
#[derive(Debug)]
pub struct LongWriter<W> {
    output: W,
    begun: bool,
}

impl<W: Write> LongWriter<W> {
    /// Writes to `output`.
    pub const fn new(output: W) -> Self {
        Self { output, begun: false }
    }

    fn block(&mut self, block: &IntervalBlock) -> Result<(), WriteError> {
        let (head, exponent) = head(block);
        for (index, (at, value, quality)) in block.readings().enumerate() {
            let value = value.map_or_else(String::new, |value| value_text(value, block.scaler, exponent));
            let word = quality_word(quality, block.beside_at(index));
            writeln!(self.output, "{head},{},{value},{word}", stamp(at))?;
        }
        Ok(())
    }
}

impl<W: Write> Writer for LongWriter<W> {
    fn write(&mut self, item: &Item) -> Result<(), WriteError> {
        if !self.begun {
            self.begun = true;
            writeln!(self.output, "service_point,meter,channel,unit,interval_s,start,value,quality")?;
        }
        match item {
            Item::Block(block) => self.block(block),
            other => unfit(other, INTERVALS),
        }
    }

    fn finish(&mut self) -> Result<(), WriteError> {
        Ok(self.output.flush()?)
    }
}

/// Writes a row a local day, 92, 96 or 100 quarter hours as the clock has it; the quality as runs.
#[derive(Debug)]
pub struct WideWriter<W> {
    output: W,
    zone: TimeZone,
    begun: bool,
}

impl<W: Write> WideWriter<W> {
    /// Writes days of `zone` to `output`.
    pub const fn new(output: W, zone: TimeZone) -> Self {
        Self { output, zone, begun: false }
    }

    fn block(&mut self, block: &IntervalBlock) -> Result<(), WriteError> {
        let widest = usize::try_from(25 * 3600 / block.interval.secs().min(25 * 3600)).unwrap_or(1).max(1);
        if !self.begun {
            self.begun = true;
            let names: Vec<String> = (1..=widest).map(|index| format!("v{index}")).collect();
            let names = names.join(",");
            writeln!(self.output, "service_point,meter,channel,unit,interval_s,start,quality,{names}")?;
        }
        let (head, exponent) = head(block);
        let readings: Vec<_> = block.readings().collect();
        let mut rest = readings.as_slice();
        while let Some((at, _, _)) = rest.first() {
            let end = LocalDay::containing(*at, &self.zone).map_or(Timestamp::MAX, |day| day.end());
            let of_day = rest.iter().take_while(|(at, _, _)| *at < end).count().max(1);
            let (day, after) = rest.split_at(of_day);
            let first = readings.len() - rest.len();
            let words: Vec<String> = (first..)
                .zip(day)
                .map(|(index, (_, _, quality))| quality_word(*quality, block.beside_at(index)))
                .collect();
            let mut line = format!("{head},{},{}", stamp(*at), runs(&words));
            for (_, value, _) in day {
                line.push(',');
                line.push_str(
                    &value.map_or_else(String::new, |value| value_text(value, block.scaler, exponent)),
                );
            }
            line.extend(std::iter::repeat_n(',', widest.saturating_sub(of_day)));
            writeln!(self.output, "{line}")?;
            rest = after;
        }
        Ok(())
    }
}

impl<W: Write> Writer for WideWriter<W> {
    fn write(&mut self, item: &Item) -> Result<(), WriteError> {
        match item {
            Item::Block(block) => self.block(block),
            other => unfit(other, INTERVALS),
        }
    }

    fn finish(&mut self) -> Result<(), WriteError> {
        Ok(self.output.flush()?)
    }
}

/// `valid*92 missing*4`
fn runs(words: &[String]) -> String {
    let mut runs: Vec<(&str, usize)> = Vec::new();
    for word in words {
        match runs.last_mut() {
            Some((last, count)) if last == word => *count += 1,
            _ => runs.push((word, 1)),
        }
    }
    let runs: Vec<String> = runs.iter().map(|(word, count)| format!("{word}*{count}")).collect();
    runs.join(" ")
}

fn head(block: &IntervalBlock) -> (String, i8) {
    let series = &block.series;
    let (unit, exponent) = unit_of(&series.measure);
    let channel = quoted(&channel_cell(series));
    let names = format!("{},{},{channel}", quoted(&series.service_point), quoted(&series.meter));
    (format!("{names},{},{}", quoted(&unit), block.interval.secs()), exponent)
}

/// Our word, and the sender's own code behind it where that says more.
pub(super) fn quality_word(quality: Quality, beside: Option<&Foreign>) -> String {
    match beside {
        None => quality.word(),
        Some(code) => format!("{}{BETWEEN}{}", quality.word(), code.token()),
    }
}

/// What a series holds, and its own name behind it where that is another: `import`, `import/E2`.
pub(super) fn channel_cell(series: &Series) -> String {
    let holds = channel_name(series);
    if series.channel.is_empty() || series.channel == holds {
        holds.to_owned()
    } else {
        format!("{holds}/{}", series.channel)
    }
}

pub(super) fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\"").replace(['\n', '\r'], " "))
    } else {
        text.to_owned()
    }
}

pub(super) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

const INTERVALS: &str = "the table holds intervals only";

/// Refuses what the table has no place for; notes and refusals are passed over.
pub(super) fn unfit(item: &Item, why: &'static str) -> Result<(), WriteError> {
    let (what, series) = match item {
        Item::Register(read) => ("a register", read.series.title()),
        Item::Period(period) => ("a quantity", period.series.title()),
        Item::Summary(_) => ("a bill's summary", Series::default().title()),
        Item::Block(block) => ("a block", block.series.title()),
        Item::Note(_) | Item::Refused(_) => return Ok(()),
    };
    Err(WriteError::Unfit { what, series, format: "CSV", why })
}
