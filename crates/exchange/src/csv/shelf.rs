//! The open series of a file whose readings come one by one.

use super::gather::{Gathering, Reading};
use crate::item::Item;
use crate::limits;
use std::collections::{BTreeMap, VecDeque};

/// Every open series by its key: the file's own words for meter, place, channel, unit and interval.
#[derive(Debug)]
pub(crate) struct Shelf {
    index: BTreeMap<Vec<u8>, usize>,
    series: Vec<Gathering>,
    last: usize,
    last_key: Vec<u8>,
    held: usize,
}

impl Default for Shelf {
    fn default() -> Self {
        let (index, series, last_key) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { index, series, last: usize::MAX, last_key, held: 0 }
    }
}

impl Shelf {
    /// The number of the series with this key; mostly it is that of the row before.
    #[inline]
    pub(crate) fn find(&mut self, key: &[u8]) -> Option<usize> {
        if self.last != usize::MAX && key == self.last_key {
            return Some(self.last);
        }
        let at = *self.index.get(key)?;
        self.remember(at, key);
        Some(at)
    }

    /// Opens a series. Where too many are open, all others are handed out and closed.
    #[cold]
    pub(crate) fn add(&mut self, key: &[u8], series: Gathering, out: &mut VecDeque<Item>) -> usize {
        if self.series.len() >= limits::GATHERED_SERIES {
            self.flush(out);
            self.series.clear();
            self.index.clear();
        }
        let at = self.series.len();
        self.series.push(series);
        self.index.insert(key.to_vec(), at);
        self.remember(at, key);
        at
    }

    fn remember(&mut self, at: usize, key: &[u8]) {
        self.last = at;
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
    }

    /// The stamp that would follow the last reading of a series.
    #[inline]
    pub(crate) fn expected(&self, at: usize) -> Option<i64> {
        self.series.get(at)?.expected()
    }

    /// Adds a reading to a series; what is complete or refused goes to `out`.
    #[inline]
    pub(crate) fn push(&mut self, at: usize, reading: Reading, out: &mut VecDeque<Item>) {
        let Some(gathering) = self.series.get_mut(at) else { return };
        let held = gathering.held();
        gathering.push(reading, out);
        self.held = (self.held + gathering.held()).saturating_sub(held);
        if self.held > limits::GATHERED_VALUES {
            self.flush(out);
        }
    }

    /// The series of the row before, where there is room for one more value.
    #[inline]
    pub(crate) fn going_on(&mut self) -> Option<&mut Gathering> {
        if self.held >= limits::GATHERED_VALUES {
            return None;
        }
        self.series.get_mut(self.last)
    }

    /// A value was added to what [`Self::going_on`] gave.
    #[inline]
    pub(crate) const fn added(&mut self) {
        self.held += 1;
    }

    /// Hands out everything that is held; the series stay known.
    pub(crate) fn flush(&mut self, out: &mut VecDeque<Item>) {
        for gathering in &mut self.series {
            gathering.flush(out);
        }
        self.held = 0;
    }
}
