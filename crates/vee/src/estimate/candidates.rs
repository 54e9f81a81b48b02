//! Every method side by side, for a person who chooses.

use super::context::Context;
use super::method::Method;
use super::scale;
use super::span::{Part, Span};
use super::{Try, propose, supplied};
use crate::day::{Day, Slot};
use crate::rules::Rules;
use core::ops::Range;
use model::{Quality, QualityClass};

/// What one method would put into chosen intervals, or why it does not apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The method.
    pub method: Method,
    /// Whether it applies; if not, there are no values.
    pub applies: bool,
    /// One value an interval, in the stored unit.
    pub values: Vec<i64>,
    /// Their sum.
    pub total: i64,
    /// Whether registers bracket the intervals, so that the values were scaled to add up to them.
    pub scaled: bool,
    /// The quality that the values would carry.
    pub quality: Quality,
    /// What the values rest on, or why the method does not apply: a sentence fragment for a person.
    pub why: String,
}

/// What each method of [`Method::ALL`] would put into `slots` of a day, whatever is there now.
///
/// The day itself is not changed, other gaps of it stay open, and nothing needs to be overdue. Where registers
/// bracket the chosen intervals and everything else between them is known, the values are scaled.
///
/// ```text
/// 12:00 |  read  |  chosen  chosen  chosen  |  read  |  read  |
///                  linear     1400 1600 1800    total 4800, a straight line ...
///                  like_day   1210 1180 1300    total 3690, the mean of 3 days: ...
///                  profile    -                 the rule set holds no load shape of the class
/// ```
pub fn candidates(day: &Day, slots: Range<usize>, context: &Context<'_>, rules: &Rules) -> Vec<Candidate> {
    let slots = slots.start.min(day.slots.len())..slots.end.min(day.slots.len());
    if slots.is_empty() {
        return Vec::new();
    }
    Method::ALL.into_iter().map(|method| candidate(method, day, &slots, context, rules)).collect()
}

fn candidate(
    method: Method,
    day: &Day,
    slots: &Range<usize>,
    context: &Context<'_>,
    rules: &Rules,
) -> Candidate {
    let mut day = [day.clone()];
    let mut span = Span::new(&mut day);
    for index in 0..span.len() {
        let quality = span.slot(index).quality;
        let derived = quality.is_own_estimate() || quality.class() == QualityClass::DerivedZero;
        if slots.contains(&index) || derived {
            span.set(index, Slot::MISSING);
        }
    }
    // A line bridges the whole gap that the chosen intervals lie in.
    let gaps = span.runs(|_, slot| slot.quality.is_missing());
    let gap = gaps.into_iter().find(|gap| gap.contains(&slots.start)).unwrap_or_else(|| slots.clone());
    let bracketed = is_bracketed(&span, slots, context);
    let part = Part { day: 0, slots: slots.clone() };
    let attempt = Try { gap: &gap, part: &part, bracketed };
    let refused = |why: String| Candidate {
        method,
        applies: false,
        values: Vec::new(),
        total: 0,
        scaled: false,
        quality: Quality::MISSING,
        why,
    };
    let proposal = match propose(method, &span, &attempt, context, rules) {
        Ok(proposal) => proposal,
        Err(refusal) => return refused(refusal.to_string()),
    };
    for (index, value) in slots.clone().zip(&proposal.values) {
        let value =
            if method == Method::KnownZero { *value } else { supplied(&span, index, *value, context) };
        span.set(index, Slot::new(value, Quality::new(method.class())));
    }
    let scaled = bracketed && rules.estimation.scale_to_registers && span.day(0).kind.is_additive() && {
        let (done, _) = scale::scale(&mut span, context, rules);
        slots.clone().any(|index| done.contains(&index))
    };
    let values: Vec<i64> = slots.clone().map(|index| span.slot(index).value).collect();
    Candidate {
        method,
        applies: true,
        total: values.iter().fold(0, |sum: i64, value| sum.saturating_add(*value)),
        quality: span.slot(slots.start).quality,
        values,
        scaled,
        why: if scaled {
            format!("{}; scaled to the registers", proposal.basis)
        } else {
            proposal.basis.to_string()
        },
    }
}

/// Whether successive register reads enclose the intervals.
fn is_bracketed(span: &Span<'_>, slots: &Range<usize>, context: &Context<'_>) -> bool {
    let encloses = |bracket: &scale::Bracket| {
        bracket.moved.is_some() && bracket.slots.start <= slots.start && slots.end <= bracket.slots.end
    };
    scale::brackets(span, context.registers, context).iter().any(encloses) || !context.tou.is_empty()
}
