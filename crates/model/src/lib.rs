//! The vocabulary of Wattle: ids, units, time, quality, readings, events and commands.
//!
//! Words only: arithmetic, parsing and display. Nothing here decides, stores or talks.

pub mod channel;
pub mod command;
pub mod event;
pub mod id;
pub mod master;
pub mod quality;
pub mod ratio;
pub mod reading;
pub mod time;
pub mod unit;

pub use channel::{ChannelKind, Commodity, CustomerClass};
pub use event::{ClockStatus, EventKind, MeterEvent};
pub use id::{
    BillId, ChannelId, CollectorId, CommandId, CustomerId, GroupId, MeterId, PremiseId, PremiseNumber,
    Serial, ServicePointId, TransformerId, UserId, VirtualId,
};
pub use quality::{Quality, QualityClass};
pub use ratio::Ratio;
pub use reading::{BatchSource, DayBlock, MeterCheck, ReadBatch, RegisterRead};
pub use time::{IntervalLength, LocalDay};
pub use unit::{Energy, Power, RegisterValue, ScaleError, Unit, Voltage};
