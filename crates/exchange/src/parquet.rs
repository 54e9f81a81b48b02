//! Parquet: tables of readings in columns, one row an interval, for DuckDB, Spark, Polars and pandas.
//!
//! ```text
//! service_point  string                  the number of the service point, or empty
//! meter          string                  the serial
//! channel        string                  import, export, gas, ..
//! start          timestamp(us, UTC)      of the interval
//! interval_s     int32                   its length, seconds
//! value          decimal(18,6)           in `unit`; null where the quality is missing
//! unit           string                  kWh, kVArh, m3, V
//! quality        string                  valid, estimated_linear+power_fail, ..
//! version        int32                   of the day, where it comes out of a store
//! origin         string                  what made that version: readings, closing, edit, undo, rules
//! ```
//!
//! Only what every reader of the format knows is written: data pages of version 1, plain or dictionary encoding, zstd, row
//! groups of a million rows. The same rows come out as the same bytes.
//!
//! **Interpretation:** the format leaves open how a number without a float is kept. A decimal on 64 bits is read exactly by
//! DuckDB, Spark, Arrow and ClickHouse; delta encodings and data pages of version 2 would be smaller and are not read by every
//! Spark.
//!
//! Read are this layout and others with a row a reading, by their headings or a [`crate::csv::Mapping`]. A column is read by
//! itself and a few thousand rows at a time, whatever the size of the file.
//!
//! Standard: Apache Parquet format 2.10, logical types String, Decimal, Timestamp.

mod chunks;
mod column;
mod form;
mod plan;
mod reader;
mod writer;

pub use reader::ParquetReader;
pub use writer::{About, ParquetWriter};

/// The version of the layout, in the file's metadata under `wattle.layout`.
pub const LAYOUT: &str = "1";

/// Decimals of a written value.
const SCALE: i8 = 6;

#[cfg(test)]
mod tests;
