//! What the head-end tells its driver, and why it refuses or fails.

use crate::profile::ProfileError;
use dlms::apdu::{ActionError, DataAccessError, ExceptionResponse};
use dlms::client::ClientError;
use dlms::gateway::GatewayError;
use dlms::security::SecurityError;
use dlms::wrapper::WrapperError;
use jiff::{SignedDuration, Timestamp};
use model::command::CommandState;
use model::event::MeterEvent;
use model::id::{CollectorId, CommandId, MeterId};
use model::reading::{MeterCheck, ReadBatch, RegisterRead};

/// A connection that the head-end opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkId {
    /// To a collector; it carries the traffic of many meters.
    Collector(CollectorId),
    /// To a meter on its own address.
    Meter(MeterId),
}

/// A connection that somebody opened to our push listener; the driver numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PushConn(pub u64);

/// What the driver should do with connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkAction {
    /// Open one; report with `handle_connected` or `handle_closed`.
    Open {
        /// Its name from now on.
        link: LinkId,
        /// Where to.
        endpoint: String,
    },
    /// Close one; bytes given before are to be sent first. No report is needed.
    Close {
        /// Which.
        link: LinkId,
    },
    /// Close a connection of the push listener.
    ClosePush {
        /// Which.
        conn: PushConn,
    },
}

/// Something the driver must store, show or act on.
#[derive(Clone, Debug, PartialEq)]
pub enum HeadEndEvent {
    /// Intervals were read.
    Batch(ReadBatch),
    /// Registers were read.
    Registers(Vec<RegisterRead>),
    /// Something happened at a meter.
    Event(MeterEvent),
    /// What a meter told of itself, or its clock as it was found; it comes before what is read after it.
    Check(MeterCheck),
    /// A command went on.
    Command(CommandProgress),
    /// Persist that counters below `ceiling` may be used, then call `counter_reserved`. The meter waits.
    ReserveCounter {
        /// Whose.
        meter: MeterId,
        /// The first counter that may not be used.
        ceiling: u32,
    },
    /// Persist the highest counter accepted from a meter.
    PeerCounter {
        /// Whose.
        meter: MeterId,
        /// Which of its two sequences.
        kind: CounterKind,
        /// The highest one accepted.
        counter: u32,
    },
    /// Something was refused: a wrong key, a replayed push, bytes that are no message.
    Refused {
        /// From whom.
        from: Source,
        /// Why.
        why: Failure,
    },
    /// A scheduled read was given up.
    Missed {
        /// Whose.
        meter: MeterId,
        /// The last failure; `None` when its turn never came.
        why: Option<Failure>,
    },
    /// A meter was heard.
    Health(Health),
    /// A connection opened or closed.
    Link {
        /// Which.
        link: LinkId,
        /// Whether it is open now.
        up: bool,
    },
}

/// Which sequence of a meter's invocation counters.
///
/// **Interpretation:** a meter counts answers and pushes together, but a field network may deliver a
/// push late. Each sequence must rise strictly by itself; a message of one cannot pass for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CounterKind {
    /// Answers inside an association.
    Answer,
    /// What the meter sends unasked.
    Push,
}

/// How a meter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Which.
    pub meter: MeterId,
    /// When it was last heard.
    pub last_heard: Timestamp,
    /// How long its last answer took; `None` for a push.
    pub round_trip: Option<SignedDuration>,
    /// How far its clock is ahead of ours (negative: behind), if it was read.
    pub clock_offset: Option<SignedDuration>,
}

/// Where a command stands and what it brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandProgress {
    /// Which.
    pub id: CommandId,
    /// At which meter.
    pub meter: MeterId,
    /// Where it stands.
    pub state: CommandState,
    /// In words for the person who asked.
    pub detail: String,
    /// What was read, for a table.
    pub values: Vec<NamedValue>,
}

/// A value as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedValue {
    /// What it is.
    pub name: String,
    /// The value with its unit.
    pub text: String,
}

/// Where bytes came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A meter we know.
    Meter(MeterId),
    /// A connection of ours.
    Link(LinkId),
    /// A connection to our push listener.
    Push(PushConn),
}

