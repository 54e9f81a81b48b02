//! Single pushes, appended and committed in groups; acknowledged when the disk has them.

use super::super::Manner;
use super::super::report::{Line, Report};
use super::{FIRST, Ground, home, now, number};
use anyhow::{Result, ensure};
use model::{BatchSource, ChannelKind, IntervalLength, MeterId, ReadBatch, Unit};

const GROUP: usize = 1_000;

pub(crate) fn run(manner: &Manner, report: &mut Report) -> Result<()> {
    let groups = if manner.quick { 50u32 } else { 1_000 };
    let ground = Ground::new(manner)?;
    ground.provision(2_000, IntervalLength::HOUR)?;
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
    report.tell(&Line::new("push, sealing", 4000.0 / began.elapsed().as_secs_f64(), "intervals/s"))
}
