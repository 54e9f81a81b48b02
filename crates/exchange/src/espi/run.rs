//! Interval readings of one block, run by run, before it is known what they measure.

use crate::item::{Beside, Foreign, IntervalBlock, Item, Period, RegisterReading, Series};
use crate::number::Decimal;
use jiff::Timestamp;
use model::quality::codes::{from_espi, to_espi};
use model::{IntervalLength, Quality};
use std::sync::Arc;

/// One interval reading as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) line: u64,
    pub(crate) start: Option<i64>,
    pub(crate) duration: Option<u32>,
    pub(crate) value: Option<i64>,
    pub(crate) cost: Option<i64>,
    pub(crate) codes: Vec<u16>,
}

/// Consecutive readings of equal length.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) line: u64,
    start: i64,
    secs: u32,
    values: Vec<i64>,
    quality: Vec<Quality>,
    /// No quality was written: the reading type's default holds, if it has one.
    implied: Vec<bool>,
    beside: Vec<Beside>,
    costs: Vec<Option<i64>>,
}

impl Run {
    pub(crate) fn new(line: u64, start: i64, secs: u32) -> Self {
        Self {
            line,
            start,
            secs,
            values: Vec::new(),
            quality: Vec::new(),
            implied: Vec::new(),
            beside: Vec::new(),
            costs: Vec::new(),
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether a reading that begins at `start` goes on from here.
    #[inline]
    pub(crate) fn continues(&self, start: i64, secs: u32) -> bool {
        let count = i64::try_from(self.values.len()).unwrap_or(i64::MAX);
        secs == self.secs
            && secs > 0
            && start == self.start.saturating_add(count.saturating_mul(i64::from(self.secs)))
    }

    #[inline]
    pub(crate) fn push(&mut self, reading: &mut Reading) {
        let index = self.values.len();
        let told = from_espi(&reading.codes);
        let written = if reading.value.is_some() || told.is_missing() { told } else { Quality::MISSING };
        self.values.push(if written.is_missing() { 0 } else { reading.value.unwrap_or(0) });
        self.implied.push(reading.codes.is_empty() && reading.value.is_some());
        if !reading.codes.is_empty() {
            self.note(index, written, core::mem::take(&mut reading.codes));
        }
        self.quality.push(written);
        if reading.cost.is_some() && self.costs.is_empty() {
            self.costs.resize(index, None);
        }
        if reading.cost.is_some() || !self.costs.is_empty() {
            self.costs.push(reading.cost);
        }
    }

    /// Keeps codes that say more than our byte.
    fn note(&mut self, index: usize, quality: Quality, codes: Vec<u16>) {
        let (code, private) = to_espi(quality);
        let says_all = match codes.as_slice() {
            [only] => *only == code && private.is_none(),
            [first, second] => *first == code && private == Some(*second),
            _ => false,
        };
        if says_all {
            return;
        }
        let at = u32::try_from(index).unwrap_or(u32::MAX);
        let code = Foreign::Espi(codes);
        match self.beside.last_mut() {
            Some(run) if run.first + run.count == at && run.code == code => run.count += 1,
            _ => self.beside.push(Beside { first: at, count: 1, code }),
        }
    }

    /// The items of the run, once its series is known.
    ///
    /// `default` is the quality of readings that name none; `register` says that values are those of a register at the
    /// end of the reading's time.
    pub(crate) fn items(
        mut self,
        series: &Arc<Series>,
        scaler: i8,
        default: Option<u16>,
        register: bool,
        out: &mut impl Extend<Item>,
    ) {
        if let Some(code) = default {
            let quality = from_espi(&[code]);
            for (slot, implied) in self.quality.iter_mut().zip(&self.implied) {
                if *implied {
                    *slot = quality;
                }
            }
        }
        match IntervalLength::from_secs(self.secs) {
            Ok(interval) if !register => out.extend([Item::Block(IntervalBlock {
                series: Arc::clone(series),
                line: self.line,
                start: instant(self.start),
                interval,
                scaler,
                values: self.values,
                quality: self.quality,
                beside: self.beside,
                costs: self.costs,
                updated: None,
                loaded: None,
            })]),
            _ => out.extend(
                (0..self.values.len()).filter_map(|index| self.single(index, series, scaler, register)),
            ),
        }
    }

    /// One reading of its own: a register, or a quantity of an odd span.
    fn single(&self, index: usize, series: &Arc<Series>, scaler: i8, register: bool) -> Option<Item> {
        let quality = *self.quality.get(index)?;
        let value = (!quality.is_missing()).then_some(Decimal::new(*self.values.get(index)?, scaler));
        let offset = i64::try_from(index).ok()?.checked_mul(i64::from(self.secs))?;
        let start = self.start.checked_add(offset)?;
        let end = instant(start.checked_add(i64::from(self.secs))?);
        let at = u32::try_from(index).ok()?;
        let beside = self.beside.iter().find(|run| run.first <= at && at < run.first + run.count);
        let beside = beside.map(|run| run.code.clone());
        let (series, line) = (Arc::clone(series), self.line);
        if register && let Some(value) = value {
            return Some(Item::Register(RegisterReading {
                series,
                line,
                tou: 0,
                at: end,
                value,
                quality,
                beside,
            }));
        }
        let cost = self.costs.get(index).copied().flatten();
        let start = instant(start);
        Some(Item::Period(Period { series, line, start, end, value, cost, quality, beside }))
    }
}

pub(crate) fn instant(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}
