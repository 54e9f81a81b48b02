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
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal, $severity:ident, $title:literal, $meaning:literal;)*) => {
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

            /// What people call it, for a heading.
            pub const fn title(self) -> &'static str {
                match self {$(Self::$name => $title),*}
            }

            /// What a finding of it means, in a sentence for people.
            pub const fn meaning(self) -> &'static str {
                match self {$(Self::$name => $meaning),*}
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
    SystemClock = 1, "system_clock", Issue, "Our clock",
        "The reading system's own clock was off the reference when it collected.";
    /// The meter's clock was not trusted, was set, or was off, inside the interval.
    Clock = 2, "clock", Info, "Meter clock",
        "The meter's clock was not trusted, was set, or was off.";
    /// The payload's device is not the one that was installed there at that time.
    Identification = 3, "identification", Fail, "Wrong device",
        "The readings come from another device than the one that was installed there at the time.";
    /// The interval arrived before with another value.
    Duplicate = 4, "duplicate", Issue, "Contradiction",
        "An interval arrived twice with different values.";
    /// An overdue interval has no value.
    Gap = 5, "gap", Issue, "Gap",
        "Intervals that should have been read by now have no value.";
    /// The payload's intervals are not those of the channel: wrong length, or not on its grid.
    Overlap = 6, "overlap", Fail, "Wrong intervals",
        "The intervals are not of the channel's length or not on its grid.";
    /// The payload's unit or scaler does not give whole stored units of this channel.
    Unit = 7, "unit", Fail, "Wrong unit",
        "Unit or scaler do not fit the channel.";
    /// The payload was multiplied otherwise than the registry says.
    Multiplier = 8, "multiplier", Fail, "Wrong multiplier",
        "The values were multiplied otherwise than the registry says.";
    /// The pulse counter of an interval ran over.
    Overflow = 9, "overflow", Fail, "Counter overflow",
        "The pulse counter of an interval ran over, so its value is too small.";
    /// The meter was in test mode.
    TestMode = 10, "test_mode", Issue, "Test mode",
        "The meter was in test mode.";
    /// The intervals do not add up to the difference of the registers.
    SumCheck = 11, "sum_check", Fail, "Sum check",
        "The intervals do not add up to what the register moved by.";
    /// One interval towers above the rest of the day.
    Spike = 12, "spike", Fail, "Spike",
        "One interval towers above the rest of its day.";
    /// An interval is many times the one before.
    Jump = 13, "jump", Info, "Jump",
        "An interval is many times the one before.";
    /// Reactive energy is missing beside active energy, or the power factor was implausible for hours.
    Reactive = 14, "reactive", Issue, "Reactive energy",
        "Reactive energy is missing, or the power factor was implausible for hours.";
    /// The day is far above or below its reference days, or the voltage is outside its band.
    HighLow = 15, "high_low", Issue, "High or low",
        "The day is far from what is usual here, or the voltage is outside its band.";
    /// More than the service can carry, or several times the most of the last twelve months.
    Capacity = 16, "capacity", Fail, "Beyond capacity",
        "More than the service can carry, or far more than in the last twelve months.";
    /// An active service used nothing for days.
    Zero = 17, "zero", Issue, "No use",
        "An active service used nothing for days.";
    /// Something was used where nobody is supplied: disconnected, vacant, not installed.
    Inactive = 18, "inactive", Issue, "Use while off",
        "Something was used where nobody is supplied.";
    /// A value below zero on a channel that counts one way.
    Negative = 19, "negative", Fail, "Negative value",
        "A value below zero on a channel that counts one way.";
    /// Energy came back where no generation is on file.
    ReverseEnergy = 20, "reverse_energy", Issue, "Unregistered generation",
        "Energy came back where no generation is on file.";
    /// Many equal values in a row.
    Stuck = 21, "stuck", Info, "Stuck values",
        "The same value repeats for hours.";
    /// The register went backward and no rollover explains it, or holds more than its dials can show.
    Register = 22, "register", Issue, "Register",
        "The register went backward, or shows what its dials cannot.";
    /// The time-of-use registers do not add up to the total register.
    RateSum = 23, "rate_sum", Issue, "Rate registers",
        "The time-of-use registers do not add up to the total register.";
    /// The meter flagged the interval: it was cut short, or memory failed.
    Status = 24, "status", Info, "Meter status",
        "The meter flagged the interval: cut short, or a memory error.";
    /// Power failed inside the interval: the value stands, but estimates do not lean on it.
    PartialOutage = 25, "partial_outage", Info, "Power failed inside",
        "Power failed during a part of the interval; its value stands.";
    /// Days on end were estimated.
    ProlongedEstimation = 26, "prolonged_estimation", Issue, "Estimated for days",
        "The meter has been estimated for so long that somebody should visit it.";
    /// Other channels of the same device have the interval, this one has not.
    Sibling = 27, "sibling", Issue, "Channel missing",
        "Other channels of the meter were read for the time, this one was not.";
    /// The interval ends in the future.
    Future = 28, "future", Fail, "From the future",
        "The interval has not ended yet.";
    /// The local day does not hold the intervals that its 23, 24 or 25 hours need.
    DstCompleteness = 29, "dst_completeness", Fail, "Day length",
        "The day does not hold the intervals that its 23, 24 or 25 hours need.";
    /// A roof fed in by night.
    SolarNight = 30, "solar_night", Issue, "Feeding in by night",
        "A generator fed in while the sun was well below the horizon.";
    /// The main meter and its check meter disagree.
    MainCheck = 31, "main_check", Issue, "Main and check meter",
        "The main meter and its check meter disagree.";
    /// Energy flowed while the voltage was missing or nearly gone.
    VoltageEnergy = 32, "voltage_energy", Issue, "Energy without voltage",
        "Energy flowed while the voltage was missing or nearly gone.";
    /// A value for a time that is billed, or long ago: the other half of rule 28, which queues instead of refusing.
    Late = 33, "late", Issue, "Late value",
        "A value arrived for a time that is billed or long past: the bill may have to be made again.";
    /// Water or gas flowed in every hour of the day.
    Leak = 34, "leak", Issue, "Leak",
        "Water or gas flowed in every hour of the day.";
    /// Water or gas flowed backward.
    ReverseFlow = 35, "reverse_flow", Issue, "Reverse flow",
        "Water or gas flowed backward.";
    /// The day repeats an earlier one, value for value.
    RepeatedDay = 36, "repeated_day", Issue, "Repeated day",
        "The day repeats an earlier one, value for value.";
    /// One interval after a hole holds what the hole is missing.
    PileUp = 37, "pile_up", Issue, "Piled up",
        "One interval holds what the empty ones before it are missing.";
    /// The day runs an hour early or late: against the registers, or for a row of days against what is usual here.
    ClockShift = 38, "clock_shift", Issue, "An hour off",
        "The readings seem to be stamped an hour early or late: look whether the meter followed the last change of the clocks.";
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
