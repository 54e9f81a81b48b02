//! A connection of ours: whether it is open, who uses it, who waits for it.

use dlms::wrapper::WrapperDecoder;
use model::id::MeterId;
use std::collections::{BTreeSet, VecDeque};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkState {
    Closed,
    Opening,
    Open,
}

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) endpoint: String,
    pub(crate) state: LinkState,
    pub(crate) decoder: WrapperDecoder,
    /// Meters visited now; never more than `limit`.
    pub(crate) active: BTreeSet<MeterId>,
    pub(crate) limit: usize,
    urgent: VecDeque<MeterId>,
    waiting: VecDeque<MeterId>,
    /// Failures to connect in a row.
    pub(crate) failures: u8,
    /// Rests after a failure to connect.
    pub(crate) resting: bool,
}

impl Link {
    pub(crate) fn new(endpoint: String, limit: usize) -> Self {
        Self {
            endpoint,
            state: LinkState::Closed,
            decoder: WrapperDecoder::default(),
            active: BTreeSet::new(),
            limit: limit.max(1),
            urgent: VecDeque::new(),
            waiting: VecDeque::new(),
            failures: 0,
            resting: false,
        }
    }

    /// A meter may stand in both lines; whoever takes it out looks whether it still waits.
    pub(crate) fn wait(&mut self, meter: MeterId, urgent: bool) {
        if urgent { self.urgent.push_back(meter) } else { self.waiting.push_back(meter) }
    }

    pub(crate) fn clear_lines(&mut self) {
        self.urgent.clear();
        self.waiting.clear();
    }

    pub(crate) fn somebody_waits(&self) -> bool {
        !self.urgent.is_empty() || !self.waiting.is_empty()
    }

    /// The next meter, if there is room for it.
    pub(crate) fn admit(&mut self) -> Option<MeterId> {
        if self.state != LinkState::Open || self.active.len() >= self.limit {
            return None;
        }
        self.urgent.pop_front().or_else(|| self.waiting.pop_front())
    }
}
