//! Values as JSON that keeps their type.

use super::Data;
use serde_json::{Value, json};

impl Data {
    /// The value as `{"type": value}`; array and structure hold the same again.
    ///
    /// Octets become hex text; numbers beyond what JSON readers hold exactly (2^53) become text.
    pub fn to_json(&self) -> Value {
        let value = match self {
            Self::Null | Self::DontCare => Value::Null,
            Self::Array(items) | Self::Structure(items) => items.iter().map(Self::to_json).collect(),
            Self::Boolean(value) => json!(value),
            Self::BitString(bits) => json!(bits.to_string()),
            Self::DoubleLong(value) => json!(value),
            Self::DoubleLongUnsigned(value) => json!(value),
            Self::OctetString(octets) => json!(hex(octets)),
            Self::VisibleString(octets) => json!(String::from_utf8_lossy(octets)),
            Self::Utf8String(text) => json!(text),
            Self::Bcd(value) | Self::Integer(value) => json!(value),
            Self::Long(value) => json!(value),
            Self::Unsigned(value) | Self::Enum(value) => json!(value),
            Self::LongUnsigned(value) => json!(value),
            Self::CompactArray(raw) => json!(hex(raw)),
            Self::Long64(value) => whole(i128::from(*value)),
            Self::Long64Unsigned(value) => whole(i128::from(*value)),
            Self::Float32(value) => json!(value),
            Self::Float64(value) => json!(value),
            Self::DateTime(raw) => json!(hex(raw)),
            Self::Date(raw) => json!(hex(raw)),
            Self::Time(raw) => json!(hex(raw)),
        };
        json!({ self.type_name(): value })
    }

    /// The type's name in the standard's ASN.1, in words joined by hyphens.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null-data",
            Self::Array(_) => "array",
            Self::Structure(_) => "structure",
            Self::Boolean(_) => "boolean",
            Self::BitString(_) => "bit-string",
            Self::DoubleLong(_) => "double-long",
            Self::DoubleLongUnsigned(_) => "double-long-unsigned",
            Self::OctetString(_) => "octet-string",
            Self::VisibleString(_) => "visible-string",
            Self::Utf8String(_) => "utf8-string",
            Self::Bcd(_) => "bcd",
            Self::Integer(_) => "integer",
            Self::Long(_) => "long",
            Self::Unsigned(_) => "unsigned",
            Self::LongUnsigned(_) => "long-unsigned",
            Self::CompactArray(_) => "compact-array",
            Self::Long64(_) => "long64",
            Self::Long64Unsigned(_) => "long64-unsigned",
            Self::Enum(_) => "enum",
            Self::Float32(_) => "float32",
            Self::Float64(_) => "float64",
            Self::DateTime(_) => "date-time",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::DontCare => "dont-care",
        }
    }
}

impl core::fmt::Display for super::BitString {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let all = self.bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte & (0x80 >> bit) != 0));
        all.take(self.bits).try_for_each(|bit| out.write_str(if bit { "1" } else { "0" }))
    }
}

fn whole(value: i128) -> Value {
    const EXACT: i128 = 1 << 53;
    match i64::try_from(value) {
        Ok(small) if (-EXACT..=EXACT).contains(&value) => json!(small),
        _ => json!(value.to_string()),
    }
}

/// Octets as lower-case hex.
pub(crate) fn hex(octets: &[u8]) -> String {
    use core::fmt::Write as _;
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
