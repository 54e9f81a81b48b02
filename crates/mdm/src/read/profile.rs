//! One channel's day.

use crate::{Mdm, MdmError};
use jiff::civil::Date;
use model::{ChannelKind, IntervalLength, LocalDay, MeterId, Quality};
use store::{Channel, Read, StoredFinding};

/// The values of a local day, one slot an interval; see [`ChannelKind::stored_unit`] for their unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// What is measured.
    pub kind: ChannelKind,
    /// Length of every interval.
    pub interval: IntervalLength,
    /// The version that was read; 0 when nothing is stored of the day.
    pub version: u32,
    /// Whether that version is closed for good.
    pub sealed: bool,
    /// Value and quality of each interval; slot `i` starts `i` intervals after local midnight. 0 where missing.
    pub slots: Vec<(i64, Quality)>,
}

impl Series {
    /// The sum of the values that are there, and whether there is any.
    pub fn total(&self) -> Option<i64> {
        let mut there = self
            .slots
            .iter()
            .filter(|(_, quality)| !quality.is_missing())
            .map(|(value, _)| *value)
            .peekable();
        there.peek()?;
        Some(there.fold(0, i64::saturating_add))
    }

    /// How many slots are read, estimated or derived, and missing.
    pub fn counts(&self) -> (usize, usize, usize) {
        let read = self.slots.iter().filter(|(_, quality)| quality.is_read()).count();
        let missing = self.slots.iter().filter(|(_, quality)| quality.is_missing()).count();
        (read, self.slots.len() - read - missing, missing)
    }
}

/// A day of a channel with what was found about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The day.
    pub day: LocalDay,
    /// Its values.
    pub series: Series,
    /// What was found about it, by interval.
    pub findings: Vec<StoredFinding>,
    /// How many versions there are.
    pub versions: u32,
}

pub(crate) fn series(read: &Read, channel: &Channel, day: &LocalDay) -> Result<Series, MdmError> {
    let stored = read.day(channel.id, day.date())?;
    let mut series = Series {
        kind: channel.kind,
        interval: channel.interval,
        version: 0,
        sealed: false,
        slots: vec![(0, Quality::MISSING); day.intervals(channel.interval)],
    };
    if let Some(stored) = stored {
        series.version = stored.block.version;
        series.sealed = stored.sealed;
        series.interval = stored.block.interval;
        series.slots = stored.block.values.into_iter().zip(stored.block.quality).collect();
    }
    Ok(series)
}

impl Mdm {
    /// A day of one channel of a meter; `None` when the meter has no such channel.
    ///
    /// # Errors
    /// What the store says.
    pub fn profile(
        &self,
        meter: MeterId,
        kind: ChannelKind,
        date: Date,
    ) -> Result<Option<Profile>, MdmError> {
        let day = self.local_day(date)?;
        let next = day.next()?.date();
        self.store().read(|r| {
            let Some(channel) = r.channel(meter, kind)? else { return Ok(None) };
            let series = series(r, &channel, &day)?;
            let findings = r.findings(channel.id, date, next)?;
            Ok(Some(Profile { day, versions: series.version, series, findings }))
        })
    }

    /// Every version of a channel's day, the first one first.
    ///
    /// # Errors
    /// What the store says.
    pub fn profile_versions(
        &self,
        meter: MeterId,
        kind: ChannelKind,
        date: Date,
    ) -> Result<Vec<store::StoredDay>, MdmError> {
        self.store().read(|r| match r.channel(meter, kind)? {
            Some(channel) => Ok(r.day_versions(channel.id, date)?),
            None => Ok(Vec::new()),
        })
    }
}
