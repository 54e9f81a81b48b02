//! NEM12's records 200, 300 and 400.

use super::{AEST_S, date8, kind_of_suffix, stamp14};
use crate::csv::Row;
use crate::item::{Beside, Foreign, IntervalBlock, Remark, Series};
use crate::limits;
use crate::number::{Mantissas, scan};
use crate::quantity::Measure;
use crate::refusal::{Reason, Refusal};
use jiff::Timestamp;
use model::quality::codes::{Aemo, AemoFlag, from_aemo};
use model::{IntervalLength, Quality};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A record 200: whose the days are that follow.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) series: Arc<Series>,
    pub(crate) exponent: i8,
    interval: IntervalLength,
}

impl Header {
    pub(crate) fn parse(row: &Row, line: &[u8]) -> Result<Self, Reason> {
        let (series, exponent) = series(row, line, 7)?;
        let minutes = row.field(line, 8);
        let interval = core::str::from_utf8(minutes)
            .ok()
            .and_then(|text| text.parse::<u32>().ok())
            .and_then(|minutes| IntervalLength::from_secs(minutes.checked_mul(60)?).ok())
            .ok_or_else(|| Reason::field("interval length", minutes, "1, 5, 10, 15 or 30 minutes"))?;
        let mut series = series;
        if !row.field(line, 9).is_empty() {
            let next = String::from_utf8_lossy(row.field(line, 9)).into_owned();
            series.extra.insert("next_read".into(), next);
        }
        Ok(Self { series: Arc::new(series), exponent, interval })
    }
}

/// The fields that records 200 and 250 share, and the exponent of the unit.
pub(crate) fn series(row: &Row, line: &[u8], unit: usize) -> Result<(Series, i8), Reason> {
    let text = |at: usize, what| {
        let field = row.field(line, at);
        if field.len() > limits::NAME {
            return Err(Reason::field(what, field, "a name of at most 128 bytes"));
        }
        core::str::from_utf8(field).map(str::to_owned).map_err(|_| Reason::field(what, field, "UTF-8"))
    };
    let service_point = text(1, "NMI")?;
    if service_point.is_empty() {
        return Err(Reason::Missing { field: "NMI" });
    }
    let channel = text(4, "NMI suffix")?;
    let (measure, exponent) = Measure::parse(&text(unit, "unit")?);
    let mut extra = BTreeMap::new();
    for (at, name) in [(2, "configuration"), (3, "register_id"), (5, "stream")] {
        let field = text(at, name)?;
        if !field.is_empty() {
            extra.insert(name.to_owned(), field);
        }
    }
    let kind = kind_of_suffix(&channel);
    Ok((Series { service_point, meter: text(6, "meter serial")?, channel, kind, measure, extra }, exponent))
}

/// Parses days; remembers how many decimals the last one had.
#[derive(Debug, Default)]
pub(crate) struct DayParser {
    decimals: u8,
}

/// A day as it stands in record 300.
#[derive(Debug)]
pub(crate) struct Day {
    block: IntervalBlock,
    code: Aemo,
    /// For a variable day: how many intervals the records 400 have told of so far.
    told: u32,
    text: Vec<u8>,
}

impl DayParser {
    pub(crate) fn parse(&mut self, number: u64, header: &Header, line: &[u8]) -> Result<Day, Reason> {
        let per_day = usize::try_from(86_400 / header.interval.secs()).unwrap_or(0);
        let rest = line.get(4..).ok_or(Reason::Missing { field: "interval date" })?;
        let (date, mut rest) = cut(rest);
        let midnight =
            date8(date).ok_or_else(|| Reason::field("interval date", date, "a date of 8 digits"))?;
        let mut column = Mantissas::with_capacity(per_day, self.decimals);
        for index in 0..per_day {
            let Some((value, after)) = scan(rest, b'.') else { return Err(bad_value(rest, index, per_day)) };
            rest = match after {
                [b',', tail @ ..] => tail,
                [] => after,
                _ => return Err(bad_value(rest, index, per_day)),
            };
            if !column.push(value) {
                return Err(Reason::Contradiction(
                    "the values of the day do not fit 64 bits together".into(),
                ));
            }
        }
        let (method, after) = cut(rest);
        let code = Aemo::parse(method.trim_ascii()).ok_or_else(|| {
            if scan(method, b'.').is_some() {
                let found = per_day
                    + 1
                    + after.split(|byte| *byte == b',').take_while(|f| scan(f, b'.').is_some()).count();
                return Reason::Count { found, wanted: per_day };
            }
            Reason::field("quality method", method, "A, N, V, or E, F, S with a method of two digits")
        })?;
        let mut fields = after.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        let remark = remark(fields.next().unwrap_or_default(), fields.next().unwrap_or_default())?;
        let updated = fields.next().filter(|field| !field.is_empty());
        let updated = updated.map(update_time).transpose()?;
        let loaded = fields.next().filter(|field| !field.is_empty());
        let loaded = loaded.map(update_time).transpose()?;
        let quality = from_aemo(code, &remark.text);
        let start = Timestamp::from_second(midnight - AEST_S)
            .map_err(|_| Reason::field("interval date", date, "a date of the calendar"))?;
        let (values, scaler) = column.finish(header.exponent);
        self.decimals = u8::try_from(i16::from(header.exponent) - i16::from(scaler)).unwrap_or(0);
        let mut block = IntervalBlock {
            series: Arc::clone(&header.series),
            line: number,
            start,
            interval: header.interval,
            scaler,
            quality: vec![quality; per_day],
            values,
            beside: Vec::new(),
            costs: Vec::new(),
            updated,
            loaded,
        };
        if code.flag != AemoFlag::Variable {
            keep(&mut block, 0, per_day, code, remark)?;
        }
        let text = if code.flag == AemoFlag::Variable { head(line) } else { Vec::new() };
        Ok(Day { block, code, told: 0, text })
    }
}

