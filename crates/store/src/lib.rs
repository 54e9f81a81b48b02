//! State: the only SQL of Wattle, in SQLite or PostgreSQL.
//!
//! One file a noun. Every noun adds its reading verbs to [`Read`] and its writing verbs to [`Write`]; a caller opens
//! one or the other with [`Store::read`] or [`Store::write`] and so decides what belongs into one snapshot or one
//! transaction. Conversions between columns and our words are here and nowhere else. What was read is never overwritten: raw
//! batches, register reads and events are only ever added, and a sealed version of a day is never changed. They go only when
//! somebody has set that they are kept no longer, see [`Retention`].

mod activation;
pub mod block;
mod case;
mod channel;
mod class_day;
mod column;
mod command;
mod customer;
mod dated;
mod day;
mod day_page;
mod day_scan;
mod db;
mod engine;
mod error;
mod event;
mod finding;
mod fleet;
mod fold;
mod group;
mod import;
mod inbox;
mod job;
mod key;
mod meter;
mod meter_change;
mod meter_check;
mod month;
mod network;
mod origin;
pub mod page;
mod pin;
mod premise;
mod provision;
mod push_group;
mod push_log;
mod raw;
mod register;
mod retention;
pub mod spread;
mod sql;
mod stats_page;
mod sums;
mod user;
mod utility;
mod virtual_channel;
mod weather;

#[cfg(test)]
mod tests;

pub use activation::Activation;
pub use case::{Case, CaseState, Exception, ExceptionFilter, ExceptionGroup, ExceptionSort};
pub use channel::Channel;
pub use class_day::ClassUse;
pub use column::Position;
pub use command::CommandRecord;
pub use customer::Customer;
pub use dated::{Defined, Definition, SINCE_EVER};
pub use day::{DaySummary, StoredDay};
pub use day_scan::ChannelName;
pub use db::{Read, Store, Write};
pub use engine::PgConfig;
pub use error::{Cause, Result, StoreError};
pub use event::StoredEvent;
pub use finding::{Origin, StoredFinding};
pub use fleet::{FleetFilter, FleetRow, FleetSort};
pub use fold::{FoldReport, MonthPage};
pub use group::{Since, Stay};
pub use import::{ImportRefusal, ImportedFile};
pub use inbox::InboxItem;
pub use job::{Job, JobState, NewJob, Stage};
pub use key::{Counter, WrappedKey};
pub use meter::{Meter, Route};
pub use meter_change::{MeterChange, MeterDeed};
pub use meter_check::{ClockLost, KnownOfMeter};
pub use network::{Collector, Health, Hop, Transformer};
pub use origin::{EditEntry, VersionOrigin, VersionSource};
pub use page::{DayPage, PageHead};
pub use pin::{Pin, RebillFlag};
pub use premise::{Premise, ServicePoint};
pub use provision::{
    NewCollector, NewCustomer, NewFeeder, NewMeter, NewPremise, NewRoute, NewServicePoint, NewTransformer,
    Provision, ProvisionError, Provisioned, Refusal,
};
pub use push_group::PushGroup;
pub use push_log::PushEntry;
pub use raw::RawBatch;
pub use retention::{Cursor, Cut, Kept, Portion, Removal, Retention};
pub use sql::{SQL_VIEWS, Sql, SqlColumn, SqlTaker, SqlValue, SqlView};
pub use stats_page::{NewStats, StatsPage};
pub use sums::{BUCKETS, BucketSums, Runs};
pub use user::{NewUser, Session, User};
pub use utility::Utility;
pub use weather::WeatherHour;
