//! NEM13's record 250: two register reads and the quantity between them.

use super::interval::{one_quality, remark, series};
use super::{number, stamp14};
use crate::csv::Row;
use crate::item::{Foreign, Item, Period, RegisterReading, Series};
use crate::number::Decimal;
use crate::refusal::Reason;
use jiff::Timestamp;
use model::quality::codes::{Aemo, AemoFlag};
use model::{ChannelKind, Quality};
use std::collections::VecDeque;
use std::sync::Arc;

struct End {
    at: Timestamp,
    /// As written, leading noughts and all.
    written: String,
    value: Decimal,
    quality: Quality,
    beside: Option<Foreign>,
}

/// Hands out the earlier register, the later one and the quantity, in this order.
pub(crate) fn read(
    line: u64,
    row: &Row,
    text: &[u8],
    out: &mut VecDeque<Item>,
) -> Result<Arc<Series>, Reason> {
    let (mut series, exponent) = series(row, text, 19)?;
    let direction = row.field(text, 7);
    series.kind = match direction {
        b"E" => Some(ChannelKind::Import),
        b"I" => Some(ChannelKind::Export),
        _ => return Err(Reason::field("direction indicator", direction, "I or E")),
    };
    let previous = end(row, text, 8, exponent)?;
    let current = end(row, text, 13, exponent)?;
    let quantity = scaled(number("quantity", row.field(text, 18))?, exponent)?;
    if previous.at > current.at {
        return Err(Reason::Contradiction("the earlier register is read after the later one".into()));
    }
    for (at, name) in [(20, "next_read"), (21, "updated"), (22, "loaded")] {
        let field = row.field(text, at);
        if !field.is_empty() {
            series.extra.insert(name.to_owned(), String::from_utf8_lossy(field).into_owned());
        }
    }
    series.extra.insert("previous_read".into(), previous.written.clone());
    series.extra.insert("current_read".into(), current.written.clone());
    let series = Arc::new(series);
    let (start, end_at) = (previous.at, current.at);
    let (quality, beside) = (current.quality, current.beside.clone());
    for end in [previous, current] {
        let End { at, value, quality, beside, .. } = end;
        let series = Arc::clone(&series);
        out.push_back(Item::Register(RegisterReading { series, line, tou: 0, at, value, quality, beside }));
    }
    out.push_back(Item::Period(Period {
        series: Arc::clone(&series),
        line,
        start,
        end: end_at,
        value: Some(quantity),
        cost: None,
        quality,
        beside,
    }));
    Ok(series)
}

fn end(row: &Row, text: &[u8], at: usize, exponent: i8) -> Result<End, Reason> {
    let (written, when, method) = (row.field(text, at), row.field(text, at + 1), row.field(text, at + 2));
    let value = scaled(number("register read", written)?, exponent)?;
    let at_instant = stamp14(when)
        .and_then(|second| Timestamp::from_second(second).ok())
        .ok_or_else(|| Reason::field("register read date and time", when, "14 digits"))?;
    let code = Aemo::parse(method)
        .filter(|code| code.flag != AemoFlag::Variable)
        .ok_or_else(|| Reason::field("quality method", method, "A, N, or E, F, S with a method"))?;
    let (quality, beside) = one_quality(code, remark(row.field(text, at + 3), row.field(text, at + 4))?);
    let written = String::from_utf8_lossy(written).into_owned();
    Ok(End { at: at_instant, written, value, quality, beside })
}

/// The number in the unit itself, without its prefix.
pub(crate) fn scaled(number: Decimal, exponent: i8) -> Result<Decimal, Reason> {
    let exponent = number.exponent.checked_add(exponent);
    let exponent =
        exponent.ok_or_else(|| Reason::field("register read", b"", "a number that fits 64 bits"))?;
    Ok(Decimal { exponent, ..number })
}
