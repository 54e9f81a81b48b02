//! A street in memory: a head-end, virtual meters on the real server, and lines with delay and loss
//! between them. No sockets, no sleeping; one seed.

use dlms::Data;
use dlms::Obis;
use dlms::apdu::{ActionError, Apdu, AttributeRef, DataAccessError, DataNotification, MethodRef, Selection};
use dlms::client::ClientConfig;
use dlms::gateway::{self, GatewayKind};
use dlms::security::{Key, Keys, Protection, SystemTitle};
use dlms::server::{
    AssociationConfig, Caller, Identity, LogicalDevice, Mechanism, ObjectEntry, Rights, Server, ServerConfig,
};
use dlms::wrapper::{self, WrapperDecoder};
use headend::{
    Column, EventColumn, EventLogFacts, HeadEnd, HeadEndConfig, HeadEndEvent, InstantaneousFacts, LinkAction,
    LinkId, ModelFacts, ProfileFacts, PushConn, RegisterFacts, RegisteredMeter, Route,
};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::channel::{ChannelKind, Commodity};
use model::id::{CollectorId, MeterId, Serial};
use model::time::IntervalLength;
use model::unit::Unit;
use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) const CLOCK: Obis = Obis::new(0, 0, 1, 0, 0, 255);
pub(crate) const PROFILE: Obis = Obis::new(1, 0, 99, 1, 0, 255);
pub(crate) const LOG: Obis = Obis::new(0, 0, 99, 98, 0, 255);
pub(crate) const IMPORT: Obis = Obis::new(1, 0, 1, 8, 0, 255);
pub(crate) const EXPORT: Obis = Obis::new(1, 0, 2, 8, 0, 255);
pub(crate) const VOLTAGE: Obis = Obis::new(1, 0, 32, 7, 0, 255);
const SERIAL: Obis = Obis::new(0, 0, 96, 1, 0, 255);
const CURRENT_RATIO: Obis = Obis::new(1, 0, 0, 4, 2, 255);
pub(crate) const HEAD_END: SystemTitle = SystemTitle(*b"WTLHEAD1");

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn start() -> Timestamp {
    at("2024-07-02T00:05:00Z")
}

pub(crate) fn facts() -> Arc<ModelFacts> {
    let channel = |kind, scaler, unit| Column::Channel { kind, scaler, unit, cumulative: false };
    let register =
        |object, kind| RegisterFacts { class: 3, object, kind, tou: 0, scaler: 0, unit: Unit::WattHour };
    Arc::new(ModelFacts {
        commodity: Commodity::Electricity,
        zone: TimeZone::UTC,
        deviation_inverted: false,
        listens: None,
        clock: CLOCK,
        profile: Some(ProfileFacts {
            object: PROFILE,
            interval: IntervalLength::QUARTER_HOUR,
            columns: vec![
                Column::Clock,
                Column::Status,
                channel(ChannelKind::Import, 0, Unit::WattHour),
                channel(ChannelKind::Voltage, -1, Unit::Volt),
            ],
        }),
        registers: vec![register(IMPORT, ChannelKind::Import), register(EXPORT, ChannelKind::Export)],
        instantaneous: vec![InstantaneousFacts {
            class: 3,
            object: VOLTAGE,
            name: "Voltage".into(),
            scaler: -1,
            unit: Unit::Volt,
        }],
        events: Some(EventLogFacts {
            object: LOG,
            columns: vec![EventColumn::Clock, EventColumn::Code, EventColumn::Sequence],
        }),
        identity: None,
    })
}

/// The import of the interval that ends at `end`, which every test can compute.
pub(crate) fn import(end: Timestamp) -> u32 {
    u32::try_from(end.as_second() / 900 % 1000).unwrap()
}

fn clock_bytes(at: Timestamp) -> Vec<u8> {
    let civil = TimeZone::UTC.to_datetime(at);
    let small = |value: i8| u8::try_from(value).unwrap();
    let [y0, y1] = civil.year().to_be_bytes();
    let date = [y0, y1, small(civil.month()), small(civil.day()), 0xFF];
    let time = [small(civil.hour()), small(civil.minute()), small(civil.second()), 0, 0, 0, 0];
    [&date[..], &time[..]].concat()
}

