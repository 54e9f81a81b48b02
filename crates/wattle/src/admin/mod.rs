//! `wattle admin`: setting a utility up.

mod load;
mod migrate;
mod template;
mod user;

use crate::talk::Talk;
use anyhow::Result;
use std::path::PathBuf;

/// Set a utility up: accounts, keys, master data, migrations.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Create a data directory, or bring an old one up to date.
    Migrate(migrate::Arguments),
    /// Create, list and change accounts.
    User(user::Arguments),
    /// Bring premises, customers, service points, meters, collectors and keys in from CSV files.
    Load(load::Arguments),
    /// Print commented CSV templates, or write them to a directory.
    Template(template::Arguments),
}

/// The data directory of a utility.
#[derive(Debug, clap::Args)]
struct Place {
    /// The data directory.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The master key, if it is not master.key in the data directory.
    #[arg(long, value_name = "FILE")]
    master_key: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    match &arguments.command {
        Command::Migrate(arguments) => migrate::run(arguments, talk),
        Command::User(arguments) => user::run(arguments, talk),
        Command::Load(arguments) => load::run(arguments, talk),
        Command::Template(arguments) => template::run(arguments, talk),
    }
}
