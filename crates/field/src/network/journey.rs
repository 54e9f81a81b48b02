//! One message's journey: taken, carried hop by hop in the reckoning, delivered or lost.

use super::{Delivery, Direction, HOLD_UP_S, Journey, LONGEST, MOST_DIRECT, MOST_IN_CELL, Network, Refusal};
use crate::medium::{self, Technology, Timing};
use jiff::{SignedDuration, Timestamp};

/// What the reckoning of a journey gave.
struct Reckoned {
    /// Time from the first bit to arrival, µs.
    takes_us: u64,
    /// Time the shared medium is taken, µs.
    occupies_us: u64,
    /// Whether it gets there at all.
    arrives: bool,
}

impl Network {
    /// Hands in a message for or from the meter `node`. What is taken may still be lost.
    ///
    /// # Errors
    /// [`Refusal`]: nothing was taken.
    pub fn send(
        &mut self,
        now: Timestamp,
        direction: Direction,
        node: u32,
        bytes: Vec<u8>,
    ) -> Result<(), Refusal> {
        let taken = self.take(now, direction, node, bytes);
        match taken {
            Ok(()) => self.stats.accepted += 1,
            Err(_) => self.stats.refused += 1,
        }
        taken
    }

    /// The next message that has arrived by `now`, in order of arrival.
    pub fn poll_delivery(&mut self, now: Timestamp) -> Option<Delivery> {
        loop {
            let at = self.poll_timeout().filter(|at| *at <= now)?;
            let (_, journey) = self.journeys.pop_first()?;
            self.leave(journey.node);
            let node = &self.nodes[journey.node];
            let home = node.cell.map(|cell| &self.cells[cell]);
            let alive = home.is_none_or(|cell| cell.alive && cell.group == node.group)
                && journey.through.iter().all(|&relay| self.nodes[relay].alive());
            if !alive {
                self.stats.lost += 1;
                continue;
            }
            if journey.doubled {
                self.stats.doubled += 1;
            } else {
                self.stats.delivered += 1;
            }
            return Some(Delivery {
                node: node.address,
                direction: journey.direction,
                bytes: journey.bytes,
                hops: journey.hops,
                sent_at: journey.sent_at,
                at,
            });
        }
    }

    fn leave(&mut self, node: usize) {
        match self.nodes[node].cell {
            Some(cell) => self.cells[cell].in_flight -= 1,
            None => self.direct_in_flight -= 1,
        }
    }

    fn take(
        &mut self,
        now: Timestamp,
        direction: Direction,
        address: u32,
        bytes: Vec<u8>,
    ) -> Result<(), Refusal> {
        if bytes.len() > LONGEST {
            return Err(Refusal::TooLong(bytes.len()));
        }
        self.build();
        let index = *self.by_address.get(&address).ok_or(Refusal::UnknownNode(address))?;
        let links = match self.nodes[index].cell {
            Some(cell) => {
                self.heal(cell, now);
                if self.cells[cell].in_flight >= MOST_IN_CELL {
                    return Err(Refusal::QueueFull(address));
                }
                self.links_through_cell(now, direction, index, cell)
            }
            None if self.direct_in_flight >= MOST_DIRECT => return Err(Refusal::QueueFull(address)),
            None => self.may_send(now, index).then(|| vec![(index, self.operator_signal(index))]),
        };
        let links = links.ok_or(Refusal::NoRoute(address))?;
        let timing = self.nodes[index].technology.timing();
        let reckoned = self.reckon(now, self.nodes[index].technology, &links, bytes.len());
        let begins = self.occupy(now, index, reckoned.occupies_us);
        if !reckoned.arrives {
            self.stats.lost += 1;
            return Ok(());
        }
        let arrives = begins + SignedDuration::from_micros(signed(reckoned.takes_us));
        let side = usize::from(direction == Direction::Up);
        let at = arrives.max(self.nodes[index].last[side]);
        self.nodes[index].last[side] = at;
        // The meter's own state is judged when it sends; all others' when the message arrives.
        let through = links.iter().map(|(relay, _)| *relay);
        let through = through.filter(|relay| *relay != index || direction == Direction::Down).collect();
        let hops = u8::try_from(links.len()).unwrap_or(u8::MAX);
        let again = self.dice.happens(self.duplication);
        let journey = Journey { node: index, direction, through, bytes, sent_at: now, hops, doubled: false };
        if again {
            let later = timing.hop_ms + self.dice.below(2_000);
            let echo = Journey {
                doubled: true,
                bytes: journey.bytes.clone(),
                through: journey.through.clone(),
                ..journey
            };
            self.enter(at + SignedDuration::from_millis(signed(later)), echo);
        }
        self.enter(at, journey);
        Ok(())
    }

