//! Who a client is, what it proves and how it protects what it says.

use crate::acse::Conformance;
use crate::security::{Envelope, Keys, Protection, SystemTitle};
use zeroize::Zeroizing;

/// How a client proves who it is.
///
/// Standard: IEC 62056-5-3, 7.2.7 authentication mechanisms 0, 1 and 5.
#[derive(Clone, PartialEq, Eq)]
pub enum Authentication {
    /// Not at all: the public client.
    None,
    /// Low level security: a password in the clear inside the AARQ.
    Lls(Zeroizing<Vec<u8>>),
    /// High level security 5: both ends answer a challenge with a GMAC under the encryption key.
    Hls5Gmac,
}

impl Authentication {
    /// Low level security with this password.
    pub fn lls(password: impl Into<Vec<u8>>) -> Self {
        Self::Lls(Zeroizing::new(password.into()))
    }
}

impl core::fmt::Debug for Authentication {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str(match self {
            Self::None => "None",
            Self::Lls(_) => "Lls",
            Self::Hls5Gmac => "Hls5Gmac",
        })
    }
}

/// What a [`super::Client`] is made from.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Client service access point: 16 is the public client, 1 usually the management client.
    pub client_sap: u16,
    /// How the client proves itself.
    pub authentication: Authentication,
    /// How much APDUs are protected.
    pub protection: Protection,
    /// In which envelope.
    pub envelope: Envelope,
    /// The meter's keys; needed for GMAC and for any protection.
    pub keys: Option<Keys>,
    /// The client's own system title.
    pub system_title: SystemTitle,
    /// The meter's system title where it is known before the association; otherwise the AARE tells it.
    pub peer_title: Option<SystemTitle>,
    /// The next invocation counter to use. It must never go back under one key: persist a ceiling first.
    pub invocation_counter: u32,
    /// The first counter that must not be used; what lies below was reserved by the caller.
    pub counter_ceiling: u32,
    /// The highest counter ever accepted from this meter; lower or equal ones are refused.
    pub peer_counter: Option<u32>,
    /// The longest APDU this client takes, in bytes.
    pub max_pdu: u16,
    /// What the client would like to be able to do.
    pub conformance: Conformance,
    /// The most bytes of a long answer that are put together from blocks.
    pub max_answer: usize,
}

impl ClientConfig {
    /// A client without keys and secrets on `client_sap`; PDUs up to 65,535 bytes, long answers up to 4 MiB.
    pub fn public(client_sap: u16) -> Self {
        Self {
            client_sap,
            authentication: Authentication::None,
            protection: Protection::None,
            envelope: Envelope::Glo,
            keys: None,
            system_title: SystemTitle([0; 8]),
            peer_title: None,
            invocation_counter: 1,
            counter_ceiling: u32::MAX,
            peer_counter: None,
            max_pdu: u16::MAX,
            conformance: super::usual_conformance(),
            max_answer: 4 << 20,
        }
    }

    /// A client that logs in with HLS 5 and authenticates and encrypts everything.
    pub fn secure(client_sap: u16, keys: Keys, system_title: SystemTitle, invocation_counter: u32) -> Self {
        Self {
            authentication: Authentication::Hls5Gmac,
            protection: Protection::AuthenticatedEncrypted,
            keys: Some(keys),
            system_title,
            invocation_counter,
            ..Self::public(client_sap)
        }
    }
}
