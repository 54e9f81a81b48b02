//! Wired M-Bus: the long frame, and the answers of meters that speak nothing else.
//!
//! DLMS pushes of some meters travel inside M-Bus frames too; [`LongFrame::is_dlms`] tells them.
//! Deliberately absent: the link's dialogue (selection, addressing) and encryption modes of M-Bus.
//!
//! Standard: EN 13757-2 (frame), EN 13757-3 (application).

mod record;
#[cfg(test)]
mod tests;
mod unit;

pub use record::{Function, MbusRecord, MbusValue};
pub use unit::Quantity;

/// What is wrong with an M-Bus frame, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read M-Bus byte {at}: {why}")]
pub struct MbusError {
    /// Offset in the frame, its first byte 0x68 being 0.
    pub at: usize,
    /// What was wrong there.
    pub why: MbusWhy,
}

/// What is wrong with an M-Bus frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MbusWhy {
    /// No `68 L L 68`.
    #[error("no long frame starts here")]
    NoFrame,
    /// The two lengths differ, or are below 3.
    #[error("the length bytes {0} and {1} are no length written twice")]
    Length(u8, u8),
    /// The capture ends inside the frame.
    #[error("the bytes end {0} short of the frame's end")]
    Truncated(usize),
    /// The sum of the frame's bytes is another.
    #[error("the checksum is 0x{written:02x} where the bytes add up to 0x{computed:02x}")]
    Checksum {
        /// In the frame.
        written: u8,
        /// Of the bytes.
        computed: u8,
    },
    /// No 0x16 at the end.
    #[error("0x{0:02x} stands where the stop byte 0x16 should")]
    NoStop(u8),
    /// The fixed header of a meter's answer does not fit.
    #[error("the frame ends inside the meter's header")]
    ShortHeader,
    /// The frame ends inside a record's data information.
    #[error("the frame ends inside a record's data information (DIF)")]
    EndInDif,
    /// The frame ends inside a record's value information.
    #[error("the frame ends inside a record's value information (VIF)")]
    EndInVif,
    /// The frame ends inside a record's value.
    #[error("the frame ends inside a record's value")]
    EndInValue,
    /// More extensions than the standard allows.
    #[error("a record has more than 10 extensions of its data information (DIFE)")]
    TooManyDife,
    /// More extensions than the standard allows.
    #[error("a record has more than 10 extensions of its value information (VIFE)")]
    TooManyVife,
    /// A value's length byte with no meaning.
    #[error("0x{0:02x} is no length of a variable value")]
    VariableLength(u8),
    /// The meter itself reports an error.
    #[error("the meter reports an application error: {}", application_error(*.0))]
    Application(Option<u8>),
    /// A kind of application data that is not known.
    #[error("control information 0x{0:02x} is not known")]
    ControlInformation(u8),
}

const fn application_error(code: Option<u8>) -> &'static str {
    match code {
        None | Some(0) => "unspecified",
        Some(1) => "unimplemented control information",
        Some(2) => "buffer too long, truncated",
        Some(3) => "too many records",
        Some(4) => "premature end of record",
        Some(5) => "more than 10 DIFEs",
        Some(6) => "more than 10 VIFEs",
        Some(8) => "application busy",
        Some(9) => "too many readouts",
        Some(_) => "of an unknown number",
    }
}

/// A long frame whose length, checksum and stop byte are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongFrame<'a> {
    /// C field.
    pub control: u8,
    /// A field: primary address.
    pub address: u8,
    /// CI field: what the payload is.
    pub control_information: u8,
    /// What follows the CI field.
    pub payload: &'a [u8],
}

/// Bytes of a frame before its payload.
const HEAD: usize = 7;

