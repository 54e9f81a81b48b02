//! Rules as data: thresholds, severities, and the hash that a run is recorded under.

mod book;
mod thresholds;
mod written;

use crate::estimate::Estimation;
use crate::finding::{Rule, Severity};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub use book::{Eligible, Group, RuleBook};
pub use thresholds::{
    Clock, ClockShift, Demand, HighLow, Inactive, Jump, Leak, Over, PileUp, PowerFactor, SolarNight, Spike,
    Stuck, ZeroDays,
};
pub use written::{Difference, to_toml};

/// Every threshold of validation and estimation. [`Rules::default`] is the file `rules.toml` of this crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Hours after its end at which an interval without a value is overdue.
    pub grace_h: u32,
    /// How far an interval may end in the future, seconds.
    pub future_tolerance_s: u32,
    /// Sum check: tolerated share of the register difference, thousandths.
    pub sum_tolerance_permille: u32,
    /// The longest gap that a straight line may bridge, seconds.
    pub linear_max_s: u32,
    /// How old a like day may be, days.
    pub like_day_lookback_d: u32,
    /// How many like days are averaged.
    pub like_days: u32,
    /// Energy returned a day without generation on file, Wh.
    pub reverse_energy_wh: i64,
    /// Days of estimates in a row before somebody must go and look; 0 switches the rule off, more than 28 count as 28.
    pub prolonged_estimation_d: u32,
    /// Lower limit of an interval's voltage, percent of nominal.
    pub voltage_low_percent: u32,
    /// Upper limit of an interval's voltage, percent of nominal.
    pub voltage_high_percent: u32,
    /// The spike check.
    pub spike: Spike,
    /// The day against its reference days.
    pub high_low: HighLow,
    /// Days of zero use.
    pub zero_days: ZeroDays,
    /// Equal values in a row.
    pub stuck: Stuck,
    /// How gaps are filled.
    pub estimation: Estimation,
    /// Clocks: the reading system's and the meter's.
    pub clock: Clock,
    /// One interval against the one before.
    pub jump: Jump,
    /// Reactive against active energy.
    pub power_factor: PowerFactor,
    /// An interval against the most of twelve months.
    pub demand: Demand,
    /// Use where nobody is supplied.
    pub inactive: Inactive,
    /// Sum check: tolerated steps of the register, whatever the share says.
    pub sum_tolerance_steps: u32,
    /// Main against check meter: tolerated difference, thousandths of the main meter.
    pub main_check_permille: u32,
    /// Energy flows below this voltage, percent of nominal, are implausible.
    pub dead_voltage_percent: u32,
    /// Feeding in by night.
    pub solar_night: SolarNight,
    /// Water and gas that never rest.
    pub leak: Leak,
    /// Water or gas that flowed back in a day, litres; 0 switches the rule off.
    pub reverse_flow_l: i64,
    /// Arrivals for intervals that ended so many days ago go to the queue of late values; 0 switches that off.
    pub late_after_d: u32,
    /// A hole and what came after it.
    pub pile_up: PileUp,
    /// Days that run an hour early or late.
    pub clock_shift: ClockShift,
    /// Rules that are switched off.
    pub off: BTreeSet<Rule>,
    /// Rules that weigh other than by default.
    pub severity: BTreeMap<Rule, Severity>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            grace_h: 6,
            future_tolerance_s: 180,
            sum_tolerance_permille: 1,
            linear_max_s: 7200,
            like_day_lookback_d: 28,
            like_days: 3,
            reverse_energy_wh: 1000,
            prolonged_estimation_d: 7,
            voltage_low_percent: 80,
            voltage_high_percent: 115,
            spike: Spike::default(),
            high_low: HighLow::default(),
            zero_days: ZeroDays::default(),
            stuck: Stuck::default(),
            estimation: Estimation::default(),
            clock: Clock::default(),
            jump: Jump::default(),
            power_factor: PowerFactor::default(),
            demand: Demand::default(),
            inactive: Inactive::default(),
            sum_tolerance_steps: 2,
            main_check_permille: 15,
            dead_voltage_percent: 50,
            solar_night: SolarNight::default(),
            leak: Leak::default(),
            reverse_flow_l: 10,
            late_after_d: 45,
            pile_up: PileUp::default(),
            clock_shift: ClockShift::default(),
            off: BTreeSet::new(),
            severity: BTreeMap::new(),
        }
    }
}

/// The stable hash of a rule set: 64 bits, printed as 16 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RulesHash(pub u64);

