//! The block codec: a series of integers with one mark byte each, packed.
//!
//! ```text
//! block  = 0x01, count (varint), marks, chunk*          (256 values a chunk)
//! marks  = mark                                         all alike, low nibble below 12
//!        | 0x0F, (length varint, mark)*                 runs
//! chunk  = mode<<7 | width, base (zigzag varint), packed bits, patches
//! ```
//!
//! A chunk is the values (mode 0) or their zigzag differences (mode 1), less their least one, in `width` bits each;
//! the few that need more bits are patched: `width` is what makes the chunk smallest.
//! Decoding any bytes ends in bounded time and memory.

mod bits;
pub(crate) mod chunk;
pub(crate) mod input;
pub(crate) mod table;

use chunk::CHUNK;
use input::{Input, put_varint};
use model::Quality;

/// The most values that one block may hold: forty-five days of minutes.
pub const MAX_VALUES: usize = 65_536;

const FORMAT: u8 = 1;
const RUNS: u8 = 0x0F;

/// Why bytes are no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// The bytes end too early.
    #[error("read a block: it ends at byte {0}")]
    Short(usize),
    /// The first byte is no known format.
    #[error("read a block: format {0} is unknown")]
    Format(u8),
    /// More values than a block may hold.
    #[error("read or write a block of {0} values")]
    TooMany(usize),
    /// A field has a value that no writer produces.
    #[error("read a block: nonsense at byte {0}")]
    Nonsense(usize),
}

/// Packs a day: values and qualities, same length. A missing interval's value is not kept and comes back as 0.
///
/// # Errors
/// [`BlockError::TooMany`].
pub fn pack(values: &[i64], quality: &[Quality]) -> Result<Vec<u8>, BlockError> {
    let mut out = Vec::with_capacity(160);
    header(values.len(), &mut out)?;
    put_marks(quality.iter().map(|q| q.byte()), &mut out);
    let mut buffer = [0i64; CHUNK];
    let mut last = quality.iter().zip(values).find(|(q, _)| !q.is_missing()).map_or(0, |(_, value)| *value);
    for (values, quality) in values.chunks(CHUNK).zip(quality.chunks(CHUNK)) {
        for ((slot, value), quality) in buffer.iter_mut().zip(values).zip(quality) {
            // A repeat of the last value costs least where there is none.
            if !quality.is_missing() {
                last = *value;
            }
            *slot = last;
        }
        chunk::put(&buffer[..values.len()], &mut out);
    }
    Ok(out)
}

/// Unpacks what [`pack`] made.
///
/// # Errors
/// [`BlockError`] for anything else.
pub fn unpack(block: &[u8]) -> Result<(Vec<i64>, Vec<Quality>), BlockError> {
    let mut input = Input::new(block);
    let count = read_header(&mut input)?;
    let marks = marks(&mut input, count)?;
    let at = input.at;
    let quality = marks
        .into_iter()
        .map(|mark| Quality::try_from(mark).map_err(|_| BlockError::Nonsense(at)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut values = values(&mut input, count)?;
    for (value, quality) in values.iter_mut().zip(&quality) {
        if quality.is_missing() {
            *value = 0;
        }
    }
    Ok((values, quality))
}

/// Packs a series as read: absent entries stay absent, every entry keeps its status byte.
///
/// # Errors
/// [`BlockError::TooMany`].
pub fn pack_raw(values: &[Option<i64>], status: &[u8]) -> Result<Vec<u8>, BlockError> {
    let mut out = Vec::with_capacity(160);
    header(values.len(), &mut out)?;
    put_marks(values.iter().map(|value| u8::from(value.is_none())), &mut out);
    put_marks((0..values.len()).map(|index| status.get(index).copied().unwrap_or(0)), &mut out);
    let mut buffer = [0i64; CHUNK];
    let mut last = values.iter().flatten().next().copied().unwrap_or(0);
    for values in values.chunks(CHUNK) {
        for (slot, value) in buffer.iter_mut().zip(values) {
            last = value.unwrap_or(last);
            *slot = last;
        }
        chunk::put(&buffer[..values.len()], &mut out);
    }
    Ok(out)
}

/// Unpacks what [`pack_raw`] made.
///
/// # Errors
/// [`BlockError`] for anything else.
pub fn unpack_raw(block: &[u8]) -> Result<(Vec<Option<i64>>, Vec<u8>), BlockError> {
    let mut input = Input::new(block);
    let count = read_header(&mut input)?;
    let absent = marks(&mut input, count)?;
    let status = marks(&mut input, count)?;
    let values = values(&mut input, count)?;
    Ok((
        values.into_iter().zip(absent).map(|(value, absent)| (absent == 0).then_some(value)).collect(),
        status,
    ))
}

fn header(count: usize, out: &mut Vec<u8>) -> Result<(), BlockError> {
    if count > MAX_VALUES {
        return Err(BlockError::TooMany(count));
    }
    out.push(FORMAT);
    put_varint(count as u64, out);
    Ok(())
}

fn put_marks(marks: impl Iterator<Item = u8> + Clone, out: &mut Vec<u8>) {
    let mut rest = marks.clone();
    let Some(first) = rest.next() else { return };
    if first & 0x0F < 12 && rest.all(|mark| mark == first) {
        out.push(first);
        return;
    }
    out.push(RUNS);
    let mut run = (first, 0u64);
    for mark in marks {
        if mark == run.0 {
            run.1 += 1;
        } else {
            put_varint(run.1, out);
            out.push(run.0);
            run = (mark, 1);
        }
    }
    put_varint(run.1, out);
    out.push(run.0);
}

fn read_header(input: &mut Input<'_>) -> Result<usize, BlockError> {
    let format = input.byte()?;
    if format != FORMAT {
        return Err(BlockError::Format(format));
    }
    let count = input.count()?;
    if count > MAX_VALUES { Err(BlockError::TooMany(count)) } else { Ok(count) }
}

fn marks(input: &mut Input<'_>, count: usize) -> Result<Vec<u8>, BlockError> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let first = input.byte()?;
    if first != RUNS {
        return Ok(vec![first; count]);
    }
    let mut marks = Vec::with_capacity(count);
    while marks.len() < count {
        let length = input.count()?;
        let mark = input.byte()?;
        if length == 0 || length > count - marks.len() {
            return Err(BlockError::Nonsense(input.at));
        }
        marks.resize(marks.len() + length, mark);
    }
    Ok(marks)
}

fn values(input: &mut Input<'_>, count: usize) -> Result<Vec<i64>, BlockError> {
    let mut values = vec![0; count];
    for chunk in values.chunks_mut(CHUNK) {
        chunk::take(input, chunk)?;
    }
    Ok(values)
}

#[cfg(test)]
mod tests;
