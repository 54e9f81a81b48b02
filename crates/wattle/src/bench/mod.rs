//! `wattle bench`: measurements of this executable, one object a line.

use crate::talk::{Talk, WrongUsage};
use anyhow::{Result, bail};

/// Measure; without a name, list what can be measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which bench.
    name: Option<String>,
    /// Smaller and quicker: under ten seconds.
    #[arg(long)]
    quick: bool,
}

pub(crate) fn run(arguments: &Arguments, _: Talk) -> Result<()> {
    bail!(WrongUsage(format!("{arguments:?}")))
}
