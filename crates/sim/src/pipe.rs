//! A connection without a socket: bytes in order, in pieces of any size.

use crate::dice::Dice;
use std::collections::VecDeque;

/// One direction of a connection.
///
/// Like TCP it neither loses nor reorders while it is open, and promises nothing about where one piece
/// ends: what was written at once may arrive in many pieces, and what was written in many as one.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    bytes: VecDeque<u8>,
}

impl Pipe {
    /// Writes.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// Whether there is nothing to read.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Reads a piece: mostly all there is, sometimes a part, sometimes a single byte.
    pub(crate) fn read(&mut self, dice: &mut Dice) -> Vec<u8> {
        let most = self.bytes.len();
        let piece = match dice.below(8) {
            0 => 1,
            1 | 2 => 1 + dice.index(most),
            _ => most,
        };
        self.bytes.drain(..piece.min(most)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_pieces_the_bytes_arrive_once_and_in_order() {
        let mut dice = Dice::new(3, 0);
        let mut pipe = Pipe::default();
        let (mut sent, mut got, mut pieces) = (Vec::new(), Vec::new(), 0);
        for round in 0..200u8 {
            let bytes = vec![round; usize::from(round % 7)];
            sent.extend_from_slice(&bytes);
            pipe.write(&bytes);
            if round % 3 == 0 {
                got.extend(pipe.read(&mut dice));
                pieces += 1;
            }
        }
        while !pipe.is_empty() {
            got.extend(pipe.read(&mut dice));
            pieces += 1;
        }
        assert_eq!(got, sent);
        assert!(pieces > 67, "{pieces}");
    }
}
