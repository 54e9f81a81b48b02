//! `wattle admin retention`.

use super::Place;
use crate::talk::{Talk, WrongUsage};
use anyhow::{Result, bail};
use jiff::{SignedDuration, Timestamp};
use mdm::Mdm;
use operations::chores::{Chores, RETAIN, Turn};
use operations::retention::{check, preview};
use serde_json::json;
use server::clock::Clock;
use server::utility::Utility;
use std::sync::Arc;
use store::{JobState, Kept, Retention};

/// Show and set how long data is kept, and remove what is older.
///
/// Kinds: raw (batches as they were read), versions (of days, superseded by newer ones), intervals (days with all their
/// versions and findings), registers, events, logs. Without a setting a kind is kept for ever. A setting counts whole months
/// before the current one; `wattle serve` removes what is older once a month. Nothing of a day that a bill was computed
/// from is ever removed. Alone, this shows the settings and what they would remove, and removes nothing.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Keep a kind for so many months, or for ever. May be given again.
    #[arg(long, value_name = "KIND=MONTHS|forever", requires_all = ["by", "reason"])]
    set: Vec<String>,
    /// Who sets it.
    #[arg(long, value_name = "NAME", requires = "set")]
    by: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT", requires = "set")]
    reason: Option<String>,
    /// Remove now what is older than the settings say.
    #[arg(long, conflicts_with_all = ["set", "log"])]
    apply: bool,
    /// List what was removed before.
    #[arg(long, conflicts_with = "set")]
    log: bool,
}

/// How long a removal whose process died waits for another one.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
/// Removals listed.
const LISTED: u32 = 1_000;

pub(super) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let utility = Utility::open_at(&arguments.place.home())?;
    let now = Clock::real().now();
    if arguments.log {
        return log(&utility.mdm, talk);
    }
    if !arguments.set.is_empty() {
        return set(arguments, &utility.mdm, now, talk);
    }
    if arguments.apply {
        return apply(&utility.mdm, talk);
    }
    for one in preview(&utility.mdm, now)? {
        let kind = one.setting.kind;
        let record = json!({
            "kind": kind.name(), "months": one.setting.months, "before": one.before.to_string(),
            "would_remove": one.removed, "pinned": one.pinned, "set_by": one.setting.set_by,
            "reason": one.setting.reason, "set_at": one.setting.set_at.to_string(),
        });
        let text = format!(
            "{:<10} {:>4} months: {} {} before {} would go, {} stay for a bill  ({}, {})",
            kind.name(),
            one.setting.months,
            one.removed,
            kind.counted(),
            one.before,
            one.pinned,
            one.setting.set_by,
            one.setting.reason
        );
        talk.data(&record, text)?;
    }
    let set = utility.store.read(store::Read::retention)?;
    for kind in Kept::ALL.into_iter().filter(|kind| set.iter().all(|one| one.kind != *kind)) {
        let record = json!({ "kind": kind.name(), "months": null });
        talk.data(&record, format_args!("{:<10} for ever", kind.name()))?;
    }
    talk.say("nothing was removed; --apply removes it now");
    Ok(())
}

fn set(arguments: &Arguments, mdm: &Mdm, now: Timestamp, talk: Talk) -> Result<()> {
    let wishes: Vec<(Kept, Option<u32>)> =
        arguments.set.iter().map(|wish| parse(wish)).collect::<Result<_>>()?;
    let mut kinds: Vec<&str> = wishes.iter().map(|(kind, _)| kind.name()).collect();
    kinds.sort_unstable();
    if let Some(twice) = kinds.windows(2).find(|pair| pair[0] == pair[1]) {
        bail!(WrongUsage(format!("--set: {} is set twice; say once how long it is kept", twice[0])));
    }
    let (by, reason) =
        (arguments.by.clone().unwrap_or_default(), arguments.reason.clone().unwrap_or_default());
    if by.trim().is_empty() || reason.trim().is_empty() {
        bail!(WrongUsage("--by and --reason must say something".to_owned()));
    }
    mdm.store().write(|write| {
        for (kind, months) in &wishes {
            match months {
                None => {
                    write.keep_for_ever(*kind)?;
                }
                Some(months) => write.set_retention(&Retention {
                    kind: *kind,
                    months: *months,
                    set_by: by.clone(),
                    reason: reason.clone(),
                    set_at: now,
                })?,
            }
        }
        let all: Vec<_> = write.retention()?.iter().map(|one| (one.kind, one.months)).collect();
        check(&all).map_err(|error| anyhow::anyhow!("could not {error}"))
    })?;
    talk.say("set; `wattle admin retention` shows what it would remove");
    Ok(())
}

fn parse(wish: &str) -> Result<(Kept, Option<u32>)> {
    let usage = || {
        let kinds = Kept::ALL.map(Kept::name).join(", ");
        WrongUsage(format!("--set: `{wish}` is no KIND=MONTHS or KIND=forever; kinds are {kinds}"))
    };
    let (kind, months) = wish.split_once('=').ok_or_else(usage)?;
    let kind = Kept::from_name(kind).ok_or_else(usage)?;
    match months {
        "forever" => Ok((kind, None)),
        months => Ok((kind, Some(months.parse().map_err(|_| usage())?))),
    }
}

/// Removes through the queue of jobs, so that a process beside this one does nothing twice.
fn apply(mdm: &Arc<Mdm>, talk: Talk) -> Result<()> {
    let clock = Clock::real();
    let chores = Chores::new(Arc::clone(mdm), format!("wattle admin {}", std::process::id()), LEASE);
    let ordered = chores.order_retention(clock.now())?;
    while let Some(turn) = chores.turn_of(&[RETAIN], clock.now())? {
        if let Turn::Failed(job, why) = turn {
            bail!("could not remove {}: {why}; it is tried again by `wattle serve`, or by --apply", job.key);
        }
    }
    for key in &ordered {
        let job = mdm.store().read(|read| read.job(RETAIN, key))?;
        let (state, outcome) = match &job {
            Some(job) if job.state == JobState::Done => ("done", job.outcome.as_str()),
            _ => ("waiting", "another process is at it; `wattle admin jobs` follows it"),
        };
        let record = json!({ "removal": key, "state": state, "outcome": outcome });
        talk.data(&record, format_args!("{key}: {outcome}"))?;
    }
    if ordered.is_empty() {
        talk.say("nothing is set, so everything is kept; --set KIND=MONTHS sets it");
    }
    Ok(())
}

fn log(mdm: &Mdm, talk: Talk) -> Result<()> {
    let removals = mdm.store().read(|read| read.removals(LISTED))?;
    for one in removals {
        let record = json!({
            "kind": one.kind.name(), "before": one.before.to_string(), "removed": one.removed, "pinned": one.pinned,
            "months": one.months, "done_by": one.done_by, "done_at": one.done_at.to_string(),
        });
        let text = format!(
            "{} {:<10} {} {} before {} removed, {} stayed for a bill  ({})",
            one.done_at,
            one.kind.name(),
            one.removed,
            one.kind.counted(),
            one.before,
            one.pinned,
            one.done_by
        );
        talk.data(&record, text)?;
    }
    Ok(())
}
