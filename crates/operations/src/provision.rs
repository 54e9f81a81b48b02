//! Master data into the store, in one transaction, with every key wrapped on the way.

use crate::keys::MasterKey;
use crate::load::{Kind, Known};
use crate::models;
use dlms::security::Key;
use jiff::Timestamp;
use meter::MeterModel;
use model::PremiseNumber;
use model::master::{self, MasterData};
use std::collections::BTreeMap;
use store::{
    NewCollector, NewCustomer, NewFeeder, NewMeter, NewPremise, NewRoute, NewServicePoint, NewTransformer,
    Position, Provision, ProvisionError, Provisioned, Store, StoreError,
};

/// The client address under which the head-end manages meters.
pub const MANAGEMENT_CLIENT: u16 = 1;
/// The logical device of a meter that it manages.
pub const MANAGEMENT_DEVICE: u16 = 1;
/// A transformer's rating where nobody gave one, VA.
const USUAL_RATING_VA: u32 = 50_000;

/// What a load may refer to: whatever the store has already, and the meter models of this version.
#[derive(Debug)]
pub struct InStore<'a>(pub &'a Store);

impl Known for InStore<'_> {
    fn has(&self, kind: Kind, name: &str) -> bool {
        let found = self.0.read(|read| {
            Ok::<_, StoreError>(match kind {
                Kind::Premises => read.premise_by_number(&PremiseNumber::new(name))?.is_some(),
                Kind::Customers => read.customer_by_account(name)?.is_some(),
                Kind::Transformers => read.transformers()?.iter().any(|transformer| transformer.name == name),
                Kind::Collectors => read.collectors()?.iter().any(|collector| collector.name == name),
                Kind::ServicePoints => read.service_point_by_number(name)?.is_some(),
                Kind::Meters | Kind::Keys => read.meter_by_serial(&model::Serial::new(name))?.is_some(),
            })
        });
        found.unwrap_or(false)
    }

    fn has_model(&self, model: &str) -> bool {
        MeterModel::builtin(model).is_some()
    }
}

/// Adds master data whole or not at all.
///
/// # Errors
/// [`ProvisionError`] with every row that does not fit.
pub fn provision(
    store: &Store,
    data: MasterData,
    key: &MasterKey,
    now: Timestamp,
) -> Result<Provisioned, ProvisionError> {
    let all = convert(data, key, now);
    store.write(|write| write.provision(&all))
}

/// Master data as the store takes it.
pub fn convert(data: MasterData, key: &MasterKey, now: Timestamp) -> Provision {
    let MasterData { premises, customers, transformers, collectors, service_points, meters } = data;
    let begins: BTreeMap<&str, &str> =
        transformers.iter().filter_map(|iron| Some((&*iron.feeder, iron.substation.as_deref()?))).collect();
    let feeder = |(name, substation): (&str, &str)| NewFeeder {
        name: name.to_owned(),
        substation: substation.to_owned(),
    };
    let feeders = begins.into_iter().map(feeder).collect();
    Provision {
        premises: premises
            .into_iter()
            .map(|premise| NewPremise {
                number: premise.number,
                address: premise.address,
                town: premise.city,
                position: premise.position.map(|(lat_e6, lon_e6)| Position { lat_e6, lon_e6 }),
            })
            .collect(),
        customers: customers
            .into_iter()
            .map(|customer| NewCustomer {
                account: customer.number,
                name: customer.name,
                email: customer.email,
            })
            .collect(),
        transformers: transformers
            .into_iter()
            .map(|transformer| NewTransformer {
                name: transformer.name,
                feeder: transformer.feeder,
                rating_va: transformer.rating_kva.map_or(USUAL_RATING_VA, |kva| kva.saturating_mul(1000)),
                position: None,
            })
            .collect(),
        feeders,
        collectors: collectors
            .into_iter()
            .map(|collector| NewCollector {
                name: collector.name,
                endpoint: collector.endpoint,
                technology: collector.technology.name().to_owned(),
                network_id: 0,
                max_concurrent: u16::try_from(collector.max_concurrent).unwrap_or(u16::MAX),
                position: None,
            })
            .collect(),
        service_points: service_points
            .into_iter()
            .map(|point| NewServicePoint {
                number: point.number,
                premise: point.premise,
                account: point.customer,
                transformer: point.transformer,
                commodity: point.commodity,
                supply: point.supply,
                rate_class: point.rate_class,
            })
            .collect(),
        meters: meters.into_iter().map(|meter| new_meter(meter, key, now)).collect(),
    }
}

fn new_meter(meter: master::Meter, key: &MasterKey, now: Timestamp) -> NewMeter {
    let model = MeterModel::builtin(&meter.model);
    let wrapped = |role: &str, bytes| (role.to_owned(), key.wrap(&Key::new(bytes)));
    NewMeter {
        commodity: model.as_ref().map_or(model::Commodity::Electricity, |model| model.commodity),
        channels: model.map(|model| models::channels(&model)).unwrap_or_default(),
        serial: meter.serial,
        model: meter.model,
        service_point: Some(meter.service_point).filter(|number| !number.is_empty()),
        route: match meter.route {
            master::Route::Direct(endpoint) => NewRoute::Direct { endpoint },
            master::Route::Behind(collector, address) => NewRoute::Behind { collector, address },
        },
        system_title: meter.system_title,
        client_sap: MANAGEMENT_CLIENT,
        server_sap: MANAGEMENT_DEVICE,
        security: "hls5".to_owned(),
        // One that took another's place is there since then, whenever it is told.
        installed_at: meter.metering.fitted.unwrap_or(now).min(now),
        metering: meter.metering,
        keys: vec![wrapped("guek", meter.encryption_key), wrapped("gak", meter.authentication_key)],
    }
}
