//! What validation and ingest found wrong, in words.

use crate::column::{corrupt, day_number, day_of, execute, millis, rows};
use crate::engine::Row;
use crate::{Read, Result, Write};
use jiff::Timestamp;
use jiff::civil::Date;
use model::ChannelId;

/// Who found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Validation of a day; the next validation of the day replaces it.
    Validation,
    /// Ingest: something about what arrived; it stays.
    Ingest,
}

/// A finding about intervals of a channel's day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFinding {
    /// Whose day.
    pub channel: ChannelId,
    /// Which day.
    pub day: Date,
    /// Who found it.
    pub origin: Origin,
    /// The rule that it broke.
    pub rule: String,
    /// The first interval concerned.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// The version of the day that was looked at.
    pub version: u32,
    /// How bad.
    pub severity: String,
    /// In words.
    pub sentence: String,
    /// When it was found.
    pub found_at: Timestamp,
}

const COLUMNS: [&str; 10] =
    ["day", "channel", "origin", "rule", "first", "count", "version", "severity", "sentence", "found_ms"];

/// The columns that [`finding`] reads first, in its order, of the table that is called `of` in the statement.
pub(crate) fn columns(of: &str) -> String {
    COLUMNS.map(|column| format!("{of}.{column}")).join(", ")
}

pub(crate) const fn origin_code(origin: Origin) -> u8 {
    match origin {
        Origin::Validation => 1,
        Origin::Ingest => 2,
    }
}

fn origin_of(code: u8) -> Result<Origin> {
    match code {
        1 => Ok(Origin::Validation),
        2 => Ok(Origin::Ingest),
        _ => Err(corrupt("origin of a finding")),
    }
}

/// The finding in the first columns of a row; see [`columns`].
pub(crate) fn finding(row: &Row<'_>) -> Result<StoredFinding> {
    Ok(StoredFinding {
        day: day_of(row.get(0)?)?,
        channel: ChannelId::new(row.get(1)?),
        origin: origin_of(row.get(2)?)?,
        rule: row.get(3)?,
        first: row.get(4)?,
        count: row.get(5)?,
        version: row.get(6)?,
        severity: row.get(7)?,
        sentence: row.get(8)?,
        found_at: millis(row.get(9)?)?,
    })
}

impl Read {
    /// The findings about a channel's days in `[from, to)`.
    ///
    /// # Errors
    /// What the database says.
    pub fn findings(&self, channel: ChannelId, from: Date, to: Date) -> Result<Vec<StoredFinding>> {
        let sql = format!(
            "SELECT {} FROM finding f WHERE channel = ? AND day >= ? AND day < ? ORDER BY day, first, origin, rule",
            columns("f")
        );
        rows(&self.conn, &sql, (channel.get(), day_number(from), day_number(to)), finding)
    }

    /// How many findings there are about days in `[from, to)`, by rule.
    ///
    /// # Errors
    /// What the database says.
    pub fn finding_counts(&self, from: Date, to: Date) -> Result<Vec<(String, u64)>> {
        let sql =
            "SELECT rule, count(*) FROM finding WHERE day >= ? AND day < ? GROUP BY rule ORDER BY 2 DESC, 1";
        rows(&self.conn, sql, (day_number(from), day_number(to)), |row| Ok((row.get(0)?, row.get(1)?)))
    }
}

impl Write {
    /// Forgets what earlier validations found about a channel's day.
    ///
    /// # Errors
    /// What the database says.
    pub fn clear_validation(&self, channel: ChannelId, day: Date) -> Result<()> {
        let sql = "DELETE FROM finding WHERE day = ? AND channel = ? AND origin = 1";
        execute(&self.conn, sql, (day_number(day), channel.get()))?;
        Ok(())
    }

    /// Keeps a finding. The same again changes nothing. Whether it was new.
    ///
    /// # Errors
    /// What the database says.
    pub fn insert_finding(&self, finding: &StoredFinding) -> Result<bool> {
        let sql = "INSERT INTO finding (channel, day, origin, rule, first, count, version, severity, sentence, found_ms) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        let values = (
            finding.channel.get(),
            day_number(finding.day),
            origin_code(finding.origin),
            &finding.rule,
            finding.first,
            finding.count,
            finding.version,
            &finding.severity,
            &finding.sentence,
            finding.found_at.as_millisecond(),
        );
        Ok(execute(&self.conn, sql, values)? > 0)
    }
}
