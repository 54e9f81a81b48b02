//! Every attribute of every class goes over the wire and comes back.

use super::association::*;
use super::calendar::*;
use super::control::*;
use super::image::*;
use super::profile::*;
use super::push::*;
use super::register::*;
use super::security_setup::*;
use super::time::*;
use super::*;
use crate::data::BitString;
use crate::security::Key;

const NAME: Obis = Obis::new(0, 0, 96, 1, 0, 255);
const AT: [u8; 12] = [0x07, 0xEA, 1, 2, 5, 6, 15, 0, 0, 0x80, 0, 0];

fn octets(text: &str) -> Octets {
    Octets(text.as_bytes().to_vec())
}

/// Copies `from` attribute by attribute over the wire into `to`, which differs in all of them.
fn carried<C: InterfaceClass + PartialEq + core::fmt::Debug>(from: &C, mut to: C) {
    for number in 1..=C::ATTRIBUTES {
        let sent = from.attribute(number).unwrap();
        let received = Data::decode_all(&sent.to_bytes()).unwrap();
        assert_eq!(received, sent, "class {} attribute {number}", C::CLASS);
        to.set_attribute(number, &received).unwrap();
    }
    assert_eq!(&to, from);
    for number in 1..=C::ATTRIBUTES {
        // What may be of any type takes anything; everything else stays as it was.
        let wrong = to.set_attribute(number, &Data::Structure(vec![Data::Null]));
        if wrong.is_ok() {
            to.set_attribute(number, &from.attribute(number).unwrap()).unwrap();
        }
        assert_eq!(&to, from, "class {} attribute {number}", C::CLASS);
    }
    assert_eq!(from.attribute(C::ATTRIBUTES + 1), None);
    assert_eq!(to.set_attribute(99, &Data::Null), Err(CosemError::NoAttribute(99)));
    assert_eq!(to.logical_name(), from.logical_name());
}

#[test]
fn registers() {
    let none = ScalerUnit { scaler: 0, unit: Unit(255) };
    let energy = ScalerUnit { scaler: -3, unit: Unit(30) };
    let value = Data::DoubleLongUnsigned(7);
    carried(
        &DataObject { logical_name: NAME, value: value.clone() },
        DataObject { logical_name: Obis([0; 6]), value: Data::Null },
    );
    carried(
        &Register { logical_name: NAME, value: value.clone(), scaler_unit: energy.clone() },
        Register { logical_name: Obis([0; 6]), value: Data::Null, scaler_unit: none.clone() },
    );
    let extended = |logical_name, value, scaler_unit, status, capture_time| ExtendedRegister {
        logical_name,
        value,
        scaler_unit,
        status,
        capture_time,
    };
    carried(
        &extended(NAME, value.clone(), energy.clone(), Data::Unsigned(4), AT),
        extended(Obis([0; 6]), Data::Null, none.clone(), Data::Null, [0; 12]),
    );
    let demand = |number: u8, scaler_unit| DemandRegister {
        logical_name: Obis([number; 6]),
        current_average: Data::Unsigned(number),
        last_average: Data::Unsigned(number + 1),
        scaler_unit,
        status: Data::Unsigned(number),
        capture_time: [number; 12],
        start_time_current: [number + 1; 12],
        period: u32::from(number) * 900,
        number_of_periods: u16::from(number),
    };
    carried(&demand(3, energy), demand(1, none));
}

#[test]
fn profiles() {
    let profile = |number: u32, sort_method, sort_object: CaptureObject| ProfileGeneric {
        logical_name: NAME,
        buffer: vec![Data::Structure(vec![Data::DoubleLongUnsigned(number)])],
        capture_objects: vec![sort_object.clone()],
        capture_period: number * 900,
        sort_method,
        sort_object,
        entries_in_use: number,
        profile_entries: number + 1,
    };
    carried(
        &profile(2, SortMethod::Fifo, CaptureObject::clock()),
        profile(1, SortMethod::Lifo, CaptureObject::whole(3, NAME, 2)),
    );
}

