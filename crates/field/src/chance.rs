//! Chance: fixed properties from hashes (the same whatever the order of questions) and a stream of
//! draws for what happens on the way.

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// A well-mixed 64-bit hash of three numbers.
pub(crate) const fn hash(seed: u64, a: u64, b: u64) -> u64 {
    let mut x = seed ^ a.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ b.wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The top 32 bits as a number in `[0, 1)`.
fn unit(bits: u64) -> f64 {
    let top = u32::try_from(bits >> 32).unwrap_or(0);
    f64::from(top) / 4_294_967_296.0
}

/// A fixed number, near enough to normal with mean 0 and deviation 1, of a pair; symmetric in the pair.
pub(crate) fn normal_of_pair(seed: u64, a: u32, b: u32) -> f64 {
    let (low, high) = (u64::from(a.min(b)), u64::from(a.max(b)));
    let sum: f64 = (0..4).map(|k| unit(hash(hash(seed, k, 1), low, high))).sum();
    // The sum of four uniform numbers has variance 1/3.
    (sum - 2.0) * 1.732_050_8
}

/// A stream of draws.
#[derive(Debug)]
pub(crate) struct Dice(Pcg64Mcg);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed))
    }

    /// A number in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        unit(self.0.next_u64())
    }

    /// True with probability `p`.
    pub(crate) fn happens(&mut self, p: f64) -> bool {
        p > 0.0 && (p >= 1.0 || self.unit() < p)
    }

    /// A whole number in `[0, below)`, 0 when `below` is 0.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        if below == 0 { 0 } else { self.0.next_u64() % below }
    }
}
