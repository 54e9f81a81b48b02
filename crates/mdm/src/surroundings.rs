//! What estimation leans on besides the day itself: like days, neighbours, registers, power failures, statistics.

use crate::catalogue::Entry;
use crate::edit::Slots;
use crate::{Mdm, MdmError};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use model::{ChannelId, EventKind, LocalDay, MeterId, RegisterRead};
use std::collections::BTreeMap;
use store::Read;
use vee::{Candidate, Context, Day, Outage, Register, Slot, Stats};

/// The longest power failure whose beginning is looked for before a day.
const LONGEST_OUTAGE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The other days of a channel around one.
#[derive(Debug)]
pub(crate) struct Surroundings {
    /// Earlier days that may serve as like days.
    pub(crate) like_days: Vec<Day>,
    /// The day before.
    pub(crate) before: Vec<Slot>,
    /// The day after.
    pub(crate) after: Vec<Slot>,
}

impl Surroundings {
    pub(crate) fn load(mdm: &Mdm, read: &Read, entry: &Entry, date: Date) -> Result<Self, MdmError> {
        let back = jiff::Span::new().days(i64::from(mdm.rules().like_day_lookback_d));
        let from = date.checked_sub(back).unwrap_or(date);
        let channel = entry.channel;
        let mut like_days = Vec::new();
        for stored in read.days(channel.id, from, date)? {
            let local = mdm.local_day(stored.block.day)?;
            like_days.push(Day::from_block(&stored.block, channel.kind, &local)?);
        }
        let neighbour = |date: Date| -> Result<Vec<Slot>, MdmError> {
            let Some(stored) = read.day(channel.id, date)? else { return Ok(Vec::new()) };
            Ok(Day::from_block(&stored.block, channel.kind, &mdm.local_day(date)?)?.slots)
        };
        Ok(Self {
            before: date.yesterday().map_or(Ok(Vec::new()), neighbour)?,
            after: date.tomorrow().map_or(Ok(Vec::new()), neighbour)?,
            like_days,
        })
    }
}

/// When meters were without supply.
#[derive(Debug, Default)]
pub(crate) struct Supply {
    /// Power failures that ended.
    pub(crate) outages: BTreeMap<MeterId, Vec<Outage>>,
    /// Times of an open relay.
    pub(crate) off: BTreeMap<MeterId, Vec<Outage>>,
}

/// The power failures and times of an open relay of every meter that touch `[from, to)`.
pub(crate) fn supply(
    read: &Read,
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
) -> Result<Supply, MdmError> {
    let from = from.saturating_sub(LONGEST_OUTAGE).unwrap_or(Timestamp::MIN);
    let (mut failed, mut opened) = (BTreeMap::new(), BTreeMap::new());
    let mut supply = Supply::default();
    for event in read.supply_events(from, to)? {
        let (open, done) = match event.kind {
            EventKind::PowerFailed | EventKind::PowerRestored => (&mut failed, &mut supply.outages),
            _ => (&mut opened, &mut supply.off),
        };
        if matches!(event.kind, EventKind::PowerFailed | EventKind::Disconnected) {
            open.entry(event.meter).or_insert(event.at);
        } else if let Some(since) = open.remove(&event.meter) {
            done.entry(event.meter).or_default().push(Outage { from: since, to: event.at });
        }
    }
    // Who was disconnected and not connected again is off until now; a power failure without an end is no evidence.
    for (meter, since) in opened {
        supply.off.entry(meter).or_default().push(Outage { from: since, to: now });
    }
    Ok(supply)
}

/// The reads of the total register in `[from, to]`, both included, in the stored unit, by time. A register in another
/// unit, or finer than the stored one, cannot be compared exactly and is left out.
pub(crate) fn registers(
    read: &Read,
    entry: &Entry,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Register>, MdmError> {
    let channel = &entry.channel;
    if !channel.kind.is_additive() {
        return Ok(Vec::new());
    }
    let reads = read.register_reads(channel.meter, channel.kind, 0, from, to)?;
    Ok(reads.iter().filter_map(|read| Some(Register { at: read.at, value: exact(read, entry)? })).collect())
}

/// A register in the stored unit, multiplier applied; none if that is not exact.
pub(crate) fn exact(read: &RegisterRead, entry: &Entry) -> Option<i64> {
    let (unit, exponent) = entry.channel.kind.stored_unit();
    let value = (read.value.unit == unit).then(|| read.value.rescaled(exponent).ok()).flatten()?;
    value.checked_mul(entry.facts.multiplier.into())
}

/// What is remembered of a channel's earlier days.
pub(crate) fn stats(read: &Read, channel: ChannelId) -> Result<Stats, MdmError> {
    Ok(match read.channel_stats(channel)? {
        Some(bytes) => Stats::from_bytes(&bytes)?,
        None => Stats::default(),
    })
}

/// What each method would put into the chosen intervals of a day, whatever is there now. Where several runs are chosen,
/// a method applies if it applies to every one.
pub(crate) fn candidates(
    mdm: &Mdm,
    read: &Read,
    entry: &Entry,
    day: &Day,
    slots: &Slots,
    now: Timestamp,
) -> Result<Vec<Candidate>, MdmError> {
    let local: &LocalDay = &day.day;
    let around = Surroundings::load(mdm, read, entry, local.date())?;
    let registers = registers(read, entry, local.start(), local.end())?;
    let mut supply = supply(read, local.start(), local.end(), now)?;
    let outages = supply.outages.remove(&entry.channel.meter).unwrap_or_default();
    let stats = stats(read, entry.channel.id)?;
    let context = Context {
        before: &around.before,
        after: &around.after,
        like_days: &around.like_days,
        registers: &registers,
        outages: &outages,
        ..Context::new(&entry.facts, &stats, now)
    };
    let mut all: Vec<Candidate> = Vec::new();
    for (nth, run) in slots.runs().into_iter().enumerate() {
        let of_run = vee::candidates(day, run, &context, mdm.rules());
        if nth == 0 {
            all = of_run;
            continue;
        }
        for (whole, part) in all.iter_mut().zip(of_run) {
            if whole.applies && !part.applies {
                whole.why.clone_from(&part.why);
            }
            whole.applies &= part.applies;
            whole.scaled |= part.scaled;
            whole.values.extend(part.values);
            whole.total = whole.total.saturating_add(part.total);
        }
    }
    for candidate in all.iter_mut().filter(|candidate| !candidate.applies) {
        candidate.values.clear();
        candidate.total = 0;
    }
    Ok(all)
}

impl Mdm {
    /// What each method of estimation would put into the chosen intervals of a channel's day, side by side; `None` for a
    /// channel that is not in service. Intervals that the day does not have are passed over.
    ///
    /// # Errors
    /// What the store says.
    pub fn candidates(
        &self,
        now: Timestamp,
        channel: ChannelId,
        date: Date,
        slots: &Slots,
    ) -> Result<Option<Vec<Candidate>>, MdmError> {
        let Some(entry) = self.catalogue().by_id(channel) else { return Ok(None) };
        let local = self.local_day(date)?;
        self.store().read(|r| {
            let day = match r.day(channel, date)? {
                Some(stored) => Day::from_block(&stored.block, entry.channel.kind, &local)?,
                None => Day::missing(local, entry.channel.interval, entry.channel.kind),
            };
            let slots: Slots = slots.iter().filter(|slot| *slot < day.slots.len()).collect();
            candidates(self, r, &entry, &day, &slots, now).map(Some)
        })
    }
}
