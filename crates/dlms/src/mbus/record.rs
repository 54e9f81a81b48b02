//! Data records: information fields and value.

use super::unit::fixed;
use super::{MbusError, MbusWhy, Quantity};

/// What a record's value is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// The value now, or at the storage number's time.
    Instantaneous,
    /// The greatest.
    Maximum,
    /// The least.
    Minimum,
    /// The value while something was wrong.
    DuringError,
    /// The maker's own bytes to the end of the frame.
    ManufacturerSpecific,
    /// The same, and the meter has more records for another frame.
    MoreFollow,
    /// A counter of the fixed structure.
    Actual,
}

impl Function {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instantaneous => "Instantaneous value",
            Self::Maximum => "Maximum value",
            Self::Minimum => "Minimum value",
            Self::DuringError => "Value during error state",
            Self::ManufacturerSpecific => "Manufacturer specific",
            Self::MoreFollow => "More records follow",
            Self::Actual => "Actual value",
        }
    }
}

/// A record's value.
#[derive(Clone, Debug, PartialEq)]
pub enum MbusValue {
    /// No data.
    None,
    /// A whole number, to be scaled by the quantity.
    Number(i64),
    /// A floating-point number, to be scaled by the quantity.
    Real(f32),
    /// Text.
    Text(String),
    /// A date, or date and time, of the meter's clock, in ISO form without zone.
    Time(String),
    /// Anything else, as on the wire.
    Bytes(Vec<u8>),
}

/// One value a meter answered with.
#[derive(Clone, Debug, PartialEq)]
pub struct MbusRecord {
    /// What the value is of.
    pub function: Function,
    /// 0 is now; others are the meter's stored values.
    pub storage: u64,
    /// Tariff, 0 the total.
    pub tariff: u32,
    /// Subunit of the device.
    pub device: u16,
    /// What is measured; none with the maker's own bytes.
    pub quantity: Option<Quantity>,
    /// The value.
    pub value: MbusValue,
}

/// Extensions allowed to each information field.
const MAX_EXTENSIONS: usize = 10;

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    base: usize,
}

impl<'a> Cursor<'a> {
    const fn fail(&self, why: MbusWhy) -> MbusError {
        MbusError { at: self.base + self.at, why }
    }

    fn byte(&mut self, short: MbusWhy) -> Result<u8, MbusError> {
        let byte = *self.bytes.get(self.at).ok_or(self.fail(short))?;
        self.at += 1;
        Ok(byte)
    }

    fn take(&mut self, count: usize, short: MbusWhy) -> Result<&'a [u8], MbusError> {
        let taken = self.bytes.get(self.at..self.at + count);
        let taken = taken.ok_or(MbusError { at: self.base + self.bytes.len(), why: short })?;
        self.at += count;
        Ok(taken)
    }

    fn rest(&mut self) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at = self.bytes.len();
        rest
    }
}

/// All records; `base` is where they start in the frame.
pub(super) fn read_all(bytes: &[u8], base: usize) -> Result<Vec<MbusRecord>, MbusError> {
    let mut cursor = Cursor { bytes, at: 0, base };
    let mut records = Vec::new();
    while cursor.at < bytes.len() {
        match bytes.get(cursor.at).copied().unwrap_or_default() {
            // Filler.
            0x2F => cursor.at += 1,
            special @ (0x0F | 0x1F) => {
                cursor.at += 1;
                let function =
                    if special == 0x0F { Function::ManufacturerSpecific } else { Function::MoreFollow };
                let value = MbusValue::Bytes(cursor.rest().to_vec());
                records.push(MbusRecord {
                    function,
                    storage: 0,
                    tariff: 0,
                    device: 0,
                    quantity: None,
                    value,
                });
            }
            _ => records.push(read_record(&mut cursor)?),
        }
    }
    Ok(records)
}

