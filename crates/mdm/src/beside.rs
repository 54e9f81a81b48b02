//! What stands beside a channel's day: the time-of-use registers, the other channels of its meter, its check meter, its clock.

use crate::MdmError;
use crate::catalogue::Entry;
use crate::day::Workshop;
use jiff::{SignedDuration, Timestamp};
use model::{
    BatchSource, ChannelId, ChannelKind, DayBlock, LocalDay, MeterCheck, MeterId, ReadBatch, Serial,
};
use store::{ClockLost, KnownOfMeter};
use vee::fast::Sibling;
use vee::{Day, Evidence, Outage, TouRead};

/// A comparison of our clock with the reference says nothing of readings that came so much later.
const FRESH: SignedDuration = SignedDuration::from_hours(24);

/// A stored day of another channel, with what that measures.
pub(crate) type Beside = (ChannelKind, DayBlock);

/// As the rules see it.
pub(crate) fn sibling((kind, block): &Beside) -> Sibling<'_> {
    Sibling { kind: *kind, values: &block.values, quality: &block.quality }
}

impl Workshop<'_> {
    /// The reads of the time-of-use registers inside the day.
    pub(crate) fn rates(&mut self, entry: &Entry, day: &LocalDay) -> Result<Vec<TouRead>, MdmError> {
        let channel = &entry.channel;
        let known = match self.rated.get(&channel.id) {
            Some(known) => *known,
            None => self.write.has_rates(channel.meter, channel.kind)?,
        };
        self.rated.insert(channel.id, known);
        if !known {
            return Ok(Vec::new());
        }
        crate::surroundings::tou_registers(self.write, entry, day.start(), day.end())
    }

    /// The same day of the meter's other channels, where a rule can say something with them: voltage beside energy,
    /// reactive beside active energy, and any other where something is missing when it should be there.
    pub(crate) fn beside(&self, entry: &Entry, day: &Day) -> Result<Vec<Beside>, MdmError> {
        let channel = &entry.channel;
        let holes = self.is_over(entry, &day.day) && day.slots.iter().any(|slot| !slot.quality.is_read());
        let wanted = |other: ChannelKind| match channel.kind {
            ChannelKind::Voltage => other == ChannelKind::Import,
            ChannelKind::Import => other == ChannelKind::ReactiveImport,
            _ => false,
        };
        let mut found = Vec::new();
        for kind in ChannelKind::ALL {
            if kind == channel.kind || !(holes || wanted(kind)) {
                continue;
            }
            let Some(other) = self.catalogue.get(channel.meter, kind) else { continue };
            if other.channel.interval != channel.interval {
                continue;
            }
            let stored = self.write.day(other.channel.id, day.day.date())?;
            found.extend(stored.map(|stored| (kind, stored.block)));
        }
        Ok(found)
    }

    /// The same day of the meter that checks this one.
    pub(crate) fn check(&self, entry: &Entry, day: &Day) -> Result<Option<Beside>, MdmError> {
        let Some(meter) = entry.checked_by else { return Ok(None) };
        let Some(check) = self.catalogue.get(meter, entry.channel.kind) else { return Ok(None) };
        let stored = self.write.day(check.channel.id, day.day.date())?;
        Ok(stored.map(|stored| (entry.channel.kind, stored.block)))
    }

    /// Takes in what a meter told of itself.
    pub(crate) fn take_check(&mut self, check: &MeterCheck) -> Result<(), MdmError> {
        if self.write.meter(check.meter)?.is_none() {
            return Ok(());
        }
        let known = self.known_of(check.meter)?;
        let mut known = known.unwrap_or_else(|| KnownOfMeter::new(check.at));
        if check.at < known.checked_at {
            return Ok(());
        }
        known.checked_at = check.at;
        known.serial = check.serial.clone().or(known.serial);
        known.multiplier = check.multiplier.or(known.multiplier);
        known.scaler_off = check.scaler_off.or(known.scaler_off);
        if let Some(offset_ms) = check.clock_offset_ms {
            let tolerated = u64::from(self.mdm.rules().clock.meter_s) * 1000;
            if offset_ms.unsigned_abs() <= tolerated {
                known.clock_good = Some(check.at);
            } else {
                known.clock_lost = Some(ClockLost { from: known.clock_good, to: check.at, offset_ms });
            }
        }
        self.write.put_meter_check(check.meter, &known)?;
        self.checks.insert(check.meter, Some(known));
        Ok(())
    }

    fn known_of(&mut self, meter: MeterId) -> Result<Option<KnownOfMeter>, MdmError> {
        if let Some(known) = self.checks.get(&meter) {
            return Ok(known.clone());
        }
        let known = self.write.meter_check(meter)?;
        self.checks.insert(meter, known.clone());
        Ok(known)
    }

    /// How a batch was read: what the meter told of itself, and how its clock and ours stood. A file brings its own.
    pub(crate) fn witness(&mut self, batch: &ReadBatch) -> Result<Witness, MdmError> {
        let mut witness = Witness::default();
        if matches!(batch.source, BatchSource::Import | BatchSource::Sender) {
            return Ok(witness);
        }
        let compared = match self.system_clock {
            Some(compared) => compared,
            None => *self.system_clock.insert(self.write.system_clock(self.now)?),
        };
        witness.system_offset_ms =
            compared.filter(|(at, _)| is_fresh(*at, batch.received_at)).map(|(_, offset)| offset);
        let Some(known) = self.known_of(batch.meter)? else { return Ok(witness) };
        if let Some(told) = known.serial.clone() {
            let on_file = self.write.meter(batch.meter)?.map(|meter| meter.serial);
            witness.serial = on_file.map(|on_file| (told, on_file));
        }
        witness.known = Some(known);
        Ok(witness)
    }

    /// Up to where bills of a channel are out.
    pub(crate) fn billed_to(&mut self, channel: ChannelId) -> Result<Option<Timestamp>, MdmError> {
        if let Some(billed) = self.billed.get(&channel) {
            return Ok(*billed);
        }
        let last = self.write.last_billed_day(channel)?;
        let billed = last.map(|day| Ok::<_, MdmError>(self.local_day(day)?.end())).transpose()?;
        self.billed.insert(channel, billed);
        Ok(billed)
    }

    /// When nobody could draw through this meter: the relay was open, or the meter was not there.
    pub(crate) fn off(&self, entry: &Entry, day: &LocalDay) -> Vec<Outage> {
        let mut off = self.off.get(&entry.channel.meter).cloned().unwrap_or_default();
        off.extend(away(entry, day));
        off
    }
}

