//! Finds frames in bytes.

use super::opening::{Opener, Piece};
use super::{Content, DecodeKeys, Decoded, Message, Node, RefusalReason};
use crate::hdlc::{Control, Frame};
use crate::mbus::LongFrame;
use crate::{gateway, wrapper};

/// Segments of one message may not add up to more.
const MAX_JOINED: usize = 1 << 20;

const FLAG: u8 = 0x7E;

/// Segments waiting for their last one.
#[derive(Default)]
struct Joining {
    piece: Option<Piece>,
    sequence: u32,
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    opener: Opener<'a>,
    hdlc: Joining,
    mbus: Joining,
}

pub(super) fn scan(bytes: &[u8], keys: &DecodeKeys) -> Decoded {
    let mut scanner = Scanner {
        bytes,
        at: 0,
        opener: Opener::new(keys),
        hdlc: Joining::default(),
        mbus: Joining::default(),
    };
    while scanner.at < bytes.len() {
        scanner.step();
    }
    for (joining, what) in
        [(&scanner.hdlc, "a row of HDLC segments"), (&scanner.mbus, "a row of M-Bus segments")]
    {
        if let Some(piece) = &joining.piece {
            scanner.opener.refuse(piece.at, RefusalReason::Incomplete(what));
        }
    }
    scanner.opener.finish()
}

