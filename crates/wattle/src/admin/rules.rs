//! `wattle admin rules`.

use super::groups::Why;
use super::{Place, person};
use crate::talk::{Talk, WrongUsage};
use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use mdm::Mdm;
use serde_json::json;
use server::clock::Clock;
use std::fs;
use std::path::{Path, PathBuf};
use vee::RuleBook;

/// Show, compare, try and put in force the rules of validation and estimation.
///
/// What is put in force is taken up by every running process with the next readings it judges.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the rules in force on a day as a file that can be changed and put in force.
    Show {
        /// The day; today if not given.
        #[arg(long, value_name = "DAY")]
        date: Option<Date>,
    },
    /// Print in what a rules file differs from the rules in force.
    Diff {
        /// The rules file.
        file: PathBuf,
        /// The day; today if not given.
        #[arg(long, value_name = "DAY")]
        date: Option<Date>,
    },
    /// Count what a rules file would have found in days that were, beside the rules in force; nothing is written.
    WhatIf {
        /// The rules file.
        file: PathBuf,
        /// The first day.
        #[arg(long, value_name = "DAY")]
        from: Date,
        /// The day after the last one.
        #[arg(long, value_name = "DAY")]
        to: Date,
    },
    /// Put a rules file in force for the days from one on.
    Activate {
        /// The rules file.
        file: PathBuf,
        /// The first day that it judges.
        #[arg(long, value_name = "DAY")]
        from: Date,
        #[command(flatten)]
        why: Why,
    },
    /// List what was put in force, by whom and why.
    History,
}

pub(super) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let mdm = arguments.place.manager()?;
    let now = Clock::real().now();
    let today = mdm.day_of(now)?.date();
    match &arguments.command {
        Command::Show { date } => {
            let book = mdm.book_on(date.unwrap_or(today))?;
            let (hash, text) = (book.hash().to_string(), book.to_toml()?);
            talk.data(&json!({ "hash": hash, "toml": text }), format_args!("# rule set {hash}\n{text}"))
        }
        Command::Diff { file, date } => diff(&mdm.book_on(date.unwrap_or(today))?, &book(file)?, talk),
        Command::WhatIf { file, from, to } => what_if(&mdm, file, (*from, *to), talk),
        Command::Activate { file, from, why } => {
            let toml = text(file)?;
            book(file)?;
            let user = person(mdm.store(), &why.by)?;
            let done = mdm.activate_rules(now, user, &toml, *from, &why.reason)?;
            let hash = match done {
                Ok(hash) => hash,
                Err(refused) => bail!(WrongUsage(format!("failed to {refused}"))),
            };
            talk.data(
                &json!({ "hash": hash, "from": from }),
                format_args!("rule set {hash} judges the days from {from} on"),
            )
        }
        Command::History => {
            for one in mdm.activations()? {
                let who = mdm.store().read(|read| read.user(one.user))?.map(|user| user.name);
                let record = json!({
                    "hash": one.hash, "from": one.from, "activated_at": one.activated_at, "by": who, "reason": one.reason,
                });
                let by = who.as_deref().unwrap_or("?");
                talk.data(
                    &record,
                    format_args!(
                        "from {}  {}  {by}: {} ({})",
                        one.from, one.hash, one.reason, one.activated_at
                    ),
                )?;
            }
            Ok(())
        }
    }
}

fn text(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))
}

fn book(file: &Path) -> Result<RuleBook> {
    RuleBook::from_toml(&text(file)?)
        .map_err(|refused| anyhow::anyhow!("{}: failed to {refused}", file.display()))
}

fn diff(before: &RuleBook, after: &RuleBook, talk: Talk) -> Result<()> {
    let found = before.differences(after);
    if found.is_empty() {
        talk.say("they say the same");
    }
    for one in found {
        let record = json!({ "group": one.group, "key": one.key, "before": one.before, "after": one.after });
        let group = one.group.as_deref().map_or_else(String::new, |group| format!("[{group}] "));
        let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".to_owned());
        talk.data(
            &record,
            format_args!("{group}{:<40} {} -> {}", one.key, side(&one.before), side(&one.after)),
        )?;
    }
    Ok(())
}

fn what_if(mdm: &Mdm, file: &Path, (from, to): (Date, Date), talk: Talk) -> Result<()> {
    if from >= to {
        bail!(WrongUsage("--to is the day after the last one and lies after --from".to_owned()));
    }
    let found = mdm.what_if(Clock::real().now(), &text(file)?, (from, to), &|| true)?;
    let found = found.map_err(|refused| anyhow::anyhow!("{}: failed to {refused}", file.display()))?;
    for effect in &found.rules {
        let record = json!({
            "rule": effect.rule, "now": effect.now, "would": effect.would, "meters_now": effect.meters_now,
            "meters_would": effect.meters_would,
        });
        let name = effect.rule.name();
        talk.data(
            &record,
            format_args!(
                "{name:<24} {:>8} -> {:>8}  on {} -> {} meters",
                effect.now, effect.would, effect.meters_now, effect.meters_would
            ),
        )?;
    }
    let whole = if found.complete { "" } else { "; not all of it was judged" };
    talk.say(format_args!("{} days of channels of {} meters{whole}", found.channel_days, found.meters));
    Ok(())
}
