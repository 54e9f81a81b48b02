//! The gate: a batch as read becomes arrivals in stored units, or is refused in words.

use crate::facts::Facts;
use crate::finding::{Finding, Rule, Severity};
use crate::rules::{Over, Rules};
use crate::words::{amount, intervals};
use core::ops::Range;
use jiff::{SignedDuration, Timestamp};
use model::reading::status;
use model::{BatchSource, Commodity, Quality, ReadBatch, RegisterValue};

/// One interval's value on its way into a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Start of the interval, UTC.
    pub start: Timestamp,
    /// The value in the channel's stored unit.
    pub value: i64,
    /// [`Quality::RAW`] with the flags that the meter's status byte asks for, or [`Quality::SUBSTITUTED`] with those of
    /// its sender.
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

/// How a batch was read, where that is known: what came along with it besides its values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence<'a> {
    /// The serial number in the payload and that of the device on file.
    pub serial: Option<(&'a str, &'a str)>,
    /// The multiplier that the payload was, or is to be, multiplied with.
    pub multiplier: Option<u32>,
    /// The reading system's clock less the reference, milliseconds.
    pub system_offset_ms: Option<i64>,
    /// The meter's clock less the reference when it was last found wrong, milliseconds.
    pub meter_offset_ms: Option<i64>,
    /// When the meter's clock was not to be trusted: after the last check that found it good, if there was one, until the one
    /// that did not. None for all the time.
    pub clock_lost: Option<(Option<Timestamp>, Timestamp)>,
    /// The decimal exponent of the meter's registers less the one that its model has.
    pub scaler_off: Option<i8>,
}

impl Evidence<'_> {
    /// Whether the meter's clock was to be doubted within `[start, end)`.
    fn doubts(&self, start: Timestamp, end: Timestamp) -> bool {
        self.clock_lost.is_none_or(|(from, to)| from.is_none_or(|from| from < end) && start < to)
    }
}

/// Checks a batch against the channel's facts and converts it to the stored unit; see [`admit_with`].
pub fn admit(batch: &ReadBatch, facts: &Facts, rules: &Rules, now: Timestamp) -> Admitted {
    admit_with(batch, &Evidence::default(), facts, rules, now)
}

/// Checks a batch against the channel's facts and converts it to the stored unit, multiplier applied.
///
/// Refused whole: another device, another multiplier, another interval length, a start off the grid, another unit.
/// Refused one by one: values that are no whole stored unit (never rounded), intervals that end in the future beyond
/// the tolerance, that the installed meter did not measure, whose counter ran over, or of test mode. What is refused
/// stays in the raw batch, is never stored as a value and so never billed.
pub fn admit_with(
    batch: &ReadBatch,
    evidence: &Evidence<'_>,
    facts: &Facts,
    rules: &Rules,
    now: Timestamp,
) -> Admitted {
    let mut gate = Gate { rules, out: Admitted::default() };
    let all = 0..batch.values.len();
    if let Err((rule, sentence)) = origin(evidence, facts).and_then(|()| whole(batch, facts)) {
        gate.note(rule, all, sentence);
        return gate.out;
    }
    let doubt = gate.clocks(batch, evidence);
    let horizon =
        now.saturating_add(SignedDuration::from_secs(rules.future_tolerance_s.into())).unwrap_or(now);
    let bounds = Bounds::of(batch, facts, rules);
    let (_, exponent) = facts.kind.stored_unit();
    let mut runs = Runs::default();
    let length = batch.interval.duration();
    let by_sender = batch.source == BatchSource::Sender;
    let mut start = batch.start;
    for (index, value) in batch.values.iter().enumerate() {
        let Ok(end) = start.checked_add(length) else { break };
        let told = batch.status.get(index).copied().unwrap_or(0);
        let flags = if by_sender { 0 } else { told };
        if let Some(raw) = *value {
            let stored = RegisterValue { raw, scaler: batch.scaler, unit: batch.unit }.rescaled(exponent);
            let stored = stored.ok().and_then(|value| value.checked_mul(facts.multiplier.into()));
            match stored {
                _ if end > horizon => runs.future.push(index),
                _ if flags & status::TEST_MODE != 0 => runs.test_mode.push(index),
                _ if flags & status::OVERFLOW != 0 || bounds.full_counter == Some(raw) => {
                    runs.overflow.push(index);
                }
                _ if !bounds.is_installed(start, end) => runs.stranger.push(index),
                Some(value) if value.unsigned_abs() <= LARGEST => {
                    if bounds.is_late(start, end) {
                        runs.late.push(index);
                    }
                    let doubt = if doubt != 0 && evidence.doubts(start, end) { doubt } else { 0 };
                    let quality = if by_sender {
                        Quality::SUBSTITUTED.with(told)
                    } else {
                        quality_of(flags).with(doubt)
                    };
                    gate.out.arrivals.push(Arrival { start, value, quality });
                }
                _ => runs.inexact.push(index),
            }
        }
        start = end;
    }
    runs.report(&mut gate, batch);
    gate.payload_spike(batch, facts);
    gate.out
}

