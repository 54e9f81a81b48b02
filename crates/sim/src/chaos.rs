//! What goes wrong on the utility's side, and what people ask for meanwhile.

use crate::dice::Dice;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use territory::Scenario;

/// Something that happens to the utility at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blow {
    /// The process is killed, and starts again after a while.
    Kill,
    /// It starts again.
    Start,
    /// A connection breaks.
    Cut,
    /// A person orders something of a meter.
    Order,
}

/// The scenario with its faults at other times, drawn for this run, all of them inside the judged days.
pub(crate) fn scattered(scenario: &Scenario, dice: &mut Dice, days: u32) -> Scenario {
    let mut scenario = scenario.clone();
    let mut minute = || u32::try_from(dice.below(u64::from(days) * 24 * 60)).unwrap_or(0);
    for fault in &mut scenario.fault {
        fault.after_minutes = fault.after_minutes.map(|_| minute());
    }
    scenario.outage.iter_mut().for_each(|plan| plan.after_minutes = minute());
    scenario.dead_collector.iter_mut().for_each(|plan| plan.after_minutes = minute());
    scenario.storm.iter_mut().for_each(|plan| plan.after_minutes = minute());
    scenario.partition.iter_mut().for_each(|plan| plan.after_minutes = minute());
    scenario
}

/// What happens when.
#[derive(Debug)]
pub(crate) struct Agenda(BTreeMap<(Timestamp, u32), Blow>);

impl Agenda {
    /// Draws what happens in the `days` after `start`.
    pub(crate) fn draw(dice: &mut Dice, start: Timestamp, days: u32) -> Self {
        let mut agenda = Self(BTreeMap::new());
        for day in 0..days {
            let morning = start + SignedDuration::from_hours(24 * i64::from(day));
            for (blow, times) in [(Blow::Kill, 1 + dice.below(2)), (Blow::Cut, 6), (Blow::Order, 6)] {
                for _ in 0..times {
                    let second = i64::try_from(dice.below(86_400_000)).unwrap_or(0);
                    agenda.add(morning + SignedDuration::from_millis(second), blow);
                }
            }
        }
        agenda
    }

    pub(crate) fn add(&mut self, at: Timestamp, blow: Blow) {
        let number = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        let free = (number..).find(|number| !self.0.contains_key(&(at, *number))).unwrap_or(number);
        self.0.insert((at, free), blow);
    }

    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.0.first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn due(&mut self, now: Timestamp) -> Option<Blow> {
        let first = self.0.first_entry()?;
        if first.key().0 <= now { Some(first.remove()) } else { None }
    }
}
