//! The usual course of a channel's day, and how far the latest days leaned to the hour before or after it.
//!
//! ```text
//! usual    .  .  :  |  |  :  .  .       lean > 0: the day fits the usual one better when that runs an hour later
//! this day .  .  .  :  |  |  :  .
//! ```
//!
//! One day says little: people sleep in. A clock that is an hour off leans every day, and only that a row of days shows.
//! Integers throughout; 34 bytes a channel.

use crate::columns::{ChannelDay, Sweep};
use model::ChannelKind;

/// Hours of an ordinary day.
pub(super) const HOURS: usize = 24;
const HOURS_A_DAY: u32 = 24;
/// Days whose leans are kept.
pub(super) const LEANS: u32 = 28;
/// Days that make the usual course; each new one then counts as much as this share of it.
const MEMORY: u32 = 16;
/// So many days must have made it before anything is held against it.
const LEARNED: u8 = 10;
/// Leans are kept in fifths of a correlation, from -7 to 7.
const STEPS: i64 = 5;
const MOST: i64 = 7;

/// The course of one day: the logarithm of each hour's amount, in eighths of a doubling above next to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Course([u8; HOURS]);

impl Course {
    /// The course of a day of 24 hours that was read throughout; none where nothing, or always the same, flowed.
    pub(crate) fn of(day: &ChannelDay<'_>, sweep: &Sweep) -> Option<Self> {
        let secs = day.interval.secs();
        let per_hour = usize::try_from(3600 / secs.max(1)).ok()?;
        let one_way = day.kind.is_additive() && !day.kind.is_signed();
        let reactive = matches!(day.kind, ChannelKind::ReactiveImport | ChannelKind::ReactiveExport);
        if !one_way || reactive || per_hour == 0 || day.len() != per_hour * HOURS || 3600 % secs != 0 {
            return None;
        }
        if !sweep.all_read() || sweep.least < 0 || sweep.total < 24 || sweep.equal_run == day.len() {
            return None;
        }
        let next_to_nothing = (sweep.total.unsigned_abs() / u64::from(HOURS_A_DAY * 8)).max(1);
        let base = log2(next_to_nothing);
        let mut levels = [0; HOURS];
        for (level, hour) in levels.iter_mut().zip(day.values.chunks_exact(per_hour)) {
            let sum = hour.iter().fold(0u64, |sum, value| sum.saturating_add(value.unsigned_abs()));
            *level = log2(sum.saturating_add(next_to_nothing)).saturating_sub(base).min(63);
        }
        Some(Self(levels))
    }
}

/// Eighths of a doubling, straight between two powers of two; `value` is at least 1.
fn log2(value: u64) -> u8 {
    let whole = value.ilog2();
    // The three bits below the highest one.
    let part = value << value.leading_zeros() >> 60 & 7;
    // At most 63 * 8 + 7; courses look at differences that are far smaller.
    u8::try_from(whole * 8 + u32::from(part.to_le_bytes()[0])).unwrap_or(u8::MAX)
}

/// What is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Habit {
    /// How many days made it, at most 255; 0 for nothing known.
    pub(super) days: u8,
    /// The newest of them, days since 1970-01-01.
    pub(super) newest: i32,
    /// The usual level of each hour, below 64.
    pub(super) levels: [u8; HOURS],
    /// Four bits a day, the newest lowest: 0 for no lean known, else the lean plus 8.
    pub(super) leans: u128,
}

/// How a row of days leans, in steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) days: i64,
    pub(crate) sum: i64,
    pub(crate) squares: i64,
}

impl Row {
    /// The lean of a row of one day.
    pub(crate) const fn only(&self) -> Option<i64> {
        if self.days == 1 { Some(self.sum) } else { None }
    }

    pub(crate) const fn add(&mut self, lean: i64) {
        self.days += 1;
        self.sum += lean;
        self.squares += lean * lean;
    }
}

/// The remembered leans, added up from the newest back, so that any row of days is a difference of two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leans {
    newest: i32,
    /// How many days are known, their sum and their squares as they are kept, of so many days; 16 bits each.
    sums: [u64; LEANS as usize + 1],
}

impl Leans {
    /// The known days of `[from, to)`.
    pub(crate) fn row(&self, from: i32, to: i32) -> Row {
        let back = |day: i32| {
            let days = self.newest.saturating_sub(day).saturating_add(1).clamp(0, LEANS.cast_signed());
            self.sums.get(days.cast_unsigned() as usize).copied().unwrap_or(0)
        };
        let [a, b, c, d, e, f, ..] = back(from).saturating_sub(back(to)).to_le_bytes();
        let [days, kept, squares] = [[a, b], [c, d], [e, f]].map(|two| i64::from(u16::from_le_bytes(two)));
        Row { days, sum: kept - 8 * days, squares: squares - 16 * kept + 64 * days }
    }
}

