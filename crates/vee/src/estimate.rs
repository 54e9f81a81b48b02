//! Estimation of what was not read: an ordered list of named methods, and scaling to the registers.
//!
//! The order is a rule set's choice ([`Estimation`]); by default it is the ladder of the DASMMD lineage. Each
//! method lives in a file of its own and answers with values and their grounds, or with why it does not
//! apply. [`candidates`] shows all of them side by side.
//!
//! ```text
//! gap --known zeros--> [a straight line] -> like days -> last year -> proxy days -> similar days
//!                                                    -> class shape -> flat  --scale to registers--> values
//! ```
//!
//! Standard: DASMMD Attachment VEE (1999), estimation: interpolation up to two hours, reference days beyond,
//! scaling to bracketing register reads.

mod blend;
mod candidates;
mod class_use;
mod context;
mod lean;
mod linear;
mod method;
mod proposal;
mod reference;
mod scalar;
mod scale;
mod settings;
mod span;
mod spread;

pub use candidates::{Candidate, candidates};
pub use class_use::ClassDay;
pub use context::{Context, DayTemperature, Event, TouRead};
pub use method::Method;
pub use scalar::{last_year_with_trend, prorate, register_between, register_from_intervals};
pub use settings::{Estimation, Estimator, Shape, TouDays, TouPeriod};

use crate::day::{Day, Slot};
use crate::finding::Finding;
use crate::rules::Rules;
use core::ops::Range;
use jiff::{SignedDuration, Timestamp};
use model::{Quality, QualityClass};
use proposal::{Basis, Proposal, Refusal};
use scale::Bracket;
use serde::{Deserialize, Serialize};
use span::{Part, Span};

/// Intervals that got a value, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// The intervals of the day, half-open.
    pub slots: Range<usize>,
    /// How.
    pub method: Method,
    /// Whether the values were scaled so that intervals and registers agree. What is not yet scaled is worth
    /// estimating again while late registers may arrive.
    pub scaled: bool,
}

/// What came of estimating a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estimated {
    /// What got a value, in order.
    pub estimates: Vec<Estimate>,
    /// Why something could not be done as it should.
    pub findings: Vec<Finding>,
}

impl Estimated {
    /// Whether something was estimated that no register bears out yet; known zeros need none.
    pub fn is_unscaled(&self) -> bool {
        self.estimates.iter().any(|estimate| !estimate.scaled && estimate.method != Method::KnownZero)
    }
}

/// Whether interval `index` should have been read by now.
pub(crate) fn is_overdue(day: &Day, index: usize, rules: &Rules, now: Timestamp) -> bool {
    let grace = SignedDuration::from_hours(rules.grace_h.into());
    day.end_of(index).checked_add(grace).is_ok_and(|due| due <= now)
}

/// Fills the gaps of a day that are overdue as a whole.
///
/// Earlier estimates are dropped first and made anew, so the same inputs always give the same day and a
/// second run changes nothing. Read and edited values are never touched. Each gap is offered to the methods in
/// the order of [`Estimation::order`]; a straight line takes it whole, over midnight too, the others day by
/// day. Then, where registers bracket estimates, these are scaled so that the sum is exact: by time-of-use
/// register where those are read, else by the total. An interval partly inside an outage gets that share of its
/// value for which there was supply. What nothing is known of stays missing, as does what lies before the meter was
/// installed or after it was removed.
pub fn estimate(day: &mut Day, context: &Context<'_>, rules: &Rules) -> Estimated {
    estimate_days(core::slice::from_mut(day), context, rules).pop().unwrap_or_default()
}

/// As [`estimate`], for consecutive days at once: registers that bracket several days scale all of them.
///
/// [`Context::before`] and [`Context::after`] belong to the first and the last day. Findings name intervals of the
/// day in which they begin. Days that are not consecutive are estimated each by itself.
pub fn estimate_days(days: &mut [Day], context: &Context<'_>, rules: &Rules) -> Vec<Estimated> {
    let groups = days.chunk_by(|a, b| a.day.end() == b.day.start()).count();
    let mut out = Vec::with_capacity(days.len());
    for (number, group) in days.chunk_by_mut(|a, b| a.day.end() == b.day.start()).enumerate() {
        let context = Context {
            before: if number == 0 { context.before } else { &[] },
            after: if number + 1 == groups { context.after } else { &[] },
            ..*context
        };
        out.extend(Work::new(group, &context, rules).run());
    }
    out
}

