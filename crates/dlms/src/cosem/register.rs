//! Single values: data (1), register (3), extended register (4), demand register (5).

use crate::Data;

structure! {
    /// What a register's number means: `value * 10^scaler unit`.
    ScalerUnit {
        /// Decimal exponent.
        scaler: i8,
        /// Unit, by the standard's list.
        unit: Unit,
    }
}

/// A unit by its number in the standard's list, for instance 30 Wh, 35 V, 33 A, 13 m³, 255 none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit(pub u8);

impl super::AsData for Unit {
    fn to_data(&self) -> Data {
        Data::Enum(self.0)
    }

    fn from_data(data: &Data) -> Result<Self, super::CosemError> {
        match data {
            Data::Enum(unit) => Ok(Self(*unit)),
            _ => Err(super::CosemError::Type { wanted: "Unit" }),
        }
    }
}

class! {
    /// Anything with one value.
    DataObject = 1 version 0 {
        /// The value, of any type.
        2 value: Data,
    }
}

class! {
    /// A measured value. Method 1 resets it.
    Register = 3 version 0 {
        /// The number as counted, of any numeric type.
        2 value: Data,
        /// What it means.
        3 scaler_unit: ScalerUnit,
    }
}

class! {
    /// A measured value with a status and the time of it. Method 1 resets it.
    ExtendedRegister = 4 version 0 {
        /// The number as counted, of any numeric type.
        2 value: Data,
        /// What it means.
        3 scaler_unit: ScalerUnit,
        /// The maker's status.
        4 status: Data,
        /// When the value was taken: COSEM date-time.
        5 capture_time: [u8; 12],
    }
}

class! {
    /// An average over a period. Method 1 resets it, method 2 ends the period.
    DemandRegister = 5 version 0 {
        /// The average of the running period so far.
        2 current_average: Data,
        /// The average of the last full period.
        3 last_average: Data,
        /// What both mean.
        4 scaler_unit: ScalerUnit,
        /// The maker's status.
        5 status: Data,
        /// When the last average was taken: COSEM date-time.
        6 capture_time: [u8; 12],
        /// When the running period started: COSEM date-time.
        7 start_time_current: [u8; 12],
        /// Length of a period, seconds.
        8 period: u32,
        /// How many periods a sliding average spans.
        9 number_of_periods: u16,
    }
}
