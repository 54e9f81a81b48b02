//! The envelope of an APDU on the air between a collector and a meter's modem.
//!
//! ```text
//! | kind | tag | client port (2) | server port (2) | APDU ... |
//! ```
//!
//! The modem echoes the tag of a request in its answer, so that an answer that comes late is not taken
//! for that of the next request. A real network's own link layer does this; ours is as small as it can be.

/// What an envelope carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FrameKind {
    /// From a client to the meter.
    Request,
    /// The meter's answer.
    Response,
    /// What the meter sends unasked.
    Push,
}

/// An APDU with the ports it runs between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AirFrame {
    /// What it is.
    pub kind: FrameKind,
    /// Chosen by the collector, echoed by the meter; 0 for a push.
    pub tag: u8,
    /// The client's service access point.
    pub client: u16,
    /// The meter's service access point.
    pub server: u16,
    /// The APDU, opaque here.
    pub apdu: Vec<u8>,
}

impl AirFrame {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let kind = match self.kind {
            FrameKind::Request => 1,
            FrameKind::Response => 2,
            FrameKind::Push => 3,
        };
        let mut bytes = Vec::with_capacity(6 + self.apdu.len());
        bytes.extend_from_slice(&[kind, self.tag]);
        bytes.extend_from_slice(&self.client.to_be_bytes());
        bytes.extend_from_slice(&self.server.to_be_bytes());
        bytes.extend_from_slice(&self.apdu);
        bytes
    }

    /// From bytes; `None` when they are no envelope.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[kind, tag, c0, c1, s0, s1], apdu) = bytes.split_first_chunk::<6>()?;
        let kind = match kind {
            1 => FrameKind::Request,
            2 => FrameKind::Response,
            3 => FrameKind::Push,
            _ => return None,
        };
        let (client, server) = (u16::from_be_bytes([c0, c1]), u16::from_be_bytes([s0, s1]));
        Some(Self { kind, tag, client, server, apdu: apdu.to_vec() })
    }
}