/// What a method is tried on.
struct Try<'a> {
    /// The whole gap, as the span counts.
    gap: &'a Range<usize>,
    /// The piece of it to be filled, inside one day.
    part: &'a Part,
    /// Whether registers that bracket it will set its level.
    bracketed: bool,
}

/// What `method` makes of a piece of a gap, one value an interval.
fn propose(
    method: Method,
    span: &Span<'_>,
    attempt: &Try<'_>,
    context: &Context<'_>,
    rules: &Rules,
) -> Result<Proposal, Refusal> {
    let part = attempt.part;
    match method {
        Method::KnownZero => {
            let day = span.day(part.day);
            let dark = |index| is_dark(day.start_of(index), day.end_of(index), context);
            if !part.slots.clone().all(dark) {
                return Err(Refusal::NoOutage);
            }
            Ok(Proposal { values: vec![0; part.slots.len()], basis: Basis::Outage })
        }
        Method::Linear | Method::WattleBlend => {
            let mut whole = match method {
                Method::Linear => linear::propose(span, attempt.gap, context, rules)?,
                _ => blend::propose(span, attempt.gap, context)?,
            };
            let skip = span.offset(part.day) + part.slots.start - attempt.gap.start;
            whole.values = whole.values.into_iter().skip(skip).take(part.slots.len()).collect();
            Ok(whole)
        }
        Method::LikeDay | Method::LastYear | Method::ProxyDay | Method::SimilarDay => {
            reference::propose(method, span, part, context, rules)
        }
        Method::Profile => spread::by_shape(span, part, context, rules),
        Method::Flat => spread::evenly(span, part, context, attempt.bracketed),
    }
}

fn is_dark(from: Timestamp, to: Timestamp, context: &Context<'_>) -> bool {
    context.outages.iter().any(|outage| outage.covers(from, to))
}

/// The share of a value for which there was supply.
fn supplied(span: &Span<'_>, index: usize, value: i64, context: &Context<'_>) -> i64 {
    if context.outages.is_empty() {
        return value;
    }
    let (from, to) = (span.start_of(index), span.end_of(index));
    let length = to.as_second() - from.as_second();
    let dark =
        |outage: &crate::Outage| (outage.to.min(to).as_second() - outage.from.max(from).as_second()).max(0);
    let lit = (length - context.outages.iter().map(dark).sum::<i64>()).max(0);
    if length <= 0 || lit == length {
        return value;
    }
    narrow(rounded_div(i128::from(value) * i128::from(lit), i128::from(length)))
}

struct Work<'a, 'b> {
    span: Span<'b>,
    context: &'a Context<'a>,
    rules: &'a Rules,
    /// By which method each interval was filled.
    how: Vec<Option<Method>>,
}

impl<'a, 'b> Work<'a, 'b> {
    fn new(days: &'b mut [Day], context: &'a Context<'a>, rules: &'a Rules) -> Self {
        for slot in days.iter_mut().flat_map(|day| &mut day.slots) {
            if slot.quality.is_own_estimate() || slot.quality.class() == QualityClass::DerivedZero {
                *slot = Slot::MISSING;
            }
        }
        let span = Span::new(days);
        let how = vec![None; span.len()];
        Self { span, context, rules, how }
    }

    fn run(mut self) -> Vec<Estimated> {
        let order = self.rules.estimation.order();
        if order.contains(&Method::KnownZero) {
            self.known_zero();
        }
        let additive = self.span.days().first().is_some_and(|day| day.kind.is_additive());
        let scaling = additive && self.rules.estimation.scale_to_registers;
        let brackets = if scaling {
            scale::brackets(&self.span, self.context.registers, self.context)
        } else {
            Vec::new()
        };
        let open = |index: usize, slot: Slot| slot.quality.is_missing() && self.in_service(index);
        for gap in self.span.runs(open) {
            if self.is_overdue(gap.end - 1) {
                self.fill_gap(&gap, &order, &brackets);
            }
        }
        let (scaled, findings) =
            if scaling { scale::scale(&mut self.span, self.context, self.rules) } else { Default::default() };
        self.report(&scaled, findings)
    }

