//! Visits from beginning to end: who gets in, what is asked next, when it is over.

use crate::answers::Done;
use crate::engine::{HeadEnd, Timer};
use crate::event::{CounterKind, Culprit, Failure, HeadEndEvent, Health, Source};
use crate::meter::{COUNTERS_PER_VISIT, Job, Meter, Purpose, State, Step};
use crate::setup::Route;
use crate::visit::{Aim, Answer, Seen, Visit};
use dlms::acse::Conformance;
use dlms::client::{ClientConfig, ClientError, ClientEvent};
use dlms::{gateway, wrapper};
use jiff::{SignedDuration, Timestamp};
use model::id::MeterId;
use rand_core::RngCore;
use std::sync::Arc;

/// What a collector answers when it cannot reach the meter: exception-response, other reason.
const UNREACHABLE: [u8; 3] = [0xD8, 1, 3];
/// The public client, who needs no keys.
const PUBLIC: u16 = 16;
/// How far back an event log is read whose last event is not known.
const EVENT_HISTORY: SignedDuration = SignedDuration::from_hours(7 * 24);

impl HeadEnd {
    /// Puts a meter with work in the line of its link; it may be there already.
    pub(crate) fn enqueue(&mut self, now: Timestamp, id: MeterId) {
        let Some(meter) = self.meters.get_mut(&id) else { return };
        if meter.work.is_empty() || meter.sleeps(now) {
            return;
        }
        let (link, urgent) = (meter.link(), meter.is_urgent());
        match meter.state {
            State::Idle if meter.lacks_counters() => {
                meter.state = State::NoCounters;
                self.reserve(id);
                return;
            }
            State::Idle => meter.state = State::Waiting,
            // Somebody who waits behind others may have to be let past them now.
            State::Waiting if urgent => {}
            State::NoCounters | State::Waiting | State::Visited | State::Resting => return,
        }
        if let Some(link) = self.links.get_mut(&link) {
            link.wait(id, urgent);
        }
        self.admit(now, link);
    }

    fn reserve(&mut self, id: MeterId) {
        let block = self.config.counter_block.max(2 * COUNTERS_PER_VISIT);
        let Some(meter) = self.meters.get_mut(&id) else { return };
        let ceiling = meter.next_counter.max(meter.setup.counter_ceiling).saturating_add(block);
        if ceiling - meter.next_counter < COUNTERS_PER_VISIT {
            meter.state = State::Idle;
            return self.give_up(id, &Failure::CountersUsedUp);
        }
        if !meter.reserving {
            meter.reserving = true;
            self.events.push_back(HeadEndEvent::ReserveCounter { meter: id, ceiling });
        }
    }

    /// A meter was heard unasked: what waits for it, or rests after a failure, is done now.
    pub(crate) fn awake(&mut self, now: Timestamp, id: MeterId) {
        let Some(meter) = self.meters.get_mut(&id) else { return };
        if let Some(listens) = meter.setup.facts.listens {
            meter.awake_until = Some(now + listens);
        }
        if meter.state == State::Resting {
            meter.state = State::Idle;
            self.timers.clear(Timer::Rest(id));
        }
        self.enqueue(now, id);
    }

    pub(crate) fn begin_visit(&mut self, now: Timestamp, id: MeterId) {
        self.visit(now, id, Aim::Work);
    }

    pub(crate) fn visit(&mut self, now: Timestamp, id: MeterId, aim: Aim) {
        let Some(meter) = self.meters.get_mut(&id) else { return };
        let setup = &meter.setup.client;
        let config = match aim {
            Aim::Work => ClientConfig {
                system_title: self.config.system_title,
                invocation_counter: meter.next_counter,
                counter_ceiling: meter.setup.counter_ceiling,
                ..setup.clone()
            },
            Aim::Diagnosis(_) => {
                ClientConfig { system_title: self.config.system_title, ..ClientConfig::public(PUBLIC) }
            }
        };
        let mut visit = Box::new(Visit::new(config, aim, !meter.no_lists, now));
        meter.state = State::Visited;
        self.metrics.visits += 1;
        let rng = &mut self.rng;
        let begun = visit.client.associate(&mut |bytes| rng.fill_bytes(bytes));
        meter.visit = Some(visit);
        if let Err(error) = begun {
            return self.fail_visit(now, id, error.into());
        }
        self.send(now, id);
    }

    /// Sends what the visit has to say, in the frames of its route.
    fn send(&mut self, now: Timestamp, id: MeterId) {
        let Some(meter) = self.meters.get_mut(&id) else { return };
        let (link, server) = (meter.link(), meter.setup.server_sap);
        let Some(visit) = meter.visit.as_mut() else { return };
        let mut frames = Vec::new();
        while let Some(apdu) = visit.client.poll_transmit() {
            visit.asked_at = now;
            let payload = match &meter.setup.route {
                Route::Direct { .. } => Ok(apdu),
                Route::Behind { address, .. } => {
                    gateway::encode(gateway::GatewayKind::Request, 0, address, &apdu)
                }
            };
            let bytes = payload.map_err(Failure::from).and_then(|payload| {
                wrapper::encode(visit.client_sap, server, &payload).map_err(Failure::from)
            });
            match bytes {
                Ok(bytes) => frames.push(bytes),
                Err(failure) => return self.fail_visit(now, id, failure),
            }
        }
        if !frames.is_empty() {
            self.timers.set(Timer::Answer(id), now + self.config.response_timeout);
        }
        for bytes in frames {
            self.transmit(link, bytes);
        }
    }

