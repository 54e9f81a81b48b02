//! Closing days: a small utility's in one job, a large one's in parts that all workers share.
//!
//! ```text
//! close-day --(few meters)--> closed
//!     |
//!     +--(many)--> close-part, close-part, ... --(all done)--> end-day --> closed
//! ```
//!
//! The next day is begun when this one is closed, as each leans on those before.

use super::{ATTEMPTS, CLOSE_DAY, CLOSE_PART, Chores, unknown};
use crate::duty::DutyError;
use jiff::Timestamp;
use jiff::civil::Date;
use mdm::{CloseReport, MdmError, Part};
use store::{Job, JobState, NewJob, StoreError};

impl Chores {
    /// Whether a day was cut into parts and none of them is left.
    pub(super) fn is_cut_and_done(&self, day: Date) -> Result<bool, DutyError> {
        Ok(self.mdm.store().read(|read| {
            let cut = read.job(CLOSE_DAY, &day.to_string())?.is_some_and(|job| job.state == JobState::Done);
            Ok::<_, StoreError>(cut && read.unfinished_jobs(CLOSE_PART, &format!("{day} "))? == 0)
        })?)
    }

    /// Closes a small day at once, and cuts a large one into parts.
    pub(super) fn close(&self, job: &Job, now: Timestamp) -> Result<(), DutyError> {
        let date: Date = job.key.parse().map_err(|_| unknown(job))?;
        self.mdm.reload()?;
        let parts = self.mdm.parts(self.part);
        Ok(self.mdm.store().run_job(job, now, |write| {
            if parts.len() < 2 {
                return Ok(told(self.mdm.close_day_in(write, now, date)?));
            }
            for part in &parts {
                let new = NewJob {
                    kind: CLOSE_PART.to_owned(),
                    key: format!("{date} {} {}", part.first, part.last),
                    payload: String::new(),
                    due_at: now,
                    most_attempts: ATTEMPTS,
                };
                write.enqueue_job(&new, now)?;
            }
            Ok::<_, MdmError>(format!("{} parts", parts.len()))
        })?)
    }

    /// Closes a day of some meters.
    pub(super) fn close_part(&self, job: &Job, now: Timestamp) -> Result<(), DutyError> {
        let (date, part) = part_of(&job.key).ok_or_else(|| unknown(job))?;
        self.mdm.reload()?;
        Ok(self.mdm.store().run_part(job, now, |write| {
            Ok::<_, MdmError>(told(self.mdm.close_part_in(write, now, date, part)?))
        })?)
    }

    /// Notes that a day is closed.
    pub(super) fn end_day(&self, job: &Job, now: Timestamp) -> Result<(), DutyError> {
        let date: Date = job.key.parse().map_err(|_| unknown(job))?;
        self.mdm.store().run_job(job, now, |write| {
            if write.unfinished_jobs(CLOSE_PART, &format!("{date} "))? > 0 {
                return Err(unknown(job));
            }
            write.close_day(date, now)?;
            Ok(String::new())
        })
    }
}

fn told(closed: CloseReport) -> String {
    format!(
        "{} channels, {} intervals estimated, {} missing, {} findings",
        closed.channels, closed.estimated, closed.missing, closed.findings
    )
}

/// The date and the meters of a part's key.
fn part_of(key: &str) -> Option<(Date, Part)> {
    let mut words = key.split(' ');
    let date = words.next()?.parse().ok()?;
    Some((date, Part { first: words.next()?.parse().ok()?, last: words.next()?.parse().ok()? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_a_part_names_day_and_meters() {
        let part = Part { first: 7, last: 12 };
        assert_eq!(part_of("2026-05-01 7 12"), Some((jiff::civil::date(2026, 5, 1), part)));
        assert_eq!(part_of("2026-05-01 7"), None);
        assert_eq!(part_of("May 7 12"), None);
    }
}
