//! What the numbers and bytes of a column stand for, and one of them.

use crate::number::Decimal;
use ::parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use ::parquet::schema::types::ColumnDescriptor;
use jiff::Timestamp;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Words.
    Text,
    /// Whole numbers; whether they have a sign.
    Integer { signed: bool },
    /// Decimals with so many digits behind the point.
    Decimal(u8),
    /// Floats.
    Float,
    /// Instants, or local times where they are not of UTC, as counts of parts of a second.
    Instant { parts: i64, utc: bool },
    /// Days since 1970.
    Day,
}

impl Form {
    /// `None` for what no reading is made of.
    pub(super) fn of(column: &ColumnDescriptor) -> Option<Self> {
        let physical = column.physical_type();
        let converted = column.converted_type();
        let scale = || u8::try_from(column.type_scale()).ok().filter(|scale| *scale <= 38);
        let wide = matches!(physical, Type::INT32 | Type::INT64);
        match column.logical_type() {
            Some(LogicalType::Timestamp { is_adjusted_to_u_t_c: utc, unit }) if physical == Type::INT64 => {
                let parts = match unit {
                    TimeUnit::MILLIS(_) => 1_000,
                    TimeUnit::MICROS(_) => 1_000_000,
                    TimeUnit::NANOS(_) => 1_000_000_000,
                };
                return Some(Self::Instant { parts, utc });
            }
            Some(LogicalType::Integer { is_signed: signed, .. }) if wide => {
                return Some(Self::Integer { signed });
            }
            Some(LogicalType::Time { .. } | LogicalType::Uuid | LogicalType::Float16) => return None,
            _ => {}
        }
        match (physical, converted) {
            (
                Type::INT32 | Type::INT64 | Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY,
                ConvertedType::DECIMAL,
            ) => scale().map(Self::Decimal),
            (Type::INT64, ConvertedType::TIMESTAMP_MILLIS) => Some(Self::Instant { parts: 1_000, utc: true }),
            (Type::INT64, ConvertedType::TIMESTAMP_MICROS) => {
                Some(Self::Instant { parts: 1_000_000, utc: true })
            }
            (Type::INT32, ConvertedType::DATE) => Some(Self::Day),
            (_, ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS | ConvertedType::INTERVAL) => None,
            (
                Type::INT32 | Type::INT64,
                ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64,
            ) => Some(Self::Integer { signed: false }),
            (Type::INT32 | Type::INT64, _) => Some(Self::Integer { signed: true }),
            // The old stamps of Spark and Impala; the library counts their nanoseconds.
            (Type::INT96, _) => Some(Self::Instant { parts: 1_000_000_000, utc: true }),
            (Type::FLOAT | Type::DOUBLE, _) => Some(Self::Float),
            (Type::BYTE_ARRAY, _) => Some(Self::Text),
            _ => None,
        }
    }

    /// As it is named in messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Text => "words",
            Self::Integer { .. } => "whole numbers",
            Self::Decimal(_) => "decimals",
            Self::Float => "floats",
            Self::Instant { .. } => "timestamps",
            Self::Day => "dates",
        }
    }
}

/// One value of a column.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Cell<'a> {
    /// There is none.
    #[default]
    Null,
    /// A whole number, a day or an instant.
    Integer(i64),
    /// A whole number without a sign.
    Unsigned(u64),
    /// A decimal's digits, as the column's scale has them.
    Bytes(&'a [u8]),
    /// A float of 64 bits.
    Double(f64),
    /// A float of 32 bits.
    Single(f32),
}

/// Every decimal of so many digits survives a float of 64 bits, and no two of them are the same float.
const DIGITS_64: usize = 15;
/// The same of 32 bits.
const DIGITS_32: usize = 6;

