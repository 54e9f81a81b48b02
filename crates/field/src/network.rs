//! Nodes, collectors, and the messages on their way between them.

use crate::cell::{self, Cell, Node};
use crate::chance::Dice;
use crate::medium::{self, Technology};
use crate::place::Position;
use jiff::{SignedDuration, Timestamp};
use model::CollectorId;
use std::collections::BTreeMap;

mod journey;
#[cfg(test)]
mod tests;

/// Most messages on their way in one cell; more are refused.
pub const MOST_IN_CELL: usize = 256;
/// Most messages on their way to and from meters without a collector, all together.
pub const MOST_DIRECT: usize = 65_536;
/// The longest message, bytes.
pub const LONGEST: usize = 65_535 + 6;
/// How long a meter's capacitor lets it talk after power fails, s.
pub const HOLD_UP_S: i64 = 20;
/// How long neighbours take to notice a change and lay new routes, s.
pub const HEALING_S: i64 = 60;

/// How long a meter that starts takes to join its neighbours, s.
pub const JOINING_S: i64 = 3;

/// Which way a message runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Towards the meter.
    Down,
    /// From the meter.
    Up,
}

/// A message that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The meter's address, whichever way it ran.
    pub node: u32,
    /// Which way it ran.
    pub direction: Direction,
    /// What was sent.
    pub bytes: Vec<u8>,
    /// Links crossed.
    pub hops: u8,
    /// When it was handed in.
    pub sent_at: Timestamp,
    /// When it arrived.
    pub at: Timestamp,
}

/// One end of a link of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HopEnd {
    /// A collector.
    Collector(CollectorId),
    /// A meter, by its address.
    Node(u32),
    /// The operator of a public network.
    Operator,
}

/// One link of the path from the collector to a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The end nearer to the collector.
    pub from: HopEnd,
    /// The end nearer to the meter.
    pub to: HopEnd,
    /// Level at which one hears the other, dBm.
    pub signal_dbm: i16,
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// Nobody has this address.
    #[error("send to {0:#010x}: no such node")]
    UnknownNode(u32),
    /// No way leads there at present.
    #[error("send to {0:#010x}: no route")]
    NoRoute(u32),
    /// Too many messages are on their way already.
    #[error("send to {0:#010x}: the queue is full")]
    QueueFull(u32),
    /// The message is longer than the network takes.
    #[error("send a message of {0} bytes: the limit is 65541")]
    TooLong(usize),
}

/// What became of messages, counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetworkStats {
    /// Taken.
    pub accepted: u64,
    /// Arrived.
    pub delivered: u64,
    /// Lost on the way.
    pub lost: u64,
    /// Delivered a second time by the duplication fault.
    pub doubled: u64,
    /// Not taken.
    pub refused: u64,
    /// Fragments that had to be sent again over a hop.
    pub repeats: u64,
}

/// A message on its way.
#[derive(Debug)]
struct Journey {
    node: usize,
    direction: Direction,
    /// Who must be alive when it arrives: relays, and the meter itself on the way down.
    through: Vec<usize>,
    bytes: Vec<u8>,
    sent_at: Timestamp,
    hops: u8,
    doubled: bool,
}

/// The network of one territory.
///
/// Order of use: add collectors and nodes; then in any order [`Self::send`] and the `set_*` verbs; call
/// [`Self::poll_delivery`] until it yields nothing whenever `now` reaches [`Self::poll_timeout`].
#[derive(Debug)]
pub struct Network {
    seed: u64,
    dice: Dice,
    nodes: Vec<Node>,
    by_address: BTreeMap<u32, usize>,
    homes: BTreeMap<usize, usize>,
    cells: Vec<Cell>,
    cell_ids: Vec<CollectorId>,
    by_collector: BTreeMap<CollectorId, usize>,
    built: bool,
    journeys: BTreeMap<(Timestamp, u64), Journey>,
    next: u64,
    direct_in_flight: usize,
    loss: f64,
    duplication: f64,
    noise_hour: u8,
    stats: NetworkStats,
}

