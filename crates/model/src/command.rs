//! Orders to meters, and what becomes of them.

use crate::id::{CommandId, MeterId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Ask whether the meter answers: its clock is read through an authenticated association.
    Ping,
    /// Read the registers and the instantaneous values now.
    ReadRegisters,
    /// Read the load profile of `[from, to)`.
    ReadProfile {
        /// First instant, UTC.
        from: Timestamp,
        /// End, UTC, exclusive.
        to: Timestamp,
    },
    /// Set the clock to the head-end's time.
    SetClock,
}

impl Action {
    /// A short name, as in URLs and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::ReadRegisters => "read",
            Self::ReadProfile { .. } => "profile",
            Self::SetClock => "clock",
        }
    }
}

/// An order: idempotent by its id, void after `not_after`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Sent twice with the same id is done once.
    pub id: CommandId,
    /// To whom.
    pub meter: MeterId,
    /// What.
    pub action: Action,
    /// After this instant it must not be sent any more.
    pub not_after: Timestamp,
    /// Who asked; `None` for the system itself.
    pub requested_by: Option<UserId>,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// Why.
    pub reason: String,
}

/// Where a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandState {
    /// In the outbox.
    Queued,
    /// The head-end has it and is at work.
    Sent,
    /// The meter answered as asked.
    Confirmed,
    /// It will not be done; the outcome names the culprit.
    Failed,
    /// Its time ran out before it was sent or answered.
    Expired,
}

impl CommandState {
    /// Whether nothing more will happen.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Confirmed | Self::Failed | Self::Expired)
    }

    /// As stored and as printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }

    /// The state of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Queued, Self::Sent, Self::Confirmed, Self::Failed, Self::Expired]
            .into_iter()
            .find(|state| state.name() == name)
    }
}
