//! Rule 36: a day that was there before.

use super::Check;
use crate::finding::Rule;
use crate::words::amount;

impl Check<'_> {
    /// The same total to the last unit and the same digest of the values in their order as an earlier day: somebody sent
    /// that day again under another date. Days of zeros, and days of one value, repeat themselves rightly.
    pub(super) fn repeats(&mut self) {
        let (today, sweep) = (self.today, self.sweep);
        if sweep.total == 0 || sweep.equal_run >= self.day.len() || !sweep.all_known() {
            return;
        }
        let mut earlier = self.stats.days().iter().rev().filter(|stat| stat.day < today);
        let same = |stat: &&crate::stats::DayStat| {
            stat.total == sweep.total && stat.print == sweep.print >> 4 && !stat.estimated
        };
        let Some(back) = earlier.find(same).map(|stat| today - stat.day) else { return };
        let day = self.day;
        self.note(Rule::RepeatedDay, 0..day.len(), || {
            format!(
                "the values repeat those of {back} days before: {} in the same order",
                amount(day.kind, sweep.total)
            )
        });
    }
}
