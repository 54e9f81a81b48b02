//! `wattle export`.

use crate::admin::Place;
use crate::talk::{Talk, WrongUsage};
use anyhow::{Context, Result, bail};
use exchange::cmep::CmepWriter;
use exchange::csv::{LongWriter, WideWriter};
use exchange::espi::{EspiWriter, Feed};
use exchange::nem::Nem12Writer;
use exchange::{IntervalBlock, Item, Measure, Series, WriteError, Writer};
use jiff::ToSpan;
use jiff::civil::Date;
use mdm::Mdm;
use model::Serial;
use server::clock::Clock;
use server::utility::Utility;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;
use store::{Channel, Meter};

/// Write readings to a file: Green Button, NEM12, CMEP, CSV.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// green-button, nem12, cmep, csv or csv-wide.
    #[arg(long, value_name = "FORMAT")]
    format: String,
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
    /// The file; standard output where none is named.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    if arguments.to < arguments.from {
        return Err(WrongUsage("--to lies before --from".into()).into());
    }
    let utility = Utility::open_at(&arguments.place.home())?;
    let meters = meters(arguments, &utility)?;
    let output: Box<dyn Write> = match &arguments.out {
        None => Box::new(BufWriter::new(io::stdout().lock())),
        Some(path) => {
            let file = File::create(path).with_context(|| format!("could not write {}", path.display()))?;
            Box::new(BufWriter::new(file))
        }
    };
    let mut writer = writer(&arguments.format, output, &utility.mdm)?;
    let (mut days, mut unfit) = (0, 0);
    for (meter, point) in meters {
        for channel in utility.store.read(|read| read.channels_of(meter.id))? {
            let (written, refused) =
                channel_days(&utility.mdm, &meter, &point, &channel, arguments, writer.as_mut(), talk)?;
            days += written;
            unfit += refused;
        }
    }
    writer.finish()?;
    talk.say(format_args!("{days} days of channels written"));
    if unfit > 0 {
        bail!("{unfit} channels have no place in {}", arguments.format);
    }
    Ok(())
}

/// The meters that were asked for, each with the number of its service point.
fn meters(arguments: &Arguments, utility: &Utility) -> Result<Vec<(Meter, String)>> {
    utility.store.read(|read| {
        let meters = match (&arguments.meter, &arguments.service_point) {
            (Some(serial), _) => {
                let found = read.meter_by_serial(&Serial::new(serial))?;
                vec![found.with_context(|| format!("no meter has the serial {serial:?}"))?]
            }
            (None, Some(number)) => {
                let point = read.service_point_by_number(number)?;
                let point = point.with_context(|| format!("no service point has the number {number:?}"))?;
                read.meters_at(point.id)?
            }
            (None, None) if arguments.all => read.meters()?,
            (None, None) => {
                return Err(WrongUsage("name --meter, --service-point or --all".into()).into());
            }
        };
        let mut with_points = Vec::with_capacity(meters.len());
        for meter in meters {
            let point = match meter.service_point {
                None => None,
                Some(id) => read.service_point(id)?,
            };
            with_points.push((meter, point.map_or_else(String::new, |point| point.number)));
        }
        Ok(with_points)
    })
}

fn writer(format: &str, output: Box<dyn Write>, mdm: &Mdm) -> Result<Box<dyn Writer>> {
    let (created, zone) = (Clock::real().now(), mdm.zone().clone());
    Ok(match format {
        "green-button" => {
            Box::new(EspiWriter::new(output, Feed { title: "Usage".into(), created, zone: Some(zone) }))
        }
        "nem12" => Box::new(Nem12Writer::new(output, created, "WATTLE", "")),
        "cmep" => Box::new(CmepWriter::new(output, created, "WATTLE")),
        "csv" => Box::new(LongWriter::new(output)),
        "csv-wide" => Box::new(WideWriter::new(output, zone)),
        other => {
            let what =
                format!("{other:?} is no format; green-button, nem12, cmep, csv and csv-wide are written");
            return Err(WrongUsage(what).into());
        }
    })
}

/// Writes the days of a channel that hold anything; a channel that the format has no place for is said once.
fn channel_days(
    mdm: &Mdm,
    meter: &Meter,
    point: &str,
    channel: &Channel,
    arguments: &Arguments,
    writer: &mut dyn Writer,
    talk: Talk,
) -> Result<(usize, usize)> {
    let (unit, scaler) = channel.kind.stored_unit();
    let series = Arc::new(Series {
        service_point: point.to_owned(),
        meter: meter.serial.to_string(),
        channel: channel.kind.name().to_owned(),
        kind: Some(channel.kind),
        measure: Measure::of(unit),
        extra: BTreeMap::new(),
    });
    let (mut date, mut written) = (arguments.from, 0);
    while date <= arguments.to {
        let profile = mdm.profile(meter.id, channel.kind, date)?;
        if let Some(profile) = profile.filter(|profile| profile.versions > 0) {
            let (values, quality) = profile.series.slots.iter().copied().unzip();
            let block = IntervalBlock {
                series: Arc::clone(&series),
                line: 0,
                start: profile.day.start(),
                interval: profile.series.interval,
                scaler,
                values,
                quality,
                beside: Vec::new(),
                costs: Vec::new(),
                updated: None,
            };
            match writer.write(&Item::Block(block)) {
                Ok(()) => written += 1,
                Err(error @ WriteError::Unfit { .. }) => {
                    talk.say(error);
                    return Ok((written, 1));
                }
                Err(error) => return Err(error).context("could not write"),
            }
        }
        date = date.checked_add(1.day())?;
    }
    Ok((written, 0))
}
