//! ESPI's code numbers for what is measured, to and from our words.

use crate::quantity::Measure;
use model::ChannelKind;
use std::collections::BTreeMap;

/// `UnitSymbolKind`, the part that meters use, with the exponent that a litre or a minute brings along.
const UNITS: [(u16, Measure, i8); 19] = [
    (72, Measure::WattHour, 0),
    (73, Measure::VarHour, 0),
    (71, Measure::VoltAmpereHour, 0),
    (38, Measure::Watt, 0),
    (63, Measure::Var, 0),
    (61, Measure::VoltAmpere, 0),
    (29, Measure::Volt, 0),
    (5, Measure::Ampere, 0),
    (42, Measure::CubicMetre, 0),
    (134, Measure::CubicMetre, -3),
    (119, Measure::CubicFoot, 0),
    (128, Measure::UsGallon, 0),
    (130, Measure::ImperialGallon, 0),
    (169, Measure::Therm, 0),
    (31, Measure::Joule, 0),
    (132, Measure::Btu, 0),
    (23, Measure::Celsius, 0),
    (33, Measure::Hertz, 0),
    (65, Measure::Ratio, 0),
];

/// What a reading type counts, and the exponent of its unit and multiplier together.
pub(crate) fn measure(reading_type: &BTreeMap<String, String>) -> (Measure, i8) {
    let code = number(reading_type, "uom").unwrap_or(0);
    let power = number(reading_type, "powerOfTenMultiplier").and_then(|n| i8::try_from(n).ok()).unwrap_or(0);
    let found = UNITS.iter().find(|(uom, _, _)| i64::from(*uom) == code);
    match found {
        Some((_, measure, exponent)) => (measure.clone(), exponent.saturating_add(power)),
        None if code == 0 => (Measure::Unnamed, power),
        None => (Measure::Other(format!("uom {code}")), power),
    }
}

/// The code of a measure; the exponent is all the multiplier's.
pub(crate) fn unit_code(measure: &Measure) -> u16 {
    if let Measure::Other(text) = measure
        && let Some(code) = text.strip_prefix("uom ").and_then(|code| code.parse().ok())
    {
        return code;
    }
    UNITS.iter().find(|(_, unit, exponent)| unit == measure && *exponent == 0).map_or(0, |(code, _, _)| *code)
}

/// The channel of a reading type; `service` is the usage point's category.
pub(crate) fn kind(
    reading_type: &BTreeMap<String, String>,
    measure: &Measure,
    service: Option<&str>,
) -> Option<ChannelKind> {
    let flow = number(reading_type, "flowDirection").unwrap_or(0);
    let commodity = number(reading_type, "commodity").unwrap_or(0);
    match (commodity, service) {
        (7 | 8, _) | (0, Some("1")) => return Some(ChannelKind::Gas),
        (9, _) | (0, Some("2")) => return Some(ChannelKind::Water),
        (0..=2 | 26, _) => {}
        _ => return None,
    }
    Some(match (measure, flow) {
        (Measure::WattHour, 19) => ChannelKind::Export,
        (Measure::WattHour, 4) => ChannelKind::Net,
        (Measure::WattHour, 0 | 1 | 20) => ChannelKind::Import,
        (Measure::VarHour, 19) => ChannelKind::ReactiveExport,
        (Measure::VarHour, 0 | 1) => ChannelKind::ReactiveImport,
        (Measure::Volt, _) => ChannelKind::Voltage,
        _ => return None,
    })
}

/// `flowDirection` of a channel: forward, reverse, net.
pub(crate) const fn flow_code(kind: Option<ChannelKind>) -> u8 {
    match kind {
        Some(ChannelKind::Export | ChannelKind::ReactiveExport | ChannelKind::Generation) => 19,
        Some(ChannelKind::Net) => 4,
        Some(ChannelKind::Voltage) | None => 0,
        Some(_) => 1,
    }
}

/// `commodity` of a channel: electricity, natural gas, potable water.
pub(crate) const fn commodity_code(kind: Option<ChannelKind>) -> u8 {
    match kind {
        Some(ChannelKind::Gas) => 7,
        Some(ChannelKind::Water) => 9,
        _ => 1,
    }
}

/// `MeasurementKind` of a channel: energy, voltage, volume.
pub(crate) const fn measurement_code(kind: Option<ChannelKind>) -> u8 {
    match kind {
        Some(ChannelKind::Voltage) => 54,
        Some(ChannelKind::Gas | ChannelKind::Water) => 58,
        _ => 12,
    }
}

/// A number of a field.
pub(crate) fn number(fields: &BTreeMap<String, String>, name: &str) -> Option<i64> {
    fields.get(name)?.trim().parse().ok()
}
