//! Work that any process may take: chores with a lease, done once.
//!
//! ```text
//! enqueue --> waiting --claim_job: owner, lease, one more attempt--> (still waiting, but nobody else may take it)
//!                ^                                                     |            |             |
//!                |<------------- lease ran out: the owner died --------|            |             |
//!                |<------------- fail_job: again at a later time ------|            |             |
//!                ^<-- advance_job: a portion, with its effect ----------|            |             |
//!                                                     run_job: done, with its effect    fail_job: dead
//! ```
//!
//! [`Store::run_job`] marks a job done in the transaction of its effect, before the effect: the row stays locked until
//! both are on disk or neither is. An owner who lost its lease meanwhile finds the row changed and writes nothing. So a
//! killed process loses nothing and doubles nothing, whatever its clock says.

use crate::column::{corrupt, execute, millis, row, rows, value};
use crate::engine::{Row, Value};
use crate::{Read, Result, Store, StoreError, Write};
use jiff::{SignedDuration, Timestamp};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobState {
    /// To be done, now or later, perhaps by somebody who holds its lease.
    Waiting,
    /// Done for good.
    Done,
    /// Given up after its last attempt: somebody must look, see [`Write::revive_job`].
    Dead,
}

impl JobState {
    const ALL: [Self; 3] = [Self::Waiting, Self::Done, Self::Dead];

    /// As stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }

    /// The state of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Work to be done once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// What sort of work.
    pub kind: String,
    /// Tells jobs of one kind apart: a second one with the same key is the same job.
    pub key: String,
    /// What its worker must know, as its writer arranged it.
    pub payload: String,
    /// Not before.
    pub due_at: Timestamp,
    /// How often it is tried before it is given up; at least 1.
    pub most_attempts: u32,
}

/// A job as kept. Whoever got it from [`Store::claim_job`] holds its lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Ours.
    pub id: u64,
    /// What sort of work.
    pub kind: String,
    /// Which of them.
    pub key: String,
    /// What its worker must know.
    pub payload: String,
    /// Where it stands.
    pub state: JobState,
    /// Not before.
    pub due_at: Timestamp,
    /// Who works on it, or did last.
    pub owner: Option<String>,
    /// Until when it is theirs.
    pub lease_until: Option<Timestamp>,
    /// How often it was begun.
    pub attempts: u32,
    /// How often it may be.
    pub most_attempts: u32,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What came of it, or why it failed last.
    pub outcome: String,
}

/// How far a job has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is done; what came of it, in words.
    Done(String),
    /// A portion is done.
    More {
        /// What whoever goes on must know.
        payload: String,
        /// What came of it so far, in words.
        outcome: String,
    },
}

const COLUMNS: &str = "id, kind, key, payload, state, due_ms, owner, lease_until_ms, attempts, most_attempts, \
                       updated_ms, outcome";

fn job(row: &Row<'_>) -> Result<Job> {
    Ok(Job {
        id: row.get(0)?,
        kind: row.get(1)?,
        key: row.get(2)?,
        payload: row.get(3)?,
        state: JobState::from_name(&row.get::<_, String>(4)?).ok_or_else(|| corrupt("job state"))?,
        due_at: millis(row.get(5)?)?,
        owner: row.get(6)?,
        lease_until: row.get::<_, Option<i64>>(7)?.map(millis).transpose()?,
        attempts: row.get(8)?,
        most_attempts: row.get(9)?,
        updated_at: millis(row.get(10)?)?,
        outcome: row.get(11)?,
    })
}

