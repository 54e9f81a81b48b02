//! The feeder as physics: what each meter's voltage is and what a transformer loses.
//!
//! Whole numbers throughout: Wh of a quarter hour and tenths of a volt.

use crate::chance::{Purpose, around};
use crate::loads::Flow;

/// Standing loss of a transformer, Wh a quarter hour.
const STANDING_WH: i64 = 24;
/// Loss of a 50 kVA transformer at full load, Wh a quarter hour.
const FULL_LOAD_LOSS_WH: i64 = 150;

/// What is the same for all meters of a transformer in one quarter hour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Busbar {
    /// Voltage at the transformer's low side, tenths of a volt.
    volts_dv: i64,
}

/// The low side of a transformer whose meters together take `net_wh`.
pub(crate) fn busbar(
    seed: u64,
    nominal_v: u16,
    (feeder, transformer, rated_kva): (u32, usize, u32),
    quarter: i64,
    net_wh: i64,
) -> Busbar {
    let nominal_dv = i64::from(nominal_v) * 10;
    let index = |a: i64, b: i64| a.unsigned_abs().wrapping_mul(1_000_003).wrapping_add(b.unsigned_abs());
    let feeder = i64::from(feeder);
    // The feeder's own voltage wanders by the hour, half a percent; and a little by the quarter.
    let wander = around(seed, Purpose::Voltage, index(quarter / 4, feeder), nominal_dv / 200)
        + around(seed, Purpose::Voltage, index(quarter, feeder + 1_000), nominal_dv / 600);
    let tap = around(
        seed,
        Purpose::Voltage,
        index(i64::try_from(transformer).unwrap_or(0), 7_777),
        nominal_dv / 125,
    );
    // 2.5 % drop at rated power.
    let watts = net_wh * 4;
    let drop = watts * nominal_dv * 25 / (i64::from(rated_kva).max(1) * 1_000_000);
    Busbar { volts_dv: nominal_dv + wander + tap - drop }
}

impl Busbar {
    /// The voltage at a meter with this flow: 1 % drop, or rise, at 10 kW over its service line.
    pub(crate) fn at_meter_dv(self, flow: Flow) -> i64 {
        let watts = (flow.delivered - flow.received) * 4;
        self.volts_dv - watts * self.volts_dv / 1_000_000
    }
}

/// What a transformer loses in a quarter hour in which its meters together take `net_wh`.
pub(crate) fn losses_wh(rated_kva: u32, net_wh: i64) -> i64 {
    let full_wh = i64::from(rated_kva).max(1) * 250;
    STANDING_WH + net_wh.saturating_mul(net_wh) / full_wh * FULL_LOAD_LOSS_WH / full_wh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_pulls_down_and_panels_push_up() {
        let bus = |net| busbar(1, 240, (1, 3, 50), 1_000_000, net);
        assert!(bus(10_000).volts_dv < bus(0).volts_dv);
        assert!(bus(-5_000).volts_dv > bus(0).volts_dv);
        let meter = |delivered, received| bus(0).at_meter_dv(Flow { delivered, received });
        assert!(meter(1_000, 0) < meter(0, 0) && meter(0, 1_000) > meter(0, 0));
    }

    #[test]
    fn losses_grow_with_the_square() {
        assert_eq!(losses_wh(50, 0), STANDING_WH);
        assert_eq!(losses_wh(50, 12_500), STANDING_WH + FULL_LOAD_LOSS_WH);
        assert_eq!(losses_wh(50, -6_250) - STANDING_WH, (losses_wh(50, 12_500) - STANDING_WH) / 4);
    }

    #[test]
    fn voltage_stays_in_the_band_under_ordinary_load() {
        for transformer in 0..50 {
            for quarter in 0..500 {
                let volts = busbar(9, 240, (1, transformer, 50), quarter, 6_000)
                    .at_meter_dv(Flow { delivered: 800, received: 0 });
                assert!((2280..=2520).contains(&volts), "{volts}");
            }
        }
    }
}
