//! Security setup (64): policy, titles, and new keys.

use super::{AsData as _, Octets};
use crate::Data;
use crate::security::{Key, wrap_key};

enumeration! {
    /// The least protection of APDUs.
    SecurityPolicy {
        /// Nothing.
        Nothing = 0,
        /// All authenticated.
        Authenticated = 1,
        /// All encrypted.
        Encrypted = 2,
        /// All authenticated and encrypted.
        AuthenticatedEncrypted = 3,
    }
}

enumeration! {
    /// The algorithms.
    SecuritySuite {
        /// AES-GCM-128 and AES-128 key wrap.
        Suite0 = 0,
        /// With ECDSA and ECDH on P-256.
        Suite1 = 1,
        /// With AES-256 and P-384.
        Suite2 = 2,
    }
}

enumeration! {
    /// Which key a transfer brings.
    KeyId {
        /// Global unicast encryption key.
        UnicastEncryption = 0,
        /// Global broadcast encryption key.
        BroadcastEncryption = 1,
        /// Authentication key.
        Authentication = 2,
        /// Master key.
        Master = 3,
    }
}

class! {
    /// Policy, suite and titles. Method 1 raises the policy, method 2 takes new keys.
    SecuritySetup = 64 version 0 {
        /// The least protection.
        2 policy: SecurityPolicy,
        /// The algorithms.
        3 suite: SecuritySuite,
        /// System title of the client.
        4 client_system_title: Octets,
        /// System title of the server.
        5 server_system_title: Octets,
    }
}

structure! {
    /// A key on its way.
    KeyTransfer {
        /// Which one.
        id: KeyId,
        /// It, wrapped under the master key.
        wrapped: Octets,
    }
}

/// The parameter of method 2 for new keys, wrapped under the master key.
pub fn key_transfer(master: &Key, keys: &[(KeyId, &Key)]) -> Data {
    keys.iter()
        .map(|(id, key)| KeyTransfer { id: *id, wrapped: Octets(wrap_key(master, key).to_vec()) })
        .collect::<Vec<_>>()
        .to_data()
}
