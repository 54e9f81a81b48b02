//! Tables of readings as text: long (a row a reading) and wide (a row a day, or a column a meter).
//!
//! What a column means comes from its heading or from a [`Mapping`].

mod gather;
mod heading;
mod long;
mod mapping;
mod row;

pub use long::LongReader;
pub use mapping::{Columns, Mapping, MappingError, Shape, StampsAt, Times, Values};
pub(crate) use row::Row;

#[cfg(test)]
mod tests;
