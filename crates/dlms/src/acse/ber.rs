//! The little BER that ACSE needs.

use super::{DLMS_UA, Diagnostic, Mechanism, UserDiagnostic};
use crate::security::SystemTitle;
use crate::wire::{DecodeError, Reader, Why, put_octets};

/// Appends tag, length and content.
pub(super) fn put(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    put_octets(out, content);
}

/// Tag, length and content.
pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 4);
    put(&mut out, tag, content);
    out
}

/// The object identifier 2.16.756.5.8.`arc`.`id` with its tag.
pub(super) fn object_id(arc: u8, id: u8) -> Vec<u8> {
    let mut content = DLMS_UA.to_vec();
    content.extend_from_slice(&[arc, id]);
    tlv(0x06, &content)
}

/// ACSE requirements, mechanism name and authentication value under the three `tags`.
pub(super) fn put_authentication(
    body: &mut Vec<u8>,
    tags: [u8; 3],
    mechanism: Option<Mechanism>,
    value: Option<&[u8]>,
) {
    let [requirements, name, authentication] = tags;
    let Some(mechanism) = mechanism.filter(|mechanism| *mechanism != Mechanism::Lowest) else {
        return;
    };
    // A BIT STRING of one bit: the authentication functional unit.
    put(body, requirements, &[0x07, 0x80]);
    let mut arcs = DLMS_UA.to_vec();
    arcs.extend_from_slice(&[2, mechanism.id()]);
    put(body, name, &arcs);
    if let Some(value) = value {
        put(body, authentication, &tlv(0x80, value));
    }
}

/// The body of a release request or response.
pub(super) fn release(reason: Option<u8>, user_information: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    if let Some(reason) = reason {
        put(&mut body, 0x80, &[reason]);
    }
    if !user_information.is_empty() {
        put(&mut body, 0xBE, &tlv(0x04, user_information));
    }
    body
}

pub(super) fn open_release(bytes: &[u8], tag: u8) -> Result<(Option<u8>, Vec<u8>), DecodeError> {
    let (mut reason, mut user_information) = (None, Vec::new());
    let mut fields = open(bytes, tag)?;
    while let Some(field) = fields.next_field()? {
        match field.tag {
            0x80 => reason = field.content.last().copied(),
            0xBE => user_information = field.explicit(0x04)?.content.to_vec(),
            _ => {}
        }
    }
    Ok((reason, user_information))
}

/// Fields one after the other.
pub(super) struct Fields<'a>(Reader<'a>);

/// One field: its tag, where its content starts, and the content.
pub(super) struct Field<'a> {
    pub(super) tag: u8,
    at: usize,
    pub(super) content: &'a [u8],
}

/// The fields of the APDU `tag` that fills `bytes`.
pub(super) fn open(bytes: &[u8], tag: u8) -> Result<Fields<'_>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let found = reader.u8()?;
    if found != tag {
        return Err(reader.fail_back(Why::UnknownApdu(found)));
    }
    let length = reader.length()?;
    let end = reader.at() + length;
    if length < reader.left() {
        return Err(DecodeError { at: end, why: Why::Trailing(reader.left() - length) });
    }
    Ok(Fields(reader))
}

impl<'a> Fields<'a> {
    pub(super) fn next_field(&mut self) -> Result<Option<Field<'a>>, DecodeError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.0.u8()?;
        let length = self.0.length()?;
        let at = self.0.at();
        Ok(Some(Field { tag, at, content: self.0.take(length)? }))
    }
}

impl<'a> Field<'a> {
    const fn fail(&self, why: Why) -> DecodeError {
        DecodeError { at: self.at, why }
    }

    fn inner(&self) -> Result<Self, DecodeError> {
        let shift = |error: DecodeError| DecodeError { at: error.at + self.at, ..error };
        let mut reader = Reader::new(self.content);
        let tag = reader.u8().map_err(shift)?;
        let length = reader.length().map_err(shift)?;
        let at = self.at + reader.at();
        Ok(Self { tag, at, content: reader.take(length).map_err(shift)? })
    }

    /// The field inside an explicit tag.
    pub(super) fn explicit(&self, tag: u8) -> Result<Self, DecodeError> {
        let inner = self.inner()?;
        if inner.tag == tag { Ok(inner) } else { Err(self.fail(Why::UnknownChoice(inner.tag))) }
    }

    /// The last arc of an object identifier 2.16.756.5.8.`arc`.
    pub(super) fn object_id(&self, arc: u8) -> Result<u8, DecodeError> {
        match self.content.split_last() {
            Some((id, rest)) if rest.strip_prefix(&DLMS_UA) == Some(&[arc]) => Ok(*id),
            _ => Err(self.fail(Why::Unexpected("an object identifier that is not of the DLMS UA"))),
        }
    }

    pub(super) fn number(&self) -> Result<u8, DecodeError> {
        self.content.last().copied().ok_or(self.fail(Why::Truncated { missing: 1 }))
    }

    /// A system title; an empty field is none.
    pub(super) fn title(&self) -> Result<Option<SystemTitle>, DecodeError> {
        if self.content.is_empty() {
            return Ok(None);
        }
        let title = self.content.try_into().map(SystemTitle);
        title.map(Some).map_err(|_| self.fail(Why::Unexpected("a system title that is not 8 bytes")))
    }

    /// The CHOICE of authentication values: a character string, a bit string, or something of their own.
    pub(super) fn authentication_value(&self) -> Result<Vec<u8>, DecodeError> {
        Ok(self.inner()?.content.to_vec())
    }

    pub(super) fn diagnostic(&self) -> Result<Diagnostic, DecodeError> {
        let source = self.inner()?;
        let number = source.explicit(0x02)?.number()?;
        match source.tag {
            0xA1 => Ok(Diagnostic::User(UserDiagnostic::from_id(number))),
            0xA2 => Ok(Diagnostic::Provider(number)),
            other => Err(source.fail(Why::UnknownChoice(other))),
        }
    }
}
