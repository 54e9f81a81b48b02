//! Which rules judge which days: who put them in force, since when, and why.

use crate::column::{day_number, day_of, execute, millis, rows, value};
use crate::{Read, Result, Write};
use jiff::Timestamp;
use jiff::civil::Date;
use model::UserId;

/// A rule set put in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// The number of the rule set.
    pub rules: u32,
    /// Its hash.
    pub hash: String,
    /// The first day that it judges.
    pub from: Date,
    /// When it was put in force.
    pub activated_at: Timestamp,
    /// By whom.
    pub user: UserId,
    /// Why.
    pub reason: String,
}

impl Read {
    /// The number of the last activation, 0 without one: another number means other rules.
    ///
    /// # Errors
    /// What the database says.
    pub fn last_activation(&self) -> Result<u64> {
        value(&self.conn, "SELECT coalesce(max(id), 0) FROM rule_activation", [])
    }

    /// Every rule set that was put in force, in order; for a day the last one that begins on it or before it counts.
    ///
    /// # Errors
    /// What the database says.
    pub fn activations(&self) -> Result<Vec<Activation>> {
        let sql = "SELECT a.rules, r.hash, a.from_day, a.activated_ms, a.by_user, a.reason FROM rule_activation a \
                   JOIN rule_set r ON r.id = a.rules ORDER BY a.id";
        rows(&self.conn, sql, [], |row| {
            Ok(Activation {
                rules: row.get(0)?,
                hash: row.get(1)?,
                from: day_of(row.get(2)?)?,
                activated_at: millis(row.get(3)?)?,
                user: UserId::new(row.get(4)?),
                reason: row.get(5)?,
            })
        })
    }
}

impl Write {
    /// Puts a rule set in force from a day on; what was in force before stays on record.
    ///
    /// # Errors
    /// What the database says.
    pub fn activate_rules(
        &self,
        rules: u32,
        from: Date,
        user: UserId,
        reason: &str,
        at: Timestamp,
    ) -> Result<()> {
        let sql = "INSERT INTO rule_activation (rules, from_day, activated_ms, by_user, reason) VALUES (?, ?, ?, ?, ?)";
        execute(&self.conn, sql, (rules, day_number(from), at.as_millisecond(), user.get(), reason))?;
        Ok(())
    }
}