#[test]
fn selections_there_and_back() {
    let range = RangeSelection::by_clock(AT, [0xFF; 12]);
    assert_eq!(ProfileSelection::try_from(&range.selection()), Ok(ProfileSelection::Range(range)));
    let entry = EntrySelection::rows(3, 0);
    assert_eq!(ProfileSelection::try_from(&entry.selection()), Ok(ProfileSelection::Entry(entry)));
    let mut strange = EntrySelection::rows(1, 1).selection();
    strange.selector = 3;
    assert!(ProfileSelection::try_from(&strange).is_err());
}

#[test]
fn rows_by_number() {
    for (from, to, count, expected) in [
        (1, 3, 10, 0..3),
        (0, 3, 10, 0..3),
        (3, 0, 10, 2..10),
        (9, 20, 10, 8..10),
        (11, 0, 10, 10..10),
        (5, 2, 10, 2..2),
    ] {
        assert_eq!(EntrySelection::rows(from, to).row_range(count), expected, "{from} to {to} of {count}");
    }
    assert_eq!(EntrySelection::rows(1, 1).column_range(4), 0..4);
}

#[test]
fn clocks_and_scripts() {
    let clock = |number: u8, enabled, clock_base| Clock {
        logical_name: Obis([number; 6]),
        time: [number; 12],
        time_zone: -i16::from(number),
        status: number,
        daylight_savings_begin: [number; 12],
        daylight_savings_end: [number; 12],
        daylight_savings_deviation: 60,
        daylight_savings_enabled: enabled,
        clock_base,
    };
    carried(&clock(7, true, ClockBase::InternalCrystal), clock(1, false, ClockBase::NotDefined));
    let action = ScriptAction {
        service: ScriptService::Execute,
        class: 70,
        object: NAME,
        index: 1,
        parameter: Data::Integer(0),
    };
    let scripts = vec![Script { id: 1, actions: vec![action] }];
    carried(
        &ScriptTable { logical_name: NAME, scripts },
        ScriptTable { logical_name: Obis([0; 6]), scripts: Vec::new() },
    );
    let entries = vec![SpecialDay { index: 1, date: [0x07, 0xEA, 12, 25, 0xFF], day_id: 2 }];
    carried(
        &SpecialDays { logical_name: NAME, entries },
        SpecialDays { logical_name: Obis([0; 6]), entries: Vec::new() },
    );
}

#[test]
fn calendars() {
    let calendar = |name: &str, number: u8| {
        let seasons = vec![Season { name: octets(name), start: AT, week: octets("w") }];
        let week = Week {
            name: octets("w"),
            monday: number,
            tuesday: number,
            wednesday: number,
            thursday: number,
            friday: number,
            saturday: number + 1,
            sunday: number + 1,
        };
        let schedule = vec![DayAction { start: [6, 0, 0, 0], script_table: NAME, script: u16::from(number) }];
        let days = vec![DayProfile { day_id: number, schedule }];
        ActivityCalendar {
            logical_name: Obis([number; 6]),
            name_active: octets(name),
            seasons_active: seasons.clone(),
            weeks_active: vec![week.clone()],
            days_active: days.clone(),
            name_passive: octets(name),
            seasons_passive: seasons,
            weeks_passive: vec![week],
            days_passive: days,
            activate_passive_time: [number; 12],
        }
    };
    carried(&calendar("summer", 3), calendar("winter", 1));
}

#[test]
fn associations() {
    let association = |number: u8, status, mode| AssociationLn {
        logical_name: Obis([number; 6]),
        object_list: vec![ObjectListElement {
            class: 3,
            version: number,
            object: NAME,
            access: AccessRights {
                attributes: vec![AttributeRight { attribute: 2, mode, selectors: Data::Null }],
                methods: vec![MethodRight { method: 1, mode: MethodMode::Call }],
            },
        }],
        partners: Partners { client_sap: 16, server_sap: u16::from(number) },
        application_context_name: Octets(vec![number]),
        xdlms_context: XdlmsContext {
            conformance: BitString { bytes: vec![number, 0, 0], bits: 24 },
            max_receive_pdu: 1024,
            max_send_pdu: 1024,
            dlms_version: 6,
            quality_of_service: 0,
            cyphering_info: Octets(Vec::new()),
        },
        authentication_mechanism_name: Octets(vec![number]),
        secret: Octets(vec![number]),
        status,
        security_setup: Obis([number; 6]),
    };
    carried(
        &association(2, AssociationStatus::Associated, AccessMode::ReadWrite),
        association(1, AssociationStatus::Pending, AccessMode::None),
    );
    let assignments = vec![SapItem { sap: 1, logical_device_name: octets("WTL0000000000001") }];
    carried(
        &SapAssignment { logical_name: NAME, assignments },
        SapAssignment { logical_name: Obis([0; 6]), assignments: Vec::new() },
    );
    let modes = [(false, false), (true, false), (false, true), (true, true)];
    assert_eq!(modes.map(|(read, write)| AccessMode::of(read, write) as u8), [0, 1, 2, 3]);
}

