//! What validation finds: faults planted into days of real homes, and the alarms that days without one raise.
//!
//! A fault counts as found when the day with it has a finding that the untouched day has not, and that points at the
//! intervals that were touched. Each is tried twice: with the intervals alone, and with the register of both midnights, which
//! tells what truly flowed.

use super::Manner;
use super::homes::{Homes, sets};
use super::report::{Line, Report};
use anyhow::Result;
use core::ops::Range;
use jiff::Timestamp;
use model::{ChannelKind, Quality};
use std::collections::BTreeMap;
use vee::{Day, DayInput, Facts, Finding, Register, Rule, Rules, Severity, Slot, Stats, judge, validate};

const WARM_D: usize = 14;
const NAMES: [&str; 8] =
    ["spike", "negative", "missing", "stuck", "zero_run", "pile_up", "repeated_day", "clock_shift"];
/// These are found without exception.
const CERTAIN: usize = 3;

/// Numbers that look random and are the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let limit = u64::try_from(limit.max(1)).unwrap_or(1);
        usize::try_from((self.0 >> 33) % limit).unwrap_or(0)
    }
}

#[derive(Default)]
struct Tally {
    planted: [u32; 8],
    alone: [u32; 8],
    with_registers: [u32; 8],
    days: u32,
    alarms: BTreeMap<Rule, u32>,
}

pub(super) fn run(manner: &Manner, report: &mut Report) -> Result<()> {
    let every = if manner.quick { 8 } else { 1 };
    let rules = Rules::default();
    for set in sets(manner.homes.as_deref())? {
        let tally = try_set(&set, &rules, every);
        for (fault, name) in NAMES.iter().enumerate() {
            let share = |found: u32| 100.0 * f64::from(found) / f64::from(tally.planted[fault].max(1));
            let line = |what: &str, found: u32| {
                Line::new(format!("faults.{}.{name}.{what}", set.name), share(found), "% found")
            };
            let alone = line("alone", tally.alone[fault]);
            report.tell(&if fault < CERTAIN { alone.at_least(100.0) } else { alone })?;
            report.tell(&line("with_registers", tally.with_registers[fault]))?;
        }
        let months = f64::from(tally.days) / 30.0;
        let rate = |alarms: u32| f64::from(alarms) / months.max(1.0);
        let all = rate(tally.alarms.values().sum());
        report.tell(&Line::new(format!("faults.{}.alarms", set.name), all, "/meter-month"))?;
        for (rule, alarms) in &tally.alarms {
            let name = format!("faults.{}.alarms.{}", set.name, rule.name());
            report.tell(&Line::new(name, rate(*alarms), "/meter-month"))?;
        }
        let shifts = try_shifts(&set, &rules, every);
        let share = 100.0 * f64::from(shifts.found) / f64::from(shifts.planted.max(1));
        report.tell(&Line::new(
            format!("faults.{}.an_hour_for_ten_days.alone", set.name),
            share,
            "% found",
        ))?;
        let rate = f64::from(shifts.alarms) / (f64::from(shifts.days) / 30.0).max(1.0);
        report.tell(&Line::new(format!("faults.{}.an_hour.alarms", set.name), rate, "/meter-month"))?;
    }
    Ok(())
}

fn try_set(set: &Homes, rules: &Rules, every: usize) -> Tally {
    let mut tally = Tally::default();
    let mut chance = Chance(1);
    for days in &set.homes {
        let facts = Facts::new(ChannelKind::Import, set.interval);
        let mut stats = Stats::default();
        for (number, day) in days.iter().enumerate() {
            let whole = day.slots.iter().all(|slot| slot.quality.is_read());
            let before = number.checked_sub(1).and_then(|before| days.get(before));
            if let Some(before) = before.filter(|_| number >= WARM_D && whole && number % every == 0) {
                let trial = Trial { facts: &facts, rules, stats: &stats, day, before };
                trial.all(&mut chance, &mut tally);
            }
            stats.absorb(day);
        }
    }
    tally
}

/// Clocks that are an hour off for days on end, and what the rule for them says of clocks that are not.
#[derive(Default)]
struct Shifts {
    planted: u32,
    found: u32,
    days: u32,
    alarms: u32,
}

/// Days before the first that is planted.
const LEARN_D: usize = 30;
/// Days that are an hour off.
const SHIFTED_D: usize = 10;

fn try_shifts(set: &Homes, rules: &Rules, every: usize) -> Shifts {
    let mut shifts = Shifts::default();
    for days in &set.homes {
        let facts = Facts::new(ChannelKind::Import, set.interval);
        let mut stats = Stats::default();
        for (number, day) in days.iter().enumerate() {
            let run = days.get(number.saturating_sub(1)..number + SHIFTED_D);
            if let Some(run) = run.filter(|_| number >= LEARN_D && number % (5 * every) == 0) {
                for late in [true, false] {
                    shifts.planted += 1;
                    shifts.found += u32::from(is_found(run, late, &facts, rules, stats.clone()));
                }
            }
            shifts.days += u32::from(number >= LEARN_D);
            shifts.alarms += u32::from(number >= LEARN_D && says_shift(day, &facts, rules, &stats));
            stats.absorb(day);
        }
    }
    shifts
}

