use super::{GAK, GUEK, KEK, TITLE, at, meter, run};
use crate::{Fault, Meter, PushKind, RelayState};
use dlms::apdu::{ActionError, AttributeRef, DataAccessError, MethodRef, Selection};
use dlms::client::{Authentication, Client, ClientConfig, ClientEvent, Outcome, Request};
use dlms::data::BitString;
use dlms::security::{Key, Keys, SystemTitle};
use dlms::{Data, Obis};
use jiff::{SignedDuration, Timestamp};
use model::EventKind;

/// A client and a meter that talk at one instant.
struct Talk<'a> {
    meter: &'a mut Meter,
    client: Client,
    sap: u16,
    now: Timestamp,
}

fn manager(counter: u32) -> ClientConfig {
    let keys = Keys::new(Key::new(GUEK), Key::new(GAK));
    ClientConfig::secure(1, keys, SystemTitle(*b"HEADEND1"), counter)
}

fn reader() -> ClientConfig {
    ClientConfig { authentication: Authentication::lls(*b"12345678"), ..ClientConfig::public(2) }
}

impl<'a> Talk<'a> {
    fn open(meter: &'a mut Meter, config: ClientConfig, now: Timestamp) -> Self {
        let sap = config.client_sap;
        let mut talk = Self { meter, client: Client::new(config), sap, now };
        let mut chance = 0u8;
        talk.client
            .associate(&mut |bytes: &mut [u8]| {
                for byte in bytes {
                    chance = chance.wrapping_add(41);
                    *byte = chance;
                }
            })
            .unwrap();
        talk.carry();
        assert!(matches!(talk.client.poll_event(), Some(ClientEvent::Associated { .. })));
        talk
    }

    fn carry(&mut self) {
        while let Some(apdu) = self.client.poll_transmit() {
            let reply = self.meter.handle_apdu(self.now, self.sap, &apdu);
            if let Some(answer) = reply.apdu {
                self.client.handle_apdu(&answer).unwrap();
            }
        }
    }

    fn ask(&mut self, request: Request) -> Outcome {
        self.client.request(request).unwrap();
        self.carry();
        match self.client.poll_event() {
            Some(ClientEvent::Response { outcome, .. }) => outcome,
            other => panic!("{other:?}"),
        }
    }

    fn get(&mut self, class: u16, object: &str, attribute: i8) -> Result<Data, DataAccessError> {
        self.select(class, object, attribute, None)
    }

    fn select(
        &mut self,
        class: u16,
        object: &str,
        attribute: i8,
        selection: Option<Selection>,
    ) -> Result<Data, DataAccessError> {
        let attribute = AttributeRef { class, object: object.parse().unwrap(), attribute };
        match self.ask(Request::Get(attribute, selection)) {
            Outcome::Get(result) => result,
            other => panic!("{other:?}"),
        }
    }

    fn set(&mut self, class: u16, object: &str, attribute: i8, value: Data) -> Result<(), DataAccessError> {
        let attribute = AttributeRef { class, object: object.parse().unwrap(), attribute };
        match self.ask(Request::Set(attribute, None, value)) {
            Outcome::Set(result) => result,
            other => panic!("{other:?}"),
        }
    }

    fn call(
        &mut self,
        class: u16,
        object: &str,
        method: i8,
        with: Data,
    ) -> Result<Option<Data>, ActionError> {
        let method = MethodRef { class, object: object.parse().unwrap(), method };
        match self.ask(Request::Action(method, Some(with))) {
            Outcome::Action(result) => result,
            other => panic!("{other:?}"),
        }
    }
}

