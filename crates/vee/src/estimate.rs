//! Estimation of what was not read, in the order of the common practice.

use crate::day::{Day, Slot};
use crate::facts::{Facts, Outage, Register, register_advance};
use crate::finding::{Finding, Rule};
use crate::rules::Rules;
use crate::stats::Stats;
use crate::validate::runs;
use core::ops::Range;
use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp};
use model::{Quality, QualityClass};
use serde::{Deserialize, Serialize};

/// How a value was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Zero, because the supply was off for the whole interval.
    KnownZero,
    /// A straight line between sound neighbours, up to two hours.
    Linear,
    /// The mean of like days.
    LikeDay,
    /// The mean daily use, spread evenly; the last resort.
    Flat,
    /// One of the above, then scaled so that the day adds up to the registers.
    Scaled,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 5] = [Self::KnownZero, Self::Linear, Self::LikeDay, Self::Flat, Self::Scaled];

    /// As stored and as printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KnownZero => "known_zero",
            Self::Linear => "linear",
            Self::LikeDay => "like_day",
            Self::Flat => "flat",
            Self::Scaled => "scaled",
        }
    }

    /// The quality class that marks it.
    pub const fn class(self) -> QualityClass {
        match self {
            Self::KnownZero => QualityClass::DerivedZero,
            Self::Linear => QualityClass::EstimatedLinear,
            Self::LikeDay => QualityClass::EstimatedLikeDay,
            Self::Flat => QualityClass::EstimatedProfile,
            Self::Scaled => QualityClass::EstimatedScaled,
        }
    }
}

/// Intervals that got a value, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// The intervals of the day, half-open.
    pub slots: Range<usize>,
    /// How.
    pub method: Method,
}

/// What came of estimating a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estimated {
    /// What got a value, in order.
    pub estimates: Vec<Estimate>,
    /// Why something could not be done as it should.
    pub findings: Vec<Finding>,
}

/// What estimation may lean on.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The channel's configured facts.
    pub facts: &'a Facts,
    /// The last slots of the day before, in order; two hours of them are enough.
    pub before: &'a [Slot],
    /// The first slots of the day after, in order; two hours of them are enough.
    pub after: &'a [Slot],
    /// Earlier days of the same channel in any order; those that do not serve are passed over.
    pub like_days: &'a [Day],
    /// Total register reads, in order of time; those outside the day are ignored.
    pub registers: &'a [Register],
    /// Verified outages that touch the day.
    pub outages: &'a [Outage],
    /// What is remembered of earlier days.
    pub stats: &'a Stats,
    /// The present: only overdue gaps are filled.
    pub now: Timestamp,
}

/// Whether interval `index` should have been read by now.
pub(crate) fn is_overdue(day: &Day, index: usize, rules: &Rules, now: Timestamp) -> bool {
    let grace = SignedDuration::from_hours(rules.grace_h.into());
    day.end_of(index).checked_add(grace).is_ok_and(|due| due <= now)
}

/// Fills the gaps of a day that are overdue as a whole.
///
/// Earlier estimates are dropped first and made anew, so the same inputs always give the same day and a
/// second run changes nothing. Read and edited values are never touched. The order:
///
/// 1. zero where the supply was verifiably off for the whole interval;
/// 2. a straight line where the gap, over midnight too, is at most two hours between sound neighbours;
/// 3. the mean of the newest three sound like days: the same weekday, else the same kind of day;
/// 4. the mean daily use spread evenly;
/// 5. then, where registers bracket estimates, these are scaled so that the sum is exact.
///
/// What nothing is known of stays missing.
pub fn estimate(day: &mut Day, context: &Context<'_>, rules: &Rules) -> Estimated {
    for slot in &mut day.slots {
        if slot.quality.is_estimated() || slot.quality.class() == QualityClass::DerivedZero {
            *slot = Slot::MISSING;
        }
    }
    let mut work = Work { day, context, rules, out: Estimated::default() };
    work.known_zero();
    for run in runs(&work.day.slots, |_, slot| slot.quality.is_missing()) {
        if is_overdue(work.day, run.end - 1, rules, context.now) {
            let _filled = work.linear(&run) || work.like_days(&run) || work.flat(&run);
        }
    }
    if work.day.kind.is_additive() {
        work.scale();
    }
    let estimates = Method::ALL.into_iter().flat_map(|method| {
        let found = runs(&work.day.slots, |_, slot| slot.quality.class() == method.class());
        found.into_iter().map(move |slots| Estimate { slots, method })
    });
    work.out.estimates = estimates.collect();
    work.out.estimates.sort_by_key(|estimate| estimate.slots.start);
    work.out
}

