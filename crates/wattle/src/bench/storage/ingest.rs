//! A day's file of hourly profiles: parse, deduplicate, validate, estimate, version, store.

use super::super::Manner;
use super::super::cpu::process;
use super::super::report::{Line, Report};
use super::{FIRST, Ground, home, now, number};
use anyhow::{Result, ensure};
use jiff::{SignedDuration, ToSpan};
use mdm::Mdm;
use mdm::profile::ProfileHead;
use model::{BatchSource, ChannelKind, IntervalLength, Unit};
use serde_json::json;
use server::profiles::load_profiles;
use std::fmt::Write as _;
use std::num::NonZero;

const SLOTS: usize = 24;
const THREADS: NonZero<usize> = NonZero::new(2).unwrap();

/// Meters and days of each run.
const QUICK: &[(u32, i64)] = &[(20_000, 3)];
const FULL: &[(u32, i64)] = &[(100_000, 30), (1_000_000, 3)];
const LARGE: &[(u32, i64)] = &[(10_000_000, 2)];

pub(crate) fn run(manner: &Manner, report: &mut Report) -> Result<()> {
    let mut runs = if manner.quick { QUICK } else { FULL }.to_vec();
    if manner.large {
        runs.extend(LARGE);
    }
    let peers = peers(manner)?;
    for (meters, days) in runs {
        let ground = Ground::new(manner)?;
        ground.provision(meters, IntervalLength::HOUR)?;
        let mdm = ground.mdm()?;
        for day in 0..days {
            let told = day == 0 || day == 1 || day == days - 1;
            let (wall, cpu, odd) = one_day(&mdm, meters, day)?;
            if !told {
                continue;
            }
            let intervals = f64::from(meters) * 24.0;
            let name = format!("ingest {meters} meters, day {}", day + 1);
            let line = Line::new(format!("{name}, per core"), intervals / cpu, "intervals/s");
            report.tell(&line.at_least(2_400_000.0))?;
            let line = Line::new(name.clone(), intervals / wall, "intervals/s");
            report.tell(&line.beside(peers.iter().map(|(_, rate)| *rate).reduce(f64::max)))?;
            report.tell(&Line::new(
                format!("{name}, the ordinary way"),
                odd * 100.0 / f64::from(meters),
                "% of meters",
            ))?;
        }
    }
    for (peer, rate) in peers {
        report.tell(&Line::new(format!("peer: a row a reading, {peer}"), rate, "intervals/s"))?;
    }
    Ok(())
}

/// Loads one day; seconds that passed, seconds of processor, profiles that took the ordinary way.
fn one_day(mdm: &Mdm, meters: u32, day: i64) -> Result<(f64, f64, f64)> {
    let date = FIRST.checked_add(day.days())?;
    let local = mdm.local_day(date)?;
    let received_at = local.end() + SignedDuration::from_hours(3);
    let text = file(meters, day, local.start().as_second());
    let head = ProfileHead {
        kind: ChannelKind::Import,
        interval: IntervalLength::HOUR,
        unit: Unit::WattHour,
        scaler: 0,
        source: BatchSource::Import,
        received_at,
    };
    let (began, cpu) = (now(), process());
    let load = mdm.begin_profiles(received_at, head, date)?;
    let (done, bad) = load_profiles(mdm, &load, (&format!("{date}"), text.as_bytes()), THREADS)?;
    let (wall, cpu) = (began.elapsed().as_secs_f64(), process() - cpu);
    ensure!(bad.is_empty() && done.whole + done.odd == u64::from(meters), "not all was taken in: {done:?}");
    Ok((wall, cpu, number(done.odd)?))
}

/// A day's file: in a thousand lines one has a hole and one a spike.
fn file(meters: u32, day: i64, start: i64) -> String {
    let mut text = String::with_capacity(meters as usize * 120);
    let mut values = Vec::new();
    for meter in 1..=meters {
        home(meter, day, SLOTS, &mut values);
        let _ = write!(text, "{meter},{start}");
        let odd = (i64::from(meter) * 7 + day * 13) % 1000;
        for (slot, value) in values.iter().enumerate() {
            let _ = match (odd, slot) {
                (0, 7) => write!(text, ","),
                (1, 9) => write!(text, ",{}", value + 900_000),
                _ => write!(text, ",{value}"),
            };
        }
        text.push('\n');
    }
    text
}

fn peers(manner: &Manner) -> Result<Vec<(&'static str, f64)>> {
    let mut found = Vec::new();
    let Some(python) = &manner.python else { return Ok(found) };
    let rows = if manner.quick { 500_000 } else { 10_000_000 };
    for peer in ["duckdb", "postgresql"] {
        let order = json!({ "peer": peer, "rows": rows, "dir": manner.dir });
        found.extend(python.try_measure("rows_ingest.py", &order)?.map(|rate| (peer, rate)));
    }
    Ok(found)
}
