//! The client's end: it opens the link, holds the turn, and repeats itself when nobody answers.

use super::half::{Half, LLC_REQUEST, Taken, without_llc};
use super::{LinkConfig, LinkError, LinkEvent, Parameters};
use crate::hdlc::frame::{Control, Decoder, Frame};
use core::time::Duration;
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Opening,
    Open,
    Closing,
}

/// The client's end of a link.
///
/// `now` is any clock that does not run backwards. Call [`ClientLink::poll_transmit`] and
/// [`ClientLink::poll_event`] until empty after every other call.
#[derive(Debug)]
pub struct ClientLink {
    config: LinkConfig,
    state: State,
    half: Half,
    decoder: Decoder,
    out: VecDeque<Vec<u8>>,
    events: VecDeque<LinkEvent>,
    /// The server has the turn until this instant.
    deadline: Option<Duration>,
    /// We have the turn and ask at this instant whether an answer is ready.
    ask_at: Option<Duration>,
    /// Until when an answer to the last message is waited for.
    answer_by: Option<Duration>,
    tries: u8,
    gap: bool,
    /// Messages given before the link was open.
    early: Vec<Vec<u8>>,
}

impl ClientLink {
    /// A closed link.
    pub fn new(config: LinkConfig) -> Self {
        Self {
            half: Half::new(&config, config.client, config.server),
            config,
            state: State::Closed,
            decoder: Decoder::new(),
            out: VecDeque::new(),
            events: VecDeque::new(),
            deadline: None,
            ask_at: None,
            answer_by: None,
            tries: 0,
            gap: false,
            early: Vec::new(),
        }
    }

    /// Opens the link. Messages given meanwhile wait until it is open.
    pub fn connect(&mut self, now: Duration) {
        self.state = State::Opening;
        self.tries = 0;
        self.half.reset(self.config.parameters.bounded());
        self.command(now, Control::SetNormalResponseMode { poll: true }, &self.config.parameters.encode());
    }

    /// Sends a message, or keeps it until the link is open.
    pub fn send(&mut self, now: Duration, apdu: &[u8]) {
        if self.state != State::Open {
            self.early.push(apdu.to_vec());
            return;
        }
        self.half.queue(LLC_REQUEST, apdu);
        self.answer_by = Some(now + self.config.response_timeout * u32::from(self.config.retries.max(1)));
        self.ask_at = None;
        self.pump(now);
    }

    /// Closes the link.
    pub fn disconnect(&mut self, now: Duration) {
        if matches!(self.state, State::Open | State::Opening) {
            self.state = State::Closing;
            self.tries = 0;
            self.command(now, Control::Disconnect { poll: true }, &[]);
        }
    }

    /// Whether the link is open.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// What both ends agreed on.
    pub const fn agreed(&self) -> Parameters {
        self.half.agreed
    }

    /// Takes bytes as they came from the line.
    pub fn handle_bytes(&mut self, now: Duration, bytes: &[u8]) {
        self.decoder.push(bytes);
        while let Some(found) = self.decoder.next() {
            match found {
                Ok(frame) if frame.destination.logical == self.config.client.logical => {
                    self.handle_frame(now, frame);
                }
                // Somebody else's frame on a shared line.
                Ok(_) => {}
                Err(error) => self.events.push_back(LinkEvent::Error(error.into())),
            }
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.ask_at.is_some_and(|at| at <= now) {
            self.ask_at = None;
            self.ask(now);
        }
        if self.deadline.is_none_or(|at| at > now) {
            return;
        }
        self.deadline = None;
        if self.tries >= self.config.retries {
            self.events.push_back(LinkEvent::Error(LinkError::Timeout(self.tries)));
            self.close();
            return;
        }
        self.tries += 1;
        match self.state {
            State::Closed => {}
            State::Opening => {
                let field = self.config.parameters.encode();
                self.command(now, Control::SetNormalResponseMode { poll: true }, &field);
            }
            State::Closing => self.command(now, Control::Disconnect { poll: true }, &[]),
            State::Open => {
                self.half.rewind();
                if self.half.burst(&mut self.out) {
                    self.wait(now);
                } else {
                    self.ask(now);
                }
            }
        }
    }

    /// The next bytes for the line.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.out.pop_front()
    }

