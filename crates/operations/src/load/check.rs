//! From rows to master data: every cell, every reference, every number that must be unique.

use super::file::{Kind, Row, Table};
use super::{Fault, Known};
use model::master::{
    Collector, Customer, MasterData, Meter, Metering, Premise, Route, ServicePoint, Supply, Technology,
    Transformer,
};
use model::{Commodity, CustomerClass, PremiseNumber, Serial};
use std::collections::{BTreeMap, BTreeSet};

/// Collects faults of one row and what the row could not say.
struct Check<'a> {
    faults: &'a mut Vec<Fault>,
    file: &'a str,
    line: u64,
}

impl Check<'_> {
    fn fault(&mut self, why: String) {
        self.faults.push(Fault { file: self.file.to_owned(), line: self.line, why });
    }

    fn bytes<const N: usize>(&mut self, row: &Row, column: &str) -> Option<[u8; N]> {
        let text = row.text(column);
        if text.is_empty() {
            return None;
        }
        let digits: Option<Vec<u8>> = (text.len() == 2 * N && text.is_ascii())
            .then(|| (0..N).map(|i| u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()).collect())
            .flatten();
        let bytes = digits.and_then(|digits| digits.try_into().ok());
        if bytes.is_none() {
            // The text itself may be a key, so it is not repeated.
            self.fault(format!("`{column}` is not {} hexadecimal digits", 2 * N));
        }
        bytes
    }

    fn number(&mut self, row: &Row, column: &str) -> Option<u32> {
        let text = row.optional(column)?;
        let number = text.parse().ok();
        if number.is_none() {
            self.fault(format!("`{column}` is `{text}`, not a whole number"));
        }
        number
    }

    /// Millionths of a degree.
    fn degrees(&mut self, row: &Row, column: &str, most: i32) -> Option<i32> {
        let text = row.optional(column)?;
        let micro = micro_degrees(text).filter(|micro| micro.abs() <= most * 1_000_000);
        if micro.is_none() {
            self.fault(format!("`{column}` is `{text}`, not decimal degrees from -{most} to {most}"));
        }
        micro
    }
}

/// `-117.435` as millionths, exactly; further digits are cut.
fn micro_degrees(text: &str) -> Option<i32> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let padded: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let whole: i32 = whole.parse().ok().filter(|whole| (0..=180).contains(whole))?;
    Some(sign * (whole * 1_000_000 + padded.parse::<i32>().ok()?))
}

/// Names given in the files, by kind, with the first place of each.
struct Names<'a> {
    known: &'a dyn Known,
    given: BTreeMap<Kind, BTreeSet<String>>,
}

impl Names<'_> {
    fn has(&self, kind: Kind, name: &str) -> bool {
        self.given.get(&kind).is_some_and(|names| names.contains(name)) || self.known.has(kind, name)
    }

    /// A reference that must exist.
    fn refer(&self, check: &mut Check<'_>, kind: Kind, name: &str, column: &str) {
        if !name.is_empty() && !self.has(kind, name) {
            check.fault(format!(
                "`{column}` is `{name}`, which no row of the {} files names and the store does not know",
                kind.name()
            ));
        }
    }
}

const fn key_column(kind: Kind) -> &'static str {
    match kind {
        Kind::Premises => "premise",
        Kind::Customers => "customer",
        Kind::Transformers => "transformer",
        Kind::Collectors => "collector",
        Kind::ServicePoints => "service_point",
        Kind::Meters | Kind::Keys => "serial",
    }
}

/// Names must be given once, in the files and in the store.
fn names<'a>(tables: &[Table], known: &'a dyn Known, faults: &mut Vec<Fault>) -> Names<'a> {
    let mut given: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
    for table in tables {
        let column = key_column(table.kind);
        for row in &table.rows {
            let name = row.text(column);
            let mut check = Check { faults, file: &table.file, line: row.line };
            if !name.is_empty() && !given.entry(table.kind).or_default().insert(name.to_owned()) {
                check.fault(format!("`{column}` `{name}` stands twice; keep one row"));
            }
            if table.kind != Kind::Keys && known.has(table.kind, name) {
                check.fault(format!("`{column}` `{name}` is in the store already; leave the row out"));
            }
        }
    }
    Names { known, given }
}

