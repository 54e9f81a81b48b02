//! The living territory: its parts, and how it is asked.

use crate::device::Device;
use crate::dials::Dials;
use crate::flaw::Flaw;
use crate::history::History;
use crate::loads::Flow;
use crate::registry::Registry;
use crate::runtime::DirectLine;
use crate::scenario::{FaultKind, HistoryGapPlan, Scenario};
use crate::story::Happening;
use crate::truth::Truth;
use crate::weather::{self, WeatherHour};
use crate::world::{Quarter, World};
use field::collector::CollectorStats;
use field::{Collector, ConnId, Hop, Network, NetworkStats};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::{CollectorId, Commodity, LocalDay, MeterId, TransformerId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[cfg(test)]
mod tests;

/// Who sends what nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PushFrom {
    /// A collector, on behalf of a meter behind it.
    Collector(CollectorId),
    /// A meter with a line of its own.
    Meter(MeterId),
}

/// The far end of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// A connection that somebody opened to a collector.
    Collector(CollectorId, ConnId),
    /// A connection that somebody opened to a meter.
    Direct(MeterId, ConnId),
    /// The head-end's listener for pushes; the territory's side opens this connection.
    Push(PushFrom),
}

/// Bytes that leave the territory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub to: Endpoint,
    /// Wrapper messages, whole ones.
    pub bytes: Vec<u8>,
}

/// Why a territory was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The scenario names a zone that nobody knows.
    #[error("build the territory: no zone is called `{0}`")]
    Zone(String),
    /// A meter model that the executable carries is broken.
    #[error("build the territory: the meter model `{0}` cannot be read")]
    Model(&'static str),
    /// The scenario is too large to number.
    #[error("build the territory: {0} meters are more than 1,000,000")]
    TooMany(u32),
}

/// What was counted since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TerritoryStats {
    /// Messages in the field network.
    pub network: NetworkStats,
    /// Per collector, in the order of the registry.
    pub collectors: Vec<CollectorStats>,
    /// Connections to direct meters closed for what they sent.
    pub broken_direct: u64,
    /// Messages dropped because nobody fetched them.
    pub dropped: u64,
}

/// A town with its meters, alive. See the crate's page for how it is used.
///
/// Order of use: `handle_*` for what arrived on a socket, [`Self::advance`] whenever the clock reaches
/// [`Self::poll_timeout`]; after either, empty [`Self::poll_transmit`] and [`Self::poll_close`].
#[derive(Debug)]
pub struct Territory {
    pub(crate) world: World,
    pub(crate) registry: Registry,
    pub(crate) commodities: Vec<Commodity>,
    pub(crate) gaps: Vec<HistoryGapPlan>,
    pub(crate) flaws: Vec<Flaw>,
    /// Since when the living meters have measured, and what their registers showed then, both ways.
    pub(crate) since: Timestamp,
    pub(crate) begun: Vec<(u64, u64)>,
    pub(crate) devices: Vec<Device>,
    pub(crate) faulty: Vec<(MeterId, FaultKind, Timestamp)>,
    pub(crate) network: Network,
    pub(crate) collectors: Vec<Collector>,
    pub(crate) direct: BTreeMap<usize, DirectLine>,
    pub(crate) by_address: BTreeMap<u32, usize>,
    pub(crate) agenda: BTreeMap<(Timestamp, u64), Happening>,
    pub(crate) next: u64,
    pub(crate) busy: BTreeSet<usize>,
    pub(crate) dead_collectors: BTreeSet<usize>,
    pub(crate) outgoing: VecDeque<Outgoing>,
    pub(crate) closing: VecDeque<Endpoint>,
    pub(crate) at: Timestamp,
    pub(crate) stats: TerritoryStats,
}

