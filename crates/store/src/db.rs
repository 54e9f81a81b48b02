//! The database: opening, migrations, one writer, a pool of readers.

use crate::column::value;
use crate::engine::{Access, Conn, Lite, Pg, PgConfig};
use crate::error::{Result, StoreError};
use std::collections::BTreeSet;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Every migration in order; the schema version is how many have run.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_first_light.sql"),
    include_str!("../migrations/0002_pages.sql"),
    include_str!("../migrations/0003_editing.sql"),
    include_str!("../migrations/0005_work.sql"),
    include_str!("../migrations/0004_supply.sql"),
    include_str!("../migrations/0006_imports.sql"),
    include_str!("../migrations/0007_keep.sql"),
    include_str!("../migrations/0008_dated.sql"),
    include_str!("../migrations/0009_rules.sql"),
    include_str!("../migrations/0010_readers.sql"),
    include_str!("../migrations/0011_senders.sql"),
    include_str!("../migrations/0012_class_day.sql"),
    include_str!("../migrations/0014_engines.sql"),
    include_str!("../migrations/0016_meter_change.sql"),
];

/// Whether this program reads a database of schema `found`, without changing it.
pub(crate) fn schema_of(found: u32) -> Result<()> {
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    match found.cmp(&known) {
        core::cmp::Ordering::Equal => Ok(()),
        core::cmp::Ordering::Less => Err(StoreError::TooOld { found, known }),
        core::cmp::Ordering::Greater => Err(StoreError::TooNew { found, known }),
    }
}

/// Idle readers kept open; more are opened when more read at once.
const IDLE_READERS: usize = 8;

/// A handle on the database: cheap to clone, safe to share between threads.
///
/// One writer at a time in this process, any number of readers beside it. What [`Store::write`] returned `Ok` for is on
/// disk: one synchronisation a transaction (SQLite's WAL with `synchronous=FULL`, PostgreSQL's with
/// `synchronous_commit=on`).
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    writer: Mutex<Write>,
    place: Place,
    readers: Mutex<Vec<Read>>,
    /// A second writer of a server, so that jobs are claimed and given back while a long transaction runs.
    queue: Mutex<Option<Write>>,
}

/// Where another reader finds the database.
#[derive(Debug)]
enum Place {
    /// In memory: there is one connection only.
    Memory,
    File(PathBuf),
    Server(Box<PgConfig>),
}

/// A consistent view of the data for the length of one closure.
#[derive(Debug)]
pub struct Read {
    pub(crate) conn: Conn,
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
    /// Opens or creates the SQLite file at `path` and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::TooNew`] for the file of a later program; otherwise what SQLite says.
    pub fn open(path: &Path) -> Result<Self> {
        let writer = Lite::writer(Some(path))?;
        writer.migrate(MIGRATIONS)?;
        Ok(Self::of(Conn::Lite(writer), Place::File(path.to_owned())))
    }

