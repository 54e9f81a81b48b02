//! Validation of one local day.

use crate::day::{Day, Slot};
use crate::facts::{Advance, Facts, Outage, Register, register_advance};
use crate::finding::{Finding, Rule, Severity};
use crate::rules::Rules;
use crate::stats::Stats;
use core::ops::Range;
use jiff::{SignedDuration, Timestamp};
use model::{ChannelKind, Commodity, Quality, QualityClass};

/// What validation looks at.
#[derive(Clone, Copy, Debug)]
pub struct DayInput<'a> {
    /// The day as merged so far.
    pub day: &'a Day,
    /// The channel's configured facts.
    pub facts: &'a Facts,
    /// Total register reads, in order of time; those outside the day are ignored.
    pub registers: &'a [Register],
    /// Verified outages that touch the day.
    pub outages: &'a [Outage],
}

/// Says what is wrong with a day. Changes nothing; [`judge`] marks the intervals.
///
/// Estimated intervals are never judged and count as not read; validating again after [`judge`] finds
/// the same.
pub fn validate(input: &DayInput<'_>, rules: &Rules, stats: &Stats, now: Timestamp) -> Vec<Finding> {
    let known = (0..input.day.slots.len()).map(|index| input.day.known(index, input.outages)).collect();
    let mut check = Check { input, rules, stats, now, known, findings: Vec::new() };
    check.completeness();
    check.gaps();
    check.flags();
    if input.day.kind.is_additive() {
        check.signs_and_limits();
        check.spike();
        check.stuck();
        check.registers();
        check.day_total();
    } else {
        check.voltage();
    }
    check.findings
}

/// Marks the read intervals of a day by the findings on it: questionable where a finding of
/// [`Severity::Fail`] points, valid elsewhere. What a person verified or edited stays.
pub fn judge(day: &mut Day, findings: &[Finding]) {
    for (index, slot) in day.slots.iter_mut().enumerate() {
        let class = slot.quality.class();
        if matches!(class, QualityClass::Raw | QualityClass::Valid | QualityClass::Questionable) {
            let failed = findings.iter().any(|f| f.severity == Severity::Fail && f.slots.contains(&index));
            let class = if failed { QualityClass::Questionable } else { QualityClass::Valid };
            slot.quality = slot.quality.reclassed(class);
        }
    }
}

struct Check<'a> {
    input: &'a DayInput<'a>,
    rules: &'a Rules,
    stats: &'a Stats,
    now: Timestamp,
    /// What really flowed, by interval. It does not depend on estimates, so judging is repeatable.
    known: Vec<Option<i64>>,
    findings: Vec<Finding>,
}

