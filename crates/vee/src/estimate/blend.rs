//! Wattle's own estimator: days around the gap, weighed, and set to the level of what was read beside it.
//!
//! ```text
//! value(k) = mean(k) + slow(k) + fast(k)          mean: days weighed by nearness and weekday, each moved by
//!                                                       what others of the class used then and now
//!                                                 slow: how the hours beside the gap differ from their mean
//!   ..read..| k = 0 1 2 ... |..read..             fast: what the two neighbours differ beyond that
//! ```
//!
//! Both differences fade with their distance in time, the slow one over eight hours and the fast one over one
//! and a half, and the slow one is shrunk where little was read. Gaps up to two hours lean on a straight line as
//! well, as far as that pays on the days around. Integers throughout, in 256ths of the stored unit: the same on every machine. The constants were chosen on
//! open household data (Switzerland, New South Wales, London, California); `wattle bench estimation` measures them.

use super::class_use;
use super::context::Context;
use super::lean;
use super::proposal::{Basis, Proposal, Refusal};
use super::scale;
use super::span::Span;
use super::{narrow, rounded_div};
use crate::day::{Day, Slot};
use core::ops::Range;
use jiff::civil::{Date, Weekday};
use model::ChannelKind;
use std::collections::BTreeMap;

/// Fewer days than this at any interval of the gap say nothing.
const LEAST_DAYS: usize = 2;
/// Days further away than this are not looked at.
const REACH_D: i64 = 28;
/// So many days after the gap make both sides count alike.
const BALANCED_D: i64 = 5;
/// Weight of a day by its distance: 1000 exp(-d/4) + 20.
const NEARNESS: [i128; 28] = [
    799, 627, 492, 388, 307, 243, 194, 155, 125, 102, 84, 70, 59, 50, 44, 38, 34, 31, 29, 27, 25, 24, 23, 22,
    22, 22, 21, 21,
];
/// Hours beside the gap whose level counts.
const WINDOW_S: i64 = 24 * 3600;
/// How fast the level's weight fades.
const SLOW_S: i64 = 8 * 3600;
/// How fast the neighbours' weight fades.
const FAST_S: i64 = 5400;
/// As if so much more had been read and found ordinary: shrinks the level.
const SHRINK_S: i64 = 4 * 3600;
/// The share of the neighbours' difference that is believed, percent.
const FAST_PERCENT: i128 = 80;
/// Fixed point of weights.
const ONE: i128 = 1 << 16;
/// Fixed point of values.
const FINE: i128 = 256;

/// Fills a whole gap.
pub(super) fn propose(
    span: &Span<'_>,
    gap: &Range<usize>,
    context: &Context<'_>,
) -> Result<Proposal, Refusal> {
    let grid = Grid::new(span, context);
    let axis = Axis::new(&grid, span, gap)?;
    let lifted = axis.values(context.facts.kind);
    let values = settle(&lifted, context.facts.kind);
    let level_permille = permille(&values, &axis);
    let days: Vec<&Day> = grid.days.iter().map(|other| other.day).collect();
    let (values, anchored) = lean::lean_on_line(values, span, gap, &days, FAST_PERCENT);
    let moved = !grid.factors.is_empty();
    Ok(Proposal { values, basis: Basis::Blend { days: grid.days.len(), level_permille, anchored, moved } })
}

/// A day as reference, with what its weight rests on.
struct Reference<'a> {
    date: Date,
    weekday: Weekday,
    day: &'a Day,
}

/// The days around the gap, by date.
struct Grid<'a> {
    days: Vec<Reference<'a>>,
    context: &'a Context<'a>,
    /// Whether working days and days of rest differ so much that one says little of the other.
    divided: bool,
    /// The first day of the gap, and how far before it days are looked at.
    before: (Date, i64),
    /// What others of the class used on each day, compared with all of the days.
    factors: BTreeMap<Date, i128>,
}

