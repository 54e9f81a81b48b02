//! The head-end: reads meters by schedule and on demand, closes gaps, takes pushes, brings commands.
//!
//! An engine without IO: bytes and time in, bytes, events and wishes about connections out. The same
//! engine serves a meter on its own address and thousands behind collectors.
//!
//! | module | what it is |
//! |---|---|
//! | `setup`, `facts` | what it is told: settings, collectors, meters, what a model holds |
//! | `engine` | [`HeadEnd`]: links, lines before them, timers |
//! | `plan`, `command` | scheduled reads and backfill; orders and what becomes of them |
//! | `visit`, `work`, `answers` | one association with a meter, job by job, and what the answers become |
//! | `failures` | who is to blame and what follows: retries, resynchronisation, alarms |
//! | `push` | what meters send unasked |
//! | `profile`, `clock` | rows to readings and events; meter time to instants |
//!
//! Three things are held to whatever happens. An invocation counter is used only after its block was
//! persisted ([`HeadEndEvent::ReserveCounter`]), so a head-end that is killed never uses one twice. No
//! collector carries more visits at a time than it was given. A key, secret or counter that is wrong
//! raises an alarm and is never tried again as it is.

mod answers;
mod clock;
mod command;
mod engine;
mod event;
mod facts;
mod failures;
mod link;
mod meter;
mod metrics;
mod plan;
mod profile;
mod push;
mod setup;
mod timers;
mod visit;
mod work;

pub use engine::HeadEnd;
pub use event::{
    CommandProgress, CounterKind, Culprit, Failure, HeadEndEvent, Health, LinkAction, LinkId, NamedValue,
    PushConn, Source,
};
pub use facts::{
    Column, EventColumn, EventLogFacts, IdentityFacts, InstantaneousFacts, ModelFacts, ProfileFacts,
    RegisterFacts,
};
pub use metrics::Metrics;
pub use profile::ProfileError;
pub use setup::{HeadEndConfig, ReadPlan, RegisteredMeter, Route, What};
