//! Rules 5 and 29: is everything there?

use super::{Check, covered};
use crate::finding::Rule;
use crate::words::intervals;

impl Check<'_> {
    /// Rule 29: the local day of 23, 24 or 25 hours holds its intervals.
    pub(super) fn completeness(&mut self) {
        let (day, have) = (self.day, self.day.len());
        let need = day.day.intervals(day.interval);
        if have != need {
            self.note(Rule::DstCompleteness, 0..have, || {
                format!("{} needs {need} intervals and has {have}", day.day.date())
            });
        }
    }

    /// Rule 5: overdue intervals that nobody has read, estimated or not, while there was supply.
    pub(super) fn gaps(&mut self) {
        if !self.sweep.any_missing() && !self.sweep.any_estimated() {
            return;
        }
        let day = self.day;
        let holes = self.runs(|index, _, quality| {
            (quality.is_missing() || quality.is_estimated())
                && self.is_overdue(index)
                && !self.is_dark(index)
                && !covered(self.around.off, day.start_s(index), day.end_s(index))
        });
        for run in holes {
            self.note(Rule::Gap, run.clone(), || {
                format!(
                    "no reading from {} to {} ({})",
                    day.clock(run.start),
                    day.clock(run.end),
                    intervals(run.len())
                )
            });
        }
    }
}
