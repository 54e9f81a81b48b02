//! Up to 256 integers, packed: frame of reference or differences, with patches for the few that need more bits.

use super::BlockError;
use super::bits;
use super::input::{Input, low_byte, put_varint, unzigzag, zigzag};

/// The most values of a chunk.
pub(crate) const CHUNK: usize = 256;
/// What a patch takes besides its high bits: an index of eight bits, and what sevens round up.
const PATCH_BITS: usize = 11;

/// How a chunk is written.
struct Plan {
    differences: bool,
    width: u8,
    base: i64,
}

/// Appends at most [`CHUNK`] values.
pub(crate) fn put(values: &[i64], out: &mut Vec<u8>) {
    let mut offsets = [0u64; CHUNK];
    let offsets = &mut offsets[..values.len()];
    let plan = plan(values, offsets);
    out.push(u8::from(plan.differences) << 7 | plan.width);
    put_varint(zigzag(plan.base), out);
    bits::pack(offsets, plan.width, out);
    let mask = bits::mask(plan.width);
    let count = offsets.iter().filter(|offset| **offset & !mask != 0).count();
    put_varint(count as u64, out);
    if count > 0 {
        for (index, offset) in offsets.iter().enumerate().filter(|(_, offset)| **offset & !mask != 0) {
            out.push(low_byte(index as u64));
            put_varint(offset >> plan.width, out);
        }
    }
}

/// Chooses what makes the chunk smallest and leaves in `offsets` what is to be packed.
fn plan(values: &[i64], offsets: &mut [u64]) -> Plan {
    let base = values.iter().copied().min().unwrap_or(0);
    let first = values.first().copied().unwrap_or(0);
    // The first value is the base of the differences, so the first difference is nothing.
    let (mut direct, mut stepwise) = ([0u16; 65], [0u16; 65]);
    let mut before = first;
    for (offset, value) in offsets.iter_mut().zip(values) {
        *offset = value.wrapping_sub(base).cast_unsigned();
        direct[length(*offset)] += 1;
        stepwise[length(zigzag(value.wrapping_sub(before)))] += 1;
        before = *value;
    }
    let (width, size) = cheapest(&direct, values.len(), PATCH_BITS);
    let (step_width, step_size) = cheapest(&stepwise, values.len(), PATCH_BITS);
    if step_size >= size {
        return Plan { differences: false, width, base };
    }
    let mut before = first;
    for (offset, value) in offsets.iter_mut().zip(values) {
        *offset = zigzag(value.wrapping_sub(before));
        before = *value;
    }
    Plan { differences: true, width: step_width, base: first }
}

/// How many bits a number needs.
const fn length(value: u64) -> usize {
    (64 - value.leading_zeros()) as usize
}

/// The width that makes `count` values smallest, and their size in bits, given how many need how many bits. What is longer
/// than the width is patched, which takes `patch_bits` besides its high bits.
pub(super) fn cheapest(lengths: &[u16; 65], count: usize, patch_bits: usize) -> (u8, usize) {
    let longest = lengths.iter().rposition(|count| *count > 0).unwrap_or(0);
    let (mut best, mut best_size) = (longest, count * longest);
    let (mut patches, mut high_bits) = (0usize, 0usize);
    for width in (0..longest).rev() {
        let longer = usize::from(lengths[width + 1]);
        high_bits += patches;
        patches += longer;
        high_bits += longer;
        let size = count * width + patches * patch_bits + high_bits;
        if size <= best_size {
            (best, best_size) = (width, size);
        }
        if patches * patch_bits > best_size {
            break;
        }
    }
    (u8::try_from(best).unwrap_or(64), best_size)
}

/// Reads `out.len()` values, at most [`CHUNK`].
pub(crate) fn take(input: &mut Input<'_>, out: &mut [i64]) -> Result<(), BlockError> {
    let (differences, base) = take_offsets(input, out)?;
    if differences {
        let mut before = base;
        for value in out {
            before = before.wrapping_add(unzigzag(value.cast_unsigned()));
            *value = before;
        }
    } else {
        for value in out {
            *value = value.wrapping_add(base);
        }
    }
    Ok(())
}

/// Unpacks and patches; what the values are offsets from is told back.
fn take_offsets(input: &mut Input<'_>, out: &mut [i64]) -> Result<(bool, i64), BlockError> {
    let head = input.byte()?;
    let (differences, width) = (head & 0x80 != 0, head & 0x7F);
    if width > 64 {
        return Err(BlockError::Nonsense(input.at));
    }
    let base = unzigzag(input.varint()?);
    let packed = input.bytes.get(input.at..).unwrap_or_default();
    input.take(bits::length(out.len(), width))?;
    bits::unpack(packed, width, 0, out);
    let patches = input.count()?;
    if patches > out.len() {
        return Err(BlockError::Nonsense(input.at));
    }
    for _ in 0..patches {
        let index = usize::from(input.byte()?);
        let high = input.varint()?;
        let slot = out.get_mut(index).filter(|_| width < 64).ok_or(BlockError::Nonsense(input.at))?;
        *slot |= (high << width).cast_signed();
    }
    Ok((differences, base))
}
