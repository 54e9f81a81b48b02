//! The gateway header: which meter behind a gateway an APDU is for, or comes from.
//!
//! ```text
//! | E6 or E7 | network id | address length | address ... | APDU ... |
//! ```
//!
//! **Interpretation:** the standard names 0xE6 for requests and 0xE7 for responses and says nothing of
//! what a meter sends unasked. Wattle's gateways put 0xE6 before a push, because it opens a dialogue;
//! a receiver should take either.
//!
//! Standard: DLMS UA Green Book (1000-2), gateway protocol.

/// Which way a message runs through the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GatewayKind {
    /// 0xE6: opens a dialogue: a client's request, or what a meter sends unasked.
    Request,
    /// 0xE7: answers one.
    Response,
}

impl GatewayKind {
    /// The byte on the wire.
    pub const fn tag(self) -> u8 {
        match self {
            Self::Request => 0xE6,
            Self::Response => 0xE7,
        }
    }
}

/// A message with a gateway header, taken apart; it borrows the bytes it was parsed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatewayFrame<'a> {
    /// Which way it runs.
    pub kind: GatewayKind,
    /// Which of the gateway's networks.
    pub network_id: u8,
    /// The meter's address in that network; Wattle's field networks use four bytes, highest first.
    pub address: &'a [u8],
    /// What is carried.
    pub apdu: &'a [u8],
}

impl GatewayFrame<'_> {
    /// The address as the node number of Wattle's field networks, if it is one.
    pub fn node(&self) -> Option<u32> {
        self.address.try_into().ok().map(u32::from_be_bytes)
    }
}

/// Why a gateway header is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// The message ends inside the header.
    #[error("read a gateway header: the message ends after {0} bytes, inside it")]
    Truncated(usize),
    /// The header names nobody.
    #[error("read a gateway header: the address is empty")]
    NoAddress,
    /// The address does not fit its length byte.
    #[error("write a gateway header: an address of {0} bytes does not fit one length byte")]
    AddressTooLong(usize),
}

/// A gateway header for `address` in network `network_id`, and `apdu` behind it.
///
/// # Errors
/// [`GatewayError::NoAddress`], [`GatewayError::AddressTooLong`] above 255 bytes.
pub fn encode(
    kind: GatewayKind,
    network_id: u8,
    address: &[u8],
    apdu: &[u8],
) -> Result<Vec<u8>, GatewayError> {
    if address.is_empty() {
        return Err(GatewayError::NoAddress);
    }
    let length = u8::try_from(address.len()).map_err(|_| GatewayError::AddressTooLong(address.len()))?;
    let mut bytes = Vec::with_capacity(3 + address.len() + apdu.len());
    bytes.extend_from_slice(&[kind.tag(), network_id, length]);
    bytes.extend_from_slice(address);
    bytes.extend_from_slice(apdu);
    Ok(bytes)
}

/// The same for the four-byte node numbers of Wattle's field networks.
pub fn encode_node(kind: GatewayKind, network_id: u8, node: u32, apdu: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(7 + apdu.len());
    bytes.extend_from_slice(&[kind.tag(), network_id, 4]);
    bytes.extend_from_slice(&node.to_be_bytes());
    bytes.extend_from_slice(apdu);
    bytes
}

/// Takes a message apart; `None` when it has no gateway header, so that it is for the receiver itself.
///
/// # Errors
/// [`GatewayError`] when there is a header and it is broken.
pub fn parse(message: &[u8]) -> Result<Option<GatewayFrame<'_>>, GatewayError> {
    let kind = match message.first() {
        Some(0xE6) => GatewayKind::Request,
        Some(0xE7) => GatewayKind::Response,
        _ => return Ok(None),
    };
    let truncated = GatewayError::Truncated(message.len());
    let &[_, network_id, length] = message.first_chunk::<3>().ok_or(truncated)?;
    if length == 0 {
        return Err(GatewayError::NoAddress);
    }
    let (address, apdu) = message[3..].split_at_checked(usize::from(length)).ok_or(truncated)?;
    Ok(Some(GatewayFrame { kind, network_id, address, apdu }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_header_there_and_back() {
        let bytes = encode_node(GatewayKind::Request, 0, 0x0102_0304, &[0xC0]);
        assert_eq!(bytes, [0xE6, 0, 4, 1, 2, 3, 4, 0xC0]);
        let frame = parse(&bytes).unwrap().unwrap();
        assert_eq!(
            (frame.kind, frame.node(), frame.apdu),
            (GatewayKind::Request, Some(0x0102_0304), &[0xC0][..])
        );
        assert_eq!(parse(&[0xC0, 1]), Ok(None));
        assert_eq!(parse(&[]), Ok(None));
        assert_eq!(parse(&[0xE7, 0, 4, 1]), Err(GatewayError::Truncated(4)));
        assert_eq!(parse(&[0xE7, 0, 0, 1]), Err(GatewayError::NoAddress));
        assert_eq!(encode(GatewayKind::Response, 1, &[], &[]), Err(GatewayError::NoAddress));
        assert_eq!(encode(GatewayKind::Response, 1, &[0; 256], &[]), Err(GatewayError::AddressTooLong(256)));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_parsed(
            network_id: u8,
            address in prop::collection::vec(any::<u8>(), 1..16),
            apdu in prop::collection::vec(any::<u8>(), 0..32),
        ) {
            let bytes = encode(GatewayKind::Response, network_id, &address, &apdu).unwrap();
            let frame = parse(&bytes).unwrap().unwrap();
            prop_assert_eq!((frame.network_id, frame.address, frame.apdu), (network_id, &address[..], &apdu[..]));
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..16)) {
            let _ = parse(&bytes);
        }
    }
}
