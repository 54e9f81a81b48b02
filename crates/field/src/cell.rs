//! One collector's cell: who is in it, which links there are, and the tree of routes over them.

use crate::medium::{self, Technology};
use crate::place::{Grid, Position};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Most links kept for one node: the best ones.
const MOST_LINKS: usize = 14;
/// The number under which a collector takes part in the hash of a link; above all meter addresses.
const COLLECTOR_NUMBERS: u32 = 0xF000_0000;

/// A usable link to another node of the same medium.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// Index of the neighbour.
    pub(crate) to: usize,
    /// Level, dBm.
    pub(crate) signal_dbm: f64,
    /// Routing cost.
    cost_milli: u64,
}

/// A meter's place in the network.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) address: u32,
    pub(crate) technology: Technology,
    pub(crate) position: Position,
    pub(crate) powered: bool,
    pub(crate) off_since: Option<Timestamp>,
    pub(crate) radio: bool,
    /// It lives on a battery and relays for nobody.
    pub(crate) leaf: bool,
    pub(crate) group: u8,
    /// Index of its collector.
    pub(crate) cell: Option<usize>,
    /// Links to other meters, best first.
    pub(crate) links: Vec<Link>,
    /// The link to its collector, if near enough, dBm.
    pub(crate) root_signal: Option<f64>,
    /// The next node towards the collector; `None` beside a usable `root_signal` means the collector.
    pub(crate) parent: Option<usize>,
    /// Cost of the route, `None` without one.
    pub(crate) route_cost: Option<u64>,
    /// No delivery before this instant, so that messages of one direction keep their order.
    pub(crate) last: [Timestamp; 2],
}

impl Node {
    /// Whether it can relay.
    pub(crate) fn alive(&self) -> bool {
        self.powered && self.radio
    }
}

/// A collector's side of the network.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) position: Position,
    pub(crate) technology: Technology,
    pub(crate) alive: bool,
    pub(crate) group: u8,
    pub(crate) members: Vec<usize>,
    /// The medium is taken until then.
    pub(crate) busy_until: Timestamp,
    /// Messages on their way.
    pub(crate) in_flight: usize,
    /// Something changed at this instant and the routes do not show it yet.
    pub(crate) changed_at: Option<Timestamp>,
}

fn number_of_collector(index: usize) -> u32 {
    COLLECTOR_NUMBERS.wrapping_add(u32::try_from(index).unwrap_or(0))
}

fn milli(cost: f64) -> u64 {
    // Costs lie between 1 and 16.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1,000 and 16,000")]
    let milli = (cost * 1000.0) as u64;
    milli
}

/// Finds every usable link, puts each node into the cell with the cheapest route, and lays the routes.
pub(crate) fn build(nodes: &mut [Node], cells: &mut [Cell], homes: &BTreeMap<usize, usize>, seed: u64) {
    for technology in [Technology::Mesh, Technology::Plc] {
        let reach = if technology == Technology::Mesh { medium::MESH_REACH_M } else { medium::PLC_REACH_M };
        find_links(nodes, technology, reach, seed);
    }
    join_cells(nodes, cells, homes, seed);
    for index in 0..cells.len() {
        lay_routes(nodes, cells, index);
    }
}

fn find_links(nodes: &mut [Node], technology: Technology, reach: i32, seed: u64) {
    let mut grid = Grid::new(reach);
    for (index, node) in nodes.iter().enumerate().filter(|(_, node)| node.technology == technology) {
        grid.insert(node.position, index);
    }
    let limit = f64::from(reach);
    for index in 0..nodes.len() {
        let node = &nodes[index];
        if node.technology != technology {
            continue;
        }
        let mut links: Vec<Link> = grid
            .near(node.position)
            .filter(|&other| other != index && nodes[other].position.distance_m(node.position) <= limit)
            .filter_map(|to| {
                let other = &nodes[to];
                let ends = ((node.address, node.position), (other.address, other.position));
                let signal_dbm = medium::signal_dbm(technology, seed, ends.0, ends.1);
                let cost_milli = milli(medium::cost(technology, signal_dbm)?);
                Some(Link { to, signal_dbm, cost_milli })
            })
            .collect();
        // Spread the kept links over the reach: only near neighbours would make needlessly long routes.
        links.sort_by(|a, b| {
            a.cost_milli.cmp(&b.cost_milli).then(b.signal_dbm.total_cmp(&a.signal_dbm)).then(a.to.cmp(&b.to))
        });
        nodes[index].links = thin(links);
    }
}

