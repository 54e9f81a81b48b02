//! Readings out of a file, as whole local days of each channel, for commands that work without a utility.
//!
//! A file's own format is the business of `exchange`; here its items become the days that the engine of `vee` judges.
//! Of a file one channel at a time is whole in memory, as estimation looks back a year and files are not in order; what does not fit
//! meanwhile waits in a temporary file.

mod channels;
mod fill;
mod gather;
mod small;
mod spill;

pub(crate) use channels::{Channel, Channels};
pub(crate) use fill::{Filled, fill};
pub(crate) use small::{Mask, masks};

use crate::talk::{Talk, WrongUsage};
use anyhow::{Context, Result, anyhow, bail};
use exchange::container::{self, Source};
use exchange::{Format, Measure, Options};
use gather::Gatherer;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::ChannelKind;
use serde_json::json;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use vee::Rules;

/// Where readings lie and how they are written.
#[derive(Debug, clap::Args)]
pub(crate) struct ReadingsFrom {
    /// The readings: a table of meter, time and value, with or without a heading, or any format that is imported, packed
    /// or not.
    file: PathBuf,
    /// The zone of local times without an offset and of the days, as Europe/Zurich or +10:00; by default UTC, and +10:00 for
    /// NEM12.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// The format, where its content does not say: green-button, nem12, nem13, cmep, csv, parquet.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// The unit where the file names none: kWh, Wh, m3, L.
    #[arg(long)]
    unit: Option<String>,
    /// What is measured where the file does not say: import, export, net, generation, gas, water.
    #[arg(long)]
    kind: Option<String>,
    /// What the columns mean, where their headings do not tell (TOML).
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Cumulative registers, a table of meter, time, value and perhaps a time-of-use register, in the unit of the
    /// readings.
    #[arg(long, value_name = "FILE")]
    registers: Option<PathBuf>,
    /// Thresholds and methods (TOML); without it those that a new utility starts with.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
}

/// What a file held.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) channels: Channels,
    pub(crate) refused: Refusals,
    pub(crate) rules: Rules,
    /// When all of it is overdue.
    pub(crate) now: Timestamp,
}

/// Records that were left out: the first of them, and how many more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals {
    first: Vec<(u64, String)>,
    more: usize,
}

/// Refusals that are kept.
const KEPT: usize = 10_000;

impl Refusals {
    fn add(&mut self, line: u64, reason: String) {
        if self.first.len() < KEPT {
            self.first.push((line, reason));
        } else {
            self.more += 1;
        }
    }
}

/// Reads everything that the arguments name.
pub(crate) fn load(arguments: &ReadingsFrom, talk: Talk) -> Result<Loaded> {
    let given = arguments.zone.as_deref().map(zone).transpose()?;
    let rules = rules(arguments.rules.as_deref())?;
    let kind = arguments.kind.as_deref().map(kind).transpose()?;
    let options = options(arguments)?;
    let name = arguments.file.display();
    let source = OnDisk(arguments.file.clone());
    let count = openable(&source)?;
    let (mut gatherer, mut local) = (None, false);
    for index in 0..count {
        let opened = exchange::open_member(&source, index, &options);
        let which = || if count > 1 { format!(", file {} in it", index + 1) } else { String::new() };
        let opened = opened.with_context(|| format!("could not read {name}{}", which()))?;
        let Some(mut opened) = opened else { continue };
        let zone = || given.clone().unwrap_or_else(|| usual_zone(opened.format));
        let gatherer = gatherer.get_or_insert_with(|| Gatherer::new(zone(), kind, &rules, gather::ROOM));
        while let Some(item) =
            opened.reader.next().with_context(|| format!("could not read {name}{}", which()))?
        {
            gatherer.take(item)?;
        }
        local |= opened.reader.met_local_times();
    }
    let Some(gatherer) = gatherer else { bail!("{name} is an archive without a file in it") };
    let (mut loaded, mut said) = gatherer.finish(rules.clone());
    if local && given.is_none() {
        said.push(
            "times without an offset were taken for UTC; say --zone, as Europe/Zurich, if they are not"
                .to_owned(),
        );
    }
    for sentence in said {
        talk.say(format_args!("{name}: {sentence}"));
    }
    if loaded.channels.is_empty() && loaded.refused.first.is_empty() {
        bail!("{name} holds no readings: nothing in it is an interval of a profile");
    }
    if let Some(file) = &arguments.registers {
        let zone = loaded.channels.zone().clone();
        small::registers(file, &zone, &mut loaded)?;
    }
    Ok(loaded)
}

