//! From the bytes inside the frames to an APDU in the clear.

use super::{Content, DecodeKeys, Decoded, Message, Node, Refusal, RefusalReason, quirks};
use crate::acse::InitiateRequest;
use crate::apdu::{Apdu, Ciphered, GeneralBlockTransfer};
use crate::security::{
    Cipher, Envelope, Key, Keys, Protection, SecurityError, SystemTitle, open_in_place, read_header,
};
use crate::wire::DecodeError;

/// Blocks of one APDU may not add up to more.
const MAX_JOINED: usize = 1 << 20;

/// Bytes out of frames, and where they came from.
pub(super) struct Piece {
    pub(super) at: usize,
    pub(super) end: usize,
    pub(super) frames: Vec<Node>,
    pub(super) bytes: Vec<u8>,
}

impl Piece {
    pub(super) fn followed_by(mut self, next: Self) -> Self {
        self.end = next.end;
        self.frames.extend(next.frames);
        self.bytes.extend(next.bytes);
        self
    }
}

/// Opens APDUs and remembers what associations told: titles and dedicated key.
pub(super) struct Opener<'a> {
    keys: &'a DecodeKeys,
    client: Option<SystemTitle>,
    server: Option<SystemTitle>,
    dedicated: Option<Key>,
    blocks: Option<(Piece, u16)>,
    decoded: Decoded,
}

impl<'a> Opener<'a> {
    pub(super) fn new(keys: &'a DecodeKeys) -> Self {
        Self { keys, client: None, server: None, dedicated: None, blocks: None, decoded: Decoded::default() }
    }

    pub(super) fn refuse(&mut self, at: usize, why: RefusalReason) {
        self.decoded.refusals.push(Refusal { at, why });
    }

    pub(super) fn keep(&mut self, message: Message) {
        self.decoded.messages.push(message);
    }

    pub(super) fn finish(mut self) -> Decoded {
        if let Some((piece, _)) = self.blocks.take() {
            self.refuse(piece.at, RefusalReason::Incomplete("a row of general blocks"));
        }
        self.decoded
    }

    /// Takes an APDU. False if it was refused.
    pub(super) fn take(&mut self, piece: Piece, gateway: Option<Node>) -> bool {
        // Offsets of errors are exact where the APDU lies at the end of a single frame's bytes.
        let base = if piece.frames.len() < 2 {
            (piece.end - trailer(&piece)).saturating_sub(piece.bytes.len())
        } else {
            piece.at
        };
        let apdu = match quirks::decode(&piece.bytes) {
            Ok((Apdu::GeneralBlockTransfer(block), _)) => return self.take_block(piece, block, gateway),
            Ok(apdu) => apdu,
            Err(error) => {
                let at = if piece.frames.len() < 2 { base + error.at } else { piece.at };
                self.refuse(at, RefusalReason::Apdu(error));
                return false;
            }
        };
        let mut around = Vec::new();
        if !piece.frames.is_empty() {
            around.push(("frames", Node::List(None, piece.frames)));
        }
        if let Some(gateway) = gateway {
            around.push(("gateway", gateway));
        }
        let mut notes: Vec<String> = apdu.1.map(str::to_owned).into_iter().collect();
        let apdu = match apdu.0 {
            Apdu::Ciphered(ciphered) => match self.open(&piece.bytes, ciphered, &mut around, &mut notes) {
                Ok(apdu) => apdu,
                Err(why) => {
                    self.refuse(piece.at, why);
                    return false;
                }
            },
            plain => plain,
        };
        self.learn(&apdu);
        let around = Node::Fields(around);
        let content = Content::Apdu(apdu);
        self.keep(Message { at: piece.at, end: piece.end, around, content, notes });
        true
    }

    fn take_block(&mut self, piece: Piece, block: GeneralBlockTransfer, gateway: Option<Node>) -> bool {
        let number = block.block;
        let part = Piece { bytes: block.bytes, ..piece };
        let joined = match self.blocks.take() {
            Some((first, last)) if number == last.wrapping_add(1) => first.followed_by(part),
            Some((first, _)) if number != 1 => {
                let why = RefusalReason::OutOfSequence("general block", u32::from(number));
                self.refuse(first.at, why);
                return false;
            }
            None if number != 1 => {
                let why = RefusalReason::OutOfSequence("general block", u32::from(number));
                self.refuse(part.at, why);
                return false;
            }
            _ => part,
        };
        if block.last || joined.bytes.len() > MAX_JOINED {
            return self.take(joined, gateway);
        }
        self.blocks = Some((joined, number));
        true
    }

