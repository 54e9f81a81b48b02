//! Which COSEM objects a meter model has, and who may do what with them.

use crate::model_file::MeterModel;
use dlms::Obis;
use dlms::server::{AttributeAccess, MethodAccess, ObjectEntry, Rights};

pub(crate) const CLOCK: Obis = Obis::new(0, 0, 1, 0, 0, 255);
pub(crate) const SERIAL: Obis = Obis::new(0, 0, 96, 1, 0, 255);
pub(crate) const FIRMWARE: Obis = Obis::new(1, 0, 0, 2, 0, 255);
pub(crate) const TARIFF_SCRIPTS: Obis = Obis::new(0, 0, 10, 0, 100, 255);
pub(crate) const DISCONNECT_SCRIPTS: Obis = Obis::new(0, 0, 10, 0, 106, 255);
pub(crate) const PUSH_SCRIPTS: Obis = Obis::new(0, 0, 10, 0, 108, 255);
pub(crate) const SPECIAL_DAYS: Obis = Obis::new(0, 0, 11, 0, 0, 255);
pub(crate) const ACTIVITY_CALENDAR: Obis = Obis::new(0, 0, 13, 0, 0, 255);
pub(crate) const LIMITER: Obis = Obis::new(0, 0, 17, 0, 0, 255);
pub(crate) const IMAGE_TRANSFER: Obis = Obis::new(0, 0, 44, 0, 0, 255);
/// Rows of the load profile.
pub(crate) const PUSH_PROFILE: Obis = Obis::new(0, 0, 25, 9, 0, 255);
/// Events, at once.
pub(crate) const PUSH_ALARM: Obis = Obis::new(0, 1, 25, 9, 0, 255);

/// Everything a meter of this model holds, besides what the protocol server serves by itself.
pub(crate) fn list(model: &MeterModel) -> Vec<ObjectEntry> {
    let read = |class, version, object, attributes| {
        ObjectEntry::readable(class, version, object, attributes, 0, Rights::Reader)
    };
    let mut clock = ObjectEntry::readable(8, 0, CLOCK, 9, 0, Rights::Public).writable(&[2]);
    clock.methods = callable(&[1, 2, 3, 6]);
    let mut objects = vec![
        clock,
        ObjectEntry::readable(1, 0, SERIAL, 2, 0, Rights::Public),
        ObjectEntry::readable(1, 0, FIRMWARE, 2, 0, Rights::Public),
        read(7, 1, model.load_profile.obis, 8),
        read(7, 1, model.daily_profile.obis, 8),
        read(7, 1, model.event_log.obis, 8),
        with_methods(read(9, 0, PUSH_SCRIPTS, 2), &[1]),
        with_methods(read(40, 0, PUSH_PROFILE, 7), &[1]),
        with_methods(read(40, 0, PUSH_ALARM, 7), &[1]),
        with_methods(read(18, 0, IMAGE_TRANSFER, 7), &[1, 2, 3, 4]),
    ];
    objects.extend(model.registers.iter().map(|register| match register.class {
        1 if register.shows == crate::Quantity::Alarms => read(1, 0, register.obis, 2).writable(&[2]),
        1 => read(1, 0, register.obis, 2),
        4 => read(4, 0, register.obis, 5),
        _ => read(3, 0, register.obis, 3),
    }));
    if let Some(relay) = model.relay {
        objects.push(with_methods(read(70, 0, relay.obis, 4), &[1, 2]));
        objects.push(read(71, 0, LIMITER, 11).writable(&[4, 6, 7]));
        objects.push(with_methods(read(9, 0, DISCONNECT_SCRIPTS, 2), &[1]));
    }
    if model.tariff.is_some() {
        objects.push(read(20, 0, ACTIVITY_CALENDAR, 10));
        objects.push(read(11, 0, SPECIAL_DAYS, 2));
        objects.push(read(9, 0, TARIFF_SCRIPTS, 2));
    }
    objects.extend(model.scratch.iter().map(|object| read(1, 0, *object, 2).writable(&[2])));
    objects
}

fn with_methods(mut entry: ObjectEntry, methods: &[i8]) -> ObjectEntry {
    debug_assert!(entry.attributes.iter().any(|access: &AttributeAccess| access.attribute == 1));
    entry.methods = callable(methods);
    entry
}

fn callable(methods: &[i8]) -> Vec<MethodAccess> {
    methods.iter().map(|method| MethodAccess { method: *method, call: Some(Rights::Manager) }).collect()
}
