//! The meter's side of the dialogue: APDUs in, APDUs out, one [`LogicalDevice`] behind it.
//!
//! A [`Server`] is one logical device's associations, keys and counters. It holds nothing for a client that is not
//! logged in; ten thousand idle servers share one [`ServerConfig`] and cost a few hundred bytes each. Links (wrapper,
//! HDLC) are elsewhere: the caller strips them, passes the client's service access point, and tells
//! [`Server::link_lost`] when a connection ends.
//!
//! Order of calls: [`Server::handle_apdu`] for everything that arrives, its [`Reply`] sent back at once;
//! [`Server::protect_push`] whenever the meter has something to tell.

mod associate;
mod blocks;
mod config;
mod device;
mod own;
mod services;
mod session;

pub use config::{
    AssociationConfig, AttributeAccess, Identity, Mechanism, MethodAccess, ObjectEntry, Rights, ServerConfig,
};
pub use device::{Caller, LogicalDevice, Refusal, Reply};
pub use own::{CURRENT_ASSOCIATION, INVOCATION_COUNTER, LOGICAL_DEVICE_NAME, SAP_ASSIGNMENT, SECURITY_SETUP};

use crate::acse::{self, Conformance};
use crate::apdu::{ActionRequest, Apdu, ExceptionResponse, ServiceError, StateError};
use crate::client::{is_dedicated, is_protected};
use crate::security::{
    Envelope, Expect, Keys, Plain, Protection, Receiver, SecurityError, SystemTitle, protect, unprotect,
};
use blocks::Room;
use own::{Living, Own};
use services::Serving;
use session::Session;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes that the largest envelope adds around a plain APDU.
const ENVELOPE: usize = 40;
/// Clients whose counters a server remembers; more are refused rather than forgotten.
const MOST_CLIENTS: usize = 16;

const NOT_ALLOWED: StateError = StateError::ServiceNotAllowed;
const UNKNOWN: StateError = StateError::ServiceUnknown;

/// One logical device's protocol engine.
#[derive(Debug)]
pub struct Server {
    config: Arc<ServerConfig>,
    living: Living,
    sessions: BTreeMap<u16, Box<Session>>,
}

impl Server {
    /// A server with these doors, as this device.
    pub fn new(config: Arc<ServerConfig>, identity: Identity) -> Self {
        let living = Living {
            logical_device_name: identity.logical_device_name,
            system_title: identity.system_title,
            keys: Arc::new(identity.keys),
            master_key: identity.master_key,
            counter: identity.invocation_counter,
            policy: Protection::None,
            received: Vec::new(),
        };
        Self { config, living, sessions: BTreeMap::new() }
    }

    /// The next own invocation counter; a persistent meter keeps it across restarts.
    pub const fn invocation_counter(&self) -> u32 {
        self.living.counter
    }

    /// Puts the own invocation counter elsewhere; going back makes every client refuse what follows.
    pub const fn set_invocation_counter(&mut self, counter: u32) {
        self.living.counter = counter;
    }

    /// The highest invocation counter accepted from any client, 0 if none.
    pub fn highest_received(&self) -> u32 {
        self.living.highest_received()
    }

    /// The keys in force for new associations and pushes.
    pub fn keys(&self) -> &Keys {
        &self.living.keys
    }

    /// This device's system title.
    pub const fn system_title(&self) -> SystemTitle {
        self.living.system_title
    }

    /// Whether a client is logged in at `client_sap`.
    pub fn is_associated(&self, client_sap: u16) -> bool {
        self.sessions.get(&client_sap).is_some_and(|session| session.is_open())
    }

    /// A connection ended: whoever was logged in through it no longer is.
    pub fn link_lost(&mut self, client_sap: u16) {
        self.sessions.remove(&client_sap);
    }

    /// All connections ended, as when the meter loses power.
    pub fn reset(&mut self) {
        self.sessions.clear();
    }

