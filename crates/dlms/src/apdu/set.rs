//! The set service.

use super::codec::{
    put_block, put_code, put_list, put_selected, read_block, read_code, read_invoke, read_list, read_selected,
};
use super::{InvokeId, SetRequest, SetResponse};
use crate::data::Data;
use crate::wire::{DecodeError, Reader, Why};

impl SetRequest {
    /// Which question this is.
    pub const fn invoke(&self) -> InvokeId {
        match self {
            Self::Normal { invoke, .. }
            | Self::FirstBlock { invoke, .. }
            | Self::Block { invoke, .. }
            | Self::WithList { invoke, .. }
            | Self::FirstBlockWithList { invoke, .. } => *invoke,
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let choice = reader.u8()?;
        let wrong = reader.fail_back(Why::UnknownChoice(choice));
        let invoke = read_invoke(reader)?;
        match choice {
            1 => {
                let (attribute, selection) = read_selected(reader)?;
                Ok(Self::Normal { invoke, attribute, selection, value: Data::read(reader)? })
            }
            2 => {
                let (attribute, selection) = read_selected(reader)?;
                let (last, block, bytes) = read_block(reader)?;
                Ok(Self::FirstBlock { invoke, attribute, selection, last, block, bytes })
            }
            3 => {
                let (last, block, bytes) = read_block(reader)?;
                Ok(Self::Block { invoke, last, block, bytes })
            }
            4 => {
                let attributes = read_list(reader, read_selected)?;
                Ok(Self::WithList { invoke, attributes, values: read_list(reader, Data::read)? })
            }
            5 => {
                let attributes = read_list(reader, read_selected)?;
                let (last, block, bytes) = read_block(reader)?;
                Ok(Self::FirstBlockWithList { invoke, attributes, last, block, bytes })
            }
            _ => Err(wrong),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(0xC1);
        match self {
            Self::Normal { invoke, attribute, selection, value } => {
                out.extend_from_slice(&[1, invoke.0]);
                put_selected(out, *attribute, selection.as_ref());
                value.encode(out);
            }
            Self::FirstBlock { invoke, attribute, selection, last, block, bytes } => {
                out.extend_from_slice(&[2, invoke.0]);
                put_selected(out, *attribute, selection.as_ref());
                put_block(out, *last, *block, bytes);
            }
            Self::Block { invoke, last, block, bytes } => {
                out.extend_from_slice(&[3, invoke.0]);
                put_block(out, *last, *block, bytes);
            }
            Self::WithList { invoke, attributes, values } => {
                out.extend_from_slice(&[4, invoke.0]);
                put_list(out, attributes, |out, (attribute, selection)| {
                    put_selected(out, *attribute, selection.as_ref());
                });
                put_list(out, values, |out, value| value.encode(out));
            }
            Self::FirstBlockWithList { invoke, attributes, last, block, bytes } => {
                out.extend_from_slice(&[5, invoke.0]);
                put_list(out, attributes, |out, (attribute, selection)| {
                    put_selected(out, *attribute, selection.as_ref());
                });
                put_block(out, *last, *block, bytes);
            }
        }
    }
}

impl SetResponse {
    /// Which question is answered.
    pub const fn invoke(&self) -> InvokeId {
        match self {
            Self::Normal { invoke, .. }
            | Self::Block { invoke, .. }
            | Self::LastBlock { invoke, .. }
            | Self::LastBlockWithList { invoke, .. }
            | Self::WithList { invoke, .. } => *invoke,
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let choice = reader.u8()?;
        let wrong = reader.fail_back(Why::UnknownChoice(choice));
        let invoke = read_invoke(reader)?;
        match choice {
            1 => Ok(Self::Normal { invoke, result: read_code(reader)? }),
            2 => Ok(Self::Block { invoke, block: reader.u32()? }),
            3 => Ok(Self::LastBlock { invoke, result: read_code(reader)?, block: reader.u32()? }),
            4 => {
                let results = read_list(reader, read_code)?;
                Ok(Self::LastBlockWithList { invoke, results, block: reader.u32()? })
            }
            5 => Ok(Self::WithList { invoke, results: read_list(reader, read_code)? }),
            _ => Err(wrong),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(0xC5);
        match self {
            Self::Normal { invoke, result } => {
                out.extend_from_slice(&[1, invoke.0]);
                put_code(out, *result);
            }
            Self::Block { invoke, block } => {
                out.extend_from_slice(&[2, invoke.0]);
                out.extend_from_slice(&block.to_be_bytes());
            }
            Self::LastBlock { invoke, result, block } => {
                out.extend_from_slice(&[3, invoke.0]);
                put_code(out, *result);
                out.extend_from_slice(&block.to_be_bytes());
            }
            Self::LastBlockWithList { invoke, results, block } => {
                out.extend_from_slice(&[4, invoke.0]);
                put_list(out, results, |out, result| put_code(out, *result));
                out.extend_from_slice(&block.to_be_bytes());
            }
            Self::WithList { invoke, results } => {
                out.extend_from_slice(&[5, invoke.0]);
                put_list(out, results, |out, result| put_code(out, *result));
            }
        }
    }
}
