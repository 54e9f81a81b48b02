//! Collection duty: the registry goes to the head-end, what the head-end learns goes to the store, and
//! what the store wants goes back.
//!
//! Synchronous, and without a socket: the server turns it on a thread of its own, the simulation in its
//! loop.

use crate::keys::MasterKey;
use crate::models;
use dlms::client::{ClientConfig, Protection};
use dlms::security::{Keys, SystemTitle};
use headend::{
    CommandProgress, CounterKind, Culprit, Failure, HeadEnd, HeadEndEvent, RegisteredMeter, Route, Source,
};
use jiff::{SignedDuration, Timestamp};
use mdm::{Incoming, Mdm, MdmError};
use meter::MeterModel;
use model::command::{Command, CommandState};
use model::{BatchSource, ChannelKind, MeterId, ReadBatch};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Health, PushEntry, Read, Store, StoreError, Write};

/// How far back holes are looked for.
const BACKFILL: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A hole younger than this is left to the ordinary reads.
const YOUNG: SignedDuration = SignedDuration::from_hours(2);
/// The meters whose holes are filled in one go; the rest wait for the next chores.
const HOLES_AT_ONCE: usize = 500;
/// The group of every meter that listens all the time.
pub const READ_GROUP: &str = "mains";
/// The group of the meters that sleep: they are visited when they wake to push, once a day.
pub const BATTERY_GROUP: &str = "battery";

/// Why duty could not be done.
#[derive(Debug, thiserror::Error)]
pub enum DutyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The meter data manager failed.
    #[error(transparent)]
    Mdm(#[from] MdmError),
    /// A job that this program does not understand.
    #[error("understand the job {key}")]
    Job {
        /// Its kind or key.
        key: String,
    },
}

impl DutyError {
    /// Whether another process changed meanwhile what this was based on.
    pub(crate) const fn is_busy(&self) -> bool {
        matches!(self, Self::Store(StoreError::Busy(_)) | Self::Mdm(MdmError::Store(StoreError::Busy(_))))
    }

    /// Whether the same may succeed later as it is: the disk was full or busy, not the data wrong.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Store(error) | Self::Mdm(MdmError::Store(error)) => error.is_passing(),
            Self::Mdm(_) | Self::Job { .. } => false,
        }
    }
}

/// A meter that could not be handed to the head-end, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlisted {
    /// Which.
    pub meter: MeterId,
    /// Why, with the remedy.
    pub why: String,
}

/// What the head-end is told after something was stored.
#[derive(Debug, Default)]
pub struct Settlement {
    /// Counters that are on disk and may be used now.
    pub reserved: Vec<(MeterId, u32)>,
    /// Commands from the outbox.
    pub commands: Vec<Command>,
    /// Holes to be filled.
    pub holes: Vec<Hole>,
    /// What can never be stored, and so stopped nothing else.
    pub refused: Vec<Refused>,
}

/// Something that the store can never take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What it was and from which meter; never its values.
    pub what: String,
    /// Why.
    pub why: String,
}

/// A range of a channel that was never read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Whose.
    pub meter: MeterId,
    /// Of which channel.
    pub kind: ChannelKind,
    /// From.
    pub from: Timestamp,
    /// To, exclusive.
    pub to: Timestamp,
}

impl Settlement {
    /// Whether there is nothing to tell.
    pub const fn is_empty(&self) -> bool {
        self.reserved.is_empty() && self.commands.is_empty() && self.holes.is_empty()
    }

    /// Adds another settlement's news.
    pub fn merge(&mut self, other: Self) {
        self.reserved.extend(other.reserved);
        self.commands.extend(other.commands);
        self.holes.extend(other.holes);
        self.refused.extend(other.refused);
    }

    /// Tells the head-end.
    pub fn apply(self, now: Timestamp, head_end: &mut HeadEnd) {
        for (meter, ceiling) in self.reserved {
            head_end.counter_reserved(now, meter, ceiling);
        }
        for command in &self.commands {
            head_end.command(now, command);
        }
        for hole in self.holes {
            head_end.backfill(now, hole.meter, hole.kind, hole.from, hole.to);
        }
    }
}

/// The duty of one utility.
#[derive(Debug)]
pub struct Duty {
    store: Store,
    mdm: Arc<Mdm>,
    master: MasterKey,
    part: Part,
}

/// How much of the way from a meter to a closed day is this process's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All of it: there are no jobs.
    #[default]
    Whole,
    /// Pushes are sealed and days are closed by jobs.
    UntilTakenIn,
    /// What was read is left in the inbox for a meter data manager; pushes are sealed and days are closed by jobs.
    UntilRead,
}

