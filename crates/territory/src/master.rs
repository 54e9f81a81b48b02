//! The registry as master data: what a utility would load before it can read these meters.

use crate::daylight::place_e6;
use crate::registry::{MeterRoute, Registry, ServicePoint};
use field::Technology;
use model::master::{self, MasterData};
use model::{CollectorId, Commodity, MeterId};
use std::collections::BTreeMap;

/// Where the doors of a territory are: `host:port` of every collector and of every meter with a line of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doors {
    /// Of collectors.
    pub collectors: BTreeMap<CollectorId, String>,
    /// Of direct meters.
    pub meters: BTreeMap<MeterId, String>,
}

impl Registry {
    /// Everything that a utility knows, by its own numbers and names. Meters without a door are left out.
    ///
    /// Lists keep the order of the registry, so a store that was empty gives out the same ids.
    pub fn master_data(&self, doors: &Doors) -> MasterData {
        let name_of = |id: CollectorId| {
            let found = self.collectors.iter().find(|collector| collector.id == id);
            found.map_or_else(|| id.to_string(), |collector| collector.name.clone())
        };
        let origin = jiff::tz::TimeZone::get(&self.zone).map_or((0, 0), |zone| place_e6(&zone));
        MasterData {
            premises: self
                .premises
                .iter()
                .map(|premise| master::Premise {
                    number: premise.number.clone(),
                    address: premise.address.clone(),
                    city: premise.locality.clone(),
                    position: Some(degrees_e6(origin, premise.position)),
                })
                .collect(),
            customers: self
                .customers
                .iter()
                .map(|customer| master::Customer {
                    number: customer.number.clone(),
                    name: customer.name.clone(),
                    email: None,
                })
                .collect(),
            transformers: self
                .transformers
                .iter()
                .map(|transformer| master::Transformer {
                    name: transformer.name.clone(),
                    feeder: format!("F-{}", transformer.feeder),
                    substation: Some(substation(transformer.feeder).to_owned()),
                    rating_kva: Some(transformer.rated_kva),
                })
                .collect(),
            collectors: self
                .collectors
                .iter()
                .map(|collector| master::Collector {
                    name: collector.name.clone(),
                    endpoint: doors.collectors.get(&collector.id).cloned().unwrap_or_default(),
                    technology: technology(collector.technology),
                    max_concurrent: 16,
                })
                .collect(),
            service_points: self.service_points(),
            meters: self
                .meters
                .iter()
                .filter_map(|meter| {
                    Some(master::Meter {
                        serial: meter.serial.clone(),
                        service_point: service_point_number(meter.service_point.get()),
                        model: meter.model.clone(),
                        system_title: meter.system_title,
                        route: match meter.route {
                            MeterRoute::Behind { collector, address } => {
                                master::Route::Behind(name_of(collector), address)
                            }
                            MeterRoute::Direct => master::Route::Direct(doors.meters.get(&meter.id)?.clone()),
                        },
                        encryption_key: meter.keys.encryption,
                        authentication_key: meter.keys.authentication,
                        metering: master::Metering::default(),
                    })
                })
                .collect(),
        }
    }

    fn service_points(&self) -> Vec<master::ServicePoint> {
        let premises: BTreeMap<_, _> = self.premises.iter().map(|premise| (premise.id, premise)).collect();
        let customers: BTreeMap<_, _> =
            self.customers.iter().map(|customer| (customer.id, customer)).collect();
        let transformers: BTreeMap<_, _> = self.transformers.iter().map(|iron| (iron.id, iron)).collect();
        let points = self.service_points.iter();
        points
            .filter_map(|point| {
                Some(master::ServicePoint {
                    number: service_point_number(point.id.get()),
                    premise: premises.get(&point.premise)?.number.clone(),
                    customer: customers.get(&point.customer).map(|customer| customer.number.clone()),
                    commodity: point.commodity,
                    transformer: point
                        .transformer
                        .and_then(|id| transformers.get(&id))
                        .map(|iron| iron.name.clone()),
                    supply: supply(point),
                    rate_class: Some(rate_class(point).to_owned()),
                })
            })
            .collect()
    }
}

/// What the utility has on file: a home's service, and the panels that were registered.
fn supply(point: &ServicePoint) -> master::Supply {
    match point.commodity {
        Commodity::Electricity => master::Supply {
            amps: Some(100),
            volts: Some(230),
            phases: Some(1),
            generation_w: point.solar.then_some(5000),
            ..master::Supply::default()
        },
        Commodity::Gas | Commodity::Water => master::Supply::default(),
    }
}

/// Where a feeder begins.
const fn substation(feeder: u32) -> &'static str {
    if feeder.is_multiple_of(2) { "West" } else { "East" }
}

/// Who has panels pays by the net.
const fn rate_class(point: &ServicePoint) -> &'static str {
    match (point.commodity, point.solar) {
        (Commodity::Electricity, true) => "R-NET",
        (Commodity::Electricity, false) => "R-1",
        (Commodity::Gas, _) => "G-1",
        (Commodity::Water, _) => "W-1",
    }
}

fn service_point_number(id: u32) -> String {
    format!("S-{:06}", 300_000 + id)
}

const fn technology(technology: Technology) -> master::Technology {
    match technology {
        Technology::Mesh | Technology::Ideal => master::Technology::Mesh,
        Technology::Plc => master::Technology::Plc,
        Technology::Cellular => master::Technology::Cellular,
        Technology::Broadband => master::Technology::Broadband,
    }
}

/// A metre is about nine millionths of a degree north, and eleven east at this latitude.
const fn degrees_e6((north, east): (i32, i32), position: field::Position) -> (i32, i32) {
    (north + position.north_m * 9, east + position.east_m * 11)
}
