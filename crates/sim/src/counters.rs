//! A listener on the wire towards the meters: no invocation counter may ever be used twice.
//!
//! It reads what any listener could read without a key: wrapper, gateway header, and the security header
//! of ciphered services. It lives on the far side of the pipes and so survives every kill of the utility.

use dlms::wrapper::WrapperDecoder;
use std::collections::BTreeMap;

/// Whom a message is for: the connection, and the node behind a collector.
type Target<L> = (L, Option<u32>);

/// Watches all connections, named by `L`.
#[derive(Debug)]
pub(crate) struct CounterWatch<L> {
    streams: BTreeMap<L, WrapperDecoder>,
    highest: BTreeMap<Target<L>, u32>,
    /// Counters seen.
    pub(crate) seen: u64,
}

impl<L> Default for CounterWatch<L> {
    fn default() -> Self {
        Self { streams: BTreeMap::new(), highest: BTreeMap::new(), seen: 0 }
    }
}

impl<L: Copy + Ord + core::fmt::Debug> CounterWatch<L> {
    /// The connection was opened anew: what was cut off before is forgotten.
    pub(crate) fn opened(&mut self, link: L) {
        self.streams.remove(&link);
    }

    /// Bytes that the head-end sent.
    ///
    /// # Errors
    /// The counter that did not rise, in words.
    pub(crate) fn sent(&mut self, link: L, bytes: &[u8]) -> Result<(), String> {
        let stream = self.streams.entry(link).or_insert_with(|| WrapperDecoder::new(usize::from(u16::MAX)));
        stream.push(bytes);
        let mut messages = Vec::new();
        for message in stream.by_ref() {
            let message =
                message.map_err(|error| format!("the head-end failed to keep to the wrapper: {error}"))?;
            messages.push(message.payload);
        }
        for payload in messages {
            let (node, apdu) = match dlms::gateway::parse(&payload) {
                Ok(Some(frame)) => (frame.node(), frame.apdu.to_vec()),
                _ => (None, payload),
            };
            let Some(counter) = counter_of(&apdu) else { continue };
            self.seen += 1;
            if let Some(last) = self.highest.insert((link, node), counter).filter(|last| *last >= counter) {
                return Err(format!(
                    "invocation counter {counter} was sent to {link:?} node {node:?} after {last}"
                ));
            }
        }
        Ok(())
    }
}

/// The invocation counter in the security header of a ciphered service.
///
/// ```text
/// C8..CF, D0..D7 (glo, ded)   tag | length | control | counter 4 | ...
/// DB, DC (general)            tag | 8 | title 8 | length | control | counter 4 | ...
/// ```
fn counter_of(apdu: &[u8]) -> Option<u32> {
    let (tag, rest) = apdu.split_first()?;
    let rest = match tag {
        0xC8..=0xD7 => rest,
        0xDB | 0xDC => {
            let (length, rest) = rest.split_first()?;
            rest.get(usize::from(*length)..)?
        }
        _ => return None,
    };
    let (length, rest) = rest.split_first()?;
    let skip = if *length >= 0x80 { usize::from(length & 0x7F) } else { 0 };
    let counter = rest.get(skip + 1..skip + 5)?;
    Some(u32::from_be_bytes(counter.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(counter: u32) -> Vec<u8> {
        let mut apdu = vec![0xC8, 0x09, 0x30];
        apdu.extend(counter.to_be_bytes());
        apdu.extend([0; 4]);
        let inside = dlms::gateway::encode_node(dlms::gateway::GatewayKind::Request, 0, 7, &apdu);
        dlms::wrapper::encode(1, 1, &inside).unwrap()
    }

    #[test]
    fn a_counter_used_twice_is_noticed_through_any_pieces() {
        let mut watch = CounterWatch::default();
        for byte in message(5).iter().chain(&message(6)) {
            watch.sent(1u8, &[*byte]).unwrap();
        }
        watch.sent(2, &message(6)).unwrap();
        watch.opened(1);
        assert!(watch.sent(1, &message(6)).unwrap_err().contains("counter 6"));
    }

    #[test]
    fn long_lengths_and_general_ciphering_are_understood() {
        let mut general = vec![0xDB, 8];
        general.extend([9; 8]);
        general.extend([0x81, 0x90, 0x30, 0, 0, 1, 2]);
        assert_eq!(counter_of(&general), Some(0x102));
        assert_eq!(counter_of(&[0x60, 1, 2, 3, 4, 5, 6, 7]), None);
        assert_eq!(counter_of(&[0xC8, 9]), None);
    }
}
