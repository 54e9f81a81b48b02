//! The meter as a COSEM logical device.

mod calendar;
mod profile;
mod values;
mod write;

use crate::image;
use crate::objects::{
    ACTIVITY_CALENDAR, CLOCK, DISCONNECT_SCRIPTS, FIRMWARE, IMAGE_TRANSFER, LIMITER, PUSH_ALARM,
    PUSH_PROFILE, PUSH_SCRIPTS, SERIAL, SPECIAL_DAYS, TARIFF_SCRIPTS,
};
use crate::works::Works;
use dlms::Data;
use dlms::apdu::{ActionError, AttributeRef, DataAccessError, MethodRef, Selection};
use dlms::server::{Caller, LogicalDevice, ObjectEntry};

impl LogicalDevice for Works {
    fn objects(&self) -> &[ObjectEntry] {
        &self.model.objects
    }

    fn get(
        &mut self,
        attribute: AttributeRef,
        selection: Option<&Selection>,
        _: &Caller,
    ) -> Result<Data, DataAccessError> {
        let AttributeRef { class, object, attribute: number } = attribute;
        if number == 1 {
            return Ok(Data::OctetString(object.0.to_vec()));
        }
        if class == 7 {
            return self.profile_attribute(object, number, selection);
        }
        if selection.is_some() {
            return Err(DataAccessError::ScopeOfAccessViolated);
        }
        match object {
            CLOCK => self.clock_attribute(number),
            SERIAL => Ok(Data::OctetString(self.serial.as_str().as_bytes().to_vec())),
            FIRMWARE => Ok(Data::OctetString(self.firmware().as_bytes().to_vec())),
            IMAGE_TRANSFER => image::attribute(self.image.as_deref(), number),
            LIMITER => self.limiter_attribute(number),
            PUSH_PROFILE | PUSH_ALARM => self.push_attribute(object, number),
            ACTIVITY_CALENDAR => self.calendar_attribute(number),
            SPECIAL_DAYS => self.special_days(),
            TARIFF_SCRIPTS | DISCONNECT_SCRIPTS | PUSH_SCRIPTS => Ok(self.scripts(object)),
            _ if self.model.relay.is_some_and(|relay| relay.obis == object) => self.relay_attribute(number),
            _ if self.model.scratch.contains(&object) => {
                Ok(Data::OctetString(self.scratch.get(&object).cloned().unwrap_or_default()))
            }
            _ => self.register_attribute(attribute),
        }
    }

    fn set(&mut self, attribute: AttributeRef, value: Data, _: &Caller) -> Result<(), DataAccessError> {
        self.write(attribute, value)
    }

    fn action(
        &mut self,
        method: MethodRef,
        parameters: Option<Data>,
        _: &Caller,
    ) -> Result<Option<Data>, ActionError> {
        self.call(method, parameters.as_ref()).map(|()| None)
    }
}
