//! NEM12 and NEM13, the files of the Australian market: interval and accumulation readings.
//!
//! ```text
//! 100 header
//! 200 whose: NMI, register, suffix, serial, unit, interval length     250 one accumulation reading with both registers
//!   300 a day: date, values, quality                                   550 transaction
//!     400 quality of a run of the day's intervals, where 300 says V
//!     500 transaction, with a register where one was read
//! 900 end
//! ```
//!
//! Every time is Australian Eastern Standard Time, without daylight saving: a day has always 24 hours.
//!
//! Standard: AEMO Meter Data File Format (MDFF) Specification NEM12 and NEM13, sections 4 and 5.

mod accumulation;
mod interval;
mod reader;
mod writer;

pub use reader::NemReader;
pub use writer::{Nem12Writer, Nem13Writer};

#[cfg(test)]
mod tests;

use crate::number::Decimal;
use crate::refusal::Reason;
use model::ChannelKind;

/// Seconds by which the market's clock is ahead of UTC.
pub(crate) const AEST_S: i64 = 36_000;

/// What a stream of a suffix holds: the first letter names the quantity.
///
/// **Interpretation:** `E` and `F` are energy out of the network, thus what we call import; `B` and `C` into it.
pub(crate) fn kind_of_suffix(suffix: &str) -> Option<ChannelKind> {
    Some(match suffix.bytes().next()?.to_ascii_uppercase() {
        b'E' => ChannelKind::Import,
        b'B' => ChannelKind::Export,
        b'Q' => ChannelKind::ReactiveImport,
        b'K' => ChannelKind::ReactiveExport,
        b'N' => ChannelKind::Net,
        b'G' => ChannelKind::Generation,
        b'V' => ChannelKind::Voltage,
        _ => return None,
    })
}

/// The suffix under which we write a channel.
pub(crate) const fn suffix_of_kind(kind: Option<ChannelKind>) -> &'static str {
    match kind {
        Some(ChannelKind::Import) | None => "E1",
        Some(ChannelKind::Export) => "B1",
        Some(ChannelKind::ReactiveImport) => "Q1",
        Some(ChannelKind::ReactiveExport) => "K1",
        Some(ChannelKind::Net) => "N1",
        Some(ChannelKind::Generation) => "G1",
        Some(ChannelKind::Voltage) => "V1",
        Some(ChannelKind::Gas | ChannelKind::Water) => "11",
    }
}

/// Seconds from 1970 of a date of eight digits, on the market's own clock.
pub(crate) fn date8(text: &[u8]) -> Option<i64> {
    let number = digits(text, 8)?;
    Some(crate::stamp::days(number / 10_000, number / 100 % 100, number % 100)? * 86_400)
}

/// Seconds from 1970 UTC of a date and time of 14 digits, or 12 without seconds.
pub(crate) fn stamp14(text: &[u8]) -> Option<i64> {
    let (date, time) = text.split_at_checked(8)?;
    let (hours, seconds) = match time.len() {
        6 => (digits(time.get(..4)?, 4)?, digits(time.get(4..)?, 2)?),
        4 => (digits(time, 4)?, 0),
        _ => return None,
    };
    let (hour, minute) = (hours / 100, hours % 100);
    let fits = hour < 24 && minute < 60 && seconds < 60;
    fits.then_some(date8(date)? + hour * 3600 + minute * 60 + seconds - AEST_S)
}

/// A number of exactly `count` digits.
fn digits(text: &[u8], count: usize) -> Option<i64> {
    if text.len() != count || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// A number of a register or quantity field.
pub(crate) fn number(field: &'static str, text: &[u8]) -> Result<Decimal, Reason> {
    if text.is_empty() {
        return Err(Reason::Missing { field });
    }
    Decimal::parse(text, b'.').ok_or_else(|| Reason::field(field, text, "a decimal number"))
}
