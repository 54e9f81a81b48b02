//! One timer a key, the earliest first.

use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub(crate) struct Timers<K> {
    due: BTreeSet<(Timestamp, K)>,
    at: BTreeMap<K, Timestamp>,
}

impl<K: Ord + Copy> Timers<K> {
    pub(crate) const fn new() -> Self {
        Self { due: BTreeSet::new(), at: BTreeMap::new() }
    }

    /// Sets the timer of `key`, replacing what was set before.
    pub(crate) fn set(&mut self, key: K, at: Timestamp) {
        if let Some(old) = self.at.insert(key, at) {
            self.due.remove(&(old, key));
        }
        self.due.insert((at, key));
    }

    pub(crate) fn clear(&mut self, key: K) {
        if let Some(old) = self.at.remove(&key) {
            self.due.remove(&(old, key));
        }
    }

    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes the earliest timer that is due at `now`.
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<K> {
        let (at, key) = *self.due.first()?;
        if at > now {
            return None;
        }
        self.clear(key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_setting_counts_and_the_earliest_comes_first() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut timers = Timers::new();
        timers.set('a', at(10));
        timers.set('b', at(5));
        timers.set('a', at(3));
        timers.set('c', at(4));
        timers.clear('c');
        assert_eq!(timers.next(), Some(at(3)));
        assert_eq!(timers.pop(at(2)), None);
        assert_eq!((timers.pop(at(9)), timers.pop(at(9)), timers.pop(at(9))), (Some('a'), Some('b'), None));
    }
}
