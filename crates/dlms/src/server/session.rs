//! What a server remembers of one open association; there is none while nobody is logged in.

use super::config::Rights;
use super::device::Caller;
use crate::acse::{Conformance, Mechanism};
use crate::apdu::{AttributeRef, InvokeId, MethodRef};
use crate::security::{Keys, Protection, Receiver, SystemTitle};
use std::sync::Arc;

/// Whether the client has proved itself.
#[derive(Debug)]
pub(super) enum Stage {
    /// It owes an answer to our challenge, and we one to its.
    Challenged {
        /// Our challenge.
        ours: Vec<u8>,
        /// The client's.
        theirs: Vec<u8>,
    },
    /// It has, or need not.
    Open,
}

/// A long answer on its way out.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) invoke: InvokeId,
    pub(super) bytes: Vec<u8>,
    pub(super) at: usize,
    pub(super) block: u32,
    pub(super) of_action: bool,
}

/// What a long request is for.
#[derive(Debug)]
pub(super) enum Target {
    Set(AttributeRef),
    SetList(Vec<AttributeRef>),
    Action(MethodRef),
    ActionList(Vec<MethodRef>),
}

/// A long request on its way in.
#[derive(Debug)]
pub(super) struct Receiving {
    pub(super) target: Target,
    pub(super) bytes: Vec<u8>,
    pub(super) block: u32,
}

/// One association.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client_sap: u16,
    pub(super) rights: Rights,
    pub(super) mechanism: Mechanism,
    pub(super) least: Protection,
    pub(super) stage: Stage,
    pub(super) ciphered: bool,
    pub(super) peer_title: Option<SystemTitle>,
    /// The keys in force when the association opened; a key transfer does not cut the branch it sits on.
    pub(super) keys: Arc<Keys>,
    /// The highest counter under the dedicated key, which nobody else knows.
    pub(super) dedicated: Receiver,
    pub(super) conformance: Conformance,
    /// The longest APDU the client takes, in bytes.
    pub(super) max_reply: usize,
    pub(super) sending: Option<Sending>,
    pub(super) receiving: Option<Receiving>,
}

impl Session {
    pub(super) const fn caller(&self) -> Caller {
        Caller { client_sap: self.client_sap, rights: self.rights }
    }

    pub(super) const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open)
    }
}
