//! Opening and closing an application association.
//!
//! Tolerant in reading (fields in any order, unknown ones skipped), strict in writing.
//!
//! Standard: IEC 62056-5-3, ACSE APDUs (ISO/IEC 8650-1 in BER) and xDLMS InitiateRequest/-Response.

mod ber;
mod initiate;
#[cfg(test)]
mod tests;

pub use initiate::{Conformance, InitiateRequest, InitiateResponse};

use crate::security::SystemTitle;
use crate::wire::{DecodeError, Why};

/// Which application context is asked for or given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContextName {
    /// Logical names, no ciphering.
    LogicalNames,
    /// Short names, no ciphering.
    ShortNames,
    /// Logical names with ciphering.
    LogicalNamesCiphered,
    /// Short names with ciphering.
    ShortNamesCiphered,
    /// A number outside the standard's list.
    Other(u8),
}

impl ContextName {
    pub(crate) const fn id(self) -> u8 {
        match self {
            Self::LogicalNames => 1,
            Self::ShortNames => 2,
            Self::LogicalNamesCiphered => 3,
            Self::ShortNamesCiphered => 4,
            Self::Other(id) => id,
        }
    }

    const fn from_id(id: u8) -> Self {
        match id {
            1 => Self::LogicalNames,
            2 => Self::ShortNames,
            3 => Self::LogicalNamesCiphered,
            4 => Self::ShortNamesCiphered,
            _ => Self::Other(id),
        }
    }

    /// Whether APDUs of the association may be ciphered.
    pub const fn ciphered(self) -> bool {
        matches!(self, Self::LogicalNamesCiphered | Self::ShortNamesCiphered)
    }
}

/// How the client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mechanism {
    /// 0: not at all.
    Lowest,
    /// 1: a password (LLS).
    Low,
    /// 2: a manufacturer's own exchange.
    High,
    /// 3: MD5.
    HighMd5,
    /// 4: SHA-1.
    HighSha1,
    /// 5: GMAC.
    HighGmac,
    /// 6: SHA-256.
    HighSha256,
    /// 7: ECDSA.
    HighEcdsa,
    /// A number outside the standard's list.
    Other(u8),
}

impl Mechanism {
    /// The last arc of the mechanism's object identifier.
    pub const fn id(self) -> u8 {
        match self {
            Self::Lowest => 0,
            Self::Low => 1,
            Self::High => 2,
            Self::HighMd5 => 3,
            Self::HighSha1 => 4,
            Self::HighGmac => 5,
            Self::HighSha256 => 6,
            Self::HighEcdsa => 7,
            Self::Other(id) => id,
        }
    }

    /// The mechanism with this last arc.
    pub const fn from_id(id: u8) -> Self {
        match id {
            0 => Self::Lowest,
            1 => Self::Low,
            2 => Self::High,
            3 => Self::HighMd5,
            4 => Self::HighSha1,
            5 => Self::HighGmac,
            6 => Self::HighSha256,
            7 => Self::HighEcdsa,
            _ => Self::Other(id),
        }
    }
}

/// Association request: `A-ASSOCIATE.request` on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Aarq {
    /// What is asked for.
    pub context: ContextName,
    /// The client's system title, where ciphering or HLS needs it.
    pub calling_ap_title: Option<SystemTitle>,
    /// The client's certificate, where digital signatures need it.
    pub calling_ae_qualifier: Option<Vec<u8>>,
    /// Which user of the client's system asks.
    pub calling_ae_invocation_id: Option<u8>,
    /// How the client authenticates; none and `Lowest` are the same thing.
    pub mechanism: Option<Mechanism>,
    /// The password (LLS) or the challenge CtoS (HLS).
    pub calling_authentication_value: Option<Vec<u8>>,
    /// An [`InitiateRequest`] encoded, perhaps ciphered.
    pub user_information: Vec<u8>,
}

/// How an association request was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssociationResult {
    /// 0.
    Accepted,
    /// 1: and trying again is no use.
    RejectedPermanent,
    /// 2.
    RejectedTransient,
}

/// Why, in the answer's `result-source-diagnostic`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diagnostic {
    /// From the ACSE service user.
    User(UserDiagnostic),
    /// From the ACSE service provider: 0 null, 1 no reason given, 2 no common ACSE version.
    Provider(u8),
}

