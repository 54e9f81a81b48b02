//! `wattle admin`: setting a utility up.

mod jobs;
mod load;
mod migrate;
mod retention;
mod template;
mod user;

use crate::talk::Talk;
use anyhow::Result;
use server::utility::Home;
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
    /// List the work of the utility's jobs, and revive what was given up.
    Jobs(jobs::Arguments),
    /// Show and set how long data is kept, and remove what is older.
    Retention(retention::Arguments),
    /// Bring premises, customers, service points, meters, collectors and keys in from CSV files.
    Load(load::Arguments),
    /// Print commented CSV templates, or write them to a directory.
    Template(template::Arguments),
}

/// The data directory of a utility.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// The data directory.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The master key, if it is not master.key in the data directory.
    #[arg(long, value_name = "FILE")]
    master_key: Option<PathBuf>,
    /// A PostgreSQL database instead of the file in the data directory, as postgres://user@localhost/name.
    #[arg(long, value_name = "ADDRESS")]
    database: Option<String>,
    /// A file whose first line is the password for it.
    #[arg(long, value_name = "FILE", requires = "database")]
    database_password_file: Option<PathBuf>,
}

impl Place {
    pub(crate) fn home(&self) -> Home {
        Home {
            data: self.data.clone(),
            master_key: self.master_key.clone(),
            database: self.database.clone(),
            password_file: self.database_password_file.clone(),
        }
    }
}

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    match &arguments.command {
        Command::Migrate(arguments) => migrate::run(arguments, talk),
        Command::User(arguments) => user::run(arguments, talk),
        Command::Jobs(arguments) => jobs::run(arguments, talk),
        Command::Retention(arguments) => retention::run(arguments, talk),
        Command::Load(arguments) => load::run(arguments, talk),
        Command::Template(arguments) => template::run(arguments, talk),
    }
}
