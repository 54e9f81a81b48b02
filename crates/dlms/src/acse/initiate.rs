//! What both sides agree on when an association opens.

use crate::wire::{DecodeError, Reader, Why, put_octets};

/// Which services are proposed or agreed on, as the standard's 24 bits; bit 0 of the standard is the
/// highest (0x80_0000).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Conformance(pub u32);

impl Conformance {
    /// Signing and the like through general-protection.
    pub const GENERAL_PROTECTION: Self = Self(0x40_0000);
    /// General block transfer.
    pub const GENERAL_BLOCK_TRANSFER: Self = Self(0x20_0000);
    /// Attribute 0 in set.
    pub const ATTRIBUTE0_SET: Self = Self(0x00_8000);
    /// Priorities.
    pub const PRIORITY: Self = Self(0x00_4000);
    /// Attribute 0 in get.
    pub const ATTRIBUTE0_GET: Self = Self(0x00_2000);
    /// Blocks in get.
    pub const BLOCK_GET: Self = Self(0x00_1000);
    /// Blocks in set.
    pub const BLOCK_SET: Self = Self(0x00_0800);
    /// Blocks in action.
    pub const BLOCK_ACTION: Self = Self(0x00_0400);
    /// Several attributes or methods at once.
    pub const MULTIPLE_REFERENCES: Self = Self(0x00_0200);
    /// Data-notification.
    pub const DATA_NOTIFICATION: Self = Self(0x00_0080);
    /// The access service.
    pub const ACCESS: Self = Self(0x00_0040);
    /// Get.
    pub const GET: Self = Self(0x00_0010);
    /// Set.
    pub const SET: Self = Self(0x00_0008);
    /// Selective access.
    pub const SELECTIVE_ACCESS: Self = Self(0x00_0004);
    /// Event-notification.
    pub const EVENT_NOTIFICATION: Self = Self(0x00_0002);
    /// Action.
    pub const ACTION: Self = Self(0x00_0001);

    /// Whether every service of `services` is in.
    pub const fn has(self, services: Self) -> bool {
        self.0 & services.0 == services.0
    }

    /// The services of either.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The services of both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl core::fmt::Debug for Conformance {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(out, "Conformance({:06x})", self.0)
    }
}

/// What the client proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitiateRequest {
    /// A key for this association only.
    pub dedicated_key: Option<Vec<u8>>,
    /// Whether answers are wanted; true unless said otherwise.
    pub response_allowed: bool,
    /// Quality of service; no meter is known to care.
    pub quality_of_service: Option<u8>,
    /// 6.
    pub dlms_version: u8,
    /// Services proposed.
    pub conformance: Conformance,
    /// The longest APDU the client takes, bytes; 0 is no limit.
    pub max_pdu: u16,
}

/// What the server agrees to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitiateResponse {
    /// Quality of service.
    pub quality_of_service: Option<u8>,
    /// 6.
    pub dlms_version: u8,
    /// Services agreed on.
    pub conformance: Conformance,
    /// The longest APDU the server takes, bytes; 0 is no limit.
    pub max_pdu: u16,
    /// 0x0007 with logical names.
    pub vaa_name: u16,
}

/// The version both sides must name.
const DLMS_VERSION: u8 = 6;

impl InitiateRequest {
    /// A request for `conformance` that takes APDUs of `max_pdu` bytes.
    pub const fn new(conformance: Conformance, max_pdu: u16) -> Self {
        Self {
            dedicated_key: None,
            response_allowed: true,
            quality_of_service: None,
            dlms_version: DLMS_VERSION,
            conformance,
            max_pdu,
        }
    }

    /// The APDU, tag 0x01.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![0x01];
        match &self.dedicated_key {
            Some(key) => {
                out.push(1);
                put_octets(&mut out, key);
            }
            None => out.push(0),
        }
        // DEFAULT TRUE: absent means true.
        if self.response_allowed {
            out.push(0);
        } else {
            out.extend_from_slice(&[1, 0]);
        }
        put_optional(&mut out, self.quality_of_service);
        out.push(self.dlms_version);
        put_conformance(&mut out, self.conformance);
        out.extend_from_slice(&self.max_pdu.to_be_bytes());
        out
    }

    /// Reads the APDU.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        expect_tag(&mut reader, 0x01)?;
        let dedicated_key = if reader.flag()? { Some(reader.octets()?.to_vec()) } else { None };
        let response_allowed = if reader.flag()? { reader.flag()? } else { true };
        let request = Self {
            dedicated_key,
            response_allowed,
            quality_of_service: read_optional(&mut reader)?,
            dlms_version: reader.u8()?,
            conformance: read_conformance(&mut reader)?,
            max_pdu: reader.u16()?,
        };
        reader.end()?;
        Ok(request)
    }
}

impl InitiateResponse {
    /// A response with logical names.
    pub const fn new(conformance: Conformance, max_pdu: u16) -> Self {
        Self { quality_of_service: None, dlms_version: DLMS_VERSION, conformance, max_pdu, vaa_name: 7 }
    }

    /// The APDU, tag 0x08.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![0x08];
        put_optional(&mut out, self.quality_of_service);
        out.push(self.dlms_version);
        put_conformance(&mut out, self.conformance);
        out.extend_from_slice(&self.max_pdu.to_be_bytes());
        out.extend_from_slice(&self.vaa_name.to_be_bytes());
        out
    }

    /// Reads the APDU.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        expect_tag(&mut reader, 0x08)?;
        let response = Self {
            quality_of_service: read_optional(&mut reader)?,
            dlms_version: reader.u8()?,
            conformance: read_conformance(&mut reader)?,
            max_pdu: reader.u16()?,
            vaa_name: reader.u16()?,
        };
        reader.end()?;
        Ok(response)
    }
}

fn expect_tag(reader: &mut Reader<'_>, tag: u8) -> Result<(), DecodeError> {
    let found = reader.u8()?;
    if found == tag { Ok(()) } else { Err(reader.fail_back(Why::UnknownApdu(found))) }
}

fn put_optional(out: &mut Vec<u8>, value: Option<u8>) {
    match value {
        Some(value) => out.extend_from_slice(&[1, value]),
        None => out.push(0),
    }
}

fn read_optional(reader: &mut Reader<'_>) -> Result<Option<u8>, DecodeError> {
    if reader.flag()? { reader.u8().map(Some) } else { Ok(None) }
}

/// [APPLICATION 31] IMPLICIT BIT STRING in BER: tag 5F 1F, four bytes, no unused bits, 24 bits.
fn put_conformance(out: &mut Vec<u8>, conformance: Conformance) {
    let [_, a, b, c] = conformance.0.to_be_bytes();
    out.extend_from_slice(&[0x5F, 0x1F, 0x04, 0x00, a, b, c]);
}

fn read_conformance(reader: &mut Reader<'_>) -> Result<Conformance, DecodeError> {
    let tag = reader.u8()?;
    if tag != 0x5F {
        return Err(reader.fail_back(Why::UnknownChoice(tag)));
    }
    // Old meters leave the second byte of the tag out.
    if reader.peek() == Some(0x1F) {
        reader.u8()?;
    }
    let at = reader.at();
    match reader.octets()? {
        [_, a, b, c] => Ok(Conformance(u32::from_be_bytes([0, *a, *b, *c]))),
        _ => Err(DecodeError { at, why: Why::Unexpected("a conformance that is not 24 bits") }),
    }
}