    fn is_overdue(&self, index: usize) -> bool {
        let (day, at) = self.span.locate(index);
        is_overdue(self.span.day(day), at, self.rules, self.context.now)
    }

    fn in_service(&self, index: usize) -> bool {
        self.context.in_service(self.span.start_of(index), self.span.end_of(index))
    }

    fn known_zero(&mut self) {
        if self.context.outages.is_empty() {
            return;
        }
        for index in 0..self.span.len() {
            let dark = || is_dark(self.span.start_of(index), self.span.end_of(index), self.context);
            if self.span.slot(index).quality.is_missing() && dark() && self.is_overdue(index) {
                self.span.set(index, Slot::new(0, Quality::new(QualityClass::DerivedZero)));
                self.how[index] = Some(Method::KnownZero);
            }
        }
    }

    fn fill_gap(&mut self, gap: &Range<usize>, order: &[Method], brackets: &[Bracket]) {
        for part in self.span.parts(gap) {
            let bracketed = self.is_bracketed(&part, brackets);
            let attempt = Try { gap, part: &part, bracketed };
            let methods = order.iter().filter(|method| **method != Method::KnownZero);
            let found = methods
                .filter_map(|method| {
                    let proposal = propose(*method, &self.span, &attempt, self.context, self.rules);
                    proposal.ok().map(|proposal| (*method, proposal))
                })
                .next();
            let Some((method, proposal)) = found else { continue };
            let first = self.span.offset(part.day) + part.slots.start;
            for (index, value) in (first..).zip(proposal.values) {
                let value = supplied(&self.span, index, value, self.context);
                self.span.set(index, Slot::new(value, Quality::new(method.class())));
                self.how[index] = Some(method);
            }
        }
    }

    /// Whether registers enclose the piece, are due themselves, and leave something for it.
    fn is_bracketed(&self, part: &Part, brackets: &[Bracket]) -> bool {
        let offset = self.span.offset(part.day);
        let (from, to) = (offset + part.slots.start, offset + part.slots.end);
        brackets.iter().any(|bracket| {
            let encloses = bracket.slots.start <= from && to <= bracket.slots.end;
            let enough = || {
                let known = scale::known(&self.span, &bracket.slots, self.context, |_| true);
                bracket.moved.is_some_and(|moved| i128::from(moved) >= known)
            };
            encloses && self.is_overdue(bracket.slots.end - 1) && enough()
        })
    }

    /// What was done, day by day.
    fn report(&self, scaled: &std::collections::BTreeSet<usize>, findings: Vec<Finding>) -> Vec<Estimated> {
        let mut out = vec![Estimated::default(); self.span.days().len()];
        for finding in findings {
            let (number, from) = self.span.locate(finding.slots.start);
            let to = (finding.slots.end - self.span.offset(number)).min(self.span.day(number).slots.len());
            out[number].findings.push(Finding { slots: from..to, ..finding });
        }
        for (number, day) in self.span.days().iter().enumerate() {
            let offset = self.span.offset(number);
            let estimates = &mut out[number].estimates;
            for at in 0..day.slots.len() {
                let Some(method) = self.how[offset + at] else { continue };
                let scaled = scaled.contains(&(offset + at));
                match estimates.last_mut() {
                    Some(last) if last.slots.end == at && last.method == method && last.scaled == scaled => {
                        last.slots.end = at + 1;
                    }
                    _ => estimates.push(Estimate { slots: at..at + 1, method, scaled }),
                }
            }
        }
        out
    }
}

/// Division rounded to the nearest, halves up.
fn rounded_div(value: i128, by: i128) -> i128 {
    (2 * value + by).div_euclid(2 * by)
}

/// Back to 64 bits; admitted values never come near the limit.
fn narrow(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