/// The two counters of the fixed structure.
pub(super) fn read_fixed(fixed_data: &[u8; 16]) -> Vec<MbusRecord> {
    let [_, _, _, _, _, status, first, second, a0, a1, a2, a3, b0, b1, b2, b3] = *fixed_data;
    [(first, [a0, a1, a2, a3]), (second, [b0, b1, b2, b3])]
        .into_iter()
        .map(|(code, counter)| {
            let (unit, exponent) = fixed(code);
            let number = if status & 0x80 == 0 { bcd(&counter) } else { Some(little_endian(&counter)) };
            MbusRecord {
                function: Function::Actual,
                storage: 0,
                tariff: 0,
                device: 0,
                quantity: Some(Quantity { name: String::new(), unit, factor: 1, exponent, time: false }),
                value: number.map_or_else(|| MbusValue::Bytes(counter.to_vec()), MbusValue::Number),
            }
        })
        .collect()
}

fn read_record(cursor: &mut Cursor<'_>) -> Result<MbusRecord, MbusError> {
    let dif = cursor.byte(MbusWhy::EndInDif)?;
    let function = match dif >> 4 & 0x03 {
        0 => Function::Instantaneous,
        1 => Function::Maximum,
        2 => Function::Minimum,
        _ => Function::DuringError,
    };
    let (mut storage, mut tariff, mut device) = (u64::from(dif >> 6 & 1), 0u32, 0u16);
    let (mut more, mut count) = (dif & 0x80 != 0, 0usize);
    while more {
        let dife = cursor.byte(MbusWhy::EndInDif)?;
        if count == MAX_EXTENSIONS {
            cursor.at -= 1;
            return Err(cursor.fail(MbusWhy::TooManyDife));
        }
        storage |= u64::from(dife & 0x0F) << (1 + 4 * count);
        tariff |= u32::from(dife >> 4 & 0x03) << (2 * count);
        device |= u16::from(dife >> 6 & 0x01) << count;
        more = dife & 0x80 != 0;
        count += 1;
    }
    let quantity = read_quantity(cursor)?;
    let value = read_value(cursor, dif & 0x0F, &quantity)?;
    Ok(MbusRecord { function, storage, tariff, device, quantity: Some(quantity), value })
}

fn read_quantity(cursor: &mut Cursor<'_>) -> Result<Quantity, MbusError> {
    let vif = cursor.byte(MbusWhy::EndInVif)?;
    let mut more = vif & 0x80 != 0;
    let mut count = 0;
    let mut quantity = match vif {
        0xFD | 0xFB => {
            let vife = cursor.byte(MbusWhy::EndInVif)?;
            (more, count) = (vife & 0x80 != 0, 1);
            if vif == 0xFD { Quantity::extended_fd(vife) } else { Quantity::extended_fb(vife) }
        }
        0x7C | 0xFC => {
            let length = usize::from(cursor.byte(MbusWhy::EndInVif)?);
            Quantity::plain_text(reversed_text(cursor.take(length, MbusWhy::EndInVif)?))
        }
        _ => Quantity::primary(vif),
    };
    while more {
        let vife = cursor.byte(MbusWhy::EndInVif)?;
        if count == MAX_EXTENSIONS {
            cursor.at -= 1;
            return Err(cursor.fail(MbusWhy::TooManyVife));
        }
        // 0x70 to 0x77 multiply by 10^(n-6), 0x7D by 1000; others qualify and do not scale.
        match vife & 0x7F {
            code @ 0x70..=0x77 if vif != 0xFF => {
                quantity.exponent += i8::try_from(code & 7).unwrap_or(0) - 6;
            }
            0x7D if vif != 0xFF => quantity.exponent += 3,
            _ => {}
        }
        more = vife & 0x80 != 0;
        count += 1;
    }
    Ok(quantity)
}

