//! The server's end: it speaks only when it has been given the turn.

use super::half::{Half, LLC_RESPONSE, Taken, without_llc};
use super::{LinkConfig, LinkError, LinkEvent, Parameters};
use crate::hdlc::frame::{Address, Control, Decoder, Frame};
use core::time::Duration;
use std::collections::VecDeque;

/// The server's end of a link; it serves one client at a time, and a new one takes over from the old.
///
/// After [`ServerLink::handle_bytes`] take all events and give the answers with [`ServerLink::send`],
/// then empty [`ServerLink::poll_transmit`]: an answer given before rides on the frame that returns the
/// turn; one given later waits until the client asks again.
#[derive(Debug)]
pub struct ServerLink {
    config: LinkConfig,
    /// Whether somebody is connected; then `half.peer` is who.
    open: bool,
    half: Half,
    decoder: Decoder,
    out: VecDeque<Vec<u8>>,
    events: VecDeque<LinkEvent>,
    turn: bool,
    gap: bool,
    peer_busy: bool,
    heard: Duration,
}

impl ServerLink {
    /// A closed link, listening.
    pub fn new(config: LinkConfig) -> Self {
        Self {
            half: Half::new(&config, config.server, config.client),
            config,
            open: false,
            decoder: Decoder::new(),
            out: VecDeque::new(),
            events: VecDeque::new(),
            turn: false,
            gap: false,
            peer_busy: false,
            heard: Duration::ZERO,
        }
    }

    /// Whether a client is connected.
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// What both ends agreed on.
    pub const fn agreed(&self) -> Parameters {
        self.half.agreed
    }

    /// Sends a message when the client next gives the turn. Without a client it is dropped.
    pub fn send(&mut self, apdu: &[u8]) {
        if self.open {
            self.half.queue(LLC_RESPONSE, apdu);
        }
    }

    /// Takes bytes as they came from the line.
    pub fn handle_bytes(&mut self, now: Duration, bytes: &[u8]) {
        self.decoder.push(bytes);
        while let Some(found) = self.decoder.next() {
            match found {
                Ok(frame) if self.is_for_us(frame.destination) => self.handle_frame(now, frame),
                Ok(_) => {}
                Err(error) => self.events.push_back(LinkEvent::Error(error.into())),
            }
        }
    }

    /// Does what is due at `now`: closes a link that has been silent too long.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.poll_timeout().is_some_and(|at| at <= now) {
            self.close();
        }
    }

    /// The next bytes for the line.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        if self.turn && self.open && self.events.is_empty() {
            self.use_turn();
        }
        self.out.pop_front()
    }

    /// The next thing to know.
    pub fn poll_event(&mut self) -> Option<LinkEvent> {
        self.events.pop_front()
    }

    /// When [`ServerLink::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.open.then(|| self.heard + self.config.inactivity)
    }

    fn use_turn(&mut self) {
        self.turn = false;
        if core::mem::take(&mut self.gap) {
            self.answer(Control::Reject { nr: self.half.expecting, poll: true }, &[]);
        } else if self.peer_busy || !self.half.burst(&mut self.out) {
            self.answer(Control::ReceiveReady { nr: self.half.expecting, poll: true }, &[]);
        }
    }

    fn is_for_us(&self, address: Address) -> bool {
        let (own, broadcast) = (self.config.server, if address.width() == 4 { 0x3FFF } else { 0x7F });
        let same = |part: u16, own: u16| part == own || part == broadcast;
        same(address.logical, own.logical)
            && match (address.physical, own.physical) {
                (Some(part), Some(own)) => same(part, own),
                _ => true,
            }
    }

    fn answer(&mut self, control: Control, information: &[u8]) {
        self.out.extend(self.half.encode(control, false, information));
    }

    fn close(&mut self) {
        self.open = false;
        self.turn = false;
        self.half.reset(self.config.parameters.bounded());
        self.events.push_back(LinkEvent::Disconnected);
    }

    fn handle_frame(&mut self, now: Duration, frame: Frame) {
        let known = self.open && frame.source == self.half.peer;
        match frame.control {
            Control::SetNormalResponseMode { .. } => self.accept(now, &frame),
            Control::UnnumberedInformation { .. } if known => self.deliver(without_llc(frame.information)),
            _ if !known => {
                if frame.control.polls() {
                    self.refuse(&frame);
                }
            }
            Control::Disconnect { .. } => {
                self.answer(Control::UnnumberedAcknowledge { poll: true }, &[]);
                self.close();
            }
            _ => {
                self.heard = now;
                self.handle_numbered(&frame);
            }
        }
    }

    /// Opens the link anew, answering under the very address that was called.
    fn accept(&mut self, now: Duration, frame: &Frame) {
        if self.open {
            self.close();
        }
        let theirs = Parameters::decode(&frame.information);
        let agreed = self.config.parameters.bounded().agreed_with(theirs);
        (self.half.own, self.half.peer) = (frame.destination, frame.source);
        self.half.reset(agreed);
        (self.open, self.turn, self.gap, self.peer_busy, self.heard) = (true, false, false, false, now);
        self.answer(Control::UnnumberedAcknowledge { poll: true }, &agreed.encode());
        self.events.push_back(LinkEvent::Connected { client: frame.source.logical });
    }

    fn refuse(&mut self, frame: &Frame) {
        let refusal = Frame {
            destination: frame.source,
            source: frame.destination,
            control: Control::DisconnectedMode { poll: true },
            segmented: false,
            information: Vec::new(),
        };
        self.out.extend(refusal.encode().ok());
    }

    fn handle_numbered(&mut self, frame: &Frame) {
        let (Control::Information { nr, .. }
        | Control::ReceiveReady { nr, .. }
        | Control::Reject { nr, .. }
        | Control::ReceiveNotReady { nr, .. }) = frame.control
        else {
            return;
        };
        self.peer_busy = matches!(frame.control, Control::ReceiveNotReady { .. });
        if let Err(error) = self.half.acknowledged(nr) {
            self.events.push_back(LinkEvent::Error(error));
            // Rejected control byte, our own counters, and bit Z: the number is out of range.
            let counters = self.half.expecting << 5;
            self.answer(Control::FrameReject { poll: true }, &[frame.control.byte(), counters, 0x08]);
            return;
        }
        if let Control::Information { ns, .. } = frame.control {
            match self.half.take(ns, frame.segmented, &frame.information) {
                Taken::Whole(apdu) => self.deliver(Ok(apdu)),
                Taken::Refused(error) => self.deliver(Err(error)),
                Taken::Gap => self.gap = true,
                Taken::Part | Taken::Duplicate => {}
            }
        }
        if frame.control.polls() {
            self.half.rewind();
            self.turn = true;
        }
    }

    fn deliver(&mut self, message: Result<Vec<u8>, LinkError>) {
        let client = self.half.peer.logical;
        self.events.push_back(match message {
            Ok(apdu) => LinkEvent::Apdu { apdu, client },
            Err(error) => LinkEvent::Error(error),
        });
    }
}
