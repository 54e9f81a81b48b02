//! Master data as the files that `parse` takes.

use super::file::Kind;
use core::fmt::Write;
use model::Commodity;
use model::master::{self, MasterData, Route};

/// The files of a utility: names and texts, one a kind. The last one holds keys in the clear: keep it private.
pub fn files(data: &MasterData) -> Vec<(String, String)> {
    Kind::ALL
        .into_iter()
        .map(|kind| {
            let mut text: String =
                kind.columns().iter().map(|column| column.name).collect::<Vec<_>>().join(",");
            text.push('\n');
            for row in rows(kind, data) {
                let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
                text.push_str(&cells.join(","));
                text.push('\n');
            }
            (format!("{}.csv", kind.name()), text)
        })
        .collect()
}

/// A cell as RFC 4180 wants it.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// Millionths of a degree in decimal degrees.
fn degrees(micro: i32) -> String {
    let sign = if micro < 0 { "-" } else { "" };
    format!("{sign}{}.{:06}", micro.unsigned_abs() / 1_000_000, micro.unsigned_abs() % 1_000_000)
}

const fn commodity(commodity: Commodity) -> &'static str {
    match commodity {
        Commodity::Electricity => "electricity",
        Commodity::Gas => "gas",
        Commodity::Water => "water",
    }
}

/// The rows of a kind, cells in the order of its columns.
fn rows(kind: Kind, data: &MasterData) -> Vec<Vec<String>> {
    match kind {
        Kind::Premises => data.premises.iter().map(premise).collect(),
        Kind::Customers => data.customers.iter().map(customer).collect(),
        Kind::Transformers => data.transformers.iter().map(transformer).collect(),
        Kind::Collectors => data.collectors.iter().map(collector).collect(),
        Kind::ServicePoints => data.service_points.iter().map(service_point).collect(),
        Kind::Meters => data.meters.iter().map(meter).collect(),
        Kind::Keys => data.meters.iter().map(keys).collect(),
    }
}

fn premise(premise: &master::Premise) -> Vec<String> {
    let (latitude, longitude) =
        premise.position.map_or_else(Default::default, |(north, east)| (degrees(north), degrees(east)));
    vec![premise.number.to_string(), premise.address.clone(), premise.city.clone(), latitude, longitude]
}

fn customer(customer: &master::Customer) -> Vec<String> {
    vec![customer.number.clone(), customer.name.clone(), customer.email.clone().unwrap_or_default()]
}

fn transformer(iron: &master::Transformer) -> Vec<String> {
    let rating = iron.rating_kva.map_or_else(String::new, |kva| kva.to_string());
    vec![iron.name.clone(), iron.feeder.clone(), iron.substation.clone().unwrap_or_default(), rating]
}

fn collector(collector: &master::Collector) -> Vec<String> {
    let technology = collector.technology.name().to_owned();
    vec![collector.name.clone(), collector.endpoint.clone(), technology, collector.max_concurrent.to_string()]
}

fn service_point(point: &master::ServicePoint) -> Vec<String> {
    vec![
        point.number.clone(),
        point.premise.to_string(),
        point.customer.clone().unwrap_or_default(),
        commodity(point.commodity).to_owned(),
        point.transformer.clone().unwrap_or_default(),
        point.supply.class.name().to_owned(),
        number(point.supply.amps),
        number(point.supply.volts),
        number(point.supply.phases.map(u32::from)),
        number(point.supply.generation_w),
        point.rate_class.clone().unwrap_or_default(),
    ]
}

fn meter(meter: &master::Meter) -> Vec<String> {
    let (collector, address, endpoint) = match &meter.route {
        Route::Behind(collector, address) => (collector.clone(), address.to_string(), String::new()),
        Route::Direct(endpoint) => (String::new(), String::new(), endpoint.clone()),
    };
    vec![
        meter.serial.to_string(),
        meter.service_point.clone(),
        meter.model.clone(),
        hex(&meter.system_title),
        collector,
        address,
        endpoint,
        meter.metering.multiplier.to_string(),
        number(meter.metering.dials.map(u32::from)),
        meter.metering.check_of.as_ref().map(ToString::to_string).unwrap_or_default(),
        meter.metering.fitted.map(|at| at.to_string()).unwrap_or_default(),
        meter.metering.replaces.as_ref().map(ToString::to_string).unwrap_or_default(),
    ]
}

fn number(number: Option<u32>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}

fn keys(meter: &master::Meter) -> Vec<String> {
    vec![meter.serial.to_string(), hex(&meter.encryption_key), hex(&meter.authentication_key)]
}
