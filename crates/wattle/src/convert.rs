//! `wattle convert`.

use crate::export::{format, output};
use crate::import::{OnDisk, read_as};
use crate::talk::Talk;
use anyhow::{Context, Result, bail};
use exchange::{Item, Opened, Refusal, WriteError, Writer, container};
use jiff::tz::TimeZone;
use operations::files::writer;
use serde_json::json;
use server::clock::Clock;
use std::path::PathBuf;

/// Turn a file of readings into another format, without a utility; nothing is matched, judged or rounded.
///
/// Records that cannot be read, or that the other format has no place for, are listed with their line and reason, and the
/// exit code is then 1.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file: Green Button, NEM12, NEM13, CMEP, CSV or Parquet, packed or not.
    file: PathBuf,
    /// What is written: green-button, nem12, nem13, cmep, csv or csv-wide.
    #[arg(long, value_name = "FORMAT")]
    to: String,
    /// The file's own format, where its content does not say.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// What the columns of a CSV file mean (TOML).
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// The zone of stamps without an offset, and of the days of csv-wide.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Registers instead of intervals, where the format holds both apart.
    #[arg(long)]
    registers: bool,
    /// The file that is written; standard output where none is named.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let to = format(&arguments.to)?;
    let options =
        read_as(arguments.format.as_deref(), arguments.mapping.as_deref(), arguments.zone.as_deref())?;
    let zone = match &arguments.zone {
        None => TimeZone::UTC,
        Some(name) => exchange::csv::zone(name).unwrap_or(TimeZone::UTC),
    };
    let source = OnDisk(&arguments.file);
    let name = arguments.file.display();
    let created = Clock::real().now();
    let mut writer = writer(to, arguments.registers, output(arguments.out.as_deref())?, created, zone);
    let mut left_out = 0u64;
    for index in 0..container::count(&source).with_context(|| name.to_string())? {
        let opened = exchange::open_member(&source, index, &options).with_context(|| name.to_string())?;
        let Some(Opened { name: inside, mut reader, .. }) = opened else { continue };
        let name = if inside.is_empty() { name.to_string() } else { format!("{name}:{inside}") };
        while let Some(item) = reader.next().with_context(|| name.clone())? {
            left_out += write(&name, writer.as_mut(), &item, talk)?;
        }
    }
    writer.finish()?;
    if left_out > 0 {
        bail!("{name}: {}, the others were written", crate::talk::left_out(left_out));
    }
    Ok(())
}

/// Writes an item; one that has no place is told and counted.
fn write(file: &str, writer: &mut dyn Writer, item: &Item, talk: Talk) -> Result<u64> {
    let (line, sentence) = match (item, writer.write(item)) {
        (Item::Refused(Refusal { line, reason, .. }), Ok(())) => (*line, reason.to_string()),
        (_, Ok(())) => return Ok(0),
        (item, Err(error @ WriteError::Unfit { .. })) => (line_of(item), error.to_string()),
        (_, Err(error)) => return Err(error.into()),
    };
    if talk.json() {
        talk.say(json!({ "kind": "refusal", "file": file, "line": line, "sentence": sentence }));
    } else {
        talk.say(format_args!("{file}:{line}: {sentence}"));
    }
    Ok(1)
}

fn line_of(item: &Item) -> u64 {
    match item {
        Item::Block(block) => block.line,
        Item::Register(read) => read.line,
        Item::Period(period) => period.line,
        Item::Summary(summary) => summary.line,
        Item::Note(note) => note.line,
        Item::Refused(refusal) => refusal.line,
    }
}
