//! Lays a town out: houses along streets, transformers among them, collectors where they are heard.
//!
//! ```text
//! feeder 1 --+-- transformer 1 -- 12 houses of a street
//!            +-- transformer 2 -- ...            power-line houses lie together, at the northern end
//! ```

use crate::chance::{Purpose, around, below};
use crate::loads::{self, Load};
use crate::names;
use crate::scenario::Scenario;
use field::{Position, Technology};

/// Houses on one transformer.
const HOUSES_A_TRANSFORMER: usize = 12;
/// Transformers on one feeder.
const TRANSFORMERS_A_FEEDER: usize = 15;
/// Most power-line meters one concentrator serves.
const METERS_A_SUBSTATION: usize = 120;
const HOUSE_M: usize = 38;
const STREET_M: usize = 58;

/// A house with an electricity meter.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) position: Position,
    pub(crate) address: String,
    pub(crate) transformer: usize,
    pub(crate) technology: Technology,
    pub(crate) load: Load,
}

/// A meter for gas or water in a house.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) house: usize,
    pub(crate) load: Load,
}

/// A transformer.
#[derive(Debug)]
pub(crate) struct Transformer {
    pub(crate) position: Position,
    pub(crate) feeder: u32,
    pub(crate) rated_kva: u32,
}

/// A collector.
#[derive(Debug)]
pub(crate) struct CollectorPlace {
    pub(crate) position: Position,
    pub(crate) technology: Technology,
}

/// A town.
#[derive(Debug)]
pub(crate) struct Town {
    pub(crate) houses: Vec<House>,
    pub(crate) sides: Vec<Side>,
    pub(crate) transformers: Vec<Transformer>,
    pub(crate) collectors: Vec<CollectorPlace>,
}

/// The town of a scenario.
pub(crate) fn town(scenario: &Scenario, seed: u64) -> Town {
    let meters = size(scenario.meters);
    let share = |per_mille: u16| (meters * usize::from(per_mille)).div_ceil(1000);
    let (water, gas) = (share(scenario.loads.water_per_mille), share(scenario.loads.gas_per_mille));
    let count = meters.saturating_sub(water + gas).max(1);
    let columns = (count * STREET_M / HOUSE_M).isqrt().max(6);
    let plan = &scenario.network;
    let power_line = if plan.ideal || plan.plc_substations == 0 {
        0
    } else {
        (count * usize::from(plan.plc_per_mille) / 1000).next_multiple_of(HOUSES_A_TRANSFORMER).min(count)
    };
    let mut houses: Vec<House> = (0..count).map(|index| house(scenario, seed, index, columns)).collect();
    let (radio, wired) = houses.split_at_mut(count - power_line);
    wired.iter_mut().for_each(|house| house.technology = Technology::Plc);
    own_lines(scenario, seed, radio);
    let transformers = houses
        .chunks(HOUSES_A_TRANSFORMER)
        .enumerate()
        .map(|(index, served)| Transformer {
            position: middle(served.iter().map(|house| house.position)),
            feeder: u32::try_from(index / TRANSFORMERS_A_FEEDER).unwrap_or(0) + 1,
            rated_kva: 50,
        })
        .collect();
    let collectors = collectors(scenario, &houses, power_line);
    let water_meters = (0..water).map(|k| Side {
        house: side_house(k, water, count, 4),
        load: Load::Water { home: k % loads::water_homes(), weeks: signed(k / loads::water_homes()) },
    });
    let gas_meters = (0..gas).map(|k| Side {
        house: side_house(k, gas, count, 8),
        load: Load::Gas {
            weeks: signed(k % 3),
            per_mille: 800 + around(seed, Purpose::Load, draw_index(k), 250),
        },
    });
    Town { sides: water_meters.chain(gas_meters).collect(), houses, transformers, collectors }
}

/// The house of the `k`-th of `of` side meters, spread over the town from the house `first` on.
const fn side_house(k: usize, of: usize, houses: usize, first: usize) -> usize {
    (k * houses / if of == 0 { 1 } else { of } + first) % houses
}

fn house(scenario: &Scenario, seed: u64, index: usize, columns: usize) -> House {
    let (row, column) = (index / columns, index % columns);
    let jitter =
        |k: u64| i32::try_from(around(seed, Purpose::Place, draw_index(index) * 2 + k, 7)).unwrap_or(0);
    let metres = |steps: usize, step: usize| i32::try_from(steps * step).unwrap_or(i32::MAX / 2);
    let position = Position::new(metres(column, HOUSE_M) + jitter(0), metres(row, STREET_M) + jitter(1));
    let number = 2 * (column + 1) - (row % 2);
    let address = format!("{number} {}", names::street(row / 2));
    House {
        position,
        address,
        transformer: index / HOUSES_A_TRANSFORMER,
        technology: if scenario.network.ideal { Technology::Ideal } else { Technology::Mesh },
        load: load(scenario, seed, index),
    }
}