    /// An APDU from a meter on a connection of ours.
    pub(crate) fn handle_apdu(&mut self, now: Timestamp, id: MeterId, client_sap: u16, apdu: &[u8]) {
        let Some(meter) = self.meters.get_mut(&id) else {
            self.metrics.strays += 1;
            return;
        };
        let behind = matches!(meter.setup.route, Route::Behind { .. });
        let from = Source::Link(meter.link());
        let Some(visit) = meter.visit.as_mut().filter(|visit| visit.client_sap == client_sap) else {
            // A meter on its own address pushes on the connection that we opened.
            if !behind && is_push(apdu) {
                return self.push(now, from, Some(id), apdu);
            }
            self.metrics.strays += 1;
            return;
        };
        if behind && *apdu == UNREACHABLE {
            return self.fail_visit(now, id, Failure::Unreachable);
        }
        if visit.is_doubled(apdu) {
            self.metrics.strays += 1;
            return;
        }
        if let Err(error) = visit.client.handle_apdu(apdu) {
            return self.fail_visit(now, id, error.into());
        }
        self.drive(now, id);
    }

    /// Follows what the client has to tell, then sends what it has to say.
    fn drive(&mut self, now: Timestamp, id: MeterId) {
        self.send(now, id);
        loop {
            let Some(visit) = self.meters.get_mut(&id).and_then(|meter| meter.visit.as_mut()) else { return };
            let Some(event) = visit.client.poll_event() else { return };
            let result = match event {
                ClientEvent::Associated { conformance, .. } => {
                    visit.lists &= conformance.has(Conformance::MULTIPLE_REFERENCES);
                    visit.round_trip = now.duration_since(visit.asked_at);
                    self.next_job(now, id)
                }
                ClientEvent::Response { id: request, outcome } if visit.request == Some(request) => {
                    self.answered(now, id, outcome)
                }
                ClientEvent::Released => return self.end_visit(now, id),
                ClientEvent::Notification(notification) => {
                    self.notified(now, id, &notification);
                    Ok(())
                }
                ClientEvent::Response { .. } | ClientEvent::EventNotification(_) => Ok(()),
            };
            if let Err(failure) = result {
                return self.fail_visit(now, id, failure);
            }
            self.send(now, id);
        }
    }

    /// Takes up the next job, or releases the association when there is none.
    fn next_job(&mut self, now: Timestamp, id: MeterId) -> Result<(), Failure> {
        loop {
            let Some(meter) = self.meters.get_mut(&id) else { return Ok(()) };
            let facts = Arc::clone(&meter.setup.facts);
            let seen = Seen { events_from: meter.events_from(now), chunk: self.config.profile_chunk };
            let Some(visit) = meter.visit.as_mut() else { return Ok(()) };
            if matches!(visit.aim, Aim::Diagnosis(_)) {
                return visit.ask_counter();
            }
            if visit.current.is_none() {
                visit.current = meter.work.pop_front();
            }
            let Some(job) = visit.current.clone() else {
                if !visit.releasing {
                    visit.releasing = true;
                    visit.client.release()?;
                }
                return Ok(());
            };
            if let Purpose::Command(command) = job.purpose {
                self.command_sent(command);
            }
            if job.step == Step::Collect {
                self.resolve_collect(now, id);
                continue;
            }
            let Some(visit) = self.meters.get_mut(&id).and_then(|meter| meter.visit.as_mut()) else {
                return Ok(());
            };
            match visit.begin(now, &facts, seen) {
                Ok(()) => return Ok(()),
                Err(Failure::Dialogue(error)) => return Err(error.into()),
                Err(failure) => self.job_failed(id, &failure),
            }
        }
    }

    /// "Since we last read" becomes the intervals that have ended since then, if any.
    fn resolve_collect(&mut self, now: Timestamp, id: MeterId) {
        let (first, most) = (now - self.config.first_read, now - self.config.catch_up);
        let Some(meter) = self.meters.get_mut(&id) else { return };
        let Some(interval) = meter.setup.facts.profile.as_ref().map(|profile| profile.interval) else {
            return;
        };
        let to = interval.floor(now);
        let from = interval.floor(meter.setup.collected_to.unwrap_or(first).max(most));
        let Some(current) = meter.visit.as_mut().and_then(|visit| visit.current.as_mut()) else { return };
        if from < to {
            current.step = Step::Profile { from, to };
        } else {
            self.finish_job(id, Done::plain("nothing new"));
        }
    }

