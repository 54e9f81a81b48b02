//! Between values with one wire form and [`Data`].

use crate::data::BitString;
use crate::{Data, Obis};

/// Why a value is no attribute of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CosemError {
    /// The class has no attribute of this number.
    #[error("use attribute {0}: the class has none of this number")]
    NoAttribute(i8),
    /// The value is of another type, or a structure of another shape.
    #[error("read {wanted}: the value is something else")]
    Type {
        /// What belongs there.
        wanted: &'static str,
    },
}

/// A value with exactly one wire form.
pub trait AsData: Sized {
    /// The wire form.
    fn to_data(&self) -> Data;

    /// Back from the wire form.
    ///
    /// # Errors
    /// [`CosemError::Type`].
    fn from_data(data: &Data) -> Result<Self, CosemError>;
}

/// Bytes of an octet-string; a list of bytes would be an array of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Octets(pub Vec<u8>);

macro_rules! as_data_plain {
    ($($rust:ty => $variant:ident),* $(,)?) => {$(
        impl AsData for $rust {
            fn to_data(&self) -> Data {
                Data::$variant(self.clone())
            }

            fn from_data(data: &Data) -> Result<Self, CosemError> {
                match data {
                    Data::$variant(value) => Ok(value.clone()),
                    _ => Err(CosemError::Type { wanted: stringify!($variant) }),
                }
            }
        }
    )*};
}

as_data_plain!(
    bool => Boolean,
    i8 => Integer,
    u8 => Unsigned,
    i16 => Long,
    u16 => LongUnsigned,
    i32 => DoubleLong,
    u32 => DoubleLongUnsigned,
    BitString => BitString,
);

impl AsData for Data {
    fn to_data(&self) -> Data {
        self.clone()
    }

    fn from_data(data: &Data) -> Result<Self, CosemError> {
        Ok(data.clone())
    }
}

impl AsData for Octets {
    fn to_data(&self) -> Data {
        Data::OctetString(self.0.clone())
    }

    fn from_data(data: &Data) -> Result<Self, CosemError> {
        match data {
            Data::OctetString(bytes) => Ok(Self(bytes.clone())),
            _ => Err(CosemError::Type { wanted: "OctetString" }),
        }
    }
}

impl<const N: usize> AsData for [u8; N] {
    fn to_data(&self) -> Data {
        Data::OctetString(self.to_vec())
    }

    /// Some meters send dates and times in their own types; they are taken too.
    fn from_data(data: &Data) -> Result<Self, CosemError> {
        let bytes = match data {
            Data::OctetString(bytes) => bytes.as_slice(),
            Data::DateTime(bytes) => bytes,
            Data::Date(bytes) => bytes,
            Data::Time(bytes) => bytes,
            _ => &[],
        };
        bytes.try_into().map_err(|_| CosemError::Type { wanted: "OctetString of fixed length" })
    }
}

impl AsData for Obis {
    fn to_data(&self) -> Data {
        self.0.to_data()
    }

    fn from_data(data: &Data) -> Result<Self, CosemError> {
        AsData::from_data(data).map(Self).map_err(|_| CosemError::Type { wanted: "logical name" })
    }
}

impl<T: AsData> AsData for Vec<T> {
    fn to_data(&self) -> Data {
        Data::Array(self.iter().map(T::to_data).collect())
    }

    fn from_data(data: &Data) -> Result<Self, CosemError> {
        match data {
            Data::Array(values) => values.iter().map(T::from_data).collect(),
            _ => Err(CosemError::Type { wanted: "Array" }),
        }
    }
}

/// A struct that is a structure on the wire, its fields in order.
macro_rules! structure {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $crate::cosem::AsData for $name {
            fn to_data(&self) -> $crate::Data {
                $crate::Data::Structure(vec![$($crate::cosem::AsData::to_data(&self.$field)),*])
            }

            fn from_data(data: &$crate::Data) -> Result<Self, $crate::cosem::CosemError> {
                let shape = $crate::cosem::CosemError::Type { wanted: stringify!($name) };
                let $crate::Data::Structure(fields) = data else { return Err(shape) };
                let [$($field),*] = fields.as_slice() else { return Err(shape) };
                Ok(Self { $($field: $crate::cosem::AsData::from_data($field)?),* })
            }
        }
    };
}

/// An enum that is an enum on the wire.
macro_rules! enumeration {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $number:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$variant_meta])* $variant = $number,)*
        }

        impl $crate::cosem::AsData for $name {
            fn to_data(&self) -> $crate::Data {
                $crate::Data::Enum(*self as u8)
            }

            fn from_data(data: &$crate::Data) -> Result<Self, $crate::cosem::CosemError> {
                match data {
                    $($crate::Data::Enum($number) => Ok(Self::$variant),)*
                    _ => Err($crate::cosem::CosemError::Type { wanted: stringify!($name) }),
                }
            }
        }
    };
}

/// An interface class: a struct whose fields are attributes 2, 3, ... in order.
macro_rules! class {
    ($(#[$meta:meta])* $name:ident = $class:literal version $version:literal {
        $($(#[$field_meta:meta])* $number:literal $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            /// Attribute 1: the object's name.
            pub logical_name: $crate::Obis,
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $crate::cosem::InterfaceClass for $name {
            const CLASS: u16 = $class;
            const VERSION: u8 = $version;
            const ATTRIBUTES: i8 = 1 $(+ { let _: i8 = $number; 1 })*;

            fn logical_name(&self) -> $crate::Obis {
                self.logical_name
            }

            fn attribute(&self, number: i8) -> Option<$crate::Data> {
                match number {
                    1 => Some($crate::cosem::AsData::to_data(&self.logical_name)),
                    $($number => Some($crate::cosem::AsData::to_data(&self.$field)),)*
                    _ => None,
                }
            }

            fn set_attribute(
                &mut self,
                number: i8,
                value: &$crate::Data,
            ) -> Result<(), $crate::cosem::CosemError> {
                match number {
                    1 => self.logical_name = $crate::cosem::AsData::from_data(value)?,
                    $($number => self.$field = $crate::cosem::AsData::from_data(value)?,)*
                    _ => return Err($crate::cosem::CosemError::NoAttribute(number)),
                }
                Ok(())
            }
        }
    };
}
