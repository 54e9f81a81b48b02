//! Formats whose records are lines: one loop over them for all.

use crate::item::Item;
use crate::limits;
use crate::lines::{Line, Lines};
use crate::refusal::{ReadError, Reason, Refusal};
use std::collections::VecDeque;
use std::io::Read;

/// What makes items of the lines of a format.
pub(crate) trait Records {
    /// Takes a line in; what it comes to goes into `out`.
    fn line(&mut self, number: u64, line: &[u8], out: &mut VecDeque<Item>) -> Result<(), ReadError>;

    /// A line was longer than any record may be; it is refused after this.
    fn too_long(&mut self, _out: &mut VecDeque<Item>) {}

    /// The last of `lines` lines was taken in.
    fn end(&mut self, lines: u64, out: &mut VecDeque<Item>);
}

/// Items out of lines, one by one.
#[derive(Debug)]
pub(crate) struct ByLine<R, T> {
    lines: Lines<R>,
    records: T,
    out: VecDeque<Item>,
    ended: bool,
}

impl<R: Read, T: Records> ByLine<R, T> {
    pub(crate) fn new(input: R, records: T) -> Self {
        Self { lines: Lines::new(input), records, out: VecDeque::new(), ended: false }
    }

    pub(crate) const fn records(&self) -> &T {
        &self.records
    }

    pub(crate) fn next(&mut self) -> Result<Option<Item>, ReadError> {
        loop {
            if let Some(item) = self.out.pop_front() {
                return Ok(Some(item));
            }
            if self.ended {
                return Ok(None);
            }
            match self.lines.next_line()? {
                None => {
                    self.ended = true;
                    self.records.end(self.lines.number(), &mut self.out);
                }
                Some((number, Line::TooLong(head))) => {
                    self.records.too_long(&mut self.out);
                    let reason = Reason::LineTooLong { limit: limits::LINE };
                    self.out.push_back(Item::Refused(Refusal::new(number, reason, head)));
                }
                Some((number, Line::Whole(line))) => self.records.line(number, line, &mut self.out)?,
            }
        }
    }
}
