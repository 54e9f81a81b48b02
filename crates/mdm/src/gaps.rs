//! What has not been read, for the head-end to ask again.

use crate::catalogue::Entry;
use crate::{Mdm, MdmError};
use jiff::Timestamp;
use model::{ChannelKind, LocalDay, MeterId, QualityClass};
use std::collections::{BTreeMap, BTreeSet};
use store::Read;

/// A time of which nothing was read, half-open, on the grid of the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Its first instant.
    pub from: Timestamp,
    /// Its end, exclusive.
    pub to: Timestamp,
}

/// The gaps of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelGaps {
    /// Whose.
    pub meter: MeterId,
    /// Of which series.
    pub kind: ChannelKind,
    /// In order of time.
    pub gaps: Vec<Gap>,
}

impl Mdm {
    /// The intervals of a channel inside `[from, to)` that were not read: empty ones and estimated ones.
    /// Nothing before the meter was installed counts.
    ///
    /// # Errors
    /// What the store says.
    pub fn missing(
        &self,
        meter: MeterId,
        kind: ChannelKind,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Gap>, MdmError> {
        let Some(entry) = self.catalogue().get(meter, kind) else { return Ok(Vec::new()) };
        let days = self.days_between(from, to)?;
        self.store.read(|r| {
            let mut gaps = Vec::new();
            for day in &days {
                add_gaps(r, &entry, day, (from, to), &mut gaps)?;
            }
            Ok(gaps)
        })
    }

    /// As [`Mdm::missing`] for every channel; channels without gaps are left out.
    ///
    /// # Errors
    /// What the store says.
    pub fn all_missing(&self, from: Timestamp, to: Timestamp) -> Result<Vec<ChannelGaps>, MdmError> {
        let catalogue = self.catalogue();
        let mut found: BTreeMap<(MeterId, ChannelKind), Vec<Gap>> = BTreeMap::new();
        for day in self.days_between(from, to)? {
            self.store.read(|r| {
                let whole: BTreeSet<_> = r
                    .day_summaries(day.date())?
                    .into_iter()
                    .filter(|summary| summary.present == summary.expected)
                    .map(|summary| summary.channel)
                    .collect();
                for entry in catalogue.entries().filter(|entry| !whole.contains(&entry.channel.id)) {
                    let key = (entry.channel.meter, entry.channel.kind);
                    add_gaps(r, &entry, &day, (from, to), found.entry(key).or_default())?;
                }
                Ok::<_, MdmError>(())
            })?;
        }
        let with_gaps = found.into_iter().filter(|(_, gaps)| !gaps.is_empty());
        Ok(with_gaps.map(|((meter, kind), gaps)| ChannelGaps { meter, kind, gaps }).collect())
    }

    fn days_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<LocalDay>, MdmError> {
        let mut days = Vec::new();
        let mut day = self.day_of(from)?;
        while day.start() < to {
            let next = day.next()?;
            days.push(core::mem::replace(&mut day, next));
        }
        Ok(days)
    }
}

/// Adds what was not read of a day inside `[within.0, within.1)`.
fn add_gaps(
    read: &Read,
    entry: &Entry,
    day: &LocalDay,
    within: (Timestamp, Timestamp),
    gaps: &mut Vec<Gap>,
) -> Result<(), MdmError> {
    let (channel, interval) = (entry.channel.id, entry.channel.interval);
    let stored = read.day(channel, day.date())?;
    for index in 0..day.intervals(interval) {
        let (start, end) = (day.interval_start(interval, index), day.interval_start(interval, index + 1));
        let quality = stored.as_ref().and_then(|stored| stored.block.quality.get(index));
        // Known to be zero is known: the supply was off, and the meter has nothing to tell of it.
        let has = quality.is_some_and(|q| q.is_read() || q.class() == QualityClass::DerivedZero);
        if has || start < within.0 || end > within.1 || start < entry.installed_at {
            continue;
        }
        match gaps.last_mut() {
            Some(gap) if gap.to == start => gap.to = end,
            _ => gaps.push(Gap { from: start, to: end }),
        }
    }
    Ok(())
}
