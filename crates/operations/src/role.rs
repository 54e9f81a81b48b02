//! Who may do what. Everything that is not granted here is refused.

use serde::{Deserialize, Serialize};

/// What a person does at the utility, or that they are served by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Is served; sees the own premises only.
    Customer,
    /// Helps customers; sees what they see, and the fleet.
    Clerk,
    /// Runs the fleet: reads and pings meters.
    MeterOperator,
    /// Works readings and their exceptions.
    Analyst,
    /// Watches voltage, outages and losses.
    Engineer,
    /// Sets the system up.
    Administrator,
}

/// A thing that can be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// See the usage of the own premises.
    SeeOwnUsage,
    /// See the usage of anybody's premises.
    SeeAnyUsage,
    /// See the operator console: fleet, meters, events.
    SeeFleet,
    /// Send a ping or a read to a meter.
    ReadMeters,
    /// Set a meter's clock.
    SetClocks,
    /// Correct, accept and reject readings.
    EditReadings,
    /// Edit days that a bill was computed from; the bill is flagged.
    EditBilled,
    /// Put other rules of validation and estimation in force.
    SetRules,
    /// Create accounts.
    ManageAccounts,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Customer,
        Self::Clerk,
        Self::MeterOperator,
        Self::Analyst,
        Self::Engineer,
        Self::Administrator,
    ];

    /// Whether this role has a right.
    pub const fn may(self, right: Right) -> bool {
        match right {
            Right::SeeOwnUsage => matches!(self, Self::Customer),
            Right::SeeAnyUsage => {
                matches!(self, Self::Clerk | Self::MeterOperator | Self::Analyst | Self::Administrator)
            }
            Right::SeeFleet => !matches!(self, Self::Customer),
            Right::ReadMeters => matches!(self, Self::MeterOperator | Self::Engineer | Self::Administrator),
            Right::SetClocks => matches!(self, Self::MeterOperator | Self::Administrator),
            Right::EditBilled => matches!(self, Self::Administrator),
            Right::EditReadings | Right::SetRules => matches!(self, Self::Analyst | Self::Administrator),
            Right::ManageAccounts => matches!(self, Self::Administrator),
        }
    }

    /// As stored and as typed on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Clerk => "clerk",
            Self::MeterOperator => "meter-operator",
            Self::Analyst => "analyst",
            Self::Engineer => "engineer",
            Self::Administrator => "administrator",
        }
    }

    /// In words, for a page.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Customer => "Customer",
            Self::Clerk => "Customer service",
            Self::MeterOperator => "Meter operations",
            Self::Analyst => "Data analyst",
            Self::Engineer => "Distribution engineer",
            Self::Administrator => "Administrator",
        }
    }

    /// The role of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}