fn read_value(cursor: &mut Cursor<'_>, coding: u8, quantity: &Quantity) -> Result<MbusValue, MbusError> {
    let length = match coding {
        1 | 9 => 1,
        2 | 0xA => 2,
        3 | 0xB => 3,
        4 | 5 | 0xC => 4,
        6 | 0xE => 6,
        7 => 8,
        0xD => return read_variable(cursor),
        // 0 and 8 carry no data; 0xF was dealt with before.
        _ => return Ok(MbusValue::None),
    };
    let bytes = cursor.take(length, MbusWhy::EndInValue)?;
    let time = if quantity.time { point_in_time(bytes) } else { None };
    Ok(match (time, coding, bytes) {
        (Some(time), ..) => MbusValue::Time(time),
        _ if quantity.time => MbusValue::Bytes(bytes.to_vec()),
        (None, 5, [a, b, c, d]) => MbusValue::Real(f32::from_le_bytes([*a, *b, *c, *d])),
        (None, 9.., _) => bcd(bytes).map_or_else(|| MbusValue::Bytes(bytes.to_vec()), MbusValue::Number),
        _ => MbusValue::Number(little_endian(bytes)),
    })
}

fn read_variable(cursor: &mut Cursor<'_>) -> Result<MbusValue, MbusError> {
    let length = cursor.byte(MbusWhy::EndInValue)?;
    let count = usize::from(length & 0x0F);
    match length {
        0x00..=0xBF => {
            let text = cursor.take(usize::from(length), MbusWhy::EndInValue)?;
            Ok(MbusValue::Text(reversed_text(text)))
        }
        0xC0..=0xDF => {
            let bytes = cursor.take(count, MbusWhy::EndInValue)?;
            let sign = if length < 0xD0 { 1 } else { -1 };
            let number = bcd(bytes).map(|number| MbusValue::Number(sign * number));
            Ok(number.unwrap_or_else(|| MbusValue::Bytes(bytes.to_vec())))
        }
        0xE0..=0xEF => Ok(MbusValue::Bytes(cursor.take(count, MbusWhy::EndInValue)?.to_vec())),
        0xF0..=0xF4 => {
            let count = 4 * (usize::from(length) - 0xEC);
            Ok(MbusValue::Bytes(cursor.take(count, MbusWhy::EndInValue)?.to_vec()))
        }
        _ => {
            cursor.at -= 1;
            Err(cursor.fail(MbusWhy::VariableLength(length)))
        }
    }
}

/// Text travels last letter first.
fn reversed_text(bytes: &[u8]) -> String {
    bytes.iter().rev().map(|byte| char::from(*byte)).collect()
}

/// A signed number, lowest byte first, of at most eight bytes.
fn little_endian(bytes: &[u8]) -> i64 {
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut wide = [if negative { 0xFF } else { 0 }; 8];
    for (slot, byte) in wide.iter_mut().zip(bytes) {
        *slot = *byte;
    }
    i64::from_le_bytes(wide)
}

/// Decimal digits, lowest byte first; F in the highest place is a minus. None if a digit is none.
fn bcd(bytes: &[u8]) -> Option<i64> {
    let mut value: i64 = 0;
    let mut sign = 1;
    for (place, byte) in bytes.iter().rev().enumerate() {
        for digit in [byte >> 4, byte & 0x0F] {
            let minus = place == 0 && digit == 0x0F && byte >> 4 == 0x0F && sign == 1;
            if minus {
                sign = -1;
                continue;
            }
            if digit > 9 {
                return None;
            }
            value = value.checked_mul(10)?.checked_add(i64::from(digit))?;
        }
    }
    Some(sign * value)
}

/// Type G (two bytes) or type F (four bytes); none where the meter calls its time invalid.
///
/// Standard: EN 13757-3, types F and G. Type F may count the centuries since 1900; without such a count
/// years to 80 are of this century.
fn point_in_time(bytes: &[u8]) -> Option<String> {
    let date = |low: u8, high: u8, centuries: u8| {
        let year = u32::from(low >> 5 | high >> 1 & 0x78);
        let centuries = if centuries == 0 && year <= 80 { 1 } else { u32::from(centuries) };
        format!("{:04}-{:02}-{:02}", 1900 + 100 * centuries + year, high & 0x0F, low & 0x1F)
    };
    match bytes {
        [low, high] => Some(date(*low, *high, 0)),
        [minute, hour, low, high] if minute & 0x80 == 0 => {
            let date = date(*low, *high, hour >> 5 & 0x03);
            Some(format!("{date}T{:02}:{:02}:00", hour & 0x1F, minute & 0x3F))
        }
        _ => None,
    }
}
