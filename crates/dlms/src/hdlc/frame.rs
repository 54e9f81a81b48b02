//! Frames of format type 3 and the decoder that finds them in a byte stream.

use core::fmt;

const FLAG: u8 = 0x7E;
/// The longest frame that the eleven length bits can name, flags not counted.
const MAX_LENGTH: usize = 0x7FF;
/// The shortest: format, two addresses of one byte, control, check.
const MIN_LENGTH: usize = 7;

/// An HDLC address of one, two or four bytes.
///
/// A client has one byte (`logical` is its service access point). A server has one byte (logical
/// device only), two (seven bits each for logical and physical device) or four (fourteen bits each).
///
/// Standard: IEC 62056-46, 6.4.2 extended addressing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// Upper address: the client, or the server's logical device.
    pub logical: u16,
    /// Lower address: the physical device; `None` in the one-byte form.
    pub physical: Option<u16>,
    width: u8,
}

impl Address {
    /// The one-byte form; seven bits count.
    pub const fn short(logical: u8) -> Self {
        Self { logical: (logical & 0x7F) as u16, physical: None, width: 1 }
    }

    /// The shortest form that holds both parts (fourteen bits each count).
    pub const fn server(logical: u16, physical: Option<u16>) -> Self {
        let logical = logical & 0x3FFF;
        match physical {
            None if logical < 0x80 => Self { logical, physical: None, width: 1 },
            None => Self { logical, physical: Some(0), width: 4 },
            Some(physical) => {
                let physical = physical & 0x3FFF;
                let width = if logical < 0x80 && physical < 0x80 { 2 } else { 4 };
                Self { logical, physical: Some(physical), width }
            }
        }
    }

    /// The four-byte form, which some meters insist on.
    pub const fn wide(logical: u16, physical: u16) -> Self {
        Self { logical: logical & 0x3FFF, physical: Some(physical & 0x3FFF), width: 4 }
    }

    /// Bytes on the wire: 1, 2 or 4.
    pub const fn width(self) -> usize {
        self.width as usize
    }

    fn write(self, out: &mut Vec<u8>) {
        let low = |part: u16| u8::try_from(part & 0x7F).unwrap_or(0) << 1;
        let high = |part: u16| u8::try_from(part >> 7 & 0x7F).unwrap_or(0) << 1;
        let physical = self.physical.unwrap_or(0);
        match self.width {
            1 => out.push(low(self.logical) | 1),
            2 => out.extend_from_slice(&[low(self.logical), low(physical) | 1]),
            _ => out.extend_from_slice(&[
                high(self.logical),
                low(self.logical),
                high(physical),
                low(physical) | 1,
            ]),
        }
    }

    /// The address at the start of `bytes`; `None` when the bytes end first.
    fn read(bytes: &[u8]) -> Option<Result<Self, FrameError>> {
        let seven = |byte: u8| u16::from(byte >> 1);
        let end = bytes.iter().take(4).position(|byte| byte & 1 == 1);
        Some(Ok(match (end, bytes) {
            (Some(0), [a, ..]) => Self { logical: seven(*a), physical: None, width: 1 },
            (Some(1), [a, b, ..]) => Self { logical: seven(*a), physical: Some(seven(*b)), width: 2 },
            (Some(3), [a, b, c, d, ..]) => Self {
                logical: seven(*a) << 7 | seven(*b),
                physical: Some(seven(*c) << 7 | seven(*d)),
                width: 4,
            },
            (None, _) if bytes.len() < 4 => return None,
            _ => return Some(Err(FrameError::Address)),
        }))
    }
}

/// What a frame does. `poll` is the poll bit of the client and the final bit of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`ns`, `nr` and `poll` are the standard's own names, told in the variants")]
pub enum Control {
    /// I: number `ns`, expecting `nr` next.
    Information { ns: u8, nr: u8, poll: bool },
    /// RR: ready, expecting `nr` next.
    ReceiveReady { nr: u8, poll: bool },
    /// RNR: not ready, expecting `nr` next.
    ReceiveNotReady { nr: u8, poll: bool },
    /// REJ: send again from `nr`.
    Reject { nr: u8, poll: bool },
    /// SNRM: the client opens the link.
    SetNormalResponseMode { poll: bool },
    /// DISC: the client closes it.
    Disconnect { poll: bool },
    /// UA: the server agrees.
    UnnumberedAcknowledge { poll: bool },
    /// DM: the server has no link.
    DisconnectedMode { poll: bool },
    /// FRMR: the server cannot make sense of a frame.
    FrameReject { poll: bool },
    /// UI: information outside the sequence.
    UnnumberedInformation { poll: bool },
}

