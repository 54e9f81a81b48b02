//! Who belongs together: by where meters hang, by class of rates, by a saved list or filter.

use crate::{Mdm, MdmError};
use jiff::Timestamp;
use model::{CollectorId, Commodity, GroupId, MeterId, TransformerId, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::{MeterGroup, MeterPlace, Read, StoreError};

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
    /// Whoever fits when the group is asked for.
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
    fn fits(&self, place: &MeterPlace) -> bool {
        fn same<T: PartialEq>(wanted: Option<&T>, is: Option<&T>) -> bool {
            wanted.is_none_or(|wanted| is == Some(wanted))
        }
        same(self.commodity.as_ref(), Some(&place.commodity))
            && same(self.model.as_ref(), Some(&place.model))
            && same(self.collector.as_ref(), place.collector.as_ref())
            && same(self.transformer.as_ref(), place.transformer.as_ref())
            && same(self.feeder.as_ref(), place.feeder.as_ref())
            && same(self.substation.as_ref(), place.substation.as_ref())
            && same(self.rate_class.as_ref(), place.rate_class.as_ref())
            && self
                .serial_prefix
                .as_ref()
                .is_none_or(|prefix| place.serial.as_str().starts_with(prefix.as_str()))
    }
}

/// The meters of a scope that are in service; `None` for a group that is not there.
pub(crate) fn members(read: &Read, scope: &Scope) -> Result<Option<BTreeSet<MeterId>>, MdmError> {
    let rule = match scope {
        Scope::System => GroupRule::Filter(GroupFilter::default()),
        Scope::Transformer(id) => {
            GroupRule::Filter(GroupFilter { transformer: Some(*id), ..GroupFilter::default() })
        }
        Scope::Feeder(name) => {
            GroupRule::Filter(GroupFilter { feeder: Some(name.clone()), ..GroupFilter::default() })
        }
        Scope::Substation(name) => {
            GroupRule::Filter(GroupFilter { substation: Some(name.clone()), ..GroupFilter::default() })
        }
        Scope::RateClass(name) => {
            GroupRule::Filter(GroupFilter { rate_class: Some(name.clone()), ..GroupFilter::default() })
        }
        Scope::Collector(id) => {
            GroupRule::Filter(GroupFilter { collector: Some(*id), ..GroupFilter::default() })
        }
        Scope::Group(id) => {
            let Some(group) = read.group(*id)? else { return Ok(None) };
            serde_json::from_str(&group.rule).map_err(StoreError::from)?
        }
        Scope::Meters(meters) => GroupRule::List(meters.clone()),
    };
    let places = read.meter_places()?.into_iter();
    let fits = |place: &MeterPlace| match &rule {
        GroupRule::List(meters) => meters.contains(&place.meter),
        GroupRule::Filter(filter) => filter.fits(place),
    };
    Ok(Some(places.filter(fits).map(|place| place.meter).collect()))
}

impl Mdm {
    /// The saved groups, by name.
    ///
    /// # Errors
    /// What the store says.
    pub fn groups(&self) -> Result<Vec<MeterGroup>, MdmError> {
        Ok(self.store().read(store::Read::groups)?)
    }

    /// Saves a group under its name, in place of one of the same name.
    ///
    /// # Errors
    /// What the store says.
    pub fn put_group(
        &self,
        now: Timestamp,
        user: UserId,
        name: &str,
        rule: &GroupRule,
    ) -> Result<GroupId, MdmError> {
        let text = serde_json::to_string(rule).map_err(StoreError::from)?;
        Ok(self.store().write(|w| w.put_group(name.trim(), &text, user, now))?)
    }

    /// The meters of a scope that are in service, by id; `None` for a group that is not there.
    ///
    /// # Errors
    /// What the store says.
    pub fn members(&self, scope: &Scope) -> Result<Option<BTreeSet<MeterId>>, MdmError> {
        self.store().read(|r| members(r, scope))
    }

    /// Where every meter in service hangs, by id: for lists of feeders, substations and classes.
    ///
    /// # Errors
    /// What the store says.
    pub fn meter_places(&self) -> Result<Vec<MeterPlace>, MdmError> {
        Ok(self.store().read(store::Read::meter_places)?)
    }
}
