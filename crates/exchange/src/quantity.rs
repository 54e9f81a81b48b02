//! Units as files write them, with the decimal exponent that their prefix means.

use model::{ChannelKind, Commodity, Unit};

/// What a series counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Active energy, Wh.
    WattHour,
    /// Reactive energy, varh.
    VarHour,
    /// Apparent energy, VAh.
    VoltAmpereHour,
    /// Active power, W.
    Watt,
    /// Reactive power, var.
    Var,
    /// Apparent power, VA.
    VoltAmpere,
    /// Voltage, V.
    Volt,
    /// Current, A.
    Ampere,
    /// Volume, m3.
    CubicMetre,
    /// Volume, cubic feet.
    CubicFoot,
    /// Volume, gallons of the United States.
    UsGallon,
    /// Volume, imperial gallons.
    ImperialGallon,
    /// Heat, therms.
    Therm,
    /// Heat, joules.
    Joule,
    /// Heat, British thermal units.
    Btu,
    /// Temperature, degrees Celsius.
    Celsius,
    /// Frequency, Hz.
    Hertz,
    /// A ratio or a power factor.
    Ratio,
    /// The file names none.
    #[default]
    Unnamed,
    /// A unit that is not in this list, as written.
    Other(String),
}

const WRITTEN: &[(&str, Measure, i8)] = &[
    ("wh", Measure::WattHour, 0),
    ("kwh", Measure::WattHour, 3),
    ("mwh", Measure::WattHour, 6),
    ("gwh", Measure::WattHour, 9),
    ("varh", Measure::VarHour, 0),
    ("kvarh", Measure::VarHour, 3),
    ("mvarh", Measure::VarHour, 6),
    ("vah", Measure::VoltAmpereHour, 0),
    ("kvah", Measure::VoltAmpereHour, 3),
    ("mvah", Measure::VoltAmpereHour, 6),
    ("w", Measure::Watt, 0),
    ("kw", Measure::Watt, 3),
    ("mw", Measure::Watt, 6),
    ("var", Measure::Var, 0),
    ("kvar", Measure::Var, 3),
    ("mvar", Measure::Var, 6),
    ("va", Measure::VoltAmpere, 0),
    ("kva", Measure::VoltAmpere, 3),
    ("mva", Measure::VoltAmpere, 6),
    ("v", Measure::Volt, 0),
    ("kv", Measure::Volt, 3),
    ("a", Measure::Ampere, 0),
    ("ka", Measure::Ampere, 3),
    ("m3", Measure::CubicMetre, 0),
    ("m\u{b3}", Measure::CubicMetre, 0),
    ("l", Measure::CubicMetre, -3),
    ("litre", Measure::CubicMetre, -3),
    ("liter", Measure::CubicMetre, -3),
    ("kl", Measure::CubicMetre, 0),
    ("cf", Measure::CubicFoot, 0),
    ("ft3", Measure::CubicFoot, 0),
    ("ccf", Measure::CubicFoot, 2),
    ("mcf", Measure::CubicFoot, 3),
    ("gal", Measure::UsGallon, 0),
    ("usgal", Measure::UsGallon, 0),
    ("kgal", Measure::UsGallon, 3),
    ("impgal", Measure::ImperialGallon, 0),
    ("therm", Measure::Therm, 0),
    ("thm", Measure::Therm, 0),
    ("dth", Measure::Therm, 1),
    ("j", Measure::Joule, 0),
    ("mj", Measure::Joule, 6),
    ("gj", Measure::Joule, 9),
    ("btu", Measure::Btu, 0),
    ("degc", Measure::Celsius, 0),
    ("c", Measure::Celsius, 0),
    ("hz", Measure::Hertz, 0),
    ("pf", Measure::Ratio, 0),
];

impl core::fmt::Display for Measure {
    /// As people write it: `kWh` is a measure of `Wh`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::WattHour => "Wh",
            Self::VarHour => "varh",
            Self::VoltAmpereHour => "VAh",
            Self::Watt => "W",
            Self::Var => "var",
            Self::VoltAmpere => "VA",
            Self::Volt => "V",
            Self::Ampere => "A",
            Self::CubicMetre => "m\u{b3}",
            Self::CubicFoot => "ft\u{b3}",
            Self::UsGallon => "gallons",
            Self::ImperialGallon => "imperial gallons",
            Self::Therm => "therms",
            Self::Joule => "J",
            Self::Btu => "Btu",
            Self::Celsius => "\u{b0}C",
            Self::Hertz => "Hz",
            Self::Ratio => "a ratio",
            Self::Unnamed => "no unit",
            Self::Other(written) => written,
        })
    }
}

