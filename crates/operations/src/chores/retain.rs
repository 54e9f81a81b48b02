//! Retention: what is older than its setting goes, a portion a turn.

use super::Chores;
use crate::duty::DutyError;
use crate::retention::{cut, kept_from};
use jiff::Timestamp;
use jiff::civil::Date;
use store::{Cursor, Job, Kept, NewJob, Removal, Retention, Stage, Write};

/// Remove what is older than its setting; the key is the kind and the first day that is kept.
pub const RETAIN: &str = "retain";

/// How often a removal is tried; each portion begins anew.
const ATTEMPTS: u32 = 12;

/// How far a removal has come: where the next portion begins, and what went and stayed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    at: Cursor,
    removed: u64,
    pinned: u64,
}

impl Tally {
    fn parse(payload: &str) -> Option<Self> {
        let mut parts = payload.split(' ');
        let at = Cursor(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { at, removed: parts.next()?.parse().ok()?, pinned: parts.next()?.parse().ok()? })
    }

    fn payload(&self) -> String {
        format!("{} {} {} {}", self.at.0, self.at.1, self.removed, self.pinned)
    }
}

impl Chores {
    /// Writes down a removal for every setting whose time has come and whose removal is not done; how many.
    pub(super) fn plan_retention(&self, write: &Write, now: Timestamp) -> Result<usize, DutyError> {
        let mut planned = 0;
        for setting in write.retention()? {
            let before = kept_from(&self.mdm, now, setting.months)?;
            if !write.is_removed(setting.kind, before)? {
                planned += usize::from(write.enqueue_job(&removal(setting.kind, before, now), now)?);
            }
        }
        Ok(planned)
    }

    /// Puts the removals of all settings into the queue, those that were done too. Their keys.
    ///
    /// # Errors
    /// What the store says.
    pub fn order_retention(&self, now: Timestamp) -> Result<Vec<String>, DutyError> {
        self.mdm.store().write(|write| {
            let mut keys = Vec::new();
            for setting in write.retention()? {
                let job = removal(setting.kind, kept_from(&self.mdm, now, setting.months)?, now);
                write.arm_job(&job, now)?;
                keys.push(job.key);
            }
            Ok(keys)
        })
    }

    pub(super) fn retain(&self, job: &Job, now: Timestamp) -> Result<(), DutyError> {
        let (kind, before) = of(&job.key).ok_or_else(|| DutyError::Job { key: job.key.clone() })?;
        self.mdm.store().advance_job(job, now, |write| {
            let settings = write.retention()?;
            let Some(setting) = self.still_due(&settings, (kind, before), now)? else {
                return Ok(Stage::Done("it is kept longer by now".to_owned()));
            };
            let mut tally = Tally::parse(&job.payload).unwrap_or_default();
            let cut = cut(&self.mdm, now, &settings, (kind, before))?;
            let portion = write.remove_portion(&cut, tally.at, now)?;
            tally.removed += portion.removed;
            tally.pinned += portion.pinned;
            let what = kind.counted();
            if let Some(next) = portion.next {
                tally.at = next;
                let outcome = format!("{} {what} removed so far", tally.removed);
                return Ok(Stage::More { payload: tally.payload(), outcome });
            }
            if tally.removed > 0 || !write.is_removed(kind, before)? {
                write.log_removal(&Removal {
                    kind,
                    before,
                    removed: tally.removed,
                    pinned: tally.pinned,
                    months: setting.months,
                    done_by: self.owner.clone(),
                    done_at: now,
                })?;
            }
            let Tally { removed, pinned, .. } = tally;
            Ok::<_, DutyError>(Stage::Done(format!("{removed} {what} removed, {pinned} stay for a bill")))
        })?;
        Ok(())
    }

    /// The setting by which a removal is still right: it may have been changed since that was planned.
    fn still_due<'a>(
        &self,
        settings: &'a [Retention],
        (kind, before): (Kept, Date),
        now: Timestamp,
    ) -> Result<Option<&'a Retention>, DutyError> {
        let Some(setting) = settings.iter().find(|setting| setting.kind == kind) else { return Ok(None) };
        Ok((before <= kept_from(&self.mdm, now, setting.months)?).then_some(setting))
    }
}

fn removal(kind: Kept, before: Date, now: Timestamp) -> NewJob {
    NewJob {
        kind: RETAIN.to_owned(),
        key: format!("{} {before}", kind.name()),
        payload: String::new(),
        due_at: now,
        most_attempts: ATTEMPTS,
    }
}

/// The kind and the first day that is kept, of a removal's key.
fn of(key: &str) -> Option<(Kept, Date)> {
    let (kind, before) = key.split_once(' ')?;
    Some((Kept::from_name(kind)?, before.parse().ok()?))
}
