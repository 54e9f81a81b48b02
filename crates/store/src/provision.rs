//! Bringing a utility in: premises, customers, transformers, collectors, service points, meters with their channels and
//! keys, checked whole before anything is written.

use crate::column::{Position, commodity_name, execute, row};
use crate::dated::SINCE_EVER;
use crate::{Read, Result, StoreError, Write};
use jiff::Timestamp;
use model::master::{Metering, Supply};
use model::{ChannelKind, Commodity, IntervalLength, MeterId, PremiseNumber, Serial, ServicePointId};
use std::collections::BTreeMap;

/// A premise to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPremise {
    /// The utility's number.
    pub number: PremiseNumber,
    /// Street and house.
    pub address: String,
    /// Town.
    pub town: String,
    /// Where it is.
    pub position: Option<Position>,
}

/// A customer to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCustomer {
    /// The utility's account number.
    pub account: String,
    /// As addressed.
    pub name: String,
    /// Where mail goes.
    pub email: Option<String>,
}

/// A transformer to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTransformer {
    /// As written on it.
    pub name: String,
    /// The feeder it hangs on.
    pub feeder: String,
    /// Rated power, VA.
    pub rating_va: u32,
    /// Where it is.
    pub position: Option<Position>,
}

/// A feeder whose substation is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFeeder {
    /// As transformers name it.
    pub name: String,
    /// Where it begins.
    pub substation: String,
}

/// A collector to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCollector {
    /// As written on its pole.
    pub name: String,
    /// `host:port` of its gateway.
    pub endpoint: String,
    /// `mesh`, `plc`, `cellular`, `broadband`.
    pub technology: String,
    /// The network id of its gateway header.
    pub network_id: u8,
    /// How many meters may be talked to at once.
    pub max_concurrent: u16,
    /// Where it is.
    pub position: Option<Position>,
}

/// A service point to be added; it names the rest by the numbers of the utility.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewServicePoint {
    /// The utility's number.
    pub number: String,
    /// In which premise.
    pub premise: PremiseNumber,
    /// The account that is served there.
    pub account: Option<String>,
    /// The name of the transformer that feeds it.
    pub transformer: Option<String>,
    /// What is delivered.
    pub commodity: Commodity,
    /// Whom it supplies, and with how much.
    pub supply: Supply,
    /// Its class of rates.
    pub rate_class: Option<String>,
}

/// How a meter to be added is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewRoute {
    /// On its own address, `host:port`.
    Direct {
        /// Where.
        endpoint: String,
    },
    /// Through a gateway.
    Behind {
        /// The collector's name.
        collector: String,
        /// The meter's physical address there.
        address: u32,
    },
}

/// A meter to be added, with its channels and wrapped keys.
#[derive(Clone, PartialEq, Eq)]
pub struct NewMeter {
    /// On its plate.
    pub serial: Serial,
    /// The name of its model under `profiles/`.
    pub model: String,
    /// What it measures.
    pub commodity: Commodity,
    /// The number of the service point where it is installed.
    pub service_point: Option<String>,
    /// How to reach it.
    pub route: NewRoute,
    /// DLMS system title.
    pub system_title: [u8; 8],
    /// The client address that we use with it.
    pub client_sap: u16,
    /// Its logical device.
    pub server_sap: u16,
    /// How associations are secured: `none`, `lls`, `hls5`.
    pub security: String,
    /// Since when it is there.
    pub installed_at: Timestamp,
    /// Its series.
    pub channels: Vec<(ChannelKind, IntervalLength)>,
    /// Role and wrapped key.
    pub keys: Vec<(String, Vec<u8>)>,
    /// How its values are to be taken.
    pub metering: Metering,
}

impl core::fmt::Debug for NewMeter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("NewMeter")
            .field("serial", &self.serial)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// All that is to be added in one go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provision {
    /// Premises.
    pub premises: Vec<NewPremise>,
    /// Customers.
    pub customers: Vec<NewCustomer>,
    /// Transformers.
    pub transformers: Vec<NewTransformer>,
    /// Feeders whose substation is known.
    pub feeders: Vec<NewFeeder>,
    /// Collectors.
    pub collectors: Vec<NewCollector>,
    /// Service points.
    pub service_points: Vec<NewServicePoint>,
    /// Meters.
    pub meters: Vec<NewMeter>,
}

/// What was added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provisioned {
    /// How many premises.
    pub premises: usize,
    /// How many customers.
    pub customers: usize,
    /// How many transformers.
    pub transformers: usize,
    /// How many collectors.
    pub collectors: usize,
    /// How many service points.
    pub service_points: usize,
    /// The ids that the meters got, in the order given.
    pub meters: Vec<MeterId>,
}