/// Turns all tables into master data, adding what is wrong to `faults`.
pub(super) fn whole(tables: &[Table], known: &dyn Known, faults: &mut Vec<Fault>) -> MasterData {
    let names = names(tables, known, faults);
    let mut data = MasterData::default();
    let mut keys = keys(tables, &names, faults);
    for table in tables {
        for row in &table.rows {
            let mut check = Check { faults, file: &table.file, line: row.line };
            match table.kind {
                Kind::Premises => data.premises.push(premise(&mut check, row)),
                Kind::Customers => data.customers.push(Customer {
                    number: row.text("customer").to_owned(),
                    name: row.text("name").to_owned(),
                    email: row.optional("email").map(str::to_owned),
                }),
                Kind::Transformers => data.transformers.push(Transformer {
                    name: row.text("transformer").to_owned(),
                    feeder: row.text("feeder").to_owned(),
                    substation: row.optional("substation").map(str::to_owned),
                    rating_kva: check.number(row, "rating_kva"),
                }),
                Kind::Collectors => data.collectors.extend(collector(&mut check, row)),
                Kind::ServicePoints => data.service_points.extend(service_point(&mut check, row, &names)),
                Kind::Meters => data.meters.extend(meter(&mut check, row, &names, &mut keys)),
                Kind::Keys => {}
            }
        }
    }
    unique_addresses(tables, faults);
    one_substation(tables, faults);
    data
}

type Keys = BTreeMap<String, ([u8; 16], [u8; 16])>;

fn keys(tables: &[Table], names: &Names<'_>, faults: &mut Vec<Fault>) -> Keys {
    let mut keys = Keys::new();
    for table in tables.iter().filter(|table| table.kind == Kind::Keys) {
        for row in &table.rows {
            let mut check = Check { faults, file: &table.file, line: row.line };
            names.refer(&mut check, Kind::Meters, row.text("serial"), "serial");
            let pair = (check.bytes(row, "encryption_key"), check.bytes(row, "authentication_key"));
            if let (Some(encryption), Some(authentication)) = pair {
                keys.insert(row.text("serial").to_owned(), (encryption, authentication));
            }
        }
    }
    keys
}

fn premise(check: &mut Check<'_>, row: &Row) -> Premise {
    let latitude = check.degrees(row, "latitude_deg", 90);
    let longitude = check.degrees(row, "longitude_deg", 180);
    Premise {
        number: PremiseNumber::new(row.text("premise")),
        address: row.text("address").to_owned(),
        city: row.text("city").to_owned(),
        position: latitude.zip(longitude),
    }
}