/// At most [`MOST_LINKS`] of `links`, which are sorted by cost: those of little loss, the far ones among
/// them first, then the best of the rest.
fn thin(links: Vec<Link>) -> Vec<Link> {
    if links.len() <= MOST_LINKS {
        return links;
    }
    let good = links.iter().take_while(|link| link.cost_milli < 1_200).count();
    if good <= MOST_LINKS {
        return links.into_iter().take(MOST_LINKS).collect();
    }
    (0..MOST_LINKS).map(|k| links[k * good / MOST_LINKS]).collect()
}

/// Puts every node into a cell by one search from all collectors at once.
fn join_cells(nodes: &mut [Node], cells: &mut [Cell], homes: &BTreeMap<usize, usize>, seed: u64) {
    let mut heap = BinaryHeap::new();
    for (c, cell) in cells.iter().enumerate() {
        for (index, node) in nodes.iter().enumerate() {
            if node.technology != cell.technology || homes.get(&index).is_some_and(|home| *home != c) {
                continue;
            }
            if let Some((cost, _)) = root_link(node, cell, c, seed) {
                heap.push(Reverse((cost, index, c)));
            }
        }
    }
    while let Some(Reverse((cost, index, c))) = heap.pop() {
        if nodes[index].cell.is_some() {
            continue;
        }
        nodes[index].cell = Some(c);
        if nodes[index].leaf {
            continue;
        }
        for link in nodes[index].links.clone() {
            if nodes[link.to].cell.is_none() && homes.get(&link.to).is_none_or(|home| *home == c) {
                heap.push(Reverse((cost + link.cost_milli, link.to, c)));
            }
        }
    }
    for (index, node) in nodes.iter_mut().enumerate() {
        // Who hears nobody is still somebody's customer: the nearest collector's, without a route.
        let nearest = || {
            let same = cells.iter().enumerate().filter(|(_, cell)| cell.technology == node.technology);
            same.min_by(|a, b| {
                let (a, b) = (a.1.position.distance_m(node.position), b.1.position.distance_m(node.position));
                a.total_cmp(&b)
            })
        };
        if node.technology.has_collector() {
            node.cell = homes.get(&index).copied().or(node.cell).or_else(|| nearest().map(|(c, _)| c));
        }
        if let Some(c) = node.cell {
            node.root_signal = root_link(node, &cells[c], c, seed).map(|(_, signal)| signal);
            cells[c].members.push(index);
        }
    }
}

/// Cost and level of the direct link between a node and a collector, if it is usable.
fn root_link(node: &Node, cell: &Cell, index: usize, seed: u64) -> Option<(u64, f64)> {
    let reach = match node.technology {
        Technology::Mesh => medium::MESH_REACH_M,
        Technology::Plc => medium::PLC_REACH_M,
        _ => i32::MAX,
    };
    // A collector stands on a pole with a better aerial.
    let reach = f64::from(reach) * 1.3;
    if node.position.distance_m(cell.position) > reach {
        return None;
    }
    let ends = ((node.address, node.position), (number_of_collector(index), cell.position));
    let gain = if node.technology == Technology::Mesh { 6.0 } else { 0.0 };
    let signal = medium::signal_dbm(node.technology, seed, ends.0, ends.1) + gain;
    medium::cost(node.technology, signal).map(|cost| (milli(cost), signal))
}

/// Lays the routes of one cell over what is alive now: least expected transmissions.
pub(crate) fn lay_routes(nodes: &mut [Node], cells: &mut [Cell], index: usize) {
    let cell = &mut cells[index];
    cell.changed_at = None;
    let mut heap = BinaryHeap::new();
    for &member in &cell.members {
        let node = &mut nodes[member];
        (node.parent, node.route_cost) = (None, None);
        let reachable = cell.alive && node.alive() && node.group == cell.group;
        let root = node.root_signal.filter(|_| reachable);
        if let Some(cost) = root.and_then(|signal| medium::cost(node.technology, signal)) {
            heap.push(Reverse((milli(cost), member, None::<usize>)));
        }
    }
    while let Some(Reverse((cost, member, parent))) = heap.pop() {
        if nodes[member].route_cost.is_some() {
            continue;
        }
        (nodes[member].parent, nodes[member].route_cost) = (parent, Some(cost));
        if nodes[member].leaf {
            continue;
        }
        let group = nodes[member].group;
        for at in 0..nodes[member].links.len() {
            let link = nodes[member].links[at];
            let next = &nodes[link.to];
            let joins = next.cell == Some(index) && next.alive() && next.group == group;
            if joins && next.route_cost.is_none() {
                heap.push(Reverse((cost + link.cost_milli, link.to, Some(member))));
            }
        }
    }
}
