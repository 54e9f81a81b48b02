//! What can go wrong between us and the database.

/// Why the store failed to do what was asked. Nothing of the call has been written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full: free some space and try again; whatever was acknowledged is kept.
    #[error("write to the database: the disk is full")]
    DiskFull(#[source] rusqlite::Error),
    /// Somebody else holds the database.
    #[error("get hold of the database: another process uses it")]
    Busy(#[source] rusqlite::Error),
    /// A row with the same key is there already, or one that it names is not.
    #[error("keep the rules of the tables")]
    Constraint(#[source] rusqlite::Error),
    /// Anything else that SQLite refuses.
    #[error("use the database")]
    Sql(#[source] rusqlite::Error),
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
        matches!(self, Self::DiskFull(_) | Self::Busy(_) | Self::Sql(_))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull(error),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(error),
            Some(ErrorCode::ConstraintViolation) => Self::Constraint(error),
            _ => Self::Sql(error),
        }
    }
}

/// Shorthand of this crate.
pub type Result<T> = core::result::Result<T, StoreError>;
