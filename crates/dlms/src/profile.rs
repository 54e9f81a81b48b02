//! Profile rows where they lie: the fast way through a push or an answer full of readings.
//!
//! [`crate::Data`] is a tree with an allocation for every row; a head-end that hears a city takes the
//! rows from the message instead.
//!
//! ```
//! use dlms::profile::{Cell, Rows, notification};
//! // A push of two rows: a clock (then null: one period later) and a register.
//! let apdu = [
//!     &[0x0F, 0, 0, 0, 1, 0, 1, 2][..],
//!     &[2, 2, 9, 12, 7, 0xE9, 1, 1, 3, 0, 15, 0, 0, 0, 0, 0, 6, 0, 0, 0, 5],
//!     &[2, 2, 0, 6, 0, 0, 0, 7],
//! ]
//! .concat();
//! let push = notification(&apdu)?;
//! let mut rows = Rows::new(push.body)?;
//! let mut cells = Vec::new();
//! let mut sum = 0;
//! while rows.read_row(&mut cells)? {
//!     if let [_clock, Cell::Unsigned(energy)] = cells.as_slice() {
//!         sum += energy;
//!     }
//! }
//! assert_eq!(sum, 12);
//! # Ok::<(), dlms::wire::DecodeError>(())
//! ```

#[cfg(test)]
mod tests;

use crate::wire::{DecodeError, MAX_DEPTH, Reader, Why};

/// One value of a row, borrowed from the message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing: as in the row before, for a clock one period later.
    Null,
    /// double-long-unsigned, unsigned, long-unsigned, long64-unsigned and enum.
    Unsigned(u64),
    /// double-long, integer, long, long64 and bcd.
    Signed(i64),
    /// octet-string, date-time, date and time.
    Octets(&'a [u8]),
    /// A value of any other type, with its tag.
    Other(&'a [u8]),
}

impl Cell<'_> {
    /// The number, if it is one that fits.
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Unsigned(value) => i64::try_from(*value).ok(),
            Self::Signed(value) => Some(*value),
            _ => None,
        }
    }
}

/// A data-notification of which only the head was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notification<'a> {
    /// `long-invoke-id-and-priority`.
    pub long_invoke: u32,
    /// When it was made: empty, or a COSEM date-time of 12 bytes.
    pub at: &'a [u8],
    /// The value told, encoded.
    pub body: &'a [u8],
}

/// Reads the head of a data-notification.
///
/// # Errors
/// [`DecodeError`] with the offset in `apdu`.
pub fn notification(apdu: &[u8]) -> Result<Notification<'_>, DecodeError> {
    let mut reader = Reader::new(apdu);
    let tag = reader.u8()?;
    if tag != 0x0F {
        return Err(reader.fail_back(Why::UnknownApdu(tag)));
    }
    let long_invoke = reader.u32()?;
    let at = crate::apdu::read_time(&mut reader)?;
    Ok(Notification { long_invoke, at, body: reader.rest() })
}

/// Rows of an encoded array of structures.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Rows<'a> {
    /// The rows of `body`, an array of structures and nothing else.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset in `body`.
    pub fn new(body: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let tag = reader.u8()?;
        if tag != 1 {
            return Err(reader.fail_back(Why::Unexpected("profile rows that are not an array")));
        }
        let left = reader.length()?;
        Ok(Self { reader, left })
    }

    /// The rows of the first array of structures inside `body`: itself, or an element of the structure
    /// that a push makes of its objects. None if there is no such array.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset in `body`.
    pub fn find(body: &'a [u8]) -> Result<Option<Self>, DecodeError> {
        if body.first() == Some(&1) {
            return Self::new(body).map(Some);
        }
        let mut reader = Reader::new(body);
        if reader.u8()? != 2 {
            return Ok(None);
        }
        for _ in 0..reader.length()? {
            let element = reader;
            if reader.peek() == Some(1) {
                let mut inside = element;
                inside.u8()?;
                let left = inside.length()?;
                if left == 0 || inside.peek() == Some(2) {
                    return Ok(Some(Self { reader: inside, left }));
                }
            }
            skip(&mut reader, 0)?;
        }
        Ok(None)
    }

    /// How many rows are still to come.
    pub const fn left(&self) -> usize {
        self.left
    }

    /// What follows the rows read so far; after the last, what follows the array.
    pub fn rest(&self) -> &'a [u8] {
        self.reader.rest()
    }

    /// Reads the next row into `cells`, whose old contents go. False after the last row.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset in the body; the rows then end.
    pub fn read_row(&mut self, cells: &mut Vec<Cell<'a>>) -> Result<bool, DecodeError> {
        cells.clear();
        if self.left == 0 {
            return Ok(false);
        }
        let remaining = core::mem::take(&mut self.left);
        let tag = self.reader.u8()?;
        if tag != 2 {
            return Err(self.reader.fail_back(Why::Unexpected("a profile row that is not a structure")));
        }
        for _ in 0..self.reader.length()? {
            cells.push(read_cell(&mut self.reader)?);
        }
        self.left = remaining - 1;
        Ok(true)
    }
}

#[inline]
fn read_cell<'a>(reader: &mut Reader<'a>) -> Result<Cell<'a>, DecodeError> {
    let start = *reader;
    Ok(match reader.u8()? {
        0 => Cell::Null,
        6 => Cell::Unsigned(u64::from(reader.u32()?)),
        17 | 22 => Cell::Unsigned(u64::from(reader.u8()?)),
        18 => Cell::Unsigned(u64::from(reader.u16()?)),
        21 => Cell::Unsigned(u64::from_be_bytes(reader.array()?)),
        5 => Cell::Signed(i64::from(i32::from_be_bytes(reader.array()?))),
        13 | 15 => Cell::Signed(i64::from(i8::from_be_bytes(reader.array()?))),
        16 => Cell::Signed(i64::from(i16::from_be_bytes(reader.array()?))),
        20 => Cell::Signed(i64::from_be_bytes(reader.array()?)),
        9 => Cell::Octets(reader.octets()?),
        25 => Cell::Octets(reader.take(12)?),
        26 => Cell::Octets(reader.take(5)?),
        27 => Cell::Octets(reader.take(4)?),
        _ => {
            *reader = start;
            skip(reader, 0)?;
            let used = reader.at() - start.at();
            Cell::Other(start.rest().get(..used).unwrap_or_default())
        }
    })
}

/// Steps over one value.
fn skip(reader: &mut Reader<'_>, depth: usize) -> Result<(), DecodeError> {
    if depth > MAX_DEPTH {
        return Err(reader.fail(Why::TooDeep));
    }
    let start = *reader;
    let length = match reader.u8()? {
        1 | 2 => {
            for _ in 0..reader.length()? {
                skip(reader, depth + 1)?;
            }
            0
        }
        0 | 255 => 0,
        3 | 13 | 15 | 17 | 22 => 1,
        16 | 18 => 2,
        5 | 6 | 23 | 27 => 4,
        26 => 5,
        20 | 21 | 24 => 8,
        25 => 12,
        9 | 10 | 12 => reader.length()?,
        4 => reader.count()?.div_ceil(8),
        _ => {
            // Rare enough to be built and thrown away.
            *reader = start;
            crate::Data::read(reader)?;
            0
        }
    };
    reader.take(length)?;
    Ok(())
}
