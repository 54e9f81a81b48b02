//! The field network as a discrete-event model: RF mesh, power line, cellular and broadband.
//!
//! Carries opaque bytes between collectors and meters with hops, delay, loss and limited capacity, and
//! holds the collectors' gateway logic. No sockets, no clock: `now` comes in, deliveries come out, and
//! one seed decides all chance.
//!
//! | module | what it is |
//! |---|---|
//! | [`place`] | positions, and finding who is near |
//! | [`medium`] | technologies: link budgets, rates, losses |
//! | [`network`] | nodes, routes, messages on their way |
//! | [`frame`] | the envelope of an APDU on the air |
//! | [`collector`] | a DLMS gateway in front of a cell |

mod cell;
mod chance;
pub mod collector;
pub mod frame;
pub mod medium;
pub mod network;
pub mod place;

pub use collector::{Collector, CollectorLimits, ConnId, Upstream};
pub use frame::{AirFrame, FrameKind};
pub use medium::Technology;
pub use network::{Delivery, Direction, Hop, HopEnd, Network, NetworkStats, Refusal};
pub use place::Position;
