//! Rules 12, 13, 21 and 37: the shape of a day.

use super::Check;
use crate::columns::is_read;
use crate::finding::Rule;
use crate::rules::Over;
use crate::words::{amount, intervals};
use model::ChannelKind;

impl Check<'_> {
    pub(super) fn shape(&mut self) {
        self.spike();
        self.jump();
        self.stuck();
        self.pile_up();
    }

    /// Rule 12: the highest interval against the third highest, strictly more than the percentage.
    ///
    /// **Interpretation:** the share of a third highest of zero is not defined; a value above the floor beside it is reported.
    fn spike(&mut self) {
        let rules = &self.rules.spike;
        let day = self.day;
        let floor =
            self.in_interval_of_hour(rules.floor_w, rules.floor_gas_l_per_h, rules.floor_water_l_per_h);
        if i128::from(self.sweep.most) * 3600 <= floor || rules.over == Over::Payload || !self.tells_a_day() {
            return;
        }
        // Where next to nothing is used all day, any interval above the floor towers: the third counts as zero then.
        let [(first, at), _, (third, _)] = self.highest();
        let third = third.max(0);
        if (i128::from(first) - i128::from(third)) * 100 > i128::from(third) * i128::from(rules.percent) {
            self.note(Rule::Spike, at..at + 1, || {
                format!(
                    "{} at {} is more than {} % above the day's third highest of {}",
                    amount(day.kind, first),
                    day.clock(at),
                    rules.percent,
                    amount(day.kind, third)
                )
            });
        }
    }

    /// Whether enough of the day was read to compare its hours, or no more of it is to come: a roof's first hour of sun
    /// towers above the night.
    fn tells_a_day(&self) -> bool {
        let day = self.day;
        let read = || day.quality.iter().filter(|quality| is_read(**quality)).count();
        self.sweep.all_read() || self.is_overdue(day.len().saturating_sub(1)) || read() * 2 >= day.len()
    }

    /// A rate times the length of an interval, to be compared with an amount times 3600: nothing is rounded.
    fn in_interval_of_hour(&self, watts: i64, gas_l_per_h: i64, water_l_per_h: i64) -> i128 {
        let per_hour = match self.day.kind.commodity() {
            model::Commodity::Electricity => watts,
            model::Commodity::Gas => gas_l_per_h,
            model::Commodity::Water => water_l_per_h,
        };
        i128::from(per_hour) * i128::from(self.day.interval.secs())
    }

    /// The three highest values as read with their positions, the highest first, the earlier before the later.
    fn highest(&self) -> [(i64, usize); 3] {
        let mut top = [(i64::MIN, 0); 3];
        for (index, (value, quality)) in self.day.iter().enumerate() {
            if value <= top[2].0 || !is_read(quality) {
                continue;
            }
            top[2] = (value, index);
            if top[2].0 > top[1].0 {
                top.swap(1, 2);
            }
            if top[1].0 > top[0].0 {
                top.swap(0, 1);
            }
        }
        top
    }

    /// Rule 13: an interval against the one before, over midnight too while the day before is remembered.
    fn jump(&mut self) {
        let rules = &self.rules.jump;
        let floor = self.in_interval(rules.floor_w, rules.floor_gas_l_per_h, rules.floor_water_l_per_h);
        if self.sweep.most <= floor {
            return;
        }
        let day = self.day;
        let before_midnight = self.stats.last_before(self.today);
        let jumps = |index: usize, value: i64| {
            let before = match index.checked_sub(1) {
                None => before_midnight,
                Some(before) => is_read(day.quality[before]).then(|| day.values[before]),
            };
            let before = before.filter(|before| *before > 0)?;
            let risen = (i128::from(value) - i128::from(before)) * 100;
            (risen > i128::from(before) * i128::from(rules.percent)).then_some(before)
        };
        let found: Vec<(usize, i64, i64)> = day
            .iter()
            .enumerate()
            .filter(|(_, (value, quality))| is_read(*quality) && *value > floor)
            .filter_map(|(index, (value, _))| Some((index, value, jumps(index, value)?)))
            .collect();
        // One cause, one finding: what towers above its day need not be said twice.
        let spike = self.findings.iter().find(|finding| finding.rule == Rule::Spike);
        let spike = spike.map(|finding| finding.slots.start);
        for (index, value, before) in found.into_iter().filter(|(index, ..)| Some(*index) != spike) {
            self.note(Rule::Jump, index..index + 1, || {
                format!(
                    "{} at {} is more than {} % above the {} before",
                    amount(day.kind, value),
                    day.clock(index),
                    rules.percent,
                    amount(day.kind, before)
                )
            });
        }
    }

    /// Rule 21: many equal values in a row. An inverter at its limit repeats itself rightly.
    fn stuck(&mut self) {
        let day = self.day;
        let (count, floor) = (self.rules.stuck.count, self.rules.stuck.floor);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if self.sweep.equal_run < count || matches!(day.kind, ChannelKind::Generation | ChannelKind::Export) {
            return;
        }
        let mut from = 0;
        while from < day.len() {
            let value = day.values[from];
            let equal = |(other, quality): &(i64, _)| *other == value && is_read(*quality);
            let length = day.iter().skip(from).take_while(equal).count().max(1);
            if length >= count && value >= floor {
                self.note(Rule::Stuck, from..from + length, || {
                    format!("{length} equal values of {} from {}", amount(day.kind, value), day.clock(from))
                });
            }
            from += length;
        }
    }

    /// Rule 37: an interval that follows a hole, or a row of zeros, and towers above every other. The meter kept
    /// counting and wrote it all into one interval.
    fn pile_up(&mut self) {
        let rules = &self.rules.pile_up;
        let holes = self.sweep.zeros > 0 || self.sweep.any_missing() || self.sweep.any_estimated();
        if !holes || self.sweep.most <= 0 || self.day.kind.is_signed() {
            return;
        }
        let day = self.day;
        let [(first, at), (second, _), _] = self.highest();
        let towers = i128::from(first) * 100 > i128::from(second.max(0)) * i128::from(rules.percent);
        let empty = |index: usize| day.values[index] == 0 || !is_read(day.quality[index]);
        let hole = (0..at).rev().take_while(|index| empty(*index)).count();
        if !towers || hole < usize::try_from(rules.intervals).unwrap_or(usize::MAX) {
            return;
        }
        // What the hole would hold at the day's usual rate must be there, and not much more.
        let Some((mean, _)) = self.stats.mean_before_day(self.today) else { return };
        let expected = i128::from(mean) * i128::try_from(hole + 1).unwrap_or(1);
        let piled = i128::from(first) * i128::try_from(day.len()).unwrap_or(1);
        if piled * 2 < expected || piled > expected * 3 {
            return;
        }
        self.note(Rule::PileUp, at..at + 1, || {
            format!(
                "{} at {} after {} without a value; the next highest of the day is {}",
                amount(day.kind, first),
                day.clock(at),
                intervals(hole),
                amount(day.kind, second)
            )
        });
    }
}
