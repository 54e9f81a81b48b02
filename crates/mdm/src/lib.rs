//! The meter data manager: ingest, validation, estimation, versions; and the one read model for everyone above.
//!
//! ```text
//! ReadBatch, RegisterRead, MeterEvent
//!     | receive: one transaction, durable when it returns
//!     v
//! raw kept for ever --admit--> arrivals --merge--> day --validate, judge, estimate--> next version of the day
//!                                                                                       | close_due: gaps that are overdue
//! read model: fleet, meter, profile, usage by day and month, overview  <----------------+
//! ```
//!
//! Whatever arrives twice is counted once. A value that differs from one already read makes a new version and a finding;
//! both raw batches are kept. A real value supersedes an estimate in a new version. `now` is always passed in.

pub mod activation;
mod beside;
mod bulk;
mod candidates;
mod catalogue;
mod close;
mod collected;
pub mod dated;
mod day;
pub mod edit;
mod error;
mod fill;
pub mod fitting;
mod gaps;
pub mod group;
mod import;
mod ingest;
pub mod load;
mod membership;
mod pins;
pub mod profile;
mod push;
pub mod read;
mod stretch;
mod surroundings;
mod version;
pub mod virtual_channel;
pub mod what_if;

#[cfg(test)]
mod tests;

/// The same tests on PostgreSQL, where that is installed.
#[cfg(test)]
mod tests_on_postgres {
    include!("tests.rs");
}

pub use bulk::BulkReport;
pub use catalogue::ModelFacts;
pub use close::{CloseReport, Part};
pub use error::MdmError;
pub use gaps::{ChannelGaps, Gap};
pub use import::{ImportError, ImportReport, ImportSource};
pub use ingest::{Incoming, IngestReport};
pub use version::{EDIT_KEPT, EXPORT_DAY};

use activation::InForce;
use catalogue::Catalogue;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::{LocalDay, MeterEvent, ReadBatch, RegisterRead};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use store::Store;
use vee::{RuleBook, Rules};

/// The service: cheap to share behind an `Arc`, safe to call from any thread.
#[derive(Debug)]
pub struct Mdm {
    store: Store,
    book: RuleBook,
    in_force: RwLock<Arc<InForce>>,
    /// Whatever was put in force, `book` judges: for trying it.
    one_book: bool,
    zone: TimeZone,
    models: BTreeMap<String, ModelFacts>,
    catalogue: RwLock<Arc<Catalogue>>,
}

impl Mdm {
    /// The meter data manager of the utility in `store`.
    ///
    /// `rules` is a rule book, or one set of rules for everybody. `models` says what the rules should know of each meter model; a model that is not named is judged without a
    /// rating and without a rollover.
    ///
    /// # Errors
    /// [`MdmError::NoUtility`] until name and zone are set; what the store says.
    pub fn new(
        store: Store,
        rules: impl Into<RuleBook>,
        models: BTreeMap<String, ModelFacts>,
    ) -> Result<Self, MdmError> {
        let utility = store.read(store::Read::utility)?.ok_or(MdmError::NoUtility)?;
        let mdm = Self {
            store,
            book: rules.into(),
            zone: utility.zone,
            models,
            in_force: RwLock::default(),
            one_book: false,
            catalogue: RwLock::default(),
        };
        mdm.reload()?;
        Ok(mdm)
    }

    /// Reads the registry of meters and channels and the rules in force again: call it after provisioning.
    ///
    /// # Errors
    /// What the store says.
    pub fn reload(&self) -> Result<(), MdmError> {
        let fresh = self.store.read(|r| Catalogue::load(r, &self.models))?;
        *self.catalogue.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        self.store.read(|r| self.rules_by(r))?;
        Ok(())
    }

    /// The store underneath.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The rules of everybody, without any group of the book.
    pub fn rules(&self) -> &Rules {
        self.book.base()
    }

    /// The whole rule book.
    pub const fn book(&self) -> &RuleBook {
        &self.book
    }

    /// The zone whose local days are the metering days.
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The metering day that holds `at`.
    ///
    /// # Errors
    /// [`MdmError::Calendar`] at the far ends of the calendar.
    pub fn day_of(&self, at: Timestamp) -> Result<LocalDay, MdmError> {
        Ok(LocalDay::containing(at, &self.zone)?)
    }

    /// The metering day of a date.
    ///
    /// # Errors
    /// [`MdmError::Calendar`] at the far ends of the calendar.
    pub fn local_day(&self, date: Date) -> Result<LocalDay, MdmError> {
        Ok(LocalDay::new(date, &self.zone)?)
    }

    /// Takes interval batches in; see [`Mdm::receive`].
    ///
    /// # Errors
    /// What the store says; then nothing was taken in.
    pub fn ingest(&self, now: Timestamp, batches: Vec<ReadBatch>) -> Result<IngestReport, MdmError> {
        self.receive(now, batches.into_iter().map(Incoming::Batch).collect())
    }

    /// Takes register reads in; see [`Mdm::receive`].
    ///
    /// # Errors
    /// What the store says; then nothing was taken in.
    pub fn ingest_registers(
        &self,
        now: Timestamp,
        reads: Vec<RegisterRead>,
    ) -> Result<IngestReport, MdmError> {
        self.receive(now, reads.into_iter().map(Incoming::Register).collect())
    }

    /// Takes events in; see [`Mdm::receive`].
    ///
    /// # Errors
    /// What the store says; then nothing was taken in.
    pub fn ingest_events(&self, now: Timestamp, events: Vec<MeterEvent>) -> Result<IngestReport, MdmError> {
        self.receive(now, events.into_iter().map(Incoming::Event).collect())
    }

    /// The rules in force for a channel on a day; work on days asks [`day::Workshop::rules`].
    pub(crate) fn rules_of(&self, entry: &catalogue::Entry, day: Date) -> Arc<Rules> {
        let (in_force, catalogue) = (self.in_force(), self.catalogue());
        let book = in_force.on(day).map_or(&self.book, |(_, book)| book);
        Arc::clone(book.rules(day, &catalogue.eligible(entry)))
    }

    pub(crate) fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.catalogue.read().unwrap_or_else(PoisonError::into_inner))
    }
}
