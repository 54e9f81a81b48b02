//! Application protocol data units: what client and server say to each other.
//!
//! Standard: IEC 62056-5-3.

use crate::data::Data;
use crate::obis::Obis;

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

/// A get service request.
#[derive(Clone, Debug, PartialEq)]
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

/// `data-access-result` other than success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("data access refused: {self:?}")]
pub enum DataAccessError {
    /// 1.
    HardwareFault,
    /// 2.
    TemporaryFailure,
    /// 3.
    ReadWriteDenied,
    /// 4.
    ObjectUndefined,
    /// 9.
    ObjectClassInconsistent,
    /// 11.
    ObjectUnavailable,
    /// 12.
    TypeUnmatched,
    /// 13.
    ScopeOfAccessViolated,
    /// 14.
    DataBlockUnavailable,
    /// 15.
    LongGetAborted,
    /// 16.
    NoLongGetInProgress,
    /// 17.
    LongSetAborted,
    /// 18.
    NoLongSetInProgress,
    /// 19.
    DataBlockNumberInvalid,
    /// 250.
    OtherReason,
    /// A number outside the standard's list.
    Unknown(u8),
}

/// `action-result` other than success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("action refused: {self:?}")]
pub enum ActionError {
    /// 1.
    HardwareFault,
    /// 2.
    TemporaryFailure,
    /// 3.
    ReadWriteDenied,
    /// 4.
    ObjectUndefined,
    /// 9.
    ObjectClassInconsistent,
    /// 11.
    ObjectUnavailable,
    /// 12.
    TypeUnmatched,
    /// 13.
    ScopeOfAccessViolated,
    /// 14.
    DataBlockUnavailable,
    /// 15.
    LongActionAborted,
    /// 16.
    NoLongActionInProgress,
    /// 250.
    OtherReason,
    /// A number outside the standard's list.
    Unknown(u8),
}
