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
const MEMORY: u64 = 16;
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
    let part = if whole >= 3 { value >> (whole - 3) } else { value << (3 - whole) } & 7;
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

/// How two rows of days lean, in steps.
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

impl Habit {
    /// How a day leans against the usual course, in steps; none before that is known.
    pub(super) fn lean(&self, course: &Course) -> Option<i64> {
        if self.days < LEARNED {
            return None;
        }
        let (day, usual) = (&course.0, &self.levels);
        let mut moved = 0;
        for hour in 0..HOURS {
            let (before, after) = (usual[(hour + HOURS - 1) % HOURS], usual[(hour + 1) % HOURS]);
            moved += i64::from(day[hour]) * (i64::from(before) - i64::from(after));
        }
        let norm = i64::try_from((spread(day) * spread(usual)).isqrt()).ok().filter(|norm| *norm > 0)?;
        // The difference of two correlations, rounded to the nearest step.
        let scaled = i64::from(HOURS_A_DAY) * moved * STEPS;
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
        let count = u64::from(self.days).saturating_add(1).min(MEMORY);
        let mut chance = seed;
        for (level, new) in self.levels.iter_mut().zip(course.0) {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let sum = u64::from(*level) * (count - 1) + u64::from(new) + (chance >> 33) % count;
            // Between two levels below 64.
            *level = (sum / count).to_le_bytes()[0];
        }
        self.days = self.days.saturating_add(1);
    }
}

fn kept(lean: Option<i64>) -> u128 {
    lean.and_then(|lean| u128::try_from(lean + 8).ok()).unwrap_or(0)
}

/// Twenty-four times the sum of squares about the mean.
fn spread(levels: &[u8; HOURS]) -> u64 {
    let (mut sum, mut squares) = (0u64, 0u64);
    for level in levels {
        sum += u64::from(*level);
        squares += u64::from(*level) * u64::from(*level);
    }
    u64::from(HOURS_A_DAY) * squares - sum * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(evening: usize) -> Course {
        let mut levels = [8u8; HOURS];
        for (hour, level) in [(0, 30), (1, 40), (2, 24)] {
            levels[(evening + hour) % HOURS] = level;
        }
        Course(levels)
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
