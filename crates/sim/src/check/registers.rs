//! Registers against profiles.

use super::{Cell, Scope, Series, Stored};
use crate::report::Tally;
use jiff::{SignedDuration, Timestamp};
use model::{ChannelKind, MeterId, RegisterRead};
use std::collections::BTreeMap;

/// A register may be stamped this much beside the true time.
const FUZZ: SignedDuration = SignedDuration::from_secs(90);

/// Every register difference lies between the sum of the intervals wholly inside and that of all it touches.
///
/// A register that stands still by its nature contradicts its profile, but no more of them than the scenario says.
pub(super) fn compare(
    scope: &Scope<'_>,
    stored: &Stored,
    tally: &mut Tally,
    violations: &mut Vec<String>,
) -> anyhow::Result<()> {
    let mut contradicted: BTreeMap<MeterId, String> = BTreeMap::new();
    for ((meter, kind), series) in &stored.series {
        let (Some((from, _)), Some((_, last))) = (series.first_key_value(), series.last_key_value()) else {
            continue;
        };
        if !kind.is_additive() || stored.odd.contains(meter) {
            continue;
        }
        let mut reads = scope.store.read(|read| read.register_reads(*meter, *kind, 0, *from, last.end))?;
        reads.sort_by_key(|read| read.at);
        if let Some(words) = contradiction(*kind, series, &reads, tally) {
            contradicted.entry(*meter).or_insert(format!("meter {meter}, {}: {words}", kind.name()));
        }
    }
    if contradicted.len() > scope.stuck_registers() {
        violations.extend(contradicted.into_values());
    }
    Ok(())
}

/// Where registers, in order of time, contradict each other or the intervals between them.
fn contradiction(
    kind: ChannelKind,
    series: &Series,
    reads: &[RegisterRead],
    tally: &mut Tally,
) -> Option<String> {
    let twice = |pair: &&[RegisterRead; 2]| pair[0].at == pair[1].at && pair[0].value != pair[1].value;
    if let Some([one, other]) = reads.array_windows().find(twice) {
        let (at, one, other) = (one.at, one.value.raw, other.value.raw);
        return Some(format!("at {at} the register stands at {one} and at {other}"));
    }
    // Each with the next, and the first with the last.
    let ends = reads.first().zip(reads.last());
    let pairs = reads.array_windows().map(|[from, to]| (from, to));
    for (from, to) in pairs.chain(ends).filter(|(from, to)| from.at < to.at) {
        let Some((low, high)) = bounds(series, from.at, to.at) else { continue };
        tally.registers_compared += 1;
        let (Some(before), Some(after)) = (in_stored_unit(from, kind), in_stored_unit(to, kind)) else {
            return Some("a register in an odd unit".to_owned());
        };
        let delta = after - before;
        let step = 10i64.pow(u32::from(from.value.scaler.unsigned_abs()));
        if delta < low - 2 * step || delta > high + 2 * step {
            return Some(format!(
                "the register moved by {delta} from {} to {} and its intervals say {low} to {high}",
                from.at, to.at
            ));
        }
    }
    None
}

fn in_stored_unit(read: &RegisterRead, kind: ChannelKind) -> Option<i64> {
    let (unit, exponent) = kind.stored_unit();
    if read.value.unit != unit {
        return None;
    }
    read.value.rescaled(exponent).ok()
}

/// The least and the most that can have flowed between two instants; `None` where something was not read.
fn bounds(series: &Series, from: Timestamp, to: Timestamp) -> Option<(i64, i64)> {
    let (mut low, mut high) = (0, 0);
    let touches = |start: &Timestamp, cell: &Cell| *start < to + FUZZ && cell.end > from - FUZZ;
    for (start, cell) in series.iter().filter(|(start, cell)| touches(start, cell)) {
        if !cell.quality.is_read() {
            return None;
        }
        high += cell.value;
        if *start >= from + FUZZ && cell.end <= to - FUZZ {
            low += cell.value;
        }
    }
    Some((low, high))
}
