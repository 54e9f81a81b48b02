//! A file of readings, on its way in: names are matched to meters, units to channels; what does not fit is listed.
//!
//! Values that a meter measured are taken in as readings. What the sender estimated, substituted, edited or projected is
//! taken in as that ([`model::BatchSource::Sender`]): it fills gaps, is never shown as measured, and gives way to a reading.

mod matcher;
mod names;
mod sorted;

use crate::{BulkReport, Incoming, Mdm, MdmError};
use exchange::{ReadError, Reader};
use jiff::Timestamp;
use matcher::Matcher;
use model::UserId;
use std::cell::RefCell;
use std::collections::BTreeMap;
use store::{ImportRefusal, ImportedFile, StoreError};

/// A file as the caller names it.
#[derive(Clone, Debug)]
pub struct ImportSource {
    /// Its name.
    pub name: String,
    /// Its format.
    pub format: String,
    /// SHA-256 of its bytes and of how it is read.
    pub digest: String,
    /// Names in the file and the serials they stand for.
    pub meters: BTreeMap<String, String>,
    /// Look only; nothing is taken in.
    pub dry_run: bool,
    /// Who sent it; nobody where it came by the command line.
    pub by: Option<UserId>,
}

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// The number under which the file is kept; `None` of a dry run.
    pub file: Option<u32>,
    /// It was taken in before, to the byte.
    pub known: bool,
    /// Intervals with a value that were offered.
    pub offered: u64,
    /// How many of them the sender had estimated, substituted, edited or projected.
    pub substituted: u64,
    /// What the meter data manager made of them.
    pub bulk: BulkReport,
    /// Statements that are no readings: orders, summaries, time parameters.
    pub noted: u64,
    /// How many records were left out.
    pub refused: u64,
    /// The first of them.
    pub refusals: Vec<ImportRefusal>,
}

/// Why a file was not taken in; then nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be read to its end.
    #[error("read the file")]
    Read(#[from] ReadError),
    /// The meter data manager or its store failed.
    #[error("take the readings in")]
    Mdm(#[from] MdmError),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Mdm(error.into())
    }
}

impl Mdm {
    /// Takes a file of readings in, whole or not at all: one transaction, on disk when this returns.
    ///
    /// The same file again changes nothing. Records that cannot be taken in are listed with their line and reason and
    /// stop nobody else's.
    ///
    /// # Errors
    /// [`ImportError`]; then nothing was taken in.
    pub fn import(
        &self,
        now: Timestamp,
        source: &ImportSource,
        reader: &mut dyn Reader,
    ) -> Result<ImportReport, ImportError> {
        self.reload()?;
        if source.dry_run {
            return self.store().read(|read| {
                let matcher = RefCell::new(Matcher::new(read, now, source, self.zone()));
                let taken = Taken { reader, matcher: &matcher, failed: None };
                let failed = taken.run_out();
                let report = matcher.into_inner().report;
                failed.map_or(Ok(report), |error| Err(error.into()))
            });
        }
        let report = self.store().write(|write| {
            let matcher = RefCell::new(Matcher::new(write, now, source, self.zone()));
            let mut taken = Taken { reader, matcher: &matcher, failed: None };
            let bulk = self.load_all(write, now, &mut taken)?;
            if let Some(error) = taken.failed.take() {
                return Err(ImportError::from(error));
            }
            let Matcher { mut report, spans, .. } = matcher.into_inner();
            report.bulk = bulk;
            report.known = write.imported_file(&source.digest)?.is_some();
            let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
            let file = ImportedFile {
                id: 0,
                name: source.name.clone(),
                format: source.format.clone(),
                digest: source.digest.clone(),
                loaded_at: now,
                offered: report.offered,
                stored: number(bulk.intervals + bulk.superseded + bulk.conflicting),
                duplicates: number(bulk.duplicates),
                substituted: report.substituted,
                registers: number(bulk.registers),
                refused: report.refused,
                by: source.by,
            };
            let id = write.put_imported_file(&file, &report.refusals)?;
            report.file = Some(id);
            let days = |(channel, (first, last))| {
                Ok::<_, MdmError>((channel, (self.day_of(first)?.date(), self.day_of(last)?.date())))
            };
            write.put_import_spans(id, spans.into_iter().map(days).collect::<Result<Vec<_>, _>>()?)?;
            Ok(report)
        })?;
        Ok(report)
    }
}

/// The readings of a file as the bulk load takes them; stops at what cannot be read.
struct Taken<'a, 'r> {
    reader: &'a mut dyn Reader,
    matcher: &'a RefCell<Matcher<'r>>,
    failed: Option<ReadError>,
}

impl Taken<'_, '_> {
    fn run_out(mut self) -> Option<ReadError> {
        while self.next().is_some() {}
        self.failed
    }
}

impl Iterator for Taken<'_, '_> {
    type Item = Incoming;

    fn next(&mut self) -> Option<Incoming> {
        loop {
            if let Some(incoming) = self.matcher.borrow_mut().ready.pop_front() {
                return Some(incoming);
            }
            match self.reader.next() {
                Ok(Some(item)) => self.matcher.borrow_mut().take(&item),
                Ok(None) => return None,
                Err(error) => {
                    self.failed = Some(error);
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

/// The same tests on PostgreSQL, where that is installed.
#[cfg(test)]
mod tests_on_postgres {
    include!("import/tests.rs");
}
