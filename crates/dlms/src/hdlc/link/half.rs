//! What both ends of a link do alike: count, cut, join, remember until acknowledged.

use super::{LinkConfig, LinkError, Parameters};
use crate::hdlc::frame::{Address, Control, Frame};
use std::collections::VecDeque;

pub(super) const LLC_REQUEST: [u8; 3] = [0xE6, 0xE6, 0x00];
pub(super) const LLC_RESPONSE: [u8; 3] = [0xE6, 0xE7, 0x00];

#[derive(Debug)]
struct Segment {
    information: Vec<u8>,
    more: bool,
}

/// What became of an information frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// A segment of a longer message.
    Part,
    /// A message is whole.
    Whole(Vec<u8>),
    /// It came before.
    Duplicate,
    /// One before it is missing.
    Gap,
    /// The message is refused.
    Refused(LinkError),
}

#[derive(Debug)]
pub(super) struct Half {
    pub(super) own: Address,
    pub(super) peer: Address,
    pub(super) agreed: Parameters,
    pub(super) expecting: u8,
    max_message: usize,
    next: u8,
    unsent: VecDeque<Segment>,
    unacknowledged: VecDeque<Segment>,
    inbox: Vec<u8>,
}

impl Half {
    pub(super) fn new(config: &LinkConfig, own: Address, peer: Address) -> Self {
        Self {
            own,
            peer,
            agreed: config.parameters.bounded(),
            expecting: 0,
            max_message: config.max_message,
            next: 0,
            unsent: VecDeque::new(),
            unacknowledged: VecDeque::new(),
            inbox: Vec::new(),
        }
    }

    /// Forgets everything about the old link.
    pub(super) fn reset(&mut self, agreed: Parameters) {
        self.agreed = agreed;
        self.expecting = 0;
        self.next = 0;
        self.unsent.clear();
        self.unacknowledged.clear();
        self.inbox = Vec::new();
    }

    pub(super) fn queue(&mut self, llc: [u8; 3], apdu: &[u8]) {
        let mut message = Vec::with_capacity(3 + apdu.len());
        message.extend_from_slice(&llc);
        message.extend_from_slice(apdu);
        let mut pieces = message.chunks(usize::from(self.agreed.max_info_transmit)).peekable();
        while let Some(piece) = pieces.next() {
            self.unsent.push_back(Segment { information: piece.to_vec(), more: pieces.peek().is_some() });
        }
    }

    pub(super) fn in_the_middle(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// The other end expects `nr` next: what came before it has arrived.
    pub(super) fn acknowledged(&mut self, nr: u8) -> Result<(), LinkError> {
        let outstanding = u8::try_from(self.unacknowledged.len()).unwrap_or(u8::MAX);
        let first = self.next.wrapping_sub(outstanding) & 7;
        let arrived = nr.wrapping_sub(first) & 7;
        if arrived > outstanding {
            return Err(LinkError::Sequence(nr));
        }
        self.unacknowledged.drain(..usize::from(arrived));
        Ok(())
    }

    /// What was sent and not acknowledged will be sent again.
    pub(super) fn rewind(&mut self) {
        while let Some(segment) = self.unacknowledged.pop_back() {
            self.next = self.next.wrapping_sub(1) & 7;
            self.unsent.push_front(segment);
        }
    }

    /// Sends as many information frames as the window allows, the last one passing the turn.
    pub(super) fn burst(&mut self, out: &mut VecDeque<Vec<u8>>) -> bool {
        let room = usize::from(self.agreed.window_transmit).saturating_sub(self.unacknowledged.len());
        let count = room.min(self.unsent.len());
        for index in 0..count {
            let Some(segment) = self.unsent.pop_front() else { break };
            let control =
                Control::Information { ns: self.next, nr: self.expecting, poll: index + 1 == count };
            self.next = (self.next + 1) & 7;
            out.extend(self.encode(control, segment.more, &segment.information));
            self.unacknowledged.push_back(segment);
        }
        count > 0
    }

    pub(super) fn take(&mut self, ns: u8, more: bool, information: &[u8]) -> Taken {
        if ns != self.expecting {
            let behind = self.expecting.wrapping_sub(ns) & 7;
            return if behind <= self.agreed.window_receive { Taken::Duplicate } else { Taken::Gap };
        }
        self.expecting = (self.expecting + 1) & 7;
        if self.inbox.len() + information.len() > self.max_message {
            self.inbox = Vec::new();
            return Taken::Refused(LinkError::TooLong(self.max_message));
        }
        self.inbox.extend_from_slice(information);
        if more {
            return Taken::Part;
        }
        let message = core::mem::take(&mut self.inbox);
        without_llc(message).map_or_else(Taken::Refused, Taken::Whole)
    }

    pub(super) fn encode(&self, control: Control, segmented: bool, information: &[u8]) -> Option<Vec<u8>> {
        let frame = Frame {
            destination: self.peer,
            source: self.own,
            control,
            segmented,
            information: information.to_vec(),
        };
        // Segments are cut to the agreed size, which always fits a frame.
        frame.encode().ok()
    }
}

pub(super) fn without_llc(mut message: Vec<u8>) -> Result<Vec<u8>, LinkError> {
    if message.starts_with(&LLC_REQUEST) || message.starts_with(&LLC_RESPONSE) {
        message.drain(..3);
        Ok(message)
    } else {
        Err(LinkError::Llc)
    }
}
