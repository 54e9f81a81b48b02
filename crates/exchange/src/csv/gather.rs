//! Readings that come one by one, gathered into blocks of consecutive intervals, series by series.

use crate::item::{Beside, Foreign, IntervalBlock, Item, Series};
use crate::limits;
use crate::number::{Decimal, Mantissas, Scanned};
use crate::refusal::{Reason, Refusal};
use jiff::Timestamp;
use model::{IntervalLength, Quality};
use std::collections::VecDeque;
use std::sync::Arc;

/// Readings looked at before the length of the interval is taken for known.
const LOOKED_AT: usize = 8;

/// One reading on its way into a block.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) at: i64,
    pub(crate) value: Option<Decimal>,
    pub(crate) quality: Quality,
    pub(crate) beside: Option<Foreign>,
    pub(crate) line: u64,
}

/// The open block of one series.
#[derive(Debug)]
pub(crate) struct Gathering {
    series: Arc<Series>,
    exponent: i8,
    interval: Option<IntervalLength>,
    /// Stamps are ends of intervals.
    ending: bool,
    /// Readings before the interval is known.
    first: Vec<Reading>,
    open: Open,
}

#[derive(Debug, Default)]
struct Open {
    line: u64,
    start: i64,
    next: i64,
    column: Mantissas,
    quality: Vec<Quality>,
    beside: Vec<Beside>,
}

impl Gathering {
    pub(crate) fn new(
        series: Arc<Series>,
        exponent: i8,
        interval: Option<IntervalLength>,
        ending: bool,
    ) -> Self {
        Self { series, exponent, interval, ending, first: Vec::new(), open: Open::default() }
    }

    /// The stamp that would follow the last reading.
    #[inline]
    pub(crate) fn expected(&self) -> Option<i64> {
        if self.open.column.is_empty() { self.expected_at_first() } else { Some(self.open.next) }
    }

    #[cold]
    fn expected_at_first(&self) -> Option<i64> {
        let last = self.first.last()?;
        let step = self.step().or_else(|| self.interval.map(|length| i64::from(length.secs())))?;
        Some(last.at + step)
    }

    /// How many values are held.
    pub(crate) const fn held(&self) -> usize {
        self.open.column.len() + self.first.len()
    }

    /// Adds a reading; what is complete or refused goes to `out`.
    #[inline]
    pub(crate) fn push(&mut self, reading: Reading, out: &mut VecDeque<Item>) {
        if reading.at == self.open.next
            && !self.open.column.is_empty()
            && self.open.column.len() < limits::BLOCK_VALUES
        {
            self.append(reading, out);
            return;
        }
        self.push_other(reading, out);
    }

    /// Adds a value that goes on from the last one with as many decimals; else nothing is done.
    #[inline]
    pub(crate) fn go_on(&mut self, at: i64, value: Scanned, quality: Quality) -> bool {
        let Some(interval) = self.interval else { return false };
        let open = &mut self.open;
        let goes_on = at == open.next && !open.column.is_empty() && open.column.len() < limits::BLOCK_VALUES;
        if !goes_on || !open.column.push_alike(value) {
            return false;
        }
        open.quality.push(quality);
        open.next += i64::from(interval.secs());
        true
    }

    fn push_other(&mut self, reading: Reading, out: &mut VecDeque<Item>) {
        let Some(interval) = self.interval else {
            self.first.push(reading);
            if self.first.len() >= LOOKED_AT {
                self.settle(out);
            }
            return;
        };
        let step = i64::from(interval.secs());
        if self.open.column.is_empty() {
            if self.open.line == 0 {
                self.open.start = reading.at;
            }
        } else {
            self.flush_open(out);
        }
        // A day's interval begins at a local midnight, which moves against UTC with the clock.
        let off = (reading.at - self.open.start).rem_euclid(step) != 0;
        if off && step < 86_400 {
            let at = Timestamp::from_second(reading.at).unwrap_or_default();
            let reason = Reason::OffGrid { at, secs: interval.secs() };
            out.push_back(Item::Refused(Refusal::new(reading.line, reason, self.series.title().as_bytes())));
            return;
        }
        self.open.start = reading.at;
        self.open.next = reading.at;
        self.open.line = reading.line;
        self.append(reading, out);
    }

