//! What of an address PostgreSQL's client does not know: how much the server must prove.

use crate::error::{Result, StoreError};
use std::path::PathBuf;

/// What an address asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Nothing.
    None,
    /// Encrypted, to a server whose certificate was checked: by the authorities of a file, or of this machine.
    Verified {
        /// The file.
        root: Option<PathBuf>,
    },
}

/// Takes `sslmode` and `sslrootcert` out of an address of either form.
pub(super) fn taken_apart(address: &str) -> Result<(String, Encryption)> {
    let (mut mode, mut root) = (None, None);
    let mut take = |key: &str, value: String| {
        let place = match key {
            "sslmode" => &mut mode,
            "sslrootcert" => &mut root,
            _ => return false,
        };
        *place = Some(value);
        true
    };
    let rest = if address.starts_with("postgres://") || address.starts_with("postgresql://") {
        let (base, query) = address.split_once('?').unwrap_or((address, ""));
        let kept: Vec<&str> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .filter(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                !take(key, decoded(value))
            })
            .collect();
        if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) }
    } else {
        let kept: Vec<&str> = address
            .split(' ')
            .filter(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                !take(key, value.trim_matches('\'').to_owned())
            })
            .collect();
        kept.join(" ")
    };
    let root = root.filter(|root| root != "system").map(PathBuf::from);
    let encryption = match mode.as_deref() {
        None if root.is_some() => Encryption::Verified { root },
        None | Some("disable") => Encryption::None,
        Some("require" | "verify-ca" | "verify-full") => Encryption::Verified { root },
        Some(_) => {
            return Err(StoreError::Address {
                why: "its sslmode is neither disable nor verify-full; what is only preferred protects nobody",
            });
        }
    };
    Ok((rest, encryption))
}

/// Bytes written as `%41`.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = (*byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_encryption_is_taken_out() {
        let verified = |root: Option<&str>| Encryption::Verified { root: root.map(PathBuf::from) };
        for (address, rest, encryption) in [
            ("postgres://a@b/c", "postgres://a@b/c", Encryption::None),
            (
                "postgres://a@b/c?sslmode=disable&connect_timeout=3",
                "postgres://a@b/c?connect_timeout=3",
                Encryption::None,
            ),
            ("postgresql://a@b/c?sslmode=verify-full", "postgresql://a@b/c", verified(None)),
            (
                "postgres://a@b/c?sslrootcert=%2Fetc%2Fca.pem",
                "postgres://a@b/c",
                verified(Some("/etc/ca.pem")),
            ),
            ("host=b sslmode=require sslrootcert='/ca' user=a", "host=b user=a", verified(Some("/ca"))),
            ("host=b sslmode=verify-ca sslrootcert=system", "host=b", verified(None)),
        ] {
            assert_eq!(taken_apart(address).unwrap(), (rest.to_owned(), encryption), "{address}");
        }
        assert!(taken_apart("host=b sslmode=allow").is_err());
    }
}
