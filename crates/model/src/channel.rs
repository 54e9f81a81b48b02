//! What a channel measures.

use crate::unit::Unit;
use serde::{Deserialize, Serialize};

/// What is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Commodity {
    /// Electricity.
    Electricity,
    /// Natural gas.
    Gas,
    /// Drinking water.
    Water,
}

/// What one interval channel of a meter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// Energy delivered to the customer in the interval (+A, OBIS 1-0:1.8.0), Wh.
    Import,
    /// Energy received from the customer in the interval (-A, OBIS 1-0:2.8.0), Wh.
    Export,
    /// Average voltage of the interval (OBIS 1-0:32.7.0), tenths of a volt.
    Voltage,
    /// Gas volume of the interval, litres.
    Gas,
    /// Water volume of the interval, litres.
    Water,
}

impl ChannelKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Import, Self::Export, Self::Voltage, Self::Gas, Self::Water];

    /// The code that the store keeps; never renumbered.
    pub const fn code(self) -> u8 {
        match self {
            Self::Import => 1,
            Self::Export => 2,
            Self::Voltage => 3,
            Self::Gas => 4,
            Self::Water => 5,
        }
    }

    /// The kind of a stored code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The commodity it belongs to.
    pub const fn commodity(self) -> Commodity {
        match self {
            Self::Import | Self::Export | Self::Voltage => Commodity::Electricity,
            Self::Gas => Commodity::Gas,
            Self::Water => Commodity::Water,
        }
    }

    /// The unit and decimal exponent in which day blocks hold it: Wh, tenths of a volt, litres.
    pub const fn stored_unit(self) -> (Unit, i8) {
        match self {
            Self::Import | Self::Export => (Unit::WattHour, 0),
            Self::Voltage => (Unit::Volt, -1),
            Self::Gas | Self::Water => (Unit::CubicMetre, -3),
        }
    }

    /// Whether its values add up over time (energy, volume) or are averages (voltage).
    pub const fn is_additive(self) -> bool {
        !matches!(self, Self::Voltage)
    }

    /// A short name for tables and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
            Self::Voltage => "voltage",
            Self::Gas => "gas",
            Self::Water => "water",
        }
    }
}
