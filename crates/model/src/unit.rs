//! Exact quantities. Energy, power and voltage are integers of a small unit; a register value keeps
//! its raw integer, scaler and unit until one checked conversion.

use serde::{Deserialize, Serialize};

macro_rules! quantities {
    ($($(#[$doc:meta])* $name:ident, $small:ident, $from_small:ident, $unit:ident, $from_unit:ident, $text:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0);

            /// From thousandths.
            pub const fn $from_small(value: i64) -> Self {
                Self(value)
            }

            /// From whole units; saturates far beyond any meter.
            pub const fn $from_unit(value: i64) -> Self {
                Self(value.saturating_mul(1000))
            }

            /// Thousandths.
            pub const fn $small(self) -> i64 {
                self.0
            }

            /// Whole units, rounded half away from zero.
            pub const fn $unit(self) -> i64 {
                let half = if self.0 < 0 { -500 } else { 500 };
                (self.0 + half) / 1000
            }

            /// Sum, or `None` on overflow.
            pub const fn checked_add(self, other: Self) -> Option<Self> {
                match self.0.checked_add(other.0) {
                    Some(sum) => Some(Self(sum)),
                    None => None,
                }
            }
        }

        impl core::ops::Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl core::ops::AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }

        impl core::ops::Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl core::iter::Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::ZERO, |a, b| a + b)
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let (whole, thousandths) = (self.0.unsigned_abs() / 1000, self.0.unsigned_abs() % 1000);
                let sign = if self.0 < 0 { "-" } else { "" };
                if thousandths == 0 {
                    write!(f, "{sign}{whole} {}", $text)
                } else {
                    write!(f, "{sign}{whole}.{thousandths:03} {}", $text)
                }
            }
        }
    )*};
}

quantities! {
    /// Active energy, exact to a milliwatt-hour.
    Energy, mwh, from_mwh, wh, from_wh, "Wh";
    /// Active power, exact to a milliwatt.
    Power, mw, from_mw, watts, from_watts, "W";
    /// Voltage, exact to a millivolt.
    Voltage, mv, from_mv, volts, from_volts, "V";
}

/// The unit of a register or profile value.
///
/// Standard: IEC 62056-6-2, table of units (`enum` of scaler_unit); only those that Wattle meters use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Active power, code 27.
    Watt,
    /// Active energy, code 30.
    WattHour,
    /// Reactive energy, code 32.
    VarHour,
    /// Current, code 33.
    Ampere,
    /// Voltage, code 35.
    Volt,
    /// Volume, code 13.
    CubicMetre,
    /// A number without dimension, code 255.
    Count,
}

impl Unit {
    /// The code of the standard's table.
    pub const fn code(self) -> u8 {
        match self {
            Self::CubicMetre => 13,
            Self::Watt => 27,
            Self::WattHour => 30,
            Self::VarHour => 32,
            Self::Ampere => 33,
            Self::Volt => 35,
            Self::Count => 255,
        }
    }

    /// The unit of a code, if it is one of ours.
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            13 => Self::CubicMetre,
            27 => Self::Watt,
            30 => Self::WattHour,
            32 => Self::VarHour,
            33 => Self::Ampere,
            35 => Self::Volt,
            255 => Self::Count,
            _ => return None,
        })
    }

    /// As printed beside a number.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::CubicMetre => "m³",
            Self::Watt => "W",
            Self::WattHour => "Wh",
            Self::VarHour => "varh",
            Self::Ampere => "A",
            Self::Volt => "V",
            Self::Count => "",
        }
    }
}

/// A value as read: `raw × 10^scaler` of `unit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterValue {
    /// The integer on the wire.
    pub raw: i64,
    /// The decimal exponent (attribute 3 of a register).
    pub scaler: i8,
    /// What is counted.
    pub unit: Unit,
}

