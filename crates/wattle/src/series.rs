//! Readings out of a file, as whole local days of each channel, for commands that work without a utility.
//!
//! A file's own format is the business of `exchange`; here its items become the days that the engine of `vee` judges.
//! The whole of a file is held, as estimation looks back a year.

mod fill;
mod gather;
mod small;

pub(crate) use fill::{Filled, fill};
pub(crate) use small::{Mask, masks};

use crate::talk::{Talk, WrongUsage};
use anyhow::{Context, Result, bail};
use exchange::Options;
use exchange::container::{self, Source};
use exchange::csv::Mapping;
use gather::Gatherer;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{ChannelKind, IntervalLength};
use serde_json::json;
use std::fs::File;
use std::path::{Path, PathBuf};
use vee::{Day, Finding, Register, Rules, TouRead};

/// Where readings lie and how they are written.
#[derive(Debug, clap::Args)]
pub(crate) struct ReadingsFrom {
    /// The readings: a table of meter, time and value, with or without a heading, or any format that is imported, packed
    /// or not.
    file: PathBuf,
    /// The zone of local times without an offset and of the days, as Europe/Zurich.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    zone: String,
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

impl ReadingsFrom {
    /// The zone of local times.
    pub(crate) fn zone(&self) -> &str {
        &self.zone
    }
}

/// One channel of a file.
#[derive(Debug)]
pub(crate) struct Channel {
    /// Meter and channel in the file's own words.
    pub(crate) name: String,
    pub(crate) kind: ChannelKind,
    pub(crate) interval: IntervalLength,
    /// Every day from the first to the last, consecutive.
    pub(crate) days: Vec<Day>,
    /// In order of time.
    pub(crate) registers: Vec<Register>,
    pub(crate) tou: Vec<TouRead>,
    /// What was found while the days were put together: the number of the day, and what.
    pub(crate) findings: Vec<(usize, Finding)>,
}

/// What a file held.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) channels: Vec<Channel>,
    pub(crate) refused: Vec<Refused>,
    pub(crate) rules: Rules,
    /// When all of it is overdue.
    pub(crate) now: Timestamp,
}

/// A record that was left out.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) line: u64,
    pub(crate) reason: String,
}

/// Reads everything that the arguments name.
pub(crate) fn load(arguments: &ReadingsFrom, talk: Talk) -> Result<Loaded> {
    let zone = zone(&arguments.zone)?;
    let rules = rules(arguments.rules.as_deref())?;
    let kind = arguments.kind.as_deref().map(kind).transpose()?;
    let name = arguments.file.display();
    let mut gatherer = Gatherer::new(zone.clone(), kind, &rules);
    for mut reader in readers(arguments)? {
        while let Some(item) = reader.next().with_context(|| format!("could not read {name}"))? {
            gatherer.take(item)?;
        }
    }
    let mut loaded = gatherer.finish(rules.clone())?;
    for sentence in &loaded.1 {
        talk.say(format_args!("{name}: {sentence}"));
    }
    if let Some(file) = &arguments.registers {
        small::registers(file, &zone, &mut loaded.0)?;
    }
    Ok(loaded.0)
}

/// The readers of a file in turn: of an archive one for each file in it.
fn readers(arguments: &ReadingsFrom) -> Result<Vec<Box<dyn exchange::Reader>>> {
    let mut mapping = match &arguments.mapping {
        Some(file) => {
            Mapping::parse(&text(file)?).with_context(|| format!("could not use {}", file.display()))?
        }
        None => Mapping::default(),
    };
    if mapping.time.zone.is_none() {
        mapping.time.zone = Some(arguments.zone.clone());
    }
    if mapping.value.unit.is_none() {
        mapping.value.unit.clone_from(&arguments.unit);
    }
    let options = Options { format: None, mapping };
    let name = arguments.file.display();
    let source = OnDisk(arguments.file.clone());
    source.open().with_context(|| format!("could not open {name}"))?;
    let count = container::count(&source).with_context(|| format!("could not read {name}"))?;
    let mut readers = Vec::with_capacity(count);
    for index in 0..count {
        let opened = exchange::open_member(&source, index, &options);
        let opened = opened.with_context(|| format!("could not read {name}, file {}", index + 1))?;
        readers.extend(opened.map(|opened| opened.reader));
    }
    Ok(readers)
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
    std::fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))
}

fn rules(file: Option<&Path>) -> Result<Rules> {
    let Some(file) = file else { return Ok(Rules::default()) };
    Rules::from_toml(&text(file)?).with_context(|| format!("could not use {}", file.display()))
}

fn zone(name: &str) -> Result<TimeZone> {
    TimeZone::get(name).or_else(|_| {
        bail!(WrongUsage(format!("--zone {name} is no zone; name one as Europe/Zurich, or UTC")))
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
pub(crate) fn tell_refused(file: &ReadingsFrom, refused: &[Refused], talk: Talk) -> Result<()> {
    let name = file.file.display();
    for Refused { line, reason } in refused {
        if talk.json() {
            talk.data(&json!({ "refused": { "line": line, "reason": reason } }), "")?;
        }
        talk.say(format_args!("{name}:{line}: {reason}"));
    }
    if !refused.is_empty() {
        bail!("{name}: {} records were left out, the others were read", refused.len());
    }
    Ok(())
}
