//! What can go wrong between us and the database.

/// What the engine said: an error of SQLite or of PostgreSQL.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the store failed to do what was asked. Nothing of the call has been written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full: free some space and try again; whatever was acknowledged is kept.
    #[error("write to the database: the disk is full")]
    DiskFull(#[source] Cause),
    /// Somebody else holds the database, or changed meanwhile what this was based on.
    #[error("get hold of the database: another process uses it")]
    Busy(#[source] Cause),
    /// The database server does not answer or has ended the connection.
    #[error("reach the database server")]
    Lost(#[source] Cause),
    /// The database server is not who it should be: its certificate was not issued for its name by an authority that is
    /// believed. Nothing was sent to it.
    #[error(
        "trust the database server: its certificate is not from the authority in `sslrootcert`, or not for this host name"
    )]
    Untrusted(#[source] Cause),
    /// A row with the same key is there already, or one that it names is not.
    #[error("keep the rules of the tables")]
    Constraint(#[source] Cause),
    /// Anything else that the engine refuses.
    #[error("use the database")]
    Sql(#[source] Cause),
    /// A stored value means nothing to this program.
    #[error("understand the stored {what}")]
    Corrupt {
        /// Which column or blob.
        what: &'static str,
    },
    /// A stored block is damaged.
    #[error("unpack a stored block")]
    Block(#[from] crate::block::BlockError),
    /// The file was written by a later program.
    #[error("open the database: its schema is version {found}, this program knows {known}")]
    TooNew {
        /// The version in the file.
        found: u32,
        /// The last one that this program has.
        known: u32,
    },
    /// The database was last opened by an earlier program; opening it to read changes nothing, so it stays as it is.
    #[error(
        "read the database: its schema is version {found}, this program reads {known}; `wattle admin migrate` brings it up to date"
    )]
    TooOld {
        /// The version in the database.
        found: u32,
        /// The one that this program reads.
        known: u32,
    },
    /// A query of a person is not understood by the database, or ends in an error of its own.
    #[error("run the query: {why}")]
    Query {
        /// What the database says of it.
        why: String,
    },
    /// A query of a person would write, or is no single query.
    #[error("run that: only one query at a time is taken here, and none that writes")]
    ReadOnly,
    /// A query of a person reads what is not open to readers.
    #[error("read {name}: only the views are open here, and `wattle sql` without a query lists them")]
    NotAView {
        /// What it names.
        name: String,
    },
    /// The address of a database is not usable.
    #[error("use the address of the database: {why}")]
    Address {
        /// Why not; never the address itself, which may hold a password.
        why: &'static str,
    },
    /// Somebody else has taken the job over; nothing was written.
    #[error("finish a job: its lease ran out and somebody else took it")]
    LeaseLost,
    /// A statement of the transaction failed and its caller carried on; nothing was kept.
    #[error("commit: a statement of the transaction had failed")]
    Spoilt,
    /// The store was called from inside one of its own results.
    #[error("use the database from inside a result of it")]
    Nested,
    /// A value does not turn into or out of JSON.
    #[error("turn a value into JSON or back")]
    Json(#[from] serde_json::Error),
    /// No row has this id.
    #[error("find {what} {id}")]
    NotFound {
        /// The noun.
        what: &'static str,
        /// The id as printed.
        id: u32,
    },
}

impl StoreError {
    /// Whether the same call may succeed later as it is: the disk was full or busy, not the data wrong.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::DiskFull(_) | Self::Busy(_) | Self::Lost(_) | Self::Sql(_))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let kind = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::ConstraintViolation) => Self::Constraint,
            _ => Self::Sql,
        };
        kind(error.into())
    }
}

impl From<postgres::Error> for StoreError {
    fn from(error: postgres::Error) -> Self {
        // Classes of SQLSTATE: 53 resources, 40 rolled back for the sake of another, 55 in use, 23 integrity, 08 connection,
        // 57P the server stops.
        let kind = match error.code().map(postgres::error::SqlState::code) {
            Some("53100") => Self::DiskFull,
            Some(code) if code.starts_with("40") || code.starts_with("55") => Self::Busy,
            Some(code) if code.starts_with("23") => Self::Constraint,
            Some(code) if code.starts_with("08") || code.starts_with("57P") || code.starts_with("53") => {
                Self::Lost
            }
            Some(_) => Self::Sql,
            None if is_untrusted(&error) => Self::Untrusted,
            None if error.is_closed()
                || std::error::Error::source(&error)
                    .is_some_and(<dyn std::error::Error>::is::<std::io::Error>) =>
            {
                Self::Lost
            }
            None => Self::Sql,
        };
        kind(error.into())
    }
}

/// Whether a certificate of the server was refused; the reason lies in the cause of a cause.
fn is_untrusted(error: &postgres::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(error) = cause {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(rustls::Error::InvalidCertificate(_)) = inner.and_then(|inner| inner.downcast_ref()) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Shorthand of this crate.
pub type Result<T> = core::result::Result<T, StoreError>;
