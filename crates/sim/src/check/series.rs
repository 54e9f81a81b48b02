//! Stored values against what truly flowed.

use super::{Cell, Scope, Stored};
use crate::report::Tally;
use jiff::{SignedDuration, Timestamp};
use model::{ChannelKind, Commodity, MeterId, Quality};
use std::collections::BTreeMap;

/// A quarter hour of the world.
const QUARTER: SignedDuration = SignedDuration::from_mins(15);

/// Compares every interval that was read with the truth, to the unit.
///
/// A meter that measures wrongly by its nature may differ, but no more meters than the scenario says.
pub(super) fn compare(
    scope: &Scope<'_>,
    stored: &mut Stored,
    tally: &mut Tally,
    violations: &mut Vec<String>,
) {
    let mut odd: BTreeMap<MeterId, String> = BTreeMap::new();
    for ((meter, kind), series) in &stored.series {
        for (start, cell) in series {
            let exact = !cell.quality.has(Quality::PARTIAL | Quality::CLOCK_DOUBTFUL);
            if !cell.quality.is_read() || !exact {
                continue;
            }
            tally.compared += 1;
            if let Some(difference) = difference(scope, *meter, *kind, *start, *cell) {
                odd.entry(*meter).or_insert(difference);
            }
        }
    }
    if odd.len() > scope.odd_meters() {
        violations.extend(odd.values().cloned());
    }
    if tally.compared == 0 {
        violations.push("not a single interval was read".to_owned());
    }
    stored.odd = odd.into_keys().collect();
    unread(scope, stored, violations);
}

/// What a read interval says against the truth, if the two differ.
fn difference(
    scope: &Scope<'_>,
    meter: MeterId,
    kind: ChannelKind,
    start: Timestamp,
    cell: Cell,
) -> Option<String> {
    let truth = scope.territory.truth();
    let (mut milli, mut volts, mut powered, mut at) = (0, 0, 0, start);
    while at < cell.end {
        let quarter = truth.meter(meter, at)?;
        milli += if kind == ChannelKind::Export { quarter.received_milli } else { quarter.delivered_milli };
        volts = quarter.voltage_dv;
        powered += quarter.powered_s;
        at += QUARTER;
    }
    let whole = cell.end.duration_since(start).as_secs() == powered;
    let fine = match kind {
        // Fractions of a unit wait in the meter for the next interval.
        ChannelKind::Import | ChannelKind::Export | ChannelKind::Gas | ChannelKind::Water => {
            (cell.value * 1000 - milli).abs() <= 1000
        }
        ChannelKind::Voltage => !whole || (cell.value - volts).abs() <= 1,
        // The simulated meters have no such series; where one turns up, something invented it.
        ChannelKind::Net
        | ChannelKind::Generation
        | ChannelKind::ReactiveImport
        | ChannelKind::ReactiveExport => false,
    };
    let expected = if kind == ChannelKind::Voltage { volts } else { milli / 1000 };
    (!fine).then(|| {
        format!(
            "meter {meter}, {}, {start}: {} is stored as read and {expected} is true",
            kind.name(),
            cell.value
        )
    })
}

/// What a meter on the mains measured with power on arrives in the end: the quiet hours after the judged days
/// are long enough to fetch it. A battery meter sleeps between its daily pushes; what it cannot deliver then
/// stays flagged, as does everything of a radio that is dead for ever.
fn unread(scope: &Scope<'_>, stored: &Stored, violations: &mut Vec<String>) {
    let truth = scope.territory.truth();
    let on_mains = |kind: ChannelKind| kind.commodity() == Commodity::Electricity;
    let mut silent: BTreeMap<MeterId, String> = BTreeMap::new();
    for ((meter, kind), series) in stored.series.iter().filter(|((_, kind), _)| on_mains(*kind)) {
        let lost = series.iter().find(|(start, cell)| {
            let powered =
                |at: Timestamp| truth.meter(*meter, at).is_some_and(|quarter| quarter.powered_s == 900);
            !cell.quality.is_read() && powered(**start) && powered(cell.end - QUARTER)
        });
        if let Some((start, cell)) = lost {
            silent.entry(*meter).or_insert_with(|| {
                format!(
                    "meter {meter}, {}, {start}: measured with power on and never read ({:?})",
                    kind.name(),
                    cell.quality
                )
            });
        }
    }
    if silent.len() > scope.dead_radios() {
        violations.extend(silent.into_values());
    }
}
