//! A collector: a DLMS gateway between the head-end's connections and a cell of the field network.
//!
//! Downwards it takes wrapper messages with a gateway header, looks the meter up and hands an
//! [`AirFrame`] to the network. Upwards it gives answers back to the connection that asked and passes on
//! what meters send unasked.
//!
//! One exchange a meter is open at a time; others wait. What cannot be carried is answered by the
//! collector itself with an exception-response, so that the head-end need not wait for a time-out.
//!
//! **Interpretation:** the standard gives gateways no error of their own. Ours answer with an
//! unciphered exception-response: [`UNKNOWN_NODE`] when the address is nobody's, [`UNREACHABLE`] when
//! there is no route, no room or no answer in time. Pushes carry header 0xE6, answers 0xE7.

use crate::frame::{AirFrame, FrameKind};
use dlms::gateway::{self, GatewayKind};
use dlms::wrapper::{self, Wpdu, WrapperDecoder};
use jiff::{SignedDuration, Timestamp};
use model::CollectorId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[cfg(test)]
mod tests;

/// Exception-response: service not allowed, operation not possible. The address is nobody's.
pub const UNKNOWN_NODE: [u8; 3] = [0xD8, 1, 1];
/// Exception-response: service not allowed, other reason. No way to the meter now.
pub const UNREACHABLE: [u8; 3] = [0xD8, 1, 3];
/// Exception-response: service unknown, not supported. The message was for the gateway itself.
pub const NOT_A_METER: [u8; 3] = [0xD8, 2, 2];

/// A connection of the head-end to this collector; numbers are the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnId(pub u64);

/// Bounds of a collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CollectorLimits {
    /// Exchanges open in the cell at the same time.
    pub open: usize,
    /// Exchanges that wait for their turn.
    pub waiting: usize,
    /// Seconds after which an exchange is given up.
    pub answer_within_s: i64,
    /// Bytes of the longest message taken from a connection.
    pub longest: usize,
    /// Messages kept for a reader that does not come; older ones make room.
    pub outgoing: usize,
}

impl Default for CollectorLimits {
    fn default() -> Self {
        Self { open: 16, waiting: 2048, answer_within_s: 45, longest: 8192, outgoing: 8192 }
    }
}

/// Where bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Upstream {
    /// To a connection of the head-end.
    Conn(ConnId),
    /// To wherever the head-end takes pushes.
    Push,
}

/// What was counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CollectorStats {
    /// Requests taken.
    pub requests: u64,
    /// Answers given back.
    pub answers: u64,
    /// Pushes passed on.
    pub pushes: u64,
    /// Exchanges without an answer in time.
    pub silent: u64,
    /// Requests refused: unknown meter, no route, no room.
    pub refused: u64,
    /// Connections closed for what they sent.
    pub broken: u64,
    /// Messages dropped because nobody took them.
    pub dropped: u64,
}

#[derive(Debug)]
struct Exchange {
    conn: ConnId,
    network_id: u8,
    node: u32,
    client: u16,
    server: u16,
    apdu: Vec<u8>,
}

#[derive(Debug)]
struct Open {
    exchange: Exchange,
    tag: u8,
    until: Timestamp,
}

/// A gateway without sockets.
///
/// Feed [`Self::handle_connected`], [`Self::handle_bytes`], [`Self::handle_closed`] and
/// [`Self::handle_delivery`]; then empty [`Self::poll_send`], [`Self::poll_transmit`] and
/// [`Self::poll_close`]; call [`Self::handle_timeout`] at [`Self::poll_timeout`].
#[derive(Debug)]
pub struct Collector {
    id: CollectorId,
    limits: CollectorLimits,
    conns: BTreeMap<ConnId, WrapperDecoder>,
    members: BTreeSet<u32>,
    waiting: VecDeque<Exchange>,
    open: BTreeMap<u32, Open>,
    deadlines: BTreeSet<(Timestamp, u32)>,
    next_tag: u8,
    outgoing: VecDeque<(Upstream, Vec<u8>)>,
    closing: VecDeque<ConnId>,
    stats: CollectorStats,
}

impl Collector {
    /// A collector that knows the meters `members` by their addresses.
    pub fn new(id: CollectorId, members: BTreeSet<u32>, limits: CollectorLimits) -> Self {
        Self {
            id,
            limits,
            conns: BTreeMap::new(),
            members,
            waiting: VecDeque::new(),
            open: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            next_tag: 0,
            outgoing: VecDeque::new(),
            closing: VecDeque::new(),
            stats: CollectorStats::default(),
        }
    }

    /// Which collector it is.
    pub const fn id(&self) -> CollectorId {
        self.id
    }

    /// What was counted so far.
    pub const fn stats(&self) -> CollectorStats {
        self.stats
    }

    /// The head-end opened a connection.
    pub fn handle_connected(&mut self, conn: ConnId) {
        self.conns.insert(conn, WrapperDecoder::new(self.limits.longest));
    }

    /// A connection is gone; its waiting requests are forgotten.
    pub fn handle_closed(&mut self, conn: ConnId) {
        self.conns.remove(&conn);
        self.waiting.retain(|exchange| exchange.conn != conn);
        self.outgoing.retain(|(to, _)| *to != Upstream::Conn(conn));
    }

    /// Restart: connections, exchanges and queues are lost.
    pub fn handle_power_loss(&mut self) {
        self.closing.extend(self.conns.keys().copied());
        self.conns.clear();
        self.waiting.clear();
        self.open.clear();
        self.deadlines.clear();
        self.outgoing.clear();
    }

