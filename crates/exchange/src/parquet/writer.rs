//! Writing: blocks to row groups.

use super::{LAYOUT, SCALE};
use crate::csv::channel_name;
use crate::item::{IntervalBlock, Item, Series};
use crate::number::Decimal;
use crate::write::{WriteError, Writer, unit_of};
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::parser::parse_message_type;
use model::Quality;
use std::io::Write;
use std::sync::Arc;

const SCHEMA: &str = "message readings {
    required binary service_point (STRING);
    required binary meter (STRING);
    required binary channel (STRING);
    required int64 start (TIMESTAMP(MICROS,true));
    required int32 interval_s;
    optional int64 value (DECIMAL(18,6));
    required binary unit (STRING);
    required binary quality (STRING);
    optional int32 version;
    optional binary origin (STRING);
}";

/// Rows of a row group; one more block may follow.
const ROWS: usize = 1 << 20;
/// Rows that are handed over at a time.
const AT_ONCE: usize = 8192;
/// The largest value of 18 digits.
const LARGEST: i64 = 999_999_999_999_999_999;

/// What a file says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Who wrote it: the name of the utility.
    pub source: String,
    /// The zone of its metering days, as Europe/Zurich; the stamps are UTC.
    pub zone: String,
    /// The local day that it holds, where it holds one, as 2026-11-28.
    pub day: Option<String>,
}

/// Writes a row an interval, in the order in which the blocks come: channel by channel, each in order of time.
///
/// A value with more than six decimals of its unit, or more than 18 digits, is refused, never rounded. A series may carry
/// `version` and `origin` among what its format says beside. Registers, quantities of other spans and summaries have no
/// place; costs and foreign quality codes are left to the formats that have them.
pub struct ParquetWriter<W> {
    output: W,
    about: About,
    /// The library writes into memory, which is handed on after each row group.
    file: Option<SerializedFileWriter<Vec<u8>>>,
    rows: Columns,
}

impl<W> core::fmt::Debug for ParquetWriter<W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ParquetWriter").field("rows", &self.rows.start.len()).finish_non_exhaustive()
    }
}

/// The rows of the row group at hand.
#[derive(Debug, Default)]
struct Columns {
    names: Vec<Names>,
    last: Option<Arc<Series>>,
    name: Vec<u32>,
    start: Vec<i64>,
    value: Vec<i64>,
    quality: Vec<Quality>,
}

/// What all rows of a block have in common.
#[derive(Debug)]
struct Names {
    service_point: ByteArray,
    meter: ByteArray,
    channel: ByteArray,
    unit: ByteArray,
    interval_s: i32,
    version: Option<i32>,
    origin: Option<ByteArray>,
}

impl<W: Write> ParquetWriter<W> {
    /// Writes to `output`.
    pub fn new(output: W, about: About) -> Self {
        Self { output, about, file: None, rows: Columns::default() }
    }

    /// Writes the rows at hand as a row group.
    fn flush(&mut self) -> Result<(), WriteError> {
        if self.file.is_none() {
            self.file = Some(begun(&self.about).map_err(refused)?);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        if self.rows.start.is_empty() {
            return Ok(());
        }
        let rows = core::mem::take(&mut self.rows);
        let mut group = file.next_row_group().map_err(refused)?;
        rows.write(&mut group).map_err(refused)?;
        group.close().map_err(refused)?;
        self.hand_on()
    }

    fn hand_on(&mut self) -> Result<(), WriteError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let written = file.inner_mut();
        self.output.write_all(written)?;
        written.clear();
        Ok(())
    }
}

/// A file with its schema and what it says of itself.
fn begun(about: &About) -> Result<SerializedFileWriter<Vec<u8>>, ParquetError> {
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let pair = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
    let mut metadata = vec![
        pair("wattle.layout", LAYOUT),
        pair("wattle.source", &about.source),
        pair("wattle.zone", &about.zone),
    ];
    metadata.extend(about.day.as_ref().map(|day| pair("wattle.day", day)));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("wattle version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_max_row_group_size(2 * ROWS)
        .set_key_value_metadata(Some(metadata))
        .build();
    SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))
}

impl<W: Write> Writer for ParquetWriter<W> {
    fn write(&mut self, item: &Item) -> Result<(), WriteError> {
        match item {
            Item::Block(block) => self.rows.add(block)?,
            Item::Register(read) => {
                return Err(unfit("a register", &read.series, "the table holds intervals only"));
            }
            Item::Period(period) => {
                return Err(unfit("a quantity", &period.series, "the table holds intervals only"));
            }
            Item::Summary(_) => {
                return Err(unfit("a bill's summary", &Series::default(), "the table holds intervals only"));
            }
            Item::Note(_) | Item::Refused(_) => {}
        }
        if self.rows.start.len() >= ROWS { self.flush() } else { Ok(()) }
    }

    fn finish(&mut self) -> Result<(), WriteError> {
        self.flush()?;
        if let Some(file) = &mut self.file {
            file.finish().map_err(refused)?;
        }
        self.hand_on()?;
        Ok(self.output.flush()?)
    }
}

