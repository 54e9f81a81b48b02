//! Between a head-end and a meter data manager in separate processes: items in the store's inbox.
//!
//! The head-end leaves what it learned, durable, and goes on; the manager takes items out in the transaction that stores
//! what they come to. Either may be killed at any moment: an item is in the inbox or taken in, never both, never neither.

use crate::duty::DutyError;
use jiff::Timestamp;
use mdm::{Incoming, Mdm, MdmError};
use model::{MeterCheck, MeterEvent, MeterId, ReadBatch, RegisterRead};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use store::{InboxItem, NewJob, StoreError, Write};

/// The kind of the dead jobs that hold items which can never be taken in.
const REFUSED: &str = "inbox-item";

/// An item as text.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Item {
    Batch(ReadBatch),
    Register(RegisterRead),
    Event(MeterEvent),
    Check(MeterCheck),
}

impl From<Incoming> for Item {
    fn from(incoming: Incoming) -> Self {
        match incoming {
            Incoming::Batch(batch) => Self::Batch(batch),
            Incoming::Register(read) => Self::Register(read),
            Incoming::Event(event) => Self::Event(event),
            Incoming::Check(check) => Self::Check(check),
        }
    }
}

impl From<Item> for Incoming {
    fn from(item: Item) -> Self {
        match item {
            Item::Batch(batch) => Self::Batch(batch),
            Item::Register(read) => Self::Register(read),
            Item::Event(event) => Self::Event(event),
            Item::Check(check) => Self::Check(check),
        }
    }
}

impl Item {
    const fn meter(&self) -> MeterId {
        match self {
            Self::Batch(batch) => batch.meter,
            Self::Register(read) => read.meter,
            Self::Event(event) => event.meter,
            Self::Check(check) => check.meter,
        }
    }
}

/// Leaves items for the meter data manager, in the transaction of the caller.
pub(crate) fn leave(write: &Write, now: Timestamp, items: Vec<Incoming>) -> Result<(), StoreError> {
    for item in items.into_iter().map(Item::from) {
        write.put_inbox(&InboxItem {
            meter: item.meter(),
            received_at: now,
            item: serde_json::to_string(&item)?,
        })?;
    }
    Ok(())
}

/// Takes the inbox in on behalf of a meter data manager.
#[derive(Clone, Debug)]
pub struct Intake {
    mdm: Arc<Mdm>,
}

impl Intake {
    /// For a manager and its store.
    pub const fn new(mdm: Arc<Mdm>) -> Self {
        Self { mdm }
    }

    /// Takes in at most `limit` items, in one transaction; how many. An item that can never be taken in is set aside as a dead
    /// job, with its text, and stops no other.
    ///
    /// # Errors
    /// What the store says when it may succeed later; the items are still there then.
    pub fn turn(&self, now: Timestamp, limit: u32) -> Result<usize, DutyError> {
        match self.take(now, limit) {
            Err(error) if !error.is_passing() && limit > 1 => self.turn(now, limit / 2),
            Err(error) if !error.is_passing() => self.set_aside(now, &error),
            done => done,
        }
    }

    fn take(&self, now: Timestamp, limit: u32) -> Result<usize, DutyError> {
        // The registry is read again before items of new meters are taken, or they would be refused as unknown.
        self.mdm.reload()?;
        self.mdm.store().write(|write| {
            let items = write.take_inbox(limit)?;
            let incoming = items
                .iter()
                .map(|item| Ok(serde_json::from_str::<Item>(&item.item)?.into()))
                .collect::<Result<Vec<Incoming>, StoreError>>()?;
            let count = incoming.len();
            if count > 0 {
                self.mdm.receive_in(write, now, incoming)?;
            }
            Ok::<_, DutyError>(count)
        })
    }

    fn set_aside(&self, now: Timestamp, why: &DutyError) -> Result<usize, DutyError> {
        self.mdm.store().write(|write| {
            let items = write.take_inbox(1)?;
            for item in &items {
                let digest: [u8; 32] = Sha256::digest(item.item.as_bytes()).into();
                let key = format!(
                    "{} {:016x}",
                    item.received_at,
                    u128::from_be_bytes(digest[..16].try_into().unwrap_or_default())
                );
                let job = NewJob {
                    kind: REFUSED.to_owned(),
                    key,
                    payload: item.item.clone(),
                    due_at: now,
                    most_attempts: 1,
                };
                write.bury_job(&job, now, &format!("failed to {why}"))?;
            }
            Ok::<_, MdmError>(items.len())
        })?;
        Ok(1)
    }
}
