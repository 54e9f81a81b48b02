//! Meter keys at rest: wrapped under one master key, so that the database alone opens no meter.

use dlms::security::{Key, SecurityError, unwrap_key, wrap_key};

/// The utility's master key. It lives in a file of its own, never in the database.
#[derive(Clone)]
pub struct MasterKey(Key);

impl core::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("MasterKey")
    }
}

impl MasterKey {
    /// From its 16 bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(Key::new(bytes))
    }

    /// A meter key as the store may hold it (AES key wrap, RFC 3394).
    pub fn wrap(&self, key: &Key) -> Vec<u8> {
        wrap_key(&self.0, key).to_vec()
    }

    /// The meter key of a wrapped one.
    ///
    /// # Errors
    /// [`SecurityError`] when it was wrapped under another master key, or was changed.
    pub fn unwrap(&self, wrapped: &[u8]) -> Result<Key, SecurityError> {
        unwrap_key(&self.0, wrapped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_master_key_opens() {
        let (ours, other) = (MasterKey::new([1; 16]), MasterKey::new([2; 16]));
        let key = Key::new([7; 16]);
        let mut wrapped = ours.wrap(&key);
        assert_eq!(ours.unwrap(&wrapped).unwrap().as_bytes(), key.as_bytes());
        assert!(other.unwrap(&wrapped).is_err());
        wrapped[3] ^= 1;
        assert!(ours.unwrap(&wrapped).is_err());
        assert_eq!(format!("{ours:?}"), "MasterKey");
    }
}
