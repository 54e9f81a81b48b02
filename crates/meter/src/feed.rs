//! What the world sends through a meter.

use jiff::Timestamp;
use model::{Energy, Voltage};

/// What flows, evenly, in `[from, to)` while there is power and the relay is closed.
///
/// ```text
/// from                                   to
///   |== delivered, received, evenly ======|
///   |........ now: a share of it .........
/// ```
///
/// It may be given to the meter at `from`, as a plan for the time to come, or at `to`, as what has happened: the
/// meter takes from it what belongs to the time it is advanced to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Start, inclusive.
    pub from: Timestamp,
    /// End, exclusive.
    pub to: Timestamp,
    /// To the customer: mWh, or millilitres.
    pub delivered_milli: i64,
    /// From the customer: mWh.
    pub received_milli: i64,
    /// Voltage at the meter; of no meaning for gas and water.
    pub voltage: Voltage,
}

impl Feed {
    /// Energy both ways at a voltage.
    pub const fn electricity(
        from: Timestamp,
        to: Timestamp,
        import: Energy,
        export: Energy,
        voltage: Voltage,
    ) -> Self {
        Self { from, to, delivered_milli: import.mwh(), received_milli: export.mwh(), voltage }
    }

    /// A volume in millilitres.
    pub const fn volume(from: Timestamp, to: Timestamp, millilitres: i64) -> Self {
        Self { from, to, delivered_milli: millilitres, received_milli: 0, voltage: Voltage::ZERO }
    }

    /// Nothing flows; no voltage is known.
    pub(crate) const fn nothing(at: Timestamp) -> Self {
        Self::volume(at, at, 0)
    }

    /// What flows in `[from_ms, to_ms)`, both ways; a sum over adjoining spans is exact.
    pub(crate) fn share(&self, from_ms: i64, to_ms: i64) -> (i64, i64) {
        let (start, end) = (self.from.as_millisecond(), self.to.as_millisecond());
        let length = i128::from(end - start);
        let until = |milli: i64, at: i64| {
            if length <= 0 {
                return 0;
            }
            let past = i128::from(at.clamp(start, end) - start);
            i64::try_from(i128::from(milli) * past / length).unwrap_or(0)
        };
        let part = |milli| until(milli, to_ms) - until(milli, from_ms);
        (part(self.delivered_milli.max(0)), part(self.received_milli.max(0)))
    }

    /// Power now, W, both ways.
    pub(crate) fn power_w(&self, at_ms: i64) -> (i64, i64) {
        let (start, end) = (self.from.as_millisecond(), self.to.as_millisecond());
        if at_ms < start || at_ms >= end {
            return (0, 0);
        }
        let watts = |milli: i64| {
            i64::try_from(i128::from(milli.max(0)) * 3600 / i128::from(end - start)).unwrap_or(i64::MAX)
        };
        (watts(self.delivered_milli), watts(self.received_milli))
    }
}