impl Control {
    /// The control byte.
    pub const fn byte(self) -> u8 {
        const fn bit(poll: bool) -> u8 {
            if poll { 0x10 } else { 0 }
        }
        match self {
            Self::Information { ns, nr, poll } => (nr & 7) << 5 | bit(poll) | (ns & 7) << 1,
            Self::ReceiveReady { nr, poll } => (nr & 7) << 5 | bit(poll) | 0x01,
            Self::ReceiveNotReady { nr, poll } => (nr & 7) << 5 | bit(poll) | 0x05,
            Self::Reject { nr, poll } => (nr & 7) << 5 | bit(poll) | 0x09,
            Self::SetNormalResponseMode { poll } => 0x83 | bit(poll),
            Self::Disconnect { poll } => 0x43 | bit(poll),
            Self::UnnumberedAcknowledge { poll } => 0x63 | bit(poll),
            Self::DisconnectedMode { poll } => 0x0F | bit(poll),
            Self::FrameReject { poll } => 0x87 | bit(poll),
            Self::UnnumberedInformation { poll } => 0x03 | bit(poll),
        }
    }

    /// The meaning of a control byte.
    ///
    /// # Errors
    /// [`FrameError::Control`] for a byte the standard does not name.
    pub const fn from_byte(byte: u8) -> Result<Self, FrameError> {
        let poll = byte & 0x10 != 0;
        let nr = byte >> 5;
        if byte & 1 == 0 {
            return Ok(Self::Information { ns: byte >> 1 & 7, nr, poll });
        }
        Ok(match (byte & 0x0F, byte & 0xEF) {
            (0x01, _) => Self::ReceiveReady { nr, poll },
            (0x05, _) => Self::ReceiveNotReady { nr, poll },
            (0x09, _) => Self::Reject { nr, poll },
            (_, 0x83) => Self::SetNormalResponseMode { poll },
            (_, 0x43) => Self::Disconnect { poll },
            (_, 0x63) => Self::UnnumberedAcknowledge { poll },
            (_, 0x0F) => Self::DisconnectedMode { poll },
            (_, 0x87) => Self::FrameReject { poll },
            (_, 0x03) => Self::UnnumberedInformation { poll },
            _ => return Err(FrameError::Control(byte)),
        })
    }

    /// Whether the poll or final bit is set.
    pub const fn polls(self) -> bool {
        self.byte() & 0x10 != 0
    }
}

/// A frame, checks verified and flags removed.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// To whom.
    pub destination: Address,
    /// From whom.
    pub source: Address,
    /// What it does.
    pub control: Control,
    /// Whether the message goes on in the next frame.
    pub segmented: bool,
    /// What it carries; empty for most supervisory frames.
    pub information: Vec<u8>,
}

impl fmt::Debug for Frame {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.segmented { ", more" } else { "" };
        let (from, to) = (self.source.logical, self.destination.logical);
        write!(out, "Frame({from} -> {to}, {:?}, {} bytes{more})", self.control, self.information.len())
    }
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Bytes between frames that belong to none.
    #[error("find a frame in {0} bytes: no flag and format type 3 begin one")]
    Garbage(usize),
    /// The length is impossible, or no closing flag stands where it ends.
    #[error("read a frame: no closing flag where its length of {0} ends")]
    Length(usize),
    /// An address is not one, two or four bytes long.
    #[error("read a frame: an address is not 1, 2 or 4 bytes long")]
    Address,
    /// The control byte has no meaning.
    #[error("read a frame: control byte {0:#04x} has no meaning")]
    Control(u8),
    /// The header check sequence is wrong.
    #[error("read a frame: the header check sequence is wrong")]
    HeaderCheck,
    /// The frame check sequence is wrong.
    #[error("read a frame: the frame check sequence is wrong")]
    FrameCheck,
    /// More than 2,030 bytes do not fit a frame.
    #[error("write a frame: {0} bytes of information do not fit")]
    TooLong(usize),
}

