//! The channels of the fleet, kept in memory: who measures what, and what the rules know of it.

use jiff::Timestamp;
use model::{ChannelId, ChannelKind, LocalDay, MeterId, PremiseId, ServicePointId};
use std::collections::BTreeMap;
use store::{Channel, Meter, Read, ServicePoint};
use vee::{Eligible, Facts};

/// What the rules should know of a meter model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelFacts {
    /// The total register, in the stored unit, at which it starts again from zero.
    pub modulus: Option<i64>,
    /// The step of the total register in the stored unit, 0 for 1.
    pub resolution: i64,
    /// The most that the service can carry, watts.
    pub rating_w: Option<i64>,
    /// Nominal voltage, tenths of a volt.
    pub nominal_dv: Option<i64>,
    /// How many bits the counter of an interval has; a full one ran over.
    pub counter_bits: Option<u8>,
}

/// A channel with what belongs to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) channel: Channel,
    pub(crate) facts: Facts,
    pub(crate) installed_at: Timestamp,
    /// The meter that checks this one.
    pub(crate) checked_by: Option<MeterId>,
    /// The meter's model, by its place in the catalogue.
    model: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    by_kind: BTreeMap<(MeterId, ChannelKind), Entry>,
    by_id: BTreeMap<ChannelId, (MeterId, ChannelKind)>,
    models: Vec<String>,
    /// When the meter at a service point was another before or after; only of meters of which that is on record.
    exchanges: BTreeMap<MeterId, Vec<Timestamp>>,
}

impl Catalogue {
    pub(crate) fn load(read: &Read, models: &BTreeMap<String, ModelFacts>) -> store::Result<Self> {
        let meters: BTreeMap<MeterId, Meter> =
            read.meters()?.into_iter().map(|meter| (meter.id, meter)).collect();
        let places = Places::load(read)?;
        let in_store = read.taken_off()?;
        let checks: BTreeMap<MeterId, MeterId> =
            meters.values().filter_map(|meter| Some((meter.check_of?, meter.id))).collect();
        let names: std::collections::BTreeSet<&String> = meters.values().map(|meter| &meter.model).collect();
        let mut catalogue = Self { models: names.into_iter().cloned().collect(), ..Self::default() };
        for channel in read.channels()? {
            let Some(meter) = meters.get(&channel.meter) else { continue };
            let removed = meter.retired_at.or_else(|| in_store.get(&meter.id).copied());
            let edges: Vec<Timestamp> = meter.fitted_at.into_iter().chain(removed).collect();
            if !edges.is_empty() {
                catalogue.exchanges.insert(meter.id, edges);
            }
            let known = models.get(&meter.model).copied().unwrap_or_default();
            let entry = Entry {
                channel,
                facts: Facts { removed, ..places.facts(&channel, meter, known) },
                installed_at: meter.installed_at,
                checked_by: checks.get(&meter.id).copied(),
                model: catalogue.models.binary_search(&meter.model).unwrap_or(0),
            };
            let key = (channel.meter, channel.kind);
            catalogue.by_kind.insert(key, entry);
            catalogue.by_id.insert(channel.id, key);
        }
        Ok(catalogue)
    }

    /// What the rules of a channel are chosen by.
    pub(crate) fn eligible(&self, entry: &Entry) -> Eligible<'_> {
        let model = self.models.get(entry.model).map_or("", String::as_str);
        Eligible { class: entry.facts.class, model, kind: entry.channel.kind }
    }

    pub(crate) fn get(&self, meter: MeterId, kind: ChannelKind) -> Option<Entry> {
        self.by_kind.get(&(meter, kind)).copied()
    }

    pub(crate) fn by_id(&self, channel: ChannelId) -> Option<Entry> {
        self.by_id.get(&channel).and_then(|key| self.by_kind.get(key)).copied()
    }

    /// The channels in service.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.by_kind.values().filter(|entry| entry.facts.removed.is_none()).copied()
    }

    /// The channels that were in service at some time of a day.
    pub(crate) fn entries_of(&self, day: &LocalDay) -> impl Iterator<Item = Entry> + '_ {
        let (start, end) = (day.start(), day.end());
        let there = move |entry: &&Entry| {
            entry.installed_at < end
                && entry.facts.installed.is_none_or(|at| at < end)
                && entry.facts.removed.is_none_or(|at| at > start)
        };
        self.by_kind.values().filter(there).copied()
    }

    /// The instants at which a meter was fitted or taken away, where that is on record: no register runs across one.
    pub(crate) fn exchanges(&self, meter: MeterId) -> &[Timestamp] {
        self.exchanges.get(&meter).map_or(&[], Vec::as_slice)
    }
}

/// Where meters are, and whom they supply.
struct Places {
    points: BTreeMap<ServicePointId, ServicePoint>,
    positions: BTreeMap<PremiseId, (i32, i32)>,
    /// A registry without customers says nothing of vacancies.
    knows_customers: bool,
}

impl Places {
    fn load(read: &Read) -> store::Result<Self> {
        let points: BTreeMap<_, _> =
            read.service_points()?.into_iter().map(|point| (point.id, point)).collect();
        let positions = read
            .premises()?
            .into_iter()
            .filter_map(|premise| Some((premise.id, premise.position.map(|at| (at.lat_e6, at.lon_e6))?)))
            .collect();
        let knows_customers = points.values().any(|point| point.customer.is_some());
        Ok(Self { points, positions, knows_customers })
    }

    fn facts(&self, channel: &Channel, meter: &Meter, known: ModelFacts) -> Facts {
        let point = meter.service_point.and_then(|id| self.points.get(&id));
        let supply = point.map(|point| point.supply).unwrap_or_default();
        let multiplier = i64::from(meter.multiplier.max(1));
        let step = known.resolution.max(1);
        let shown = meter.dials.and_then(|dials| step.checked_mul(10i64.checked_pow(dials.into())?));
        Facts {
            modulus: shown.or(known.modulus).and_then(|modulus| modulus.checked_mul(multiplier)),
            resolution: step.saturating_mul(multiplier),
            rating_w: supply.rating_w().or(known.rating_w),
            nominal_dv: supply.volts.map(|volts| i64::from(volts) * 10).or(known.nominal_dv),
            // Of a meter at no service point nobody can say what is behind it.
            generation: point.is_none() || supply.generation_w.is_some(),
            class: supply.class,
            vacant: self.knows_customers && point.is_some_and(|point| point.customer.is_none()),
            position: point.and_then(|point| self.positions.get(&point.premise)).copied(),
            multiplier: meter.multiplier.max(1),
            counter_bits: known.counter_bits.filter(|_| channel.kind.is_additive()),
            installed: meter.fitted_at,
            ..Facts::new(channel.kind, channel.interval)
        }
    }
}
