//! From the fields of a form to an edit, and from an edit to a sentence.

use super::ask::Times;
use super::drawing::measure;
use crate::fmt::Measure;
use core::ops::Range;
use jiff::civil::Date;
use mdm::edit::Op;
use model::{ChannelKind, Ratio};

/// The methods that a person may ask for: name in addresses, words, and how it is done.
pub(crate) fn method_words(method: vee::Method) -> String {
    crate::fmt::heading(method.name())
}

/// A value as people write it, in the channel's stored unit. Both decimal signs are taken; more digits than are kept are refused,
/// because nothing may be rounded without saying so.
pub(crate) fn parse_value(text: &str, measure: Measure) -> Result<i64, String> {
    let text = text.trim().replace('\u{2212}', "-").replace(',', ".");
    let unclear = || format!("`{text}` is no value in {}: write it as in 1.25.", measure.unit);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.as_str()),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && part.is_empty() || !all_digits(whole) || !all_digits(part) {
        return Err(unclear());
    }
    let exponent = usize::from(measure.exponent);
    if part.len() > exponent && part[exponent..].bytes().any(|byte| byte != b'0') {
        return Err(format!("`{text}` is finer than is kept: {exponent} digits after the point at most."));
    }
    let mut padded: String = part.chars().take(exponent).collect();
    while padded.len() < exponent {
        padded.push('0');
    }
    format!("{whole}{padded}").parse::<i64>().map(|value| sign * value).map_err(|_| unclear())
}

/// The operation that a form names.
///
/// # Errors
/// A sentence that says which field is wrong and how to write it.
pub(crate) fn operation(
    name: &str,
    kind: ChannelKind,
    param: &dyn Fn(&str) -> Option<String>,
) -> Result<Op, String> {
    let field = |name: &str, what: &str| param(name).ok_or_else(|| format!("Say {what}."));
    match name {
        "accept" => Ok(Op::Accept),
        "reject" => Ok(Op::Reject),
        "interpolate" => Ok(Op::Interpolate),
        "estimate" => {
            let name = field("method", "by which method to estimate")?;
            let method = vee::Method::ALL.into_iter().find(|method| method.name() == name);
            Ok(Op::Estimate { method: method.ok_or_else(|| format!("There is no method `{name}`."))? })
        }
        "copy" => {
            let day = field("day", "from which day to copy")?;
            let from: Date =
                day.parse().map_err(|_| format!("`{day}` is no day: write it as in 2026-07-14."))?;
            Ok(Op::CopyDay { from })
        }
        "set" => {
            let value = field("value", "to which value to set each interval")?;
            Ok(Op::Set { values: vec![parse_value(&value, measure(kind))?] })
        }
        "add" => {
            let value = field("plus", "how much to add to each interval")?;
            Ok(Op::Add { amount: parse_value(&value, measure(kind))? })
        }
        "scale" => {
            let percent = field("percent", "to how many percent to scale")?;
            let ratio: Ratio = percent
                .trim()
                .replace(',', ".")
                .parse()
                .map_err(|_| format!("`{percent}` is no percentage: write it as in 93 or 102.5."))?;
            let factor = i64::checked_mul(ratio.denominator(), 100)
                .and_then(|denominator| Ratio::new(ratio.numerator(), denominator));
            Ok(Op::Scale { factor: factor.ok_or("That percentage has too many digits.")? })
        }
        "undo" => {
            let to = field("to_version", "to which version to go back")?;
            Ok(Op::Undo { to: to.parse().map_err(|_| format!("There is no version `{to}`."))? })
        }
        other => Err(format!("Nothing is called `{other}` here; choose one of the operations.")),
    }
}

/// The fields that say an operation again, for the form that confirms it.
pub(crate) fn fields(name: &str, param: &dyn Fn(&str) -> Option<String>) -> Vec<(&'static str, String)> {
    let mut fields = vec![("do", name.to_owned())];
    let more = match name {
        "estimate" => "method",
        "copy" => "day",
        "set" => "value",
        "add" => "plus",
        "scale" => "percent",
        "undo" => "to_version",
        _ => return fields,
    };
    fields.extend(param(more).map(|value| (more, value)));
    fields
}

