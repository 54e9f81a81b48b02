//! Columns of a few integers at the least width in bits that holds them all.
//!
//! A channel's statistics are unpacked and packed again for every day that is loaded, so this is done a word at a time: a value
//! of up to 56 bits lies within eight bytes from the byte in which it begins.

/// The most values of a column.
const MOST: usize = 28;
/// The widest value that lies within a word wherever in a byte it begins.
const WIDEST: u32 = 56;
/// Room for a column of such values, and for the word that the last one is read or written with.
const ROOM: usize = MOST * 7 + 8;
const _: () = assert!(MOST >= super::DAYS && MOST >= super::MONTHS && MOST >= super::TAILS);

const fn mask(width: u32) -> u64 {
    if width >= 64 { u64::MAX } else { (1 << width) - 1 }
}

/// The byte in which a bit lies, and its place in it.
pub(super) const fn place(bit: u32) -> (usize, u32) {
    ((bit >> 3) as usize, bit & 7)
}

/// How many bytes so many bits take.
pub(super) const fn bytes(bits: u32) -> usize {
    bits.div_ceil(8) as usize
}

/// The eight bytes from `at` on; zero where they are not all there.
pub(super) fn word(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |word| u64::from_le_bytes(*word))
}

/// Fills `into` from columns of `width` bits at the start of `bytes`, `least` added to each.
pub(super) fn unpack(bytes: &[u8], width: u32, least: i64, into: &mut [i64]) {
    if width == 0 {
        return into.fill(least);
    }
    if width > WIDEST || into.len() > MOST {
        return unpack_wide(bytes, width, least, into);
    }
    // The words of the last values may reach beyond all bytes.
    let mut room = [0; ROOM];
    let bits = u32::try_from(into.len()).unwrap_or(0) * width;
    let bytes = if bytes.len() >= place(bits.saturating_sub(width)).0 + 8 {
        bytes
    } else {
        let used = bytes.len().min(ROOM);
        room[..used].copy_from_slice(&bytes[..used]);
        &room
    };
    let mask = mask(width);
    let mut bit = 0;
    for value in into {
        let (at, shift) = place(bit);
        *value = least.wrapping_add((word(bytes, at) >> shift & mask).cast_signed());
        bit += width;
    }
}

fn unpack_wide(bytes: &[u8], width: u32, least: i64, into: &mut [i64]) {
    let mut bytes = bytes.iter();
    let (mut held, mut count) = (0u128, 0);
    for value in into {
        while count < width {
            held |= u128::from(bytes.next().copied().unwrap_or(0)) << count;
            count += 8;
        }
        *value = least.wrapping_add(low(held & u128::from(mask(width))).cast_signed());
        held >>= width;
        count -= width;
    }
}

/// Appends how far each value is above `least`, in `width` bits.
pub(super) fn pack(values: &[i64], width: u32, least: i64, out: &mut Vec<u8>) {
    if width > WIDEST || values.len() > MOST {
        return pack_wide(values, width, least, out);
    }
    let mut room = [0; ROOM];
    let (mut held, mut count, mut at) = (0u64, 0u32, 0usize);
    for value in values {
        held |= value.abs_diff(least) << count;
        count += width;
        if let Some(word) = room.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            *word = held.to_le_bytes();
        }
        let (whole, left) = place(count);
        at += whole;
        held >>= count - left;
        count = left;
    }
    out.extend_from_slice(&room[..at + bytes(count)]);
}

fn pack_wide(values: &[i64], width: u32, least: i64, out: &mut Vec<u8>) {
    let (mut held, mut count) = (0u128, 0);
    for value in values {
        held |= u128::from(value.abs_diff(least)) << count;
        count += width;
        while count >= 8 {
            out.push(held.to_le_bytes()[0]);
            held >>= 8;
            count -= 8;
        }
    }
    out.extend_from_slice(&held.to_le_bytes()[..bytes(count)]);
}

fn low(wide: u128) -> u64 {
    let [low @ .., _, _, _, _, _, _, _, _] = wide.to_le_bytes();
    u64::from_le_bytes(low)
}

/// The least value of a column and how many bits the others are above it; none of an empty one.
pub(super) fn range(values: &[i64]) -> Option<(i64, u32)> {
    let (mut least, mut most) = (*values.first()?, *values.first()?);
    for value in values {
        least = least.min(*value);
        most = most.max(*value);
    }
    Some((least, 64 - most.abs_diff(least).leading_zeros()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_comes_back(
            width in 0u32..65,
            values in prop::collection::vec(any::<u64>(), 1..MOST + 1),
            base in any::<i32>(),
            behind in 0usize..300,
        ) {
            let above = |value: &u64| i64::from(base).wrapping_add((value & mask(width)).cast_signed());
            let values: Vec<i64> = values.iter().map(above).collect();
            let (least, width) = range(&values).unwrap();
            let mut packed = Vec::new();
            pack(&values, width, least, &mut packed);
            let mut other = Vec::new();
            pack_wide(&values, width, least, &mut other);
            prop_assert_eq!(&packed, &other, "either way the same bytes");
            prop_assert_eq!(packed.len(), bytes(width * u32::try_from(values.len()).unwrap()));
            packed.resize(packed.len() + behind, 0xA5);
            let mut back = vec![0; values.len()];
            unpack(&packed, width, least, &mut back);
            prop_assert_eq!(&back, &values);
            unpack_wide(&packed, width, least, &mut back);
            prop_assert_eq!(&back, &values);
        }
    }
}