impl Scanner<'_> {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn refuse(&mut self, at: usize, why: impl Into<RefusalReason>) {
        self.opener.refuse(at, why.into());
    }

    fn step(&mut self) {
        match *self.rest() {
            // The closing flag of one frame, or filling between frames.
            [FLAG] => self.at += 1,
            [FLAG, next, ..] if next & 0xF0 != 0xA0 => self.at += 1,
            [FLAG, ..] => self.hdlc_frame(),
            [0x68, _, _, 0x68, ..] => self.mbus_frame(),
            // The acknowledgement of a meter on a wired M-Bus.
            [0xE5, ref rest @ ..] if rest.is_empty() || rest.first() == Some(&0x68) => self.at += 1,
            [0x00, 0x01, ..] => self.wrapper_frame(),
            [b'\r' | b'\n', ..] => self.at += 1,
            _ => self.bare(),
        }
    }

    fn hdlc_frame(&mut self) {
        let at = self.at;
        let Some(&[_, high, low]) = self.rest().first_chunk::<3>() else {
            self.refuse(at, RefusalReason::Incomplete("an HDLC frame"));
            self.at = self.bytes.len();
            return;
        };
        let length = usize::from(u16::from_be_bytes([high & 0x07, low]));
        let end = at + 1 + length;
        let whole = self.bytes.get(at + 1..end).filter(|_| self.bytes.get(end) == Some(&FLAG));
        let Some(body) = whole else {
            let ends = end >= self.bytes.len();
            let cut = RefusalReason::Incomplete("an HDLC frame");
            let why = if ends { cut } else { crate::hdlc::FrameError::Length(length).into() };
            self.refuse(at, why);
            return self.resynchronise(at + 1);
        };
        match Frame::decode(body) {
            Ok(frame) => {
                self.at = end;
                self.take_hdlc(at, end + 1, frame);
            }
            Err(error) => {
                self.refuse(at, error);
                self.resynchronise(at + 1);
            }
        }
    }

    fn take_hdlc(&mut self, at: usize, end: usize, frame: Frame) {
        let shown = Node::Fields(vec![
            ("kind", Node::from("hdlc")),
            ("destination", address(frame.destination.logical, frame.destination.physical)),
            ("source", address(frame.source.logical, frame.source.physical)),
            ("control", Node::from(control_name(frame.control))),
            ("segmented", Node::from(frame.segmented)),
        ]);
        let carries =
            matches!(frame.control, Control::Information { .. } | Control::UnnumberedInformation { .. });
        if !carries || frame.information.is_empty() {
            let mut around = vec![("frames", Node::List(None, vec![shown]))];
            if !frame.information.is_empty() {
                around.push(("information", Node::from(crate::data::hex(&frame.information))));
            }
            let around = Node::Fields(around);
            let message = Message { at, end, around, content: Content::Link, notes: Vec::new() };
            return self.opener.keep(message);
        }
        let piece = Piece { at, end, frames: vec![shown], bytes: frame.information };
        if let Some(whole) = self.join_hdlc(piece, frame.segmented) {
            self.unframed(whole);
        }
    }

    fn join_hdlc(&mut self, piece: Piece, more: bool) -> Option<Piece> {
        let joined = match self.hdlc.piece.take() {
            Some(first) => first.followed_by(piece),
            None => piece,
        };
        if more && joined.bytes.len() <= MAX_JOINED {
            self.hdlc.piece = Some(joined);
            return None;
        }
        Some(joined)
    }

    fn mbus_frame(&mut self) {
        let at = self.at;
        let frame = match LongFrame::decode(self.rest()) {
            Ok(frame) => frame,
            Err(error) => {
                self.refuse(at + error.at, RefusalReason::Mbus(error));
                return self.resynchronise(at + 1);
            }
        };
        let end = at + frame.length();
        let mut fields = vec![
            ("kind", Node::from("mbus")),
            ("control", Node::from(frame.control)),
            ("address", Node::from(frame.address)),
            ("control_information", Node::from(frame.control_information)),
        ];
        if let ([source, destination, segment @ ..], true) = (frame.payload, frame.is_dlms()) {
            fields.extend([("source", Node::from(*source)), ("destination", Node::from(*destination))]);
            let piece = Piece { at, end, frames: vec![Node::Fields(fields)], bytes: segment.to_vec() };
            let control = frame.control_information;
            self.at = end;
            return self.take_mbus_segment(piece, control);
        }
        match frame.answer() {
            Ok(answer) => {
                let around = Node::Fields(vec![("frames", Node::List(None, vec![Node::Fields(fields)]))]);
                let content = Content::Mbus(answer);
                self.opener.keep(Message { at, end, around, content, notes: Vec::new() });
            }
            Err(error) => self.refuse(at + error.at, RefusalReason::Mbus(error)),
        }
        self.at = end;
    }

    /// Segments of a DLMS APDU: the low four bits of CI count from 0, bit 4 marks the last.
    ///
    /// Standard: IEC 62056-7-3 (wired M-Bus transport), EN 13757-4 annex on segmentation.
    fn take_mbus_segment(&mut self, piece: Piece, control: u8) {
        let (sequence, last) = (u32::from(control & 0x0F), control & 0x10 != 0);
        let joined = match self.mbus.piece.take() {
            Some(first) if sequence == (self.mbus.sequence + 1) & 0x0F => first.followed_by(piece),
            Some(first) => {
                self.refuse(first.at, RefusalReason::Incomplete("a row of M-Bus segments"));
                piece
            }
            None if sequence == 0 => piece,
            None => return self.refuse(piece.at, RefusalReason::OutOfSequence("M-Bus segment", sequence)),
        };
        if !last && joined.bytes.len() <= MAX_JOINED {
            self.mbus = Joining { piece: Some(joined), sequence };
            return;
        }
        self.unframed(joined);
    }

    fn wrapper_frame(&mut self) {
        let at = self.at;
        let header = self.rest().first_chunk::<{ wrapper::HEADER }>();
        let Some(&[_, _, s0, s1, d0, d1, l0, l1]) = header else {
            self.refuse(at, RefusalReason::Incomplete("a wrapper header"));
            self.at = self.bytes.len();
            return;
        };
        let start = at + wrapper::HEADER;
        let end = start + usize::from(u16::from_be_bytes([l0, l1]));
        let Some(payload) = self.bytes.get(start..end) else {
            self.refuse(at, RefusalReason::Incomplete("a wrapper frame"));
            self.at = self.bytes.len();
            return;
        };
        let shown = Node::Fields(vec![
            ("kind", Node::from("wrapper")),
            ("source", Node::from(u16::from_be_bytes([s0, s1]))),
            ("destination", Node::from(u16::from_be_bytes([d0, d1]))),
        ]);
        let piece = Piece { at, end, frames: vec![shown], bytes: payload.to_vec() };
        self.at = end;
        self.unframed(piece);
    }

    /// No frame: an APDU, perhaps with an LLC or gateway header, or several of them.
    fn bare(&mut self) {
        let at = self.at;
        let rest = self.rest();
        let skip =
            if rest.starts_with(&[0xE6]) || rest.starts_with(&[0xE7]) { header_length(rest) } else { 0 };
        let apdu = rest.get(skip..).unwrap_or_default();
        let known = apdu.first().is_some_and(|tag| is_apdu(*tag));
        if !known {
            let first = apdu.first().or(rest.first()).copied().unwrap_or_default();
            self.refuse(at, RefusalReason::Unknown(first));
            return self.resynchronise(at + 1);
        }
        let mut length = rest.len();
        if let Err(crate::wire::DecodeError { at: stop, why: crate::wire::Why::Trailing(_) }) =
            crate::apdu::Apdu::decode(apdu)
        {
            length = skip + stop;
        }
        let piece = Piece {
            at,
            end: at + length,
            frames: Vec::new(),
            bytes: rest.get(..length).unwrap_or_default().to_vec(),
        };
        self.at = at + length;
        if !self.unframed(piece) {
            self.resynchronise(at + 1);
        }
    }

    /// Takes LLC and gateway headers off and hands the APDU on. False if it was refused.
    fn unframed(&mut self, mut piece: Piece) -> bool {
        // Destination and source LSAP and quality: E6 E6 00 asks, E6 E7 00 answers or pushes.
        if matches!(piece.bytes.as_slice(), [0xE6, 0xE6 | 0xE7, 0x00, ..]) {
            piece.bytes.drain(..3);
        }
        let header = match gateway::parse(&piece.bytes) {
            Ok(None) => None,
            Ok(Some(header)) => {
                let kind = match header.kind {
                    gateway::GatewayKind::Request => "request",
                    gateway::GatewayKind::Response => "response",
                };
                let shown = Node::Fields(vec![
                    ("kind", Node::from(kind)),
                    ("network", Node::from(header.network_id)),
                    ("address", Node::from(crate::data::hex(header.address))),
                ]);
                Some((shown, header.apdu.to_vec()))
            }
            Err(error) => {
                self.refuse(piece.at, error);
                return false;
            }
        };
        let shown = header.map(|(shown, apdu)| {
            piece.bytes = apdu;
            shown
        });
        self.opener.take(piece, shown)
    }

    /// Goes on where the next frame may start.
    fn resynchronise(&mut self, from: usize) {
        let rest = self.bytes.get(from..).unwrap_or_default();
        let next = rest.windows(4).position(|window| match window {
            [FLAG, next, ..] => next & 0xF0 == 0xA0,
            [0x68, a, b, 0x68] => a == b,
            _ => false,
        });
        self.at = next.map_or(self.bytes.len(), |next| from + next);
    }
}

