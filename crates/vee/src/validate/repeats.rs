//! Rule 36: a day that was there before.

use super::Check;
use crate::finding::Rule;
use crate::stats::DayStat;
use crate::words::amount;

/// So many remembered days that repeat an earlier one are the way of the channel: a pump or a lamp that runs by the clock.
const BY_HABIT: usize = 3;

impl Check<'_> {
    /// The same total to the last unit and the same digest of the values in their order as an earlier day: somebody sent
    /// that day again under another date. Days of zeros, and days of one value, repeat themselves rightly.
    ///
    /// Days that go on repeating are one case, said on the first of them:
    ///
    /// ```text
    /// days     A B C D E F G | A B C D E F G | A B C
    /// said                     ^
    /// ```
    pub(super) fn repeats(&mut self) {
        let (today, sweep) = (self.today, self.sweep);
        if sweep.total == 0 || sweep.equal_run >= self.day.len() || !sweep.all_known() {
            return;
        }
        let print = sweep.print >> 4;
        let Some(back) = self.repeated(today, sweep.total, print).map(|earlier| today - earlier) else {
            return;
        };
        let days = self.stats.days();
        let again = |stat: &&DayStat| {
            stat.day < today && stat.total != 0 && self.repeated(stat.day, stat.total, stat.print).is_some()
        };
        let before = days.iter().filter(again).map(|stat| stat.day);
        let (count, newest) = before.fold((0, None), |(count, _), day| (count + 1, Some(day)));
        if count >= BY_HABIT || newest == Some(today - 1) {
            return;
        }
        let day = self.day;
        self.note(Rule::RepeatedDay, 0..day.len(), || {
            format!(
                "the values repeat those of {back} days before: {} in the same order",
                amount(day.kind, sweep.total)
            )
        });
    }

    /// The newest remembered day before `day` that has the same total and digest.
    fn repeated(&self, day: i32, total: i64, print: u8) -> Option<i32> {
        let mut earlier = self.stats.days().iter().rev().filter(|stat| stat.day < day);
        earlier
            .find(|stat| stat.total == total && stat.print == print && !stat.estimated)
            .map(|stat| stat.day)
    }
}
