//! Accounts, the life of a command, loading a utility from files, readings in and out of files, and collection duty
//! between head-end, MDM and store.

pub mod accounts;
pub mod chores;
pub mod day_file;
mod desk;
mod duty;
pub mod files;
mod intake;
pub mod keys;
pub mod load;
pub mod models;
mod person;
pub mod provision;
pub mod retention;
mod role;

pub use accounts::{AccountError, Accounts, NewAccount};
pub use chores::{Chores, Turn};
pub use desk::{Desk, DeskError};
pub use duty::{BATTERY_GROUP, Duty, DutyError, Hole, Part, READ_GROUP, Refused, Settlement, Unlisted};
pub use intake::Intake;
pub use keys::MasterKey;
pub use person::Person;
pub use role::{Right, Role};
