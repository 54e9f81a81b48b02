//! Opening and closing associations.

use super::config::{AssociationConfig, Mechanism};
use super::device::{Refusal, Reply};
use super::session::{Session, Stage};
use super::{NOT_ALLOWED, Server, UNKNOWN, exception, unseal};
use crate::acse::{
    Aare, Aarq, AssociationResult, ContextName, Diagnostic, InitiateRequest, InitiateResponse,
    Mechanism as Named, Rlre, Rlrq, UserDiagnostic,
};
use crate::apdu::{Apdu, ConfirmedServiceError, ServiceError};
use crate::client::is_protected;
use crate::security::{Key, Keys, Plain, Protection, Receiver, SystemTitle, same_secret};
use std::sync::Arc;

/// The smallest APDU a client may ask for, in bytes.
const LEAST_PDU: u16 = 64;
/// Bytes in a challenge of ours.
const CHALLENGE: usize = 16;

/// Why an association is refused: what the AARE says, and what is counted.
struct Denied {
    diagnostic: UserDiagnostic,
    refusal: Refusal,
}

const fn denied(diagnostic: UserDiagnostic, refusal: Refusal) -> Denied {
    Denied { diagnostic, refusal }
}

/// The opened proposal of a client.
struct Proposal {
    initiate: InitiateRequest,
    /// The envelope it came in, if any.
    opened: Option<Plain>,
}

impl Server {
    pub(super) fn associate(
        &mut self,
        client_sap: u16,
        apdu: &[u8],
        entropy: &mut dyn FnMut(&mut [u8]),
    ) -> Reply {
        let Ok(Apdu::Aarq(aarq)) = Apdu::decode(apdu) else {
            return exception(UNKNOWN, ServiceError::OtherReason, Refusal::Malformed);
        };
        let config = Arc::clone(&self.config);
        let Some(door) = config.associations.iter().find(|door| door.client_sap == client_sap) else {
            return Self::deny(&denied(
                UserDiagnostic::CallingApTitleNotRecognized,
                Refusal::UnknownClient(client_sap),
            ));
        };
        if let Err(denial) = prove(door, &aarq, self.living.system_title) {
            return Self::deny(&denial);
        }
        let proposal = match self.proposal(&aarq, self.door_demands(door)) {
            Ok(proposal) => proposal,
            Err(refusal @ (Refusal::WrongKey | Refusal::ReplayedCounter { .. })) => {
                return Self::security_exception(refusal);
            }
            Err(refusal @ Refusal::Downgraded) => {
                return Self::deny(&denied(UserDiagnostic::AuthenticationFailure, refusal));
            }
            Err(refusal) => return Self::deny(&denied(UserDiagnostic::NoReasonGiven, refusal)),
        };
        let protection =
            proposal.opened.as_ref().map_or(Protection::None, |opened| opened.control.protection());
        let mut session = self.session(door, &aarq, &proposal);
        if !protection.covers(self.demanded(&session)) {
            return Self::deny(&denied(UserDiagnostic::AuthenticationFailure, Refusal::Downgraded));
        }
        if let Some(error) = unfit(&proposal.initiate) {
            return Self::deny_initiate(error);
        }
        let challenge = if door.mechanism == Mechanism::Hls5Gmac {
            let mut ours = vec![0; CHALLENGE];
            entropy(&mut ours);
            session.stage = Stage::Challenged {
                ours: ours.clone(),
                theirs: aarq.calling_authentication_value.clone().unwrap_or_default(),
            };
            Some(ours)
        } else {
            None
        };
        let Some(reply) = self.accept(&session, proposal.opened.as_ref(), challenge) else {
            return exception(NOT_ALLOWED, ServiceError::OperationNotPossible, Refusal::CounterExhausted);
        };
        self.sessions.insert(client_sap, Box::new(session));
        reply
    }

