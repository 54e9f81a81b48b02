//! Bytes and time: from sockets through collectors and the air to meters, and back.

use crate::story::Happening;
use crate::territory::{Endpoint, Outgoing, PushFrom, Territory};
use dlms::wrapper::{self, WrapperDecoder};
use field::{AirFrame, ConnId, Direction, FrameKind, Upstream};
use jiff::Timestamp;
use model::{CollectorId, MeterId};
use std::collections::BTreeMap;

/// Most outgoing messages kept for a caller that does not fetch them.
const MOST_OUTGOING: usize = 262_144;
/// Connections that a meter with its own line holds at once.
const MOST_DIRECT: usize = 4;
/// The longest message a meter takes.
const LONGEST: usize = 8192;

/// The line of a meter without a collector.
#[derive(Debug, Default)]
pub(crate) struct DirectLine {
    conns: BTreeMap<ConnId, (WrapperDecoder, u8)>,
    next_tag: u8,
}

impl Territory {
    /// Somebody opened a connection to a collector; a dead one closes it at once.
    pub fn handle_collector_connected(&mut self, now: Timestamp, collector: CollectorId, conn: ConnId) {
        self.advance(now);
        match self.collector(collector) {
            Some(index) if !self.dead_collectors.contains(&index) => {
                self.collectors[index].handle_connected(conn);
            }
            _ => self.closing.push_back(Endpoint::Collector(collector, conn)),
        }
    }

    /// Bytes arrived at a collector.
    pub fn handle_collector_bytes(
        &mut self,
        now: Timestamp,
        collector: CollectorId,
        conn: ConnId,
        bytes: &[u8],
    ) {
        self.advance(now);
        if let Some(index) = self.collector(collector) {
            self.collectors[index].handle_bytes(conn, bytes);
            self.busy.insert(index);
            self.pump(now);
        }
    }

    /// A connection to a collector is gone.
    pub fn handle_collector_closed(&mut self, collector: CollectorId, conn: ConnId) {
        if let Some(index) = self.collector(collector) {
            self.collectors[index].handle_closed(conn);
        }
    }

    /// Somebody opened a connection to a meter that has its own line.
    pub fn handle_direct_connected(&mut self, now: Timestamp, meter: MeterId, conn: ConnId) {
        self.advance(now);
        let powered = self.site(meter).is_some_and(|site| self.devices[site].is_powered());
        let line = self.site(meter).and_then(|site| self.direct.get_mut(&site)).filter(|_| powered);
        match line {
            Some(line) if line.conns.len() < MOST_DIRECT => {
                line.next_tag = line.next_tag.wrapping_add(1);
                line.conns.insert(conn, (WrapperDecoder::new(LONGEST), line.next_tag));
            }
            _ => self.closing.push_back(Endpoint::Direct(meter, conn)),
        }
    }

    /// Bytes arrived at a meter that has its own line.
    pub fn handle_direct_bytes(&mut self, now: Timestamp, meter: MeterId, conn: ConnId, bytes: &[u8]) {
        let now = self.advance(now);
        let Some(site) = self.site(meter) else { return };
        let Some((decoder, tag)) = self.direct.get_mut(&site).and_then(|line| line.conns.get_mut(&conn))
        else {
            return;
        };
        decoder.push(bytes);
        let (mut frames, mut broken, tag) = (Vec::new(), false, *tag);
        for message in decoder.by_ref() {
            match message {
                Ok(message) => frames.push(AirFrame {
                    kind: FrameKind::Request,
                    tag,
                    client: message.source,
                    server: message.destination,
                    apdu: message.payload,
                }),
                Err(_) => broken = true,
            }
        }
        let address = self.devices[site].address();
        for frame in frames {
            // A refusal is silence on the line, as with a modem out of coverage.
            let _ = self.network.send(now, Direction::Down, address, frame.encode());
        }
        if broken {
            self.stats.broken_direct += 1;
            self.handle_direct_closed(meter, conn);
            self.closing.push_back(Endpoint::Direct(meter, conn));
        }
        self.pump(now);
    }

    /// A connection to a meter is gone.
    pub fn handle_direct_closed(&mut self, meter: MeterId, conn: ConnId) {
        let Some(site) = self.site(meter) else { return };
        if let Some(line) = self.direct.get_mut(&site)
            && line.conns.remove(&conn).is_some()
            && line.conns.is_empty()
        {
            self.devices[site].link_lost();
        }
    }

    /// Lets time pass up to `now`, never back, and gives the time reached.
    pub fn advance(&mut self, now: Timestamp) -> Timestamp {
        let now = now.max(self.at);
        while let Some(entry) = self.agenda.first_entry() {
            let at = entry.key().0;
            if at > now {
                break;
            }
            let what = entry.remove();
            self.pump(at.max(self.at));
            self.happen(at.max(self.at), what);
        }
        self.pump(now);
        now
    }

