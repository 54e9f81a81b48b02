//! The utility itself: its name and the zone of its days, and the rule sets it has used.

use crate::column::{corrupt, execute, row};
use crate::{Read, Result, Write};
use jiff::tz::TimeZone;

/// Who runs this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Utility {
    /// As printed in the header of every page.
    pub name: String,
    /// Whose local days are the metering days.
    pub zone: TimeZone,
}

impl Read {
    /// Name and zone, once set.
    ///
    /// # Errors
    /// What the database says; a zone that this program does not know.
    pub fn utility(&self) -> Result<Option<Utility>> {
        let (Some(name), Some(zone)) = (self.meta("utility.name")?, self.meta("utility.zone")?) else {
            return Ok(None);
        };
        Ok(Some(Utility { name, zone: TimeZone::get(&zone).map_err(|_| corrupt("time zone"))? }))
    }

    /// A small fact kept by name.
    ///
    /// # Errors
    /// What the database says.
    pub fn meta(&self, name: &str) -> Result<Option<String>> {
        row(&self.conn, "SELECT value FROM meta WHERE name = ?", [name], |row| row.get(0))
    }

    /// The text of a rule set by the number that day blocks carry.
    ///
    /// # Errors
    /// What the database says.
    pub fn rule_set(&self, id: u32) -> Result<Option<String>> {
        row(&self.conn, "SELECT text FROM rule_set WHERE id = ?", [id], |row| row.get(0))
    }
}

impl Read {
    /// The hash of a rule set by the number that day blocks carry.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn rule_set_hash(&self, id: u32) -> Result<Option<String>> {
        row(&self.conn, "SELECT hash FROM rule_set WHERE id = ?", [id], |row| row.get(0))
    }
}

impl Write {
    /// Sets name and zone (an IANA name).
    ///
    /// # Errors
    /// [`crate::StoreError::Corrupt`] for a zone that is unknown.
    pub fn set_utility(&self, name: &str, zone: &str) -> Result<()> {
        TimeZone::get(zone).map_err(|_| corrupt("time zone"))?;
        self.set_meta("utility.name", name)?;
        self.set_meta("utility.zone", zone)
    }

    /// Keeps a small fact by name.
    ///
    /// # Errors
    /// What the database says.
    pub fn set_meta(&self, name: &str, value: &str) -> Result<()> {
        let sql = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        execute(&self.conn, sql, (name, value))?;
        Ok(())
    }

    /// The number of a rule set, given out at its first use.
    ///
    /// # Errors
    /// What the database says.
    pub fn rule_set_id(&self, hash: &str, text: &str) -> Result<u32> {
        let sql = "INSERT INTO rule_set (hash, text) VALUES (?, ?) ON CONFLICT DO NOTHING";
        execute(&self.conn, sql, (hash, text))?;
        let id = row(&self.conn, "SELECT id FROM rule_set WHERE hash = ?", [hash], |row| row.get(0))?;
        id.ok_or_else(|| corrupt("rule set"))
    }
}
