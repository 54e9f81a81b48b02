//! Rule 38: an hour early or late, by habit and by registers.

use super::{at, validate};
use crate::day::{Day, Slot};
use crate::{DayInput, Facts, Finding, Register, Rule, Rules, Stats, judge};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use model::{ChannelKind, IntervalLength, LocalDay, Quality};

const FIRST: Date = date(2026, 2, 2);

/// What a home with habits draws in an hour: a morning and an evening, no two days quite the same.
fn drawn(number: i64, hour: i64) -> i64 {
    let usual = match hour.rem_euclid(24) {
        6 | 7 => 900,
        8 => 500,
        17 => 700,
        18 => 2200,
        19 | 20 => 1500,
        21 => 800,
        _ => 150,
    };
    let chance = (number * 31 + hour).wrapping_mul(2_654_435_761).rem_euclid(1009);
    usual * (700 + chance * 600 / 1009) / 1000
}

fn day(zone: &TimeZone, number: i64, late: impl Fn(i64) -> i64) -> Day {
    let local = LocalDay::new(FIRST + number.days(), zone).unwrap();
    let mut day = Day::missing(local, IntervalLength::HOUR, ChannelKind::Import);
    for index in 0..day.slots.len() {
        let hour = i64::from(day.start_of(index).to_zoned(zone.clone()).hour());
        day.slots[index] = Slot::new(drawn(number, hour - late(number)), Quality::RAW);
    }
    day
}

/// The days on which the rule speaks, with what it says.
fn spoken(zone: &TimeZone, days: i64, late: impl Fn(i64) -> i64 + Copy, rules: &Rules) -> Vec<(i64, String)> {
    let mut stats = Stats::default();
    let mut said = Vec::new();
    for number in 0..days {
        let mut day = day(zone, number, late);
        let facts = Facts::new(day.kind, day.interval);
        let find = |day: &Day, stats: &Stats| -> Vec<Finding> {
            let now = day.day.end() + 48.hours();
            validate(&DayInput::new(day, &facts), rules, stats, now)
        };
        let findings = find(&day, &stats);
        judge(&mut day, &findings);
        stats.absorb(&day);
        assert_eq!(find(&day, &stats), findings, "a second look at day {number}");
        assert_eq!(Stats::from_bytes(&stats.to_bytes()).unwrap(), stats);
        let of_rule = findings.into_iter().filter(|finding| finding.rule == Rule::ClockShift);
        said.extend(of_rule.map(|finding| (number, finding.sentence)));
    }
    said
}

#[test]
fn a_week_an_hour_late_or_early_is_said_once() {
    let rules = Rules::default();
    for (shift, word) in [(1, "later"), (-1, "earlier")] {
        let said = spoken(&TimeZone::UTC, 50, |number| if number < 35 { 0 } else { shift }, &rules);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!((36..=42).contains(&said[0].0) && said[0].1.contains(word), "{said:?}");
    }
    assert_eq!(spoken(&TimeZone::UTC, 80, |_| 0, &rules), []);
    let mut off = Rules::default();
    off.clock_shift.deviations_tenths = 0;
    assert_eq!(spoken(&TimeZone::UTC, 50, |number| i64::from(number >= 35), &off), []);
}

/// The clocks go forward in Zurich on 2026-03-29, day 55: the values of a meter that does not follow come an hour earlier.
#[test]
fn a_meter_that_did_not_follow_the_clocks() {
    let zone = TimeZone::get("Europe/Zurich").unwrap();
    let rules = Rules::default();
    let said = spoken(&zone, 70, |number| if number < 55 { 0 } else { -1 }, &rules);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!((56..=62).contains(&said[0].0) && said[0].1.contains("earlier"), "{said:?}");
    assert_eq!(spoken(&zone, 70, |_| 0, &rules), [], "one that did");
}

#[test]
fn registers_tell_an_hour_at_once() {
    let shifted = |hours: i64| -> Vec<Rule> {
        let day = day(&TimeZone::UTC, 30, |_| hours);
        let facts = Facts::new(day.kind, day.interval);
        let mut value = 0;
        let registers: Vec<Register> = (0..24)
            .map(|hour| {
                let read = Register { at: day.start_of(hour), value };
                value += drawn(30, i64::try_from(hour).unwrap());
                read
            })
            .collect();
        let input = DayInput { registers: &registers, ..DayInput::new(&day, &facts) };
        let found = validate(&input, &Rules::default(), &Stats::default(), at("2026-04-06T00:00:00Z"));
        let mut rules: Vec<Rule> = found.into_iter().map(|finding| finding.rule).collect();
        rules.dedup();
        rules
    };
    assert_eq!(shifted(0), []);
    for hours in [1, -1] {
        assert_eq!(shifted(hours), [Rule::SumCheck, Rule::ClockShift], "{hours}");
    }
    assert_eq!(shifted(2), [Rule::SumCheck], "two hours are another matter");
}
