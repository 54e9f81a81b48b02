//! Our clock against a reference: a time server is asked now and then, and what it says is kept for the rules.
//!
//! Nothing is set: that is the system's business. Readings that were collected while our clock was off are told of.

use crate::clock::Clock;
use anyhow::Result;
use mdm::Mdm;
use std::io::{Error, ErrorKind};
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

/// How often the server is asked.
const EVERY: Duration = Duration::from_secs(15 * 60);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Seconds from 1900, where the protocol counts from, to 1970.
const EPOCH_S: i64 = 2_208_988_800;

/// Starts a thread that compares the clock with that of a time server, `host:port`, and keeps the difference.
///
/// # Errors
/// When the system gives no thread.
pub fn watch(mdm: Arc<Mdm>, clock: Clock, server: String) -> Result<()> {
    let watching = move || {
        loop {
            match ask(&server, &clock, PATIENCE) {
                Ok(offset_ms) => {
                    let now = clock.now();
                    let kept = mdm.store().write(|w| w.note_system_clock(now, offset_ms, &server));
                    if let Err(error) = kept {
                        tracing::error!(%error, "what the time server said is not kept");
                    }
                }
                Err(error) => tracing::warn!(server, %error, "the time server does not answer"),
            }
            std::thread::sleep(EVERY);
        }
    };
    std::thread::Builder::new().name("reference".to_owned()).spawn(watching)?;
    Ok(())
}

/// How far our clock is ahead of the server's (negative: behind), milliseconds. The way there and back is taken to be equally long.
///
/// Standard: RFC 4330 (SNTP version 4), client operation.
///
/// # Errors
/// When the server is not found, does not answer in time, or answers something else than asked.
pub fn ask(server: &str, clock: &Clock, patience: Duration) -> std::io::Result<i64> {
    let socket = UdpSocket::bind(("0.0.0.0", 0))?;
    socket.set_read_timeout(Some(patience))?;
    socket.connect(server)?;
    let sent = clock.now().as_millisecond();
    let mut request = [0u8; 48];
    // Version 4, client.
    request[0] = 0x23;
    request[40..48].copy_from_slice(&stamp(sent));
    socket.send(&request)?;
    let mut answer = [0u8; 48];
    let length = socket.recv(&mut answer)?;
    let received = clock.now().as_millisecond();
    let is_server = answer[0] & 7 == 4 && (1..16).contains(&answer[1]);
    if length < 48 || !is_server || answer[24..32] != request[40..48] {
        return Err(Error::new(ErrorKind::InvalidData, "no answer of a synchronised time server"));
    }
    let there = millis(&answer, 32);
    let back = millis(&answer, 40);
    Ok(-((there - sent) + (back - received)) / 2)
}

/// Unix milliseconds as the protocol writes them: seconds and a fraction of 2^-32.
fn stamp(unix_ms: i64) -> [u8; 8] {
    let seconds = unix_ms.div_euclid(1000) + EPOCH_S;
    let fraction = (unix_ms.rem_euclid(1000) << 32) / 1000;
    // The seconds are counted modulo 2^32.
    ((seconds << 32) | fraction).to_be_bytes()
}

/// The Unix milliseconds that stand at `at`; the era is that of 1968 to 2104.
fn millis(answer: &[u8; 48], at: usize) -> i64 {
    let word = |at: usize| {
        answer.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes)
    };
    let seconds = i64::from(word(at));
    // Seconds without their highest bit belong to the era after 2036.
    let era = if seconds < 1 << 31 { 1 << 32 } else { 0 };
    (seconds + era - EPOCH_S) * 1000 + ((i64::from(word(at + 4)) * 1000) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A time server whose clock is ahead by so much, for one question.
    fn server(ahead_ms: i64, stratum: u8) -> String {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let address = socket.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            let mut request = [0u8; 48];
            let (_, from) = socket.recv_from(&mut request).unwrap();
            let now = Clock::real().now().as_millisecond() + ahead_ms;
            let mut answer = [0u8; 48];
            (answer[0], answer[1]) = (0x24, stratum);
            answer[24..32].copy_from_slice(&request[40..48]);
            answer[32..40].copy_from_slice(&stamp(now));
            answer[40..48].copy_from_slice(&stamp(now));
            socket.send_to(&answer, from).unwrap();
        });
        address
    }

    #[test]
    fn the_difference_to_a_time_server_is_told() {
        let patience = Duration::from_secs(20);
        for ahead_ms in [60_000, -90_000] {
            let offset = ask(&server(ahead_ms, 2), &Clock::real(), patience).unwrap();
            assert!((offset + ahead_ms).abs() < 30_000, "{offset}");
        }
        let refused = ask(&server(0, 0), &Clock::real(), patience).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn stamps_are_read_as_they_are_written() {
        for unix_ms in [0, 1_790_003_700_123, 4_000_000_000_999] {
            let mut answer = [0u8; 48];
            answer[32..40].copy_from_slice(&stamp(unix_ms));
            assert!((millis(&answer, 32) - unix_ms).abs() <= 1, "{unix_ms}");
        }
    }
}
