//! What validation remembers of a channel's earlier days, so that no history is read again.

mod bytes;
mod column;
mod few;
mod habit;

use crate::columns::{ChannelDay, Sweep, day_number, is_read};
use crate::day::Day;
use few::Few;
use habit::Habit;
use jiff::civil::Date;

pub use bytes::StatsError;
pub(crate) use habit::{Course, Leans, Row};

/// How many days are remembered.
const DAYS: usize = 28;
/// How many months: the present one and the same one last year, with all between.
const MONTHS: usize = 13;
/// Of how many days the last value is remembered: enough for the day after a day that is judged again late.
const TAILS: usize = 4;

/// One remembered day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayStat {
    /// Days since 1970-01-01 of the local date.
    pub day: i32,
    /// The day's total in the stored unit, estimates included.
    pub total: i64,
    /// Every interval was read, full length and trusted: the day may serve as a reference.
    pub sound: bool,
    /// At least one interval was estimated.
    pub estimated: bool,
    /// Every interval has a value and all are zero.
    pub zero: bool,
    /// Four bits of a digest of the values in their order: two different days of the same total rarely share them.
    pub print: u8,
}

impl DayStat {
    /// Whether both are of the same values, as far as can be told.
    const fn is_like(&self, other: &Self) -> bool {
        self.day == other.day && self.total == other.total && self.print == other.print
    }
}

/// One remembered month: its sound days only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MonthStat {
    /// Months since year 0: twelve times the year, plus the month less one.
    pub month: i32,
    /// The days that count, the first in the lowest bit.
    pub days: u32,
    /// Their total in the stored unit.
    pub total: i64,
    /// Their largest value in one interval.
    pub most: i64,
}

/// The last value of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tail {
    day: i32,
    value: i64,
}

/// What is taken in of one day; see [`Stats::absorb_summary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    stat: DayStat,
    date: Date,
    most: i64,
    last: Option<i64>,
    course: Option<Course>,
}

impl Summary {
    /// The day as it is remembered.
    pub(crate) const fn stat(&self) -> &DayStat {
        &self.stat
    }

    /// The summary of a day after it was judged and, where needed, estimated.
    pub fn of(day: &ChannelDay<'_>) -> Self {
        let sweep = Sweep::of(day);
        Self::from_sweep(day, &sweep, Course::of(day, &sweep))
    }

    pub(crate) fn from_sweep(day: &ChannelDay<'_>, sweep: &Sweep, course: Option<Course>) -> Self {
        let zero = sweep.total == 0
            && !sweep.any_missing()
            && !day.is_empty()
            && (sweep.zeros == day.len() || day.values.iter().all(|value| *value == 0));
        let stat = DayStat {
            day: day_number(day.day.date()),
            total: sweep.total,
            sound: sweep.is_sound(),
            estimated: sweep.any_estimated(),
            zero,
            print: sweep.print >> 4,
        };
        let last = day.iter().next_back().and_then(|(value, quality)| is_read(quality).then_some(value));
        let course = course.filter(|_| stat.sound);
        Self { stat, date: day.day.date(), most: sweep.most, last, course }
    }
}

/// Rolling statistics of one channel: its last 28 days, 13 months of totals and largest values, the last value
/// of the newest days, and the usual course of a day.
///
/// Taking in the same day again replaces it, so days may be judged again in any order. A day older than all 28
/// remembered ones still enters its month, once: a later correction of it is not seen. The usual course takes a day in
/// once, when it is newer than all before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    days: Few<DayStat, DAYS>,
    months: Few<MonthStat, MONTHS>,
    tails: Few<Tail, TAILS>,
    habit: Habit,
}

impl Stats {
    /// The remembered days, oldest first.
    pub fn days(&self) -> &[DayStat] {
        &self.days
    }

    /// The remembered months, oldest first.
    pub fn months(&self) -> &[MonthStat] {
        &self.months
    }

    /// Takes in a day after it was judged and, where needed, estimated.
    pub fn absorb(&mut self, day: &Day) {
        let columns = day.columns();
        self.absorb_summary(&Summary::of(&columns.of(day)));
    }

    /// As [`Stats::absorb`], of a day that lies in columns.
    pub fn absorb_summary(&mut self, summary: &Summary) {
        let stat = summary.stat;
        let old = self.days.put(stat, |known| known.day);
        self.absorb_month(summary, old);
        if let Some(course) = &summary.course
            && (self.habit.is_older(stat.day) || old.is_none_or(|old| !old.is_like(&stat)))
        {
            self.habit.take(stat.day, course, stat.total.unsigned_abs());
        }
        if let Some(value) = summary.last {
            self.tails.put(Tail { day: stat.day, value }, |tail| tail.day);
        } else {
            self.tails.remove(stat.day, |tail| tail.day);
        }
    }

