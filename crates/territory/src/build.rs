//! Turns a scenario and a seed into a living territory.

use crate::chance::{Purpose, around, below, bytes16, draw};
use crate::device::{Device, Fault, Models, Person};
use crate::layout::{self, Town};
use crate::loads::Load;
use crate::names;
use crate::registry::{
    CollectorEntry, Customer, MeterEntry, MeterKeys, MeterRoute, Premise, Registry, ServicePoint,
    TransformerEntry,
};
use crate::runtime::DirectLine;
use crate::scenario::{FaultKind, Scenario};
use crate::story::Happening;
use crate::territory::{BuildError, Territory, TerritoryStats};
use crate::world::{Iron, Site, World};
use field::{Collector, CollectorLimits, Network, Technology};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::{
    CollectorId, Commodity, CustomerId, EventKind, MeterId, PremiseId, PremiseNumber, Serial, ServicePointId,
    TransformerId,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const MOST_METERS: u32 = 1_000_000;
/// Addresses of meters in the field network begin here.
const FIRST_ADDRESS: u32 = 0x0100_0000;

/// Builds it.
pub(crate) fn territory(scenario: &Scenario, seed: u64, start: Timestamp) -> Result<Territory, BuildError> {
    if scenario.meters > MOST_METERS {
        return Err(BuildError::TooMany(scenario.meters));
    }
    let zone = TimeZone::get(&scenario.zone).map_err(|_| BuildError::Zone(scenario.zone.clone()))?;
    let models = Models::new()?;
    // What happens later is reckoned from here in whole seconds, as the meters reckon it.
    let start = Timestamp::from_second(start.as_second()).unwrap_or(start);
    let mut town = layout::town(scenario, seed);
    let network = network(scenario, &mut town, seed);
    let registry = registry(scenario, &town, &network, (seed, start));
    let world = world(scenario, &town, zone, seed);
    let mut territory = Territory {
        commodities: registry.meters.iter().map(|meter| meter.commodity).collect(),
        gaps: scenario.history_gap.clone(),
        flaws: crate::flaw::settle(&scenario.history_flaw, &registry, seed),
        since: start,
        begun: Vec::new(),
        devices: Vec::new(),
        faulty: Vec::new(),
        collectors: collectors(scenario, &registry),
        direct: BTreeMap::new(),
        by_address: BTreeMap::new(),
        agenda: BTreeMap::new(),
        next: 0,
        busy: BTreeSet::new(),
        dead_collectors: BTreeSet::new(),
        outgoing: VecDeque::new(),
        closing: VecDeque::new(),
        at: start,
        stats: TerritoryStats::default(),
        world,
        registry,
        network,
    };
    let faults = faults(scenario, &mut territory, start);
    install(scenario, &mut territory, &models, faults, start);
    territory.plan_story(scenario);
    Ok(territory)
}

fn address(site: usize) -> u32 {
    FIRST_ADDRESS + number(site)
}

/// Ids and numbers count from 1.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX - 1) + 1
}

/// The network of a town. A house that no collector hears gets a cellular meter, as a utility would do.
fn network(scenario: &Scenario, town: &mut Town, seed: u64) -> Network {
    let mut network = Network::new(seed);
    for (index, place) in town.collectors.iter().enumerate() {
        network.add_collector(CollectorId::new(number(index)), place.technology, place.position);
    }
    let count = town.collectors.len().max(1);
    for (site, house) in town.houses.iter().enumerate() {
        let home = scenario.network.ideal.then(|| CollectorId::new(number(site % count)));
        network.add_node(address(site), house.technology, house.position, home);
    }
    for (k, side) in town.sides.iter().enumerate() {
        let position = town.houses[side.house].position;
        let site = town.houses.len() + k;
        if scenario.network.ideal {
            network.add_node(
                address(site),
                Technology::Ideal,
                position,
                Some(CollectorId::new(number(site % count))),
            );
        } else {
            network.add_leaf(address(site), Technology::Mesh, position, None);
        }
    }
    network.set_duplication_per_mille(scenario.network.doubled_per_mille);
    // Evening on the western coast of America.
    network.set_noisiest_hour(3);
    network.build();
    if scenario.network.ideal {
        return network;
    }
    let sites = town.houses.len() + town.sides.len();
    let unheard: Vec<usize> = (0..sites)
        .filter(|site| town.houses.get(*site).is_none_or(|house| house.technology.has_collector()))
        .filter(|site| network.path(address(*site)).is_empty())
        .collect();
    for site in unheard {
        network.exchange_modem(address(site), Technology::Cellular);
        if let Some(house) = town.houses.get_mut(site) {
            house.technology = Technology::Cellular;
        }
    }
    network.build();
    network
}

