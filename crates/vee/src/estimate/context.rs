//! What estimation may lean on.

use super::class_use::ClassDay;
use crate::day::{Day, Slot};
use crate::facts::{Facts, Outage, Register};
use crate::stats::Stats;
use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

/// What estimation may lean on. Everything but facts, statistics and the present may be left empty:
///
/// ```
/// use model::{ChannelKind, IntervalLength};
/// let facts = vee::Facts::new(ChannelKind::Import, IntervalLength::HOUR);
/// let stats = vee::Stats::default();
/// let now = "2026-04-01T00:00:00Z".parse()?;
/// let context = vee::Context { holidays: &[], ..vee::Context::new(&facts, &stats, now) };
/// # let _ = context;
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The channel's configured facts.
    pub facts: &'a Facts,
    /// The last slots before the first day, in order; two hours of them are enough.
    pub before: &'a [Slot],
    /// The first slots after the last day, in order; two hours of them are enough.
    pub after: &'a [Slot],
    /// Other days of the same channel in any order: earlier ones, those of the same month last year,
    /// and for [`crate::Method::WattleBlend`] later ones too. What does not serve is passed over.
    pub like_days: &'a [Day],
    /// Total register reads, in order of time; those outside the days are ignored.
    pub registers: &'a [Register],
    /// Reads of the time-of-use registers, in order of time.
    pub tou: &'a [TouRead],
    /// Instants at which the meter was exchanged. Registers never bracket across one.
    ///
    /// Of the reads at such an instant the first closes the old meter and the last opens the new one;
    /// a single read there is taken to open the new one.
    pub exchanges: &'a [Timestamp],
    /// Verified outages that touch the days or their reference days.
    pub outages: &'a [Outage],
    /// Demand-response events: a day whose window one touches is no reference.
    pub events: &'a [Event],
    /// Dates that count as Sundays, in order.
    pub holidays: &'a [Date],
    /// Mean temperatures by date, in order.
    pub temperatures: &'a [DayTemperature],
    /// What the channel's like used from day to day, in order; without the channel itself or with it among many.
    pub class_days: &'a [ClassDay],
    /// What is remembered of earlier days.
    pub stats: &'a Stats,
    /// The present: only overdue gaps are filled.
    pub now: Timestamp,
}

/// A time-of-use register at an instant, in the channel's stored unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TouRead {
    /// Which register, as in [`crate::TouPeriod::register`].
    pub register: u8,
    /// The instant the value belongs to, UTC.
    pub at: Timestamp,
    /// The value, multiplier applied.
    pub value: i64,
}

/// A demand-response event, half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Its first instant.
    pub from: Timestamp,
    /// Its end, exclusive.
    pub to: Timestamp,
}

/// The mean air temperature of a local day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayTemperature {
    /// The local date.
    pub date: Date,
    /// Tenths of a degree Celsius.
    pub mean_dc: i32,
}

impl<'a> Context<'a> {
    /// Nothing to lean on but facts and statistics.
    pub const fn new(facts: &'a Facts, stats: &'a Stats, now: Timestamp) -> Self {
        Self {
            facts,
            before: &[],
            after: &[],
            like_days: &[],
            registers: &[],
            tou: &[],
            exchanges: &[],
            outages: &[],
            events: &[],
            holidays: &[],
            temperatures: &[],
            class_days: &[],
            stats,
            now,
        }
    }

    /// The weekday that a date counts as: a holiday is a Sunday.
    pub(crate) fn weekday(&self, date: Date) -> Weekday {
        if self.holidays.binary_search(&date).is_ok() { Weekday::Sunday } else { date.weekday() }
    }

    /// Whether two dates are of one kind: both working days, or neither.
    pub(crate) fn same_kind(&self, a: Date, b: Date) -> bool {
        let rest = |date| matches!(self.weekday(date), Weekday::Saturday | Weekday::Sunday);
        rest(a) == rest(b)
    }

    /// The mean temperature of a date, tenths of a degree Celsius.
    pub(crate) fn temperature(&self, date: Date) -> Option<i32> {
        let at = self.temperatures.binary_search_by_key(&date, |day| day.date).ok()?;
        self.temperatures.get(at).map(|day| day.mean_dc)
    }

    /// Whether the meter was there for the whole of `[from, to)`: outside of that nothing is to be estimated.
    pub(crate) fn in_service(&self, from: Timestamp, to: Timestamp) -> bool {
        self.facts.installed.is_none_or(|at| at <= from) && self.facts.removed.is_none_or(|at| to <= at)
    }

    /// Whether an outage or an event touches `[from, to)`.
    pub(crate) fn is_disturbed(&self, from: Timestamp, to: Timestamp) -> bool {
        self.outages.iter().any(|outage| outage.from < to && from < outage.to)
            || self.events.iter().any(|event| event.from < to && from < event.to)
    }
}