    /// Answers one APDU from the client at `client_sap`.
    ///
    /// Any bytes are survived. `entropy` fills a slice with unpredictable bytes; it makes the challenges.
    pub fn handle_apdu(
        &mut self,
        client_sap: u16,
        apdu: &[u8],
        device: &mut dyn LogicalDevice,
        entropy: &mut dyn FnMut(&mut [u8]),
    ) -> Reply {
        match apdu.first() {
            Some(0x60) => self.associate(client_sap, apdu, entropy),
            Some(0x62) => self.release(client_sap, apdu),
            Some(_) => {
                let Some(mut session) = self.sessions.remove(&client_sap) else {
                    return exception(
                        NOT_ALLOWED,
                        ServiceError::OperationNotPossible,
                        Refusal::NotAssociated,
                    );
                };
                let (reply, keep) = self.converse(&mut session, apdu, device);
                if keep {
                    self.sessions.insert(client_sap, session);
                }
                reply
            }
            None => Reply { apdu: None, close: false, refused: Some(Refusal::Malformed) },
        }
    }

    /// A data-notification or event-notification made ready to leave, in the general envelope under the global key,
    /// authenticated and encrypted. `None` once the invocation counter is used up.
    pub fn protect_push(&mut self, apdu: &[u8]) -> Option<Vec<u8>> {
        self.protect_push_as(apdu, Envelope::GeneralGlo, Protection::AuthenticatedEncrypted)
    }

    /// The same in another envelope or with other protection.
    pub fn protect_push_as(
        &mut self,
        apdu: &[u8],
        envelope: Envelope,
        protection: Protection,
    ) -> Option<Vec<u8>> {
        let counter = self.living.next_counter()?;
        let title = self.living.system_title;
        protect(envelope, protection, &self.living.keys, title, counter, apdu).ok()
    }

    /// One service inside an association; `false` if the association ends with it.
    fn converse(
        &mut self,
        session: &mut Session,
        apdu: &[u8],
        device: &mut dyn LogicalDevice,
    ) -> (Reply, bool) {
        let opened = if is_protected(apdu) {
            match self.open(session, apdu) {
                Ok(opened) => Some(opened),
                Err(refusal) => return (Self::security_exception(refusal), true),
            }
        } else {
            None
        };
        let protection = opened.as_ref().map_or(Protection::None, |opened| opened.control.protection());
        if !protection.covers(self.demanded(session)) {
            return (exception(NOT_ALLOWED, ServiceError::ServiceNotSupported, Refusal::Downgraded), true);
        }
        let plain = opened.as_ref().map_or(apdu, |opened| opened.apdu.as_slice());
        let Ok(request) = Apdu::decode(plain) else {
            return (exception(UNKNOWN, ServiceError::OtherReason, Refusal::Malformed), true);
        };
        if !session.is_open() && !is_proof(&request) {
            return (
                exception(NOT_ALLOWED, ServiceError::OperationNotPossible, Refusal::NotAssociated),
                true,
            );
        }
        let mut failed_proof = false;
        let answer = {
            let room = room(session, opened.is_some(), self.config.max_pdu);
            let own = Own { living: &mut self.living, failed_proof: &mut failed_proof };
            let mut serving = Serving { own, session, device, room, max_request: self.config.max_request };
            match request {
                Apdu::GetRequest(request) => serving.get(request),
                Apdu::SetRequest(request) => serving.set(request),
                Apdu::ActionRequest(request) => serving.action(request),
                _ => {
                    return (
                        exception(UNKNOWN, ServiceError::ServiceNotSupported, Refusal::NotSupported),
                        true,
                    );
                }
            }
        };
        let Some(apdu) = self.seal(session, opened.as_ref(), answer.encode()) else {
            return (
                exception(NOT_ALLOWED, ServiceError::OperationNotPossible, Refusal::CounterExhausted),
                false,
            );
        };
        let refused = failed_proof.then_some(Refusal::WrongChallengeAnswer);
        (Reply { apdu: Some(apdu), close: failed_proof, refused }, !failed_proof)
    }

    /// The least protection that APDUs through this door need.
    fn door_demands(&self, door: &AssociationConfig) -> Protection {
        match door.mechanism {
            Mechanism::Hls5Gmac => stronger(door.least_protection, self.living.policy),
            _ => door.least_protection,
        }
    }

    /// The least protection that this association's APDUs need.
    fn demanded(&self, session: &Session) -> Protection {
        if session.mechanism == acse::Mechanism::HighGmac {
            stronger(session.least, self.living.policy)
        } else {
            session.least
        }
    }