fn instant(value: &Data) -> Timestamp {
    let Data::OctetString(bytes) = value else { panic!("{value:?}") };
    let date = format!("{:04}-{:02}-{:02}", u16::from_be_bytes([bytes[0], bytes[1]]), bytes[2], bytes[3]);
    at(&format!("{date}T{:02}:{:02}:{:02}Z", bytes[5], bytes[6], bytes[7]))
}

pub(crate) struct Device {
    objects: Arc<Vec<ObjectEntry>>,
    pub(crate) now: Timestamp,
    pub(crate) drift: SignedDuration,
    pub(crate) events: Vec<(Timestamp, u8, u32)>,
    /// Decimal exponent of its registers.
    pub(crate) scaler: i8,
}

impl Device {
    fn clock(&self) -> Timestamp {
        self.now + self.drift
    }

    fn rows(from: Timestamp, to: Timestamp) -> Data {
        let mut rows = Vec::new();
        let mut end = IntervalLength::QUARTER_HOUR.floor(from);
        if end < from {
            end += SignedDuration::from_mins(15);
        }
        while end <= to {
            rows.push(Data::Structure(vec![
                Data::OctetString(clock_bytes(end)),
                Data::Unsigned(0),
                Data::DoubleLongUnsigned(import(end)),
                Data::LongUnsigned(2301),
            ]));
            end += SignedDuration::from_mins(15);
        }
        Data::Array(rows)
    }
}

impl LogicalDevice for Device {
    fn objects(&self) -> &[ObjectEntry] {
        &self.objects
    }

    fn get(
        &mut self,
        attribute: AttributeRef,
        selection: Option<&Selection>,
        _: &Caller,
    ) -> Result<Data, DataAccessError> {
        let range = selection.map(|selection| {
            let Data::Structure(parts) = &selection.parameters else { panic!() };
            (instant(&parts[1]), instant(&parts[2]))
        });
        if (attribute.object, attribute.attribute) == (IMPORT, 3) {
            return Ok(Data::Structure(vec![Data::Integer(self.scaler), Data::Enum(30)]));
        }
        match (attribute.object, range) {
            (SERIAL, _) => Ok(Data::OctetString(b"40210455\0\0".to_vec())),
            (CURRENT_RATIO, _) => Ok(Data::LongUnsigned(40)),
            (CLOCK, _) => Ok(Data::OctetString(clock_bytes(self.clock()))),
            (PROFILE, Some((from, to))) => Ok(Self::rows(from, to.min(self.clock()))),
            (IMPORT | EXPORT, _) => Ok(Data::DoubleLongUnsigned(123_456)),
            (VOLTAGE, _) => Ok(Data::LongUnsigned(2298)),
            (LOG, Some((from, _))) => {
                let known = self.events.iter().filter(|(at, _, _)| *at >= from);
                let row = |(at, code, seq): &(Timestamp, u8, u32)| {
                    let clock = Data::OctetString(clock_bytes(*at));
                    Data::Structure(vec![clock, Data::Unsigned(*code), Data::DoubleLongUnsigned(*seq)])
                };
                Ok(Data::Array(known.map(row).collect()))
            }
            _ => Err(DataAccessError::ObjectUndefined),
        }
    }

    fn set(&mut self, attribute: AttributeRef, value: Data, _: &Caller) -> Result<(), DataAccessError> {
        assert_eq!(attribute.object, CLOCK);
        self.drift = instant(&value).duration_since(self.now);
        Ok(())
    }

    fn action(&mut self, _: MethodRef, _: Option<Data>, _: &Caller) -> Result<Option<Data>, ActionError> {
        Err(ActionError::ObjectUndefined)
    }
}

pub(crate) struct House {
    pub(crate) server: Server,
    pub(crate) device: Device,
    /// Hears nothing and says nothing.
    pub(crate) dead: bool,
}

impl House {
    /// A push of the profile rows whose intervals end in `[from, to]`, ready for the wrapper.
    pub(crate) fn push_rows(&mut self, from: Timestamp, to: Timestamp) -> Vec<u8> {
        let body =
            Data::Structure(vec![Data::OctetString(vec![0, 0, 25, 9, 0, 255]), Device::rows(from, to)]);
        self.push(body)
    }

