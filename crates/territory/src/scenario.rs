//! What a territory is to be like: data, usually a file of `scenarios/`.

use serde::{Deserialize, Serialize};

/// The scenarios that the executable carries.
const EMBEDDED: [(&str, &str); 3] = [
    ("demo", include_str!("../../../scenarios/demo.toml")),
    ("street", include_str!("../../../scenarios/street.toml")),
    ("bench", include_str!("../../../scenarios/bench.toml")),
];

/// A territory in words and numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// The utility's name; invented.
    pub utility: String,
    /// The town's name; invented.
    pub town: String,
    /// IANA name of the zone.
    pub zone: String,
    /// Meters in all.
    pub meters: u32,
    /// Days before the start that meters already hold in their own load profile.
    #[serde(default = "two")]
    pub history_days: u16,
    /// Nominal voltage, V.
    #[serde(default = "nominal")]
    pub nominal_v: u16,
    /// Where load comes from.
    pub loads: Loads,
    /// The field network.
    pub network: NetworkPlan,
    /// Devices that misbehave.
    #[serde(default)]
    pub fault: Vec<FaultPlan>,
    /// Outages of transformers.
    #[serde(default)]
    pub outage: Vec<OutagePlan>,
    /// Collectors that die for a while.
    #[serde(default)]
    pub dead_collector: Vec<DeadCollectorPlan>,
    /// Times at which the network loses much.
    #[serde(default)]
    pub storm: Vec<StormPlan>,
    /// Times at which part of the mesh is cut off.
    #[serde(default)]
    pub partition: Vec<PartitionPlan>,
    /// Holes in the history that a demo loads.
    #[serde(default)]
    pub history_gap: Vec<HistoryGapPlan>,
    /// Readings in the history that cannot be right, for people to work on.
    #[serde(default)]
    pub history_flaw: Vec<HistoryFlawPlan>,
}

const fn two() -> u16 {
    2
}

const fn nominal() -> u16 {
    240
}

/// Where load comes from. Homes that are not named here live by the Swiss series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Loads {
    /// Homes with solar panels and real weather, from Fontana.
    pub fontana: u32,
    /// Water meters in thousandths of all.
    pub water_per_mille: u16,
    /// Gas meters in thousandths of all.
    pub gas_per_mille: u16,
}

/// The field network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkPlan {
    /// Electricity meters a mesh collector serves; there are as many collectors as that takes.
    pub meters_per_collector: u32,
    /// At least so many mesh collectors.
    pub least_collectors: u32,
    /// Substations with a power-line concentrator.
    #[serde(default)]
    pub plc_substations: u32,
    /// Electricity meters behind power-line concentrators, in thousandths.
    #[serde(default)]
    pub plc_per_mille: u16,
    /// Electricity meters with their own cellular modem, in thousandths.
    #[serde(default)]
    pub cellular_per_mille: u16,
    /// Electricity meters on broadband, in thousandths.
    #[serde(default)]
    pub broadband_per_mille: u16,
    /// No delay and no loss anywhere: every meter behind an ideal collector.
    #[serde(default)]
    pub ideal: bool,
    /// Exchanges that a collector holds open at once.
    #[serde(default = "open")]
    pub open_exchanges: usize,
    /// Messages delivered twice, in thousandths: a fault.
    #[serde(default)]
    pub doubled_per_mille: u16,
}

const fn open() -> usize {
    16
}

/// A way to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The clock runs fast by so many parts per million.
    ClockDrift {
        /// Parts per million; negative for slow.
        ppm: i32,
    },
    /// The meter restarts.
    Reboot,
    /// Its registers and profile stand still.
    StuckRegister,
    /// Its radio falls silent.
    DeadRadio {
        /// For so many minutes; for ever when absent.
        minutes: Option<u32>,
    },
    /// Somebody opens the cover.
    CoverOpened,
    /// A magnet is held to it.
    Magnet,
    /// It records only a part of what flows.
    Theft {
        /// The part it records, in thousandths.
        recorded_per_mille: u16,
    },
    /// It uses invocation counters again.
    ReplayedCounter,
    /// It reports the wrong decimal exponent.
    WrongScaler,
}