struct Work<'a> {
    day: &'a mut Day,
    context: &'a Context<'a>,
    rules: &'a Rules,
    out: Estimated,
}

impl Work<'_> {
    fn fill(&mut self, run: &Range<usize>, method: Method, values: impl IntoIterator<Item = i64>) {
        for (slot, value) in self.day.slots[run.clone()].iter_mut().zip(values) {
            *slot = Slot::new(value, Quality::new(method.class()));
        }
    }

    fn known_zero(&mut self) {
        let off = |from: Timestamp, to: Timestamp| {
            self.context.outages.iter().any(|outage| outage.covers(from, to))
        };
        let day = &*self.day;
        let dark = runs(&day.slots, |index, slot| {
            slot.quality.is_missing()
                && off(day.start_of(index), day.end_of(index))
                && is_overdue(day, index, self.rules, self.context.now)
        });
        for run in dark {
            self.fill(&run, Method::KnownZero, std::iter::repeat_n(0, run.len()));
        }
    }

    /// ```text
    /// a | 1 | 2 | 3 | b      value k = a + (b - a) * k / (n + 1)
    /// ```
    fn linear(&mut self, run: &Range<usize>) -> bool {
        let slots = &self.day.slots;
        let hole = |slot: &&Slot| slot.quality.is_missing() || slot.quality.is_estimated();
        // At the edge of the day the gap may go on in its neighbour.
        let (left, reach_left) = if run.start > 0 {
            (slots.get(run.start - 1), 0)
        } else {
            let holes = self.context.before.iter().rev().take_while(hole).count();
            (self.context.before.iter().rev().nth(holes), holes)
        };
        let (right, reach_right) = if run.end < slots.len() {
            (slots.get(run.end), 0)
        } else {
            let holes = self.context.after.iter().take_while(hole).count();
            (self.context.after.get(holes), holes)
        };
        let count = reach_left + run.len() + reach_right;
        let too_long =
            u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(self.day.interval.secs().into())
                > u64::from(self.rules.linear_max_s);
        let (Some(a), Some(b)) = (left, right) else { return false };
        if too_long || !a.is_sound() || !b.is_sound() {
            return false;
        }
        let steps = i128::try_from(count + 1).unwrap_or(i128::MAX);
        let (a, b) = (i128::from(a.value), i128::from(b.value));
        let values: Vec<i64> = (1..=run.len())
            .map(|k| i128::try_from(k + reach_left).unwrap_or(0))
            .map(|k| rounded_div(a * (steps - k) + b * k, steps))
            .collect();
        self.fill(run, Method::Linear, values);
        true
    }

    fn like_days(&mut self, run: &Range<usize>) -> bool {
        let date = self.day.day.date();
        let most = usize::try_from(self.rules.like_days).unwrap_or(1);
        let lookback = i64::from(self.rules.like_day_lookback_d);
        let mut serving: Vec<&Day> = self
            .context
            .like_days
            .iter()
            .filter(|other| {
                let age = other.day.date().until(date).map_or(-1, |span| i64::from(span.get_days()));
                age > 0
                    && age <= lookback
                    && other.interval == self.day.interval
                    && other.slots.len() == self.day.slots.len()
                    && other.slots[run.clone()].iter().all(|slot| slot.is_sound())
            })
            .collect();
        serving.sort_by_key(|other| core::cmp::Reverse(other.day.date()));
        serving.dedup_by_key(|other| other.day.date());
        let weekday = date.weekday();
        let same = |other: &&&Day| other.day.date().weekday() == weekday;
        let alike = |other: &&&Day| is_weekend(other.day.date().weekday()) == is_weekend(weekday);
        let mut chosen: Vec<&Day> = serving.iter().filter(same).take(most).copied().collect();
        if chosen.is_empty() {
            chosen = serving.iter().filter(alike).take(most).copied().collect();
        }
        if chosen.is_empty() {
            return false;
        }
        let count = i128::try_from(chosen.len()).unwrap_or(1);
        let values: Vec<i64> = run
            .clone()
            .map(|index| {
                let sum = chosen.iter().map(|other| i128::from(other.slots[index].value)).sum();
                rounded_div(sum, count)
            })
            .collect();
        self.fill(run, Method::LikeDay, values);
        true
    }

    fn flat(&mut self, run: &Range<usize>) -> bool {
        if !self.day.kind.is_additive() {
            return false;
        }
        let mean = self.context.stats.mean_before(self.day.day.date()).map(|(mean, _)| mean);
        let values = match mean {
            Some(mean) => {
                let per_day = i128::try_from(self.day.slots.len()).unwrap_or(1);
                let at = |k: usize| i128::from(mean) * i128::try_from(k).unwrap_or(0) / per_day;
                run.clone().map(|k| narrow(at(k + 1) - at(k))).collect()
            }
            // Registers that bracket the gap will scale it; without them nothing is known.
            None if self.bracketed(run) => vec![0; run.len()],
            None => return false,
        };
        self.fill(run, Method::Flat, values);
        true
    }

    /// Pairs of successive register reads on interval boundaries of the day, as slot ranges with the
    /// consumption between them.
    fn brackets(&self) -> Vec<(Range<usize>, Option<i64>)> {
        let day = &*self.day;
        let slot_at = |at: Timestamp| {
            if at == day.day.end() { Some(day.slots.len()) } else { day.day.interval_at(day.interval, at) }
        };
        let reads: Vec<(usize, i64)> =
            self.context.registers.iter().filter_map(|read| Some((slot_at(read.at)?, read.value))).collect();
        reads
            .windows(2)
            .filter(|pair| pair[0].0 < pair[1].0)
            .map(|pair| {
                let advance = register_advance(pair[0].1, pair[1].1, self.context.facts.modulus);
                (pair[0].0..pair[1].0, advance.consumption())
            })
            .collect()
    }

    fn bracketed(&self, run: &Range<usize>) -> bool {
        self.brackets().iter().any(|(slots, delta)| {
            let due = || is_overdue(self.day, slots.end - 1, self.rules, self.context.now);
            let enough = || delta.is_some_and(|delta| i128::from(delta) >= self.known(slots));
            slots.start <= run.start && run.end <= slots.end && due() && enough()
        })
    }

    /// The sum of what is known of `slots`.
    fn known(&self, slots: &Range<usize>) -> i128 {
        let known = |index| self.day.known(index, self.context.outages);
        slots.clone().filter_map(known).map(i128::from).sum()
    }

    fn scale(&mut self) {
        for (slots, delta) in self.brackets() {
            let part = &self.day.slots[slots.clone()];
            let estimated = part.iter().filter(|slot| slot.quality.is_estimated());
            let (count, sum) =
                estimated.fold((0usize, 0i128), |(n, sum), slot| (n + 1, sum + i128::from(slot.value)));
            let Some(delta) = delta else { continue };
            if count == 0 || part.iter().any(|slot| slot.quality.is_missing()) {
                continue;
            }
            let target = i128::from(delta) - self.known(&slots);
            if target < 0 {
                let sentence = format!(
                    "the values read from {} to {} exceed the register difference of {delta} by {}: not scaled",
                    self.day.clock(slots.start),
                    self.day.clock(slots.end),
                    -target
                );
                let severity = self.rules.severity(Rule::SumCheck);
                // The estimates are at fault as much as the readings, so no interval is condemned here.
                let severity = severity.min(crate::finding::Severity::Issue);
                self.out.findings.push(Finding { rule: Rule::SumCheck, severity, slots, sentence });
                continue;
            }
            if target != sum {
                self.spread(&slots, target, sum, count);
            }
        }
    }

    /// Scales the estimates of `slots`, which add up to `sum`, so that they add up to `target` exactly:
    /// each cumulative sum is scaled and rounded down, so no unit is lost or found.
    fn spread(&mut self, slots: &Range<usize>, target: i128, sum: i128, count: usize) {
        let parts = i128::try_from(count).unwrap_or(1);
        let (mut cumulative, mut done, mut nth) = (0i128, 0i128, 0i128);
        for slot in self.day.slots[slots.clone()].iter_mut().filter(|slot| slot.quality.is_estimated()) {
            cumulative += i128::from(slot.value);
            nth += 1;
            let upto = if sum > 0 { cumulative * target / sum } else { target * nth / parts };
            *slot = Slot::new(narrow(upto - done), Quality::new(QualityClass::EstimatedScaled));
            done = upto;
        }
    }
}

fn is_weekend(day: Weekday) -> bool {
    matches!(day, Weekday::Saturday | Weekday::Sunday)
}

/// Division rounded to the nearest, halves up.
fn rounded_div(value: i128, by: i128) -> i64 {
    narrow((2 * value + by).div_euclid(2 * by))
}

/// Back to 64 bits; admitted values never come near the limit.
fn narrow(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests;
