//! Lines of a stream, in a buffer of fixed size whatever their length.

use crate::limits;
use memchr::memchr;
use std::io::{self, Read};

/// Bytes asked of the input at once.
const CHUNK: usize = 64 * 1024;

/// Splits a stream into lines without copying them.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    number: u64,
    ended: bool,
}

/// A line without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The whole of it.
    Whole(&'a [u8]),
    /// The beginning of one that is longer than [`limits::LINE`]; the rest is passed over.
    TooLong(&'a [u8]),
}

impl<R: Read> Lines<R> {
    /// The lines of `input`.
    pub fn new(input: R) -> Self {
        Self { input, buffer: vec![0; limits::LINE + CHUNK], from: 0, to: 0, number: 0, ended: false }
    }

    /// The number of the line that was handed out last, from 1.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The next line with its number. A byte order mark before the first is passed over.
    ///
    /// # Errors
    /// What the input says.
    pub fn next_line(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        let mut searched = 0;
        loop {
            let held = self.buffer.get(self.from..self.to).unwrap_or_default();
            if let Some(at) = memchr(b'\n', held.get(searched..).unwrap_or_default()) {
                let (from, end) = (self.from, self.from + searched + at);
                self.from = end + 1;
                return Ok(Some(self.hand_out(from, end)));
            }
            searched = held.len();
            if searched > limits::LINE {
                return self.too_long().map(Some);
            }
            if !self.fill()? {
                if self.from == self.to {
                    return Ok(None);
                }
                let (from, end) = (self.from, self.to);
                self.from = self.to;
                return Ok(Some(self.hand_out(from, end)));
            }
        }
    }

    fn hand_out(&mut self, from: usize, end: usize) -> (u64, Line<'_>) {
        self.number += 1;
        let line = self.buffer.get(from..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = if self.number == 1 { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line) } else { line };
        (
            self.number,
            if line.len() > limits::LINE { Line::TooLong(excerpt(line)) } else { Line::Whole(line) },
        )
    }

    /// Keeps the head of the line and reads on to its end.
    fn too_long(&mut self) -> io::Result<(u64, Line<'_>)> {
        let head = excerpt(self.buffer.get(self.from..self.to).unwrap_or_default()).len();
        self.buffer.copy_within(self.from..self.from + head, 0);
        loop {
            let tail = self.buffer.get_mut(head..).unwrap_or_default();
            let read = read_some(&mut self.input, tail)?;
            let read = tail.get(..read).unwrap_or_default();
            if read.is_empty() {
                (self.from, self.to, self.ended) = (head, head, true);
                break;
            }
            if let Some(at) = memchr(b'\n', read) {
                (self.from, self.to) = (head + at + 1, head + read.len());
                break;
            }
        }
        self.number += 1;
        Ok((self.number, Line::TooLong(self.buffer.get(..head).unwrap_or_default())))
    }

    /// Reads more behind what is held; `false` at the end of the input.
    fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        if self.buffer.len() - self.to < CHUNK {
            self.buffer.copy_within(self.from..self.to, 0);
            self.to -= self.from;
            self.from = 0;
        }
        let read = read_some(&mut self.input, self.buffer.get_mut(self.to..).unwrap_or_default())?;
        self.to += read;
        self.ended = read == 0;
        Ok(read > 0)
    }
}

fn excerpt(line: &[u8]) -> &[u8] {
    line.get(..limits::EXCERPT).unwrap_or(line)
}

fn read_some(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8]) -> Vec<(u64, Vec<u8>, bool)> {
        let mut lines = Lines::new(bytes);
        let mut found = Vec::new();
        while let Some((number, line)) = lines.next_line().unwrap() {
            found.push(match line {
                Line::Whole(line) => (number, line.to_vec(), true),
                Line::TooLong(line) => (number, line.to_vec(), false),
            });
        }
        found
    }

    #[test]
    fn an_endless_line_is_passed_over() {
        let mut bytes = b"first\r\n".to_vec();
        bytes.extend(std::iter::repeat_n(b'x', 3 * limits::LINE));
        bytes.extend(b"\nlast");
        let lines = all(&bytes);
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0], (1, b"first".to_vec(), true));
        assert_eq!((lines[1].0, lines[1].1.len(), lines[1].2), (2, limits::EXCERPT, false));
        assert_eq!(lines[2], (3, b"last".to_vec(), true));
        assert_eq!(all(&bytes[..bytes.len() - 5]).len(), 2, "an endless line at the end");
    }

    proptest! {
        #[test]
        fn lines_are_those_of_a_split(lines in prop::collection::vec("[a-z]{0,9}", 1..300)) {
            let found = all(lines.join("\n").as_bytes());
            let mut wanted: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
            while wanted.last().is_some_and(|line| line.is_empty()) {
                wanted.pop();
            }
            let mut found: Vec<Vec<u8>> = found.into_iter().map(|(_, line, _)| line).collect();
            while found.last().is_some_and(Vec::is_empty) {
                found.pop();
            }
            prop_assert_eq!(found, wanted);
        }
    }
}
