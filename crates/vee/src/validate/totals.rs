//! Rules 15, 17, 18, 20 and 26: the day as a whole.

use super::{Check, covered};
use crate::columns::{day_number, is_read};
use crate::finding::Rule;
use crate::stats::DayStat;
use crate::words::amount;
use jiff::civil::Date;
use model::{ChannelKind, Commodity};

/// What a day's total is odd against: means, and of how many days they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Odd {
    is_high: bool,
    recent: Option<(i64, u32)>,
    last_year: Option<(i64, u32)>,
}

impl Check<'_> {
    pub(super) fn totals(&mut self) {
        self.prolonged();
        self.inactive();
        let Some(total) = self.known_total() else { return };
        let (count, kind) = (self.day.len(), self.day.kind);
        if kind == ChannelKind::Export && !self.facts.generation && total > self.rules.reverse_energy_wh {
            self.note(Rule::ReverseEnergy, 0..count, || {
                format!("{} came back and no generation is on file", amount(kind, total))
            });
        }
        self.zero(total);
        self.high_low(total);
    }

    /// Rule 17: nothing for days where somebody is supplied and the power was on.
    fn zero(&mut self, total: i64) {
        let limit = match self.day.kind {
            ChannelKind::Import => self.rules.zero_days.electricity,
            ChannelKind::Gas => self.rules.zero_days.gas,
            ChannelKind::Water => self.rules.zero_days.water,
            _ => 0,
        };
        let (start, end) = (self.day.day.start(), self.day.day.end());
        let touches = |time: &crate::facts::Outage| time.from < end && start < time.to;
        let explained = self.facts.vacant
            || self.around.outages.iter().any(touches)
            || self.around.off.iter().any(touches);
        if limit == 0 || total != 0 || explained {
            return;
        }
        let row = 1 + self.stats.row_before(self.today, |stat| stat.zero);
        if self.is_due(row, limit) {
            self.note(Rule::Zero, 0..self.day.len(), || {
                if row == 1 { "no use all day".to_owned() } else { format!("no use for {row} days in a row") }
            });
        }
    }

    /// Rule 18: use while disconnected, or where nobody is supplied.
    fn inactive(&mut self) {
        let day = self.day;
        let off = self.around.off;
        if !matches!(day.kind, ChannelKind::Import | ChannelKind::Gas | ChannelKind::Water)
            || (!self.facts.vacant && off.is_empty())
        {
            return;
        }
        let limit = match day.kind.commodity() {
            Commodity::Electricity => self.rules.inactive.wh,
            Commodity::Gas | Commodity::Water => self.rules.inactive.l,
        };
        let vacant = self.facts.vacant;
        let counts = |index: usize| vacant || covered(off, day.start_s(index), day.end_s(index));
        let hits = self.runs(|index, value, quality| is_read(quality) && value > 0 && counts(index));
        let sum = hits
            .iter()
            .flat_map(|run| &day.values[run.clone()])
            .fold(0i64, |sum, value| sum.saturating_add(*value));
        let (Some(first), Some(last)) = (hits.first(), hits.last()) else { return };
        if sum > limit {
            let why = if vacant { "nobody is supplied here" } else { "the service was disconnected" };
            self.note(Rule::Inactive, first.start..last.end, || {
                format!("{} from {} on, though {why}", amount(day.kind, sum), day.clock(first.start))
            });
        }
    }

    /// Rule 15 against the mean of the remembered sound days and that of the same month a year before. A day is odd only
    /// if it is so against each reference that there is: homes change their ways, and days their season. Days that go on
    /// being odd the same way are one case, told of when it begins and once a week.
    fn high_low(&mut self, total: i64) {
        let Some(odd) = self.odd_today() else { return };
        let date = self.day.day.date();
        let before = self.stats.days().iter().rev().filter(|stat| stat.day < self.today);
        let same = |(back, stat): &(i32, &DayStat)| {
            let then = date.checked_sub(jiff::Span::new().days(*back));
            let odd_then = |date| self.odd(stat.day, date, stat.total);
            stat.sound
                && stat.day == self.today - back
                && then.ok().and_then(odd_then).is_some_and(|then| then.is_high == odd.is_high)
        };
        let row = (1..).zip(before).take_while(same).count();
        if !row.is_multiple_of(7) {
            return;
        }
        let (count, kind) = (self.day.len(), self.day.kind);
        let said = |value: i64| amount(kind, value);
        let word = if odd.is_high { "high" } else { "low" };
        let sentence = || match (odd.recent, odd.last_year) {
            (Some((mean, days)), Some((year, _))) => format!(
                "{} is {word} against a mean of {} over {days} days and {} a year before",
                said(total),
                said(mean),
                said(year)
            ),
            (Some((mean, days)), None) => {
                format!("{} is {word} against a mean of {} over {days} days", said(total), said(mean))
            }
            (None, year) => {
                let (mean, days) = year.unwrap_or_default();
                format!(
                    "{} is {word} against a mean of {} over {days} days a year before",
                    said(total),
                    said(mean)
                )
            }
        };
        self.note(Rule::HighLow, 0..count, sentence);
    }

    /// Against what this day's total is high or low.
    pub(super) fn odd_today(&self) -> Option<Odd> {
        // What a roof returns follows the sun, not habit.
        let follows_habit =
            matches!(self.day.kind, ChannelKind::Import | ChannelKind::Gas | ChannelKind::Water);
        let total = self.known_total().filter(|_| follows_habit)?;
        self.odd(self.today, self.day.day.date(), total)
    }

    /// Against what a day's total is high or low; none where it is ordinary, or nothing is known to compare it with.
    fn odd(&self, day: i32, date: Date, total: i64) -> Option<Odd> {
        let rules = &self.rules.high_low;
        let ordinary = match self.day.kind.commodity() {
            Commodity::Electricity => rules.min_difference_wh,
            Commodity::Gas | Commodity::Water => rules.min_difference_l,
        };
        let is_odd = |mean: i64| {
            let scaled = i128::from(total) * 100;
            let low = scaled < i128::from(mean) * i128::from(rules.low_percent);
            let high = scaled > i128::from(mean) * i128::from(rules.high_percent);
            (low || high) && total.abs_diff(mean) > ordinary.unsigned_abs()
        };
        let enough = |(mean, days): (i64, u32)| (days >= rules.min_days).then_some((mean, days));
        let recent = self.stats.mean_before_day(day);
        let recent = recent.and_then(|(mean, days)| enough((mean, u32::try_from(days).unwrap_or(u32::MAX))));
        let last_year = self.stats.mean_last_year(date).and_then(enough);
        let (mean, _) = recent.or(last_year)?;
        let all = [recent, last_year].into_iter().flatten().all(|(mean, _)| is_odd(mean));
        if !all || self.mean_of_like_weather(day).is_some_and(|mean| !is_odd(mean)) {
            return None;
        }
        Some(Odd { is_high: total > mean, recent, last_year })
    }

    /// The mean of the remembered sound days that were about as warm as a day, where there are three of them: heating and
    /// cooling follow the weather, and a cold day is odd only among cold days.
    fn mean_of_like_weather(&self, today: i32) -> Option<i64> {
        let all = self.around.temperatures;
        let of = |day: i32| all.iter().find(|known| day_number(known.date) == day).map(|known| known.mean_dc);
        let here = of(today)?;
        let apart = self.rules.estimation.proxy_difference_dc;
        let like = self.stats.days().iter().filter(|stat| {
            stat.sound && stat.day < today && of(stat.day).is_some_and(|there| there.abs_diff(here) <= apart)
        });
        let (sum, count) =
            like.fold((0i128, 0i128), |(sum, count), stat| (sum + i128::from(stat.total), count + 1));
        if count < 3 { None } else { i64::try_from(sum / count).ok() }
    }

    /// Rule 26: days of estimates in a row, this one included.
    fn prolonged(&mut self) {
        let limit = self.rules.prolonged_estimation_d;
        if limit == 0 || !self.sweep.any_estimated() {
            return;
        }
        let row = 1 + self.stats.row_before(self.today, |stat| stat.estimated);
        if self.is_due(row, limit) {
            self.note(Rule::ProlongedEstimation, 0..self.day.len(), || {
                format!("estimated for {row} days in a row: somebody should visit the meter")
            });
        }
    }
}
