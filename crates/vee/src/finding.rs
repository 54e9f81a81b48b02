//! What a rule has to say.

use core::ops::Range;
use serde::{Deserialize, Serialize};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth noting; nothing follows.
    Info,
    /// Somebody should look; the values stand.
    Issue,
    /// The values named are kept but become questionable.
    Fail,
}

impl Severity {
    /// As stored and as printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Issue => "issue",
            Self::Fail => "fail",
        }
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal, $severity:ident;)*) => {
        /// A rule of the catalogue.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Rule {$($(#[$doc])* $name),*}

        impl Rule {
            /// Every rule, in order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its number in the catalogue; what the store keeps, never renumbered.
            pub const fn code(self) -> u8 {
                match self {$(Self::$name => $code),*}
            }

            /// As stored in text and as written in a rules file.
            pub const fn name(self) -> &'static str {
                match self {$(Self::$name => $text),*}
            }

            /// How much it weighs unless the rules file says otherwise.
            pub const fn default_severity(self) -> Severity {
                match self {$(Self::$name => Severity::$severity),*}
            }

            /// The rule of a stored number.
            pub fn from_code(code: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|rule| rule.code() == code)
            }
        }
    };
}

rules! {
    /// The reading system's own clock was off when it collected.
    SystemClock = 1, "system_clock", Issue;
    /// The meter's clock was not trusted, was set, or was off, inside the interval.
    Clock = 2, "clock", Info;
    /// The payload's device is not the one that was installed there at that time.
    Identification = 3, "identification", Fail;
    /// The interval arrived before with another value.
    Duplicate = 4, "duplicate", Issue;
    /// An overdue interval has no value.
    Gap = 5, "gap", Issue;
    /// The payload's intervals are not those of the channel: wrong length, or not on its grid.
    Overlap = 6, "overlap", Fail;
    /// The payload's unit or scaler does not give whole stored units of this channel.
    Unit = 7, "unit", Fail;
    /// The payload was multiplied otherwise than the registry says.
    Multiplier = 8, "multiplier", Fail;
    /// The pulse counter of an interval ran over.
    Overflow = 9, "overflow", Fail;
    /// The meter was in test mode.
    TestMode = 10, "test_mode", Issue;
    /// The intervals do not add up to the difference of the registers.
    SumCheck = 11, "sum_check", Fail;
    /// One interval towers above the rest of the day.
    Spike = 12, "spike", Fail;
    /// An interval is many times the one before.
    Jump = 13, "jump", Info;
    /// Reactive energy is missing beside active energy, or the power factor was implausible for hours.
    Reactive = 14, "reactive", Issue;
    /// The day is far above or below its reference days, or the voltage is outside its band.
    HighLow = 15, "high_low", Issue;
    /// More than the service can carry, or several times the most of the last twelve months.
    Capacity = 16, "capacity", Fail;
    /// An active service used nothing for days.
    Zero = 17, "zero", Issue;
    /// Something was used where nobody is supplied: disconnected, vacant, not installed.
    Inactive = 18, "inactive", Issue;
    /// A value below zero on a channel that counts one way.
    Negative = 19, "negative", Fail;
    /// Energy came back where no generation is on file.
    ReverseEnergy = 20, "reverse_energy", Issue;
    /// Many equal values in a row.
    Stuck = 21, "stuck", Info;
    /// The register went backward and no rollover explains it, or holds more than its dials can show.
    Register = 22, "register", Issue;
    /// The time-of-use registers do not add up to the total register.
    RateSum = 23, "rate_sum", Issue;
    /// The meter flagged the interval: it was cut short, or memory failed.
    Status = 24, "status", Info;
    /// Power failed inside the interval: the value stands, but estimates do not lean on it.
    PartialOutage = 25, "partial_outage", Info;
    /// Days on end were estimated.
    ProlongedEstimation = 26, "prolonged_estimation", Issue;
    /// Other channels of the same device have the interval, this one has not.
    Sibling = 27, "sibling", Issue;
    /// The interval ends in the future.
    Future = 28, "future", Fail;
    /// The local day does not hold the intervals that its 23, 24 or 25 hours need.
    DstCompleteness = 29, "dst_completeness", Fail;
    /// A roof fed in by night.
    SolarNight = 30, "solar_night", Issue;
    /// The main meter and its check meter disagree.
    MainCheck = 31, "main_check", Issue;
    /// Energy flowed while the voltage was missing or nearly gone.
    VoltageEnergy = 32, "voltage_energy", Issue;
    /// A value for a time that is billed, or long ago: the other half of rule 28, which queues instead of refusing.
    Late = 33, "late", Issue;
    /// Water or gas flowed in every hour of the day.
    Leak = 34, "leak", Issue;
    /// Water or gas flowed backward.
    ReverseFlow = 35, "reverse_flow", Issue;
    /// The day repeats an earlier one, value for value.
    RepeatedDay = 36, "repeated_day", Issue;
    /// One interval after a hole holds what the hole is missing.
    PileUp = 37, "pile_up", Issue;
}

/// One thing a rule found: where, how grave, and in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// How grave.
    pub severity: Severity,
    /// The intervals concerned, half-open: of the day, or of the batch for [`crate::admit`].
    pub slots: Range<usize>,
    /// What was found, with the numbers, for a person.
    pub sentence: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique() {
        for (index, rule) in Rule::ALL.iter().enumerate() {
            assert_eq!(Rule::from_code(rule.code()), Some(*rule));
            assert!(Rule::ALL[..index].iter().all(|other| other.name() != rule.name()));
            assert_eq!(serde_json::to_string(rule).unwrap(), format!("\"{}\"", rule.name()));
        }
    }
}
