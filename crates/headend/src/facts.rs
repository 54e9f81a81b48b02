//! What the head-end must know of a meter model to read it: which objects, which columns, which units.

use dlms::Obis;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use model::channel::{ChannelKind, Commodity};
use model::time::IntervalLength;
use model::unit::Unit;

/// What is read from meters of one model, and how it is to be understood.
#[derive(Clone, Debug)]
pub struct ModelFacts {
    /// What the meter measures.
    pub commodity: Commodity,
    /// The zone of the meter's clock, for times that come without a deviation.
    pub zone: TimeZone,
    /// The meter writes the deviation as local minus UTC, against the standard.
    pub deviation_inverted: bool,
    /// How long a meter that saves its battery listens after a push; `None` for one that always listens.
    /// Work for a sleeping meter waits for its next push.
    pub listens: Option<SignedDuration>,
    /// The clock, as a rule 0-0:1.0.0.255.
    pub clock: Obis,
    /// The load profile, if it has one.
    pub profile: Option<ProfileFacts>,
    /// Cumulative registers, total and time of use.
    pub registers: Vec<RegisterFacts>,
    /// Values of the moment, shown to whoever asked for a read and not kept.
    pub instantaneous: Vec<InstantaneousFacts>,
    /// The event log, if it has one.
    pub events: Option<EventLogFacts>,
    /// What tells who it is and how it counts; `None` is never asked.
    pub identity: Option<IdentityFacts>,
}

/// What a meter tells of itself. What it has not is passed over.
///
/// Standard: IEC 62056-6-1, object identification of abstract and electricity objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdentityFacts {
    /// The serial number, as a rule 0-0:96.1.0.255.
    pub serial: Obis,
    /// The ratio of the current transformers, as a rule 1-0:0.4.2.255.
    pub current_ratio: Obis,
    /// The ratio of the voltage transformers, as a rule 1-0:0.4.3.255.
    pub voltage_ratio: Obis,
}

impl IdentityFacts {
    /// The objects of the standard.
    pub const STANDARD: Self = Self {
        serial: Obis::new(0, 0, 96, 1, 0, 255),
        current_ratio: Obis::new(1, 0, 0, 4, 2, 255),
        voltage_ratio: Obis::new(1, 0, 0, 4, 3, 255),
    };
}

/// A load profile. Its entries carry the end of their interval.
#[derive(Clone, Debug)]
pub struct ProfileFacts {
    /// Its logical name, as a rule 1-0:99.1.0.255.
    pub object: Obis,
    /// Length of every interval.
    pub interval: IntervalLength,
    /// Its columns in their order.
    pub columns: Vec<Column>,
}

/// A column of a load profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The clock at the end of the interval.
    Clock,
    /// The status byte of [`model::reading::status`].
    Status,
    /// A channel.
    Channel {
        /// Which.
        kind: ChannelKind,
        /// Decimal exponent of its values.
        scaler: i8,
        /// Their unit.
        unit: Unit,
        /// The column holds the register at the end of the interval, not what flowed in it.
        cumulative: bool,
    },
    /// Something nobody asks for.
    Ignored,
}

/// A cumulative register.
#[derive(Clone, Copy, Debug)]
pub struct RegisterFacts {
    /// Its interface class: 3 register, 4 extended register, 1 data. Attribute 2 is read.
    pub class: u16,
    /// Its logical name.
    pub object: Obis,
    /// The channel it accumulates.
    pub kind: ChannelKind,
    /// Time-of-use register 1 to 4, or 0 for the total.
    pub tou: u8,
    /// Decimal exponent.
    pub scaler: i8,
    /// Unit.
    pub unit: Unit,
}

/// A value of the moment.
#[derive(Clone, Debug)]
pub struct InstantaneousFacts {
    /// Its interface class, as for a register.
    pub class: u16,
    /// Its logical name.
    pub object: Obis,
    /// What a person calls it.
    pub name: String,
    /// Decimal exponent.
    pub scaler: i8,
    /// Unit.
    pub unit: Unit,
}

/// An event log: a profile of clock, code and running number.
#[derive(Clone, Debug)]
pub struct EventLogFacts {
    /// Its logical name, as a rule 0-0:99.98.0.255.
    pub object: Obis,
    /// Its columns in their order.
    pub columns: Vec<EventColumn>,
}

/// A column of an event log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventColumn {
    /// When it happened.
    Clock,
    /// What: [`model::event::EventKind::log_code`].
    Code,
    /// The meter's running number of events.
    Sequence,
    /// Something nobody asks for.
    Ignored,
}

impl ProfileFacts {
    /// Whether entry `i` can only be understood beside entry `i - 1`.
    pub(crate) fn has_cumulative(&self) -> bool {
        self.columns.iter().any(|column| matches!(column, Column::Channel { cumulative: true, .. }))
    }

    /// Whether one of its columns is the channel `kind`.
    pub fn has(&self, kind: ChannelKind) -> bool {
        self.columns.iter().any(|column| matches!(column, Column::Channel { kind: own, .. } if *own == kind))
    }
}
