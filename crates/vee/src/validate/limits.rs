//! Rules 16, 19 and 28: values below zero, beyond what can flow, or from the future.

use super::Check;
use crate::columns::is_read;
use crate::finding::Rule;
use crate::words::amount;
use model::Commodity;

impl Check<'_> {
    pub(super) fn limits(&mut self) {
        self.negative();
        self.capacity();
        self.demand();
    }

    /// Rule 28: a value for an interval that has not ended yet.
    pub(super) fn future(&mut self) {
        let day = self.day;
        let horizon = self.now_s.saturating_add(self.rules.future_tolerance_s.into());
        if day.day.end().as_second() <= horizon {
            return;
        }
        for run in self.runs(|index, _, quality| is_read(quality) && day.end_s(index) > horizon) {
            self.note(Rule::Future, run.clone(), || {
                format!("a value for {}, which has not ended yet", day.clock(run.start))
            });
        }
    }

    /// Rule 19: nothing flows below zero on a channel that counts one way.
    fn negative(&mut self) {
        let day = self.day;
        if day.kind.is_signed() || self.sweep.least >= 0 {
            return;
        }
        for run in self.runs(|_, value, quality| is_read(quality) && value < 0) {
            self.note(Rule::Negative, run.clone(), || {
                format!(
                    "{} at {} is below zero",
                    amount(day.kind, day.values[run.start]),
                    day.clock(run.start)
                )
            });
        }
    }

    /// Rule 16: more than the service is rated for.
    fn capacity(&mut self) {
        let day = self.day;
        let Some(watts) = self.facts.rating_w.filter(|_| day.kind.commodity() == Commodity::Electricity)
        else {
            return;
        };
        let most = self.in_interval(watts, 0, 0);
        if self.sweep.most <= most && (!day.kind.is_signed() || self.sweep.least >= most.saturating_neg()) {
            return;
        }
        for run in self.runs(|_, value, quality| is_read(quality) && value.saturating_abs() > most) {
            self.note(Rule::Capacity, run.clone(), || {
                format!(
                    "{} at {} where the service carries {} at most",
                    amount(day.kind, day.values[run.start]),
                    day.clock(run.start),
                    amount(day.kind, most)
                )
            });
        }
    }

    /// Rule 16 against the twelve calendar months before: a month never judges itself, so that a second look finds
    /// the same.
    fn demand(&mut self) {
        let rules = &self.rules.demand;
        let floor = self.in_interval(rules.floor_w, rules.floor_gas_l_per_h, rules.floor_water_l_per_h);
        if self.sweep.most <= floor {
            return;
        }
        let day = self.day;
        let Some((reference, days)) = self.stats.most_before(day.day.date()) else { return };
        if days < rules.min_days || reference <= 0 {
            return;
        }
        let limit = i128::from(reference) * i128::from(rules.percent);
        let beyond = |value: i64| value > floor && i128::from(value) * 100 > limit;
        if !beyond(self.sweep.most) {
            return;
        }
        for run in self.runs(|_, value, quality| is_read(quality) && beyond(value)) {
            self.note(Rule::Capacity, run.clone(), || {
                format!(
                    "{} at {} is more than {} % of {}, the most of {days} days in twelve months",
                    amount(day.kind, day.values[run.start]),
                    day.clock(run.start),
                    rules.percent,
                    amount(day.kind, reference)
                )
            });
        }
    }
}
