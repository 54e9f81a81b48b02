//! Rule 38: days that are stamped an hour early or late.
//!
//! Two witnesses. Registers inside the day tell it at once: intervals that do not add up to them as they are, and do when they
//! are moved by an hour. Without registers only habit can tell, and a habit says little of a single day: so a week of days is
//! held against the three weeks before it. The commonest cause, a meter that did not follow a change of the clocks, is expected
//! at one place and in one direction, and less is asked for there.

use super::Check;
use crate::facts::register_advance;
use crate::finding::Rule;
use crate::stats::{Leans, Row};
use jiff::Timestamp;

/// Days that must lean, this one included.
const WEEK: i32 = 7;
/// Of which so many must be known.
const LEAST_OF_WEEK: i64 = 5;
/// Days that are looked back in all.
const BACK: i32 = 28;
/// Days that the week is held against.
const LEAST_BEFORE: i64 = 10;
/// A change of the clocks says something for so many days.
const AFTER_CHANGE: i32 = 10;
const LEAST_AFTER_CHANGE: i64 = 4;
/// The size of a lean's step in hundredths of a correlation.
const STEP_PERCENT: i64 = 20;

/// A row of days that leans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leaning {
    /// Whether the days run late.
    late: bool,
    days: i64,
}

impl Check<'_> {
    /// Against the habit of the channel. Said once, on the day on which it becomes plain; a day later it is known.
    pub(super) fn clock_shift(&mut self) {
        if self.rules.clock_shift.deviations_tenths == 0 {
            return;
        }
        let Some(course) = &self.course else { return };
        let stat = self.stat();
        let Some(lean) = self.stats.lean(&stat, course) else { return };
        let leans = self.stats.leans();
        let Some(found) = self.leaning(&leans, self.today, Some(lean)) else { return };
        let before = self.today - 1;
        if self.leaning(&leans, before, None).is_some_and(|known| known.late == found.late) {
            return;
        }
        self.note(Rule::ClockShift, 0..self.day.len(), || {
            format!(
                "in the last {} days the values come about an hour {} than in the weeks before",
                found.days,
                if found.late { "later" } else { "earlier" }
            )
        });
    }

    /// Whether the days up to `last` lean; `lean` is that of `last`, else the remembered one counts.
    fn leaning(&self, leans: &Leans, last: i32, lean: Option<i64>) -> Option<Leaning> {
        let lean = lean.or_else(|| leans.row(last, last + 1).only())?;
        let row = |from: i32| {
            let mut row = leans.row(from, last);
            row.add(lean);
            row
        };
        let rules = &self.rules.clock_shift;
        let first = last - WEEK + 1;
        let (week, before) = (row(first), leans.row(last - BACK + 1, first));
        if week.days >= LEAST_OF_WEEK && self.apart(&week, &before, lean, rules.deviations_tenths) {
            return Some(Leaning { late: rises(&week, &before), days: week.days });
        }
        // A calendar is asked only where something leans at all.
        if !(LEAST_AFTER_CHANGE..=AFTER_CHANGE.into()).any(|days| {
            let first = last - i32::try_from(days).unwrap_or(WEEK) + 1;
            let before = leans.row(last - BACK + 1, first);
            self.apart(&row(first), &before, lean, rules.after_change_tenths)
        }) {
            return None;
        }
        let (since, later) = self.clock_change(last)?;
        let (week, before) = (row(since), leans.row(last - BACK + 1, since));
        let fits = week.days >= LEAST_AFTER_CHANGE
            && self.apart(&week, &before, lean, rules.after_change_tenths)
            && rises(&week, &before) == later;
        fits.then_some(Leaning { late: later, days: week.days })
    }

    /// Whether the mean of one row is so many tenths of a deviation away from that of the other, by a step's worth at least,
    /// and the last day with it. Sums of at most 28 small numbers: everything fits.
    fn apart(&self, week: &Row, before: &Row, lean: i64, tenths: u32) -> bool {
        let (n, m) = (week.days, before.days);
        if m < LEAST_BEFORE || n == 0 {
            return false;
        }
        let (sum, usual) = (week.sum, before.sum);
        let apart = sum * m - usual * n;
        let enough = apart.abs() * STEP_PERCENT >= i64::from(self.rules.clock_shift.lean_percent) * n * m;
        if !enough || (apart > 0) != (lean * m > usual) {
            return false;
        }
        // The variance of single days, times m squared; a quarter of a step is lost by rounding.
        let spread = m * before.squares - usual * usual + m * m / 4;
        let limit = i128::from(tenths).pow(2) * i128::from(spread * n * (n + m));
        i128::from(apart * apart * m * 100) > limit
    }

    /// The day of the last change of the clocks, if it is at most ten days before `last`, and whether the values of a meter
    /// that did not follow come later from then on.
    ///
    /// ```text
    /// spring: the wall says 08:00, the meter still says 07:00      its values come an hour earlier than usual
    /// autumn: the wall says 07:00, the meter still says 08:00      later
    /// ```
    fn clock_change(&self, last: i32) -> Option<(i32, bool)> {
        let zone = self.day.day.zone();
        let at = self.day.day.start().as_second() + i64::from(last - self.today) * 86_400;
        let change = zone.preceding(Timestamp::from_second(at + 86_400).ok()?).next()?;
        let before = Timestamp::from_second(change.timestamp().as_second() - 1).ok()?;
        let moved = change.offset().seconds() - zone.to_offset(before).seconds();
        let day = crate::columns::day_number(change.timestamp().to_zoned(zone.clone()).date());
        (moved.abs() == 3600 && last - day < AFTER_CHANGE).then_some((day, moved < 0))
    }

    /// Against the registers, where two spans between reads or more disagree with the intervals as they are: every span that
    /// can be looked at agrees when the intervals are moved by one and the same hour.
    pub(super) fn moved_by_an_hour(&mut self) {
        let (start, end) = (self.day.day.start(), self.day.day.end());
        if self.day.interval.secs() > 3600 {
            return;
        }
        let inside = self.around.registers.iter().filter(|read| read.at >= start && read.at <= end);
        let reads: Vec<_> = inside.collect();
        for hours in [1i64, -1] {
            let moved = |at: Timestamp| Timestamp::from_second(at.as_second() + hours * 3600).ok();
            let (mut agree, mut mended, mut all) = (0, 0, true);
            for pair in reads.windows(2) {
                let (from, to) = (pair[0], pair[1]);
                let advance = register_advance(from.value, to.value, self.facts.modulus).consumption();
                let (Some(delta), Some(first), Some(last)) = (advance, moved(from.at), moved(to.at)) else {
                    continue;
                };
                if first < start || last > end || self.exchanged(from.at, to.at) {
                    continue;
                }
                let fits = self.agrees(&self.span(first, last), delta.into());
                agree += usize::from(fits);
                mended += usize::from(fits && !self.agrees(&self.span(from.at, to.at), delta.into()));
                all &= fits;
            }
            if all && agree >= 3 && mended >= 2 {
                let word = if hours > 0 { "late" } else { "early" };
                return self.note(Rule::ClockShift, 0..self.day.len(), || {
                    format!("the intervals agree with {agree} register differences only if they are an hour {word}")
                });
            }
        }
    }
}

/// Whether the mean of the first row is above that of the second.
fn rises(week: &Row, before: &Row) -> bool {
    week.sum * before.days > before.sum * week.days
}
