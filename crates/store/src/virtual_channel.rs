//! Series that are computed from others when they are read.

use crate::column::{corrupt, execute, millis, row, rows};
use crate::engine::Row;
use crate::{Read, Result, Write};
use jiff::Timestamp;
use model::{UserId, VirtualId};

/// A saved formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredVirtual {
    /// Ours.
    pub id: VirtualId,
    /// As people call it.
    pub name: String,
    /// What it is computed from, as the meter data manager writes it.
    pub formula: String,
    /// Who said so.
    pub user: UserId,
    /// Why.
    pub reason: String,
    /// When.
    pub changed_at: Timestamp,
}

const COLUMNS: &str = "SELECT id, name, formula, by_user, reason, changed_ms FROM virtual_channel";

fn stored(row: &Row<'_>) -> Result<StoredVirtual> {
    Ok(StoredVirtual {
        id: VirtualId::new(row.get(0)?),
        name: row.get(1)?,
        formula: row.get(2)?,
        user: UserId::new(row.get(3)?),
        reason: row.get(4)?,
        changed_at: millis(row.get(5)?)?,
    })
}

impl Read {
    /// Every saved formula, by id.
    ///
    /// # Errors
    /// What the database says.
    pub fn virtual_channels(&self) -> Result<Vec<StoredVirtual>> {
        rows(&self.conn, &[COLUMNS, " ORDER BY id"].concat(), [], stored)
    }

    /// One saved formula.
    ///
    /// # Errors
    /// What the database says.
    pub fn virtual_channel(&self, id: VirtualId) -> Result<Option<StoredVirtual>> {
        row(&self.conn, &[COLUMNS, " WHERE id = ?"].concat(), [id.get()], stored)
    }
}

impl Write {
    /// Saves a formula under its name, in place of one of the same name.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_virtual(
        &self,
        name: &str,
        formula: &str,
        user: UserId,
        reason: &str,
        at: Timestamp,
    ) -> Result<VirtualId> {
        let sql = "INSERT INTO virtual_channel (name, formula, by_user, reason, changed_ms) VALUES (?, ?, ?, ?, ?) \
                   ON CONFLICT (name) DO UPDATE SET formula = excluded.formula, by_user = excluded.by_user, \
                   reason = excluded.reason, changed_ms = excluded.changed_ms";
        execute(&self.conn, sql, (name, formula, user.get(), reason, at.as_millisecond()))?;
        let id = row(&self.conn, "SELECT id FROM virtual_channel WHERE name = ?", [name], |row| row.get(0))?;
        id.map(VirtualId::new).ok_or_else(|| corrupt("virtual channel"))
    }
}
