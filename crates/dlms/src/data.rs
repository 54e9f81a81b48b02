//! The data type of COSEM attributes.

mod codec;
mod compact;
mod json;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use json::hex;

/// A COSEM value.
///
/// Standard: IEC 62056-6-2, common data types; the number before each is its A-XDR tag.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// 0: nothing; in a profile row "as in the row before, one period later".
    Null,
    /// 1: values of one type.
    Array(Vec<Self>),
    /// 2: values of several types.
    Structure(Vec<Self>),
    /// 3.
    Boolean(bool),
    /// 4: bits, first bit in the highest bit of the first byte.
    BitString(BitString),
    /// 5.
    DoubleLong(i32),
    /// 6.
    DoubleLongUnsigned(u32),
    /// 9.
    OctetString(Vec<u8>),
    /// 10: ASCII.
    VisibleString(Vec<u8>),
    /// 12.
    Utf8String(String),
    /// 13.
    Bcd(i8),
    /// 15.
    Integer(i8),
    /// 16.
    Long(i16),
    /// 17.
    Unsigned(u8),
    /// 18.
    LongUnsigned(u16),
    /// 19: type description and contents, as on the wire; see `expand`.
    CompactArray(Vec<u8>),
    /// 20.
    Long64(i64),
    /// 21.
    Long64Unsigned(u64),
    /// 22.
    Enum(u8),
    /// 23.
    Float32(f32),
    /// 24.
    Float64(f64),
    /// 25.
    DateTime([u8; 12]),
    /// 26.
    Date([u8; 5]),
    /// 27.
    Time([u8; 4]),
    /// 255.
    DontCare,
}

/// Bits and how many of them count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitString {
    /// Packed, first bit highest.
    pub bytes: Vec<u8>,
    /// Number of bits; `bytes` holds exactly enough.
    pub bits: usize,
}
