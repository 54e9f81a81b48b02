//! The A-XDR codec of [`Data`].

use super::{BitString, Data};
use crate::wire::{DecodeError, MAX_DEPTH, MAX_ELEMENTS, Reader, Why, put_length, put_octets};

impl Data {
    /// Reads one value and returns it with the bytes after it.
    ///
    /// Nesting is bounded by [`MAX_DEPTH`], elements by [`MAX_ELEMENTS`] and every count by the bytes
    /// that are left, so a short message cannot ask for much memory.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let mut reader = Reader::new(bytes);
        let value = Self::read(&mut reader)?;
        Ok((value, reader.rest()))
    }

    /// Reads one value that must fill `bytes`.
    ///
    /// # Errors
    /// [`DecodeError`], among them [`Why::Trailing`].
    pub fn decode_all(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let value = Self::read(&mut reader)?;
        reader.end()?;
        Ok(value)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut elements = MAX_ELEMENTS;
        read_value(reader, 0, &mut elements)
    }

    /// Appends the value as it goes over the wire.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.tag());
        match self {
            Self::Null | Self::DontCare => {}
            Self::Array(items) | Self::Structure(items) => {
                put_length(out, items.len());
                for item in items {
                    item.encode(out);
                }
            }
            Self::Boolean(value) => out.push(u8::from(*value)),
            Self::BitString(bits) => {
                put_length(out, bits.bits);
                out.extend_from_slice(&bits.bytes);
            }
            Self::DoubleLong(value) => out.extend_from_slice(&value.to_be_bytes()),
            Self::DoubleLongUnsigned(value) => out.extend_from_slice(&value.to_be_bytes()),
            Self::OctetString(octets) | Self::VisibleString(octets) => put_octets(out, octets),
            Self::Utf8String(text) => put_octets(out, text.as_bytes()),
            Self::Bcd(value) | Self::Integer(value) => out.extend_from_slice(&value.to_be_bytes()),
            Self::Long(value) => out.extend_from_slice(&value.to_be_bytes()),
            Self::Unsigned(value) | Self::Enum(value) => out.push(*value),
            Self::LongUnsigned(value) => out.extend_from_slice(&value.to_be_bytes()),
            Self::CompactArray(raw) => out.extend_from_slice(raw),
            Self::Long64(value) => out.extend_from_slice(&value.to_be_bytes()),
            Self::Long64Unsigned(value) => out.extend_from_slice(&value.to_be_bytes()),
            Self::Float32(value) => out.extend_from_slice(&value.to_be_bytes()),
            Self::Float64(value) => out.extend_from_slice(&value.to_be_bytes()),
            Self::DateTime(raw) => out.extend_from_slice(raw),
            Self::Date(raw) => out.extend_from_slice(raw),
            Self::Time(raw) => out.extend_from_slice(raw),
        }
    }

    /// The value as it goes over the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }

    /// The type's A-XDR tag.
    pub const fn tag(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Array(_) => 1,
            Self::Structure(_) => 2,
            Self::Boolean(_) => 3,
            Self::BitString(_) => 4,
            Self::DoubleLong(_) => 5,
            Self::DoubleLongUnsigned(_) => 6,
            Self::OctetString(_) => 9,
            Self::VisibleString(_) => 10,
            Self::Utf8String(_) => 12,
            Self::Bcd(_) => 13,
            Self::Integer(_) => 15,
            Self::Long(_) => 16,
            Self::Unsigned(_) => 17,
            Self::LongUnsigned(_) => 18,
            Self::CompactArray(_) => 19,
            Self::Long64(_) => 20,
            Self::Long64Unsigned(_) => 21,
            Self::Enum(_) => 22,
            Self::Float32(_) => 23,
            Self::Float64(_) => 24,
            Self::DateTime(_) => 25,
            Self::Date(_) => 26,
            Self::Time(_) => 27,
            Self::DontCare => 255,
        }
    }
}