impl Habit {
    /// How a day leans against the usual course, in steps; none before that is known.
    pub(super) fn lean(&self, course: &Course) -> Option<i64> {
        if self.days < LEARNED {
            return None;
        }
        let (day, usual) = (&course.0, &self.levels);
        let (mut before, mut after) = (*usual, *usual);
        before.rotate_right(1);
        after.rotate_left(1);
        // Differences of levels below 64: everything fits.
        let slopes = before.iter().zip(&after).map(|(before, after)| i32::from(*before) - i32::from(*after));
        let moved: i32 = day.iter().zip(slopes).map(|(level, slope)| i32::from(*level) * slope).sum();
        let norm = i64::try_from((spread(day) * spread(usual)).isqrt()).ok().filter(|norm| *norm > 0)?;
        // The difference of two correlations, rounded to the nearest step.
        let scaled = i64::from(HOURS_A_DAY) * i64::from(moved) * STEPS;
        let steps = (2 * scaled.abs() + norm) / (2 * norm);
        Some(steps.min(MOST) * scaled.signum())
    }

    /// Whether all that it was made of is older than a day.
    pub(super) const fn is_older(&self, day: i32) -> bool {
        self.days == 0 || self.newest < day
    }

    /// The lean that is kept for a day.
    pub(super) fn known(&self, day: i32) -> Option<i64> {
        let back = self.newest.saturating_sub(day);
        if self.days == 0 || back < 0 || back.cast_unsigned() >= LEANS {
            return None;
        }
        let kept = (self.leans >> (4 * back)) & 0xF;
        (kept > 0).then(|| i64::from(kept.to_le_bytes()[0]) - 8)
    }

    /// The leans that are kept.
    pub(super) fn leans(&self) -> Leans {
        let mut sums = [0; LEANS as usize + 1];
        let (mut rest, mut sum) = (if self.days == 0 { 0 } else { self.leans }, 0u64);
        for place in &mut sums[1..] {
            sum += COUNTED[usize::from(rest.to_le_bytes()[0] & 0xF)];
            rest >>= 4;
            *place = sum;
        }
        Leans { newest: self.newest, sums }
    }

    /// Takes in a day: its lean, and, if it is newer than all before, its course.
    pub(super) fn take(&mut self, day: i32, course: &Course, seed: u64) {
        let lean = self.lean(course);
        if !self.is_older(day) {
            let back = self.newest.saturating_sub(day).cast_unsigned();
            if back < LEANS {
                self.leans = self.leans & !(0xF << (4 * back)) | kept(lean) << (4 * back);
            }
            return;
        }
        let passed = if self.days == 0 { LEANS } else { day.saturating_sub(self.newest).cast_unsigned() };
        let mask = (1 << (4 * LEANS)) - 1;
        let older = if passed >= LEANS { 0 } else { self.leans << (4 * passed) & mask };
        self.leans = older | kept(lean);
        self.learn(course, seed);
        self.newest = day;
    }

    /// The usual course moves towards the new one. What a level would be off by rounding, chance makes good in the long
    /// run; the same days give the same chance.
    fn learn(&mut self, course: &Course, seed: u64) {
        let count = u32::from(self.days).saturating_add(1);
        if count >= MEMORY {
            self.mix(course, seed, |level, new, chance| {
                (level * (MEMORY - 1) + new + chance % MEMORY) / MEMORY
            });
        } else {
            self.mix(course, seed, |level, new, chance| (level * (count - 1) + new + chance % count) / count);
        }
        self.days = self.days.saturating_add(1);
    }

    fn mix(&mut self, course: &Course, seed: u64, mixed: impl Fn(u32, u32, u32) -> u32) {
        let hours = self.levels.iter_mut().zip(course.0).zip(CHANCE);
        for ((level, new), (factor, summand)) in hours {
            let chance = high_31(seed.wrapping_mul(factor).wrapping_add(summand));
            // Between two levels below 64.
            *level = mixed((*level).into(), new.into(), chance).to_le_bytes()[0];
        }
    }
}

/// What a lean as it is kept adds to the sums of [`Leans`].
const COUNTED: [u64; 16] = {
    let mut counted = [0; 16];
    let mut kept = 1;
    while kept < 16 {
        counted[kept] = 1 | (kept as u64) << 16 | ((kept * kept) as u64) << 32;
        kept += 1;
    }
    counted
};

/// A linear congruential generator as many steps on as the hour says: the seed times the first plus the second.
const CHANCE: [(u64, u64); HOURS] = {
    let mut steps = [(1u64, 0u64); HOURS];
    let (mut factor, mut summand) = (1u64, 0u64);
    let mut hour = 0;
    while hour < HOURS {
        factor = factor.wrapping_mul(6_364_136_223_846_793_005);
        summand = summand.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        steps[hour] = (factor, summand);
        hour += 1;
    }
    steps
};

/// The highest 31 bits.
const fn high_31(bits: u64) -> u32 {
    let [_, _, _, _, high @ ..] = bits.to_le_bytes();
    u32::from_le_bytes(high) >> 1
}

fn kept(lean: Option<i64>) -> u128 {
    lean.and_then(|lean| u128::try_from(lean + 8).ok()).unwrap_or(0)
}

