//! APDUs of meters that depart from the standard's encoding.

use crate::apdu::{Apdu, DataNotification};
use crate::data::Data;
use crate::obis::Obis;
use crate::wire::{DecodeError, MAX_DEPTH, MAX_ELEMENTS, Reader, Why};

/// Bytes of an attribute descriptor: class, logical name, attribute.
const DESCRIPTOR: usize = 9;

/// An APDU as the standard has it or, failing that, as a meter is known to write it; then with a note.
///
/// The error is always the standard's.
pub(super) fn decode(bytes: &[u8]) -> Result<(Apdu, Option<&'static str>), DecodeError> {
    let error = match Apdu::decode(bytes) {
        Ok(apdu) => return Ok((apdu, None)),
        Err(error) => error,
    };
    match bare_descriptors(bytes) {
        Ok(apdu) => Ok((apdu, Some("attribute descriptors are written without type tags"))),
        Err(_) => Err(error),
    }
}

/// Pushes of structures whose first member is an attribute descriptor without type tags: class, logical
/// name and attribute as in a get-request. Seen at Sagemcom XT211.
///
/// The descriptor is shown as the structure it would be: long-unsigned, octet-string, integer.
fn bare_descriptors(bytes: &[u8]) -> Result<Apdu, DecodeError> {
    let mut reader = Reader::new(bytes);
    if reader.u8()? != 0x0F {
        return Err(reader.fail_back(Why::UnknownApdu(0)));
    }
    let (long_invoke, at) = (reader.u32()?, crate::apdu::read_time(&mut reader)?.to_vec());
    let mut elements = MAX_ELEMENTS;
    let body = read(&mut reader, 0, &mut elements)?;
    reader.end()?;
    Ok(Apdu::DataNotification(DataNotification { long_invoke, at, body }))
}

fn read(reader: &mut Reader<'_>, depth: usize, elements: &mut usize) -> Result<Data, DecodeError> {
    let tag = reader.peek().ok_or(reader.fail(Why::Truncated { missing: 1 }))?;
    if tag != 1 && tag != 2 {
        return Data::read(reader);
    }
    reader.u8()?;
    if depth >= MAX_DEPTH {
        return Err(reader.fail(Why::TooDeep));
    }
    let count = reader.length()?;
    *elements = elements.checked_sub(count).ok_or(reader.fail(Why::TooMany))?;
    let mut items = Vec::new();
    for index in 0..count {
        let descriptor = if tag == 2 && index == 0 && count == 2 { descriptor(reader) } else { None };
        match descriptor {
            Some(descriptor) => items.push(descriptor),
            None => items.push(read(reader, depth + 1, elements)?),
        }
    }
    Ok(if tag == 1 { Data::Array(items) } else { Data::Structure(items) })
}

/// A descriptor is known by its class below 256, group F of its name 255 and a small attribute number.
fn descriptor(reader: &mut Reader<'_>) -> Option<Data> {
    let &[high, low, a, b, c, d, e, f, attribute] = reader.rest().first_chunk::<DESCRIPTOR>()?;
    if high != 0 || low == 0 || f != 255 || !(1..=32).contains(&attribute) {
        return None;
    }
    reader.take(DESCRIPTOR).ok()?;
    Some(Data::Structure(vec![
        Data::LongUnsigned(u16::from(low)),
        Data::OctetString(Obis([a, b, c, d, e, f]).0.to_vec()),
        Data::Integer(i8::try_from(attribute).ok()?),
    ]))
}