impl Duty {
    /// Over a meter data manager and its store; `master` opens the keys there.
    pub fn new(mdm: Arc<Mdm>, master: MasterKey) -> Self {
        Self { store: mdm.store().clone(), mdm, master, part: Part::Whole }
    }

    /// For a process that does not go the whole way.
    #[must_use]
    pub const fn with_part(mut self, part: Part) -> Self {
        self.part = part;
        self
    }

    /// Hands every collector and meter to a head-end that starts, with unwrapped keys and the counters
    /// that were persisted. Meters that cannot be are returned; they stop no other.
    ///
    /// # Errors
    /// What the store says.
    pub fn enlist(&self, head_end: &mut HeadEnd, now: Timestamp) -> Result<Vec<Unlisted>, DutyError> {
        let collected = self.mdm.collected_to(now)?;
        let mut facts = BTreeMap::new();
        self.store.read(|read| {
            for collector in read.collectors()? {
                let most = usize::from(collector.max_concurrent);
                head_end.add_collector(collector.id, collector.endpoint, most);
            }
            let counters: BTreeMap<_, _> = read.counters()?.into_iter().collect();
            let mut unlisted = Vec::new();
            for meter in read.meters()?.into_iter().filter(|meter| meter.retired_at.is_none()) {
                let known = facts.entry(meter.model.clone()).or_insert_with(|| {
                    let model = MeterModel::builtin(&meter.model)?;
                    Some(Arc::new(models::facts(&model, self.mdm.zone())))
                });
                let Some(facts) = known.clone() else {
                    let why = format!("meter model `{}` is unknown to this version", meter.model);
                    unlisted.push(Unlisted { meter: meter.id, why });
                    continue;
                };
                let keys = match self.keys(read, meter.id)? {
                    Ok(keys) => keys,
                    Err(why) => {
                        unlisted.push(Unlisted { meter: meter.id, why });
                        continue;
                    }
                };
                let counter = counters.get(&meter.id).copied().unwrap_or_default();
                head_end.add_meter(RegisteredMeter {
                    id: meter.id,
                    serial: meter.serial,
                    route: match meter.route {
                        store::Route::Direct { endpoint } => Route::Direct { endpoint },
                        store::Route::Behind { collector, address } => Route::node(collector, address),
                    },
                    group: if facts.listens.is_some() { BATTERY_GROUP } else { READ_GROUP }.to_owned(),
                    server_sap: meter.server_sap,
                    client: ClientConfig {
                        peer_title: Some(SystemTitle(meter.system_title)),
                        peer_counter: Some(counter.peer).filter(|counter| *counter > 0),
                        ..ClientConfig::secure(meter.client_sap, keys, SystemTitle([0; 8]), 1)
                    },
                    counter_ceiling: counter.own_ceiling,
                    push_counter: Some(counter.push).filter(|counter| *counter > 0),
                    push_protection: Protection::AuthenticatedEncrypted,
                    facts,
                    collected_to: collected.get(&meter.id).copied(),
                    event_seq: None,
                });
            }
            Ok(unlisted)
        })
    }

    fn keys(&self, read: &Read, meter: MeterId) -> Result<Result<Keys, String>, StoreError> {
        let wrapped = read.keys_of(meter)?;
        let open = |role: &str| {
            let found = wrapped.iter().find(|key| key.role == role);
            let found = found.ok_or_else(|| format!("it has no key `{role}`; load its keys file"))?;
            self.master.unwrap(&found.wrapped).map_err(|_| {
                format!("its key `{role}` does not open under this master key; give the right key file")
            })
        };
        Ok(open("guek").and_then(|guek| open("gak").map(|gak| Keys::new(guek, gak))))
    }

    /// Stores what the head-end learned. When this returns `Ok`, all of it is on disk.
    ///
    /// Readings go first and counters last: what is lost between the two is read again and counts once. Pushes, which nobody can
    /// ask for again, are appended as one group in the transaction of their counters: a push whose counter is known is kept,
    /// and one that is not kept may come again. One event that can never be stored is set aside in [`Settlement::refused`] and
    /// stops no other.
    ///
    /// # Errors
    /// What the store says when it may succeed later; the same events may be settled again then.
    pub fn settle(&self, now: Timestamp, events: &[HeadEndEvent]) -> Result<Settlement, DutyError> {
        match self.settle_together(now, events) {
            Err(error) if !error.is_passing() => match events {
                [one] => {
                    let refused = vec![Refused { what: name(one), why: format!("failed to {error}") }];
                    Ok(Settlement { refused, ..Settlement::default() })
                }
                many => {
                    let (first, second) = many.split_at(many.len() / 2);
                    let mut settlement = self.settle(now, first)?;
                    settlement.merge(self.settle(now, second)?);
                    Ok(settlement)
                }
            },
            settled => settled,
        }
    }

