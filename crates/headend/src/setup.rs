//! What a head-end is told before it works: its own settings, collectors, meters and plans.

use crate::facts::ModelFacts;
use dlms::client::ClientConfig;
use dlms::security::{Protection, SystemTitle};
use jiff::{SignedDuration, Timestamp};
use model::id::{CollectorId, MeterId, Serial};
use std::sync::Arc;

/// How the head-end behaves.
#[derive(Clone, Debug)]
pub struct HeadEndConfig {
    /// The head-end's own system title, half of every nonce; it overrides the one in a meter's client settings.
    pub system_title: SystemTitle,
    /// How many invocation counters are reserved at once, at least 2,048. What is left of a block is lost
    /// when the head-end stops, so that no counter is ever used twice.
    pub counter_block: u32,
    /// How many direct connections to meters may be open at a time.
    pub max_direct: usize,
    /// How long one answer may take; more than a collector waits for its meter.
    pub response_timeout: SignedDuration,
    /// How long a connection may take to open.
    pub connect_timeout: SignedDuration,
    /// How often a visit is tried before its work is given up.
    pub attempts: u8,
    /// Pause after the first failure; it doubles with each further one, less up to a quarter by chance.
    pub backoff_first: SignedDuration,
    /// The longest pause.
    pub backoff_most: SignedDuration,
    /// A clock that is off by more than this is set.
    pub clock_tolerance: SignedDuration,
    /// How much of a profile is asked for at a time.
    pub profile_chunk: SignedDuration,
    /// How far back a meter is read that was never read before.
    pub first_read: SignedDuration,
    /// How far back a meter is read that was silent for long; older gaps are left to backfill.
    pub catch_up: SignedDuration,
}

impl HeadEndConfig {
    /// Settings for a utility of some thousand meters.
    pub const fn new(system_title: SystemTitle) -> Self {
        Self {
            system_title,
            counter_block: 10_000,
            max_direct: 500,
            response_timeout: SignedDuration::from_secs(60),
            connect_timeout: SignedDuration::from_secs(10),
            attempts: 5,
            backoff_first: SignedDuration::from_secs(10),
            backoff_most: SignedDuration::from_mins(15),
            clock_tolerance: SignedDuration::from_secs(60),
            profile_chunk: SignedDuration::from_hours(8 * 24),
            first_read: SignedDuration::from_hours(24),
            catch_up: SignedDuration::from_hours(40 * 24),
        }
    }
}

/// How a meter is reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// On an address of its own.
    Direct {
        /// As the driver understands it, for example `host:port`.
        endpoint: String,
    },
    /// Behind a collector that has been added before.
    Behind {
        /// Which.
        collector: CollectorId,
        /// Its physical address in the gateway header; four bytes, highest first, in Wattle's networks.
        address: Vec<u8>,
    },
}

impl Route {
    /// Behind `collector` as node `node` of its field network.
    pub fn node(collector: CollectorId, node: u32) -> Self {
        Self::Behind { collector, address: node.to_be_bytes().to_vec() }
    }
}

/// A meter that the head-end may talk to.
#[derive(Clone, Debug)]
pub struct RegisteredMeter {
    /// Our number of it.
    pub id: MeterId,
    /// The number on its plate, for messages to people.
    pub serial: Serial,
    /// How it is reached.
    pub route: Route,
    /// Which plans read it.
    pub group: String,
    /// The meter's service access point, 1 for the management logical device.
    pub server_sap: u16,
    /// Keys, mechanism, protection and the highest counter accepted from the meter. Its own invocation
    /// counter and ceiling are not read: `counter_ceiling` decides.
    pub client: ClientConfig,
    /// The first invocation counter that was never reserved, as persisted. Every one below may have been
    /// used.
    pub counter_ceiling: u32,
    /// The highest counter accepted from a push of this meter.
    pub push_counter: Option<u32>,
    /// The least protection of a push.
    pub push_protection: Protection,
    /// What its model holds.
    pub facts: Arc<ModelFacts>,
    /// End of the last interval of its profile that we have.
    pub collected_to: Option<Timestamp>,
    /// The running number of the last event that we have.
    pub event_seq: Option<u32>,
}

/// Read a group of meters regularly.
#[derive(Clone, Debug)]
pub struct ReadPlan {
    /// Which meters; a plan replaces the group's former one.
    pub group: String,
    /// When first.
    pub first_at: Timestamp,
    /// How often.
    pub every: SignedDuration,
    /// How long after the due time a read still counts; then it is missed.
    pub patience: SignedDuration,
    /// What.
    pub what: What,
}

/// What a scheduled read consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct What {
    /// Check the clock, and set it when it is off.
    pub clock: bool,
    /// The load profile since the last interval we have.
    pub profile: bool,
    /// The registers.
    pub registers: bool,
    /// The event log since the last event we have.
    pub events: bool,
}

impl What {
    /// All of it.
    pub const ALL: Self = Self { clock: true, profile: true, registers: true, events: true };
    /// The load profile alone.
    pub const PROFILE: Self = Self { clock: false, profile: true, registers: false, events: false };
}
