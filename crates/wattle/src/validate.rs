//! `wattle vee`: the validation and estimation engine alone, on a file of readings.

use crate::series::{self, Channel, Filled, Loaded, unit_of};
use crate::talk::Talk;
use anyhow::Result;
use serde_json::json;
use std::collections::BTreeMap;
use vee::{Day, DayInput, Facts, Finding, Register, Rule, Rules, Severity, Stats};

/// Judge a file of readings by the rules of validation, and fill its gaps.
///
/// Findings go to standard output, one a line; with --estimate the values that were filled in follow. Exit code 1: some
/// records could not be read (they are listed), the others were.
///
/// Example: wattle vee readings.csv --zone Europe/Zurich --estimate
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    readings: series::ReadingsFrom,
    /// Fill the gaps, and print what was filled.
    #[arg(long)]
    estimate: bool,
}

/// What the run came to.
#[derive(Default)]
struct Tally {
    intervals: usize,
    missing: usize,
    days: usize,
    findings: BTreeMap<&'static str, usize>,
    filled: BTreeMap<&'static str, usize>,
    open: usize,
}

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let Loaded { mut channels, refused, rules, now } = series::load(&arguments.readings, talk)?;
    let mut tally = Tally::default();
    let mut count = 0;
    while let Some(mut channel) = channels.next()? {
        count += 1;
        let channel = &mut channel;
        let facts = channel.facts();
        let found = judge(channel, &facts, &rules, now);
        for (number, finding) in channel.findings.drain(..).collect::<Vec<_>>().iter().chain(&found) {
            *tally.findings.entry(finding.rule.name()).or_default() += 1;
            tell_finding(channel, &channel.days[*number], finding, talk)?;
        }
        tally.days += channel.days.len();
        tally.count(channel);
        if arguments.estimate {
            let filled = series::fill(channel, &facts, &rules, now);
            tell_filled(channel, &filled, &mut tally, talk)?;
        }
    }
    summarise(&tally, count, arguments.estimate, talk);
    series::tell_refused(&arguments.readings, &refused, tally.intervals - tally.missing, talk)
}

impl Tally {
    /// Counts the intervals that the file speaks of.
    fn count(&mut self, channel: &Channel) {
        let covered = |day: &Day| (0..day.slots.len()).filter(|index| channel.covers(day, *index)).count();
        self.intervals += channel.days.iter().map(covered).sum::<usize>();
        self.missing += missing(channel);
    }
}

/// Intervals that the file speaks of and has no value for.
fn missing(channel: &Channel) -> usize {
    let open = |day: &Day| {
        let missing = |index: &usize| day.slots[*index].quality.is_missing() && channel.covers(day, *index);
        if day.missing_count() == 0 { 0 } else { (0..day.slots.len()).filter(missing).count() }
    };
    channel.days.iter().map(open).sum()
}

/// Validates and judges every day in order, each by what is remembered of those before.
fn judge(channel: &mut Channel, facts: &Facts, rules: &Rules, now: jiff::Timestamp) -> Vec<(usize, Finding)> {
    let mut stats = Stats::default();
    let mut found = Vec::new();
    let span = channel.span;
    let covers = |day: &Day, index: usize| span.0 <= day.start_of(index) && day.end_of(index) <= span.1;
    for (number, day) in channel.days.iter_mut().enumerate() {
        let inside = |read: &&Register| day.day.start() <= read.at && read.at <= day.day.end();
        let registers: Vec<Register> = channel.registers.iter().filter(inside).copied().collect();
        let input = DayInput { registers: &registers, ..DayInput::new(day, facts) };
        let mut findings = vee::validate(&input, rules, &stats, now);
        // Nothing is missing before a file begins and after it ends.
        let inside = |finding: &Finding| finding.slots.clone().any(|index| covers(day, index));
        findings.retain(|finding| finding.rule != Rule::Gap || inside(finding));
        vee::judge(day, &findings);
        stats.absorb(day);
        found.extend(findings.into_iter().map(|finding| (number, finding)));
    }
    found
}

fn tell_finding(channel: &Channel, day: &Day, finding: &Finding, talk: Talk) -> Result<()> {
    let (from, to) = (stamp(day, finding.slots.start), stamp(day, finding.slots.end));
    let record = json!({
        "meter": channel.name, "kind": channel.kind.name(), "day": day.day.date(), "rule": finding.rule.name(),
        "severity": finding.severity.name(), "from": from, "to": to, "sentence": finding.sentence,
    });
    let mark = match finding.severity {
        Severity::Info => "info ",
        Severity::Issue => "issue",
        Severity::Fail => "fail ",
    };
    let (name, rule) = (&channel.name, finding.rule.name());
    talk.data(&record, format_args!("{name}  {}  {mark}  {rule:<20} {}", day.day.date(), finding.sentence))
}

fn tell_filled(channel: &Channel, filled: &Filled, tally: &mut Tally, talk: Talk) -> Result<()> {
    for (number, estimated) in filled {
        let day = &channel.days[*number];
        for finding in &estimated.findings {
            *tally.findings.entry(finding.rule.name()).or_default() += 1;
            tell_finding(channel, day, finding, talk)?;
        }
        for estimate in &estimated.estimates {
            *tally.filled.entry(estimate.method.name()).or_default() += estimate.slots.len();
            for index in estimate.slots.clone() {
                let method = if estimate.scaled {
                    format!("{}, scaled", estimate.method)
                } else {
                    estimate.method.to_string()
                };
                let slot = day.slots[index];
                let (time, unit) = (stamp(day, index), unit_of(channel.kind));
                let record = json!({
                    "meter": channel.name, "kind": channel.kind.name(), "time": time, "value": slot.value, "unit": unit,
                    "method": estimate.method.name(), "scaled": estimate.scaled, "quality": slot.quality.word(),
                });
                talk.data(
                    &record,
                    format_args!("{}  {time}  {:>8} {unit}  {method}", channel.name, slot.value),
                )?;
            }
        }
    }
    tally.open += missing(channel);
    Ok(())
}

/// The local time at which an interval begins, with its offset.
pub(crate) fn stamp(day: &Day, index: usize) -> String {
    day.start_of(index).to_zoned(day.day.zone().clone()).strftime("%Y-%m-%dT%H:%M%:z").to_string()
}

fn summarise(tally: &Tally, channels: usize, estimated: bool, talk: Talk) {
    let by = |counts: &BTreeMap<&'static str, usize>| {
        let words: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
        if words.is_empty() { "none".to_owned() } else { words.join(", ") }
    };
    talk.say(format_args!(
        "{}, {}, {} of which {} were not read",
        counted(channels, "channel"),
        counted(tally.days, "day"),
        counted(tally.intervals, "interval"),
        tally.missing
    ));
    talk.say(format_args!("findings: {}", by(&tally.findings)));
    if estimated {
        talk.say(format_args!("filled: {}; still open: {}", by(&tally.filled), tally.open));
    } else if tally.missing > 0 {
        talk.say("fill the gaps with --estimate");
    }
}

/// `1 day`, `2 days`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
