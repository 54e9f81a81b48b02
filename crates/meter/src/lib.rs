//! The virtual meter: load in; registers, profiles, events, relay, clock drift and faults; it answers through
//! `dlms::server`.
//!
//! Without IO: the world feeds it, tells it the time and carries its bytes. What kind of meter it is, is data: see
//! [`MeterModel`] and the folder `profiles/`.

mod calendar;
mod clock;
mod device;
mod fault;
mod feed;
pub mod household;
mod image;
mod meter;
mod model_file;
mod objects;
mod push;
mod quantity;
mod registers;
mod relay;
mod rows;
mod stamp;
#[cfg(test)]
mod tests;
mod works;

pub use calendar::{DayProfile, SpecialDay, Switch, Tariff};
pub use fault::Fault;
pub use feed::Feed;
pub use meter::{METER_SAP, Meter, MeterConfig, PUSH_CLIENT, Secrets};
pub use model_file::{
    Column, DailyProfile, Door, DoorMechanism, DoorProtection, DoorRights, EventLog, LoadProfile, MeterModel,
    ModelError, PushPlan, Quirks, Register, RelayModel, Supply, VoltageLimits,
};
pub use push::{Push, PushKind};
pub use quantity::{Direction, Quantity, Wire};
pub use relay::RelayState;
pub use rows::{DailyRow, EventRow, IntervalRow};
pub use works::Truth;