    /// Opens a protected request and takes its counter as used.
    fn open(&mut self, session: &mut Session, apdu: &[u8]) -> Result<Plain, Refusal> {
        let least = self.demanded(session);
        let opened = unseal(apdu, &session.keys, session.peer_title, least)?;
        if is_dedicated(opened.envelope) {
            session.dedicated.accept(opened.counter).map_err(|error| refusal_of(&error))?;
        } else {
            self.accept_counter(opened.title, opened.counter)?;
        }
        Ok(opened)
    }

    fn accept_counter(&mut self, title: SystemTitle, counter: u32) -> Result<(), Refusal> {
        let received = &mut self.living.received;
        if let Some((_, last)) = received.iter_mut().find(|(known, _)| *known == title) {
            return last.accept(counter).map_err(|error| refusal_of(&error));
        }
        if received.len() >= MOST_CLIENTS {
            return Err(Refusal::TooLong);
        }
        received.push((title, Receiver { last: Some(counter) }));
        Ok(())
    }

    /// Protects an answer as its request was.
    fn seal(&mut self, session: &Session, opened: Option<&Plain>, plain: Vec<u8>) -> Option<Vec<u8>> {
        let Some(opened) = opened else { return Some(plain) };
        let counter = self.living.next_counter()?;
        let title = self.living.system_title;
        protect(opened.envelope, opened.control.protection(), &session.keys, title, counter, &plain).ok()
    }

    /// Standard: IEC 62056-5-3, exception-response: deciphering-error, invocation-counter-error with the counter
    /// expected next.
    fn security_exception(refusal: Refusal) -> Reply {
        match refusal {
            Refusal::ReplayedCounter { last, .. } => {
                exception(NOT_ALLOWED, ServiceError::InvocationCounterError(last.saturating_add(1)), refusal)
            }
            Refusal::WrongKey => exception(NOT_ALLOWED, ServiceError::DecipheringError, refusal),
            other => exception(NOT_ALLOWED, ServiceError::ServiceNotSupported, other),
        }
    }
}

/// Opens an envelope. Without a tag only a readable text shows that the key is right, so its counter must not count
/// before that.
fn unseal(apdu: &[u8], keys: &Keys, peer: Option<SystemTitle>, least: Protection) -> Result<Plain, Refusal> {
    let expect = Expect { keys, peer, least, last_counter: None };
    let opened = unprotect(apdu, &expect).map_err(|error| refusal_of(&error))?;
    match opened.control.protection() {
        Protection::None => Err(Refusal::Downgraded),
        Protection::Encrypted if Apdu::decode(&opened.apdu).is_err() => Err(Refusal::WrongKey),
        _ => Ok(opened),
    }
}

const fn refusal_of(error: &SecurityError) -> Refusal {
    match error {
        SecurityError::WrongTag | SecurityError::WrongTitle { .. } => Refusal::WrongKey,
        SecurityError::ReplayedCounter { last, got } => Refusal::ReplayedCounter { last: *last, got: *got },
        SecurityError::Downgraded { .. } => Refusal::Downgraded,
        SecurityError::UnsupportedSuite(_) | SecurityError::Compressed | SecurityError::NoKey(_) => {
            Refusal::NotSupported
        }
        _ => Refusal::Malformed,
    }
}

/// The only request that an unproven client may make: its answer to our challenge.
fn is_proof(request: &Apdu) -> bool {
    matches!(
        request,
        Apdu::ActionRequest(ActionRequest::Normal { method, .. })
            if method.object == CURRENT_ASSOCIATION && method.class == 15 && method.method == 1
    )
}

/// What covers both.
const fn stronger(one: Protection, other: Protection) -> Protection {
    match (one.authenticated() || other.authenticated(), one.encrypted() || other.encrypted()) {
        (true, true) => Protection::AuthenticatedEncrypted,
        (true, false) => Protection::Authenticated,
        (false, true) => Protection::Encrypted,
        (false, false) => Protection::None,
    }
}

fn exception(state: StateError, service: ServiceError, refused: Refusal) -> Reply {
    let response = ExceptionResponse { state, service };
    Reply { apdu: Some(Apdu::ExceptionResponse(response).encode()), close: false, refused: Some(refused) }
}

fn room(session: &Session, protected: bool, own: u16) -> Room {
    let bytes = session.max_reply.min(usize::from(own));
    Room {
        bytes: if protected { bytes.saturating_sub(ENVELOPE) } else { bytes },
        get_blocks: session.conformance.has(Conformance::BLOCK_GET),
        action_blocks: session.conformance.has(Conformance::BLOCK_ACTION),
    }
}
