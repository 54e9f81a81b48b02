//! The whole utility under virtual time: one seed, faults, checkers.
//!
//! The same engines and services that run in production, wired by byte pipes instead of sockets:
//!
//! ```text
//!  territory <==pipes==> head-end -> duty -> MDM -> store (a real file)
//!      ^                    ^---------'                |
//!      |  storms, outages,  |  kills, cut connections, |
//!      |  dead collectors   |  slow disks              |
//!    truth ------------------- checkers ---------------'
//! ```
//!
//! It holds no copy of production logic. What it has of its own is time, chance, pipes and checkers. Time
//! jumps from one thing to do to the next; nothing sleeps, and the same seed gives the same run.
//!
//! A *kill* drops the utility's side with all it had not written, and opens the database as a killed process
//! leaves it: the files are copied while they are open, so that nothing is tidied up on the way.

mod chaos;
mod check;
mod counters;
mod dice;
mod pipe;
mod report;
mod turn;
mod utility;
mod wires;
mod witness;

pub use report::{Report, Tally};
pub use territory::Scenario;

use anyhow::Context;
use jiff::civil::Date;

/// What to simulate.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// The territory.
    pub scenario: Scenario,
    /// Decides everything that chance decides.
    pub seed: u64,
    /// How many local days are judged; the run goes on for some quiet hours after them.
    pub days: u32,
}

/// Local dates that runs begin on, by the seed; in North America two of them are the days on which daylight
/// saving time begins and ends.
const FIRST_DAYS: [Date; 6] = [
    Date::constant(2026, 1, 12),
    Date::constant(2026, 3, 8),
    Date::constant(2026, 5, 20),
    Date::constant(2026, 8, 1),
    Date::constant(2026, 11, 1),
    Date::constant(2026, 12, 24),
];

/// Runs one simulation to its end, or to the first fact that is violated.
///
/// # Errors
/// When the simulation itself cannot run: the scenario does not build, the temporary database cannot be
/// opened, time stands still. A violated fact is no error but part of the [`Report`].
pub fn run(config: &SimConfig) -> anyhow::Result<Report> {
    let mut simulation =
        start(config).with_context(|| format!("start the simulation of seed {}", config.seed))?;
    simulation.run().with_context(|| format!("run the simulation of seed {}", config.seed))?;
    simulation.judge().with_context(|| format!("judge the simulation of seed {}", config.seed))
}

fn start(config: &SimConfig) -> anyhow::Result<turn::Simulation> {
    let zone = jiff::tz::TimeZone::get(&config.scenario.zone).context("find the scenario's zone")?;
    let number = usize::try_from(config.seed % 6).unwrap_or(0);
    let first = FIRST_DAYS[number];
    let midnight = first.to_zoned(zone).context("find the first midnight")?.timestamp();
    turn::Simulation::new(config, first, midnight)
}

#[cfg(test)]
mod tests;
