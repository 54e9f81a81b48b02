//! Profiles as lines of text: `meter,start,value,value,...`
//!
//! `meter` is our number of it, `start` the first interval's in Unix seconds, a value an integer or nothing.

use super::{ProfileLoad, Profiles};
use jiff::Timestamp;
use model::MeterId;

/// A line that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct BadLine {
    /// Which, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Reads lines; every good one enters, every bad one is told. `line` is the number of the first.
pub fn parse(load: &ProfileLoad, text: &[u8], line: u64, bad: &mut Vec<BadLine>) -> Profiles {
    let mut profiles = Profiles::default();
    let start = load.day.start().as_second();
    let mut values = Vec::with_capacity(load.slots);
    for (line, text) in (line..).zip(text.split(|byte| *byte == b'\n')) {
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.is_empty() {
            continue;
        }
        match numbers(text, load.slots, &mut values) {
            Some((meter, at)) if at == start && values.len() == load.slots => profiles.push(meter, &values),
            _ => match ragged(load, text) {
                Ok(batch) => profiles.push_odd(batch),
                Err(why) => bad.push(BadLine { line, why }),
            },
        }
    }
    profiles
}

/// A line without holes, the values into `values`.
fn numbers(text: &[u8], slots: usize, values: &mut Vec<i64>) -> Option<(MeterId, i64)> {
    values.clear();
    let mut at = 0;
    let meter = u32::try_from(number(text, &mut at)?).ok()?;
    let start = number(text, &mut at)?;
    while at < text.len() {
        values.push(number(text, &mut at)?);
        if values.len() > slots {
            return None;
        }
    }
    (text.last() != Some(&b',')).then_some((MeterId::new(meter), start))
}

/// The integer of up to 18 digits at `at`, which must end at a comma or at the end; `at` goes beyond the comma.
fn number(text: &[u8], at: &mut usize) -> Option<i64> {
    let negative = text.get(*at) == Some(&b'-');
    let begin = *at + usize::from(negative);
    let mut value = 0i64;
    let mut end = begin;
    while let Some(digit) = text.get(end).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        if end - begin == 18 {
            return None;
        }
        value = value * 10 + i64::from(digit);
        end += 1;
    }
    if end == begin || text.get(end).is_some_and(|byte| *byte != b',') {
        return None;
    }
    *at = end + 1;
    Some(if negative { -value } else { value })
}

/// A line with holes, or of another time or length.
fn ragged(load: &ProfileLoad, text: &[u8]) -> Result<model::ReadBatch, &'static str> {
    let text = core::str::from_utf8(text).map_err(|_| "it is no text")?;
    let mut fields = text.split(',');
    let meter = fields.next().and_then(|field| field.parse().ok()).ok_or("the meter is no number")?;
    let start =
        fields.next().and_then(|field| field.parse().ok()).ok_or("the start is no number of seconds")?;
    let start = Timestamp::from_second(start).map_err(|_| "the start is beyond all times")?;
    let value = |field: &str| match field {
        "" => Ok(None),
        field => field.parse().map(Some).map_err(|_| "a value is no integer"),
    };
    let values: Vec<Option<i64>> = fields.map(value).collect::<Result<_, _>>()?;
    if values.is_empty() {
        return Err("it has no value");
    }
    Ok(load.batch_of(meter, start, values))
}
