//! How fast one core reads other people's files: NEM12, a long table, Green Button; peer: nemreader on the same NEM12.

use super::Manner;
use super::cpu::Stopwatch;
use super::report::{Line, Report};
use anyhow::{Context, Result, ensure};
use exchange::espi::{EspiWriter, Feed};
use exchange::nem::Nem12Writer;
use exchange::{Format, IntervalBlock, Item, Measure, Options, Series, Writer};
use jiff::Timestamp;
use model::{ChannelKind, IntervalLength, Quality};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::sync::Arc;
use std::time::Duration;

/// 2026-06-01 00:00 of the Australian market, which has no daylight saving.
const FIRST: i64 = 1_780_236_000;
const DAY_S: i64 = 86_400;
const SLOTS: i64 = 96;
/// Watt-hours of a quarter hour: a home that sleeps, and what its hours add, from midnight on.
const BASE_WH: i64 = 35;
const HOURS_WH: [i64; 24] =
    [20, 10, 5, 5, 5, 15, 60, 140, 110, 70, 60, 70, 90, 80, 60, 60, 90, 170, 260, 300, 260, 190, 110, 50];

/// A file in memory and what stands in it.
struct File {
    name: &'static str,
    format: Format,
    /// Least millions of bytes a second.
    bound: f64,
    /// The exponent of the last written digit.
    digit: i8,
    bytes: Arc<[u8]>,
    truth: Truth,
}

/// How many intervals there are and their sum, in units of the last written digit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Truth {
    intervals: u64,
    sum: i64,
}

impl Truth {
    fn of(blocks: &[IntervalBlock]) -> Self {
        let mut truth = Self::default();
        for value in blocks.iter().flat_map(|block| &block.values) {
            truth.intervals += 1;
            truth.sum += value;
        }
        truth
    }
}

pub(super) fn run(manner: &Manner, report: &mut Report) -> Result<()> {
    let (homes, days) = if manner.quick { (20, 30) } else { (200, 30) };
    for file in [nem12(homes, days)?, csv_long(homes, days)?, green_button(homes / 4, days)?] {
        let peer = if file.format == Format::Nem { peer(manner, &file)? } else { None };
        let passes = passes_a_second(&file, manner.quick)?;
        let rate = passes * megabytes(&file)?;
        let name = format!("import.{}", file.name);
        report.tell(&Line::new(&name, rate, "MB/s per core").at_least(file.bound).beside(peer))?;
        let intervals = passes * f64::from(u32::try_from(file.truth.intervals)?);
        report.tell(&Line::new(format!("{name}.intervals"), intervals, "intervals/s per core"))?;
    }
    Ok(())
}

fn megabytes(file: &File) -> Result<f64> {
    Ok(f64::from(u32::try_from(file.bytes.len())?) / 1e6)
}

