//! Connections between the utility and the territory, by pipes.

use crate::counters::CounterWatch;
use crate::dice::Dice;
use crate::pipe::Pipe;
use headend::{HeadEnd, LinkAction, LinkId, PushConn};
use jiff::Timestamp;
use std::collections::BTreeMap;
use territory::{ConnId, Endpoint, PushFrom, Territory};

#[derive(Debug)]
struct Wire {
    conn: ConnId,
    down: Pipe,
    up: Pipe,
}

/// Every open connection.
#[derive(Debug)]
pub(crate) struct Wires {
    links: BTreeMap<LinkId, Wire>,
    pushes: BTreeMap<PushFrom, (PushConn, Pipe)>,
    next: u64,
    dice: Dice,
    pub(crate) watch: CounterWatch<LinkId>,
    /// What the watch complained of.
    pub(crate) violations: Vec<String>,
}

impl Wires {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            links: BTreeMap::new(),
            pushes: BTreeMap::new(),
            next: 0,
            dice: Dice::new(seed, 2),
            watch: CounterWatch::default(),
            violations: Vec::new(),
        }
    }

    /// Carries everything that wants to be carried at `now`, once around. Whether anything moved.
    pub(crate) fn carry(
        &mut self,
        now: Timestamp,
        head_end: Option<&mut HeadEnd>,
        territory: &mut Territory,
    ) -> bool {
        let Some(head_end) = head_end else { return Self::into_the_void(territory) };
        let mut moved = false;
        while let Some((link, bytes)) = head_end.poll_transmit() {
            moved = true;
            if let Err(violation) = self.watch.sent(link, &bytes) {
                self.violations.push(violation);
            }
            if let Some(wire) = self.links.get_mut(&link) {
                wire.down.write(&bytes);
            }
        }
        while let Some(action) = head_end.poll_action() {
            moved = true;
            self.act(now, action, head_end, territory);
        }
        moved |= self.downward(now, territory);
        moved |= self.out_of(now, territory, head_end);
        moved | self.upward(now, head_end)
    }

    /// Nobody listens: what the territory sends is lost, as on a refused connection.
    fn into_the_void(territory: &mut Territory) -> bool {
        let mut moved = false;
        while territory.poll_transmit().is_some() || territory.poll_close().is_some() {
            moved = true;
        }
        moved
    }

    fn act(&mut self, now: Timestamp, action: LinkAction, head_end: &mut HeadEnd, territory: &mut Territory) {
        match action {
            LinkAction::Open { link, .. } => {
                if self.dice.once_in(40) {
                    head_end.handle_closed(now, link);
                    return;
                }
                self.next += 1;
                let conn = ConnId(self.next);
                self.watch.opened(link);
                self.links.insert(link, Wire { conn, down: Pipe::default(), up: Pipe::default() });
                match link {
                    LinkId::Collector(id) => territory.handle_collector_connected(now, id, conn),
                    LinkId::Meter(id) => territory.handle_direct_connected(now, id, conn),
                }
                head_end.handle_connected(now, link);
            }
            LinkAction::Close { link } => {
                while self.one_down(now, link, territory) {}
                self.hang_up(link, territory);
            }
            LinkAction::ClosePush { conn } => self.pushes.retain(|_, (known, _)| *known != conn),
        }
    }

    /// The connection is gone; the territory learns of it.
    fn hang_up(&mut self, link: LinkId, territory: &mut Territory) {
        if let Some(wire) = self.links.remove(&link) {
            match link {
                LinkId::Collector(id) => territory.handle_collector_closed(id, wire.conn),
                LinkId::Meter(id) => territory.handle_direct_closed(id, wire.conn),
            }
        }
    }

    fn downward(&mut self, now: Timestamp, territory: &mut Territory) -> bool {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        links.into_iter().fold(false, |moved, link| self.one_down(now, link, territory) | moved)
    }

    fn one_down(&mut self, now: Timestamp, link: LinkId, territory: &mut Territory) -> bool {
        let Some(wire) = self.links.get_mut(&link).filter(|wire| !wire.down.is_empty()) else { return false };
        let (conn, bytes) = (wire.conn, wire.down.read(&mut self.dice));
        match link {
            LinkId::Collector(id) => territory.handle_collector_bytes(now, id, conn, &bytes),
            LinkId::Meter(id) => territory.handle_direct_bytes(now, id, conn, &bytes),
        }
        true
    }

    /// Takes what the territory sends and closes.
    fn out_of(&mut self, now: Timestamp, territory: &mut Territory, head_end: &mut HeadEnd) -> bool {
        let mut moved = false;
        while let Some(outgoing) = territory.poll_transmit() {
            moved = true;
            match outgoing.to {
                Endpoint::Push(from) => {
                    let next = &mut self.next;
                    let (_, pipe) = self.pushes.entry(from).or_insert_with(|| {
                        *next += 1;
                        (PushConn(*next), Pipe::default())
                    });
                    pipe.write(&outgoing.bytes);
                }
                Endpoint::Collector(..) | Endpoint::Direct(..) => {
                    if let Some(wire) = self.wire_at(outgoing.to) {
                        wire.up.write(&outgoing.bytes);
                    }
                }
            }
        }
        while let Some(endpoint) = territory.poll_close() {
            moved = true;
            let Some(link) = link_of(endpoint) else { continue };
            if self.wire_at(endpoint).is_some() {
                while self.one_up(now, link, head_end) {}
                self.links.remove(&link);
                head_end.handle_closed(now, link);
            }
        }
        moved
    }

    fn wire_at(&mut self, endpoint: Endpoint) -> Option<&mut Wire> {
        let (Endpoint::Collector(_, conn) | Endpoint::Direct(_, conn)) = endpoint else { return None };
        self.links.get_mut(&link_of(endpoint)?).filter(|wire| wire.conn == conn)
    }

    fn upward(&mut self, now: Timestamp, head_end: &mut HeadEnd) -> bool {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        let mut moved = links.into_iter().fold(false, |moved, link| self.one_up(now, link, head_end) | moved);
        let pushes: Vec<PushFrom> = self.pushes.keys().copied().collect();
        for from in pushes {
            let Some((conn, pipe)) = self.pushes.get_mut(&from).filter(|(_, pipe)| !pipe.is_empty()) else {
                continue;
            };
            let (conn, bytes) = (*conn, pipe.read(&mut self.dice));
            head_end.handle_push_bytes(now, conn, &bytes);
            moved = true;
        }
        moved
    }

    fn one_up(&mut self, now: Timestamp, link: LinkId, head_end: &mut HeadEnd) -> bool {
        let Some(wire) = self.links.get_mut(&link).filter(|wire| !wire.up.is_empty()) else { return false };
        let bytes = wire.up.read(&mut self.dice);
        head_end.handle_bytes(now, link, &bytes);
        true
    }

    /// Breaks a connection in the middle of whatever it carries. Whether there was one.
    pub(crate) fn cut(&mut self, now: Timestamp, head_end: &mut HeadEnd, territory: &mut Territory) -> bool {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        if links.is_empty() {
            return false;
        }
        let link = links[self.dice.index(links.len())];
        self.hang_up(link, territory);
        head_end.handle_closed(now, link);
        true
    }

    /// The utility's process is gone, and every connection with it.
    pub(crate) fn all_gone(&mut self, territory: &mut Territory) {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            self.hang_up(link, territory);
        }
        self.pushes.clear();
    }
}

/// The head-end's name of a connection of the territory.
const fn link_of(endpoint: Endpoint) -> Option<LinkId> {
    match endpoint {
        Endpoint::Collector(id, _) => Some(LinkId::Collector(id)),
        Endpoint::Direct(id, _) => Some(LinkId::Meter(id)),
        Endpoint::Push(_) => None,
    }
}
