//! Meter models: what a kind of meter holds and how it behaves, as data under `profiles/`.

use crate::calendar::Tariff;
use crate::objects;
use crate::quantity::{Quantity, Wire};
use dlms::Obis;
use dlms::server::ObjectEntry;
use model::{Commodity, EventKind, IntervalLength};
use serde::{Deserialize, Deserializer};
use std::sync::Arc;

/// A kind of meter. Thousands of meters share one behind an `Arc`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterModel {
    /// How it is called, as `wattle meter --model` takes it.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// What it measures.
    pub commodity: Commodity,
    /// Three letters: the start of the logical device name.
    pub manufacturer: String,
    /// Version of the firmware that it is delivered with.
    pub firmware: String,
    /// What it lives on.
    pub supply: Supply,
    /// What it sends unasked.
    pub push: PushPlan,
    /// Registers roll over at ten to this power, in base units (Wh, litres); at most 9.
    pub register_digits: u8,
    /// Departures from the standard.
    #[serde(default)]
    pub quirks: Quirks,
    /// Registers and plain values.
    #[serde(rename = "register")]
    pub registers: Vec<Register>,
    /// The load profile.
    pub load_profile: LoadProfile,
    /// The daily billing profile.
    pub daily_profile: DailyProfile,
    /// The event log.
    pub event_log: EventLog,
    /// Limits of the voltage, if it watches them.
    pub voltage: Option<VoltageLimits>,
    /// The relay, if it has one.
    pub relay: Option<RelayModel>,
    /// Events that it sends at once.
    #[serde(default)]
    pub alarms: Vec<EventKind>,
    /// Rates over the week, if it has several.
    pub tariff: Option<Tariff>,
    /// Names of free octet-strings that a manager may write, up to 4 KiB each.
    #[serde(default, deserialize_with = "obis_list")]
    pub scratch: Vec<Obis>,
    /// Who may come in.
    #[serde(rename = "association")]
    pub associations: Vec<Door>,
    /// What the object list says, derived from all this.
    #[serde(skip)]
    pub(crate) objects: Vec<ObjectEntry>,
}

/// What a meter lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case", deny_unknown_fields)]
pub enum Supply {
    /// The line it measures: a power failure silences it.
    Mains {
        /// How long it can still speak after a failure, seconds; 0 is no last gasp.
        hold_up_s: u32,
    },
    /// A battery: it sleeps, and answers only for a while after it woke to send.
    Battery {
        /// How long it listens after a push, seconds.
        awake_s: u32,
        /// How long a full battery lasts, days.
        life_days: u32,
    },
}

/// What a meter sends unasked, besides alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum PushPlan {
    /// Nothing.
    None,
    /// The day that ended, after local midnight.
    Daily {
        /// Meters of a fleet spread their pushes evenly over this many seconds.
        spread_s: u32,
    },
    /// Every interval when it ends.
    Interval {
        /// Meters of a fleet spread their pushes evenly over this many seconds.
        spread_s: u32,
    },
}

/// Departures from the standard, each seen in meters of the field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quirks {
    /// The deviation of date-times is positive east of Greenwich.
    pub deviation_east_positive: bool,
    /// Profile rows after the first carry null-data for a clock that is one period later.
    pub null_clock: bool,
}

/// A register or plain value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// What it shows.
    pub shows: Quantity,
    /// Its name.
    #[serde(deserialize_with = "obis")]
    pub obis: Obis,
    /// Interface class: 1 data, 3 register, 4 extended register.
    #[serde(default = "class_register")]
    pub class: u16,
    /// Decimal exponent.
    #[serde(default)]
    pub scaler: i8,
    /// Type on the wire.
    #[serde(default = "wire_u32")]
    pub wire: Wire,
}

/// A column of a profile: an attribute of an object, and what the meter puts there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// What it shows.
    pub shows: Quantity,
    /// The captured object's name.
    #[serde(deserialize_with = "obis")]
    pub obis: Obis,
    /// The captured object's class.
    #[serde(default = "class_register")]
    pub class: u16,
    /// The captured attribute.
    #[serde(default = "attribute_value")]
    pub attribute: i8,
    /// Decimal exponent.
    #[serde(default)]
    pub scaler: i8,
    /// Type on the wire.
    #[serde(default = "wire_u32")]
    pub wire: Wire,
}

