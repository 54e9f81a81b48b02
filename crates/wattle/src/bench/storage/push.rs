//! Single pushes, appended and committed in groups; acknowledged when the disk has them.

use super::super::Manner;
use super::super::report::{Line, Report};
use super::{FIRST, Ground, home, now, number};
use anyhow::{Result, ensure};
use jiff::{SignedDuration, ToSpan};
use mdm::Mdm;
use model::{BatchSource, ChannelKind, IntervalLength, MeterId, ReadBatch, Unit};

const GROUP: usize = 1_000;
const METERS: u32 = 2_000;
const SLOTS: usize = 24;

pub(crate) fn run(manner: &Manner, report: &mut Report) -> Result<()> {
    let groups = if manner.quick { 50u32 } else { 1_000 };
    let ground = Ground::new(manner)?;
    ground.provision(METERS, IntervalLength::HOUR)?;
    let mdm = ground.mdm()?;
    let day = mdm.local_day(FIRST)?;
    let mut values = Vec::new();
    // Each push is four hours of a meter, as meters send them.
    let pushes: Vec<ReadBatch> = (0..u32::try_from(GROUP)?)
        .map(|meter| {
            home(meter + 1, 0, 24, &mut values);
            ReadBatch {
                meter: MeterId::new(meter + 1),
                kind: ChannelKind::Import,
                start: day.start(),
                interval: IntervalLength::HOUR,
                values: values.iter().take(4).map(|value| Some(*value)).collect(),
                scaler: 0,
                unit: Unit::WattHour,
                status: vec![0; 4],
                received_at: day.end(),
                source: BatchSource::Push,
            }
        })
        .collect();
    let began = now();
    for _ in 0..groups {
        ground.store.write(|write| write.append_pushes(&pushes, day.end()))?;
    }
    let seconds = began.elapsed().as_secs_f64();
    let waiting = ground.store.read(store::Read::pushes_waiting)?;
    ensure!(waiting == u64::from(groups) * GROUP as u64, "{waiting} pushes are kept");
    let intervals = number(waiting)? * 4.0;
    report
        .tell(&Line::new("push, four hours each", intervals / seconds, "intervals/s").at_least(500_000.0))?;
    report.tell(&Line::new("push, a group of 1000", seconds * 1000.0 / f64::from(groups), "ms"))?;
    let began = now();
    let done = mdm.seal_pushes(day.end(), 1)?;
    ensure!(done.stored == GROUP * 4, "sealing stored {}", done.stored);
    report.tell(&Line::new("push, sealing", 4000.0 / began.elapsed().as_secs_f64(), "intervals/s"))?;
    while ground.store.read(store::Read::pushes_waiting)? > 0 {
        ground.store.write(store::Write::withdraw_push_group)?;
    }
    whole_days(&ground, &mdm, if manner.quick { 2 } else { 10 }, report)
}

/// Days of all meters that came in one push each, a thousand to a group, sealed as a worker does.
fn whole_days(ground: &Ground, mdm: &Mdm, days: i64, report: &mut Report) -> Result<()> {
    let mut values = Vec::new();
    let (mut seconds, mut intervals, mut paged) = (0.0, 0u64, 0u32);
    for offset in 1..=days {
        let day = mdm.local_day(FIRST.checked_add(offset.days())?)?;
        let push = |meter: u32, values: &mut Vec<i64>| {
            home(meter, offset, SLOTS, values);
            ReadBatch {
                meter: MeterId::new(meter),
                kind: ChannelKind::Import,
                start: day.start(),
                interval: IntervalLength::HOUR,
                values: values.iter().map(|value| Some(*value)).collect(),
                scaler: 0,
                unit: Unit::WattHour,
                status: vec![0; SLOTS],
                received_at: day.end() + SignedDuration::from_millis(i64::from(meter) * 37),
                source: BatchSource::Push,
            }
        };
        let all: Vec<ReadBatch> = (1..=METERS).map(|meter| push(meter, &mut values)).collect();
        let sealed_at = day.end() + SignedDuration::from_hours(3);
        for group in all.chunks(GROUP) {
            ground.store.write(|write| write.append_pushes(group, sealed_at))?;
        }
        let began = now();
        let done = mdm.seal_pushes(sealed_at, 32)?;
        seconds += began.elapsed().as_secs_f64();
        intervals += done.stored as u64;
        paged += ground.store.read(|read| read.paged_days(day.date()))?;
    }
    let expected = u64::from(METERS) * u64::try_from(days)? * SLOTS as u64;
    ensure!(intervals == expected, "sealing whole days stored {intervals} of {expected}");
    report.tell(&Line::new("push, sealing whole days", number(intervals)? / seconds, "intervals/s"))?;
    let share = f64::from(paged) * 24.0 * 100.0 / number(intervals)?;
    report.tell(&Line::new("push, whole days that lie in pages", share, "%"))
}
