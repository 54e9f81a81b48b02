//! The simulated world behind the sockets: meters, loads, weather, feeder and field network.
//!
//! A [`Territory`] is built from a [`Scenario`] and one seed. It answers bytes like the real thing and
//! opens no socket: the server gives each collector and each direct meter a listener, the simulator
//! hands the bytes over itself.
//!
//! | type | what it is for |
//! |---|---|
//! | [`Scenario`] | what the territory is to be like, as data |
//! | [`Registry`] | who is supplied where, by which meter, with which keys |
//! | [`Territory`] | the living thing: bytes in, bytes out, time |
//! | [`History`] | its past, for loading a demo at once |
//! | [`Truth`] | what truly flowed, for checkers |

mod build;
mod calendar;
mod chance;
mod daylight;
mod device;
mod dials;
mod flaw;
mod grid;
mod history;
mod layout;
mod loads;
mod master;
mod names;
mod registry;
mod runtime;
mod scenario;
mod story;
mod territory;
mod truth;
mod weather;
mod world;

pub use dials::HistoryRegister;
pub use field::{ConnId, Hop, HopEnd, Position, Technology};
pub use history::{History, HistoryDay};
pub use master::Doors;
pub use registry::{
    CollectorEntry, Customer, MeterEntry, MeterKeys, MeterRoute, Premise, Registry, ServicePoint,
    TransformerEntry,
};
pub use scenario::{
    DeadCollectorPlan, FaultKind, FaultPlan, HistoryFlaw, HistoryFlawPlan, HistoryGapPlan, Loads,
    NetworkPlan, OutagePlan, PartitionPlan, Scenario, ScenarioError, StormPlan,
};
pub use territory::{BuildError, Endpoint, Outgoing, PushFrom, Territory, TerritoryStats};
pub use truth::{MeterTruth, TransformerTruth, Truth};
pub use weather::WeatherHour;