    /// A SQLite database that lives in memory: for tests and simulations. Readers and the writer take turns.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn open_in_memory() -> Result<Self> {
        let writer = Lite::writer(None)?;
        writer.migrate(MIGRATIONS)?;
        Ok(Self::of(Conn::Lite(writer), Place::Memory))
    }

    /// Connects to a PostgreSQL database and brings its schema up to date. Several processes may do so at once.
    ///
    /// Writes are serialisable: one that rests on what another process changed meanwhile is refused as
    /// [`StoreError::Busy`], which is passing, and its caller tries again. Must not be called, nor the last handle
    /// dropped, on a thread that drives asynchronous work.
    ///
    /// # Errors
    /// [`StoreError::TooNew`] for the database of a later program; otherwise what PostgreSQL says.
    pub fn connect(config: &PgConfig) -> Result<Self> {
        let writer = Pg::open(config)?;
        writer.migrate(MIGRATIONS)?;
        Ok(Self::of(Conn::Pg(Box::new(writer)), Place::Server(Box::new(config.clone()))))
    }

    fn of(writer: Conn, place: Place) -> Self {
        let writer = Mutex::new(Write { read: Read { conn: writer } });
        Self {
            inner: Arc::new(Inner {
                writer,
                place,
                readers: Mutex::new(Vec::new()),
                queue: Mutex::new(None),
            }),
        }
    }

    /// Runs `work` on one consistent snapshot. Do not call the store again from inside.
    ///
    /// # Errors
    /// Whatever `work` returns, and what the database says.
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Read) -> core::result::Result<T, E>,
    ) -> core::result::Result<T, E> {
        let idle = lock(&self.inner.readers).pop();
        let reader = match (idle, &self.inner.place) {
            (Some(reader), _) => reader,
            (None, Place::Memory) => return work(&lock(&self.inner.writer)),
            (None, Place::File(path)) => Read { conn: Conn::Lite(Lite::reader(path)?) },
            (None, Place::Server(config)) => Read { conn: Conn::Pg(Box::new(Pg::open(config)?)) },
        };
        let result = {
            let _snapshot = reader.conn.begin(Access::Snapshot)?;
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
    /// Whatever `work` returns, and what the database says.
    pub fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Write) -> core::result::Result<T, E>,
    ) -> core::result::Result<T, E> {
        in_transaction(&lock(&self.inner.writer), Access::Write, work)
    }

    /// A short change of the queues, beside what [`Store::write`] is doing where the engine has more than one writer.
    pub(crate) fn queue<T>(&self, work: impl FnOnce(&Write) -> Result<T>) -> Result<T> {
        let Place::Server(config) = &self.inner.place else {
            return self.write(work);
        };
        let mut queue = lock(&self.inner.queue);
        if queue.is_none() {
            *queue = Some(Write { read: Read { conn: Conn::Pg(Box::new(Pg::open(config)?)) } });
        }
        match &*queue {
            Some(writer) => in_transaction(writer, Access::Queue, work),
            None => Err(StoreError::Nested),
        }
    }

    /// As [`Store::write`], for [`Store::run_part`].
    pub(crate) fn write_part<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Write) -> core::result::Result<T, E>,
    ) -> core::result::Result<T, E> {
        in_transaction(&lock(&self.inner.writer), Access::Part, work)
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
        writer.conn.set_durable(false)?;
        let result = in_transaction(&writer, Access::Write, work);
        writer.conn.set_durable(true)?;
        result
    }

    /// Moves the write-ahead log into the file, synchronised, and empties it. PostgreSQL looks after its own.
    ///
    /// # Errors
    /// What the database says.
    pub fn checkpoint(&self) -> Result<()> {
        match &lock(&self.inner.writer).conn {
            Conn::Lite(conn) => conn.checkpoint(),
            Conn::Pg(_) => Ok(()),
        }
    }

    /// Gives back what deleted rows have left free in a SQLite file; PostgreSQL does that by itself.
    ///
    /// # Errors
    /// What the database says.
    pub fn compact(&self) -> Result<()> {
        match &lock(&self.inner.writer).read.conn {
            Conn::Lite(lite) => lite.compact(),
            Conn::Pg(_) => Ok(()),
        }
    }

    /// The schema version of the open database.
    ///
    /// # Errors
    /// What the database says.
    pub fn schema_version(&self) -> Result<u32> {
        match &lock(&self.inner.writer).conn {
            Conn::Lite(conn) => conn.schema_version(),
            Conn::Pg(conn) => conn.schema_version(),
        }
    }
}

impl Store {
    /// Every statement that the open connections of this handle to a PostgreSQL have prepared so far, as it is written in this
    /// crate. It tells what a run really asked of the database; see [`crate::spread`].
    ///
    /// # Errors
    /// [`StoreError::Nested`] from inside a transaction.
    pub fn statements(&self) -> Result<BTreeSet<String>> {
        let inner = &self.inner;
        let mut all = BTreeSet::new();
        let mut add = |conn: &Conn| {
            if let Conn::Pg(conn) = conn {
                all.extend(conn.statements()?);
            }
            Ok::<_, StoreError>(())
        };
        add(&lock(&inner.writer).conn)?;
        lock(&inner.queue).iter().try_for_each(|writer| add(&writer.conn))?;
        lock(&inner.readers).iter().try_for_each(|reader| add(&reader.conn))?;
        Ok(all)
    }
}

impl Read {
    /// Whether no meter has been provisioned yet.
    ///
    /// # Errors
    /// What the database says.
    pub fn is_empty(&self) -> Result<bool> {
        value(&self.conn, "SELECT NOT EXISTS (SELECT 1 FROM meter)", [])
    }
}

fn in_transaction<T, E: From<StoreError>>(
    writer: &Write,
    access: Access,
    work: impl FnOnce(&Write) -> core::result::Result<T, E>,
) -> core::result::Result<T, E> {
    let transaction = writer.conn.begin(access)?;
    let done = work(writer)?;
    transaction.commit()?;
    Ok(done)
}

/// A panic in one closure rolled its transaction back; the connection behind the lock is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
