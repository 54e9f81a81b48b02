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

use model::Quality;

/// The most values that one block may hold: forty-five days of minutes.
pub const MAX_VALUES: usize = 65_536;

const FORMAT: u8 = 1;
const RUNS: u8 = 0x0F;
const CHUNK: usize = 256;

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
        put_chunk(&buffer[..values.len()], &mut out);
    }
    Ok(out)
}

/// Unpacks what [`pack`] made.
///
/// # Errors
/// [`BlockError`] for anything else.
pub fn unpack(block: &[u8]) -> Result<(Vec<i64>, Vec<Quality>), BlockError> {
    let mut input = Input { bytes: block, at: 0 };
    let count = input.header()?;
    let marks = input.marks(count)?;
    let at = input.at;
    let quality = marks
        .into_iter()
        .map(|mark| Quality::try_from(mark).map_err(|_| BlockError::Nonsense(at)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut values = input.values(count)?;
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
        put_chunk(&buffer[..values.len()], &mut out);
    }
    Ok(out)
}

/// Unpacks what [`pack_raw`] made.
///
/// # Errors
/// [`BlockError`] for anything else.
pub fn unpack_raw(block: &[u8]) -> Result<(Vec<Option<i64>>, Vec<u8>), BlockError> {
    let mut input = Input { bytes: block, at: 0 };
    let count = input.header()?;
    let absent = input.marks(count)?;
    let status = input.marks(count)?;
    let values = input.values(count)?;
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

fn put_chunk(values: &[i64], out: &mut Vec<u8>) {
    let (base, width, size) = plan(values.iter().copied());
    // The first value is the base of the differences, so the first difference is nothing.
    let deltas = differences(values);
    let deltas = &deltas[..values.len()];
    let (delta_width, delta_size) = cheapest(deltas.iter().copied(), deltas.len());
    let first = values.first().copied().unwrap_or(0);
    let (mode, width, base) = if delta_size < size { (1u8, delta_width, first) } else { (0, width, base) };
    out.push(mode << 7 | width);
    put_varint(zigzag(base), out);
    if mode == 1 {
        put_packed(deltas.iter().copied(), width, out);
    } else {
        put_packed(values.iter().map(|value| offset(*value, base)), width, out);
    }
}

/// The distance above `base`, right for every pair of 64-bit integers.
const fn offset(value: i64, base: i64) -> u64 {
    value.wrapping_sub(base).cast_unsigned()
}

fn differences(values: &[i64]) -> [u64; CHUNK] {
    let mut out = [0; CHUNK];
    let mut before = values.first().copied().unwrap_or(0);
    for (slot, value) in out.iter_mut().zip(values) {
        *slot = zigzag(value.wrapping_sub(before));
        before = *value;
    }
    out
}

fn plan(values: impl ExactSizeIterator<Item = i64> + Clone) -> (i64, u8, usize) {
    let base = values.clone().min().unwrap_or(0);
    let count = values.len();
    let (width, size) = cheapest(values.map(|value| offset(value, base)), count);
    (base, width, size)
}

/// The width that makes the chunk smallest, and its size in bits.
fn cheapest(values: impl Iterator<Item = u64>, count: usize) -> (u8, usize) {
    let mut lengths = [0usize; 65];
    for value in values {
        lengths[(64 - value.leading_zeros()) as usize] += 1;
    }
    let mut best = (64u8, count * 64);
    let mut patches = 0;
    // Going down from 64 bits, everything longer than the width is patched: an index and the high bits in sevens.
    let mut patch_bits = 0;
    for width in (0..=64usize).rev() {
        let size = count * width + patch_bits + patches * 8;
        if size <= best.1 {
            best = (u8::try_from(width).unwrap_or(64), size);
        }
        patches += lengths[width];
        patch_bits += lengths[width] * 10;
    }
    best
}

fn put_packed(values: impl Iterator<Item = u64> + Clone, width: u8, out: &mut Vec<u8>) {
    let mask = mask(width);
    let mut bits = 0u128;
    let mut held = 0u32;
    for value in values.clone() {
        bits |= u128::from(value & mask) << held;
        held += u32::from(width);
        while held >= 8 {
            out.push(low_byte(bits));
            bits >>= 8;
            held -= 8;
        }
    }
    if held > 0 {
        out.push(low_byte(bits));
    }
    let patched = |(index, value): (usize, u64)| (value & !mask != 0).then(|| (index, value >> width));
    let patches = values.enumerate().filter_map(patched);
    let count = patches.clone().count();
    put_varint(count as u64, out);
    for (index, high) in patches {
        out.push(low_byte(index as u128));
        put_varint(high, out);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the rest of the bits is what the caller keeps")]
const fn low_byte(bits: u128) -> u8 {
    bits as u8
}

#[expect(clippy::cast_possible_truncation, reason = "the rest of the bits is what the caller keeps")]
const fn low_word(bits: u128) -> u64 {
    bits as u64
}

const fn mask(width: u8) -> u64 {
    if width >= 64 { u64::MAX } else { (1 << width) - 1 }
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(low_byte(u128::from(value)) | 0x80);
        value >>= 7;
    }
    out.push(low_byte(u128::from(value)));
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Input<'_> {
    fn byte(&mut self) -> Result<u8, BlockError> {
        let byte = self.bytes.get(self.at).copied().ok_or(BlockError::Short(self.at))?;
        self.at += 1;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64, BlockError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(BlockError::Nonsense(self.at))
    }

    fn header(&mut self) -> Result<usize, BlockError> {
        let format = self.byte()?;
        if format != FORMAT {
            return Err(BlockError::Format(format));
        }
        let count = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        if count > MAX_VALUES { Err(BlockError::TooMany(count)) } else { Ok(count) }
    }

    fn marks(&mut self, count: usize) -> Result<Vec<u8>, BlockError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let first = self.byte()?;
        if first != RUNS {
            return Ok(vec![first; count]);
        }
        let mut marks = Vec::with_capacity(count);
        while marks.len() < count {
            let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
            let mark = self.byte()?;
            if length == 0 || length > count - marks.len() {
                return Err(BlockError::Nonsense(self.at));
            }
            marks.resize(marks.len() + length, mark);
        }
        Ok(marks)
    }

    fn values(&mut self, count: usize) -> Result<Vec<i64>, BlockError> {
        let mut values = Vec::with_capacity(count);
        while values.len() < count {
            self.chunk(CHUNK.min(count - values.len()), &mut values)?;
        }
        Ok(values)
    }

    fn chunk(&mut self, count: usize, values: &mut Vec<i64>) -> Result<(), BlockError> {
        let head = self.byte()?;
        let (differences, width) = (head & 0x80 != 0, head & 0x7F);
        if width > 64 {
            return Err(BlockError::Nonsense(self.at));
        }
        let base = unzigzag(self.varint()?);
        let mut packed = [0u64; CHUNK];
        self.bits(&mut packed[..count], width)?;
        let patches = self.varint()?;
        if patches > count as u64 {
            return Err(BlockError::Nonsense(self.at));
        }
        for _ in 0..patches {
            let index = usize::from(self.byte()?);
            let high = self.varint()?;
            if index >= count || width == 64 {
                return Err(BlockError::Nonsense(self.at));
            }
            packed[index] |= high << width;
        }
        let mut before = base;
        for packed in &packed[..count] {
            before = if differences {
                before.wrapping_add(unzigzag(*packed))
            } else {
                base.wrapping_add(packed.cast_signed())
            };
            values.push(before);
        }
        Ok(())
    }

    fn bits(&mut self, out: &mut [u64], width: u8) -> Result<(), BlockError> {
        let length = (out.len() * usize::from(width)).div_ceil(8);
        let end = self.at + length;
        let bytes = self.bytes.get(self.at..end).ok_or(BlockError::Short(self.bytes.len()))?;
        let mut bytes = bytes.iter();
        let (mut bits, mut held, mask) = (0u128, 0u32, mask(width));
        for slot in out {
            while held < u32::from(width) {
                bits |= u128::from(bytes.next().copied().unwrap_or(0)) << held;
                held += 8;
            }
            *slot = low_word(bits) & mask;
            bits >>= width;
            held -= u32::from(width);
        }
        self.at = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
