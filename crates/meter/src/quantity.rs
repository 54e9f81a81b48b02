//! What a meter can tell, and in which base unit the meter itself counts it.

use model::Unit;
use serde::Deserialize;

/// One thing that a register or a profile column of a meter model shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Energy delivered to the customer, all rates, Wh.
    Import,
    /// Energy delivered at rate 1, Wh.
    ImportRate1,
    /// Energy delivered at rate 2, Wh.
    ImportRate2,
    /// Energy delivered at rate 3, Wh.
    ImportRate3,
    /// Energy delivered at rate 4, Wh.
    ImportRate4,
    /// Energy received from the customer, all rates, Wh.
    Export,
    /// Energy received at rate 1, Wh.
    ExportRate1,
    /// Energy received at rate 2, Wh.
    ExportRate2,
    /// Energy received at rate 3, Wh.
    ExportRate3,
    /// Energy received at rate 4, Wh.
    ExportRate4,
    /// Volume delivered, litres.
    Volume,
    /// Power delivered now, W.
    ImportPower,
    /// Power received now, W.
    ExportPower,
    /// Voltage now, mV.
    Voltage,
    /// Current now, mA.
    Current,
    /// Energy delivered in the last complete interval, Wh.
    IntervalImport,
    /// Energy received in the last complete interval, Wh.
    IntervalExport,
    /// Average voltage of the last complete interval, tenths of a volt.
    IntervalVoltage,
    /// Volume of the last complete interval, litres.
    IntervalVolume,
    /// The clock.
    Clock,
    /// Status byte of the last complete interval.
    Status,
    /// Code of the last event.
    EventCode,
    /// Running number of the last event.
    EventNumber,
    /// How often power failed.
    PowerFailures,
    /// Error register; 0 is healthy.
    Errors,
    /// Alarm register; bits stay until written to 0.
    Alarms,
    /// Remaining life of the battery, percent.
    Battery,
}

impl Quantity {
    /// The unit and decimal exponent in which the meter counts it.
    pub const fn base(self) -> (Unit, i8) {
        match self {
            Self::ImportPower | Self::ExportPower => (Unit::Watt, 0),
            Self::Voltage => (Unit::Volt, -3),
            Self::Current => (Unit::Ampere, -3),
            Self::IntervalVoltage => (Unit::Volt, -1),
            Self::Volume | Self::IntervalVolume => (Unit::CubicMetre, -3),
            Self::Clock
            | Self::Status
            | Self::EventCode
            | Self::EventNumber
            | Self::PowerFailures
            | Self::Errors
            | Self::Alarms
            | Self::Battery => (Unit::Count, 0),
            _ => (Unit::WattHour, 0),
        }
    }

    /// Place of a cumulative register in a daily row: total first, then rates 1 to 4.
    pub(crate) const fn register(self) -> Option<(Direction, usize)> {
        Some(match self {
            Self::Import | Self::Volume => (Direction::Delivered, 0),
            Self::ImportRate1 => (Direction::Delivered, 1),
            Self::ImportRate2 => (Direction::Delivered, 2),
            Self::ImportRate3 => (Direction::Delivered, 3),
            Self::ImportRate4 => (Direction::Delivered, 4),
            Self::Export => (Direction::Received, 0),
            Self::ExportRate1 => (Direction::Received, 1),
            Self::ExportRate2 => (Direction::Received, 2),
            Self::ExportRate3 => (Direction::Received, 3),
            Self::ExportRate4 => (Direction::Received, 4),
            _ => return None,
        })
    }

    /// Whether it is a value of an interval, as a profile column holds it.
    pub(crate) const fn is_interval(self) -> bool {
        matches!(
            self,
            Self::IntervalImport
                | Self::IntervalExport
                | Self::IntervalVoltage
                | Self::IntervalVolume
                | Self::Clock
                | Self::Status
        )
    }

    /// Whether it is a value of an event, as a column of the event log holds it.
    pub(crate) const fn is_of_event(self) -> bool {
        matches!(self, Self::Clock | Self::EventCode | Self::EventNumber)
    }
}

/// Which way something flows through the meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// To the customer.
    Delivered,
    /// From the customer.
    Received,
}

/// The type of an integer on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wire {
    /// unsigned, 1 byte.
    U8,
    /// long-unsigned, 2 bytes.
    U16,
    /// double-long-unsigned, 4 bytes.
    U32,
    /// long64-unsigned, 8 bytes.
    U64,
    /// long, 2 bytes.
    I16,
    /// double-long, 4 bytes.
    I32,
}

impl Wire {
    /// How many bits a count has on it; `None` for types with a sign, which are no counters.
    pub const fn counter_bits(self) -> Option<u8> {
        match self {
            Self::U8 => Some(8),
            Self::U16 => Some(16),
            Self::U32 => Some(32),
            // A full one is beyond what values are kept in; it never fills up.
            Self::U64 | Self::I16 | Self::I32 => None,
        }
    }
}
