//! What stands beside a channel's day: the time-of-use registers, the other channels of its meter, its check meter, its clock.

use crate::MdmError;
use crate::catalogue::Entry;
use crate::day::Workshop;
use jiff::{SignedDuration, Timestamp};
use model::{BatchSource, ChannelKind, DayBlock, LocalDay, ReadBatch};
use vee::fast::Sibling;
use vee::{Day, Evidence, TouRead};

/// What is known of a meter's clock says nothing of readings that are older than this.
const FRESH: SignedDuration = SignedDuration::from_hours(24);

/// A stored day of another channel, with what that measures.
pub(crate) type Beside = (ChannelKind, DayBlock);

/// As the rules see it.
pub(crate) fn sibling((kind, block): &Beside) -> Sibling<'_> {
    Sibling { kind: *kind, values: &block.values, quality: &block.quality }
}

impl Workshop<'_> {
    /// The reads of the time-of-use registers inside the day.
    pub(crate) fn rates(&self, entry: &Entry, day: &LocalDay) -> Result<Vec<TouRead>, MdmError> {
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

    /// How a batch was read: the meter's clock as it was last seen, if that was lately.
    pub(crate) fn evidence(&mut self, batch: &ReadBatch) -> Result<Evidence<'static>, MdmError> {
        let live = !matches!(batch.source, BatchSource::Import | BatchSource::Sender);
        let lately = live && is_fresh(batch.received_at, self.now);
        if !lately {
            return Ok(Evidence::default());
        }
        let meter_offset_ms = match self.clocks.get(&batch.meter) {
            Some(known) => *known,
            None => {
                let offset = self.write.health(batch.meter)?.clock_offset_ms;
                self.clocks.insert(batch.meter, offset);
                offset
            }
        };
        Ok(Evidence { meter_offset_ms, ..Evidence::default() })
    }
}

fn is_fresh(received_at: Timestamp, now: Timestamp) -> bool {
    received_at.saturating_add(FRESH).is_ok_and(|until| now <= until)
}
