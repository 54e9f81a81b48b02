//! Filling the gaps of a channel out of a file.

use super::Channel;
use jiff::Timestamp;
use std::collections::BTreeMap;
use vee::{Context, Day, Estimated, Facts, Rules, Stats, estimate_days};

/// How far register reads that enclose a gap are looked for, days.
const REGISTERS_D: usize = 62;
/// Days before and after a gap that estimation may lean on.
const AROUND_D: usize = 28;
/// Days around the same date last year.
const LAST_YEAR: (usize, usize) = (365, 21);

/// What was filled: by day number, what came of it.
pub(crate) type Filled = BTreeMap<usize, Estimated>;

/// Fills every gap of a channel. Days between register reads that enclose a gap are estimated together.
pub(crate) fn fill(channel: &mut Channel, facts: &Facts, rules: &Rules, now: Timestamp) -> Filled {
    let mut filled = Filled::new();
    let mut number = 0;
    while number < channel.days.len() {
        if channel.days[number].missing_count() == 0 {
            number += 1;
            continue;
        }
        let gap = (number..channel.days.len()).take_while(|at| channel.days[*at].missing_count() > 0);
        let end = gap.last().unwrap_or(number) + 1;
        let (from, to) = enclosing(channel, number, end);
        let mut span: Vec<Day> = channel.days[from..to].to_vec();
        let like_days = around(&channel.days, from, to);
        let mut stats = Stats::default();
        for day in &channel.days[from.saturating_sub(AROUND_D)..from] {
            stats.absorb(day);
        }
        let before = from.checked_sub(1).map_or(&[][..], |at| &channel.days[at].slots);
        let after = channel.days.get(to).map_or(&[][..], |day| &day.slots);
        let context = Context {
            before,
            after,
            like_days: &like_days,
            registers: &channel.registers,
            tou: &channel.tou,
            ..Context::new(facts, &stats, now)
        };
        let estimated = estimate_days(&mut span, &context, rules);
        filled.extend((from..).zip(estimated));
        channel.days.splice(from..to, span);
        number = end.max(to);
    }
    filled
}

/// The days from the last register read before a gap to the first one after it; the gap's own days where there
/// are none near.
fn enclosing(channel: &Channel, from: usize, to: usize) -> (usize, usize) {
    let days = &channel.days;
    let (start, end) = (days[from].day.start(), days[to - 1].day.end());
    let reads = || channel.registers.iter().map(|read| read.at).chain(channel.tou.iter().map(|read| read.at));
    let first = reads().filter(|at| *at <= start).max();
    let last = reads().filter(|at| *at >= end).min();
    let (Some(first), Some(last)) = (first, last) else { return (from, to) };
    let reach = days.partition_point(|day| day.day.end() <= first);
    let until = days.partition_point(|day| day.day.start() < last);
    let near = reach + REGISTERS_D >= from && until <= to + REGISTERS_D && reach <= from && until >= to;
    if near { (reach, until) } else { (from, to) }
}

fn around(days: &[Day], from: usize, to: usize) -> Vec<Day> {
    let (back, width) = LAST_YEAR;
    let last_year = (from + 1).saturating_sub(back + width)..(to + width).saturating_sub(back);
    let recent = from.saturating_sub(AROUND_D).max(last_year.end)..from;
    let next = to..(to + AROUND_D).min(days.len());
    [last_year, recent, next]
        .into_iter()
        .flat_map(|range| days.get(range).unwrap_or_default())
        .cloned()
        .collect()
}
