//! Sums over many meters, interval by interval, with how much of each is known.

use crate::catalogue::Entry;
use crate::group::{Scope, members};
use crate::{Mdm, MdmError};
use jiff::civil::Date;
use model::{ChannelId, ChannelKind, IntervalLength, LocalDay, Quality, QualityClass};
use std::collections::BTreeMap;
use store::Read;

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
    /// How many channels belong to it.
    pub channels: usize,
    /// The days, the first one first.
    pub days: Vec<LoadDay>,
}

/// Why there is no sum.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadRefused {
    /// The group is not there.
    #[error("There is no such group of meters.")]
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
    /// Values of shorter intervals are added up. A channel whose interval is longer than that of the sum, or does not
    /// divide it, counts as missing. Meters that are retired now do not count, on no day.
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
        let catalogue = self.catalogue();
        self.store().read(|r| {
            let Some(meters) = members(r, scope)? else { return Ok(Err(LoadRefused::NoSuchGroup)) };
            let signed = |entry: Entry| {
                let sign = measure.sign(entry.channel.kind)?;
                meters.contains(&entry.channel.meter).then_some((entry.channel.id, (sign, entry)))
            };
            let channels: BTreeMap<ChannelId, (i64, Entry)> =
                catalogue.entries().filter_map(signed).collect();
            let longest = channels.values().map(|(_, entry)| entry.channel.interval).max_by_key(|i| i.secs());
            let interval = interval.or(longest).unwrap_or(IntervalLength::HOUR);
            let mut load = Load { measure, interval, channels: channels.len(), days: Vec::new() };
            let mut day = self.local_day(from)?;
            while day.date() < to {
                let next = day.next()?;
                load.days.push(sum_of(r, &channels, day, interval)?);
                day = next;
            }
            Ok(Ok(load))
        })
    }
}

fn sum_of(
    read: &Read,
    channels: &BTreeMap<ChannelId, (i64, Entry)>,
    day: LocalDay,
    interval: IntervalLength,
) -> Result<LoadDay, MdmError> {
    let mut slots = vec![LoadSlot::default(); day.intervals(interval)];
    let there: Vec<ChannelId> = channels
        .iter()
        .filter(|(_, (_, entry))| entry.installed_at < day.end())
        .map(|(channel, _)| *channel)
        .collect();
    let mut counted = 0u32;
    read.each_newest(day.date(), &there, |stored| {
        let block = &stored.block;
        let Some((sign, _)) = channels.get(&block.channel) else { return };
        let step = interval.secs().checked_div(block.interval.secs()).unwrap_or(0);
        let fits = step > 0 && interval.secs().is_multiple_of(block.interval.secs());
        let step = usize::try_from(step).unwrap_or(1);
        if !fits || block.values.len() != slots.len() * step {
            return;
        }
        counted += 1;
        let parts = block.values.chunks(step).zip(block.quality.chunks(step));
        for (slot, (values, quality)) in slots.iter_mut().zip(parts) {
            add(slot, *sign, values, quality);
        }
    })?;
    let absent = u32::try_from(there.len()).unwrap_or(u32::MAX).saturating_sub(counted);
    for slot in &mut slots {
        slot.missing = slot.missing.saturating_add(absent);
    }
    Ok(LoadDay { day, slots })
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