impl<'a> LongFrame<'a> {
    /// Reads the frame at the start of `bytes`.
    ///
    /// # Errors
    /// [`MbusError`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, MbusError> {
        let fail = |at, why| Err(MbusError { at, why });
        let (length, again) = match bytes {
            [0x68, length, again, 0x68, ..] => (*length, *again),
            _ => return fail(0, MbusWhy::NoFrame),
        };
        if length != again || length < 3 {
            return fail(1, MbusWhy::Length(length, again));
        }
        let end = 4 + usize::from(length);
        let Some((&written, &stop)) = bytes.get(end).zip(bytes.get(end + 1)) else {
            return fail(bytes.len(), MbusWhy::Truncated(end + 2 - bytes.len()));
        };
        let body = bytes.get(4..end).unwrap_or_default();
        let computed = body.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        if written != computed {
            return fail(end, MbusWhy::Checksum { written, computed });
        }
        if stop != 0x16 {
            return fail(end + 1, MbusWhy::NoStop(stop));
        }
        match body {
            [control, address, control_information, payload @ ..] => Ok(Self {
                control: *control,
                address: *address,
                control_information: *control_information,
                payload,
            }),
            _ => fail(1, MbusWhy::Length(length, again)),
        }
    }

    /// Bytes of the whole frame.
    pub const fn length(&self) -> usize {
        self.payload.len() + HEAD + 2
    }

    /// Whether the payload is a segment of a DLMS APDU: CI 0x00 to 0x1F, a source and a destination
    /// access point.
    pub const fn is_dlms(&self) -> bool {
        self.control_information < 0x20
    }

    /// The answer of a meter that speaks M-Bus.
    ///
    /// # Errors
    /// [`MbusError`]; also where the meter answers with an error.
    pub fn answer(&self) -> Result<MbusAnswer, MbusError> {
        match self.control_information {
            0x70 => {
                let why = MbusWhy::Application(self.payload.first().copied());
                Err(MbusError { at: HEAD.min(HEAD - 1 + self.payload.len()), why })
            }
            0x72 => {
                let Some((header, records)) = self.payload.split_first_chunk::<12>() else {
                    return Err(MbusError { at: HEAD + self.payload.len(), why: MbusWhy::ShortHeader });
                };
                let header = MbusHeader::read(header);
                Ok(MbusAnswer { header: Some(header), records: record::read_all(records, HEAD + 12)? })
            }
            0x78 => Ok(MbusAnswer { header: None, records: record::read_all(self.payload, HEAD)? }),
            0x73 => {
                let Some(fixed) = self.payload.first_chunk::<16>() else {
                    return Err(MbusError { at: HEAD + self.payload.len(), why: MbusWhy::ShortHeader });
                };
                Ok(MbusAnswer {
                    header: Some(MbusHeader::read_fixed(fixed)),
                    records: record::read_fixed(fixed),
                })
            }
            other => Err(MbusError { at: HEAD - 1, why: MbusWhy::ControlInformation(other) }),
        }
    }
}

/// What a meter answered.
#[derive(Clone, Debug, PartialEq)]
pub struct MbusAnswer {
    /// Who it is; absent in answers without header.
    pub header: Option<MbusHeader>,
    /// Its values.
    pub records: Vec<MbusRecord>,
}

/// Who a meter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MbusHeader {
    /// Identification number, eight digits of BCD as hex.
    pub id: u32,
    /// Manufacturer: three letters of five bits; none in the fixed structure.
    pub manufacturer: Option<u16>,
    /// Version (generation).
    pub version: Option<u8>,
    /// What is metered.
    pub medium: u8,
    /// Counts the answers.
    pub access: u8,
    /// Status bits.
    pub status: u8,
    /// 0 where nothing is encrypted.
    pub signature: Option<u16>,
}

impl MbusHeader {
    const fn read(header: &[u8; 12]) -> Self {
        let [i0, i1, i2, i3, m0, m1, version, medium, access, status, s0, s1] = *header;
        Self {
            id: u32::from_le_bytes([i0, i1, i2, i3]),
            manufacturer: Some(u16::from_le_bytes([m0, m1])),
            version: Some(version),
            medium,
            access,
            status,
            signature: Some(u16::from_le_bytes([s0, s1])),
        }
    }

    const fn read_fixed(fixed: &[u8; 16]) -> Self {
        let [i0, i1, i2, i3, access, status, first, second, ..] = *fixed;
        let medium = first >> 6 | second >> 4 & 0x0C;
        let id = u32::from_le_bytes([i0, i1, i2, i3]);
        Self { id, manufacturer: None, version: None, medium, access, status, signature: None }
    }

    /// The manufacturer's three letters, if they are letters.
    pub fn manufacturer_letters(&self) -> Option<String> {
        let code = self.manufacturer?;
        let letter = |shift: u16| u8::try_from(code >> shift & 0x1F).ok().map(|bits| char::from(bits + 64));
        Some([10, 5, 0].into_iter().filter_map(letter).collect())
    }

    /// What is metered, in words.
    pub const fn medium_name(&self) -> &'static str {
        match self.medium {
            0x00 => "Other",
            0x01 => "Oil",
            0x02 => "Electricity",
            0x03 => "Gas",
            0x04 => "Heat: Outlet",
            0x05 => "Steam",
            0x06 => "Warm water (30-90°C)",
            0x07 => "Water",
            0x08 => "Heat Cost Allocator",
            0x09 => "Compressed Air",
            0x0A => "Cooling load meter: Outlet",
            0x0B => "Cooling load meter: Inlet",
            0x0C => "Heat: Inlet",
            0x0D => "Heat / Cooling load meter",
            0x0E => "Bus/System",
            0x0F => "Unknown Medium",
            0x15 => "Hot water (>90°C)",
            0x16 => "Cold water",
            0x17 => "Dual water",
            0x18 => "Pressure",
            0x19 => "A/D Converter",
            _ => "Reserved",
        }
    }
}
