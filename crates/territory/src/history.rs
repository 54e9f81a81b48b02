//! The past of a territory, day by day and meter by meter, for loading a demo's history at once.

use crate::chance::{Purpose, draw};
use crate::flaw::Flaw;
use crate::loads::Flow;
use crate::scenario::HistoryGapPlan;
use crate::world::{QUARTER_S, Quarter, World};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
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
}

/// Days in order, and within a day meters in order of id. See [`crate::Territory::history`].
#[derive(Debug)]
pub struct History<'a> {
    world: &'a World,
    commodities: &'a [Commodity],
    gaps: &'a [HistoryGapPlan],
    demo_meter: MeterId,
    flaws: &'a [Flaw],
    day: Option<LocalDay>,
    last: Date,
    quarters: Vec<Quarter>,
    ready: std::vec::IntoIter<HistoryDay>,
}

impl<'a> History<'a> {
    pub(crate) fn new(
        world: &'a World,
        commodities: &'a [Commodity],
        (gaps, demo_meter): (&'a [HistoryGapPlan], MeterId),
        flaws: &'a [Flaw],
        (first, last): (Date, Date),
    ) -> Self {
        let day = LocalDay::new(first, &world.zone).ok().filter(|_| first <= last);
        let (quarters, ready) = (Vec::new(), Vec::new().into_iter());
        Self { world, commodities, gaps, demo_meter, flaws, day, last, quarters, ready }
    }

    /// Everybody's values of one day.
    fn compute(&mut self, day: &LocalDay) -> Vec<HistoryDay> {
        let count = day.intervals(IntervalLength::QUARTER_HOUR);
        let start = day.start().as_second();
        self.quarters.clear();
        for k in 0..count {
            let second = start + i64::try_from(k).unwrap_or(0) * QUARTER_S;
            self.quarters.push(self.world.quarter(Timestamp::from_second(second).unwrap_or(day.start())));
        }
        let mut volts = self.voltages();
        let mut days = Vec::with_capacity(self.commodities.len());
        for (site, commodity) in self.commodities.iter().enumerate() {
            let channels = match commodity {
                Commodity::Electricity => self.electricity(site, core::mem::take(&mut volts[site])),
                Commodity::Gas => vec![(ChannelKind::Gas, self.hourly(site))],
                Commodity::Water => vec![(ChannelKind::Water, self.hourly(site))],
            };
            let quarter_hourly = *commodity == Commodity::Electricity;
            let interval = if quarter_hourly { IntervalLength::QUARTER_HOUR } else { IntervalLength::HOUR };
            let meter = MeterId::new(u32::try_from(site + 1).unwrap_or(u32::MAX));
            let mut history = HistoryDay { meter, day: day.clone(), interval, channels };
            let before = history.day.date().until(self.last).map_or(0, |span| i64::from(span.get_days()));
            for flaw in self.flaws.iter().filter(|flaw| flaw.meter == meter) {
                flaw.spoil(&mut history, before);
            }
            self.cut(&mut history);
            days.push(history);
        }
        days
    }

    /// Voltages of every electricity site, transformer by transformer.
    fn voltages(&self) -> Vec<Vec<Option<i64>>> {
        let mut volts = vec![Vec::new(); self.world.sites.len()];
        for (iron, it) in self.world.irons.iter().enumerate() {
            let flows: Vec<Vec<Flow>> = it
                .sites
                .iter()
                .map(|site| self.quarters.iter().map(|quarter| self.world.demand(*site, *quarter)).collect())
                .collect();
            for (k, quarter) in self.quarters.iter().enumerate() {
                let net = flows.iter().map(|flows| flows[k].delivered - flows[k].received).sum();
                let bus = self.world.busbar_under(iron, *quarter, net);
                for (flows, site) in flows.iter().zip(&it.sites) {
                    volts[*site].push(Some(bus.at_meter_dv(flows[k])));
                }
            }
        }
        volts
    }

    fn electricity(&self, site: usize, volts: Vec<Option<i64>>) -> Vec<(ChannelKind, Vec<Option<i64>>)> {
        let flows: Vec<Flow> =
            self.quarters.iter().map(|quarter| self.world.demand(site, *quarter)).collect();
        vec![
            (ChannelKind::Import, flows.iter().map(|flow| Some(flow.delivered)).collect()),
            (ChannelKind::Export, flows.iter().map(|flow| Some(flow.received)).collect()),
            (ChannelKind::Voltage, volts),
        ]
    }

    fn hourly(&self, site: usize) -> Vec<Option<i64>> {
        let hour = |quarters: &[Quarter]| {
            let flows = quarters.iter().map(|quarter| self.world.demand(site, *quarter).delivered);
            Some(flows.sum())
        };
        self.quarters.chunks(4).map(hour).collect()
    }

    /// Takes out what the scenario says was never read.
    fn cut(&self, history: &mut HistoryDay) {
        let before = history.day.date().until(self.last).map_or(0, |span| i64::from(span.get_days()));
        for (k, gap) in self.gaps.iter().enumerate() {
            let index = u64::from(history.meter.get()) * 64 + u64::try_from(k).unwrap_or(0);
            let drawn = draw(self.world.seed, Purpose::Gap, index) % 1000 < u64::from(gap.per_mille);
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
            self.day = next.and_then(|next| LocalDay::new(next, &self.world.zone).ok());
        }
    }
}
