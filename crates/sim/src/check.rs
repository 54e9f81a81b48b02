//! What must be true at the end of a run.

mod iron;
mod registers;
mod series;

use crate::report::Tally;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use mdm::Mdm;
use model::command::CommandState;
use model::{ChannelKind, CommandId, LocalDay, MeterId, Quality};
use std::collections::{BTreeMap, BTreeSet};
use store::Store;
use territory::{FaultKind, Scenario, Territory};

/// What is judged, and by what.
pub(crate) struct Scope<'a> {
    pub(crate) territory: &'a Territory,
    pub(crate) store: &'a Store,
    pub(crate) mdm: &'a Mdm,
    pub(crate) scenario: &'a Scenario,
    pub(crate) first_day: Date,
    pub(crate) days: u32,
    pub(crate) commands: &'a [CommandId],
}

/// One stored interval.
#[derive(Clone, Copy, Debug)]
struct Cell {
    end: Timestamp,
    value: i64,
    quality: Quality,
}

/// The stored intervals of one channel over all judged days, by start.
type Series = BTreeMap<Timestamp, Cell>;

/// Every stored series.
struct Stored {
    series: BTreeMap<(MeterId, ChannelKind), Series>,
    /// Meters that truly measure something else than what flowed, found by comparison.
    odd: BTreeSet<MeterId>,
}

/// Checks everything; the facts that do not hold, in words.
pub(crate) fn everything(scope: &Scope<'_>, tally: &mut Tally) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    let mut stored = Stored { series: BTreeMap::new(), odd: BTreeSet::new() };
    for day in scope.local_days()? {
        load(scope, &day, &mut stored, tally, &mut violations)?;
    }
    series::compare(scope, &mut stored, tally, &mut violations);
    registers::compare(scope, &stored, tally, &mut violations)?;
    iron::compare(scope, &stored, tally, &mut violations);
    for id in scope.commands {
        let record = scope.store.read(|read| read.command(*id))?;
        let state = record.map(|record| record.state);
        if !state.is_some_and(CommandState::is_final) {
            violations.push(format!("command {id} was never brought to an end: {state:?}"));
        }
    }
    Ok(violations)
}

impl Scope<'_> {
    fn local_days(&self) -> anyhow::Result<Vec<LocalDay>> {
        let days = (0..self.days).map(|day| {
            let date = self.first_day.checked_add(i64::from(day).days())?;
            Ok(self.mdm.local_day(date)?)
        });
        days.collect()
    }

    /// How many meters the scenario makes measure something else than what flowed.
    fn odd_meters(&self) -> usize {
        let measures_wrong = |kind: &FaultKind| {
            matches!(
                kind,
                FaultKind::ClockDrift { .. }
                    | FaultKind::StuckRegister
                    | FaultKind::Theft { .. }
                    | FaultKind::WrongScaler
            )
        };
        self.count_of(measures_wrong)
    }

    /// Whether clocks that drift are the only meters that measure wrongly.
    fn only_clocks_are_odd(&self) -> bool {
        self.odd_meters() == self.count_of(|kind| matches!(kind, FaultKind::ClockDrift { .. }))
    }

    /// How many meters' registers the scenario stops.
    fn stuck_registers(&self) -> usize {
        self.count_of(|kind| *kind == FaultKind::StuckRegister)
    }

    /// How many meters the scenario silences for ever.
    fn dead_radios(&self) -> usize {
        self.count_of(|kind| matches!(kind, FaultKind::DeadRadio { minutes: None }))
    }

    fn count_of(&self, is: impl Fn(&FaultKind) -> bool) -> usize {
        let faults = self.scenario.fault.iter().filter(|fault| is(&fault.kind));
        faults.map(|fault| usize::try_from(fault.count).unwrap_or(usize::MAX)).sum()
    }
}

/// Loads one day of every channel. Each of its intervals is there exactly once, with a quality that says
/// what it is.
fn load(
    scope: &Scope<'_>,
    day: &LocalDay,
    stored: &mut Stored,
    tally: &mut Tally,
    violations: &mut Vec<String>,
) -> anyhow::Result<()> {
    scope.store.read(|read| {
        for channel in read.channels()? {
            let name = || format!("meter {}, {}, {}", channel.meter, channel.kind.name(), day.date());
            let expected = day.intervals(channel.interval);
            let Some(found) = read.day(channel.id, day.date())? else {
                violations.push(format!("{}: nothing is stored and nothing is flagged", name()));
                continue;
            };
            let (values, qualities) = (&found.block.values, &found.block.quality);
            if values.len() != expected || qualities.len() != expected {
                violations.push(format!("{}: {} of {expected} intervals", name(), values.len()));
                continue;
            }
            if !found.sealed {
                violations.push(format!("{}: the day was never closed", name()));
            }
            let series = stored.series.entry((channel.meter, channel.kind)).or_default();
            for (index, (value, quality)) in values.iter().zip(qualities).enumerate() {
                count(*quality, tally);
                if quality.class() == model::QualityClass::Raw {
                    violations.push(format!("{}: interval {index} was never judged", name()));
                }
                let start = day.interval_start(channel.interval, index);
                let end = day.interval_start(channel.interval, index + 1);
                series.insert(start, Cell { end, value: *value, quality: *quality });
            }
        }
        Ok::<_, store::StoreError>(())
    })?;
    Ok(())
}

fn count(quality: Quality, tally: &mut Tally) {
    tally.intervals += 1;
    if quality.is_read() {
        tally.read += 1;
    } else if quality.is_estimated() {
        tally.estimated += 1;
    } else if quality.is_missing() {
        tally.missing += 1;
    } else {
        tally.known_zero += 1;
    }
}
