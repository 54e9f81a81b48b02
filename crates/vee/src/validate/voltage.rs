//! Rule 15 for averages of voltage.

use super::Check;
use crate::columns::is_read;
use crate::finding::Rule;
use crate::words::{amount, intervals};

impl Check<'_> {
    /// Outside the band around nominal, and not for want of power.
    pub(super) fn voltage(&mut self) {
        let Some(nominal) = self.facts.nominal_dv else { return };
        let day = self.day;
        let rules = self.rules;
        let low = nominal.saturating_mul(rules.voltage_low_percent.into()) / 100;
        let high = nominal.saturating_mul(rules.voltage_high_percent.into()) / 100;
        if self.sweep.least >= low && self.sweep.most <= high {
            return;
        }
        let outside = self.runs(|index, value, quality| {
            let odd = is_read(quality) && (value < low || value > high);
            odd && !self.is_dark(index) && !self.is_cut(index, quality)
        });
        for run in outside {
            self.note(Rule::HighLow, run.clone(), || {
                format!(
                    "{} at {}, {} outside {} % to {} % of nominal",
                    amount(day.kind, day.values[run.start]),
                    day.clock(run.start),
                    intervals(run.len()),
                    rules.voltage_low_percent,
                    rules.voltage_high_percent
                )
            });
        }
    }
}
