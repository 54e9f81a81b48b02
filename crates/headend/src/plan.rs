//! Scheduled reads: which group when, and what becomes of a read that is not done in time.

use crate::engine::{HeadEnd, Timer, as_u64};
use crate::event::HeadEndEvent;
use crate::meter::{Job, Purpose, State, Step};
use crate::setup::{ReadPlan, What};
use jiff::{SignedDuration, Timestamp};
use model::channel::ChannelKind;
use model::id::MeterId;
use std::collections::BTreeMap;

/// A meter that said who it is is not asked again for so long.
const IDENTITY_HOLDS: SignedDuration = SignedDuration::from_hours(20);

#[derive(Debug, Default)]
pub(crate) struct Plans {
    plans: BTreeMap<u32, (ReadPlan, Timestamp)>,
    next: u32,
}

impl HeadEnd {
    /// Reads a group of meters regularly from now on, in place of the group's former plan.
    pub fn schedule(&mut self, now: Timestamp, plan: ReadPlan) {
        let old: Vec<u32> = self
            .plans
            .plans
            .iter()
            .filter(|(_, (known, _))| known.group == plan.group)
            .map(|(id, _)| *id)
            .collect();
        for id in old {
            self.plans.plans.remove(&id);
            self.timers.clear(Timer::Plan(id));
        }
        let id = self.plans.next;
        self.plans.next += 1;
        let first = plan.first_at.max(now);
        self.timers.set(Timer::Plan(id), first);
        self.plans.plans.insert(id, (plan, first));
    }

    pub(crate) fn plan_due(&mut self, now: Timestamp, id: u32) {
        let Some((plan, due)) = self.plans.plans.get_mut(&id) else { return };
        // After a long stop the times that have passed are not made up one by one.
        let every = plan.every.max(SignedDuration::from_secs(1));
        let late = now.duration_since(*due).as_secs() / every.as_secs();
        let steps = i32::try_from(late).unwrap_or(i32::MAX).saturating_add(1);
        *due = every.checked_mul(steps).and_then(|ahead| due.checked_add(ahead).ok()).unwrap_or(now + every);
        let (next, until, what) = (*due, now + plan.patience, plan.what);
        let meters: Vec<MeterId> = self.groups.get(&plan.group).into_iter().flatten().copied().collect();
        self.timers.set(Timer::Plan(id), next);
        for meter in meters {
            self.read_meter(now, meter, what, until);
        }
    }

    /// Reads one meter now as if a plan were due; after `until` the read counts as missed.
    pub fn read_meter(&mut self, now: Timestamp, meter: MeterId, what: What, until: Timestamp) {
        let Some(known) = self.meters.get_mut(&meter) else { return };
        self.metrics.reads_due += 1;
        if known.due_until.take().is_some() {
            // The former read was not finished when the next fell due.
            self.metrics.reads_missed += 1;
            known.drop_work(Purpose::Scheduled);
        }
        let facts = &known.setup.facts;
        let stale = known.identified_at.is_none_or(|at| now.duration_since(at) >= IDENTITY_HOLDS);
        let identify = what.registers && facts.identity.is_some() && stale;
        let steps = [
            (what.clock, Step::CheckClock),
            (identify, Step::Identify),
            (what.profile && facts.profile.is_some(), Step::Collect),
            (what.registers && !facts.registers.is_empty(), Step::Registers),
            (what.events && facts.events.is_some(), Step::Events),
        ];
        for (_, step) in steps.into_iter().filter(|(wanted, _)| *wanted) {
            known.work.push_back(Job { step, purpose: Purpose::Scheduled });
        }
        known.due_until = Some(until);
        if known.state != State::Resting {
            known.attempts = 0;
        }
        self.timers.set(Timer::Missed(meter), until);
        self.enqueue(now, meter);
    }

    /// Reads the profile of `[from, to)` again, because `kind` has a gap there.
    pub fn backfill(
        &mut self,
        now: Timestamp,
        meter: MeterId,
        kind: ChannelKind,
        from: Timestamp,
        to: Timestamp,
    ) {
        let Some(known) = self.meters.get_mut(&meter) else { return };
        let has_channel = known.setup.facts.profile.as_ref().is_some_and(|profile| profile.has(kind));
        let step = Step::Profile { from, to };
        // The channels of a meter have their gaps together: one read closes them all.
        let known_gap = known.jobs().any(|job| job.purpose == Purpose::Backfill && job.step == step);
        if has_channel && from < to && !known_gap {
            known.work.push_back(Job { step, purpose: Purpose::Backfill });
            self.enqueue(now, meter);
        }
    }

    /// The time of a scheduled read is over.
    pub(crate) fn miss(&mut self, meter: MeterId) {
        let Some(known) = self.meters.get_mut(&meter) else { return };
        if known.due_until.take().is_none() {
            return;
        }
        known.drop_work(Purpose::Scheduled);
        self.metrics.reads_missed += 1;
        let why = known.last_failure.clone();
        self.events.push_back(HeadEndEvent::Missed { meter, why });
    }

    /// Counts a scheduled read whose last job is done.
    pub(crate) fn scheduled_job_done(&mut self, meter: MeterId) {
        let Some(known) = self.meters.get_mut(&meter) else { return };
        if known.due_until.is_some() && !known.has(Purpose::Scheduled) {
            known.due_until = None;
            self.timers.clear(Timer::Missed(meter));
            self.metrics.reads_done += 1;
        }
    }

    /// How many meters still owe a scheduled read.
    pub fn reads_open(&self) -> u64 {
        as_u64(self.meters.values().filter(|meter| meter.due_until.is_some()).count())
    }
}