fn is_endpoint(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

fn collector(check: &mut Check<'_>, row: &Row) -> Option<Collector> {
    let endpoint = row.text("endpoint");
    if !endpoint.is_empty() && !is_endpoint(endpoint) {
        check.fault(format!("`endpoint` is `{endpoint}`, not host:port"));
    }
    let technology = Technology::from_name(row.text("technology"));
    if technology.is_none() {
        check.fault(format!(
            "`technology` is `{}`, not mesh, plc, cellular or broadband",
            row.text("technology")
        ));
    }
    Some(Collector {
        name: row.text("collector").to_owned(),
        endpoint: endpoint.to_owned(),
        technology: technology?,
        max_concurrent: check.number(row, "max_concurrent").unwrap_or(8).max(1),
    })
}

fn service_point(check: &mut Check<'_>, row: &Row, names: &Names<'_>) -> Option<ServicePoint> {
    names.refer(check, Kind::Premises, row.text("premise"), "premise");
    names.refer(check, Kind::Customers, row.text("customer"), "customer");
    names.refer(check, Kind::Transformers, row.text("transformer"), "transformer");
    let commodity = match row.text("commodity") {
        "electricity" => Some(Commodity::Electricity),
        "gas" => Some(Commodity::Gas),
        "water" => Some(Commodity::Water),
        other => {
            check.fault(format!("`commodity` is `{other}`, not electricity, gas or water"));
            None
        }
    };
    Some(ServicePoint {
        number: row.text("service_point").to_owned(),
        premise: PremiseNumber::new(row.text("premise")),
        customer: row.optional("customer").map(str::to_owned),
        commodity: commodity?,
        transformer: row.optional("transformer").map(str::to_owned),
        supply: supply(check, row),
        rate_class: row.optional("rate_class").map(str::to_owned),
    })
}

fn supply(check: &mut Check<'_>, row: &Row) -> Supply {
    let class = row.optional("class").map_or(Some(CustomerClass::Residential), CustomerClass::from_name);
    if class.is_none() {
        let names: Vec<_> = CustomerClass::ALL.iter().map(|class| class.name()).collect();
        check.fault(format!("`class` is `{}`, not one of {}", row.text("class"), names.join(", ")));
    }
    let phases = check.number(row, "phases");
    if phases.is_some_and(|phases| !(1..=3).contains(&phases)) {
        check.fault(format!("`phases` is `{}`, not from 1 to 3", row.text("phases")));
    }
    Supply {
        class: class.unwrap_or_default(),
        amps: check.number(row, "amps"),
        volts: check.number(row, "volts"),
        phases: phases.and_then(|phases| u8::try_from(phases).ok()),
        generation_w: check.number(row, "generation_w"),
    }
}

fn metering(check: &mut Check<'_>, row: &Row, names: &Names<'_>) -> Metering {
    names.refer(check, Kind::Meters, row.text("check_of"), "check_of");
    let multiplier = check.number(row, "multiplier");
    if multiplier == Some(0) {
        check.fault("`multiplier` is `0`, not a whole number from 1".to_owned());
    }
    let dials = check.number(row, "dials");
    if dials.is_some_and(|dials| !(3..=18).contains(&dials)) {
        check.fault(format!("`dials` is `{}`, not from 3 to 18", row.text("dials")));
    }
    names.refer(check, Kind::Meters, row.text("replaces"), "replaces");
    let fitted = row.optional("fitted").map(str::parse);
    if matches!(fitted, Some(Err(_))) {
        check.fault(format!(
            "`fitted` is `{}`, not an instant with its offset as 2026-03-01T10:30:00+01:00",
            row.text("fitted")
        ));
    }
    let fitted = fitted.and_then(Result::<jiff::Timestamp, _>::ok);
    if row.optional("replaces").is_some() && fitted.is_none() {
        check.fault("`replaces` needs `fitted`: the instant at which the meters were exchanged".to_owned());
    }
    Metering {
        multiplier: multiplier.unwrap_or(1),
        dials: dials.and_then(|dials| u8::try_from(dials).ok()),
        check_of: row.optional("check_of").map(Serial::new),
        fitted,
        replaces: row.optional("replaces").map(Serial::new),
    }
}

fn meter(check: &mut Check<'_>, row: &Row, names: &Names<'_>, keys: &mut Keys) -> Option<Meter> {
    names.refer(check, Kind::ServicePoints, row.text("service_point"), "service_point");
    names.refer(check, Kind::Collectors, row.text("collector"), "collector");
    let model = row.text("model");
    if !model.is_empty() && !names.known.has_model(model) {
        check.fault(format!(
            "`model` is `{model}`, which is no meter model; `wattle admin template --models` lists them"
        ));
    }
    let address = check.number(row, "address");
    let route = match (row.optional("collector"), address, row.optional("endpoint")) {
        (Some(collector), Some(address), None) => Some(Route::Behind(collector.to_owned(), address)),
        (None, None, Some(endpoint)) if is_endpoint(endpoint) => Some(Route::Direct(endpoint.to_owned())),
        _ => {
            check.fault("needs either `collector` and `address`, or `endpoint` as host:port".to_owned());
            None
        }
    };
    let metering = metering(check, row, names);
    let system_title = check.bytes(row, "system_title");
    let serial = row.text("serial");
    let pair = keys.remove(serial);
    if pair.is_none() && !serial.is_empty() {
        check.fault(format!("meter `{serial}` has no row in a keys file; without keys it cannot be read"));
    }
    let (encryption_key, authentication_key) = pair?;
    Some(Meter {
        serial: Serial::new(serial),
        service_point: row.text("service_point").to_owned(),
        model: model.to_owned(),
        system_title: system_title?,
        route: route?,
        encryption_key,
        authentication_key,
        metering,
    })
}

/// A feeder begins at one substation.
fn one_substation(tables: &[Table], faults: &mut Vec<Fault>) {
    let mut begins: BTreeMap<&str, &str> = BTreeMap::new();
    for table in tables.iter().filter(|table| table.kind == Kind::Transformers) {
        for row in &table.rows {
            let Some(substation) = row.optional("substation") else { continue };
            let feeder = row.text("feeder");
            let first = *begins.entry(feeder).or_insert(substation);
            if first != substation {
                let mut check = Check { faults, file: &table.file, line: row.line };
                check.fault(format!(
                    "`substation` is `{substation}`, but feeder `{feeder}` begins at `{first}` on an earlier row"
                ));
            }
        }
    }
}

/// Two meters cannot share a system title, nor an address behind one collector.
fn unique_addresses(tables: &[Table], faults: &mut Vec<Fault>) {
    let mut titles = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    for table in tables.iter().filter(|table| table.kind == Kind::Meters) {
        for row in &table.rows {
            let mut check = Check { faults, file: &table.file, line: row.line };
            let title = row.text("system_title").to_ascii_uppercase();
            if !title.is_empty() && !titles.insert(title.clone()) {
                check.fault(format!("`system_title` {title} stands twice; it must be unique"));
            }
            let place = (row.text("collector"), row.text("address"));
            if !place.0.is_empty() && !addresses.insert(place) {
                check.fault(format!("address {} behind collector {} stands twice", place.1, place.0));
            }
        }
    }
}
