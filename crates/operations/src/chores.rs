//! Chores of the utility as jobs: planned by anybody, done once by whoever takes the lease.
//!
//! [`Chores::plan`] writes down what has become due, [`Chores::turn`] does one of them. A chore that fails is tried again
//! after a while that doubles each time; after its last attempt it stays in the list as dead, for a person to look at.

mod close;
mod retain;
mod seal;

pub use retain::RETAIN;
pub use seal::SEAL;

use crate::duty::DutyError;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use mdm::Mdm;
use std::sync::Arc;
use store::{FoldReport, Job, NewJob, StoreError, Write};

/// Close a day whose grace is over, or cut it into parts; the key is its date.
pub const CLOSE_DAY: &str = "close-day";
/// Close a day of some meters; the key is the date and the numbers of the first and the last.
pub const CLOSE_PART: &str = "close-part";
/// Note that a day is closed, all of its parts being done; the key is its date.
pub const END_DAY: &str = "end-day";
/// Remove sessions that have run out and jobs that were done long ago, plan the folding and the removal of what is older than its
/// setting; the key is the date.
pub const SWEEP: &str = "sweep";
/// Fold a month of 256 channels; the key is the month's first day, the page and the date of the sweep that planned it.
pub const FOLD: &str = "fold";
/// All kinds that [`Chores`] knows.
pub const KINDS: [&str; 7] = [CLOSE_DAY, CLOSE_PART, END_DAY, SWEEP, FOLD, RETAIN, SEAL];
/// Those that [`Chores::turn`] does.
const ORDINARY: [&str; 6] = [CLOSE_DAY, CLOSE_PART, END_DAY, SWEEP, FOLD, RETAIN];

/// Meters of one part of a day, unless somebody says otherwise.
pub const PART: usize = 16_384;
/// How often a chore is tried.
const ATTEMPTS: u32 = 12;
/// How often a chore that gave way to another worker is begun again at once.
const AT_ONCE: u32 = 5;
/// The wait after the first failure; it doubles with each.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);
/// A month is folded when it has been over for so long: corrections of a bill come before.
const FOLD_AFTER: SignedDuration = SignedDuration::from_hours(62 * 24);
/// Foldings that one sweep plans at most; the next one plans the rest.
const FOLDS: usize = 20_000;
/// Jobs that were done are listed for so long.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What became of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// A job was done, or a portion of it.
    Done(Job),
    /// A job failed, and why; it waits for its next attempt or is dead.
    Failed(Job, String),
}

/// A worker of the utility's chores.
#[derive(Clone, Debug)]
pub struct Chores {
    mdm: Arc<Mdm>,
    owner: String,
    lease: SignedDuration,
    part: usize,
}

impl Chores {
    /// A worker; `owner` tells it from every other, in other processes too.
    ///
    /// `lease` is how long a job whose worker has died waits for another one. What is written is safe whatever it is: a job is
    /// finished in the transaction of its effect, which an owner whose lease has passed on cannot commit.
    pub const fn new(mdm: Arc<Mdm>, owner: String, lease: SignedDuration) -> Self {
        Self { mdm, owner, lease, part: PART }
    }

    /// With days cut into parts of `meters`, which workers share.
    #[must_use]
    pub const fn with_parts(mut self, meters: usize) -> Self {
        self.part = meters;
        self
    }

    /// Writes down what is due at `now`: the earliest day to be closed, as each leans on those before, and the daily
    /// sweep. How many jobs are new.
    ///
    /// # Errors
    /// What the store says.
    pub fn plan(&self, now: Timestamp) -> Result<usize, DutyError> {
        let today = self.mdm.day_of(now)?.date();
        let mut due = vec![(SWEEP, today.to_string())];
        let store = self.mdm.store();
        if let Some(day) = self.mdm.due_days(now)?.first() {
            due.push((CLOSE_DAY, day.to_string()));
            due.extend(self.is_cut_and_done(*day)?.then(|| (END_DAY, day.to_string())));
        }
        // Most of the time nothing is new, and then nothing is written.
        let known = |(kind, key): &(&str, String)| store.read(|read| read.job(kind, key));
        let mut fresh = Vec::new();
        for one in due {
            if known(&one)?.is_none() {
                fresh.push(one);
            }
        }
        if fresh.is_empty() {
            return Ok(0);
        }
        store.write(|write| {
            let mut new = 0;
            for (kind, key) in fresh {
                let job = NewJob {
                    kind: kind.to_owned(),
                    key,
                    payload: String::new(),
                    due_at: now,
                    most_attempts: ATTEMPTS,
                };
                new += usize::from(write.enqueue_job(&job, now)?);
            }
            Ok::<_, DutyError>(new)
        })
    }

    /// Takes the job that has been due the longest and does it, or a portion of it. `None` when there is nothing to do.
    /// Sealing is not among them, see [`Chores::turn_pushes`]: pushes shall not wait behind a month of folding.
    ///
    /// # Errors
    /// What the store says when not even the failure could be written down; the lease then runs out.
    pub fn turn(&self, now: Timestamp) -> Result<Option<Turn>, DutyError> {
        self.turn_of(&ORDINARY, now)
    }

    /// As [`Chores::turn`], of some kinds only.
    ///
    /// # Errors
    /// As [`Chores::turn`].
    pub fn turn_of(&self, kinds: &[&str], now: Timestamp) -> Result<Option<Turn>, DutyError> {
        self.turn_within(kinds, self.lease, now)
    }

