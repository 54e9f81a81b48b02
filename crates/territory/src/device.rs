//! A virtual meter with its modem at its place in this world.
//!
//! Lazy: a meter that nobody asks and that has nothing to say is not touched. When it is, it lives
//! through the quarter hours since the last time, which are a function of the world.

use crate::registry::MeterEntry;
use crate::territory::BuildError;
use crate::world::{QUARTER_S, World};
use dlms::security::Key;
use dlms::server::Reply;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use meter::{Feed, Meter, MeterConfig, MeterModel, PushPlan, Secrets};
use model::{Commodity, Voltage};
use std::sync::Arc;

pub(crate) use meter::Fault;

/// How long after the end of its interval a meter that pushes by itself is looked at, s.
const AFTER_BOUNDARY_S: i64 = 2;
/// Client ports that a lost line may have been used by.
const CLIENTS: [u16; 3] = [1, 2, 16];

/// The meter models that a territory uses.
#[derive(Debug)]
pub(crate) struct Models(Vec<Arc<MeterModel>>);

impl Models {
    pub(crate) fn new() -> Result<Self, BuildError> {
        let names = ["electricity", "electricity-push", "gas", "water"];
        let models = names.map(|name| MeterModel::builtin(name).ok_or(BuildError::Model(name)));
        Ok(Self(models.into_iter().collect::<Result<_, _>>()?))
    }

    /// The model of this name; the registry names no other.
    fn get(&self, name: &str) -> &Arc<MeterModel> {
        self.0.iter().find(|model| model.name == name).unwrap_or(&self.0[0])
    }
}

/// Everything that makes one meter.
#[derive(Debug)]
pub(crate) struct Person<'a> {
    pub(crate) address: u32,
    pub(crate) entry: &'a MeterEntry,
    pub(crate) zone: &'a TimeZone,
    pub(crate) seed: u64,
    pub(crate) faults: Vec<Fault>,
    /// Since when it has measured, on a quarter hour.
    pub(crate) since: Timestamp,
    /// What its registers showed then, both ways.
    pub(crate) begun: (u64, u64),
}

/// A meter and how far it has lived.
#[derive(Debug)]
pub(crate) struct Device {
    address: u32,
    meter: Meter,
    commodity: Commodity,
    /// End of the last quarter hour it was fed.
    fed_until: Timestamp,
    /// Length of its interval if it pushes by itself.
    pushes_every_s: Option<i64>,
    /// When it will be woken.
    waking: Option<Timestamp>,
}

impl Device {
    pub(crate) fn new(models: &Models, person: Person<'_>) -> Self {
        let Person { address, entry, zone, seed, faults, since, begun } = person;
        let model = models.get(&entry.model);
        let interval_s = i64::from(model.load_profile.interval_s);
        let pushes_every_s = (model.push != PushPlan::None).then_some(interval_s);
        let secrets = Secrets {
            guek: Key::new(entry.keys.encryption),
            gak: Key::new(entry.keys.authentication),
            master: Some(Key::new(entry.keys.master)),
            password: entry.keys.password.to_vec().into(),
        };
        let config = MeterConfig {
            serial: entry.serial.clone(),
            model: Arc::clone(model),
            zone: zone.clone(),
            system_title: entry.system_title,
            secrets,
            invocation_counter: 1,
            installed_at: entry.installed_at,
            seed,
            faults,
        };
        let mut meter = Meter::new(config, since);
        meter.start_registers_at(begun.0, begun.1);
        Self { address, meter, commodity: entry.commodity, fed_until: since, pushes_every_s, waking: None }
    }

    pub(crate) const fn address(&self) -> u32 {
        self.address
    }

    pub(crate) fn is_powered(&self) -> bool {
        self.meter.is_powered()
    }

    /// Lives up to `now`.
    pub(crate) fn advance(&mut self, world: &World, site: usize, now: Timestamp) {
        while self.fed_until <= now {
            let quarter = world.quarter(self.fed_until);
            let to = quarter.start + SignedDuration::from_secs(QUARTER_S);
            let flow = world.demand(site, quarter);
            let volts_dv = world.sites[site].transformer.filter(|_| self.commodity == Commodity::Electricity);
            let volts_dv = volts_dv.map_or(0, |iron| world.busbar(iron, quarter).at_meter_dv(flow));
            self.meter.feed(&Feed {
                from: quarter.start,
                to,
                delivered_milli: flow.delivered * 1000,
                received_milli: flow.received * 1000,
                voltage: Voltage::from_mv(volts_dv * 100),
            });
            self.fed_until = to;
        }
        self.meter.advance(now);
    }

    pub(crate) fn set_power(&mut self, now: Timestamp, on: bool) {
        self.meter.set_power(now, on);
    }

    pub(crate) fn link_lost(&mut self) {
        for client in CLIENTS {
            self.meter.link_lost(client);
        }
    }

    /// What it answers; it has been advanced to `now`.
    pub(crate) fn handle_apdu(&mut self, now: Timestamp, client: u16, apdu: &[u8]) -> Reply {
        self.meter.handle_apdu(now, client, apdu)
    }

    /// What it has to say unasked: for which client port, and the APDU.
    pub(crate) fn poll_push(&mut self, now: Timestamp) -> Option<(u16, Vec<u8>)> {
        self.meter.poll_push(now).map(|push| (push.client_sap, push.apdu))
    }

    /// Whether it has to be woken without ever being asked.
    pub(crate) const fn pushes_by_itself(&self) -> bool {
        self.pushes_every_s.is_some()
    }

    /// It was woken as planned.
    pub(crate) fn woken(&mut self, now: Timestamp) {
        self.waking = self.waking.filter(|at| *at > now);
    }

    /// When it wants to be woken, unless that is planned already.
    pub(crate) fn wants_waking(&mut self, now: Timestamp) -> Option<Timestamp> {
        let boundary = self.pushes_every_s.map(|every| {
            let next =
                (now.as_second() - AFTER_BOUNDARY_S).div_euclid(every) * every + every + AFTER_BOUNDARY_S;
            Timestamp::from_second(next).unwrap_or(Timestamp::MAX)
        });
        let owed = self.meter.poll_timeout().filter(|_| self.meter.is_powered());
        let next = boundary.into_iter().chain(owed).min()?;
        if self.waking.is_some_and(|planned| planned <= next) {
            return None;
        }
        self.waking = Some(next);
        Some(next)
    }

    /// The meter itself, for tests.
    #[cfg(test)]
    pub(crate) const fn meter(&self) -> &Meter {
        &self.meter
    }
}