impl Store {
    /// Takes the job of one of `kinds` that has been due the longest, for `lease` from `now` on. `None` when there is none that
    /// nobody else works on. A job whose last attempt was lost with its process is given up here.
    ///
    /// # Errors
    /// What the database says.
    pub fn claim_job(
        &self,
        now: Timestamp,
        owner: &str,
        kinds: &[&str],
        lease: SignedDuration,
    ) -> Result<Option<Job>> {
        self.queue(|write| {
            let lost = "UPDATE job SET state = 'dead', updated_ms = ?1, outcome = 'its process ended during the last attempt' \
                        WHERE state = 'waiting' AND attempts >= most_attempts AND lease_until_ms <= ?1";
            execute(&write.conn, lost, [now.as_millisecond()])?;
            let places = vec!["?"; kinds.len()].join(", ");
            let lock = if write.conn.is_shared() { " FOR UPDATE SKIP LOCKED" } else { "" };
            let sql = format!(
                "UPDATE job SET owner = ?1, lease_until_ms = ?2, attempts = attempts + 1, updated_ms = ?3 WHERE id = \
                 (SELECT id FROM job WHERE state = 'waiting' AND due_ms <= ?3 AND attempts < most_attempts AND \
                 (lease_until_ms IS NULL OR lease_until_ms <= ?3) AND kind IN ({places}) ORDER BY due_ms, id LIMIT 1{lock}) \
                 RETURNING {COLUMNS}"
            );
            let until = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
            let mut values = vec![
                Value::Text(owner.into()),
                Value::Integer(until.as_millisecond()),
                Value::Integer(now.as_millisecond()),
            ];
            values.extend(kinds.iter().map(|kind| Value::Text((*kind).into())));
            row(&write.conn, &sql, values, job)
        })
    }

    /// Runs `work` in one transaction and marks the job done in the same; `work` answers what came of it, in words.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when somebody else took it; whatever `work` returns. Nothing was written then.
    pub fn run_job<E: From<StoreError>>(
        &self,
        held: &Job,
        now: Timestamp,
        work: impl FnOnce(&Write) -> core::result::Result<String, E>,
    ) -> core::result::Result<(), E> {
        self.advance_job(held, now, |write| work(write).map(Stage::Done)).map(|_| ())
    }

    /// Does the next portion of a job in one transaction; `work` answers whether that was the last. If it was not, the job
    /// waits again at once, for anybody, with what `work` left for whoever goes on. So no portion outlives a lease: a long job
    /// is many short turns, and its row is locked while one of them runs.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when somebody else took it; whatever `work` returns. Nothing was written then.
    pub fn advance_job<E: From<StoreError>>(
        &self,
        held: &Job,
        now: Timestamp,
        work: impl FnOnce(&Write) -> core::result::Result<Stage, E>,
    ) -> core::result::Result<Stage, E> {
        self.write(|write| advance(write, held, now, work))
    }

    /// As [`Store::run_job`] for a part of a chore whose other parts run beside it, in other processes too.
    ///
    /// On a server the transaction sees one snapshot and is refused where it would write a row that changed since, but not where
    /// it only has read one: parts that write rows of their own then never refuse each other. Whatever else writes these rows
    /// must write them under the same keys.
    ///
    /// # Errors
    /// As [`Store::run_job`].
    pub fn run_part<E: From<StoreError>>(
        &self,
        held: &Job,
        now: Timestamp,
        work: impl FnOnce(&Write) -> core::result::Result<String, E>,
    ) -> core::result::Result<(), E> {
        self.write_part(|write| advance(write, held, now, |write| work(write).map(Stage::Done))).map(|_| ())
    }

    /// Gives a job back that could not be done: to be tried again at `again_at`, or, when that was its last attempt or
    /// `again_at` is `None`, never unless somebody revives it. Whether it was still ours.
    ///
    /// # Errors
    /// What the database says.
    pub fn fail_job(
        &self,
        held: &Job,
        now: Timestamp,
        why: &str,
        again_at: Option<Timestamp>,
    ) -> Result<bool> {
        let again_at = again_at.filter(|_| held.attempts < held.most_attempts);
        let state = if again_at.is_some() { JobState::Waiting } else { JobState::Dead };
        self.queue(|write| {
            let sql = "UPDATE job SET state = ?, due_ms = ?, lease_until_ms = NULL, outcome = ?, updated_ms = ? \
                       WHERE id = ? AND state = 'waiting' AND owner = ? AND attempts = ?";
            let values = (
                state.name(),
                again_at.unwrap_or(held.due_at).as_millisecond(),
                why,
                now.as_millisecond(),
                number(held),
                held.owner.as_deref(),
                held.attempts,
            );
            Ok(execute(&write.conn, sql, values)? > 0)
        })
    }
}

