//! What a meter sends unasked, and when.

use crate::rows::EventRow;

/// Why a push was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PushKind {
    /// Power failed; sent with the last charge of a capacitor.
    LastGasp,
    /// Power is back.
    Restored,
    /// Another event.
    Alarm,
    /// Rows of the load profile.
    Profile,
    /// A client asked for it.
    Asked,
}

/// A protected data-notification that leaves the meter now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// General-glo-ciphering around a data-notification.
    pub apdu: Vec<u8>,
    /// Why.
    pub kind: PushKind,
    /// The client service access point it is for.
    pub client_sap: u16,
}

/// What will be pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// True time, Unix milliseconds.
    pub(crate) at_ms: i64,
    pub(crate) kind: DueKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DueKind {
    /// Rows of the load profile whose end is in `(after_s, to_s]`.
    Rows { after_s: i64, to_s: i64 },
    /// An event.
    Event(EventRow),
    /// The last row, because a client asked.
    Asked,
}
