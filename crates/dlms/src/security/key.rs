//! Keys, and keys wrapped in keys.

use super::SecurityError;
use aes_kw::KekAes128;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A key of 16 bytes; wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; 16]);

impl Key {
    /// From its bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// From 32 hex digits; blanks, colons and dashes between bytes are fine.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits: Vec<u8> =
            text.bytes().filter(|b| !b.is_ascii_whitespace() && !matches!(b, b':' | b'-')).collect();
        if digits.len() != 32 {
            return None;
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The key itself; to be handed to a cipher or wrapped, not to be kept.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Key {
    type Error = core::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

impl core::fmt::Debug for Key {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str("Key(..)")
    }
}

/// The keys that two sides share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Global unicast encryption key.
    pub guek: Key,
    /// Global broadcast encryption key.
    pub gbek: Option<Key>,
    /// Global authentication key.
    pub gak: Key,
    /// The key of this association only, once one was agreed.
    pub dedicated: Option<Key>,
}

impl Keys {
    /// The two keys every device has.
    pub const fn new(guek: Key, gak: Key) -> Self {
        Self { guek, gbek: None, gak, dedicated: None }
    }
}

/// A key as `key_transfer` sends it: wrapped under the master key.
///
/// Standard: RFC 3394; IEC 62056-6-2, Security setup (class_id 64), method 2.
pub fn wrap_key(master: &Key, key: &Key) -> [u8; 24] {
    let mut wrapped = [0; 24];
    #[expect(clippy::expect_used, reason = "16 bytes are two blocks and the output holds the third")]
    KekAes128::from(*master.as_bytes()).wrap(key.as_bytes(), &mut wrapped).expect("lengths are fixed");
    wrapped
}

/// The key inside a wrapped one.
///
/// # Errors
/// [`SecurityError::WrongWrap`].
pub fn unwrap_key(master: &Key, wrapped: &[u8]) -> Result<Key, SecurityError> {
    let mut bytes = [0; 16];
    if wrapped.len() != 24 {
        return Err(SecurityError::WrongWrap);
    }
    KekAes128::from(*master.as_bytes()).unwrap(wrapped, &mut bytes).map_err(|_| SecurityError::WrongWrap)?;
    Ok(Key(bytes))
}
