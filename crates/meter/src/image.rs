//! A firmware image on its way into the meter.
//!
//! Standard: IEC 62056-6-2, Image transfer (class 18). What arrives is counted block by block; its contents are
//! not kept, since a virtual meter runs no firmware.

use dlms::Data;
use dlms::apdu::{ActionError, DataAccessError};
use dlms::data::BitString;

/// Bytes of a block.
const BLOCK: u32 = 128;
/// The largest image taken.
const MOST_BYTES: u32 = 4 * 1024 * 1024;
/// The longest identifier taken.
const MOST_NAME: usize = 64;

/// `image_transfer_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Initiated = 1,
    Verified = 3,
    VerificationFailed = 4,
    Activated = 6,
}

/// The image.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    name: Vec<u8>,
    size: u32,
    /// A bit for each block, first block highest.
    got: Vec<u8>,
    status: Status,
}

impl Image {
    fn blocks(&self) -> u32 {
        self.size.div_ceil(BLOCK)
    }

    fn has(&self, block: u32) -> bool {
        let byte = usize::try_from(block / 8).ok().and_then(|index| self.got.get(index)).copied();
        byte.unwrap_or(0) & (0x80 >> (block % 8)) != 0
    }

    fn first_missing(&self) -> u32 {
        (0..self.blocks()).find(|block| !self.has(*block)).unwrap_or(self.blocks())
    }

    /// Takes block `number`; a block that was there already is taken again.
    fn take(&mut self, number: u32, bytes: &[u8]) -> Result<(), ActionError> {
        let expected = (self.size - number.saturating_mul(BLOCK).min(self.size)).min(BLOCK);
        if number >= self.blocks() || bytes.len() != expected as usize {
            return Err(ActionError::OtherReason);
        }
        if let Some(byte) = self.got.get_mut((number / 8) as usize) {
            *byte |= 0x80 >> (number % 8);
        }
        Ok(())
    }
}

/// An attribute of the image transfer object.
pub(crate) fn attribute(image: Option<&Image>, number: i8) -> Result<Data, DataAccessError> {
    Ok(match number {
        2 => Data::DoubleLongUnsigned(BLOCK),
        3 => Data::BitString(image.map_or_else(
            || BitString { bytes: Vec::new(), bits: 0 },
            |image| BitString { bytes: image.got.clone(), bits: image.blocks() as usize },
        )),
        4 => Data::DoubleLongUnsigned(image.map_or(0, Image::first_missing)),
        5 => Data::Boolean(true),
        6 => Data::Enum(image.map_or(0, |image| image.status as u8)),
        7 => Data::Array(
            image
                .map(|image| {
                    Data::Structure(vec![
                        Data::DoubleLongUnsigned(image.size),
                        Data::OctetString(image.name.clone()),
                        Data::OctetString(Vec::new()),
                    ])
                })
                .into_iter()
                .collect(),
        ),
        _ => return Err(DataAccessError::ReadWriteDenied),
    })
}

/// A method of the image transfer object; the name of the firmware now active, if it was activated.
pub(crate) fn method(
    image: &mut Option<Box<Image>>,
    number: i8,
    parameters: Option<&Data>,
) -> Result<Option<String>, ActionError> {
    let fields = match parameters {
        Some(Data::Structure(fields)) => fields.as_slice(),
        _ => &[],
    };
    match (number, fields) {
        (1, [Data::OctetString(name), Data::DoubleLongUnsigned(size)]) => {
            if *size == 0 || *size > MOST_BYTES || name.len() > MOST_NAME {
                return Err(ActionError::OtherReason);
            }
            let got = vec![0; size.div_ceil(BLOCK).div_ceil(8) as usize];
            *image =
                Some(Box::new(Image { name: name.clone(), size: *size, got, status: Status::Initiated }));
            Ok(None)
        }
        (1 | 2, []) => Err(ActionError::TypeUnmatched),
        (2, [Data::DoubleLongUnsigned(block), Data::OctetString(bytes)]) => {
            let image = image.as_mut().ok_or(ActionError::TemporaryFailure)?;
            image.take(*block, bytes)?;
            Ok(None)
        }
        (3, _) => {
            let image = image.as_mut().ok_or(ActionError::TemporaryFailure)?;
            let whole = image.first_missing() == image.blocks();
            image.status = if whole { Status::Verified } else { Status::VerificationFailed };
            if whole { Ok(None) } else { Err(ActionError::OtherReason) }
        }
        (4, _) => {
            let image = image.as_mut().ok_or(ActionError::TemporaryFailure)?;
            if image.status != Status::Verified {
                return Err(ActionError::OtherReason);
            }
            image.status = Status::Activated;
            Ok(Some(String::from_utf8_lossy(&image.name).into_owned()))
        }
        _ => Err(ActionError::TypeUnmatched),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_comes_in_blocks_in_any_order() {
        let mut image = None;
        let start = Data::Structure(vec![Data::OctetString(b"FW-2".to_vec()), Data::DoubleLongUnsigned(300)]);
        method(&mut image, 1, Some(&start)).unwrap();
        let mut send = |number: u32, len: usize| {
            let block =
                Data::Structure(vec![Data::DoubleLongUnsigned(number), Data::OctetString(vec![7; len])]);
            let result = method(&mut image, 2, Some(&block));
            (result.is_ok(), image.as_deref().map(Image::first_missing))
        };
        assert_eq!(send(2, 44), (true, Some(0)));
        assert_eq!(send(0, 127), (false, Some(0)), "too short");
        assert_eq!(send(0, 128), (true, Some(1)));
        assert_eq!(send(3, 1), (false, Some(1)), "beyond the end");
        assert_eq!(method(&mut image, 3, None), Err(ActionError::OtherReason));
        assert_eq!(method(&mut image, 4, None), Err(ActionError::OtherReason));
        let last = Data::Structure(vec![Data::DoubleLongUnsigned(1), Data::OctetString(vec![7; 128])]);
        method(&mut image, 2, Some(&last)).unwrap();
        assert_eq!(method(&mut image, 3, None), Ok(None));
        assert_eq!(method(&mut image, 4, None), Ok(Some("FW-2".to_owned())));
        assert_eq!(attribute(image.as_deref(), 6), Ok(Data::Enum(6)));
    }

    #[test]
    fn bad_orders_are_refused() {
        let mut image = None;
        let huge = Data::Structure(vec![Data::OctetString(vec![]), Data::DoubleLongUnsigned(u32::MAX)]);
        assert_eq!(method(&mut image, 1, Some(&huge)), Err(ActionError::OtherReason));
        assert_eq!(method(&mut image, 1, None), Err(ActionError::TypeUnmatched));
        assert_eq!(method(&mut image, 4, None), Err(ActionError::TemporaryFailure));
        assert_eq!(method(&mut image, 9, None), Err(ActionError::TypeUnmatched));
    }
}
