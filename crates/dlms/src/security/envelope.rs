//! Protected APDUs: what goes around the text.

use super::{Cipher, Key, Keys, Protection, SecurityControl, SecurityError, SystemTitle, check_counter};
use crate::wire::{Reader, put_length, put_octets};

/// Which form a protected APDU takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Envelope {
    /// Tag by service, global key; the title is known from the association.
    Glo,
    /// Tag by service, dedicated key.
    Ded,
    /// 0xDB: any APDU, global key, with the sender's title.
    GeneralGlo,
    /// 0xDC: any APDU, dedicated key, with the sender's title.
    GeneralDed,
}

impl Envelope {
    /// The form of a protected APDU with this first byte.
    pub const fn of_tag(tag: u8) -> Option<Self> {
        match tag {
            0x21 | 0x28 | 0x2E | 0xC8..=0xCD | 0xCF => Some(Self::Glo),
            0xD0..=0xD5 | 0xD7 => Some(Self::Ded),
            0xDB => Some(Self::GeneralGlo),
            0xDC => Some(Self::GeneralDed),
            _ => None,
        }
    }

    /// The first byte for a plain APDU that starts with `plain`.
    ///
    /// # Errors
    /// [`SecurityError::NoServiceTag`] where the service has no form of its own.
    pub const fn tag(self, plain: u8) -> Result<u8, SecurityError> {
        match (self, plain) {
            (Self::GeneralGlo, _) => Ok(0xDB),
            (Self::GeneralDed, _) => Ok(0xDC),
            // The dedicated key travels inside initiate-request, so that one always takes the global key.
            (_, 0x01 | 0x08 | 0x0E) => Ok(plain | 0x20),
            (Self::Glo, 0xC0..=0xC5 | 0xC7) => Ok(plain + 0x08),
            (Self::Ded, 0xC0..=0xC5 | 0xC7) => Ok(plain + 0x10),
            _ => Err(SecurityError::NoServiceTag(plain)),
        }
    }

    /// Whether the envelope carries the sender's title.
    pub const fn general(self) -> bool {
        matches!(self, Self::GeneralGlo | Self::GeneralDed)
    }
}

/// What a receiver asks of a protected APDU.
#[derive(Clone, Copy, Debug)]
pub struct Expect<'a> {
    /// The keys shared with the sender.
    pub keys: &'a Keys,
    /// Whose messages are taken; without it the title inside a general envelope is believed.
    pub peer: Option<SystemTitle>,
    /// The weakest protection that is taken.
    pub least: Protection,
    /// The highest counter accepted so far; none takes any.
    pub last_counter: Option<u32>,
}

/// A protected APDU opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    /// The APDU inside.
    pub apdu: Vec<u8>,
    /// Its invocation counter; the receiver must remember it.
    pub counter: u32,
    /// How it was protected.
    pub control: SecurityControl,
    /// Who sent it.
    pub title: SystemTitle,
    /// In which form it came.
    pub envelope: Envelope,
}

/// A protected APDU opened in place: the text is `buffer[start..end]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Where the text starts.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Its invocation counter.
    pub counter: u32,
    /// How it was protected.
    pub control: SecurityControl,
    /// Who sent it.
    pub title: SystemTitle,
    /// In which form it came.
    pub envelope: Envelope,
}

/// Puts a plain APDU into an envelope. `title` and `counter` are the sender's; a counter must never be
/// used twice under one key.
///
/// # Errors
/// [`SecurityError::NoServiceTag`] or [`SecurityError::NoKey`].
pub fn protect(
    envelope: Envelope,
    protection: Protection,
    keys: &Keys,
    title: SystemTitle,
    counter: u32,
    apdu: &[u8],
) -> Result<Vec<u8>, SecurityError> {
    let first = apdu.first().copied().ok_or(SecurityError::Truncated(0))?;
    let tag = envelope.tag(first)?;
    let control = SecurityControl::suite0(protection);
    let cipher = Cipher::new(pick_key(keys, Envelope::of_tag(tag).unwrap_or(envelope), control)?, &keys.gak);
    let mut out = Vec::with_capacity(apdu.len() + 40);
    out.push(tag);
    if envelope.general() {
        put_octets(&mut out, &title.0);
    }
    let tag_length = if protection.authenticated() { super::TAG_LENGTH } else { 0 };
    put_length(&mut out, 5 + apdu.len() + tag_length);
    out.push(control.0);
    out.extend_from_slice(&counter.to_be_bytes());
    let from = out.len();
    out.extend_from_slice(apdu);
    cipher.seal(control, title, counter, &mut out, from);
    Ok(out)
}

fn pick_key(keys: &Keys, envelope: Envelope, control: SecurityControl) -> Result<&Key, SecurityError> {
    match envelope {
        Envelope::Ded | Envelope::GeneralDed => {
            keys.dedicated.as_ref().ok_or(SecurityError::NoKey("dedicated"))
        }
        _ if control.broadcast() => keys.gbek.as_ref().ok_or(SecurityError::NoKey("broadcast")),
        _ => Ok(&keys.guek),
    }
}

