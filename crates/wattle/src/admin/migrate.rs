//! `wattle admin migrate`.

use super::Place;
use crate::talk::{Talk, WrongUsage};
use anyhow::{Result, bail};
use jiff::tz::TimeZone;
use serde_json::json;
use server::utility::{Utility, holds_store};

/// Create a data directory with database and master key, or bring an old one up to date.
///
/// Keep a copy of the master key elsewhere: without it no meter key in the database opens.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// The utility's name; needed the first time.
    #[arg(long)]
    name: Option<String>,
    /// The zone whose local days are metering days, as Europe/Zurich; needed the first time and never changed after.
    #[arg(long)]
    zone: Option<String>,
}

const NEW: &str = "a new utility needs --name and --zone";

pub(super) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    if let Some(zone) = &arguments.zone
        && TimeZone::get(zone).is_err()
    {
        bail!(WrongUsage(format!("--zone: no zone is called `{zone}`; write it as Europe/Zurich")));
    }
    let place = &arguments.place.data;
    if arguments.place.database.is_none()
        && !holds_store(place)
        && (arguments.name.is_none() || arguments.zone.is_none())
    {
        bail!(WrongUsage(NEW.to_owned()));
    }
    let (store, _) = Utility::set_up_at(&arguments.place.home())?;
    let known = store.read(store::Read::utility)?;
    let (name, zone) = match (&known, &arguments.name, &arguments.zone) {
        (None, Some(name), Some(zone)) => (name.clone(), zone.clone()),
        (None, _, _) => bail!(WrongUsage(NEW.to_owned())),
        (Some(utility), name, zone) => {
            let own = utility.zone.iana_name().unwrap_or("UTC").to_owned();
            if zone.as_ref().is_some_and(|zone| *zone != own) {
                bail!("the zone is {own}; stored days are days of that zone, so it cannot change");
            }
            (name.clone().unwrap_or_else(|| utility.name.clone()), own)
        }
    };
    store.write(|write| write.set_utility(&name, &zone))?;
    let version = store.schema_version()?;
    let record = json!({ "utility": name, "zone": zone, "schema": version });
    talk.data(&record, format_args!("{name}, days of {zone}, schema {version}: {}", place.display()))
}
