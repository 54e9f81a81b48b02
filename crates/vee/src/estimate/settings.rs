//! What a rule set says about estimation.

use super::context::Event;
use super::method::Method;
use crate::rules::RulesError;
use jiff::civil::{Date, Time, Weekday};
use serde::{Deserialize, Serialize};

/// Which estimator, and its settings. The defaults are the regulators' ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Estimation {
    /// The ladder of the regulators, or Wattle's own method before its last rungs.
    pub estimator: Estimator,
    /// The rungs, in the order in which they are tried.
    pub ladder: Vec<Method>,
    /// How far a day of last year may lie from the same date, days.
    pub last_year_window_d: u32,
    /// How far a proxy day's mean temperature may be off, tenths of a degree Celsius.
    pub proxy_difference_dc: u32,
    /// Whether estimates are scaled where registers bracket them.
    pub scale_to_registers: bool,
    /// Whether estimates may become negative to meet the registers.
    pub allow_negative_scaling: bool,
    /// When the meter counts into which time-of-use register; what no period covers belongs to none.
    pub tou: Vec<TouPeriod>,
    /// The load shape of the customer's class, for premises without a history.
    pub shape: Shape,
    /// Dates that count as Sundays, in order.
    pub holidays: Vec<Date>,
    /// Demand-response events: a day whose window one touches is no reference.
    pub events: Vec<Event>,
    /// Registers that lie further apart than this scale nothing between them, days.
    pub bracket_max_d: u32,
    /// So many days later an estimate that no register bears out is made anew, with the days that were read since; only
    /// [`Method::WattleBlend`] can use them. 0 switches that off.
    pub revise_after_d: u32,
}

/// Who fills the gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// The rungs of the ladder.
    #[default]
    Ladder,
    /// Known zeros, then [`Method::WattleBlend`], then the rungs of the ladder.
    Blend,
}

/// When the meter counts into a time-of-use register; the first period that covers an instant holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TouPeriod {
    /// The register, 1 to 4 in most meters.
    pub register: u8,
    /// On which days.
    #[serde(default)]
    pub days: TouDays,
    /// From this local time on.
    pub from: Time,
    /// Until this local time, exclusive; 00:00 is the end of the day, and an earlier time than `from` wraps over midnight.
    pub to: Time,
}

/// The days of a time-of-use period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TouDays {
    /// All of them.
    #[default]
    Every,
    /// Monday to Friday without holidays.
    Working,
    /// Saturday, Sunday and holidays.
    Rest,
}

/// A class load shape: 24 weights, one an hour of local time; empty where none is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shape {
    /// Of working days.
    pub working: Vec<u32>,
    /// Of weekends and holidays; those of working days where empty.
    pub rest: Vec<u32>,
    /// The class's mean daily use in the stored unit, for premises whose own is not known; 0 is not known.
    pub daily: i64,
}

impl Default for Estimation {
    fn default() -> Self {
        Self {
            estimator: Estimator::Ladder,
            ladder: Method::LADDER.to_vec(),
            last_year_window_d: 14,
            proxy_difference_dc: 30,
            scale_to_registers: true,
            allow_negative_scaling: false,
            tou: Vec::new(),
            shape: Shape::default(),
            holidays: Vec::new(),
            events: Vec::new(),
            bracket_max_d: 62,
            revise_after_d: 7,
        }
    }
}

impl Estimation {
    /// The methods in the order in which they are tried.
    pub fn order(&self) -> Vec<Method> {
        let mut order = Vec::with_capacity(Method::ALL.len());
        if self.estimator == Estimator::Blend {
            order.extend([Method::KnownZero, Method::WattleBlend]);
        }
        for method in &self.ladder {
            if !order.contains(method) {
                order.push(*method);
            }
        }
        order
    }

    /// Whether days after a gap help to fill it.
    pub fn uses_later_days(&self) -> bool {
        self.order().contains(&Method::WattleBlend)
    }

    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`RulesError::Threshold`].
    pub(crate) fn check(&self) -> Result<(), RulesError> {
        let lengths = [("shape.working", &self.shape.working), ("shape.rest", &self.shape.rest)];
        for (name, weights) in lengths {
            if !weights.is_empty() && (weights.len() != 24 || weights.iter().all(|weight| *weight == 0)) {
                let value = i64::try_from(weights.len()).unwrap_or(i64::MAX);
                return Err(RulesError::Threshold { name, value, must: "24 weights, not all of them zero" });
            }
        }
        if !self.holidays.is_sorted() {
            let value = i64::try_from(self.holidays.len()).unwrap_or(i64::MAX);
            return Err(RulesError::Threshold { name: "holidays", value, must: "in order of date" });
        }
        if self.events.iter().any(|event| event.from >= event.to) {
            let value = i64::try_from(self.events.len()).unwrap_or(i64::MAX);
            return Err(RulesError::Threshold {
                name: "events",
                value,
                must: "events that end after they begin",
            });
        }
        let days = [("bracket_max_d", self.bracket_max_d, 400), ("revise_after_d", self.revise_after_d, 28)];
        for (name, value, most) in days {
            if value > most {
                let must = if most == 28 { "at most 28" } else { "at most 400" };
                return Err(RulesError::Threshold { name, value: value.into(), must });
            }
        }
        if let Some(period) = self.tou.iter().find(|period| period.register == 0) {
            let value = period.register.into();
            return Err(RulesError::Threshold { name: "tou.register", value, must: "at least 1" });
        }
        Ok(())
    }

    /// The time-of-use register that the meter counts into at a local time of day; none outside of every period.
    pub(crate) fn register_at(&self, weekday: Weekday, time: Time) -> Option<u8> {
        let rest = matches!(weekday, Weekday::Saturday | Weekday::Sunday);
        let covers = |period: &&TouPeriod| {
            let on = match period.days {
                TouDays::Every => true,
                TouDays::Working => !rest,
                TouDays::Rest => rest,
            };
            let whole = period.from == period.to;
            let inside = if period.from < period.to || period.to == Time::midnight() {
                period.from <= time && (time < period.to || period.to == Time::midnight())
            } else {
                period.from <= time || time < period.to
            };
            on && (whole || inside)
        };
        self.tou.iter().find(covers).map(|period| period.register)
    }
}
