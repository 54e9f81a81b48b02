//! Who belongs to a scope on which day, and from which instant to which: by where meters were installed then.

use crate::MdmError;
use crate::dated::Dated;
use crate::group::{GroupFilter, GroupRule, MeterPlace, SavedGroup, Scope, saved};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{LocalDay, MeterId, ServicePointId};
use std::collections::{BTreeMap, BTreeSet};
use store::{Read, Since, Stay};

/// A time during which a meter belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    from: Timestamp,
    to: Timestamp,
    /// The meter was somewhere else until `from`, so an interval that had begun by then is of that place.
    moved: bool,
}

impl Span {
    /// Whether the interval from `start` to `end` is of this time.
    ///
    /// An interval in which a meter was installed or removed holds what it measured while it was there, so it counts; one in
    /// which it was moved counts where it began.
    pub(crate) fn holds(&self, start: Timestamp, end: Timestamp) -> bool {
        start < self.to && end > self.from && (!self.moved || start >= self.from)
    }

    /// Whether every interval of a day is.
    pub(crate) fn covers(&self, day: &LocalDay) -> bool {
        self.from <= day.start() && day.end() <= self.to
    }
}

/// Names that change: by key, in the order in which it was said.
#[derive(Debug)]
struct Names<K>(BTreeMap<K, Vec<(Date, Option<String>)>>);

impl<K: Ord> Names<K> {
    fn new(said: Vec<Since<K>>) -> Self {
        let mut names: BTreeMap<K, Vec<_>> = BTreeMap::new();
        for one in said {
            names.entry(one.of).or_default().push((one.from, one.is));
        }
        Self(names)
    }

    fn on<Q: Ord + ?Sized>(&self, key: &Q, day: Date) -> Option<&str>
    where
        K: core::borrow::Borrow<Q>,
    {
        let (_, is) = self.0.get(key)?.iter().rev().find(|(from, _)| *from <= day)?;
        is.as_deref()
    }
}

/// What decides who belongs.
#[derive(Debug)]
enum Rule {
    Always(GroupRule),
    Saved(SavedGroup),
}

/// Everything that says who belongs to a scope during a time.
#[derive(Debug)]
pub(crate) struct Membership {
    stays: Vec<Stay>,
    substations: Names<String>,
    classes: Names<ServicePointId>,
    rule: Rule,
}

impl Membership {
    /// Of a scope, for the days in `[from, to)`; `None` for a group that is not there.
    pub(crate) fn load(
        read: &Read,
        scope: &Scope,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Option<Self>, MdmError> {
        let rule = match scope {
            Scope::Group(id) => match saved(read, *id)? {
                Some(group) => Rule::Saved(group),
                None => return Ok(None),
            },
            other => Rule::Always(rule_of(other)),
        };
        Ok(Some(Self {
            stays: read.stays(from, to)?,
            substations: Names::new(read.substations()?),
            classes: Names::new(read.rate_classes()?),
            rule,
        }))
    }

    /// The meters that belong on a day, with their times; `None` where the group is none on that day.
    pub(crate) fn on(&self, day: &LocalDay) -> Option<BTreeMap<MeterId, Vec<Span>>> {
        let date = day.date();
        let rule = match &self.rule {
            Rule::Always(rule) => rule,
            Rule::Saved(group) => Dated::meaning(group, date)?,
        };
        let listed: BTreeSet<MeterId> = match rule {
            GroupRule::List(meters) => meters.iter().copied().collect(),
            GroupRule::Filter(_) => BTreeSet::new(),
        };
        let mut found: BTreeMap<MeterId, Vec<Span>> = BTreeMap::new();
        let mut before: Option<&Stay> = None;
        self.each(date, |stay, place| {
            let moved = before.is_some_and(|last| last.meter == stay.meter && last.to == Some(stay.from));
            before = Some(stay);
            let to = stay.to.unwrap_or(Timestamp::MAX);
            let belongs = match rule {
                GroupRule::List(_) => listed.contains(&stay.meter),
                GroupRule::Filter(filter) => filter.fits(place),
            };
            if stay.from < day.end() && day.start() < to && belongs {
                found.entry(stay.meter).or_default().push(Span { from: stay.from, to, moved });
            }
        });
        Some(found)
    }

    /// Says to `take` where each stay is on a day, by meter and time.
    pub(crate) fn each<'a>(&'a self, date: Date, mut take: impl FnMut(&'a Stay, &MeterPlace<'a>)) {
        for stay in &self.stays {
            let feeder = stay.feeder.as_deref();
            let place = MeterPlace {
                meter: stay.meter,
                serial: &stay.serial,
                model: &stay.model,
                commodity: stay.commodity,
                collector: stay.collector,
                service_point: stay.service_point,
                transformer: stay.transformer,
                feeder,
                substation: feeder.and_then(|feeder| self.substations.on(feeder, date)),
                rate_class: stay.service_point.and_then(|point| self.classes.on(&point, date)),
            };
            take(stay, &place);
        }
    }
}

/// The rule of a scope that is no saved group.
fn rule_of(scope: &Scope) -> GroupRule {
    let all = GroupFilter::default();
    GroupRule::Filter(match scope {
        Scope::Meters(meters) => return GroupRule::List(meters.clone()),
        Scope::System | Scope::Group(_) => all,
        Scope::Transformer(id) => GroupFilter { transformer: Some(*id), ..all },
        Scope::Feeder(name) => GroupFilter { feeder: Some(name.clone()), ..all },
        Scope::Substation(name) => GroupFilter { substation: Some(name.clone()), ..all },
        Scope::RateClass(name) => GroupFilter { rate_class: Some(name.clone()), ..all },
        Scope::Collector(id) => GroupFilter { collector: Some(*id), ..all },
    })
}
