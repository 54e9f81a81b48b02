//! Sums over all, and the size of it.

use super::super::Manner;
use super::super::cpu::Stopwatch;
use super::super::report::{Line, Report};
use super::{FIRST, Ground, home, number};
use anyhow::{Result, ensure};
use jiff::ToSpan;
use model::{ChannelId, IntervalLength};
use serde_json::json;
use std::collections::BTreeMap;

const DAYS: i64 = 31;

/// Time-of-use sums of every meter of a month of quarter hours, on one thread; unfolded, then folded.
pub(crate) fn tou(manner: &Manner, report: &mut Report) -> Result<()> {
    let meters = if manner.quick { 2_000 } else { 100_000 };
    let ground = Ground::new(manner)?;
    ground.fill(meters, DAYS, IntervalLength::QUARTER_HOUR)?;
    let mut peers = Vec::new();
    if let Some(python) = &manner.python {
        for peer in ["chdb", "duckdb"] {
            let rows = if manner.quick { 2_000_000u32 } else { 50_000_000 };
            let order = json!({ "peer": peer, "rows": rows, "dir": manner.dir });
            peers.extend(python.try_measure("rows_scan.py", &order)?.map(|rate| (peer, rate)));
        }
    }
    let best = peers.iter().map(|(_, rate)| *rate).reduce(f64::max);
    let unfolded = summed(&ground, meters)?;
    report.tell(&Line::new("tou, days", unfolded.0, "intervals/s per core").at_least(300e6).beside(best))?;
    fold(&ground)?;
    let folded = summed(&ground, meters)?;
    ensure!(folded.1 == unfolded.1, "folding changed the sums");
    report.tell(&Line::new("tou, folded", folded.0, "intervals/s per core").at_least(300e6).beside(best))?;
    for (peer, rate) in peers {
        report.tell(&Line::new(format!("peer: tou over rows, {peer}"), rate, "intervals/s per core"))?;
    }
    Ok(())
}

/// Intervals a second, the better of three passes; the sums.
fn summed(ground: &Ground, meters: u32) -> Result<(f64, [i64; store::BUCKETS])> {
    let mut best = (0.0f64, [0; store::BUCKETS]);
    for _ in 0..3 {
        let watch = Stopwatch::start();
        let to = FIRST.checked_add(DAYS.days())?;
        let channels = (ChannelId::new(1), ChannelId::new(meters + 1));
        let sums = ground.store.read(|r| {
            r.bucket_sums((FIRST, to), channels, |day, slots| {
                let peak = if day.weekday().to_monday_zero_offset() < 5 { 2 } else { 1 };
                vec![(slots * 7 / 24, 0), (slots * 17 / 24, 1), (slots * 21 / 24, peak), (slots, 0)]
            })
        })?;
        let rate = number(sums.intervals)? / watch.had().as_secs_f64();
        best = (best.0.max(rate), sums.total());
    }
    Ok(best)
}

fn fold(ground: &Ground) -> Result<()> {
    let at = jiff::Timestamp::from_second(1_800_000_000)?;
    let pages = ground.store.read(|r| r.unfolded_pages(FIRST, 0))?;
    for group in pages.chunks(64) {
        ground.store.bulk(|w| {
            for page in group {
                w.fold(FIRST, *page, at)?;
            }
            Ok::<_, store::StoreError>(())
        })?;
    }
    ground.store.compact()?;
    Ok(())
}

/// Bytes an interval in the file, quality and keys included.
pub(crate) fn size(manner: &Manner, report: &mut Report) -> Result<()> {
    let meters = if manner.quick { 2_000 } else { 50_000 };
    let peer = match &manner.python {
        Some(python) => python.try_measure("rows_size.py", &json!({ "rows": 2_000_000 }))?,
        None => None,
    };
    let shapes = [
        (IntervalLength::QUARTER_HOUR, "quarter hours", 1.6, 1.3),
        (IntervalLength::HOUR, "hours", 2.0, 1.6),
    ];
    for (interval, name, days_bound, months_bound) in shapes {
        let ground = Ground::new(manner)?;
        let empty = ground.bytes()?;
        let slots = usize::try_from(86_400 / interval.secs())?;
        report.tell(&Line::new(format!("size, {name}: entropy"), entropy(slots)?, "bits"))?;
        ground.fill(meters, DAYS, interval)?;
        let intervals = f64::from(meters) * 31.0 * f64::from(u32::try_from(slots)?);
        let days = (ground.bytes()? - empty) / intervals;
        report.tell(&Line::new(format!("size, {name}: days"), days, "bytes").at_most(days_bound))?;
        fold(&ground)?;
        let months = (ground.bytes()? - empty) / intervals;
        report.tell(&Line::new(format!("size, {name}: months"), months, "bytes").at_most(months_bound))?;
    }
    if let Some(peer) = peer {
        report.tell(&Line::new("peer: quarter hours, ClickHouse", peer, "bytes"))?;
    }
    Ok(())
}

/// Of all values together, in bits a value.
fn entropy(slots: usize) -> Result<f64> {
    let mut counts: BTreeMap<i64, u32> = BTreeMap::new();
    let (mut values, mut total) = (Vec::new(), 0u32);
    for meter in 1..=20_000 {
        home(meter, i64::from(meter % 31), slots, &mut values);
        for value in &values {
            *counts.entry(*value).or_default() += 1;
            total += 1;
        }
    }
    let share = |count: &u32| f64::from(*count) / f64::from(total);
    Ok(-counts.values().map(|count| share(count) * share(count).log2()).sum::<f64>())
}