impl Measure {
    /// The measure of a unit as written, in any case of letters, and the decimal exponent of its prefix: `kWh` is
    /// watt-hours and 3.
    ///
    /// **Interpretation:** `MW` and `mWh` are mega, as in the market files; no meter's file counts milliwatts in words.
    pub fn parse(text: &str) -> (Self, i8) {
        let text = text.trim();
        if text.is_empty() {
            return (Self::Unnamed, 0);
        }
        WRITTEN.iter().find(|(written, _, _)| written.eq_ignore_ascii_case(text)).map_or_else(
            || (Self::Other(text.chars().take(32).collect()), 0),
            |(_, measure, exponent)| (measure.clone(), *exponent),
        )
    }

    /// The unit with the prefix for `10^exponent`, as market files write it: watt-hours and 3 is `kWh`.
    pub fn symbol(&self, exponent: i8) -> Option<&'static str> {
        Some(match (self, exponent) {
            (Self::WattHour, 0) => "Wh",
            (Self::WattHour, 3) => "kWh",
            (Self::WattHour, 6) => "MWh",
            (Self::VarHour, 0) => "varh",
            (Self::VarHour, 3) => "kVArh",
            (Self::VarHour, 6) => "MVArh",
            (Self::VoltAmpereHour, 0) => "VAh",
            (Self::VoltAmpereHour, 3) => "kVAh",
            (Self::Watt, 0) => "W",
            (Self::Watt, 3) => "kW",
            (Self::Var, 0) => "var",
            (Self::Var, 3) => "kVAr",
            (Self::VoltAmpere, 0) => "VA",
            (Self::VoltAmpere, 3) => "kVA",
            (Self::Volt, 0) => "V",
            (Self::Ampere, 0) => "A",
            (Self::CubicMetre, 0) => "m3",
            (Self::CubicMetre, -3) => "L",
            (Self::CubicFoot, 0) => "ft3",
            (Self::CubicFoot, 2) => "CCF",
            (Self::UsGallon, 0) => "gal",
            (Self::UsGallon, 3) => "kgal",
            (Self::ImperialGallon, 0) => "impgal",
            (Self::Therm, 0) => "therm",
            (Self::Joule, 0) => "J",
            (Self::Joule, 6) => "MJ",
            (Self::Btu, 0) => "Btu",
            (Self::Celsius, 0) => "degC",
            (Self::Hertz, 0) => "Hz",
            (Self::Ratio, 0) => "pf",
            _ => return None,
        })
    }

    /// The exponent under which files of the trade usually write it: kWh, m3.
    pub const fn usual_exponent(&self) -> i8 {
        match self {
            Self::WattHour | Self::VarHour | Self::VoltAmpereHour | Self::Watt | Self::Var => 3,
            _ => 0,
        }
    }

    /// Our unit, where the measure converts to it by a decimal exponent alone. Cubic feet, gallons and therms do not:
    /// they have no whole number of litres or watt-hours.
    pub const fn unit(&self) -> Option<Unit> {
        Some(match self {
            Self::WattHour => Unit::WattHour,
            Self::VarHour => Unit::VarHour,
            Self::Watt => Unit::Watt,
            Self::Volt => Unit::Volt,
            Self::Ampere => Unit::Ampere,
            Self::CubicMetre => Unit::CubicMetre,
            Self::Ratio => Unit::Count,
            _ => return None,
        })
    }

    /// The measure of one of our units.
    pub const fn of(unit: Unit) -> Self {
        match unit {
            Unit::Watt => Self::Watt,
            Unit::WattHour => Self::WattHour,
            Unit::VarHour => Self::VarHour,
            Unit::Ampere => Self::Ampere,
            Unit::Volt => Self::Volt,
            Unit::CubicMetre => Self::CubicMetre,
            Unit::Count => Self::Ratio,
        }
    }

    /// What a channel of this measure holds, where the file says nothing of direction.
    pub const fn usual_kind(&self, commodity: Commodity) -> Option<ChannelKind> {
        Some(match (self, commodity) {
            (Self::WattHour, Commodity::Electricity) => ChannelKind::Import,
            (Self::VarHour, Commodity::Electricity) => ChannelKind::ReactiveImport,
            (Self::Volt, Commodity::Electricity) => ChannelKind::Voltage,
            (_, Commodity::Gas) => ChannelKind::Gas,
            (_, Commodity::Water) => ChannelKind::Water,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_as_written() {
        for (text, measure, exponent) in [
            ("kWh", Measure::WattHour, 3),
            ("KWH", Measure::WattHour, 3),
            ("kVArh", Measure::VarHour, 3),
            ("CCF", Measure::CubicFoot, 2),
            ("L", Measure::CubicMetre, -3),
            ("", Measure::Unnamed, 0),
            ("furlong", Measure::Other("furlong".into()), 0),
        ] {
            assert_eq!(Measure::parse(text), (measure, exponent), "{text}");
        }
    }

    #[test]
    fn every_symbol_reads_back() {
        for (_, measure, exponent) in WRITTEN {
            if let Some(symbol) = measure.symbol(*exponent) {
                assert_eq!(Measure::parse(symbol), (measure.clone(), *exponent));
            }
        }
    }
}
