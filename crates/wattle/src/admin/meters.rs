//! `wattle admin meters`.

use super::groups::Why;
use super::{Place, person};
use crate::talk::{Talk, WrongUsage};
use anyhow::{Context, Result};
use jiff::Timestamp;
use mdm::Mdm;
use mdm::fitting::{Deed, Fitting, ReadOff};
use model::{ChannelKind, Serial};
use serde_json::json;
use server::clock::Clock;
use store::{Meter, MeterDeed};

/// Say that meters were exchanged, fitted, taken off or retired, with date, reason and registers.
///
/// What a meter measured until then stays where it was measured. Meters are named by the number on their plate; new ones come
/// with `wattle admin load`. A running `wattle serve` judges by it with the next restart at the latest.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show where a meter was when, and who said so.
    Show {
        /// Its serial number.
        serial: String,
    },
    /// Another meter, which hangs nowhere, takes a meter's place.
    Exchange {
        /// The serial number of the one that goes.
        old: String,
        /// The serial number of the one that comes.
        new: String,
        /// A total register of the one that comes, as import=0: Wh or litres.
        #[arg(long, value_name = "KIND=VALUE")]
        start: Vec<String>,
        /// The one that goes is put in store and may be fitted again; otherwise it is retired.
        #[arg(long)]
        keep: bool,
        #[command(flatten)]
        when: When,
    },
    /// A meter that hangs nowhere is fitted at a service point.
    Fit {
        /// Its serial number.
        serial: String,
        /// The number of the service point.
        service_point: String,
        #[command(flatten)]
        when: When,
    },
    /// A meter is taken off and put in store.
    TakeOff {
        /// Its serial number.
        serial: String,
        #[command(flatten)]
        when: When,
    },
    /// A meter is taken off for good.
    Retire {
        /// Its serial number.
        serial: String,
        #[command(flatten)]
        when: When,
    },
}

/// When something was done, what the registers showed, who says so and why.
#[derive(Debug, clap::Args)]
struct When {
    /// The instant, with its offset as 2026-03-01T10:30:00+01:00.
    #[arg(long, value_name = "INSTANT")]
    at: Timestamp,
    /// A total register at that instant (of the meter that goes, where two are exchanged), as import=4812377: Wh or litres.
    #[arg(long, value_name = "KIND=VALUE")]
    register: Vec<String>,
    #[command(flatten)]
    why: Why,
}

pub(super) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let mdm = arguments.place.manager()?;
    let (serial, when, deed) = match &arguments.command {
        Command::Show { serial } => return show(&mdm, &named(&mdm, serial)?, talk),
        Command::Exchange { old, new, start, keep, when } => {
            let new = named(&mdm, new)?.id;
            let start = start.iter().map(|text| read_off(text)).collect::<Result<_, _>>()?;
            (old, when, Deed::Exchange { new, start, retire: !keep })
        }
        Command::Fit { serial, service_point, when } => {
            let point = mdm.store().read(|read| read.service_point_by_number(service_point))?;
            let point = point
                .ok_or_else(|| WrongUsage(format!("no service point has the number {service_point}")))?;
            (serial, when, Deed::Fit { at: point.id })
        }
        Command::TakeOff { serial, when } => (serial, when, Deed::TakeOff),
        Command::Retire { serial, when } => (serial, when, Deed::Retire),
    };
    let meter = named(&mdm, serial)?;
    let fitting = Fitting {
        meter: meter.id,
        deed,
        at: when.at,
        registers: when.register.iter().map(|text| read_off(text)).collect::<Result<_, _>>()?,
        user: person(mdm.store(), &when.why.by)?,
        reason: when.why.reason.clone(),
    };
    let now = Clock::real().now();
    mdm.fit(now, &fitting)?.map_err(|refused| WrongUsage(format!("nothing was changed: {refused}")))?;
    show(&mdm, &named(&mdm, serial)?, talk)
}

fn named(mdm: &Mdm, serial: &str) -> Result<Meter> {
    let found = mdm.store().read(|read| read.meter_by_serial(&Serial::new(serial)))?;
    found.ok_or_else(|| WrongUsage(format!("no meter has the serial number {serial}")).into())
}

fn read_off(text: &str) -> Result<ReadOff, WrongUsage> {
    let unclear =
        || WrongUsage(format!("`{text}` is no register: write it as import=4812377, in Wh or litres"));
    let (kind, value) = text.split_once('=').ok_or_else(unclear)?;
    let kind = ChannelKind::from_name(kind.trim()).ok_or_else(unclear)?;
    Ok(ReadOff { kind, value: value.trim().parse().map_err(|_| unclear())? })
}

fn show(mdm: &Mdm, meter: &Meter, talk: Talk) -> Result<()> {
    let store = mdm.store();
    let points = store.read(store::Read::service_points)?;
    let number = |id| points.iter().find(|point| Some(point.id) == id).map(|point| point.number.clone());
    let stays = store.read(|read| read.stays(Timestamp::MIN, Timestamp::MAX))?;
    for stay in stays.into_iter().filter(|stay| stay.meter == meter.id) {
        let place = number(stay.service_point);
        let record = json!({
            "meter": meter.serial, "service_point": place, "from": stay.from, "to": stay.to,
        });
        let until = stay.to.map_or_else(|| "now".to_owned(), |to| to.to_string());
        let place = place.unwrap_or_else(|| "in store".to_owned());
        talk.data(&record, format_args!("{}  {place}  from {} until {until}", meter.serial, stay.from))?;
    }
    for change in store.read(|read| read.meter_changes(meter.id))? {
        let other = change.other.map(|other| store.read(|read| read.meter(other))).transpose()?.flatten();
        let other = other.map(|other| other.serial);
        let who = store.read(|read| read.user(change.user))?.context("the account is not there")?;
        let record = json!({
            "meter": meter.serial, "what": change.what.name(), "at": change.at, "other": other,
            "service_point": number(change.service_point), "by": who.name, "reason": change.reason,
            "recorded_at": change.recorded_at,
        });
        let place = match (&other, change.what) {
            (Some(other), MeterDeed::Fitted) => format!(" in place of {other}"),
            (Some(other), _) => format!(", {other} came in its place"),
            (None, _) => String::new(),
        };
        let what = change.what.name().replace('_', " ");
        talk.data(&record, format_args!("  {}  {what}{place}: {} ({})", change.at, change.reason, who.name))?;
    }
    Ok(())
}
