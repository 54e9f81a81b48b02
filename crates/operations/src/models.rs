//! What the head-end must know of a meter model, taken from the model files under `profiles/`.

use headend::{
    Column, EventColumn, EventLogFacts, IdentityFacts, InstantaneousFacts, ModelFacts, ProfileFacts,
    RegisterFacts,
};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use meter::{MeterModel, Quantity, Supply};
use model::{ChannelKind, Commodity, IntervalLength};
use std::collections::BTreeMap;

/// The facts of a model whose clocks show the local time of `zone`.
pub fn facts(model: &MeterModel, zone: &TimeZone) -> ModelFacts {
    let clock = model.load_profile.columns.iter().find(|column| column.shows == Quantity::Clock);
    ModelFacts {
        commodity: model.commodity,
        listens: match model.supply {
            Supply::Mains { .. } => None,
            Supply::Battery { awake_s, .. } => Some(SignedDuration::from_secs(i64::from(awake_s))),
        },
        zone: zone.clone(),
        deviation_inverted: model.quirks.deviation_east_positive,
        clock: clock.map_or(dlms::Obis::new(0, 0, 1, 0, 0, 255), |column| column.obis),
        profile: Some(ProfileFacts {
            object: model.load_profile.obis,
            interval: model.interval(),
            columns: model
                .load_profile
                .columns
                .iter()
                .map(|column| profile_column(column.shows, column.scaler, model.commodity))
                .collect(),
        }),
        registers: registers(model),
        instantaneous: instantaneous(model),
        events: Some(EventLogFacts {
            object: model.event_log.obis,
            columns: model.event_log.columns.iter().map(|shows| event_column(*shows)).collect(),
        }),
        identity: Some(IdentityFacts::STANDARD),
    }
}

/// The channels that meters of a model have, with the length of their intervals.
pub fn channels(model: &MeterModel) -> Vec<(ChannelKind, IntervalLength)> {
    let columns = model.load_profile.columns.iter();
    columns
        .filter_map(|column| channel(column.shows, model.commodity))
        .map(|kind| (kind, model.interval()))
        .collect()
}

/// What the rules should know of every meter model that comes with Wattle.
pub fn judged() -> BTreeMap<String, mdm::ModelFacts> {
    let models =
        MeterModel::builtin_names().filter_map(|name| Some((name.to_owned(), MeterModel::builtin(name)?)));
    models
        .map(|(name, model)| {
            let modulus = 10i64.checked_pow(u32::from(model.register_digits));
            let counter_bits = counter_bits(&model);
            (name, mdm::ModelFacts { modulus, resolution: 1, counter_bits, ..mdm::ModelFacts::default() })
        })
        .collect()
}

/// How wide the counters of intervals are on the wire; the widest where they differ.
fn counter_bits(model: &MeterModel) -> Option<u8> {
    let counted = model
        .load_profile
        .columns
        .iter()
        .filter(|column| channel(column.shows, model.commodity).is_some_and(ChannelKind::is_additive));
    counted.filter_map(|column| column.wire.counter_bits()).max()
}

/// The channel that a quantity of an interval belongs to.
const fn channel(shows: Quantity, commodity: Commodity) -> Option<ChannelKind> {
    Some(match (shows, commodity) {
        (Quantity::IntervalImport, _) => ChannelKind::Import,
        (Quantity::IntervalExport, _) => ChannelKind::Export,
        (Quantity::IntervalVoltage, _) => ChannelKind::Voltage,
        (Quantity::IntervalVolume, Commodity::Gas) => ChannelKind::Gas,
        (Quantity::IntervalVolume, Commodity::Water) => ChannelKind::Water,
        _ => return None,
    })
}

const fn profile_column(shows: Quantity, scaler: i8, commodity: Commodity) -> Column {
    match shows {
        Quantity::Clock => Column::Clock,
        Quantity::Status => Column::Status,
        _ => match channel(shows, commodity) {
            Some(kind) => Column::Channel { kind, scaler, unit: shows.base().0, cumulative: false },
            None => Column::Ignored,
        },
    }
}

const fn event_column(shows: Quantity) -> EventColumn {
    match shows {
        Quantity::Clock => EventColumn::Clock,
        Quantity::EventCode => EventColumn::Code,
        Quantity::EventNumber => EventColumn::Sequence,
        _ => EventColumn::Ignored,
    }
}

/// The channel and rate that a cumulative register counts.
const fn counted(shows: Quantity, commodity: Commodity) -> Option<(ChannelKind, u8)> {
    Some(match (shows, commodity) {
        (Quantity::Import, _) => (ChannelKind::Import, 0),
        (Quantity::ImportRate1, _) => (ChannelKind::Import, 1),
        (Quantity::ImportRate2, _) => (ChannelKind::Import, 2),
        (Quantity::ImportRate3, _) => (ChannelKind::Import, 3),
        (Quantity::ImportRate4, _) => (ChannelKind::Import, 4),
        (Quantity::Export, _) => (ChannelKind::Export, 0),
        (Quantity::ExportRate1, _) => (ChannelKind::Export, 1),
        (Quantity::ExportRate2, _) => (ChannelKind::Export, 2),
        (Quantity::ExportRate3, _) => (ChannelKind::Export, 3),
        (Quantity::ExportRate4, _) => (ChannelKind::Export, 4),
        (Quantity::Volume, Commodity::Gas) => (ChannelKind::Gas, 0),
        (Quantity::Volume, Commodity::Water) => (ChannelKind::Water, 0),
        _ => return None,
    })
}

fn registers(model: &MeterModel) -> Vec<RegisterFacts> {
    let all = model.registers.iter();
    all.filter_map(|register| {
        let (kind, tou) = counted(register.shows, model.commodity)?;
        Some(RegisterFacts {
            class: register.class,
            object: register.obis,
            kind,
            tou,
            scaler: register.scaler,
            unit: register.shows.base().0,
        })
    })
    .collect()
}

fn instantaneous(model: &MeterModel) -> Vec<InstantaneousFacts> {
    let all = model.registers.iter().filter(|register| matches!(register.class, 3 | 4));
    all.filter_map(|register| {
        let name = match register.shows {
            Quantity::Voltage => "Voltage",
            Quantity::Current => "Current",
            Quantity::ImportPower => "Power delivered",
            Quantity::ExportPower => "Power received",
            _ => return None,
        };
        Some(InstantaneousFacts {
            class: register.class,
            object: register.obis,
            name: name.to_owned(),
            scaler: register.scaler,
            unit: register.shows.base().0,
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_model_can_be_read() {
        for name in MeterModel::builtin_names() {
            let model = MeterModel::builtin(name).unwrap();
            let facts = facts(&model, &TimeZone::UTC);
            let profile = facts.profile.unwrap();
            assert!(profile.columns.contains(&Column::Clock), "{name}: no clock");
            assert!(profile.columns.contains(&Column::Status), "{name}: no status");
            assert!(!channels(&model).is_empty(), "{name}: no channel");
            for (kind, _) in channels(&model) {
                assert!(profile.has(kind));
                let counted =
                    facts.registers.iter().any(|register| register.kind == kind && register.tou == 0);
                assert_eq!(counted, kind.is_additive(), "{name}: total register of {}", kind.name());
            }
            let sequence = facts.events.is_some_and(|log| log.columns.contains(&EventColumn::Sequence));
            assert!(sequence, "{name}: events without a running number");
        }
    }
}
