//! The get service.

use super::codec::{put_list, put_result, put_selected, read_invoke, read_list, read_result, read_selected};
use super::{DataAccessError, GetRequest, GetResponse, InvokeId};
use crate::wire::{DecodeError, Reader, Why, put_octets};

impl GetRequest {
    /// Which question this is.
    pub const fn invoke(&self) -> InvokeId {
        match self {
            Self::Normal { invoke, .. } | Self::Next { invoke, .. } | Self::WithList { invoke, .. } => {
                *invoke
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let choice = reader.u8()?;
        let wrong = reader.fail_back(Why::UnknownChoice(choice));
        let invoke = read_invoke(reader)?;
        match choice {
            1 => {
                let (attribute, selection) = read_selected(reader)?;
                Ok(Self::Normal { invoke, attribute, selection })
            }
            2 => Ok(Self::Next { invoke, block: reader.u32()? }),
            3 => Ok(Self::WithList { invoke, attributes: read_list(reader, read_selected)? }),
            _ => Err(wrong),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(0xC0);
        match self {
            Self::Normal { invoke, attribute, selection } => {
                out.extend_from_slice(&[1, invoke.0]);
                put_selected(out, *attribute, selection.as_ref());
            }
            Self::Next { invoke, block } => {
                out.extend_from_slice(&[2, invoke.0]);
                out.extend_from_slice(&block.to_be_bytes());
            }
            Self::WithList { invoke, attributes } => {
                out.extend_from_slice(&[3, invoke.0]);
                put_list(out, attributes, |out, (attribute, selection)| {
                    put_selected(out, *attribute, selection.as_ref());
                });
            }
        }
    }
}

impl GetResponse {
    /// Which question is answered.
    pub const fn invoke(&self) -> InvokeId {
        match self {
            Self::Normal { invoke, .. } | Self::Block { invoke, .. } | Self::WithList { invoke, .. } => {
                *invoke
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let choice = reader.u8()?;
        let wrong = reader.fail_back(Why::UnknownChoice(choice));
        let invoke = read_invoke(reader)?;
        match choice {
            1 => Ok(Self::Normal { invoke, result: read_result(reader)? }),
            2 => {
                let (last, block) = (reader.flag()?, reader.u32()?);
                let result = match reader.u8()? {
                    0 => Ok(reader.octets()?.to_vec()),
                    1 => {
                        let error = DataAccessError::from_code(reader.u8()?);
                        Err(error.ok_or(reader.fail_back(Why::Unexpected("success where data should be")))?)
                    }
                    other => return Err(reader.fail_back(Why::UnknownChoice(other))),
                };
                Ok(Self::Block { invoke, last, block, result })
            }
            3 => Ok(Self::WithList { invoke, results: read_list(reader, read_result)? }),
            _ => Err(wrong),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(0xC4);
        match self {
            Self::Normal { invoke, result } => {
                out.extend_from_slice(&[1, invoke.0]);
                put_result(out, result);
            }
            Self::Block { invoke, last, block, result } => {
                out.extend_from_slice(&[2, invoke.0]);
                out.push(u8::from(*last));
                out.extend_from_slice(&block.to_be_bytes());
                match result {
                    Ok(bytes) => {
                        out.push(0);
                        put_octets(out, bytes);
                    }
                    Err(error) => out.extend_from_slice(&[1, error.code()]),
                }
            }
            Self::WithList { invoke, results } => {
                out.extend_from_slice(&[3, invoke.0]);
                put_list(out, results, put_result);
            }
        }
    }
}
