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

/// Lines of a file that are made at a time, so that the largest fleet's day need not lie in memory as text.
const PART: u32 = 1_000_000;
/// Intervals a second and core, so that 119 million meters' hours are in within ten minutes on two cores.
const BOUND: f64 = 2_400_000.0;
/// How much more an interval may cost in the largest fleet than in the smallest, and at the end of the history than at its start.
const DEARER: f64 = 1.5;
/// Days at either end of a history that are compared, as processor time is told in hundredths of a second.
const ENDS: usize = 3;

/// Days, from 0, that are told of besides the last: the statistics of days are full after four weeks, those of months after 13.
const TOLD: &[i64] = &[0, 6, 29, 59, 119, 399];

/// Meters and days of each run.
const QUICK: &[(u32, i64)] = &[(8_000, 30), (40_000, 3)];
const FULL: &[(u32, i64)] = &[(100_000, 60), (1_000_000, 7)];
/// Meters of a run into a PostgreSQL, unless told otherwise.
const ON_A_SERVER: u32 = 20_000;
const LARGE: &[(u32, i64)] = &[(10_000_000, 2)];

/// What a day took.
#[derive(Clone, Copy)]
struct Taken {
    /// Seconds that passed.
    wall: f64,
    /// Seconds of processor, all threads.
    cpu: f64,
    /// Profiles that took the ordinary way.
    odd: f64,
}

pub(crate) fn run(manner: &Manner, report: &mut Report) -> Result<()> {
    let mut runs = if manner.quick { QUICK } else { FULL }.to_vec();
    if manner.large {
        runs.extend(LARGE);
    }
    // A server's database is filled once.
    let meters = manner.meters.or_else(|| manner.database.as_ref().map(|_| ON_A_SERVER));
    if let Some(meters) = meters {
        runs = vec![(meters, manner.days.map_or(3, i64::from))];
    } else if let Some(days) = manner.days {
        runs.iter_mut().for_each(|run| run.1 = days.into());
    }
    let peers = peers(manner)?;
    let best = peers.iter().map(|(_, rate)| *rate).reduce(f64::max);
    let mut costs = Vec::new();
    for (meters, days) in runs {
        let taken = history(manner, (meters, days), best, report)?;
        costs.push(costs_of(&taken, meters));
    }
    compare(&costs, report)?;
    for (peer, rate) in peers {
        report.tell(&Line::new(format!("peer: a row a reading, {peer}"), rate, "intervals/s"))?;
    }
    Ok(())
}

/// Loads day after day into a new store and tells of some of them.
fn history(
    manner: &Manner,
    (meters, days): (u32, i64),
    peer: Option<f64>,
    report: &mut Report,
) -> Result<Vec<Taken>> {
    let ground = Ground::new(manner)?;
    let began = now();
    ground.provision(meters, IntervalLength::HOUR)?;
    let mdm = ground.mdm()?;
    manner.talk.say(format_args!("{meters} meters registered in {:.0} s", began.elapsed().as_secs_f64()));
    let mut all = Vec::new();
    for day in 0..days {
        let taken = one_day(&mdm, meters, day)?;
        all.push(taken);
        if !TOLD.contains(&day) && day != days - 1 {
            continue;
        }
        let intervals = f64::from(meters) * 24.0;
        let name = format!("ingest {meters} meters, day {}", day + 1);
        let line = Line::new(format!("{name}, per core"), intervals / taken.cpu, "intervals/s");
        report.tell(&line.at_least(BOUND))?;
        let line = Line::new(name.clone(), intervals / taken.wall, "intervals/s");
        report.tell(&line.at_least(2.0 * BOUND).beside(peer))?;
        report.tell(&Line::new(
            format!("{name}, processor"),
            taken.cpu * 1e9 / intervals,
            "ns an interval",
        ))?;
        report.tell(&Line::new(
            format!("{name}, the ordinary way"),
            taken.odd * 100.0 / f64::from(meters),
            "% of meters",
        ))?;
    }
    if manner.database.is_none() {
        let line = Line::new(
            format!("ingest {meters} meters, on disk"),
            ground.bytes()? / f64::from(meters),
            "B a meter",
        );
        report.tell(&line)?;
    }
    Ok(all)
}

/// Seconds of processor a profile, day by day.
fn costs_of(taken: &[Taken], meters: u32) -> Vec<f64> {
    taken.iter().map(|day| day.cpu / f64::from(meters)).collect()
}

/// How the cost of an interval goes with the fleet, over the days that all runs have, and with the history, over the longest.
fn compare(costs: &[Vec<f64>], report: &mut Report) -> Result<()> {
    let mean =
        |days: &[f64]| days.iter().sum::<f64>() / f64::from(u32::try_from(days.len()).unwrap_or(1).max(1));
    if let [first, .., last] = costs {
        let common = costs.iter().map(Vec::len).min().unwrap_or(0);
        let (small, large) = (mean(&first[..common]), mean(&last[..common]));
        let line = Line::new("ingest, cost in the largest fleet to the smallest", large / small, "times");
        report.tell(&line.at_most(DEARER))?;
    }
    if let Some(longest) = costs.iter().max_by_key(|days| days.len()).filter(|days| days.len() >= 2 * ENDS) {
        let (first, last) = (mean(&longest[..ENDS]), mean(&longest[longest.len() - ENDS..]));
        let name = format!(
            "ingest, cost on days {} to {} to days 1 to {ENDS}",
            longest.len() - ENDS + 1,
            longest.len()
        );
        report.tell(&Line::new(name, last / first, "times").at_most(DEARER))?;
    }
    Ok(())
}

/// Loads one day, part by part as files come from several collectors.
fn one_day(mdm: &Mdm, meters: u32, day: i64) -> Result<Taken> {
    let date = FIRST.checked_add(day.days())?;
    let local = mdm.local_day(date)?;
    let received_at = local.end() + SignedDuration::from_hours(3);
    let head = ProfileHead {
        kind: ChannelKind::Import,
        interval: IntervalLength::HOUR,
        unit: Unit::WattHour,
        scaler: 0,
        source: BatchSource::Import,
        received_at,
    };
    let mut taken = Taken { wall: 0.0, cpu: 0.0, odd: 0.0 };
    let mut first = 1;
    while first <= meters {
        let end = first.saturating_add(PART).min(meters + 1);
        let text = file(first..end, day, local.start().as_second());
        let (began, cpu) = (now(), process());
        let load = mdm.begin_profiles(received_at, head, date)?;
        let name = format!("{date} {first}");
        let (done, bad) = load_profiles(mdm, &load, (&name, text.as_bytes()), THREADS)?;
        taken.wall += began.elapsed().as_secs_f64();
        taken.cpu += process() - cpu;
        taken.odd += number(done.odd)?;
        let all = done.whole + done.odd;
        ensure!(bad.is_empty() && all == u64::from(end - first), "not all was taken in: {done:?}");
        first = end;
    }
    Ok(taken)
}

/// A day's file: in a thousand lines one has a hole and one a spike.
fn file(meters: core::ops::Range<u32>, day: i64, start: i64) -> String {
    let mut text = String::with_capacity(meters.len() * 120);
    let mut values = Vec::new();
    for meter in meters {
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
