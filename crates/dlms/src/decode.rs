//! Captured bytes made readable: finds what is framed how, opens what the keys open, and shows it as a
//! tree or as JSON.
//!
//! ```
//! let capture = b"0F 00 00 00 01 00 02 01 12 09 2A";
//! let decoded = dlms::decode::decode(capture, &Default::default());
//! assert_eq!(decoded.to_json()[0]["apdu"]["body"]["structure"][0]["long-unsigned"], 2346);
//! ```
//!
//! Input is binary or hex text; hex may hold blanks, line breaks, `:`, `-`, `,`, `0x` and lines that
//! start with `#`. What cannot be understood is refused with its offset, and what follows is still
//! looked at.

mod apdus;
mod input;
mod mbus;
mod node;
mod opening;
mod quirks;
mod scan;
#[cfg(test)]
mod tests;

pub use node::Node;

use crate::apdu::Apdu;
use crate::mbus::{MbusAnswer, MbusError};
use crate::security::{Key, SecurityError, SystemTitle};
use crate::wire::DecodeError;

/// What ciphered messages may be opened with.
#[derive(Clone, Debug, Default)]
pub struct DecodeKeys {
    /// Encryption key.
    pub encryption: Option<Key>,
    /// Authentication key; without it tags are not checked, and messages say so.
    pub authentication: Option<Key>,
    /// The sender's system title where neither message nor association names it.
    pub system_title: Option<SystemTitle>,
}

/// What was found in a capture.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    /// In the order of the capture.
    pub messages: Vec<Message>,
    /// What could not be understood, in the same order.
    pub refusals: Vec<Refusal>,
}

impl Decoded {
    /// Every message as a tree, a blank line between them.
    pub fn to_text(&self) -> String {
        self.messages.iter().map(Message::to_text).collect::<Vec<_>>().join("\n")
    }

    /// A list with one object a message.
    pub fn to_json(&self) -> serde_json::Value {
        self.messages.iter().map(Message::to_json).collect()
    }
}

/// A message, and how it travelled.
#[derive(Clone, Debug)]
pub struct Message {
    /// Where its first frame starts in the bytes of the capture, 0-based; for hex, in the bytes it spells.
    pub at: usize,
    /// Up to where its last frame goes.
    pub end: usize,
    /// The frames, gateway header and protection around it.
    pub around: Node,
    /// What it says.
    pub content: Content,
    /// What is odd about it.
    pub notes: Vec<String>,
}

/// What a message says.
#[derive(Clone, Debug)]
pub enum Content {
    /// An APDU; ciphered still, where there is no key.
    Apdu(Apdu),
    /// The answer of a meter that speaks M-Bus.
    Mbus(MbusAnswer),
    /// A frame that carries nothing.
    Link,
}

impl Message {
    fn node(&self) -> Node {
        let mut fields = vec![("offset", Node::from(self.at)), ("length", Node::from(self.end - self.at))];
        if let Node::Fields(around) = &self.around {
            fields.extend(around.iter().cloned());
        }
        match &self.content {
            Content::Apdu(apdu) => fields.push(("apdu", apdus::node(apdu))),
            Content::Mbus(answer) => fields.push(("mbus", mbus::node(answer))),
            Content::Link => {}
        }
        if !self.notes.is_empty() {
            fields.push((
                "notes",
                Node::List(None, self.notes.iter().map(|note| Node::from(note.as_str())).collect()),
            ));
        }
        Node::Fields(fields)
    }

    /// The message as an indented tree.
    pub fn to_text(&self) -> String {
        self.node().to_text()
    }

    /// The message as one object whose leaf values keep their type.
    pub fn to_json(&self) -> serde_json::Value {
        self.node().to_json()
    }
}

/// Bytes that were not understood.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("offset {at}: {why}")]
pub struct Refusal {
    /// Where, 0-based: in the bytes of the capture, or in its text where the text is no hex.
    pub at: usize,
    /// Why.
    pub why: RefusalReason,
}

/// Why bytes were not understood.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RefusalReason {
    /// Nothing there.
    #[error("the input is empty")]
    Empty,
    /// Text, but no hex.
    #[error("`{0}` is no hex digit, and the input is text")]
    NotHex(char),
    /// An odd number of hex digits.
    #[error("a byte of one hex digit only: a digit is missing or too many")]
    OddHex,
    /// The readable telegrams of another protocol.
    #[error("a P1 or IEC 62056-21 mode D telegram, which is readable text and no DLMS")]
    Telegram,
    /// A broken HDLC frame.
    #[error(transparent)]
    Hdlc(#[from] crate::hdlc::FrameError),
    /// The capture ends inside a frame or a row of segments.
    #[error("the capture ends inside {0}")]
    Incomplete(&'static str),
    /// A segment or block that does not follow the one before.
    #[error("{0} number {1} does not follow the one before")]
    OutOfSequence(&'static str, u32),
    /// A broken M-Bus frame, or an error that the meter reports; the offset is that of the byte at fault.
    #[error("{}", .0.why)]
    Mbus(MbusError),
    /// A broken gateway header.
    #[error(transparent)]
    Gateway(#[from] crate::gateway::GatewayError),
    /// An APDU that does not decode; the offset is that of the byte at fault.
    #[error("{}", .0.why)]
    Apdu(DecodeError),
    /// A ciphered APDU that the keys do not open.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// The text inside a ciphered APDU makes no sense, and nothing vouched for the key.
    #[error("decrypted, but the text makes no sense ({0}): wrong key, most likely")]
    WrongKey(DecodeError),
    /// Not the start of anything known.
    #[error("no HDLC, wrapper, M-Bus or gateway frame and no APDU starts with 0x{0:02x}")]
    Unknown(u8),
}

/// Finds and decodes every message in a capture.
///
/// Never fails as a whole: what is refused is listed beside what was understood.
pub fn decode(capture: &[u8], keys: &DecodeKeys) -> Decoded {
    match input::bytes(capture) {
        Ok(bytes) => scan::scan(&bytes, keys),
        Err(refusal) => Decoded { messages: Vec::new(), refusals: vec![refusal] },
    }
}