impl<'a> Grid<'a> {
    fn new(span: &'a Span<'_>, context: &'a Context<'a>) -> Self {
        let (first, last) = match (span.days().first(), span.days().last()) {
            (Some(first), Some(last)) => (first.day.date(), last.day.date()),
            _ => (Date::ZERO, Date::ZERO),
        };
        let near = |day: &&Day| apart(day.day.date(), first).min(apart(day.day.date(), last)) <= REACH_D;
        let interval = context.facts.interval;
        let mut by_date: BTreeMap<Date, &Day> = BTreeMap::new();
        let others = context.like_days.iter().filter(|day| day.interval == interval).filter(near);
        for day in others.chain(span.days()) {
            by_date.insert(day.day.date(), day);
        }
        let of = |(date, day)| Reference { date, weekday: context.weekday(date), day };
        let days: Vec<Reference<'_>> = by_date.into_iter().map(of).collect();
        let divided = is_divided(&days);
        // Where readings have resumed, as many days on either side: else use that grows or falls with the season
        // would be met with a lag.
        let resumed = days.iter().map(|other| later(other.date, last)).max().unwrap_or(0);
        let reach = if resumed >= BALANCED_D { resumed } else { REACH_D };
        let factors = class_use::factors(context, days.iter().map(|other| other.date));
        Self { days, context, divided, before: (first, reach), factors }
    }

    fn weight(&self, other: &Reference<'_>, date: Date, weekday: Weekday) -> i128 {
        let distance = usize::try_from(apart(other.date, date)).unwrap_or(usize::MAX);
        let Some(near) = distance.checked_sub(1).and_then(|at| NEARNESS.get(at)) else { return 0 };
        if later(self.before.0, other.date) > self.before.1 {
            return 0;
        }
        let rest = |day| matches!(day, Weekday::Saturday | Weekday::Sunday);
        let alike = match (other.weekday == weekday, rest(other.weekday) == rest(weekday), self.divided) {
            (true, _, false) => 32,
            (true, _, true) => 64,
            (false, true, _) | (false, false, false) => 16,
            (false, false, true) => 1,
        };
        near * alike
    }

    /// A day without a factor is taken as an ordinary one.
    fn factor(&self, date: Date) -> i128 {
        self.factors.get(&date).copied().unwrap_or(class_use::ONE)
    }

    /// The value of interval `at` of a day counted as 24 hours, if estimates may lean on it.
    fn sound(&self, day: &Day, at: Place) -> Option<i64> {
        let index = if day.slots.len() == at.whole { at.index } else { index_of(day, at)? };
        let slot = day.slots.get(index).filter(|slot| slot.is_sound())?;
        let quiet = self.context.outages.is_empty() && self.context.events.is_empty();
        let disturbed = !quiet && self.context.is_disturbed(day.start_of(index), day.end_of(index));
        (!disturbed).then_some(slot.value)
    }

    /// The weighted mean over other days, in 256ths, of how many days, and whether all were zero.
    fn mean(&self, date: Date, at: Place) -> Option<Mean> {
        let weekday = self.context.weekday(date);
        let (mut sum, mut whole, mut days, mut zero) = (0i128, 0i128, 0usize, true);
        for other in self.days.iter().filter(|other| other.date != date) {
            let weight = self.weight(other, date, weekday);
            if weight == 0 {
                continue;
            }
            let Some(value) = self.sound(other.day, at) else { continue };
            let factor = self.factor(other.date);
            sum += i128::from(value) * weight * FINE * class_use::ONE / factor;
            whole += weight;
            days += 1;
            zero &= value == 0;
        }
        let value = sum.checked_div(whole)? * self.factor(date) / class_use::ONE;
        Some(Mean { value, days, zero })
    }
}

/// Where an interval lies in its day.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    /// Intervals of an ordinary day.
    whole: usize,
    /// Minutes since midnight by the wall clock.
    minute: i64,
}

#[derive(Clone, Copy)]
struct Mean {
    value: i128,
    days: usize,
    zero: bool,
}

/// Days from `earlier` to `date`; below zero where it comes first.
fn later(date: Date, earlier: Date) -> i64 {
    earlier.until(date).map_or(0, |span| i64::from(span.get_days()))
}

/// Days between two dates, either way.
fn apart(a: Date, b: Date) -> i64 {
    later(b, a).abs()
}

/// On a day with a clock change: the interval with the same wall-clock time.
fn index_of(day: &Day, at: Place) -> Option<usize> {
    (0..day.slots.len()).find(|index| wall_minute(day, *index) == at.minute)
}