/// Twenty-four times the sum of squares about the mean.
fn spread(levels: &[u8; HOURS]) -> u64 {
    let sum: u32 = levels.iter().map(|level| u32::from(*level)).sum();
    let squares: u32 = levels.iter().map(|level| u32::from(*level) * u32::from(*level)).sum();
    (HOURS_A_DAY * squares - sum * sum).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn course(evening: usize) -> Course {
        let mut levels = [8u8; HOURS];
        for (hour, level) in [(0, 30), (1, 40), (2, 24)] {
            levels[(evening + hour) % HOURS] = level;
        }
        Course(levels)
    }

    /// The usual course moved the slow way: the meaning of [`Habit::learn`].
    fn learned(habit: &Habit, course: &Course, seed: u64) -> [u8; HOURS] {
        let count = u64::from(habit.days).saturating_add(1).min(MEMORY.into());
        let mut chance = seed;
        let mut levels = habit.levels;
        for (level, new) in levels.iter_mut().zip(course.0) {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let sum = u64::from(*level) * (count - 1) + u64::from(new) + (chance >> 33) % count;
            *level = u8::try_from(sum / count).unwrap();
        }
        levels
    }

    /// The lean the slow way.
    fn leaned(habit: &Habit, course: &Course) -> Option<i64> {
        let mut moved = 0;
        for hour in 0..HOURS {
            let (before, after) =
                (habit.levels[(hour + HOURS - 1) % HOURS], habit.levels[(hour + 1) % HOURS]);
            moved += i64::from(course.0[hour]) * (i64::from(before) - i64::from(after));
        }
        let spread = |levels: &[u8; HOURS]| {
            let sum: u64 = levels.iter().map(|level| u64::from(*level)).sum();
            levels.iter().map(|level| 24 * u64::from(*level) * u64::from(*level)).sum::<u64>() - sum * sum
        };
        let norm = i64::try_from((spread(&course.0) * spread(&habit.levels)).isqrt()).unwrap();
        let scaled = 24 * moved * STEPS;
        (habit.days >= LEARNED && norm > 0)
            .then(|| ((2 * scaled.abs() + norm) / (2 * norm)).min(MOST) * scaled.signum())
    }

    proptest! {
        #[test]
        fn the_quick_way_is_the_slow_way(
            days in prop::collection::vec((prop::array::uniform24(0u8..64), any::<u64>(), 0i32..4), 1..60),
            from in -5i32..90,
            length in 0i32..40,
        ) {
            let (mut habit, mut day) = (Habit::default(), 50);
            for (levels, seed, later) in days {
                // Mostly a day on, at times the same one again or a hole.
                day += later;
                let course = Course(levels);
                let (expected, lean) = (learned(&habit, &course, seed), leaned(&habit, &course));
                prop_assert_eq!(habit.lean(&course), lean);
                let is_new = habit.is_older(day);
                habit.take(day, &course, seed);
                prop_assert!(!is_new || habit.levels == expected);
                let (from, to) = (from + 20, from + 20 + length);
                let mut row = Row::default();
                (from..to).filter_map(|day| habit.known(day)).for_each(|lean| row.add(lean));
                prop_assert_eq!(habit.leans().row(from, to), row);
            }
        }
    }

    #[test]
    fn logarithms_rise_by_eighths_of_a_doubling() {
        let rows =
            [(1, 0), (2, 8), (3, 12), (4, 16), (8, 24), (9, 25), (15, 31), (1 << 31, 248), (u64::MAX, 255)];
        for (value, eighths) in rows {
            assert_eq!(log2(value), eighths, "{value}");
        }
    }

    #[test]
    fn a_day_that_is_late_leans_to_the_right_and_an_early_one_to_the_left() {
        let mut habit = Habit::default();
        for day in 0..20 {
            assert_eq!(habit.lean(&course(18)).is_some(), day >= 10);
            habit.take(day, &course(18), 7);
        }
        assert_eq!(habit.lean(&course(18)), Some(0));
        let late = habit.lean(&course(19)).unwrap();
        assert!(late >= 4, "{late}");
        assert_eq!(habit.lean(&course(17)), Some(-late));
        assert_eq!(habit.lean(&Course([9; HOURS])), None, "a flat day leans nowhere");
    }

    #[test]
    fn leans_are_kept_by_day_and_taken_in_again() {
        let mut habit = Habit::default();
        for day in 100..120 {
            habit.take(day, &course(18), 7);
        }
        habit.take(122, &course(19), 7);
        let late = habit.known(122).unwrap();
        assert!(late > 0);
        assert_eq!(
            (habit.known(121), habit.known(119), habit.known(100), habit.known(123)),
            (None, Some(0), None, None)
        );
        let before = habit.levels;
        habit.take(119, &course(17), 7);
        assert!(habit.known(119).unwrap() < 0);
        assert_eq!((habit.known(122), habit.levels), (Some(late), before));
        habit.take(200, &course(18), 7);
        assert_eq!(habit.known(122), None, "too long ago");
    }
}
