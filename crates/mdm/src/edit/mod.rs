//! The editing bench: what a person may do to a day, always with a reason, always as a new version.
//!
//! ```text
//! Edit { channel, date, slots, op, reason, expected_version }
//!     | preview: the same work, rolled back             | apply: one transaction
//!     v                                                 v
//! refused, in words           or           version n+1, judged by the same rules, cases moved on, bills flagged
//! ```
//!
//! What was read is never touched: an edit adds a version, undo adds a version equal to an earlier one. Values that a person
//! sets carry the class `Edited`, whichever way they were found; later readings do not replace them but are reported.

mod apply;
mod cases;
mod group;
mod op;
mod slots;

#[cfg(test)]
mod tests;

pub use apply::{Edited, Preview};
pub use group::MOST_AT_ONCE;
pub use slots::{NoSlots, Slots};

use jiff::Timestamp;
use jiff::civil::Date;
use model::{BillId, ChannelId, Ratio, UserId};
use serde::{Deserialize, Serialize};

/// What is to be done to the chosen intervals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Op {
    /// These values, one for each chosen interval, or one for all; in the channel's stored unit.
    Set {
        /// The values.
        values: Vec<i64>,
    },
    /// So much more (or less) in each interval, in the channel's stored unit.
    Add {
        /// How much.
        amount: i64,
    },
    /// Each value times an exact factor, rounded once to the nearest whole unit.
    Scale {
        /// The factor.
        factor: Ratio,
    },
    /// A straight line between the neighbours of each run of chosen intervals, up to the limit of the rules.
    Interpolate,
    /// The values that another day of the channel has at the same local time.
    CopyDay {
        /// The other day.
        from: Date,
    },
    /// What a method of estimation would put there.
    Estimate {
        /// Which.
        method: vee::Method,
    },
    /// The readings failed a rule and were found true.
    Accept,
    /// The readings are refused: estimated anew where the grace is over, else missing.
    Reject,
    /// Back to an earlier version, as a new one; the chosen intervals do not matter.
    Undo {
        /// Which.
        to: u32,
    },
    /// Only a note; no value changes.
    Note,
}

impl Op {
    /// As printed.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Set { .. } => "set",
            Self::Add { .. } => "add",
            Self::Scale { .. } => "scale",
            Self::Interpolate => "interpolate",
            Self::CopyDay { .. } => "copy_day",
            Self::Estimate { .. } => "estimate",
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Undo { .. } => "undo",
            Self::Note => "note",
        }
    }

    /// Whether it may change what is billed.
    pub const fn changes_values(&self) -> bool {
        !matches!(self, Self::Accept | Self::Note)
    }
}

/// Why somebody edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// The meter measured wrongly or was damaged.
    MeterFault,
    /// Readings were lost or mangled on their way.
    Communication,
    /// The supply was off.
    Outage,
    /// The meter was exchanged.
    MeterExchange,
    /// The meter's clock was wrong.
    Clock,
    /// A multiplier, unit or channel was configured wrongly.
    Configuration,
    /// Somebody read the meter on site.
    SiteReading,
    /// A second meter shows what is right.
    CheckMeter,
    /// The customer told, and it was found true.
    CustomerReport,
    /// The use is unusual but real.
    TrueUse,
    /// An earlier edit was wrong.
    Correction,
    /// Something else, which the note says.
    Other,
}

impl ReasonCode {
    /// Every code.
    pub const ALL: [Self; 12] = [
        Self::MeterFault,
        Self::Communication,
        Self::Outage,
        Self::MeterExchange,
        Self::Clock,
        Self::Configuration,
        Self::SiteReading,
        Self::CheckMeter,
        Self::CustomerReport,
        Self::TrueUse,
        Self::Correction,
        Self::Other,
    ];

    /// As stored and as written in a form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MeterFault => "meter_fault",
            Self::Communication => "communication",
            Self::Outage => "outage",
            Self::MeterExchange => "meter_exchange",
            Self::Clock => "clock",
            Self::Configuration => "configuration",
            Self::SiteReading => "site_reading",
            Self::CheckMeter => "check_meter",
            Self::CustomerReport => "customer_report",
            Self::TrueUse => "true_use",
            Self::Correction => "correction",
            Self::Other => "other",
        }
    }

    /// In words, for a page.
    pub const fn title(self) -> &'static str {
        match self {
            Self::MeterFault => "Meter fault",
            Self::Communication => "Lost on the way",
            Self::Outage => "Supply was off",
            Self::MeterExchange => "Meter exchanged",
            Self::Clock => "Meter clock wrong",
            Self::Configuration => "Wrongly configured",
            Self::SiteReading => "Read on site",
            Self::CheckMeter => "Check meter",
            Self::CustomerReport => "Customer report",
            Self::TrueUse => "Unusual but true",
            Self::Correction => "Correction of an edit",
            Self::Other => "Other, see note",
        }
    }

    /// The code of a [`ReasonCode::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }
}

/// The longest note that is kept, in characters.
pub const LONGEST_NOTE: usize = 1000;

