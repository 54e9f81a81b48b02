//! Readings of the history that cannot be right, so that there is something for people to work on.

use crate::chance::{Purpose, draw};
use crate::history::HistoryDay;
use crate::loads::Flow;
use crate::registry::Registry;
use crate::scenario::{HistoryFlaw, HistoryFlawPlan};
use crate::world::QUARTER_S;
use core::ops::Range;
use model::{ChannelKind, Commodity, MeterId};

/// The least that a standing register repeats, Wh: a quarter hour of a household that is at home.
const STUCK_AT_LEAST: i64 = 120;

/// A plan and the meter it is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flaw {
    pub(crate) meter: MeterId,
    plan: HistoryFlawPlan,
}

/// Which meters have what: homes without registered panels, never the demo customer's, each with one flaw at most.
pub(crate) fn settle(plans: &[HistoryFlawPlan], registry: &Registry, seed: u64) -> Vec<Flaw> {
    let plain = |meter: &&crate::registry::MeterEntry| {
        let points = &registry.service_points;
        let point = points.iter().find(|point| point.id == meter.service_point);
        meter.commodity == Commodity::Electricity
            && point.is_some_and(|point| !point.solar && point.customer != registry.demo_customer)
    };
    let mut homes: Vec<MeterId> = registry.meters.iter().filter(plain).map(|meter| meter.id).collect();
    homes.sort_by_key(|meter| (draw(seed, Purpose::Flaw, meter.get().into()), *meter));
    let each = plans.iter().flat_map(|plan| (0..plan.count).map(move |_| *plan));
    each.zip(homes).map(|(plan, meter)| Flaw { meter, plan }).collect()
}

impl Flaw {
    /// Whether a day that lies `before` days before the end of the history is one of the plan's.
    fn is_on(&self, before: i64) -> bool {
        self.days().any(|day| day == before)
    }

    /// The days before the end of the history on which it is, the first one first.
    pub(crate) fn days(&self) -> impl Iterator<Item = i64> {
        let first = i64::from(self.plan.days_before_end);
        (first - i64::from(self.plan.days) + 1..=first).rev().filter(|before| *before >= 0)
    }

    /// Changes what truly flowed on a day that lies `before` days before the end of the history: panels that nobody registered.
    pub(crate) fn alter(&self, flows: &mut [Flow], before: i64) {
        let HistoryFlaw::Panels { watts } = self.plan.kind else { return };
        if self.is_on(before) {
            let slots = self.slots(flows.len(), QUARTER_S);
            push_back(&mut flows[slots], i64::from(watts) * QUARTER_S / 3600);
        }
    }

    /// Spoils the readings of a day that lies `before` days before the end of the history, if it is one of the plan's.
    pub(crate) fn spoil(&self, history: &mut HistoryDay, before: i64) {
        if !self.is_on(before) {
            return;
        }
        let len = history.channels.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
        let slots = self.slots(len, history.interval.secs().into());
        let quarter = |watts: u32| i64::from(watts) * i64::from(history.interval.secs()) / 3600;
        match self.plan.kind {
            HistoryFlaw::Spike { watts } => {
                let extra = quarter(watts);
                let value = values(history, ChannelKind::Import).and_then(|all| all.get_mut(slots.start));
                if let Some(Some(value)) = value {
                    *value += extra;
                }
            }
            HistoryFlaw::Stuck => {
                let Some(all) = values(history, ChannelKind::Import) else { return };
                let stands = all.get(slots.start).copied().flatten().map(|value| value.max(STUCK_AT_LEAST));
                all[slots].fill(stands);
            }
            // Those are no fault of the readings, see `Flaw::alter`.
            HistoryFlaw::Panels { .. } => {}
            HistoryFlaw::Negative => {
                let Some(all) = values(history, ChannelKind::Import) else { return };
                for value in all[slots].iter_mut().flatten() {
                    *value = -*value;
                }
            }
        }
    }

    /// The plan's intervals of a day of `len`, each of so many seconds.
    fn slots(&self, len: usize, secs: i64) -> Range<usize> {
        let secs = usize::try_from(secs).unwrap_or(900);
        let (from, to) = (self.plan.from_hour, self.plan.from_hour.saturating_add(self.plan.hours));
        let at = |hour: u8| (usize::from(hour) * 3600 / secs).min(len);
        at(from)..if to >= 24 { len } else { at(to) }
    }
}

fn values(history: &mut HistoryDay, kind: ChannelKind) -> Option<&mut Vec<Option<i64>>> {
    history.channels.iter_mut().find(|(known, _)| *known == kind).map(|(_, values)| values)
}

/// A half sine of sun over the slots, first used up in the house and then sent back.
///
/// ```text
/// peak        .-"""-.
///          .-´       `-.        n slots: 4 k (n - k) / n^2 of the peak
/// ```
fn push_back(flows: &mut [Flow], peak: i64) {
    let len = i64::try_from(flows.len()).unwrap_or(1).max(1);
    for (k, flow) in (0i64..).zip(flows) {
        let back = peak * 4 * k * (len - k) / (len * len) - flow.delivered;
        flow.delivered = (-back).max(0);
        flow.received += back.max(0);
    }
}