impl Frame {
    /// The frame as bytes, opening and closing flag included.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] when the information does not fit eleven length bits.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        let head = 2 + self.destination.width() + self.source.width() + 1;
        let check = if self.information.is_empty() { 0 } else { 2 };
        let length = head + check + self.information.len() + 2;
        if length > MAX_LENGTH {
            return Err(FrameError::TooLong(self.information.len()));
        }
        let segmented = if self.segmented { 0x0800 } else { 0 };
        let format = 0xA000 | segmented | u16::try_from(length).unwrap_or(0);
        let mut bytes = Vec::with_capacity(length + 2);
        bytes.push(FLAG);
        bytes.extend_from_slice(&format.to_be_bytes());
        self.destination.write(&mut bytes);
        self.source.write(&mut bytes);
        bytes.push(self.control.byte());
        if check > 0 {
            let header_check = crc16(&bytes[1..]);
            bytes.extend_from_slice(&header_check.to_le_bytes());
            bytes.extend_from_slice(&self.information);
        }
        let frame_check = crc16(&bytes[1..]);
        bytes.extend_from_slice(&frame_check.to_le_bytes());
        bytes.push(FLAG);
        Ok(bytes)
    }

    /// Reads what stands between two flags.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn decode(body: &[u8]) -> Result<Self, FrameError> {
        match Header::read(body)? {
            Some(header) if header.length == body.len() => header.finish(body),
            _ => Err(FrameError::Length(body.len())),
        }
    }
}

/// The beginning of a frame, which tells how long it is and can be checked before the rest arrives.
struct Header {
    length: usize,
    segmented: bool,
    destination: Address,
    source: Address,
    control: Control,
    /// Where the control byte ends.
    end: usize,
}

impl Header {
    /// `None`: more bytes are needed to tell.
    fn read(body: &[u8]) -> Result<Option<Self>, FrameError> {
        let Some(&format) = body.first() else { return Ok(None) };
        if format & 0xF0 != 0xA0 {
            return Err(FrameError::Garbage(1));
        }
        let Some(&low) = body.get(1) else { return Ok(None) };
        let length = usize::from(format & 0x07) << 8 | usize::from(low);
        if length < MIN_LENGTH {
            return Err(FrameError::Length(length));
        }
        let Some(destination) = Address::read(&body[2..]).transpose()? else { return Ok(None) };
        let at = 2 + destination.width();
        let Some(source) = Address::read(&body[at..]).transpose()? else { return Ok(None) };
        let at = at + source.width();
        let Some(&control) = body.get(at) else { return Ok(None) };
        let end = at + 1;
        // Either nothing but the frame check follows, or a header check and at least one byte too.
        if length != end + 2 && length < end + 5 {
            return Err(FrameError::Length(length));
        }
        if length > end + 2 {
            let Some(check) = body.get(end..end + 2) else { return Ok(None) };
            if crc16(&body[..end]).to_le_bytes() != check {
                return Err(FrameError::HeaderCheck);
            }
        }
        let control = Control::from_byte(control)?;
        Ok(Some(Self { length, segmented: format & 0x08 != 0, destination, source, control, end }))
    }

    /// `body` is as long as the header says.
    fn finish(self, body: &[u8]) -> Result<Frame, FrameError> {
        let (content, check) = body.split_at(self.length - 2);
        if crc16(content).to_le_bytes() != check {
            return Err(FrameError::FrameCheck);
        }
        Ok(Frame {
            destination: self.destination,
            source: self.source,
            control: self.control,
            segmented: self.segmented,
            information: content.get(self.end + 2..).unwrap_or(&[]).to_vec(),
        })
    }
}

/// Finds frames in a byte stream and its way back after garbage.
///
/// Holds at most one unfinished frame (2 KiB) plus what was pushed last. After a broken frame it looks
/// for the next flag inside it, so a frame behind a damaged one is not lost.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    at: usize,
    skipped: usize,
}

impl Decoder {
    /// An empty decoder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes as they came; then call [`Iterator::next`] until it yields `None`.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes held that belong to no finished frame yet.
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.at
    }

    fn garbage(&mut self) -> Option<Result<Frame, FrameError>> {
        let skipped = core::mem::take(&mut self.skipped);
        (skipped > 0).then_some(Err(FrameError::Garbage(skipped)))
    }
}

impl Iterator for Decoder {
    type Item = Result<Frame, FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.buffer.get(self.at..)?;
            let Some(flag) = rest.iter().position(|byte| *byte == FLAG) else {
                self.skipped += rest.len();
                self.at = self.buffer.len();
                return self.garbage();
            };
            if flag > 0 {
                self.skipped += flag;
                self.at += flag;
            }
            let body = &self.buffer[self.at + 1..];
            let header = match Header::read(body) {
                // A closing flag is followed by the next opening one, or by something that is no frame.
                Err(FrameError::Garbage(_)) => {
                    self.at += 1;
                    continue;
                }
                Err(error) => {
                    self.at += 1;
                    self.skipped = 0;
                    return Some(Err(error));
                }
                Ok(None) => return self.garbage(),
                Ok(Some(header)) => header,
            };
            let length = header.length;
            let Some(&end) = body.get(length) else { return self.garbage() };
            if self.skipped > 0 {
                return self.garbage();
            }
            let frame =
                if end == FLAG { header.finish(&body[..length]) } else { Err(FrameError::Length(length)) };
            // The closing flag stays: it may open the next frame. A broken frame is searched again.
            self.at += if frame.is_ok() { length + 1 } else { 1 };
            return Some(frame);
        }
    }
}

