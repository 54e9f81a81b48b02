//! Validation of one local day: which rules look at it, in which order. The rules are in the files beside, by idea.

mod clock_shift;
mod completeness;
mod flags;
mod gas_water;
mod limits;
mod registers;
mod repeats;
mod shape;
mod siblings;
mod solar;
mod totals;
mod voltage;

use crate::columns::{ChannelDay, Sweep, day_number, is_known};
use crate::day::Day;
use crate::estimate::{DayTemperature, TouRead};
use crate::facts::{Facts, Outage, Register};
use crate::fast::{Around, Sibling, check_day};
use crate::finding::{Finding, Rule};
use crate::rules::Rules;
use crate::stats::{Course, DayStat, Stats, Summary};
use core::ops::Range;
use jiff::Timestamp;
use model::{ChannelKind, Commodity, Quality};

/// The longest row of days before the present one that is remembered.
const LONGEST_ROW: u32 = 28;

/// What validation looks at.
#[derive(Clone, Copy, Debug)]
pub struct DayInput<'a> {
    /// The day as merged so far.
    pub day: &'a Day,
    /// The channel's configured facts.
    pub facts: &'a Facts,
    /// Total register reads, in order of time; those outside the day are ignored.
    pub registers: &'a [Register],
    /// Reads of the time-of-use registers, in order of time.
    pub rates: &'a [TouRead],
    /// Verified outages that touch the day.
    pub outages: &'a [Outage],
    /// Times in which nobody was supplied.
    pub off: &'a [Outage],
    /// The same day of the other channels of the device.
    pub siblings: &'a [Sibling<'a>],
    /// The same day of a check meter.
    pub check: Option<Sibling<'a>>,
    /// Instants at which the meter was exchanged.
    pub exchanges: &'a [Timestamp],
    /// Mean temperatures of this day and of those before it, in order of date.
    pub temperatures: &'a [DayTemperature],
}

impl<'a> DayInput<'a> {
    /// A day of whose surroundings nothing is known.
    pub const fn new(day: &'a Day, facts: &'a Facts) -> Self {
        Self {
            day,
            facts,
            registers: &[],
            rates: &[],
            outages: &[],
            off: &[],
            siblings: &[],
            check: None,
            exchanges: &[],
            temperatures: &[],
        }
    }
}

/// Says what is wrong with a day. Changes nothing; [`judge`] marks the intervals.
///
/// Estimated intervals are never judged and count as not read; validating again after [`judge`] finds
/// the same.
pub fn validate(input: &DayInput<'_>, rules: &Rules, stats: &Stats, now: Timestamp) -> Vec<Finding> {
    let columns = input.day.columns();
    let around = Around {
        registers: input.registers,
        rates: input.rates,
        outages: input.outages,
        off: input.off,
        exchanges: input.exchanges,
        siblings: input.siblings,
        check: input.check,
        temperatures: input.temperatures,
    };
    check_day(&columns.of(input.day), &around, input.facts, rules, stats, now).findings
}

/// Whether a day's total is far from what is usual, be it the first such day in a row or not: only then does it matter to
/// rule 15 how warm it was, and temperatures are worth looking up.
pub fn wants_weather(input: &DayInput<'_>, rules: &Rules, stats: &Stats, now: Timestamp) -> bool {
    let columns = input.day.columns();
    let day = columns.of(input.day);
    let around = Around { outages: input.outages, ..Around::default() };
    let check = Check::new(&day, &around, input.facts, rules, stats, now);
    rules.is_on(Rule::HighLow) && check.odd_today().is_some()
}

/// Marks the read intervals of a day by the findings on it; see [`crate::fast::judge`].
pub fn judge(day: &mut Day, findings: &[Finding]) {
    let mut quality: Vec<Quality> = day.slots.iter().map(|slot| slot.quality).collect();
    crate::fast::judge(&mut quality, findings);
    for (slot, quality) in day.slots.iter_mut().zip(quality) {
        slot.quality = quality;
    }
}

/// One day's check: what it looks at and what it has found so far.
pub(crate) struct Check<'a> {
    day: &'a ChannelDay<'a>,
    around: &'a Around<'a>,
    facts: &'a Facts,
    rules: &'a Rules,
    stats: &'a Stats,
    /// The present, Unix seconds.
    now_s: i64,
    /// Days since 1970-01-01.
    today: i32,
    pub(crate) sweep: Sweep,
    /// The course of the day, where it has one.
    pub(crate) course: Option<Course>,
    pub(crate) findings: Vec<Finding>,
}

impl<'a> Check<'a> {
    pub(crate) fn new(
        day: &'a ChannelDay<'a>,
        around: &'a Around<'a>,
        facts: &'a Facts,
        rules: &'a Rules,
        stats: &'a Stats,
        now: Timestamp,
    ) -> Self {
        let today = day_number(day.day.date());
        let now_s = now.as_second();
        let sweep = Sweep::of(day);
        let course = Course::of(day, &sweep);
        Self { day, around, facts, rules, stats, now_s, today, sweep, course, findings: Vec::new() }
    }