impl core::fmt::Display for RulesHash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Why a rules file is refused.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A kept text is no rule book.
    #[error("read a rule book from its record: the text is no canonical rule book")]
    Record,
    /// It is no valid TOML, or names something unknown.
    #[error("parse the rules: {}", .0.to_string().trim_end())]
    Syntax(Box<toml::de::Error>),
    /// A threshold of a file makes no sense.
    #[error("{problem}, on line {line}")]
    At {
        /// Where it stands, counted from 1.
        line: usize,
        /// What is wrong.
        problem: Box<Self>,
    },
    /// Something is wrong with a group, or with what comes of it together with others.
    #[error("{problem}, in group `{name}` on line {line}")]
    InGroup {
        /// The group.
        name: String,
        /// Where it begins, counted from 1.
        line: usize,
        /// What is wrong.
        problem: Box<Self>,
    },
    /// A group ends before it begins.
    #[error("use the dates: `to` must be after `from`")]
    Dates,
    /// More groups than are read.
    #[error("{count} groups are too many: put what belongs together into at most {most}")]
    TooManyGroups {
        /// So many.
        count: usize,
        /// So many are read.
        most: usize,
    },
    /// What comes of laying groups over each other is no rule set.
    #[error("lay the groups over each other")]
    Laid(#[from] serde_json::Error),
    /// A threshold makes no sense.
    #[error("use {name} = {value}: it must be {must}")]
    Threshold {
        /// Which.
        name: &'static str,
        /// What it is.
        value: i64,
        /// What it should be.
        must: &'static str,
    },
}

impl From<toml::de::Error> for RulesError {
    fn from(error: toml::de::Error) -> Self {
        Self::Syntax(Box::new(error))
    }
}

impl Rules {
    /// Rules from the text of a file; what it does not say is as in [`Rules::default`].
    ///
    /// # Errors
    /// [`RulesError`] with the line, or the threshold and what it must be.
    pub fn from_toml(text: &str) -> Result<Self, RulesError> {
        let rules: Self = toml::from_str(text)?;
        rules.checked().map_err(|problem| match &problem {
            RulesError::Threshold { name, .. } => match line_of(text, name) {
                Some(line) => RulesError::At { line, problem: Box::new(problem) },
                None => problem,
            },
            _ => problem,
        })
    }

    fn checked(self) -> Result<Self, RulesError> {
        self.estimation.check()?;
        let checks: [(&'static str, i64, bool, &'static str); 7] = [
            ("grace_h", self.grace_h.into(), self.grace_h <= 24 * 31, "at most 744"),
            ("like_days", self.like_days.into(), (1..=28).contains(&self.like_days), "from 1 to 28"),
            ("linear_max_s", self.linear_max_s.into(), self.linear_max_s <= 86_400, "at most 86400"),
            (
                "voltage_low_percent",
                self.voltage_low_percent.into(),
                self.voltage_low_percent < self.voltage_high_percent,
                "below voltage_high_percent",
            ),
            (
                "high_low.low_percent",
                self.high_low.low_percent.into(),
                self.high_low.low_percent < self.high_low.high_percent,
                "below high_low.high_percent",
            ),
            ("stuck.count", self.stuck.count.into(), self.stuck.count >= 2, "at least 2"),
            (
                "solar_night.elevation_cdeg",
                self.solar_night.elevation_cdeg.into(),
                (-9000..=9000).contains(&self.solar_night.elevation_cdeg),
                "from -9000 to 9000",
            ),
        ];
        match checks.iter().find(|(_, _, fine, _)| !fine) {
            Some(&(name, value, _, must)) => Err(RulesError::Threshold { name, value, must }),
            None => Ok(self),
        }
    }

    /// Whether a rule is in force.
    pub fn is_on(&self, rule: Rule) -> bool {
        !self.off.contains(&rule)
    }

    /// How much a finding of `rule` weighs.
    pub fn severity(&self, rule: Rule) -> Severity {
        self.severity.get(&rule).copied().unwrap_or(rule.default_severity())
    }

    /// The hash of these rules, the same on every machine: FNV-1a over their canonical text.
    pub fn hash(&self) -> RulesHash {
        // Serialising plain structs of integers has nothing that could fail; an empty text would still
        // give a defined hash.
        fnv(&serde_json::to_string(self).unwrap_or_default())
    }
}

fn fnv(text: &str) -> RulesHash {
    RulesHash(
        text.bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)),
    )
}

/// The line on which a threshold such as `spike.percent` stands, from 1.
fn line_of(text: &str, name: &str) -> Option<usize> {
    let (table, key) = name.rsplit_once('.').unwrap_or(("", name));
    let mut present = "";
    text.lines().enumerate().find_map(|(index, line)| {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            present = header.trim_end_matches(|c| c != ']').trim_matches(['[', ']']);
        }
        let stands = line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
        (stands && present == table).then_some(index + 1)
    })
}

/// The file that a new utility starts with.
const DEFAULT: &str = include_str!("../rules.toml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_stable_and_sees_every_change() {
        let rules = Rules::default();
        assert_eq!(rules.hash(), Rules::from_toml("").unwrap().hash());
        let other = Rules::from_toml("[spike]\npercent = 181").unwrap();
        assert_ne!(rules.hash(), other.hash());
        let softer = Rules::from_toml("[severity]\nspike = \"info\"").unwrap();
        assert_eq!(softer.severity(Rule::Spike), Severity::Info);
        assert_ne!(rules.hash(), softer.hash());
        assert_eq!(rules.hash().to_string().len(), 16);
    }

    #[test]
    fn nonsense_is_refused_with_its_name() {
        assert!(Rules::from_toml("spikes = 3").unwrap_err().to_string().contains("spikes"));
        assert!(Rules::from_toml("like_days = 0").unwrap_err().to_string().contains("like_days"));
    }
}