    /// Bytes arrived on a connection.
    pub fn handle_bytes(&mut self, conn: ConnId, bytes: &[u8]) {
        let Some(decoder) = self.conns.get_mut(&conn) else { return };
        decoder.push(bytes);
        let mut messages = Vec::new();
        let mut broken = false;
        for message in decoder.by_ref() {
            match message {
                Ok(message) => messages.push(message),
                Err(_) => broken = true,
            }
        }
        for message in messages {
            self.request(conn, &message);
        }
        if broken {
            self.stats.broken += 1;
            self.handle_closed(conn);
            self.closing.push_back(conn);
        }
    }

    fn request(&mut self, conn: ConnId, message: &Wpdu) {
        let (client, server) = (message.source, message.destination);
        let Ok(Some(frame)) = gateway::parse(&message.payload) else {
            self.stats.refused += 1;
            return self.say(Upstream::Conn(conn), (server, client), &NOT_A_METER);
        };
        let Some(node) = frame.node().filter(|node| self.members.contains(node)) else {
            self.stats.refused += 1;
            if let Ok(bytes) =
                gateway::encode(GatewayKind::Response, frame.network_id, frame.address, &UNKNOWN_NODE)
            {
                self.say(Upstream::Conn(conn), (server, client), &bytes);
            }
            return;
        };
        let exchange =
            Exchange { conn, network_id: frame.network_id, node, client, server, apdu: frame.apdu.to_vec() };
        if self.waiting.len() >= self.limits.waiting {
            return self.refuse(&exchange);
        }
        self.stats.requests += 1;
        self.waiting.push_back(exchange);
    }

    /// The next message for the network, if one may be sent now: the meter's address and the envelope.
    ///
    /// Tell by [`Self::handle_refused`] when the network does not take it.
    pub fn poll_send(&mut self, now: Timestamp) -> Option<(u32, Vec<u8>)> {
        if self.open.len() >= self.limits.open {
            return None;
        }
        let position = self.waiting.iter().position(|exchange| !self.open.contains_key(&exchange.node))?;
        let exchange = self.waiting.remove(position)?;
        self.next_tag = self.next_tag.wrapping_add(1);
        let tag = self.next_tag;
        let node = exchange.node;
        let (client, server, apdu) = (exchange.client, exchange.server, exchange.apdu.clone());
        let until = now + SignedDuration::from_secs(self.limits.answer_within_s);
        self.deadlines.insert((until, node));
        self.open.insert(node, Open { exchange, tag, until });
        Some((node, AirFrame { kind: FrameKind::Request, tag, client, server, apdu }.encode()))
    }

    /// The network did not take what [`Self::poll_send`] gave for this meter.
    pub fn handle_refused(&mut self, node: u32) {
        if let Some(exchange) = self.finish(node) {
            self.refuse(&exchange);
        }
    }

    /// An envelope arrived from a meter of this cell.
    pub fn handle_delivery(&mut self, node: u32, bytes: &[u8]) {
        let Some(frame) = AirFrame::decode(bytes).filter(|_| self.members.contains(&node)) else { return };
        match frame.kind {
            FrameKind::Request => {}
            FrameKind::Push => {
                self.stats.pushes += 1;
                let message = gateway::encode_node(GatewayKind::Request, 0, node, &frame.apdu);
                self.say(Upstream::Push, (frame.server, frame.client), &message);
            }
            FrameKind::Response => {
                let expected = self.open.get(&node).is_some_and(|open| open.tag == frame.tag);
                let Some(exchange) = expected.then(|| self.finish(node)).flatten() else { return };
                self.stats.answers += 1;
                let message =
                    gateway::encode_node(GatewayKind::Response, exchange.network_id, node, &frame.apdu);
                self.answer(&exchange, &message);
            }
        }
    }

    /// Gives up exchanges whose time is over.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        while let Some(&(at, node)) = self.deadlines.first() {
            if at > now {
                return;
            }
            self.deadlines.pop_first();
            if let Some(exchange) = self.finish(node) {
                self.stats.silent += 1;
                self.unreachable(&exchange);
            }
        }
    }

    /// The next instant at which [`Self::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Bytes for the head-end.
    pub fn poll_transmit(&mut self) -> Option<(Upstream, Vec<u8>)> {
        self.outgoing.pop_front()
    }

    /// A connection to close.
    pub fn poll_close(&mut self) -> Option<ConnId> {
        self.closing.pop_front()
    }

    fn finish(&mut self, node: u32) -> Option<Exchange> {
        let open = self.open.remove(&node)?;
        self.deadlines.remove(&(open.until, node));
        Some(open.exchange)
    }

    fn refuse(&mut self, exchange: &Exchange) {
        self.stats.refused += 1;
        self.unreachable(exchange);
    }

    fn unreachable(&mut self, exchange: &Exchange) {
        let message =
            gateway::encode_node(GatewayKind::Response, exchange.network_id, exchange.node, &UNREACHABLE);
        self.answer(exchange, &message);
    }

    fn answer(&mut self, exchange: &Exchange, message: &[u8]) {
        if self.conns.contains_key(&exchange.conn) {
            self.say(Upstream::Conn(exchange.conn), (exchange.server, exchange.client), message);
        }
    }

    fn say(&mut self, to: Upstream, (source, destination): (u16, u16), message: &[u8]) {
        let Ok(bytes) = wrapper::encode(source, destination, message) else {
            self.stats.dropped += 1;
            return;
        };
        if self.outgoing.len() >= self.limits.outgoing {
            self.stats.dropped += 1;
            self.outgoing.pop_front();
        }
        self.outgoing.push_back((to, bytes));
    }
}
