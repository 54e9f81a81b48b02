//! Integers of a fixed number of bits, the lowest bit first.
//!
//! Eight values of `w` bits fill `w` bytes exactly, so values are unpacked in eights: for each width a loop of its own
//! in which every byte offset and shift is a constant.

/// Widths that have a loop of their own; wider values are rare and take the slow one.
const FAST: usize = 32;
/// Bytes that eight fast values may touch: 32 and what the last wide load reads beyond.
const WINDOW: usize = FAST + 8;

/// Values of a group: two slots of a month, and whole bytes at every width.
pub(super) const GROUP: usize = 64;

pub(super) const fn mask(width: u8) -> u64 {
    if width >= 64 { u64::MAX } else { (1 << width) - 1 }
}

/// The bytes that `count` values take.
pub(super) const fn length(count: usize, width: u8) -> usize {
    (count * width as usize).div_ceil(8)
}

/// Appends the low `width` bits of each value.
pub(super) fn pack(values: &[u64], width: u8, out: &mut Vec<u8>) {
    if width == 0 {
        return;
    }
    let (mask, width) = (mask(width), u32::from(width));
    let (mut bits, mut held) = (0u64, 0u32);
    for value in values {
        let value = value & mask;
        bits |= value << held;
        held += width;
        if held >= 64 {
            out.extend_from_slice(&bits.to_le_bytes());
            held -= 64;
            bits = if held == 0 { 0 } else { value >> (width - held) };
        }
    }
    let left = held.div_ceil(8) as usize;
    out.extend_from_slice(&bits.to_le_bytes()[..left]);
}

/// Fills `out` from the start of `bytes`, which must hold [`length`] bytes, and adds `base` to each value; what lies behind them is
/// read but not used.
pub(super) fn unpack(bytes: &[u8], width: u8, base: i64, out: &mut [i64]) {
    macro_rules! by_width {
        ($($w:literal)*) => {
            match width {
                0 => out.fill(base),
                $($w => eights::<$w>(bytes, base, out),)*
                _ => any(bytes, width, base, out),
            }
        };
    }
    by_width!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
}

fn eights<const W: usize>(bytes: &[u8], base: i64, out: &mut [i64]) {
    let mut at = 0;
    for group in out.chunks_mut(8) {
        let rest = bytes.get(at..).unwrap_or_default();
        let mut last = [0; WINDOW];
        // One call for both, so that it is compiled into the loop.
        let window = rest.first_chunk::<WINDOW>().unwrap_or_else(|| {
            last[..rest.len()].copy_from_slice(rest);
            &last
        });
        eight::<W>(window, base, group);
        at += W;
    }
}

#[inline]
fn eight<const W: usize>(window: &[u8; WINDOW], base: i64, group: &mut [i64]) {
    let mut values = [0i64; 8];
    for (index, slot) in values.iter_mut().enumerate() {
        let at = index * W / 8;
        let mut wide = [0; 8];
        wide.copy_from_slice(&window[at..at + 8]);
        let offset = u64::from_le_bytes(wide) >> (index * W % 8) & ((1 << W) - 1);
        *slot = base.wrapping_add(offset.cast_signed());
    }
    if let Ok(whole) = <&mut [i64; 8]>::try_from(&mut *group) {
        *whole = values;
    } else {
        group.copy_from_slice(&values[..group.len()]);
    }
}

/// Adds up [`GROUP`] values at the start of `bytes`, each with `base` added; what lies behind them is read but not used.
pub(super) fn sum_group(bytes: &[u8], width: u8, base: i64) -> i64 {
    macro_rules! by_width {
        ($($w:literal)*) => {
            match width {
                0 => 0,
                $($w => sum_eights::<$w>(bytes),)*
                _ => {
                    let mut values = [0; GROUP];
                    any(bytes, width, 0, &mut values);
                    values.iter().fold(0i64, |sum, value| sum.wrapping_add(*value))
                }
            }
        };
    }
    let sum =
        by_width!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
    sum.wrapping_add(base << GROUP.ilog2())
}

fn sum_eights<const W: usize>(bytes: &[u8]) -> i64 {
    let mut sums = [0i64; 8];
    let mut at = 0;
    for _ in 0..GROUP / 8 {
        let rest = bytes.get(at..).unwrap_or_default();
        let mut last = [0; WINDOW];
        let window = rest.first_chunk::<WINDOW>().unwrap_or_else(|| {
            last[..rest.len()].copy_from_slice(rest);
            &last
        });
        let mut values = [0; 8];
        eight::<W>(window, 0, &mut values);
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value;
        }
        at += W;
    }
    sums.iter().sum()
}

fn any(bytes: &[u8], width: u8, base: i64, out: &mut [i64]) {
    let mut bytes = bytes.iter();
    let (mut bits, mut held, mask) = (0u128, 0u32, u128::from(mask(width)));
    for slot in out {
        while held < u32::from(width) {
            bits |= u128::from(bytes.next().copied().unwrap_or(0)) << held;
            held += 8;
        }
        *slot = base.wrapping_add(u64::try_from(bits & mask).unwrap_or_default().cast_signed());
        bits >>= width;
        held -= u32::from(width);
    }
}
