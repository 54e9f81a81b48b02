//! What follows a failure: another try, an alarm, or the end of the work.

use crate::engine::{HeadEnd, Timer};
use crate::event::{Culprit, Failure, HeadEndEvent, Source};
use crate::meter::{Meter, Purpose, State};
use crate::visit::Aim;
use dlms::client::{ClientError, SecurityFault};
use jiff::Timestamp;
use model::id::MeterId;

/// How far a meter may claim to be ahead of our invocation counter before nobody believes it.
const FURTHEST_JUMP: u32 = 50_000_000;

impl HeadEnd {
    /// A visit ended badly; who is to blame decides what follows.
    pub(crate) fn fail_visit(&mut self, now: Timestamp, id: MeterId, why: Failure) {
        let visit = self.leave(id);
        let Some(meter) = self.meters.get_mut(&id) else { return };
        if visit.is_none() && meter.state != State::Waiting {
            return;
        }
        meter.state = State::Idle;
        let link = meter.link();
        let at_work = visit.as_ref().is_some_and(|visit| visit.aim == Aim::Work);
        let why = match visit.map(|visit| visit.aim) {
            // A question that failed explains nothing: what it was asked about stands.
            Some(Aim::Diagnosis(original)) if why.culprit() != Culprit::Security => original,
            _ => why,
        };
        if let Some(meter) = self.meters.get_mut(&id) {
            meter.last_failure = Some(why.clone());
        }
        match why.culprit() {
            Culprit::Link => {
                self.metrics.failed_link += 1;
                self.retry(now, id, why);
            }
            // A late answer to an earlier visit looks like a confused meter; only one that stays confused is.
            Culprit::Peer => {
                self.metrics.failed_peer += 1;
                self.retry(now, id, why);
            }
            Culprit::Security => self.distrust(now, id, why, at_work),
            Culprit::Request | Culprit::Internal => {
                self.metrics.failed_request += 1;
                self.give_up(id, &why);
            }
        }
        self.admit(now, link);
    }

    fn retry(&mut self, now: Timestamp, id: MeterId, why: Failure) {
        let most = self.config.attempts;
        let Some(meter) = self.meters.get_mut(&id) else { return };
        meter.attempts = meter.attempts.saturating_add(1);
        if meter.attempts >= most {
            meter.attempts = 0;
            return self.give_up(id, &why);
        }
        if meter.work.is_empty() || meter.setup.facts.listens.is_some() {
            // One that saves its battery is tried again after its next push.
            return;
        }
        meter.state = State::Resting;
        let attempts = meter.attempts;
        let pause = self.pause(attempts - 1);
        self.metrics.retries += 1;
        self.timers.set(Timer::Rest(id), now + pause);
    }

    /// A key, secret or counter is wrong. Trying again as it is would only tell an attacker more, but the
    /// next scheduled read tries again: one forged answer must not silence a meter for good.
    fn distrust(&mut self, now: Timestamp, id: MeterId, mut why: Failure, at_work: bool) {
        let Some(meter) = self.meters.get_mut(&id) else { return };
        if let Failure::Dialogue(ClientError::Security(fault)) = &mut why
            && meter.resynchronised
        {
            // The counter was set right by the meter's own word, so it is not the reason.
            *fault = fault.explained_by(0);
        }
        if let Failure::Dialogue(ClientError::Security(fault)) = &why {
            match fault {
                SecurityFault::CounterExhausted { .. } => return self.enqueue(now, id),
                SecurityFault::ReplayedCounter { expected: Some(expected), .. }
                    if !meter.resynchronised && meter.may_jump_to(*expected) =>
                {
                    // The counter came back from a backup, or another head-end was here before.
                    meter.resynchronised = true;
                    meter.next_counter = meter.next_counter.max(*expected);
                    self.events.push_back(HeadEndEvent::Refused { from: Source::Meter(id), why });
                    return self.enqueue(now, id);
                }
                SecurityFault::ProtectedAssociationRefused { .. } if at_work && !meter.resynchronised => {
                    let link = meter.link();
                    if let Some(link) = self.links.get_mut(&link) {
                        link.active.insert(id);
                    }
                    return self.visit(now, id, Aim::Diagnosis(why));
                }
                _ => {}
            }
        }
        self.metrics.failed_security += 1;
        self.give_up(id, &why);
    }

    /// Drops all work of a meter and says why.
    pub(crate) fn give_up(&mut self, id: MeterId, why: &Failure) {
        if why.culprit() != Culprit::Link {
            self.events.push_back(HeadEndEvent::Refused { from: Source::Meter(id), why: why.clone() });
        }
        let Some(meter) = self.meters.get_mut(&id) else { return };
        meter.attempts = 0;
        meter.resynchronised = false;
        for job in core::mem::take(&mut meter.work) {
            if let Purpose::Command(command) = job.purpose {
                self.fail_command(command, why);
            }
        }
        self.timers.clear(Timer::Missed(id));
        self.miss(id);
    }
}

impl Meter {
    fn may_jump_to(&self, expected: u32) -> bool {
        expected.saturating_sub(self.next_counter) <= FURTHEST_JUMP
    }
}
