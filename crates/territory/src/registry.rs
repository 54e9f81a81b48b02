//! What a utility knows of its territory: who is supplied where, by which meter, with which keys.
//!
//! Made once when a territory is built, to provision a store with. Every id counts from 1 in the order
//! of its list, so a store that numbers rows the same way gets the same ids.

use field::{Position, Technology};
use jiff::Timestamp;
use model::{
    CollectorId, Commodity, CustomerId, MeterId, PremiseId, PremiseNumber, Serial, ServicePointId,
    TransformerId,
};

/// Everything of a territory that the head-end and the meter data manager may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    /// The utility's name.
    pub utility: String,
    /// IANA name of the zone whose local days are metering days.
    pub zone: String,
    /// Nominal voltage at a service point, V.
    pub nominal_v: u16,
    /// Buildings, `premises[i]` having id `i + 1`.
    pub premises: Vec<Premise>,
    /// Persons and companies supplied.
    pub customers: Vec<Customer>,
    /// Points of supply.
    pub service_points: Vec<ServicePoint>,
    /// Meters.
    pub meters: Vec<MeterEntry>,
    /// Collectors.
    pub collectors: Vec<CollectorEntry>,
    /// Transformers.
    pub transformers: Vec<TransformerEntry>,
    /// The customer whose pages the demo shows: a home with solar panels and real weather, where there is one.
    pub demo_customer: CustomerId,
}

/// A building.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Premise {
    /// Its id.
    pub id: PremiseId,
    /// The utility's number of it.
    pub number: PremiseNumber,
    /// House number and street; invented.
    pub address: String,
    /// Town; invented.
    pub locality: String,
    /// Where it stands.
    pub position: Position,
}

/// Who is supplied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Their id.
    pub id: CustomerId,
    /// Their name; invented.
    pub name: String,
    /// Their customer number.
    pub number: String,
}

/// Where a commodity is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePoint {
    /// Its id.
    pub id: ServicePointId,
    /// The building.
    pub premise: PremiseId,
    /// Who is supplied there.
    pub customer: CustomerId,
    /// What is delivered.
    pub commodity: Commodity,
    /// The transformer that feeds it; none for gas and water.
    pub transformer: Option<TransformerId>,
    /// Whether there are solar panels behind the meter.
    pub solar: bool,
}

/// How the head-end reaches a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MeterRoute {
    /// Through a collector's gateway, by the meter's address in its network.
    Behind {
        /// The collector.
        collector: CollectorId,
        /// The address, four bytes in the gateway header.
        address: u32,
    },
    /// On an address of its own; whoever holds the sockets knows which.
    Direct,
}

/// The secrets of one meter, in the clear; suite 0.
#[derive(Clone, PartialEq, Eq)]
pub struct MeterKeys {
    /// Global unicast encryption key.
    pub encryption: [u8; 16],
    /// Global authentication key.
    pub authentication: [u8; 16],
    /// Key-encrypting key.
    pub master: [u8; 16],
    /// Password of the reading client (LLS).
    pub password: [u8; 16],
}

impl core::fmt::Debug for MeterKeys {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str("MeterKeys(..)")
    }
}

/// One meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterEntry {
    /// Its id.
    pub id: MeterId,
    /// The number on its plate.
    pub serial: Serial,
    /// Where it measures.
    pub service_point: ServicePointId,
    /// What it measures.
    pub commodity: Commodity,
    /// Name of its meter model: a file of `profiles/` without `.toml`.
    pub model: String,
    /// What carries its bytes.
    pub technology: Technology,
    /// How it is reached.
    pub route: MeterRoute,
    /// The eight bytes that name it in ciphering.
    pub system_title: [u8; 8],
    /// Its secrets.
    pub keys: MeterKeys,
    /// When it was installed.
    pub installed_at: Timestamp,
    /// Where it hangs.
    pub position: Position,
}

/// One collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectorEntry {
    /// Its id.
    pub id: CollectorId,
    /// Its name, as on a map.
    pub name: String,
    /// What it speaks towards the meters.
    pub technology: Technology,
    /// Where it stands.
    pub position: Position,
}

/// One distribution transformer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransformerEntry {
    /// Its id.
    pub id: TransformerId,
    /// Its name, as on a map.
    pub name: String,
    /// The feeder it hangs on, counted from 1.
    pub feeder: u32,
    /// Rated power, kVA.
    pub rated_kva: u32,
    /// Where it stands.
    pub position: Position,
}
