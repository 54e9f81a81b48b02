//! The thresholds of single rules, each group with what a new utility starts with.

use serde::{Deserialize, Serialize};

/// Thresholds of the spike check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spike {
    /// The highest interval may exceed the third highest by this share of it, percent.
    pub percent: u32,
    /// Electricity below this average power is no spike, W.
    pub floor_w: i64,
    /// Gas below this rate is no spike, litres an hour.
    pub floor_gas_l_per_h: i64,
    /// Water below this rate is no spike, litres an hour.
    pub floor_water_l_per_h: i64,
    /// Over what the highest intervals are sought.
    pub over: Over,
}

/// Over what the spike check looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// Each local day by itself, whenever it is judged.
    #[default]
    Day,
    /// All that arrived together, once, when it arrives: a payload of several days is one whole.
    Payload,
}

/// Thresholds of the high/low check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HighLow {
    /// A day below this share of the reference is low, percent.
    pub low_percent: u32,
    /// A day above this share of the reference is high, percent.
    pub high_percent: u32,
    /// Differences of energy up to this are ordinary, Wh.
    pub min_difference_wh: i64,
    /// Differences of volume up to this are ordinary, litres.
    pub min_difference_l: i64,
    /// Fewer reference days than this say nothing.
    pub min_days: u32,
}

/// Days of zero use in a row that are reported; 0 switches the rule off, and more than 28 count as 28, as no more are
/// remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ZeroDays {
    /// Electricity delivered.
    pub electricity: u32,
    /// Gas.
    pub gas: u32,
    /// Water.
    pub water: u32,
}

/// Thresholds of the stuck check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stuck {
    /// So many equal values in a row.
    pub count: u32,
    /// Equal values below this, in the stored unit, are ordinary.
    pub floor: i64,
}

impl Default for Spike {
    fn default() -> Self {
        Self {
            percent: 180,
            floor_w: 1000,
            floor_gas_l_per_h: 10_000,
            floor_water_l_per_h: 3000,
            over: Over::Day,
        }
    }
}

impl Default for HighLow {
    fn default() -> Self {
        Self {
            low_percent: 25,
            high_percent: 200,
            min_difference_wh: 5000,
            min_difference_l: 2000,
            min_days: 7,
        }
    }
}

impl Default for ZeroDays {
    fn default() -> Self {
        Self { electricity: 3, gas: 0, water: 28 }
    }
}

impl Default for Stuck {
    fn default() -> Self {
        Self { count: 24, floor: 50 }
    }
}

/// Tolerances of clocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clock {
    /// The reading system may be off the reference by this, milliseconds.
    pub system_ms: u32,
    /// A meter may be off by this, seconds; from an interval's length on its values fail.
    pub meter_s: u32,
}

impl Default for Clock {
    fn default() -> Self {
        Self { system_ms: 2000, meter_s: 180 }
    }
}

/// Thresholds of the jump check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jump {
    /// An interval may exceed the one before by this share of it, percent.
    pub percent: u32,
    /// Electricity below this average power is no jump, W.
    pub floor_w: i64,
    /// Gas below this rate is no jump, litres an hour.
    pub floor_gas_l_per_h: i64,
    /// Water below this rate is no jump, litres an hour.
    pub floor_water_l_per_h: i64,
}

impl Default for Jump {
    fn default() -> Self {
        Self { percent: 500, floor_w: 15_000, floor_gas_l_per_h: 20_000, floor_water_l_per_h: 5000 }
    }
}

/// Thresholds of the power factor check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PowerFactor {
    /// Below this the power factor is implausible, percent.
    pub min_percent: u32,
    /// For longer than this, hours.
    pub hours: u32,
    /// Reactive power below this says nothing, var.
    pub floor_var: i64,
}

impl Default for PowerFactor {
    fn default() -> Self {
        Self { min_percent: 30, hours: 4, floor_var: 1000 }
    }
}

/// Thresholds of the check against twelve months.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Demand {
    /// An interval may reach this share of the most of the twelve months before, percent.
    pub percent: u32,
    /// Electricity below this average power is ordinary, W.
    pub floor_w: i64,
    /// Gas below this rate is ordinary, litres an hour.
    pub floor_gas_l_per_h: i64,
    /// Water below this rate is ordinary, litres an hour.
    pub floor_water_l_per_h: i64,
    /// Fewer sound days than this say nothing.
    pub min_days: u32,
}

impl Default for Demand {
    fn default() -> Self {
        Self {
            percent: 200,
            floor_w: 5000,
            floor_gas_l_per_h: 20_000,
            floor_water_l_per_h: 5000,
            min_days: 28,
        }
    }
}

/// Use of a day that is reported where nobody is supplied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inactive {
    /// Energy, Wh.
    pub wh: i64,
    /// Volume, litres.
    pub l: i64,
}

impl Default for Inactive {
    fn default() -> Self {
        Self { wh: 500, l: 100 }
    }
}

/// Thresholds of feeding in by night.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SolarNight {
    /// Night is where the sun is below this, hundredths of a degree.
    pub elevation_cdeg: i32,
    /// Energy of the night that is reported when exceeded, Wh.
    pub wh: i64,
}

impl Default for SolarNight {
    fn default() -> Self {
        Self { elevation_cdeg: -600, wh: 50 }
    }
}

/// Rates that, in every hour of a day, look like a leak; 0 switches the rule off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Leak {
    /// Water, litres an hour.
    pub water_l_per_h: i64,
    /// Gas, litres an hour.
    pub gas_l_per_h: i64,
}

impl Default for Leak {
    fn default() -> Self {
        Self { water_l_per_h: 1, gas_l_per_h: 1 }
    }
}

/// Thresholds of energy piled up after a hole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PileUp {
    /// The interval after the hole against the largest other of the day, percent.
    pub percent: u32,
    /// Holes shorter than this, in intervals, pile up nothing.
    pub intervals: u32,
}

impl Default for PileUp {
    fn default() -> Self {
        Self { percent: 150, intervals: 2 }
    }
}

/// Thresholds of days that run an hour early or late against the usual course of this channel's days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockShift {
    /// The week must lean further than the three before it by so many tenths of the deviation that chance would give it; 0
    /// switches the comparison with usual days off.
    pub deviations_tenths: u32,
    /// The same where the clocks were changed at its beginning and it leans as a meter does that did not follow.
    pub after_change_tenths: u32,
    /// And by so many hundredths of a correlation.
    pub lean_percent: u32,
}

impl Default for ClockShift {
    fn default() -> Self {
        Self { deviations_tenths: 35, after_change_tenths: 25, lean_percent: 20 }
    }
}
