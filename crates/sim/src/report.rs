//! What a run came to.

use serde::Serialize;

/// Things counted in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Intervals of the judged days, of every channel.
    pub intervals: u64,
    /// Those that were read.
    pub read: u64,
    /// Those that were estimated.
    pub estimated: u64,
    /// Those that are zero because the supply was verifiably off.
    pub known_zero: u64,
    /// Those flagged as missing.
    pub missing: u64,
    /// Values compared with the truth, one by one.
    pub compared: u64,
    /// Register differences compared with the sum of their intervals.
    pub registers_compared: u64,
    /// Quarter hours in which a transformer was compared with its meters.
    pub transformer_quarters: u64,
    /// Batches, registers and events whose storage was acknowledged and proven.
    pub acknowledged: u64,
    /// Invocation counters seen on the wire.
    pub counters: u64,
    /// Visits of the head-end to meters.
    pub visits: u64,
    /// Pushes understood.
    pub pushes: u64,
    /// Times the utility was killed and started again.
    pub kills: u64,
    /// Connections cut in the middle.
    pub cuts: u64,
    /// Commands ordered.
    pub commands: u64,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// The seed: the same again gives the same run.
    pub seed: u64,
    /// Local days judged.
    pub days: u32,
    /// The first of them.
    pub first_day: String,
    /// Meters in the territory.
    pub meters: usize,
    /// What was counted.
    pub tally: Tally,
    /// The facts that do not hold, the first found first; empty when all is well.
    pub violations: Vec<String>,
}

impl Report {
    /// Whether every fact holds.
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }
}

impl core::fmt::Display for Report {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let tally = &self.tally;
        write!(
            f,
            "seed {}: {} from {}, {} days, {} meters, {} intervals ({} read, {} estimated, {} zero in outages, {} missing), {} kills",
            self.seed,
            self.scenario,
            self.first_day,
            self.days,
            self.meters,
            tally.intervals,
            tally.read,
            tally.estimated,
            tally.known_zero,
            tally.missing,
            tally.kills,
        )?;
        if let Some(first) = self.violations.first() {
            write!(f, "\nseed {} violates: {first}", self.seed)?;
            if self.violations.len() > 1 {
                write!(f, " (and {} more)", self.violations.len() - 1)?;
            }
        }
        Ok(())
    }
}
