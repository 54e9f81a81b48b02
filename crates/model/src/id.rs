//! One registry of ids. An id is ours and means nothing outside; a serial or premise number is the
//! world's and is a different type.

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u32);

        impl $name {
            /// Wraps a number that the store gave out.
            pub const fn new(number: u32) -> Self {
                Self(number)
            }

            /// The bare number, for the store and for URLs.
            pub const fn get(self) -> u32 {
                self.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl core::str::FromStr for $name {
            type Err = core::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// A device that measures.
    MeterId,
    /// One series of values of a meter: import energy, average voltage, volume.
    ChannelId,
    /// The place where a meter is installed and a commodity delivered (IEC 61968-9 UsagePoint).
    ServicePointId,
    /// A building or part of one, with an address.
    PremiseId,
    /// A person or company that is served.
    CustomerId,
    /// A gateway of the field network: mesh root, power-line concentrator, cellular router.
    CollectorId,
    /// A distribution transformer that feeds service points.
    TransformerId,
    /// An order to a meter.
    CommandId,
    /// Somebody who can sign in.
    UserId,
    /// A bill, as whoever bills numbers them.
    BillId,
    /// A saved group of meters.
    GroupId,
    /// A series that is computed from others.
    VirtualId,
}

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as printed, without surrounding blanks.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into().trim().to_owned())
            }

            /// The text as printed.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

labels! {
    /// The serial number on the meter's plate.
    Serial,
    /// The utility's number of a premise.
    PremiseNumber,
}