impl Territory {
    /// Builds the territory of a scenario; everything follows from `seed`. `start` is when it comes alive; its
    /// meters have measured for [`Scenario::history_days`] days before.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(scenario: &Scenario, seed: u64, start: Timestamp) -> Result<Self, BuildError> {
        crate::build::territory(scenario, seed, start)
    }

    /// What the utility knows.
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Every meter's days from `first` to `last`, both included, as they would have been read before the start.
    ///
    /// Outages and faults of the time after the start do not show; the scenario's history gaps and flaws do.
    pub fn history(&self, first: Date, last: Date) -> History<'_> {
        let meter = |customer| {
            let points = self.registry.service_points.iter();
            let mut points = points
                .filter(|point| point.customer == customer && point.commodity == Commodity::Electricity);
            let point = points.next()?;
            self.registry.meters.iter().find(|meter| meter.service_point == point.id).map(|meter| meter.id)
        };
        let demo_meter = meter(self.registry.demo_customer).unwrap_or(MeterId::new(0));
        let mut dials = Dials::new(&self.registry, &self.begun);
        self.turn_back(&mut dials, first, last);
        History::new(self, dials, demo_meter, (first, last))
    }

    /// Carries registers from when the living meters began to the beginning of a history.
    fn turn_back(&self, dials: &mut Dials, first: Date, last: Date) {
        let Ok(start) = LocalDay::new(first, &self.world.zone).map(|day| day.start()) else { return };
        let (from, to, sign) =
            if start < self.since { (start, self.since, -1) } else { (self.since, start, 1) };
        let mut at = from;
        while at < to {
            let end = (at + SignedDuration::from_hours(24)).min(to);
            let quarters = self.world.quarters(at, end);
            dials.look_at(&quarters, &self.world.zone);
            for site in 0..self.commodities.len() {
                dials.count(site, &self.world.flows(site, &quarters), sign);
            }
            at = end;
        }
        // What panels changed before the history's first day is in the registers from the start.
        for (site, meter) in self.registry.meters.iter().enumerate() {
            for flaw in self.flaws.iter().filter(|flaw| flaw.meter == meter.id) {
                for before in flaw.days() {
                    let Some((day, quarters)) = self.day_before(last, before) else { continue };
                    let inside = day >= first;
                    let mut flows = self.world.flows(site, &quarters);
                    if inside {
                        dials.look_at(&quarters, &self.world.zone);
                        dials.count(site, &flows, 1);
                        flaw.alter(&mut flows, before);
                        dials.count(site, &flows, -1);
                    }
                }
            }
        }
    }

    fn day_before(&self, last: Date, before: i64) -> Option<(Date, Vec<Quarter>)> {
        let date = last.checked_sub(before.days()).ok()?;
        let day = LocalDay::new(date, &self.world.zone).ok()?;
        Some((date, self.world.quarters(day.start(), day.end())))
    }

    /// By how much panels that nobody registered changed what a site's registers show at `start`.
    pub(crate) fn panels_before(&self, site: usize, start: Timestamp) -> Flow {
        let mut changed = Flow::default();
        let Some(meter) = self.registry.meters.get(site) else { return changed };
        let Ok(last) = start.to_zoned(self.world.zone.clone()).date().yesterday() else { return changed };
        for flaw in self.flaws.iter().filter(|flaw| flaw.meter == meter.id) {
            for before in flaw.days() {
                let Some((_, quarters)) = self.day_before(last, before) else { continue };
                let flows = self.world.flows(site, &quarters);
                let mut altered = flows.clone();
                flaw.alter(&mut altered, before);
                for (was, is) in flows.iter().zip(&altered) {
                    changed.delivered += is.delivered - was.delivered;
                    changed.received += is.received - was.received;
                }
            }
        }
        changed
    }

    /// The weather of the hours that begin in `[from, to)`.
    pub fn weather(&self, from: Timestamp, to: Timestamp) -> Vec<WeatherHour> {
        weather::hours(&self.world.zone, from, to)
    }

    /// What truly flowed and flows.
    pub const fn truth(&self) -> Truth<'_> {
        Truth { world: &self.world }
    }

    /// Which meters misbehave, how, and from when on (clock drift: all the time). For checkers.
    pub fn faulty(&self) -> &[(MeterId, FaultKind, Timestamp)] {
        &self.faulty
    }

    /// The links between a meter and its collector as they are laid now; empty without a route.
    pub fn path(&mut self, meter: MeterId) -> Vec<Hop> {
        match self.site(meter) {
            Some(site) => self.network.path(self.devices[site].address()),
            None => Vec::new(),
        }
    }

    /// What was counted so far.
    pub fn stats(&self) -> TerritoryStats {
        let collectors = self.collectors.iter().map(Collector::stats).collect();
        TerritoryStats { network: self.network.stats(), collectors, ..self.stats.clone() }
    }

    /// Cuts a transformer's supply at the next whole second, for so many seconds.
    pub fn cut(&mut self, now: Timestamp, transformer: TransformerId, seconds: u32) {
        let now = self.advance(now);
        let whole = now.as_second() + i64::from(now.subsec_nanosecond() > 0);
        let from = Timestamp::from_second(whole).unwrap_or(now);
        let iron = usize::try_from(transformer.get()).unwrap_or(0).wrapping_sub(1);
        if iron < self.world.irons.len() {
            self.plan_outage(iron, from, i64::from(seconds));
            self.advance(now);
        }
    }

    /// Bytes that leave the territory, in order.
    pub fn poll_transmit(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }

    /// A connection that the territory closes; never [`Endpoint::Push`].
    pub fn poll_close(&mut self) -> Option<Endpoint> {
        self.closing.pop_front()
    }

    pub(crate) fn site(&self, meter: MeterId) -> Option<usize> {
        let site = usize::try_from(meter.get()).ok()?.checked_sub(1)?;
        (site < self.devices.len()).then_some(site)
    }

    pub(crate) fn collector(&self, id: CollectorId) -> Option<usize> {
        let index = usize::try_from(id.get()).ok()?.checked_sub(1)?;
        (index < self.collectors.len()).then_some(index)
    }
}
