//! The outbox of commands: written by people and services, worked off towards the head-end, kept for ever.

use crate::column::{corrupt, execute, millis, row, rows, value};
use crate::engine::Row;
use crate::{Read, Result, StoreError, Write};
use jiff::Timestamp;
use model::command::{Command, CommandState};
use model::{CommandId, MeterId, UserId};

/// A command and what has become of it.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandRecord {
    /// The order as given.
    pub command: Command,
    /// Where it stands.
    pub state: CommandState,
    /// Since when.
    pub updated_at: Timestamp,
    /// In words, for a person; empty while there is nothing to say.
    pub detail: String,
    /// What came back, as its writer arranged it.
    pub outcome: Option<serde_json::Value>,
}

const COLUMNS: &str = "SELECT id, meter, action, not_after_ms, requested_by, requested_ms, reason, state, updated_ms, \
                       detail, outcome FROM command";

fn record(row: &Row<'_>) -> Result<CommandRecord> {
    let action: String = row.get(2)?;
    let state: String = row.get(7)?;
    let outcome: Option<String> = row.get(10)?;
    Ok(CommandRecord {
        command: Command {
            id: CommandId::new(row.get(0)?),
            meter: MeterId::new(row.get(1)?),
            action: serde_json::from_str(&action)?,
            not_after: millis(row.get(3)?)?,
            requested_by: row.get::<_, Option<u32>>(4)?.map(UserId::new),
            requested_at: millis(row.get(5)?)?,
            reason: row.get(6)?,
        },
        state: CommandState::from_name(&state).ok_or_else(|| corrupt("command state"))?,
        updated_at: millis(row.get(8)?)?,
        detail: row.get(9)?,
        outcome: outcome.map(|text| serde_json::from_str(&text)).transpose()?,
    })
}

impl Read {
    /// One command.
    ///
    /// # Errors
    /// What the database says.
    pub fn command(&self, id: CommandId) -> Result<Option<CommandRecord>> {
        row(&self.conn, &format!("{COLUMNS} WHERE id = ?"), [id.get()], record)
    }

    /// The commands of a meter, the newest first.
    ///
    /// # Errors
    /// What the database says.
    pub fn commands_of(&self, meter: MeterId, limit: u32) -> Result<Vec<CommandRecord>> {
        let sql = format!("{COLUMNS} WHERE meter = ? ORDER BY requested_ms DESC, id DESC LIMIT ?");
        rows(&self.conn, &sql, (meter.get(), limit), record)
    }

    /// The commands in one state, the oldest first: `Sent` after a restart are those whose answer is unknown.
    ///
    /// # Errors
    /// What the database says.
    pub fn commands_in(&self, state: CommandState, limit: u32) -> Result<Vec<CommandRecord>> {
        let sql = format!("{COLUMNS} WHERE state = ? ORDER BY id LIMIT ?");
        rows(&self.conn, &sql, (state.name(), limit), record)
    }

    /// The latest commands of all meters, the newest first.
    ///
    /// # Errors
    /// What the database says.
    pub fn latest_commands(&self, limit: u32) -> Result<Vec<CommandRecord>> {
        rows(&self.conn, &format!("{COLUMNS} ORDER BY id DESC LIMIT ?"), [limit], record)
    }
}

impl Write {
    /// Takes a number for a new command, which nobody else will get. On a server it is gone even when the transaction is
    /// rolled back, so numbers may have gaps.
    ///
    /// # Errors
    /// What the database says.
    pub fn take_command_id(&self) -> Result<CommandId> {
        let sql = if self.conn.is_shared() {
            "SELECT nextval('command_number')"
        } else {
            "SELECT coalesce(max(id), 0) + 1 FROM command"
        };
        Ok(CommandId::new(value(&self.conn, sql, [])?))
    }

    /// Puts a command into the outbox; the same id again changes nothing. Whether it was new.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] for a meter that is not there.
    pub fn insert_command(&self, command: &Command) -> Result<bool> {
        let sql = "INSERT INTO command (id, meter, action, not_after_ms, requested_by, requested_ms, reason, state, \
                   updated_ms, detail, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, 'queued', ?, '', NULL) \
                   ON CONFLICT (id) DO NOTHING";
        let touched = execute(
            &self.conn,
            sql,
            (
                command.id.get(),
                command.meter.get(),
                serde_json::to_string(&command.action)?,
                command.not_after.as_millisecond(),
                command.requested_by.map(UserId::get),
                command.requested_at.as_millisecond(),
                &command.reason,
                command.requested_at.as_millisecond(),
            ),
        )?;
        Ok(touched > 0)
    }

    /// Takes the oldest queued command that is still valid at `now` out of the outbox and marks it sent.
    ///
    /// # Errors
    /// What the database says.
    pub fn claim_command(&self, now: Timestamp) -> Result<Option<CommandRecord>> {
        let sql = format!("{COLUMNS} WHERE state = 'queued' AND not_after_ms > ? ORDER BY id LIMIT 1");
        let Some(mut found) = row(&self.conn, &sql, [now.as_millisecond()], record)? else {
            return Ok(None);
        };
        self.update_command(found.command.id, CommandState::Sent, now, "", None)?;
        found.state = CommandState::Sent;
        found.updated_at = now;
        found.detail.clear();
        Ok(Some(found))
    }

    /// Records where a command stands. A final state stays: later news change nothing. Whether it changed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn update_command(
        &self,
        id: CommandId,
        state: CommandState,
        at: Timestamp,
        detail: &str,
        outcome: Option<&serde_json::Value>,
    ) -> Result<bool> {
        let before = self.command(id)?.ok_or(StoreError::NotFound { what: "command", id: id.get() })?;
        if before.state.is_final() {
            return Ok(false);
        }
        let sql = "UPDATE command SET state = ?, updated_ms = ?, detail = ?, outcome = coalesce(?, outcome) WHERE id = ?";
        let outcome = outcome.map(serde_json::to_string).transpose()?;
        execute(&self.conn, sql, (state.name(), at.as_millisecond(), detail, outcome, id.get()))?;
        Ok(true)
    }

    /// Voids what nobody has taken before its time ran out; the ids.
    ///
    /// # Errors
    /// What the database says.
    pub fn expire_commands(&self, now: Timestamp) -> Result<Vec<CommandId>> {
        let sql = "UPDATE command SET state = 'expired', updated_ms = ?1, detail = 'its time ran out before it was sent' \
                   WHERE state = 'queued' AND not_after_ms <= ?1 RETURNING id";
        rows(&self.conn, sql, [now.as_millisecond()], |row| Ok(CommandId::new(row.get(0)?)))
    }
}