const CRC_TABLE: [u16; 256] = {
    let mut table = [0u16; 256];
    let mut index = 0u16;
    while index < 256 {
        let mut crc = index;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x8408 } else { crc >> 1 };
            bit += 1;
        }
        table[index as usize] = crc;
        index += 1;
    }
    table
};

/// CRC-16/X.25, the check of header and frame; sent low byte first.
///
/// Standard: IEC 62056-46, annex on the FCS calculation.
pub fn crc16(bytes: &[u8]) -> u16 {
    let step = |crc: u16, byte: &u8| crc >> 8 ^ CRC_TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)];
    !bytes.iter().fold(0xFFFF, step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_check_of_the_standard() {
        assert_eq!(crc16(b"123456789"), 0x906E);
    }

    #[test]
    fn snrm_as_everybody_sends_it() {
        let frame = Frame {
            destination: Address::short(1),
            source: Address::short(16),
            control: Control::SetNormalResponseMode { poll: true },
            segmented: false,
            information: Vec::new(),
        };
        let bytes = [0x7E, 0xA0, 0x07, 0x03, 0x21, 0x93, 0x0F, 0x01, 0x7E];
        assert_eq!(frame.encode().unwrap(), bytes);
        assert_eq!(Frame::decode(&bytes[1..8]), Ok(frame));
    }

    #[test]
    fn control_bytes_there_and_back() {
        let known = (0..=u8::MAX).filter(|byte| match Control::from_byte(*byte) {
            Ok(control) => {
                assert_eq!(control.byte(), *byte);
                true
            }
            Err(error) => {
                assert_eq!(error, FrameError::Control(*byte));
                false
            }
        });
        // 128 I, 16 each of RR, RNR and REJ, six unnumbered ones with and without the poll bit.
        assert_eq!(known.count(), 128 + 48 + 12);
    }

    #[test]
    fn a_frame_after_garbage_and_after_a_broken_frame_is_found() {
        let frame = Frame {
            destination: Address::server(1, Some(300)),
            source: Address::short(1),
            control: Control::Information { ns: 3, nr: 5, poll: true },
            segmented: true,
            information: b"hello ~~ there".to_vec(),
        };
        let good = frame.encode().unwrap();
        let mut spoilt = good.clone();
        spoilt[14] ^= 1;
        let mut decoder = Decoder::new();
        decoder.push(&[&[0xFF; 9][..], &spoilt, &good, &good[1..]].concat());
        let found: Vec<_> = decoder.by_ref().collect();
        assert_eq!(found.iter().filter(|found| found.as_ref() == Ok(&frame)).count(), 2, "{found:?}");
        assert_eq!(found[0], Err(FrameError::Garbage(9)));
        assert_eq!(found[1], Err(FrameError::FrameCheck));
    }

    proptest! {
        #[test]
        fn any_cutting_gives_the_same_frames(
            logical in 0u16..0x4000,
            physical in prop::option::of(0u16..0x4000),
            information in prop::collection::vec(any::<u8>(), 0..300),
            segmented: bool,
            cut in 1usize..20,
        ) {
            let frame = Frame {
                destination: Address::server(logical, physical),
                source: Address::short(16),
                control: Control::Information { ns: 1, nr: 2, poll: false },
                segmented,
                information,
            };
            let stream = [frame.encode().unwrap(), frame.encode().unwrap()].concat();
            let mut decoder = Decoder::new();
            let mut found = Vec::new();
            for piece in stream.chunks(cut) {
                decoder.push(piece);
                found.extend(decoder.by_ref());
            }
            prop_assert_eq!(found, vec![Ok(frame.clone()), Ok(frame)]);
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x7E), Just(0xA0)], 0..400)) {
            let mut decoder = Decoder::new();
            decoder.push(&bytes);
            let _ = decoder.by_ref().count();
            prop_assert!(decoder.pending() <= MAX_LENGTH + 2);
        }
    }
}