/// `acse-service-user` diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserDiagnostic {
    /// 0.
    Null,
    /// 1.
    NoReasonGiven,
    /// 2.
    ContextNotSupported,
    /// 3.
    CallingApTitleNotRecognized,
    /// 11.
    MechanismNotRecognised,
    /// 12.
    MechanismRequired,
    /// 13: wrong password, most often.
    AuthenticationFailure,
    /// 14: the HLS passes are still to come.
    AuthenticationRequired,
    /// A number outside this list.
    Other(u8),
}

impl UserDiagnostic {
    pub(crate) const fn id(self) -> u8 {
        match self {
            Self::Null => 0,
            Self::NoReasonGiven => 1,
            Self::ContextNotSupported => 2,
            Self::CallingApTitleNotRecognized => 3,
            Self::MechanismNotRecognised => 11,
            Self::MechanismRequired => 12,
            Self::AuthenticationFailure => 13,
            Self::AuthenticationRequired => 14,
            Self::Other(id) => id,
        }
    }

    const fn from_id(id: u8) -> Self {
        match id {
            0 => Self::Null,
            1 => Self::NoReasonGiven,
            2 => Self::ContextNotSupported,
            3 => Self::CallingApTitleNotRecognized,
            11 => Self::MechanismNotRecognised,
            12 => Self::MechanismRequired,
            13 => Self::AuthenticationFailure,
            14 => Self::AuthenticationRequired,
            _ => Self::Other(id),
        }
    }
}

/// Association response.
#[derive(Clone, Debug, PartialEq)]
pub struct Aare {
    /// The context of the association.
    pub context: ContextName,
    /// Accepted or not.
    pub result: AssociationResult,
    /// Why.
    pub diagnostic: Diagnostic,
    /// The server's system title.
    pub responding_ap_title: Option<SystemTitle>,
    /// The server's certificate.
    pub responding_ae_qualifier: Option<Vec<u8>>,
    /// The mechanism, in HLS.
    pub mechanism: Option<Mechanism>,
    /// The challenge StoC, in HLS.
    pub responding_authentication_value: Option<Vec<u8>>,
    /// An [`InitiateResponse`] or a confirmed service error encoded, perhaps ciphered.
    pub user_information: Vec<u8>,
}

/// Release request.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rlrq {
    /// 0 normal, 1 urgent, 30 user defined.
    pub reason: Option<u8>,
    /// An initiate request, ciphered where the association is.
    pub user_information: Vec<u8>,
}

/// Release response.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rlre {
    /// 0 normal, 1 not finished, 30 user defined.
    pub reason: Option<u8>,
    /// An initiate response, ciphered where the association is.
    pub user_information: Vec<u8>,
}

/// The arcs 2.16.756.5.8 of the DLMS UA.
const DLMS_UA: [u8; 5] = [0x60, 0x85, 0x74, 0x05, 0x08];

impl Aarq {
    /// The APDU, tag 0x60.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        ber::put(&mut body, 0xA1, &ber::object_id(1, self.context.id()));
        if let Some(title) = &self.calling_ap_title {
            ber::put(&mut body, 0xA6, &ber::tlv(0x04, &title.0));
        }
        if let Some(qualifier) = &self.calling_ae_qualifier {
            ber::put(&mut body, 0xA7, &ber::tlv(0x04, qualifier));
        }
        if let Some(user) = self.calling_ae_invocation_id {
            ber::put(&mut body, 0xA9, &ber::tlv(0x02, &[user]));
        }
        ber::put_authentication(
            &mut body,
            [0x8A, 0x8B, 0xAC],
            self.mechanism,
            self.calling_authentication_value.as_deref(),
        );
        ber::put(&mut body, 0xBE, &ber::tlv(0x04, &self.user_information));
        ber::tlv(0x60, &body)
    }

    /// Reads the APDU.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut aarq = Self {
            context: ContextName::Other(0),
            calling_ap_title: None,
            calling_ae_qualifier: None,
            calling_ae_invocation_id: None,
            mechanism: None,
            calling_authentication_value: None,
            user_information: Vec::new(),
        };
        let mut named = false;
        let mut fields = ber::open(bytes, 0x60)?;
        while let Some(field) = fields.next_field()? {
            match field.tag {
                0xA1 => {
                    aarq.context = ContextName::from_id(field.explicit(0x06)?.object_id(1)?);
                    named = true;
                }
                0xA6 => aarq.calling_ap_title = field.explicit(0x04)?.title()?,
                0xA7 => aarq.calling_ae_qualifier = Some(field.explicit(0x04)?.content.to_vec()),
                0xA9 => aarq.calling_ae_invocation_id = field.explicit(0x02)?.content.last().copied(),
                0x8B => aarq.mechanism = Some(Mechanism::from_id(field.object_id(2)?)),
                0xAC => aarq.calling_authentication_value = Some(field.authentication_value()?),
                0xBE => aarq.user_information = field.explicit(0x04)?.content.to_vec(),
                _ => {}
            }
        }
        if named {
            Ok(aarq)
        } else {
            Err(DecodeError { at: 0, why: Why::Unexpected("an association request without context name") })
        }
    }
}