    pub(crate) fn push_event(&mut self, time: Timestamp, code: u8, seq: u32) -> Vec<u8> {
        let clock = Data::OctetString(clock_bytes(time));
        let push_object = Data::OctetString(vec![0, 4, 25, 9, 0, 255]);
        let device = Data::OctetString(b"WTL0000000000001".to_vec());
        let event = [clock, Data::Unsigned(code), Data::DoubleLongUnsigned(seq)];
        self.push(Data::Structure([push_object, device].into_iter().chain(event).collect()))
    }

    fn push(&mut self, body: Data) -> Vec<u8> {
        let notification = DataNotification { long_invoke: 1, at: Vec::new(), body };
        let apdu = self.server.protect_push(&Apdu::DataNotification(notification).encode()).unwrap();
        wrapper::encode(1, 1, &apdu).unwrap()
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    ToField(LinkId, Vec<u8>),
    ToHeadEnd(LinkId, Vec<u8>),
    Opened(LinkId),
    Refused(LinkId),
}

pub(crate) struct Street {
    pub(crate) now: Timestamp,
    pub(crate) head: HeadEnd,
    pub(crate) houses: BTreeMap<MeterId, House>,
    nodes: BTreeMap<(CollectorId, u32), MeterId>,
    things: BTreeMap<(Timestamp, u64), Thing>,
    count: u64,
    rng: Pcg64,
    pub(crate) events: Vec<HeadEndEvent>,
    /// Of a thousand messages so many are lost, each way.
    pub(crate) loss_permille: u64,
    /// Of a thousand answers so many come twice.
    pub(crate) doubled_permille: u64,
    pub(crate) delay: SignedDuration,
    /// Connections that cannot be opened.
    pub(crate) cut: BTreeSet<LinkId>,
    /// The ceilings that were asked to be persisted.
    pub(crate) ceilings: BTreeMap<MeterId, u32>,
    pub(crate) most_at_once: BTreeMap<CollectorId, usize>,
    decoders: BTreeMap<LinkId, WrapperDecoder>,
    pub(crate) server_config: Arc<ServerConfig>,
    objects: Arc<Vec<ObjectEntry>>,
    pub(crate) facts: Arc<ModelFacts>,
}

pub(crate) fn keys(id: u32) -> Keys {
    let [a, b, c, d] = id.to_be_bytes();
    Keys::new(Key::new([a, b, c, d, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]), Key::new([d; 16]))
}

pub(crate) fn title(id: u32) -> SystemTitle {
    let [a, b, c, d] = id.to_be_bytes();
    SystemTitle([b'W', b'T', b'L', b'E', a, b, c, d])
}

impl Street {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(HeadEndConfig::new(HEAD_END), seed)
    }

    pub(crate) fn with(config: HeadEndConfig, seed: u64) -> Self {
        let door = |client_sap, mechanism, least_protection, rights| AssociationConfig {
            client_sap,
            mechanism,
            least_protection,
            rights,
        };
        let doors = vec![
            door(16, Mechanism::None, Protection::None, Rights::Public),
            door(1, Mechanism::Hls5Gmac, Protection::AuthenticatedEncrypted, Rights::Manager),
        ];
        let reader = Rights::Reader;
        Self {
            now: start(),
            head: HeadEnd::new(config, seed),
            houses: BTreeMap::new(),
            nodes: BTreeMap::new(),
            things: BTreeMap::new(),
            count: 0,
            rng: Pcg64::seed_from_u64(seed),
            events: Vec::new(),
            loss_permille: 0,
            doubled_permille: 0,
            delay: SignedDuration::from_millis(40),
            cut: BTreeSet::new(),
            ceilings: BTreeMap::new(),
            most_at_once: BTreeMap::new(),
            decoders: BTreeMap::new(),
            server_config: Arc::new(ServerConfig::new(doors)),
            objects: Arc::new(vec![
                ObjectEntry::readable(8, 0, CLOCK, 9, 6, Rights::Public).writable(&[2]),
                ObjectEntry::readable(7, 1, PROFILE, 8, 2, reader),
                ObjectEntry::readable(7, 1, LOG, 8, 2, reader),
                ObjectEntry::readable(3, 0, IMPORT, 3, 1, reader),
                ObjectEntry::readable(3, 0, EXPORT, 3, 1, reader),
                ObjectEntry::readable(3, 0, VOLTAGE, 3, 1, reader),
                ObjectEntry::readable(1, 0, SERIAL, 2, 0, reader),
                ObjectEntry::readable(1, 0, CURRENT_RATIO, 2, 0, reader),
            ]),
            facts: facts(),
        }
    }

