//! Opening and closing the association.

use super::{
    Authentication, Client, ClientError, ClientEvent, Envelope, PeerFault, Protection, RequestFault,
    SecurityFault, Stage, is_dedicated, is_protected,
};
use crate::Data;
use crate::acse::{
    Aare, Aarq, AssociationResult, Conformance, ContextName, Diagnostic, InitiateRequest, InitiateResponse,
    Mechanism, Rlrq, UserDiagnostic,
};
use crate::apdu::{ActionRequest, ActionResponse, Apdu, InvokeId, MethodRef};
use crate::security::{Key, Receiver, SecurityError, gmac_reply, verify_gmac_reply};
use crate::server::CURRENT_ASSOCIATION;

/// Bytes in a challenge of ours.
const CHALLENGE: usize = 16;

impl Client {
    /// Opens the association. `entropy` fills a slice with unpredictable bytes; it makes the challenge and the
    /// dedicated key.
    ///
    /// # Errors
    /// [`RequestFault`] when one is open or keys are missing, [`SecurityFault::CounterExhausted`].
    pub fn associate(&mut self, entropy: &mut dyn FnMut(&mut [u8])) -> Result<(), ClientError> {
        if !matches!(self.stage, Stage::Idle | Stage::Failed) {
            return Err(RequestFault::AlreadyAssociated.into());
        }
        let ciphered = self.config.protection != Protection::None;
        let hls = self.config.authentication == Authentication::Hls5Gmac;
        if (ciphered || hls) && self.config.keys.is_none() {
            return Err(RequestFault::NoKeys.into());
        }
        self.peer_title = self.config.peer_title;
        self.received_dedicated = Receiver::default();
        self.keys.clone_from(&self.config.keys);
        if let (true, Some(keys)) = (ciphered && is_dedicated(self.config.envelope), &mut self.keys) {
            let mut bytes = [0; 16];
            entropy(&mut bytes);
            keys.dedicated = Some(Key::new(bytes));
        }
        let (mechanism, authentication_value) = match &self.config.authentication {
            Authentication::None => (None, None),
            Authentication::Lls(password) => (Some(Mechanism::Low), Some(password.to_vec())),
            Authentication::Hls5Gmac => {
                self.challenge = vec![0; CHALLENGE];
                entropy(&mut self.challenge);
                (Some(Mechanism::HighGmac), Some(self.challenge.clone()))
            }
        };
        let aarq = Aarq {
            context: if ciphered { ContextName::LogicalNamesCiphered } else { ContextName::LogicalNames },
            calling_ap_title: (ciphered || hls).then_some(self.config.system_title),
            calling_ae_qualifier: None,
            calling_ae_invocation_id: None,
            mechanism,
            calling_authentication_value: authentication_value,
            user_information: self.initiate()?,
        };
        self.transmit.push_back(Apdu::Aarq(aarq).encode());
        self.stage = Stage::Associating;
        Ok(())
    }

    /// The xDLMS InitiateRequest, protected if anything is.
    fn initiate(&mut self) -> Result<Vec<u8>, ClientError> {
        let mut conformance = self.config.conformance;
        if !self.config.envelope.general() {
            conformance = Conformance(conformance.0 & !Conformance::GENERAL_PROTECTION.0);
        }
        let request = InitiateRequest {
            dedicated_key: self
                .keys
                .as_ref()
                .and_then(|keys| Some(keys.dedicated.as_ref()?.as_bytes().to_vec())),
            ..InitiateRequest::new(conformance, self.config.max_pdu)
        };
        let plain = Apdu::InitiateRequest(request).encode();
        if self.config.protection == Protection::None { Ok(plain) } else { self.seal(&plain, Envelope::Glo) }
    }

    /// Closes the association; [`ClientEvent::Released`] follows.
    ///
    /// # Errors
    /// [`RequestFault::NotAssociated`], [`SecurityFault::CounterExhausted`].
    pub fn release(&mut self) -> Result<(), ClientError> {
        if self.stage != Stage::Open {
            return Err(RequestFault::NotAssociated.into());
        }
        let user_information =
            if self.config.protection == Protection::None { Vec::new() } else { self.initiate()? };
        self.transmit.push_back(Apdu::Rlrq(Rlrq { reason: Some(0), user_information }).encode());
        self.stage = Stage::Releasing;
        self.running = None;
        self.queue.clear();
        Ok(())
    }