/// Which intervals are the meter's, and which come late.
struct Bounds {
    installed: Option<Timestamp>,
    removed: Option<Timestamp>,
    /// Ends before this are late.
    old: Option<Timestamp>,
    billed_to: Option<Timestamp>,
    /// The value of a counter at its end.
    full_counter: Option<i64>,
}

impl Bounds {
    fn of(batch: &ReadBatch, facts: &Facts, rules: &Rules) -> Self {
        // A file brings what is old on purpose.
        let counts =
            rules.late_after_d > 0 && !matches!(batch.source, BatchSource::Import | BatchSource::Sender);
        let age = SignedDuration::from_hours(24 * i64::from(rules.late_after_d));
        let old = counts.then(|| batch.received_at.checked_sub(age).ok()).flatten();
        let full = |bits: u8| 1i64.checked_shl(bits.into()).and_then(|top| top.checked_sub(1));
        Self {
            installed: facts.installed,
            removed: facts.removed,
            old,
            billed_to: facts.billed_to,
            full_counter: facts.counter_bits.and_then(full).filter(|full| *full > 0),
        }
    }

    fn is_installed(&self, start: Timestamp, end: Timestamp) -> bool {
        self.installed.is_none_or(|at| at <= start) && self.removed.is_none_or(|at| end <= at)
    }

    fn is_late(&self, start: Timestamp, end: Timestamp) -> bool {
        self.old.is_some_and(|old| end < old) || self.billed_to.is_some_and(|billed| start < billed)
    }
}

/// Rules 3 and 8: from which device, multiplied how.
fn origin(evidence: &Evidence<'_>, facts: &Facts) -> Result<(), (Rule, String)> {
    if let Some((payload, installed)) = evidence.serial.filter(|(payload, installed)| payload != installed) {
        let sentence = format!("the payload comes from device {payload} where {installed} is installed");
        return Err((Rule::Identification, sentence));
    }
    if let Some(off) = evidence.scaler_off.filter(|off| *off != 0) {
        let sentence = format!(
            "the meter counts in units of 10^{off} of those that its model has: correct the one that is wrong and read it again"
        );
        return Err((Rule::Multiplier, sentence));
    }
    if let Some(multiplier) = evidence.multiplier.filter(|multiplier| *multiplier != facts.multiplier) {
        let sentence = format!(
            "the payload has the multiplier {multiplier} where the registry has {}: correct the one that is wrong and \
             send it again",
            facts.multiplier
        );
        return Err((Rule::Multiplier, sentence));
    }
    Ok(())
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
                "the payload holds {} in {} where the channel holds {} in {}",
                batch.kind.name(),
                batch.unit.symbol(),
                facts.kind.name(),
                unit.symbol()
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
    /// What is refused stays refused where a rule is switched off; only nothing is said of it.
    fn note(&mut self, rule: Rule, slots: Range<usize>, sentence: String) {
        let severity = self.rules.severity(rule);
        self.note_as(rule, severity, slots, sentence);
    }

    fn note_as(&mut self, rule: Rule, severity: Severity, slots: Range<usize>, sentence: String) {
        if self.rules.is_on(rule) {
            self.out.findings.push(Finding { rule, severity, slots, sentence });
        }
    }

    /// Rule 12 over all that arrived together, where the rules say so. The values stand until a person decides: what else
    /// belongs to the payload is not known any more when a day of it is judged.
    fn payload_spike(&mut self, batch: &ReadBatch, facts: &Facts) {
        let rules = &self.rules.spike;
        if rules.over != Over::Payload || !facts.kind.is_additive() {
            return;
        }
        let mut top = [(0i64, batch.start); 3];
        for arrival in &self.out.arrivals {
            let lowest = top.iter().rposition(|(value, _)| arrival.value <= *value).map_or(0, |at| at + 1);
            // Lower than all three, it has no place among them.
            if let Some(rest @ [_, ..]) = top.get_mut(lowest..) {
                rest.rotate_right(1);
                rest[0] = (arrival.value, arrival.start);
            }
        }
        let [(first, at), _, (third, _)] = top;
        let per_hour = match facts.kind.commodity() {
            Commodity::Electricity => rules.floor_w,
            Commodity::Gas => rules.floor_gas_l_per_h,
            Commodity::Water => rules.floor_water_l_per_h,
        };
        let small = i128::from(first) * 3600 <= i128::from(per_hour) * i128::from(batch.interval.secs());
        let towers =
            (i128::from(first) - i128::from(third)) * 100 > i128::from(third) * i128::from(rules.percent);
        let after = at.duration_since(batch.start).as_secs() / i64::from(batch.interval.secs().max(1));
        if small || !towers {
            return;
        }
        let index = usize::try_from(after).unwrap_or(0);
        let sentence = format!(
            "{} is more than {} % above the third highest of all that came together, {}",
            amount(facts.kind, first),
            rules.percent,
            amount(facts.kind, third)
        );
        self.note(Rule::Spike, index..index + 1, sentence);
    }

    /// Rules 1 and 2: our clock against the reference, and the meter's. The flags that the values get. Up to the tolerance
    /// nothing follows; up to an interval's length the values are accepted and flagged; beyond it nobody knows which
    /// interval they belong to, so the finding fails and estimates do not lean on them.
    fn clocks(&mut self, batch: &ReadBatch, evidence: &Evidence<'_>) -> u8 {
        let all = doubted(batch, evidence);
        let rules = &self.rules.clock;
        if let Some(off) = evidence.system_offset_ms.filter(|off| off.unsigned_abs() > rules.system_ms.into())
        {
            let sentence = format!("our own clock was {off} ms off the reference when these were read");
            self.note(Rule::SystemClock, 0..batch.values.len(), sentence);
        }
        let Some(off) = evidence.meter_offset_ms.filter(|_| !all.is_empty()) else { return 0 };
        let off_s = off.unsigned_abs().div_ceil(1000);
        if off_s <= rules.meter_s.into() {
            return 0;
        }
        let lost = off_s >= u64::from(batch.interval.secs());
        let severity = self.rules.severity(Rule::Clock);
        let severity = if lost { severity.max(Severity::Fail) } else { severity };
        let sentence = format!(
            "the meter's clock was {} s {}, {}",
            off_s,
            if off < 0 { "behind" } else { "ahead" },
            if lost { "an interval or more: set it and check these values" } else { "and must be set" }
        );
        self.note_as(Rule::Clock, severity, all, sentence);
        if lost { Quality::CLOCK_DOUBTFUL | Quality::PARTIAL } else { Quality::CLOCK_DOUBTFUL }
    }
}