    /// Builds a house whose meter holds `keys`, without telling the head-end.
    pub(crate) fn build(&mut self, id: u32, keys: Keys) {
        let identity = Identity {
            logical_device_name: format!("WTL{id:013}").into_bytes(),
            system_title: title(id),
            keys,
            master_key: None,
            invocation_counter: 1,
        };
        let device = Device {
            objects: Arc::clone(&self.objects),
            now: self.now,
            drift: SignedDuration::ZERO,
            events: Vec::new(),
            scaler: 0,
        };
        let server = Server::new(Arc::clone(&self.server_config), identity);
        self.houses.insert(MeterId::new(id), House { server, device, dead: false });
    }

    pub(crate) fn registered(&self, id: u32, route: Route) -> RegisteredMeter {
        let mut client = ClientConfig::secure(1, keys(id), HEAD_END, 0);
        client.peer_title = Some(title(id));
        RegisteredMeter {
            id: MeterId::new(id),
            serial: Serial::new(format!("E{id}")),
            route,
            group: "all".into(),
            server_sap: 1,
            client,
            counter_ceiling: 1,
            push_counter: None,
            push_protection: Protection::AuthenticatedEncrypted,
            facts: Arc::clone(&self.facts),
            collected_to: None,
            event_seq: None,
        }
    }

    /// `count` meters from number `first` on, behind a collector that takes `concurrent` at once.
    pub(crate) fn collector(&mut self, number: u32, first: u32, count: u32, concurrent: usize) {
        let collector = CollectorId::new(number);
        self.most_at_once.insert(collector, 0);
        self.head.add_collector(collector, format!("collector-{number}"), concurrent);
        for id in first..first + count {
            self.build(id, keys(id));
            self.nodes.insert((collector, id), MeterId::new(id));
            let meter = self.registered(id, Route::node(collector, id));
            self.head.add_meter(meter);
        }
    }

    pub(crate) fn direct(&mut self, id: u32) {
        self.build(id, keys(id));
        let meter = self.registered(id, Route::Direct { endpoint: format!("meter-{id}") });
        self.head.add_meter(meter);
    }

    fn after(&mut self, delay: SignedDuration, thing: Thing) {
        self.count += 1;
        self.things.insert((self.now + delay, self.count), thing);
    }

    /// Does what the head-end wants done now.
    fn obey(&mut self) {
        let delay = self.delay;
        while let Some((link, bytes)) = self.head.poll_transmit() {
            self.after(delay, Thing::ToField(link, bytes));
        }
        while let Some(action) = self.head.poll_action() {
            match action {
                LinkAction::Open { link, .. } if self.cut.contains(&link) => {
                    self.after(delay, Thing::Refused(link));
                }
                LinkAction::Open { link, .. } => self.after(delay, Thing::Opened(link)),
                LinkAction::Close { link } => {
                    self.decoders.remove(&link);
                    self.things.retain(|_, thing| !matches!(thing, Thing::ToHeadEnd(id, _) if *id == link));
                }
                LinkAction::ClosePush { .. } => {}
            }
        }
        while let Some(event) = self.head.poll_event() {
            if let HeadEndEvent::ReserveCounter { meter, ceiling } = event {
                self.ceilings.insert(meter, ceiling);
                self.head.counter_reserved(self.now, meter, ceiling);
            }
            self.events.push(event);
        }
        for (collector, most) in &mut self.most_at_once {
            *most = self.head.visits_at(*collector).max(*most);
        }
    }

