//! What the head-end has learned and the meter data manager has not taken in yet.
//!
//! Only used when the two are separate processes. An item is on disk before the head-end counts it as collected, and leaves
//! in the transaction that takes it in.

use crate::column::{execute, millis, rows};
use crate::{Read, Result, Write};
use jiff::Timestamp;
use model::MeterId;

/// An item that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxItem {
    /// Of which meter.
    pub meter: MeterId,
    /// When the head-end learned of it.
    pub received_at: Timestamp,
    /// What it is, as its writer arranged it.
    pub item: String,
}

impl Read {
    /// How many items wait.
    ///
    /// # Errors
    /// What the database says.
    pub fn inbox_count(&self) -> Result<u64> {
        crate::column::value(&self.conn, "SELECT count(*) FROM inbox", [])
    }
}

impl Read {
    /// Whether nothing waits.
    ///
    /// # Errors
    /// What the database says.
    pub fn inbox_is_empty(&self) -> Result<bool> {
        crate::column::value(&self.conn, "SELECT NOT EXISTS (SELECT 1 FROM inbox)", [])
    }
}

impl Write {
    /// Leaves an item for the meter data manager.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_inbox(&self, item: &InboxItem) -> Result<()> {
        let sql = "INSERT INTO inbox (meter, received_ms, item) VALUES (?, ?, ?)";
        execute(&self.conn, sql, (item.meter.get(), item.received_at.as_millisecond(), &item.item))?;
        Ok(())
    }

    /// Takes the oldest items out that nobody else is taking, at most `limit`. They are gone when this transaction commits, and
    /// there again when it does not.
    ///
    /// # Errors
    /// What the database says.
    pub fn take_inbox(&self, limit: u32) -> Result<Vec<InboxItem>> {
        let lock = if self.conn.is_shared() { " FOR UPDATE SKIP LOCKED" } else { "" };
        let sql = format!(
            "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox ORDER BY id LIMIT ?{lock}) RETURNING id, meter, received_ms, item"
        );
        let mut taken = rows(&self.conn, &sql, [limit], |row| {
            let item = InboxItem {
                meter: MeterId::new(row.get(1)?),
                received_at: millis(row.get(2)?)?,
                item: row.get(3)?,
            };
            Ok((row.get::<_, i64>(0)?, item))
        })?;
        taken.sort_by_key(|(id, _)| *id);
        Ok(taken.into_iter().map(|(_, item)| item).collect())
    }
}
