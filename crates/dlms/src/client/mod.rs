//! The head-end's side of the dialogue: plain verbs in, APDUs out, answers as events.
//!
//! Order of calls: a verb ([`Client::associate`], [`Client::request`], [`Client::release`]) or
//! [`Client::handle_apdu`]; then [`Client::poll_transmit`] until it yields nothing, each APDU carried to the meter by a
//! link of the caller's; then [`Client::poll_event`] until it yields nothing. Requests may be queued; one at a time is
//! on its way. There are no timers inside: a caller that waited long enough drops the client and starts anew with
//! [`Client::next_counter`].
//!
//! After a [`ClientError`] from [`Client::handle_apdu`] the association is dead unless [`Client::is_open`] says
//! otherwise.

mod associate;
mod config;
mod event;
mod exchange;

pub use crate::security::{Envelope, Protection};
pub use config::{Authentication, ClientConfig};
pub use event::{
    ClientError, ClientEvent, Outcome, PeerFault, Request, RequestFault, RequestId, SecurityFault,
};

use crate::acse::Conformance;
use crate::apdu::{Apdu, ExceptionResponse, ServiceError};
use crate::security::{Expect, Keys, Plain, Receiver, SecurityError, SystemTitle, protect, unprotect};
use exchange::{Running, Waiting};
use std::collections::VecDeque;

/// Bytes that the largest envelope adds around a plain APDU.
const ENVELOPE: usize = 40;

/// What this crate can do and meters commonly can: get, set and action with blocks and lists, selective access,
/// notifications and the general envelopes.
pub const fn usual_conformance() -> Conformance {
    Conformance::GENERAL_PROTECTION
        .or(Conformance::BLOCK_GET)
        .or(Conformance::BLOCK_SET)
        .or(Conformance::BLOCK_ACTION)
        .or(Conformance::MULTIPLE_REFERENCES)
        .or(Conformance::DATA_NOTIFICATION)
        .or(Conformance::GET)
        .or(Conformance::SET)
        .or(Conformance::SELECTIVE_ACCESS)
        .or(Conformance::EVENT_NOTIFICATION)
        .or(Conformance::ACTION)
}

/// Where the dialogue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    /// The AARQ is out.
    Associating,
    /// Our answer to the meter's challenge is out.
    Proving,
    Open,
    /// The RLRQ is out.
    Releasing,
    Failed,
}

/// One client of one meter.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    stage: Stage,
    counter: u32,
    received: Receiver,
    /// The same under the dedicated key.
    received_dedicated: Receiver,
    peer_title: Option<SystemTitle>,
    /// The keys of the association, a dedicated one among them if it has one.
    keys: Option<Keys>,
    challenge: Vec<u8>,
    conformance: Conformance,
    peer_max_pdu: u16,
    /// The invocation counter of what was sent last.
    sent: u32,
    next_id: u32,
    next_invoke: u8,
    queue: VecDeque<Waiting>,
    running: Option<Running>,
    transmit: VecDeque<Vec<u8>>,
    events: VecDeque<ClientEvent>,
}

impl Client {
    /// A client that has not said anything yet.
    pub fn new(config: ClientConfig) -> Self {
        Self {
            stage: Stage::Idle,
            counter: config.invocation_counter,
            received: Receiver { last: config.peer_counter },
            received_dedicated: Receiver::default(),
            peer_title: config.peer_title,
            keys: config.keys.clone(),
            challenge: Vec::new(),
            conformance: config.conformance,
            peer_max_pdu: 0,
            sent: 0,
            next_id: 0,
            next_invoke: 0,
            queue: VecDeque::new(),
            running: None,
            transmit: VecDeque::new(),
            events: VecDeque::new(),
            config,
        }
    }

    /// The next invocation counter that would be used; a later client of the same meter starts here.
    pub const fn next_counter(&self) -> u32 {
        self.counter
    }

    /// More counters were reserved: those below `ceiling` may be used.
    pub fn raise_ceiling(&mut self, ceiling: u32) {
        self.config.counter_ceiling = self.config.counter_ceiling.max(ceiling);
    }

    /// The highest invocation counter accepted from the meter under its global key.
    pub const fn peer_counter(&self) -> Option<u32> {
        self.received.last
    }

    /// The meter's system title, once known.
    pub const fn peer_title(&self) -> Option<SystemTitle> {
        self.peer_title
    }

    /// What both ends agreed to be able to do.
    pub const fn conformance(&self) -> Conformance {
        self.conformance
    }

