//! Sealing: pushes that were acknowledged in groups go into their days.

use super::{Chores, Turn};
use crate::duty::DutyError;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use store::{Job, JobState, NewJob, Stage, StoreError, Write};

/// Take pushes that wait into their days; one job that comes up again and again under the key `KEY`.
pub const SEAL: &str = "seal-pushes";
/// The key of that job.
const KEY: &str = "pushes";
/// The kind of the dead jobs that hold groups which can never be sealed.
const REFUSED: &str = "push-group";

/// Pushes wait for so long that a day is judged once for many of them, and no longer, that they are soon seen.
const GATHER: SignedDuration = SignedDuration::from_secs(1);
/// Groups of one transaction: with a thousand pushes each, some ten thousand days to be judged.
const GROUPS: u32 = 32;
/// A worker that died is waited for no longer: sealing is one transaction, whose row is locked while it runs.
const LEASE: SignedDuration = SignedDuration::from_secs(5);
/// It is tried until it works: what waits was promised to the meters.
const ATTEMPTS: u32 = 1_000_000_000;

impl Chores {
    /// Seals pushes that have waited long enough, a bounded number of groups. `None` when there are none.
    ///
    /// # Errors
    /// As [`Chores::turn`].
    pub fn turn_pushes(&self, now: Timestamp) -> Result<Option<Turn>, DutyError> {
        self.arm_sealing(now)?;
        self.turn_within(&[SEAL], self.lease.min(LEASE), now)
    }

    /// Puts sealing into the queue when pushes have waited long enough and it is not there.
    fn arm_sealing(&self, now: Timestamp) -> Result<(), DutyError> {
        let store = self.mdm.store();
        let until = now.saturating_sub(GATHER).unwrap_or(now);
        let wanted = store.read(|read| {
            let known = if read.pushes_due(until)? { read.job(SEAL, KEY)? } else { return Ok(false) };
            Ok::<_, StoreError>(known.is_none_or(|job| job.state != JobState::Waiting))
        })?;
        if wanted {
            let job = NewJob {
                kind: SEAL.to_owned(),
                key: KEY.to_owned(),
                payload: String::new(),
                due_at: now,
                most_attempts: ATTEMPTS,
            };
            store.write(|write| write.arm_job(&job, now))?;
        }
        Ok(())
    }

    /// Seals what waits, a bounded number of groups a turn. A group that nobody can seal is set aside as a dead job, with its
    /// bytes, and stops no other.
    pub(super) fn seal(&self, job: &Job, now: Timestamp) -> Result<(), DutyError> {
        self.mdm.reload()?;
        let mut groups = GROUPS;
        loop {
            let done = self.mdm.store().advance_job(job, now, |write| {
                let (taken, report) = self.mdm.seal_pushes_in(write, now, groups)?;
                let (batches, days) = (report.batches + report.repeated_batches, report.days.len());
                let outcome = format!("{taken} groups: {batches} batches of {days} days");
                Ok::<_, DutyError>(stage(taken == groups, outcome))
            });
            match done {
                Err(error) if error.is_passing() || lost(&error) => return Err(error),
                Err(_) if groups > 1 => groups /= 2,
                Err(error) => {
                    let why = super::chain(&error);
                    self.mdm.store().advance_job(job, now, |write| {
                        set_aside(write, now, &why)?;
                        Ok::<_, DutyError>(stage(true, "1 group was set aside".to_owned()))
                    })?;
                    return Ok(());
                }
                Ok(_) => return Ok(()),
            }
        }
    }
}

fn stage(more: bool, outcome: String) -> Stage {
    if more { Stage::More { payload: String::new(), outcome } } else { Stage::Done(outcome) }
}

const fn lost(error: &DutyError) -> bool {
    matches!(error, DutyError::Store(StoreError::LeaseLost))
}

/// Moves the oldest group out of the way, into the list of what somebody must look at.
fn set_aside(write: &Write, now: Timestamp, why: &str) -> Result<(), StoreError> {
    let Some((received_at, block)) = write.withdraw_push_group()? else { return Ok(()) };
    let mut payload = String::with_capacity(block.len() * 2);
    for byte in &block {
        // Writing to a string cannot fail.
        let _ = write!(payload, "{byte:02x}");
    }
    let digest = Sha256::digest(&block);
    let job = NewJob {
        kind: REFUSED.to_owned(),
        key: format!("{received_at} {:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3]),
        payload,
        due_at: now,
        most_attempts: 1,
    };
    write.bury_job(&job, now, why)?;
    Ok(())
}
