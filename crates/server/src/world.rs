//! Turns a simulated territory: a listener for every collector and for every meter with a line of its
//! own, and connections to the head-end's push listener. From outside it cannot be told from the field.

use crate::clock::Clock;
use crate::wire::{self, Wire, WireEvent};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use territory::{ConnId, Doors, Endpoint, MeterRoute, PushFrom, Territory};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const MOST_SIGNALS: usize = 4096;
/// Connections that one door holds at a time are bounded by the territory; this bounds all doors.
const MOST_CONNECTIONS: usize = 20_000;
/// A connection on which nothing arrives for so long is closed.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// Pushes that wait for a connection to the head-end.
const MOST_WAITING: usize = 64;

/// How often refusals are told at most.
const TELL_EVERY: SignedDuration = SignedDuration::from_secs(1);

/// What a listener stands for.
#[derive(Clone, Copy, Debug)]
enum Door {
    Collector(model::CollectorId),
    Meter(model::MeterId),
}

enum Signal {
    Entered(Door, TcpStream),
    Wire(Endpoint, WireEvent),
    PushOpen(PushFrom, Option<TcpStream>),
}

/// A connection to the head-end's push listener.
enum PushLine {
    Opening(Vec<Vec<u8>>),
    Open(Wire),
}

/// A territory behind sockets.
#[derive(Debug)]
pub struct World {
    territory: Territory,
    clock: Clock,
    listeners: Vec<(Door, TcpListener)>,
    push_to: Option<String>,
}

struct Loop {
    territory: Territory,
    clock: Clock,
    wires: BTreeMap<Endpoint, Wire>,
    lines: BTreeMap<PushFrom, PushLine>,
    push_to: Option<String>,
    signals: mpsc::Sender<Signal>,
    next_conn: u64,
    refused: u64,
    tell_at: Timestamp,
}

impl World {
    /// Opens a listener on `host` for every collector and direct meter. With `port` they take consecutive ports
    /// from there, collectors first; without, ports are free ones.
    ///
    /// # Errors
    /// What the system says to a listener, with its address.
    pub async fn open(
        territory: Territory,
        clock: Clock,
        host: IpAddr,
        port: Option<u16>,
    ) -> io::Result<(Self, Doors)> {
        let mut listeners = Vec::new();
        let mut doors = Doors::default();
        let collectors =
            territory.registry().collectors.iter().map(|collector| Door::Collector(collector.id));
        let meters = territory.registry().meters.iter().filter(|meter| meter.route == MeterRoute::Direct);
        let all: Vec<Door> = collectors.chain(meters.map(|meter| Door::Meter(meter.id))).collect();
        for (index, door) in all.into_iter().enumerate() {
            let offset = u16::try_from(index).ok();
            let port = match port {
                None => 0,
                Some(first) => offset.and_then(|offset| first.checked_add(offset)).ok_or_else(|| {
                    io::Error::new(
                        io::ErrorKind::InvalidInput,
                        format!("there are not enough ports above {first}"),
                    )
                })?,
            };
            let address = SocketAddr::new(host, port);
            let listener = TcpListener::bind(address)
                .await
                .map_err(|error| io::Error::new(error.kind(), format!("listen on {address}: {error}")))?;
            let at = listener.local_addr()?.to_string();
            match door {
                Door::Collector(id) => doors.collectors.insert(id, at),
                Door::Meter(id) => doors.meters.insert(id, at),
            };
            listeners.push((door, listener));
        }
        Ok((Self { territory, clock, listeners, push_to: None }, doors))
    }

    /// Tells where the head-end listens for pushes; without it they are lost.
    #[must_use]
    pub fn push_to(mut self, address: String) -> Self {
        self.push_to = Some(address);
        self
    }

    /// The territory, before it runs.
    pub fn territory(&mut self) -> &mut Territory {
        &mut self.territory
    }

    /// Turns the territory until the task is dropped.
    pub async fn run(self) {
        let (signals, mut incoming) = mpsc::channel(MOST_SIGNALS);
        for (door, listener) in self.listeners {
            let tag = move |stream| Signal::Entered(door, stream);
            tokio::spawn(wire::accept(listener, signals.clone(), tag));
        }
        let mut turning = Loop {
            territory: self.territory,
            clock: self.clock,
            wires: BTreeMap::new(),
            lines: BTreeMap::new(),
            push_to: self.push_to,
            signals,
            next_conn: 0,
            refused: 0,
            tell_at: Timestamp::MIN,
        };
        loop {
            turning.pump();
            let due = turning.territory.poll_timeout().map_or(IDLE, |at| turning.clock.until(at));
            let Some(signals) = wire::burst(&mut incoming, due).await else { return };
            for signal in signals {
                turning.handle(signal);
            }
            let now = turning.clock.now();
            turning.territory.advance(now);
            turning.tell(now);
        }
    }
}