/// What is done, in words: the beginning of the preview's sentence.
pub(crate) fn sentence(op: &Op, kind: ChannelKind) -> String {
    let measure = measure(kind);
    match op {
        Op::Accept => "Accept as read".to_owned(),
        Op::Reject => "Reject what was read".to_owned(),
        Op::Interpolate => "Draw a straight line".to_owned(),
        Op::Estimate { method } => format!("Estimate by {}", method_words(*method).to_lowercase()),
        Op::CopyDay { from } => format!("Copy from {}", crate::fmt::short(*from)),
        Op::Set { values } => match values.as_slice() {
            [value] => format!("Set to {}\u{a0}{}", measure.fine(*value), measure.unit),
            all => format!("Set {} values", all.len()),
        },
        Op::Add { amount } => format!("Add {}\u{a0}{}", measure.fine(*amount), measure.unit),
        Op::Scale { factor } => {
            let tenths = factor.times(1000);
            format!("Scale to {}\u{a0}%", crate::fmt::decimal(tenths, 1, 1))
        }
        Op::Undo { to } => format!("Go back to version {to}"),
        Op::Note => "Write a note".to_owned(),
    }
}

/// A stored operation in words; one that is not understood is passed over.
pub(crate) fn stored(json: &str, kind: ChannelKind) -> Option<String> {
    let op: Op = serde_json::from_str(json).ok()?;
    Some(sentence(&op, kind))
}

/// Whether the chosen intervals do not matter.
pub(crate) const fn whole_day(op: &Op) -> bool {
    matches!(op, Op::Undo { .. })
}

/// The intervals that were asked for.
pub(crate) fn range(
    times: &Times,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Option<Range<usize>>, String> {
    let (Some(from), Some(to)) = (from, to) else { return Ok(None) };
    times.range(from, to).map(Some).ok_or_else(|| {
        format!("There are no intervals from {from} until {to}: both must be starts of intervals, the second one later. The end of the day is 24:00.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_exact_or_refused() {
        let kwh = measure(ChannelKind::Import);
        for (text, value) in [
            ("1.25", 1250),
            ("0,5", 500),
            ("-0.001", -1),
            ("12", 12_000),
            (".5", 500),
            ("1.2500", 1250),
            ("−2", -2000),
        ] {
            assert_eq!(parse_value(text, kwh), Ok(value), "{text}");
        }
        for text in ["", "-", "1.2345", "1e3", "a", "1.2.3", "99999999999999999999"] {
            assert!(parse_value(text, kwh).is_err(), "{text}");
        }
        assert_eq!(parse_value("3", measure(ChannelKind::Water)), Ok(3));
        assert!(parse_value("3.5", measure(ChannelKind::Water)).is_err());
    }

    #[test]
    fn forms_become_operations() {
        let ask = |name: &str, pairs: &[(&str, &str)]| {
            let param = |key: &str| pairs.iter().find(|(k, _)| *k == key).map(|(_, v)| (*v).to_owned());
            operation(name, ChannelKind::Import, &param)
        };
        assert_eq!(ask("accept", &[]), Ok(Op::Accept));
        assert_eq!(ask("set", &[("value", "0.25")]), Ok(Op::Set { values: vec![250] }));
        assert_eq!(
            ask("scale", &[("percent", "97.5")]),
            Ok(Op::Scale { factor: Ratio::new(39, 40).unwrap() })
        );
        assert_eq!(ask("undo", &[("to_version", "1")]), Ok(Op::Undo { to: 1 }));
        for (name, field, value) in [
            ("set", "value", "x"),
            ("copy", "day", "soon"),
            ("scale", "percent", "much"),
            ("estimate", "method", "guess"),
        ] {
            assert!(ask(name, &[(field, value)]).unwrap_err().contains(value), "{name}");
            assert!(ask(name, &[]).unwrap_err().starts_with("Say "), "{name}");
        }
        assert!(ask("destroy", &[]).is_err());
    }
}
