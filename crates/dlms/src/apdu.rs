//! Application protocol data units: what client and server say to each other.
//!
//! Standard: IEC 62056-5-3.

mod action;
mod codec;
mod errors;
mod get;
mod set;
#[cfg(test)]
mod tests;

pub use codec::Apdu;
pub(crate) use codec::read_time;
pub use errors::{
    ActionError, ConfirmedServiceError, DataAccessError, ExceptionResponse, ServiceError, StateError,
};

use crate::data::Data;
use crate::obis::Obis;
use crate::security::{Envelope, SystemTitle};

/// An attribute of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttributeRef {
    /// Interface class.
    pub class: u16,
    /// Logical name.
    pub object: Obis,
    /// Attribute number, from 1.
    pub attribute: i8,
}

/// A method of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MethodRef {
    /// Interface class.
    pub class: u16,
    /// Logical name.
    pub object: Obis,
    /// Method number, from 1.
    pub method: i8,
}

/// Which part of an attribute is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// 1: by range, 2: by entry.
    pub selector: u8,
    /// The selector's parameters.
    pub parameters: Data,
}

/// `invoke-id-and-priority`: id 0 to 15, service class and priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvokeId(pub u8);

impl InvokeId {
    /// Confirmed and of high priority, as clients usually ask; `id` counts modulo 16.
    pub const fn confirmed(id: u8) -> Self {
        Self(0xC0 | id & 0x0F)
    }

    /// The number that pairs answer and question, 0 to 15.
    pub const fn id(self) -> u8 {
        self.0 & 0x0F
    }
}

/// A get service request.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields carry the standard's own names")]
pub enum GetRequest {
    /// One attribute.
    Normal { invoke: InvokeId, attribute: AttributeRef, selection: Option<Selection> },
    /// The next block of a long answer.
    Next { invoke: InvokeId, block: u32 },
    /// Several attributes.
    WithList { invoke: InvokeId, attributes: Vec<(AttributeRef, Option<Selection>)> },
}

/// A get service response.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields carry the standard's own names")]
pub enum GetResponse {
    /// One value.
    Normal { invoke: InvokeId, result: Result<Data, DataAccessError> },
    /// A block of a long answer; `Err` ends it.
    Block { invoke: InvokeId, last: bool, block: u32, result: Result<Vec<u8>, DataAccessError> },
    /// Several values.
    WithList { invoke: InvokeId, results: Vec<Result<Data, DataAccessError>> },
}

/// A set service request.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields carry the standard's own names")]
pub enum SetRequest {
    /// One attribute.
    Normal { invoke: InvokeId, attribute: AttributeRef, selection: Option<Selection>, value: Data },
    /// The first block of a long value.
    FirstBlock {
        invoke: InvokeId,
        attribute: AttributeRef,
        selection: Option<Selection>,
        last: bool,
        block: u32,
        bytes: Vec<u8>,
    },
    /// A further block.
    Block { invoke: InvokeId, last: bool, block: u32, bytes: Vec<u8> },
    /// Several attributes.
    WithList { invoke: InvokeId, attributes: Vec<(AttributeRef, Option<Selection>)>, values: Vec<Data> },
    /// Several attributes, the values in blocks.
    FirstBlockWithList {
        invoke: InvokeId,
        attributes: Vec<(AttributeRef, Option<Selection>)>,
        last: bool,
        block: u32,
        bytes: Vec<u8>,
    },
}

/// A set service response.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields carry the standard's own names")]
pub enum SetResponse {
    /// One result.
    Normal { invoke: InvokeId, result: Result<(), DataAccessError> },
    /// A block was taken.
    Block { invoke: InvokeId, block: u32 },
    /// The last block was taken, and this came of it.
    LastBlock { invoke: InvokeId, result: Result<(), DataAccessError>, block: u32 },
    /// The same for a list.
    LastBlockWithList { invoke: InvokeId, results: Vec<Result<(), DataAccessError>>, block: u32 },
    /// Several results.
    WithList { invoke: InvokeId, results: Vec<Result<(), DataAccessError>> },
}

/// An action service request.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields carry the standard's own names")]
pub enum ActionRequest {
    /// One method.
    Normal { invoke: InvokeId, method: MethodRef, parameters: Option<Data> },
    /// The next block of a long answer.
    NextBlock { invoke: InvokeId, block: u32 },
    /// Several methods.
    WithList { invoke: InvokeId, methods: Vec<MethodRef>, parameters: Vec<Data> },
    /// The first block of long parameters.
    FirstBlock { invoke: InvokeId, method: MethodRef, last: bool, block: u32, bytes: Vec<u8> },
    /// A further block of parameters.
    Block { invoke: InvokeId, last: bool, block: u32, bytes: Vec<u8> },
    /// Several methods with their parameters in blocks.
    WithListFirstBlock { invoke: InvokeId, methods: Vec<MethodRef>, last: bool, block: u32, bytes: Vec<u8> },
}

/// What came of one method.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionOutcome {
    /// `action-result`; 0 is success.
    pub result: Result<(), ActionError>,
    /// What the method returned, if it returns something.
    pub value: Option<Result<Data, DataAccessError>>,
}

/// An action service response.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields carry the standard's own names")]
pub enum ActionResponse {
    /// One outcome.
    Normal { invoke: InvokeId, outcome: ActionOutcome },
    /// A block of a long answer.
    Block { invoke: InvokeId, last: bool, block: u32, bytes: Vec<u8> },
    /// Several outcomes.
    WithList { invoke: InvokeId, outcomes: Vec<ActionOutcome> },
    /// A block of parameters was taken.
    NextBlock { invoke: InvokeId, block: u32 },
}

/// Unasked data.
#[derive(Clone, Debug, PartialEq)]
pub struct DataNotification {
    /// `long-invoke-id-and-priority`.
    pub long_invoke: u32,
    /// When it was made: empty, or a COSEM date-time of 12 bytes.
    pub at: Vec<u8>,
    /// What is told.
    pub body: Data,
}

/// An unasked event.
#[derive(Clone, Debug, PartialEq)]
pub struct EventNotification {
    /// When: none, or a COSEM date-time of 12 bytes.
    pub at: Option<Vec<u8>>,
    /// Whose value it tells.
    pub attribute: AttributeRef,
    /// The value.
    pub value: Data,
}

/// A block of any APDU, perhaps of several on their way at once.
///
/// Standard: IEC 62056-5-3, general block transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneralBlockTransfer {
    /// Whether this is the last block.
    pub last: bool,
    /// Whether the sender goes on without waiting.
    pub streaming: bool,
    /// How many blocks the sender of this one takes at once, 0 to 63.
    pub window: u8,
    /// Number of this block, from 1.
    pub block: u16,
    /// The highest block received without a gap.
    pub acknowledged: u16,
    /// The piece.
    pub bytes: Vec<u8>,
}

/// A protected APDU, not opened; see [`crate::security::unprotect`], which takes the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ciphered {
    /// The first byte.
    pub tag: u8,
    /// Which form.
    pub envelope: Envelope,
    /// The sender, if the form and the message name one.
    pub title: Option<SystemTitle>,
    /// Security control, counter, text and tag.
    pub body: Vec<u8>,
}
