//! What happens in the territory by itself: outages, storms, dead collectors, waking meters.

use crate::scenario::Scenario;
use crate::territory::{Endpoint, Territory};
use jiff::{SignedDuration, Timestamp};

/// Something that happens at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// A transformer loses its supply.
    Cut(usize),
    /// It has it again.
    Restore(usize),
    /// A collector dies.
    CollectorDies(usize),
    /// It restarts.
    CollectorLives(usize),
    /// From now on, messages are lost in so many thousandths of cases.
    Loss(u16),
    /// The eastern half is cut off, or joined again.
    Partition(bool),
    /// A radio falls silent, or works again.
    Radio(usize, bool),
    /// A meter has something to do.
    Wake(usize),
}

impl Territory {
    pub(crate) fn plan(&mut self, at: Timestamp, what: Happening) {
        self.next += 1;
        self.agenda.insert((at, self.next), what);
    }

    /// Writes the scenario's plans into the agenda.
    pub(crate) fn plan_story(&mut self, scenario: &Scenario) {
        let start = self.at;
        let minute = |minutes: u32| start + SignedDuration::from_mins(i64::from(minutes));
        let collectors = self.collectors.len();
        for plan in &scenario.outage {
            let of = self.world.irons.len();
            let iron = usize::from(plan.transformer_per_mille) * of / 1000;
            self.plan_outage(
                iron.min(of.saturating_sub(1)),
                minute(plan.after_minutes),
                i64::from(plan.minutes) * 60,
            );
        }
        for plan in &scenario.dead_collector {
            let index = usize::try_from(plan.collector.saturating_sub(1)).unwrap_or(0) % collectors.max(1);
            self.plan(minute(plan.after_minutes), Happening::CollectorDies(index));
            self.plan(minute(plan.after_minutes + plan.minutes), Happening::CollectorLives(index));
        }
        for plan in &scenario.storm {
            self.plan(minute(plan.after_minutes), Happening::Loss(plan.loss_per_mille));
            self.plan(minute(plan.after_minutes + plan.minutes), Happening::Loss(0));
        }
        for plan in &scenario.partition {
            self.plan(minute(plan.after_minutes), Happening::Partition(true));
            self.plan(minute(plan.after_minutes + plan.minutes), Happening::Partition(false));
        }
    }

    /// An outage of a transformer; one that would overlap another is left out.
    pub(crate) fn plan_outage(&mut self, iron: usize, from: Timestamp, seconds: i64) {
        let to = from + SignedDuration::from_secs(seconds);
        let Some(it) = self.world.irons.get_mut(iron) else { return };
        if it.outages.iter().any(|(off, on)| *off < to && from < *on) {
            return;
        }
        it.outages.push((from, to));
        it.outages.sort_unstable();
        self.plan(from, Happening::Cut(iron));
        self.plan(to, Happening::Restore(iron));
    }

    pub(crate) fn happen(&mut self, now: Timestamp, what: Happening) {
        match what {
            Happening::Cut(iron) => self.switch(now, iron, false),
            Happening::Restore(iron) => self.switch(now, iron, true),
            Happening::CollectorDies(index) => self.collector_power(now, index, false),
            Happening::CollectorLives(index) => self.collector_power(now, index, true),
            Happening::Loss(per_mille) => self.network.set_loss_per_mille(per_mille),
            Happening::Partition(cut) => self.partition(now, cut),
            Happening::Radio(site, works) => self.network.set_radio(now, self.devices[site].address(), works),
            Happening::Wake(site) => self.wake(now, site),
        }
    }

    /// All neighbours lose power in the same instant; only then do they call out.
    fn switch(&mut self, now: Timestamp, iron: usize, on: bool) {
        let sites = self.world.irons[iron].sites.clone();
        for &site in &sites {
            self.network.set_power(now, self.devices[site].address(), on);
        }
        for &site in &sites {
            self.devices[site].advance(&self.world, site, now);
            self.devices[site].set_power(now, on);
            if !on {
                self.hang_up(site);
            }
            self.after_contact(now, site);
        }
    }

    fn collector_power(&mut self, now: Timestamp, index: usize, alive: bool) {
        let id = self.collectors[index].id();
        self.network.set_collector_alive(now, id, alive);
        if alive {
            self.dead_collectors.remove(&index);
            return;
        }
        self.dead_collectors.insert(index);
        self.collectors[index].handle_power_loss();
        while let Some(conn) = self.collectors[index].poll_close() {
            self.closing.push_back(Endpoint::Collector(id, conn));
        }
    }

    /// The meters east of the middle are on their own, away from every collector that stands west of it.
    fn partition(&mut self, now: Timestamp, cut: bool) {
        let meters = &self.registry.meters;
        let east = |position: &field::Position| position.east_m;
        let widest = meters.iter().map(|meter| east(&meter.position)).max().unwrap_or(0);
        let group = u8::from(cut);
        for (site, meter) in meters.iter().enumerate() {
            if east(&meter.position) > widest / 2 {
                self.network.set_group(now, self.devices[site].address(), group);
            }
        }
    }
}
