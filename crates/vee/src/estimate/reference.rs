//! Means of reference days: of the same weekday, of last year, of a like temperature, of the same kind.

use super::context::Context;
use super::method::Method;
use super::proposal::{Basis, Proposal, Refusal};
use super::span::{Part, Span};
use super::{narrow, rounded_div};
use crate::day::Day;
use crate::rules::Rules;
use jiff::civil::Date;

/// The mean of the newest reference days that serve `method`, interval by interval.
///
/// A day with an interval that is missing, estimated, failed, or touched by an outage or a demand-response
/// event within the window of the gap is no reference.
pub(super) fn propose(
    method: Method,
    span: &Span<'_>,
    part: &Part,
    context: &Context<'_>,
    rules: &Rules,
) -> Result<Proposal, Refusal> {
    let day = span.day(part.day);
    let date = day.day.date();
    let temperature = match method {
        Method::ProxyDay => Some(context.temperature(date).ok_or(Refusal::NoTemperature(date))?),
        _ => None,
    };
    let near = |other: Date| match (temperature, context.temperature(other)) {
        (Some(here), Some(there)) => here.abs_diff(there) <= rules.estimation.proxy_difference_dc,
        _ => false,
    };
    let age = |other: Date| other.until(date).map_or(-1, |span| i64::from(span.get_days()));
    let recent = |other: Date| (1..=i64::from(rules.like_day_lookback_d)).contains(&age(other));
    let same_weekday = |other: Date| context.weekday(other) == context.weekday(date);
    let wanted = |other: Date| match method {
        Method::LikeDay => recent(other) && same_weekday(other),
        Method::LastYear => {
            let distance = (age(other) - 365).unsigned_abs();
            distance <= rules.estimation.last_year_window_d.into() && same_weekday(other)
        }
        Method::ProxyDay => age(other) > 0 && context.same_kind(other, date) && near(other),
        _ => recent(other) && context.same_kind(other, date),
    };
    let mut chosen: Vec<&Day> = context
        .like_days
        .iter()
        .filter(|other| wanted(other.day.date()) && serves(other, day, part, context))
        .collect();
    chosen.sort_by_key(|other| core::cmp::Reverse(other.day.date()));
    chosen.dedup_by_key(|other| other.day.date());
    chosen.truncate(usize::try_from(rules.like_days).unwrap_or(1));
    if chosen.is_empty() {
        return Err(Refusal::NoDay { seen: context.like_days.len(), wanted: in_words(method) });
    }
    let dates: Vec<Date> = chosen.iter().map(|other| other.day.date()).collect();
    let basis = match temperature {
        Some(mean_dc) => Basis::Temperature { dates, mean_dc },
        None => Basis::Days(dates),
    };
    Ok(Proposal { values: mean(&chosen, part), basis })
}

fn mean(days: &[&Day], part: &Part) -> Vec<i64> {
    let count = i128::try_from(days.len()).unwrap_or(1);
    let at = |index: usize| {
        days.iter().filter_map(move |day| day.slots.get(index)).map(|slot| i128::from(slot.value))
    };
    part.slots.clone().map(|index| narrow(rounded_div(at(index).sum(), count))).collect()
}

/// Whether a day is of the same build and undisturbed in the window.
pub(super) fn serves(other: &Day, day: &Day, part: &Part, context: &Context<'_>) -> bool {
    let sound = || {
        other.slots.get(part.slots.clone()).is_some_and(|window| window.iter().all(|slot| slot.is_sound()))
    };
    let disturbed =
        || context.is_disturbed(other.start_of(part.slots.start), other.end_of(part.slots.end - 1));
    other.interval == day.interval && other.slots.len() == day.slots.len() && sound() && !disturbed()
}

const fn in_words(method: Method) -> &'static str {
    match method {
        Method::LikeDay => "a recent one of the same weekday",
        Method::LastYear => "one of the same weekday around this date last year",
        Method::ProxyDay => "one of the same kind and about as warm",
        _ => "a recent one of the same kind",
    }
}