fn wall_minute(day: &Day, index: usize) -> i64 {
    let start = day.start_of(index).to_zoned(day.day.zone().clone());
    i64::from(start.hour()) * 60 + i64::from(start.minute())
}

/// Whether the daily means of working days and of days of rest differ by more than a fifth of the larger.
fn is_divided(days: &[Reference<'_>]) -> bool {
    let mut sums = [(0i128, 0i128); 2];
    for day in days.iter().filter(|day| day.day.slots.iter().all(|slot| slot.is_sound())) {
        let rest = matches!(day.weekday, Weekday::Saturday | Weekday::Sunday);
        let sum = &mut sums[usize::from(rest)];
        sum.0 += i128::from(day.day.total());
        sum.1 += 1;
    }
    let [(work, works), (rest, rests)] = sums;
    if works < 2 || rests < 2 {
        return false;
    }
    let (work, rest) = (work / works, rest / rests);
    (work - rest).abs() * 5 > work.abs().max(rest.abs())
}

/// The gap between what was read before and after it, with the means of all of it.
struct Axis {
    /// Differences from the mean, nearest to the gap first; none where nothing sound was read.
    before: Vec<Option<i128>>,
    after: Vec<Option<i128>>,
    gap: Vec<Mean>,
    interval_s: i64,
}

impl Axis {
    fn new(grid: &Grid<'_>, span: &Span<'_>, gap: &Range<usize>) -> Result<Self, Refusal> {
        let interval_s = i64::from(grid.context.facts.interval.secs());
        let whole = usize::try_from(86_400 / interval_s).unwrap_or(1).max(1);
        let place = |day: &Day, index: usize| {
            let minute = if day.slots.len() == whole {
                i64::try_from(index).unwrap_or(0) * interval_s / 60
            } else {
                wall_minute(day, index)
            };
            Place { index: usize::try_from(minute * 60 / interval_s).unwrap_or(0), whole, minute }
        };
        let mut means = Vec::with_capacity(gap.len());
        for index in gap.clone() {
            let (number, at) = span.locate(index);
            let day = span.day(number);
            let mean = grid.mean(day.day.date(), place(day, at)).filter(|mean| mean.days >= LEAST_DAYS);
            let seen = grid.days.len().saturating_sub(span.days().len());
            means.push(mean.ok_or(Refusal::TooFew { seen, need: LEAST_DAYS })?);
        }
        let steps = usize::try_from(WINDOW_S / interval_s).unwrap_or(1);
        let mut axis = Self { before: Vec::new(), after: Vec::new(), gap: means, interval_s };
        let difference = |day: &Day, index: usize| {
            let mean = grid.mean(day.day.date(), place(day, index))?;
            let slot: Slot = *day.slots.get(index).filter(|slot| slot.is_sound())?;
            Some(i128::from(slot.value) * FINE - mean.value)
        };
        let (first, at) = span.locate(gap.start);
        axis.before = walk(grid, span.day(first).day.date(), at, steps, false, &difference);
        let (last, at) = span.locate(gap.end - 1);
        axis.after = walk(grid, span.day(last).day.date(), at, steps, true, &difference);
        Ok(axis)
    }

    /// The values of the gap in 256ths, not yet held above zero.
    fn values(&self, kind: ChannelKind) -> Vec<i128> {
        let slow = fade(SLOW_S, self.interval_s);
        let (left, right) = (Level::of(&self.before, slow), Level::of(&self.after, slow));
        let count = self.gap.len();
        let shrink = ONE * i128::from(SHRINK_S) / i128::from(self.interval_s);
        let slow_powers = powers(slow, count + 1);
        let level = |k: usize| {
            let (near, far) = (slow_powers[k], slow_powers[count - 1 - k]);
            let sum = (near * left.sum + far * right.sum) / ONE;
            let weight = (near * left.weight + far * right.weight) / ONE + shrink;
            sum / weight.max(1)
        };
        let end = |differences: &[Option<i128>], k: usize| {
            let nearest = differences.first().copied().flatten();
            nearest.map_or(0, |own| (own - level(k)) * FAST_PERCENT / 100)
        };
        let ends = (end(&self.before, 0), end(&self.after, count.saturating_sub(1)));
        let fast = powers(fade(FAST_S, self.interval_s), 2 * count + 3);
        let sunny = matches!(kind, ChannelKind::Export | ChannelKind::Generation);
        let usual =
            self.gap.iter().map(|mean| mean.value).sum::<i128>() / i128::try_from(count).unwrap_or(1).max(1);
        let at = |(k, mean): (usize, &Mean)| {
            // Where it was always dark, nothing that the hours beside it say makes light.
            if mean.zero && sunny {
                return 0;
            }
            let (a, b) = (bridge(&fast, k + 1, count - k), bridge(&fast, count - k, k + 1));
            let lift = level(k) + (ends.0 * a + ends.1 * b) / ONE;
            mean.value + if sunny && usual > 0 { lift * mean.value / usual } else { lift }
        };
        self.gap.iter().enumerate().map(at).collect()
    }
}

/// Differences of up to `steps` intervals from the one beside `at` on, away from it, over midnights.
fn walk(
    grid: &Grid<'_>,
    mut date: Date,
    mut at: usize,
    steps: usize,
    forward: bool,
    difference: &impl Fn(&Day, usize) -> Option<i128>,
) -> Vec<Option<i128>> {
    let find = |date: Date| {
        let at = grid.days.binary_search_by_key(&date, |other| other.date).ok()?;
        grid.days.get(at).map(|other| other.day)
    };
    let mut out = Vec::with_capacity(steps);
    let Some(mut day) = find(date) else { return out };
    while out.len() < steps {
        let stays = if forward { at + 1 < day.slots.len() } else { at > 0 };
        if stays {
            at = if forward { at + 1 } else { at - 1 };
        } else {
            let next = if forward { date.tomorrow() } else { date.yesterday() };
            let Some((next, other)) = next.ok().and_then(|next| find(next).map(|day| (next, day))) else {
                break;
            };
            (date, day) = (next, other);
            at = if forward { 0 } else { day.slots.len().saturating_sub(1) };
        }
        out.push(difference(day, at));
    }
    out
}

/// What one side of the gap says of the level.
struct Level {
    sum: i128,
    weight: i128,
}

impl Level {
    fn of(differences: &[Option<i128>], fade: i128) -> Self {
        let mut level = Self { sum: 0, weight: 0 };
        let mut weight = fade;
        for difference in differences {
            if let Some(difference) = difference {
                level.sum += difference * weight;
                level.weight += weight;
            }
            weight = weight * fade / ONE;
        }
        level
    }
}

/// What is left of a weight after one interval, if a time constant is `constant_s`.
fn fade(constant_s: i64, interval_s: i64) -> i128 {
    ONE * i128::from(constant_s) / i128::from(constant_s + interval_s)
}

fn powers(of: i128, count: usize) -> Vec<i128> {
    core::iter::successors(Some(ONE), |power| Some(power * of / ONE)).take(count).collect()
}

/// How much of a difference at one end is left `near` intervals on, when the other end, `far` away, is known too.
fn bridge(powers: &[i128], near: usize, far: usize) -> i128 {
    let power = |exponent: usize| powers.get(exponent).copied().unwrap_or(0);
    (power(near) - power(near + 2 * far)) * ONE / (ONE - power(2 * (near + far))).max(1)
}

/// Back to whole units, none below zero unless the channel is signed, with the sum kept: what is cut off
/// below zero is taken from the others, so that cutting adds nothing on the whole.
fn settle(fine: &[i128], kind: ChannelKind) -> Vec<i64> {
    let total = rounded_div(fine.iter().sum(), FINE);
    if kind.is_signed() {
        let rough: Vec<i64> = fine.iter().map(|value| narrow(rounded_div(*value, FINE))).collect();
        return rough;
    }
    let held: Vec<i64> = fine.iter().map(|value| narrow((*value).max(0))).collect();
    if !kind.is_additive() || held.iter().all(|value| *value == 0) {
        return held.iter().map(|value| narrow(rounded_div((*value).into(), FINE))).collect();
    }
    scale::spread(&held, total.max(0))
}

fn permille(values: &[i64], axis: &Axis) -> i64 {
    let usual: i128 = axis.gap.iter().map(|mean| mean.value).sum::<i128>() / FINE;
    let sum: i128 = values.iter().map(|value| i128::from(*value)).sum();
    if usual > 0 { narrow(rounded_div(sum * 1000, usual)) } else { 1000 }
}