    /// What the client proposes, its envelope opened.
    fn proposal(&mut self, aarq: &Aarq, least: Protection) -> Result<Proposal, Refusal> {
        let bytes = aarq.user_information.as_slice();
        let opened = if is_protected(bytes) {
            let title = aarq.calling_ap_title.ok_or(Refusal::Malformed)?;
            let opened = unseal(bytes, &self.living.keys, Some(title), least)?;
            self.accept_counter(title, opened.counter)?;
            Some(opened)
        } else {
            None
        };
        let plain = opened.as_ref().map_or(bytes, |opened| opened.apdu.as_slice());
        match Apdu::decode(plain) {
            Ok(Apdu::InitiateRequest(initiate)) => Ok(Proposal { initiate, opened }),
            _ => Err(Refusal::Malformed),
        }
    }

    fn session(&self, door: &AssociationConfig, aarq: &Aarq, proposal: &Proposal) -> Session {
        let max_pdu = match proposal.initiate.max_pdu {
            0 => self.config.max_pdu,
            wanted => wanted.min(self.config.max_pdu),
        };
        Session {
            client_sap: door.client_sap,
            rights: door.rights,
            mechanism: door.mechanism.name(),
            least: door.least_protection,
            stage: Stage::Open,
            ciphered: proposal.opened.is_some(),
            peer_title: aarq.calling_ap_title,
            keys: self.session_keys(proposal),
            dedicated: Receiver::default(),
            conformance: proposal.initiate.conformance.and(self.config.conformance),
            max_reply: usize::from(max_pdu),
            sending: None,
            receiving: None,
        }
    }

    /// The keys in force, and the dedicated one if the client brought it in an envelope.
    fn session_keys(&self, proposal: &Proposal) -> Arc<Keys> {
        let brought = proposal.initiate.dedicated_key.as_deref().filter(|_| proposal.opened.is_some());
        match brought.and_then(|bytes| Key::try_from(bytes).ok()) {
            Some(key) => Arc::new(Keys { dedicated: Some(key), ..(*self.living.keys).clone() }),
            None => Arc::clone(&self.living.keys),
        }
    }

    fn accept(
        &mut self,
        session: &Session,
        opened: Option<&Plain>,
        challenge: Option<Vec<u8>>,
    ) -> Option<Reply> {
        let response = InitiateResponse::new(session.conformance, self.config.max_pdu);
        let plain = Apdu::InitiateResponse(response).encode();
        let user_information = match opened {
            Some(opened) => self.seal(session, Some(opened), plain)?,
            None => plain,
        };
        let titled = opened.is_some() || challenge.is_some();
        let aare = Aare {
            context: if opened.is_some() {
                ContextName::LogicalNamesCiphered
            } else {
                ContextName::LogicalNames
            },
            result: AssociationResult::Accepted,
            diagnostic: Diagnostic::User(match challenge {
                Some(_) => UserDiagnostic::AuthenticationRequired,
                None => UserDiagnostic::Null,
            }),
            responding_ap_title: titled.then_some(self.living.system_title),
            responding_ae_qualifier: None,
            mechanism: challenge.as_ref().map(|_| Named::HighGmac),
            responding_authentication_value: challenge,
            user_information,
        };
        Some(Reply { apdu: Some(Apdu::Aare(aare).encode()), close: false, refused: None })
    }

    /// Standard: IEC 62056-5-3, 7.2.4: rejected-permanent with the diagnostic of the service user.
    fn deny(denial: &Denied) -> Reply {
        Self::rejection(denial.diagnostic, Vec::new(), denial.refusal)
    }

    /// Standard: IEC 62056-5-3, confirmed-service-error of initiate in the user information of the AARE.
    fn deny_initiate(value: u8) -> Reply {
        let error = ConfirmedServiceError { service: 1, kind: 6, value };
        let user_information = Apdu::ConfirmedServiceError(error).encode();
        Self::rejection(UserDiagnostic::NoReasonGiven, user_information, Refusal::NotSupported)
    }

