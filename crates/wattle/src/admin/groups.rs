//! `wattle admin groups`.

use super::{Place, person};
use crate::talk::{Talk, WrongUsage};
use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use mdm::Mdm;
use mdm::dated::Change;
use mdm::group::{GroupFilter, GroupRule, SavedGroup, Scope};
use model::{Commodity, MeterId, Serial};
use serde_json::json;
use server::clock::Clock;
use std::fs;
use std::path::PathBuf;

/// List, show, define and retire saved groups of meters.
///
/// A group is dated: what it meant before stays for the days before, and who changed it when and why is on record.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the groups with what they mean today.
    List,
    /// Show a group's history and its meters on a day.
    Show {
        /// Its name.
        name: String,
        /// The day; today if not given.
        #[arg(long, value_name = "DAY")]
        date: Option<Date>,
    },
    /// Say who belongs to a group from a day on; a new name is made.
    Put {
        /// Its name.
        name: String,
        /// Conditions that a meter must fulfil on the day, as feeder=F-1,rate_class=R-1: commodity, model, feeder, substation,
        /// rate_class or serial_prefix.
        #[arg(long, value_name = "KEY=VALUE,..", conflicts_with = "serials")]
        filter: Option<String>,
        /// A file of serial numbers, one a line, instead.
        #[arg(long, value_name = "FILE")]
        serials: Option<PathBuf>,
        /// The first day on which it means that; for every day if new, else today.
        #[arg(long, value_name = "DAY")]
        from: Option<Date>,
        #[command(flatten)]
        why: Why,
    },
    /// A group is no more from a day on; days before keep it.
    Retire {
        /// Its name.
        name: String,
        /// The first day; today if not given.
        #[arg(long, value_name = "DAY")]
        from: Option<Date>,
        #[command(flatten)]
        why: Why,
    },
}

/// Who changes something, and why.
#[derive(Debug, clap::Args)]
pub(crate) struct Why {
    /// Why; kept with the change.
    #[arg(long)]
    pub(crate) reason: String,
    /// The account in whose name it is done, as `wattle admin user list` shows it.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) by: String,
}

pub(super) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let mdm = arguments.place.manager()?;
    let now = Clock::real().now();
    let today = mdm.day_of(now)?.date();
    match &arguments.command {
        Command::List => list(&mdm, today, talk),
        Command::Show { name, date } => show(&mdm, &named(&mdm, name)?, date.unwrap_or(today), talk),
        Command::Put { name, filter, serials, from, why } => {
            let rule = match (filter, serials) {
                (Some(filter), None) => GroupRule::Filter(conditions(filter)?),
                (None, Some(file)) => GroupRule::List(meters(&mdm, file)?),
                _ => bail!(WrongUsage("say who belongs to it: either --filter or --serials".to_owned())),
            };
            let user = person(mdm.store(), &why.by)?;
            let change = Change { now, user, from: *from, reason: &why.reason };
            let id =
                mdm.put_group(&change, name, &rule)?.map_err(|refused| WrongUsage(refused.to_string()))?;
            talk.data(&json!({ "group": name, "id": id }), format_args!("{name} is kept"))
        }
        Command::Retire { name, from, why } => {
            let group = named(&mdm, name)?;
            let user = person(mdm.store(), &why.by)?;
            let change = Change { now, user, from: *from, reason: &why.reason };
            mdm.retire_group(&change, group.id)?.map_err(|refused| WrongUsage(refused.to_string()))?;
            let from = from.unwrap_or(today);
            talk.data(
                &json!({ "group": name, "retired_from": from }),
                format_args!("{name} is no more from {from} on"),
            )
        }
    }
}

fn named(mdm: &Mdm, name: &str) -> Result<SavedGroup> {
    let all = mdm.groups()?;
    let names: Vec<&str> = all.iter().map(|group| group.name.as_str()).collect();
    let known = if names.is_empty() {
        "there is none yet".to_owned()
    } else {
        format!("there are {}", names.join(", "))
    };
    let found = all.iter().find(|group| group.name == name).cloned();
    found.ok_or_else(|| WrongUsage(format!("no group is called `{name}`; {known}")).into())
}

