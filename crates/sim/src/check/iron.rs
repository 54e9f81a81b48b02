//! Energy at each transformer against its meters and its losses.

use super::{Scope, Stored};
use crate::report::Tally;
use jiff::Timestamp;
use model::{ChannelKind, MeterId, QualityClass, TransformerId};

/// What a drifting clock may shift from one interval into its neighbour, as a share of the interval.
const SHIFT_PERCENT: i64 = 12;

/// A stretch of quarter hours of which everything is known.
#[derive(Debug, Default)]
struct Stretch {
    quarters: u64,
    unexplained_mwh: i64,
    /// The most that odd clocks may have shifted over its two ends, mWh.
    shifted_mwh: i64,
}

/// What a transformer took is what its meters say, and its losses: in every quarter hour of which all is known,
/// or, where clocks drift, over every stretch of them.
pub(super) fn compare(scope: &Scope<'_>, stored: &Stored, tally: &mut Tally, violations: &mut Vec<String>) {
    let registry = scope.territory.registry();
    let truth = scope.territory.truth();
    for transformer in &registry.transformers {
        let meters = meters_of(scope, transformer.id);
        let Some(quarters) =
            meters.first().and_then(|meter| stored.series.get(&(*meter, ChannelKind::Import)))
        else {
            continue;
        };
        let odd: Vec<MeterId> = meters.iter().filter(|meter| stored.odd.contains(meter)).copied().collect();
        if !odd.is_empty() && !scope.only_clocks_are_odd() {
            // Somebody behind it steals, or a meter stands still: it cannot add up.
            continue;
        }
        // Each register keeps less than a watt-hour to itself, each way, at either end.
        let kept_mwh = 2000 * i64::try_from(meters.len()).unwrap_or(i64::MAX / 2000);
        let mut stretch = Stretch::default();
        for start in quarters.keys() {
            let net: Option<i64> = meters.iter().map(|meter| net(stored, *meter, *start)).sum();
            let (Some(net), Some(iron)) = (net, truth.transformer(transformer.id, *start)) else {
                stretch = Stretch::default();
                continue;
            };
            tally.transformer_quarters += 1;
            stretch.quarters += 1;
            stretch.unexplained_mwh += iron.taken_mwh - iron.losses_mwh - net * 1000;
            let moving: i64 =
                odd.iter().map(|meter| gross(stored, *meter, *start) * 1000 * SHIFT_PERCENT / 100).sum();
            stretch.shifted_mwh = stretch.shifted_mwh.max(moving);
            if stretch.unexplained_mwh.abs() > kept_mwh + 2 * stretch.shifted_mwh {
                violations.push(format!(
                    "transformer {}: in {} quarter hours up to {start} it took {} mWh more than its losses and what \
                     its {} meters say",
                    transformer.name,
                    stretch.quarters,
                    stretch.unexplained_mwh,
                    meters.len()
                ));
                break;
            }
            if odd.is_empty() {
                stretch = Stretch::default();
            }
        }
    }
    let all_can_be_known = scope.only_clocks_are_odd() && scope.dead_radios() == 0;
    if all_can_be_known && tally.transformer_quarters == 0 {
        violations.push("not a single quarter hour of a transformer could be compared".to_owned());
    }
}

fn meters_of(scope: &Scope<'_>, transformer: TransformerId) -> Vec<MeterId> {
    let registry = scope.territory.registry();
    let fed = |meter: &&territory::MeterEntry| {
        registry
            .service_points
            .iter()
            .any(|point| point.id == meter.service_point && point.transformer == Some(transformer))
    };
    registry.meters.iter().filter(fed).map(|meter| meter.id).collect()
}

fn value(stored: &Stored, meter: MeterId, kind: ChannelKind, start: Timestamp) -> Option<i64> {
    let cell = stored.series.get(&(meter, kind))?.get(&start)?;
    let known = cell.quality.is_read() || cell.quality.class() == QualityClass::DerivedZero;
    known.then_some(cell.value)
}

/// What a meter took less what it gave back, Wh; `None` unless both are known.
fn net(stored: &Stored, meter: MeterId, start: Timestamp) -> Option<i64> {
    let value = |kind| value(stored, meter, kind, start);
    Some(value(ChannelKind::Import)? - value(ChannelKind::Export)?)
}

/// All that moved through a meter, either way, Wh.
fn gross(stored: &Stored, meter: MeterId, start: Timestamp) -> i64 {
    let value = |kind| value(stored, meter, kind, start).unwrap_or(0);
    value(ChannelKind::Import) + value(ChannelKind::Export)
}
