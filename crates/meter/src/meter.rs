//! The meter as the world sees it.

use crate::fault::Fault;
use crate::feed::Feed;
use crate::model_file::{DoorMechanism, DoorProtection, DoorRights, MeterModel, Supply};
use crate::objects::{PUSH_ALARM, PUSH_PROFILE};
use crate::push::{Due, DueKind, Push, PushKind};
use crate::relay::RelayState;
use crate::rows::{DailyRow, EventRow, IntervalRow};
use crate::works::{Truth, Works};
use dlms::Data;
use dlms::apdu::{Apdu, DataNotification};
use dlms::client::Protection;
use dlms::security::{Key, Keys, SystemTitle};
use dlms::server::{AssociationConfig, Identity, Mechanism, Refusal, Reply, Rights, Server, ServerConfig};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{EventKind, Serial};
use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg32;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The client that pushes are for: the head-end.
pub const PUSH_CLIENT: u16 = 1;
/// The server service access point of a meter: its only logical device.
pub const METER_SAP: u16 = 1;
/// How far the own invocation counter falls back with [`Fault::ReplayedCounter`].
const COUNTER_FALL: u32 = 100;

/// What one meter does not share with its kind.
#[derive(Clone, Debug)]
pub struct MeterConfig {
    /// On the plate.
    pub serial: Serial,
    /// Its kind.
    pub model: Arc<MeterModel>,
    /// Where it hangs: its local time.
    pub zone: TimeZone,
    /// Half of every nonce.
    pub system_title: [u8; 8],
    /// Its keys and password.
    pub secrets: Secrets,
    /// Next own invocation counter.
    pub invocation_counter: u32,
    /// When it was installed: its battery was full then.
    pub installed_at: Timestamp,
    /// Chance: challenges, and its place in the spread of pushes.
    pub seed: u64,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

/// What a meter must keep to itself.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Global unicast encryption key.
    pub guek: Key,
    /// Global authentication key.
    pub gak: Key,
    /// Master key, under which new keys come.
    pub master: Option<Key>,
    /// Password of low level security.
    pub password: Zeroizing<Vec<u8>>,
}

/// A virtual meter: load in, DLMS/COSEM out, no clock and no socket of its own.
///
/// Order of calls: [`Self::feed`] says what flows, [`Self::advance`] lets time pass (every call with a time does,
/// and time never goes back), [`Self::handle_apdu`] answers a client, [`Self::poll_push`] gives out what the meter
/// sends unasked and [`Self::poll_timeout`] says when to ask again.
#[derive(Debug)]
pub struct Meter {
    works: Works,
    /// Built when first somebody talks to it: most of a fleet is silent most of the time.
    server: Option<Box<Server>>,
    identity: Box<(Secrets, [u8; 8], u32)>,
    rng: Pcg32,
    long_invoke: u32,
}

impl Meter {
    /// A meter whose clock is right at `start` and whose registers stand at zero.
    pub fn new(config: MeterConfig, start: Timestamp) -> Self {
        let MeterConfig { serial, model, zone, system_title, secrets, invocation_counter, .. } = config;
        let mut rng = Pcg32::seed_from_u64(config.seed);
        let spread = u16::try_from(rng.next_u32() >> 16).unwrap_or(0);
        let works = Works::new(model, serial, zone, config.installed_at, config.faults, spread, start);
        let identity = Box::new((secrets, system_title, invocation_counter));
        Self { works, server: None, identity, rng, long_invoke: 0 }
    }

    /// Puts the total registers somewhere, in Wh or litres, as in a meter that is not new.
    pub fn start_registers_at(&mut self, delivered: u64, received: u64) {
        self.works.registers.start_at(delivered, received);
    }

    /// Says what flows from `feed.from` on; what was said before ends there. Time passes up to `feed.from`.
    ///
    /// What belongs to time that has already passed is measured at once, into the open interval.
    pub fn feed(&mut self, feed: &Feed) {
        self.works.feed(feed);
    }

    /// Lets time pass. After the end of the last feed nothing flows.
    pub fn advance(&mut self, to: Timestamp) {
        self.works.advance(to);
        self.settle();
    }

    /// Power goes (`false`) or comes at `at`. A battery meter does not notice.
    pub fn set_power(&mut self, at: Timestamp, on: bool) {
        self.works.advance(at);
        self.works.set_power(on);
        self.settle();
    }

    /// Something is done to the meter at `at`: the event is logged and, if the model says so, pushed.
    pub fn tamper(&mut self, at: Timestamp, kind: EventKind) {
        self.works.advance(at);
        self.works.note(kind);
        self.settle();
    }

    /// Somebody presses the button of a relay that is ready; whether it closed.
    pub fn press_button(&mut self, at: Timestamp) -> bool {
        self.works.advance(at);
        let closed = self.works.relay.press();
        if closed {
            self.works.note(EventKind::Connected);
        }
        closed
    }

