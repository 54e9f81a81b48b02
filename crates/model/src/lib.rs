//! The vocabulary of Wattle: ids, units, time, quality, readings, events and commands.
//!
//! Words only: arithmetic, parsing and display. Nothing here decides, stores or talks.

pub mod channel;
pub mod command;
pub mod event;
pub mod id;
pub mod master;
pub mod quality;
pub mod reading;
pub mod time;
pub mod unit;

pub use channel::{ChannelKind, Commodity, CustomerClass};
pub use event::{ClockStatus, EventKind, MeterEvent};
pub use id::{
    ChannelId, CollectorId, CommandId, CustomerId, MeterId, PremiseId, PremiseNumber, Serial, ServicePointId,
    TransformerId, UserId,
};
pub use quality::{Quality, QualityClass};
pub use reading::{BatchSource, DayBlock, ReadBatch, RegisterRead};
pub use time::{IntervalLength, LocalDay};
pub use unit::{Energy, Power, RegisterValue, ScaleError, Unit, Voltage};
