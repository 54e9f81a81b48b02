//! What clients write and call.

use crate::image;
use crate::objects::{
    CLOCK, DISCONNECT_SCRIPTS, IMAGE_TRANSFER, LIMITER, PUSH_ALARM, PUSH_PROFILE, PUSH_SCRIPTS,
};
use crate::push::{Due, DueKind};
use crate::quantity::Quantity;
use crate::rows::EPOCH_S;
use crate::works::Works;
use dlms::Data;
use dlms::apdu::{ActionError, AttributeRef, DataAccessError, MethodRef};
use model::EventKind;

/// The longest free octet-string.
const MOST_SCRATCH: usize = 4096;
/// Times that the packed profile can hold: thirty years.
const LATEST_S: i64 = EPOCH_S + 30 * 365 * 86_400;

impl Works {
    pub(super) fn write(&mut self, attribute: AttributeRef, value: Data) -> Result<(), DataAccessError> {
        let AttributeRef { object, attribute: number, .. } = attribute;
        match (object, number, value) {
            (CLOCK, 2, Data::OctetString(bytes)) => self.set_time(&bytes),
            (CLOCK, 2, Data::DateTime(bytes)) => self.set_time(&bytes),
            (LIMITER, 4, Data::DoubleLongUnsigned(watts)) => {
                self.limiter.threshold_w = watts;
                self.limiter.over_since_ms = None;
                let (import_w, _) = self.power_w();
                self.limiter.watch(import_w, self.at_ms);
                Ok(())
            }
            (LIMITER, 6, Data::DoubleLongUnsigned(seconds)) => {
                self.limiter.over_s = seconds.max(1);
                Ok(())
            }
            (LIMITER, 7, Data::DoubleLongUnsigned(seconds)) => {
                self.limiter.under_s = seconds;
                Ok(())
            }
            (_, 2, Data::DoubleLongUnsigned(bits))
                if self.model.register(Quantity::Alarms).is_some_and(|found| found.obis == object) =>
            {
                self.alarms &= bits;
                Ok(())
            }
            (_, 2, Data::OctetString(bytes)) if self.model.scratch.contains(&object) => {
                if bytes.len() > MOST_SCRATCH {
                    return Err(DataAccessError::OtherReason);
                }
                self.scratch.insert(object, bytes);
                Ok(())
            }
            _ => Err(DataAccessError::TypeUnmatched),
        }
    }

    fn set_time(&mut self, bytes: &[u8]) -> Result<(), DataAccessError> {
        let shown_ms = self.stamps().read(bytes).ok_or(DataAccessError::TypeUnmatched)?;
        self.try_set_clock(shown_ms).ok_or(DataAccessError::OtherReason)
    }

    fn try_set_clock(&mut self, shown_ms: i64) -> Option<()> {
        let possible = (EPOCH_S * 1000..LATEST_S * 1000).contains(&shown_ms);
        possible.then(|| self.set_clock(shown_ms))
    }

    pub(super) fn call(&mut self, method: MethodRef, parameters: Option<&Data>) -> Result<(), ActionError> {
        let MethodRef { object, method: number, .. } = method;
        match (object, number) {
            (CLOCK, _) => self.clock_method(number, parameters),
            (IMAGE_TRANSFER, _) => {
                if let Some(name) = image::method(&mut self.image, number, parameters)? {
                    self.firmware = Some(name.into_boxed_str());
                }
                Ok(())
            }
            (PUSH_PROFILE, 1) => {
                self.owe(Due { at_ms: self.at_ms, kind: DueKind::Asked });
                Ok(())
            }
            (PUSH_ALARM, 1) => {
                let last = self.last_event().ok_or(ActionError::ObjectUnavailable)?;
                self.owe(Due { at_ms: self.at_ms, kind: DueKind::Event(last) });
                Ok(())
            }
            (DISCONNECT_SCRIPTS | PUSH_SCRIPTS, 1) => {
                self.run_script(object == DISCONNECT_SCRIPTS, parameters)
            }
            _ if self.model.relay.is_some_and(|relay| relay.obis == object) => self.switch(number),
            _ => Err(ActionError::ObjectUndefined),
        }
    }

    fn run_script(&mut self, relay: bool, selector: Option<&Data>) -> Result<(), ActionError> {
        let Some(Data::LongUnsigned(selector)) = selector else { return Err(ActionError::TypeUnmatched) };
        let push = |object| MethodRef { class: 40, object, method: 1 };
        match (relay, selector) {
            (true, 1) => self.switch(1),
            (true, 2) => self.switch(2),
            (false, 1) => self.call(push(PUSH_PROFILE), None),
            (false, 2) => self.call(push(PUSH_ALARM), None),
            _ => Err(ActionError::ObjectUnavailable),
        }
    }

    /// Methods 1 and 2 of the relay: remote disconnect and remote reconnect.
    fn switch(&mut self, method: i8) -> Result<(), ActionError> {
        let before = self.relay;
        let allowed = match method {
            1 => self.relay.disconnect(),
            2 => self.relay.reconnect(),
            _ => false,
        };
        if !allowed {
            return Err(ActionError::ReadWriteDenied);
        }
        if self.relay.state != before.state {
            self.note(match (self.relay.closed, method) {
                (true, _) => EventKind::Connected,
                (false, 1) => EventKind::Disconnected,
                (false, _) => EventKind::ArmedForClosure,
            });
        }
        let (import_w, _) = self.power_w();
        self.limiter.watch(import_w, self.at_ms);
        Ok(())
    }

    /// Adjust to the quarter, to the measuring period or to the minute, and shift.
    fn clock_method(&mut self, number: i8, parameters: Option<&Data>) -> Result<(), ActionError> {
        let shown_ms = self.shown_ms();
        let nearest = |step_s: i64| {
            let step_ms = step_s * 1000;
            (shown_ms + step_ms / 2).div_euclid(step_ms) * step_ms
        };
        let to_ms = match (number, parameters) {
            (1, _) => nearest(900),
            (2, _) => nearest(self.interval_s()),
            (3, _) => nearest(60),
            (6, Some(Data::Long(seconds))) if (-900..=900).contains(seconds) => {
                shown_ms + i64::from(*seconds) * 1000
            }
            _ => return Err(ActionError::TypeUnmatched),
        };
        self.try_set_clock(to_ms).ok_or(ActionError::OtherReason)
    }
}