/// The load profile.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadProfile {
    /// Its name.
    #[serde(deserialize_with = "obis")]
    pub obis: Obis,
    /// Length of an interval, seconds.
    pub interval_s: u32,
    /// How many days it holds.
    pub days: u32,
    /// Its columns.
    #[serde(rename = "column")]
    pub columns: Vec<Column>,
}

impl LoadProfile {
    /// How many entries it holds.
    pub const fn capacity(&self) -> u32 {
        self.days.saturating_mul(86_400 / if self.interval_s == 0 { 1 } else { self.interval_s })
    }
}

/// The daily billing profile: the registers at each local midnight.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DailyProfile {
    /// Its name.
    #[serde(deserialize_with = "obis")]
    pub obis: Obis,
    /// How many days it holds.
    pub days: u32,
    /// Its columns: the clock and registers.
    pub columns: Vec<Quantity>,
}

/// The event log: clock, code and running number of what happened.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventLog {
    /// Its name.
    #[serde(deserialize_with = "obis")]
    pub obis: Obis,
    /// How many lines it holds.
    pub entries: u32,
    /// Its columns.
    pub columns: Vec<Quantity>,
}

/// Between these the voltage is normal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoltageLimits {
    /// Below is a sag, mV.
    pub sag_mv: i64,
    /// Above is a swell, mV.
    pub swell_mv: i64,
}

/// The relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayModel {
    /// Its name.
    #[serde(deserialize_with = "obis")]
    pub obis: Obis,
    /// `control_mode`, 0 to 6.
    pub control_mode: u8,
}

/// An association that a meter offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Door {
    /// Client service access point.
    pub client_sap: u16,
    /// How the client proves itself.
    pub mechanism: DoorMechanism,
    /// The least protection of every APDU.
    pub least_protection: DoorProtection,
    /// What the client may do.
    pub rights: DoorRights,
}

/// How a client proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorMechanism {
    /// Not at all.
    None,
    /// With the meter's password.
    Lls,
    /// With GMAC (HLS 5).
    Gmac,
}

/// The least protection of every APDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorProtection {
    /// None.
    None,
    /// Authenticated and encrypted.
    AuthEncrypt,
}

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorRights {
    /// Read clock, names and counter.
    Public,
    /// Read everything.
    Reader,
    /// Everything.
    Manager,
}

/// Why a text is no meter model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No TOML, or fields missing or unknown; the message names line and column.
    #[error("read a meter model: {0}")]
    Toml(String),
    /// A profile interval that does not divide an hour, or is shorter than a minute.
    #[error(
        "read meter model `{model}`: its interval of {interval_s} s must divide an hour and be at least 60 s"
    )]
    Interval {
        /// Its name.
        model: String,
        /// What it says.
        interval_s: u32,
    },
    /// A column that its profile cannot hold.
    #[error("read meter model `{model}`: profile {profile} cannot hold {shows:?} in the way it is written")]
    Column {
        /// Its name.
        model: String,
        /// Which profile.
        profile: Obis,
        /// Which column.
        shows: Quantity,
    },
    /// A tariff whose days or rates are not there, or whose switches fall inside an interval.
    #[error("read meter model `{model}`: its tariff {why}")]
    Tariff {
        /// Its name.
        model: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A number outside what a meter can be.
    #[error("read meter model `{model}`: {what} is out of range")]
    Range {
        /// Its name.
        model: String,
        /// Which.
        what: &'static str,
    },
}

const BUILTIN: [(&str, &str); 5] = [
    ("electricity", include_str!("../../../profiles/electricity.toml")),
    ("electricity-push", include_str!("../../../profiles/electricity-push.toml")),
    ("gas", include_str!("../../../profiles/gas.toml")),
    ("water", include_str!("../../../profiles/water.toml")),
    ("lab", include_str!("../../../profiles/lab.toml")),
];