impl Read {
    /// Jobs, of one state or of all, the latest changed first.
    ///
    /// # Errors
    /// What the database says.
    pub fn jobs(&self, state: Option<JobState>, limit: u32) -> Result<Vec<Job>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM job WHERE state = ?1 OR ?1 IS NULL ORDER BY updated_ms DESC, id DESC LIMIT ?2"
        );
        rows(&self.conn, &sql, (state.map(JobState::name), limit), job)
    }

    /// The job of a kind with a key.
    ///
    /// # Errors
    /// What the database says.
    pub fn job(&self, kind: &str, key: &str) -> Result<Option<Job>> {
        row(&self.conn, &format!("SELECT {COLUMNS} FROM job WHERE kind = ? AND key = ?"), (kind, key), job)
    }

    /// How many jobs of a kind whose keys begin with `prefix` are not done.
    ///
    /// # Errors
    /// What the database says.
    pub fn unfinished_jobs(&self, kind: &str, prefix: &str) -> Result<u64> {
        // By the index of keys, which sort by bytes: up to the first key that no longer begins so.
        let mut end = prefix.to_owned();
        let next = end.pop().and_then(|last| char::from_u32(u32::from(last) + 1));
        end.push(next.unwrap_or(char::MAX));
        let sql = "SELECT count(*) FROM job WHERE kind = ? AND key >= ? AND key < ? AND state <> 'done'";
        value(&self.conn, sql, (kind, prefix, end))
    }

    /// How many jobs there are in each state.
    ///
    /// # Errors
    /// What the database says.
    pub fn job_counts(&self) -> Result<Vec<(JobState, u64)>> {
        rows(&self.conn, "SELECT state, count(*) FROM job GROUP BY state ORDER BY state", [], |row| {
            let state = JobState::from_name(&row.get::<_, String>(0)?);
            Ok((state.ok_or_else(|| corrupt("job state"))?, row.get(1)?))
        })
    }
}

impl Write {
    /// Puts work into the queue; the same kind and key again changes nothing. Whether it was new.
    ///
    /// # Errors
    /// What the database says.
    pub fn enqueue_job(&self, new: &NewJob, now: Timestamp) -> Result<bool> {
        let sql = "INSERT INTO job (kind, key, payload, state, due_ms, most_attempts, created_ms, updated_ms) \
                   VALUES (?, ?, ?, 'waiting', ?, ?, ?, ?) ON CONFLICT (kind, key) DO NOTHING";
        let values = (
            &new.kind,
            &new.key,
            &new.payload,
            new.due_at.as_millisecond(),
            new.most_attempts.max(1),
            now.as_millisecond(),
            now.as_millisecond(),
        );
        Ok(execute(&self.conn, sql, values)? > 0)
    }

    /// Puts work into the queue that comes up again and again under one key: a job that was done, or given up, waits anew. Whether
    /// that changed anything; one that waits already stays as it is.
    ///
    /// # Errors
    /// What the database says.
    pub fn arm_job(&self, new: &NewJob, now: Timestamp) -> Result<bool> {
        let sql = "UPDATE job SET state = 'waiting', attempts = 0, lease_until_ms = NULL, payload = ?, due_ms = ?, \
                   updated_ms = ? WHERE kind = ? AND key = ? AND state <> 'waiting'";
        let values = (&new.payload, new.due_at.as_millisecond(), now.as_millisecond(), &new.kind, &new.key);
        Ok(execute(&self.conn, sql, values)? > 0 || self.enqueue_job(new, now)?)
    }