/// Why a register value does not become an exact quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScaleError {
    /// The value is no whole number of the target's smallest unit.
    #[error("{raw} x 10^{scaler} is no whole number of the target's smallest unit")]
    Inexact {
        /// The integer on the wire.
        raw: i64,
        /// Its exponent.
        scaler: i8,
    },
    /// The value does not fit 64 bits.
    #[error("{raw} x 10^{scaler} is out of range")]
    Overflow {
        /// The integer on the wire.
        raw: i64,
        /// Its exponent.
        scaler: i8,
    },
    /// The unit is of another kind.
    #[error("a value in {0:?} was given where another unit belongs")]
    Unit(Unit),
}

impl RegisterValue {
    /// Turns a register value as read into energy.
    ///
    /// Exact: a value that is no whole number of milliwatt-hours is refused, never rounded.
    ///
    /// Standard: IEC 62056-6-2, Register (class_id 3), attributes 2 and 3.
    ///
    /// # Errors
    /// [`ScaleError`].
    pub fn energy(self) -> Result<Energy, ScaleError> {
        self.expect(Unit::WattHour)?;
        self.rescaled(-3).map(Energy::from_mwh)
    }

    /// Turns a register value as read into a voltage; exact to a millivolt.
    ///
    /// # Errors
    /// [`ScaleError`].
    pub fn voltage(self) -> Result<Voltage, ScaleError> {
        self.expect(Unit::Volt)?;
        self.rescaled(-3).map(Voltage::from_mv)
    }

    fn expect(self, unit: Unit) -> Result<(), ScaleError> {
        if self.unit == unit { Ok(()) } else { Err(ScaleError::Unit(self.unit)) }
    }

    /// The integer of the same value under another decimal exponent.
    ///
    /// # Errors
    /// [`ScaleError::Inexact`] when digits would be lost, [`ScaleError::Overflow`].
    pub fn rescaled(self, scaler: i8) -> Result<i64, ScaleError> {
        let (raw, from) = (self.raw, self.scaler);
        let power = |n: i16| u32::try_from(n).ok().and_then(|n| 10i64.checked_pow(n));
        let up = i16::from(from) - i16::from(scaler);
        if up >= 0 {
            let factor = power(up).ok_or(ScaleError::Overflow { raw, scaler: from })?;
            return raw.checked_mul(factor).ok_or(ScaleError::Overflow { raw, scaler: from });
        }
        match power(-up) {
            Some(divisor) if raw % divisor == 0 => Ok(raw / divisor),
            None if raw == 0 => Ok(0),
            _ => Err(ScaleError::Inexact { raw, scaler: from }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_become_energy_exactly_or_not_at_all() {
        let read = |raw, scaler| RegisterValue { raw, scaler, unit: Unit::WattHour }.energy();
        assert_eq!(read(1234, 0), Ok(Energy::from_wh(1234)));
        assert_eq!(read(12, 3), Ok(Energy::from_wh(12_000)));
        assert_eq!(read(5, -3), Ok(Energy::from_mwh(5)));
        assert_eq!(read(5, -4), Err(ScaleError::Inexact { raw: 5, scaler: -4 }));
        assert_eq!(read(50, -4), Ok(Energy::from_mwh(5)));
        assert_eq!(read(i64::MAX, 1), Err(ScaleError::Overflow { raw: i64::MAX, scaler: 1 }));
        assert_eq!(read(1, 127), Err(ScaleError::Overflow { raw: 1, scaler: 127 }));
        let volts = RegisterValue { raw: 2301, scaler: -1, unit: Unit::Volt };
        assert_eq!(volts.voltage(), Ok(Voltage::from_mv(230_100)));
        assert_eq!(volts.energy(), Err(ScaleError::Unit(Unit::Volt)));
    }

    #[test]
    fn quantities_print_with_their_unit() {
        assert_eq!(Energy::from_wh(12).to_string(), "12 Wh");
        assert_eq!(Voltage::from_mv(-230_100).to_string(), "-230.100 V");
    }
}
