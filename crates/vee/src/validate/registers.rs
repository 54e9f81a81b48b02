//! Rules 11, 22 and 23: the intervals against the registers, and the registers against each other.

use super::Check;
use crate::facts::{Advance, Register, register_advance};
use crate::finding::Rule;
use crate::words::amount;
use core::ops::Range;
use jiff::Timestamp;

impl Check<'_> {
    /// Rules 11 and 22 between each two successive register reads of the day, and 23 where the time-of-use registers
    /// were read at the same instants. Nothing is compared across an exchange of the meter.
    pub(super) fn registers(&mut self) {
        let (start, end) = (self.day.day.start(), self.day.day.end());
        let registers = self.around.registers;
        let mut inside = registers.iter().filter(|read| read.at >= start && read.at <= end);
        let Some(mut from) = inside.next() else { return };
        self.dials(*from);
        let mut failed = 0;
        for to in inside {
            self.dials(*to);
            if !self.exchanged(from.at, to.at) {
                failed += usize::from(!self.register_span(*from, *to));
                self.rate_sum(*from, *to);
            }
            from = to;
        }
        if failed > 1 {
            self.moved_by_an_hour();
        }
    }

    /// Whether the meter at `from` is not the one at `to`.
    pub(super) fn exchanged(&self, from: Timestamp, to: Timestamp) -> bool {
        let between = |at: Timestamp| from < at && at <= to;
        self.around.exchanges.iter().copied().any(between)
            || self.facts.installed.is_some_and(between)
            || self.facts.removed.is_some_and(|at| from <= at && at < to)
    }

    /// Rule 22: a value that the dials cannot show.
    fn dials(&mut self, read: Register) {
        let Some(modulus) = self.facts.modulus.filter(|modulus| read.value >= *modulus) else { return };
        let day = self.day;
        self.note(Rule::Register, 0..day.len(), || {
            format!(
                "the register shows {} at {} and its dials end at {}",
                amount(day.kind, read.value),
                day.time(read.at),
                amount(day.kind, modulus)
            )
        });
    }

    /// Rules 11 and 22 between two reads; false where the intervals do not add up.
    fn register_span(&mut self, from: Register, to: Register) -> bool {
        let facts = self.facts;
        let day = self.day;
        let span = self.span(from.at, to.at);
        let delta = if self.day.kind.is_signed() {
            // A net register runs either way.
            to.value.saturating_sub(from.value)
        } else {
            match register_advance(from.value, to.value, facts.modulus) {
                Advance::Forward(delta) | Advance::RolledOver(delta) => delta,
                Advance::Backward(by) => {
                    self.note(Rule::Register, span.slots, || {
                        format!(
                            "the register went back by {} to {} between {} and {}",
                            amount(day.kind, by),
                            amount(day.kind, to.value),
                            day.time(from.at),
                            day.time(to.at)
                        )
                    });
                    return true;
                }
            }
        };
        if facts.modulus.is_some_and(|modulus| delta > modulus / 2) {
            self.note(Rule::Register, span.slots, || {
                format!(
                    "the register moved by {} between {} and {}, more than half of its range",
                    amount(day.kind, delta),
                    day.time(from.at),
                    day.time(to.at)
                )
            });
            return true;
        }
        if span.slots.is_empty() {
            return true;
        }
        let delta = i128::from(delta);
        let agrees = self.agrees(&span, delta);
        if !agrees {
            self.note(Rule::SumCheck, span.slots.clone(), || {
                format!(
                    "the intervals from {} to {} add up to {} and the register moved by {}",
                    day.clock(span.slots.start),
                    day.clock(span.slots.end),
                    amount(day.kind, span.inside),
                    amount(day.kind, delta)
                )
            });
        }
        agrees
    }

    /// Whether intervals can add up to what a register moved by.
    pub(super) fn agrees(&self, span: &Span, delta: i128) -> bool {
        let share = delta.abs() * i128::from(self.rules.sum_tolerance_permille) / 1000;
        let steps = i128::from(self.rules.sum_tolerance_steps) * i128::from(self.facts.resolution);
        let tolerance = share.max(steps);
        let above = span.inside - delta > tolerance;
        let below = span.complete && delta - (span.inside + span.edges) > tolerance;
        !above && !below
    }

    /// Rule 23: what the rates moved by against what the total moved by, one step of the register for each. The movements
    /// and not the readings are compared: rates that were set up after the meter was installed never add up to its total.
    fn rate_sum(&mut self, from: Register, to: Register) {
        let rates = self.around.rates;
        if rates.is_empty() {
            return;
        }
        let modulus = self.facts.modulus;
        let at = |rate: u8, at: Timestamp| rates.iter().find(|read| read.register == rate && read.at == at);
        let (mut sum, mut count) = (0i128, 0i64);
        for rate in 1..=u8::MAX {
            if !rates.iter().any(|read| read.register == rate) {
                continue;
            }
            let (Some(first), Some(last)) = (at(rate, from.at), at(rate, to.at)) else { return };
            let Some(moved) = register_advance(first.value, last.value, modulus).consumption() else {
                return;
            };
            sum += i128::from(moved);
            count += 1;
        }
        let Some(total) = register_advance(from.value, to.value, modulus).consumption() else { return };
        let tolerance = i128::from(self.facts.resolution) * i128::from(count);
        if count == 0 || (sum - i128::from(total)).abs() <= tolerance {
            return;
        }
        let day = self.day;
        self.note(Rule::RateSum, 0..day.len(), || {
            format!(
                "the time-of-use registers ({count}) moved by {} between {} and {} and the total by {}",
                amount(day.kind, sum),
                day.time(from.at),
                day.time(to.at),
                amount(day.kind, total)
            )
        });
    }

    pub(super) fn span(&self, from: Timestamp, to: Timestamp) -> Span {
        let day = self.day;
        let step = i64::from(day.interval.secs());
        let offset = |at: Timestamp| at.as_second() - day.day.start().as_second();
        let count = day.len();
        let index = |n: i64| usize::try_from(n).unwrap_or(0).min(count);
        let (first, last) = if step == 86_400 {
            (index(i64::from(offset(from) > 0)), index(i64::from(to >= day.day.end())))
        } else {
            (index((offset(from) + step - 1).div_euclid(step)), index(offset(to).div_euclid(step)))
        };
        let slots = first..last.max(first);
        let head = index(offset(from).div_euclid(step))..first;
        let tail = last.max(first)..index((offset(to) + step - 1).div_euclid(step)).max(last.max(first));
        let all = head.start..tail.end;
        Span {
            inside: self.sum_known(slots.clone()),
            edges: self.sum_known(head) + self.sum_known(tail),
            complete: self.sweep.all_known() || all.into_iter().all(|index| self.known(index).is_some()),
            slots,
        }
    }

    fn sum_known(&self, slots: Range<usize>) -> i128 {
        if self.sweep.all_known() {
            // Admitted values are below 10^12, so a day's sum is far inside 64 bits.
            return i128::from(
                self.day.values[slots].iter().fold(0i64, |sum, value| sum.saturating_add(*value)),
            );
        }
        slots.filter_map(|index| self.known(index)).map(i128::from).sum()
    }
}

/// The part of a day between two register reads.
///
/// ```text
///        read                          read
///   |  x  :   |  inside |  inside |   :  x   |
///    `edge--´                      `--edge-´
/// ```
pub(super) struct Span {
    /// Intervals wholly inside.
    slots: Range<usize>,
    /// Sum of the known values wholly inside.
    inside: i128,
    /// Sum of the values cut by a read, which belong to the difference only in part.
    edges: i128,
    /// Whether every value, the cut ones included, is known.
    complete: bool,
}