    #[inline]
    fn append(&mut self, reading: Reading, out: &mut VecDeque<Item>) {
        let fits = match reading.value {
            None => {
                self.open.column.push_nothing();
                true
            }
            Some(number) => self.open.column.push_decimal(number),
        };
        if !fits {
            let reason = Reason::Contradiction("the value has too many digits beside its neighbours".into());
            out.push_back(Item::Refused(Refusal::new(reading.line, reason, self.series.title().as_bytes())));
            self.flush_open(out);
            return;
        }
        if let Some(code) = reading.beside {
            self.note(code);
        }
        self.open.quality.push(reading.quality);
        self.open.next += self.interval.map_or(0, |length| i64::from(length.secs()));
    }

    fn note(&mut self, code: Foreign) {
        let at = u32::try_from(self.open.quality.len()).unwrap_or(u32::MAX);
        match self.open.beside.last_mut() {
            Some(run) if run.first + run.count == at && run.code == code => run.count += 1,
            _ => self.open.beside.push(Beside { first: at, count: 1, code }),
        }
    }

    /// The smallest step between the first readings that can be an interval.
    fn step(&self) -> Option<i64> {
        let steps = self.first.windows(2).filter_map(|pair| match pair {
            [a, b] => u32::try_from(b.at - a.at).ok(),
            _ => None,
        });
        // A local day that the clock makes an hour shorter or longer is a day all the same.
        let day = |step: u32| if matches!(step, 82_800 | 90_000) { 86_400 } else { step };
        steps.map(day).filter(|step| IntervalLength::from_secs(*step).is_ok()).min().map(i64::from)
    }

    /// Takes the interval from the readings so far and files them.
    fn settle(&mut self, out: &mut VecDeque<Item>) {
        let length = self.step().and_then(|step| u32::try_from(step).ok());
        let first = core::mem::take(&mut self.first);
        let Some(length) = length.and_then(|secs| IntervalLength::from_secs(secs).ok()) else {
            for reading in first {
                let reason = Reason::NoInterval;
                out.push_back(Item::Refused(Refusal::new(
                    reading.line,
                    reason,
                    self.series.title().as_bytes(),
                )));
            }
            return;
        };
        self.interval = Some(length);
        for reading in first {
            self.push(reading, out);
        }
    }

    /// Hands out what is held; the interval stays known.
    pub(crate) fn flush(&mut self, out: &mut VecDeque<Item>) {
        if !self.first.is_empty() {
            self.settle(out);
        }
        self.flush_open(out);
    }

    fn flush_open(&mut self, out: &mut VecDeque<Item>) {
        let Some(interval) = self.interval else { return };
        if self.open.column.is_empty() {
            return;
        }
        let capacity = self.open.quality.len().min(limits::BLOCK_VALUES);
        let column = core::mem::replace(&mut self.open.column, Mantissas::with_capacity(capacity, 0));
        let quality = core::mem::replace(&mut self.open.quality, Vec::with_capacity(capacity));
        let (values, scaler) = column.finish(self.exponent);
        let back = if self.ending { i64::from(interval.secs()) } else { 0 };
        out.push_back(Item::Block(IntervalBlock {
            series: Arc::clone(&self.series),
            line: self.open.line,
            start: Timestamp::from_second(self.open.start - back).unwrap_or_default(),
            interval,
            scaler,
            values,
            quality,
            beside: core::mem::take(&mut self.open.beside),
            costs: Vec::new(),
            updated: None,
            loaded: None,
        }));
    }
}
