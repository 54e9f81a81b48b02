//! Chance that is a pure function of the seed and of what it is for.

/// What a draw is for, so that no two uses share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Purpose {
    Place = 1,
    Name,
    Load,
    Technology,
    Keys,
    Fault,
    Voltage,
    Gap,
    Meter,
    Flaw,
}

/// A well-mixed number of the seed, a purpose and an index.
pub(crate) const fn draw(seed: u64, purpose: Purpose, index: u64) -> u64 {
    let mut x = seed ^ (purpose as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = mix(x).wrapping_add(index.wrapping_mul(0xC2B2_AE3D_27D4_EB4F));
    mix(x)
}

const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A number in `[0, below)`.
pub(crate) fn below(seed: u64, purpose: Purpose, index: u64, below: usize) -> usize {
    let below = u64::try_from(below.max(1)).unwrap_or(1);
    usize::try_from(draw(seed, purpose, index) % below).unwrap_or(0)
}

/// A number in `[-spread, spread]`.
pub(crate) fn around(seed: u64, purpose: Purpose, index: u64, spread: i64) -> i64 {
    let width = u64::try_from(spread.max(0) * 2 + 1).unwrap_or(1);
    i64::try_from(draw(seed, purpose, index) % width).unwrap_or(0) - spread
}

/// Sixteen bytes.
pub(crate) fn bytes16(seed: u64, purpose: Purpose, index: u64) -> [u8; 16] {
    let (high, low) = (draw(seed, purpose, index * 2), draw(seed, purpose, index * 2 + 1));
    ((u128::from(high) << 64) | u128::from(low)).to_be_bytes()
}