/// Who is to blame for a failure, and so what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Culprit {
    /// The way to the meter: try again later.
    Link,
    /// The meter: flag it.
    Peer,
    /// We asked for something that cannot be: a setting, or a bug.
    Request,
    /// A key, a secret or a counter: alarm, never try again as it is.
    Security,
    /// Ourselves.
    Internal,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// No connection.
    #[error("connect")]
    NoConnection,
    /// The connection broke.
    #[error("keep the connection: the other end closed it")]
    LinkLost,
    /// No answer.
    #[error("hear from the meter: no answer within {0} s")]
    NoAnswer(i64),
    /// The collector has no route to the meter, or got no answer from it.
    #[error("reach the meter: its collector got no answer from it")]
    Unreachable,
    /// The meter forgot the association, for it restarted or somebody else took over.
    #[error("keep the association: the meter has forgotten it")]
    AssociationLost,
    /// The dialogue failed.
    #[error(transparent)]
    Dialogue(#[from] ClientError),
    /// The meter refused an attribute.
    #[error("read {what}: {why:?}")]
    Access {
        /// Which.
        what: String,
        /// Why.
        why: DataAccessError,
    },
    /// The meter refused a method.
    #[error("call {what}: {why:?}")]
    Method {
        /// Which.
        what: String,
        /// Why.
        why: ActionError,
    },
    /// The meter would not take a request at all.
    #[error("have {what} served: the meter answers {:?}, {:?}", why.state, why.service)]
    Exception {
        /// What was asked.
        what: String,
        /// Why not.
        why: ExceptionResponse,
    },
    /// The meter breaks its own description.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A value of a type that does not belong there.
    #[error("understand {0}: the value is of another type")]
    Type(String),
    /// The clock did not take the time it was set to.
    #[error("set the clock: afterwards it is still off by {0} s")]
    ClockNotTaken(i64),
    /// The model has no such thing.
    #[error("read {0}: the meter's model has none")]
    NotInModel(&'static str),
    /// A command for a meter that is not registered.
    #[error("find the meter: it is not registered")]
    UnknownMeter,
    /// The stream is no wrapper protocol.
    #[error(transparent)]
    Wrapper(#[from] WrapperError),
    /// A gateway header is broken.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// All invocation counters under the meter's key are used up.
    #[error("reserve invocation counters: all are used up; transfer a new key")]
    CountersUsedUp,
    /// A push whose counter is not above the last.
    #[error("accept a push: invocation counter {got} is not above {last}")]
    ReplayedPush {
        /// The highest accepted.
        last: u32,
        /// What came.
        got: u32,
    },
    /// A push that does not open under the meter's key.
    #[error("accept a push: {0}")]
    Push(SecurityError),
    /// A push from nobody we know.
    #[error("accept a push: no meter has its system title or address")]
    UnknownSender,
    /// A push with less protection than agreed.
    #[error("accept a push: it came with less protection than agreed")]
    Unprotected,
    /// A push that nobody understands.
    #[error("understand a push: {0}")]
    Malformed(&'static str),
}

impl Failure {
    /// Who is to blame.
    pub const fn culprit(&self) -> Culprit {
        match self {
            Self::NoConnection
            | Self::LinkLost
            | Self::NoAnswer(_)
            | Self::Unreachable
            | Self::AssociationLost => Culprit::Link,
            Self::Dialogue(ClientError::Peer(_))
            | Self::Profile(_)
            | Self::Type(_)
            | Self::ClockNotTaken(_)
            | Self::Wrapper(_)
            | Self::Gateway(_)
            | Self::Malformed(_) => Culprit::Peer,
            Self::Dialogue(ClientError::Request(_))
            | Self::Access { .. }
            | Self::Method { .. }
            | Self::Exception { .. }
            | Self::NotInModel(_)
            | Self::UnknownMeter => Culprit::Request,
            Self::Dialogue(ClientError::Security(_))
            | Self::CountersUsedUp
            | Self::ReplayedPush { .. }
            | Self::Push(_)
            | Self::UnknownSender
            | Self::Unprotected => Culprit::Security,
        }
    }
}
