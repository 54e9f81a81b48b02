//! The ways in which a value can be found.

use model::QualityClass;
use serde::{Deserialize, Serialize};

/// How a value was found; the rungs of the ladder, in their usual order, and Wattle's own estimator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Zero, because the supply was verifiably off for the whole interval.
    KnownZero,
    /// A straight line between sound neighbours, up to two hours.
    Linear,
    /// The mean of the newest days of the same weekday, holidays counting as Sundays.
    LikeDay,
    /// The mean of days of the same weekday around the same date last year.
    LastYear,
    /// The mean of days of the same kind whose mean temperature was near this day's.
    ProxyDay,
    /// The mean of the newest days of the same kind: working days, or weekends and holidays.
    SimilarDay,
    /// The mean daily use, spread by the load shape of the customer's class.
    Profile,
    /// The mean daily use, spread evenly; the last resort.
    Flat,
    /// Wattle's own: days before and after weighed by likeness and age, set to the level around the gap.
    WattleBlend,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 9] = [
        Self::KnownZero,
        Self::Linear,
        Self::LikeDay,
        Self::LastYear,
        Self::ProxyDay,
        Self::SimilarDay,
        Self::Profile,
        Self::Flat,
        Self::WattleBlend,
    ];

    /// The regulators' ladder: each rung is tried where those before it do not apply.
    pub const LADDER: [Self; 8] = [
        Self::KnownZero,
        Self::Linear,
        Self::LikeDay,
        Self::LastYear,
        Self::ProxyDay,
        Self::SimilarDay,
        Self::Profile,
        Self::Flat,
    ];

    /// As stored, as printed and as written in a rules file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KnownZero => "known_zero",
            Self::Linear => "linear",
            Self::LikeDay => "like_day",
            Self::LastYear => "last_year",
            Self::ProxyDay => "proxy_day",
            Self::SimilarDay => "similar_day",
            Self::Profile => "profile",
            Self::Flat => "flat",
            Self::WattleBlend => "wattle_blend",
        }
    }

    /// The method of a [`Method::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// The quality class that marks its values until they are scaled.
    pub const fn class(self) -> QualityClass {
        match self {
            Self::KnownZero => QualityClass::DerivedZero,
            Self::Linear => QualityClass::EstimatedLinear,
            Self::LikeDay | Self::LastYear | Self::ProxyDay | Self::SimilarDay | Self::WattleBlend => {
                QualityClass::EstimatedLikeDay
            }
            Self::Profile | Self::Flat => QualityClass::EstimatedProfile,
        }
    }
}

impl core::fmt::Display for Method {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_are_those_of_a_rules_file() {
        for method in Method::ALL {
            assert_eq!(Method::from_name(method.name()), Some(method));
            assert_eq!(serde_json::to_string(&method).unwrap(), format!("\"{method}\""));
        }
    }
}
