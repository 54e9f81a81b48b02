//! Remembers what the store said it had, and asks for it again after every kill.

use headend::HeadEndEvent;
use model::{MeterEvent, MeterId, ReadBatch, RegisterRead};
use std::collections::BTreeMap;
use store::{Read, Store, StoreError};

/// What was acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    batches: Vec<ReadBatch>,
    registers: Vec<RegisterRead>,
    events: Vec<MeterEvent>,
    counters: BTreeMap<MeterId, u32>,
    /// How many of each were proven to be there.
    proven: (usize, usize, usize),
}

impl Witness {
    /// These events were settled: the store answered that all of them are on disk.
    pub(crate) fn acknowledged(&mut self, events: &[HeadEndEvent]) {
        for event in events {
            match event {
                HeadEndEvent::Batch(batch) => self.batches.push(batch.clone()),
                HeadEndEvent::Registers(reads) => self.registers.extend(reads.iter().cloned()),
                HeadEndEvent::Event(event) => self.events.push(event.clone()),
                HeadEndEvent::ReserveCounter { meter, ceiling } => {
                    self.counters.insert(*meter, *ceiling);
                }
                _ => {}
            }
        }
    }

    /// How many things were acknowledged so far.
    pub(crate) fn count(&self) -> u64 {
        let all = self.batches.len() + self.registers.len() + self.events.len();
        u64::try_from(all).unwrap_or(u64::MAX)
    }

    /// Asks a store that was opened again for everything acknowledged since it was last asked.
    pub(crate) fn prove(&mut self, store: &Store) -> Result<Vec<String>, StoreError> {
        let lost = store.read(|read| self.lost(read))?;
        self.proven = (self.batches.len(), self.registers.len(), self.events.len());
        Ok(lost)
    }

    /// From now on everything has to be proven again.
    pub(crate) fn doubt(&mut self) {
        self.proven = (0, 0, 0);
    }

    fn lost(&self, read: &Read) -> Result<Vec<String>, StoreError> {
        let mut lost = Vec::new();
        for batch in &self.batches[self.proven.0..] {
            if !has_batch(read, batch)? {
                let (meter, kind) = (batch.meter, batch.kind.name());
                lost.push(format!(
                    "an acknowledged batch of meter {meter}, {kind}, {} intervals from {}, is gone",
                    batch.values.len(),
                    batch.start
                ));
            }
        }
        for register in &self.registers[self.proven.1..] {
            let to = register.at + jiff::SignedDuration::from_secs(1);
            let found = read.register_reads(register.meter, register.kind, register.tou, register.at, to)?;
            let same = |other: &RegisterRead| {
                other.at.as_second() == register.at.as_second() && other.value == register.value
            };
            if !found.iter().any(same) {
                lost.push(format!(
                    "an acknowledged register of meter {} at {} is gone",
                    register.meter, register.at
                ));
            }
        }
        for event in &self.events[self.proven.2..] {
            let to = event.at + jiff::SignedDuration::from_millis(1);
            let found = read.events_of(event.meter, event.at, to, 1000)?;
            if !found.iter().any(|other| other.event.kind == event.kind && other.event.seq == event.seq) {
                lost.push(format!(
                    "an acknowledged event of meter {}, {} at {}, is gone",
                    event.meter,
                    event.kind.text(),
                    event.at
                ));
            }
        }
        for (meter, ceiling) in &self.counters {
            let kept = read.counter(*meter)?.own_ceiling;
            if kept < *ceiling {
                lost.push(format!(
                    "counters of meter {meter} were reserved up to {ceiling} and fell back to {kept}"
                ));
            }
        }
        Ok(lost)
    }
}

fn has_batch(read: &Read, batch: &ReadBatch) -> Result<bool, StoreError> {
    // The meter or the channel may be unknown to the utility; then nothing was promised.
    let Some(channel) = read.channel(batch.meter, batch.kind)? else { return Ok(true) };
    let to = batch.start + jiff::SignedDuration::from_secs(1);
    let found = read.raw_batches(channel.id, batch.start, to)?;
    Ok(found
        .iter()
        .any(|raw| raw.values == batch.values && raw.status == batch.status && raw.scaler == batch.scaler))
}
