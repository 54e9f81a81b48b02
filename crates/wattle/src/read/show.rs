//! What was read, printed for people or as JSON.

use super::record;
use crate::talk::Talk;
use anyhow::{Context, Result, bail};
use dlms::apdu::{AttributeRef, Selection};
use dlms::cosem::profile::RangeSelection;
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
        Data::VisibleString(bytes) => String::from_utf8_lossy(bytes).escape_debug().to_string(),
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
        return String::from_utf8_lossy(bytes).into_owned();
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

/// What the integers of a register count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    scaler: i8,
    code: u8,
}

impl Scale {
    /// From attribute 3 of a register; none if it is not of that shape.
    pub(super) fn of(unit: &Data) -> Option<Self> {
        let Data::Structure(parts) = unit else { return None };
        match parts.as_slice() {
            [Data::Integer(scaler), Data::Enum(code)] => Some(Self { scaler: *scaler, code: *code }),
            _ => None,
        }
    }

    /// The unit as printed. Standard: IEC 62056-6-2, table of units; the rare ones by their code.
    fn symbol(self) -> String {
        if let Some(unit) = Unit::from_code(self.code) {
            return unit.symbol().to_owned();
        }
        let symbol = match self.code {
            4 => "d",
            5 => "h",
            6 => "min",
            7 => "s",
            8 => "°",
            9 => "°C",
            14 => "m³ (corrected)",
            15 => "m³/h",
            19 => "l",
            28 => "VA",
            29 => "var",
            31 => "VAh",
            44 => "Hz",
            56 => "%",
            code => return format!("(unit {code})"),
        };
        symbol.to_owned()
    }
}

/// A register with its scaler and unit.
pub(super) fn register(talk: Talk, object: Obis, value: &Data, unit: &Data) -> Result<()> {
    let scale =
        Scale::of(unit).with_context(|| format!("{object} has no scaler and unit: {}", text(unit)))?;
    let raw = integer(value).with_context(|| format!("{object} holds no number: {}", text(value)))?;
    let shown = format!("{} {}", decimal(raw, scale.scaler), scale.symbol());
    let mut fields = record("register", object, json!(raw));
    fields["scaler"] = json!(scale.scaler);
    fields["unit_code"] = json!(scale.code);
    fields["text"] = json!(shown.trim_end());
    talk.data(&fields, format_args!("{:<20} {}", object.to_string(), shown.trim_end()))
}

/// `raw` × 10^`scaler` in digits, exactly, with as many places as the register has.
fn decimal(raw: i64, scaler: i8) -> String {
    if scaler >= 0 {
        let value = RegisterValue { raw, scaler, unit: Unit::Count };
        return value.rescaled(0).map_or_else(|_| format!("{raw}e{scaler}"), |whole| whole.to_string());
    }
    let places = usize::from(scaler.unsigned_abs());
    let digits = format!("{:0>width$}", raw.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    format!("{}{whole}.{fraction}", if raw < 0 { "-" } else { "" })
}

/// The object list of an association.
pub(super) fn objects(talk: Talk, list: &Data) -> Result<()> {
    let Data::Array(entries) = list else { bail!("the object list is no array") };
    for entry in entries {
        let Data::Structure(parts) = entry else { continue };
        if let [Data::LongUnsigned(class), Data::Unsigned(version), Data::OctetString(name), ..] =
            parts.as_slice()
            && let Ok(name) = <[u8; 6]>::try_from(name.as_slice())
        {
            let object = Obis(name);
            let fields =
                json!({ "kind": "object", "obis": object.to_string(), "class": class, "version": version });
            let line = format!(
                "{:<20} {:<22} class {class:>3} version {version}",
                object.to_string(),
                class_name(*class)
            );
            talk.data(&fields, line)?;
        }
    }
    Ok(())
}

/// Names of the interface classes. Standard: IEC 62056-6-2.
const fn class_name(class: u16) -> &'static str {
    match class {
        1 => "data",
        3 => "register",
        4 => "extended register",
        5 => "demand register",
        7 => "profile generic",
        8 => "clock",
        9 => "script table",
        11 => "special days table",
        15 => "association LN",
        17 => "SAP assignment",
        18 => "image transfer",
        20 => "activity calendar",
        22 => "single action schedule",
        40 => "push setup",
        64 => "security setup",
        70 => "disconnect control",
        71 => "limiter",
        _ => "",
    }
}

/// A column of a profile: where its values are taken from, and what they count if they are a register's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) source: AttributeRef,
    pub(super) unit: Option<Scale>,
}

impl Column {
    fn name(&self) -> String {
        format!("{}/{}", self.source.object, self.source.attribute)
    }

