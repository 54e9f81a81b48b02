//! The command desk: orders to meters go into the outbox, and nowhere else.

use crate::person::Person;
use crate::role::Right;
use jiff::{SignedDuration, Timestamp};
use model::command::{Action, Command};
use model::{CommandId, MeterId};
use store::{CommandRecord, Store, StoreError};

/// How long a command of a person stays valid.
const VALID_FOR: SignedDuration = SignedDuration::from_mins(15);
/// The longest reason that is kept.
const LONGEST_REASON: usize = 500;

/// Why a command was not taken.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The person's role does not allow it.
    #[error("take the command: {0} may not do that")]
    NotAllowed(&'static str),
    /// Every command needs a reason.
    #[error("take the command: it needs a reason of at most {LONGEST_REASON} characters")]
    Reason,
    /// No such meter.
    #[error("take the command: there is no meter {0}")]
    UnknownMeter(MeterId),
    /// A profile range that is empty or too long.
    #[error("take the command: ask for more than nothing and at most 45 days")]
    Range,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes commands from people.
#[derive(Clone, Debug)]
pub struct Desk {
    store: Store,
}

impl Desk {
    /// The desk over `store`'s outbox.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Puts a command into the outbox; it is void 15 minutes later unless a meter confirmed it.
    ///
    /// # Errors
    /// [`DeskError`]; nothing was queued then.
    pub fn request_command(
        &self,
        now: Timestamp,
        person: &Person,
        meter: MeterId,
        action: Action,
        reason: &str,
    ) -> Result<CommandId, DeskError> {
        let right = match action {
            Action::SetClock => Right::SetClocks,
            Action::Ping | Action::ReadRegisters | Action::ReadProfile { .. } => Right::ReadMeters,
        };
        if !person.role.may(right) {
            return Err(DeskError::NotAllowed(person.role.title()));
        }
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
            return Err(DeskError::Reason);
        }
        if let Action::ReadProfile { from, to } = action {
            let length = to.duration_since(from);
            if length <= SignedDuration::ZERO || length > SignedDuration::from_hours(45 * 24) {
                return Err(DeskError::Range);
            }
        }
        self.store.write(|write| {
            if write.meter(meter)?.is_none() {
                return Err(DeskError::UnknownMeter(meter));
            }
            let id = write.take_command_id()?;
            write.insert_command(&Command {
                id,
                meter,
                action,
                not_after: now.checked_add(VALID_FOR).unwrap_or(Timestamp::MAX),
                requested_by: Some(person.id),
                requested_at: now,
                reason: reason.to_owned(),
            })?;
            Ok(id)
        })
    }

    /// A command and where it stands.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn command(&self, id: CommandId) -> Result<Option<CommandRecord>, DeskError> {
        Ok(self.store.read(|read| read.command(id))?)
    }
}
