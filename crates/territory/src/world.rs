//! What truly happens at every service point: load, voltage, and when there is no power.
//!
//! All of it is a function of the time, so nothing has to be remembered and any time may be asked for.

use crate::calendar::{self, Slot};
use crate::daylight;
use crate::grid::{self, Busbar};
use crate::loads::{Flow, Load};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The step of the world.
pub(crate) const QUARTER_S: i64 = 900;

/// Where a meter measures.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) load: Load,
    pub(crate) transformer: Option<usize>,
}

/// A transformer as physics.
#[derive(Debug)]
pub(crate) struct Iron {
    pub(crate) feeder: u32,
    pub(crate) rated_kva: u32,
    pub(crate) sites: Vec<usize>,
    /// Times without power, in order, half-open.
    pub(crate) outages: Vec<(Timestamp, Timestamp)>,
}

/// The physics of a territory.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) zone: TimeZone,
    /// Where the town lies, millionths of a degree.
    pub(crate) place_e6: (i32, i32),
    pub(crate) nominal_v: u16,
    pub(crate) sites: Vec<Site>,
    pub(crate) irons: Vec<Iron>,
}

/// One quarter hour that many questions are about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quarter {
    pub(crate) start: Timestamp,
    pub(crate) slot: Slot,
}

impl World {
    /// The quarter hour that holds `at`.
    pub(crate) fn quarter(&self, at: Timestamp) -> Quarter {
        let second = at.as_second().div_euclid(QUARTER_S) * QUARTER_S;
        let start = Timestamp::from_second(second).unwrap_or(at);
        let mut slot = calendar::slot(start, &self.zone);
        let within = i64::try_from(slot.solar_quarter % 4).unwrap_or(0);
        slot.lit = daylight::lit(self.place_e6, second - within * QUARTER_S);
        Quarter { start, slot }
    }

    /// The quarter hours that begin in `[from, to)`, from the one that holds `from` on.
    pub(crate) fn quarters(&self, from: Timestamp, to: Timestamp) -> Vec<Quarter> {
        let first = from.as_second().div_euclid(QUARTER_S) * QUARTER_S;
        let seconds = (first..to.as_second()).step_by(usize::try_from(QUARTER_S).unwrap_or(900));
        seconds.map(|second| self.quarter(Timestamp::from_second(second).unwrap_or(from))).collect()
    }

    /// What would flow at a site in each of some quarter hours.
    pub(crate) fn flows(&self, site: usize, quarters: &[Quarter]) -> Vec<Flow> {
        quarters.iter().map(|quarter| self.demand(site, *quarter)).collect()
    }

    /// What would flow at a site with power all the time.
    pub(crate) fn demand(&self, site: usize, quarter: Quarter) -> Flow {
        self.sites[site].load.flow(quarter.slot)
    }

    /// The low side of a transformer under what its sites ask for.
    pub(crate) fn busbar(&self, iron: usize, quarter: Quarter) -> Busbar {
        let net = self.irons[iron].sites.iter().map(|site| self.demand(*site, quarter));
        self.busbar_under(iron, quarter, net.map(|flow| flow.delivered - flow.received).sum())
    }

    /// The same where the sum is known already.
    pub(crate) fn busbar_under(&self, iron: usize, quarter: Quarter, net_wh: i64) -> Busbar {
        let it = &self.irons[iron];
        let number = quarter.start.as_second().div_euclid(QUARTER_S);
        grid::busbar(self.seed, self.nominal_v, (it.feeder, iron, it.rated_kva), number, net_wh)
    }

    /// Seconds with power of `[from, to)` at a transformer.
    pub(crate) fn powered_s(&self, iron: usize, from: Timestamp, to: Timestamp) -> i64 {
        let span = (from.as_second(), to.as_second());
        let dark: i64 = self.irons[iron]
            .outages
            .iter()
            .map(|(off, on)| (on.as_second().min(span.1) - off.as_second().max(span.0)).max(0))
            .sum();
        (span.1 - span.0 - dark).max(0)
    }

    /// What truly flows at a site in a quarter hour, in thousandths, both ways: demand while there is power.
    ///
    /// Each powered stretch counts what had flowed by its end less what had flowed by its beginning, of an even
    /// flow, rounded down; a meter reckons the same way, so both agree to the last thousandth.
    pub(crate) fn flow_milli(&self, site: usize, quarter: Quarter) -> (i64, i64) {
        let flow = self.demand(site, quarter);
        let (delivered, received) = (flow.delivered * 1000, flow.received * 1000);
        let Some(iron) = self.sites[site].transformer else { return (delivered, received) };
        let start = quarter.start.as_second();
        let mut lost = (0, 0);
        for (off, on) in &self.irons[iron].outages {
            let past = |at: Timestamp| (at.as_second() - start).clamp(0, QUARTER_S);
            let (from, to) = (past(*off), past(*on));
            lost.0 += delivered * to / QUARTER_S - delivered * from / QUARTER_S;
            lost.1 += received * to / QUARTER_S - received * from / QUARTER_S;
        }
        (delivered - lost.0, received - lost.1)
    }
}