impl MeterModel {
    /// Reads a model file.
    ///
    /// # Errors
    /// [`ModelError`] with the line, or the field, that is wrong.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let mut model: Self = toml::from_str(text).map_err(|error| ModelError::Toml(error.to_string()))?;
        model.check()?;
        model.objects = objects::list(&model);
        Ok(model)
    }

    /// One of the models that come with Wattle.
    pub fn builtin(name: &str) -> Option<Arc<Self>> {
        let (_, text) = BUILTIN.iter().find(|(builtin, _)| *builtin == name)?;
        Self::parse(text).ok().map(Arc::new)
    }

    /// The names that [`Self::builtin`] knows.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// The interval of its load profile.
    pub fn interval(&self) -> IntervalLength {
        IntervalLength::from_secs(self.load_profile.interval_s).unwrap_or(IntervalLength::HOUR)
    }

    /// Whether it measures electricity.
    pub fn is_electric(&self) -> bool {
        self.commodity == Commodity::Electricity
    }

    /// The column of the load profile that shows `quantity`.
    pub fn column(&self, quantity: Quantity) -> Option<&Column> {
        self.load_profile.columns.iter().find(|column| column.shows == quantity)
    }

    /// The register that shows `quantity`.
    pub fn register(&self, quantity: Quantity) -> Option<&Register> {
        self.registers.iter().find(|register| register.shows == quantity)
    }

    fn check(&self) -> Result<(), ModelError> {
        let model = || self.name.clone();
        let interval_s = self.load_profile.interval_s;
        if !(60..=3600).contains(&interval_s) || IntervalLength::from_secs(interval_s).is_err() {
            return Err(ModelError::Interval { model: model(), interval_s });
        }
        let range =
            |good: bool, what| if good { Ok(()) } else { Err(ModelError::Range { model: model(), what }) };
        range((3..=9).contains(&self.register_digits), "register_digits (3 to 9)")?;
        range((1..=400).contains(&self.load_profile.days), "load_profile.days (1 to 400)")?;
        range((1..=4000).contains(&self.daily_profile.days), "daily_profile.days (1 to 4000)")?;
        range((1..=10_000).contains(&self.event_log.entries), "event_log.entries (1 to 10000)")?;
        range(self.relay.is_none_or(|relay| relay.control_mode <= 6), "relay.control_mode (0 to 6)")?;
        range(self.manufacturer.len() == 3 && self.manufacturer.is_ascii(), "manufacturer (three letters)")?;
        self.check_columns()?;
        match &self.tariff {
            Some(tariff) => {
                tariff.check(interval_s).map_err(|why| ModelError::Tariff { model: model(), why })
            }
            None => Ok(()),
        }
    }

    /// Interval values must fit their column without loss: energy that rounding eats would be gone.
    fn check_columns(&self) -> Result<(), ModelError> {
        let wrong = |profile, shows| ModelError::Column { model: self.name.clone(), profile, shows };
        let load = &self.load_profile;
        for column in &load.columns {
            let exact = column.scaler <= column.shows.base().1;
            if !column.shows.is_interval() || !exact {
                return Err(wrong(load.obis, column.shows));
            }
        }
        for shows in &self.daily_profile.columns {
            let known =
                *shows == Quantity::Clock || (shows.register().is_some() && self.register(*shows).is_some());
            if !known {
                return Err(wrong(self.daily_profile.obis, *shows));
            }
        }
        let in_log = |shows: &Quantity| {
            *shows == Quantity::Clock || (shows.is_of_event() && self.register(*shows).is_some())
        };
        match self.event_log.columns.iter().find(|shows| !in_log(shows)) {
            Some(shows) => Err(wrong(self.event_log.obis, *shows)),
            None => Ok(()),
        }
    }
}

fn obis<'de, D: Deserializer<'de>>(from: D) -> Result<Obis, D::Error> {
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}

fn obis_list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Obis>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
}

const fn class_register() -> u16 {
    3
}

const fn attribute_value() -> i8 {
    2
}

const fn wire_u32() -> Wire {
    Wire::U32
}
