//! An input that ends in an error where one piece of XML grows without bound.

use crate::limits;
use std::io::{self, BufRead, Read};

/// Counts the bytes since the last piece of XML that was read whole.
#[derive(Debug)]
pub(crate) struct Guard<R> {
    input: R,
    since: usize,
}

impl<R> Guard<R> {
    pub(crate) const fn new(input: R) -> Self {
        Self { input, since: 0 }
    }

    /// A piece was read whole.
    #[inline]
    pub(crate) const fn whole(&mut self) {
        self.since = 0;
    }
}

impl<R: BufRead> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.since += read;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Guard<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.since > limits::LINE {
            let what = format!("a tag, text or comment is longer than {} bytes", limits::LINE);
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        self.input.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.since += count;
        self.input.consume(count);
    }
}
