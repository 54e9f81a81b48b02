//! The past of a territory, day by day and meter by meter, for loading a demo's history at once.

use crate::chance::{Purpose, draw};
use crate::dials::{Dials, HistoryRegister};
use crate::loads::Flow;
use crate::territory::Territory;
use crate::world::Quarter;
use jiff::ToSpan;
use jiff::civil::Date;
use model::{ChannelKind, Commodity, IntervalLength, LocalDay, MeterId};

/// One meter's local day, as its profile would have told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryDay {
    /// Whose.
    pub meter: MeterId,
    /// The day; its zone is the territory's.
    pub day: LocalDay,
    /// Length of every interval.
    pub interval: IntervalLength,
    /// Per channel one value an interval, in the channel's stored unit; `None` where nothing was read.
    pub channels: Vec<(ChannelKind, Vec<Option<i64>>)>,
    /// The registers at its end, and of a history's first day those at its start too: totals of the last month, and of the last
    /// two weeks each rate. They count what truly flowed, whatever became of the readings.
    pub registers: Vec<HistoryRegister>,
}

/// Days in order, and within a day meters in order of id. See [`crate::Territory::history`].
#[derive(Debug)]
pub struct History<'a> {
    territory: &'a Territory,
    dials: Dials,
    demo_meter: MeterId,
    day: Option<LocalDay>,
    first: Date,
    last: Date,
    ready: std::vec::IntoIter<HistoryDay>,
}

impl<'a> History<'a> {
    pub(crate) fn new(
        territory: &'a Territory,
        dials: Dials,
        demo_meter: MeterId,
        (first, last): (Date, Date),
    ) -> Self {
        let day = LocalDay::new(first, &territory.world.zone).ok().filter(|_| first <= last);
        Self { territory, dials, demo_meter, day, first, last, ready: Vec::new().into_iter() }
    }

    /// Everybody's values of one day.
    fn compute(&mut self, day: &LocalDay) -> Vec<HistoryDay> {
        let world = &self.territory.world;
        let quarters = world.quarters(day.start(), day.end());
        self.dials.look_at(&quarters, &world.zone);
        let before = day.date().until(self.last).map_or(0, |span| i64::from(span.get_days()));
        let commodities = &self.territory.commodities;
        let mut flows: Vec<Vec<Flow>> =
            (0..commodities.len()).map(|site| world.flows(site, &quarters)).collect();
        let mut volts = self.voltages(&quarters, &flows);
        let mut days = Vec::with_capacity(commodities.len());
        for (site, commodity) in commodities.iter().enumerate() {
            let meter = MeterId::new(u32::try_from(site + 1).unwrap_or(u32::MAX));
            let flaws = || self.territory.flaws.iter().filter(move |flaw| flaw.meter == meter);
            flaws().for_each(|flaw| flaw.alter(&mut flows[site], before));
            let mut registers = Vec::new();
            if day.date() == self.first {
                self.dials.read(site, *commodity, (day.start(), before + 1), &mut registers);
            }
            self.dials.count(site, &flows[site], 1);
            self.dials.read(site, *commodity, (day.end(), before), &mut registers);
            let channels = match commodity {
                Commodity::Electricity => electricity(&flows[site], core::mem::take(&mut volts[site])),
                Commodity::Gas => vec![(ChannelKind::Gas, hourly(&flows[site]))],
                Commodity::Water => vec![(ChannelKind::Water, hourly(&flows[site]))],
            };
            let quarter_hourly = *commodity == Commodity::Electricity;
            let interval = if quarter_hourly { IntervalLength::QUARTER_HOUR } else { IntervalLength::HOUR };
            let mut history = HistoryDay { meter, day: day.clone(), interval, channels, registers };
            flaws().for_each(|flaw| flaw.spoil(&mut history, before));
            self.cut(&mut history);
            days.push(history);
        }
        days
    }

    /// Voltages of every electricity site, transformer by transformer.
    fn voltages(&self, quarters: &[Quarter], flows: &[Vec<Flow>]) -> Vec<Vec<Option<i64>>> {
        let world = &self.territory.world;
        let mut volts = vec![Vec::new(); world.sites.len()];
        for (iron, it) in world.irons.iter().enumerate() {
            for (k, quarter) in quarters.iter().enumerate() {
                let net = it.sites.iter().map(|site| flows[*site][k].delivered - flows[*site][k].received);
                let bus = world.busbar_under(iron, *quarter, net.sum());
                for site in &it.sites {
                    volts[*site].push(Some(bus.at_meter_dv(flows[*site][k])));
                }
            }
        }
        volts
    }

    /// Takes out what the scenario says was never read.
    fn cut(&self, history: &mut HistoryDay) {
        let before = history.day.date().until(self.last).map_or(0, |span| i64::from(span.get_days()));
        for (k, gap) in self.territory.gaps.iter().enumerate() {
            let index = u64::from(history.meter.get()) * 64 + u64::try_from(k).unwrap_or(0);
            let drawn =
                draw(self.territory.world.seed, Purpose::Gap, index) % 1000 < u64::from(gap.per_mille);
            let hit = drawn || (gap.demo_customer && history.meter == self.demo_meter);
            if !hit || i64::from(gap.days_before_end) != before {
                continue;
            }
            let from = usize::from(gap.from_hour) * 3600;
            let to = from + usize::from(gap.hours) * 3600;
            let step = usize::try_from(history.interval.secs()).unwrap_or(900);
            for (_, values) in &mut history.channels {
                let end = if gap.from_hour + gap.hours >= 24 {
                    values.len()
                } else {
                    (to / step).min(values.len())
                };
                let start = (from / step).min(end);
                values[start..end].fill(None);
            }
        }
    }
}

impl Iterator for History<'_> {
    type Item = HistoryDay;

    fn next(&mut self) -> Option<HistoryDay> {
        loop {
            if let Some(day) = self.ready.next() {
                return Some(day);
            }
            let day = self.day.take()?;
            self.ready = self.compute(&day).into_iter();
            let next = day.date().checked_add(1.day()).ok().filter(|next| *next <= self.last);
            self.day = next.and_then(|next| LocalDay::new(next, &self.territory.world.zone).ok());
        }
    }
}

fn electricity(flows: &[Flow], volts: Vec<Option<i64>>) -> Vec<(ChannelKind, Vec<Option<i64>>)> {
    vec![
        (ChannelKind::Import, flows.iter().map(|flow| Some(flow.delivered)).collect()),
        (ChannelKind::Export, flows.iter().map(|flow| Some(flow.received)).collect()),
        (ChannelKind::Voltage, volts),
    ]
}

fn hourly(flows: &[Flow]) -> Vec<Option<i64>> {
    flows.chunks(4).map(|hour| Some(hour.iter().map(|flow| flow.delivered).sum())).collect()
}
