//! One meter's month and year out of everybody's thirteen months.

use super::super::Manner;
use super::super::report::{Line, Report};
use super::{FIRST, Ground, now};
use anyhow::{Result, ensure};
use jiff::ToSpan;
use model::{ChannelId, IntervalLength};
use serde_json::json;

pub(crate) fn run(manner: &Manner, report: &mut Report) -> Result<()> {
    let (meters, days) = if manner.quick { (2_000u32, 62i64) } else { (200_000, 396) };
    let ground = Ground::new(manner)?;
    ground.fill(meters, days, IntervalLength::HOUR)?;
    // All but the last month are folded.
    let at = jiff::Timestamp::from_second(1_800_000_000)?;
    let last = FIRST.checked_add((days - 1).days())?;
    let mut month = FIRST;
    while month < last.first_of_month() {
        for page in ground.store.read(|r| r.unfolded_pages(month, 0))? {
            ground.store.bulk(|w| w.fold(month, page, at))?;
        }
        month = month.checked_add(1.month())?;
    }
    ground.store.checkpoint()?;
    let peer = match &manner.python {
        Some(python) => python.try_measure(
            "rows_point.py",
            &json!({ "meters": meters.min(20_000), "days": days.min(60), "dir": manner.dir }),
        )?,
        None => None,
    };
    let folded = percentile(&ground, meters, FIRST, 31)?;
    let open = percentile(&ground, meters, last.first_of_month(), 28)?;
    let spans = [("a folded month", folded, 1.0), ("an open month", open, 1.0)];
    for (name, (p50, p99), bound) in spans {
        report.tell(&Line::new(format!("point, {name}: p50"), p50, "ms"))?;
        report.tell(&Line::new(format!("point, {name}: p99"), p99, "ms").at_most(bound))?;
    }
    let (p50, p99) = percentile(&ground, meters, FIRST, days.min(365))?;
    report.tell(&Line::new("point, a year: p50", p50, "ms"))?;
    report.tell(&Line::new("point, a year: p99", p99, "ms").at_most(5.0))?;
    if let Some(peer) = peer {
        report.tell(&Line::new("peer: a month of one meter, p99, DuckDB", peer, "ms"))?;
    }
    Ok(())
}

/// Milliseconds for one meter's days from `from` on.
fn percentile(ground: &Ground, meters: u32, from: jiff::civil::Date, days: i64) -> Result<(f64, f64)> {
    let to = from.checked_add(days.days())?;
    let mut times = Vec::new();
    let mut meter = 1u32;
    for _ in 0..1000 {
        meter = meter.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) % meters;
        let began = now();
        let found = ground.store.read(|r| r.days(ChannelId::new(meter + 1), from, to))?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        ensure!(!found.is_empty(), "meter {} has no days", meter + 1);
    }
    times.sort_by(f64::total_cmp);
    Ok((times[500], times[990]))
}
