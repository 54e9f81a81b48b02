//! Who belongs together: by where meters hang, by class of rates, by a saved list or filter.

use crate::dated::{self, Change, Dated, NameRefused};
use crate::membership::Membership;
use crate::{Mdm, MdmError};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{CollectorId, Commodity, GroupId, MeterId, Serial, ServicePointId, TransformerId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::{Definition, Read, SINCE_EVER, StoreError, Write};

/// A saved group with its history.
pub type SavedGroup = Dated<GroupId, GroupRule>;

/// Where a meter is on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterPlace<'a> {
    /// Which meter.
    pub meter: MeterId,
    /// On its plate.
    pub serial: &'a Serial,
    /// Its model.
    pub model: &'a str,
    /// What it measures.
    pub commodity: Commodity,
    /// The collector it is behind.
    pub collector: Option<CollectorId>,
    /// Where it is installed.
    pub service_point: Option<ServicePointId>,
    /// What feeds that.
    pub transformer: Option<TransformerId>,
    /// The feeder of the transformer.
    pub feeder: Option<&'a str>,
    /// Where the feeder begins.
    pub substation: Option<&'a str>,
    /// The class of rates of the service point.
    pub rate_class: Option<&'a str>,
}

/// Meters that are looked at together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every meter in service.
    System,
    /// Behind one transformer.
    Transformer(TransformerId),
    /// On one feeder.
    Feeder(String),
    /// On the feeders of one substation.
    Substation(String),
    /// Of one class of rates.
    RateClass(String),
    /// Behind one collector.
    Collector(CollectorId),
    /// A saved group.
    Group(GroupId),
    /// These.
    Meters(Vec<MeterId>),
}

/// A text that names no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no meters: write system, transformer:ID, feeder:NAME, substation:NAME, rate_class:NAME, collector:ID, \
     group:ID or meters:ID,ID"
)]
pub struct NotAScope(pub String);

impl core::str::FromStr for Scope {
    type Err = NotAScope;

    fn from_str(text: &str) -> Result<Self, NotAScope> {
        let refused = || NotAScope(text.to_owned());
        if text == "system" {
            return Ok(Self::System);
        }
        let (kind, name) = text.split_once(':').ok_or_else(refused)?;
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| refused());
        let named = (!name.is_empty()).then(|| name.to_owned()).ok_or_else(refused)?;
        match kind {
            "transformer" => Ok(Self::Transformer(TransformerId::new(number(name)?))),
            "feeder" => Ok(Self::Feeder(named)),
            "substation" => Ok(Self::Substation(named)),
            "rate_class" => Ok(Self::RateClass(named)),
            "collector" => Ok(Self::Collector(CollectorId::new(number(name)?))),
            "group" => Ok(Self::Group(GroupId::new(number(name)?))),
            "meters" => name
                .split(',')
                .map(|id| number(id).map(MeterId::new))
                .collect::<Result<_, _>>()
                .map(Self::Meters),
            _ => Err(refused()),
        }
    }
}

/// Who belongs to a saved group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupRule {
    /// These, whatever becomes of them.
    List(Vec<MeterId>),
    /// Whoever fits on the day that is asked for.
    Filter(GroupFilter),
}

/// Conditions on a meter; every one that is `Some` must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupFilter {
    /// Of this commodity.
    pub commodity: Option<Commodity>,
    /// Of this model.
    pub model: Option<String>,
    /// Behind this collector.
    pub collector: Option<CollectorId>,
    /// Behind this transformer.
    pub transformer: Option<TransformerId>,
    /// On this feeder.
    pub feeder: Option<String>,
    /// On the feeders of this substation.
    pub substation: Option<String>,
    /// Of this class of rates.
    pub rate_class: Option<String>,
    /// Serial numbers that begin so.
    pub serial_prefix: Option<String>,
}

impl GroupFilter {
    /// Whether a meter fits where it is.
    pub fn fits(&self, place: &MeterPlace<'_>) -> bool {
        fn same<T: PartialEq>(wanted: Option<T>, is: Option<T>) -> bool {
            wanted.is_none_or(|wanted| is == Some(wanted))
        }
        same(self.commodity, Some(place.commodity))
            && same(self.model.as_deref(), Some(place.model))
            && same(self.collector, place.collector)
            && same(self.transformer, place.transformer)
            && same(self.feeder.as_deref(), place.feeder)
            && same(self.substation.as_deref(), place.substation)
            && same(self.rate_class.as_deref(), place.rate_class)
            && self
                .serial_prefix
                .as_ref()
                .is_none_or(|prefix| place.serial.as_str().starts_with(prefix.as_str()))
    }
}