    /// The lines above the column: what it is and its unit.
    fn head(&self) -> [String; 2] {
        let unit = self.unit.map_or_else(String::new, Scale::symbol);
        match self.source.attribute {
            2 => [self.source.object.to_string(), unit],
            _ => [self.name(), unit],
        }
    }

    /// A cell as printed under it.
    fn cell(&self, value: &Data) -> String {
        match (self.unit, integer(value)) {
            (Some(scale), Some(raw)) => decimal(raw, scale.scaler),
            _ => text(value),
        }
    }

    /// A cell as JSON: the number as it was read.
    fn json(value: &Data) -> Value {
        match value {
            Data::OctetString(bytes) => json!(octets(bytes)),
            Data::Null => Value::Null,
            cell => integer(cell).map_or_else(|| json!(text(cell)), |number| json!(number)),
        }
    }

    fn describe(&self) -> Value {
        json!({
            "name": self.name(), "class": self.source.class, "scaler": self.unit.map(|scale| scale.scaler),
            "unit_code": self.unit.map(|scale| scale.code), "unit": self.unit.map(Scale::symbol),
        })
    }
}

/// The rows of a profile under its columns.
pub(super) fn profile(talk: Talk, columns: &[Column], rows: &Data) -> Result<()> {
    let Data::Array(rows) = rows else { bail!("the profile's buffer is no array") };
    let rows: Vec<&[Data]> = rows.iter().map(cells).collect::<Result<_>>()?;
    if talk.json() {
        let described: Vec<Value> = columns.iter().map(Column::describe).collect();
        talk.data(&json!({ "kind": "columns", "columns": described }), "")?;
        for row in &rows {
            let cells = columns.iter().zip(*row);
            let values: serde_json::Map<String, Value> =
                cells.map(|(column, cell)| (column.name(), Column::json(cell))).collect();
            talk.data(&json!({ "kind": "row", "values": values }), "")?;
        }
    } else {
        for line in table(columns, &rows) {
            talk.data(&(), line)?;
        }
    }
    talk.say(format_args!("{} row{}", rows.len(), if rows.len() == 1 { "" } else { "s" }));
    Ok(())
}

fn cells(row: &Data) -> Result<&[Data]> {
    match row {
        Data::Structure(cells) => Ok(cells),
        _ => bail!("a row of the profile is no structure"),
    }
}

/// Columns side by side, each as wide as its widest cell, numbers ending below each other.
fn table(columns: &[Column], rows: &[&[Data]]) -> Vec<String> {
    let [names, units] =
        [0, 1].map(|line| columns.iter().map(|column| column.head()[line].clone()).collect());
    let mut lines: Vec<Vec<String>> = vec![names, units];
    lines.extend(
        rows.iter().map(|row| columns.iter().zip(*row).map(|(column, cell)| column.cell(cell)).collect()),
    );
    let widths: Vec<usize> = (0..columns.len())
        .map(|index| {
            lines
                .iter()
                .filter_map(|line| line.get(index))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let line = |cells: &Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}"));
        padded.collect::<Vec<_>>().join("  ")
    };
    lines.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(obis: [u8; 6], unit: Option<(i8, u8)>) -> Column {
        let source = AttributeRef { class: 3, object: Obis(obis), attribute: 2 };
        Column { source, unit: unit.map(|(scaler, code)| Scale { scaler, code }) }
    }

    #[test]
    fn numbers_are_exact_whatever_their_exponent() {
        for (raw, scaler, shown) in [
            (2334, -1, "233.4"),
            (-5, -3, "-0.005"),
            (7, 2, "700"),
            (0, -2, "0.00"),
            (i64::MAX, 9, "9223372036854775807e9"),
        ] {
            assert_eq!(decimal(raw, scaler), shown, "{raw} x 10^{scaler}");
        }
    }

    #[test]
    fn a_profile_stands_in_columns_under_its_units() {
        let columns = [
            column([0, 0, 1, 0, 0, 255], None),
            column([1, 0, 1, 29, 0, 255], Some((0, 30))),
            column([1, 0, 32, 24, 0, 255], Some((-1, 35))),
        ];
        let clock = |minute| Data::OctetString(vec![7, 234, 1, 2, 5, 0, minute, 0, 0, 0, 0, 0]);
        let rows = [
            vec![clock(15), Data::DoubleLongUnsigned(76), Data::LongUnsigned(2319)],
            vec![clock(30), Data::DoubleLongUnsigned(1035), Data::Null],
        ];
        let lines = table(&columns, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert_eq!(
            lines,
            [
                "       0-0:1.0.0.255  1-0:1.29.0.255  1-0:32.24.0.255",
                "                                  Wh                V",
                "2026-01-02T00:15:00Z              76            231.9",
                "2026-01-02T00:30:00Z            1035             null",
            ]
        );
    }
}