    fn settle(&mut self) {
        loop {
            let events = self.events.len();
            let things = self.count;
            self.obey();
            if events == self.events.len() && things == self.count {
                return;
            }
        }
    }

    /// Runs until `until`, or until nothing is left to happen.
    pub(crate) fn run(&mut self, until: Timestamp) {
        loop {
            self.settle();
            let thing = self.things.first_key_value().map(|((at, _), _)| *at);
            let Some(next) = [thing, self.head.poll_timeout()].into_iter().flatten().min() else { break };
            if next > until {
                break;
            }
            self.now = self.now.max(next);
            self.head.handle_timeout(self.now);
            if thing.is_some_and(|at| at <= self.now) {
                let (_, thing) = self.things.pop_first().unwrap();
                self.happen(thing);
            }
        }
        self.now = self.now.max(until);
    }

    pub(crate) fn run_for(&mut self, time: SignedDuration) {
        self.run(self.now + time);
    }

    pub(crate) fn cut(&mut self, link: LinkId) {
        self.cut.insert(link);
        self.things.retain(
            |_, thing| !matches!(thing, Thing::ToHeadEnd(id, _) | Thing::ToField(id, _) if *id == link),
        );
        self.head.handle_closed(self.now, link);
    }

    fn happen(&mut self, thing: Thing) {
        match thing {
            Thing::Opened(link) => {
                self.decoders.insert(link, WrapperDecoder::default());
                self.head.handle_connected(self.now, link);
            }
            Thing::Refused(link) => self.head.handle_closed(self.now, link),
            Thing::ToHeadEnd(link, bytes) => self.head.handle_bytes(self.now, link, &bytes),
            Thing::ToField(link, bytes) => {
                let Some(decoder) = self.decoders.get_mut(&link) else { return };
                decoder.push(&bytes);
                let messages: Vec<_> = decoder.by_ref().map(Result::unwrap).collect();
                for message in messages {
                    self.deliver(link, &message);
                }
            }
        }
    }

    fn deliver(&mut self, link: LinkId, message: &wrapper::Wpdu) {
        let lost = |rng: &mut Pcg64, permille| rng.next_u64() % 1000 < permille;
        let (meter, apdu, node) = match link {
            LinkId::Meter(meter) => (meter, &message.payload[..], None),
            LinkId::Collector(collector) => {
                let frame = gateway::parse(&message.payload).unwrap().unwrap();
                let node = frame.node().unwrap();
                (self.nodes[&(collector, node)], frame.apdu, Some(node))
            }
        };
        let house = self.houses.get_mut(&meter).unwrap();
        if house.dead || lost(&mut self.rng, self.loss_permille) {
            return;
        }
        house.device.now = self.now;
        let rng = &mut self.rng;
        let reply = house
            .server
            .handle_apdu(message.source, apdu, &mut house.device, &mut |bytes| rng.fill_bytes(bytes));
        let Some(apdu) = reply.apdu else { return };
        if lost(&mut self.rng, self.loss_permille) {
            return;
        }
        let doubled = lost(&mut self.rng, self.doubled_permille);
        let payload = node
            .map_or_else(|| apdu.clone(), |node| gateway::encode_node(GatewayKind::Response, 0, node, &apdu));
        let bytes = wrapper::encode(message.destination, message.source, &payload).unwrap();
        if doubled {
            self.after(self.delay, Thing::ToHeadEnd(link, bytes.clone()));
        }
        self.after(self.delay, Thing::ToHeadEnd(link, bytes));
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.head.handle_push_bytes(self.now, PushConn(1), bytes);
        self.settle();
    }

    /// Import values read, by meter and end of interval.
    pub(crate) fn read(&self) -> BTreeMap<(MeterId, Timestamp), i64> {
        let mut read = BTreeMap::new();
        for event in &self.events {
            let HeadEndEvent::Batch(batch) = event else { continue };
            if batch.kind != ChannelKind::Import {
                continue;
            }
            let mut end = batch.start;
            for value in &batch.values {
                end += batch.interval.duration();
                read.extend(value.map(|value| ((batch.meter, end), value)));
            }
        }
        read
    }
}