impl Network {
    /// An empty network; `seed` decides shadowing and every draw.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            dice: Dice::new(seed),
            nodes: Vec::new(),
            by_address: BTreeMap::new(),
            homes: BTreeMap::new(),
            cells: Vec::new(),
            cell_ids: Vec::new(),
            by_collector: BTreeMap::new(),
            built: false,
            journeys: BTreeMap::new(),
            next: 0,
            direct_in_flight: 0,
            loss: 0.0,
            duplication: 0.0,
            noise_hour: 19,
            stats: NetworkStats::default(),
        }
    }

    /// Adds a collector; a second one of the same id replaces nothing and is ignored.
    pub fn add_collector(&mut self, id: CollectorId, technology: Technology, position: Position) {
        if self.by_collector.contains_key(&id) {
            return;
        }
        self.by_collector.insert(id, self.cells.len());
        self.cell_ids.push(id);
        self.cells.push(Cell {
            position,
            technology,
            alive: true,
            group: 0,
            members: Vec::new(),
            busy_until: Timestamp::UNIX_EPOCH,
            in_flight: 0,
            changed_at: None,
        });
        self.built = false;
    }

    /// Adds a meter. `home` binds it to one collector; without it, the one with the cheapest route takes it.
    pub fn add_node(
        &mut self,
        address: u32,
        technology: Technology,
        position: Position,
        home: Option<CollectorId>,
    ) {
        self.add(address, technology, position, home, false);
    }

    /// Adds a meter that lives on a battery: it relays for nobody.
    pub fn add_leaf(
        &mut self,
        address: u32,
        technology: Technology,
        position: Position,
        home: Option<CollectorId>,
    ) {
        self.add(address, technology, position, home, true);
    }

    /// Gives a meter another way to be reached.
    pub fn exchange_modem(&mut self, address: u32, technology: Technology) {
        if let Some(&index) = self.by_address.get(&address) {
            self.nodes[index].technology = technology;
            self.homes.remove(&index);
            self.built = false;
        }
    }

    fn add(
        &mut self,
        address: u32,
        technology: Technology,
        position: Position,
        home: Option<CollectorId>,
        leaf: bool,
    ) {
        if self.by_address.contains_key(&address) {
            return;
        }
        let index = self.nodes.len();
        self.by_address.insert(address, index);
        if let Some(home) = home.and_then(|id| self.by_collector.get(&id)) {
            self.homes.insert(index, *home);
        }
        self.nodes.push(Node {
            address,
            technology,
            position,
            powered: true,
            off_since: None,
            radio: true,
            leaf,
            group: 0,
            cell: None,
            links: Vec::new(),
            root_signal: None,
            parent: None,
            route_cost: None,
            last: [Timestamp::UNIX_EPOCH; 2],
        });
        self.built = false;
    }

    /// Finds links and lays routes; done on first use if not before. Adding somebody undoes it.
    pub fn build(&mut self) {
        if self.built {
            return;
        }
        for node in &mut self.nodes {
            (node.cell, node.parent, node.route_cost, node.root_signal) = (None, None, None, None);
            node.links.clear();
        }
        for cell in &mut self.cells {
            cell.members.clear();
        }
        cell::build(&mut self.nodes, &mut self.cells, &self.homes, self.seed);
        self.built = true;
    }

    /// The collector in whose cell a meter is.
    pub fn collector_of(&mut self, address: u32) -> Option<CollectorId> {
        self.build();
        let index = *self.by_address.get(&address)?;
        self.nodes[index].cell.map(|cell| self.cell_ids[cell])
    }

    /// The same without building first: `None` before anything was built.
    pub fn laid_collector_of(&self, address: u32) -> Option<CollectorId> {
        let index = *self.by_address.get(&address)?;
        self.nodes[index].cell.map(|cell| self.cell_ids[cell])
    }

    /// How a meter is reached.
    pub fn technology_of(&self, address: u32) -> Option<Technology> {
        self.by_address.get(&address).map(|index| self.nodes[*index].technology)
    }

    /// Switches a meter's supply. For [`HOLD_UP_S`] after power fails it can still send; when power is back, it
    /// joins its neighbours within [`JOINING_S`].
    pub fn set_power(&mut self, now: Timestamp, address: u32, on: bool) {
        self.change(now, address, |node| {
            let changed = node.powered != on;
            node.powered = on;
            node.off_since = if on { None } else { node.off_since.or(Some(now)) };
            changed
        });
        let cell = self.by_address.get(&address).and_then(|index| self.nodes[*index].cell);
        if let Some(cell) = cell.filter(|_| on) {
            let soon = now - SignedDuration::from_secs(HEALING_S - JOINING_S);
            let changed = &mut self.cells[cell].changed_at;
            *changed = changed.map(|at| at.min(soon));
        }
    }

    /// Switches a meter's radio or modem, without its supply.
    pub fn set_radio(&mut self, now: Timestamp, address: u32, works: bool) {
        self.change(now, address, |node| core::mem::replace(&mut node.radio, works) != works);
    }

    /// Puts a meter on one side of a partition: nobody hears anybody of another group.
    pub fn set_group(&mut self, now: Timestamp, address: u32, group: u8) {
        self.change(now, address, |node| core::mem::replace(&mut node.group, group) != group);
    }

    fn change(&mut self, now: Timestamp, address: u32, what: impl FnOnce(&mut Node) -> bool) {
        let Some(&index) = self.by_address.get(&address) else { return };
        if what(&mut self.nodes[index])
            && let Some(cell) = self.nodes[index].cell
        {
            self.cells[cell].changed_at.get_or_insert(now);
        }
    }

    /// Kills or revives a collector. A dead one hears nothing and sends nothing, at once.
    pub fn set_collector_alive(&mut self, now: Timestamp, id: CollectorId, alive: bool) {
        if let Some(&cell) = self.by_collector.get(&id)
            && core::mem::replace(&mut self.cells[cell].alive, alive) != alive
        {
            self.cells[cell].changed_at.get_or_insert(now);
        }
    }

    /// A storm: every message is lost with this probability, in thousandths, on top of everything else.
    pub fn set_loss_per_mille(&mut self, share: u16) {
        self.loss = f64::from(share.min(1000)) / 1000.0;
    }

    /// A fault: a message is delivered twice with this probability, in thousandths.
    pub fn set_duplication_per_mille(&mut self, share: u16) {
        self.duplication = f64::from(share.min(1000)) / 1000.0;
    }

    /// The hour of the day, UTC, in which the power line is noisiest (19 unless told).
    pub fn set_noisiest_hour(&mut self, hour_utc: u8) {
        self.noise_hour = hour_utc % 24;
    }

    /// The links from the collector to a meter as they are laid now; empty without a route.
    pub fn path(&mut self, address: u32) -> Vec<Hop> {
        self.build();
        let Some(&index) = self.by_address.get(&address) else { return Vec::new() };
        if self.nodes[index].technology == Technology::Cellular
            || self.nodes[index].technology == Technology::Broadband
        {
            let signal_dbm = level(self.operator_signal(index));
            return vec![Hop { from: HopEnd::Operator, to: HopEnd::Node(address), signal_dbm }];
        }
        let Some(chain) = self.chain(index) else { return Vec::new() };
        let mut hops = Vec::with_capacity(chain.len());
        let mut from =
            self.nodes[index].cell.map_or(HopEnd::Operator, |c| HopEnd::Collector(self.cell_ids[c]));
        for (member, signal) in chain.into_iter().rev() {
            let to = HopEnd::Node(self.nodes[member].address);
            hops.push(Hop { from, to, signal_dbm: level(signal) });
            from = to;
        }
        hops
    }

    /// Where a meter stands.
    pub fn position(&self, address: u32) -> Option<Position> {
        self.by_address.get(&address).map(|index| self.nodes[*index].position)
    }

    /// What became of messages so far.
    pub const fn stats(&self) -> NetworkStats {
        self.stats
    }

    /// Messages on their way.
    pub fn in_flight(&self) -> usize {
        self.journeys.len()
    }

    /// The next instant at which something arrives or is lost.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.journeys.first_key_value().map(|((at, _), _)| *at)
    }

    /// The level of a public network at a meter.
    fn operator_signal(&self, index: usize) -> f64 {
        let node = &self.nodes[index];
        medium::signal_dbm(
            node.technology,
            self.seed,
            (node.address, node.position),
            (u32::MAX, node.position),
        )
    }

    /// The route from a meter up: each node and the level of the link above it. `None` without a route.
    fn chain(&self, index: usize) -> Option<Vec<(usize, f64)>> {
        self.nodes[index].route_cost?;
        let mut chain = Vec::new();
        let mut at = index;
        loop {
            let node = &self.nodes[at];
            match node.parent {
                Some(parent) => {
                    chain.push((at, self.signal_between(at, parent)));
                    at = parent;
                }
                None => {
                    chain.push((at, node.root_signal?));
                    return Some(chain);
                }
            }
            if chain.len() > self.nodes.len() {
                return None;
            }
        }
    }

    fn signal_between(&self, a: usize, b: usize) -> f64 {
        let (a, b) = (&self.nodes[a], &self.nodes[b]);
        medium::signal_dbm(a.technology, self.seed, (a.address, a.position), (b.address, b.position))
    }

    /// Lays new routes in a cell once its neighbours have had time to notice a change.
    fn heal(&mut self, cell: usize, now: Timestamp) {
        let waited = |changed: Timestamp| now.duration_since(changed) >= SignedDuration::from_secs(HEALING_S);
        if self.cells[cell].changed_at.is_some_and(waited) {
            cell::lay_routes(&mut self.nodes, &mut self.cells, cell);
        }
    }
}

/// A level as a whole number.
fn level(signal_dbm: f64) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "levels lie between -200 and 30 dBm")]
    let level = signal_dbm.clamp(-200.0, 100.0).round() as i16;
    level
}
