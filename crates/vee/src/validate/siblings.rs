//! Rules 14, 27, 31 and 32: one channel against the others of the same day.

use super::Check;
use crate::columns::is_read;
use crate::fast::Sibling;
use crate::finding::Rule;
use crate::words::{amount, intervals};
use core::ops::Range;
use model::{ChannelKind, Quality};

const fn is_energy(kind: ChannelKind) -> bool {
    matches!(kind, ChannelKind::Import | ChannelKind::Export | ChannelKind::Net | ChannelKind::Generation)
}

impl Check<'_> {
    pub(super) fn siblings(&mut self) {
        let around = self.around;
        if let Some(check) = &around.check {
            self.main_check(check);
        }
        if around.siblings.is_empty() {
            return;
        }
        self.missing_beside();
        for sibling in around.siblings {
            let same_length =
                sibling.values.len() == self.day.len() && sibling.quality.len() == self.day.len();
            if !same_length {
                continue;
            }
            match (self.day.kind, sibling.kind) {
                (ChannelKind::Import, ChannelKind::ReactiveImport) => self.reactive(sibling),
                (kind, ChannelKind::Voltage) if is_energy(kind) => {
                    let (values, quality) = (self.day.values, self.day.quality);
                    self.voltage_energy((values, quality), (sibling.values, sibling.quality));
                }
                (ChannelKind::Voltage, kind) if is_energy(kind) => {
                    let (values, quality) = (self.day.values, self.day.quality);
                    self.voltage_energy((sibling.values, sibling.quality), (values, quality));
                }
                _ => {}
            }
        }
    }

    /// Rule 27: the device was read for an interval, but not this channel of it.
    fn missing_beside(&mut self) {
        if !self.sweep.any_missing() && !self.sweep.any_estimated() {
            return;
        }
        let day = self.day;
        let siblings = self.around.siblings;
        let beside = |index: usize| {
            siblings.iter().find(|other| other.quality.get(index).is_some_and(|q| is_read(*q)))
        };
        let holes = self.runs(|index, _, quality| {
            (quality.is_missing() || quality.is_estimated())
                && self.is_overdue(index)
                && beside(index).is_some()
        });
        for run in holes {
            self.note(Rule::Sibling, run.clone(), || {
                format!(
                    "{} was read from {} to {}, {} was not",
                    beside(run.start).map_or("another channel", |other| other.kind.name()),
                    day.clock(run.start),
                    day.clock(run.end),
                    day.kind.name()
                )
            });
        }
    }

    /// Rule 14: reactive energy is missing beside active energy, or the power factor was implausible for hours.
    fn reactive(&mut self, reactive: &Sibling<'_>) {
        let day = self.day;
        let holes = self.runs(|index, _, quality| {
            is_read(quality) && reactive.quality[index].is_missing() && self.is_overdue(index)
        });
        for run in holes {
            self.note(Rule::Reactive, run.clone(), || {
                format!(
                    "active energy was read from {} to {} and reactive energy was not",
                    day.clock(run.start),
                    day.clock(run.end)
                )
            });
        }
        let rules = &self.rules.power_factor;
        let floor = self.in_interval(rules.floor_var, 0, 0);
        let poor = |index: usize, value: i64, quality: Quality| {
            let (active, var) = (i128::from(value), i128::from(reactive.values[index]));
            let (active, var) = (active.saturating_mul(active), var.saturating_mul(var));
            let apparent = active.saturating_add(var);
            let least = i128::from(rules.min_percent);
            is_read(quality)
                && is_read(reactive.quality[index])
                && reactive.values[index] > floor
                && active.saturating_mul(10_000) < apparent.saturating_mul(least * least)
        };
        let secs = i64::from(day.interval.secs());
        for run in self.runs(poor) {
            if i64::try_from(run.len()).unwrap_or(0) * secs <= i64::from(rules.hours) * 3600 {
                continue;
            }
            self.note(Rule::Reactive, run.clone(), || {
                format!(
                    "the power factor was below {} % from {} to {}: {} and {} at first",
                    rules.min_percent,
                    day.clock(run.start),
                    day.clock(run.end),
                    amount(day.kind, day.values[run.start]),
                    amount(reactive.kind, reactive.values[run.start])
                )
            });
        }
    }

    /// Rule 31: the day's total of the main meter against that of the check meter.
    fn main_check(&mut self, check: &Sibling<'_>) {
        let day = self.day;
        let known = |quality: &[Quality]| quality.iter().all(|quality| is_read(*quality));
        if day.is_empty()
            || check.kind != day.kind
            || check.values.len() != day.len()
            || !self.sweep.all_read()
            || !known(check.quality)
        {
            return;
        }
        let sum = |values: &[i64]| values.iter().fold(0i64, |sum, value| sum.saturating_add(*value));
        let (main, check) = (sum(day.values), sum(check.values));
        let apart = i128::from(main.abs_diff(check)) * 1000;
        let tolerated = i128::from(main.unsigned_abs()) * i128::from(self.rules.main_check_permille);
        let steps = 2 * i128::from(self.facts.resolution) * 1000;
        if apart <= tolerated.max(steps) {
            return;
        }
        let permille = self.rules.main_check_permille;
        self.note(Rule::MainCheck, 0..day.len(), || {
            format!(
                "the main meter has {} and the check meter {}, more than {}.{} % apart",
                amount(day.kind, main),
                amount(day.kind, check),
                permille / 10,
                permille % 10
            )
        });
    }

    /// Rule 32: energy flowed while the voltage was nearly gone, or was not measured though the rest of the day was.
    fn voltage_energy(&mut self, energy: (&[i64], &[Quality]), voltage: (&[i64], &[Quality])) {
        let day = self.day;
        let nominal = self.facts.nominal_dv;
        let dead = nominal.map_or(0, |dv| dv.saturating_mul(self.rules.dead_voltage_percent.into()) / 100);
        let measured = voltage.1.iter().any(|quality| is_read(*quality));
        let odd = |index: usize| {
            let whole = |quality: Quality| is_read(quality) && !self.is_cut(index, quality);
            let flowed = whole(energy.1[index]) && energy.0[index] != 0;
            let gone = whole(voltage.1[index]) && voltage.0[index] < dead;
            let unknown = measured && voltage.1[index].is_missing() && self.is_overdue(index);
            flowed && (gone || unknown)
        };
        let hits: Vec<Range<usize>> = super::runs_of((0..day.len()).map(odd));
        for run in hits {
            let volts = voltage.0[run.start];
            let seen = if voltage.1[run.start].is_missing() {
                "no voltage".to_owned()
            } else {
                amount(ChannelKind::Voltage, volts).to_string()
            };
            self.note(Rule::VoltageEnergy, run.clone(), || {
                format!(
                    "{} flowed at {} with {seen}, {} in all",
                    amount(ChannelKind::Import, energy.0[run.start]),
                    day.clock(run.start),
                    intervals(run.len())
                )
            });
        }
    }
}
