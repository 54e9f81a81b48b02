//! `wattle sim`: a whole utility under virtual time.

use crate::talk::{Talk, WrongUsage};
use crate::town;
use anyhow::{Result, bail};
use sim::SimConfig;

/// Run a whole utility under virtual time from one seed and check it.
///
/// Loads, weather, losses, reboots, clock drift, dead collectors, partitions, late and doubled data and process kills
/// follow from the seed; checkers compare what is stored with what truly flowed. A failure prints its seed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A scenario that comes with Wattle (street, demo), or a .toml file.
    #[arg(long, default_value = "street")]
    scenario: String,
    /// Meters in all; as many as the scenario says if not given.
    #[arg(long)]
    meters: Option<u32>,
    /// The seed, or the first one with --seeds.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, one after the other.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// Days that are judged.
    #[arg(long, default_value_t = 3)]
    days: u32,
    /// Go on after a seed that fails.
    #[arg(long)]
    keep_going: bool,
}

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    if arguments.days == 0 || arguments.seeds == 0 {
        bail!(WrongUsage("--days and --seeds must be at least 1".to_owned()));
    }
    let scenario = town::scenario(&arguments.scenario, arguments.meters)?;
    let bar = talk.progress(arguments.seeds, "seeds");
    let mut failed = Vec::new();
    for seed in arguments.seed..arguments.seed.saturating_add(arguments.seeds) {
        let report = sim::run(&SimConfig { scenario: scenario.clone(), seed, days: arguments.days })?;
        bar.suspend(|| talk.data(&report, &report))?;
        bar.inc(1);
        if !report.holds() {
            failed.push(seed);
            if !arguments.keep_going {
                break;
            }
        }
    }
    bar.finish_and_clear();
    if let Some(first) = failed.first() {
        bail!(
            "{} of the seeds failed; run one again with: wattle sim --scenario {} --seed {first} --days {}",
            failed.len(),
            arguments.scenario,
            arguments.days
        );
    }
    Ok(())
}