    pub(super) fn handle_aare(&mut self, aare: Aare) -> Result<(), ClientError> {
        if aare.result != AssociationResult::Accepted {
            return Err(self.refused(&aare));
        }
        if let (Some(known), Some(told)) = (self.config.peer_title, aare.responding_ap_title)
            && known != told
        {
            let wrong = SecurityError::WrongTitle { expected: known, got: told };
            return Err(SecurityFault::Unprotect(wrong).into());
        }
        self.peer_title = aare.responding_ap_title.or(self.peer_title);
        let InitiateResponse { conformance, max_pdu, .. } = self.initiated(&aare)?;
        self.conformance = conformance.and(self.config.conformance);
        self.peer_max_pdu = max_pdu;
        if self.config.authentication == Authentication::Hls5Gmac {
            return self.prove(&aare);
        }
        self.opened();
        Ok(())
    }

    /// Standard: IEC 62056-5-3, 7.2.4, Associate-source-diagnostic of the service user.
    fn refused(&self, aare: &Aare) -> ClientError {
        match aare.diagnostic {
            Diagnostic::User(UserDiagnostic::AuthenticationFailure)
                if matches!(self.config.authentication, Authentication::Lls(_)) =>
            {
                SecurityFault::WrongPassword.into()
            }
            Diagnostic::User(UserDiagnostic::Null | UserDiagnostic::NoReasonGiven)
            | Diagnostic::Provider(0 | 1)
                if self.config.protection != Protection::None =>
            {
                SecurityFault::ProtectedAssociationRefused { sent: self.sent }.into()
            }
            diagnostic => RequestFault::Refused { result: aare.result, diagnostic }.into(),
        }
    }

    fn initiated(&mut self, aare: &Aare) -> Result<InitiateResponse, ClientError> {
        let bytes = aare.user_information.as_slice();
        let plain = if is_protected(bytes) {
            self.open(bytes)?.apdu
        } else if self.config.protection == Protection::None {
            bytes.to_vec()
        } else {
            return Err(SecurityFault::Downgraded.into());
        };
        match Apdu::decode(&plain) {
            Ok(Apdu::InitiateResponse(response)) => Ok(response),
            Ok(Apdu::ConfirmedServiceError(error)) => Err(RequestFault::Initiate(error.value).into()),
            Ok(_) => Err(PeerFault::Unexpected("an AARE without an initiate response").into()),
            Err(why) => Err(PeerFault::Malformed { length: plain.len(), why }.into()),
        }
    }

    /// Answers the meter's challenge.
    fn prove(&mut self, aare: &Aare) -> Result<(), ClientError> {
        let theirs = aare.responding_authentication_value.as_deref().unwrap_or_default();
        // A meter that sends our own challenge or title back wants us to do its sums.
        if theirs.len() < 8 || theirs == self.challenge || self.peer_title == Some(self.config.system_title) {
            return Err(SecurityFault::PeerNotAuthentic.into());
        }
        let counter = self.take_counter()?;
        let keys = self.keys.as_ref().ok_or(RequestFault::NoKeys)?;
        let token = gmac_reply(keys, self.config.system_title, counter, theirs).to_vec();
        let method = MethodRef { class: 15, object: CURRENT_ASSOCIATION, method: 1 };
        let parameters = Some(Data::OctetString(token));
        let request = ActionRequest::Normal { invoke: InvokeId::confirmed(1), method, parameters };
        self.send(&Apdu::ActionRequest(request))?;
        self.stage = Stage::Proving;
        Ok(())
    }

    pub(super) fn handle_proof(&mut self, response: ActionResponse) -> Result<(), ClientError> {
        let ActionResponse::Normal { outcome, .. } = response else {
            return Err(PeerFault::Unexpected("no plain action response to the proof").into());
        };
        if outcome.result.is_err() {
            return Err(SecurityFault::WrongKey.into());
        }
        let keys = self.keys.as_ref().ok_or(RequestFault::NoKeys)?;
        let right = match (&outcome.value, self.peer_title) {
            (Some(Ok(Data::OctetString(token))), Some(title)) => {
                verify_gmac_reply(keys, title, &self.challenge, token).is_ok()
            }
            _ => false,
        };
        if !right {
            return Err(SecurityFault::PeerNotAuthentic.into());
        }
        self.opened();
        Ok(())
    }

    fn opened(&mut self) {
        self.stage = Stage::Open;
        self.events
            .push_back(ClientEvent::Associated { conformance: self.conformance, max_pdu: self.peer_max_pdu });
    }
}
