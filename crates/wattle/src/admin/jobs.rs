//! `wattle admin jobs`.

use super::Place;
use crate::talk::{Talk, WrongUsage};
use anyhow::{Result, bail};
use serde_json::json;
use server::clock::Clock;
use store::{Job, JobState, StoreError};

/// List the work of the utility's jobs, and revive what was given up.
///
/// A job that failed waits for its next attempt; after the last one it is dead and nobody tries it again until it is
/// revived here.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Only those that are waiting, done or dead.
    #[arg(long)]
    state: Option<String>,
    /// How many, the latest changed first.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Let the dead job with this number be tried again.
    #[arg(long, value_name = "NUMBER", conflicts_with = "state")]
    revive: Option<u64>,
}

pub(super) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let state = match &arguments.state {
        Some(name) => match JobState::from_name(name) {
            Some(state) => Some(state),
            None => bail!(WrongUsage(format!("--state: `{name}` is none of waiting, done, dead"))),
        },
        None => None,
    };
    let store = arguments.place.home().open_known_store()?;
    if let Some(id) = arguments.revive {
        if !store.write(|write| write.revive_job(id, Clock::real().now()))? {
            bail!("no dead job has the number {id}");
        }
        talk.say(format_args!("job {id} will be tried again"));
        return Ok(());
    }
    let (jobs, counts) =
        store.read(|read| Ok::<_, StoreError>((read.jobs(state, arguments.limit)?, read.job_counts()?)))?;
    for job in &jobs {
        show(job, talk)?;
    }
    let counts: Vec<String> =
        counts.iter().map(|(state, count)| format!("{count} {}", state.name())).collect();
    talk.say(if counts.is_empty() { "no jobs".to_owned() } else { counts.join(", ") });
    Ok(())
}

fn show(job: &Job, talk: Talk) -> Result<()> {
    let record = json!({
        "id": job.id,
        "kind": job.kind,
        "key": job.key,
        "state": job.state.name(),
        "attempts": job.attempts,
        "due_at": job.due_at.to_string(),
        "updated_at": job.updated_at.to_string(),
        "owner": job.owner,
        "outcome": job.outcome,
    });
    let line = format_args!(
        "{:<6} {:<12} {:<12} {:<8} {:>3}  {}  {}",
        job.id,
        job.kind,
        job.key,
        job.state.name(),
        job.attempts,
        job.updated_at,
        job.outcome
    );
    talk.data(&record, line)
}
