//! `wattle export`.

use crate::admin::Place;
use crate::talk::{Talk, WrongUsage};
use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use operations::files::{Export, ExportError, ExportWish, OutFormat, Which};
use server::clock::Clock;
use server::utility::Utility;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Write readings to a file: Green Button, NEM12, NEM13, CMEP, CSV, Parquet.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// green-button, nem12, nem13, cmep, csv, csv-wide or parquet.
    #[arg(long, value_name = "FORMAT", required_unless_present = "parquet_days")]
    format: Option<String>,
    /// The serial of a meter.
    #[arg(long, value_name = "SERIAL", conflicts_with_all = ["service_point", "all"])]
    meter: Option<String>,
    /// The number of a service point.
    #[arg(long, value_name = "NUMBER", conflicts_with = "all")]
    service_point: Option<String>,
    /// Every meter.
    #[arg(long)]
    all: bool,
    /// The first day.
    #[arg(long, value_name = "DATE")]
    from: Date,
    /// The last day.
    #[arg(long, value_name = "DATE")]
    to: Date,
    /// Cumulative registers as read, instead of intervals; nem13 holds nothing else.
    #[arg(long)]
    registers: bool,
    /// The file; standard output where none is named.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A folder; each day of everything is written there as one Parquet file, and nothing else.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["format", "meter", "service_point", "all", "registers", "out"])]
    parquet_days: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    if let Some(folder) = &arguments.parquet_days {
        let utility = Utility::open_at(&arguments.place.home())?;
        return crate::day_files::run(&utility, folder, (arguments.from, arguments.to), talk);
    }
    let which = match (&arguments.meter, &arguments.service_point) {
        (Some(serial), _) => Which::Meter(serial.clone()),
        (None, Some(number)) => Which::ServicePoint(number.clone()),
        (None, None) if arguments.all => Which::All,
        (None, None) => return Err(WrongUsage("name --meter, --service-point or --all".into()).into()),
    };
    let asked = format(arguments.format.as_deref().unwrap_or_default())?;
    let wish = ExportWish {
        format: asked,
        which,
        from: arguments.from,
        to: arguments.to,
        registers: arguments.registers,
        used_only: false,
    };
    let utility = Utility::open_at(&arguments.place.home())?;
    let export = match Export::plan(&utility.mdm, Clock::real().now(), wish) {
        Err(error @ ExportError::Backwards { .. }) => return Err(WrongUsage(error.to_string()).into()),
        planned => planned?,
    };
    let done = export.write(&utility.mdm, output(arguments.out.as_deref())?)?;
    talk.say(format_args!("{} days of channels and {} registers written", done.days, done.registers));
    for left_out in export.left_out() {
        talk.say(&left_out.why);
    }
    match export.left_out().len() {
        0 => Ok(()),
        unfit => bail!("{unfit} channels have no place in {}", asked.name()),
    }
}

/// The format of a name on the command line.
pub(crate) fn format(name: &str) -> Result<OutFormat> {
    OutFormat::from_name(name).ok_or_else(|| {
        WrongUsage(format!("{name:?} is no format; written are {}", OutFormat::names())).into()
    })
}

/// The file that is named, or standard output.
pub(crate) fn output(path: Option<&Path>) -> Result<Box<dyn Write>> {
    let Some(path) = path else { return Ok(Box::new(BufWriter::new(io::stdout().lock()))) };
    let file = File::create(path).with_context(|| format!("could not write {}", path.display()))?;
    Ok(Box::new(BufWriter::new(file)))
}