/// The intervals of a batch in which the meter's clock was to be doubted.
fn doubted(batch: &ReadBatch, evidence: &Evidence<'_>) -> Range<usize> {
    let length = batch.interval.duration();
    let mut start = batch.start;
    let mut hit = 0..0;
    for index in 0..batch.values.len() {
        let Ok(end) = start.checked_add(length) else { break };
        if evidence.doubts(start, end) {
            hit = if hit.is_empty() { index } else { hit.start }..index + 1;
        }
        start = end;
    }
    hit
}

/// Positions of refused values, by reason.
#[derive(Default)]
struct Runs {
    future: Vec<usize>,
    test_mode: Vec<usize>,
    inexact: Vec<usize>,
    overflow: Vec<usize>,
    stranger: Vec<usize>,
    /// These are admitted.
    late: Vec<usize>,
}

impl Runs {
    fn report(&self, gate: &mut Gate<'_>, batch: &ReadBatch) {
        let span = |at: &[usize]| at.first().zip(at.last()).map(|(first, last)| *first..*last + 1);
        let told = [
            (&self.future, Rule::Future, "refused", "that had not ended yet"),
            (&self.test_mode, Rule::TestMode, "left out", "of test mode"),
            (&self.overflow, Rule::Overflow, "refused", "in which the counter ran over"),
            (
                &self.stranger,
                Rule::Identification,
                "refused",
                "from before this meter was installed, or after it was removed",
            ),
            (&self.late, Rule::Late, "late", "for which a bill may have to be made again"),
        ];
        for (at, rule, done, which) in told {
            if let Some(slots) = span(at) {
                gate.note(rule, slots, format!("{done}: {} {which}", intervals(at.len())));
            }
        }
        if let Some(slots) = span(&self.inexact) {
            let raw = batch.values.get(slots.start).copied().flatten().unwrap_or(0);
            let sentence = format!(
                "refused: {} of no plausible whole stored unit, the first {raw} x 10^{}",
                intervals(self.inexact.len()),
                batch.scaler
            );
            gate.note(Rule::Unit, slots, sentence);
        }
    }
}

#[cfg(test)]
mod tests;
