//! A column of a row group, some thousand rows of it at a time.

use super::form::{Cell, Form};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::{ByteArray, DataType, FixedLenByteArray, Int96};
use ::parquet::errors::{ParquetError, Result};

/// The reader of a column and the rows at hand.
pub(super) struct Column {
    reader: ColumnReader,
    values: Values,
    levels: Vec<i16>,
    /// The level of a row that has a value; 0 where every row has one.
    there: i16,
    /// The place of each row's value; only where some have none.
    places: Vec<u32>,
}

enum Values {
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Int96(Vec<Int96>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Bytes(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
    Nothing,
}

const NOWHERE: u32 = u32::MAX;

impl Column {
    pub(super) fn new(reader: ColumnReader, there: i16) -> Self {
        let values = match &reader {
            ColumnReader::Int32ColumnReader(_) => Values::Int32(Vec::new()),
            ColumnReader::Int64ColumnReader(_) => Values::Int64(Vec::new()),
            ColumnReader::Int96ColumnReader(_) => Values::Int96(Vec::new()),
            ColumnReader::FloatColumnReader(_) => Values::Float(Vec::new()),
            ColumnReader::DoubleColumnReader(_) => Values::Double(Vec::new()),
            ColumnReader::ByteArrayColumnReader(_) => Values::Bytes(Vec::new()),
            ColumnReader::FixedLenByteArrayColumnReader(_) => Values::Fixed(Vec::new()),
            ColumnReader::BoolColumnReader(_) => Values::Nothing,
        };
        Self { reader, values, levels: Vec::new(), there, places: Vec::new() }
    }

    /// Reads the next `rows` rows.
    pub(super) fn fill(&mut self, rows: usize) -> Result<()> {
        self.levels.clear();
        let levels = &mut self.levels;
        match (&mut self.reader, &mut self.values) {
            (ColumnReader::Int32ColumnReader(reader), Values::Int32(values)) => {
                read(reader, rows, levels, values)
            }
            (ColumnReader::Int64ColumnReader(reader), Values::Int64(values)) => {
                read(reader, rows, levels, values)
            }
            (ColumnReader::Int96ColumnReader(reader), Values::Int96(values)) => {
                read(reader, rows, levels, values)
            }
            (ColumnReader::FloatColumnReader(reader), Values::Float(values)) => {
                read(reader, rows, levels, values)
            }
            (ColumnReader::DoubleColumnReader(reader), Values::Double(values)) => {
                read(reader, rows, levels, values)
            }
            (ColumnReader::ByteArrayColumnReader(reader), Values::Bytes(values)) => {
                read(reader, rows, levels, values)
            }
            (ColumnReader::FixedLenByteArrayColumnReader(reader), Values::Fixed(values)) => {
                read(reader, rows, levels, values)
            }
            _ => Err(ParquetError::General("a column of this type is not read".into())),
        }?;
        self.places.clear();
        if self.there > 0 && self.levels.iter().any(|level| *level != self.there) {
            let mut place = 0;
            for level in &self.levels {
                let has_value = *level == self.there;
                self.places.push(if has_value { place } else { NOWHERE });
                place += u32::from(has_value);
            }
        }
        Ok(())
    }

    /// The value of row `row` of those at hand.
    #[inline]
    pub(super) fn cell(&self, row: usize, form: Form) -> Cell<'_> {
        let place = match self.places.get(row) {
            None => row,
            Some(&NOWHERE) => return Cell::Null,
            Some(place) => usize::try_from(*place).unwrap_or(usize::MAX),
        };
        let unsigned = form == Form::Integer { signed: false };
        let cell = match &self.values {
            Values::Int32(values) if unsigned => {
                values.get(place).map(|value| Cell::Unsigned(value.cast_unsigned().into()))
            }
            Values::Int64(values) if unsigned => {
                values.get(place).map(|value| Cell::Unsigned(value.cast_unsigned()))
            }
            Values::Int32(values) => values.get(place).map(|value| Cell::Integer(i64::from(*value))),
            Values::Int64(values) => values.get(place).map(|value| Cell::Integer(*value)),
            Values::Int96(values) => values.get(place).map(|value| Cell::Integer(value.to_nanos())),
            Values::Float(values) => values.get(place).map(|value| Cell::Single(*value)),
            Values::Double(values) => values.get(place).map(|value| Cell::Double(*value)),
            Values::Bytes(values) => values.get(place).map(|value| Cell::Bytes(value.data())),
            Values::Fixed(values) => values.get(place).map(|value| Cell::Bytes(value.data())),
            Values::Nothing => None,
        };
        cell.unwrap_or_default()
    }
}

fn read<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    levels: &mut Vec<i16>,
    values: &mut Vec<T::T>,
) -> Result<()> {
    values.clear();
    let (found, _, _) = reader.read_records(rows, Some(levels), None, values)?;
    if found == rows { Ok(()) } else { Err(ParquetError::EOF(format!("{found} rows where {rows} belong"))) }
}
