//! Validation of a day that lies in columns: the one engine, and the way in for bulk work.
//!
//! A day of which every value was read and nothing is odd costs one sweep over its values and some comparisons with the
//! statistics: nothing is allocated and no time zone is asked. [`crate::validate`] goes through here too.

use crate::estimate::{DayTemperature, TouRead};
use crate::facts::{Facts, Outage, Register};
use crate::finding::{Finding, Rule, Severity};
use crate::rules::Rules;
use crate::stats::{Stats, Summary};
use crate::validate::Check;
use jiff::Timestamp;
use model::{ChannelKind, Quality, QualityClass};

pub use crate::columns::ChannelDay;

/// The same day of another channel of the same device, or of another device that measures the same.
#[derive(Clone, Copy, Debug)]
pub struct Sibling<'a> {
    /// What it measures.
    pub kind: ChannelKind,
    /// One value an interval, of the same length and day.
    pub values: &'a [i64],
    /// One quality an interval.
    pub quality: &'a [Quality],
}

/// What surrounds a day: all that rules look at besides its own values. By default nothing is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    /// Total register reads, in order of time; those outside the day are ignored.
    pub registers: &'a [Register],
    /// Reads of the time-of-use registers, in order of time.
    pub rates: &'a [TouRead],
    /// Verified outages that touch the day.
    pub outages: &'a [Outage],
    /// Times in which nobody was supplied: the relay was open, or the service was closed.
    pub off: &'a [Outage],
    /// Instants at which the meter was exchanged: no register difference runs across one.
    pub exchanges: &'a [Timestamp],
    /// The other channels of the device.
    pub siblings: &'a [Sibling<'a>],
    /// The same channel of a check meter.
    pub check: Option<Sibling<'a>>,
    /// Mean temperatures of this day and of those before it, in order of date.
    pub temperatures: &'a [DayTemperature],
}

/// What came of checking a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is wrong with it; empty, and without an allocation, for a clean day.
    pub findings: Vec<Finding>,
    /// What [`Stats::absorb_summary`] takes in, provided that the day is kept as it was given. After an estimate, an
    /// edit or a finding that fails intervals make it anew with [`Summary::of`].
    pub summary: Summary,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub const fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Says what is wrong with a day. Changes nothing; [`judge`] marks the intervals.
///
/// Estimated intervals are never judged and count as not read; checking again after [`judge`] finds the same. The
/// findings come in an order that depends on nothing but the input.
///
/// ```
/// use jiff::{civil::date, tz::TimeZone};
/// use model::{ChannelKind, IntervalLength, LocalDay, Quality};
/// use vee::fast::{Around, ChannelDay, check_day};
/// use vee::{Facts, Rules, Stats};
///
/// let zone = TimeZone::get("Europe/Zurich").unwrap();
/// let day = LocalDay::new(date(2026, 3, 2), &zone).unwrap();
/// let values: Vec<i64> = (0..24).map(|hour| 100 + hour * 7).collect();
/// let quality = [Quality::RAW; 24];
/// let (kind, interval) = (ChannelKind::Import, IntervalLength::HOUR);
/// let columns = ChannelDay { day: &day, interval, kind, values: &values, quality: &quality };
/// let facts = Facts::new(kind, interval);
/// let mut stats = Stats::default();
/// let verdict =
///     check_day(&columns, &Around::default(), &facts, &Rules::default(), &stats, day.end());
/// assert!(verdict.is_clean());
/// stats.absorb_summary(&verdict.summary);
/// ```
pub fn check_day(
    day: &ChannelDay<'_>,
    around: &Around<'_>,
    facts: &Facts,
    rules: &Rules,
    stats: &Stats,
    now: Timestamp,
) -> Verdict {
    let mut check = Check::new(day, around, facts, rules, stats, now);
    check.run();
    let summary = Summary::from_sweep(day, &check.sweep, check.course);
    Verdict { findings: check.findings, summary }
}

/// Marks the read intervals of a day by the findings on it: questionable where a finding of [`Severity::Fail`]
/// points, valid elsewhere. What a person verified or edited stays. An interval in which an outage began or ended is
/// flagged, so that estimates do not lean on it.
pub fn judge(quality: &mut [Quality], findings: &[Finding]) {
    let valid = |quality: Quality| match quality.class() {
        QualityClass::Raw | QualityClass::Valid | QualityClass::Questionable => {
            quality.reclassed(QualityClass::Valid)
        }
        _ => quality,
    };
    for quality in &mut *quality {
        *quality = valid(*quality);
    }
    for finding in findings {
        let range = finding.slots.start.min(quality.len())..finding.slots.end.min(quality.len());
        for quality in &mut quality[range] {
            if finding.severity == Severity::Fail && quality.class() == QualityClass::Valid {
                *quality = quality.reclassed(QualityClass::Questionable);
            }
            if finding.rule == Rule::PartialOutage && quality.is_read() {
                *quality = quality.with(Quality::POWER_FAIL);
            }
        }
    }
}
