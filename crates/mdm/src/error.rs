//! What can go wrong in the meter data manager.

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum MdmError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// A date outside the calendar.
    #[error("place a reading in the calendar")]
    Calendar(#[from] model::time::DateOutOfRange),
    /// A stored block is not of the day it is filed under.
    #[error("read a stored day")]
    Day(#[from] vee::DayMismatch),
    /// Stored statistics are damaged.
    #[error("read the statistics of a channel")]
    Stats(#[from] vee::StatsError),
    /// The utility's name and zone are not set yet.
    #[error("find the utility's name and time zone: load a utility first")]
    NoUtility,
}

/// Ends a transaction of which nothing shall stay.
pub(crate) enum Stop<T> {
    /// What it came to: a look, or a refusal.
    With(T),
    /// It failed.
    Failed(MdmError),
}

impl<T> From<store::StoreError> for Stop<T> {
    fn from(error: store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl<T> From<MdmError> for Stop<T> {
    fn from(error: MdmError) -> Self {
        Self::Failed(error)
    }
}