fn read_value(reader: &mut Reader<'_>, depth: usize, elements: &mut usize) -> Result<Data, DecodeError> {
    let tag = reader.u8()?;
    match tag {
        1 => read_items(reader, depth, elements).map(Data::Array),
        2 => read_items(reader, depth, elements).map(Data::Structure),
        19 => {
            let start = reader.rest();
            let at = reader.at();
            skip_type(reader, depth)?;
            reader.octets()?;
            let used = reader.at() - at;
            Ok(Data::CompactArray(start.get(..used).unwrap_or_default().to_vec()))
        }
        _ => read_simple(reader, tag),
    }
}

/// A value of any type but array, structure and compact-array, its tag read already.
pub(super) fn read_simple(reader: &mut Reader<'_>, tag: u8) -> Result<Data, DecodeError> {
    Ok(match tag {
        0 => Data::Null,
        3 => Data::Boolean(reader.flag()?),
        4 => {
            let at = reader.at();
            let bits = reader.count()?;
            let (length, left) = (bits.div_ceil(8), reader.left());
            if length > left {
                return Err(DecodeError { at, why: Why::TooLong { length, left } });
            }
            Data::BitString(BitString { bytes: reader.take(length)?.to_vec(), bits })
        }
        5 => Data::DoubleLong(i32::from_be_bytes(reader.array()?)),
        6 => Data::DoubleLongUnsigned(reader.u32()?),
        9 => Data::OctetString(reader.octets()?.to_vec()),
        10 => Data::VisibleString(reader.octets()?.to_vec()),
        12 => {
            let at = reader.at();
            let text = core::str::from_utf8(reader.octets()?);
            Data::Utf8String(text.map_err(|_| DecodeError { at, why: Why::NotUtf8 })?.to_owned())
        }
        13 => Data::Bcd(i8::from_be_bytes(reader.array()?)),
        15 => Data::Integer(i8::from_be_bytes(reader.array()?)),
        16 => Data::Long(i16::from_be_bytes(reader.array()?)),
        17 => Data::Unsigned(reader.u8()?),
        18 => Data::LongUnsigned(reader.u16()?),
        20 => Data::Long64(i64::from_be_bytes(reader.array()?)),
        21 => Data::Long64Unsigned(u64::from_be_bytes(reader.array()?)),
        22 => Data::Enum(reader.u8()?),
        23 => Data::Float32(f32::from_be_bytes(reader.array()?)),
        24 => Data::Float64(f64::from_be_bytes(reader.array()?)),
        25 => Data::DateTime(reader.array()?),
        26 => Data::Date(reader.array()?),
        27 => Data::Time(reader.array()?),
        255 => Data::DontCare,
        _ => return Err(reader.fail_back(Why::UnknownType(tag))),
    })
}

fn read_items(reader: &mut Reader<'_>, depth: usize, elements: &mut usize) -> Result<Vec<Data>, DecodeError> {
    if depth >= MAX_DEPTH {
        return Err(reader.fail_back(Why::TooDeep));
    }
    // Every element takes one byte at least, so a count beyond the rest is a lie.
    let at = reader.at();
    let count = reader.length()?;
    *elements = elements.checked_sub(count).ok_or(DecodeError { at, why: Why::TooMany })?;
    let mut items = Vec::with_capacity(count.min(1024));
    for _ in 0..count {
        items.push(read_value(reader, depth + 1, elements)?);
    }
    Ok(items)
}

/// Steps over the type description of a compact array.
fn skip_type(reader: &mut Reader<'_>, depth: usize) -> Result<(), DecodeError> {
    if depth >= MAX_DEPTH {
        return Err(reader.fail(Why::TooDeep));
    }
    match reader.u8()? {
        1 => {
            reader.u16()?;
            skip_type(reader, depth + 1)
        }
        2 => {
            for _ in 0..reader.length()? {
                skip_type(reader, depth + 1)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
