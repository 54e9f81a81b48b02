//! What a server serves, and what it reports about who asked.

use super::config::{ObjectEntry, Rights};
use crate::Data;
use crate::apdu::{ActionError, AttributeRef, DataAccessError, MethodRef, Selection};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Client service access point.
    pub client_sap: u16,
    /// What it may do.
    pub rights: Rights,
}

/// The objects behind a server.
///
/// The server has checked the association, the protection and the access rights of [`Self::objects`] before it
/// asks. It serves by itself, and lists by itself: the current association 0-0:40.0.0, the SAP assignment
/// 0-0:41.0.0, the logical device name 0-0:42.0.0, the security setup 0-0:43.0.0 and the invocation counter
/// 0-0:43.1.0.
pub trait LogicalDevice {
    /// What there is; a borrowed list, so that a thousand meters of one model share it.
    fn objects(&self) -> &[ObjectEntry];

    /// Reads an attribute, or the part of it that `selection` wants.
    ///
    /// # Errors
    /// What the standard's `data-access-result` says.
    fn get(
        &mut self,
        attribute: AttributeRef,
        selection: Option<&Selection>,
        caller: &Caller,
    ) -> Result<Data, DataAccessError>;

    /// Writes an attribute.
    ///
    /// # Errors
    /// What the standard's `data-access-result` says.
    fn set(&mut self, attribute: AttributeRef, value: Data, caller: &Caller) -> Result<(), DataAccessError>;

    /// Calls a method; what it returns goes into the answer.
    ///
    /// # Errors
    /// What the standard's `action-result` says.
    fn action(
        &mut self,
        method: MethodRef,
        parameters: Option<Data>,
        caller: &Caller,
    ) -> Result<Option<Data>, ActionError>;
}

/// What a server wants done after an APDU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// To be sent back.
    pub apdu: Option<Vec<u8>>,
    /// Close the connection after sending.
    pub close: bool,
    /// Why the request was not served, to be counted and, for the security ones, logged.
    pub refused: Option<Refusal>,
}

/// Why a server did not serve a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// No door for this client.
    #[error("serve client {0}: it has no association here")]
    UnknownClient(u16),
    /// A service before the association.
    #[error("serve a request: no association is open")]
    NotAssociated,
    /// Bytes that are no APDU, or one that a client never sends.
    #[error("read a request: it is no APDU a client sends")]
    Malformed,
    /// An application context, mechanism or service that the association does not know.
    #[error("serve a request: it asks for something not supported here")]
    NotSupported,
    /// A wrong password.
    #[error("log a client in: its password is wrong")]
    WrongPassword,
    /// A wrong answer to the challenge.
    #[error("log a client in: its answer to the challenge is wrong")]
    WrongChallengeAnswer,
    /// A wrong key, or a forgery.
    #[error("decipher a request: the tag is wrong")]
    WrongKey,
    /// A counter seen before.
    #[error("accept a request: invocation counter {got} is not above {last}")]
    ReplayedCounter {
        /// The highest seen.
        last: u32,
        /// What came.
        got: u32,
    },
    /// Weaker protection than the door demands.
    #[error("accept a request: its protection is weaker than demanded")]
    Downgraded,
    /// More than the server is willing to hold.
    #[error("hold a long request: it exceeds the limit")]
    TooLong,
    /// No invocation counter left.
    #[error("protect an answer: the invocation counter is used up")]
    CounterExhausted,
}

impl Refusal {
    /// Whether a person should hear of it: somebody tried to get in, or to forge.
    pub const fn is_security(self) -> bool {
        matches!(
            self,
            Self::WrongPassword
                | Self::WrongChallengeAnswer
                | Self::WrongKey
                | Self::ReplayedCounter { .. }
                | Self::Downgraded
        )
    }
}
