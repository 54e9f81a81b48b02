//! Ways to say no.

use crate::wire::{DecodeError, Reader};

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

impl DataAccessError {
    /// The number on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::HardwareFault => 1,
            Self::TemporaryFailure => 2,
            Self::ReadWriteDenied => 3,
            Self::ObjectUndefined => 4,
            Self::ObjectClassInconsistent => 9,
            Self::ObjectUnavailable => 11,
            Self::TypeUnmatched => 12,
            Self::ScopeOfAccessViolated => 13,
            Self::DataBlockUnavailable => 14,
            Self::LongGetAborted => 15,
            Self::NoLongGetInProgress => 16,
            Self::LongSetAborted => 17,
            Self::NoLongSetInProgress => 18,
            Self::DataBlockNumberInvalid => 19,
            Self::OtherReason => 250,
            Self::Unknown(code) => code,
        }
    }

    /// The error with this number; 0 is success and no error.
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => return None,
            1 => Self::HardwareFault,
            2 => Self::TemporaryFailure,
            3 => Self::ReadWriteDenied,
            4 => Self::ObjectUndefined,
            9 => Self::ObjectClassInconsistent,
            11 => Self::ObjectUnavailable,
            12 => Self::TypeUnmatched,
            13 => Self::ScopeOfAccessViolated,
            14 => Self::DataBlockUnavailable,
            15 => Self::LongGetAborted,
            16 => Self::NoLongGetInProgress,
            17 => Self::LongSetAborted,
            18 => Self::NoLongSetInProgress,
            19 => Self::DataBlockNumberInvalid,
            250 => Self::OtherReason,
            _ => Self::Unknown(code),
        })
    }
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

impl ActionError {
    /// The number on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::HardwareFault => 1,
            Self::TemporaryFailure => 2,
            Self::ReadWriteDenied => 3,
            Self::ObjectUndefined => 4,
            Self::ObjectClassInconsistent => 9,
            Self::ObjectUnavailable => 11,
            Self::TypeUnmatched => 12,
            Self::ScopeOfAccessViolated => 13,
            Self::DataBlockUnavailable => 14,
            Self::LongActionAborted => 15,
            Self::NoLongActionInProgress => 16,
            Self::OtherReason => 250,
            Self::Unknown(code) => code,
        }
    }

    /// The error with this number; 0 is success and no error.
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => return None,
            1 => Self::HardwareFault,
            2 => Self::TemporaryFailure,
            3 => Self::ReadWriteDenied,
            4 => Self::ObjectUndefined,
            9 => Self::ObjectClassInconsistent,
            11 => Self::ObjectUnavailable,
            12 => Self::TypeUnmatched,
            13 => Self::ScopeOfAccessViolated,
            14 => Self::DataBlockUnavailable,
            15 => Self::LongActionAborted,
            16 => Self::NoLongActionInProgress,
            250 => Self::OtherReason,
            _ => Self::Unknown(code),
        })
    }
}

/// The server takes no part of an APDU.
///
/// Standard: IEC 62056-5-3, exception-response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExceptionResponse {
    /// What is wrong with the state.
    pub state: StateError,
    /// What is wrong with the service.
    pub service: ServiceError,
}

/// `state-error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateError {
    /// 1: there is no association that allows it.
    ServiceNotAllowed,
    /// 2.
    ServiceUnknown,
    /// A number outside the standard's list.
    Other(u8),
}

/// `service-error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceError {
    /// 1.
    OperationNotPossible,
    /// 2.
    ServiceNotSupported,
    /// 3.
    OtherReason,
    /// 4.
    PduTooLong,
    /// 5.
    DecipheringError,
    /// 6: with the counter that the server expects at least.
    InvocationCounterError(u32),
    /// A number outside the standard's list.
    Other(u8),
}

impl ExceptionResponse {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let state = match reader.u8()? {
            1 => StateError::ServiceNotAllowed,
            2 => StateError::ServiceUnknown,
            other => StateError::Other(other),
        };
        let service = match reader.u8()? {
            1 => ServiceError::OperationNotPossible,
            2 => ServiceError::ServiceNotSupported,
            3 => ServiceError::OtherReason,
            4 => ServiceError::PduTooLong,
            5 => ServiceError::DecipheringError,
            6 => ServiceError::InvocationCounterError(reader.u32()?),
            other => ServiceError::Other(other),
        };
        Ok(Self { state, service })
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        out.push(match self.state {
            StateError::ServiceNotAllowed => 1,
            StateError::ServiceUnknown => 2,
            StateError::Other(other) => other,
        });
        out.push(match self.service {
            ServiceError::OperationNotPossible => 1,
            ServiceError::ServiceNotSupported => 2,
            ServiceError::OtherReason => 3,
            ServiceError::PduTooLong => 4,
            ServiceError::DecipheringError => 5,
            ServiceError::InvocationCounterError(_) => 6,
            ServiceError::Other(other) => other,
        });
        if let ServiceError::InvocationCounterError(counter) = self.service {
            out.extend_from_slice(&counter.to_be_bytes());
        }
    }
}

/// A service was refused; in practice an initiate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfirmedServiceError {
    /// Which service: 1 initiate, 5 read, 6 write.
    pub service: u8,
    /// Kind of error: 6 is initiate.
    pub kind: u8,
    /// Its number; for initiate 1 is a DLMS version too low, 2 incompatible conformance, 3 an APDU size
    /// too short, 4 refused by the VDE handler.
    pub value: u8,
}

impl ConfirmedServiceError {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { service: reader.u8()?, kind: reader.u8()?, value: reader.u8()? })
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.service, self.kind, self.value]);
    }
}
