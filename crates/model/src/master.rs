//! Master data: who is supplied where, through which meter, reached how. Every reference inside is by the
//! utility's own names and numbers; ids come later, from the store.

use crate::channel::{Commodity, CustomerClass};
use crate::id::{PremiseNumber, Serial};
use jiff::Timestamp;

/// A building with an address.
#[derive(Clone, Debug, PartialEq)]
pub struct Premise {
    /// The utility's number.
    pub number: PremiseNumber,
    /// Street and number.
    pub address: String,
    /// Town.
    pub city: String,
    /// Latitude and longitude in millionths of a degree.
    pub position: Option<(i32, i32)>,
}

/// Somebody who is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The utility's number.
    pub number: String,
    /// As on the bill.
    pub name: String,
    /// For notices.
    pub email: Option<String>,
}

/// A distribution transformer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transformer {
    /// Its name.
    pub name: String,
    /// The feeder it hangs on.
    pub feeder: String,
    /// The substation where that feeder begins.
    pub substation: Option<String>,
    /// Rated power, kVA.
    pub rating_kva: Option<u32>,
}

/// How a collector reaches its meters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Technology {
    /// Sub-GHz radio mesh.
    Mesh,
    /// Power-line carrier.
    Plc,
    /// Mobile network.
    Cellular,
    /// The customer's or the utility's own broadband.
    Broadband,
}

impl Technology {
    /// As written in files and kept in the store: `mesh`, `plc`, `cellular`, `broadband`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mesh => "mesh",
            Self::Plc => "plc",
            Self::Cellular => "cellular",
            Self::Broadband => "broadband",
        }
    }

    /// The technology of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Mesh, Self::Plc, Self::Cellular, Self::Broadband]
            .into_iter()
            .find(|technology| technology.name() == name)
    }
}

/// A gateway of the field network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// Its name.
    pub name: String,
    /// Where it listens for the head-end, `host:port`.
    pub endpoint: String,
    /// How it reaches meters.
    pub technology: Technology,
    /// Meters that may be visited at once.
    pub max_concurrent: u32,
}

/// A place where a commodity is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePoint {
    /// The utility's number.
    pub number: String,
    /// The premise's number.
    pub premise: PremiseNumber,
    /// Who is served, by number.
    pub customer: Option<String>,
    /// What is delivered.
    pub commodity: Commodity,
    /// What feeds it, by name.
    pub transformer: Option<String>,
    /// Whom it supplies, and with how much.
    pub supply: Supply,
    /// Its class of rates, as the utility calls it.
    pub rate_class: Option<String>,
}

/// Whom a service point supplies, and with how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Supply {
    /// The sort of customer.
    pub class: CustomerClass,
    /// Rated current of a phase, amperes.
    pub amps: Option<u32>,
    /// Nominal voltage of a phase, volts.
    pub volts: Option<u32>,
    /// How many phases.
    pub phases: Option<u8>,
    /// Rated power of the generators on file behind it, watts; none on file without it.
    pub generation_w: Option<u32>,
}

impl Supply {
    /// The most that it can carry, watts: amperes times volts times phases, one phase where nobody says.
    pub fn rating_w(&self) -> Option<i64> {
        let amps = i64::from(self.amps?);
        amps.checked_mul(self.volts?.into())?.checked_mul(self.phases.unwrap_or(1).into())
    }
}

/// How the values of a meter are to be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metering {
    /// What values as read must be multiplied with: current times voltage transformer ratio.
    pub multiplier: u32,
    /// How many digits its total register shows; as its model has it without.
    pub dials: Option<u8>,
    /// The main meter that it checks.
    pub check_of: Option<Serial>,
    /// Since when it measures at its service point, where that is on record.
    pub fitted: Option<Timestamp>,
    /// The meter whose place it took then.
    pub replaces: Option<Serial>,
}

impl Default for Metering {
    fn default() -> Self {
        Self { multiplier: 1, dials: None, check_of: None, fitted: None, replaces: None }
    }
}

/// How a meter is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// On its own address, `host:port`.
    Direct(String),
    /// Behind a collector, by the collector's name and the meter's address there.
    Behind(String, u32),
}

/// A device with its keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Meter {
    /// On its plate.
    pub serial: Serial,
    /// Where it is installed, by number; empty for a spare one in store.
    pub service_point: String,
    /// Meter model.
    pub model: String,
    /// DLMS system title.
    pub system_title: [u8; 8],
    /// How it is reached.
    pub route: Route,
    /// Global unicast encryption key.
    pub encryption_key: [u8; 16],
    /// Authentication key.
    pub authentication_key: [u8; 16],
    /// How its values are to be taken.
    pub metering: Metering,
}

impl core::fmt::Debug for Meter {
    /// Without the keys.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Meter")
            .field("serial", &self.serial)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

/// A whole utility, or an addition to one; every reference inside it is by name or number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MasterData {
    /// Buildings.
    pub premises: Vec<Premise>,
    /// People and companies.
    pub customers: Vec<Customer>,
    /// Distribution transformers.
    pub transformers: Vec<Transformer>,
    /// Gateways.
    pub collectors: Vec<Collector>,
    /// Places of delivery.
    pub service_points: Vec<ServicePoint>,
    /// Devices.
    pub meters: Vec<Meter>,
}
