//! One meter's month and year out of everybody's thirteen months.

use super::super::Manner;
use super::super::report::{Line, Report};
use super::{FIRST, Ground, head_of, home, now};
use anyhow::{Result, ensure};
use jiff::ToSpan;
use jiff::civil::Date;
use model::{ChannelId, IntervalLength, LocalDay};
use serde_json::json;
use store::{DayPage, MonthPage, PageHead};

/// Channels of a page.
const PAGE: u32 = store::page::PAGE;
/// Homes whose days are made; a larger fleet has them again and again, each at its own place on the disk.
const HOMES: u32 = 16 * PAGE;
/// The longest day, in hours.
const LONGEST: usize = 25;
/// Pages that are written in one transaction, which should not outgrow the log.
const TOGETHER: usize = 32;

pub(crate) fn run(manner: &Manner, report: &mut Report) -> Result<()> {
    let (meters, months) = if manner.quick { (2_000u32, 2) } else { (200_000, 13) };
    let meters = manner.meters.unwrap_or(meters);
    let months = manner.months.unwrap_or(months);
    let ground = Ground::new(manner)?;
    let homes = Homes::new(meters.min(HOMES));
    let began = now();
    let mut month = FIRST;
    for _ in 1..months {
        homes.put_folded(&ground, month, meters)?;
        month = month.checked_add(1.month())?;
    }
    homes.put_open(&ground, month, meters)?;
    ground.store.checkpoint()?;
    let seconds = began.elapsed().as_secs_f64();
    manner.talk.say(format_args!("{meters} meters x {months} months written in {seconds:.0} s"));
    let days = i64::from((month - FIRST).get_days()) + i64::from(month.days_in_month());
    let peer = match &manner.python {
        Some(python) => python.try_measure(
            "rows_point.py",
            &json!({ "meters": meters.min(20_000), "days": days.min(60), "dir": manner.dir }),
        )?,
        None => None,
    };
    report.tell(&Line::new(
        format!("point, {meters} meters x {months} months"),
        ground.bytes()? / 1e9,
        "GB",
    ))?;
    let folded = percentile(&ground, meters, FIRST, 31)?;
    let open = percentile(&ground, meters, month, 28)?;
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

/// Thirty-one days of some homes, of hours, made once.
struct Homes {
    count: u32,
    values: Vec<i64>,
}

impl Homes {
    fn new(count: u32) -> Self {
        let (mut values, mut day_of) = (Vec::new(), Vec::new());
        for day in 0..31 {
            for place in 0..count {
                home(place + 1, day, LONGEST, &mut day_of);
                values.extend_from_slice(&day_of);
            }
        }
        Self { count, values }
    }

    /// The page of a day; homes begin again when there are no more.
    fn page(&self, head: PageHead, number: u32, meters: u32) -> DayPage {
        let mut page = DayPage::new(head, number);
        let of_day = usize::from(head.day.day().unsigned_abs() - 1) * self.count as usize;
        for channel in (number * PAGE).max(1)..(number * PAGE + PAGE).min(meters + 1) {
            let at = (of_day + (channel % self.count) as usize) * LONGEST;
            let values = self.values.get(at..at + usize::from(head.slots)).unwrap_or_default();
            page.push(ChannelId::new(channel), values);
        }
        page
    }

    fn heads(month: Date) -> Result<Vec<PageHead>> {
        let zone = jiff::tz::TimeZone::get("Europe/Zurich")?;
        let head = |day: i8| {
            let local = LocalDay::new(month.checked_add(i64::from(day).days())?, &zone)?;
            head_of(&local, IntervalLength::HOUR)
        };
        (0..month.days_in_month()).map(head).collect()
    }

    /// A month as it is after folding, written as such. Only as many pages are packed as there are homes.
    fn put_folded(&self, ground: &Ground, month: Date, meters: u32) -> Result<()> {
        let at = jiff::Timestamp::from_second(1_800_000_000)?;
        let heads = Self::heads(month)?;
        let packed = |number: u32, meters: u32| {
            MonthPage::of(&heads.iter().map(|head| self.page(*head, number, meters)).collect::<Vec<_>>())
        };
        let whole = if meters / PAGE > HOMES / PAGE { HOMES / PAGE } else { 0 };
        let pattern =
            (1..=whole).map(|number| packed(number, number * PAGE + PAGE)).collect::<Result<Vec<_>, _>>()?;
        let numbers: Vec<u32> = (0..=meters / PAGE).collect();
        for group in numbers.chunks(TOGETHER) {
            ground.store.bulk(|w| {
                for number in group {
                    let again = pattern.get((*number as usize + 15) % 16);
                    match again.filter(|_| *number > 0 && *number < meters / PAGE) {
                        Some(months) => w.put_months(*number, months, at)?,
                        None => w.put_months(*number, &packed(*number, meters)?, at)?,
                    }
                }
                Ok::<_, store::StoreError>(())
            })?;
        }
        Ok(())
    }

    /// A month in pages of days.
    fn put_open(&self, ground: &Ground, month: Date, meters: u32) -> Result<()> {
        let numbers: Vec<u32> = (0..=meters / PAGE).collect();
        for head in Self::heads(month)? {
            for group in numbers.chunks(4 * TOGETHER) {
                ground.store.bulk(|w| {
                    group.iter().try_for_each(|number| w.put_page(&self.page(head, *number, meters)))
                })?;
            }
        }
        Ok(())
    }
}

/// Milliseconds for one meter's days from `from` on.
fn percentile(ground: &Ground, meters: u32, from: Date, days: i64) -> Result<(f64, f64)> {
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