/// The security header of a protected APDU, and where its text and tag lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) envelope: Envelope,
    pub(crate) title: Option<SystemTitle>,
    pub(crate) control: SecurityControl,
    pub(crate) counter: u32,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

pub(crate) fn read_header(bytes: &[u8]) -> Result<Header, SecurityError> {
    let mut reader = Reader::new(bytes);
    let tag = reader.u8()?;
    let envelope = Envelope::of_tag(tag).ok_or(SecurityError::NotProtected(tag))?;
    let mut title = None;
    if envelope.general() {
        let at = reader.at();
        title = match reader.octets()? {
            [] => None,
            octets => Some(SystemTitle(octets.try_into().map_err(|_| crate::wire::DecodeError {
                at,
                why: crate::wire::Why::Unexpected("a system title that is not 8 bytes"),
            })?)),
        };
    }
    let length = reader.length()?;
    let end = reader.at() + length;
    let short = |_| SecurityError::Truncated(bytes.len());
    if length < 5 {
        return Err(SecurityError::Truncated(bytes.len()));
    }
    let control = SecurityControl(reader.u8().map_err(short)?);
    let counter = reader.u32().map_err(short)?;
    if end < bytes.len() {
        let why = crate::wire::Why::Trailing(bytes.len() - end);
        return Err(crate::wire::DecodeError { at: end, why }.into());
    }
    Ok(Header { envelope, title, control, counter, start: reader.at(), end })
}

impl Header {
    /// Checks what can be checked before the cipher runs and returns the sender's title.
    fn check(&self, peer: Option<SystemTitle>, least: Protection) -> Result<SystemTitle, SecurityError> {
        if self.control.suite() != 0 {
            return Err(SecurityError::UnsupportedSuite(self.control.suite()));
        }
        if self.control.compressed() {
            return Err(SecurityError::Compressed);
        }
        let title = match (peer, self.title) {
            (Some(expected), Some(got)) if expected != got => {
                return Err(SecurityError::WrongTitle { expected, got });
            }
            (expected, got) => got.or(expected).ok_or(SecurityError::NoTitle)?,
        };
        let got = self.control.protection();
        if got.covers(least) { Ok(title) } else { Err(SecurityError::Downgraded { least, got }) }
    }

    /// The text, its tag left unchecked: for those who look at captures without the authentication key.
    pub(crate) fn open_unchecked(
        &self,
        bytes: &[u8],
        cipher: &Cipher,
        title: SystemTitle,
    ) -> Result<Vec<u8>, SecurityError> {
        self.check(None, Protection::None)
            .or_else(|error| if error == SecurityError::NoTitle { Ok(title) } else { Err(error) })?;
        let mut text = bytes.get(self.start..self.end).unwrap_or_default().to_vec();
        let protection = self.control.protection();
        if protection.authenticated() {
            let length = text.len().checked_sub(super::TAG_LENGTH);
            text.truncate(length.ok_or(SecurityError::Truncated(bytes.len()))?);
        }
        if protection.encrypted() {
            let control = SecurityControl::suite0(Protection::Encrypted);
            cipher.open(control, title, self.counter, &mut text)?;
        }
        Ok(text)
    }
}

/// Opens a protected APDU. The counter is compared after the tag, so that a forgery is called one.
///
/// # Errors
/// [`SecurityError`], each kind with its own variant.
pub fn unprotect(bytes: &[u8], expect: &Expect<'_>) -> Result<Plain, SecurityError> {
    let header = read_header(bytes)?;
    let title = header.check(expect.peer, expect.least)?;
    let key = pick_key(expect.keys, header.envelope, header.control)?;
    let cipher = Cipher::new(key, &expect.keys.gak);
    let mut apdu = bytes.get(header.start..header.end).unwrap_or_default().to_vec();
    let length = cipher.open(header.control, title, header.counter, &mut apdu)?;
    apdu.truncate(length);
    check_counter(expect.last_counter, header.counter)?;
    let Header { counter, control, envelope, .. } = header;
    Ok(Plain { apdu, counter, control, title, envelope })
}

/// Opens a protected APDU where it lies, with a cipher made before: for those who hear much.
///
/// The caller compares the counter with its [`super::Receiver`]. On error the buffer's contents are
/// not to be used.
///
/// # Errors
/// [`SecurityError`], each kind with its own variant.
pub fn open_in_place(
    buffer: &mut [u8],
    cipher: &Cipher,
    peer: Option<SystemTitle>,
    least: Protection,
) -> Result<Opened, SecurityError> {
    let header = read_header(buffer)?;
    let title = header.check(peer, least)?;
    let Header { counter, control, envelope, start, end, .. } = header;
    let body = buffer.get_mut(start..end).unwrap_or_default();
    let length = cipher.open(control, title, counter, body)?;
    Ok(Opened { start, end: start + length, counter, control, title, envelope })
}
