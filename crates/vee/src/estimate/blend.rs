//! Wattle's own estimator.

use super::context::Context;
use super::proposal::{Basis, Proposal, Refusal};
use super::span::{Part, Span};
use super::{narrow, reference, rounded_div};
use crate::day::Day;

/// Fewer days than this say nothing.
const LEAST_DAYS: usize = 2;

/// Days of the last and the next four weeks, weighed by likeness and age.
pub(super) fn propose(span: &Span<'_>, part: &Part, context: &Context<'_>) -> Result<Proposal, Refusal> {
    let day = span.day(part.day);
    let date = day.day.date();
    let distance =
        |other: &Day| other.day.date().until(date).map_or(i64::MAX, |span| i64::from(span.get_days()).abs());
    let weight = |other: &Day| {
        let alike = if context.weekday(other.day.date()) == context.weekday(date) {
            4
        } else if context.same_kind(other.day.date(), date) {
            2
        } else {
            1
        };
        alike * (29 - distance(other))
    };
    let near =
        |other: &&Day| (1..=28).contains(&distance(other)) && reference::serves(other, day, part, context);
    let days: Vec<(&Day, i128)> =
        context.like_days.iter().filter(near).map(|other| (other, i128::from(weight(other)))).collect();
    if days.len() < LEAST_DAYS {
        return Err(Refusal::TooFew { seen: context.like_days.len(), have: days.len(), need: LEAST_DAYS });
    }
    let whole: i128 = days.iter().map(|(_, weight)| weight).sum();
    let at = |index: usize| -> i128 {
        days.iter()
            .map(|(day, weight)| day.slots.get(index).map_or(0, |slot| i128::from(slot.value)) * weight)
            .sum()
    };
    let values = part.slots.clone().map(|index| narrow(rounded_div(at(index), whole))).collect();
    Ok(Proposal { values, basis: Basis::Blend { days: days.len(), level_permille: 1000, anchored: false } })
}
