//! Turns the head-end: its connections to collectors and meters, the push listener, and the thread that
//! stores what it learns.
//!
//! ```text
//!  collectors, meters <-> wires <-> [head-end loop] -- events --> [storage thread: duty] -> store
//!                                         ^------------ settled -------|
//! ```
//!
//! The loop never waits for the disk; the storage thread never touches a socket. What the head-end must
//! have on disk before it goes on (invocation counters) comes back as a settlement.
//!
//! The storage thread commits in groups, by count or by time. A slow disk fills the queue of groups, then the queue of signals,
//! and then sockets are not read: whoever pushes is slowed down by TCP, and nothing is dropped.

use crate::clock::Clock;
use crate::wire::{self, Wire, WireEvent};
use headend::{HeadEnd, HeadEndEvent, LinkAction, LinkId, Metrics, PushConn};
use jiff::{SignedDuration, Timestamp};
use operations::{Duty, Settlement};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Signals that may wait for the loop; beyond it sockets are not read, so peers slow down.
const MOST_SIGNALS: usize = 4096;
/// Groups of events that may wait for the disk; beyond it the loop waits.
const MOST_GROUPS: usize = 256;
/// Events of one transaction: with so many, or when the first has waited [`HOLD`], they are stored, with one wait for the disk.
const MOST_EVENTS: usize = 1_000;
/// How long the first event of a transaction waits for others.
const HOLD: Duration = Duration::from_millis(5);
/// Connections to the push listener at a time.
const MOST_PUSHERS: usize = 10_000;
/// How often the outbox is looked at.
const OUTBOX: Duration = Duration::from_millis(50);
/// A connection on which nothing arrives for so long is closed.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// How often chores (gaps, closing days) are done, in the utility's time.
const CHORES: SignedDuration = SignedDuration::from_mins(15);

enum Signal {
    /// On a connection of ours; the number tells it from an earlier one to the same end.
    Link(LinkId, u64, WireEvent),
    /// A connection of ours was opened, or not.
    Opened(LinkId, u64, Option<TcpStream>),
    /// Somebody connected to the push listener.
    Pusher(TcpStream),
    /// On a connection of the push listener.
    Push(PushConn, WireEvent),
    /// From the storage thread.
    Settled(Settlement),
}

/// What others may see of a running head-end.
#[derive(Clone, Debug, Default)]
pub struct Watch(Arc<RwLock<Metrics>>);