    fn rejection(diagnostic: UserDiagnostic, user_information: Vec<u8>, refusal: Refusal) -> Reply {
        let aare = Aare {
            context: ContextName::LogicalNames,
            result: AssociationResult::RejectedPermanent,
            diagnostic: Diagnostic::User(diagnostic),
            responding_ap_title: None,
            responding_ae_qualifier: None,
            mechanism: None,
            responding_authentication_value: None,
            user_information,
        };
        Reply { apdu: Some(Apdu::Aare(aare).encode()), close: false, refused: Some(refusal) }
    }

    /// A protected association is released only by a protected RLRQ, so that nobody else can end it.
    ///
    /// Standard: IEC 62056-5-3, 6.3, A-RELEASE with a ciphered xDLMS InitiateRequest in its user information.
    pub(super) fn release(&mut self, client_sap: u16, apdu: &[u8]) -> Reply {
        let Ok(Apdu::Rlrq(Rlrq { user_information, .. })) = Apdu::decode(apdu) else {
            return exception(UNKNOWN, ServiceError::OtherReason, Refusal::Malformed);
        };
        let Some(mut session) = self.sessions.remove(&client_sap) else {
            return exception(NOT_ALLOWED, ServiceError::OperationNotPossible, Refusal::NotAssociated);
        };
        if session.ciphered && session.is_open() {
            let opened = match is_protected(&user_information) {
                true => self.open(&mut session, &user_information),
                false => Err(Refusal::Downgraded),
            };
            if let Err(refusal) = opened {
                self.sessions.insert(client_sap, session);
                return Self::security_exception(refusal);
            }
        }
        let rlre = Rlre { reason: Some(0), user_information: Vec::new() };
        Reply { apdu: Some(Apdu::Rlre(rlre).encode()), close: false, refused: None }
    }
}

/// Whether the client comes with the mechanism, secret and context that the door wants.
fn prove(door: &AssociationConfig, aarq: &Aarq, own: SystemTitle) -> Result<(), Denied> {
    if !matches!(aarq.context, ContextName::LogicalNames | ContextName::LogicalNamesCiphered) {
        return Err(denied(UserDiagnostic::ContextNotSupported, Refusal::NotSupported));
    }
    let secret = aarq.calling_authentication_value.as_deref().unwrap_or_default();
    match aarq.mechanism.unwrap_or(Named::Lowest) {
        Named::Lowest if door.mechanism != Mechanism::None => {
            return Err(denied(UserDiagnostic::AuthenticationRequired, Refusal::NotSupported));
        }
        named if named != door.mechanism.name() => {
            return Err(denied(UserDiagnostic::MechanismNotRecognised, Refusal::NotSupported));
        }
        _ => {}
    }
    match &door.mechanism {
        Mechanism::None => Ok(()),
        Mechanism::Lls(password) => {
            if same_secret(secret, password) {
                Ok(())
            } else {
                Err(denied(UserDiagnostic::AuthenticationFailure, Refusal::WrongPassword))
            }
        }
        Mechanism::Hls5Gmac => {
            let fit =
                (8..=64).contains(&secret.len()) && aarq.calling_ap_title.is_some_and(|title| title != own);
            if fit {
                Ok(())
            } else {
                Err(denied(UserDiagnostic::AuthenticationFailure, Refusal::WrongChallengeAnswer))
            }
        }
    }
}

/// The initiate error of a proposal that cannot be served: 1 version, 2 conformance, 3 PDU size.
fn unfit(initiate: &InitiateRequest) -> Option<u8> {
    let key = initiate.dedicated_key.as_ref();
    if initiate.dlms_version < 6 {
        Some(1)
    } else if key.is_some_and(|key| key.len() != 16) {
        Some(2)
    } else if (1..LEAST_PDU).contains(&initiate.max_pdu) {
        Some(3)
    } else {
        None
    }
}
