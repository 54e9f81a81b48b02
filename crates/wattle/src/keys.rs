//! Keys and titles on the command line: hexadecimal, or `@FILE` so that no key need stand in a
//! process list.

use crate::talk::WrongUsage;
use anyhow::{Context, Result, bail};
use std::fs;

/// The bytes of a hexadecimal argument of exactly `N` bytes.
pub(crate) fn bytes<const N: usize>(what: &str, text: &str) -> Result<[u8; N]> {
    let text = match text.strip_prefix('@') {
        Some(file) => {
            fs::read_to_string(file).with_context(|| format!("could not read {what} from {file}"))?
        }
        None => text.to_owned(),
    };
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    let Ok(bytes) = hex::decode(&digits) else {
        bail!(WrongUsage(format!("{what} must be hexadecimal, or @FILE that holds it")));
    };
    let length = bytes.len();
    bytes.try_into().map_err(|_| {
        WrongUsage(format!("{what} must be {N} bytes ({} hexadecimal digits), not {length}", 2 * N)).into()
    })
}

/// A secret argument: the text itself, or the first line of `@FILE`.
pub(crate) fn secret(what: &str, text: &str) -> Result<Vec<u8>> {
    match text.strip_prefix('@') {
        Some(file) => {
            let text =
                fs::read_to_string(file).with_context(|| format!("could not read {what} from {file}"))?;
            Ok(text.lines().next().unwrap_or_default().as_bytes().to_vec())
        }
        None => Ok(text.as_bytes().to_vec()),
    }
}