    /// Has work done anew because what it was made from has changed: what was done, given up or forgotten waits again, from
    /// `new.due_at` on. Whoever is at it right now finds another payload when it ends and knows that it must be done once
    /// more; what waits untouched stays as it is. Work of a kind that nobody ever asked for is not begun.
    ///
    /// # Errors
    /// What the database says.
    pub fn redo_job(&self, new: &NewJob, now: Timestamp) -> Result<bool> {
        let sql = "UPDATE job SET attempts = CASE WHEN state = 'waiting' THEN attempts ELSE 0 END, \
                   due_ms = CASE WHEN state = 'waiting' THEN due_ms ELSE ? END, state = 'waiting', payload = ?, \
                   updated_ms = ? WHERE kind = ? AND key = ? AND (state <> 'waiting' OR lease_until_ms IS NOT NULL)";
        let values = (new.due_at.as_millisecond(), &new.payload, now.as_millisecond(), &new.kind, &new.key);
        if execute(&self.conn, sql, values)? > 0 {
            return Ok(true);
        }
        let asked: u64 = value(
            &self.conn,
            "SELECT count(*) FROM (SELECT 1 FROM job WHERE kind = ? LIMIT 1) AS one",
            [&new.kind],
        )?;
        Ok(asked > 0 && self.enqueue_job(new, now)?)
    }

    /// Keeps work that can never be done, so that somebody sees it. Whether it was new.
    ///
    /// # Errors
    /// What the database says.
    pub fn bury_job(&self, new: &NewJob, now: Timestamp, why: &str) -> Result<bool> {
        let fresh = self.enqueue_job(new, now)?;
        let sql = "UPDATE job SET state = 'dead', outcome = ? WHERE kind = ? AND key = ?";
        execute(&self.conn, sql, (why, &new.kind, &new.key))?;
        Ok(fresh)
    }

    /// Lets a dead job be tried again from the beginning. Whether it was dead.
    ///
    /// # Errors
    /// What the database says.
    pub fn revive_job(&self, id: u64, now: Timestamp) -> Result<bool> {
        let sql = "UPDATE job SET state = 'waiting', attempts = 0, lease_until_ms = NULL, due_ms = ?1, updated_ms = ?1 \
                   WHERE id = ?2 AND state = 'dead'";
        let id = i64::try_from(id).unwrap_or(i64::MAX);
        Ok(execute(&self.conn, sql, (now.as_millisecond(), id))? > 0)
    }

    /// Forgets the jobs that were done before `before`; how many.
    ///
    /// # Errors
    /// What the database says.
    pub fn forget_jobs(&self, before: Timestamp) -> Result<usize> {
        execute(
            &self.conn,
            "DELETE FROM job WHERE state = 'done' AND updated_ms < ?",
            [before.as_millisecond()],
        )
    }
}

/// Marks a job done and does it, or a portion of it; whoever lost its lease finds the row changed.
fn advance<E: From<StoreError>>(
    write: &Write,
    held: &Job,
    now: Timestamp,
    work: impl FnOnce(&Write) -> core::result::Result<Stage, E>,
) -> core::result::Result<Stage, E> {
    let done = "UPDATE job SET state = 'done', updated_ms = ?, lease_until_ms = NULL WHERE id = ? AND \
                state = 'waiting' AND owner = ? AND attempts = ?";
    let key = (now.as_millisecond(), number(held), held.owner.as_deref(), held.attempts);
    if execute(&write.conn, done, key)? == 0 {
        return Err(StoreError::LeaseLost.into());
    }
    let stage = work(write)?;
    match &stage {
        Stage::Done(outcome) => {
            execute(&write.conn, "UPDATE job SET outcome = ? WHERE id = ?", (outcome, number(held)))?;
        }
        Stage::More { payload, outcome } => {
            let again = "UPDATE job SET state = 'waiting', attempts = 0, due_ms = ?, payload = ?, outcome = ? \
                         WHERE id = ?";
            execute(&write.conn, again, (now.as_millisecond(), payload, outcome, number(held)))?;
        }
    }
    Ok(stage)
}

fn number(job: &Job) -> i64 {
    i64::try_from(job.id).unwrap_or(i64::MAX)
}
