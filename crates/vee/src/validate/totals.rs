//! Rules 15, 17, 18, 20 and 26: the day as a whole.

use super::{Check, covered};
use crate::columns::{day_number, is_read};
use crate::finding::Rule;
use crate::words::amount;
use model::{ChannelKind, Commodity};

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
        if row >= limit {
            self.note(Rule::Zero, 0..self.day.len(), || format!("no use for {row} days in a row"));
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
    /// if it is so against each reference that there is: homes change their ways, and days their season.
    fn high_low(&mut self, total: i64) {
        let rules = &self.rules.high_low;
        // What a roof returns follows the sun, not habit.
        if !matches!(self.day.kind, ChannelKind::Import | ChannelKind::Gas | ChannelKind::Water) {
            return;
        }
        let ordinary = match self.day.kind.commodity() {
            Commodity::Electricity => rules.min_difference_wh,
            Commodity::Gas | Commodity::Water => rules.min_difference_l,
        };
        let odd = |mean: i64| {
            let scaled = i128::from(total) * 100;
            let low = scaled < i128::from(mean) * i128::from(rules.low_percent);
            let high = scaled > i128::from(mean) * i128::from(rules.high_percent);
            (low || high) && total.abs_diff(mean) > ordinary.unsigned_abs()
        };
        let enough = |days: u32| days >= rules.min_days;
        let recent = self.stats.mean_before_day(self.today);
        let recent = recent.filter(|(_, days)| enough(u32::try_from(*days).unwrap_or(u32::MAX)));
        let last_year = self.stats.mean_last_year(self.day.day.date()).filter(|(_, days)| enough(*days));
        let Some(mean) = recent.or(last_year.map(|(mean, _)| (mean, 0))).map(|(mean, _)| mean) else {
            return;
        };
        if !recent.is_none_or(|(mean, _)| odd(mean)) || !last_year.is_none_or(|(mean, _)| odd(mean)) {
            return;
        }
        if self.mean_of_like_weather().is_some_and(|mean| !odd(mean)) {
            return;
        }
        let (count, kind) = (self.day.len(), self.day.kind);
        let said = |value: i64| amount(kind, value);
        let word = if total > mean { "high" } else { "low" };
        let sentence = || match (recent, last_year) {
            (Some((_, days)), Some((year, _))) => format!(
                "{} is {word} against a mean of {} over {days} days and {} a year before",
                said(total),
                said(mean),
                said(year)
            ),
            (None, Some((year, days))) => {
                format!(
                    "{} is {word} against a mean of {} over {days} days a year before",
                    said(total),
                    said(year)
                )
            }
            _ => format!(
                "{} is {word} against a mean of {} over {} days",
                said(total),
                said(mean),
                recent.map_or(0, |(_, days)| days)
            ),
        };
        self.note(Rule::HighLow, 0..count, sentence);
    }

    /// The mean of the remembered sound days that were about as warm as this one, where there are three of them: heating and
    /// cooling follow the weather, and a cold day is odd only among cold days.
    fn mean_of_like_weather(&self) -> Option<i64> {
        let all = self.around.temperatures;
        let of = |day: i32| all.iter().find(|known| day_number(known.date) == day).map(|known| known.mean_dc);
        let here = of(self.today)?;
        let apart = self.rules.estimation.proxy_difference_dc;
        let like = self.stats.days().iter().filter(|stat| {
            stat.sound
                && stat.day < self.today
                && of(stat.day).is_some_and(|there| there.abs_diff(here) <= apart)
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
        if row >= limit {
            self.note(Rule::ProlongedEstimation, 0..self.day.len(), || {
                format!("estimated for {row} days in a row: somebody should visit the meter")
            });
        }
    }
}
