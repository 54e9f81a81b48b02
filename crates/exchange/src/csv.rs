//! Tables of readings as text: long (a row a reading), wide (a row a day, or a column a meter) and of registers.
//!
//! What a column means comes from its heading or from a [`Mapping`].

mod gather;
mod heading;
mod long;
mod mapping;
mod registers;
mod row;
mod shelf;
mod usual;
mod weather;
mod wide;
mod words;
mod write;

pub(crate) use gather::{Gathering, Reading};
pub(crate) use heading::{Places, by_names, plain};
pub use long::LongReader;
pub(crate) use mapping::Meaning;
pub use mapping::{Columns, Mapping, MappingError, Shape, StampsAt, Times, Values};
pub(crate) use registers::is_heading as is_register_heading;
pub use registers::{RegisterReader, RegisterWriter};
pub(crate) use row::Row;
pub(crate) use shelf::Shelf;
pub use weather::{Observation, WeatherError, WeatherItem, WeatherReader};
pub use wide::WideReader;
pub use write::{LongWriter, WideWriter};

pub use mapping::zone;
pub(crate) use wide::channel_name;
pub(crate) use words::{Described, Told, multiplied, number_of, quality_of};

use crate::item::Reader;
use std::io::Read;

/// A reader of the shape that the mapping names.
///
/// # Errors
/// [`MappingError`] where the mapping contradicts itself.
pub fn reader(input: impl Read + 'static, mapping: Mapping) -> Result<Box<dyn Reader>, MappingError> {
    Ok(match mapping.shape {
        Shape::Long => Box::new(LongReader::new(input, mapping)?),
        Shape::Registers => Box::new(RegisterReader::new(input, mapping)?),
        Shape::WideDays | Shape::WideMeters => Box::new(WideReader::new(input, mapping)?),
    })
}

#[cfg(test)]
mod tests;
