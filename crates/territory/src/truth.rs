//! What truly happened, for checkers and for nobody else.

use crate::grid;
use crate::world::{QUARTER_S, World};
use jiff::Timestamp;
use model::{MeterId, TransformerId};

/// What flowed at a meter in a quarter hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterTruth {
    /// Start of the quarter hour.
    pub start: Timestamp,
    /// To the customer, mWh or millilitres.
    pub delivered_milli: i64,
    /// From the customer, mWh.
    pub received_milli: i64,
    /// Voltage while there was power, tenths of a volt; 0 for gas and water.
    pub voltage_dv: i64,
    /// Seconds with power, 900 for a whole quarter.
    pub powered_s: i64,
}

/// What flowed through a transformer in a quarter hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransformerTruth {
    /// Start of the quarter hour.
    pub start: Timestamp,
    /// Sum of its meters: delivered less received, mWh.
    pub meters_mwh: i64,
    /// Its own loss, mWh.
    pub losses_mwh: i64,
    /// What it took from the feeder, mWh: meters and losses.
    pub taken_mwh: i64,
}

/// Asks the world; see [`crate::Territory::truth`].
#[derive(Clone, Copy, Debug)]
pub struct Truth<'a> {
    pub(crate) world: &'a World,
}

impl Truth<'_> {
    /// What flows at `meter` in the quarter hour that holds `at`; `None` for a meter of elsewhere.
    ///
    /// Outages that begin later than the territory has been advanced to count only once they are planned.
    pub fn meter(&self, meter: MeterId, at: Timestamp) -> Option<MeterTruth> {
        let site = index(meter.get()).filter(|site| *site < self.world.sites.len())?;
        let quarter = self.world.quarter(at);
        let (delivered_milli, received_milli) = self.world.flow_milli(site, quarter);
        let end = Timestamp::from_second(quarter.start.as_second() + QUARTER_S).unwrap_or(at);
        let (voltage_dv, powered_s) = match self.world.sites[site].transformer {
            Some(iron) => {
                let bus = self.world.busbar(iron, quarter);
                let volts = bus.at_meter_dv(self.world.demand(site, quarter));
                (volts, self.world.powered_s(iron, quarter.start, end))
            }
            None => (0, QUARTER_S),
        };
        Some(MeterTruth { start: quarter.start, delivered_milli, received_milli, voltage_dv, powered_s })
    }

    /// What flows through `transformer` in the quarter hour that holds `at`.
    pub fn transformer(&self, transformer: TransformerId, at: Timestamp) -> Option<TransformerTruth> {
        let iron = index(transformer.get()).filter(|iron| *iron < self.world.irons.len())?;
        let quarter = self.world.quarter(at);
        let it = &self.world.irons[iron];
        let flows = it.sites.iter().map(|site| self.world.flow_milli(*site, quarter));
        let meters_mwh: i64 = flows.map(|(delivered, received)| delivered - received).sum();
        let end = Timestamp::from_second(quarter.start.as_second() + QUARTER_S).unwrap_or(at);
        let powered = self.world.powered_s(iron, quarter.start, end);
        let losses_mwh = grid::losses_wh(it.rated_kva, meters_mwh / 1000) * 1000 * powered / QUARTER_S;
        Some(TransformerTruth {
            start: quarter.start,
            meters_mwh,
            losses_mwh,
            taken_mwh: meters_mwh + losses_mwh,
        })
    }

    /// Times without power at a transformer, known so far.
    pub fn outages(&self, transformer: TransformerId) -> &[(Timestamp, Timestamp)] {
        let iron = index(transformer.get()).and_then(|iron| self.world.irons.get(iron));
        iron.map_or(&[], |iron| &iron.outages)
    }
}

/// The place in its list of something with an id that counts from 1.
fn index(id: u32) -> Option<usize> {
    usize::try_from(id).ok()?.checked_sub(1)
}
