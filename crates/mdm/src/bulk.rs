//! The first load of a history, through the same path as what arrives live.

use crate::day::Workshop;
use crate::{Incoming, Mdm, MdmError};
use jiff::Timestamp;
use model::{BatchSource, MeterId};
use std::collections::BTreeMap;
use store::{Health, Write};

/// Items worked on together: enough to make a transaction's share of each small.
const CHUNK: usize = 4096;
/// Values of batches worked on together, about: items of a file may be long, and memory must not grow with it.
const VALUES: usize = 1 << 18;

/// What a first load brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BulkReport {
    /// Batches taken in.
    pub batches: usize,
    /// Day blocks written or touched.
    pub days: usize,
    /// Intervals stored that had no value before.
    pub intervals: usize,
    /// Intervals whose estimate gave way to the value.
    pub superseded: usize,
    /// Intervals that held this very value already.
    pub duplicates: usize,
    /// Intervals that held another value as read: a new version was made.
    pub conflicting: usize,
    /// Intervals whose sender estimated them, where a reading or an edit stands.
    pub outranked: usize,
    /// Register reads taken in.
    pub registers: usize,
    /// Events taken in.
    pub events: usize,
    /// Findings written.
    pub findings: usize,
    /// Items of unknown meters or channels.
    pub unknown: usize,
}

impl Mdm {
    /// Takes in a history: as [`Mdm::receive`], but the disk is not waited for until all of it is in, and nothing is
    /// acknowledged before this returns. Best in order of day, then channel; registers before the batches they bound.
    ///
    /// # Errors
    /// What the store says; then nothing was taken in.
    pub fn bulk_load(
        &self,
        now: Timestamp,
        items: impl IntoIterator<Item = Incoming>,
    ) -> Result<BulkReport, MdmError> {
        self.reload()?;
        let empty = self.store.read(|r| Ok::<_, MdmError>(r.day_range()?.is_none()))?;
        let work = |w: &Write| self.load_all(w, now, items);
        // Once anything was acknowledged, a power failure must not be able to take it along.
        let total = if empty { self.store.bulk(work)? } else { self.store.write(work)? };
        self.store.checkpoint()?;
        Ok(total)
    }

    pub(crate) fn load_all(
        &self,
        write: &Write,
        now: Timestamp,
        items: impl IntoIterator<Item = Incoming>,
    ) -> Result<BulkReport, MdmError> {
        let mut workshop = Workshop::new(self, write, now)?;
        let mut total = BulkReport::default();
        let mut heard: BTreeMap<MeterId, Timestamp> = BTreeMap::new();
        let mut items = items.into_iter();
        loop {
            let chunk = next_chunk(&mut items);
            if chunk.is_empty() {
                break;
            }
            for item in &chunk {
                // A file is no sign of life of the meter.
                if let Incoming::Batch(batch) = item
                    && !matches!(batch.source, BatchSource::Import | BatchSource::Sender)
                {
                    let at = heard.entry(batch.meter).or_insert(batch.received_at);
                    *at = (*at).max(batch.received_at);
                }
            }
            let report = workshop.receive(chunk)?;
            total.batches += report.batches;
            total.days += report.days.len();
            total.intervals += report.stored;
            total.superseded += report.superseded;
            total.duplicates += report.duplicates;
            total.conflicting += report.conflicting;
            total.outranked += report.outranked;
            total.registers += report.registers;
            total.events += report.events;
            total.findings += report.findings;
            total.unknown += report.unknown;
        }
        workshop.finish()?;
        for (meter, at) in heard {
            if write.meter(meter)?.is_some() {
                write.note_health(
                    meter,
                    &Health { last_heard: Some(at), last_read: Some(at), ..Health::default() },
                )?;
            }
        }
        Ok(total)
    }
}

/// The next items, as many as are worked on together.
fn next_chunk(items: &mut impl Iterator<Item = Incoming>) -> Vec<Incoming> {
    let (mut chunk, mut values) = (Vec::new(), 0);
    while chunk.len() < CHUNK && values < VALUES {
        let Some(item) = items.next() else { break };
        values += if let Incoming::Batch(batch) = &item { batch.values.len() } else { 0 };
        chunk.push(item);
    }
    chunk
}
