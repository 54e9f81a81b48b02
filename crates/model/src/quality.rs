//! How much a value can be trusted and where it came from. Every reading carries it.

pub mod codes;

use serde::{Deserialize, Serialize};

/// The class of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum QualityClass {
    /// As read, not yet validated.
    Raw = 0,
    /// Read and passed every rule.
    Valid = 1,
    /// Read, failed a rule, and found true.
    Verified = 2,
    /// Set by a person.
    Edited = 3,
    /// Estimated by a straight line between neighbours.
    EstimatedLinear = 4,
    /// Estimated from like days.
    EstimatedLikeDay = 5,
    /// Estimated from a load shape or flat.
    EstimatedProfile = 6,
    /// Estimated, then scaled to a register difference.
    EstimatedScaled = 7,
    /// Known to be zero: inside a verified outage or disconnection.
    DerivedZero = 8,
    /// No value.
    Missing = 9,
    /// Read, failed a rule, kept until somebody decides.
    Questionable = 10,
    /// Projected into the future.
    Projected = 11,
    /// Estimated, substituted or projected by whoever sent it, not by us; by which method stands with the batch as it came.
    Substituted = 12,
}

impl QualityClass {
    /// Every class, in order of its code.
    pub const ALL: [Self; 13] = [
        Self::Raw,
        Self::Valid,
        Self::Verified,
        Self::Edited,
        Self::EstimatedLinear,
        Self::EstimatedLikeDay,
        Self::EstimatedProfile,
        Self::EstimatedScaled,
        Self::DerivedZero,
        Self::Missing,
        Self::Questionable,
        Self::Projected,
        Self::Substituted,
    ];

    /// As written in files: `raw`, `valid`, `estimated_like_day`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Valid => "valid",
            Self::Verified => "verified",
            Self::Edited => "edited",
            Self::EstimatedLinear => "estimated_linear",
            Self::EstimatedLikeDay => "estimated_like_day",
            Self::EstimatedProfile => "estimated_profile",
            Self::EstimatedScaled => "estimated_scaled",
            Self::DerivedZero => "derived_zero",
            Self::Missing => "missing",
            Self::Questionable => "questionable",
            Self::Projected => "projected",
            Self::Substituted => "substituted",
        }
    }

    /// The class of a [`QualityClass::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// Each flag and its word.
const FLAGS: [(u8, &str); 4] = [
    (Quality::POWER_FAIL, "power_fail"),
    (Quality::PARTIAL, "partial"),
    (Quality::CLOCK_DOUBTFUL, "clock_doubtful"),
    (Quality::SUPERSEDED, "superseded"),
];

/// A class and flags in one byte: class in the low four bits, flags in the high four.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Quality(u8);

/// A byte that is no quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:#04x} is no quality: its class is above 12")]
pub struct NotAQuality(pub u8);

impl Quality {
    /// Power failed inside the interval: the value is real but is no end point for interpolation.
    pub const POWER_FAIL: u8 = 0x10;
    /// The interval was not full length, or the clock was set inside it.
    pub const PARTIAL: u8 = 0x20;
    /// The meter's clock was not trusted when it wrote the value.
    pub const CLOCK_DOUBTFUL: u8 = 0x40;
    /// A later arrival replaced an earlier value.
    pub const SUPERSEDED: u8 = 0x80;

    /// As read, nothing flagged.
    pub const RAW: Self = Self(QualityClass::Raw as u8);
    /// Read and passed every rule.
    pub const VALID: Self = Self(QualityClass::Valid as u8);
    /// Estimated by whoever sent it.
    pub const SUBSTITUTED: Self = Self(QualityClass::Substituted as u8);
    /// No value.
    pub const MISSING: Self = Self(QualityClass::Missing as u8);

    /// A class without flags.
    pub const fn new(class: QualityClass) -> Self {
        Self(class as u8)
    }

    /// The same class with these flags added.
    pub const fn with(self, flags: u8) -> Self {
        Self(self.0 | (flags & 0xF0))
    }

    /// The same flags under another class.
    pub const fn reclassed(self, class: QualityClass) -> Self {
        Self((self.0 & 0xF0) | class as u8)
    }

    /// The class.
    pub fn class(self) -> QualityClass {
        QualityClass::ALL[usize::from(self.0 & 0x0F)]
    }

    /// Whether any of `flags` is set.
    pub const fn has(self, flags: u8) -> bool {
        self.0 & flags & 0xF0 != 0
    }

    /// The byte that blocks hold.
    pub const fn byte(self) -> u8 {
        self.0
    }

    /// As a word: the class, then each flag after a plus sign, as `estimated_linear+power_fail`.
    pub fn word(self) -> String {
        let mut word = self.class().name().to_owned();
        for (_, name) in FLAGS.into_iter().filter(|(flag, _)| self.has(*flag)) {
            word.push('+');
            word.push_str(name);
        }
        word
    }

    /// The quality of a [`Quality::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        let mut parts = word.split('+');
        let class = parts.next().and_then(QualityClass::from_name)?;
        parts.try_fold(Self::new(class), |quality, part| {
            FLAGS.into_iter().find(|(_, name)| *name == part).map(|(flag, _)| quality.with(flag))
        })
    }

    /// Whether the value was read from a meter, whatever the rules said of it.
    pub fn is_read(self) -> bool {
        matches!(
            self.class(),
            QualityClass::Raw | QualityClass::Valid | QualityClass::Verified | QualityClass::Questionable
        )
    }

    /// Whether the value was estimated.
    pub fn is_estimated(self) -> bool {
        matches!(
            self.class(),
            QualityClass::EstimatedLinear
                | QualityClass::EstimatedLikeDay
                | QualityClass::EstimatedProfile
                | QualityClass::EstimatedScaled
                | QualityClass::Projected
                | QualityClass::Substituted
        )
    }

    /// Whether the value was estimated here, and so may be estimated anew.
    pub fn is_own_estimate(self) -> bool {
        self.is_estimated() && self.class() != QualityClass::Substituted
    }

    /// Whether there is no value.
    pub fn is_missing(self) -> bool {
        self.class() == QualityClass::Missing
    }
}

impl core::fmt::Debug for Quality {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}", self.class())?;
        for (flag, name) in [
            (Self::POWER_FAIL, "power-fail"),
            (Self::PARTIAL, "partial"),
            (Self::CLOCK_DOUBTFUL, "clock-doubtful"),
            (Self::SUPERSEDED, "superseded"),
        ] {
            if self.has(flag) {
                write!(f, "+{name}")?;
            }
        }
        Ok(())
    }
}

impl TryFrom<u8> for Quality {
    type Error = NotAQuality;

    fn try_from(byte: u8) -> Result<Self, NotAQuality> {
        if byte & 0x0F < 13 { Ok(Self(byte)) } else { Err(NotAQuality(byte)) }
    }
}

impl From<Quality> for u8 {
    fn from(quality: Quality) -> Self {
        quality.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_a_quality_or_is_refused() {
        for byte in 0..=u8::MAX {
            match Quality::try_from(byte) {
                Ok(quality) => assert_eq!(quality.byte(), byte),
                Err(refusal) => assert!(refusal.0 & 0x0F > 12),
            }
        }
        for class in QualityClass::ALL {
            assert_eq!(Quality::new(class).with(Quality::PARTIAL).class(), class);
        }
    }
}
