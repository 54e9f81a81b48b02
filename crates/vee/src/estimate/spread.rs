//! The mean daily use, spread by a class load shape or evenly.

use super::context::Context;
use super::narrow;
use super::proposal::{Basis, Proposal, Refusal};
use super::span::{Part, Span};
use crate::day::Day;
use crate::rules::Rules;
use crate::sun::Sun;
use crate::words::amount;
use jiff::civil::Date;
use model::ChannelKind;

/// A working day, to ask whether another is one.
const A_MONDAY: Date = Date::constant(2024, 1, 1);

/// The mean daily use times the class load shape: for premises without a history of their own.
pub(super) fn by_shape(
    span: &Span<'_>,
    part: &Part,
    context: &Context<'_>,
    rules: &Rules,
) -> Result<Proposal, Refusal> {
    let day = span.day(part.day);
    if !day.kind.is_additive() {
        return Err(Refusal::NotAdditive);
    }
    let shape = &rules.estimation.shape;
    let date = day.day.date();
    let working = context.same_kind(date, A_MONDAY);
    let weights = if working || shape.rest.is_empty() { &shape.working } else { &shape.rest };
    if weights.is_empty() {
        return Err(Refusal::NoShape);
    }
    let own = context.stats.mean_before(date).map(|(daily, _)| daily);
    let daily = own.or(Some(shape.daily).filter(|daily| *daily != 0)).ok_or(Refusal::NoLevel)?;
    let weight = |index: usize| {
        let weight = usize::try_from(minute(day, index) / 60).ok().and_then(|hour| weights.get(hour));
        i128::from(weight.copied().unwrap_or(0))
    };
    let basis = Basis::Shape { daily: amount(day.kind, daily) };
    Ok(Proposal { values: weighted(day, part, daily, weight), basis })
}

/// The mean daily use, the same in every interval; of a generator, as high as the sun stands.
/// Where nothing is known but registers that bracket the gap, the smallest values of that shape, which
/// scaling fills.
pub(super) fn evenly(
    span: &Span<'_>,
    part: &Part,
    context: &Context<'_>,
    bracketed: bool,
) -> Result<Proposal, Refusal> {
    let day = span.day(part.day);
    if !day.kind.is_additive() {
        return Err(Refusal::NotAdditive);
    }
    let sun = sun_over(day, context);
    let weight = |index: usize| flat_weight(day, index, sun.as_ref());
    let (daily, basis) = match context.stats.mean_before(day.day.date()) {
        Some((daily, days)) => (daily, Basis::Flat { daily: amount(day.kind, daily), days }),
        None if bracketed => {
            let values = part.slots.clone().map(|index| narrow(weight(index))).collect();
            return Ok(Proposal { values, basis: Basis::Registers });
        }
        None => return Err(Refusal::NoLevel),
    };
    Ok(Proposal { values: weighted(day, part, daily, weight), basis })
}

/// The sun over the service point, for channels that follow it and where its place is on file.
fn sun_over(day: &Day, context: &Context<'_>) -> Option<Sun> {
    if !matches!(day.kind, ChannelKind::Export | ChannelKind::Generation) {
        return None;
    }
    let noon_s = i64::midpoint(day.day.start().as_second(), day.day.end().as_second());
    context.facts.position.map(|place| Sun::over(place, noon_s, 0))
}

/// What an interval weighs where no shape is known: all the same, but a generator counts by the height of the sun over a
/// level plane.
///
/// **Interpretation:** where the place of the service point is not on file, six to eighteen o'clock local time stands for
/// daylight, with a parabola in between.
fn flat_weight(day: &Day, index: usize, sun: Option<&Sun>) -> i128 {
    if !matches!(day.kind, ChannelKind::Export | ChannelKind::Generation) {
        return 1;
    }
    if let Some(sun) = sun {
        let middle = i64::midpoint(day.start_of(index).as_second(), day.end_of(index).as_second());
        return sun.weight(middle).into();
    }
    let minute = minute(day, index);
    i128::from(((minute - 6 * 60) * (18 * 60 - minute)).max(0))
}

/// Minutes since local midnight by the wall clock.
fn minute(day: &Day, index: usize) -> i64 {
    let start = day.start_of(index).to_zoned(day.day.zone().clone());
    i64::from(start.hour()) * 60 + i64::from(start.minute())
}

/// `daily` shared among the intervals of a whole day by weight, of which the part is returned.
fn weighted(day: &Day, part: &Part, daily: i64, weight: impl Fn(usize) -> i128) -> Vec<i64> {
    let whole: i128 = (0..day.slots.len()).map(&weight).sum();
    let mut upto: i128 = (0..part.slots.start).map(&weight).sum();
    let share = |upto: i128| (i128::from(daily) * upto).checked_div(whole).unwrap_or(0);
    let at = |index: usize| {
        let before = share(upto);
        upto += weight(index);
        narrow(share(upto) - before)
    };
    part.slots.clone().map(at).collect()
}