    fn settle_together(&self, now: Timestamp, events: &[HeadEndEvent]) -> Result<Settlement, DutyError> {
        let mut incoming: Vec<Incoming> = events.iter().flat_map(incoming).collect();
        let readings: Vec<(MeterId, Timestamp)> = incoming.iter().filter_map(read_at).collect();
        let pushes = if self.part == Part::Whole { Vec::new() } else { take_pushes(&mut incoming) };
        let mut left = Vec::new();
        if self.part == Part::UntilRead {
            left = incoming;
        } else if !incoming.is_empty() {
            self.mdm.receive(now, incoming)?;
        }
        let mut settlement = Settlement::default();
        let noted = events.iter().any(|event| {
            !matches!(event, HeadEndEvent::Batch(_) | HeadEndEvent::Registers(_) | HeadEndEvent::Event(_))
        });
        if !noted && readings.is_empty() && left.is_empty() {
            return Ok(settlement);
        }
        self.store.write(|write| {
            let mut healths: BTreeMap<MeterId, Health> = BTreeMap::new();
            write.append_pushes(&pushes, now)?;
            crate::intake::leave(write, now, left)?;
            for (meter, at) in readings {
                healths.entry(meter).or_default().last_read = Some(at);
            }
            for event in events {
                note(write, now, event, &mut settlement, &mut healths)?;
            }
            for (meter, health) in &healths {
                write.note_health(*meter, health)?;
            }
            Ok::<_, DutyError>(())
        })?;
        Ok(settlement)
    }

    /// Takes what waits in the outbox.
    ///
    /// # Errors
    /// What the store says.
    pub fn orders(&self, now: Timestamp) -> Result<Vec<Command>, DutyError> {
        let waiting = self.store.read(|read| read.commands_in(CommandState::Queued, 1))?;
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        self.store.write(|write| {
            write.expire_commands(now)?;
            let mut orders = Vec::new();
            while let Some(record) = write.claim_command(now)? {
                orders.push(record.command);
            }
            Ok(orders)
        })
    }

    /// The commands that were sent and not answered when the head-end stopped. All kinds of them may be
    /// done twice without harm.
    ///
    /// # Errors
    /// What the store says.
    pub fn unanswered(&self) -> Result<Vec<Command>, DutyError> {
        let records = self.store.read(|read| read.commands_in(CommandState::Sent, u32::MAX))?;
        Ok(records.into_iter().map(|record| record.command).collect())
    }

    /// What is due from time to time: days whose grace is over are closed, holes are found.
    ///
    /// # Errors
    /// What the store says.
    pub fn chores(&self, now: Timestamp) -> Result<Settlement, DutyError> {
        if self.part == Part::Whole {
            self.mdm.close_due(now)?;
        }
        let gaps = self.mdm.all_missing(now - BACKFILL, now - YOUNG)?;
        let mut holes = Vec::new();
        let mut last = None;
        for channel in gaps {
            // One channel stands for its meter: a profile row holds them all.
            if last == Some(channel.meter) || !channel.kind.is_additive() {
                continue;
            }
            last = Some(channel.meter);
            let whole = channel.gaps.first().zip(channel.gaps.last());
            if let Some((first, end)) = whole {
                holes.push(Hole { meter: channel.meter, kind: channel.kind, from: first.from, to: end.to });
            }
            if holes.len() == HOLES_AT_ONCE {
                break;
            }
        }
        Ok(Settlement { holes, ..Settlement::default() })
    }
}

/// The part of an event that is a reading or a meter event.
fn incoming(event: &HeadEndEvent) -> Vec<Incoming> {
    match event {
        HeadEndEvent::Batch(batch) => vec![Incoming::Batch(batch.clone())],
        HeadEndEvent::Registers(reads) => reads.iter().cloned().map(Incoming::Register).collect(),
        HeadEndEvent::Event(event) => vec![Incoming::Event(event.clone())],
        HeadEndEvent::Check(check) => vec![Incoming::Check(check.clone())],
        _ => Vec::new(),
    }
}

/// Takes the pushed intervals out of what came.
fn take_pushes(incoming: &mut Vec<Incoming>) -> Vec<ReadBatch> {
    let mut pushes = Vec::new();
    let all = core::mem::take(incoming);
    incoming.extend(all.into_iter().filter_map(|one| match one {
        Incoming::Batch(batch) if batch.source == BatchSource::Push => {
            pushes.push(batch);
            None
        }
        other => Some(other),
    }));
    pushes
}

