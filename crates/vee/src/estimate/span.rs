//! Consecutive days seen as one row of intervals, so that a gap over midnight is one gap.

use crate::day::{Day, Slot};
use crate::facts::Outage;
use core::ops::Range;
use jiff::Timestamp;
use jiff::civil::Date;

/// Consecutive days of one channel; interval `i` counts from the first day's local midnight.
///
/// ```text
///  day 0            | day 1            | day 2
///  0 1 2 ... 95     | 96 ...           |
/// ```
pub(crate) struct Span<'a> {
    days: &'a mut [Day],
    /// Where each day begins, and the end of the last.
    offsets: Vec<usize>,
}

impl<'a> Span<'a> {
    pub(crate) fn new(days: &'a mut [Day]) -> Self {
        let mut offsets = vec![0];
        let mut end = 0;
        for day in &*days {
            end += day.slots.len();
            offsets.push(end);
        }
        Self { days, offsets }
    }

    pub(crate) fn len(&self) -> usize {
        self.offsets.last().copied().unwrap_or(0)
    }

    /// The day of interval `index`, and the interval's place in it.
    pub(crate) fn locate(&self, index: usize) -> (usize, usize) {
        let day = self.offsets.partition_point(|offset| *offset <= index).saturating_sub(1);
        (day, index - self.offsets.get(day).copied().unwrap_or(0))
    }

    pub(crate) fn day(&self, number: usize) -> &Day {
        &self.days[number]
    }

    pub(crate) fn days(&self) -> &[Day] {
        self.days
    }

    /// Where day `number` begins.
    pub(crate) fn offset(&self, number: usize) -> usize {
        self.offsets[number]
    }

    pub(crate) fn slot(&self, index: usize) -> Slot {
        let (day, at) = self.locate(index);
        self.days.get(day).and_then(|day| day.slots.get(at)).copied().unwrap_or(Slot::MISSING)
    }

    pub(crate) fn set(&mut self, index: usize, slot: Slot) {
        let (day, at) = self.locate(index);
        if let Some(place) = self.days.get_mut(day).and_then(|day| day.slots.get_mut(at)) {
            *place = slot;
        }
    }

    /// The start of interval `index`; for the length of the span its end.
    pub(crate) fn start_of(&self, index: usize) -> Timestamp {
        let (day, at) = self.locate(index);
        match self.days.get(day) {
            Some(day) => day.start_of(at),
            None => self.days.last().map_or(Timestamp::MAX, |day| day.day.end()),
        }
    }

    pub(crate) fn end_of(&self, index: usize) -> Timestamp {
        let (day, at) = self.locate(index);
        self.days.get(day).map_or(Timestamp::MAX, |day| day.end_of(at))
    }

    /// The interval that starts at `at`, or the length of the span for its end.
    pub(crate) fn index_at(&self, at: Timestamp) -> Option<usize> {
        let last = self.days.last()?;
        if at == last.day.end() {
            return Some(self.len());
        }
        let number = self.days.partition_point(|day| day.day.end() <= at);
        let day = self.days.get(number)?;
        day.day.interval_at(day.interval, at).map(|at| self.offsets[number] + at)
    }

    /// What really flowed in an interval, if that is known without estimating.
    pub(crate) fn known(&self, index: usize, outages: &[Outage]) -> Option<i64> {
        let (day, at) = self.locate(index);
        self.days.get(day)?.known(at, outages)
    }

    /// The maximal runs of intervals that satisfy `test`.
    pub(crate) fn runs(&self, test: impl Fn(usize, Slot) -> bool) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for index in 0..self.len() {
            if !test(index, self.slot(index)) {
                continue;
            }
            match runs.last_mut() {
                Some(run) if run.end == index => run.end = index + 1,
                _ => runs.push(index..index + 1),
            }
        }
        runs
    }

    /// A run cut at midnights: the number of each day, and the run inside of it as the day counts.
    pub(crate) fn parts(&self, run: &Range<usize>) -> Vec<Part> {
        let mut parts = Vec::new();
        for (number, bounds) in self.offsets.windows(2).enumerate() {
            let [from, to] = [run.start.max(bounds[0]), run.end.min(bounds[1])];
            if from < to {
                parts.push(Part { day: number, slots: from - bounds[0]..to - bounds[0] });
            }
        }
        parts
    }

    /// The local date and time at which interval `index` starts, for sentences.
    pub(crate) fn clock(&self, index: usize) -> String {
        let (day, at) = self.locate(index.min(self.len().saturating_sub(1)));
        let at = if index >= self.len() { at + 1 } else { at };
        let Some(day) = self.days.get(day) else { return String::new() };
        if self.days.len() == 1 { day.clock(at) } else { format!("{} {}", day.day.date(), day.clock(at)) }
    }
}

/// A piece of a gap inside one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Which day of the span.
    pub(crate) day: usize,
    /// Which of its intervals.
    pub(crate) slots: Range<usize>,
}

/// Dates in words, for sentences: `Wed 2026-02-25, Wed 2026-02-18`.
pub(crate) fn in_words(dates: &[Date]) -> String {
    let words: Vec<String> = dates.iter().map(|date| date.strftime("%a %F").to_string()).collect();
    words.join(", ")
}
