//! AES-GCM with the 12-byte tag and the nonce and associated data of DLMS.

use super::{Key, Protection, SecurityControl, SecurityError, SystemTitle};
use aes_gcm::aead::AeadInPlace as _;
use aes_gcm::aead::consts::U12;
use aes_gcm::aes::Aes128;
use aes_gcm::{AesGcm, KeyInit as _, Nonce, Tag};

/// Bytes of an authentication tag.
pub const TAG_LENGTH: usize = 12;

type Gcm = AesGcm<Aes128, U12, U12>;

/// An encryption key expanded once, and the authentication key beside it.
///
/// Expanding costs as much as a short message, so whoever hears from a device often keeps its cipher.
#[derive(Clone)]
pub struct Cipher {
    gcm: Gcm,
    /// Security control and authentication key: the associated data of an encrypted message.
    key: Key,
}

impl core::fmt::Debug for Cipher {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str("Cipher(..)")
    }
}

fn nonce(title: SystemTitle, counter: u32) -> [u8; 12] {
    let mut nonce = [0; 12];
    let (head, end) = nonce.split_at_mut(8);
    head.copy_from_slice(&title.0);
    end.copy_from_slice(&counter.to_be_bytes());
    nonce
}

impl Cipher {
    /// Encryption under `encryption`, authentication under `authentication`.
    pub fn new(encryption: &Key, authentication: &Key) -> Self {
        Self { gcm: Gcm::new(encryption.as_bytes().into()), key: authentication.clone() }
    }

    /// Security control and authentication key.
    fn associated(&self, control: SecurityControl) -> [u8; 17] {
        let mut associated = [0; 17];
        associated[0] = control.0;
        associated[1..].copy_from_slice(self.key.as_bytes());
        associated
    }

    /// The tag over `text` that is authenticated but not encrypted.
    pub(crate) fn tag(
        &self,
        control: SecurityControl,
        title: SystemTitle,
        counter: u32,
        text: &[u8],
    ) -> [u8; TAG_LENGTH] {
        let mut associated = self.associated(control).to_vec();
        associated.extend_from_slice(text);
        self.encrypt_detached(&nonce(title, counter), &associated, &mut [])
    }

    #[expect(clippy::expect_used, reason = "fails only beyond 64 GiB, and the buffer is in memory")]
    fn encrypt_detached(&self, nonce: &[u8; 12], associated: &[u8], text: &mut [u8]) -> [u8; TAG_LENGTH] {
        self.gcm
            .encrypt_in_place_detached(Nonce::from_slice(nonce), associated, text)
            .expect("shorter than 64 GiB")
            .into()
    }

    /// Protects `out[from..]` in place and appends the tag where `control` asks for one.
    pub(crate) fn seal(
        &self,
        control: SecurityControl,
        title: SystemTitle,
        counter: u32,
        out: &mut Vec<u8>,
        from: usize,
    ) {
        let text = out.get_mut(from..).unwrap_or_default();
        let nonce = nonce(title, counter);
        match control.protection() {
            Protection::None => {}
            Protection::Authenticated => {
                let tag = self.tag(control, title, counter, text);
                out.extend_from_slice(&tag);
            }
            Protection::Encrypted => {
                // Without authentication the tag is computed and thrown away.
                self.encrypt_detached(&nonce, &[], text);
            }
            Protection::AuthenticatedEncrypted => {
                let tag = self.encrypt_detached(&nonce, &self.associated(control), text);
                out.extend_from_slice(&tag);
            }
        }
    }

    /// Checks and decrypts `body`, which is text and perhaps tag, in place; returns the text's length.
    pub(crate) fn open(
        &self,
        control: SecurityControl,
        title: SystemTitle,
        counter: u32,
        body: &mut [u8],
    ) -> Result<usize, SecurityError> {
        let protection = control.protection();
        let tag_length = if protection.authenticated() { TAG_LENGTH } else { 0 };
        let length = body.len().checked_sub(tag_length).ok_or(SecurityError::Truncated(body.len()))?;
        let (text, tag) = body.split_at_mut(length);
        match protection {
            Protection::None => {}
            Protection::Authenticated => {
                use subtle::ConstantTimeEq as _;
                let expected = self.tag(control, title, counter, text);
                if !bool::from(expected.as_slice().ct_eq(tag)) {
                    return Err(SecurityError::WrongTag);
                }
            }
            Protection::Encrypted => {
                // The counter mode of GCM is its own inverse; the tag is nobody's.
                self.encrypt_detached(&nonce(title, counter), &[], text);
            }
            Protection::AuthenticatedEncrypted => {
                let nonce = nonce(title, counter);
                self.gcm
                    .decrypt_in_place_detached(
                        Nonce::from_slice(&nonce),
                        &self.associated(control),
                        text,
                        Tag::from_slice(tag),
                    )
                    .map_err(|_| SecurityError::WrongTag)?;
            }
        }
        Ok(length)
    }
}
