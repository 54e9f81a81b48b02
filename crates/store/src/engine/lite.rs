//! SQLite.

use super::value::{Cell, Params, Value};
use super::{Access, Row};
use crate::error::{Result, StoreError};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// How long one waits for another process that holds the file.
const PATIENCE: Duration = Duration::from_secs(10);
const STATEMENTS: usize = 256;

/// A connection to a file, or to memory.
#[derive(Debug)]
pub(crate) struct Lite {
    pub(crate) conn: Connection,
}

impl Lite {
    /// The one writer of the file at `path`, which is made when it is not there; `None` is memory.
    pub(crate) fn writer(path: Option<&Path>) -> Result<Self> {
        let conn = match path {
            Some(path) => {
                let conn = Connection::open(path)?;
                conn.pragma_update(None, "journal_mode", "WAL")?;
                conn
            }
            None => Connection::open_in_memory()?,
        };
        conn.busy_timeout(PATIENCE)?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "foreign_keys", "ON")?;
        // 64 MiB of log before it is moved into the file: a day's load writes each page of the file once.
        conn.pragma_update(None, "wal_autocheckpoint", 16_384)?;
        conn.pragma_update(None, "cache_size", -32_768)?;
        conn.pragma_update(None, "temp_store", "MEMORY")?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(Self { conn })
    }

    /// A reader of the file at `path`.
    pub(crate) fn reader(path: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(PATIENCE)?;
        conn.pragma_update(None, "cache_size", -8_192)?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(Self { conn })
    }

    /// Whether every commit waits for the disk.
    pub(crate) fn set_durable(&self, durable: bool) -> Result<()> {
        Ok(self.conn.pragma_update(None, "synchronous", if durable { "FULL" } else { "OFF" })?)
    }

    /// Moves the write-ahead log into the file, synchronised, and empties it.
    pub(crate) fn checkpoint(&self) -> Result<()> {
        Ok(self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Writes the file anew without free pages.
    pub(crate) fn compact(&self) -> Result<()> {
        self.conn.execute_batch("VACUUM")?;
        self.checkpoint()
    }

    /// How many migrations the file has seen.
    pub(crate) fn schema_version(&self) -> Result<u32> {
        Ok(self.conn.query_row("PRAGMA user_version", [], |row| row.get(0))?)
    }

    /// Runs the migrations that the file has not seen yet, all or none.
    pub(crate) fn migrate(&self, migrations: &[&str]) -> Result<()> {
        let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
        self.begin(Access::Write)?;
        let run = || {
            let found = self.schema_version()?;
            if found > known {
                return Err(StoreError::TooNew { found, known });
            }
            for migration in migrations.iter().skip(usize::try_from(found).unwrap_or(usize::MAX)) {
                self.conn.execute_batch(migration)?;
            }
            Ok(self.conn.pragma_update(None, "user_version", known)?)
        };
        let result = run().and_then(|()| self.end(true));
        if result.is_err() {
            self.end(false)?;
        }
        result
    }

    pub(super) fn begin(&self, access: Access) -> Result<()> {
        let sql = match access {
            Access::Snapshot => "BEGIN DEFERRED",
            Access::Write | Access::Part | Access::Queue => "BEGIN IMMEDIATE",
        };
        Ok(self.conn.execute_batch(sql)?)
    }

    pub(super) fn end(&self, commit: bool) -> Result<()> {
        // Some errors, a full disk among them, have rolled back already.
        if !commit && self.conn.is_autocommit() {
            return Ok(());
        }
        Ok(self.conn.execute_batch(if commit { "COMMIT" } else { "ROLLBACK" })?)
    }

    pub(super) fn each(
        &self,
        sql: &str,
        params: &impl Params,
        take: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.bound(sql, params)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            take(&Row::Lite(row))?;
        }
        Ok(())
    }

    pub(super) fn execute(&self, sql: &str, params: &impl Params) -> Result<usize> {
        Ok(self.bound(sql, params)?.raw_execute()?)
    }

    fn bound(&self, sql: &str, params: &impl Params) -> Result<CachedStatement<'_>> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut place = 0;
        params.each(&mut |value| {
            place += 1;
            Ok(statement.raw_bind_parameter(place, value)?)
        })?;
        if place == statement.parameter_count() {
            Ok(statement)
        } else {
            Err(rusqlite::Error::InvalidParameterCount(place, statement.parameter_count()).into())
        }
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

pub(super) fn cell<'a>(row: &'a rusqlite::Row<'a>, index: usize) -> Result<Cell<'a>> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(text) => {
            Cell::Text(core::str::from_utf8(text).map_err(|_| StoreError::Corrupt { what: "text" })?)
        }
        ValueRef::Blob(bytes) => Cell::Blob(bytes),
    })
}
