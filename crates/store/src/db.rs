//! The database file: opening, migrations, one writer, a pool of readers.

use crate::error::{Result, StoreError};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Every migration in order; the schema version is how many have run.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_first_light.sql")];

/// Idle readers kept open; more are opened when more read at once.
const IDLE_READERS: usize = 8;

/// A handle on the database: cheap to clone, safe to share between threads.
///
/// One writer at a time, any number of readers beside it (SQLite WAL). What [`Store::write`] returned `Ok` for
/// is on disk: `synchronous=FULL`, one sync a transaction.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    writer: Mutex<Write>,
    /// `None` for a database in memory, which has one connection only.
    path: Option<PathBuf>,
    readers: Mutex<Vec<Read>>,
}

/// A consistent view of the data for the length of one closure.
#[derive(Debug)]
pub struct Read {
    pub(crate) conn: Connection,
}

/// An open transaction; everything of [`Read`] and the writing verbs.
#[derive(Debug)]
pub struct Write {
    read: Read,
}

impl Deref for Write {
    type Target = Read;

    fn deref(&self) -> &Read {
        &self.read
    }
}

impl Store {
    /// Opens or creates the database file at `path` and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::TooNew`] for the file of a later program; otherwise what SQLite says.
    pub fn open(path: &Path) -> Result<Self> {
        let mut writer = Connection::open(path)?;
        writer.pragma_update(None, "journal_mode", "WAL")?;
        prepare(&writer)?;
        migrate(&mut writer)?;
        Ok(Self::of(writer, Some(path.to_owned())))
    }

    /// A database that lives in memory: for tests and simulations. Readers and the writer take turns.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn open_in_memory() -> Result<Self> {
        let mut writer = Connection::open_in_memory()?;
        prepare(&writer)?;
        migrate(&mut writer)?;
        Ok(Self::of(writer, None))
    }

    fn of(writer: Connection, path: Option<PathBuf>) -> Self {
        let writer = Mutex::new(Write { read: Read { conn: writer } });
        Self { inner: Arc::new(Inner { writer, path, readers: Mutex::new(Vec::new()) }) }
    }

    /// Runs `work` on one consistent snapshot. Do not call the store again from inside.
    ///
    /// # Errors
    /// Whatever `work` returns, and what SQLite says.
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Read) -> core::result::Result<T, E>,
    ) -> core::result::Result<T, E> {
        let Some(path) = &self.inner.path else {
            return work(&lock(&self.inner.writer));
        };
        let idle = lock(&self.inner.readers).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => Read { conn: open_reader(path)? },
        };
        let result = {
            let _snapshot = reader.conn.unchecked_transaction().map_err(StoreError::from)?;
            work(&reader)
        };
        let mut readers = lock(&self.inner.readers);
        if readers.len() < IDLE_READERS {
            readers.push(reader);
        }
        result
    }

    /// Runs `work` in one transaction: all of it is on disk when this returns `Ok`, none of it otherwise.
    /// Do not call the store again from inside.
    ///
    /// # Errors
    /// Whatever `work` returns, and what SQLite says.
    pub fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Write) -> core::result::Result<T, E>,
    ) -> core::result::Result<T, E> {
        in_transaction(&lock(&self.inner.writer), work)
    }

    /// As [`Store::write`], for a first load: nothing is acknowledged until it returns, so the disk is not waited
    /// for on the way; at the end the whole log is moved into the file and synchronised.
    ///
    /// Only before the utility lives: a machine that loses power meanwhile may lose the file.
    ///
    /// # Errors
    /// Whatever `work` returns, and what SQLite says.
    pub fn bulk<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Write) -> core::result::Result<T, E>,
    ) -> core::result::Result<T, E> {
        let writer = lock(&self.inner.writer);
        writer.conn.pragma_update(None, "synchronous", "OFF").map_err(StoreError::from)?;
        let result = in_transaction(&writer, work);
        writer.conn.pragma_update(None, "synchronous", "FULL").map_err(StoreError::from)?;
        result
    }

    /// Moves the write-ahead log into the file, synchronised, and empties it.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn checkpoint(&self) -> Result<()> {
        let writer = lock(&self.inner.writer);
        writer.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// The schema version of the open database.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn schema_version(&self) -> Result<u32> {
        Ok(lock(&self.inner.writer).conn.query_row("PRAGMA user_version", [], |row| row.get(0))?)
    }
}

impl Read {
    /// Whether no meter has been provisioned yet.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.conn.query_row("SELECT NOT EXISTS (SELECT 1 FROM meter)", [], |row| row.get(0))?)
    }
}

fn in_transaction<T, E: From<StoreError>>(
    writer: &Write,
    work: impl FnOnce(&Write) -> core::result::Result<T, E>,
) -> core::result::Result<T, E> {
    let transaction =
        Transaction::new_unchecked(&writer.conn, TransactionBehavior::Immediate).map_err(StoreError::from)?;
    let done = work(writer)?;
    transaction.commit().map_err(StoreError::from)?;
    Ok(done)
}

/// A panic in one closure rolled its transaction back; the connection behind the lock is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn prepare(conn: &Connection) -> Result<()> {
    conn.busy_timeout(Duration::from_secs(10))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", "ON")?;
    conn.pragma_update(None, "cache_size", -32_768)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.set_prepared_statement_cache_capacity(128);
    Ok(())
}

fn open_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(Duration::from_secs(10))?;
    conn.pragma_update(None, "cache_size", -8_192)?;
    conn.set_prepared_statement_cache_capacity(128);
    Ok(conn)
}

fn migrate(conn: &mut Connection) -> Result<()> {
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(StoreError::TooNew { found, known });
    }
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}