    /// Answers an APDU from the client at `client_sap`; an empty reply if the meter is off, asleep or deaf.
    pub fn handle_apdu(&mut self, now: Timestamp, client_sap: u16, apdu: &[u8]) -> Reply {
        self.advance(now);
        if !self.works.is_awake() {
            return Reply::default();
        }
        self.open_server();
        let Some(server) = &mut self.server else { return Reply::default() };
        let rng = &mut self.rng;
        let reply = server.handle_apdu(client_sap, apdu, &mut self.works, &mut |bytes| rng.fill_bytes(bytes));
        if reply.refused.is_some_and(Refusal::is_security) {
            self.works.login_failed();
        }
        reply
    }

    /// The connection of the client at `client_sap` ended.
    pub fn link_lost(&mut self, client_sap: u16) {
        if let Some(server) = &mut self.server {
            server.link_lost(client_sap);
        }
    }

    /// What the meter sends unasked by `now`, one at a time until there is none.
    pub fn poll_push(&mut self, now: Timestamp) -> Option<Push> {
        self.advance(now);
        while let Some(due) = self.take_due() {
            if let Some(push) = self.make_push(due) {
                return Some(push);
            }
        }
        None
    }

    /// When [`Self::poll_push`] may have something new, if nothing else happens to the meter before.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let works = &self.works;
        let owed = works.due.iter().map(|due| due.at_ms.max(works.silent_until_ms));
        let next_ms = owed.chain(works.next_cause_ms()).min()?;
        Timestamp::from_millisecond(next_ms.max(works.at_ms + 1)).ok()
    }

    /// Events first, then the oldest; a meter without power has only its last gasp.
    fn take_due(&mut self) -> Option<Due> {
        let works = &mut self.works;
        let now_ms = works.at_ms;
        if !works.powered {
            let Supply::Mains { hold_up_s } = works.model.supply else { return None };
            let in_time = now_ms <= works.failed_ms + i64::from(hold_up_s) * 1000;
            let gasp = |due: &Due| matches!(due.kind, DueKind::Event(row) if row.code == POWER_FAILED);
            let index = works.due.iter().position(gasp)?;
            return works.due.remove(index).filter(|_| in_time);
        }
        if now_ms < works.silent_until_ms {
            return None;
        }
        let ready = |due: &&Due| due.at_ms <= now_ms;
        let is_event = |due: &Due| matches!(due.kind, DueKind::Event(_));
        let first = works.due.iter().filter(ready).min_by_key(|due| (!is_event(due), due.at_ms)).copied()?;
        let index = works.due.iter().position(|due| *due == first)?;
        works.due.remove(index)
    }

    fn make_push(&mut self, due: Due) -> Option<Push> {
        if let Supply::Battery { awake_s, .. } = self.works.model.supply {
            self.works.awake_until_ms = self.works.at_ms + i64::from(awake_s) * 1000;
        }
        if self.works.has_dead_radio() {
            return None;
        }
        let works = &self.works;
        let octets = |bytes: &[u8]| Data::OctetString(bytes.to_vec());
        let device_name = octets(&self.logical_device_name());
        let (kind, body) = match due.kind {
            DueKind::Event(row) => {
                let fields = vec![
                    octets(&PUSH_ALARM.0),
                    device_name,
                    works.stamp(row.at_s, false),
                    Data::Unsigned(row.code),
                    Data::DoubleLongUnsigned(row.number),
                ];
                (kind_of(row), fields)
            }
            DueKind::Rows { after_s, to_s } => {
                let rows = works.load_rows(after_s, to_s);
                if matches!(&rows, Data::Array(rows) if rows.is_empty()) {
                    return None;
                }
                (PushKind::Profile, vec![octets(&PUSH_PROFILE.0), device_name, rows])
            }
            DueKind::Asked => {
                let end_s = works.last_row().map_or(0, |row| row.end_s);
                (
                    PushKind::Asked,
                    vec![octets(&PUSH_PROFILE.0), device_name, works.load_rows(end_s - 1, end_s)],
                )
            }
        };
        self.long_invoke = self.long_invoke.wrapping_add(1) & 0x00FF_FFFF;
        let notification = DataNotification {
            long_invoke: self.long_invoke,
            at: self.works.now_stamp().to_vec(),
            body: Data::Structure(body),
        };
        self.open_server();
        let apdu = self.server.as_mut()?.protect_push(&Apdu::DataNotification(notification).encode())?;
        Some(Push { apdu, kind, client_sap: PUSH_CLIENT })
    }

    /// What the passing of time did to the protocol side.
    fn settle(&mut self) {
        if core::mem::take(&mut self.works.lose_sessions)
            && let Some(server) = &mut self.server
        {
            server.reset();
        }
        if core::mem::take(&mut self.works.counter_falls) {
            self.open_server();
            if let Some(server) = &mut self.server {
                let counter = server.invocation_counter().saturating_sub(COUNTER_FALL);
                server.set_invocation_counter(counter.max(1));
            }
        }
    }

    fn open_server(&mut self) {
        if self.server.is_some() {
            return;
        }
        let (secrets, system_title, invocation_counter) = &*self.identity;
        let doors = self.works.model.associations.iter().map(|door| AssociationConfig {
            client_sap: door.client_sap,
            mechanism: match door.mechanism {
                DoorMechanism::None => Mechanism::None,
                DoorMechanism::Lls => Mechanism::Lls(secrets.password.clone()),
                DoorMechanism::Gmac => Mechanism::Hls5Gmac,
            },
            least_protection: match door.least_protection {
                DoorProtection::None => Protection::None,
                DoorProtection::AuthEncrypt => Protection::AuthenticatedEncrypted,
            },
            rights: match door.rights {
                DoorRights::Public => Rights::Public,
                DoorRights::Reader => Rights::Reader,
                DoorRights::Manager => Rights::Manager,
            },
        });
        let config = Arc::new(ServerConfig::new(doors.collect()));
        let identity = Identity {
            logical_device_name: self.logical_device_name(),
            system_title: SystemTitle(*system_title),
            keys: Keys::new(secrets.guek.clone(), secrets.gak.clone()),
            master_key: secrets.master.clone(),
            invocation_counter: *invocation_counter,
        };
        self.server = Some(Box::new(Server::new(config, identity)));
    }

    /// Manufacturer and serial number, at most 16 bytes.
    pub fn logical_device_name(&self) -> Vec<u8> {
        let serial = self.works.serial.as_str().as_bytes();
        let tail = &serial[serial.len().saturating_sub(13)..];
        [self.works.model.manufacturer.as_bytes(), tail].concat()
    }

    /// Time reached.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.works.at_ms).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// What the meter's own clock shows.
    pub fn clock(&self) -> Timestamp {
        Timestamp::from_millisecond(self.works.shown_ms()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Its kind.
    pub fn model(&self) -> &Arc<MeterModel> {
        &self.works.model
    }

    /// On the plate.
    pub fn serial(&self) -> &Serial {
        &self.works.serial
    }

    /// Half of its nonces.
    pub fn system_title(&self) -> [u8; 8] {
        self.identity.1
    }

    /// What truly flowed since the start, whatever was measured of it.
    pub fn truth(&self) -> Truth {
        self.works.truth
    }

    /// Whether it has power; a battery meter always has.
    pub fn is_powered(&self) -> bool {
        self.works.powered
    }

    /// Whether it listens: powered or awake, not restarting, radio alive.
    pub fn is_awake(&self) -> bool {
        self.works.is_awake()
    }

    /// How the relay stands.
    pub fn relay_state(&self) -> RelayState {
        self.works.relay.state
    }

    /// The registers as they show: total and rates 1 to 4 delivered, then received; Wh or litres.
    pub fn registers(&self) -> ([u32; 5], [u32; 5]) {
        self.works.registers.all(self.works.model.register_digits)
    }

    /// The load profile, oldest first.
    pub fn load_profile(&self) -> impl DoubleEndedIterator<Item = IntervalRow> + ExactSizeIterator {
        let interval_s = self.works.model.load_profile.interval_s;
        self.works.load.iter().map(move |bytes| IntervalRow::unpack(bytes, interval_s))
    }

    /// The daily billing profile, oldest first.
    pub fn daily_profile(&self) -> impl DoubleEndedIterator<Item = DailyRow> + ExactSizeIterator {
        self.works.daily.iter().map(DailyRow::unpack)
    }

    /// The event log, oldest first.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = EventRow> + ExactSizeIterator {
        self.works.log.iter().map(EventRow::unpack)
    }

    /// The next own invocation counter.
    pub fn invocation_counter(&self) -> u32 {
        self.server.as_ref().map_or(self.identity.2, |server| server.invocation_counter())
    }

    /// Bytes that the meter's own data take, the protocol server of a meter in conversation aside.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.identity)
            + self.works.load.allocated()
            + self.works.daily.allocated()
            + self.works.log.allocated()
    }
}

const POWER_FAILED: u8 = EventKind::PowerFailed.log_code();

fn kind_of(row: EventRow) -> PushKind {
    match EventKind::from_log_code(row.code) {
        Some(EventKind::PowerFailed) => PushKind::LastGasp,
        Some(EventKind::PowerRestored) => PushKind::Restored,
        _ => PushKind::Alarm,
    }
}