fn rows(data: Result<Data, DataAccessError>) -> Vec<Vec<Data>> {
    let Ok(Data::Array(rows)) = data else { panic!("{data:?}") };
    rows.into_iter()
        .map(|row| match row {
            Data::Structure(cells) => cells,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn structure(fields: impl IntoIterator<Item = Data>) -> Data {
    Data::Structure(fields.into_iter().collect())
}

fn capture(class: u16, object: &str, attribute: i8) -> Data {
    let object: Obis = object.parse().unwrap();
    structure([
        Data::LongUnsigned(class),
        Data::OctetString(object.0.to_vec()),
        Data::Integer(attribute),
        Data::LongUnsigned(0),
    ])
}

fn stamp(hour: u8, minute: u8) -> Data {
    // 2024-07-02, no deviation: the meter's local time.
    Data::OctetString(vec![7, 0xE8, 7, 2, 0xFF, hour, minute, 0, 0, 0x80, 0, 0])
}

fn range(from: Data, to: Data, columns: Vec<Data>) -> Option<Selection> {
    let parameters = structure([capture(8, "0-0:1.0.0.255", 2), from, to, Data::Array(columns)]);
    Some(Selection { selector: 1, parameters })
}

fn entries(from: u32, to: u32, first: u16, last: u16) -> Option<Selection> {
    let parameters = structure([
        Data::DoubleLongUnsigned(from),
        Data::DoubleLongUnsigned(to),
        Data::LongUnsigned(first),
        Data::LongUnsigned(last),
    ]);
    Some(Selection { selector: 2, parameters })
}

/// An electricity meter after the local day of 2024-07-02, `i` Wh in quarter hour `i`.
fn after_a_day(name: &str, faults: Vec<Fault>) -> (Meter, Timestamp) {
    let start = at("2024-07-01T22:00:00Z");
    let mut meter = meter(name, faults, start);
    let end = run(&mut meter, start, (0..96).map(|i| (i, 0)));
    (meter, end)
}

const PROFILE: &str = "1-0:99.1.0.255";

#[test]
fn everything_listed_can_be_read() {
    for (name, open) in [("electricity", true), ("lab", true), ("gas", false), ("water", false)] {
        let start = at("2024-07-01T22:00:00Z");
        let mut meter = meter(name, vec![Fault::Tamper { at: start, kind: EventKind::CoverOpened }], start);
        let mut now = at("2024-07-03T23:00:00Z");
        meter.advance(now);
        while !open && !meter.is_awake() {
            now += SignedDuration::from_mins(1);
            meter.poll_push(now);
        }
        while meter.poll_push(now).is_some() {}
        let model = std::sync::Arc::clone(meter.model());
        for config in [manager(1), reader()] {
            let mut talk = Talk::open(&mut meter, config, now);
            let Ok(Data::Array(list)) = talk.get(15, "0-0:40.0.0.255", 2) else { panic!("no object list") };
            assert_eq!(list.len(), model.objects.len() + 5, "{name}: the server has five of its own");
            for entry in &model.objects {
                for access in &entry.attributes {
                    let value = talk.get(entry.class, &entry.object.to_string(), access.attribute);
                    assert!(value.is_ok(), "{name}: {} {}: {value:?}", entry.object, access.attribute);
                }
            }
        }
    }
}

#[test]
fn the_public_client_sees_the_clock_and_names_and_no_more() {
    let (mut meter, now) = after_a_day("electricity", vec![]);
    let mut talk = Talk::open(&mut meter, ClientConfig::public(16), now);
    let clock = vec![7, 0xE8, 7, 3, 3, 0, 0, 0, 0, 0xFF, 0x88, 0x80];
    assert_eq!(talk.get(8, "0-0:1.0.0.255", 2), Ok(Data::OctetString(clock)));
    assert_eq!(talk.get(1, "0-0:42.0.0.255", 2), Ok(Data::OctetString(b"WTL70000001".to_vec())));
    assert_eq!(talk.get(1, "0-0:43.1.0.255", 2), Ok(Data::DoubleLongUnsigned(0)));
    assert!(talk.get(3, "1-0:1.8.0.255", 2).is_err());
    assert!(talk.get(7, PROFILE, 2).is_err());
    assert!(talk.set(8, "0-0:1.0.0.255", 2, stamp(1, 0)).is_err());
}

#[test]
fn registers_and_instantaneous_values() {
    let (mut meter, now) = after_a_day("electricity", vec![]);
    run(&mut meter, now, [(250, 0)]);
    let mut talk = Talk::open(&mut meter, reader(), now + SignedDuration::from_mins(15));
    let total = (0..96).sum::<u32>() + 250;
    assert_eq!(talk.get(3, "1-0:1.8.0.255", 2), Ok(Data::DoubleLongUnsigned(total)));
    assert_eq!(talk.get(3, "1-0:1.8.0.255", 3), Ok(structure([Data::Integer(0), Data::Enum(30)])));
    assert_eq!(talk.get(3, "1-0:1.8.1.255", 2), Ok(Data::DoubleLongUnsigned((64..84).sum())));
    assert_eq!(talk.get(3, "1-0:32.7.0.255", 2), Ok(Data::LongUnsigned(2300)));
    assert_eq!(talk.get(3, "1-0:32.7.0.255", 3), Ok(structure([Data::Integer(-1), Data::Enum(35)])));
    assert_eq!(talk.get(3, "1-0:1.29.0.255", 2), Ok(Data::DoubleLongUnsigned(250)));
    assert_eq!(talk.get(1, "1-0:1.8.0.255", 2), Err(DataAccessError::ObjectClassInconsistent));
    // In the middle of a quarter hour of 460 Wh, 1840 W flow at 230 V.
    let from = now + SignedDuration::from_mins(15);
    let to = from + SignedDuration::from_mins(15);
    let energy = model::Energy::from_wh(460);
    let volts = model::Voltage::from_volts(230);
    talk.meter.feed(&crate::Feed::electricity(from, to, energy, model::Energy::ZERO, volts));
    talk.now = from + SignedDuration::from_mins(5);
    assert_eq!(talk.get(3, "1-0:1.7.0.255", 2), Ok(Data::DoubleLongUnsigned(1840)));
    assert_eq!(talk.get(3, "1-0:31.7.0.255", 2), Ok(Data::LongUnsigned(800)));
}

#[test]
fn a_wrong_scaler_is_told_everywhere() {
    let (mut meter, now) = after_a_day("electricity", vec![Fault::WrongScaler { by: 1 }]);
    let mut talk = Talk::open(&mut meter, reader(), now);
    assert_eq!(talk.get(3, "1-0:1.8.0.255", 3), Ok(structure([Data::Integer(1), Data::Enum(30)])));
    assert_eq!(talk.get(3, "1-0:1.8.0.255", 2), Ok(Data::DoubleLongUnsigned((0..96).sum())));
}

#[test]
fn the_profile_by_range_and_by_entry() {
    let (mut meter, now) = after_a_day("electricity", vec![]);
    let mut talk = Talk::open(&mut meter, manager(1), now);
    let energies = |rows: Vec<Vec<Data>>| -> Vec<u32> {
        rows.iter()
            .map(|row| match row[2] {
                Data::DoubleLongUnsigned(wh) => wh,
                ref other => panic!("{other:?}"),
            })
            .collect()
    };
    // Both ends belong to the range: 00:15, 00:30, 00:45, 01:00.
    let part = rows(talk.select(7, PROFILE, 2, range(stamp(0, 15), stamp(1, 0), vec![])));
    assert_eq!(part[0].len(), 5);
    assert_eq!(part[0][0], Data::OctetString(vec![7, 0xE8, 7, 2, 2, 0, 15, 0, 0, 0xFF, 0x88, 0x80]));
    assert_eq!(energies(part), [0, 1, 2, 3]);
    let all = rows(talk.get(7, PROFILE, 2));
    assert_eq!(energies(all), (0..96).collect::<Vec<u32>>());
    assert_eq!(energies(rows(talk.select(7, PROFILE, 2, entries(95, 0, 1, 0)))), [94, 95]);
    assert_eq!(energies(rows(talk.select(7, PROFILE, 2, entries(2, 3, 1, 0)))), [1, 2]);
    assert_eq!(rows(talk.select(7, PROFILE, 2, entries(1, 1, 2, 2))), [[Data::Unsigned(0x10)]]);
    let only = vec![capture(3, "1-0:1.29.0.255", 2)];
    let part = rows(talk.select(7, PROFILE, 2, range(stamp(0, 15), stamp(0, 30), only)));
    assert_eq!(part, [[Data::DoubleLongUnsigned(0)], [Data::DoubleLongUnsigned(1)]]);
    assert!(rows(talk.select(7, PROFILE, 2, range(stamp(1, 1), stamp(1, 14), vec![]))).is_empty());
}

#[test]
fn a_selection_that_means_nothing_is_refused() {
    let (mut meter, now) = after_a_day("electricity", vec![]);
    let mut talk = Talk::open(&mut meter, manager(1), now);
    let by = |selector, parameters| Some(Selection { selector, parameters });
    let strange = structure([capture(3, "1-0:1.8.0.255", 2), stamp(0, 0), stamp(1, 0), Data::Array(vec![])]);
    for selection in [
        by(1, strange),
        by(1, Data::Null),
        by(3, Data::Null),
        entries(0, 0, 1, 0),
        entries(97, 0, 1, 0),
        entries(1, 0, 0, 0),
        range(Data::Null, stamp(1, 0), vec![]),
        range(stamp(0, 0), stamp(1, 0), vec![capture(3, "1-0:9.9.9.255", 2)]),
    ] {
        assert!(talk.select(7, PROFILE, 2, selection.clone()).is_err(), "{selection:?}");
    }
    assert!(talk.select(7, PROFILE, 3, entries(1, 0, 1, 0)).is_err());
    assert!(talk.select(3, "1-0:1.8.0.255", 2, entries(1, 0, 1, 0)).is_err());
}

#[test]
fn billing_and_event_profiles() {
    let tamper = Fault::Tamper { at: at("2024-07-02T10:00:00Z"), kind: EventKind::MagneticTamper };
    let (mut meter, now) = after_a_day("electricity", vec![tamper]);
    let mut talk = Talk::open(&mut meter, reader(), now);
    let daily = rows(talk.get(7, "1-0:98.1.0.255", 2));
    assert_eq!(daily.len(), 1);
    assert_eq!(daily[0].len(), 11);
    assert_eq!(daily[0][1], Data::DoubleLongUnsigned((0..96).sum()));
    let log = rows(talk.get(7, "0-0:99.98.0.255", 2));
    assert_eq!(log[0][1..], [Data::Unsigned(42), Data::DoubleLongUnsigned(1)]);
    assert_eq!(talk.get(1, "0-0:97.98.0.255", 2), Ok(Data::DoubleLongUnsigned(1 << 9)));
}

#[test]
fn a_clock_set_is_marked_and_logged() {
    let (mut meter, now) = after_a_day("electricity", vec![]);
    let quarter = now + SignedDuration::from_mins(5);
    let mut talk = Talk::open(&mut meter, manager(1), quarter);
    // 00:05:00 becomes 00:05:20, with a deviation given.
    let fast = vec![7, 0xE8, 7, 3, 0xFF, 0, 5, 20, 0, 0xFF, 0x88, 0x80];
    assert_eq!(talk.set(8, "0-0:1.0.0.255", 2, Data::OctetString(fast)), Ok(()));
    assert_eq!(talk.meter.clock().duration_since(talk.now), SignedDuration::from_secs(20));
    talk.meter.advance(now + SignedDuration::from_mins(15));
    let row = talk.meter.load_profile().next_back().unwrap();
    use model::reading::status;
    assert_eq!(row.status, status::DST | status::CLOCK_SET | status::PARTIAL);
    assert_eq!(talk.meter.events().next_back().unwrap().code, EventKind::ClockSet.log_code());
    // Nonsense is refused.
    talk.now = now + SignedDuration::from_mins(15);
    for bytes in [vec![0xFF; 12], vec![0; 12], vec![1, 2, 3], vec![0x0B, 0, 7, 3, 0xFF, 0, 5, 20, 0, 0, 0, 0]]
    {
        assert!(talk.set(8, "0-0:1.0.0.255", 2, Data::OctetString(bytes)).is_err());
    }
    assert_eq!(talk.call(8, "0-0:1.0.0.255", 6, Data::Long(-20)), Ok(None));
    assert_eq!(talk.meter.clock(), talk.now);
}

#[test]
fn clock_steps_over_boundaries_keep_the_energy() {
    for shift in [-900i16, -600, -20, 20, 600, 900] {
        let (mut meter, now) = after_a_day("electricity", vec![]);
        let from = now;
        let to = from + SignedDuration::from_hours(2);
        let energy = model::Energy::from_wh(1000);
        meter.feed(&crate::Feed::electricity(from, to, energy, model::Energy::ZERO, model::Voltage::ZERO));
        let mut talk = Talk::open(&mut meter, manager(1), from + SignedDuration::from_mins(7));
        assert_eq!(talk.call(8, "0-0:1.0.0.255", 6, Data::Long(shift)), Ok(None), "{shift}");
        meter.advance(to + SignedDuration::from_hours(1));
        let sum: u32 = meter.load_profile().map(|row| row.delivered).sum();
        assert_eq!(sum, meter.registers().0[0], "{shift}");
    }
}

#[test]
fn the_relay_stops_the_flow_and_lets_it_go_on() {
    let (mut meter, mut now) = after_a_day("electricity", vec![]);
    let before = meter.registers().0[0];
    let relay = "0-0:96.3.10.255";
    let mut talk = Talk::open(&mut meter, manager(1), now);
    assert_eq!(talk.call(70, relay, 1, Data::Integer(0)), Ok(None));
    assert_eq!(talk.get(70, relay, 2), Ok(Data::Boolean(false)));
    assert_eq!(talk.meter.relay_state(), RelayState::Disconnected);
    now = run(talk.meter, now, [(100, 50); 2]);
    assert_eq!(talk.meter.registers().0[0], before);
    talk.now = now;
    assert_eq!(talk.call(70, relay, 2, Data::Integer(0)), Ok(None));
    assert_eq!(talk.get(70, relay, 3), Ok(Data::Enum(1)));
    run(talk.meter, now, [(100, 50)]);
    assert_eq!(talk.meter.registers().0[0], before + 100);
    let codes: Vec<u8> = meter.events().map(|row| row.code).collect();
    assert_eq!(codes, [EventKind::Disconnected.log_code(), EventKind::Connected.log_code()]);
}

#[test]
fn a_reader_reads_only() {
    let (mut meter, now) = after_a_day("electricity", vec![]);
    let mut talk = Talk::open(&mut meter, reader(), now);
    assert!(talk.call(70, "0-0:96.3.10.255", 1, Data::Integer(0)).is_err());
    assert!(talk.set(71, "0-0:17.0.0.255", 4, Data::DoubleLongUnsigned(1)).is_err());
    assert_eq!(meter.relay_state(), RelayState::Connected);
}

#[test]
fn the_limiter_opens_the_relay_after_its_time() {
    let (mut meter, now) = after_a_day("electricity", vec![]);
    let mut talk = Talk::open(&mut meter, manager(1), now);
    let limiter = "0-0:17.0.0.255";
    assert_eq!(talk.set(71, limiter, 4, Data::DoubleLongUnsigned(3000)), Ok(()));
    assert_eq!(talk.set(71, limiter, 6, Data::DoubleLongUnsigned(120)), Ok(()));
    // 800 Wh a quarter hour are 3200 W: two minutes of it pass, a fifteenth of an hour's half.
    run(&mut meter, now, [(700, 0), (800, 0)]);
    assert_eq!(meter.relay_state(), RelayState::Disconnected);
    assert_eq!(meter.load_profile().next_back().unwrap().delivered, 106);
}

#[test]
fn keys_can_be_changed_and_only_with_the_master_key() {
    let (mut meter, now) = after_a_day("electricity", vec![]);
    let fresh = Key::new([9; 16]);
    let wrapped = dlms::security::wrap_key(&Key::new(KEK), &fresh);
    let transfer =
        |wrapped: &[u8]| Data::Array(vec![structure([Data::Enum(0), Data::OctetString(wrapped.to_vec())])]);
    let mut talk = Talk::open(&mut meter, manager(1), now);
    let setup = "0-0:43.0.0.255";
    assert!(talk.call(64, setup, 2, transfer(&[0; 24])).is_err());
    assert_eq!(talk.call(64, setup, 2, transfer(&wrapped)), Ok(None));
    let keys = Keys::new(fresh, Key::new(GAK));
    let config = ClientConfig::secure(1, keys, SystemTitle(*b"HEADEND1"), 500);
    let mut talk = Talk::open(&mut meter, config, now);
    assert!(talk.get(3, "1-0:1.8.0.255", 2).is_ok());
}

#[test]
fn failed_logins_are_logged_but_cannot_flood_the_log() {
    let (mut meter, now) = after_a_day("electricity", vec![]);
    for _ in 0..20 {
        let wrong =
            ClientConfig { authentication: Authentication::lls(*b"wrong"), ..ClientConfig::public(2) };
        let mut client = Client::new(wrong);
        client.associate(&mut |bytes: &mut [u8]| bytes.fill(1)).unwrap();
        let aarq = client.poll_transmit().unwrap();
        let reply = meter.handle_apdu(now, 2, &aarq);
        assert!(reply.refused.is_some_and(dlms::server::Refusal::is_security));
    }
    let logged = meter.events().filter(|row| row.code == EventKind::LoginFailed.log_code()).count();
    assert_eq!(logged, 1);
}

#[test]
fn pushes_can_be_opened_and_name_their_meter() {
    let (mut meter, now) = after_a_day("electricity-push", vec![]);
    let mut pushes: Vec<_> =
        std::iter::from_fn(|| meter.poll_push(now + SignedDuration::from_mins(10))).collect();
    assert!(pushes.iter().all(|push| push.kind == PushKind::Profile));
    let last = pushes.pop().unwrap();
    let mut client = Client::new(ClientConfig { peer_title: Some(SystemTitle(TITLE)), ..manager(1) });
    client.handle_apdu(&last.apdu).unwrap();
    let Some(ClientEvent::Notification(notification)) = client.poll_event() else {
        panic!("no notification")
    };
    let Data::Structure(fields) = notification.body else { panic!("no structure") };
    assert_eq!(fields[0], Data::OctetString(vec![0, 0, 25, 9, 0, 255]));
    assert_eq!(fields[1], Data::OctetString(b"WTL70000001".to_vec()));
    assert_eq!(rows(Ok(fields[2].clone()))[0][2], Data::DoubleLongUnsigned(95));
}

#[test]
fn a_push_asked_for_comes_at_once() {
    let (mut meter, now) = after_a_day("lab", vec![]);
    let mut talk = Talk::open(&mut meter, manager(1), now);
    assert_eq!(talk.call(40, "0-0:25.9.0.255", 1, Data::Integer(0)), Ok(None));
    assert_eq!(meter.poll_push(now).map(|push| push.kind), Some(PushKind::Asked));
    assert_eq!(meter.poll_push(now), None);
}

#[test]
fn scratch_takes_long_values_and_not_too_long_ones() {
    let (mut meter, now) = after_a_day("lab", vec![]);
    let mut talk = Talk::open(&mut meter, manager(1), now);
    let value = Data::OctetString(vec![7; 2048]);
    assert_eq!(talk.set(1, "0-0:96.1.9.255", 2, value.clone()), Ok(()));
    assert_eq!(talk.get(1, "0-0:96.1.9.255", 2), Ok(value));
    assert!(talk.set(1, "0-0:96.1.9.255", 2, Data::OctetString(vec![7; 5000])).is_err());
}

#[test]
fn an_image_is_transferred() {
    let (mut meter, now) = after_a_day("electricity", vec![]);
    let mut talk = Talk::open(&mut meter, manager(1), now);
    let image = "0-0:44.0.0.255";
    let start = structure([Data::OctetString(b"WTL-E1-1.1.0".to_vec()), Data::DoubleLongUnsigned(200)]);
    assert_eq!(talk.call(18, image, 1, start), Ok(None));
    for (number, len) in [(0u32, 128usize), (1, 72)] {
        let block = structure([Data::DoubleLongUnsigned(number), Data::OctetString(vec![0; len])]);
        assert_eq!(talk.call(18, image, 2, block), Ok(None));
    }
    assert_eq!(talk.get(18, image, 3), Ok(Data::BitString(BitString { bytes: vec![0xC0], bits: 2 })));
    assert_eq!(talk.call(18, image, 3, Data::Integer(0)), Ok(None));
    assert_eq!(talk.call(18, image, 4, Data::Integer(0)), Ok(None));
    assert_eq!(talk.get(1, "1-0:0.2.0.255", 2), Ok(Data::OctetString(b"WTL-E1-1.1.0".to_vec())));
}

#[test]
fn quirks_change_the_clock_of_rows() {
    let text = include_str!("../../../../profiles/lab.toml");
    let text = format!("{text}\n[quirks]\nnull_clock = true\ndeviation_east_positive = true\n");
    let model = std::sync::Arc::new(crate::MeterModel::parse(&text).unwrap());
    let start = at("2024-07-01T22:00:00Z");
    let mut meter = Meter::new(super::config(&model, vec![], 1), start);
    run(&mut meter, start, [(1, 0), (2, 0)]);
    meter.set_power(start + SignedDuration::from_mins(30), false);
    meter.set_power(start + SignedDuration::from_mins(50), true);
    let now = start + SignedDuration::from_mins(75);
    let mut talk = Talk::open(&mut meter, reader(), now);
    let clocks: Vec<Data> =
        rows(talk.get(7, PROFILE, 2)).into_iter().map(|mut row| row.swap_remove(0)).collect();
    let full = |hour, minute| Data::OctetString(vec![7, 0xE8, 7, 2, 2, hour, minute, 0, 0, 0x00, 0x78, 0x80]);
    // The quarter hour from 00:30 to 00:45 had no power: after the hole the clock is written out again.
    assert_eq!(clocks, [full(0, 15), Data::Null, full(1, 0), Data::Null]);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(128))]

    /// Whatever an open client sends, the meter answers or refuses, and goes on.
    #[test]
    fn any_bytes_are_survived(mut bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 1..80), tag in 0..4usize) {
        let (mut meter, now) = after_a_day("lab", vec![]);
        {
            let talk = Talk::open(&mut meter, reader(), now);
            bytes[0] = [0xC0, 0xC1, 0xC3, bytes[0]][tag];
            talk.meter.handle_apdu(now, 2, &bytes);
        }
        let mut talk = Talk::open(&mut meter, ClientConfig::public(16), now);
        proptest::prop_assert!(talk.get(8, "0-0:1.0.0.255", 2).is_ok());
    }
}