fn list(mdm: &Mdm, today: Date, talk: Talk) -> Result<()> {
    let all = mdm.groups()?;
    if all.is_empty() {
        talk.say("no groups; `wattle admin groups put` makes one");
    }
    for group in all {
        let meters = mdm.members(&Scope::Group(group.id), today)?.map(|members| members.len());
        let rule = group.meaning(today);
        let record = json!({ "id": group.id, "name": group.name, "rule": rule, "meters": meters });
        let count = meters.map_or_else(|| "-".to_owned(), |count| count.to_string());
        talk.data(&record, format_args!("{:<6} {:<28} {count:>8}  {}", group.id, group.name, said(rule)))?;
    }
    Ok(())
}

fn said(rule: Option<&GroupRule>) -> String {
    match rule {
        None => "retired".to_owned(),
        Some(GroupRule::List(meters)) => format!("{} meters chosen one by one", meters.len()),
        Some(GroupRule::Filter(filter)) => {
            let conditions = serde_json::to_value(filter).unwrap_or_default();
            let conditions =
                conditions.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
            let text =
                |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let conditions: Vec<String> =
                conditions.map(|(key, value)| format!("{key}={}", text(value))).collect();
            if conditions.is_empty() { "every meter".to_owned() } else { conditions.join(",") }
        }
    }
}

fn show(mdm: &Mdm, group: &SavedGroup, date: Date, talk: Talk) -> Result<()> {
    for version in &group.versions {
        let record = json!({
            "group": group.name, "version": version.number, "from": version.from, "rule": version.is,
            "by": version.user, "reason": version.reason, "changed_at": version.changed_at,
        });
        let said = said(version.is.as_ref());
        let line = format_args!(
            "{:>3}  from {}  {said}: {} ({})",
            version.number, version.from, version.reason, version.changed_at
        );
        talk.data(&record, line)?;
    }
    let members = mdm.members(&Scope::Group(group.id), date)?.unwrap_or_default();
    talk.say(format_args!("{} meters on {date}", members.len()));
    for id in members {
        let meter = mdm.store().read(|read| read.meter(id))?;
        let serial = meter.map_or_else(|| id.to_string(), |meter| meter.serial.to_string());
        talk.data(&json!({ "meter": id, "serial": serial }), serial.as_str())?;
    }
    Ok(())
}

fn conditions(text: &str) -> Result<GroupFilter, WrongUsage> {
    let mut filter = GroupFilter::default();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| WrongUsage(format!("--filter: `{pair}` is no KEY=VALUE, as in feeder=F-1")))?;
        let value = value.trim().to_owned();
        match key.trim() {
            "commodity" => {
                filter.commodity = Some(match value.as_str() {
                    "electricity" => Commodity::Electricity,
                    "gas" => Commodity::Gas,
                    "water" => Commodity::Water,
                    other => {
                        return Err(WrongUsage(format!(
                            "--filter: commodity is electricity, gas or water, not `{other}`"
                        )));
                    }
                });
            }
            "model" => filter.model = Some(value),
            "feeder" => filter.feeder = Some(value),
            "substation" => filter.substation = Some(value),
            "rate_class" => filter.rate_class = Some(value),
            "serial_prefix" => filter.serial_prefix = Some(value),
            other => {
                return Err(WrongUsage(format!(
                    "--filter: `{other}` is none of commodity, model, feeder, substation, rate_class, serial_prefix"
                )));
            }
        }
    }
    if filter == GroupFilter::default() {
        return Err(WrongUsage("--filter: name at least one condition, as in feeder=F-1".to_owned()));
    }
    Ok(filter)
}

fn meters(mdm: &Mdm, file: &std::path::Path) -> Result<Vec<MeterId>> {
    let text = fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
    let mut found = Vec::new();
    for (line, serial) in text.lines().enumerate().map(|(line, text)| (line + 1, text.trim())) {
        if serial.is_empty() || serial.starts_with('#') {
            continue;
        }
        let meter = mdm.store().read(|read| read.meter_by_serial(&Serial::new(serial)))?;
        found.push(
            meter
                .with_context(|| {
                    format!("{}:{line}: no meter has the serial number {serial}", file.display())
                })?
                .id,
        );
    }
    if found.is_empty() {
        bail!("{} names no meter", file.display());
    }
    Ok(found)
}
