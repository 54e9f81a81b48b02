//! Energy at each transformer against its meters and its losses.

use super::{Scope, Stored};
use crate::report::Tally;
use jiff::Timestamp;
use model::{ChannelKind, MeterId, TransformerId};

/// In every quarter hour of which all was read, what the transformer took is what its meters say, and losses.
pub(super) fn compare(scope: &Scope<'_>, stored: &Stored, tally: &mut Tally, violations: &mut Vec<String>) {
    let registry = scope.territory.registry();
    let truth = scope.territory.truth();
    for transformer in &registry.transformers {
        let meters = meters_of(scope, transformer.id);
        if meters.is_empty() || meters.iter().any(|meter| stored.odd.contains(meter)) {
            continue;
        }
        let Some(quarters) =
            meters.first().and_then(|meter| stored.series.get(&(*meter, ChannelKind::Import)))
        else {
            continue;
        };
        for start in quarters.keys() {
            let net: Option<i64> = meters.iter().map(|meter| net(stored, *meter, *start)).sum();
            let (Some(net), Some(iron)) = (net, truth.transformer(transformer.id, *start)) else { continue };
            tally.transformer_quarters += 1;
            let unexplained = iron.taken_mwh - iron.losses_mwh - net * 1000;
            // Each register keeps less than a watt-hour to itself, each way, at either end.
            let most = 2000 * i64::try_from(meters.len()).unwrap_or(i64::MAX / 2000);
            if unexplained.abs() > most {
                violations.push(format!(
                    "transformer {}, {start}: it took {} mWh and lost {} mWh, its {} meters say {net} Wh",
                    transformer.name,
                    iron.taken_mwh,
                    iron.losses_mwh,
                    meters.len()
                ));
                break;
            }
        }
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

/// What a meter took less what it gave back; `None` unless both were read whole.
fn net(stored: &Stored, meter: MeterId, start: Timestamp) -> Option<i64> {
    let value = |kind| {
        let cell = stored.series.get(&(meter, kind))?.get(&start)?;
        cell.quality.is_read().then_some(cell.value)
    };
    Some(value(ChannelKind::Import)? - value(ChannelKind::Export)?)
}