#[test]
fn images() {
    let image = |number: u8, enabled, status| ImageTransfer {
        logical_name: Obis([number; 6]),
        block_size: u32::from(number) * 100,
        transferred_blocks: BitString { bytes: vec![0x80], bits: usize::from(number) },
        first_not_transferred: 1,
        enabled,
        status,
        to_activate: vec![ImageInfo {
            size: 5,
            identification: octets("fw"),
            signature: Octets(vec![number]),
        }],
    };
    carried(&image(2, true, ImageStatus::Initiated), image(1, false, ImageStatus::NotInitiated));
    let blocks: Vec<_> = image_blocks(&[1, 2, 3, 4, 5], 2).collect();
    assert_eq!(blocks.len(), 3);
    assert_eq!(ImageBlock::from_data(&blocks[2]), Ok(ImageBlock { number: 2, value: Octets(vec![5]) }));
}

#[test]
fn pushes() {
    let push = |number: u8, transport, message| PushSetup {
        logical_name: Obis([number; 6]),
        objects: vec![CaptureObject::clock()],
        destination: Destination { transport, address: octets("127.0.0.1:4060"), message },
        communication_window: vec![Window { start: [number; 12], end: AT }],
        randomisation_start_interval: u16::from(number),
        number_of_retries: number,
        repetition_delay: u16::from(number),
    };
    carried(
        &push(2, TransportService::Tcp, MessageType::Axdr),
        push(1, TransportService::Sms, MessageType::Xml),
    );
}

#[test]
fn switches_and_security() {
    let switch = |output_state, control_state, control_mode| DisconnectControl {
        logical_name: NAME,
        output_state,
        control_state,
        control_mode,
    };
    carried(
        &switch(true, ControlState::Connected, ControlMode::Mode4),
        switch(false, ControlState::Disconnected, ControlMode::None),
    );
    let limiter = |number: u8| Limiter {
        logical_name: Obis([number; 6]),
        monitored_value: ValueDefinition { class: 3, object: NAME, attribute: 2 },
        threshold_active: Data::DoubleLongUnsigned(u32::from(number)),
        threshold_normal: Data::Unsigned(number),
        threshold_emergency: Data::Unsigned(number),
        min_over_threshold_duration: u32::from(number),
        min_under_threshold_duration: u32::from(number),
        emergency_profile: EmergencyProfile { id: u16::from(number), activation_time: AT, duration: 60 },
        emergency_profile_group_ids: vec![u16::from(number)],
        emergency_profile_active: number > 1,
        actions: LimiterActions {
            over_threshold: ScriptRef { script_table: NAME, script: u16::from(number) },
            under_threshold: ScriptRef { script_table: NAME, script: 2 },
        },
    };
    carried(&limiter(2), limiter(1));
    let setup = |policy, suite, title: &str| SecuritySetup {
        logical_name: NAME,
        policy,
        suite,
        client_system_title: octets(title),
        server_system_title: octets(title),
    };
    carried(
        &setup(SecurityPolicy::AuthenticatedEncrypted, SecuritySuite::Suite0, "MTR00001"),
        setup(SecurityPolicy::Nothing, SecuritySuite::Suite1, ""),
    );
}

/// The wrapped key is the RFC 3394 vector of the project's crypto vectors.
#[test]
fn keys_travel_wrapped() {
    let sent = key_transfer(&Key::new([0x31; 16]), &[(KeyId::UnicastEncryption, &Key::new([0xA0; 16]))]);
    let Ok(keys) = Vec::<KeyTransfer>::from_data(&sent) else { panic!("{sent:?}") };
    assert_eq!(keys[0].id, KeyId::UnicastEncryption);
    assert_eq!(keys[0].wrapped.0[..4], [0xE0, 0x5D, 0x9D, 0x27]);
}
