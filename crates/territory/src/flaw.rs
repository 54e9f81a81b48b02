//! Readings of the history that cannot be right, so that there is something for people to work on.

use crate::chance::{Purpose, draw};
use crate::history::HistoryDay;
use crate::registry::Registry;
use crate::scenario::{HistoryFlaw, HistoryFlawPlan};
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
    /// Spoils a day that lies `before` days before the end of the history, if it is one of the plan's.
    pub(crate) fn spoil(&self, history: &mut HistoryDay, before: i64) {
        let first = i64::from(self.plan.days_before_end);
        if before > first || before <= first - i64::from(self.plan.days) {
            return;
        }
        let slots = self.slots(history);
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
            HistoryFlaw::Panels { watts } => {
                let peak = quarter(watts);
                push_back(history, &slots, peak);
            }
            HistoryFlaw::Negative => {
                let Some(all) = values(history, ChannelKind::Import) else { return };
                for value in all[slots].iter_mut().flatten() {
                    *value = -*value;
                }
            }
        }
    }

    fn slots(&self, history: &HistoryDay) -> Range<usize> {
        let secs = usize::try_from(history.interval.secs()).unwrap_or(900);
        let (from, to) = (self.plan.from_hour, self.plan.from_hour.saturating_add(self.plan.hours));
        let len = history.channels.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
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
fn push_back(history: &mut HistoryDay, slots: &Range<usize>, peak: i64) {
    let len = i64::try_from(slots.len()).unwrap_or(1).max(1);
    let sun = |index: usize| {
        let k = i64::try_from(index - slots.start).unwrap_or(0);
        peak * 4 * k * (len - k) / (len * len)
    };
    let Some(imports) = values(history, ChannelKind::Import) else { return };
    let mut sent = Vec::with_capacity(slots.len());
    for index in slots.clone() {
        let Some(Some(value)) = imports.get_mut(index) else {
            sent.push(0);
            continue;
        };
        let back = sun(index) - *value;
        *value = (-back).max(0);
        sent.push(back.max(0));
    }
    let Some(exports) = values(history, ChannelKind::Export) else { return };
    for (index, extra) in slots.clone().zip(sent) {
        if let Some(Some(value)) = exports.get_mut(index) {
            *value += extra;
        }
    }
}
