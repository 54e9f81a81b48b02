//! Scaling estimates so that intervals and registers agree to the last unit.

use super::context::Context;
use super::narrow;
use super::span::Span;
use crate::day::Slot;
use crate::facts::{Register, register_advance};
use crate::finding::{Finding, Rule, Severity};
use crate::rules::Rules;
use crate::words::amount;
use core::ops::Range;
use jiff::Timestamp;
use jiff::civil::Date;
use model::{Quality, QualityClass};
use std::collections::BTreeSet;

/// Intervals between two register reads, and by how much the register moved; none where it went backward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bracket {
    pub(super) slots: Range<usize>,
    pub(super) moved: Option<i64>,
}

/// Pairs of successive reads on interval boundaries of the span. None reaches over a meter exchange.
pub(super) fn brackets(span: &Span<'_>, reads: &[Register], context: &Context<'_>) -> Vec<Bracket> {
    let signed = context.facts.kind.is_signed();
    let placed: Vec<(usize, Register)> =
        reads.iter().filter_map(|read| span.index_at(read.at).map(|at| (at, *read))).collect();
    let several = |at: Timestamp| placed.iter().filter(|(_, read)| read.at == at).nth(1).is_some();
    let exchanged = |from: Timestamp, to: Timestamp| {
        context.exchanges.iter().any(|at| from < *at && (*at < to || (*at == to && !several(to))))
    };
    placed
        .windows(2)
        .filter(|pair| pair[0].0 < pair[1].0 && !exchanged(pair[0].1.at, pair[1].1.at))
        .map(|pair| {
            let (from, to) = (pair[0].1.value, pair[1].1.value);
            // A register of net energy may turn back; what it lost was returned.
            let moved = if signed {
                Some(to.saturating_sub(from))
            } else {
                register_advance(from, to, context.facts.modulus).consumption()
            };
            Bracket { slots: pair[0].0..pair[1].0, moved }
        })
        .collect()
}

/// The sum of what is known of the intervals that satisfy `of`, without estimating.
pub(super) fn known(
    span: &Span<'_>,
    slots: &Range<usize>,
    context: &Context<'_>,
    of: impl Fn(usize) -> bool,
) -> i128 {
    let known = |index| span.known(index, context.outages);
    slots.clone().filter(|index| of(*index)).filter_map(known).map(i128::from).sum()
}

/// Scales what registers bracket, first by time-of-use register and then by the total; says which
/// intervals were scaled and what could not be.
pub(super) fn scale(
    span: &mut Span<'_>,
    context: &Context<'_>,
    rules: &Rules,
) -> (BTreeSet<usize>, Vec<Finding>) {
    let mut work = Work { span, context, rules, done: BTreeSet::new(), findings: Vec::new() };
    if !context.tou.is_empty() && !rules.estimation.tou.is_empty() {
        work.by_bucket();
    }
    for bracket in brackets(work.span, context.registers, context) {
        let scaled = bracket.slots.clone().any(|index| work.done.contains(&index));
        if !scaled {
            work.between(&bracket, |_| true, "register");
        }
    }
    (work.done, work.findings)
}

struct Work<'a, 'b> {
    span: &'a mut Span<'b>,
    context: &'a Context<'a>,
    rules: &'a Rules,
    done: BTreeSet<usize>,
    findings: Vec<Finding>,
}

impl Work<'_, '_> {
    /// Each time-of-use register on its own: only its intervals count, and only they are scaled.
    fn by_bucket(&mut self) {
        let buckets: Vec<Option<u8>> = (0..self.span.len()).map(|index| self.bucket(index)).collect();
        let numbers: BTreeSet<u8> = self.context.tou.iter().map(|read| read.register).collect();
        for number in numbers {
            let own = self.context.tou.iter().filter(|read| read.register == number);
            let reads: Vec<Register> = own.map(|read| Register { at: read.at, value: read.value }).collect();
            for bracket in brackets(self.span, &reads, self.context) {
                self.between(
                    &bracket,
                    |index| buckets.get(index) == Some(&Some(number)),
                    "time-of-use register",
                );
            }
        }
    }

