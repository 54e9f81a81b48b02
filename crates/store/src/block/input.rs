//! Reading packed bytes, every access checked.

use super::BlockError;

/// Packed bytes and how far they were read.
pub(crate) struct Input<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Input<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, BlockError> {
        let byte = self.bytes.get(self.at).copied().ok_or(BlockError::Short(self.at))?;
        self.at += 1;
        Ok(byte)
    }

    /// The next `length` bytes.
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], BlockError> {
        let end = self.at.saturating_add(length);
        let bytes = self.bytes.get(self.at..end).ok_or(BlockError::Short(self.bytes.len()))?;
        self.at = end;
        Ok(bytes)
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, BlockError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(BlockError::Nonsense(self.at))
    }

    /// A varint that counts something in memory.
    pub(crate) fn count(&mut self) -> Result<usize, BlockError> {
        Ok(usize::try_from(self.varint()?).unwrap_or(usize::MAX))
    }

    pub(crate) fn signed(&mut self) -> Result<i64, BlockError> {
        Ok(unzigzag(self.varint()?))
    }
}

pub(crate) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

pub(crate) const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

pub(crate) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(low_byte(value) | 0x80);
        value >>= 7;
    }
    out.push(low_byte(value));
}

pub(crate) fn put_signed(value: i64, out: &mut Vec<u8>) {
    put_varint(zigzag(value), out);
}

#[expect(clippy::cast_possible_truncation, reason = "the rest of the bits is what the caller keeps")]
pub(crate) const fn low_byte(bits: u64) -> u8 {
    bits as u8
}
