//! What meters report besides numbers.

use crate::id::MeterId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether the clock that stamped something could be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockStatus {
    /// Synchronised.
    Synchronised,
    /// The meter itself doubts its clock, or never had it set.
    Doubtful,
    /// No meter time was given; the head-end's time of receipt stands in.
    Receipt,
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $log:literal, $text:literal;)*) => {
        /// A kind of meter event.
        ///
        /// Standard: IEC 61968-9 EndDeviceEventType for [`EventKind::cim_code`]; the small number of
        /// [`EventKind::log_code`] is what Wattle's own meter profiles write into their event log.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum EventKind {$($(#[$doc])* $name),*}

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// `deviceType.domain.subDomain.eventOrAction`.
            pub const fn cim_code(self) -> &'static str {
                match self {$(Self::$name => $code),*}
            }

            /// The code in a meter's event log (0-0:96.11.0); never renumbered.
            pub const fn log_code(self) -> u8 {
                match self {$(Self::$name => $log),*}
            }

            /// In words, for a table.
            pub const fn text(self) -> &'static str {
                match self {$(Self::$name => $text),*}
            }

            /// The kind of a log code.
            pub fn from_log_code(code: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.log_code() == code)
            }
        }
    };
}

events! {
    /// Power failed; sent as a last gasp when there was time.
    PowerFailed = "3.26.0.85", 1, "Power failed";
    /// Power is back.
    PowerRestored = "3.26.0.216", 2, "Power restored";
    /// The clock was set.
    ClockSet = "3.36.114.24", 4, "Clock set";
    /// The clock is not trusted.
    ClockInvalid = "3.36.0.79", 6, "Clock not trusted";
    /// The supply relay closed.
    Connected = "3.31.0.42", 60, "Connected";
    /// The supply relay opened.
    Disconnected = "3.31.0.68", 59, "Disconnected";
    /// The relay waits for somebody to press the button.
    ArmedForClosure = "3.31.0.11", 61, "Armed for closure";
    /// The meter cover was opened.
    CoverOpened = "3.12.29.39", 44, "Cover opened";
    /// The meter cover was closed.
    CoverClosed = "3.12.29.16", 45, "Cover closed";
    /// A magnet was held to the meter.
    MagneticTamper = "3.12.66.257", 42, "Magnetic tamper";
    /// Energy ran backwards.
    ReverseRotation = "3.12.93.219", 91, "Reverse rotation";
    /// Somebody failed to authenticate.
    LoginFailed = "3.12.65.38", 46, "Unauthorised login";
    /// Voltage fell below its limit.
    SagStarted = "3.26.38.223", 76, "Voltage sag started";
    /// Voltage is above its lower limit again.
    SagStopped = "3.26.38.224", 77, "Voltage sag ended";
    /// Voltage rose above its limit.
    SwellStarted = "3.26.38.248", 78, "Voltage swell started";
    /// Voltage is below its upper limit again.
    SwellStopped = "3.26.38.249", 79, "Voltage swell ended";
    /// The battery is nearly empty.
    BatteryLow = "3.2.0.150", 7, "Battery low";
    /// The meter restarted.
    Restarted = "3.26.0.278", 3, "Restarted";
    /// A memory or processor check failed.
    DeviceError = "3.18.0.79", 12, "Device error";
}

/// Something that happened at a meter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterEvent {
    /// Where.
    pub meter: MeterId,
    /// What.
    pub kind: EventKind,
    /// When, by the meter's clock or, without one, by receipt.
    pub at: Timestamp,
    /// Whether `at` can be trusted.
    pub clock: ClockStatus,
    /// The meter's own counter of events: order and holes are visible.
    pub seq: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        for (index, kind) in EventKind::ALL.iter().enumerate() {
            assert_eq!(EventKind::from_log_code(kind.log_code()), Some(*kind));
            assert!(EventKind::ALL[..index].iter().all(|other| other.cim_code() != kind.cim_code()));
        }
    }
}