/// When the meter was not there yet, or not any more, on a day.
pub(crate) fn away(entry: &Entry, day: &LocalDay) -> impl Iterator<Item = Outage> {
    let (start, end) = (day.start(), day.end());
    let before = entry.facts.installed.filter(|at| *at > start);
    let after = entry.facts.removed.filter(|at| *at < end);
    let before = before.map(|at| Outage { from: start, to: at.min(end) });
    before.into_iter().chain(after.map(|at| Outage { from: at.max(start), to: end }))
}

/// What a batch is held against.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    /// What the meter says, and what is on file.
    serial: Option<(Serial, Serial)>,
    known: Option<KnownOfMeter>,
    system_offset_ms: Option<i64>,
}

impl Witness {
    /// As the rules see it.
    pub(crate) fn evidence(&self) -> Evidence<'_> {
        let lost = self.known.as_ref().and_then(|known| known.clock_lost);
        Evidence {
            serial: self.serial.as_ref().map(|(told, on_file)| (told.as_str(), on_file.as_str())),
            multiplier: self.known.as_ref().and_then(|known| known.multiplier),
            scaler_off: self.known.as_ref().and_then(|known| known.scaler_off),
            system_offset_ms: self.system_offset_ms,
            meter_offset_ms: lost.map(|lost| lost.offset_ms),
            clock_lost: lost.map(|lost| (lost.from, lost.to)),
        }
    }
}

/// Whether what was known at `at` still says something at `now`.
fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    at.saturating_add(FRESH).is_ok_and(|until| now <= until)
}

#[cfg(test)]
mod tests;