/// What an event is and where it came from, without its values.
fn name(event: &HeadEndEvent) -> String {
    match event {
        HeadEndEvent::Batch(batch) => {
            format!("{} readings of meter {} from {}", batch.kind.name(), batch.meter, batch.start)
        }
        HeadEndEvent::Registers(reads) => {
            let meter = reads.first().map_or_else(String::new, |read| read.meter.to_string());
            format!("register reads of meter {meter}")
        }
        HeadEndEvent::Event(event) => {
            format!("event {:?} of meter {} at {}", event.kind, event.meter, event.at)
        }
        HeadEndEvent::Check(check) => format!("what meter {} told of itself", check.meter),
        HeadEndEvent::Command(progress) => format!("progress of command {}", progress.id),
        HeadEndEvent::ReserveCounter { meter, .. } | HeadEndEvent::PeerCounter { meter, .. } => {
            format!("counters of meter {meter}")
        }
        _ => "news of the head-end".to_owned(),
    }
}

fn read_at(incoming: &Incoming) -> Option<(MeterId, Timestamp)> {
    match incoming {
        Incoming::Batch(batch) => Some((batch.meter, batch.received_at)),
        _ => None,
    }
}

/// Stores the part of an event that is neither.
fn note(
    write: &Write,
    now: Timestamp,
    event: &HeadEndEvent,
    settlement: &mut Settlement,
    healths: &mut BTreeMap<MeterId, Health>,
) -> Result<(), StoreError> {
    match event {
        HeadEndEvent::ReserveCounter { meter, ceiling } => {
            write.reserve_counter(*meter, *ceiling)?;
            settlement.reserved.push((*meter, *ceiling));
        }
        HeadEndEvent::PeerCounter { meter, kind: CounterKind::Answer, counter } => {
            write.accept_peer_counter(*meter, *counter)?;
        }
        HeadEndEvent::PeerCounter { meter, kind: CounterKind::Push, counter } => {
            write.accept_push_counter(*meter, *counter)?;
        }
        HeadEndEvent::Command(progress) => command(write, now, progress)?,
        HeadEndEvent::Health(news) => {
            let health = healths.entry(news.meter).or_default();
            health.last_heard = Some(news.last_heard);
            health.rtt_ms =
                news.round_trip.and_then(|trip| u32::try_from(trip.as_millis()).ok()).or(health.rtt_ms);
            let offset = news.clock_offset.and_then(|offset| i64::try_from(offset.as_millis()).ok());
            health.clock_offset_ms = offset.or(health.clock_offset_ms);
        }
        HeadEndEvent::Missed { meter, why } => {
            let health = healths.entry(*meter).or_default();
            health.last_failure = Some(now);
            health.failure = Some(why.as_ref().map_or_else(|| "its turn never came".to_owned(), told));
        }
        HeadEndEvent::Refused { from, why } => refused(write, now, *from, why, healths)?,
        _ => {}
    }
    Ok(())
}

fn told(why: &Failure) -> String {
    format!("failed to {why}")
}

fn command(write: &Write, now: Timestamp, progress: &CommandProgress) -> Result<(), StoreError> {
    let values: Vec<_> = progress
        .values
        .iter()
        .map(|value| serde_json::json!({ "name": value.name, "text": value.text }))
        .collect();
    let outcome = (!values.is_empty()).then_some(serde_json::Value::Array(values));
    match write.update_command(progress.id, progress.state, now, &progress.detail, outcome.as_ref()) {
        // A command that the outbox never held is nobody's to follow.
        Err(StoreError::NotFound { .. }) => Ok(()),
        done => done.map(|_| ()),
    }
}

fn refused(
    write: &Write,
    now: Timestamp,
    from: Source,
    why: &Failure,
    healths: &mut BTreeMap<MeterId, Health>,
) -> Result<(), StoreError> {
    let meter = match from {
        Source::Meter(meter) => Some(meter),
        Source::Link(headend::LinkId::Meter(meter)) => Some(meter),
        _ => None,
    };
    if let Some(meter) = meter {
        let health = healths.entry(meter).or_default();
        health.last_failure = Some(now);
        health.failure = Some(told(why));
    }
    if why.culprit() != Culprit::Security && !matches!(from, Source::Push(_)) {
        return Ok(());
    }
    write.log_push(&PushEntry {
        received_at: now,
        meter,
        peer: format!("{from:?}"),
        accepted: false,
        note: told(why),
    })
}

#[cfg(test)]
mod tests;