    fn answered(
        &mut self,
        now: Timestamp,
        id: MeterId,
        outcome: dlms::client::Outcome,
    ) -> Result<(), Failure> {
        let Some(meter) = self.meters.get_mut(&id) else { return Ok(()) };
        let facts = Arc::clone(&meter.setup.facts);
        let Some(visit) = meter.visit.as_mut() else { return Ok(()) };
        let answer = visit.take(now, &facts, outcome);
        meter.no_lists = !visit.lists;
        match answer {
            Ok(Answer::More) => return Ok(()),
            Ok(Answer::Counter(accepted)) => return self.diagnosed(id, accepted),
            Err(failure @ (Failure::AssociationLost | Failure::Dialogue(_))) => return Err(failure),
            Err(failure) => self.job_failed(id, &failure),
            Ok(answer) => match self.understand(now, id, &facts, answer) {
                Ok(Some(done)) => self.finish_job(id, done),
                Ok(None) => {}
                Err(failure) => self.job_failed(id, &failure),
            },
        }
        self.next_job(now, id)
    }

    fn finish_job(&mut self, id: MeterId, done: Done) {
        let Some(meter) = self.meters.get_mut(&id) else { return };
        let Some(job) = meter.visit.as_mut().and_then(|visit| visit.current.take()) else { return };
        match (done.then, job.purpose) {
            (Some(step), purpose) => meter.work.push_front(Job { step, purpose }),
            (None, Purpose::Command(command)) => self.confirm_command(command, done.detail, done.values),
            (None, Purpose::Scheduled) => self.scheduled_job_done(id),
            (None, Purpose::Backfill) => {}
        }
    }

    /// One job cannot be done, but the association stands: on with the next.
    fn job_failed(&mut self, id: MeterId, why: &Failure) {
        let Some(meter) = self.meters.get_mut(&id) else { return };
        meter.last_failure = Some(why.clone());
        let Some(job) = meter.visit.as_mut().and_then(|visit| visit.current.take()) else { return };
        if why.culprit() == Culprit::Peer {
            self.metrics.failed_peer += 1;
        } else {
            self.metrics.failed_request += 1;
        }
        self.events.push_back(HeadEndEvent::Refused { from: Source::Meter(id), why: why.clone() });
        match job.purpose {
            Purpose::Command(command) => self.fail_command(command, why),
            // A read of which a part failed is not a read done.
            Purpose::Scheduled => {
                self.timers.clear(Timer::Missed(id));
                self.miss(id);
            }
            Purpose::Backfill => {}
        }
    }

    /// The meter told which counter it accepted last: our refusal has an explanation.
    fn diagnosed(&mut self, id: MeterId, accepted: u32) -> Result<(), Failure> {
        let Some(visit) = self.meters.get_mut(&id).and_then(|meter| meter.visit.as_mut()) else {
            return Ok(());
        };
        let Aim::Diagnosis(Failure::Dialogue(ClientError::Security(fault))) = &visit.aim else {
            return Ok(());
        };
        Err(ClientError::Security(fault.explained_by(accepted)).into())
    }

    pub(crate) fn leave(&mut self, id: MeterId) -> Option<Box<Visit>> {
        self.timers.clear(Timer::Answer(id));
        let meter = self.meters.get_mut(&id)?;
        let mut visit = meter.visit.take()?;
        meter.state = State::Idle;
        if let Some(job) = visit.current.take() {
            meter.work.push_front(job);
        }
        if visit.aim == Aim::Work {
            meter.next_counter = meter.next_counter.max(visit.client.next_counter());
            let counter = visit.client.peer_counter();
            if counter > meter.setup.client.peer_counter
                && let Some(counter) = counter
            {
                meter.setup.client.peer_counter = Some(counter);
                let kind = CounterKind::Answer;
                self.events.push_back(HeadEndEvent::PeerCounter { meter: id, kind, counter });
            }
        }
        let link = meter.link();
        if let Some(link) = self.links.get_mut(&link) {
            link.active.remove(&id);
        }
        Some(visit)
    }

    fn end_visit(&mut self, now: Timestamp, id: MeterId) {
        let Some(visit) = self.leave(id) else { return };
        let Some(meter) = self.meters.get_mut(&id) else { return };
        meter.attempts = 0;
        meter.resynchronised = false;
        meter.last_failure = None;
        let link = meter.link();
        let clock_offset = meter.clock_offset.take();
        let round_trip = Some(visit.round_trip);
        self.events.push_back(HeadEndEvent::Health(Health {
            meter: id,
            last_heard: now,
            round_trip,
            clock_offset,
        }));
        self.enqueue(now, id);
        self.admit(now, link);
    }
}

impl Meter {
    fn events_from(&self, now: Timestamp) -> Timestamp {
        self.last_event_at.unwrap_or(now - EVENT_HISTORY)
    }
}

/// Data-notification, event-notification, or something in the general envelope.
fn is_push(apdu: &[u8]) -> bool {
    matches!(apdu.first(), Some(0x0F | 0xC2 | 0xCA | 0xDB))
}
