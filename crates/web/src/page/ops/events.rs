//! Rows of meter events, as the overview, the meter page and the live feed show them.

use crate::fmt::Words;
use crate::ui::{Icon, Tone, status};
use jiff::Timestamp;
use maud::{Markup, html};
use model::{ClockStatus, EventKind, MeterId};

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct EventRow {
    /// What tells it from others of its kind at its meter.
    pub(crate) key: String,
    /// When, in words.
    pub(crate) at: String,
    /// What.
    pub(crate) kind: EventKind,
    /// Where.
    pub(crate) meter: MeterId,
    /// The meter's serial number.
    pub(crate) serial: String,
    /// The address.
    pub(crate) address: String,
    /// What else there is to say.
    pub(crate) note: String,
}

/// How a kind of event looks.
pub(crate) const fn look(kind: EventKind) -> (Tone, Icon) {
    use EventKind as E;
    match kind {
        E::PowerFailed => (Tone::Bad, Icon::Bolt),
        E::PowerRestored => (Tone::Ok, Icon::Check),
        E::CoverOpened | E::MagneticTamper | E::ReverseRotation | E::LoginFailed => (Tone::Bad, Icon::Shield),
        E::SagStarted | E::SwellStarted => (Tone::Warn, Icon::Wave),
        E::SagStopped | E::SwellStopped => (Tone::Ok, Icon::Wave),
        E::ClockInvalid => (Tone::Warn, Icon::Clock),
        E::BatteryLow | E::DeviceError => (Tone::Warn, Icon::Warn),
        E::ClockSet => (Tone::Mute, Icon::Clock),
        E::Connected | E::Disconnected | E::ArmedForClosure => (Tone::Mute, Icon::Power),
        E::CoverClosed | E::Restarted => (Tone::Mute, Icon::Reads),
    }
}

/// What is worth saying of an event's time: whether its clock could be trusted and how late it came.
pub(crate) fn note(words: &Words, at: Timestamp, clock: ClockStatus, received: Timestamp) -> String {
    let late = received.as_second() - at.as_second();
    let mut notes = Vec::new();
    match clock {
        ClockStatus::Synchronised => {}
        ClockStatus::Doubtful => notes.push("The meter doubts its clock.".to_owned()),
        ClockStatus::Receipt => notes.push("Time of receipt; the meter gave none.".to_owned()),
    }
    if late >= 120 {
        notes.push(format!("Received {}.", words.stamp(received)));
    }
    notes.join(" ")
}

/// A row of the fleet's feed.
pub(crate) fn fleet_row(row: &EventRow) -> Markup {
    let (tone, sign) = look(row.kind);
    html! {
        tr role="row" {
            td.t role="cell" { (row.at) }
            td role="cell" { (status(tone, sign, row.kind.text())) }
            td role="cell" { a href=(format!("/ops/meters/{}", row.meter)) { (row.serial) } }
            td.det role="cell" { (row.address) }
            td.det.opt role="cell" { (row.note) }
        }
    }
}

/// The head of the fleet's feed.
pub(crate) fn fleet_head() -> Markup {
    html! {
        thead role="rowgroup" { tr role="row" {
            @for name in ["Time", "Event", "Meter", "Address"] { th role="columnheader" scope="col" { (name) } }
            th.opt role="columnheader" scope="col" { "Note" }
        } }
    }
}

/// A row of one meter's events.
pub(crate) fn meter_row(row: &EventRow) -> Markup {
    let (tone, sign) = look(row.kind);
    html! {
        tr role="row" {
            td.t role="cell" { (row.at) }
            td role="cell" { (status(tone, sign, row.kind.text())) }
            td.det role="cell" { (row.note) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn late_and_doubtful_events_say_so() {
        let words = Words { zone: TimeZone::UTC, now: "2026-07-14T12:00:00Z".parse().unwrap() };
        let at: Timestamp = "2026-07-14T11:00:00Z".parse().unwrap();
        let late: Timestamp = "2026-07-14T11:10:00Z".parse().unwrap();
        assert_eq!(note(&words, at, ClockStatus::Synchronised, at), "");
        assert_eq!(note(&words, at, ClockStatus::Synchronised, late), "Received 11:10:00.");
        assert!(
            note(&words, at, ClockStatus::Doubtful, late).starts_with("The meter doubts its clock. Received")
        );
    }

    #[test]
    fn names_in_a_row_are_escaped() {
        let row = EventRow {
            key: String::new(),
            at: "11:00:00".to_owned(),
            kind: EventKind::CoverOpened,
            meter: MeterId::new(7),
            serial: "<script>".to_owned(),
            address: "\"><img>".to_owned(),
            note: String::new(),
        };
        let html = fleet_row(&row).into_string();
        assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("style="));
    }
}
