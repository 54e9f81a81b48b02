//! Sums over many meters, interval by interval, with how much of each is known.

use crate::group::Scope;
use crate::membership::{Membership, Span};
use crate::{Mdm, MdmError};
use jiff::civil::Date;
use model::{ChannelId, ChannelKind, IntervalLength, LocalDay, Quality, QualityClass};
use std::collections::{BTreeMap, BTreeSet};
use store::{Channel, Read};

#[cfg(test)]
mod tests;

/// What is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// One kind of channel, in its stored unit.
    Kind(ChannelKind),
    /// Electricity delivered less received, Wh: what a transformer, a feeder or the system carries without losses.
    NetEnergy,
}

impl Measure {
    /// The sign with which a kind of channel counts; `None` for one that does not.
    const fn sign(self, kind: ChannelKind) -> Option<i64> {
        match (self, kind) {
            (Self::Kind(wanted), kind) if wanted.code() == kind.code() => Some(1),
            (Self::NetEnergy, ChannelKind::Import | ChannelKind::Net) => Some(1),
            (Self::NetEnergy, ChannelKind::Export) => Some(-1),
            _ => None,
        }
    }

    /// The kind of series that comes out.
    pub const fn kind(self) -> ChannelKind {
        match self {
            Self::Kind(kind) => kind,
            Self::NetEnergy => ChannelKind::Net,
        }
    }

    /// The measure of a name: that of a kind, or `net_energy`.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "net_energy" {
            Some(Self::NetEnergy)
        } else {
            ChannelKind::from_name(name).map(Self::Kind)
        }
    }
}

/// One interval of a sum. Its value is the sum of what is known; the counts say of how many channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadSlot {
    /// The sum, in the stored unit of the measure.
    pub total: i64,
    /// Channels whose value was read or set by a person.
    pub read: u32,
    /// Channels whose value was estimated or derived.
    pub estimated: u32,
    /// Channels of which nothing is known; they add nothing.
    pub missing: u32,
}

/// A day of a sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadDay {
    /// The day.
    pub day: LocalDay,
    /// Its intervals: 92, 96 or 100 quarter hours, 23 to 25 hours.
    pub slots: Vec<LoadSlot>,
}

impl LoadDay {
    /// The day's sum.
    pub fn total(&self) -> i64 {
        self.slots.iter().fold(0, |sum, slot| sum.saturating_add(slot.total))
    }

    /// The interval with the highest sum.
    pub fn peak(&self) -> Option<(usize, LoadSlot)> {
        self.slots
            .iter()
            .copied()
            .enumerate()
            .max_by_key(|(index, slot)| (slot.total, core::cmp::Reverse(*index)))
    }
}

/// A sum over many meters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// What was added up.
    pub measure: Measure,
    /// The length of every interval: the longest of the channels, or the one asked for.
    pub interval: IntervalLength,
    /// How many channels belong to it on any of the days.
    pub channels: usize,
    /// The days, the first one first.
    pub days: Vec<LoadDay>,
}

/// Why there is no sum.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadRefused {
    /// The group is not there, or on none of the days.
    #[error("There is no such group of meters on these days.")]
    NoSuchGroup,
    /// Averages do not add up.
    #[error("{} values do not add up over meters.", .0.name())]
    NotAdditive(ChannelKind),
    /// Too many days.
    #[error("Ask for at least one and at most {MOST_LOAD_DAYS} days; {0} were asked for.")]
    Days(i32),
}

/// The most days of one answer.
pub const MOST_LOAD_DAYS: i32 = 400;

