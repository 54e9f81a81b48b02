//! One channel's local day as the rules see it.

use crate::columns::ChannelDay;
use crate::facts::Outage;
use jiff::Timestamp;
use model::{ChannelId, ChannelKind, DayBlock, IntervalLength, LocalDay, Quality, QualityClass};

/// The value of one interval and how far it can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The integer in the channel's stored unit; 0 where the quality says missing.
    pub value: i64,
    /// Its class and flags.
    pub quality: Quality,
}

impl Slot {
    /// No value.
    pub const MISSING: Self = Self { value: 0, quality: Quality::MISSING };

    /// A slot of this value and quality.
    pub const fn new(value: i64, quality: Quality) -> Self {
        Self { value, quality }
    }

    /// Whether estimates may lean on the value: trusted, full length, without a power failure inside.
    pub fn is_sound(self) -> bool {
        let trusted = matches!(
            self.quality.class(),
            QualityClass::Raw | QualityClass::Valid | QualityClass::Verified | QualityClass::Edited
        );
        trusted && !self.quality.has(Quality::POWER_FAIL | Quality::PARTIAL)
    }
}

/// One channel's local day: slot `i` is the half-open interval that starts `i` lengths after local midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// Which day, in the service point's zone.
    pub day: LocalDay,
    /// Length of every interval.
    pub interval: IntervalLength,
    /// What is measured.
    pub kind: ChannelKind,
    /// One slot an interval: 92, 96 or 100 quarter hours.
    pub slots: Vec<Slot>,
}

/// A block that belongs to another day or has the wrong number of intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DayMismatch {
    /// The dates differ.
    #[error("a block of {block} was given for {day}")]
    Date {
        /// The block's date.
        block: jiff::civil::Date,
        /// The day asked for.
        day: jiff::civil::Date,
    },
    /// Values and qualities are not one each.
    #[error("a block holds {values} values and {qualities} qualities")]
    Length {
        /// How many values.
        values: usize,
        /// How many qualities.
        qualities: usize,
    },
}

/// The slots of a [`Day`], turned into columns.
pub(crate) struct Columns {
    values: Vec<i64>,
    quality: Vec<Quality>,
}

impl Columns {
    /// The day whose columns these are.
    pub(crate) fn of<'a>(&'a self, day: &'a Day) -> ChannelDay<'a> {
        ChannelDay {
            day: &day.day,
            interval: day.interval,
            kind: day.kind,
            values: &self.values,
            quality: &self.quality,
        }
    }
}

impl Day {
    /// A day of which nothing is known yet.
    pub fn missing(day: LocalDay, interval: IntervalLength, kind: ChannelKind) -> Self {
        let slots = vec![Slot::MISSING; day.intervals(interval)];
        Self { day, interval, kind, slots }
    }

    /// The day that a stored block holds.
    ///
    /// The number of slots is taken as stored; [`crate::validate`] reports a day of the wrong length.
    ///
    /// # Errors
    /// [`DayMismatch`].
    pub fn from_block(block: &DayBlock, kind: ChannelKind, day: &LocalDay) -> Result<Self, DayMismatch> {
        if block.day != day.date() {
            return Err(DayMismatch::Date { block: block.day, day: day.date() });
        }
        let (values, qualities) = (block.values.len(), block.quality.len());
        if values != qualities {
            return Err(DayMismatch::Length { values, qualities });
        }
        let slots = block.values.iter().zip(&block.quality).map(|(v, q)| Slot::new(*v, *q)).collect();
        Ok(Self { day: day.clone(), interval: block.interval, kind, slots })
    }

    /// The block to store as version `version` of `channel`.
    pub fn to_block(&self, channel: ChannelId, version: u32, recorded_at: Timestamp) -> DayBlock {
        DayBlock {
            channel,
            day: self.day.date(),
            version,
            interval: self.interval,
            values: self.slots.iter().map(|slot| slot.value).collect(),
            quality: self.slots.iter().map(|slot| slot.quality).collect(),
            recorded_at,
        }
    }

    /// The day as columns.
    pub(crate) fn columns(&self) -> Columns {
        Columns {
            values: self.slots.iter().map(|slot| slot.value).collect(),
            quality: self.slots.iter().map(|slot| slot.quality).collect(),
        }
    }

    /// The start of slot `index`, UTC.
    pub fn start_of(&self, index: usize) -> Timestamp {
        self.day.interval_start(self.interval, index)
    }

    /// The end of slot `index`, UTC, exclusive.
    pub fn end_of(&self, index: usize) -> Timestamp {
        self.day.interval_start(self.interval, index + 1)
    }

    /// What flowed in slot `index`, if that stands without an estimate of ours: the value as read, as a person set it or
    /// as its sender gave it, or zero inside an outage.
    pub(crate) fn known(&self, index: usize, outages: &[Outage]) -> Option<i64> {
        let slot = self.slots.get(index)?;
        if slot.quality.is_read()
            || matches!(slot.quality.class(), QualityClass::Edited | QualityClass::Substituted)
        {
            return Some(slot.value);
        }
        let dark = || outages.iter().any(|outage| outage.covers(self.start_of(index), self.end_of(index)));
        if !outages.is_empty() && dark() { Some(0) } else { None }
    }

    /// The sum of every slot that has a value, estimates included; saturates far beyond any meter.
    pub fn total(&self) -> i64 {
        self.slots.iter().fold(0, |sum, slot| sum.saturating_add(slot.value))
    }

    /// How many slots have no value.
    pub fn missing_count(&self) -> usize {
        self.slots.iter().filter(|slot| slot.quality.is_missing()).count()
    }

    /// The local wall-clock time at which slot `index` starts, for sentences.
    pub(crate) fn clock(&self, index: usize) -> String {
        if index >= self.slots.len() {
            return "24:00".to_owned();
        }
        self.start_of(index).to_zoned(self.day.zone().clone()).strftime("%H:%M").to_string()
    }
}
