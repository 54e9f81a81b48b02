//! `wattle admin user`.

use super::Place;
use crate::keys;
use crate::talk::{Talk, WrongUsage};
use anyhow::{Context, Result, bail};
use operations::accounts::SHORTEST_PASSWORD;
use operations::{Accounts, NewAccount, Role};
use serde_json::json;
use std::io::{IsTerminal, stdin};

/// Create, list and change accounts.
///
/// The password is read from standard input, or from @FILE with --password, so that it stands in no process list.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Create an account.
    Add {
        /// What is typed at sign-in.
        name: String,
        /// customer, clerk, meter-operator, analyst, engineer or administrator.
        #[arg(long)]
        role: String,
        /// As shown on pages; the sign-in name if not given.
        #[arg(long)]
        display_name: Option<String>,
        /// The customer's number, for the role customer.
        #[arg(long)]
        customer: Option<String>,
        /// @FILE whose first line is the password; standard input if not given.
        #[arg(long, value_name = "@FILE")]
        password: Option<String>,
    },
    /// Set an account's password; its sessions end.
    Password {
        /// Whose.
        name: String,
        /// @FILE whose first line is the password; standard input if not given.
        #[arg(long, value_name = "@FILE")]
        password: Option<String>,
    },
    /// Lock an account out; its sessions end.
    Lock {
        /// Whose.
        name: String,
    },
    /// Let a locked account in again.
    Unlock {
        /// Whose.
        name: String,
    },
    /// List accounts.
    List,
}

pub(super) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let store = arguments.place.home().open_known_store()?;
    let accounts = Accounts::new(store.clone());
    match &arguments.command {
        Command::Add { name, role, display_name, customer, password } => {
            let role = Role::from_name(role).ok_or_else(|| {
                let names: Vec<_> = Role::ALL.iter().map(|role| role.name()).collect();
                WrongUsage(format!("--role: `{role}` is none of {}", names.join(", ")))
            })?;
            let customer = match customer {
                Some(number) => {
                    let found = store.read(|read| read.customer_by_account(number))?;
                    Some(found.with_context(|| format!("there is no customer {number}"))?.id)
                }
                None => None,
            };
            let display_name = display_name.as_deref().unwrap_or(name);
            let password = given(password.as_deref(), talk)?;
            let new = NewAccount { name, display_name, role, customer };
            accounts.create(&new, Some(&password), &salt()?).map_err(failed)?;
            talk.data(
                &json!({ "created": name, "role": role.name() }),
                format_args!("{name} created as {}", role.title()),
            )
        }
        Command::Password { name, password } => {
            let password = given(password.as_deref(), talk)?;
            if !accounts.set_password(name, &password, &salt()?).map_err(failed)? {
                bail!("there is no account {name}");
            }
            talk.data(&json!({ "changed": name }), format_args!("{name}: password set, sessions ended"))
        }
        Command::Lock { name } => lock(&store, talk, name, true),
        Command::Unlock { name } => lock(&store, talk, name, false),
        Command::List => {
            for user in store.read(store::Read::users)? {
                let record = json!({ "name": user.name, "role": user.role, "locked": user.disabled });
                let locked = if user.disabled { "locked" } else { "" };
                talk.data(
                    &record,
                    format_args!("{:<24} {:<16} {:<28} {locked}", user.name, user.role, user.display_name),
                )?;
            }
            Ok(())
        }
    }
}

fn lock(store: &store::Store, talk: Talk, name: &str, locked: bool) -> Result<()> {
    let user =
        store.read(|read| read.user_by_name(name))?.with_context(|| format!("there is no account {name}"))?;
    store.write(|write| write.set_disabled(user.id, locked))?;
    let what = if locked { "locked" } else { "unlocked" };
    talk.data(&json!({ "name": name, "locked": locked }), format_args!("{name} is {what}"))
}

fn failed(error: operations::AccountError) -> anyhow::Error {
    anyhow::anyhow!("failed to {error}")
}

fn given(password: Option<&str>, talk: Talk) -> Result<String> {
    let bytes = match password {
        Some(file) if file.starts_with('@') => keys::secret("the password", file)?,
        Some(_) => bail!(WrongUsage(
            "--password takes @FILE; a password on the command line can be seen by others".to_owned()
        )),
        None => {
            if stdin().is_terminal() {
                talk.say(format_args!(
                    "Password, at least {SHORTEST_PASSWORD} characters; it is shown as you type:"
                ));
            }
            let mut line = String::new();
            stdin().read_line(&mut line).context("could not read the password from standard input")?;
            line.trim_end_matches(['\r', '\n']).as_bytes().to_vec()
        }
    };
    String::from_utf8(bytes).context("the password is no text")
}

fn salt() -> Result<[u8; 16]> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)
        .map_err(|error| anyhow::anyhow!("no random bytes from the system: {error}"))?;
    Ok(salt)
}