/// Which devices misbehave, how, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    /// What is wrong.
    pub kind: FaultKind,
    /// How many electricity meters have it; which, the seed decides.
    pub count: u32,
    /// Minutes after the start; the meter is so from the beginning when absent.
    pub after_minutes: Option<u32>,
}

/// An outage of one transformer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutagePlan {
    /// Which transformer, in thousandths of the list: 0 is the first, 999 the last.
    pub transformer_per_mille: u16,
    /// Minutes after the start.
    pub after_minutes: u32,
    /// How long it lasts.
    pub minutes: u32,
}

/// A collector that is dead for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadCollectorPlan {
    /// Which, counted from 1 and around.
    pub collector: u32,
    /// Minutes after the start.
    pub after_minutes: u32,
    /// How long.
    pub minutes: u32,
}

/// A time of heavy loss in the whole network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StormPlan {
    /// Minutes after the start.
    pub after_minutes: u32,
    /// How long.
    pub minutes: u32,
    /// Messages lost on top of all else, in thousandths.
    pub loss_per_mille: u16,
}

/// A time in which the meters of the eastern half cannot be heard in the west, where collectors are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartitionPlan {
    /// Minutes after the start.
    pub after_minutes: u32,
    /// How long.
    pub minutes: u32,
}

/// A hole in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryGapPlan {
    /// Meters in thousandths of all that have it; 1000 for everybody. The demo customer's meter has it when
    /// `demo_customer` is set.
    pub per_mille: u16,
    /// Whether the demo customer's meter has it, whatever the share.
    #[serde(default)]
    pub demo_customer: bool,
    /// Days before the end of the history.
    pub days_before_end: u16,
    /// First hour of the local day that is missing.
    pub from_hour: u8,
    /// Hours missing; may run to the end of the day.
    pub hours: u8,
}

/// What is wrong with a reading of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryFlaw {
    /// The first of the intervals reads this average power on top of the true one, W.
    Spike {
        /// How much, W.
        watts: u32,
    },
    /// The register stands still, so that every interval repeats the first.
    Stuck,
    /// Panels that nobody registered push this much back around noon, W.
    Panels {
        /// Their peak, W.
        watts: u32,
    },
    /// The values arrive with their sign turned.
    Negative,
}

/// Readings that cannot be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryFlawPlan {
    /// What is wrong.
    pub kind: HistoryFlaw,
    /// How many homes without panels have it; which, the seed decides.
    pub count: u32,
    /// Days before the end of the history.
    pub days_before_end: u16,
    /// On how many days in a row, this one and later ones.
    #[serde(default = "once")]
    pub days: u16,
    /// First hour of the local day that is wrong.
    pub from_hour: u8,
    /// Hours that are wrong; may run to the end of the day.
    pub hours: u8,
}

const fn once() -> u16 {
    1
}

/// Why a scenario was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// No embedded scenario has this name.
    #[error("find the scenario `{0}`: there are demo, street and bench, or give a file")]
    Unknown(String),
    /// The text is no scenario.
    #[error("read the scenario")]
    Syntax(#[from] toml::de::Error),
}

impl Scenario {
    /// One of the scenarios that the executable carries: `demo`, `street`, `bench`.
    ///
    /// # Errors
    /// [`ScenarioError`].
    pub fn named(name: &str) -> Result<Self, ScenarioError> {
        let found = EMBEDDED.iter().find(|(known, _)| *known == name);
        Self::parse(found.ok_or_else(|| ScenarioError::Unknown(name.to_owned()))?.1)
    }

    /// A scenario from the text of its file.
    ///
    /// # Errors
    /// [`ScenarioError::Syntax`], which names the line.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        Ok(toml::from_str(text)?)
    }

    /// The names of the scenarios that the executable carries.
    pub fn names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(name, _)| *name)
    }

    /// The same with another number of meters.
    #[must_use]
    pub fn with_meters(self, meters: u32) -> Self {
        Self { meters, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_carried_can_be_read() {
        for name in Scenario::names() {
            let scenario = Scenario::named(name).unwrap();
            assert_eq!(scenario.name, name);
            assert!(jiff::tz::TimeZone::get(&scenario.zone).is_ok());
        }
        assert!(Scenario::named("nowhere").is_err());
        assert!(Scenario::parse("name = 3").is_err());
    }
}