impl Mdm {
    /// The sum over a scope, day by day over `[from, to)`, in intervals of `interval` or of the longest among its channels.
    ///
    /// Each day is summed over whom the scope meant on that day and where meters were installed then: an exchanged meter
    /// counts until it was removed, its successor from then on, and a retired one stays in the days before. Values of shorter
    /// intervals are added up. A channel whose interval is longer than that of the sum, or does not divide it, counts as
    /// missing. On days on which a saved group is none, nothing belongs to it.
    ///
    /// # Errors
    /// What the store says. A refusal is a value.
    pub fn load(
        &self,
        scope: &Scope,
        measure: Measure,
        (from, to): (Date, Date),
        interval: Option<IntervalLength>,
    ) -> Result<Result<Load, LoadRefused>, MdmError> {
        let kind = measure.kind();
        if !kind.is_additive() {
            return Ok(Err(LoadRefused::NotAdditive(kind)));
        }
        let count = from.until(to).map_or(0, |span| span.get_days());
        if !(1..=MOST_LOAD_DAYS).contains(&count) {
            return Ok(Err(LoadRefused::Days(count)));
        }
        let mut days = vec![self.local_day(from)?];
        while let Some(next) = days.last().map(LocalDay::next).transpose()?.filter(|day| day.date() < to) {
            days.push(next);
        }
        let span = (days[0].start(), days[days.len() - 1].end());
        self.store().read(|r| {
            let Some(membership) = Membership::load(r, scope, span)? else {
                return Ok(Err(LoadRefused::NoSuchGroup));
            };
            let belonging: Vec<_> = days.iter().filter_map(|day| membership.on(day)).collect();
            if belonging.is_empty() {
                return Ok(Err(LoadRefused::NoSuchGroup));
            }
            let meters: BTreeSet<_> = belonging.into_iter().flat_map(BTreeMap::into_keys).collect();
            let signed = |channel: Channel| {
                let sign = measure.sign(channel.kind)?;
                meters.contains(&channel.meter).then_some((channel, sign))
            };
            let channels: Vec<(Channel, i64)> = r.channels()?.into_iter().filter_map(signed).collect();
            let longest = channels.iter().map(|(channel, _)| channel.interval).max_by_key(|i| i.secs());
            let interval = interval.or(longest).unwrap_or(IntervalLength::HOUR);
            let sum = |day: LocalDay| sum_of(r, &channels, &membership, day, interval);
            let count = channels.len();
            let days = days.into_iter().map(sum).collect::<Result<_, _>>()?;
            Ok(Ok(Load { measure, interval, channels: count, days }))
        })
    }
}

/// A channel on a day: the sign with which it counts, and when it belongs.
struct There {
    sign: i64,
    spans: Vec<Span>,
    /// It belongs all day long.
    whole: bool,
    seen: bool,
}

fn sum_of(
    read: &Read,
    channels: &[(Channel, i64)],
    membership: &Membership,
    day: LocalDay,
    interval: IntervalLength,
) -> Result<LoadDay, MdmError> {
    let mut slots = vec![LoadSlot::default(); day.intervals(interval)];
    let Some(meters) = membership.on(&day) else { return Ok(LoadDay { day, slots }) };
    let there = |(channel, sign): &(Channel, i64)| {
        let spans = meters.get(&channel.meter)?.clone();
        let whole = spans.iter().any(|span| span.covers(&day));
        Some((channel.id, There { sign: *sign, spans, whole, seen: false }))
    };
    let mut there: BTreeMap<ChannelId, There> = channels.iter().filter_map(there).collect();
    let ids: Vec<ChannelId> = there.keys().copied().collect();
    read.each_newest(day.date(), &ids, |stored| {
        let block = &stored.block;
        let Some(one) = there.get_mut(&block.channel) else { return };
        let step = interval.secs().checked_div(block.interval.secs()).unwrap_or(0);
        let fits = step > 0 && interval.secs().is_multiple_of(block.interval.secs());
        let step = usize::try_from(step).unwrap_or(1);
        if !fits || block.values.len() != slots.len() * step {
            return;
        }
        one.seen = true;
        let parts = block.values.chunks(step).zip(block.quality.chunks(step));
        for (index, (slot, (values, quality))) in slots.iter_mut().zip(parts).enumerate() {
            if one.whole {
                add(slot, one.sign, values, quality);
                continue;
            }
            let counts = |part: &usize| one.holds(&day, block.interval, index * step + part);
            let of = |part: usize| Some((*values.get(part)?, *quality.get(part)?));
            let (values, quality): (Vec<i64>, Vec<Quality>) = (0..step).filter(counts).filter_map(of).unzip();
            if !values.is_empty() {
                add(slot, one.sign, &values, &quality);
            }
        }
    })?;
    for (index, slot) in slots.iter_mut().enumerate() {
        let absent =
            there.values().filter(|one| !one.seen && (one.whole || one.holds(&day, interval, index)));
        slot.missing = slot.missing.saturating_add(u32::try_from(absent.count()).unwrap_or(u32::MAX));
    }
    Ok(LoadDay { day, slots })
}

impl There {
    fn holds(&self, day: &LocalDay, interval: IntervalLength, index: usize) -> bool {
        let (start, end) = (day.interval_start(interval, index), day.interval_start(interval, index + 1));
        self.spans.iter().any(|span| span.holds(start, end))
    }
}

/// A channel counts as read, estimated or missing by the worst of its parts of the interval.
fn add(slot: &mut LoadSlot, sign: i64, values: &[i64], quality: &[Quality]) {
    if quality.iter().any(|quality| quality.is_missing()) {
        slot.missing += 1;
        return;
    }
    let sum = values.iter().fold(0i64, |sum, value| sum.saturating_add(*value));
    slot.total = slot.total.saturating_add(sign.saturating_mul(sum));
    let vouched = |quality: &Quality| quality.is_read() || quality.class() == QualityClass::Edited;
    if quality.iter().all(vouched) {
        slot.read += 1;
    } else {
        slot.estimated += 1;
    }
}
