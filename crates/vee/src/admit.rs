//! The gate: a batch as read becomes arrivals in stored units, or is refused in words.

use crate::facts::Facts;
use crate::finding::{Finding, Rule};
use crate::rules::Rules;
use core::ops::Range;
use jiff::{SignedDuration, Timestamp};
use model::reading::status;
use model::{Quality, ReadBatch, RegisterValue};

/// One interval's value on its way into a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Start of the interval, UTC.
    pub start: Timestamp,
    /// The value in the channel's stored unit.
    pub value: i64,
    /// [`Quality::RAW`] with the flags that the meter's status byte asks for.
    pub quality: Quality,
}

/// What came of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admitted {
    /// The values that may enter, in order.
    pub arrivals: Vec<Arrival>,
    /// What was refused or is worth noting; ranges are positions in the batch.
    pub findings: Vec<Finding>,
}

/// The largest magnitude of a value that is kept: beyond it no meter reaches in an interval, and sums of
/// a year stay far inside 64 bits.
const LARGEST: u64 = 1_000_000_000_000;

/// Checks a batch against the channel's facts and converts it to the stored unit.
///
/// Refused whole: another interval length, a start off the grid, another unit. Refused one by one:
/// values that are no whole stored unit (never rounded), intervals that end in the future beyond the
/// tolerance, intervals of test mode. What is refused stays in the raw batch.
pub fn admit(batch: &ReadBatch, facts: &Facts, rules: &Rules, now: Timestamp) -> Admitted {
    let mut gate = Gate { rules, out: Admitted::default() };
    if let Err((rule, sentence)) = whole(batch, facts) {
        gate.note(rule, 0..batch.values.len(), sentence);
        return gate.out;
    }
    let horizon =
        now.saturating_add(SignedDuration::from_secs(rules.future_tolerance_s.into())).unwrap_or(now);
    let (_, exponent) = facts.kind.stored_unit();
    let mut runs = Runs::default();
    let length = batch.interval.duration();
    let mut start = batch.start;
    for (index, value) in batch.values.iter().enumerate() {
        let Ok(end) = start.checked_add(length) else { break };
        let flags = batch.status.get(index).copied().unwrap_or(0);
        if let Some(raw) = *value {
            let stored = RegisterValue { raw, scaler: batch.scaler, unit: batch.unit }.rescaled(exponent);
            match stored {
                _ if end > horizon => runs.future.push(index),
                _ if flags & status::TEST_MODE != 0 => runs.test_mode.push(index),
                Ok(value) if value.unsigned_abs() <= LARGEST => {
                    gate.out.arrivals.push(Arrival { start, value, quality: quality_of(flags) });
                }
                _ => runs.inexact.push(index),
            }
        }
        start = end;
    }
    runs.report(&mut gate, batch);
    gate.out
}

/// The quality of a value as read under a meter's status byte.
fn quality_of(flags: u8) -> Quality {
    let pairs = [
        (status::POWER_FAIL, Quality::POWER_FAIL),
        (status::CLOCK_SET | status::PARTIAL | status::DEVICE_ERROR, Quality::PARTIAL),
        (status::CLOCK_INVALID, Quality::CLOCK_DOUBTFUL),
    ];
    pairs
        .iter()
        .filter(|(bits, _)| flags & bits != 0)
        .fold(Quality::RAW, |quality, (_, flag)| quality.with(*flag))
}

/// What makes a whole batch unusable for the channel.
fn whole(batch: &ReadBatch, facts: &Facts) -> Result<(), (Rule, String)> {
    if batch.interval != facts.interval {
        return Err((
            Rule::Overlap,
            format!(
                "the payload has intervals of {} s where the channel has {} s",
                batch.interval.secs(),
                facts.interval.secs()
            ),
        ));
    }
    // A day's interval starts at local midnight, which the day itself checks when it is merged.
    let on_grid = batch.interval.secs() == 86_400 || batch.interval.floor(batch.start) == batch.start;
    if !on_grid || batch.start.subsec_nanosecond() != 0 {
        return Err((
            Rule::Overlap,
            format!(
                "the payload starts at {}, which is off the grid of {} s",
                batch.start,
                batch.interval.secs()
            ),
        ));
    }
    let (unit, _) = facts.kind.stored_unit();
    if batch.unit != unit || batch.kind != facts.kind {
        return Err((
            Rule::Unit,
            format!(
                "the payload holds {} in {:?} where the channel holds {} in {unit:?}",
                batch.kind.name(),
                batch.unit,
                facts.kind.name()
            ),
        ));
    }
    Ok(())
}

struct Gate<'a> {
    rules: &'a Rules,
    out: Admitted,
}

impl Gate<'_> {
    fn note(&mut self, rule: Rule, slots: Range<usize>, sentence: String) {
        let severity = self.rules.severity(rule);
        self.out.findings.push(Finding { rule, severity, slots, sentence });
    }
}

/// Positions of refused values, by reason.
#[derive(Default)]
struct Runs {
    future: Vec<usize>,
    test_mode: Vec<usize>,
    inexact: Vec<usize>,
}

impl Runs {
    fn report(&self, gate: &mut Gate<'_>, batch: &ReadBatch) {
        let span = |at: &[usize]| at.first().zip(at.last()).map(|(first, last)| *first..*last + 1);
        if let Some(slots) = span(&self.future) {
            let count = self.future.len();
            gate.note(Rule::Future, slots, format!("{count} intervals end in the future and were refused"));
        }
        if let Some(slots) = span(&self.test_mode) {
            let count = self.test_mode.len();
            gate.note(Rule::TestMode, slots, format!("{count} intervals of test mode were left out"));
        }
        if let Some(slots) = span(&self.inexact) {
            let raw = batch.values.get(slots.start).copied().flatten().unwrap_or(0);
            let sentence = format!(
                "{} values are no plausible whole stored unit, the first {raw} x 10^{}",
                self.inexact.len(),
                batch.scaler
            );
            gate.note(Rule::Unit, slots, sentence);
        }
    }
}

#[cfg(test)]
mod tests;
