//! Files of readings that were taken in, and the lines of them that were not.

use crate::column::{day_number, execute, millis, row, rows};
use crate::engine::{Filling, Row};
use crate::{Read, Result, Write};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{ChannelId, UserId};

/// A file that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedFile {
    /// Ours; 0 before it is kept.
    pub id: u32,
    /// As it was named.
    pub name: String,
    /// Its format.
    pub format: String,
    /// SHA-256 of its bytes and of how it was read, so that the same file is kept once.
    pub digest: String,
    /// When it was taken in first.
    pub loaded_at: Timestamp,
    /// Intervals with a value that were offered to the meter data manager.
    pub offered: u64,
    /// Intervals that are kept because of the file: new ones, and values in place of estimates and of other values.
    pub stored: u64,
    /// Intervals that were there already, to the digit.
    pub duplicates: u64,
    /// Of those offered, how many the sender had estimated, substituted or edited.
    pub substituted: u64,
    /// Register reads that were new.
    pub registers: u64,
    /// Records that were left out.
    pub refused: u64,
    /// Who sent it; nobody where it came by the command line.
    pub by: Option<UserId>,
}

/// A record that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRefusal {
    /// The line of the file, from 1.
    pub line: u64,
    /// A short name of the reason.
    pub reason: String,
    /// The reason in words.
    pub sentence: String,
    /// What can be done.
    pub remedy: String,
    /// The beginning of the record.
    pub excerpt: String,
}

const SPANS: Filling = Filling {
    table: "import_span",
    columns: &["file", "channel", "first_day", "last_day"],
    key: &["channel", "file", "first_day"],
};
const REFUSALS: Filling = Filling {
    table: "import_refusal",
    columns: &["file", "seq", "line", "reason", "sentence", "remedy", "excerpt"],
    key: &[],
};

const COLUMNS: &str = "SELECT id, name, format, digest, loaded_ms, offered, stored, registers, refused, duplicates, \
                       sent_by, substituted FROM import_file";

fn file(row: &Row<'_>) -> Result<ImportedFile> {
    Ok(ImportedFile {
        id: row.get(0)?,
        name: row.get(1)?,
        format: row.get(2)?,
        digest: row.get(3)?,
        loaded_at: millis(row.get(4)?)?,
        offered: row.get(5)?,
        stored: row.get(6)?,
        registers: row.get(7)?,
        refused: row.get(8)?,
        duplicates: row.get(9)?,
        by: row.get::<_, Option<u32>>(10)?.map(UserId::new),
        substituted: row.get(11)?,
    })
}

impl Read {
    /// The files that were taken in, the last one first, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub fn imported_files(&self, limit: u32) -> Result<Vec<ImportedFile>> {
        self.imported_files_before(u32::MAX, limit)
    }

    /// As [`Read::imported_files`], those with a number below `before`.
    ///
    /// # Errors
    /// What the database says.
    pub fn imported_files_before(&self, before: u32, limit: u32) -> Result<Vec<ImportedFile>> {
        rows(
            &self.conn,
            &format!("{COLUMNS} WHERE id < ? ORDER BY id DESC LIMIT ?"),
            (i64::from(before), limit),
            file,
        )
    }

    /// A file by its number.
    ///
    /// # Errors
    /// What the database says.
    pub fn imported_file_by_id(&self, id: u32) -> Result<Option<ImportedFile>> {
        row(&self.conn, &format!("{COLUMNS} WHERE id = ?"), [id], file)
    }

    /// The file of a digest, if it was taken in before.
    ///
    /// # Errors
    /// What the database says.
    pub fn imported_file(&self, digest: &str) -> Result<Option<ImportedFile>> {
        row(&self.conn, &format!("{COLUMNS} WHERE digest = ?"), [digest], file)
    }

    /// What was left out of a file, in its order.
    ///
    /// # Errors
    /// What the database says.
    pub fn import_refusals(&self, id: u32) -> Result<Vec<ImportRefusal>> {
        let sql =
            "SELECT line, reason, sentence, remedy, excerpt FROM import_refusal WHERE file = ? ORDER BY seq";
        rows(&self.conn, sql, [id], |row| {
            Ok(ImportRefusal {
                line: row.get(0)?,
                reason: row.get(1)?,
                sentence: row.get(2)?,
                remedy: row.get(3)?,
                excerpt: row.get(4)?,
            })
        })
    }
}

impl Read {
    /// The files that readings of a channel's day were taken in from, in the order in which they came.
    ///
    /// # Errors
    /// What the database says.
    pub fn imports_of(&self, channel: ChannelId, day: Date) -> Result<Vec<ImportedFile>> {
        let sql = "SELECT DISTINCT file FROM import_span WHERE channel = ? AND first_day <= ? AND last_day >= ? ORDER BY file";
        let day = day_number(day);
        let ids = rows(&self.conn, sql, (channel.get(), day, day), |row| row.get::<_, u32>(0))?;
        let files = ids.into_iter().map(|id| self.imported_file_by_id(id));
        Ok(files.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }
}

impl Write {
    /// Says that a file held readings of channels' days, both bounds included; a channel once.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_import_spans(
        &self,
        file: u32,
        spans: impl IntoIterator<Item = (ChannelId, (Date, Date))>,
    ) -> Result<()> {
        let row = |(channel, days): (ChannelId, (Date, Date))| {
            (file, channel.get(), day_number(days.0), day_number(days.1))
        };
        self.conn.fill(&SPANS, spans.into_iter().map(row))?;
        Ok(())
    }

    /// Keeps a file and what was left out of it. One that is known is kept as it is; its id is given in any case.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_imported_file(&self, new: &ImportedFile, refusals: &[ImportRefusal]) -> Result<u32> {
        if let Some(known) = self.imported_file(&new.digest)? {
            return Ok(known.id);
        }
        let sql = "INSERT INTO import_file (name, format, digest, loaded_ms, offered, stored, registers, refused, \
                   duplicates, sent_by, substituted) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let counts = (number(new.offered), number(new.stored), number(new.registers), number(new.refused));
        let names = (&new.name, &new.format, &new.digest, new.loaded_at.as_millisecond());
        execute(
            &self.conn,
            sql,
            (
                names.0,
                names.1,
                names.2,
                names.3,
                counts.0,
                counts.1,
                counts.2,
                counts.3,
                number(new.duplicates),
                new.by.map(UserId::get),
                number(new.substituted),
            ),
        )?;
        let Some(kept) = self.imported_file(&new.digest)? else {
            return Err(crate::column::corrupt("a file that was just kept"));
        };
        let row = |(seq, refusal): (usize, &ImportRefusal)| {
            let seq = i64::try_from(seq).unwrap_or(i64::MAX);
            let ImportRefusal { line, reason, sentence, remedy, excerpt } = refusal.clone();
            (kept.id, seq, number(line), reason, sentence, remedy, excerpt)
        };
        self.conn.fill(&REFUSALS, refusals.iter().enumerate().map(row))?;
        Ok(kept.id)
    }
}