/// Readings of the whole file a second of processor time: the middle one of several slices.
fn passes_a_second(file: &File, quick: bool) -> Result<f64> {
    let (slices, length) =
        if quick { (3, Duration::from_millis(200)) } else { (7, Duration::from_millis(700)) };
    let mut rates = Vec::new();
    for _ in 0..slices {
        let watch = Stopwatch::start();
        let mut passes = 0u32;
        let had = loop {
            read(file)?;
            passes += 1;
            let had = watch.had();
            if had >= length {
                break had;
            }
        };
        rates.push(f64::from(passes) / had.as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().context("nothing was measured")
}

/// Reads the file to its end as an import does, found out by its content.
fn read(file: &File) -> Result<()> {
    let input = Box::new(Cursor::new(Arc::clone(&file.bytes)));
    let (format, mut reader) = exchange::open(input, &Options::default())?;
    ensure!(format == file.format, "{} was taken for {}", file.name, format.name());
    let mut found = Truth::default();
    while let Some(item) = reader.next()? {
        match item {
            Item::Block(block) => {
                let steps =
                    u32::try_from(block.scaler - file.digit).context("more digits than were written")?;
                found.intervals += u64::try_from(block.values.len())?;
                found.sum += block.values.iter().sum::<i64>() * 10i64.pow(steps);
            }
            Item::Refused(refusal) => {
                anyhow::bail!("{}, line {}: {}", file.name, refusal.line, refusal.reason);
            }
            _ => {}
        }
    }
    ensure!(found == file.truth, "{}: read {found:?} of {:?}", file.name, file.truth);
    Ok(())
}

/// The same file read by nemreader, millions of bytes a second; none where it is not there.
fn peer(manner: &Manner, file: &File) -> Result<Option<f64>> {
    let Some(python) = &manner.python else { return Ok(None) };
    let mut disk = match &manner.dir {
        Some(dir) => tempfile::NamedTempFile::new_in(dir)?,
        None => tempfile::NamedTempFile::new()?,
    };
    disk.write_all(&file.bytes)?;
    disk.flush()?;
    let Truth { intervals, sum } = file.truth;
    let order = json!({ "path": disk.path(), "intervals": intervals, "thousandths": sum });
    python.try_measure("nemreader_read.py", &order)
}

/// Days of homes in quarter hours, home by home.
fn blocks(homes: u32, days: i64) -> Result<Vec<IntervalBlock>> {
    let mut dice = 0x5eed_u64;
    let mut blocks = Vec::new();
    for home in 0..homes {
        let series = Arc::new(Series {
            service_point: format!("NEM{home:07}"),
            meter: format!("WTL{home:06}"),
            channel: "E1".into(),
            kind: Some(ChannelKind::Import),
            measure: Measure::WattHour,
            extra: BTreeMap::new(),
        });
        for day in 0..days {
            blocks.push(IntervalBlock {
                series: Arc::clone(&series),
                line: 1,
                start: Timestamp::from_second(FIRST + day * DAY_S)?,
                interval: IntervalLength::QUARTER_HOUR,
                scaler: 0,
                values: (0..SLOTS).map(|slot| use_wh(slot, &mut dice)).collect(),
                quality: vec![Quality::VALID; usize::try_from(SLOTS)?],
                beside: Vec::new(),
                costs: Vec::new(),
                updated: None,
                loaded: None,
            });
        }
    }
    Ok(blocks)
}

/// What a home takes in a quarter hour: between a half and one and a half of what its hour is like.
fn use_wh(slot: i64, dice: &mut u64) -> i64 {
    *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let throw = i64::from(u16::try_from(*dice >> 48).unwrap_or_default());
    let usual = HOURS_WH.iter().zip(0..).find(|(_, hour)| *hour == slot / 4).map_or(0, |(wh, _)| *wh);
    BASE_WH + usual / 2 + usual * throw / 65_536
}

fn nem12(homes: u32, days: i64) -> Result<File> {
    let blocks = blocks(homes, days)?;
    let mut bytes = Vec::new();
    let created = Timestamp::from_second(FIRST + days * DAY_S)?;
    write(&mut Nem12Writer::new(&mut bytes, created, "WATTLE", "RETAILER"), &blocks)?;
    Ok(File {
        name: "nem12",
        format: Format::Nem,
        bound: 300.0,
        digit: 0,
        bytes: bytes.into(),
        truth: Truth::of(&blocks),
    })
}

fn green_button(homes: u32, days: i64) -> Result<File> {
    let blocks = blocks(homes, days)?;
    let mut bytes = Vec::new();
    let created = Timestamp::from_second(FIRST + days * DAY_S)?;
    let feed = Feed { title: "use of energy".into(), created, zone: None };
    write(&mut EspiWriter::new(&mut bytes, feed), &blocks)?;
    Ok(File {
        name: "green_button",
        format: Format::GreenButton,
        bound: 150.0,
        digit: 0,
        bytes: bytes.into(),
        truth: Truth::of(&blocks),
    })
}

fn write(writer: &mut impl Writer, blocks: &[IntervalBlock]) -> Result<()> {
    for block in blocks {
        writer.write(&Item::Block(block.clone()))?;
    }
    Ok(writer.finish()?)
}

/// Meter, time and kilowatt-hours, as a database's export has them.
fn csv_long(homes: u32, days: i64) -> Result<File> {
    let blocks = blocks(homes, days)?;
    let mut text = String::from("meter,time,value\n");
    for block in &blocks {
        for (index, value) in block.values.iter().enumerate() {
            let (kilo, rest) = (value / 1000, value % 1000);
            writeln!(text, "{},{},{kilo}.{rest:03}", block.series.meter, block.at(index))?;
        }
    }
    Ok(File {
        name: "csv_long",
        format: Format::Csv,
        bound: 300.0,
        digit: -3,
        bytes: text.into_bytes().into(),
        truth: Truth::of(&blocks),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_written_and_a_changed_one_is_noticed() {
        for make in [nem12, csv_long, green_button] {
            let mut file = make(3, 2).unwrap();
            assert_eq!(file.truth.intervals, 3 * 2 * 96);
            read(&file).unwrap();
            file.truth.sum += 1;
            read(&file).unwrap_err();
        }
    }
}
