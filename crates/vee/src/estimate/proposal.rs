//! What a method has to say about a gap: values and their grounds, or why it does not apply.

use super::span::in_words;
use crate::words::{Amount, counted};
use jiff::civil::Date;

/// Values for a gap, one an interval, and what they rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) values: Vec<i64>,
    pub(crate) basis: Basis,
}

/// What values rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    Outage,
    Line { from: Amount, to: Amount, missing: usize },
    Days(Vec<Date>),
    Temperature { dates: Vec<Date>, mean_dc: i32 },
    Shape { daily: Amount },
    Flat { daily: Amount, days: usize },
    Registers,
    Blend { days: usize, level_permille: i64, anchored: bool, moved: bool },
}

impl core::fmt::Display for Basis {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Outage => f.write_str("there was no supply in the whole of these intervals"),
            Self::Line { from, to, missing } => {
                write!(
                    f,
                    "a straight line over {} from {from} before the gap to {to} after it",
                    counted(*missing, "interval")
                )
            }
            Self::Days(dates) => {
                write!(f, "the mean of {}: {}", counted(dates.len(), "day"), in_words(dates))
            }
            Self::Temperature { dates, mean_dc } => write!(
                f,
                "the mean of {} about as warm ({}.{} C): {}",
                counted(dates.len(), "day"),
                mean_dc / 10,
                (mean_dc % 10).abs(),
                in_words(dates)
            ),
            Self::Shape { daily } => write!(f, "{daily} a day, spread by the class load shape"),
            Self::Flat { daily, days } => {
                write!(f, "{daily} a day, the mean of {}, spread evenly", counted(*days, "sound day"))
            }
            Self::Registers => {
                f.write_str("nothing is known but the registers, whose difference is spread evenly")
            }
            Self::Blend { days, level_permille, anchored, moved } => write!(
                f,
                "{} weighed by likeness and age{}, at {}.{} % of their level{}",
                counted(*days, "day"),
                if *moved { " and moved with what others of the class used" } else { "" },
                level_permille / 10,
                (level_permille % 10).abs(),
                if *anchored { ", tied to the neighbours" } else { "" }
            ),
        }
    }
}

/// Why a method does not apply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("no verified outage covers all of these intervals")]
    NoOutage,
    #[error("the gap lasts {}, and a straight line may bridge at most {}", lasting(*gap_s), lasting((*most_s).into()))]
    TooLong { gap_s: u64, most_s: u32 },
    #[error(
        "the interval {side} the gap has no sound value: it is missing, estimated, doubtful, or power failed in it"
    )]
    NoNeighbour { side: &'static str },
    #[error("none of the {seen} days at hand is {wanted} with sound readings in this window")]
    NoDay { seen: usize, wanted: &'static str },
    #[error("the mean temperature of {0} is not known")]
    NoTemperature(Date),
    #[error("the rule set holds no load shape of the class")]
    NoShape,
    #[error("neither remembered days nor registers tell how much is used in a day")]
    NoLevel,
    #[error("averages such as voltages are not spread over a day")]
    NotAdditive,
    #[error("of {seen} days at hand fewer than {need} are sound at some interval of the gap")]
    TooFew { seen: usize, need: usize },
}

/// A length of time for people: hours where it is whole hours.
fn lasting(secs: u64) -> String {
    match secs {
        secs if secs % 3600 == 0 => format!("{} h", secs / 3600),
        secs if secs > 3600 => format!("{} h {} min", secs / 3600, secs % 3600 / 60),
        secs => format!("{} min", secs / 60),
    }
}
