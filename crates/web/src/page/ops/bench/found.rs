//! The day that the address of the bench names, and which of its intervals can be worked on.

use super::ask::{Asked, Times};
use super::deed;
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read::failed;
use core::ops::Range;
use mdm::read::{BenchDay, CaseState, ExceptionFilter};
use store::Channel;

/// A bench and what its address asks for.
pub(crate) struct Found {
    pub(crate) bench: BenchDay,
    pub(crate) channels: Vec<Channel>,
    pub(crate) times: Times,
    /// How many intervals of the day are over: only they can be worked on.
    pub(crate) over: usize,
}

impl Found {
    /// The chosen intervals as far as they are over; what is to come can be neither read nor set.
    pub(crate) fn range(&self, from: Option<&str>, to: Option<&str>) -> Result<Option<Range<usize>>, String> {
        let Some(chosen) = deed::range(&self.times, from, to)? else { return Ok(None) };
        let end = chosen.end.min(self.over);
        if chosen.start < end {
            return Ok(Some(chosen.start..end));
        }
        Err(match self.over {
            0 => "No interval of this day is over yet.".to_owned(),
            over => format!(
                "The intervals from {} on are not over yet; choose earlier ones.",
                self.times.at(over)
            ),
        })
    }
}

/// The channel of the address, or the meter's first one that counts something.
pub(crate) fn find(ctx: &Ctx, asked: &Asked) -> Result<Found, WebError> {
    let mdm = &ctx.app.mdm;
    let meter = mdm.meter(asked.meter).map_err(|error| failed(&error))?;
    let meter = meter.ok_or_else(|| WebError::NotFound("meter".to_owned()))?;
    let main = crate::page::ops::meter::main_kind(meter.meter.commodity);
    let wanted = asked.kind.unwrap_or(main);
    let channel = meter.channels.iter().find(|channel| channel.kind == wanted);
    let channel =
        channel.ok_or_else(|| WebError::NotFound("channel of this kind at this meter".to_owned()))?;
    let queue = ExceptionFilter {
        rule: asked.rule.clone(),
        state: Some(CaseState::Open),
        ..ExceptionFilter::default()
    };
    let bench = mdm.bench_day(channel.id, asked.date, &queue).map_err(|error| failed(&error))?;
    let bench = bench.ok_or_else(|| WebError::NotFound("channel in service".to_owned()))?;
    let times = Times::of(&bench.day, bench.series.interval);
    let ended = |index: &usize| bench.day.interval_start(bench.series.interval, index + 1) <= ctx.now;
    let over = (0..bench.series.slots.len()).take_while(ended).count();
    Ok(Found { times, over, channels: meter.channels, bench })
}
