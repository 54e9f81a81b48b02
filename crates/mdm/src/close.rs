//! Closing days: what is still missing when the grace is over is estimated.

use crate::day::Workshop;
use crate::{IngestReport, Mdm, MdmError};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

/// What closing a day came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CloseReport {
    /// Channels looked at.
    pub channels: usize,
    /// Intervals that stand as estimated or derived now.
    pub estimated: usize,
    /// Intervals of which nothing is known, not even enough to estimate.
    pub missing: usize,
    /// Findings written.
    pub findings: usize,
}

/// A store that was never closed is closed from here on: readings of a clock gone wrong may be older than any meter.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(400 * 24);

impl Mdm {
    /// The days whose grace is over at `now` and that are not closed yet, the earliest first.
    ///
    /// # Errors
    /// What the store says.
    pub fn due_days(&self, now: Timestamp) -> Result<Vec<Date>, MdmError> {
        let (range, last) = self.store.read(|r| Ok::<_, MdmError>((r.day_range()?, r.last_closed_day()?)))?;
        let Some((first, _)) = range else { return Ok(Vec::new()) };
        let oldest = self.day_of(now.saturating_sub(LOOK_BACK).unwrap_or(now))?;
        let mut day =
            self.local_day(last.and_then(|last| last.tomorrow().ok()).unwrap_or(first.max(oldest.date())))?;
        let mut due = Vec::new();
        while self.is_over(&day, now) {
            due.push(day.date());
            day = day.next()?;
        }
        Ok(due)
    }

    /// Closes every day that is due, the earliest first, one transaction each.
    ///
    /// # Errors
    /// What the store says; days closed before stay closed.
    pub fn close_due(&self, now: Timestamp) -> Result<Vec<(Date, CloseReport)>, MdmError> {
        self.due_days(now)?.into_iter().map(|day| Ok((day, self.close_day(now, day)?))).collect()
    }

    /// Judges a day once more, fills its gaps and seals every channel's version of it. Late values still supersede
    /// the estimates, each time in a new version. Nothing happens while the grace is not over.
    ///
    /// # Errors
    /// What the store says; then nothing was changed.
    pub fn close_day(&self, now: Timestamp, date: Date) -> Result<CloseReport, MdmError> {
        self.reload()?;
        self.store.write(|w| self.close_day_in(w, now, date))
    }

    /// As [`Mdm::close_day`], inside a transaction of the caller's; [`Mdm::reload`] first if meters may be new.
    ///
    /// # Errors
    /// What the store says; then the transaction must not be committed.
    pub fn close_day_in(
        &self,
        w: &store::Write,
        now: Timestamp,
        date: Date,
    ) -> Result<CloseReport, MdmError> {
        let day = self.local_day(date)?;
        let mut closed = CloseReport::default();
        if !self.is_over(&day, now) {
            return Ok(closed);
        }
        let catalogue = self.catalogue();
        let mut report = IngestReport::default();
        let mut workshop = Workshop::new(self, w, now)?;
        workshop.load_power_events(Some(date), Some(date))?;
        let whole: std::collections::BTreeSet<_> = w
            .day_summaries(date)?
            .into_iter()
            .filter(|summary| summary.sealed && summary.present == summary.expected)
            .map(|summary| summary.channel)
            .collect();
        for entry in catalogue.entries().filter(|entry| entry.installed_at < day.end()) {
            closed.channels += 1;
            if whole.contains(&entry.channel.id) {
                continue;
            }
            let after = workshop.close(&entry, &day, &mut report)?;
            let missing = after.missing_count();
            closed.missing += missing;
            closed.estimated += after.slots.iter().filter(|slot| !slot.quality.is_read()).count() - missing;
        }
        workshop.finish()?;
        w.close_day(date, now)?;
        closed.findings = report.findings;
        Ok(closed)
    }
}