    /// Every rule that has to do with the kind of channel.
    pub(crate) fn run(&mut self) {
        self.completeness();
        self.gaps();
        self.flags();
        self.siblings();
        self.future();
        if !self.day.kind.is_additive() {
            self.voltage();
            return;
        }
        self.limits();
        self.shape();
        self.registers();
        self.totals();
        self.repeats();
        self.clock_shift();
        match self.day.kind {
            ChannelKind::Gas | ChannelKind::Water => self.gas_water(),
            ChannelKind::Export | ChannelKind::Generation => self.solar(),
            _ => {}
        }
    }

    /// The day as the statistics would remember it.
    fn stat(&self) -> DayStat {
        *Summary::from_sweep(self.day, &self.sweep, None).stat()
    }

    /// Writes down what a rule found, unless it is switched off. The sentence is made only if it is needed.
    fn note(&mut self, rule: Rule, slots: Range<usize>, sentence: impl FnOnce() -> String) {
        if self.rules.is_on(rule) {
            let severity = self.rules.severity(rule);
            self.findings.push(Finding { rule, severity, slots, sentence: sentence() });
        }
    }

    /// What really flowed in interval `index`, if that is known without estimating: as read, as a person set it, or
    /// zero inside an outage. It does not depend on estimates, so that judging is repeatable.
    fn known(&self, index: usize) -> Option<i64> {
        if is_known(*self.day.quality.get(index)?) {
            return self.day.values.get(index).copied();
        }
        self.is_dark(index).then_some(0)
    }

    /// Whether interval `index` was without supply from end to end.
    fn is_dark(&self, index: usize) -> bool {
        covered(self.around.outages, self.day.start_s(index), self.day.end_s(index))
    }

    /// Whether power failed for a part of interval `index`, as the meter says or as is known of outages: before [`judge`]
    /// has flagged the interval as after it.
    fn is_cut(&self, index: usize, quality: Quality) -> bool {
        let (from, to) = (self.day.start_s(index), self.day.end_s(index));
        quality.has(Quality::POWER_FAIL)
            || self.around.outages.iter().any(|outage| {
                let (began, ended) = (outage.from.as_second(), outage.to.as_second());
                began < to && from < ended && !(began <= from && to <= ended)
            })
    }

    /// Whether a row of days is to be told of: when it has come to `limit` days, and once a week while it goes on. It
    /// is one case all the time. No more than four weeks are remembered, so no row is ever longer than that.
    fn is_due(&self, row: u32, limit: u32) -> bool {
        let limit = limit.min(LONGEST_ROW);
        let more =
            if row > LONGEST_ROW { self.today.rem_euclid(7).unsigned_abs() } else { row.abs_diff(limit) };
        row >= limit && more.is_multiple_of(7)
    }

    /// The day's total, if there are intervals and every one is known.
    fn known_total(&self) -> Option<i64> {
        if self.day.is_empty() {
            return None;
        }
        if self.sweep.all_known() {
            return Some(self.sweep.total);
        }
        (0..self.day.len())
            .try_fold(0i64, |sum, index| self.known(index).map(|value| sum.saturating_add(value)))
    }

    /// Whether interval `index` should have been read by now.
    fn is_overdue(&self, index: usize) -> bool {
        self.day.end_s(index).saturating_add(i64::from(self.rules.grace_h) * 3600) <= self.now_s
    }

    /// A rate of electricity, gas or water as the amount of one interval.
    fn in_interval(&self, watts: i64, gas_l_per_h: i64, water_l_per_h: i64) -> i64 {
        let per_hour = match self.day.kind.commodity() {
            Commodity::Electricity => watts,
            Commodity::Gas => gas_l_per_h,
            Commodity::Water => water_l_per_h,
        };
        per_hour.saturating_mul(i64::from(self.day.interval.secs())) / 3600
    }

    /// Maximal runs of intervals that satisfy `test`.
    fn runs(&self, test: impl Fn(usize, i64, Quality) -> bool) -> Vec<Range<usize>> {
        let hits = self.day.iter().enumerate().map(|(index, (value, quality))| test(index, value, quality));
        runs_of(hits)
    }
}

/// Whether one of `times` covers `[from_s, to_s)`.
fn covered(times: &[Outage], from_s: i64, to_s: i64) -> bool {
    times.iter().any(|time| time.from.as_second() <= from_s && to_s <= time.to.as_second())
}

/// Maximal runs of hits.
fn runs_of(hits: impl Iterator<Item = bool>) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (index, hit) in hits.enumerate() {
        if hit {
            match found.last_mut() {
                Some(run) if run.end == index => run.end = index + 1,
                _ => found.push(index..index + 1),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