impl Columns {
    /// A block comes in whole or not at all.
    fn add(&mut self, block: &IntervalBlock) -> Result<(), WriteError> {
        let (unit, exponent) = unit_of(&block.series.measure);
        let mut values = Vec::with_capacity(block.values.len());
        for (value, quality) in block.values.iter().zip(&block.quality) {
            if quality.is_missing() {
                continue;
            }
            let digits = Decimal::new(*value, block.scaler.saturating_sub(exponent)).rescaled(-SCALE);
            let fits = digits.filter(|digits| (-LARGEST..=LARGEST).contains(digits));
            let Some(digits) = fits else {
                return Err(unfit("a value", &block.series, "it does not fit 18 digits, 6 of them decimals"));
            };
            values.push(digits);
        }
        let interval_s = i32::try_from(block.interval.secs()).unwrap_or(i32::MAX);
        let known = self.last.as_ref().is_some_and(|last| Arc::ptr_eq(last, &block.series))
            && self.names.last().is_some_and(|names| names.interval_s == interval_s);
        if !known {
            self.names.push(Names::of(&block.series, &unit, interval_s));
            self.last = Some(Arc::clone(&block.series));
        }
        let name = u32::try_from(self.names.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let step = i64::from(block.interval.secs()) * 1_000_000;
        let mut start = block.start.as_microsecond();
        for _ in &block.values {
            self.start.push(start);
            start = start.saturating_add(step);
        }
        self.name.resize(self.start.len(), name);
        self.quality.extend_from_slice(&block.quality);
        self.value.extend_from_slice(&values);
        Ok(())
    }

    fn write<W: Write + Send>(
        &self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        let words = Words::new();
        self.names(group, |names| names.service_point.clone())?;
        self.names(group, |names| names.meter.clone())?;
        self.names(group, |names| names.channel.clone())?;
        all::<Int64Type, _>(group, &self.start, None)?;
        self.each::<Int32Type, _>(group, |names| Some(names.interval_s), false)?;
        let levels: Vec<i16> = self.quality.iter().map(|quality| i16::from(!quality.is_missing())).collect();
        all::<Int64Type, _>(group, &self.value, Some(&levels))?;
        self.names(group, |names| names.unit.clone())?;
        self.qualities(group, &words)?;
        self.each::<Int32Type, _>(group, |names| names.version, true)?;
        self.each::<ByteArrayType, _>(group, |names| names.origin.clone(), true)
    }

    fn names<W: Write + Send>(
        &self,
        group: &mut SerializedRowGroupWriter<'_, W>,
        of: impl Fn(&Names) -> ByteArray,
    ) -> Result<(), ParquetError> {
        self.each::<ByteArrayType, _>(group, |names| Some(of(names)), false)
    }

    /// A column whose value is the same all over a block.
    fn each<T: DataType, W: Write + Send>(
        &self,
        group: &mut SerializedRowGroupWriter<'_, W>,
        of: impl Fn(&Names) -> Option<T::T>,
        optional: bool,
    ) -> Result<(), ParquetError> {
        let Some(mut column) = group.next_column()? else { return Ok(()) };
        let writer = column.typed::<T>();
        let (mut values, mut levels) = (Vec::with_capacity(AT_ONCE), Vec::with_capacity(AT_ONCE));
        for rows in self.name.chunks(AT_ONCE) {
            values.clear();
            levels.clear();
            for run in rows.chunk_by(|a, b| a == b) {
                let names = run.first().and_then(|name| self.names.get(usize::try_from(*name).ok()?));
                let value = names.and_then(&of);
                levels.resize(levels.len() + run.len(), i16::from(value.is_some()));
                values.extend(value.into_iter().flat_map(|value| std::iter::repeat_n(value, run.len())));
            }
            writer.write_batch(&values, optional.then_some(levels.as_slice()), None)?;
        }
        column.close()
    }

    fn qualities<W: Write + Send>(
        &self,
        group: &mut SerializedRowGroupWriter<'_, W>,
        words: &Words,
    ) -> Result<(), ParquetError> {
        let Some(mut column) = group.next_column()? else { return Ok(()) };
        for rows in self.quality.chunks(AT_ONCE) {
            let batch: Vec<ByteArray> = rows.iter().map(|quality| words.of(*quality)).collect();
            column.typed::<ByteArrayType>().write_batch(&batch, None, None)?;
        }
        column.close()
    }
}

impl Names {
    fn of(series: &Series, unit: &str, interval_s: i32) -> Self {
        let origin = Some(series.extra("origin")).filter(|origin| !origin.is_empty());
        Self {
            service_point: series.service_point.as_str().into(),
            meter: series.meter.as_str().into(),
            channel: channel_name(series).into(),
            unit: unit.into(),
            interval_s,
            version: series.extra("version").parse().ok(),
            origin: origin.map(ByteArray::from),
        }
    }
}

/// The word of each quality byte.
struct Words(Vec<ByteArray>);

impl Words {
    fn new() -> Self {
        let word = |byte| Quality::try_from(byte).map_or_else(|_| String::new(), Quality::word);
        Self((0..=u8::MAX).map(|byte| word(byte).into_bytes().into()).collect())
    }

    fn of(&self, quality: Quality) -> ByteArray {
        self.0.get(usize::from(quality.byte())).cloned().unwrap_or_default()
    }
}

/// A column of values, each row's own; of those without one only the level is written.
fn all<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

fn unfit(what: &'static str, series: &Series, why: &'static str) -> WriteError {
    WriteError::Unfit { what, series: series.title(), format: "Parquet", why }
}

/// What the library says of an output that broke off, or of a table that it does not take.
fn refused(error: ParquetError) -> WriteError {
    match error {
        ParquetError::External(cause) => match cause.downcast::<std::io::Error>() {
            Ok(error) => WriteError::Io(*error),
            Err(other) => WriteError::Table(other.to_string()),
        },
        other => WriteError::Table(other.to_string()),
    }
}