    /// Keeps the month's total in step with its days.
    fn absorb_month(&mut self, summary: &Summary, old: Option<DayStat>) {
        let stat = summary.stat;
        let month = month_number(summary.date);
        let bit = 1u32 << (summary.date.day().unsigned_abs() - 1);
        let mut kept =
            self.months.get(month, |kept| kept.month).unwrap_or(MonthStat { month, ..MonthStat::default() });
        let counted = kept.days & bit != 0;
        if counted {
            // Only what the day was counted with can be taken out again.
            let Some(old) = old.filter(|old| old.sound) else { return };
            kept.total = kept.total.saturating_sub(old.total);
            kept.days &= !bit;
        }
        if stat.sound {
            kept.total = kept.total.saturating_add(stat.total);
            kept.days |= bit;
            kept.most = kept.most.max(summary.most);
        }
        if counted || stat.sound {
            self.months.put(kept, |kept| kept.month);
        }
    }

    /// Mean daily total of the sound days before `date`, and how many they are.
    pub fn mean_before(&self, date: Date) -> Option<(i64, usize)> {
        self.mean_before_day(day_number(date))
    }

    pub(crate) fn mean_before_day(&self, today: i32) -> Option<(i64, usize)> {
        // The halves of the totals add up without running over; together they are exact.
        let (mut high, mut low, mut count) = (0i64, 0u64, 0u32);
        for stat in self.days.iter() {
            let counts = stat.day < today && stat.sound;
            high += if counts { stat.total >> 32 } else { 0 };
            low += if counts { stat.total.cast_unsigned() & 0xFFFF_FFFF } else { 0 };
            count += u32::from(counts);
        }
        let sum = (i128::from(high) << 32) + i128::from(low);
        let mean = match i64::try_from(sum) {
            Ok(sum) => sum.checked_div(count.into())?,
            Err(_) => i64::try_from(sum.checked_div(count.into())?).ok()?,
        };
        Some((mean, count as usize))
    }

    /// Mean daily total of the sound days of the same month a year before, and how many they are.
    pub fn mean_last_year(&self, date: Date) -> Option<(i64, u32)> {
        let month = self.months.get(month_number(date) - 12, |kept| kept.month)?;
        let days = month.days.count_ones();
        Some((month.total.checked_div(days.into())?, days))
    }

    /// The largest value of an interval in the twelve calendar months before that of `date`, and of how many sound days.
    pub fn most_before(&self, date: Date) -> Option<(i64, u32)> {
        let present = month_number(date);
        let before = self.months.iter().filter(|kept| kept.month < present && kept.month >= present - 12);
        let (most, days) = before
            .fold((i64::MIN, 0), |(most, days), kept| (most.max(kept.most), days + kept.days.count_ones()));
        (days > 0).then_some((most, days))
    }

    /// The last value as read of the day before.
    pub(crate) fn last_before(&self, today: i32) -> Option<i64> {
        self.tails.get(today - 1, |tail| tail.day).map(|tail| tail.value)
    }

    /// How a day leans against the usual course of this channel's days: as it was remembered, if these are the values that
    /// were, else as it shows. None where no course is known.
    pub(crate) fn lean(&self, stat: &DayStat, course: &Course) -> Option<i64> {
        let same = self.days.get(stat.day, |known| known.day).is_some_and(|known| known.is_like(stat));
        let known = if same { self.habit.known(stat.day) } else { None };
        known.or_else(|| self.habit.lean(course))
    }

    /// The remembered leans.
    pub(crate) fn leans(&self) -> Leans {
        self.habit.leans()
    }

    /// How many days in a row just before `date` satisfy `test`; a day without statistics ends the row.
    pub(crate) fn row_before(&self, today: i32, test: impl Fn(&DayStat) -> bool) -> u32 {
        let mut before = today;
        let mut count = 0;
        for stat in self.days.iter().rev().filter(|stat| stat.day < today) {
            before -= 1;
            if stat.day != before || !test(stat) {
                break;
            }
            count += 1;
        }
        count
    }
}

/// Months since year 0.
fn month_number(date: Date) -> i32 {
    i32::from(date.year()) * 12 + i32::from(date.month()) - 1
}

#[cfg(test)]
mod tests;
