//! The codec of every APDU: which first byte is which.

use super::{
    ActionRequest, ActionResponse, AttributeRef, Ciphered, ConfirmedServiceError, DataAccessError,
    DataNotification, EventNotification, ExceptionResponse, GeneralBlockTransfer, GetRequest, GetResponse,
    InvokeId, MethodRef, Selection, SetRequest, SetResponse,
};
use crate::acse::{Aare, Aarq, InitiateRequest, InitiateResponse, Rlre, Rlrq};
use crate::data::Data;
use crate::obis::Obis;
use crate::security::{Envelope, SystemTitle};
use crate::wire::{DecodeError, Reader, Why, put_length, put_octets};

/// Any APDU.
#[derive(Clone, Debug, PartialEq)]
pub enum Apdu {
    /// 0x01.
    InitiateRequest(InitiateRequest),
    /// 0x08.
    InitiateResponse(InitiateResponse),
    /// 0x0E.
    ConfirmedServiceError(ConfirmedServiceError),
    /// 0x0F.
    DataNotification(DataNotification),
    /// 0x60.
    Aarq(Aarq),
    /// 0x61.
    Aare(Aare),
    /// 0x62.
    Rlrq(Rlrq),
    /// 0x63.
    Rlre(Rlre),
    /// 0xC0.
    GetRequest(GetRequest),
    /// 0xC1.
    SetRequest(SetRequest),
    /// 0xC2.
    EventNotification(EventNotification),
    /// 0xC3.
    ActionRequest(ActionRequest),
    /// 0xC4.
    GetResponse(GetResponse),
    /// 0xC5.
    SetResponse(SetResponse),
    /// 0xC7.
    ActionResponse(ActionResponse),
    /// 0xD8.
    ExceptionResponse(ExceptionResponse),
    /// 0xE0.
    GeneralBlockTransfer(GeneralBlockTransfer),
    /// 0x21, 0x28, 0x2E, 0xC8 to 0xD7, 0xDB, 0xDC: any of them protected.
    Ciphered(Ciphered),
}

impl Apdu {
    /// Reads an APDU that fills `bytes`.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let tag = reader.u8()?;
        let apdu = match tag {
            0x01 => return InitiateRequest::decode(bytes).map(Self::InitiateRequest),
            0x08 => return InitiateResponse::decode(bytes).map(Self::InitiateResponse),
            0x60 => return Aarq::decode(bytes).map(Self::Aarq),
            0x61 => return Aare::decode(bytes).map(Self::Aare),
            0x62 => return Rlrq::decode(bytes).map(Self::Rlrq),
            0x63 => return Rlre::decode(bytes).map(Self::Rlre),
            0x0E => Self::ConfirmedServiceError(ConfirmedServiceError::read(&mut reader)?),
            0x0F => Self::DataNotification(DataNotification::read(&mut reader)?),
            0xC0 => Self::GetRequest(GetRequest::read(&mut reader)?),
            0xC1 => Self::SetRequest(SetRequest::read(&mut reader)?),
            0xC2 => Self::EventNotification(EventNotification::read(&mut reader)?),
            0xC3 => Self::ActionRequest(ActionRequest::read(&mut reader)?),
            0xC4 => Self::GetResponse(GetResponse::read(&mut reader)?),
            0xC5 => Self::SetResponse(SetResponse::read(&mut reader)?),
            0xC7 => Self::ActionResponse(ActionResponse::read(&mut reader)?),
            0xD8 => Self::ExceptionResponse(ExceptionResponse::read(&mut reader)?),
            0xE0 => Self::GeneralBlockTransfer(GeneralBlockTransfer::read(&mut reader)?),
            _ => match Envelope::of_tag(tag) {
                Some(envelope) => Self::Ciphered(Ciphered::read(&mut reader, tag, envelope)?),
                None => return Err(reader.fail_back(Why::UnknownApdu(tag))),
            },
        };
        reader.end()?;
        Ok(apdu)
    }

    /// The APDU as it goes over the wire.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        match self {
            Self::InitiateRequest(initiate) => return initiate.encode(),
            Self::InitiateResponse(initiate) => return initiate.encode(),
            Self::Aarq(aarq) => return aarq.encode(),
            Self::Aare(aare) => return aare.encode(),
            Self::Rlrq(rlrq) => return rlrq.encode(),
            Self::Rlre(rlre) => return rlre.encode(),
            Self::ConfirmedServiceError(error) => {
                out.push(0x0E);
                error.write(&mut out);
            }
            Self::DataNotification(notification) => notification.write(&mut out),
            Self::GetRequest(request) => request.write(&mut out),
            Self::SetRequest(request) => request.write(&mut out),
            Self::EventNotification(notification) => notification.write(&mut out),
            Self::ActionRequest(request) => request.write(&mut out),
            Self::GetResponse(response) => response.write(&mut out),
            Self::SetResponse(response) => response.write(&mut out),
            Self::ActionResponse(response) => response.write(&mut out),
            Self::ExceptionResponse(response) => {
                out.push(0xD8);
                response.write(&mut out);
            }
            Self::GeneralBlockTransfer(block) => block.write(&mut out),
            Self::Ciphered(ciphered) => ciphered.write(&mut out),
        }
        out
    }

    /// The APDU's name in the standard.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::InitiateRequest(_) => "initiate-request",
            Self::InitiateResponse(_) => "initiate-response",
            Self::ConfirmedServiceError(_) => "confirmed-service-error",
            Self::DataNotification(_) => "data-notification",
            Self::Aarq(_) => "aarq",
            Self::Aare(_) => "aare",
            Self::Rlrq(_) => "rlrq",
            Self::Rlre(_) => "rlre",
            Self::GetRequest(_) => "get-request",
            Self::SetRequest(_) => "set-request",
            Self::EventNotification(_) => "event-notification",
            Self::ActionRequest(_) => "action-request",
            Self::GetResponse(_) => "get-response",
            Self::SetResponse(_) => "set-response",
            Self::ActionResponse(_) => "action-response",
            Self::ExceptionResponse(_) => "exception-response",
            Self::GeneralBlockTransfer(_) => "general-block-transfer",
            Self::Ciphered(ciphered) => match ciphered.envelope {
                Envelope::Glo => "glo-ciphered",
                Envelope::Ded => "ded-ciphered",
                Envelope::GeneralGlo => "general-glo-ciphering",
                Envelope::GeneralDed => "general-ded-ciphering",
            },
        }
    }
}

