//! Compact arrays: one type description for many elements.

use super::Data;
use super::codec::read_simple;
use crate::wire::{DecodeError, MAX_DEPTH, MAX_ELEMENTS, Reader, Why};

/// A type description.
enum Shape {
    Simple(u8),
    Array(u16, Box<Self>),
    Structure(Vec<Self>),
}

impl Data {
    /// The elements of a compact array as an ordinary array; any other value as it is.
    ///
    /// Standard: IEC 62056-6-2, common data types, compact-array.
    ///
    /// # Errors
    /// [`DecodeError`] with offsets from the type description on, if contents and description disagree.
    pub fn expand(self) -> Result<Self, DecodeError> {
        match self {
            Self::CompactArray(raw) => expand(&raw),
            other => Ok(other),
        }
    }
}

fn expand(raw: &[u8]) -> Result<Data, DecodeError> {
    let mut reader = Reader::new(raw);
    let shape = read_shape(&mut reader, 0)?;
    let length = reader.length()?;
    let end = reader.at() + length;
    let mut contents = Reader::at_offset(raw.get(..end).unwrap_or_default(), reader.at());
    let (mut items, mut budget) = (Vec::new(), MAX_ELEMENTS);
    while !contents.is_empty() {
        let before = contents.at();
        items.push(read_shaped(&mut contents, &shape, &mut budget)?);
        if contents.at() == before {
            // Elements without contents have no number.
            return Err(contents.fail(Why::Unexpected("a compact array whose elements take no bytes")));
        }
    }
    Ok(Data::Array(items))
}

fn read_shape(reader: &mut Reader<'_>, depth: usize) -> Result<Shape, DecodeError> {
    if depth >= MAX_DEPTH {
        return Err(reader.fail(Why::TooDeep));
    }
    Ok(match reader.u8()? {
        1 => {
            let count = reader.u16()?;
            Shape::Array(count, Box::new(read_shape(reader, depth + 1)?))
        }
        2 => {
            let count = reader.length()?;
            let members = (0..count).map(|_| read_shape(reader, depth + 1));
            Shape::Structure(members.collect::<Result<_, _>>()?)
        }
        tag => Shape::Simple(tag),
    })
}

fn read_shaped(reader: &mut Reader<'_>, shape: &Shape, budget: &mut usize) -> Result<Data, DecodeError> {
    *budget = budget.checked_sub(1).ok_or(reader.fail(Why::TooMany))?;
    match shape {
        Shape::Simple(tag) => read_simple(reader, *tag),
        Shape::Array(count, element) => {
            let items = (0..*count).map(|_| read_shaped(reader, element, budget));
            items.collect::<Result<_, _>>().map(Data::Array)
        }
        Shape::Structure(members) => {
            let items = members.iter().map(|member| read_shaped(reader, member, budget));
            items.collect::<Result<_, _>>().map(Data::Structure)
        }
    }
}