/// Why one row cannot be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The table: `premises`, `customers`, `transformers`, `feeders`, `collectors`, `service_points`, `meters`.
    pub table: &'static str,
    /// Which row of that list, from 0.
    pub index: usize,
    /// Why, as a sentence.
    pub why: String,
}

/// Why nothing was added.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// Rows that do not fit; all of them are listed.
    #[error("add {} rows that do not fit", .0.len())]
    Refused(Vec<Refusal>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The keys of one table: those of the database are looked up, those of this load are remembered.
struct Keys<'a> {
    sql: &'static str,
    table: &'static str,
    noun: &'static str,
    new: BTreeMap<&'a str, usize>,
}

impl<'a> Keys<'a> {
    fn new(table: &'static str, noun: &'static str, sql: &'static str) -> Self {
        Self { sql, table, noun, new: BTreeMap::new() }
    }

    fn known(&self, read: &Read, key: &str) -> Result<Option<u32>> {
        row(&read.conn, self.sql, [key], |row| row.get(0))
    }

    fn add(&mut self, read: &Read, key: &'a str, index: usize, refusals: &mut Vec<Refusal>) -> Result<()> {
        let (table, noun) = (self.table, self.noun);
        let why = if key.is_empty() {
            Some(format!("the {noun} has no number or name"))
        } else if self.known(read, key)?.is_some() {
            Some(format!("{noun} {key} is there already"))
        } else {
            self.new
                .insert(key, index)
                .map(|before| format!("{noun} {key} is given twice, first in row {}", before + 1))
        };
        refusals.extend(why.map(|why| Refusal { table, index, why }));
        Ok(())
    }

    fn has(&self, read: &Read, key: &str) -> Result<bool> {
        Ok(self.new.contains_key(key) || self.known(read, key)?.is_some())
    }

    fn id(&self, read: &Read, key: &str) -> Result<u32> {
        self.known(read, key)?.ok_or(StoreError::Corrupt { what: "reference" })
    }
}

struct AllKeys<'a> {
    premises: Keys<'a>,
    customers: Keys<'a>,
    transformers: Keys<'a>,
    collectors: Keys<'a>,
    points: Keys<'a>,
    meters: Keys<'a>,
}

impl<'a> AllKeys<'a> {
    fn new() -> Self {
        Self {
            premises: Keys::new("premises", "premise", "SELECT id FROM premise WHERE number = ?"),
            customers: Keys::new("customers", "customer", "SELECT id FROM customer WHERE account = ?"),
            transformers: Keys::new(
                "transformers",
                "transformer",
                "SELECT id FROM transformer WHERE name = ?",
            ),
            collectors: Keys::new("collectors", "collector", "SELECT id FROM collector WHERE name = ?"),
            points: Keys::new(
                "service_points",
                "service point",
                "SELECT id FROM service_point WHERE number = ?",
            ),
            meters: Keys::new("meters", "meter", "SELECT id FROM meter WHERE serial = ?"),
        }
    }

    fn collect(&mut self, read: &Read, all: &'a Provision, refusals: &mut Vec<Refusal>) -> Result<()> {
        for (index, new) in all.premises.iter().enumerate() {
            self.premises.add(read, new.number.as_str(), index, refusals)?;
        }
        for (index, new) in all.customers.iter().enumerate() {
            self.customers.add(read, &new.account, index, refusals)?;
        }
        for (index, new) in all.transformers.iter().enumerate() {
            self.transformers.add(read, &new.name, index, refusals)?;
        }
        for (index, new) in all.collectors.iter().enumerate() {
            self.collectors.add(read, &new.name, index, refusals)?;
        }
        for (index, new) in all.service_points.iter().enumerate() {
            self.points.add(read, &new.number, index, refusals)?;
        }
        for (index, new) in all.meters.iter().enumerate() {
            self.meters.add(read, new.serial.as_str(), index, refusals)?;
        }
        Ok(())
    }

    fn check_points(&self, read: &Read, all: &Provision, refusals: &mut Vec<Refusal>) -> Result<()> {
        for (index, new) in all.service_points.iter().enumerate() {
            let mut refuse = |why| refusals.push(Refusal { table: "service_points", index, why });
            if !self.premises.has(read, new.premise.as_str())? {
                refuse(format!("premise {} of service point {} is unknown", new.premise, new.number));
            }
            if let Some(account) = &new.account
                && !self.customers.has(read, account)?
            {
                refuse(format!("customer {account} of service point {} is unknown", new.number));
            }
            if let Some(name) = &new.transformer
                && !self.transformers.has(read, name)?
            {
                refuse(format!("transformer {name} of service point {} is unknown", new.number));
            }
        }
        Ok(())
    }