    fn turn_within(
        &self,
        kinds: &[&str],
        lease: SignedDuration,
        now: Timestamp,
    ) -> Result<Option<Turn>, DutyError> {
        let store = self.mdm.store();
        let Some(job) = store.claim_job(now, &self.owner, kinds, lease)? else { return Ok(None) };
        let mut tries = 0;
        let error = loop {
            match self.work(&job, now) {
                Ok(()) => return Ok(Some(Turn::Done(job))),
                // Another worker's transaction came first; what this one rests on is read anew.
                Err(error) if error.is_busy() && tries < AT_ONCE => tries += 1,
                Err(error) => break error,
            }
        };
        let why = chain(&error);
        store.fail_job(&job, now, &why, Some(now.saturating_add(wait(job.attempts)).unwrap_or(now)))?;
        Ok(Some(Turn::Failed(job, why)))
    }

    /// Writes down a job for every page of a month that is long over and not folded yet.
    fn plan_folds(&self, write: &Write, today: &str, now: Timestamp) -> Result<usize, DutyError> {
        let end = self.mdm.day_of(now.saturating_sub(FOLD_AFTER).unwrap_or(now))?.date().first_of_month();
        let Some((first, _)) = write.day_range()? else { return Ok(0) };
        let (mut month, mut planned) = (first.first_of_month(), 0);
        while month < end && planned < FOLDS {
            for page in write.unfolded_pages(month, 0)? {
                let new = NewJob {
                    kind: FOLD.to_owned(),
                    key: format!("{month} {page} {today}"),
                    payload: String::new(),
                    due_at: now,
                    most_attempts: ATTEMPTS,
                };
                planned += usize::from(write.enqueue_job(&new, now)?);
            }
            let Ok(next) = month.checked_add(1.month()) else { break };
            month = next;
        }
        Ok(planned)
    }

    fn work(&self, job: &Job, now: Timestamp) -> Result<(), DutyError> {
        let store = self.mdm.store();
        match job.kind.as_str() {
            CLOSE_DAY => self.close(job, now)?,
            CLOSE_PART => self.close_part(job, now)?,
            END_DAY => self.end_day(job, now)?,
            SEAL => self.seal(job, now)?,
            RETAIN => self.retain(job, now)?,
            SWEEP => store.run_job(job, now, |write| {
                let sessions = write.expire_sessions(now)?;
                let jobs = write.forget_jobs(now.saturating_sub(REMEMBERED).unwrap_or(Timestamp::MIN))?;
                let folds = self.plan_folds(write, &job.key, now)?;
                let removals = self.plan_retention(write, now)?;
                Ok::<_, DutyError>(format!(
                    "{sessions} sessions and {jobs} jobs removed, {folds} foldings and {removals} removals planned"
                ))
            })?,
            FOLD => {
                let (month, page) =
                    fold_of(&job.key).ok_or_else(|| DutyError::Job { key: job.key.clone() })?;
                store.run_job(job, now, |write| {
                    let done = write.fold(month, page, now)?;
                    let FoldReport { rows, days, open } = done;
                    Ok::<_, StoreError>(format!("{rows} rows hold {days} days more, {open} are open"))
                })?;
            }
            _ => return Err(DutyError::Job { key: job.kind.clone() }),
        }
        Ok(())
    }
}

fn unknown(job: &Job) -> DutyError {
    DutyError::Job { key: job.key.clone() }
}

/// The month and the page of a folding's key.
fn fold_of(key: &str) -> Option<(Date, u32)> {
    let mut parts = key.split(' ');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// How long to wait after a failure of attempt `attempts`.
fn wait(attempts: u32) -> SignedDuration {
    let doublings = attempts.saturating_sub(1).min(16);
    FIRST_WAIT.checked_mul(1 << doublings).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = format!("failed to {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        let waits: Vec<i64> = [1, 2, 3, 10, 11, 99].map(|attempts| wait(attempts).as_secs()).to_vec();
        assert_eq!(waits, [5, 10, 20, 2560, 3600, 3600]);
    }

    #[test]
    fn a_key_of_a_folding_names_month_and_page() {
        assert_eq!(fold_of("2026-05-01 3 2026-11-28"), Some((jiff::civil::date(2026, 5, 1), 3)));
        assert_eq!(fold_of("2026-05-01"), None);
        assert_eq!(fold_of("May 3"), None);
    }

    #[test]
    fn chores_are_planned_once_and_done_once() {
        let store = store::Store::open_in_memory().unwrap();
        store.write(|write| write.set_utility("Test", "Europe/Zurich")).unwrap();
        let mdm = Mdm::new(store, vee::Rules::default(), std::collections::BTreeMap::new()).unwrap();
        let chores = Chores::new(Arc::new(mdm), "one".to_owned(), SignedDuration::from_secs(60));
        let now = Timestamp::constant(1_790_003_700, 0);
        assert_eq!(chores.plan(now).unwrap(), 1);
        assert_eq!(chores.plan(now).unwrap(), 0);
        let Some(Turn::Done(job)) = chores.turn(now).unwrap() else { panic!() };
        assert_eq!((job.kind.as_str(), job.key.as_str()), (SWEEP, "2026-09-21"));
        assert_eq!(chores.turn(now).unwrap(), None);
        assert_eq!(chores.plan(now).unwrap(), 0, "it was done today");
    }
}
