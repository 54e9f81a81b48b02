//! `wattle admin`: setting a utility up.

mod groups;
mod jobs;
mod load;
mod meters;
mod migrate;
mod retention;
mod rules;
mod template;
mod user;
mod weather;

use crate::talk::{Talk, WrongUsage};
use anyhow::{Context, Result};
use mdm::Mdm;
use model::UserId;
use operations::models;
use server::utility::Home;
use std::path::PathBuf;
use store::Store;
use vee::RuleBook;

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
    /// List, show, define and retire saved groups of meters.
    Groups(groups::Arguments),
    /// Say that meters were exchanged, fitted, taken off or retired.
    Meters(meters::Arguments),
    /// Show, compare, try and put in force the rules of validation and estimation.
    Rules(rules::Arguments),
    /// List the temperatures that are known.
    Weather(weather::Arguments),
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

impl Place {
    /// The meter data manager of the utility there; no meter key is needed for it.
    fn manager(&self) -> Result<Mdm> {
        let store = self.home().open_known_store()?;
        Mdm::new(store, RuleBook::default(), models::judged())
            .context("could not start the meter data manager")
    }
}

/// The account in whose name something is done.
fn person(store: &Store, name: &str) -> Result<UserId> {
    let found = store.read(|read| read.user_by_name(name))?.filter(|user| !user.disabled);
    let remedy = || {
        WrongUsage(format!(
            "--by: there is no account {name} that may sign in; `wattle admin user list` lists them"
        ))
    };
    Ok(found.ok_or_else(remedy)?.id)
}

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    match &arguments.command {
        Command::Migrate(arguments) => migrate::run(arguments, talk),
        Command::User(arguments) => user::run(arguments, talk),
        Command::Jobs(arguments) => jobs::run(arguments, talk),
        Command::Retention(arguments) => retention::run(arguments, talk),
        Command::Groups(arguments) => groups::run(arguments, talk),
        Command::Meters(arguments) => meters::run(arguments, talk),
        Command::Rules(arguments) => rules::run(arguments, talk),
        Command::Weather(arguments) => weather::run(arguments, talk),
        Command::Load(arguments) => load::run(arguments, talk),
        Command::Template(arguments) => template::run(arguments, talk),
    }
}
