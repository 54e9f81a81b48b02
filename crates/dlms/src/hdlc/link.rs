//! The link: what both ends share, and what they tell their users.

mod client;
mod half;
mod server;
#[cfg(test)]
mod tests;

pub use client::ClientLink;
pub use server::ServerLink;

use super::frame::{Address, FrameError};
use core::time::Duration;

/// What two ends agree on when the link opens. Each end tells its own view of it.
///
/// Standard: IEC 62056-46, 6.4.4.4.3 negotiation of parameters; left out they are 128, 128, 1, 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Most bytes of information in a frame that this end sends.
    pub max_info_transmit: u16,
    /// Most bytes of information in a frame that this end takes.
    pub max_info_receive: u16,
    /// Most frames that this end sends before it waits, 1 to 7.
    pub window_transmit: u8,
    /// Most frames that this end takes before it answers, 1 to 7.
    pub window_receive: u8,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { max_info_transmit: 128, max_info_receive: 128, window_transmit: 1, window_receive: 1 }
    }
}

impl Parameters {
    const INFO_LEAST: u16 = 16;
    const INFO_MOST: u16 = 2030;

    fn bounded(self) -> Self {
        Self {
            max_info_transmit: self.max_info_transmit.clamp(Self::INFO_LEAST, Self::INFO_MOST),
            max_info_receive: self.max_info_receive.clamp(Self::INFO_LEAST, Self::INFO_MOST),
            window_transmit: self.window_transmit.clamp(1, 7),
            window_receive: self.window_receive.clamp(1, 7),
        }
    }

    /// What this end may do when the other end announced `peer`: nobody exceeds either's word.
    fn agreed_with(self, peer: Self) -> Self {
        Self {
            max_info_transmit: self.max_info_transmit.min(peer.max_info_receive),
            max_info_receive: self.max_info_receive.min(peer.max_info_transmit),
            window_transmit: self.window_transmit.min(peer.window_receive),
            window_receive: self.window_receive.min(peer.window_transmit),
        }
        .bounded()
    }

    /// The information field of SNRM and UA.
    pub fn encode(self) -> Vec<u8> {
        let mut values = Vec::with_capacity(20);
        for (id, size) in [(0x05, self.max_info_transmit), (0x06, self.max_info_receive)] {
            match u8::try_from(size) {
                Ok(size) => values.extend_from_slice(&[id, 1, size]),
                Err(_) => values.extend_from_slice(&[id, 2, size.to_be_bytes()[0], size.to_be_bytes()[1]]),
            }
        }
        for (id, window) in [(0x07, self.window_transmit), (0x08, self.window_receive)] {
            values.extend_from_slice(&[id, 4, 0, 0, 0, window]);
        }
        let mut field = vec![0x81, 0x80, u8::try_from(values.len()).unwrap_or(u8::MAX)];
        field.append(&mut values);
        field
    }

    /// Reads the information field of SNRM or UA; what it leaves out or garbles keeps its default.
    pub fn decode(field: &[u8]) -> Self {
        let mut found = Self::default();
        let [0x81, 0x80, _, rest @ ..] = field else { return found };
        let mut rest = rest;
        while let [id, length, tail @ ..] = rest {
            let Some((value, next)) = tail.split_at_checked(usize::from(*length)) else { break };
            let number = value.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
            let size = u16::try_from(number).unwrap_or(u16::MAX);
            let window = u8::try_from(number).unwrap_or(7);
            match id {
                0x05 => found.max_info_transmit = size,
                0x06 => found.max_info_receive = size,
                0x07 => found.window_transmit = window,
                0x08 => found.window_receive = window,
                _ => {}
            }
            rest = next;
        }
        found.bounded()
    }
}

/// How an end of a link behaves.
#[derive(Clone, Copy, Debug)]
pub struct LinkConfig {
    /// The client's address, as a rule [`Address::short`] of its service access point. A server answers
    /// whoever calls and does not read it.
    pub client: Address,
    /// The server's address.
    pub server: Address,
    /// What this end would like.
    pub parameters: Parameters,
    /// How long a client waits for an answer before it repeats itself.
    pub response_timeout: Duration,
    /// How often it repeats itself before it gives up.
    pub retries: u8,
    /// After how long a silence a server closes the link.
    pub inactivity: Duration,
    /// The longest message that is put together from segments.
    pub max_message: usize,
}

impl LinkConfig {
    /// A link between `client` and `server` with frames of 128 bytes, a window of one, 3 s patience with
    /// three repetitions, two minutes of silence and messages up to 64 KiB.
    pub fn new(client: Address, server: Address) -> Self {
        Self {
            client,
            server,
            parameters: Parameters::default(),
            response_timeout: Duration::from_secs(3),
            retries: 3,
            inactivity: Duration::from_secs(120),
            max_message: 65_536,
        }
    }
}

/// What a link tells its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// The link is open; to a server, by this client.
    Connected {
        /// The client's service access point.
        client: u16,
    },
    /// A whole message came, its link-layer header removed.
    Apdu {
        /// The message.
        apdu: Vec<u8>,
        /// The client's service access point.
        client: u16,
    },
    /// The link is closed.
    Disconnected,
    /// Something went wrong; whether the link survived is told by a [`LinkEvent::Disconnected`] after it.
    Error(LinkError),
}

/// What goes wrong on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Nobody answers.
    #[error("hear from the other end: no answer after {0} repetitions")]
    Timeout(u8),
    /// The server has no link, or refused to open one.
    #[error("use the link: the server says it is disconnected")]
    Refused,
    /// A frame was rejected as senseless.
    #[error("use the link: the other end rejected a frame as senseless")]
    FrameRejected,
    /// An acknowledgement names a frame that was never sent.
    #[error("follow the sequence numbers: frame {0} was acknowledged and never sent")]
    Sequence(u8),
    /// A message does not begin with the link-layer header E6 E6 00 or E6 E7 00.
    #[error("read a message: it does not begin with the link-layer header")]
    Llc,
    /// Segments add up to more than the limit.
    #[error("put a message together: its segments exceed {0} bytes")]
    TooLong(usize),
    /// Bytes that are no frame; the link goes on.
    #[error(transparent)]
    Frame(#[from] FrameError),
}
