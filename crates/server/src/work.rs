//! Threads that turn the utility's chores and take the inbox in; one of each a process is enough.
//!
//! They end with the process, at any moment: what they were doing is done by whoever comes next.

use crate::clock::Clock;
use crate::day_files::DayFiles;
use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use mdm::Mdm;
use operations::{Chores, DutyError, Intake, Turn};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often what is due is written down.
const PLAN: SignedDuration = SignedDuration::from_secs(60);
/// How long one rests when there is nothing to do.
const REST: Duration = Duration::from_millis(500);
/// How long one rests when the inbox is empty: what was read shall soon be seen.
const INBOX_REST: Duration = Duration::from_millis(200);
/// How long one rests when the store fails.
const TROUBLE: Duration = Duration::from_secs(5);
/// Items taken in at a time.
const ITEMS: u32 = 2_000;

/// Starts a thread that plans and does chores, and one that seals pushes; `lease` is how long one waits for what a dead
/// process had begun, `part` how many meters one closes of a day at a time.
///
/// # Errors
/// When the system gives no random bytes or no thread.
pub fn chores(mdm: &Arc<Mdm>, clock: Clock, lease: SignedDuration, part: usize) -> Result<()> {
    let owner = owner()?;
    let sealing = Chores::new(Arc::clone(mdm), format!("{owner} pushes"), lease);
    let chores = Chores::new(Arc::clone(mdm), owner, lease).with_parts(part);
    std::thread::Builder::new().name("chores".to_owned()).spawn(move || do_chores(&chores, clock))?;
    std::thread::Builder::new().name("pushes".to_owned()).spawn(move || {
        loop {
            turn(&mut || sealing.turn_pushes(clock.now()));
        }
    })?;
    Ok(())
}

/// A name that no other worker has.
fn owner() -> Result<String> {
    let mut random = [0; 4];
    getrandom::fill(&mut random)
        .map_err(|error| anyhow::anyhow!("no random bytes from the system: {error}"))?;
    Ok(format!("process {} {}", std::process::id(), hex::encode(random)))
}

/// Starts a thread that writes each closed day as a file into `folder`; a large one shall hold no other chore up.
///
/// # Errors
/// When the system gives no random bytes or no thread.
pub fn day_files(mdm: Arc<Mdm>, folder: PathBuf, clock: Clock, lease: SignedDuration) -> Result<()> {
    let mut files = DayFiles::new(mdm, folder, owner()?, lease);
    let mut plan_at = Timestamp::MIN;
    let mut turn = move || {
        let now = clock.now();
        if now >= plan_at {
            plan_at = now.saturating_add(PLAN).unwrap_or(Timestamp::MAX);
            files.plan(now)?;
        }
        files.turn(now)
    };
    let turning = move || {
        loop {
            match turn() {
                Ok(true) => {}
                Ok(false) => std::thread::sleep(REST),
                Err(error) => {
                    tracing::error!(%error, "the files of days cannot be written; trying again");
                    std::thread::sleep(TROUBLE);
                }
            }
        }
    };
    std::thread::Builder::new().name("day-files".to_owned()).spawn(turning)?;
    Ok(())
}

fn do_chores(chores: &Chores, clock: Clock) {
    let mut plan_at = Timestamp::MIN;
    loop {
        let now = clock.now();
        if now >= plan_at {
            plan_at = now.saturating_add(PLAN).unwrap_or(Timestamp::MAX);
            if let Err(error) = chores.plan(now) {
                tracing::error!(%error, "what is due cannot be planned; trying again");
            }
        }
        if turn(&mut || chores.turn(clock.now())) {
            // The next day may be due now.
            plan_at = Timestamp::MIN;
        }
    }
}

/// Does one job and tells of it, or rests when there is none. Whether one was done.
fn turn(take: &mut dyn FnMut() -> Result<Option<Turn>, DutyError>) -> bool {
    match take() {
        Ok(Some(Turn::Done(job))) => {
            tracing::info!(kind = job.kind, key = job.key, "job done");
            return true;
        }
        Ok(Some(Turn::Failed(job, why))) => {
            tracing::error!(kind = job.kind, key = job.key, attempt = job.attempts, why, "job failed");
        }
        Ok(None) => std::thread::sleep(REST),
        Err(error) => {
            tracing::error!(%error, "the jobs cannot be reached; trying again");
            std::thread::sleep(TROUBLE);
        }
    }
    false
}

/// Starts a thread that takes in what head-ends in other processes have left.
///
/// # Errors
/// When the system gives no thread.
pub fn intake(mdm: Arc<Mdm>, clock: Clock) -> Result<()> {
    let store = mdm.store().clone();
    let intake = Intake::new(mdm);
    let turn = move || {
        if store.read(store::Read::inbox_is_empty)? {
            return Ok(0);
        }
        intake.turn(clock.now(), ITEMS)
    };
    let turning = move || {
        loop {
            match turn() {
                Ok(0) => std::thread::sleep(INBOX_REST),
                Ok(_) => {}
                Err::<usize, operations::DutyError>(error) => {
                    tracing::error!(%error, "the inbox cannot be taken in; trying again");
                    std::thread::sleep(INBOX_REST);
                }
            }
        }
    };
    std::thread::Builder::new().name("intake".to_owned()).spawn(turning)?;
    Ok(())
}
