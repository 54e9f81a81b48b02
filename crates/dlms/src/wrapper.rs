//! The TCP wrapper: eight bytes before every APDU say how long it is and between which ports it runs.
//!
//! ```text
//! | version 00 01 | source wPort | destination wPort | length | APDU ... |
//! ```
//!
//! Standard: IEC 62056-4-7, wrapper protocol data unit.

/// The only version there is.
pub const VERSION: u16 = 1;
/// The registered TCP and UDP port of DLMS/COSEM.
pub const PORT: u16 = 4059;
/// Bytes before the payload.
pub const HEADER: usize = 8;

/// One message between two wrapper ports.
///
/// A request runs from the client's port to the server's, an answer the other way round; the ports are
/// the client and server service access points.
#[derive(Clone, PartialEq, Eq)]
pub struct Wpdu {
    /// Port of the sender.
    pub source: u16,
    /// Port of the receiver.
    pub destination: u16,
    /// The APDU, with a gateway header before it where the meter is behind one.
    pub payload: Vec<u8>,
}

impl core::fmt::Debug for Wpdu {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(out, "Wpdu({} -> {}, {} bytes)", self.source, self.destination, self.payload.len())
    }
}

/// Why bytes are no wrapper message, or a message does not fit one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrapperError {
    /// The stream is out of step or speaks something else; the connection must be closed, for there is
    /// no mark to find the next message by.
    #[error("read a wrapper header: version {0:#06x} where 0x0001 belongs")]
    Version(u16),
    /// The header announces more than the receiver is willing to hold.
    #[error("accept a wrapper message of {announced} bytes: the limit is {limit}")]
    TooLong {
        /// What the header says.
        announced: usize,
        /// What the receiver takes.
        limit: usize,
    },
}

impl Wpdu {
    /// The message as bytes.
    ///
    /// # Errors
    /// [`WrapperError::TooLong`] when the payload exceeds 65,535 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, WrapperError> {
        encode(self.source, self.destination, &self.payload)
    }
}

/// A message of `payload` from port `source` to port `destination` as bytes.
///
/// # Errors
/// [`WrapperError::TooLong`] when the payload exceeds 65,535 bytes.
pub fn encode(source: u16, destination: u16, payload: &[u8]) -> Result<Vec<u8>, WrapperError> {
    let length = u16::try_from(payload.len())
        .map_err(|_| WrapperError::TooLong { announced: payload.len(), limit: usize::from(u16::MAX) })?;
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    for field in [VERSION, source, destination, length] {
        bytes.extend_from_slice(&field.to_be_bytes());
    }
    bytes.extend_from_slice(payload);
    Ok(bytes)
}

/// Cuts a byte stream into wrapper messages.
///
/// Holds at most one unfinished message of the configured length plus what was pushed last. After an
/// error it yields nothing more and keeps nothing: the connection has to be closed.
#[derive(Debug)]
pub struct WrapperDecoder {
    buffer: Vec<u8>,
    at: usize,
    limit: usize,
    broken: bool,
}

impl Default for WrapperDecoder {
    fn default() -> Self {
        Self::new(usize::from(u16::MAX))
    }
}

impl WrapperDecoder {
    /// A decoder that refuses payloads above `limit` bytes.
    pub const fn new(limit: usize) -> Self {
        Self { buffer: Vec::new(), at: 0, limit, broken: false }
    }

    /// Takes bytes as they came; then call [`Iterator::next`] until it yields `None`.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken {
            return;
        }
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes held that belong to no finished message yet.
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.at
    }

    fn fail(&mut self, error: WrapperError) -> Option<Result<Wpdu, WrapperError>> {
        self.broken = true;
        self.buffer = Vec::new();
        self.at = 0;
        Some(Err(error))
    }
}

impl Iterator for WrapperDecoder {
    type Item = Result<Wpdu, WrapperError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.buffer.get(self.at..)?;
        let &[v0, v1, s0, s1, d0, d1, l0, l1] = rest.first_chunk::<HEADER>()?;
        let version = u16::from_be_bytes([v0, v1]);
        if version != VERSION {
            return self.fail(WrapperError::Version(version));
        }
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if length > self.limit {
            return self.fail(WrapperError::TooLong { announced: length, limit: self.limit });
        }
        let payload = rest.get(HEADER..HEADER + length)?.to_vec();
        self.at += HEADER + length;
        if self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
        }
        let (source, destination) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
        Some(Ok(Wpdu { source, destination, payload }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn header_as_in_the_standard() {
        let bytes = encode(0x10, 1, &[0xC0, 0x01]).unwrap();
        assert_eq!(bytes, [0, 1, 0, 0x10, 0, 1, 0, 2, 0xC0, 0x01]);
        assert!(encode(1, 1, &vec![0; 65_536]).is_err());
    }

    #[test]
    fn a_wrong_version_ends_the_stream() {
        let mut decoder = WrapperDecoder::default();
        decoder.push(&encode(16, 1, b"ok").unwrap());
        decoder.push(&[0, 2, 0, 0, 0, 0, 0, 0]);
        assert_eq!(decoder.next().unwrap().unwrap().payload, b"ok");
        assert_eq!(decoder.next(), Some(Err(WrapperError::Version(2))));
        decoder.push(&encode(16, 1, b"late").unwrap());
        assert_eq!(decoder.next(), None);
        assert_eq!(decoder.pending(), 0);
    }

    #[test]
    fn more_than_the_limit_is_refused_before_it_is_held() {
        let mut decoder = WrapperDecoder::new(100);
        decoder.push(&[0, 1, 0, 1, 0, 1, 0, 101]);
        assert_eq!(decoder.next(), Some(Err(WrapperError::TooLong { announced: 101, limit: 100 })));
    }

    proptest! {
        #[test]
        fn any_cutting_gives_the_same_messages(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..6),
            cut in 1usize..17,
        ) {
            let mut stream = Vec::new();
            for payload in &payloads {
                stream.extend(encode(1, 16, payload).unwrap());
            }
            let mut decoder = WrapperDecoder::default();
            let mut got = Vec::new();
            for piece in stream.chunks(cut) {
                decoder.push(piece);
                for message in decoder.by_ref() {
                    got.push(message.unwrap().payload);
                }
            }
            prop_assert_eq!(got, payloads);
            prop_assert_eq!(decoder.pending(), 0);
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut decoder = WrapperDecoder::new(64);
            decoder.push(&bytes);
            let _ = decoder.by_ref().count();
            prop_assert!(decoder.pending() < HEADER + 64);
        }
    }
}
