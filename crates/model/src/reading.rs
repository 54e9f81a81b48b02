//! Readings on their way: as read ([`ReadBatch`], [`RegisterRead`]) and as kept ([`DayBlock`]).

use crate::channel::ChannelKind;
use crate::id::{ChannelId, MeterId, Serial};
use crate::quality::Quality;
use crate::time::IntervalLength;
use crate::unit::{RegisterValue, Unit};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// How a batch of readings reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchSource {
    /// A scheduled read by the head-end.
    Scheduled,
    /// The meter sent it unasked (data-notification).
    Push,
    /// A person or service asked for it.
    OnDemand,
    /// The head-end closed a gap.
    Backfill,
    /// A file.
    Import,
    /// A file, of intervals that its sender estimated, substituted or edited: the status byte of each is the byte of the
    /// [`Quality`] that the sender gave it, not a meter's.
    Sender,
}

/// Consecutive intervals of one channel, exactly as read. Ingesting it twice equals once.
///
/// Value `i` belongs to the half-open interval `[start + i * interval, start + (i + 1) * interval)`.
///
/// ```text
/// start          +L           +2L          +3L
///   |  values[0]  |  values[1]  |  values[2]  |
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadBatch {
    /// The device that measured.
    pub meter: MeterId,
    /// Which of its channels.
    pub kind: ChannelKind,
    /// Start of the first interval, UTC.
    pub start: Timestamp,
    /// Length of every interval.
    pub interval: IntervalLength,
    /// Raw integers as on the wire; `None` where the meter has no entry.
    pub values: Vec<Option<i64>>,
    /// Decimal exponent of the raw values.
    pub scaler: i8,
    /// Unit of the raw values.
    pub unit: Unit,
    /// The meter's status byte of each interval, same length as `values`; see [`status`].
    pub status: Vec<u8>,
    /// When the head-end had it whole.
    pub received_at: Timestamp,
    /// How it came.
    pub source: BatchSource,
}

/// Bits of the status byte of a profile entry, as the meter profiles under `profiles/` define them.
pub mod status {
    /// Power failed inside the interval.
    pub const POWER_FAIL: u8 = 0x01;
    /// The clock was set inside the interval.
    pub const CLOCK_SET: u8 = 0x02;
    /// The clock was not trusted.
    pub const CLOCK_INVALID: u8 = 0x04;
    /// The interval was not full length.
    pub const PARTIAL: u8 = 0x08;
    /// Daylight saving time was in force.
    pub const DST: u8 = 0x10;
    /// A memory or processor check failed.
    pub const DEVICE_ERROR: u8 = 0x20;
    /// The meter was in test mode.
    pub const TEST_MODE: u8 = 0x40;
    /// The pulse counter of the interval ran over.
    pub const OVERFLOW: u8 = 0x80;
}

/// A cumulative register as read at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterRead {
    /// The device that measured.
    pub meter: MeterId,
    /// The channel that the register accumulates.
    pub kind: ChannelKind,
    /// Time-of-use register 1 to 4, or 0 for the total.
    pub tou: u8,
    /// The instant the value belongs to, UTC.
    pub at: Timestamp,
    /// The value as on the wire.
    pub value: RegisterValue,
    /// When the head-end had it.
    pub received_at: Timestamp,
    /// How it came.
    pub source: BatchSource,
}

/// What a visit found out about a device besides its readings: what these are held against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterCheck {
    /// The device that we believed to talk to.
    pub meter: MeterId,
    /// When it was asked.
    pub at: Timestamp,
    /// The serial number that it gave.
    pub serial: Option<Serial>,
    /// The ratio of its current transformers times that of its voltage transformers, as set in it.
    pub multiplier: Option<u32>,
    /// The decimal exponent of its registers less the one that its model has; anything but 0 is wrong.
    pub scaler_off: Option<i8>,
    /// Its clock less ours before anything was done about it, milliseconds.
    pub clock_offset_ms: Option<i64>,
}

impl MeterCheck {
    /// A check that found nothing out yet.
    pub const fn new(meter: MeterId, at: Timestamp) -> Self {
        Self { meter, at, serial: None, multiplier: None, scaler_off: None, clock_offset_ms: None }
    }
}

/// One channel's local day, one version: the unit that is validated, estimated, billed and queried.
///
/// `values[i]` is the integer of the interval that starts `i` intervals after local midnight, in the
/// channel's stored unit ([`ChannelKind::stored_unit`]); it is 0 where the quality says missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayBlock {
    /// Whose series.
    pub channel: ChannelId,
    /// The local date in the service point's zone.
    pub day: Date,
    /// 1 for the first version of the day; a later version never changes an earlier one.
    pub version: u32,
    /// Length of every interval.
    pub interval: IntervalLength,
    /// One integer an interval of the day: 92, 96 or 100 quarter hours.
    pub values: Vec<i64>,
    /// One quality an interval, same length as `values`.
    pub quality: Vec<Quality>,
    /// When this version was made.
    pub recorded_at: Timestamp,
}
