//! Master data as the files that `parse` takes.

use super::file::Kind;
use core::fmt::Write;
use model::Commodity;
use model::master::{MasterData, Route};

/// The files of a utility: names and texts, one a kind. The last one holds keys in the clear: keep it private.
pub fn files(data: &MasterData) -> Vec<(String, String)> {
    Kind::ALL
        .into_iter()
        .map(|kind| {
            let mut text: String = kind.columns().iter().map(|column| column.name).collect::<Vec<_>>().join(",");
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
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
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
    let text = |option: &Option<String>| option.clone().unwrap_or_default();
    match kind {
        Kind::Premises => data.premises.iter().map(|premise| {
            let (latitude, longitude) =
                premise.position.map_or_else(Default::default, |(north, east)| (degrees(north), degrees(east)));
            vec![premise.number.to_string(), premise.address.clone(), premise.city.clone(), latitude, longitude]
        }).collect(),
        Kind::Customers => {
            let row = |c: &model::master::Customer| vec![c.number.clone(), c.name.clone(), text(&c.email)];
            data.customers.iter().map(row).collect()
        }
        Kind::Transformers => data.transformers.iter().map(|iron| {
            vec![iron.name.clone(), iron.feeder.clone(), iron.rating_kva.map_or_else(String::new, |kva| kva.to_string())]
        }).collect(),
        Kind::Collectors => data.collectors.iter().map(|collector| {
            let technology = collector.technology.name().to_owned();
            vec![collector.name.clone(), collector.endpoint.clone(), technology, collector.max_concurrent.to_string()]
        }).collect(),
        Kind::ServicePoints => data.service_points.iter().map(|point| {
            let commodity = commodity(point.commodity).to_owned();
            let premise = point.premise.to_string();
            vec![point.number.clone(), premise, text(&point.customer), commodity, text(&point.transformer)]
        }).collect(),
        Kind::Meters => data.meters.iter().map(|meter| {
            let (collector, address, endpoint) = match &meter.route {
                Route::Behind(collector, address) => (collector.clone(), address.to_string(), String::new()),
                Route::Direct(endpoint) => (String::new(), String::new(), endpoint.clone()),
            };
            let title = hex(&meter.system_title);
            let point = meter.service_point.clone();
            vec![meter.serial.to_string(), point, meter.model.clone(), title, collector, address, endpoint]
        }).collect(),
        Kind::Keys => data.meters.iter().map(|meter| {
            vec![meter.serial.to_string(), hex(&meter.encryption_key), hex(&meter.authentication_key)]
        }).collect(),
    }
}
