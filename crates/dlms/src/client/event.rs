//! What a client is asked, what it reports, and how it fails.

use crate::Data;
use crate::acse::{AssociationResult, Conformance, Diagnostic};
use crate::apdu::{
    ActionError, ActionOutcome, AttributeRef, DataAccessError, DataNotification, EventNotification,
    ExceptionResponse, MethodRef, Selection,
};
use crate::security::SecurityError;
use crate::wire::DecodeError;

/// Names a request until its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u32);

/// What a client can be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Read an attribute or a part of it.
    Get(AttributeRef, Option<Selection>),
    /// Read several at once.
    GetList(Vec<(AttributeRef, Option<Selection>)>),
    /// Write an attribute.
    Set(AttributeRef, Option<Selection>, Data),
    /// Write several at once.
    SetList(Vec<(AttributeRef, Option<Selection>, Data)>),
    /// Call a method.
    Action(MethodRef, Option<Data>),
    /// Call several at once.
    ActionList(Vec<(MethodRef, Option<Data>)>),
}

/// The meter's answer to a [`Request`], in the same order.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// To [`Request::Get`].
    Get(Result<Data, DataAccessError>),
    /// To [`Request::GetList`].
    GetList(Vec<Result<Data, DataAccessError>>),
    /// To [`Request::Set`].
    Set(Result<(), DataAccessError>),
    /// To [`Request::SetList`].
    SetList(Vec<Result<(), DataAccessError>>),
    /// To [`Request::Action`]: what the method returned, if anything.
    Action(Result<Option<Data>, ActionError>),
    /// To [`Request::ActionList`].
    ActionList(Vec<ActionOutcome>),
    /// To any: the meter would not take the request at all.
    Exception(ExceptionResponse),
}

/// What a client has to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientEvent {
    /// The association is open and both ends are who they say.
    Associated {
        /// What both can do.
        conformance: Conformance,
        /// The longest APDU the meter takes, in bytes; 0 is no limit.
        max_pdu: u16,
    },
    /// A request was answered.
    Response {
        /// Which one.
        id: RequestId,
        /// What came of it.
        outcome: Outcome,
    },
    /// The association is closed as asked.
    Released,
    /// The meter told something unasked.
    Notification(DataNotification),
    /// The meter told an event unasked.
    EventNotification(EventNotification),
}

/// Why a dialogue ended; the top variant names the culprit and so the reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The meter is wrong: flag it.
    #[error("understand the meter: {0}")]
    Peer(#[from] PeerFault),
    /// We asked badly: a bug, or the operator's settings.
    #[error("ask the meter: {0}")]
    Request(#[from] RequestFault),
    /// A secret or a counter is wrong: alarm, never retry as it is.
    #[error("secure the dialogue: {0}")]
    Security(#[from] SecurityFault),
}

/// What a meter did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerFault {
    /// Bytes that are no APDU.
    #[error("an answer of {length} bytes is none: {why}")]
    Malformed {
        /// How long it was.
        length: usize,
        /// What the decoder found.
        why: DecodeError,
    },
    /// An APDU that does not belong here.
    #[error("an answer of another kind than the question: {0}")]
    Unexpected(&'static str),
    /// A block out of order.
    #[error("block {got} came where {expected} belongs")]
    Block {
        /// The number that belongs here.
        expected: u32,
        /// The number that came.
        got: u32,
    },
    /// A long answer without end.
    #[error("a long answer exceeds {limit} bytes")]
    TooLong {
        /// Bytes the client holds at most.
        limit: usize,
    },
    /// An answer to a list that is not as long as the list.
    #[error("{got} results came for {asked} questions")]
    Count {
        /// Length of the list.
        asked: usize,
        /// Results.
        got: usize,
    },
}

/// What was asked badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// Not now.
    #[error("no association is open")]
    NotAssociated,
    /// Twice.
    #[error("an association is open already")]
    AlreadyAssociated,
    /// GMAC or protection without keys.
    #[error("protection is configured without keys")]
    NoKeys,
    /// A list of nothing, or of more than 255.
    #[error("a list of {0} entries cannot be asked")]
    ListLength(usize),
    /// The request does not fit the meter's PDU and its kind knows no blocks.
    #[error("a request of {length} bytes does not fit the meter's PDU of {max_pdu}")]
    TooLong {
        /// Bytes of the request.
        length: usize,
        /// What the meter takes.
        max_pdu: u16,
    },
    /// The meter does not know what was asked of the association.
    #[error("the meter refused the association: {result:?}, {diagnostic:?}")]
    Refused {
        /// For now, or for good.
        result: AssociationResult,
        /// Why.
        diagnostic: Diagnostic,
    },
    /// The meter refused what was proposed for the association.
    #[error("the meter refused the initiate: error {0} (1 version, 2 conformance, 3 PDU size)")]
    Initiate(u8),
    /// The meter answered the AARQ or RLRQ with an exception.
    #[error("the meter answered with an exception: {:?}, {:?}", .0.state, .0.service)]
    Exception(ExceptionResponse),
}

/// What failed between two ends that have to trust each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecurityFault {
    /// The meter refused the password.
    #[error("the meter refused the password")]
    WrongPassword,
    /// The meter could not open what we sent, or refused our answer to its challenge: it holds another key.
    #[error("the meter refused our proof or could not decipher our request: its key differs from ours")]
    WrongKey,
    /// The meter has seen our counter before.
    #[error("the meter refused invocation counter {sent} as used already{}", expected.map_or_else(String::new, |next| format!("; it expects {next} or more")))]
    ReplayedCounter {
        /// What we sent.
        sent: u32,
        /// What it would take, where it says so.
        expected: Option<u32>,
    },
    /// The meter refused a protected association without saying why: another key or a used counter. Reading its
    /// invocation counter as the public client tells which, see [`Self::explained_by`].
    #[error(
        "the meter refused the protected association without a reason: the key differs or invocation counter {sent} was used already"
    )]
    ProtectedAssociationRefused {
        /// The counter we sent.
        sent: u32,
    },
    /// The meter's answer to our challenge is wrong: it does not hold the key.
    #[error("the meter's answer to the challenge is wrong: it does not hold our key")]
    PeerNotAuthentic,
    /// An answer came back weaker protected than the association demands, or not at all.
    #[error("an answer came weaker protected than agreed")]
    Downgraded,
    /// An answer could not be opened: forged, or another key.
    #[error("open a protected answer: {0}")]
    Unprotect(SecurityError),
    /// The reserved invocation counters are used up.
    #[error("invocation counters are used up at {ceiling}: reserve more, or transfer a new key")]
    CounterExhausted {
        /// First counter not reserved.
        ceiling: u32,
    },
}

impl SecurityFault {
    /// Resolves a refusal without a reason by the last counter that the meter says it accepted
    /// (attribute 2 of 0-0:43.1.x, readable by the public client).
    #[must_use]
    pub fn explained_by(self, accepted: u32) -> Self {
        match self {
            Self::ProtectedAssociationRefused { sent } if sent <= accepted => {
                Self::ReplayedCounter { sent, expected: accepted.checked_add(1) }
            }
            Self::ProtectedAssociationRefused { .. } => Self::WrongKey,
            other => other,
        }
    }
}