    /// The APDU inside a ciphered one; itself where there is no key for it.
    fn open(
        &self,
        bytes: &[u8],
        ciphered: Ciphered,
        around: &mut Vec<(&'static str, Node)>,
        notes: &mut Vec<String>,
    ) -> Result<Apdu, RefusalReason> {
        let header = read_header(bytes)?;
        let title = header.title.or(self.title_of(ciphered.tag)).or(self.keys.system_title);
        let key = match header.envelope {
            Envelope::Ded | Envelope::GeneralDed => self.dedicated.as_ref(),
            _ => self.keys.encryption.as_ref(),
        };
        let protection = header.control.protection();
        let readable = !protection.encrypted();
        let mut shown = vec![
            ("envelope", Node::from(ciphered_name(header.envelope))),
            ("system_title", Node::option(title.map(|title| title.to_string()))),
            ("invocation_counter", Node::from(header.counter)),
            ("security_control", Node::from(header.control.0)),
        ];
        let (Some(title), true) = (title, key.is_some() || readable) else {
            let lack = if title.is_some() { "key" } else { "system title" };
            notes.push(format!("encrypted; the sender's {lack} is needed to read on"));
            around.push(("security", Node::Fields(shown)));
            return Ok(Apdu::Ciphered(ciphered));
        };
        let checked = protection.authenticated() && self.keys.authentication.is_some() && key.is_some();
        let text = if checked {
            self.open_checked(bytes, key, title)?
        } else {
            let key = key.cloned().unwrap_or(Key::new([0; 16]));
            header.open_unchecked(bytes, &Cipher::new(&key, &Key::new([0; 16])), title)?
        };
        shown.push(("authentication", Node::from(if checked { "verified" } else { "not verified" })));
        around.push(("security", Node::Fields(shown)));
        let wrong = |error: DecodeError| {
            if checked { RefusalReason::Apdu(error) } else { RefusalReason::WrongKey(error) }
        };
        let (apdu, note) = quirks::decode(&text).map_err(wrong)?;
        notes.extend(note.map(str::to_owned));
        Ok(apdu)
    }

    fn open_checked(
        &self,
        bytes: &[u8],
        key: Option<&Key>,
        title: SystemTitle,
    ) -> Result<Vec<u8>, SecurityError> {
        let (Some(key), Some(authentication)) = (key, &self.keys.authentication) else {
            return Err(SecurityError::NoKey("authentication"));
        };
        let mut buffer = bytes.to_vec();
        let cipher = Cipher::new(key, authentication);
        let opened = open_in_place(&mut buffer, &cipher, Some(title), Protection::None)?;
        Ok(buffer.get(opened.start..opened.end).unwrap_or_default().to_vec())
    }

    /// Who sends APDUs with this first byte: requests come from clients.
    const fn title_of(&self, tag: u8) -> Option<SystemTitle> {
        match tag {
            0x21 | 0xC8 | 0xC9 | 0xCB | 0xD0 | 0xD1 | 0xD3 => self.client,
            _ => self.server,
        }
    }

    /// Keeps what an association tells of titles and dedicated key.
    fn learn(&mut self, apdu: &Apdu) {
        match apdu {
            Apdu::Aarq(aarq) => {
                self.client = aarq.calling_ap_title.or(self.client);
                self.dedicated = self.dedicated_key(&aarq.user_information);
            }
            Apdu::Aare(aare) => self.server = aare.responding_ap_title.or(self.server),
            _ => {}
        }
    }

    fn dedicated_key(&self, initiate: &[u8]) -> Option<Key> {
        let plain = match initiate.first() {
            Some(0x21) => {
                let header = read_header(initiate).ok()?;
                let keys = Keys::new(self.keys.encryption.clone()?, Key::new([0; 16]));
                header.open_unchecked(initiate, &Cipher::new(&keys.guek, &keys.gak), self.client?).ok()?
            }
            _ => initiate.to_vec(),
        };
        let key = InitiateRequest::decode(&plain).ok()?.dedicated_key?;
        Key::try_from(key.as_slice()).ok()
    }
}

/// Bytes of a single frame after its information.
fn trailer(piece: &Piece) -> usize {
    let kind = match piece.frames.first() {
        Some(Node::Fields(fields)) => fields.first().map(|(_, kind)| kind),
        _ => None,
    };
    match kind {
        Some(kind) if *kind == Node::from("hdlc") => 3,
        Some(kind) if *kind == Node::from("mbus") => 2,
        _ => 0,
    }
}

const fn ciphered_name(envelope: Envelope) -> &'static str {
    match envelope {
        Envelope::Glo => "glo-ciphering",
        Envelope::Ded => "ded-ciphering",
        Envelope::GeneralGlo => "general-glo-ciphering",
        Envelope::GeneralDed => "general-ded-ciphering",
    }
}