impl Watch {
    /// What has been counted so far.
    pub fn metrics(&self) -> Metrics {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a head-end until the task is dropped.
#[derive(Debug)]
pub struct Collection {
    head_end: HeadEnd,
    clock: Clock,
    duty: Arc<Duty>,
    watch: Watch,
}

struct Loop {
    head_end: HeadEnd,
    clock: Clock,
    wires: BTreeMap<LinkId, (u64, Option<Wire>)>,
    pushers: BTreeMap<PushConn, Wire>,
    signals: mpsc::Sender<Signal>,
    storage: mpsc::Sender<Vec<HeadEndEvent>>,
    next_number: u64,
    watch: Watch,
    teller: Teller,
}

impl Collection {
    /// A head-end with its meters already enlisted.
    pub fn new(head_end: HeadEnd, clock: Clock, duty: Arc<Duty>) -> Self {
        Self { head_end, clock, duty, watch: Watch::default() }
    }

    /// A window on its counters.
    pub fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// Turns the head-end. `pushes` is where meters send what nobody asked for.
    pub async fn run(self, pushes: Option<TcpListener>) {
        let (signals, mut incoming) = mpsc::channel(MOST_SIGNALS);
        let (storage, groups) = mpsc::channel(MOST_GROUPS);
        let keeper = Keeper { duty: self.duty, clock: self.clock, signals: signals.clone() };
        std::thread::spawn(move || keeper.run(groups));
        if let Some(listener) = pushes {
            tokio::spawn(wire::accept(listener, signals.clone(), Signal::Pusher));
        }
        let mut turning = Loop {
            head_end: self.head_end,
            clock: self.clock,
            wires: BTreeMap::new(),
            pushers: BTreeMap::new(),
            signals,
            storage,
            next_number: 0,
            watch: self.watch,
            teller: Teller::default(),
        };
        loop {
            turning.pump().await;
            let due = turning.head_end.poll_timeout().map_or(IDLE, |at| turning.clock.until(at));
            let Some(signals) = wire::burst(&mut incoming, due).await else { return };
            for signal in signals {
                turning.handle(signal);
            }
            let now = turning.clock.now();
            turning.head_end.handle_timeout(now);
        }
    }
}

impl Loop {
    /// Carries out what the engine wants, until it wants nothing more.
    async fn pump(&mut self) {
        while let Some((link, bytes)) = self.head_end.poll_transmit() {
            let sent = matches!(self.wires.get(&link), Some((_, Some(wire))) if wire.send(bytes));
            if !sent && self.wires.remove(&link).is_some() {
                tracing::warn!(?link, "the other end does not take what is sent; the connection is closed");
                self.head_end.handle_closed(self.clock.now(), link);
            }
        }
        while let Some(action) = self.head_end.poll_action() {
            self.act(action);
        }
        let mut group = Vec::new();
        while let Some(event) = self.head_end.poll_event() {
            self.teller.tell(self.clock.now(), &event);
            group.push(event);
        }
        if !group.is_empty() {
            *self.watch.0.write().unwrap_or_else(PoisonError::into_inner) = *self.head_end.metrics();
            // A slow disk slows the head-end down; nothing is dropped.
            let _ = self.storage.send(group).await;
        }
    }

    fn act(&mut self, action: LinkAction) {
        match action {
            LinkAction::Open { link, endpoint } => {
                self.next_number += 1;
                let number = self.next_number;
                self.wires.insert(link, (number, None));
                let signals = self.signals.clone();
                tokio::spawn(async move {
                    let stream = TcpStream::connect(&endpoint).await;
                    if let Err(error) = &stream {
                        tracing::debug!(?link, endpoint, %error, "no connection");
                    }
                    let _ = signals.send(Signal::Opened(link, number, stream.ok())).await;
                });
            }
            LinkAction::Close { link } => {
                self.wires.remove(&link);
            }
            LinkAction::ClosePush { conn } => {
                self.pushers.remove(&conn);
            }
        }
    }

    fn handle(&mut self, signal: Signal) {
        let now = self.clock.now();
        match signal {
            Signal::Link(link, number, event) => {
                if self.wires.get(&link).is_none_or(|(current, _)| *current != number) {
                    return;
                }
                match event {
                    WireEvent::Bytes(bytes) => self.head_end.handle_bytes(now, link, &bytes),
                    WireEvent::Closed(why) => {
                        tracing::debug!(?link, why, "a connection ended");
                        self.wires.remove(&link);
                        self.head_end.handle_closed(now, link);
                    }
                }
            }
            Signal::Opened(link, number, stream) => self.opened(now, link, number, stream),
            Signal::Pusher(stream) => {
                if self.pushers.len() < MOST_PUSHERS {
                    self.next_number += 1;
                    let conn = PushConn(self.next_number);
                    let tag = move |event| Signal::Push(conn, event);
                    self.pushers.insert(conn, Wire::run(stream, IDLE, self.signals.clone(), tag));
                }
            }
            Signal::Push(conn, WireEvent::Bytes(bytes)) => self.head_end.handle_push_bytes(now, conn, &bytes),
            Signal::Push(conn, WireEvent::Closed(_)) => {
                self.pushers.remove(&conn);
                self.head_end.handle_push_closed(conn);
            }
            Signal::Settled(settlement) => settlement.apply(now, &mut self.head_end),
        }
    }

    fn opened(&mut self, now: Timestamp, link: LinkId, number: u64, stream: Option<TcpStream>) {
        let Some((current, wire)) = self.wires.get_mut(&link) else { return };
        if *current != number {
            return;
        }
        match stream {
            Some(stream) => {
                let tag = move |event| Signal::Link(link, number, event);
                *wire = Some(Wire::run(stream, IDLE, self.signals.clone(), tag));
                self.head_end.handle_connected(now, link);
            }
            None => {
                self.wires.remove(&link);
                self.head_end.handle_closed(now, link);
            }
        }
    }
}

/// Logs what an operator should know of; never a value or a key. A flood of refusals writes some lines a second and
/// then their number, so that nobody can fill the disk with them.
#[derive(Debug, Default)]
struct Teller {
    second: i64,
    refusals: u32,
}

impl Teller {
    /// Refusals written out in one second.
    const MOST: u32 = 20;

    fn tell(&mut self, now: Timestamp, event: &HeadEndEvent) {
        if now.as_second() != self.second {
            let unwritten = self.refusals.saturating_sub(Self::MOST);
            if unwritten > 0 {
                tracing::warn!(unwritten, "more was refused than is written here");
            }
            *self = Self { second: now.as_second(), refusals: 0 };
        }
        match event {
            HeadEndEvent::Refused { from, why } => {
                self.refusals = self.refusals.saturating_add(1);
                if self.refusals <= Self::MOST {
                    tracing::warn!(?from, %why, culprit = ?why.culprit(), "refused");
                }
            }
            HeadEndEvent::Missed { meter, why } => {
                let why = why.as_ref().map_or_else(|| "its turn never came".to_owned(), ToString::to_string);
                tracing::info!(meter.id = %meter, why, "scheduled read missed");
            }
            HeadEndEvent::Link { link, up } => tracing::debug!(?link, up, "connection"),
            _ => {}
        }
    }
}

/// Takes what waits, up to a transaction's worth. Whether nothing will come any more.
fn take(groups: &mut mpsc::Receiver<Vec<HeadEndEvent>>, events: &mut Vec<HeadEndEvent>) -> bool {
    while events.len() < MOST_EVENTS {
        match groups.try_recv() {
            Ok(group) => events.extend(group),
            Err(mpsc::error::TryRecvError::Empty) => return false,
            Err(mpsc::error::TryRecvError::Disconnected) => return true,
        }
    }
    false
}

/// The storage thread.
struct Keeper {
    duty: Arc<Duty>,
    clock: Clock,
    signals: mpsc::Sender<Signal>,
}

impl Keeper {
    fn run(self, mut groups: mpsc::Receiver<Vec<HeadEndEvent>>) {
        let mut chores_due = self.clock.now();
        loop {
            let mut events = Vec::new();
            let mut over = take(&mut groups, &mut events);
            if !over && (1..MOST_EVENTS).contains(&events.len()) {
                std::thread::sleep(HOLD);
                over = take(&mut groups, &mut events);
            }
            let idle = events.is_empty();
            if self.round(events, &mut chores_due).is_err() || over {
                return;
            }
            if idle {
                std::thread::sleep(OUTBOX);
            }
        }
    }

    /// Stores what came, takes what waits in the outbox, and does chores when they are due.
    fn round(&self, events: Vec<HeadEndEvent>, chores_due: &mut Timestamp) -> Result<(), ()> {
        let now = self.clock.now();
        let mut settlement = self.settle(now, events);
        match self.duty.orders(now) {
            Ok(orders) => settlement.commands.extend(orders),
            Err(error) => tracing::error!(%error, "the outbox cannot be read"),
        }
        if now >= *chores_due {
            *chores_due = now.checked_add(CHORES).unwrap_or(Timestamp::MAX);
            match self.duty.chores(now) {
                Ok(more) => settlement.merge(more),
                Err(error) => tracing::error!(%error, "chores failed; they are done again in a while"),
            }
        }
        if settlement.is_empty() {
            return Ok(());
        }
        self.signals.blocking_send(Signal::Settled(settlement)).map_err(|_| ())
    }

    /// Stores events, however long it takes: a full disk is waited for, not worked around.
    fn settle(&self, now: Timestamp, events: Vec<HeadEndEvent>) -> Settlement {
        if events.is_empty() {
            return Settlement::default();
        }
        let mut pause = Duration::from_millis(100);
        loop {
            match self.duty.settle(now, &events) {
                Ok(settlement) => {
                    for refused in &settlement.refused {
                        tracing::error!(
                            what = refused.what,
                            why = refused.why,
                            "could not be stored, and was left out"
                        );
                    }
                    return settlement;
                }
                Err(error) => {
                    tracing::error!(%error, events = events.len(), "nothing could be stored; trying again");
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_secs(10));
                }
            }
        }
    }
}