fn world(scenario: &Scenario, town: &Town, zone: TimeZone, seed: u64) -> World {
    let houses =
        town.houses.iter().map(|house| Site { load: house.load, transformer: Some(house.transformer) });
    let sides = town.sides.iter().map(|side| Site { load: side.load, transformer: None });
    let mut irons: Vec<Iron> = town
        .transformers
        .iter()
        .map(|it| Iron { feeder: it.feeder, rated_kva: it.rated_kva, sites: Vec::new(), outages: Vec::new() })
        .collect();
    for (site, house) in town.houses.iter().enumerate() {
        irons[house.transformer].sites.push(site);
    }
    let place_e6 = crate::daylight::place_e6(&zone);
    World { seed, zone, place_e6, nominal_v: scenario.nominal_v, sites: houses.chain(sides).collect(), irons }
}

fn registry(
    scenario: &Scenario,
    town: &Town,
    network: &Network,
    (seed, start): (u64, Timestamp),
) -> Registry {
    let id = number;
    let premises = town.houses.iter().enumerate().map(|(index, house)| Premise {
        id: PremiseId::new(id(index)),
        number: PremiseNumber::new(format!("P{:06}", id(index))),
        address: house.address.clone(),
        locality: scenario.town.clone(),
        position: house.position,
    });
    let customers = (0..town.houses.len()).map(|index| Customer {
        id: CustomerId::new(id(index)),
        name: names::person(seed, u64::from(id(index))),
        number: format!("C{:06}", id(index)),
    });
    let solar = |load: Load| matches!(load, Load::Fontana { .. });
    let points = sites(town).enumerate().map(|(index, (house, load, commodity))| ServicePoint {
        id: ServicePointId::new(id(index)),
        premise: PremiseId::new(id(house)),
        customer: CustomerId::new(id(house)),
        commodity,
        transformer: (commodity == Commodity::Electricity)
            .then(|| TransformerId::new(id(town.houses[house].transformer))),
        solar: solar(load),
    });
    let collectors = town.collectors.iter().enumerate().map(|(index, place)| CollectorEntry {
        id: CollectorId::new(id(index)),
        name: collector_name(place.technology, index),
        technology: place.technology,
        position: place.position,
    });
    let transformers = town.transformers.iter().enumerate().map(|(index, it)| TransformerEntry {
        id: TransformerId::new(id(index)),
        name: format!("T{:04}", id(index)),
        feeder: it.feeder,
        rated_kva: it.rated_kva,
        position: it.position,
    });
    Registry {
        utility: scenario.utility.clone(),
        zone: scenario.zone.clone(),
        nominal_v: scenario.nominal_v,
        premises: premises.collect(),
        customers: customers.collect(),
        service_points: points.collect(),
        meters: sites(town)
            .enumerate()
            .map(|(index, (house, _, commodity))| {
                meter(town, network, (index, house, commodity), (seed, start))
            })
            .collect(),
        collectors: collectors.collect(),
        transformers: transformers.collect(),
        demo_customer: CustomerId::new(1),
    }
}