    fn bucket(&self, index: usize) -> Option<u8> {
        let (number, at) = self.span.locate(index);
        let day = self.span.day(number);
        let date: Date = day.day.date();
        let time = day.start_of(at).to_zoned(day.day.zone().clone()).time();
        self.rules.estimation.register_at(self.context.weekday(date), time)
    }

    fn between(&mut self, bracket: &Bracket, of: impl Fn(usize) -> bool, what: &str) {
        let Some(moved) = bracket.moved else { return };
        let mine = || bracket.slots.clone().filter(|index| of(*index));
        let estimated: Vec<usize> =
            mine().filter(|index| self.span.slot(*index).quality.is_own_estimate()).collect();
        let open = |index: usize| {
            self.span.slot(index).quality.is_missing()
                && self.context.in_service(self.span.start_of(index), self.span.end_of(index))
        };
        if estimated.is_empty() || mine().any(open) {
            return;
        }
        let target = i128::from(moved) - known(self.span, &bracket.slots, self.context, &of);
        let one_way = !self.context.facts.kind.is_signed();
        if target < 0 && one_way && !self.rules.estimation.allow_negative_scaling {
            let sentence = format!(
                "the values read from {} to {} exceed the {what} difference of {} by {}: not scaled",
                self.span.clock(bracket.slots.start),
                self.span.clock(bracket.slots.end),
                amount(self.context.facts.kind, moved),
                amount(self.context.facts.kind, -target)
            );
            // The estimates are at fault as much as the readings, so no interval is condemned here.
            let severity = self.rules.severity(Rule::SumCheck).min(Severity::Issue);
            self.findings.push(Finding {
                rule: Rule::SumCheck,
                severity,
                slots: bracket.slots.clone(),
                sentence,
            });
            return;
        }
        let before: Vec<i64> = estimated.iter().map(|index| self.span.slot(*index).value).collect();
        let after = if one_way { spread(&before, target) } else { shift(&before, target) };
        for (index, value) in estimated.iter().zip(after) {
            self.span.set(*index, Slot::new(value, Quality::new(QualityClass::EstimatedScaled)));
        }
        self.done.extend(estimated);
    }
}

/// Multiplies values so that they add up to `target` exactly: each cumulative sum is scaled and rounded
/// down, so no unit is lost or found. Zeros become equal parts.
///
/// `4 5 6` to 18.75 times as much is `5 6 7` and a rest that goes where the sums round.
pub(super) fn spread(values: &[i64], target: i128) -> Vec<i64> {
    let sum: i128 = values.iter().map(|value| i128::from(*value)).sum();
    let parts = i128::try_from(values.len()).unwrap_or(1).max(1);
    let (mut cumulative, mut done, mut nth) = (0i128, 0i128, 0i128);
    let step = |value: &i64| {
        cumulative += i128::from(*value);
        nth += 1;
        let upto =
            if sum > 0 { (cumulative * target).div_euclid(sum) } else { (target * nth).div_euclid(parts) };
        let value = upto - done;
        done = upto;
        narrow(value)
    };
    values.iter().map(step).collect()
}

/// Moves values of either sign so that they add up to `target` exactly, the large ones by more: a factor
/// would turn the sign of the whole where receipts and deliveries nearly cancel.
pub(super) fn shift(values: &[i64], target: i128) -> Vec<i64> {
    let sum: i128 = values.iter().map(|value| i128::from(*value)).sum();
    let sizes: Vec<i64> = values.iter().map(|value| value.saturating_abs()).collect();
    let moves = spread(&sizes, target - sum);
    values.iter().zip(moves).map(|(value, by)| value.saturating_add(by)).collect()
}
