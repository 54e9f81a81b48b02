//! What was read, printed for people or as JSON.

use super::record;
use crate::talk::Talk;
use anyhow::{Context, Result, bail};
use dlms::apdu::{AttributeRef, Selection};
use dlms::cosem::AsData;
use dlms::cosem::profile::{CaptureObject, RangeSelection};
use dlms::datetime::{ClockStatus, CosemDateTime, DeviationSign};
use dlms::{Data, Obis};
use jiff::Timestamp;
use model::{RegisterValue, Unit};
use serde_json::{Value, json};

/// Selects the rows of a profile in `[from, to)`. The descriptor's end is inclusive, so the last second
/// before `to` is asked for.
pub(super) fn range_selection(from: Timestamp, to: Timestamp) -> Selection {
    let at = |at: Timestamp| CosemDateTime::from_unix(at.as_second(), Some(0), ClockStatus(0)).0;
    RangeSelection::by_clock(at(from), at(to - jiff::SignedDuration::from_secs(1))).selection()
}

/// A value in one line.
pub(super) fn text(value: &Data) -> String {
    match value {
        Data::Array(items) | Data::Structure(items) => {
            format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", "))
        }
        Data::OctetString(bytes) => octets(bytes),
        Data::DateTime(raw) => instant(raw),
        Data::VisibleString(bytes) => format!("\"{}\"", String::from_utf8_lossy(bytes).escape_debug()),
        other => match other.to_json() {
            Value::Object(map) => map.values().next().map_or_else(String::new, plain),
            value => plain(&value),
        },
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Octets as a date and time, as text where they are text, or as hexadecimal.
fn octets(bytes: &[u8]) -> String {
    if let Ok(raw) = <[u8; 12]>::try_from(bytes)
        && seconds(raw).is_some()
    {
        return instant(&raw);
    }
    if !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
        return format!("\"{}\"", String::from_utf8_lossy(bytes));
    }
    if bytes.len() == 6 {
        let mut raw = [0; 6];
        raw.copy_from_slice(bytes);
        return Obis(raw).to_string();
    }
    hex::encode(bytes)
}

/// Seconds since 1970 of the local time; none for octets that are no date and time.
fn seconds(raw: [u8; 12]) -> Option<i64> {
    CosemDateTime(raw).local_seconds().ok()
}

/// An instant in UTC; without a deviation, the local time without a zone.
fn instant(raw: &[u8; 12]) -> String {
    let at = CosemDateTime(*raw);
    let stamp = |secs: i64| Timestamp::from_second(secs).ok().map(|stamp| stamp.to_string());
    if let Some(utc) = at.unix_seconds(DeviationSign::Standard, None).ok().and_then(stamp) {
        return utc;
    }
    let local = at.local_seconds().ok().and_then(stamp);
    local.map_or_else(|| hex::encode(raw), |local| local.trim_end_matches('Z').to_owned())
}

/// One attribute.
pub(super) fn value(talk: Talk, attribute: AttributeRef, value: &Data) -> Result<()> {
    let mut fields = record("value", attribute.object, value.to_json());
    fields["class"] = json!(attribute.class);
    fields["attribute"] = json!(attribute.attribute);
    if let Data::OctetString(bytes) = value {
        fields["text"] = json!(octets(bytes));
    }
    talk.data(&fields, format_args!("{:<20} {}", attribute.object.to_string(), text(value)))
}

/// A whole number of any type.
fn integer(value: &Data) -> Option<i64> {
    Some(match value {
        Data::Integer(value) | Data::Bcd(value) => i64::from(*value),
        Data::Long(value) => i64::from(*value),
        Data::DoubleLong(value) => i64::from(*value),
        Data::Long64(value) => *value,
        Data::Unsigned(value) | Data::Enum(value) => i64::from(*value),
        Data::LongUnsigned(value) => i64::from(*value),
        Data::DoubleLongUnsigned(value) => i64::from(*value),
        Data::Long64Unsigned(value) => i64::try_from(*value).ok()?,
        _ => return None,
    })
}

/// A register with its scaler and unit.
pub(super) fn register(talk: Talk, object: Obis, value: &Data, unit: &Data) -> Result<()> {
    let (scaler, code) = match unit {
        Data::Structure(parts) => match parts.as_slice() {
            [Data::Integer(scaler), Data::Enum(code)] => (*scaler, *code),
            _ => bail!("{object} has no scaler and unit: {}", text(unit)),
        },
        _ => bail!("{object} has no scaler and unit: {}", text(unit)),
    };
    let raw = integer(value).with_context(|| format!("{object} holds no number: {}", text(value)))?;
    let symbol = Unit::from_code(code).map_or_else(|| format!("(unit {code})"), |unit| unit.symbol().to_owned());
    let shown = decimal(raw, scaler);
    let mut fields = record("register", object, json!(raw));
    fields["scaler"] = json!(scaler);
    fields["unit_code"] = json!(code);
    fields["text"] = json!(format!("{shown} {symbol}"));
    talk.data(&fields, format_args!("{:<20} {shown} {symbol}", object.to_string()))
}

/// `raw` × 10^`scaler` in digits, exactly.
fn decimal(raw: i64, scaler: i8) -> String {
    let value = RegisterValue { raw, scaler, unit: Unit::Count };
    if let Ok(whole) = value.rescaled(0) {
        return whole.to_string();
    }
    let places = usize::from(scaler.unsigned_abs());
    if scaler > 0 {
        return format!("{raw}e{scaler}");
    }
    let digits = format!("{:0>width$}", raw.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    format!("{}{whole}.{fraction}", if raw < 0 { "-" } else { "" })
}

/// The object list of an association.
pub(super) fn objects(talk: Talk, list: &Data) -> Result<()> {
    let Data::Array(entries) = list else { bail!("the object list is no array") };
    for entry in entries {
        let Data::Structure(parts) = entry else { continue };
        if let [Data::LongUnsigned(class), Data::Unsigned(version), Data::OctetString(name), ..] = parts.as_slice()
            && let Ok(name) = <[u8; 6]>::try_from(name.as_slice())
        {
            let object = Obis(name);
            let fields = json!({ "kind": "object", "obis": object.to_string(), "class": class, "version": version });
            talk.data(&fields, format_args!("{:<20} class {class:>3} version {version}", object.to_string()))?;
        }
    }
    Ok(())
}

/// The rows of a profile under its columns.
pub(super) fn profile(talk: Talk, columns: &Data, rows: &Data) -> Result<()> {
    let columns = Vec::<CaptureObject>::from_data(columns).context("the profile's columns cannot be read")?;
    let Data::Array(rows) = rows else { bail!("the profile's buffer is no array") };
    let names: Vec<String> =
        columns.iter().map(|column| format!("{}/{}", column.object, column.attribute)).collect();
    if !talk.json() {
        talk.data(&(), names.iter().map(|name| format!("{name:>22}")).collect::<String>())?;
    }
    for row in rows {
        let Data::Structure(cells) = row else { bail!("a row of the profile is no structure") };
        let values: serde_json::Map<String, Value> = names
            .iter()
            .zip(cells)
            .map(|(name, cell)| {
                let shown = match cell {
                    Data::OctetString(bytes) => json!(octets(bytes)),
                    cell => integer(cell).map_or_else(|| json!(text(cell)), |number| json!(number)),
                };
                (name.clone(), shown)
            })
            .collect();
        let line: String = cells.iter().map(|cell| format!("{:>22}", text(cell))).collect();
        talk.data(&json!({ "kind": "row", "values": values }), line)?;
    }
    talk.say(format_args!("{} rows", rows.len()));
    Ok(())
}