/// Every place where a meter measures: its house, its load and what is delivered.
fn sites(town: &Town) -> impl Iterator<Item = (usize, Load, Commodity)> + '_ {
    let houses = town.houses.iter().enumerate().map(|(house, it)| (house, it.load, Commodity::Electricity));
    let sides = town.sides.iter().map(|side| {
        let water = matches!(side.load, Load::Water { .. });
        (side.house, side.load, if water { Commodity::Water } else { Commodity::Gas })
    });
    houses.chain(sides)
}

fn collector_name(technology: Technology, index: usize) -> String {
    let kind = match technology {
        Technology::Plc => "Substation",
        _ => "Mast",
    };
    format!("{kind} {}", number(index))
}

fn meter(
    town: &Town,
    network: &Network,
    (site, house, commodity): (usize, usize, Commodity),
    (seed, start): (u64, Timestamp),
) -> MeterEntry {
    let id = number(site);
    let collector = network.laid_collector_of(address(site));
    let route = collector
        .map_or(MeterRoute::Direct, |collector| MeterRoute::Behind { collector, address: address(site) });
    let technology = network.technology_of(address(site)).unwrap_or(Technology::Cellular);
    let (letter, kind, model) = match commodity {
        Commodity::Electricity if technology.has_collector() => ('E', 1, "electricity"),
        Commodity::Electricity => ('E', 1, "electricity-push"),
        Commodity::Gas => ('G', 3, "gas"),
        Commodity::Water => ('W', 4, "water"),
    };
    let [a, b, c, d] = id.to_be_bytes();
    let index = u64::from(id) * 4;
    let days_ago = 400 + i64::try_from(below(seed, Purpose::Meter, u64::from(id), 1600)).unwrap_or(0);
    MeterEntry {
        id: MeterId::new(id),
        serial: Serial::new(format!("WT{letter}{id:07}")),
        service_point: ServicePointId::new(id),
        commodity,
        model: model.to_owned(),
        technology,
        route,
        system_title: [b'W', b'T', b'L', kind, a, b, c, d],
        keys: MeterKeys {
            encryption: bytes16(seed, Purpose::Keys, index),
            authentication: bytes16(seed, Purpose::Keys, index + 1),
            master: bytes16(seed, Purpose::Keys, index + 2),
            password: bytes16(seed, Purpose::Keys, index + 3).map(|byte| b'A' + byte % 26),
        },
        installed_at: start - SignedDuration::from_hours(24 * days_ago),
        position: town.houses[house].position,
    }
}

fn collectors(scenario: &Scenario, registry: &Registry) -> Vec<Collector> {
    let mut members = vec![BTreeSet::new(); registry.collectors.len()];
    for meter in &registry.meters {
        if let MeterRoute::Behind { collector, address } = meter.route {
            let index = usize::try_from(collector.get()).unwrap_or(1) - 1;
            members[index].insert(address);
        }
    }
    let limits = CollectorLimits { open: scenario.network.open_exchanges, ..CollectorLimits::default() };
    let limits = CollectorLimits { waiting: limits.waiting.max(registry.meters.len()), ..limits };
    let ids = registry.collectors.iter().map(|entry| entry.id);
    ids.zip(members).map(|(id, members)| Collector::new(id, members, limits)).collect()
}

/// Which meters misbehave: the demo customer's never does.
fn faults(scenario: &Scenario, territory: &mut Territory, start: Timestamp) -> BTreeMap<usize, Vec<Fault>> {
    let electric =
        territory.commodities.iter().filter(|commodity| **commodity == Commodity::Electricity).count();
    let mut faults: BTreeMap<usize, Vec<Fault>> = BTreeMap::new();
    let (seed, mut lot) = (territory.world.seed, 0);
    for plan in &scenario.fault {
        for _ in 0..plan.count.min(number(electric)) {
            lot += 1;
            let site = 1 + below(seed, Purpose::Fault, lot, electric.saturating_sub(1));
            if site >= electric {
                continue;
            }
            // Not all in the same minute.
            let at = plan.after_minutes.map_or(start, |minutes| {
                let later = i64::from(minutes) * 60 + around(seed, Purpose::Fault, lot + 10_000, 20) + 20;
                start + SignedDuration::from_secs(later)
            });
            territory.faulty.push((territory.registry.meters[site].id, plan.kind, at));
            match meter_fault(plan.kind, at) {
                Ok(fault) => {
                    faults.entry(site).or_default().push(fault);
                    territory.plan(at + SignedDuration::from_secs(1), Happening::Wake(site));
                }
                Err(minutes) => {
                    territory.plan(at, Happening::Radio(site, false));
                    if let Some(minutes) = minutes {
                        let end = at + SignedDuration::from_mins(i64::from(minutes));
                        territory.plan(end, Happening::Radio(site, true));
                    }
                }
            }
        }
    }
    faults
}

