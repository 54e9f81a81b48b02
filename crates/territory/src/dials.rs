//! What the registers of meters show at the midnights of the past.
//!
//! A living meter's registers begin somewhere when it is built and then count. Those of the time before are reckoned back
//! from there, so that the last register of a history and the first one that is read differ by what flowed between.

use crate::loads::Flow;
use crate::registry::{MeterEntry, Registry};
use crate::world::Quarter;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use meter::{MeterModel, Tariff};
use model::{ChannelKind, Commodity};

/// Days before the end of a history of which registers are told at all: a month that people look at. Each costs the load of a
/// history some queries.
const TOTALS_FOR_D: i64 = 31;
/// Days before the end of a history of which the registers of each rate are told too.
const RATES_FOR_D: i64 = 14;

/// A cumulative register as it would have been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryRegister {
    /// What it counts.
    pub kind: ChannelKind,
    /// The rate, 1 to 4; 0 for the total.
    pub tou: u8,
    /// When.
    pub at: Timestamp,
    /// What it showed, in the stored unit of its channel.
    pub value: i64,
}

/// Totals and four rates of a site, both ways.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    delivered: [i64; 5],
    received: [i64; 5],
}

impl Counted {
    /// As a meter begins: its rates share the total, the first one taking what is left over.
    fn begin((delivered, received): (u64, u64)) -> Self {
        let five = |total: u64| {
            let total = i64::try_from(total).unwrap_or(i64::MAX);
            let quarter = total / 4;
            [total, total - 3 * quarter, quarter, quarter, quarter]
        };
        Self { delivered: five(delivered), received: five(received) }
    }

    fn count(&mut self, flow: Flow, rate: usize, sign: i64) {
        for place in [0, rate.clamp(1, 4)] {
            self.delivered[place] += sign * flow.delivered;
            self.received[place] += sign * flow.received;
        }
    }
}

/// What a living meter's registers show when it begins to be fed, Wh or litres: what was used since it was installed.
pub(crate) fn start(entry: &MeterEntry, solar: bool, since: Timestamp, seed: u64) -> (u64, u64) {
    let days = u64::try_from(since.duration_since(entry.installed_at).as_hours() / 24).unwrap_or(0);
    let a_day = match entry.commodity {
        Commodity::Electricity => 9_000 + seed % 9_000,
        Commodity::Gas => 1_500 + seed % 1_000,
        Commodity::Water => 200 + seed % 300,
    };
    (days * a_day, if solar { days * 12_000 } else { 0 })
}

/// Every meter's registers, carried from midnight to midnight.
#[derive(Debug)]
pub(crate) struct Dials {
    counted: Vec<Counted>,
    /// Which of `tariffs` each site's meter follows.
    follows: Vec<Option<usize>>,
    tariffs: Vec<Tariff>,
    digits: Vec<u8>,
    /// Whether what comes back is counted by rate: behind panels that are on file.
    solar: Vec<bool>,
    /// The rate of every quarter hour that is being looked at, tariff by tariff.
    rates: Vec<Vec<u8>>,
}

impl Dials {
    /// Registers that show what meters begin with.
    pub(crate) fn new(registry: &Registry, begun: &[(u64, u64)]) -> Self {
        let meters = &registry.meters;
        let mut names: Vec<&str> = meters.iter().map(|meter| meter.model.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let models: Vec<_> = names.iter().map(|name| MeterModel::builtin(name)).collect();
        let mut tariffs: Vec<Tariff> = Vec::new();
        // Models share their calendar more often than not.
        let mut of_model: Vec<(Option<usize>, u8)> = Vec::new();
        for model in &models {
            let tariff = model.as_ref().and_then(|model| model.tariff.clone());
            let place = tariff.map(|tariff| {
                tariffs.iter().position(|known| *known == tariff).unwrap_or_else(|| {
                    tariffs.push(tariff);
                    tariffs.len() - 1
                })
            });
            of_model.push((place, model.as_ref().map_or(9, |model| model.register_digits)));
        }
        let of = |meter: &MeterEntry| {
            let index = names.binary_search(&meter.model.as_str()).unwrap_or(0);
            of_model.get(index).copied().unwrap_or((None, 9))
        };
        let (follows, digits) = meters.iter().map(of).unzip();
        let counted = begun.iter().copied().map(Counted::begin).collect();
        let solar = registry.service_points.iter().map(|point| point.solar).collect();
        Self { counted, follows, tariffs, digits, solar, rates: Vec::new() }
    }

    /// The quarter hours that are counted next.
    pub(crate) fn look_at(&mut self, quarters: &[Quarter], zone: &TimeZone) {
        let local = |quarter: &Quarter| quarter.start.to_zoned(zone.clone()).datetime();
        let times: Vec<_> = quarters.iter().map(local).collect();
        let rates = |tariff: &Tariff| times.iter().map(|time| tariff.rate(*time)).collect();
        self.rates = self.tariffs.iter().map(rates).collect();
    }

    /// Counts what flowed at a site in those quarter hours; with a `sign` of -1, goes back to before it flowed.
    pub(crate) fn count(&mut self, site: usize, flows: &[Flow], sign: i64) {
        let rates = self.follows[site].and_then(|tariff| self.rates.get(tariff));
        for (index, flow) in flows.iter().enumerate() {
            let rate = rates.and_then(|rates| rates.get(index)).copied().unwrap_or(1);
            self.counted[site].count(*flow, usize::from(rate), sign);
        }
    }

    /// What a site's registers show at an instant up to which was counted, `before` days before the end of the history;
    /// nothing where that is longer ago than a month.
    pub(crate) fn read(
        &self,
        site: usize,
        commodity: Commodity,
        (at, before): (Timestamp, i64),
        out: &mut Vec<HistoryRegister>,
    ) {
        if before >= TOTALS_FOR_D {
            return;
        }
        let counted = &self.counted[site];
        let modulus = 10i64.pow(u32::from(self.digits[site].min(18)));
        let mut tell = |kind: ChannelKind, five: &[i64; 5], rates: bool| {
            let told = if rates { 5 } else { 1 };
            out.extend((0u8..).zip(five).take(told).map(|(tou, value)| HistoryRegister {
                kind,
                tou,
                at,
                value: value.rem_euclid(modulus),
            }));
        };
        match commodity {
            Commodity::Electricity => {
                let rates = before < RATES_FOR_D && self.follows[site].is_some();
                tell(ChannelKind::Import, &counted.delivered, rates);
                tell(ChannelKind::Export, &counted.received, rates && self.solar[site]);
            }
            Commodity::Gas => tell(ChannelKind::Gas, &counted.delivered, false),
            Commodity::Water => tell(ChannelKind::Water, &counted.delivered, false),
        }
    }
}