    /// The next thing to know.
    pub fn poll_event(&mut self) -> Option<LinkEvent> {
        self.events.pop_front()
    }

    /// When [`ClientLink::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Duration> {
        [self.deadline, self.ask_at].into_iter().flatten().min()
    }

    fn client(&self) -> u16 {
        self.config.client.logical
    }

    fn wait(&mut self, now: Duration) {
        self.deadline = Some(now + self.config.response_timeout);
    }

    fn command(&mut self, now: Duration, control: Control, information: &[u8]) {
        self.out.extend(self.half.encode(control, false, information));
        self.wait(now);
    }

    fn ask(&mut self, now: Duration) {
        self.command(now, Control::ReceiveReady { nr: self.half.expecting, poll: true }, &[]);
    }

    fn close(&mut self) {
        self.state = State::Closed;
        (self.deadline, self.ask_at, self.answer_by) = (None, None, None);
        self.early.clear();
        self.half.reset(self.config.parameters.bounded());
        self.events.push_back(LinkEvent::Disconnected);
    }

    fn handle_frame(&mut self, now: Duration, frame: Frame) {
        match (frame.control, self.state) {
            (Control::UnnumberedAcknowledge { .. }, State::Opening) => {
                let theirs = Parameters::decode(&frame.information);
                self.half.reset(self.config.parameters.bounded().agreed_with(theirs));
                self.state = State::Open;
                self.deadline = None;
                self.events.push_back(LinkEvent::Connected { client: self.client() });
                for apdu in core::mem::take(&mut self.early) {
                    self.send(now, &apdu);
                }
            }
            (Control::UnnumberedAcknowledge { .. } | Control::DisconnectedMode { .. }, State::Closing) => {
                self.close();
            }
            (Control::DisconnectedMode { .. }, State::Opening | State::Open) => {
                self.events.push_back(LinkEvent::Error(LinkError::Refused));
                self.close();
            }
            (Control::FrameReject { .. }, State::Opening | State::Open) => {
                self.events.push_back(LinkEvent::Error(LinkError::FrameRejected));
                self.close();
            }
            (Control::UnnumberedInformation { .. }, _) => self.deliver(without_llc(frame.information)),
            (_, State::Open) => self.handle_numbered(now, &frame),
            _ => {}
        }
    }

    fn handle_numbered(&mut self, now: Duration, frame: &Frame) {
        let (nr, busy) = match frame.control {
            Control::Information { nr, .. }
            | Control::ReceiveReady { nr, .. }
            | Control::Reject { nr, .. } => (nr, false),
            Control::ReceiveNotReady { nr, .. } => (nr, true),
            _ => return,
        };
        if let Err(error) = self.half.acknowledged(nr) {
            self.events.push_back(LinkEvent::Error(error));
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
        if !frame.control.polls() {
            return;
        }
        // The turn is ours again, and whatever the server did not acknowledge it did not get.
        self.deadline = None;
        self.tries = 0;
        self.half.rewind();
        if core::mem::take(&mut self.gap) {
            self.command(now, Control::Reject { nr: self.half.expecting, poll: true }, &[]);
        } else if busy {
            self.ask_at = Some(now + self.config.response_timeout / 4);
        } else {
            self.pump(now);
        }
    }

    fn deliver(&mut self, message: Result<Vec<u8>, LinkError>) {
        let client = self.client();
        match message {
            Ok(apdu) => {
                self.answer_by = None;
                self.events.push_back(LinkEvent::Apdu { apdu, client });
            }
            Err(error) => self.events.push_back(LinkEvent::Error(error)),
        }
    }

    /// Uses the turn, if we have it.
    fn pump(&mut self, now: Duration) {
        if self.deadline.is_some() || self.ask_at.is_some() {
            return;
        }
        if self.half.burst(&mut self.out) {
            self.wait(now);
        } else if self.half.in_the_middle() {
            self.ask(now);
        } else if self.answer_by.is_some_and(|by| now < by) {
            // The server took the message and is still thinking.
            self.ask_at = Some(now + self.config.response_timeout / 16);
        }
    }
}
