//! What is kept for how long, and the removal of what is older: whole months, in bounded portions.
//!
//! ```text
//!            everything of these days goes             | kept: the current month and so many whole ones before it
//!  ----------------------------------------------------|-----------------------------------------------------> days
//!                                            Cut::before (the first day that is kept, always the first of a month)
//! ```
//!
//! What a bill was computed from stays, whatever its age: nothing of a channel's day with a pin is removed. A portion is
//! what one transaction removes; where the next one begins is told as a [`Cursor`], so that whoever does the removing can be
//! killed at any moment and another goes on.

mod days;
mod events;
mod raw;

use crate::column::{corrupt, day_number, day_of, execute, millis, rows};
use crate::engine::Row;
use crate::{Read, Result, Write};
use jiff::Timestamp;
use jiff::civil::Date;
use model::ChannelId;
use std::collections::BTreeSet;

/// A kind of data that is kept for a time of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// Batches as they were read. Those of days in pages and months are the days themselves and go with them.
    Raw,
    /// Versions of days that a newer one has superseded.
    Versions,
    /// Days with all their versions, findings and cases.
    Intervals,
    /// Reads of cumulative registers.
    Registers,
    /// Events of meters.
    Events,
    /// Arrivals that were noted, and refused records of files.
    Logs,
}

impl Kept {
    /// All of them, in the order in which they are removed.
    pub const ALL: [Self; 6] =
        [Self::Raw, Self::Versions, Self::Intervals, Self::Registers, Self::Events, Self::Logs];

    /// As stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Versions => "versions",
            Self::Intervals => "intervals",
            Self::Registers => "registers",
            Self::Events => "events",
            Self::Logs => "logs",
        }
    }

    /// What is counted when it is removed.
    pub const fn counted(self) -> &'static str {
        match self {
            Self::Raw => "batches",
            Self::Versions => "superseded versions of days",
            Self::Intervals => "versions of days",
            Self::Registers => "register reads",
            Self::Events => "events",
            Self::Logs => "lines of logs",
        }
    }

    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// How long a kind of data is kept, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Which kind.
    pub kind: Kept,
    /// Whole months before the current one.
    pub months: u32,
    /// Who set it.
    pub set_by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub set_at: Timestamp,
}

/// What was removed at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Which kind.
    pub kind: Kept,
    /// The first day that was kept.
    pub before: Date,
    /// How many went; see [`Kept::counted`].
    pub removed: u64,
    /// How many stayed because a bill was computed from their day.
    pub pinned: u64,
    /// The setting by which they went, in months.
    pub months: u32,
    /// Which worker removed them.
    pub done_by: String,
    /// When it was done.
    pub done_at: Timestamp,
}

/// What is to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Which kind.
    pub kind: Kept,
    /// The first day that is kept: the first of a month.
    pub before: Date,
    /// When that day begins.
    pub before_at: Timestamp,
    /// The first day whose readings are kept, where readings are not kept for ever: a superseded version that is all there is of
    /// what was read stays as long as they do.
    pub raw_before: Option<Date>,
}

/// Where the next portion begins; the first one at the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(pub i64, pub u32);

impl Default for Cursor {
    fn default() -> Self {
        Self(i64::MIN, 0)
    }
}

/// What a portion came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Portion {
    /// How many went; see [`Kept::counted`].
    pub removed: u64,
    /// How many stayed because a bill was computed from their day.
    pub pinned: u64,
    /// Where the next one begins; `None` when this was the last.
    pub next: Option<Cursor>,
}

impl Read {
    /// The settings, by kind. A kind without one is kept for ever.
    ///
    /// # Errors
    /// What the database says.
    pub fn retention(&self) -> Result<Vec<Retention>> {
        let sql = "SELECT kind, months, set_by, reason, set_ms FROM retention ORDER BY kind";
        let mut all = rows(&self.conn, sql, [], |row| {
            Ok(Retention {
                kind: named(row)?,
                months: row.get(1)?,
                set_by: row.get(2)?,
                reason: row.get(3)?,
                set_at: millis(row.get(4)?)?,
            })
        })?;
        all.sort_by_key(|one| one.kind);
        Ok(all)
    }

