//! The channels of the fleet, kept in memory: who measures what, and what the rules know of it.

use jiff::Timestamp;
use model::{ChannelId, ChannelKind, MeterId};
use std::collections::BTreeMap;
use store::{Channel, Read};
use vee::Facts;

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
}

/// A channel with what belongs to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) channel: Channel,
    pub(crate) facts: Facts,
    pub(crate) installed_at: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    by_kind: BTreeMap<(MeterId, ChannelKind), Entry>,
    by_id: BTreeMap<ChannelId, (MeterId, ChannelKind)>,
}

impl Catalogue {
    pub(crate) fn load(read: &Read, models: &BTreeMap<String, ModelFacts>) -> store::Result<Self> {
        let meters: BTreeMap<MeterId, _> =
            read.meters()?.into_iter().map(|meter| (meter.id, meter)).collect();
        let mut catalogue = Self::default();
        for channel in read.channels()? {
            let Some(meter) = meters.get(&channel.meter) else { continue };
            if meter.retired_at.is_some() {
                continue;
            }
            let known = models.get(&meter.model).copied().unwrap_or_default();
            // Nobody tells the register of generators yet, so energy that comes back is no surprise.
            let facts = Facts {
                modulus: known.modulus,
                resolution: known.resolution.max(1),
                rating_w: known.rating_w,
                nominal_dv: known.nominal_dv,
                generation: true,
                ..Facts::new(channel.kind, channel.interval)
            };
            let key = (channel.meter, channel.kind);
            catalogue.by_kind.insert(key, Entry { channel, facts, installed_at: meter.installed_at });
            catalogue.by_id.insert(channel.id, key);
        }
        Ok(catalogue)
    }

    pub(crate) fn get(&self, meter: MeterId, kind: ChannelKind) -> Option<Entry> {
        self.by_kind.get(&(meter, kind)).copied()
    }

    pub(crate) fn by_id(&self, channel: ChannelId) -> Option<Entry> {
        self.by_id.get(&channel).and_then(|key| self.by_kind.get(key)).copied()
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.by_kind.values().copied()
    }
}
