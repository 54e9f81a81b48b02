//! How far a short gap leans on a straight line between its neighbours: as far as that pays on the days around it.
//!
//! Of some homes the next half hour is much like the last; of others it is much like yesterday's. Which, the channel's own readings tell:
//! gaps of the same length are thought into them one after the other, and each mix of the line and the days is held against what was
//! read there. The mix that errs least is taken.
//!
//! ```text
//!   line(k)  from x before to x after                      error(s) = sum | s line + (4 - s) days - 4 read |
//!   days(k)  mean(k) + what the two ends differ from theirs          s = 0, 1 .. 4 quarters of the line
//! ```

use super::span::Span;
use super::{linear, narrow, rounded_div};
use crate::day::Day;
use core::ops::Range;
use jiff::civil::Weekday;

/// Longer gaps lean on no line.
const LONGEST_S: u64 = 7200;
/// The share of a line is counted in quarters.
const WHOLE: i128 = 4;
/// Fewer tries than this tell nothing.
const LEAST_TRIES: usize = 100;
/// Quarters of the line where too little was read to tell.
const USUAL: i128 = 3;
/// Fixed point of values.
const FINE: i128 = 256;

/// Mixes a line into the values of a gap of at most two hours with sound neighbours; whether it did.
///
/// `days` are those around the gap, and `percent` is the share of what the neighbours differ from their means that
/// the days are believed to follow.
pub(super) fn lean_on_line(
    values: Vec<i64>,
    span: &Span<'_>,
    gap: &Range<usize>,
    days: &[&Day],
    percent: i128,
) -> (Vec<i64>, bool) {
    let interval_s = span.days().first().map_or(86_400, |day| u64::from(day.interval.secs()));
    let missing = gap.len();
    if u64::try_from(missing).unwrap_or(u64::MAX).saturating_mul(interval_s) > LONGEST_S {
        return (values, false);
    }
    let neighbour = |index: Option<usize>| index.map(|index| span.slot(index)).filter(|slot| slot.is_sound());
    let a = neighbour(gap.start.checked_sub(1));
    let b = neighbour(Some(gap.end).filter(|end| *end < span.len()));
    let (Some(a), Some(b)) = (a, b) else { return (values, false) };
    let share = Usual::of(days).best_share(days, missing, percent).unwrap_or(USUAL);
    if share == 0 {
        return (values, false);
    }
    let mix = |(k, value): (usize, i64)| {
        let line = i128::from(linear::between(a.value, b.value, k + 1, missing));
        narrow(rounded_div(line * share + i128::from(value) * (WHOLE - share), WHOLE))
    };
    (values.into_iter().enumerate().map(mix).collect(), true)
}

/// What was read at each time of day, working days and days of rest apart.
struct Usual {
    /// Sum and count by interval.
    kinds: [Vec<(i128, i128)>; 2],
}

impl Usual {
    fn of(days: &[&Day]) -> Self {
        // The two days of a clock change are too few to matter.
        let whole = days.iter().map(|day| day.slots.len()).min().unwrap_or(0);
        let mut kinds = [vec![(0, 0); whole], vec![(0, 0); whole]];
        for day in days {
            for (slot, sum) in day.slots.iter().zip(&mut kinds[kind(day)]) {
                if slot.is_sound() {
                    *sum = (sum.0 + i128::from(slot.value), sum.1 + 1);
                }
            }
        }
        Self { kinds }
    }

    /// What the other days of its kind had at interval `index` of a day, in 256ths.
    fn beside(&self, day: &Day, index: usize) -> Option<i128> {
        let (sum, count) = *self.kinds[kind(day)].get(index)?;
        let own = i128::from(day.slots.get(index)?.value);
        ((sum - own) * FINE).checked_div(count - 1)
    }

    /// How many quarters of the line would have erred least in gaps of `missing` intervals laid one behind the other.
    fn best_share(&self, days: &[&Day], missing: usize, percent: i128) -> Option<i128> {
        let (mut errors, mut tries) = ([0i128; 5], 0usize);
        for day in days {
            for run in day.slots.windows(missing + 2).enumerate().step_by(missing) {
                let (at, slots) = run;
                if !slots.iter().all(|slot| slot.is_sound()) {
                    continue;
                }
                tries += usize::from(self.try_in(day, at, missing, percent, &mut errors).is_some());
            }
        }
        if tries < LEAST_TRIES {
            return None;
        }
        // Of equal ones the line, which leans on less.
        (0..errors.len())
            .rev()
            .min_by_key(|share| errors[*share])
            .and_then(|share| i128::try_from(share).ok())
    }

    /// Adds the errors of each mix in a gap whose neighbour before it is interval `at` of a day.
    fn try_in(
        &self,
        day: &Day,
        at: usize,
        missing: usize,
        percent: i128,
        errors: &mut [i128; 5],
    ) -> Option<()> {
        let read = |index: usize| day.slots.get(index).map(|slot| slot.value);
        let (a, b) = (read(at)?, read(at + missing + 1)?);
        let before = i128::from(a) * FINE - self.beside(day, at)?;
        let after = i128::from(b) * FINE - self.beside(day, at + missing + 1)?;
        let steps = i128::try_from(missing + 1).ok()?;
        for (nth, k) in (1..).zip(1..=missing) {
            let line = i128::from(linear::between(a, b, k, missing)) * FINE;
            let follows = (before * (steps - nth) + after * nth) * percent / (100 * steps);
            let usual = (self.beside(day, at + k)? + follows).max(0);
            let read = i128::from(read(at + k)?) * FINE;
            for (share, error) in (0..).zip(errors.iter_mut()) {
                *error += (line * share + usual * (WHOLE - share) - read * WHOLE).abs();
            }
        }
        Some(())
    }
}

fn kind(day: &Day) -> usize {
    usize::from(matches!(day.day.date().weekday(), Weekday::Saturday | Weekday::Sunday))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day::Slot;
    use jiff::civil::date;
    use jiff::tz::TimeZone;
    use model::{ChannelKind, IntervalLength, LocalDay, Quality};

    fn days(value: impl Fn(i64, i64) -> i64) -> Vec<Day> {
        let day = |number: i64| {
            let date = date(2026, 3, 2) + jiff::Span::new().days(number);
            let local = LocalDay::new(date, &TimeZone::UTC).unwrap();
            let mut day = Day::missing(local, IntervalLength::HALF_HOUR, ChannelKind::Import);
            for (slot, index) in day.slots.iter_mut().zip(0..) {
                *slot = Slot::new(value(number, index), Quality::VALID);
            }
            day
        };
        (0..14).map(day).collect()
    }

    #[test]
    fn the_channel_tells_what_it_is_like() {
        // The same sawtooth every day: the days know it and a line does not.
        let alike = days(|_, index| 100 + index % 2 * 400);
        // Another level every few hours of every day: the neighbours know it and the days do not.
        let steady = days(|day, index| 100 + (day * 37 + index / 12 * 53) % 91 * 10);
        for (name, days, expected) in [("alike", &alike, 0), ("steady", &steady, 4)] {
            let days: Vec<&Day> = days.iter().collect();
            assert_eq!(Usual::of(&days).best_share(&days, 1, 80), Some(expected), "{name}");
        }
        let few: Vec<&Day> = alike.iter().take(1).collect();
        assert_eq!(Usual::of(&few).best_share(&few, 1, 80), None, "one day alone tells nothing");
    }
}