impl Check<'_> {
    fn note(&mut self, rule: Rule, slots: Range<usize>, sentence: String) {
        let severity = self.rules.severity(rule);
        self.findings.push(Finding { rule, severity, slots, sentence });
    }

    /// Rule 29: the local day of 23, 24 or 25 hours holds its intervals.
    fn completeness(&mut self) {
        let day = self.input.day;
        let (have, need) = (day.slots.len(), day.day.intervals(day.interval));
        if have != need {
            let sentence = format!("{} needs {need} intervals and has {have}", day.day.date());
            self.note(Rule::DstCompleteness, 0..have, sentence);
        }
    }

    /// Rule 5: overdue intervals that nobody has read, estimated or not, while there was supply.
    fn gaps(&mut self) {
        let day = self.input.day;
        let overdue = |index: usize, slot: &Slot| {
            (slot.quality.is_missing() || slot.quality.is_estimated())
                && crate::estimate::is_overdue(day, index, self.rules, self.now)
                && !self
                    .input
                    .outages
                    .iter()
                    .any(|o| o.from <= day.start_of(index) && day.end_of(index) <= o.to)
        };
        for run in runs(&day.slots, overdue) {
            let sentence = format!(
                "no reading from {} to {} ({} intervals)",
                day.clock(run.start),
                day.clock(run.end),
                run.len()
            );
            self.note(Rule::Gap, run, sentence);
        }
    }

    /// Rules 2 and 24: what the meter itself flagged.
    fn flags(&mut self) {
        let day = self.input.day;
        let rows = [
            (Quality::POWER_FAIL, Rule::Status, "power failed inside"),
            (Quality::PARTIAL, Rule::Status, "the meter cut short"),
            (Quality::CLOCK_DOUBTFUL, Rule::Clock, "the meter's clock was not trusted in"),
        ];
        for (flag, rule, words) in rows {
            let mut hits =
                day.slots.iter().enumerate().filter(|(_, slot)| slot.quality.has(flag)).map(|(i, _)| i);
            if let Some(first) = hits.next() {
                let (last, count) = hits.fold((first, 1), |(_, count), index| (index, count + 1));
                let sentence = format!("{words} {count} intervals, the first at {}", day.clock(first));
                self.note(rule, first..last + 1, sentence);
            }
        }
    }

    /// Rules 16, 19 and 28: values below zero, above the service's rating, or from the future.
    fn signs_and_limits(&mut self) {
        let day = self.input.day;
        let secs = i64::from(day.interval.secs());
        let energy = day.kind.commodity() == Commodity::Electricity;
        let most =
            self.input.facts.rating_w.filter(|_| energy).map(|watts| watts.saturating_mul(secs) / 3600);
        for run in runs(&day.slots, |_, slot| slot.quality.is_read() && slot.value < 0) {
            let sentence =
                format!("{} {} at {}", day.slots[run.start].value, unit(day.kind), day.clock(run.start));
            self.note(Rule::Negative, run, sentence);
        }
        if let Some(most) = most {
            for run in runs(&day.slots, |_, slot| slot.quality.is_read() && slot.value > most) {
                let value = day.slots[run.start].value;
                let sentence = format!(
                    "{value} Wh at {} where the service carries {most} Wh at most",
                    day.clock(run.start)
                );
                self.note(Rule::Capacity, run, sentence);
            }
        }
        let horizon = SignedDuration::from_secs(self.rules.future_tolerance_s.into());
        let horizon = self.now.saturating_add(horizon).unwrap_or(self.now);
        if day.day.end() > horizon {
            for run in runs(&day.slots, |index, slot| slot.quality.is_read() && day.end_of(index) > horizon) {
                let sentence = format!("a value for {}, which has not ended yet", day.clock(run.start));
                self.note(Rule::Future, run, sentence);
            }
        }
    }

    /// Rule 12: the highest interval against the third highest, strictly more than the percentage.
    fn spike(&mut self) {
        let rules = &self.rules.spike;
        let day = self.input.day;
        let per_hour = match day.kind.commodity() {
            Commodity::Electricity => rules.floor_w,
            Commodity::Gas => rules.floor_gas_l_per_h,
            Commodity::Water => rules.floor_water_l_per_h,
        };
        let mut top = [(i64::MIN, 0); 3];
        for (index, slot) in day.slots.iter().enumerate().filter(|(_, slot)| slot.quality.is_read()) {
            if slot.value > top[2].0 {
                top[2] = (slot.value, index);
                top.sort_by_key(|&(value, index)| (core::cmp::Reverse(value), index));
            }
        }
        let [(first, at), _, (third, _)] = top;
        let per_hour_first = i128::from(first) * 3600 / i128::from(day.interval.secs());
        if third <= 0 || per_hour_first <= i128::from(per_hour) {
            return;
        }
        if (i128::from(first) - i128::from(third)) * 100 > i128::from(third) * i128::from(rules.percent) {
            let sentence = format!(
                "{first} {unit} at {} is more than {} % above the day's third highest of {third} {unit}",
                day.clock(at),
                rules.percent,
                unit = unit(day.kind)
            );
            self.note(Rule::Spike, at..at + 1, sentence);
        }
    }

    /// Rule 21: many equal values in a row.
    fn stuck(&mut self) {
        let day = self.input.day;
        let (count, floor) = (self.rules.stuck.count, self.rules.stuck.floor);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let mut from = 0;
        while from < day.slots.len() {
            let slot = day.slots[from];
            let equal = |other: &&Slot| other.value == slot.value && other.quality.is_read();
            let length = day.slots[from..].iter().take_while(equal).count().max(1);
            if length >= count && slot.value >= floor {
                let sentence = format!(
                    "{length} equal values of {} {} from {}",
                    slot.value,
                    unit(day.kind),
                    day.clock(from)
                );
                self.note(Rule::Stuck, from..from + length, sentence);
            }
            from += length;
        }
    }

    /// Rules 11 and 22 between each two successive register reads of the day.
    fn registers(&mut self) {
        let (start, end) = (self.input.day.day.start(), self.input.day.day.end());
        let mut inside = self.input.registers.iter().filter(|read| read.at >= start && read.at <= end);
        let Some(mut from) = inside.next() else { return };
        for to in inside {
            self.register_span(*from, *to);
            from = to;
        }
    }

    fn register_span(&mut self, from: Register, to: Register) {
        let day = self.input.day;
        let facts = self.input.facts;
        let span = Span::of(day, &self.known, from.at, to.at);
        let delta = match register_advance(from.value, to.value, facts.modulus) {
            Advance::Forward(delta) | Advance::RolledOver(delta) => delta,
            Advance::Backward(by) => {
                let sentence = format!(
                    "the register went back by {by} {} to {} between {} and {}",
                    unit(day.kind),
                    to.value,
                    from.at,
                    to.at
                );
                self.note(Rule::Register, span.slots, sentence);
                return;
            }
        };
        if span.slots.is_empty() {
            return;
        }
        let share = i128::from(delta) * i128::from(self.rules.sum_tolerance_permille) / 1000;
        let tolerance = share.max(2 * i128::from(facts.resolution));
        let delta = i128::from(delta);
        let above = span.inside - delta > tolerance;
        let below = span.complete && delta - (span.inside + span.edges) > tolerance;
        if above || below {
            let sentence = format!(
                "the intervals from {} to {} add up to {} {unit} and the register moved by {delta} {unit}",
                day.clock(span.slots.start),
                day.clock(span.slots.end),
                span.inside,
                unit = unit(day.kind)
            );
            self.note(Rule::SumCheck, span.slots, sentence);
        }
    }

    /// Rules 15, 17, 20 and 26: the day as a whole.
    fn day_total(&mut self) {
        let day = self.input.day;
        let date = day.day.date();
        let count = day.slots.len();
        self.prolonged();
        let sum = |sum: i64, known: &Option<i64>| known.map(|value| sum.saturating_add(value));
        let Some(total) = self.known.iter().try_fold(0, sum) else { return };
        if day.kind == ChannelKind::Export
            && !self.input.facts.generation
            && total > self.rules.reverse_energy_wh
        {
            let sentence = format!("{total} Wh came back and no generation is on file");
            self.note(Rule::ReverseEnergy, 0..count, sentence);
        }
        let limit = match day.kind {
            ChannelKind::Import => self.rules.zero_days.electricity,
            ChannelKind::Gas => self.rules.zero_days.gas,
            ChannelKind::Water => self.rules.zero_days.water,
            _ => 0,
        };
        if limit > 0 && total == 0 && self.input.outages.is_empty() {
            let row = 1 + self.stats.row_before(date, |stat| stat.zero);
            if row >= limit {
                self.note(Rule::Zero, 0..count, format!("no use for {row} days in a row"));
            }
        }
        self.high_low(total);
    }

    /// Rule 15 against the mean of the remembered sound days.
    fn high_low(&mut self, total: i64) {
        let (day, rules) = (self.input.day, &self.rules.high_low);
        // What a roof returns follows the sun, not habit.
        if day.kind == ChannelKind::Export {
            return;
        }
        let Some((mean, days)) = self.stats.mean_before(day.day.date()) else { return };
        if days < usize::try_from(rules.min_days).unwrap_or(usize::MAX) {
            return;
        }
        let ordinary = match day.kind.commodity() {
            Commodity::Electricity => rules.min_difference_wh,
            Commodity::Gas | Commodity::Water => rules.min_difference_l,
        };
        if total.abs_diff(mean) <= ordinary.unsigned_abs() {
            return;
        }
        let scaled = i128::from(total) * 100;
        let low = scaled < i128::from(mean) * i128::from(rules.low_percent);
        let high = scaled > i128::from(mean) * i128::from(rules.high_percent);
        if low || high {
            let sentence = format!(
                "{total} {unit} is {} against a mean of {mean} {unit} over {days} days",
                if high { "high" } else { "low" },
                unit = unit(day.kind)
            );
            self.note(Rule::HighLow, 0..day.slots.len(), sentence);
        }
    }

    /// Rule 26: days of estimates in a row, this one included.
    fn prolonged(&mut self) {
        let limit = self.rules.prolonged_estimation_d;
        let day = self.input.day;
        if limit == 0 || !day.slots.iter().any(|slot| slot.quality.is_estimated()) {
            return;
        }
        let row = 1 + self.stats.row_before(day.day.date(), |stat| stat.estimated);
        if row >= limit {
            let sentence = format!("estimated for {row} days in a row: somebody should visit the meter");
            self.note(Rule::ProlongedEstimation, 0..day.slots.len(), sentence);
        }
    }

    /// Rule 15 for averages of voltage: outside the band around nominal, and not for want of power.
    fn voltage(&mut self) {
        let Some(nominal) = self.input.facts.nominal_dv else { return };
        let day = self.input.day;
        let low = nominal.saturating_mul(self.rules.voltage_low_percent.into()) / 100;
        let high = nominal.saturating_mul(self.rules.voltage_high_percent.into()) / 100;
        let outside = |_: usize, slot: &Slot| {
            slot.quality.is_read()
                && !slot.quality.has(Quality::POWER_FAIL)
                && (slot.value < low || slot.value > high)
        };
        for run in runs(&day.slots, outside) {
            let value = day.slots[run.start].value;
            let sentence = format!(
                "{}.{} V at {}, {} intervals outside {} % to {} % of nominal",
                value / 10,
                (value % 10).abs(),
                day.clock(run.start),
                run.len(),
                self.rules.voltage_low_percent,
                self.rules.voltage_high_percent
            );
            self.note(Rule::HighLow, run, sentence);
        }
    }
}

