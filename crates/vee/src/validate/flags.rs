//! Rules 2, 24 and 25: what the meter itself flagged, and outages that began or ended inside an interval.

use super::Check;
use crate::columns::is_read;
use crate::finding::Rule;
use crate::words::intervals;
use model::Quality;

impl Check<'_> {
    pub(super) fn flags(&mut self) {
        self.partial_outages();
        if self.sweep.flags == 0 {
            return;
        }
        let day = self.day;
        let rows = [
            (Quality::PARTIAL, Rule::Status, "the meter cut short"),
            (Quality::CLOCK_DOUBTFUL, Rule::Clock, "the meter's clock was not trusted in"),
        ];
        for (flag, rule, words) in rows {
            let mut hits = day.quality.iter().enumerate().filter(|(_, quality)| quality.has(flag));
            if let Some((first, _)) = hits.next() {
                let (last, count) = hits.fold((first, 1), |(_, count), (index, _)| (index, count + 1));
                self.note(rule, first..last + 1, || {
                    format!("{words} {}, the first at {}", intervals(count), day.clock(first))
                });
            }
        }
    }

    /// Rule 25: power failed for a part of the interval. The value stands; estimates must not lean on it.
    fn partial_outages(&mut self) {
        if self.around.outages.is_empty() && self.sweep.flags & Quality::POWER_FAIL == 0 {
            return;
        }
        let day = self.day;
        let hit = self.runs(|index, _, quality| is_read(quality) && self.is_cut(index, quality));
        for run in hit {
            self.note(Rule::PartialOutage, run.clone(), || {
                format!(
                    "power failed for a part of {} from {} on: what was read stands, estimates do not lean on it",
                    intervals(run.len()),
                    day.clock(run.start)
                )
            });
        }
    }
}
