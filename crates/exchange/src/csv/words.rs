//! What the words of a row mean: its series, its value, its quality.

use super::mapping::{Mapping, Meaning};
use crate::item::{Foreign, Series};
use crate::limits;
use crate::number::Decimal;
use crate::quantity::Measure;
use crate::refusal::Reason;
use model::{ChannelKind, Commodity, IntervalLength, Quality};
use std::collections::BTreeMap;

/// What a row says of its series; `None` where the table has no such column.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told<'a> {
    pub(crate) meter: Option<&'a [u8]>,
    pub(crate) service_point: Option<&'a [u8]>,
    pub(crate) channel: Option<&'a [u8]>,
    pub(crate) unit: Option<&'a [u8]>,
    pub(crate) interval: Option<&'a [u8]>,
}

/// A series as a row describes it.
pub(crate) struct Described {
    pub(crate) series: Series,
    pub(crate) exponent: i8,
    pub(crate) interval: Option<IntervalLength>,
}

impl Told<'_> {
    /// What tells the series from every other, into `key`.
    #[inline]
    pub(crate) fn key(&self, key: &mut Vec<u8>) {
        key.clear();
        for word in [self.meter, self.service_point, self.channel, self.unit, self.interval].iter().flatten()
        {
            key.extend_from_slice(word);
            key.push(0);
        }
    }

    /// The series, its unit and interval. `named_unit` is what the value's own heading says.
    pub(crate) fn describe(
        &self,
        named_unit: Option<&str>,
        mapping: &Mapping,
        meaning: &Meaning,
    ) -> Result<Described, Reason> {
        let name = |word: Option<&[u8]>, what| {
            let word = word.unwrap_or_default();
            if word.len() > limits::NAME {
                return Err(Reason::field(what, word, "a name of at most 128 bytes"));
            }
            core::str::from_utf8(word).map(str::to_owned).map_err(|_| Reason::field(what, word, "UTF-8"))
        };
        let (meter, service_point) = (name(self.meter, "meter")?, name(self.service_point, "service_point")?);
        let named = self.meter.is_some() || self.service_point.is_some();
        if named && meter.is_empty() && service_point.is_empty() {
            return Err(Reason::Missing { field: "meter" });
        }
        let unit = Some(name(self.unit, "unit")?).filter(|unit| !unit.is_empty());
        let unit = unit.or_else(|| mapping.value.unit.clone()).or_else(|| named_unit.map(str::to_owned));
        let (measure, exponent) = Measure::parse(unit.as_deref().unwrap_or(""));
        let written = name(self.channel, "channel")?;
        // `import/E2`: what it holds, and the register's own name.
        let (word, channel) = match written.split_once('/') {
            Some((word, own)) if ChannelKind::from_name(word).is_some() => (word, own.to_owned()),
            _ => (written.as_str(), written.clone()),
        };
        let by_name = || ChannelKind::from_name(word);
        let kind = meaning.kind.or_else(by_name).or_else(|| measure.usual_kind(Commodity::Electricity));
        let interval = match self.interval {
            None => meaning.interval,
            Some(word) => {
                let secs = core::str::from_utf8(word).ok().and_then(|text| text.parse().ok());
                let length = secs.and_then(|secs| IntervalLength::from_secs(secs).ok());
                Some(length.ok_or_else(|| Reason::field("interval_s", word, "seconds of an interval"))?)
            }
        };
        let meter = mapping.meters.get(&meter).cloned().unwrap_or(meter);
        let series = Series { service_point, meter, channel, kind, measure, extra: BTreeMap::new() };
        Ok(Described { series, exponent, interval })
    }
}

/// The value of a field; `None` where the table says there is none.
pub(crate) fn number_of(written: &[u8], meaning: &Meaning) -> Result<Option<Decimal>, Reason> {
    if let Some(number) = Decimal::parse(written, meaning.decimal) {
        return multiplied(number, written, meaning).map(Some);
    }
    let nothing: &[&[u8]] = &[b"", b"null", b"na", b"n/a", b"nan", b"none"];
    if nothing.iter().any(|word| word.eq_ignore_ascii_case(written)) {
        return Ok(None);
    }
    Err(Reason::field("value", written, "a decimal number"))
}

/// A number times the mapping's multiplier.
pub(crate) fn multiplied(number: Decimal, written: &[u8], meaning: &Meaning) -> Result<Decimal, Reason> {
    let Some(factor) = meaning.multiplier else { return Ok(number) };
    let product = number.checked_mul(factor);
    product.ok_or_else(|| Reason::field("value", written, "a number that fits 64 bits"))
}

/// Our word with the sender's own code behind it, as [`super::write::quality_word`] writes it.
#[cold]
pub(super) fn with_code(text: &str) -> Option<(Quality, Option<Foreign>)> {
    let (word, token) = text.split_once(crate::foreign::BETWEEN)?;
    Some((Quality::from_word(word)?, Some(Foreign::from_token(token)?)))
}

/// The quality of a word and a value, and what the word says beyond our byte.
pub(crate) fn quality_of(
    word: &[u8],
    has_value: bool,
    meaning: &Meaning,
) -> Result<(Quality, Option<Foreign>), Reason> {
    if word.is_empty() {
        return Ok((if has_value { Quality::RAW } else { Quality::MISSING }, None));
    }
    let text = core::str::from_utf8(word).unwrap_or("");
    let (quality, beside) = match meaning.quality.get(word) {
        Some(quality) => (*quality, Some(Foreign::Word(text.to_owned()))),
        None => match Quality::from_word(text) {
            Some(quality) => (quality, None),
            None => with_code(text)
                .ok_or_else(|| Reason::field("quality", word, "a quality, as valid or estimated_linear"))?,
        },
    };
    if has_value == quality.is_missing() {
        let reason =
            format!("the quality is {text:?} where {} value stands", if has_value { "a" } else { "no" });
        return Err(Reason::Contradiction(reason));
    }
    Ok((quality, beside))
}
