//! How fast days are validated: real homes, every rule on, warm statistics, one core.

use super::homes::{Homes, sets};
use super::report::{Line, Report};
use super::{Manner, cpu::Stopwatch};
use anyhow::{Context, Result};
use jiff::Timestamp;
use model::{ChannelKind, Quality};
use std::hint::black_box;
use std::time::Duration;
use vee::fast::{Around, ChannelDay, check_day, judge};
use vee::{Day, Eligible, Facts, Register, RuleBook, Stats, Summary};

/// Days that warm the statistics and are not measured.
const WARM_D: usize = 28;
const BOUND: f64 = 10e6;

/// A home's day as it comes to validation.
struct Columns {
    day: Day,
    values: Vec<i64>,
    quality: Vec<Quality>,
    registers: [Register; 2],
    now: Timestamp,
}

impl Columns {
    fn view<'a>(&'a self, quality: &'a [Quality]) -> ChannelDay<'a> {
        let Day { day, interval, kind, .. } = &self.day;
        ChannelDay { day, interval: *interval, kind: *kind, values: &self.values, quality }
    }
}

/// A home: what the rules know of it, its statistics before the first measured day, and the days.
struct Home {
    facts: Facts,
    stats: Vec<u8>,
    days: Vec<Columns>,
}

pub(super) fn run(manner: &Manner, report: &mut Report) -> Result<()> {
    let patience = if manner.quick { Duration::from_millis(300) } else { Duration::from_secs(5) };
    let book = RuleBook::default();
    for set in sets(manner.homes.as_deref())? {
        let homes = prepare(&set)?;
        let name = format!("vee.{}", set.name);
        let rate = measure(&homes, &book, patience, false)?;
        report.tell(&Line::new(format!("{name}.warm"), rate, "intervals/s").at_least(BOUND))?;
        let packed = measure(&homes, &book, patience, true)?;
        report.tell(&Line::new(format!("{name}.packed_statistics"), packed, "intervals/s"))?;
        let bytes: usize = homes.iter().map(|home| home.stats.len()).sum();
        let count = f64::from(u32::try_from(homes.len())?);
        let bytes = f64::from(u32::try_from(bytes)?) / count;
        report.tell(&Line::new(format!("{name}.statistics"), bytes, "B/channel"))?;
    }
    Ok(())
}

fn prepare(set: &Homes) -> Result<Vec<Home>> {
    let mut homes = Vec::new();
    for days in &set.homes {
        let facts = Facts {
            modulus: Some(1_000_000_000),
            rating_w: Some(69_000),
            nominal_dv: Some(2300),
            position: Some((47_376_900, 8_541_700)),
            ..Facts::new(ChannelKind::Import, set.interval)
        };
        let mut stats = Stats::default();
        let mut register = 0i64;
        let mut columns = Vec::new();
        // The half of the days that is measured still has a warm year before it where the data reaches back so far.
        let warm = WARM_D.max(days.len() / 2);
        for (number, day) in days.iter().enumerate() {
            let before = Register { at: day.day.start(), value: register };
            register += day.total();
            let registers = [before, Register { at: day.day.end(), value: register }];
            if number < warm {
                stats.absorb(day);
                continue;
            }
            let now = day.day.end().checked_add(jiff::SignedDuration::from_hours(7))?;
            let values = day.slots.iter().map(|slot| slot.value).collect();
            let raw = |quality: Quality| if quality.is_read() { Quality::RAW } else { quality };
            let quality = day.slots.iter().map(|slot| raw(slot.quality)).collect();
            columns.push(Columns { day: day.clone(), values, quality, registers, now });
        }
        homes.push(Home { facts, stats: stats.to_bytes(), days: columns });
    }
    let any = homes.iter().flat_map(|home| &home.days).next();
    any.context("no day is left to measure")?;
    Ok(homes)
}

/// Intervals a second through validate, judge and absorb; with `packed`, the statistics are read from and written to their
/// compact form for every day, as a load of one day of a whole fleet does.
fn measure(homes: &[Home], book: &RuleBook, patience: Duration, packed: bool) -> Result<f64> {
    let watch = Stopwatch::start();
    let (mut intervals, mut found) = (0u64, 0usize);
    let mut bytes = Vec::with_capacity(256);
    while watch.had() < patience {
        for home in homes {
            let mut stats = Stats::from_bytes(&home.stats)?;
            for columns in &home.days {
                if packed {
                    bytes.clear();
                    stats.write_to(&mut bytes);
                    stats = Stats::from_bytes(black_box(&bytes))?;
                }
                found += one(&mut stats, &home.facts, columns, book);
                intervals += u64::try_from(columns.values.len())?;
            }
            black_box(&stats);
        }
    }
    black_box(found);
    let seconds = watch.had().as_secs_f64();
    let thousands = f64::from(u32::try_from(intervals / 1000)?);
    Ok(thousands * 1000.0 / seconds)
}

fn one(stats: &mut Stats, facts: &Facts, columns: &Columns, book: &RuleBook) -> usize {
    let eligible = Eligible { class: facts.class, model: "electricity", kind: columns.day.kind };
    let rules = book.rules(columns.day.day.date(), &eligible);
    let mut quality = [Quality::MISSING; 100];
    let quality = &mut quality[..columns.quality.len()];
    quality.copy_from_slice(&columns.quality);
    let around = Around { registers: &columns.registers, ..Around::default() };
    let verdict = check_day(&columns.view(quality), &around, facts, rules, stats, columns.now);
    judge(quality, &verdict.findings);
    if verdict.is_clean() {
        stats.absorb_summary(&verdict.summary);
    } else {
        stats.absorb_summary(&Summary::of(&columns.view(quality)));
    }
    verdict.findings.len()
}
