//! `wattle import`.

use crate::admin::Place;
use crate::profiles::{self, Night};
use crate::talk::Talk;
use crate::weather;
use anyhow::{Context, Result, bail};
use exchange::container::Source;
use exchange::csv::Mapping;
use exchange::{Format, Options};
use jiff::civil::Date;
use mdm::{ImportReport, Mdm};
use operations::files::{self, FileWish};
use serde_json::json;
use server::clock::Clock;
use server::utility::Utility;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use store::ImportRefusal;

/// Take readings in from files: Green Button, NEM12, NEM13, CMEP, CSV, also inside .gz and .zip; with --weather, temperatures.
///
/// A file is taken in whole or not at all; records that cannot be taken are listed with their line and reason, and the
/// exit code is then 1. The same file again changes nothing.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// The files.
    #[arg(required_unless_present = "list")]
    files: Vec<PathBuf>,
    /// The format, where its content does not say: green-button, nem12, nem13, cmep, csv.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// What the columns of a CSV file mean, and which names stand for which serials (TOML).
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// The zone of stamps without an offset, as Europe/Zurich or +10:00.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// The files are a night's profiles of channels of this kind: a line a meter, `meter,start,value,value,...`, with our number
    /// of the meter, the start of the local day in Unix seconds and values in the unit that is stored. They are judged on every core and
    /// kept in groups: a load that was cut short goes on where it stopped when it is given again.
    #[arg(long, value_name = "KIND", requires = "day", conflicts_with_all = ["format", "mapping", "zone", "dry_run", "list"])]
    profiles: Option<String>,
    /// The local day of the profiles.
    #[arg(long, value_name = "DATE", requires = "profiles")]
    day: Option<Date>,
    /// The length of the profiles' intervals, seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, requires = "profiles")]
    interval_s: u32,
    /// The files are tables of air temperatures for estimation and the pages: a heading, then a time and degrees a line. Which
    /// column is what, its unit and its zone, a mapping file says where the heading does not.
    #[arg(long, conflicts_with_all = ["profiles", "format", "list"])]
    weather: bool,
    /// The station that stands for the utility, where a table of temperatures holds several.
    #[arg(long, value_name = "NAME", requires = "weather")]
    station: Option<String>,
    /// Look only; take nothing in.
    #[arg(long)]
    dry_run: bool,
    /// List what was taken in before, and what was left out.
    #[arg(long)]
    list: bool,
}

/// Refusals printed for a file; all that are kept are in the list.
const SHOWN: usize = 20;

/// A file that is opened by its path.
pub(crate) struct OnDisk<'a>(pub(crate) &'a Path);

impl Source for OnDisk<'_> {
    type Input = File;

    fn open(&self) -> io::Result<File> {
        File::open(self.0)
    }
}

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let options = options(arguments)?;
    let night = arguments.profiles.as_deref().zip(arguments.day);
    let night = night.map(|(kind, day)| Night::new(kind, arguments.interval_s, day)).transpose()?;
    let utility = Utility::open_at(&arguments.place.home())?;
    if arguments.list {
        return list(&utility, talk);
    }
    let (mut refused, mut failed) = (0, 0);
    let bar = talk.progress(u64::try_from(arguments.files.len())?, "files");
    for path in &arguments.files {
        let taken = match night {
            Some(night) => profiles::load(&utility.mdm, path, night, &arguments.place.home().data, talk),
            None if arguments.weather => {
                let how = (arguments.station.as_deref(), arguments.dry_run);
                weather::load(&utility.mdm, path, &options, how, talk)
            }
            None => import_file(&utility.mdm, path, &options, arguments.dry_run, talk),
        };
        match taken {
            Ok(left_out) => refused += left_out,
            Err(error) => {
                failed += 1;
                talk.say(format_args!(
                    "{error:#}{}",
                    if night.is_some() { "" } else { "; nothing of it was taken in" }
                ));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let left_out = (refused > 0).then(|| crate::talk::left_out(refused));
    let failed =
        (failed > 0).then(|| format!("{} could not be taken in", crate::talk::counted(failed, "file")));
    let told: Vec<String> = left_out.into_iter().chain(failed).collect();
    if told.is_empty() { Ok(()) } else { bail!("{}", told.join(", ")) }
}

fn options(arguments: &Arguments) -> Result<Options> {
    read_as(arguments.format.as_deref(), arguments.mapping.as_deref(), arguments.zone.as_deref())
}

/// How a file is read: its format, its mapping file and the zone of its stamps, as the command line names them.
pub(crate) fn read_as(format: Option<&str>, mapping: Option<&Path>, zone: Option<&str>) -> Result<Options> {
    let mut mapping = match mapping {
        None => Mapping::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("could not read {}", path.display()))?;
            Mapping::parse(&text).with_context(|| format!("could not use {}", path.display()))?
        }
    };
    if let Some(zone) = zone {
        if exchange::csv::zone(zone).is_none() {
            let told = format!("--zone {zone} is no zone; name one as Europe/Zurich or +10:00");
            return Err(crate::talk::WrongUsage(told).into());
        }
        mapping.time.zone = Some(zone.to_owned());
    }
    let format = match format {
        None => None,
        Some(name) => Some(Format::from_name(name).ok_or_else(|| {
            crate::talk::WrongUsage(format!(
                "{name:?} is no format; green-button, nem12, nem13, cmep, csv and parquet are read"
            ))
        })?),
    };
    Ok(Options { format, mapping })
}

