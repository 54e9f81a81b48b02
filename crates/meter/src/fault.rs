//! What can be wrong with a meter.

use jiff::Timestamp;
use model::EventKind;

/// A defect or a deed that a virtual meter shows from some instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The clock gains (or, negative, loses) this much, parts per million.
    ClockDrift {
        /// 100 is 8.6 s a day.
        ppm: i32,
    },
    /// Every scaler the meter tells is too high by this much; the integers are right.
    WrongScaler {
        /// 1 makes readings ten times too big.
        by: i8,
    },
    /// The total register of energy or volume delivered stops; profile and rates go on.
    StuckRegister {
        /// Since when.
        from: Timestamp,
    },
    /// The processor restarts: associations are gone, and for half a minute nobody answers.
    Reboot {
        /// When.
        at: Timestamp,
    },
    /// The own invocation counter falls back by 100, as when a save was lost.
    ReplayedCounter {
        /// When.
        at: Timestamp,
    },
    /// Somebody tampers: an event is logged and an alarm raised; a cover is closed again after ten minutes.
    Tamper {
        /// When.
        at: Timestamp,
        /// [`EventKind::CoverOpened`], [`EventKind::MagneticTamper`] or [`EventKind::ReverseRotation`].
        kind: EventKind,
    },
    /// Only a part of what is delivered is measured.
    Theft {
        /// Since when.
        from: Timestamp,
        /// How much is measured, percent.
        measured_percent: u8,
    },
    /// The radio is broken: nothing comes in or out; measuring goes on.
    DeadRadio {
        /// Since when.
        from: Timestamp,
    },
}

impl Fault {
    /// The instant at which it makes something happen once.
    pub(crate) const fn strikes_at(self) -> Option<Timestamp> {
        match self {
            Self::Reboot { at } | Self::ReplayedCounter { at } | Self::Tamper { at, .. } => Some(at),
            _ => None,
        }
    }
}

/// Bits of the alarm register.
pub(crate) fn alarm_bit(kind: EventKind) -> u32 {
    match kind {
        EventKind::PowerFailed => 1,
        EventKind::ClockInvalid => 1 << 1,
        EventKind::BatteryLow => 1 << 2,
        EventKind::DeviceError => 1 << 3,
        EventKind::CoverOpened => 1 << 8,
        EventKind::MagneticTamper => 1 << 9,
        EventKind::ReverseRotation => 1 << 10,
        EventKind::LoginFailed => 1 << 11,
        _ => 0,
    }
}