fn head(line: &[u8]) -> Vec<u8> {
    line.get(..limits::EXCERPT).unwrap_or(line).to_vec()
}

fn cut(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b',', text) {
        Some(at) => {
            let (field, rest) = text.split_at(at);
            (field, rest.get(1..).unwrap_or_default())
        }
        None => (text, b""),
    }
}

#[cold]
fn bad_value(rest: &[u8], index: usize, per_day: usize) -> Reason {
    let (field, _) = cut(rest);
    if Aemo::parse(field.trim_ascii()).is_some() || rest.is_empty() {
        return Reason::Count { found: index, wanted: per_day };
    }
    Reason::field("interval value", field, "a decimal number")
}

fn update_time(field: &[u8]) -> Result<Timestamp, Reason> {
    stamp14(field)
        .and_then(|second| Timestamp::from_second(second).ok())
        .ok_or_else(|| Reason::field("update date and time", field, "14 digits"))
}

/// A reason code and its text.
pub(crate) fn remark(code: &[u8], text: &[u8]) -> Result<Remark, Reason> {
    let number = match code {
        b"" => None,
        _ => Some(
            core::str::from_utf8(code)
                .ok()
                .and_then(|text| text.parse::<u16>().ok())
                .filter(|code| *code < 1000)
                .ok_or_else(|| Reason::field("reason code", code, "a number of at most three digits"))?,
        ),
    };
    let text = text.get(..240).unwrap_or(text);
    Ok(Remark { code: number, text: String::from_utf8_lossy(text).into_owned() })
}

/// Keeps a quality beside a run of intervals, where it says more than our byte.
fn keep(
    block: &mut IntervalBlock,
    first: usize,
    end: usize,
    code: Aemo,
    remark: Remark,
) -> Result<(), Reason> {
    if code.flag == AemoFlag::Null {
        let values = block.values.get(first..end).unwrap_or_default();
        if let Some(at) = values.iter().position(|value| *value != 0) {
            return Err(Reason::Contradiction(format!(
                "interval {} is flagged N, no data, but holds a value other than 0",
                first + at + 1
            )));
        }
    }
    let quality = from_aemo(code, &remark.text);
    if let Some(run) = block.quality.get_mut(first..end) {
        run.fill(quality);
    }
    let plain = remark == Remark::default() && matches!(code.flag, AemoFlag::Actual | AemoFlag::Null);
    if !plain {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let code = Foreign::Aemo(code, remark);
        block.beside.push(Beside { first: number(first), count: number(end - first), code });
    }
    Ok(())
}

impl Day {
    pub(crate) const fn is_variable(&self) -> bool {
        matches!(self.code.flag, AemoFlag::Variable)
    }

    pub(crate) fn into_block(self) -> IntervalBlock {
        self.block
    }

    /// Takes a record 400: the quality of intervals `start` to `end`, counted from 1.
    pub(crate) fn quality_record(&mut self, row: &Row, line: &[u8]) -> Result<(), Reason> {
        let number = |at: usize, what: &'static str| {
            let field = row.field(line, at);
            core::str::from_utf8(field)
                .ok()
                .and_then(|text| text.parse::<u32>().ok())
                .ok_or_else(|| Reason::field(what, field, "the number of an interval"))
        };
        let (first, last) = (number(1, "start interval")?, number(2, "end interval")?);
        let count = self.block.values.len();
        let end = usize::try_from(last).unwrap_or(usize::MAX);
        if first != self.told + 1 || last < first || end > count {
            return Err(Reason::Contradiction(format!(
                "intervals {first} to {last} of {count} are told of where {} is next",
                self.told + 1
            )));
        }
        let method = row.field(line, 3);
        let code = Aemo::parse(method)
            .filter(|code| code.flag != AemoFlag::Variable)
            .ok_or_else(|| Reason::field("quality method", method, "A, N, or E, F, S with a method"))?;
        let remark = remark(row.field(line, 4), row.field(line, 5))?;
        keep(&mut self.block, usize::try_from(first - 1).unwrap_or(0), end, code, remark)?;
        self.told = last;
        Ok(())
    }

    /// The block, if every interval's quality was told.
    pub(crate) fn complete(self) -> Result<IntervalBlock, Refusal> {
        let wanted = u32::try_from(self.block.values.len()).unwrap_or(u32::MAX);
        if self.told == wanted {
            return Ok(self.block);
        }
        let told = self.told;
        let reason = format!("records 400 tell the quality of {told} intervals where the day has {wanted}");
        Err(self.refused(Reason::Contradiction(reason)))
    }

    pub(crate) fn refused(self, reason: Reason) -> Refusal {
        Refusal::new(self.block.line, reason, &self.text)
    }
}

/// The quality of a value that stands alone.
pub(crate) fn one_quality(code: Aemo, remark: Remark) -> (Quality, Option<Foreign>) {
    let quality = from_aemo(code, &remark.text);
    let plain = remark == Remark::default() && code == Aemo::ACTUAL;
    (quality, (!plain).then_some(Foreign::Aemo(code, remark)))
}