/// The part of a day between two register reads.
///
/// ```text
///        read                          read
///   |  x  :   |  inside |  inside |   :  x   |
///    `edge--´                      `--edge-´
/// ```
struct Span {
    /// Intervals wholly inside.
    slots: Range<usize>,
    /// Sum of the known values wholly inside.
    inside: i128,
    /// Sum of the values cut by a read, which belong to the difference only in part.
    edges: i128,
    /// Whether every value, the cut ones included, is known.
    complete: bool,
}

impl Span {
    fn of(day: &Day, known: &[Option<i64>], from: Timestamp, to: Timestamp) -> Self {
        let step = i64::from(day.interval.secs());
        let offset = |at: Timestamp| at.as_second() - day.day.start().as_second();
        let count = day.slots.len();
        let index = |n: i64| usize::try_from(n).unwrap_or(0).min(count);
        let (first, last) = if step == 86_400 {
            (usize::from(offset(from) > 0), usize::from(to >= day.day.end()))
        } else {
            (index((offset(from) + step - 1).div_euclid(step)), index(offset(to).div_euclid(step)))
        };
        let slots = first..last.max(first);
        let sum = |known: &[Option<i64>]| -> i128 { known.iter().flatten().copied().map(i128::from).sum() };
        let head = index(offset(from).div_euclid(step))..first;
        let tail = last.max(first)..index((offset(to) + step - 1).div_euclid(step)).max(last.max(first));
        let all = head.start..tail.end;
        Self {
            inside: sum(&known[slots.clone()]),
            edges: sum(&known[head]) + sum(&known[tail]),
            complete: known[all].iter().all(Option::is_some),
            slots,
        }
    }
}

/// Maximal runs of slots that satisfy `test`.
pub(crate) fn runs(slots: &[Slot], test: impl Fn(usize, &Slot) -> bool) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (index, slot) in slots.iter().enumerate() {
        if test(index, slot) {
            match found.last_mut() {
                Some(run) if run.end == index => run.end = index + 1,
                _ => found.push(index..index + 1),
            }
        }
    }
    found
}

/// The stored unit in a sentence.
fn unit(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Import | ChannelKind::Export | ChannelKind::Net | ChannelKind::Generation => "Wh",
        ChannelKind::ReactiveImport | ChannelKind::ReactiveExport => "varh",
        ChannelKind::Voltage => "dV",
        ChannelKind::Gas | ChannelKind::Water => "l",
    }
}

#[cfg(test)]
mod tests;
