//! The action service.

use super::codec::{
    put_block, put_list, put_method, put_result, read_block, read_invoke, read_list, read_method, read_result,
};
use super::{ActionError, ActionOutcome, ActionRequest, ActionResponse, InvokeId};
use crate::data::Data;
use crate::wire::{DecodeError, Reader, Why};

impl ActionRequest {
    /// Which question this is.
    pub const fn invoke(&self) -> InvokeId {
        match self {
            Self::Normal { invoke, .. }
            | Self::NextBlock { invoke, .. }
            | Self::WithList { invoke, .. }
            | Self::FirstBlock { invoke, .. }
            | Self::Block { invoke, .. }
            | Self::WithListFirstBlock { invoke, .. } => *invoke,
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let choice = reader.u8()?;
        let wrong = reader.fail_back(Why::UnknownChoice(choice));
        let invoke = read_invoke(reader)?;
        match choice {
            1 => {
                let method = read_method(reader)?;
                let parameters = if reader.flag()? { Some(Data::read(reader)?) } else { None };
                Ok(Self::Normal { invoke, method, parameters })
            }
            2 => Ok(Self::NextBlock { invoke, block: reader.u32()? }),
            3 => {
                let methods = read_list(reader, read_method)?;
                Ok(Self::WithList { invoke, methods, parameters: read_list(reader, Data::read)? })
            }
            4 => {
                let method = read_method(reader)?;
                let (last, block, bytes) = read_block(reader)?;
                Ok(Self::FirstBlock { invoke, method, last, block, bytes })
            }
            5 => {
                let methods = read_list(reader, read_method)?;
                let (last, block, bytes) = read_block(reader)?;
                Ok(Self::WithListFirstBlock { invoke, methods, last, block, bytes })
            }
            6 => {
                let (last, block, bytes) = read_block(reader)?;
                Ok(Self::Block { invoke, last, block, bytes })
            }
            _ => Err(wrong),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(0xC3);
        match self {
            Self::Normal { invoke, method, parameters } => {
                out.extend_from_slice(&[1, invoke.0]);
                put_method(out, *method);
                out.push(u8::from(parameters.is_some()));
                if let Some(parameters) = parameters {
                    parameters.encode(out);
                }
            }
            Self::NextBlock { invoke, block } => {
                out.extend_from_slice(&[2, invoke.0]);
                out.extend_from_slice(&block.to_be_bytes());
            }
            Self::WithList { invoke, methods, parameters } => {
                out.extend_from_slice(&[3, invoke.0]);
                put_list(out, methods, |out, method| put_method(out, *method));
                put_list(out, parameters, |out, value| value.encode(out));
            }
            Self::FirstBlock { invoke, method, last, block, bytes } => {
                out.extend_from_slice(&[4, invoke.0]);
                put_method(out, *method);
                put_block(out, *last, *block, bytes);
            }
            Self::WithListFirstBlock { invoke, methods, last, block, bytes } => {
                out.extend_from_slice(&[5, invoke.0]);
                put_list(out, methods, |out, method| put_method(out, *method));
                put_block(out, *last, *block, bytes);
            }
            Self::Block { invoke, last, block, bytes } => {
                out.extend_from_slice(&[6, invoke.0]);
                put_block(out, *last, *block, bytes);
            }
        }
    }
}

impl ActionResponse {
    /// Which question is answered.
    pub const fn invoke(&self) -> InvokeId {
        match self {
            Self::Normal { invoke, .. }
            | Self::Block { invoke, .. }
            | Self::WithList { invoke, .. }
            | Self::NextBlock { invoke, .. } => *invoke,
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let choice = reader.u8()?;
        let wrong = reader.fail_back(Why::UnknownChoice(choice));
        let invoke = read_invoke(reader)?;
        match choice {
            1 => Ok(Self::Normal { invoke, outcome: read_outcome(reader)? }),
            2 => {
                let (last, block, bytes) = read_block(reader)?;
                Ok(Self::Block { invoke, last, block, bytes })
            }
            3 => Ok(Self::WithList { invoke, outcomes: read_list(reader, read_outcome)? }),
            4 => Ok(Self::NextBlock { invoke, block: reader.u32()? }),
            _ => Err(wrong),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(0xC7);
        match self {
            Self::Normal { invoke, outcome } => {
                out.extend_from_slice(&[1, invoke.0]);
                put_outcome(out, outcome);
            }
            Self::Block { invoke, last, block, bytes } => {
                out.extend_from_slice(&[2, invoke.0]);
                put_block(out, *last, *block, bytes);
            }
            Self::WithList { invoke, outcomes } => {
                out.extend_from_slice(&[3, invoke.0]);
                put_list(out, outcomes, put_outcome);
            }
            Self::NextBlock { invoke, block } => {
                out.extend_from_slice(&[4, invoke.0]);
                out.extend_from_slice(&block.to_be_bytes());
            }
        }
    }
}

fn read_outcome(reader: &mut Reader<'_>) -> Result<ActionOutcome, DecodeError> {
    let result = ActionError::from_code(reader.u8()?).map_or(Ok(()), Err);
    let value = if reader.flag()? { Some(read_result(reader)?) } else { None };
    Ok(ActionOutcome { result, value })
}

fn put_outcome(out: &mut Vec<u8>, outcome: &ActionOutcome) {
    out.push(outcome.result.map_or_else(ActionError::code, |()| 0));
    out.push(u8::from(outcome.value.is_some()));
    if let Some(value) = &outcome.value {
        put_result(out, value);
    }
}