    fn check_meters(&self, read: &Read, all: &'a Provision, refusals: &mut Vec<Refusal>) -> Result<()> {
        let mut titles: BTreeMap<[u8; 8], &Serial> = BTreeMap::new();
        let mut addresses: BTreeMap<(&str, u32), &Serial> = BTreeMap::new();
        for (index, new) in all.meters.iter().enumerate() {
            let serial = &new.serial;
            let mut refuse = |why| refusals.push(Refusal { table: "meters", index, why });
            if let Some(other) = titles.insert(new.system_title, serial) {
                refuse(format!("meter {serial} has the system title of meter {other}"));
            }
            if let Some(number) = &new.service_point
                && !self.points.has(read, number)?
            {
                refuse(format!("service point {number} of meter {serial} is unknown"));
            }
            if let NewRoute::Behind { collector, address } = &new.route {
                if !self.collectors.has(read, collector)? {
                    refuse(format!("collector {collector} of meter {serial} is unknown"));
                }
                if let Some(other) = addresses.insert((collector, *address), serial) {
                    refuse(format!(
                        "meter {serial} has address {address} at {collector}, as has meter {other}"
                    ));
                }
                let sql = "SELECT m.serial FROM meter m JOIN collector k ON k.id = m.collector \
                           WHERE k.name = ? AND m.address = ?";
                let taken = row(&read.conn, sql, (collector, address), |row| row.get::<_, String>(0))?;
                if let Some(other) = taken {
                    refuse(format!(
                        "meter {serial} has address {address} at {collector}, as has meter {other}"
                    ));
                }
            }
            for (position, (kind, _)) in new.channels.iter().enumerate() {
                if kind.commodity() != new.commodity {
                    refuse(format!("meter {serial} cannot have a channel for {}", kind.name()));
                }
                if new.channels[..position].iter().any(|(other, _)| other == kind) {
                    refuse(format!("meter {serial} has two channels for {}", kind.name()));
                }
            }
        }
        Ok(())
    }
}

impl Write {
    /// Checks everything, then adds everything or nothing. Ids are given out in the order of the lists.
    ///
    /// # Errors
    /// [`ProvisionError::Refused`] with every row that does not fit: a number that is there already or given twice, a name
    /// that nothing has, a gateway address or system title used twice, a channel of another commodity.
    pub fn provision(&self, all: &Provision) -> core::result::Result<Provisioned, ProvisionError> {
        let mut keys = AllKeys::new();
        let mut refusals = Vec::new();
        keys.collect(self, all, &mut refusals)?;
        keys.check_points(self, all, &mut refusals)?;
        keys.check_meters(self, all, &mut refusals)?;
        self.check_feeders(all, &mut refusals)?;
        if !refusals.is_empty() {
            return Err(ProvisionError::Refused(refusals));
        }
        self.add_places(all)?;
        self.add_network(all)?;
        self.add_points(all, &keys)?;
        let meters = self.add_meters(all, &keys)?;
        Ok(Provisioned {
            premises: all.premises.len(),
            customers: all.customers.len(),
            transformers: all.transformers.len(),
            collectors: all.collectors.len(),
            service_points: all.service_points.len(),
            meters,
        })
    }

    /// A feeder begins at one substation; that it begins elsewhere from a day on is no matter of a first load.
    fn check_feeders(&self, all: &Provision, refusals: &mut Vec<Refusal>) -> Result<()> {
        let known = self.substations()?;
        for (index, new) in all.feeders.iter().enumerate() {
            let before = known.iter().rfind(|one| one.of == new.name).and_then(|one| one.is.as_ref());
            if let Some(other) = before.filter(|other| **other != new.substation) {
                let (name, substation) = (&new.name, &new.substation);
                let why = format!("feeder {name} begins at substation {other} already, not at {substation}");
                refusals.push(Refusal { table: "feeders", index, why });
            }
        }
        Ok(())
    }

    fn add_places(&self, all: &Provision) -> Result<()> {
        let sql = "INSERT INTO premise (number, address, town, lat_e6, lon_e6) VALUES (?, ?, ?, ?, ?)";
        for new in &all.premises {
            let (lat, lon) = Position::columns(new.position);
            execute(&self.conn, sql, (new.number.as_str(), &new.address, &new.town, lat, lon))?;
        }
        let sql = "INSERT INTO customer (account, name, email) VALUES (?, ?, ?)";
        for new in &all.customers {
            execute(&self.conn, sql, (&new.account, &new.name, &new.email))?;
        }
        Ok(())
    }

