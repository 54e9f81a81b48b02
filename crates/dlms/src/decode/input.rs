//! Binary or hex text?

use super::{Refusal, RefusalReason};
use std::borrow::Cow;

/// The bytes of a capture that is binary or spells them in hex.
pub(super) fn bytes(capture: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    let start = capture.iter().position(|byte| !byte.is_ascii_whitespace());
    let start = start.ok_or(Refusal { at: 0, why: RefusalReason::Empty })?;
    refuse_telegram(capture, start)?;
    let text = capture.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    if !text {
        return Ok(Cow::Borrowed(capture));
    }
    let bytes = unhex(capture)?;
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    refuse_telegram(&bytes, start)?;
    Ok(Cow::Owned(bytes))
}

/// P1 telegrams start with `/`, three letters of the maker and a digit.
fn refuse_telegram(bytes: &[u8], at: usize) -> Result<(), Refusal> {
    match bytes.get(at..) {
        Some([b'/', a, b, c, digit, ..])
            if [a, b, c].iter().all(|letter| letter.is_ascii_alphabetic()) && digit.is_ascii_graphic() =>
        {
            Err(Refusal { at, why: RefusalReason::Telegram })
        }
        _ => Ok(()),
    }
}

fn unhex(text: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    let mut at = 0;
    let mut line_start = true;
    while let Some(&byte) = text.get(at) {
        if line_start && byte == b'#' {
            let rest = text.get(at..).unwrap_or_default();
            at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            continue;
        }
        line_start = byte == b'\n' || line_start && byte.is_ascii_whitespace();
        let digit = char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match digit {
            Some(0) if high.is_none() && matches!(text.get(at + 1), Some(b'x' | b'X')) => at += 1,
            Some(digit) => match high.take() {
                None => high = Some(digit),
                Some(high) => bytes.push(high << 4 | digit),
            },
            None if byte.is_ascii_whitespace() || matches!(byte, b':' | b'-' | b',') => {}
            None => return Err(Refusal { at, why: RefusalReason::NotHex(char::from(byte)) }),
        }
        at += 1;
    }
    if high.is_some() {
        return Err(Refusal { at: text.len() - 1, why: RefusalReason::OddHex });
    }
    if bytes.is_empty() {
        return Err(Refusal { at: 0, why: RefusalReason::Empty });
    }
    Ok(bytes)
}
