//! Security suite 0: AES-GCM-128 around APDUs, GMAC for HLS 5, AES key wrap for new keys.
//!
//! Nothing here keeps state but [`Receiver`]; counters that are sent are the caller's, who must store
//! them before use.
//!
//! Standard: IEC 62056-5-3, information security; NIST SP 800-38D (GCM), RFC 3394 (key wrap).

mod cipher;
mod envelope;
mod key;
#[cfg(test)]
mod tests;

pub use cipher::{Cipher, TAG_LENGTH};
pub(crate) use envelope::read_header;
pub use envelope::{Envelope, Expect, Opened, Plain, open_in_place, protect, unprotect};
pub use key::{Key, Keys, unwrap_key, wrap_key};

use crate::wire::DecodeError;
use subtle::ConstantTimeEq as _;

/// Names a device worldwide: three letters of its maker, then the maker's number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SystemTitle(pub [u8; 8]);

impl core::fmt::Debug for SystemTitle {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02X}"))
    }
}

impl core::fmt::Display for SystemTitle {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self, out)
    }
}

/// How an APDU is protected. Ordered: each covers what those before it cover, but encryption alone does
/// not cover authentication; compare with [`Protection::covers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Protection {
    /// Not at all.
    #[default]
    None,
    /// Authenticated, readable.
    Authenticated,
    /// Encrypted, not authenticated.
    Encrypted,
    /// Both.
    AuthenticatedEncrypted,
}

impl Protection {
    /// Authenticated or more.
    pub const fn authenticated(self) -> bool {
        matches!(self, Self::Authenticated | Self::AuthenticatedEncrypted)
    }

    /// Encrypted or more.
    pub const fn encrypted(self) -> bool {
        matches!(self, Self::Encrypted | Self::AuthenticatedEncrypted)
    }

    /// Whether this protects in every way in which `least` does.
    pub const fn covers(self, least: Self) -> bool {
        (self.authenticated() || !least.authenticated()) && (self.encrypted() || !least.encrypted())
    }
}

/// The security control byte: suite in the low nibble, then authentication, encryption, key set and
/// compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecurityControl(pub u8);

impl SecurityControl {
    /// Suite 0 with the unicast key.
    pub const fn suite0(protection: Protection) -> Self {
        Self(match protection {
            Protection::None => 0x00,
            Protection::Authenticated => 0x10,
            Protection::Encrypted => 0x20,
            Protection::AuthenticatedEncrypted => 0x30,
        })
    }

    /// Security suite 0 to 15.
    pub const fn suite(self) -> u8 {
        self.0 & 0x0F
    }

    /// What the byte says of the protection.
    pub const fn protection(self) -> Protection {
        match self.0 & 0x30 {
            0x10 => Protection::Authenticated,
            0x20 => Protection::Encrypted,
            0x30 => Protection::AuthenticatedEncrypted,
            _ => Protection::None,
        }
    }