    /// Whether requests can be made.
    pub fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// Whether nothing is waiting for the meter.
    pub fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle | Stage::Open | Stage::Failed)
            && self.running.is_none()
            && self.queue.is_empty()
            && self.transmit.is_empty()
    }

    /// Asks the meter something; the answer comes as [`ClientEvent::Response`] with the returned id.
    ///
    /// # Errors
    /// [`RequestFault`] when no association is open, when a list has no or more than 127 entries, or when the request
    /// is longer than the meter takes; [`SecurityFault::CounterExhausted`]. The association stays open.
    pub fn request(&mut self, request: Request) -> Result<RequestId, ClientError> {
        if self.stage != Stage::Open {
            return Err(RequestFault::NotAssociated.into());
        }
        let length = match &request {
            Request::GetList(list) => list.len(),
            Request::SetList(list) => list.len(),
            Request::ActionList(list) => list.len(),
            Request::Get(..) | Request::Set(..) | Request::Action(..) => 1,
        };
        if length == 0 || length > 127 {
            return Err(RequestFault::ListLength(length).into());
        }
        let id = RequestId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        let waiting = self.build(id, request)?;
        self.queue.push_back(waiting);
        self.start_next()?;
        Ok(id)
    }

    /// The next APDU to carry to the meter.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmit.pop_front()
    }

    /// The next thing to know.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// Takes one APDU from the meter.
    ///
    /// # Errors
    /// [`ClientError`] by culprit. Any bytes are survived.
    pub fn handle_apdu(&mut self, apdu: &[u8]) -> Result<(), ClientError> {
        let result = self.take(apdu);
        // What is told unasked and in the clear is dropped; anybody may have said it.
        let told_in_clear = matches!(apdu.first(), Some(0x0F | 0xC2));
        if result.is_err() && !told_in_clear {
            self.fail();
        }
        result
    }

    fn fail(&mut self) {
        self.stage = Stage::Failed;
        self.running = None;
        self.queue.clear();
        self.transmit.clear();
    }

    fn take(&mut self, apdu: &[u8]) -> Result<(), ClientError> {
        let opened = if is_protected(apdu) { Some(self.open(apdu)?) } else { None };
        let plain = opened.as_ref().map_or(apdu, |opened| opened.apdu.as_slice());
        let message = Apdu::decode(plain).map_err(|why| PeerFault::Malformed { length: plain.len(), why })?;
        if opened.is_none() && self.must_be_protected(&message) {
            return Err(SecurityFault::Downgraded.into());
        }
        match message {
            Apdu::DataNotification(notification) => {
                self.events.push_back(ClientEvent::Notification(notification));
                Ok(())
            }
            Apdu::EventNotification(notification) => {
                self.events.push_back(ClientEvent::EventNotification(notification));
                Ok(())
            }
            Apdu::ExceptionResponse(exception) => self.handle_exception(exception),
            Apdu::Aare(aare) if self.stage == Stage::Associating => self.handle_aare(aare),
            Apdu::ActionResponse(response) if self.stage == Stage::Proving => self.handle_proof(response),
            Apdu::Rlre(_) if self.stage == Stage::Releasing => {
                self.stage = Stage::Idle;
                self.events.push_back(ClientEvent::Released);
                Ok(())
            }
            Apdu::GetResponse(response) if self.running.is_some() => self.handle_get(response),
            Apdu::SetResponse(response) if self.running.is_some() => self.handle_set(response),
            Apdu::ActionResponse(response) if self.running.is_some() => self.handle_action(response),
            _ => Err(PeerFault::Unexpected("it answers nothing that was asked").into()),
        }
    }

    /// Association and exception messages come in the clear; everything else as agreed.
    fn must_be_protected(&self, message: &Apdu) -> bool {
        self.config.protection != Protection::None
            && !matches!(message, Apdu::Aare(_) | Apdu::Rlre(_) | Apdu::ExceptionResponse(_))
    }

    fn open(&mut self, apdu: &[u8]) -> Result<Plain, ClientError> {
        let keys = self.keys.as_ref().ok_or(RequestFault::NoKeys)?;
        let expect =
            Expect { keys, peer: self.peer_title, least: self.config.protection, last_counter: None };
        let opened = unprotect(apdu, &expect).map_err(|why| match why {
            SecurityError::Downgraded { .. } => SecurityFault::Downgraded,
            why => SecurityFault::Unprotect(why),
        })?;
        let received =
            if is_dedicated(opened.envelope) { &mut self.received_dedicated } else { &mut self.received };
        received.accept(opened.counter).map_err(SecurityFault::Unprotect)?;
        Ok(opened)
    }

    /// Protects a plain APDU as configured and queues it.
    fn send(&mut self, apdu: &Apdu) -> Result<(), ClientError> {
        let plain = apdu.encode();
        let bytes = if self.config.protection == Protection::None {
            plain
        } else {
            self.seal(&plain, self.config.envelope)?
        };
        self.transmit.push_back(bytes);
        Ok(())
    }

    fn seal(&mut self, plain: &[u8], envelope: Envelope) -> Result<Vec<u8>, ClientError> {
        let counter = self.take_counter()?;
        let keys = self.keys.as_ref().ok_or(RequestFault::NoKeys)?;
        protect(envelope, self.config.protection, keys, self.config.system_title, counter, plain)
            .map_err(|why| SecurityFault::Unprotect(why).into())
    }

    /// Every counter is used once, whatever becomes of what it protected.
    fn take_counter(&mut self) -> Result<u32, ClientError> {
        let counter = self.counter;
        if counter >= self.config.counter_ceiling {
            return Err(SecurityFault::CounterExhausted { ceiling: self.config.counter_ceiling }.into());
        }
        self.counter += 1;
        self.sent = counter;
        Ok(counter)
    }

    fn handle_exception(&mut self, exception: ExceptionResponse) -> Result<(), ClientError> {
        if self.config.protection != Protection::None {
            match exception.service {
                ServiceError::DecipheringError => return Err(SecurityFault::WrongKey.into()),
                ServiceError::InvocationCounterError(expected) => {
                    let fault = SecurityFault::ReplayedCounter { sent: self.sent, expected: Some(expected) };
                    return Err(fault.into());
                }
                _ => {}
            }
        }
        match self.running.take() {
            Some(running) => self.finish(running.id(), Outcome::Exception(exception)),
            None => Err(RequestFault::Exception(exception).into()),
        }
    }
}

/// Whether an APDU has an envelope.
pub(crate) fn is_protected(apdu: &[u8]) -> bool {
    apdu.first().is_some_and(|tag| Envelope::of_tag(*tag).is_some())
}

/// Whether an envelope uses the key of one association only.
pub(crate) const fn is_dedicated(envelope: Envelope) -> bool {
    matches!(envelope, Envelope::Ded | Envelope::GeneralDed)
}