impl DataNotification {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (long_invoke, at) = (reader.u32()?, read_time(reader)?.to_vec());
        Ok(Self { long_invoke, at, body: Data::read(reader)? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(0x0F);
        out.extend_from_slice(&self.long_invoke.to_be_bytes());
        put_octets(out, &self.at);
        self.body.encode(out);
    }
}

/// The date-time of a data-notification.
///
/// **Interpretation:** the standard has a plain length here. Kaifa and Energomera put a whole
/// octet-string, tag 09 included; as a length 9 is impossible, it is read as that tag.
pub(crate) fn read_time<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], DecodeError> {
    if reader.rest().starts_with(&[0x09, 0x0C]) {
        reader.u8()?;
    }
    let at = reader.at();
    let octets = reader.octets()?;
    match octets.len() {
        0 | 12 => Ok(octets),
        _ => Err(DecodeError { at, why: Why::Unexpected("a date-time that is not 12 bytes") }),
    }
}

impl EventNotification {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = if reader.flag()? { Some(reader.octets()?.to_vec()) } else { None };
        Ok(Self { at, attribute: read_attribute(reader)?, value: Data::read(reader)? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(0xC2);
        match &self.at {
            Some(at) => {
                out.push(1);
                put_octets(out, at);
            }
            None => out.push(0),
        }
        put_attribute(out, self.attribute);
        self.value.encode(out);
    }
}

impl GeneralBlockTransfer {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let control = reader.u8()?;
        Ok(Self {
            last: control & 0x80 != 0,
            streaming: control & 0x40 != 0,
            window: control & 0x3F,
            block: reader.u16()?,
            acknowledged: reader.u16()?,
            bytes: reader.octets()?.to_vec(),
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        let control = u8::from(self.last) << 7 | u8::from(self.streaming) << 6 | self.window & 0x3F;
        out.extend_from_slice(&[0xE0, control]);
        out.extend_from_slice(&self.block.to_be_bytes());
        out.extend_from_slice(&self.acknowledged.to_be_bytes());
        put_octets(out, &self.bytes);
    }
}

impl Ciphered {
    fn read(reader: &mut Reader<'_>, tag: u8, envelope: Envelope) -> Result<Self, DecodeError> {
        let mut title = None;
        if envelope.general() {
            let at = reader.at();
            let octets = reader.octets()?;
            let wrong = DecodeError { at, why: Why::Unexpected("a system title that is not 8 bytes") };
            if !octets.is_empty() {
                title = Some(SystemTitle(octets.try_into().map_err(|_| wrong)?));
            }
        }
        Ok(Self { tag, envelope, title, body: reader.octets()?.to_vec() })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.tag);
        if self.envelope.general() {
            put_octets(out, self.title.as_ref().map_or(&[], |title| title.0.as_slice()));
        }
        put_octets(out, &self.body);
    }
}

pub(super) fn read_invoke(reader: &mut Reader<'_>) -> Result<InvokeId, DecodeError> {
    reader.u8().map(InvokeId)
}

fn read_reference(reader: &mut Reader<'_>) -> Result<(u16, Obis, i8), DecodeError> {
    Ok((reader.u16()?, Obis(reader.array()?), i8::from_be_bytes(reader.array()?)))
}

fn put_reference(out: &mut Vec<u8>, class: u16, object: Obis, index: i8) {
    out.extend_from_slice(&class.to_be_bytes());
    out.extend_from_slice(&object.0);
    out.extend_from_slice(&index.to_be_bytes());
}

pub(super) fn read_attribute(reader: &mut Reader<'_>) -> Result<AttributeRef, DecodeError> {
    read_reference(reader).map(|(class, object, attribute)| AttributeRef { class, object, attribute })
}

pub(super) fn put_attribute(out: &mut Vec<u8>, attribute: AttributeRef) {
    put_reference(out, attribute.class, attribute.object, attribute.attribute);
}

pub(super) fn read_method(reader: &mut Reader<'_>) -> Result<MethodRef, DecodeError> {
    read_reference(reader).map(|(class, object, method)| MethodRef { class, object, method })
}

pub(super) fn put_method(out: &mut Vec<u8>, method: MethodRef) {
    put_reference(out, method.class, method.object, method.method);
}

/// An attribute with the selection that may follow it.
pub(super) type Selected = (AttributeRef, Option<Selection>);

pub(super) fn read_selected(reader: &mut Reader<'_>) -> Result<Selected, DecodeError> {
    let attribute = read_attribute(reader)?;
    let selection = if reader.flag()? {
        Some(Selection { selector: reader.u8()?, parameters: Data::read(reader)? })
    } else {
        None
    };
    Ok((attribute, selection))
}

pub(super) fn put_selected(out: &mut Vec<u8>, attribute: AttributeRef, selection: Option<&Selection>) {
    put_attribute(out, attribute);
    match selection {
        Some(selection) => {
            out.extend_from_slice(&[1, selection.selector]);
            selection.parameters.encode(out);
        }
        None => out.push(0),
    }
}

/// A count and as many elements; the count is bounded by the bytes left.
pub(super) fn read_list<T>(
    reader: &mut Reader<'_>,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let count = reader.length()?;
    let mut list = Vec::new();
    for _ in 0..count {
        list.push(read(reader)?);
    }
    Ok(list)
}

pub(super) fn put_list<T>(out: &mut Vec<u8>, list: &[T], mut put: impl FnMut(&mut Vec<u8>, &T)) {
    put_length(out, list.len());
    for element in list {
        put(out, element);
    }
}

/// `Get-Data-Result`: data, or why not.
pub(super) fn read_result(reader: &mut Reader<'_>) -> Result<Result<Data, DataAccessError>, DecodeError> {
    match reader.u8()? {
        0 => Data::read(reader).map(Ok),
        1 => {
            let code = reader.u8()?;
            let error = DataAccessError::from_code(code);
            error.map(Err).ok_or(reader.fail_back(Why::Unexpected("success where data should be")))
        }
        other => Err(reader.fail_back(Why::UnknownChoice(other))),
    }
}

pub(super) fn put_result(out: &mut Vec<u8>, result: &Result<Data, DataAccessError>) {
    match result {
        Ok(value) => {
            out.push(0);
            value.encode(out);
        }
        Err(error) => out.extend_from_slice(&[1, error.code()]),
    }
}

/// `data-access-result` alone.
pub(super) fn read_code(reader: &mut Reader<'_>) -> Result<Result<(), DataAccessError>, DecodeError> {
    Ok(DataAccessError::from_code(reader.u8()?).map_or(Ok(()), Err))
}

pub(super) fn put_code(out: &mut Vec<u8>, result: Result<(), DataAccessError>) {
    out.push(result.map_or_else(DataAccessError::code, |()| 0));
}

/// `DataBlock-SA`: whether it is the last, its number, its bytes.
pub(super) fn read_block(reader: &mut Reader<'_>) -> Result<(bool, u32, Vec<u8>), DecodeError> {
    Ok((reader.flag()?, reader.u32()?, reader.octets()?.to_vec()))
}

pub(super) fn put_block(out: &mut Vec<u8>, last: bool, block: u32, bytes: &[u8]) {
    out.push(u8::from(last));
    out.extend_from_slice(&block.to_be_bytes());
    put_octets(out, bytes);
}