    /// The broadcast key instead of the unicast key.
    pub const fn broadcast(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// Compressed before encryption.
    pub const fn compressed(self) -> bool {
        self.0 & 0x80 != 0
    }
}

/// Why a protected APDU is refused, or cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecurityError {
    /// The tag does not fit: another key, another system title, or forged.
    #[error("verify the authentication tag: wrong key or forged message")]
    WrongTag,
    /// A counter that is not above the last one.
    #[error("accept invocation counter {got}: the last one was {last}, so the message is replayed")]
    ReplayedCounter {
        /// The highest counter accepted.
        last: u32,
        /// The counter of this message.
        got: u32,
    },
    /// Somebody else's system title.
    #[error("accept a message of system title {got}: {expected} is the peer")]
    WrongTitle {
        /// Whose messages are expected.
        expected: SystemTitle,
        /// Who sent this one.
        got: SystemTitle,
    },
    /// No system title in the message and none known.
    #[error("decrypt without the sender's system title")]
    NoTitle,
    /// Weaker protection than the policy asks for.
    #[error("accept a message protected as {got:?}: the policy asks for {least:?}")]
    Downgraded {
        /// The policy.
        least: Protection,
        /// The message.
        got: Protection,
    },
    /// The bytes end inside the security header or tag.
    #[error("read a protected message of {0} bytes: it ends inside its security header")]
    Truncated(usize),
    /// Suites 1 and 2 and those not yet named.
    #[error("use security suite {0}: only suite 0 is known")]
    UnsupportedSuite(u8),
    /// Compression is not known.
    #[error("read a compressed message")]
    Compressed,
    /// The key the message asks for is not there.
    #[error("use the {0} key: there is none")]
    NoKey(&'static str),
    /// An APDU that has no `glo-` or `ded-` form; use a general one.
    #[error("protect APDU 0x{0:02x} service-specifically: it has no such form")]
    NoServiceTag(u8),
    /// Not a protected APDU.
    #[error("unprotect APDU 0x{0:02x}: it is not a protected one")]
    NotProtected(u8),
    /// The envelope does not decode.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// A wrapped key that does not unwrap.
    #[error("unwrap a key: wrong wrapping key or damaged")]
    WrongWrap,
    /// An HLS reply of the wrong form.
    #[error("read the reply to a challenge: {0} bytes, not 17 with security control 10")]
    BadReply(usize),
}

/// The highest counter accepted from one peer under one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Receiver {
    /// None before the first message.
    pub last: Option<u32>,
}

impl Receiver {
    /// Takes a counter of an authenticated message, which must be above the last.
    ///
    /// # Errors
    /// [`SecurityError::ReplayedCounter`]; the last counter then stays.
    pub const fn accept(&mut self, counter: u32) -> Result<(), SecurityError> {
        match check_counter(self.last, counter) {
            Ok(()) => {
                self.last = Some(counter);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

pub(crate) const fn check_counter(last: Option<u32>, got: u32) -> Result<(), SecurityError> {
    match last {
        Some(last) if got <= last => Err(SecurityError::ReplayedCounter { last, got }),
        _ => Ok(()),
    }
}

/// The reply to an HLS 5 challenge: security control, counter, GMAC over the challenge.
///
/// `title` and `counter` are those of the side that replies.
///
/// Standard: IEC 62056-5-3, HLS authentication mechanism 5.
pub fn gmac_reply(keys: &Keys, title: SystemTitle, counter: u32, challenge: &[u8]) -> [u8; 17] {
    let control = SecurityControl::suite0(Protection::Authenticated);
    let tag = Cipher::new(&keys.guek, &keys.gak).tag(control, title, counter, challenge);
    let mut reply = [0; 17];
    let (head, end) = reply.split_at_mut(5);
    head[0] = control.0;
    head[1..].copy_from_slice(&counter.to_be_bytes());
    end.copy_from_slice(&tag);
    reply
}

/// Checks the reply of the side called `title` to `challenge` and returns its counter.
///
/// # Errors
/// [`SecurityError::BadReply`], [`SecurityError::UnsupportedSuite`] or [`SecurityError::WrongTag`].
pub fn verify_gmac_reply(
    keys: &Keys,
    title: SystemTitle,
    challenge: &[u8],
    reply: &[u8],
) -> Result<u32, SecurityError> {
    let refuse = SecurityError::BadReply(reply.len());
    let (control, rest) = reply.split_first().ok_or(refuse)?;
    let (counter, tag) = rest.split_first_chunk::<4>().ok_or(refuse)?;
    let control = SecurityControl(*control);
    if control.suite() != 0 {
        return Err(SecurityError::UnsupportedSuite(control.suite()));
    }
    if control.protection() != Protection::Authenticated || tag.len() != TAG_LENGTH {
        return Err(refuse);
    }
    let counter = u32::from_be_bytes(*counter);
    let expected = Cipher::new(&keys.guek, &keys.gak).tag(control, title, counter, challenge);
    if bool::from(expected.ct_eq(tag)) { Ok(counter) } else { Err(SecurityError::WrongTag) }
}

/// Whether a password given is the one expected, in a time that does not tell how much of it was right.
pub fn same_secret(given: &[u8], expected: &[u8]) -> bool {
    given.ct_eq(expected).into()
}
