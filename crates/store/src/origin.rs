//! Where versions of days came from, and what people did on the editing bench.

use crate::column::{corrupt, day_number, execute, millis, row, rows};
use crate::engine::Row;
use crate::{Read, Result, Write};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{ChannelId, UserId};

/// What made a version of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VersionSource {
    /// Readings that arrived; see the raw batches.
    Readings,
    /// The grace was over and gaps were estimated.
    Closing,
    /// A person, on the editing bench.
    Edit,
    /// A person who went back to an earlier version.
    Undo,
    /// Other rules than before judged it anew.
    Rules,
    /// Gaps were estimated anew: a register or days after the gap had come.
    Estimation,
}

impl VersionSource {
    const ALL: [Self; 6] =
        [Self::Readings, Self::Closing, Self::Edit, Self::Undo, Self::Rules, Self::Estimation];

    const fn code(self) -> u8 {
        match self {
            Self::Readings => 1,
            Self::Closing => 2,
            Self::Edit => 3,
            Self::Undo => 4,
            Self::Rules => 5,
            Self::Estimation => 6,
        }
    }

    /// As printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Readings => "readings",
            Self::Closing => "closing",
            Self::Edit => "edit",
            Self::Undo => "undo",
            Self::Rules => "rules",
            Self::Estimation => "estimation",
        }
    }
}

/// Where one version of a day came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionOrigin {
    /// Which version.
    pub version: u32,
    /// When it was made, to the millisecond.
    pub recorded_at: Timestamp,
    /// What made it.
    pub source: VersionSource,
    /// Who made it, where a person did.
    pub user: Option<UserId>,
    /// Their reason, as its code.
    pub reason: Option<String>,
    /// And in their words.
    pub note: Option<String>,
    /// What was done, as the editing bench writes it.
    pub op: Option<String>,
    /// The version that it took the place of; 0 for none.
    pub supersedes: u32,
    /// Readings that a person refused and that this version still does without: interval and value.
    pub rejected: Vec<(u32, i64)>,
}

/// Something that a person did to a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditEntry {
    /// The client's name for it; the same name again is the same deed.
    pub command: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub user: UserId,
    /// What, as the editing bench writes it.
    pub op: String,
    /// To which intervals: `40-47,52`.
    pub slots: String,
    /// Why, as a code.
    pub reason: String,
    /// Why, in words.
    pub note: String,
    /// The version that they saw.
    pub version_before: u32,
    /// The version that stood afterwards; the same when nothing had to change.
    pub version_after: u32,
}

const ORIGIN: &str = "SELECT version, recorded_ms, source, by_user, reason, note, op, supersedes, rejected FROM day_origin \
                      WHERE channel = ? AND day = ?";
const ENTRY: &str = "SELECT command, at_ms, by_user, op, slots, reason, note, version_before, version_after FROM edit_log \
                     WHERE channel = ? AND day = ?";

fn origin(row: &Row<'_>) -> Result<VersionOrigin> {
    let code: u8 = row.get(2)?;
    let rejected: Option<String> = row.get(8)?;
    Ok(VersionOrigin {
        version: row.get(0)?,
        recorded_at: millis(row.get(1)?)?,
        source: source_of(code)?,
        user: row.get::<_, Option<u32>>(3)?.map(UserId::new),
        reason: row.get(4)?,
        note: row.get(5)?,
        op: row.get(6)?,
        supersedes: row.get(7)?,
        rejected: rejected.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default(),
    })
}

fn entry(row: &Row<'_>) -> Result<EditEntry> {
    Ok(EditEntry {
        command: row.get(0)?,
        at: millis(row.get(1)?)?,
        user: UserId::new(row.get(2)?),
        op: row.get(3)?,
        slots: row.get(4)?,
        reason: row.get(5)?,
        note: row.get(6)?,
        version_before: row.get(7)?,
        version_after: row.get(8)?,
    })
}

pub(crate) fn source_of(code: u8) -> Result<VersionSource> {
    let found = VersionSource::ALL.into_iter().find(|source| source.code() == code);
    found.ok_or_else(|| corrupt("source of a version"))
}

impl Read {
    /// Where a version came from; `None` for a first version of plain readings.
    ///
    /// # Errors
    /// What the database says.
    pub fn origin(&self, channel: ChannelId, day: Date, version: u32) -> Result<Option<VersionOrigin>> {
        let sql = [ORIGIN, " AND version = ?"].concat();
        row(&self.conn, &sql, (channel.get(), day_number(day), version), origin)
    }

    /// Where the versions of a day came from, the first one first; plain first versions are left out.
    ///
    /// # Errors
    /// What the database says.
    pub fn origins(&self, channel: ChannelId, day: Date) -> Result<Vec<VersionOrigin>> {
        let sql = [ORIGIN, " ORDER BY version"].concat();
        rows(&self.conn, &sql, (channel.get(), day_number(day)), origin)
    }

    /// What was done to a day under this name, if anything was.
    ///
    /// # Errors
    /// What the database says.
    pub fn edit(&self, channel: ChannelId, day: Date, command: &str) -> Result<Option<EditEntry>> {
        let sql = [ENTRY, " AND command = ?"].concat();
        row(&self.conn, &sql, (channel.get(), day_number(day), command), entry)
    }

    /// Everything that people did to a day, in order.
    ///
    /// # Errors
    /// What the database says.
    pub fn edits(&self, channel: ChannelId, day: Date) -> Result<Vec<EditEntry>> {
        let sql = [ENTRY, " ORDER BY at_ms, version_after, command"].concat();
        rows(&self.conn, &sql, (channel.get(), day_number(day)), entry)
    }
}

impl Write {
    /// Keeps where a version came from; for a version that is still open the last word counts.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_origin(&self, channel: ChannelId, day: Date, origin: &VersionOrigin) -> Result<()> {
        let sql = "INSERT INTO day_origin (channel, day, version, recorded_ms, source, by_user, reason, note, op, \
                   supersedes, rejected) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
                   ON CONFLICT (channel, day, version) DO UPDATE SET recorded_ms = excluded.recorded_ms, \
                   rejected = excluded.rejected";
        let rejected = match origin.rejected.as_slice() {
            [] => None,
            some => Some(serde_json::to_string(some)?),
        };
        let values = (
            channel.get(),
            day_number(day),
            origin.version,
            origin.recorded_at.as_millisecond(),
            origin.source.code(),
            origin.user.map(UserId::get),
            &origin.reason,
            &origin.note,
            &origin.op,
            origin.supersedes,
            rejected,
        );
        execute(&self.conn, sql, values)?;
        Ok(())
    }

    /// Writes down what a person did to a day; the same name again changes nothing. Whether it was new.
    ///
    /// # Errors
    /// What the database says.
    pub fn insert_edit(&self, channel: ChannelId, day: Date, edit: &EditEntry) -> Result<bool> {
        let sql = "INSERT INTO edit_log (channel, day, command, at_ms, by_user, op, slots, reason, note, \
                   version_before, version_after) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        let values = (
            channel.get(),
            day_number(day),
            &edit.command,
            edit.at.as_millisecond(),
            edit.user.get(),
            &edit.op,
            &edit.slots,
            &edit.reason,
            &edit.note,
            edit.version_before,
            edit.version_after,
        );
        Ok(execute(&self.conn, sql, values)? > 0)
    }
}