/// Gives some of the houses with a radio a line of their own instead, spread over the town.
fn own_lines(scenario: &Scenario, seed: u64, radio: &mut [House]) {
    let plan = &scenario.network;
    let count = radio.len();
    if plan.ideal || count == 0 {
        return;
    }
    let kinds = [
        (Technology::Cellular, plan.cellular_per_mille, 5),
        (Technology::Broadband, plan.broadband_per_mille, 8),
    ];
    for (technology, per_mille, from) in kinds {
        let wanted = (count * usize::from(per_mille)).div_ceil(1000);
        let from = from + below(seed, Purpose::Technology, draw_index(from), count);
        for k in 0..wanted {
            // The next one that still has a radio; the demo customer in the first house keeps theirs.
            let near = (0..count).map(|step| (k * count / wanted + from + step) % count);
            let mut free = near.filter(|index| *index > 0 && radio[*index].technology == Technology::Mesh);
            if let Some(index) = free.next() {
                radio[index].technology = technology;
            }
        }
    }
}

fn load(scenario: &Scenario, seed: u64, index: usize) -> Load {
    // Homes with panels are not all neighbours: every third house from the first on.
    let fontana = size(scenario.loads.fontana);
    if index.is_multiple_of(3) && index / 3 < fontana {
        let panels_dkw = 42 + 6 * signed(index / 3 % 4);
        return Load::Fontana { home: index / 3 % loads::fontana_homes(), panels_dkw };
    }
    let homes = loads::swiss_homes();
    Load::Swiss {
        home: index % homes,
        weeks: signed(index / homes),
        per_mille: 1000 + around(seed, Purpose::Load, draw_index(index), 120),
    }
}

fn collectors(scenario: &Scenario, houses: &[House], power_line: usize) -> Vec<CollectorPlace> {
    let plan = &scenario.network;
    let (radio, wired) = houses.split_at(houses.len() - power_line);
    let wanted =
        radio.len().div_ceil(size(plan.meters_per_collector).max(1)).max(size(plan.least_collectors));
    let technology = if plan.ideal { Technology::Ideal } else { Technology::Mesh };
    let mut places: Vec<CollectorPlace> =
        spread(radio, wanted).into_iter().map(|position| CollectorPlace { position, technology }).collect();
    if power_line > 0 {
        let substations = power_line.div_ceil(METERS_A_SUBSTATION).max(size(plan.plc_substations));
        let each = power_line.div_ceil(substations);
        places.extend(wired.chunks(each).map(|served| CollectorPlace {
            position: middle(served.iter().map(|house| house.position)),
            technology: Technology::Plc,
        }));
    }
    places
}

/// So many positions, evenly over the area of the houses.
fn spread(houses: &[House], count: usize) -> Vec<Position> {
    let last = |of: fn(&House) -> i32| houses.iter().map(of).max().unwrap_or(0).max(1);
    let (width, height) = (last(|house| house.position.east_m), last(|house| house.position.north_m));
    let ratio =
        size(u32::try_from(height).unwrap_or(1)) * count / size(u32::try_from(width).unwrap_or(1)).max(1);
    let rows = ratio.isqrt().clamp(1, count.max(1));
    let mut places = Vec::with_capacity(count);
    for row in 0..rows {
        let in_row = count * (row + 1) / rows - count * row / rows;
        for column in 0..in_row {
            let part = |of: i32, k: usize, n: usize| {
                let (k, n) = (i32::try_from(2 * k + 1).unwrap_or(1), i32::try_from(2 * n).unwrap_or(2));
                of / n * k + of % n * k / n
            };
            places.push(Position::new(part(width, column, in_row), part(height, row, rows)));
        }
    }
    places
}

fn middle(positions: impl Iterator<Item = Position>) -> Position {
    let (mut east, mut north, mut count) = (0i64, 0i64, 0i64);
    for position in positions {
        east += i64::from(position.east_m);
        north += i64::from(position.north_m);
        count += 1;
    }
    let mean = |sum: i64| i32::try_from(sum / count.max(1)).unwrap_or(0);
    Position::new(mean(east), mean(north))
}

fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(0)
}

fn draw_index(index: usize) -> u64 {
    u64::try_from(index).unwrap_or(0)
}