/// Something that a person wants to do to a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The client's own name for this deed, 1 to 64 characters: sent twice, it is done once.
    pub command: String,
    /// Whose day.
    pub channel: ChannelId,
    /// Which local day.
    pub date: Date,
    /// Which of its intervals.
    #[serde(default)]
    pub slots: Slots,
    /// What to do.
    #[serde(flatten)]
    pub op: Op,
    /// Why. `None` is refused, but a form may send it.
    pub reason: Option<ReasonCode>,
    /// Why, in words; obligatory for [`ReasonCode::Other`].
    #[serde(default)]
    pub note: String,
    /// The version that the person saw; 0 for a day of which nothing is kept. Another one standing is a refusal.
    pub expected_version: u32,
}

/// Who edits, and what they are trusted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Editor {
    /// The person.
    pub user: UserId,
    /// Whether days that a bill was computed from may be changed; the bill is flagged then.
    pub may_edit_billed: bool,
}

/// Why an edit is not done; nothing was written. Each is a sentence for the person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditRefused {
    /// No such channel, or its meter is retired.
    #[error("There is no channel {0} in service.")]
    UnknownChannel(ChannelId),
    /// The client gave no name to the deed.
    #[error("Give the edit a name of 1 to 64 characters, so that sending it twice does it once.")]
    NoCommand,
    /// No reason.
    #[error("Choose a reason; it is kept with the version.")]
    NoReason,
    /// The reason is "other" and nothing more.
    #[error("Say in the note what the other reason is.")]
    NoteNeeded,
    /// The note is too long.
    #[error("Shorten the note to {LONGEST_NOTE} characters; it has {0}.")]
    NoteTooLong(usize),
    /// Nothing is chosen.
    #[error("Choose at least one interval.")]
    NoSlots,
    /// An interval that the day does not have.
    #[error("Interval {slot} is not of this day, which has {intervals}, counted from 0.")]
    SlotOutside {
        /// Which was asked for.
        slot: usize,
        /// How many the day has.
        intervals: usize,
    },
    /// An interval that is not over yet.
    #[error(
        "Interval {slot} is not over yet; what is to come can be neither read nor set. Choose intervals that are over."
    )]
    NotOver {
        /// Which.
        slot: usize,
    },
    /// Somebody or something made another version meanwhile.
    #[error(
        "The day changed meanwhile: you saw version {expected}, version {current} stands since {at} \
         and differs in intervals {changed}. Look at it and decide again."
    )]
    Stale {
        /// What the person saw.
        expected: u32,
        /// What stands.
        current: u32,
        /// Since when.
        at: Timestamp,
        /// Who made it, if a person did.
        by: Option<UserId>,
        /// What differs between the two.
        changed: Slots,
    },
    /// A bill was computed from the day.
    #[error("Bill {0} was computed from this day; changing it needs the right to edit billed days.")]
    Billed(BillId),
    /// A value below zero on a channel that counts one way.
    #[error(
        "Interval {slot} would become {value}; this channel counts one way and has no values below zero."
    )]
    Negative {
        /// Which interval.
        slot: usize,
        /// What it would become.
        value: i64,
    },
    /// A value beyond what a meter can count.
    #[error("Interval {slot} would become larger than can be kept.")]
    TooLarge {
        /// Which interval.
        slot: usize,
    },
    /// Something is to be done to a value that is not there.
    #[error("Interval {slot} has no value; set or estimate it first.")]
    Missing {
        /// Which interval.
        slot: usize,
    },
    /// Not as many values as intervals.
    #[error("Give one value for all chosen intervals, or {slots}, one for each; {values} were given.")]
    ValueCount {
        /// Intervals chosen.
        slots: usize,
        /// Values given.
        values: usize,
    },
    /// A run of intervals is too long for a straight line.
    #[error(
        "Intervals {from} to {to} are longer than a straight line may bridge ({limit_s} s); use a like day or an estimate."
    )]
    TooLong {
        /// The first.
        from: usize,
        /// The last.
        to: usize,
        /// The limit of the rules, seconds.
        limit_s: u32,
    },
    /// A run of intervals has no neighbour with a value on one side.
    #[error("Intervals {from} to {to} lack a neighbour with a value to draw a line from or to.")]
    NoNeighbour {
        /// The first.
        from: usize,
        /// The last.
        to: usize,
    },
    /// The day to copy from is not kept, or lacks a value at a needed time.
    #[error("{from} has no value at the local time of interval {slot} to copy.")]
    NothingToCopy {
        /// The day to copy from.
        from: Date,
        /// The interval that wants one.
        slot: usize,
    },
    /// The method does not serve here.
    #[error("The method {method} cannot estimate this: {why}.")]
    MethodUnfit {
        /// Which.
        method: &'static str,
        /// In words.
        why: String,
    },
    /// Accept or reject where nothing was read.
    #[error("None of the chosen intervals holds a reading.")]
    NothingRead,
    /// An undo to a version that is not there, or that stands already.
    #[error("There is no version {to} to go back to; version {current} stands.")]
    NoSuchVersion {
        /// Which was asked for.
        to: u32,
        /// What stands.
        current: u32,
    },
    /// There are more or fewer exceptions than the person saw.
    #[error("There are {found} open exceptions now, not {expected}. Look at the list and decide again.")]
    CountChanged {
        /// What the person saw.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// Too many at once.
    #[error("Choose at most {MOST_AT_ONCE} exceptions at once.")]
    TooMany,
    /// Everything is so already.
    #[error("Nothing would change.")]
    NoChange,
}