    /// What was removed, the last first.
    ///
    /// # Errors
    /// What the database says.
    pub fn removals(&self, limit: u32) -> Result<Vec<Removal>> {
        let sql = "SELECT kind, before_day, removed, pinned, months, done_by, done_ms FROM retention_log \
                   ORDER BY id DESC LIMIT ?";
        rows(&self.conn, sql, [limit], |row| {
            Ok(Removal {
                kind: named(row)?,
                before: day_of(row.get(1)?)?,
                removed: row.get(2)?,
                pinned: row.get(3)?,
                months: row.get(4)?,
                done_by: row.get(5)?,
                done_at: millis(row.get(6)?)?,
            })
        })
    }

    /// Whether everything of a kind before a day was removed before.
    ///
    /// # Errors
    /// What the database says.
    pub fn is_removed(&self, kind: Kept, before: Date) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM retention_log WHERE kind = ? AND before_day >= ?)";
        crate::column::value(&self.conn, sql, (kind.name(), day_number(before)))
    }

    /// The days of channels in `[from, to)` that a bill was computed from, of days in `[first, end)`.
    fn pinned_days(
        &self,
        (from, to): (ChannelId, ChannelId),
        (first, end): (Date, Date),
    ) -> Result<BTreeSet<(ChannelId, Date)>> {
        let sql = "SELECT DISTINCT channel, day FROM bill_pin WHERE channel >= ? AND channel < ? AND day >= ? AND day < ?";
        let values = (from.get(), to.get(), day_number(first), day_number(end));
        let found =
            rows(&self.conn, sql, values, |row| Ok((ChannelId::new(row.get(0)?), day_of(row.get(1)?)?)))?;
        Ok(found.into_iter().collect())
    }
}

fn named(row: &Row<'_>) -> Result<Kept> {
    Kept::from_name(&row.get::<_, String>(0)?).ok_or_else(|| corrupt("kind of data"))
}

impl Write {
    /// Sets how long a kind is kept.
    ///
    /// # Errors
    /// What the database says.
    pub fn set_retention(&self, new: &Retention) -> Result<()> {
        let sql = "INSERT INTO retention (kind, months, set_by, reason, set_ms) VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT (kind) DO UPDATE SET months = ?2, set_by = ?3, reason = ?4, set_ms = ?5";
        let values = (new.kind.name(), new.months, &new.set_by, &new.reason, new.set_at.as_millisecond());
        execute(&self.conn, sql, values)?;
        Ok(())
    }

    /// Keeps a kind for ever. Whether it was not before.
    ///
    /// # Errors
    /// What the database says.
    pub fn keep_for_ever(&self, kind: Kept) -> Result<bool> {
        Ok(execute(&self.conn, "DELETE FROM retention WHERE kind = ?", [kind.name()])? > 0)
    }

    /// Notes what was removed.
    ///
    /// # Errors
    /// What the database says.
    pub fn log_removal(&self, removal: &Removal) -> Result<()> {
        let sql = "INSERT INTO retention_log (kind, before_day, removed, pinned, months, done_by, done_ms) \
                   VALUES (?, ?, ?, ?, ?, ?, ?)";
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let values = (
            removal.kind.name(),
            day_number(removal.before),
            number(removal.removed),
            number(removal.pinned),
            removal.months,
            &removal.done_by,
            removal.done_at.as_millisecond(),
        );
        execute(&self.conn, sql, values)?;
        Ok(())
    }

    /// Removes the next portion of what is older than a cut. The same portion again finds nothing more to remove.
    ///
    /// # Errors
    /// What the database says; a damaged block.
    pub fn remove_portion(&self, cut: &Cut, from: Cursor, now: Timestamp) -> Result<Portion> {
        match cut.kind {
            Kept::Raw => self.remove_raw(cut, from),
            Kept::Versions | Kept::Intervals => self.remove_days(cut, from, now),
            Kept::Registers => self.remove_registers(cut, from),
            Kept::Events => self.remove_events(cut, from),
            Kept::Logs => self.remove_logs(cut),
        }
    }
}
