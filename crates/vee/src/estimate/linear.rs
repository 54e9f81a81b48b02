//! A straight line between sound neighbours.

use super::context::Context;
use super::proposal::{Basis, Proposal, Refusal};
use super::span::Span;
use super::{narrow, rounded_div};
use crate::day::Slot;
use crate::rules::Rules;
use crate::words::amount;
use core::ops::Range;

/// Bridges a gap of at most two hours.
///
/// ```text
/// a | 1 | 2 | 3 | b      value k = a + (b - a) * k / (n + 1)
/// ```
///
/// At the edges of the span the gap may go on in the neighbours; then the line is that of the whole gap.
pub(super) fn propose(
    span: &Span<'_>,
    run: &Range<usize>,
    context: &Context<'_>,
    rules: &Rules,
) -> Result<Proposal, Refusal> {
    let interval_s = u64::from(span.day(span.locate(run.start).0).interval.secs());
    let hole = |slot: &Slot| slot.quality.is_missing() || slot.quality.is_estimated();
    let (left, reach_left) = if run.start > 0 {
        (Some(span.slot(run.start - 1)), 0)
    } else {
        let holes = context.before.iter().rev().take_while(|slot| hole(slot)).count();
        (context.before.iter().rev().nth(holes).copied(), holes)
    };
    let (right, reach_right) = if run.end < span.len() {
        (Some(span.slot(run.end)), 0)
    } else {
        let holes = context.after.iter().take_while(|slot| hole(slot)).count();
        (context.after.get(holes).copied(), holes)
    };
    let missing = reach_left + run.len() + reach_right;
    let gap_s = u64::try_from(missing).unwrap_or(u64::MAX).saturating_mul(interval_s);
    if gap_s > rules.linear_max_s.into() {
        return Err(Refusal::TooLong { gap_s, most_s: rules.linear_max_s });
    }
    let a = left.filter(|slot| slot.is_sound()).ok_or(Refusal::NoNeighbour { side: "before" })?;
    let b = right.filter(|slot| slot.is_sound()).ok_or(Refusal::NoNeighbour { side: "after" })?;
    let values = (1..=run.len()).map(|k| between(a.value, b.value, k + reach_left, missing)).collect();
    let kind = context.facts.kind;
    let (from, to) = (amount(kind, a.value), amount(kind, b.value));
    Ok(Proposal { values, basis: Basis::Line { from, to, missing } })
}

/// Point `k` of `missing` on the line from `a` to `b`, rounded to the nearest.
pub(super) fn between(a: i64, b: i64, k: usize, missing: usize) -> i64 {
    let steps = i128::try_from(missing + 1).unwrap_or(i128::MAX);
    let k = i128::try_from(k).unwrap_or(0);
    narrow(rounded_div(i128::from(a) * (steps - k) + i128::from(b) * k, steps))
}
