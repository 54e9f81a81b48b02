//! Chance, all of it from one seed.

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// A stream of draws.
#[derive(Debug)]
pub(crate) struct Dice(Pcg64Mcg);

impl Dice {
    /// The stream of `seed` for one purpose; other purposes draw from other streams, so that a change of
    /// one does not move the others.
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed ^ purpose.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    /// A whole number of `[0, below)`; 0 when `below` is 0.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        if below == 0 { 0 } else { self.0.next_u64() % below }
    }

    /// A place in something of `length`.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        let below = u64::try_from(length).unwrap_or(u64::MAX);
        usize::try_from(self.below(below)).unwrap_or(0)
    }

    /// True once in `often` times.
    pub(crate) fn once_in(&mut self, often: u64) -> bool {
        self.below(often) == 0
    }
}