impl Cell<'_> {
    /// The number, where it is one that is exact. A float is the decimal of at most 15 digits (6 of a short one) that it
    /// was written from; one that has none is `None`.
    pub(super) fn number(self, form: Form, text: &mut String) -> Option<Decimal> {
        let exponent = if let Form::Decimal(scale) = form { -i8::try_from(scale).ok()? } else { 0 };
        match self {
            Self::Null => None,
            Self::Integer(mantissa) => Some(Decimal::new(mantissa, exponent)),
            Self::Unsigned(number) => Some(Decimal::new(i64::try_from(number).ok()?, 0)),
            Self::Bytes(bytes) => narrow(big_endian(bytes)?, exponent),
            Self::Double(number) => short(format_args!("{number}"), text, DIGITS_64),
            Self::Single(number) => short(format_args!("{number}"), text, DIGITS_32),
        }
    }

    /// As it is shown beside a refusal.
    pub(super) fn shown(self, form: Form) -> String {
        match (self, form) {
            (Self::Null, _) => String::new(),
            (Self::Integer(parts), Form::Instant { parts: second, .. }) => {
                let at = Timestamp::from_second(parts.div_euclid(second));
                at.map_or_else(|_| parts.to_string(), |at| at.to_string())
            }
            (Self::Integer(mantissa), Form::Decimal(scale)) => {
                Decimal::new(mantissa, -i8::try_from(scale).unwrap_or(0)).to_string()
            }
            (Self::Integer(number), _) => number.to_string(),
            (Self::Unsigned(number), _) => number.to_string(),
            (Self::Bytes(bytes), Form::Decimal(scale)) => {
                big_endian(bytes).map_or_else(|| "?".into(), |digits| format!("{digits}e-{scale}"))
            }
            (Self::Bytes(bytes), _) => String::from_utf8_lossy(bytes).chars().take(60).collect(),
            (Self::Double(number), _) => number.to_string(),
            (Self::Single(number), _) => number.to_string(),
        }
    }
}

/// The shortest decimal that reads back as the float, if it is short enough to be what was written.
fn short(number: core::fmt::Arguments<'_>, text: &mut String, digits: usize) -> Option<Decimal> {
    text.clear();
    core::fmt::Write::write_fmt(text, number).ok()?;
    let number = Decimal::parse(text.as_bytes(), b'.')?;
    let significant = number.trimmed().mantissa.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
    (usize::try_from(significant).ok()? <= digits).then_some(number)
}

fn big_endian(bytes: &[u8]) -> Option<i128> {
    let negative = bytes.first()? & 0x80 != 0;
    let fill = if negative { 0xFF } else { 0 };
    let (surplus, kept) = bytes.split_at(bytes.len().saturating_sub(16));
    if surplus.iter().any(|byte| *byte != fill) {
        return None;
    }
    let mut all = [fill; 16];
    all.get_mut(16 - kept.len()..)?.copy_from_slice(kept);
    let number = i128::from_be_bytes(all);
    ((number < 0) == negative).then_some(number)
}

/// Zeros at the end of a wide decimal ask for no room.
fn narrow(mut digits: i128, mut exponent: i8) -> Option<Decimal> {
    while i64::try_from(digits).is_err() && digits % 10 == 0 {
        digits /= 10;
        exponent = exponent.checked_add(1)?;
    }
    Some(Decimal::new(i64::try_from(digits).ok()?, exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_the_decimals_that_they_were_written_from_or_nothing() {
        let table = [
            (0.412, Some(Decimal::new(412, -3))),
            (-1.5, Some(Decimal::new(-15, -1))),
            (0.1 + 0.2, None),
            (1.0 / 3.0, None),
            (123_456_789_012.345, Some(Decimal::new(123_456_789_012_345, -3))),
            (1e300, None),
            (0.0, Some(Decimal::ZERO)),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ];
        for (float, wanted) in table {
            assert_eq!(Cell::Double(float).number(Form::Float, &mut String::new()), wanted, "{float}");
        }
        let single = |float| Cell::Single(float).number(Form::Float, &mut String::new());
        assert_eq!(single(0.412), Some(Decimal::new(412, -3)));
        assert_eq!(single(0.412_345_6), None);
    }

    #[test]
    fn wide_decimals_fit_or_are_refused() {
        let number = |digits: i128, scale| {
            Cell::Bytes(&digits.to_be_bytes()).number(Form::Decimal(scale), &mut String::new())
        };
        assert_eq!(number(-412, 3), Some(Decimal::new(-412, -3)));
        assert_eq!(number(105 * 10i128.pow(20), 18).map(Decimal::trimmed), Some(Decimal::new(105, 2)));
        assert_eq!(number(i128::from(i64::MAX) * 10 + 1, 18), None);
        assert_eq!(
            Cell::Bytes(&[0xFE, 0x64]).number(Form::Decimal(3), &mut String::new()),
            Some(Decimal::new(-412, -3))
        );
        assert_eq!(Cell::Bytes(&[]).number(Form::Decimal(3), &mut String::new()), None);
    }
}
