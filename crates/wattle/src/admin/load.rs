//! `wattle admin load`.

use super::Place;
use crate::talk::Talk;
use anyhow::{Context, Result, bail};
use operations::load::parse;
use operations::provision::{InStore, provision};
use serde_json::json;
use server::clock::Clock;
use server::utility::Utility;
use std::fs;
use std::path::PathBuf;
use store::ProvisionError;

/// Bring premises, customers, service points, meters, collectors and keys in from CSV files.
///
/// Files may come in any order and say by their header what they hold. Everything is checked whole before anything
/// is written. A `wattle serve` that runs must be started again to read new meters.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// CSV files, as `wattle admin template` describes them.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Check only; write nothing.
    #[arg(long)]
    check: bool,
}

/// Faults shown; more of them help nobody.
const MOST_FAULTS: usize = 50;

pub(super) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let utility = Utility::open_at(&arguments.place.home())?;
    let mut texts = Vec::new();
    for file in &arguments.files {
        let text = fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
        texts.push((file.display().to_string(), text));
    }
    let data = match parse(&texts, &InStore(&utility.store)) {
        Ok(data) => data,
        Err(faults) => {
            for fault in faults.iter().take(MOST_FAULTS) {
                talk.say(fault);
            }
            bail!("{} faults; nothing was written", faults.len());
        }
    };
    let counts = [
        ("premises", data.premises.len()),
        ("customers", data.customers.len()),
        ("transformers", data.transformers.len()),
        ("collectors", data.collectors.len()),
        ("service_points", data.service_points.len()),
        ("meters", data.meters.len()),
    ];
    if !arguments.check {
        match provision(&utility.store, data, &utility.master, Clock::real().now()) {
            Ok(_) => {}
            Err(ProvisionError::Refused(refusals)) => {
                for refusal in refusals.iter().take(MOST_FAULTS) {
                    talk.say(format_args!("{} row {}: {}", refusal.table, refusal.index + 1, refusal.why));
                }
                bail!("{} rows do not fit; nothing was written", refusals.len());
            }
            Err(ProvisionError::Store(error)) => return Err(error).context("nothing was written"),
        }
    }
    for (what, count) in counts {
        talk.data(&json!({ "kind": what, "count": count }), format_args!("{what:<16} {count}"))?;
    }
    talk.say(if arguments.check { "checked; nothing was written" } else { "loaded" });
    Ok(())
}
