//! What the rules must know of a channel besides its values.

use jiff::Timestamp;
use model::{ChannelKind, CustomerClass, IntervalLength};

/// The configured facts of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What it measures.
    pub kind: ChannelKind,
    /// The configured interval.
    pub interval: IntervalLength,
    /// The register value, in the stored unit, at which it starts again from zero; 10^dials.
    pub modulus: Option<i64>,
    /// The step of the register in the stored unit: 1 Wh, 10 Wh, 1 litre.
    pub resolution: i64,
    /// The most the service can carry, watts (amperes times volts times phases).
    pub rating_w: Option<i64>,
    /// Nominal voltage, tenths of a volt.
    pub nominal_dv: Option<i64>,
    /// Whether generation behind the meter is on file.
    pub generation: bool,
    /// Who is supplied.
    pub class: CustomerClass,
    /// Whether nobody is supplied at present.
    pub vacant: bool,
    /// Latitude and longitude, millionths of a degree, north and east positive.
    pub position: Option<(i32, i32)>,
    /// What a value as read must be multiplied with: current times voltage transformer ratio.
    pub multiplier: u32,
    /// How many bits the pulse counter of an interval has.
    pub counter_bits: Option<u8>,
    /// Since when the meter is there.
    pub installed: Option<Timestamp>,
    /// Since when it is not any more.
    pub removed: Option<Timestamp>,
    /// Up to where bills are out.
    pub billed_to: Option<Timestamp>,
}

impl Facts {
    /// A channel of which only kind and interval are known: no rollover, resolution 1, no rating.
    pub const fn new(kind: ChannelKind, interval: IntervalLength) -> Self {
        Self {
            kind,
            interval,
            modulus: None,
            resolution: 1,
            rating_w: None,
            nominal_dv: None,
            generation: false,
            class: CustomerClass::Residential,
            vacant: false,
            position: None,
            multiplier: 1,
            counter_bits: None,
            installed: None,
            removed: None,
            billed_to: None,
        }
    }
}

/// The cumulative total register at an instant, in the channel's stored unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// The instant the value belongs to, UTC.
    pub at: Timestamp,
    /// The value, multiplier applied.
    pub value: i64,
}

/// A verified time without supply: power was off, or the relay was open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Its first instant.
    pub from: Timestamp,
    /// Its end, exclusive.
    pub to: Timestamp,
}

impl Outage {
    /// Whether the whole interval `[from, to)` was without supply.
    pub fn covers(&self, from: Timestamp, to: Timestamp) -> bool {
        self.from <= from && to <= self.to
    }
}

/// How a register moved between two reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// Forward by so much.
    Forward(i64),
    /// Forward by so much, through zero.
    RolledOver(i64),
    /// Backward by so much: no rollover explains it.
    Backward(i64),
}

impl Advance {
    /// The consumption, if the register moved forward.
    pub const fn consumption(self) -> Option<i64> {
        match self {
            Self::Forward(delta) | Self::RolledOver(delta) => Some(delta),
            Self::Backward(_) => None,
        }
    }
}

/// How a register moved from `start` to `end`, given where it rolls over.
///
/// A smaller end value is a rollover only if that makes the consumption at most half of the register's
/// range; otherwise the register went backward (an exchange, a reset, a wrong channel).
///
/// ```
/// use vee::{Advance, register_advance};
/// assert_eq!(register_advance(99_990, 15, Some(100_000)), Advance::RolledOver(25));
/// assert_eq!(register_advance(500, 400, Some(100_000)), Advance::Backward(100));
/// ```
pub fn register_advance(start: i64, end: i64, modulus: Option<i64>) -> Advance {
    if end >= start {
        return Advance::Forward(end.saturating_sub(start));
    }
    if let Some(modulus) = modulus {
        let delta = end.saturating_sub(start).saturating_add(modulus);
        if delta >= 0 && delta <= modulus / 2 {
            return Advance::RolledOver(delta);
        }
    }
    Advance::Backward(start.saturating_sub(end))
}