    /// When [`Self::advance`] has something to do again.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let agenda = self.agenda.first_key_value().map(|((at, _), _)| *at);
        let collectors = self.collectors.iter().filter_map(field::Collector::poll_timeout).min();
        [agenda, self.network.poll_timeout(), collectors].into_iter().flatten().min()
    }

    /// Carries on everything that can be carried on at `now`.
    pub(crate) fn pump(&mut self, now: Timestamp) {
        self.at = now;
        for (index, collector) in self.collectors.iter().enumerate() {
            if collector.poll_timeout().is_some_and(|at| at <= now) {
                self.busy.insert(index);
            }
        }
        loop {
            while let Some(index) = self.busy.pop_first() {
                self.serve_collector(now, index);
            }
            let Some(delivery) = self.network.poll_delivery(now) else { return };
            let Some(&site) = self.by_address.get(&delivery.node) else { continue };
            match delivery.direction {
                Direction::Down => self.arrive_at_meter(now, site, &delivery.bytes),
                Direction::Up => self.arrive_from_meter(site, &delivery.bytes),
            }
        }
    }

    fn serve_collector(&mut self, now: Timestamp, index: usize) {
        let collector = &mut self.collectors[index];
        let id = collector.id();
        collector.handle_timeout(now);
        while let Some((node, bytes)) = collector.poll_send(now) {
            if self.network.send(now, Direction::Down, node, bytes).is_err() {
                collector.handle_refused(node);
            }
        }
        while let Some((to, bytes)) = collector.poll_transmit() {
            let to = match to {
                Upstream::Conn(conn) => Endpoint::Collector(id, conn),
                Upstream::Push => Endpoint::Push(PushFrom::Collector(id)),
            };
            self.outgoing.push_back(Outgoing { to, bytes });
        }
        while let Some(conn) = collector.poll_close() {
            self.closing.push_back(Endpoint::Collector(id, conn));
        }
        while self.outgoing.len() > MOST_OUTGOING {
            self.outgoing.pop_front();
            self.stats.dropped += 1;
        }
    }

    fn arrive_at_meter(&mut self, now: Timestamp, site: usize, bytes: &[u8]) {
        let Some(frame) = AirFrame::decode(bytes).filter(|frame| frame.kind == FrameKind::Request) else {
            return;
        };
        let device = &mut self.devices[site];
        device.advance(&self.world, site, now);
        let answer = device.handle_apdu(now, frame.client, &frame.apdu);
        if let Some(apdu) = answer.apdu {
            let response = AirFrame { kind: FrameKind::Response, apdu, ..frame };
            let _ = self.network.send(now, Direction::Up, self.devices[site].address(), response.encode());
        }
        if answer.close {
            self.hang_up(site);
        }
        self.after_contact(now, site);
    }

    fn arrive_from_meter(&mut self, site: usize, bytes: &[u8]) {
        let address = self.devices[site].address();
        let Some(line) = self.direct.get(&site) else {
            if let Some(index) = self.network.collector_of(address).and_then(|id| self.collector(id)) {
                self.collectors[index].handle_delivery(address, bytes);
                self.busy.insert(index);
            }
            return;
        };
        let Some(frame) = AirFrame::decode(bytes) else { return };
        let meter = self.registry.meters[site].id;
        let to = match frame.kind {
            FrameKind::Push => Some(Endpoint::Push(PushFrom::Meter(meter))),
            FrameKind::Request => None,
            FrameKind::Response => {
                let conn = line.conns.iter().find(|(_, (_, tag))| *tag == frame.tag);
                conn.map(|(conn, _)| Endpoint::Direct(meter, *conn))
            }
        };
        if let (Some(to), Ok(bytes)) = (to, wrapper::encode(frame.server, frame.client, &frame.apdu)) {
            self.outgoing.push_back(Outgoing { to, bytes });
        }
    }

    /// Closes every connection to a meter with its own line.
    pub(crate) fn hang_up(&mut self, site: usize) {
        let meter = self.registry.meters[site].id;
        if let Some(line) = self.direct.get_mut(&site) {
            self.closing.extend(line.conns.keys().map(|conn| Endpoint::Direct(meter, *conn)));
            line.conns.clear();
            self.devices[site].link_lost();
        }
    }

    /// A meter has something to do by itself.
    pub(crate) fn wake(&mut self, now: Timestamp, site: usize) {
        self.devices[site].woken(now);
        self.devices[site].advance(&self.world, site, now);
        self.after_contact(now, site);
    }

    /// Sends what a meter has to say, and notes when it wants to be woken.
    pub(crate) fn after_contact(&mut self, now: Timestamp, site: usize) {
        let device = &mut self.devices[site];
        let address = device.address();
        while let Some((client, apdu)) = device.poll_push(now) {
            let push = AirFrame { kind: FrameKind::Push, tag: 0, client, server: 1, apdu };
            // What cannot be sent is lost: the head-end closes the gap.
            let _ = self.network.send(now, Direction::Up, address, push.encode());
        }
        if let Some(at) = device.wants_waking(now) {
            self.plan(at, Happening::Wake(site));
        }
    }
}