    fn add_network(&self, all: &Provision) -> Result<()> {
        let sql = "INSERT INTO transformer (name, feeder, rating_va, lat_e6, lon_e6) VALUES (?, ?, ?, ?, ?)";
        for new in &all.transformers {
            let (lat, lon) = Position::columns(new.position);
            execute(&self.conn, sql, (&new.name, &new.feeder, new.rating_va, lat, lon))?;
        }
        for new in &all.feeders {
            self.put_feeder(&new.name, Some(&new.substation), SINCE_EVER, Timestamp::UNIX_EPOCH)?;
        }
        let sql = "INSERT INTO collector (name, endpoint, technology, network_id, max_concurrent, lat_e6, lon_e6) \
                   VALUES (?, ?, ?, ?, ?, ?, ?)";
        for new in &all.collectors {
            let (lat, lon) = Position::columns(new.position);
            let row =
                (&new.name, &new.endpoint, &new.technology, new.network_id, new.max_concurrent, lat, lon);
            execute(&self.conn, sql, row)?;
        }
        Ok(())
    }

    fn add_points(&self, all: &Provision, keys: &AllKeys<'_>) -> Result<()> {
        let sql = "INSERT INTO service_point (number, premise, customer, transformer, commodity, class, amps, volts, \
                   phases, generation_w) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        for new in &all.service_points {
            let premise = keys.premises.id(self, new.premise.as_str())?;
            let customer = new.account.as_deref().map(|key| keys.customers.id(self, key)).transpose()?;
            let transformer =
                new.transformer.as_deref().map(|key| keys.transformers.id(self, key)).transpose()?;
            execute(
                &self.conn,
                sql,
                (
                    &new.number,
                    premise,
                    customer,
                    transformer,
                    commodity_name(new.commodity),
                    new.supply.class.name(),
                    new.supply.amps,
                    new.supply.volts,
                    new.supply.phases,
                    new.supply.generation_w,
                ),
            )?;
            if let Some(class) = &new.rate_class {
                let point = ServicePointId::new(keys.points.id(self, &new.number)?);
                self.set_rate_class(point, Some(class), SINCE_EVER, Timestamp::UNIX_EPOCH)?;
            }
        }
        Ok(())
    }

    fn add_meters(&self, all: &Provision, keys: &AllKeys<'_>) -> Result<Vec<MeterId>> {
        let insert_meter = "INSERT INTO meter (serial, model, commodity, service_point, endpoint, collector, address, \
                            system_title, client_sap, server_sap, security, installed_ms, multiplier, dials) \
                            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let insert_stay = "INSERT INTO installation (meter, from_ms, service_point) VALUES (?, ?, ?)";
        let insert_channel = "INSERT INTO channel (meter, kind, interval_s) VALUES (?, ?, ?)";
        let insert_key = "INSERT INTO wrapped_key (meter, role, wrapped, installed_ms) VALUES (?, ?, ?, ?)";
        let mut ids = Vec::with_capacity(all.meters.len());
        for new in &all.meters {
            let point = new.service_point.as_deref().map(|key| keys.points.id(self, key)).transpose()?;
            let (endpoint, collector, address) = match &new.route {
                NewRoute::Direct { endpoint } => (Some(endpoint), None, None),
                NewRoute::Behind { collector, address } => {
                    (None, Some(keys.collectors.id(self, collector)?), Some(*address))
                }
            };
            let installed = new.installed_at.as_millisecond();
            let meter = (
                new.serial.as_str(),
                &new.model,
                commodity_name(new.commodity),
                point,
                endpoint,
                collector,
                address,
                &new.system_title[..],
                new.client_sap,
                new.server_sap,
                &new.security,
                installed,
                new.metering.multiplier,
                new.metering.dials,
            );
            execute(&self.conn, insert_meter, meter)?;
            let id = keys.meters.id(self, new.serial.as_str())?;
            execute(&self.conn, insert_stay, (id, installed, point))?;
            for (kind, interval) in &new.channels {
                execute(&self.conn, insert_channel, (id, kind.code(), interval.secs()))?;
            }
            for (role, wrapped) in &new.keys {
                execute(&self.conn, insert_key, (id, role, wrapped, installed))?;
            }
            ids.push(MeterId::new(id));
        }
        // A check meter may come before its main meter.
        for (new, id) in all.meters.iter().zip(&ids) {
            let Some(main) = &new.metering.check_of else { continue };
            let main = keys.meters.id(self, main.as_str())?;
            execute(&self.conn, "UPDATE meter SET check_of = ? WHERE id = ?", (main, id.get()))?;
        }
        self.exchange(all, keys, &ids)
    }

    /// Since when the new meters are there, and which ones they took the place of.
    fn exchange(&self, all: &Provision, keys: &AllKeys<'_>, ids: &[MeterId]) -> Result<Vec<MeterId>> {
        for (new, id) in all.meters.iter().zip(ids) {
            let Some(at) = new.metering.fitted else { continue };
            let sql = "UPDATE meter SET fitted_ms = ? WHERE id = ?";
            execute(&self.conn, sql, (at.as_millisecond(), id.get()))?;
            if let Some(old) = &new.metering.replaces {
                self.retire_meter(MeterId::new(keys.meters.id(self, old.as_str())?), at)?;
            }
        }
        Ok(ids.to_vec())
    }
}
