//! What a customer's like used from day to day: weather, season and feasts that the channel itself does not tell of in time.

use super::context::Context;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// What the channels of one kind and class of customer used on a day: those of which every interval was read.
///
/// They are counted in two halves, picked without regard to what they measure: how far the two run apart tells how
/// far their mean can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassDay {
    /// The local date.
    pub date: Date,
    /// Of each half, how many channels and their total in the stored unit.
    pub halves: [(u32, i64); 2],
}

/// Fixed point of factors.
pub(super) const ONE: i128 = 1 << 16;
/// Fewer days than this say nothing about how far the halves run apart.
const LEAST_DAYS: usize = 8;

/// How much was used on each of `dates` compared with all of them, shrunk towards the same by what chance alone explains;
/// empty where chance explains it all. Days that are not known are left out.
///
/// ```text
/// index(day)  = mean of both halves, each divided by its own mean over the days
/// noise       = mean over days of (half - other half)^2 / 4
/// factor(day) = 1 + (1 - noise / variance of the index) * (index(day) - 1)
/// ```
pub(super) fn factors(context: &Context<'_>, dates: impl Iterator<Item = Date>) -> BTreeMap<Date, i128> {
    let mut rows: Vec<(Date, [i128; 2])> = Vec::new();
    if context.facts.kind.is_signed() || context.class_days.is_empty() {
        return BTreeMap::new();
    }
    for date in dates {
        let Ok(at) = context.class_days.binary_search_by_key(&date, |day| day.date) else { continue };
        let halves = context.class_days[at].halves;
        if halves.iter().all(|(count, total)| *count > 0 && *total > 0) {
            rows.push((date, halves.map(|(count, total)| i128::from(total) * ONE / i128::from(count))));
        }
    }
    if rows.len() < LEAST_DAYS {
        return BTreeMap::new();
    }
    let days = i128::try_from(rows.len()).unwrap_or(i128::MAX);
    let means: [i128; 2] = [0, 1].map(|half| rows.iter().map(|(_, row)| row[half]).sum::<i128>() / days);
    if means.contains(&0) {
        return BTreeMap::new();
    }
    let (mut variance, mut noise) = (0i128, 0i128);
    let mut factors = BTreeMap::new();
    for (date, row) in rows {
        let [one, other] = [row[0] * ONE / means[0], row[1] * ONE / means[1]];
        let index = i128::midpoint(one, other);
        variance += (index - ONE) * (index - ONE);
        noise += (one - other) * (one - other) / 4;
        factors.insert(date, index);
    }
    if noise >= variance {
        return BTreeMap::new();
    }
    for factor in factors.values_mut() {
        let shrunk = ONE + (*factor - ONE) * (variance - noise) / variance;
        *factor = shrunk.clamp(ONE / 8, ONE * 8);
    }
    factors
}