/// Whether one of the days after the first is found to be off when all of them are stamped an hour late, or early.
fn is_found(run: &[Day], late: bool, facts: &Facts, rules: &Rules, mut stats: Stats) -> bool {
    let Some(first) = run.first() else { return false };
    let per_hour = usize::try_from(3600 / first.interval.secs()).unwrap_or(1);
    let mut slots: Vec<Slot> = run.iter().flat_map(|day| day.slots.iter().copied()).collect();
    if late {
        slots.rotate_right(per_hour);
    } else {
        slots.rotate_left(per_hour);
    }
    let mut from = first.slots.len();
    run.iter().skip(1).any(|day| {
        let to = from + day.slots.len();
        let mut moved = day.clone();
        moved.slots.copy_from_slice(&slots[from..to]);
        from = to;
        let found = says_shift(&moved, facts, rules, &stats);
        stats.absorb(&moved);
        found
    })
}

fn says_shift(day: &Day, facts: &Facts, rules: &Rules, stats: &Stats) -> bool {
    let now = day.day.end().saturating_add(jiff::SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
    let found = validate(&DayInput::new(day, facts), rules, stats, now);
    found.iter().any(|finding| finding.rule == Rule::ClockShift)
}

struct Trial<'a> {
    facts: &'a Facts,
    rules: &'a Rules,
    stats: &'a Stats,
    day: &'a Day,
    before: &'a Day,
}

impl Trial<'_> {
    fn all(&self, chance: &mut Chance, tally: &mut Tally) {
        let plain = self.findings(self.day, &[]);
        tally.days += 1;
        let counts = |finding: &&Finding| finding.severity >= Severity::Issue;
        for alarm in plain.iter().filter(counts) {
            *tally.alarms.entry(alarm.rule).or_default() += 1;
        }
        let registers = [
            Register { at: self.day.day.start(), value: 1_000_000 },
            Register { at: self.day.day.end(), value: 1_000_000 + self.day.total() },
        ];
        let metered = self.findings(self.day, &registers);
        for fault in 0..NAMES.len() {
            let Some((day, touched)) = self.plant(fault, chance) else { continue };
            tally.planted[fault] += 1;
            let found = |with: &[Register], usual: &[Finding]| {
                let new = |finding: &Finding| {
                    !usual.iter().any(|known| known.rule == finding.rule && known.slots == finding.slots)
                        && finding.slots.start < touched.end
                        && touched.start < finding.slots.end
                };
                u32::from(self.findings(&day, with).iter().any(new))
            };
            tally.alone[fault] += found(&[], &plain);
            tally.with_registers[fault] += found(&registers, &metered);
        }
    }

    fn findings(&self, day: &Day, registers: &[Register]) -> Vec<Finding> {
        let input = DayInput { registers, ..DayInput::new(day, self.facts) };
        let now =
            day.day.end().saturating_add(jiff::SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
        let findings = validate(&input, self.rules, self.stats, now);
        let mut judged = day.clone();
        judge(&mut judged, &findings);
        findings
    }

    /// The day with a fault, and the intervals that it touched; none where the day cannot show it.
    fn plant(&self, fault: usize, chance: &mut Chance) -> Option<(Day, Range<usize>)> {
        let mut day = self.day.clone();
        let count = day.slots.len();
        let per_hour = usize::try_from(3600 / day.interval.secs()).ok()?;
        let at = chance.below(count);
        // From one to six hours, inside the day and away from its first interval.
        let hours = 1 + chance.below(6);
        let length = (hours * per_hour).max(2);
        let from = 1 + chance.below(count.checked_sub(length + 2)?);
        let run = from..from + length;
        let most = day.slots.iter().map(|slot| slot.value).max()?;
        let sum = |slots: &[Slot]| slots.iter().map(|slot| slot.value).sum::<i64>();
        match fault {
            0 => {
                let floor = i64::from(day.interval.secs()) * 4000 / 3600;
                day.slots[at].value = (most * 5).max(floor);
                Some((day, at..at + 1))
            }
            1 => {
                day.slots[at].value = -day.slots[at].value.max(1);
                Some((day, at..at + 1))
            }
            2 => {
                day.slots[run.clone()].fill(Slot::MISSING);
                Some((day, run))
            }
            3 => {
                let value = day.slots[from].value;
                day.slots[run.clone()].fill(Slot::new(value, Quality::RAW));
                Some((day, run)).filter(|_| value > 0)
            }
            4 => {
                let gone = sum(&day.slots[run.clone()]);
                day.slots[run.clone()].fill(Slot::new(0, Quality::RAW));
                Some((day, run)).filter(|_| gone > 0)
            }
            5 => {
                let gone = sum(&day.slots[run.clone()]);
                day.slots[run.clone()].fill(Slot::MISSING);
                let after = &mut day.slots[run.end];
                after.value += gone;
                // The hole itself is found anyway; what counts is the interval that holds it all.
                Some((day, run.end..run.end + 1)).filter(|_| gone > 0)
            }
            6 => {
                let same_length = self.before.slots.len() == count;
                let read = self.before.slots.iter().all(|slot| slot.quality.is_read());
                day.slots.clone_from(&self.before.slots);
                Some((day, 0..count)).filter(|_| same_length && read && sum(&self.before.slots) > 0)
            }
            _ => {
                // Stamped an hour late: the day begins with the last hour of the one before.
                let last = self.before.slots.len().checked_sub(per_hour)?;
                day.slots.rotate_right(per_hour);
                day.slots[..per_hour].copy_from_slice(&self.before.slots[last..]);
                Some((day, 0..count)).filter(|_| most > 0)
            }
        }
    }
}
