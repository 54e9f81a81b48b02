//! Reading and writing A-XDR: a bounded cursor, the length encoding and what can be wrong with bytes.
//!
//! Standard: IEC 61334-6 (A-XDR).

/// Why bytes are no value, and where that was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("decode byte {at}: {why}")]
pub struct DecodeError {
    /// Offset from the start of the bytes that were given, 0-based.
    pub at: usize,
    /// What was wrong there.
    pub why: Why,
}

/// What is wrong with bytes that do not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The bytes end inside a value.
    #[error("the bytes end inside a value that needs {missing} more")]
    Truncated {
        /// How many bytes are missing at least.
        missing: usize,
    },
    /// A tag that names no data type.
    #[error("0x{0:02x} is no data type")]
    UnknownType(u8),
    /// A tag that names no APDU.
    #[error("0x{0:02x} is no APDU")]
    UnknownApdu(u8),
    /// A choice inside an APDU that does not exist.
    #[error("0x{0:02x} is no known choice here")]
    UnknownChoice(u8),
    /// A length of more than four bytes, or of no bytes.
    #[error("0x{0:02x} starts no length")]
    BadLength(u8),
    /// A length or count that the remaining bytes cannot hold.
    #[error("a length of {length} where {left} bytes are left")]
    TooLong {
        /// The length written.
        length: usize,
        /// What is left.
        left: usize,
    },
    /// Arrays or structures inside each other beyond [`MAX_DEPTH`].
    #[error("values nest deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A value decodes to more elements than [`MAX_ELEMENTS`].
    #[error("a value of more than {MAX_ELEMENTS} elements")]
    TooMany,
    /// Bytes after the end.
    #[error("{0} bytes follow the end of the message")]
    Trailing(usize),
    /// Text that is not UTF-8.
    #[error("a UTF-8 string that is not UTF-8")]
    NotUtf8,
    /// A value that the standard does not allow in this place.
    #[error("{0}")]
    Unexpected(&'static str),
}

/// How deep arrays and structures may nest.
pub const MAX_DEPTH: usize = 16;
/// How many elements one message may hold, nested ones included.
pub const MAX_ELEMENTS: usize = 65_536;

/// A cursor that never reads past its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// A cursor into `bytes` that stands at `at` already, so that errors name offsets of the whole.
    pub(crate) const fn at_offset(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    #[inline]
    pub(crate) fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.left() == 0
    }

    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(crate) const fn fail(&self, why: Why) -> DecodeError {
        DecodeError { at: self.at, why }
    }

    /// An error about the byte read last.
    pub(crate) const fn fail_back(&self, why: Why) -> DecodeError {
        DecodeError { at: self.at.saturating_sub(1), why }
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[cold]
    fn short(&self, count: usize) -> DecodeError {
        self.fail(Why::Truncated { missing: count.saturating_sub(self.left()) })
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        let Some(byte) = self.peek() else { return Err(self.short(1)) };
        self.at += 1;
        Ok(byte)
    }

    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let Some(taken) = self.rest().get(..count) else { return Err(self.short(count)) };
        self.at += count;
        Ok(taken)
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let Some(array) = self.rest().first_chunk::<N>() else { return Err(self.short(N)) };
        self.at += N;
        Ok(*array)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    /// A length or count as written, not yet compared with anything.
    #[inline]
    pub(crate) fn count(&mut self) -> Result<usize, DecodeError> {
        match self.u8()? {
            short @ 0..=0x7F => Ok(usize::from(short)),
            first => self.long_count(first),
        }
    }

    fn long_count(&mut self, first: u8) -> Result<usize, DecodeError> {
        match first {
            0x81..=0x84 => {
                let mut value: u32 = 0;
                for _ in 0x80..first {
                    value = value << 8 | u32::from(self.u8()?);
                }
                usize::try_from(value).map_err(|_| self.fail_back(Why::BadLength(first)))
            }
            _ => Err(self.fail_back(Why::BadLength(first))),
        }
    }

    /// A length in bytes that the rest can hold.
    #[inline]
    pub(crate) fn length(&mut self) -> Result<usize, DecodeError> {
        let at = self.at;
        let length = self.count()?;
        let left = self.left();
        if length > left {
            return Err(DecodeError { at, why: Why::TooLong { length, left } });
        }
        Ok(length)
    }

    /// A length and as many bytes.
    #[inline]
    pub(crate) fn octets(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.length()?;
        self.take(length)
    }

    /// An A-XDR OPTIONAL or BOOLEAN: 0 is absent, anything else present.
    pub(crate) fn flag(&mut self) -> Result<bool, DecodeError> {
        Ok(self.u8()? != 0)
    }

    pub(crate) fn end(&self) -> Result<(), DecodeError> {
        match self.left() {
            0 => Ok(()),
            left => Err(self.fail(Why::Trailing(left))),
        }
    }
}

/// Writes a length or count in its shortest form.
pub(crate) fn put_length(out: &mut Vec<u8>, length: usize) {
    let bytes = (length as u64).to_be_bytes();
    if length < 0x80 {
        out.push(bytes[7]);
        return;
    }
    let skip = bytes.iter().take_while(|byte| **byte == 0).count().min(7);
    let used = bytes.get(skip..).unwrap_or_default();
    out.push(0x80 | used.len().to_be_bytes().last().copied().unwrap_or(0));
    out.extend_from_slice(used);
}

/// Writes a length and the bytes.
pub(crate) fn put_octets(out: &mut Vec<u8>, octets: &[u8]) {
    put_length(out, octets.len());
    out.extend_from_slice(octets);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (length, wire) in [
            (0usize, "00"),
            (0x7F, "7f"),
            (0x80, "8180"),
            (0xFF, "81ff"),
            (0x100, "820100"),
            (0x1_0000, "83010000"),
        ] {
            let mut out = Vec::new();
            put_length(&mut out, length);
            let written: String = out.iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(written, wire);
            assert_eq!(Reader::new(&out).count(), Ok(length));
        }
        assert_eq!(Reader::new(&[0x80]).count(), Err(DecodeError { at: 0, why: Why::BadLength(0x80) }));
        assert_eq!(
            Reader::new(&[0x82, 0xFF, 0xFF, 1]).length(),
            Err(DecodeError { at: 0, why: Why::TooLong { length: 0xFFFF, left: 1 } })
        );
    }
}