/// The zone of a format's days where nobody names another: the market of NEM12 keeps its days ten hours east of Greenwich.
fn usual_zone(format: Format) -> TimeZone {
    if format == Format::Nem { jiff::tz::offset(10).to_time_zone() } else { TimeZone::UTC }
}

/// How many files a file holds, if it is one that can be read.
fn openable(source: &OnDisk) -> Result<usize> {
    let name = source.0.display();
    let about = fs::metadata(&source.0).with_context(|| format!("could not open {name}"))?;
    if about.is_dir() {
        bail!("{name} is a folder; name a file in it");
    }
    if about.is_file() && about.len() == 0 {
        bail!("{name} is empty");
    }
    source.open().with_context(|| format!("could not open {name}"))?;
    container::count(source).with_context(|| format!("could not read {name}"))
}

fn options(arguments: &ReadingsFrom) -> Result<Options> {
    let mut options = crate::import::read_as(
        arguments.format.as_deref(),
        arguments.mapping.as_deref(),
        arguments.zone.as_deref(),
    )?;
    if let Some(unit) = &arguments.unit {
        if matches!(Measure::parse(unit).0, Measure::Other(_)) {
            bail!(WrongUsage(format!("--unit {unit} is no unit; there are kWh, Wh, MWh, kvarh, m3 and L")));
        }
        options.mapping.value.unit.get_or_insert_with(|| unit.clone());
    }
    Ok(options)
}

/// A file that can be opened again.
struct OnDisk(PathBuf);

impl Source for OnDisk {
    type Input = File;

    fn open(&self) -> std::io::Result<File> {
        File::open(&self.0)
    }
}

fn text(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
    String::from_utf8(bytes).map_err(|_| anyhow!("{} is no text", file.display()))
}

fn rules(file: Option<&Path>) -> Result<Rules> {
    let Some(file) = file else { return Ok(Rules::default()) };
    Rules::from_toml(&text(file)?).with_context(|| format!("could not use {}", file.display()))
}

fn zone(name: &str) -> Result<TimeZone> {
    exchange::csv::zone(name).with_context(|| {
        WrongUsage(format!("--zone {name} is no zone; name one as Europe/Zurich, +10:00 or UTC"))
    })
}

fn kind(name: &str) -> Result<ChannelKind> {
    ChannelKind::from_name(name).with_context(|| {
        let names: Vec<_> = ChannelKind::ALL.iter().map(|kind| kind.name()).collect();
        WrongUsage(format!("--kind {name} is none of {}", names.join(", ")))
    })
}

/// The unit in which a channel's values are kept, for headings.
pub(crate) const fn unit_of(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Voltage => "dV",
        ChannelKind::Gas | ChannelKind::Water => "L",
        ChannelKind::ReactiveImport | ChannelKind::ReactiveExport => "varh",
        _ => "Wh",
    }
}

/// Tells what was left out, and fails if something was: what could be read is out by now.
pub(crate) fn tell_refused(file: &ReadingsFrom, refused: &Refusals, read: usize, talk: Talk) -> Result<()> {
    let name = file.file.display();
    for (line, reason) in &refused.first {
        if talk.json() {
            talk.data(&json!({ "refused": { "line": line, "reason": reason } }), "")?;
        }
        talk.say(format_args!("{name}:{line}: {reason}"));
    }
    if refused.more > 0 {
        talk.say(format_args!("{name}: and {} records more, which are not listed", refused.more));
    }
    let others = if read == 0 { "nothing was read" } else { "the others were read" };
    match refused.first.len() + refused.more {
        0 => Ok(()),
        1 => bail!("{name}: 1 record was left out, {others}"),
        count => bail!("{name}: {count} records were left out, {others}"),
    }
}
