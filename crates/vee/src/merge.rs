//! Laying arrivals over a day.

use crate::admit::Arrival;
use crate::day::{Day, Slot};
use crate::finding::{Finding, Rule};
use crate::rules::Rules;
use crate::words::{amount, intervals};
use model::{Quality, QualityClass};

/// What came of a merge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Intervals that had no value before.
    pub stored: usize,
    /// Intervals whose estimate (or derived zero) gave way to the real value.
    pub superseded: usize,
    /// Intervals that already held this very value.
    pub duplicates: usize,
    /// Intervals that held another value as read; the later one stands.
    pub conflicting: usize,
    /// Intervals that a person edited; the edit stands, the arrival stays in the raw batch.
    pub kept_edits: usize,
    /// Estimates of a sender where a reading or an edit stands; what stands, stands.
    pub outranked: usize,
    /// Arrivals that belong to another day or lie off the day's grid.
    pub outside: usize,
    /// One finding for the conflicts, if there are any.
    pub findings: Vec<Finding>,
}

impl Merged {
    /// Whether the day is another than before, so that a new version is due.
    pub const fn changed(&self) -> bool {
        self.stored + self.superseded + self.conflicting > 0
    }
}

/// Lays `arrivals` over `day`. Doing it twice equals doing it once.
///
/// An estimate of a sender ([`Quality::SUBSTITUTED`]) fills what is missing, replaces our estimate and an earlier one of a
/// sender, and never a reading or an edit.
///
/// A value equal to the one held is a duplicate and changes nothing, not even when the held one has been
/// judged meanwhile. A real value replaces an estimate. A different value as read replaces the earlier one
/// and raises [`Rule::Duplicate`]. Replaced intervals carry [`Quality::SUPERSEDED`].
pub fn merge(day: &mut Day, arrivals: &[Arrival], rules: &Rules) -> Merged {
    let mut merged = Merged::default();
    let mut conflicts = Vec::new();
    for arrival in arrivals {
        let Some(index) = day.day.interval_at(day.interval, arrival.start) else {
            merged.outside += 1;
            continue;
        };
        let Some(slot) = day.slots.get_mut(index) else {
            merged.outside += 1;
            continue;
        };
        let class = slot.quality.class();
        if class == QualityClass::Missing {
            *slot = Slot::new(arrival.value, arrival.quality);
            merged.stored += 1;
        } else if class == QualityClass::Edited && arrival.quality.is_estimated() {
            merged.outranked += 1;
        } else if class == QualityClass::Edited {
            merged.kept_edits += 1;
        } else if slot.value == arrival.value && (slot.quality.is_read() || arrival.quality.class() == class)
        {
            merged.duplicates += 1;
        } else if arrival.quality.is_estimated() && slot.quality.is_read() {
            merged.outranked += 1;
        } else {
            let was_read = slot.quality.is_read();
            if was_read {
                conflicts.push((index, slot.value, arrival.value));
                merged.conflicting += 1;
            } else {
                merged.superseded += 1;
            }
            *slot = Slot::new(arrival.value, arrival.quality.with(Quality::SUPERSEDED));
        }
    }
    if let (Some(first), Some(last), true) =
        (conflicts.first(), conflicts.last(), rules.is_on(Rule::Duplicate))
    {
        let sentence = format!(
            "another value for {} that had one, the first at {}: {} before, {} now",
            intervals(conflicts.len()),
            day.clock(first.0),
            amount(day.kind, first.1),
            amount(day.kind, first.2)
        );
        let (from, to) = (first.0.min(last.0), first.0.max(last.0) + 1);
        let severity = rules.severity(Rule::Duplicate);
        merged.findings.push(Finding { rule: Rule::Duplicate, severity, slots: from..to, sentence });
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use jiff::tz::TimeZone;
    use model::{ChannelKind, IntervalLength, LocalDay};

    fn day() -> Day {
        let local = LocalDay::new(date(2026, 3, 1), &TimeZone::UTC).unwrap();
        Day::missing(local, IntervalLength::HOUR, ChannelKind::Import)
    }

    fn arrival(day: &Day, index: usize, value: i64) -> Arrival {
        Arrival { start: day.start_of(index), value, quality: Quality::RAW }
    }

    #[test]
    fn twice_equals_once() {
        let mut day = day();
        let arrivals = [arrival(&day, 3, 100), arrival(&day, 4, 0)];
        let first = merge(&mut day, &arrivals, &Rules::default());
        assert_eq!((first.stored, first.changed()), (2, true));
        let once = day.clone();
        let second = merge(&mut day, &arrivals, &Rules::default());
        assert_eq!((second.duplicates, second.changed()), (2, false));
        assert_eq!(day, once);
    }

    #[test]
    fn what_replaces_what() {
        let estimated = Quality::new(QualityClass::EstimatedLinear);
        let replaced = Quality::RAW.with(Quality::SUPERSEDED);
        let edited = Quality::new(QualityClass::Edited);
        let zero = Quality::new(QualityClass::DerivedZero);
        let rows = [
            (Slot::new(7, estimated), Slot::new(9, replaced)),
            (Slot::new(9, estimated), Slot::new(9, replaced)),
            (Slot::new(0, zero), Slot::new(9, replaced)),
            (Slot::new(7, edited), Slot::new(7, edited)),
            (Slot::new(7, Quality::VALID), Slot::new(9, replaced)),
            (Slot::new(9, Quality::VALID), Slot::new(9, Quality::VALID)),
        ];
        for (before, after) in rows {
            let mut day = day();
            day.slots[5] = before;
            let arrivals = [arrival(&day, 5, 9)];
            let merged = merge(&mut day, &arrivals, &Rules::default());
            assert_eq!(day.slots[5], after, "{before:?}");
            assert_eq!(merged.findings.len(), usize::from(before == Slot::new(7, Quality::VALID)));
        }
    }

    #[test]
    fn what_a_sender_estimated_gives_way_to_what_was_read() {
        let (theirs, replaced) = (Quality::SUBSTITUTED, Quality::SUPERSEDED);
        let class = |class| Quality::new(class);
        let rows = [
            (Slot::MISSING, Slot::new(9, theirs), (1, 0, 0, 0)),
            (Slot::new(7, Quality::VALID), Slot::new(7, Quality::VALID), (0, 0, 1, 0)),
            (Slot::new(9, Quality::VALID), Slot::new(9, Quality::VALID), (0, 0, 0, 1)),
            (
                Slot::new(7, class(QualityClass::Edited)),
                Slot::new(7, class(QualityClass::Edited)),
                (0, 0, 1, 0),
            ),
            (
                Slot::new(7, class(QualityClass::EstimatedLinear)),
                Slot::new(9, theirs.with(replaced)),
                (0, 1, 0, 0),
            ),
            (Slot::new(7, theirs), Slot::new(9, theirs.with(replaced)), (0, 1, 0, 0)),
            (Slot::new(9, theirs), Slot::new(9, theirs), (0, 0, 0, 1)),
        ];
        for (before, after, (stored, superseded, outranked, duplicates)) in rows {
            let mut day = day();
            day.slots[5] = before;
            let arrivals = [Arrival { quality: theirs, ..arrival(&day, 5, 9) }];
            let merged = merge(&mut day, &arrivals, &Rules::default());
            assert_eq!(day.slots[5], after, "{before:?}");
            let wanted = Merged { stored, superseded, outranked, duplicates, ..Merged::default() };
            assert_eq!(merged, wanted, "{before:?}");
        }
        let mut day = day();
        day.slots[5] = Slot::new(9, theirs);
        let merged = merge(&mut day.clone(), &[arrival(&day, 5, 9)], &Rules::default());
        assert_eq!((merged.superseded, merged.findings.len()), (1, 0), "a reading, even of the same value");
    }

    #[test]
    fn strangers_are_counted_not_stored() {
        let mut day = day();
        let mut off_grid = arrival(&day, 0, 1);
        off_grid.start += jiff::SignedDuration::from_secs(60);
        let tomorrow = Arrival { start: day.day.end(), ..off_grid };
        let merged = merge(&mut day, &[off_grid, tomorrow], &Rules::default());
        assert_eq!((merged.outside, merged.changed()), (2, false));
    }
}
