//! Things happen: power goes and comes, voltage leaves its limits, faults strike; the log takes note.

use super::Works;
use crate::fault::{Fault, alarm_bit};
use crate::model_file::Supply;
use crate::push::{Due, DueKind};
use crate::rows::EventRow;
use model::EventKind;
use model::reading::status;

/// How long a restart takes, milliseconds.
const RESTART_MS: i64 = 30_000;
/// How long a tampered cover stays open, milliseconds.
const COVER_OPEN_MS: i64 = 600_000;
/// A failed login is logged at most this often, so that nobody can flush the log, milliseconds.
const LOGIN_EVENT_MS: i64 = 60_000;
/// After a power failure meters of a street report back within this many seconds.
const RESTORE_SPREAD_S: u32 = 60;
/// More that is owed than this and the oldest is dropped.
const MOST_DUE: usize = 64;

impl Works {
    /// Power goes or comes at the time reached. A meter with a battery does not notice.
    pub(crate) fn set_power(&mut self, on: bool) {
        if on == self.powered || matches!(self.model.supply, Supply::Battery { .. }) {
            return;
        }
        self.mark(status::POWER_FAIL | status::PARTIAL);
        if on {
            self.powered = true;
            self.silent_until_ms = self.silent_until_ms.min(self.at_ms);
            self.watch_voltage();
            self.note(EventKind::PowerRestored);
        } else {
            self.failed_ms = self.at_ms;
            self.power_failures += 1;
            self.limiter.over_since_ms = None;
            self.lose_sessions = true;
            self.note(EventKind::PowerFailed);
            self.powered = false;
        }
    }

    /// Writes a line of the log, raises the alarm, and owes a push if the model sends such events at once.
    pub(crate) fn note(&mut self, kind: EventKind) {
        self.event_number += 1;
        let row = EventRow {
            at_s: self.shown_ms().div_euclid(1000),
            code: kind.log_code(),
            number: self.event_number,
        };
        row.push_to(&mut self.log);
        self.alarms |= alarm_bit(kind);
        if !self.model.alarms.contains(&kind) {
            return;
        }
        let hold_up_s = match self.model.supply {
            Supply::Mains { hold_up_s } => hold_up_s,
            Supply::Battery { .. } => 0,
        };
        match kind {
            EventKind::PowerFailed if hold_up_s == 0 => {}
            EventKind::PowerRestored => {
                let at_ms = self.at_ms + 1_000 + self.spread_ms(RESTORE_SPREAD_S);
                self.owe(Due { at_ms, kind: DueKind::Event(row) });
            }
            _ => self.owe(Due { at_ms: self.at_ms, kind: DueKind::Event(row) }),
        }
    }

    /// Something to be sent, unless too much waits already.
    pub(crate) fn owe(&mut self, due: Due) {
        while self.due.len() >= MOST_DUE {
            self.due.pop_front();
        }
        self.due.push_back(due);
    }

    /// Somebody failed to log in, or forged a message.
    pub(crate) fn login_failed(&mut self) {
        if self.at_ms.saturating_sub(self.last_login_event_ms) >= LOGIN_EVENT_MS {
            self.last_login_event_ms = self.at_ms;
            self.note(EventKind::LoginFailed);
        }
    }

    /// Sag and swell begin and end.
    pub(super) fn watch_voltage(&mut self) {
        let (Some(limits), mv) = (self.model.voltage, self.voltage_mv()) else { return };
        if !self.powered || mv == 0 {
            return;
        }
        let (sags, swells) = (mv < limits.sag_mv, mv > limits.swell_mv);
        if sags != self.sagging {
            self.sagging = sags;
            self.note(if sags { EventKind::SagStarted } else { EventKind::SagStopped });
        }
        if swells != self.swelling {
            self.swelling = swells;
            self.note(if swells { EventKind::SwellStarted } else { EventKind::SwellStopped });
        }
    }

    /// Faults whose instant has come.
    pub(super) fn strike(&mut self) {
        if self.struck_ms >= self.at_ms {
            return;
        }
        let (after_ms, now_ms) = (self.struck_ms, self.at_ms);
        self.struck_ms = now_ms;
        for index in 0..self.faults.len() {
            let fault = self.faults[index];
            let strikes = fault.strikes_at().is_some_and(|at| {
                let at = at.as_millisecond();
                at > after_ms && at <= now_ms
            });
            if !strikes || !self.powered {
                continue;
            }
            match fault {
                Fault::Reboot { .. } => {
                    self.lose_sessions = true;
                    self.silent_until_ms = now_ms + RESTART_MS;
                    self.note(EventKind::Restarted);
                }
                Fault::ReplayedCounter { .. } => self.counter_falls = true,
                Fault::Tamper { kind, .. } => {
                    if kind == EventKind::CoverOpened {
                        self.cover_closes_ms = Some(now_ms + COVER_OPEN_MS);
                    }
                    self.note(kind);
                }
                _ => {}
            }
        }
    }
}