    fn enter(&mut self, at: Timestamp, journey: Journey) {
        match self.nodes[journey.node].cell {
            Some(cell) => self.cells[cell].in_flight += 1,
            None => self.direct_in_flight += 1,
        }
        self.next += 1;
        self.journeys.insert((at, self.next), journey);
    }

    /// Whether a meter can send: powered, or within its hold-up time.
    fn may_send(&self, now: Timestamp, index: usize) -> bool {
        let node = &self.nodes[index];
        let held = |since: Timestamp| now.duration_since(since) <= SignedDuration::from_secs(HOLD_UP_S);
        node.radio && (node.powered || node.off_since.is_some_and(held))
    }

    /// The links between a meter and its collector, the meter's own first; `None` when there is no way.
    fn links_through_cell(
        &self,
        now: Timestamp,
        direction: Direction,
        index: usize,
        cell: usize,
    ) -> Option<Vec<(usize, f64)>> {
        let node = &self.nodes[index];
        if !self.cells[cell].alive || self.cells[cell].group != node.group || !self.may_send(now, index) {
            return None;
        }
        if node.technology == Technology::Ideal {
            return node.powered.then(|| vec![(index, 0.0)]);
        }
        if node.powered || direction == Direction::Down {
            return self.chain(index).filter(|_| node.powered);
        }
        self.last_gasp(index)
    }

    /// A dying meter calls once; the best-placed neighbour with power and a route carries the call on.
    fn last_gasp(&self, index: usize) -> Option<Vec<(usize, f64)>> {
        let node = &self.nodes[index];
        if let Some(signal) = node.root_signal {
            return Some(vec![(index, signal)]);
        }
        let carriers = node.links.iter().filter(|link| {
            let next = &self.nodes[link.to];
            next.cell == node.cell && next.alive() && next.group == node.group && next.route_cost.is_some()
        });
        let carrier = carriers.min_by_key(|link| (self.nodes[link.to].route_cost, link.to))?;
        let mut chain = vec![(index, carrier.signal_dbm)];
        chain.extend(self.chain(carrier.to)?);
        Some(chain)
    }

    /// Draws what happens on each link: repeats, delay, loss.
    fn reckon(
        &mut self,
        now: Timestamp,
        technology: Technology,
        links: &[(usize, f64)],
        bytes: usize,
    ) -> Reckoned {
        let timing = technology.timing();
        let noise_db = if technology == Technology::Plc { self.line_noise_db(now) } else { 0.0 };
        let mut reckoned = Reckoned { takes_us: 0, occupies_us: 0, arrives: !self.dice.happens(self.loss) };
        if timing.bits_per_s == 0 {
            return reckoned;
        }
        for (_, signal_dbm) in links {
            let success = medium::success(technology, *signal_dbm, noise_db);
            reckoned.arrives &= self.cross(timing, success, bytes, &mut reckoned.takes_us);
        }
        // Hops more than two apart do not disturb each other on the air; on a wire everybody hears all.
        let apart = if technology == Technology::Mesh { links.len().max(3) as u64 } else { 3 };
        reckoned.occupies_us = reckoned.takes_us * 3 / apart;
        reckoned
    }

    /// Sends every fragment over one link; adds the time it took and tells whether all got over.
    fn cross(&mut self, timing: Timing, success: f64, bytes: usize, takes_us: &mut u64) -> bool {
        let mut left = bytes;
        loop {
            let piece = left.min(timing.payload);
            let mut tries = 0;
            loop {
                tries += 1;
                *takes_us += timing.airtime_us(piece);
                if self.dice.happens(success) {
                    break;
                }
                if tries == timing.tries {
                    return false;
                }
                self.stats.repeats += 1;
                *takes_us += self.dice.below(timing.spread_ms * 1000);
            }
            left -= piece;
            if left == 0 {
                *takes_us += timing.hop_ms * 1000 + self.dice.below(timing.spread_ms * 1000);
                return true;
            }
        }
    }

    /// Waits for the cell's medium and takes it; gives the instant at which sending begins.
    fn occupy(&mut self, now: Timestamp, index: usize, occupies_us: u64) -> Timestamp {
        let Some(cell) = self.nodes[index].cell else { return now };
        let begins = self.cells[cell].busy_until.max(now);
        self.cells[cell].busy_until = begins + SignedDuration::from_micros(signed(occupies_us));
        begins
    }

    /// Noise on the power line above the usual: up to 6 dB in the evening, when kitchens are busy.
    fn line_noise_db(&self, now: Timestamp) -> f64 {
        let hour = now.as_second().div_euclid(3600).rem_euclid(24);
        let off = (hour - i64::from(self.noise_hour)).rem_euclid(24);
        match off.min(24 - off) {
            0 | 1 => 6.0,
            2 | 3 => 3.0,
            4 | 5 => 1.0,
            _ => 0.0,
        }
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX / 1_000_000)
}
