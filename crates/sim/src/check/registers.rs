//! Registers against profiles.

use super::{Cell, Scope, Series, Stored};
use crate::report::Tally;
use jiff::{SignedDuration, Timestamp};
use model::{ChannelKind, RegisterRead};

/// A register may be stamped this much beside the true time.
const FUZZ: SignedDuration = SignedDuration::from_secs(90);

/// Every register difference lies between the sum of the intervals wholly inside and that of all it touches.
pub(super) fn compare(
    scope: &Scope<'_>,
    stored: &Stored,
    tally: &mut Tally,
    violations: &mut Vec<String>,
) -> anyhow::Result<()> {
    for ((meter, kind), series) in &stored.series {
        if !kind.is_additive() || stored.odd.contains(meter) {
            continue;
        }
        let (Some((from, _)), Some((_, last))) = (series.first_key_value(), series.last_key_value()) else {
            continue;
        };
        let mut reads = scope.store.read(|read| read.register_reads(*meter, *kind, 0, *from, last.end))?;
        reads.sort_by_key(|read| read.at);
        // Each with the next, and the first with the last.
        let ends = reads.first().cloned().zip(reads.last().cloned());
        let pairs = reads.windows(2).filter_map(|pair| pair.first().cloned().zip(pair.get(1).cloned()));
        for (from, to) in pairs.chain(ends).filter(|(from, to)| from.at < to.at) {
            let Some((low, high)) = bounds(series, from.at, to.at) else { continue };
            tally.registers_compared += 1;
            let Some(delta) =
                in_stored_unit(&to, *kind).zip(in_stored_unit(&from, *kind)).map(|(b, a)| b - a)
            else {
                violations.push(format!("meter {meter}, {}: a register in an odd unit", kind.name()));
                break;
            };
            let step = 10i64.pow(u32::from(from.value.scaler.unsigned_abs()));
            if delta < low - 2 * step || delta > high + 2 * step {
                violations.push(format!(
                    "meter {meter}, {}: the register moved by {delta} from {} to {} and its intervals say {low} to {high}",
                    kind.name(),
                    from.at,
                    to.at
                ));
                break;
            }
        }
    }
    Ok(())
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
