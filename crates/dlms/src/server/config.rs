//! What a server is made from: shared settings, and what is its own.

use crate::Obis;
use crate::acse::{self, Conformance};
use crate::security::{Key, Keys, Protection, SystemTitle};
use zeroize::Zeroizing;

/// How much a client may do; each level includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rights {
    /// Reads what anybody may: clock, invocation counter, names.
    Public,
    /// Reads everything.
    Reader,
    /// Reads, writes and calls methods.
    Manager,
}

impl Rights {
    /// Whether they are enough where `least` is asked for; never where nobody may.
    pub fn meet(self, least: Option<Self>) -> bool {
        least.is_some_and(|least| self >= least)
    }
}

/// How a client of an association has to prove itself.
#[derive(Clone, PartialEq, Eq)]
pub enum Mechanism {
    /// Not at all.
    None,
    /// With this password.
    Lls(Zeroizing<Vec<u8>>),
    /// With GMAC under the unicast encryption key.
    Hls5Gmac,
}

impl Mechanism {
    /// Low level security with this password.
    pub fn lls(password: impl Into<Vec<u8>>) -> Self {
        Self::Lls(Zeroizing::new(password.into()))
    }

    /// Its name in the AARQ.
    pub const fn name(&self) -> acse::Mechanism {
        match self {
            Self::None => acse::Mechanism::Lowest,
            Self::Lls(_) => acse::Mechanism::Low,
            Self::Hls5Gmac => acse::Mechanism::HighGmac,
        }
    }
}

impl core::fmt::Debug for Mechanism {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str(match self {
            Self::None => "None",
            Self::Lls(_) => "Lls",
            Self::Hls5Gmac => "Hls5Gmac",
        })
    }
}

/// One door of a server: a client service access point and what it demands and grants.
#[derive(Clone, Debug)]
pub struct AssociationConfig {
    /// Which client comes through it.
    pub client_sap: u16,
    /// How it proves itself.
    pub mechanism: Mechanism,
    /// The least protection of every APDU.
    pub least_protection: Protection,
    /// What it may do.
    pub rights: Rights,
}

/// Settings that many servers share behind an `Arc`.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The doors.
    pub associations: Vec<AssociationConfig>,
    /// The longest APDU the server takes and sends, in bytes.
    pub max_pdu: u16,
    /// What the server is able to do.
    pub conformance: Conformance,
    /// The most bytes of a long request that are put together from blocks.
    pub max_request: usize,
}

impl ServerConfig {
    /// Doors as given; PDUs up to 1,024 bytes, long requests up to 64 KiB, everything this crate can do.
    pub fn new(associations: Vec<AssociationConfig>) -> Self {
        Self {
            associations,
            max_pdu: 1024,
            conformance: crate::client::usual_conformance(),
            max_request: 65_536,
        }
    }
}

/// What one server does not share.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The logical device name, at most 16 bytes, of 0-0:42.0.0.
    pub logical_device_name: Vec<u8>,
    /// The system title: half of every nonce.
    pub system_title: SystemTitle,
    /// The keys in force.
    pub keys: Keys,
    /// The key under which new keys come.
    pub master_key: Option<Key>,
    /// The next own invocation counter.
    pub invocation_counter: u32,
}

/// What may be done with an attribute, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttributeAccess {
    /// Attribute number, from 1.
    pub attribute: i8,
    /// Who may read it at least; nobody if none.
    pub read: Option<Rights>,
    /// Who may write it at least; nobody if none.
    pub write: Option<Rights>,
}

/// Who may call a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodAccess {
    /// Method number, from 1.
    pub method: i8,
    /// Who may call it at least; nobody if none.
    pub call: Option<Rights>,
}

/// An object that a logical device holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectEntry {
    /// Interface class.
    pub class: u16,
    /// Version of the class.
    pub version: u8,
    /// Logical name.
    pub object: Obis,
    /// Its attributes, the logical name (1) among them.
    pub attributes: Vec<AttributeAccess>,
    /// Its methods.
    pub methods: Vec<MethodAccess>,
}

impl ObjectEntry {
    /// An object whose attributes 1 to `attributes` are readable by `read` and whose methods 1 to `methods` are
    /// for managers.
    pub fn readable(
        class: u16,
        version: u8,
        object: Obis,
        attributes: i8,
        methods: i8,
        read: Rights,
    ) -> Self {
        Self {
            class,
            version,
            object,
            attributes: (1..=attributes)
                .map(|attribute| AttributeAccess { attribute, read: Some(read), write: None })
                .collect(),
            methods: (1..=methods)
                .map(|method| MethodAccess { method, call: Some(Rights::Manager) })
                .collect(),
        }
    }

    /// The same with these attributes writable by managers.
    #[must_use]
    pub fn writable(mut self, attributes: &[i8]) -> Self {
        for access in self.attributes.iter_mut().filter(|access| attributes.contains(&access.attribute)) {
            access.write = Some(Rights::Manager);
        }
        self
    }

    /// Whether `rights` see anything of it.
    pub fn visible_to(&self, rights: Rights) -> bool {
        self.attributes.iter().any(|access| rights.meet(access.read))
    }
}