/// A saved group with its history.
pub(crate) fn saved(read: &Read, id: GroupId) -> Result<Option<SavedGroup>, MdmError> {
    read.group(id)?.map(dated::read).transpose()
}

impl Mdm {
    /// The saved groups with their history, by name; retired ones too.
    ///
    /// # Errors
    /// What the store says.
    pub fn groups(&self) -> Result<Vec<SavedGroup>, MdmError> {
        self.store().read(store::Read::groups)?.into_iter().map(dated::read).collect()
    }

    /// One saved group.
    ///
    /// # Errors
    /// What the store says.
    pub fn saved_group(&self, id: GroupId) -> Result<Option<SavedGroup>, MdmError> {
        self.store().read(|r| saved(r, id))
    }

    /// Says who belongs to a group from a day on; a name that is not there is made. What it meant before stays for the
    /// days before.
    ///
    /// # Errors
    /// What the store says. A refusal is a value.
    pub fn put_group(
        &self,
        change: &Change<'_>,
        name: &str,
        rule: &GroupRule,
    ) -> Result<Result<GroupId, NameRefused>, MdmError> {
        let (name, reason) = match dated::checked(name, change.reason) {
            Ok(fine) => fine,
            Err(refused) => return Ok(Err(refused)),
        };
        let today = self.day_of(change.now)?.date();
        let body = serde_json::to_string(rule).map_err(StoreError::from)?;
        self.store().write(|w| {
            let known = w.groups()?.into_iter().find(|group| group.name == name).map(dated::read);
            let known: Option<SavedGroup> = known.transpose()?;
            let usual = if known.is_some() { today } else { SINCE_EVER };
            let from = change.from.unwrap_or(usual);
            if known.is_some_and(|known| known.meaning(from) == Some(rule)) {
                return Ok(Err(NameRefused::Unchanged(name.to_owned())));
            }
            Ok(Ok(w.put_group(name, &definition(change, reason, from, Some(body)))?))
        })
    }

    /// A group is no more from a day on, today without one; sums of days before are as they were.
    ///
    /// # Errors
    /// What the store says. A refusal is a value.
    pub fn retire_group(
        &self,
        change: &Change<'_>,
        id: GroupId,
    ) -> Result<Result<(), NameRefused>, MdmError> {
        let from = change.from.map_or_else(|| self.day_of(change.now).map(|day| day.date()), Ok)?;
        let retire = |w: &Write| -> Result<Result<(), NameRefused>, MdmError> {
            let Some(known) = saved(w, id)? else { return Ok(Err(NameRefused::Unknown)) };
            let (name, reason) = match dated::checked(&known.name, change.reason) {
                Ok(fine) => fine,
                Err(refused) => return Ok(Err(refused)),
            };
            if known.on(from).is_none() {
                return Ok(Err(NameRefused::NotInUse(name.to_owned(), from)));
            }
            w.put_group(name, &definition(change, reason, from, None))?;
            Ok(Ok(()))
        };
        self.store().write(retire)
    }

    /// The meters of a scope on a day, by id; `None` for a group that is not there, or is none on that day.
    ///
    /// # Errors
    /// What the store says.
    pub fn members(&self, scope: &Scope, date: Date) -> Result<Option<BTreeSet<MeterId>>, MdmError> {
        let day = self.local_day(date)?;
        self.store().read(|r| {
            let Some(membership) = Membership::load(r, scope, (day.start(), day.end()))? else {
                return Ok(None);
            };
            Ok(membership.on(&day).map(|stays| stays.into_keys().collect()))
        })
    }

    /// Says to `take` where every meter is at an instant, by id: for lists of feeders, substations and classes.
    ///
    /// # Errors
    /// What the store says.
    pub fn each_place(&self, at: Timestamp, mut take: impl FnMut(&MeterPlace<'_>)) -> Result<(), MdmError> {
        let day = self.day_of(at)?;
        self.store().read(|r| {
            let after = at.saturating_add(jiff::SignedDuration::from_millis(1)).unwrap_or(at);
            if let Some(membership) = Membership::load(r, &Scope::System, (at, after))? {
                membership.each(day.date(), |_, place| take(place));
            }
            Ok(())
        })
    }
}

/// What is kept of a change.
pub(crate) fn definition(change: &Change<'_>, reason: &str, from: Date, body: Option<String>) -> Definition {
    Definition { from, body, user: change.user, reason: reason.to_owned(), changed_at: change.now }
}
