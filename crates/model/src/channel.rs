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

/// What sort of customer a service point supplies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerClass {
    /// A home.
    #[default]
    Residential,
    /// A shop, an office, a school.
    Commercial,
    /// A works.
    Industrial,
    /// A farm, a pump, a greenhouse.
    Agricultural,
    /// Street lights and the like.
    Lighting,
}

impl CustomerClass {
    /// Every class.
    pub const ALL: [Self; 5] =
        [Self::Residential, Self::Commercial, Self::Industrial, Self::Agricultural, Self::Lighting];

    /// As written in files and kept in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Residential => "residential",
            Self::Commercial => "commercial",
            Self::Industrial => "industrial",
            Self::Agricultural => "agricultural",
            Self::Lighting => "lighting",
        }
    }

    /// The class of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
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
    /// Energy delivered less energy received (net, OBIS 1-0:16.8.0), Wh; below zero where more came back.
    Net,
    /// Gross energy of a generator behind the service, on a meter of its own, Wh.
    Generation,
    /// Reactive energy delivered (+R, OBIS 1-0:3.8.0), varh.
    ReactiveImport,
    /// Reactive energy received (-R, OBIS 1-0:4.8.0), varh.
    ReactiveExport,
}

impl ChannelKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Import,
        Self::Export,
        Self::Voltage,
        Self::Gas,
        Self::Water,
        Self::Net,
        Self::Generation,
        Self::ReactiveImport,
        Self::ReactiveExport,
    ];

    /// The code that the store keeps; never renumbered.
    pub const fn code(self) -> u8 {
        match self {
            Self::Import => 1,
            Self::Export => 2,
            Self::Voltage => 3,
            Self::Gas => 4,
            Self::Water => 5,
            Self::Net => 6,
            Self::Generation => 7,
            Self::ReactiveImport => 8,
            Self::ReactiveExport => 9,
        }
    }

    /// The kind of a stored code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The commodity it belongs to.
    pub const fn commodity(self) -> Commodity {
        match self {
            Self::Gas => Commodity::Gas,
            Self::Water => Commodity::Water,
            _ => Commodity::Electricity,
        }
    }

    /// The unit and decimal exponent in which day blocks hold it: Wh, varh, tenths of a volt, litres.
    pub const fn stored_unit(self) -> (Unit, i8) {
        match self {
            Self::Import | Self::Export | Self::Net | Self::Generation => (Unit::WattHour, 0),
            Self::ReactiveImport | Self::ReactiveExport => (Unit::VarHour, 0),
            Self::Voltage => (Unit::Volt, -1),
            Self::Gas | Self::Water => (Unit::CubicMetre, -3),
        }
    }

    /// Whether its values add up over time (energy, volume) or are averages (voltage).
    pub const fn is_additive(self) -> bool {
        !matches!(self, Self::Voltage)
    }

    /// Whether a value below zero is in order.
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::Net)
    }

    /// The kind of a [`ChannelKind::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// A short name for tables and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
            Self::Voltage => "voltage",
            Self::Gas => "gas",
            Self::Water => "water",
            Self::Net => "net",
            Self::Generation => "generation",
            Self::ReactiveImport => "reactive_import",
            Self::ReactiveExport => "reactive_export",
        }
    }
}
