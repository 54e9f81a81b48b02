//! What all writers have in common.

use crate::item::Item;
use crate::number::Decimal;
use crate::quantity::Measure;

/// Takes items one at a time and writes them in its format.
///
/// The blocks of a series are to come in order of time, one series after the other; every writer says what it does with
/// items that its format has no place for: it never leaves one out in silence.
pub trait Writer {
    /// Writes an item.
    ///
    /// # Errors
    /// [`WriteError`]; what was written before stays written.
    fn write(&mut self, item: &Item) -> Result<(), WriteError>;

    /// Writes what is held back and the end of the file.
    ///
    /// # Errors
    /// [`WriteError`].
    fn finish(&mut self) -> Result<(), WriteError>;
}

/// Why an item was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The bytes do not go out.
    #[error("the output broke off")]
    Io(#[from] std::io::Error),
    /// The format has no place for it.
    #[error("{what} of {series} cannot be written as {format}: {why}")]
    Unfit {
        /// The item.
        what: &'static str,
        /// Whose.
        series: String,
        /// The format.
        format: &'static str,
        /// What does not fit.
        why: &'static str,
    },
    /// A table of columns that could not be built.
    #[error("the table cannot be written: {0}")]
    Table(String),
}

/// The unit under which a measure is written, and its exponent: kWh and 3.
pub(crate) fn unit_of(measure: &Measure) -> (String, i8) {
    let exponent = measure.usual_exponent();
    match (measure.symbol(exponent), measure) {
        (Some(symbol), _) => (symbol.to_owned(), exponent),
        (None, Measure::Other(text)) => (text.clone(), 0),
        (None, _) => (String::new(), 0),
    }
}

/// A value in a unit with a prefix, as text: 412 Wh in kWh is `0.412`.
pub(crate) fn value_text(mantissa: i64, scaler: i8, exponent: i8) -> String {
    if mantissa == 0 {
        return "0".to_owned();
    }
    Decimal::new(mantissa, scaler.saturating_sub(exponent)).trimmed().to_string()
}