fn header_length(bytes: &[u8]) -> usize {
    match bytes {
        [0xE6, 0xE6 | 0xE7, 0x00, ..] => 3,
        [_, _, length, ..] if *length > 0 => 3 + usize::from(*length),
        _ => 0,
    }
}

const fn is_apdu(tag: u8) -> bool {
    matches!(tag, 0x01 | 0x08 | 0x0E | 0x0F | 0x60..=0x63 | 0xC0..=0xC5 | 0xC7 | 0xD8 | 0xE0)
        || crate::security::Envelope::of_tag(tag).is_some()
}

fn address(logical: u16, physical: Option<u16>) -> Node {
    match physical {
        Some(physical) => Node::from(format!("{logical}/{physical}")),
        None => Node::from(logical),
    }
}

const fn control_name(control: Control) -> &'static str {
    match control {
        Control::Information { .. } => "I",
        Control::ReceiveReady { .. } => "RR",
        Control::ReceiveNotReady { .. } => "RNR",
        Control::Reject { .. } => "REJ",
        Control::SetNormalResponseMode { .. } => "SNRM",
        Control::Disconnect { .. } => "DISC",
        Control::UnnumberedAcknowledge { .. } => "UA",
        Control::DisconnectedMode { .. } => "DM",
        Control::FrameReject { .. } => "FRMR",
        Control::UnnumberedInformation { .. } => "UI",
    }
}