impl Loop {
    fn handle(&mut self, signal: Signal) {
        let now = self.clock.now();
        match signal {
            Signal::Entered(door, stream) => self.enter(door, stream),
            Signal::Wire(end, WireEvent::Bytes(bytes)) => match end {
                Endpoint::Collector(id, conn) => self.territory.handle_collector_bytes(now, id, conn, &bytes),
                Endpoint::Direct(id, conn) => self.territory.handle_direct_bytes(now, id, conn, &bytes),
                // The push listener has nothing to say.
                Endpoint::Push(_) => {}
            },
            Signal::Wire(end, WireEvent::Closed(_)) => {
                self.wires.remove(&end);
                match end {
                    Endpoint::Collector(id, conn) => self.territory.handle_collector_closed(id, conn),
                    Endpoint::Direct(id, conn) => self.territory.handle_direct_closed(id, conn),
                    Endpoint::Push(from) => {
                        self.lines.remove(&from);
                    }
                }
            }
            Signal::PushOpen(from, stream) => self.push_open(from, stream),
        }
    }

    fn enter(&mut self, door: Door, stream: TcpStream) {
        if self.wires.len() >= MOST_CONNECTIONS {
            return;
        }
        let now = self.clock.now();
        self.next_conn += 1;
        let conn = ConnId(self.next_conn);
        let end = match door {
            Door::Collector(id) => Endpoint::Collector(id, conn),
            Door::Meter(id) => Endpoint::Direct(id, conn),
        };
        let wire = Wire::run(stream, IDLE, self.signals.clone(), move |event| Signal::Wire(end, event));
        self.wires.insert(end, wire);
        match door {
            Door::Collector(id) => self.territory.handle_collector_connected(now, id, conn),
            Door::Meter(id) => self.territory.handle_direct_connected(now, id, conn),
        }
    }

    /// Logs what collectors and meters refused since the last time.
    fn tell(&mut self, now: Timestamp) {
        if now < self.tell_at {
            return;
        }
        self.tell_at = now.checked_add(TELL_EVERY).unwrap_or(Timestamp::MAX);
        let stats = self.territory.stats();
        let collectors = stats.collectors.iter().map(|one| one.refused.saturating_add(one.broken));
        let refused = collectors.fold(stats.broken_direct, u64::saturating_add);
        if refused > self.refused {
            tracing::warn!(refused, "requests and connections were refused, in all");
            self.refused = refused;
        }
    }

    /// Sends what leaves the territory and closes what it closes.
    fn pump(&mut self) {
        while let Some(out) = self.territory.poll_transmit() {
            match out.to {
                Endpoint::Push(from) => self.push(from, out.bytes),
                end => {
                    if self.wires.get(&end).is_some_and(|wire| !wire.send(out.bytes)) {
                        self.wires.remove(&end);
                    }
                }
            }
        }
        while let Some(end) = self.territory.poll_close() {
            tracing::warn!(?end, "the territory closed a connection");
            self.wires.remove(&end);
        }
    }

    fn push(&mut self, from: PushFrom, bytes: Vec<u8>) {
        match self.lines.get_mut(&from) {
            Some(PushLine::Open(wire)) => {
                if !wire.send(bytes) {
                    self.lines.remove(&from);
                }
            }
            Some(PushLine::Opening(waiting)) => {
                // What does not fit is lost, as in a modem; the head-end closes the gap.
                if waiting.len() < MOST_WAITING {
                    waiting.push(bytes);
                }
            }
            None => {
                let Some(address) = self.push_to.clone() else { return };
                self.lines.insert(from, PushLine::Opening(vec![bytes]));
                let signals = self.signals.clone();
                tokio::spawn(async move {
                    let stream = TcpStream::connect(address).await.ok();
                    let _ = signals.send(Signal::PushOpen(from, stream)).await;
                });
            }
        }
    }

    fn push_open(&mut self, from: PushFrom, stream: Option<TcpStream>) {
        let Some(PushLine::Opening(waiting)) = self.lines.remove(&from) else { return };
        let Some(stream) = stream else { return };
        let end = Endpoint::Push(from);
        let wire = Wire::run(stream, IDLE, self.signals.clone(), move |event| Signal::Wire(end, event));
        let sent = waiting.into_iter().all(|bytes| wire.send(bytes));
        if sent {
            self.lines.insert(from, PushLine::Open(wire));
        }
    }
}
