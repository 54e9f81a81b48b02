//! Wrapped keys and invocation counters of meters.

use crate::column::{execute, millis, row, rows};
use crate::{Read, Result, Write};
use jiff::Timestamp;
use model::MeterId;

/// A key under the master key; the store cannot read it.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// What it is for: `guek`, `gak`, `gbek`, `master`, `lls`, `hls`.
    pub role: String,
    /// As wrapped.
    pub wrapped: Vec<u8>,
    /// Since when it is in force.
    pub installed_at: Timestamp,
}

impl core::fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("WrappedKey").field("role", &self.role).finish_non_exhaustive()
    }
}

/// The invocation counters of a meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// Counters of ours below this may have been used; a restart begins here.
    pub own_ceiling: u32,
    /// The highest counter accepted from an answer of the meter; equal or lower is a replay.
    pub peer: u32,
    /// The highest counter accepted from a push of the meter; a field network may deliver one late.
    pub push: u32,
}

impl Read {
    /// The wrapped keys of a meter, by role.
    ///
    /// # Errors
    /// What the database says.
    pub fn keys_of(&self, meter: MeterId) -> Result<Vec<WrappedKey>> {
        let sql = "SELECT role, wrapped, installed_ms FROM wrapped_key WHERE meter = ? ORDER BY role";
        rows(&self.conn, sql, [meter.get()], |row| {
            Ok(WrappedKey { role: row.get(0)?, wrapped: row.get(1)?, installed_at: millis(row.get(2)?)? })
        })
    }

    /// The counters of a meter; zeros when none were ever used.
    ///
    /// # Errors
    /// What the database says.
    pub fn counter(&self, meter: MeterId) -> Result<Counter> {
        let found = row(
            &self.conn,
            "SELECT own_ceiling, peer, push FROM counter WHERE meter = ?",
            [meter.get()],
            |row| Ok(Counter { own_ceiling: row.get(0)?, peer: row.get(1)?, push: row.get(2)? }),
        )?;
        Ok(found.unwrap_or_default())
    }

    /// The counters of every meter that has some.
    ///
    /// # Errors
    /// What the database says.
    pub fn counters(&self) -> Result<Vec<(MeterId, Counter)>> {
        rows(&self.conn, "SELECT meter, own_ceiling, peer, push FROM counter ORDER BY meter", [], |row| {
            let counter = Counter { own_ceiling: row.get(1)?, peer: row.get(2)?, push: row.get(3)? };
            Ok((MeterId::new(row.get(0)?), counter))
        })
    }
}

impl Write {
    /// Puts a wrapped key in force, in place of the one with its role.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_key(&self, meter: MeterId, key: &WrappedKey) -> Result<()> {
        let sql = "INSERT INTO wrapped_key (meter, role, wrapped, installed_ms) VALUES (?, ?, ?, ?) ON CONFLICT \
                   (meter, role) DO UPDATE SET wrapped = excluded.wrapped, installed_ms = excluded.installed_ms";
        let row = (meter.get(), &key.role, &key.wrapped, key.installed_at.as_millisecond());
        execute(&self.conn, sql, row)?;
        Ok(())
    }

    /// Sets our counters up to `ceiling` (exclusive) aside before they are used; never goes back.
    ///
    /// # Errors
    /// What the database says.
    pub fn reserve_counter(&self, meter: MeterId, ceiling: u32) -> Result<()> {
        let sql = "INSERT INTO counter (meter, own_ceiling, peer) VALUES (?1, ?2, 0) \
                   ON CONFLICT (meter) DO UPDATE SET own_ceiling = max(counter.own_ceiling, ?2)";
        execute(&self.conn, sql, (meter.get(), ceiling))?;
        Ok(())
    }

    /// Remembers the highest counter accepted from an answer of a meter; never goes back.
    ///
    /// # Errors
    /// What the database says.
    pub fn accept_peer_counter(&self, meter: MeterId, counter: u32) -> Result<()> {
        let sql = "INSERT INTO counter (meter, own_ceiling, peer) VALUES (?1, 0, ?2) \
                   ON CONFLICT (meter) DO UPDATE SET peer = max(counter.peer, ?2)";
        execute(&self.conn, sql, (meter.get(), counter))?;
        Ok(())
    }

    /// Remembers the highest counter accepted from a push of a meter; never goes back.
    ///
    /// # Errors
    /// What the database says.
    pub fn accept_push_counter(&self, meter: MeterId, counter: u32) -> Result<()> {
        let sql = "INSERT INTO counter (meter, own_ceiling, peer, push) VALUES (?1, 0, 0, ?2) \
                   ON CONFLICT (meter) DO UPDATE SET push = max(counter.push, ?2)";
        execute(&self.conn, sql, (meter.get(), counter))?;
        Ok(())
    }
}