impl Aare {
    /// The APDU, tag 0x61.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        ber::put(&mut body, 0xA1, &ber::object_id(1, self.context.id()));
        let result = match self.result {
            AssociationResult::Accepted => 0,
            AssociationResult::RejectedPermanent => 1,
            AssociationResult::RejectedTransient => 2,
        };
        ber::put(&mut body, 0xA2, &ber::tlv(0x02, &[result]));
        let (source, diagnostic) = match self.diagnostic {
            Diagnostic::User(why) => (0xA1, why.id()),
            Diagnostic::Provider(id) => (0xA2, id),
        };
        ber::put(&mut body, 0xA3, &ber::tlv(source, &ber::tlv(0x02, &[diagnostic])));
        if let Some(title) = &self.responding_ap_title {
            ber::put(&mut body, 0xA4, &ber::tlv(0x04, &title.0));
        }
        if let Some(qualifier) = &self.responding_ae_qualifier {
            ber::put(&mut body, 0xA5, &ber::tlv(0x04, qualifier));
        }
        ber::put_authentication(
            &mut body,
            [0x88, 0x89, 0xAA],
            self.mechanism,
            self.responding_authentication_value.as_deref(),
        );
        if !self.user_information.is_empty() {
            ber::put(&mut body, 0xBE, &ber::tlv(0x04, &self.user_information));
        }
        ber::tlv(0x61, &body)
    }

    /// Reads the APDU.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut aare = Self {
            context: ContextName::Other(0),
            result: AssociationResult::RejectedPermanent,
            diagnostic: Diagnostic::User(UserDiagnostic::Null),
            responding_ap_title: None,
            responding_ae_qualifier: None,
            mechanism: None,
            responding_authentication_value: None,
            user_information: Vec::new(),
        };
        let mut answered = false;
        let mut fields = ber::open(bytes, 0x61)?;
        while let Some(field) = fields.next_field()? {
            match field.tag {
                0xA1 => aare.context = ContextName::from_id(field.explicit(0x06)?.object_id(1)?),
                0xA2 => {
                    aare.result = match field.explicit(0x02)?.number()? {
                        0 => AssociationResult::Accepted,
                        2 => AssociationResult::RejectedTransient,
                        _ => AssociationResult::RejectedPermanent,
                    };
                    answered = true;
                }
                0xA3 => aare.diagnostic = field.diagnostic()?,
                0xA4 => aare.responding_ap_title = field.explicit(0x04)?.title()?,
                0xA5 => aare.responding_ae_qualifier = Some(field.explicit(0x04)?.content.to_vec()),
                0x89 => aare.mechanism = Some(Mechanism::from_id(field.object_id(2)?)),
                0xAA => aare.responding_authentication_value = Some(field.authentication_value()?),
                0xBE => aare.user_information = field.explicit(0x04)?.content.to_vec(),
                _ => {}
            }
        }
        if answered {
            Ok(aare)
        } else {
            Err(DecodeError { at: 0, why: Why::Unexpected("an association response without result") })
        }
    }
}

impl Rlrq {
    /// The APDU, tag 0x62.
    pub fn encode(&self) -> Vec<u8> {
        ber::tlv(0x62, &ber::release(self.reason, &self.user_information))
    }

    /// Reads the APDU.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (reason, user_information) = ber::open_release(bytes, 0x62)?;
        Ok(Self { reason, user_information })
    }
}

impl Rlre {
    /// The APDU, tag 0x63.
    pub fn encode(&self) -> Vec<u8> {
        ber::tlv(0x63, &ber::release(self.reason, &self.user_information))
    }

    /// Reads the APDU.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (reason, user_information) = ber::open_release(bytes, 0x63)?;
        Ok(Self { reason, user_information })
    }
}