/// Takes one file in, or each file of an archive, and says how many records were left out.
fn import_file(mdm: &Mdm, path: &Path, options: &Options, dry_run: bool, talk: Talk) -> Result<u64> {
    let name = path.display().to_string();
    let wish = FileWish { name: &name, options, dry_run, by: None };
    let (mut refused, mut told) = (0, Ok(()));
    let done = files::import(mdm, Clock::real().now(), &OnDisk(path), &wish, &mut |taken| {
        refused += taken.report.refused;
        if told.is_ok() {
            told = tell(&taken.name, taken.format, &taken.report, talk);
        }
    });
    told?;
    done?;
    Ok(refused)
}

fn tell(name: &str, format: &str, report: &ImportReport, talk: Talk) -> Result<()> {
    let record = json!({
        "kind": "file", "file": name, "format": format, "import": report.file, "known": report.known,
        "offered": report.offered, "substituted": report.substituted, "stored": report.bulk.intervals, "duplicates": report.bulk.duplicates,
        "superseded": report.bulk.superseded, "conflicting": report.bulk.conflicting,
        "outranked": report.bulk.outranked,
        "registers": report.bulk.registers,
        "findings": report.bulk.findings, "noted": report.noted, "refused": report.refused,
    });
    let again = if report.known { ", taken in before" } else { "" };
    let text = format!(
        "{name}: {format}{again}: {} intervals offered, {} new, {} duplicates, {} in place of others, {} registers new, \
         {} records left out",
        report.offered,
        report.bulk.intervals,
        report.bulk.duplicates,
        report.bulk.superseded + report.bulk.conflicting,
        report.bulk.registers,
        report.refused
    );
    talk.data(&record, text)?;
    tell_refusals(name, (&report.refusals, report.refused), talk)
}

/// Tells the first of so many records that were left out.
pub(crate) fn tell_refusals(
    name: &str,
    (refusals, count): (&[ImportRefusal], u64),
    talk: Talk,
) -> Result<()> {
    let shown = if talk.json() { refusals.len() } else { SHOWN };
    for refusal in refusals.iter().take(shown) {
        tell_refusal(name, refusal, talk)?;
    }
    let more = count.saturating_sub(u64::try_from(shown)?);
    if more > 0 && !talk.json() {
        talk.say(format_args!("  and {more} more; `wattle import --list --json` has them"));
    }
    Ok(())
}

fn tell_refusal(name: &str, refusal: &ImportRefusal, talk: Talk) -> Result<()> {
    let ImportRefusal { line, reason, sentence, remedy, excerpt } = refusal;
    let record = json!({
        "kind": "refusal", "file": name, "line": line, "reason": reason, "sentence": sentence, "remedy": remedy,
        "text": excerpt,
    });
    talk.data(&record, format_args!("  {name}:{line}: {sentence} ({reason}); {remedy}"))
}

fn list(utility: &Utility, talk: Talk) -> Result<()> {
    let files = utility.store.read(|read| read.imported_files(1000))?;
    for file in files {
        let record = json!({
            "kind": "file", "import": file.id, "file": file.name, "format": file.format,
            "loaded_at": file.loaded_at.to_string(), "offered": file.offered, "stored": file.stored,
            "duplicates": file.duplicates, "substituted": file.substituted, "registers": file.registers, "refused": file.refused,
        });
        let text = format!(
            "{:>6} {} {:<13} {:>9} stored {:>6} refused  {}",
            file.id, file.loaded_at, file.format, file.stored, file.refused, file.name
        );
        talk.data(&record, text)?;
        for refusal in utility.store.read(|read| read.import_refusals(file.id))? {
            tell_refusal(&file.name, &refusal, talk)?;
        }
    }
    Ok(())
}