/// The meter's own word for a fault that begins at `at`; of a dead radio, which is the network's, its minutes.
fn meter_fault(kind: FaultKind, at: Timestamp) -> Result<Fault, Option<u32>> {
    Ok(match kind {
        FaultKind::ClockDrift { ppm } => Fault::ClockDrift { ppm },
        FaultKind::Reboot => Fault::Reboot { at },
        FaultKind::StuckRegister => Fault::StuckRegister { from: at },
        FaultKind::CoverOpened => Fault::Tamper { at, kind: EventKind::CoverOpened },
        FaultKind::Magnet => Fault::Tamper { at, kind: EventKind::MagneticTamper },
        FaultKind::Theft { recorded_per_mille } => {
            let percent = u8::try_from(recorded_per_mille / 10).unwrap_or(100);
            Fault::Theft { from: at, measured_percent: percent.min(100) }
        }
        FaultKind::ReplayedCounter => Fault::ReplayedCounter { at },
        FaultKind::WrongScaler => Fault::WrongScaler { by: 1 },
        FaultKind::DeadRadio { minutes } => return Err(minutes),
    })
}

fn install(
    scenario: &Scenario,
    territory: &mut Territory,
    models: &Models,
    mut faults: BTreeMap<usize, Vec<Fault>>,
    start: Timestamp,
) {
    let since = territory
        .world
        .quarter(start - SignedDuration::from_hours(24 * i64::from(scenario.history_days)))
        .start;
    territory.since = since;
    for site in 0..territory.registry.meters.len() {
        let entry = &territory.registry.meters[site];
        let seed = draw(territory.world.seed, Purpose::Meter, u64::from(entry.id.get()) + 1_000_000);
        let begun = begun(territory, site, seed, start);
        territory.begun.push(begun);
        let person = Person {
            address: address(site),
            entry,
            zone: &territory.world.zone,
            seed,
            faults: faults.remove(&site).unwrap_or_default(),
            since,
            begun,
        };
        let mut device = Device::new(models, person);
        if device.pushes_by_itself() {
            // What it told before the start was told then.
            device.advance(&territory.world, site, start);
            while device.poll_push(start).is_some() {}
        }
        territory.by_address.insert(address(site), site);
        if entry.route == MeterRoute::Direct {
            territory.direct.insert(site, DirectLine::default());
        }
        territory.devices.push(device);
        if territory.devices[site].pushes_by_itself() {
            territory.plan(start, Happening::Wake(site));
        }
    }
}

/// What a meter's registers show when it begins to be fed. Panels that nobody registered worked in the days before the start
/// and not since, so what they changed is in it.
fn begun(territory: &Territory, site: usize, seed: u64, start: Timestamp) -> (u64, u64) {
    let entry = &territory.registry.meters[site];
    let points = &territory.registry.service_points;
    let solar = points.get(site).is_some_and(|point| point.solar);
    let (delivered, received) = crate::dials::start(entry, solar, territory.since, seed);
    let changed = territory.panels_before(site, start);
    let add = |value: u64, change: i64| value.saturating_add_signed(change);
    (add(delivered, changed.delivered), add(received, changed.received))
}
