//! The channels of a file, handed out one after the other, so that one at a time is whole in memory.

use super::small::is_of;
use super::spill::{Place, Spill};
use anyhow::{Result, bail};
use exchange::IntervalBlock;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::{ChannelKind, IntervalLength};
use std::collections::BTreeMap;
use vee::{Day, Facts, Finding, Register, TouRead};

/// A table whose days lie further apart than this was read with the wrong format of times.
const LONGEST_D: usize = 366 * 30;
/// Names that a message lists.
const NAMED: usize = 5;

/// One channel of a file.
#[derive(Debug)]
pub(crate) struct Channel {
    /// Meter and channel in the file's own words.
    pub(crate) name: String,
    pub(crate) kind: ChannelKind,
    pub(crate) interval: IntervalLength,
    /// Every day from the first to the last, consecutive.
    pub(crate) days: Vec<Day>,
    /// From the first interval that the file speaks of to the last: outside of it nothing is missing.
    pub(crate) span: (Timestamp, Timestamp),
    /// In order of time.
    pub(crate) registers: Vec<Register>,
    pub(crate) tou: Vec<TouRead>,
    /// What was found while the days were put together: the number of the day, and what.
    pub(crate) findings: Vec<(usize, Finding)>,
}

impl Channel {
    /// What is known of the channel: what it measures, and that it was there while the file speaks of it.
    pub(crate) fn facts(&self) -> Facts {
        let (from, to) = self.span;
        Facts { installed: Some(from), removed: Some(to), ..Facts::new(self.kind, self.interval) }
    }

    /// Whether an interval of a day is one that the file speaks of.
    pub(crate) fn covers(&self, day: &Day, index: usize) -> bool {
        self.span.0 <= day.start_of(index) && day.end_of(index) <= self.span.1
    }
}

/// A channel while its file is read.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) kind: ChannelKind,
    pub(super) interval: IntervalLength,
    pub(super) span: (Timestamp, Timestamp),
    /// Days in memory, and those in the file.
    pub(super) held: BTreeMap<Date, Day>,
    pub(super) away: BTreeMap<Date, Place>,
    pub(super) registers: Vec<Register>,
    pub(super) tou: Vec<TouRead>,
    pub(super) findings: Vec<(Date, Finding)>,
}

impl Pending {
    pub(super) fn new(kind: ChannelKind, first: &IntervalBlock) -> Self {
        Self {
            kind,
            interval: first.interval,
            span: (first.start, first.end()),
            held: BTreeMap::new(),
            away: BTreeMap::new(),
            registers: Vec::new(),
            tou: Vec::new(),
            findings: Vec::new(),
        }
    }
}

/// The channels of a file.
#[derive(Debug)]
pub(crate) struct Channels {
    pending: BTreeMap<String, Pending>,
    spill: Spill,
    zone: TimeZone,
}

impl Channels {
    pub(super) const fn new(pending: BTreeMap<String, Pending>, spill: Spill, zone: TimeZone) -> Self {
        Self { pending, spill, zone }
    }

    /// Whether there are none, or none any more.
    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// The zone of the days.
    pub(crate) const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether a name is that of one of them, or of one of the meters.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.pending.keys().any(|channel| is_of(channel, name))
    }

    /// The first of their names, for messages.
    pub(crate) fn some_names(&self) -> String {
        let names: Vec<&str> = self.pending.keys().take(NAMED).map(String::as_str).collect();
        let more = self.pending.len().saturating_sub(names.len());
        if more > 0 { format!("{} and {more} more", names.join(", ")) } else { names.join(", ") }
    }

    /// The channel of that name, or the first one of a meter of that name.
    pub(super) fn of(&mut self, name: &str) -> Option<&mut Pending> {
        self.pending.iter_mut().find(|(channel, _)| is_of(channel, name)).map(|(_, pending)| pending)
    }

    /// The next one in order of name, whole.
    ///
    /// # Errors
    /// Where days that were put away do not come back.
    pub(crate) fn next(&mut self) -> Result<Option<Channel>> {
        let Some((name, pending)) = self.pending.pop_first() else { return Ok(None) };
        self.whole(name, pending).map(Some)
    }

    /// A channel with the days between its days.
    fn whole(&mut self, name: String, pending: Pending) -> Result<Channel> {
        let Pending { kind, interval, span, mut held, away, mut registers, mut tou, findings } = pending;
        for (date, place) in away {
            held.insert(date, self.spill.take(place, (date, &self.zone), (interval, kind))?);
        }
        let mut days: Vec<Day> = Vec::with_capacity(held.len());
        for day in held.into_values() {
            while let Some(last) = days.last().filter(|last| last.day.end() < day.day.start()) {
                let next = last.day.next()?;
                days.push(Day::missing(next, interval, kind));
                if days.len() > LONGEST_D {
                    bail!(
                        "the readings of {name} span more than 30 years; is the format of the times another?"
                    );
                }
            }
            days.push(day);
        }
        registers.sort_by_key(|read| read.at);
        tou.sort_by_key(|read| (read.at, read.register));
        let number = |date: Date| days.binary_search_by_key(&date, |day| day.day.date()).ok();
        let findings =
            findings.into_iter().filter_map(|(date, finding)| Some((number(date)?, finding))).collect();
        Ok(Channel { name, kind, interval, days, span, registers, tou, findings })
    }
}
