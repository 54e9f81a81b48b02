//! Other people's formats for readings, to and from our words: streaming, in bounded memory; opens no file.
//!
//! ```text
//! bytes --container (gz, zip)--> bytes --detect--> a reader of one format
//!                                                   | next(): one item at a time
//!                                                   v
//!      Block            consecutive intervals of one series, integers and qualities
//!      Register         a cumulative register at an instant
//!      Period           a quantity of an arbitrary span: a bill's month, a day of 23 hours
//!      Summary          usage and cost of a bill
//!      Refused          a line that nothing can be made of: where, why, what to do
//! ```
//!
//! A reader believes nothing and mends nothing: what it cannot read exactly it hands back as [`Item::Refused`] with the
//! line and the reason, and goes on with the next record. Memory is bounded whatever the size of the file or of a line.
//! Values are integers under a decimal exponent, never floats; each carries a [`model::Quality`], and what a foreign
//! quality code says beyond our byte is kept beside it ([`item::Beside`]).
//!
//! Deliberately absent: files and sockets (the shells open them), matching of names to meters, and the store.

mod by_line;
pub mod cmep;
pub mod container;
pub mod csv;
pub mod detect;
pub mod espi;
mod foreign;
pub mod item;
pub mod limits;
pub mod lines;
pub mod nem;
pub mod number;
pub mod parquet;
pub mod quantity;
pub mod refusal;
pub mod stamp;
pub mod write;

pub use detect::{Format, Opened, Options, open, open_member};
pub use item::{Beside, Foreign, IntervalBlock, Item, Note, Period, Reader, RegisterReading, Series};
pub use quantity::Measure;
pub use refusal::{ReadError, Reason, Refusal};
pub use write::{WriteError, Writer};
