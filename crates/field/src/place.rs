//! Where things stand, and finding what is near without asking everybody.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A place on the plane of the territory, in metres east and north of its corner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Metres east.
    pub east_m: i32,
    /// Metres north.
    pub north_m: i32,
}

impl Position {
    /// A place.
    pub const fn new(east_m: i32, north_m: i32) -> Self {
        Self { east_m, north_m }
    }

    /// The straight distance in metres.
    pub fn distance_m(self, other: Self) -> f64 {
        let (dx, dy) = (
            f64::from(self.east_m) - f64::from(other.east_m),
            f64::from(self.north_m) - f64::from(other.north_m),
        );
        dx.hypot(dy)
    }
}

/// Square buckets over the plane: everything within one bucket's width of a place lies in nine of them.
#[derive(Debug)]
pub(crate) struct Grid {
    width_m: i32,
    buckets: BTreeMap<(i32, i32), Vec<usize>>,
}

impl Grid {
    pub(crate) fn new(width_m: i32) -> Self {
        Self { width_m: width_m.max(1), buckets: BTreeMap::new() }
    }

    fn bucket(&self, at: Position) -> (i32, i32) {
        (at.east_m.div_euclid(self.width_m), at.north_m.div_euclid(self.width_m))
    }

    pub(crate) fn insert(&mut self, at: Position, item: usize) {
        self.buckets.entry(self.bucket(at)).or_default().push(item);
    }

    /// Every item that may be within the grid's width of `at`.
    pub(crate) fn near(&self, at: Position) -> impl Iterator<Item = usize> + '_ {
        let (x, y) = self.bucket(at);
        (-1..=1)
            .flat_map(move |dx| (-1..=1).map(move |dy| (x + dx, y + dy)))
            .filter_map(|key| self.buckets.get(&key))
            .flatten()
            .copied()
    }
}
