//! How much of each day was read, by collector, and the meters behind each number.

use crate::{Mdm, MdmError};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use model::{BatchSource, ChannelId, ChannelKind, CollectorId, MeterId, Serial};
use std::collections::BTreeMap;
use store::{FleetFilter, FleetRow, FleetSort};

/// What a day has of the main channel of one meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterDay {
    /// Which meter.
    pub meter: MeterId,
    /// On its plate.
    pub serial: Serial,
    /// Where it is.
    pub address: Option<String>,
    /// The collector it is behind.
    pub collector: Option<CollectorId>,
    /// The channel that counts what is used.
    pub channel: ChannelId,
    /// What that measures.
    pub kind: ChannelKind,
    /// Intervals that should be there by now.
    pub expected: u32,
    /// Those that were read.
    pub present: u32,
    /// Those that were estimated or derived.
    pub estimated: u32,
    /// Of those not read, those whose grace is over.
    pub overdue: u32,
    /// Something of the day came by itself.
    pub pushed: bool,
    /// Something of the day was asked for again.
    pub backfilled: bool,
    /// Something of the day came after its grace was over.
    pub late: bool,
}

impl MeterDay {
    /// Intervals of which nothing is known.
    pub const fn missing(&self) -> u32 {
        self.expected.saturating_sub(self.present).saturating_sub(self.estimated)
    }

    /// Whether every interval was read.
    pub const fn is_whole(&self) -> bool {
        self.present >= self.expected
    }
}

/// What a day has of the meters behind one collector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompletenessCell {
    /// Meters in service that day.
    pub meters: u32,
    /// Those of which every interval was read.
    pub whole: u32,
    /// Intervals that should be there by now.
    pub expected: u64,
    /// Those that were read.
    pub present: u64,
    /// Those that were estimated or derived.
    pub estimated: u64,
    /// Those of which nothing is known.
    pub missing: u64,
    /// Of those not read, those whose grace is over.
    pub overdue: u64,
    /// Meters of which something came by itself.
    pub pushed: u32,
    /// Meters of which something was asked for again.
    pub backfilled: u32,
    /// Meters of which something came after the grace was over.
    pub late: u32,
}

impl CompletenessCell {
    /// Tenths of a percent that were read, rounded down so that only a whole day says 1000.
    pub fn permille(&self) -> Option<u32> {
        let permille = (self.present * 1000).checked_div(self.expected)?;
        u32::try_from(permille).ok()
    }

    fn add(&mut self, day: &MeterDay) {
        self.meters += 1;
        self.whole += u32::from(day.is_whole());
        self.expected += u64::from(day.expected);
        self.present += u64::from(day.present);
        self.estimated += u64::from(day.estimated);
        self.missing += u64::from(day.missing());
        self.overdue += u64::from(day.overdue);
        self.pushed += u32::from(day.pushed);
        self.backfilled += u32::from(day.backfilled);
        self.late += u32::from(day.late);
    }
}

/// A line of the board: a collector and its days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletenessRow {
    /// The collector; `None` for the meters on their own address.
    pub collector: Option<CollectorId>,
    /// Its name.
    pub name: Option<String>,
    /// One cell a day, as [`Completeness::days`].
    pub cells: Vec<CompletenessCell>,
}

/// The board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completeness {
    /// The days, the first one first.
    pub days: Vec<Date>,
    /// By collector; the meters on their own address last.
    pub rows: Vec<CompletenessRow>,
    /// The whole fleet, one cell a day.
    pub total: Vec<CompletenessCell>,
}

/// The most days of one board.
pub const MOST_DAYS: usize = 62;

/// The channel that counts what is used.
const fn is_main(kind: ChannelKind) -> bool {
    matches!(kind, ChannelKind::Import | ChannelKind::Net | ChannelKind::Gas | ChannelKind::Water)
}

impl Mdm {
    /// How much of the days `[from, to)` was read by `now`, by collector; at most [`MOST_DAYS`] days, the last ones.
    ///
    /// # Errors
    /// What the store says.
    pub fn completeness(&self, now: Timestamp, from: Date, to: Date) -> Result<Completeness, MdmError> {
        let mut days = Vec::new();
        let mut day = to;
        while day > from && days.len() < MOST_DAYS {
            day = day.yesterday().map_err(|_| model::time::DateOutOfRange(day))?;
            days.push(day);
        }
        days.reverse();
        let collectors = self.store().read(store::Read::collectors)?;
        let mut rows: BTreeMap<(bool, Option<CollectorId>), CompletenessRow> = BTreeMap::new();
        let empty = vec![CompletenessCell::default(); days.len()];
        for collector in collectors {
            let row = CompletenessRow {
                collector: Some(collector.id),
                name: Some(collector.name),
                cells: empty.clone(),
            };
            rows.insert((false, row.collector), row);
        }
        let mut total = empty.clone();
        for (at, date) in days.iter().enumerate() {
            for meter in self.meter_days(now, *date)? {
                let row = rows.entry((meter.collector.is_none(), meter.collector)).or_insert_with(|| {
                    CompletenessRow { collector: meter.collector, name: None, cells: empty.clone() }
                });
                row.cells[at].add(&meter);
                total[at].add(&meter);
            }
        }
        Ok(Completeness { days, rows: rows.into_values().collect(), total })
    }

    /// The meters behind one cell of the board, by serial number: those behind `collector` (`Some(None)` for the meters on
    /// their own address), or all.
    ///
    /// # Errors
    /// What the store says.
    pub fn completeness_of(
        &self,
        now: Timestamp,
        date: Date,
        collector: Option<Option<CollectorId>>,
    ) -> Result<Vec<MeterDay>, MdmError> {
        let mut found = self.meter_days(now, date)?;
        found.retain(|day| collector.is_none_or(|collector| day.collector == collector));
        Ok(found)
    }

    fn meter_days(&self, now: Timestamp, date: Date) -> Result<Vec<MeterDay>, MdmError> {
        let day = self.local_day(date)?;
        let grace = SignedDuration::from_hours(self.rules().grace_h.into());
        let due = day.end().checked_add(grace).unwrap_or(Timestamp::MAX);
        let settled = now.saturating_sub(grace).unwrap_or(Timestamp::MIN);
        let catalogue = self.catalogue();
        self.store().read(|r| {
            let (fleet, _) = r.fleet(&FleetFilter::default(), FleetSort::Serial, false, 0, u32::MAX)?;
            let mut places: BTreeMap<MeterId, (usize, FleetRow)> =
                fleet.into_iter().enumerate().map(|(place, row)| (row.meter, (place, row))).collect();
            let summaries: BTreeMap<_, _> =
                r.day_summaries(date)?.into_iter().map(|summary| (summary.channel, summary)).collect();
            let mut sources: BTreeMap<ChannelId, (bool, bool, bool)> = BTreeMap::new();
            for (channel, source, _, late) in r.batches_by_source(day.start(), day.end(), due)? {
                let seen = sources.entry(channel).or_default();
                seen.0 |= source == BatchSource::Push;
                seen.1 |= matches!(source, BatchSource::Backfill | BatchSource::OnDemand);
                seen.2 |= late > 0;
            }
            let mut found = Vec::new();
            for entry in catalogue.entries().filter(|entry| is_main(entry.channel.kind)) {
                let length = entry.channel.interval;
                let from = entry.installed_at.max(day.start());
                let intervals = |until: Timestamp| {
                    let secs = until.min(day.end()).duration_since(from).as_secs().max(0);
                    u32::try_from(secs / i64::from(length.secs())).unwrap_or(0)
                };
                let expected = intervals(now);
                if from >= day.end() {
                    continue;
                }
                let Some((place, row)) = places.remove(&entry.channel.meter) else { continue };
                let summary = summaries.get(&entry.channel.id);
                let present = summary.map_or(0, |summary| summary.present).min(expected);
                let estimated = summary.map_or(0, |summary| summary.estimated).min(expected - present);
                let (pushed, backfilled, late) = sources.get(&entry.channel.id).copied().unwrap_or_default();
                let one = MeterDay {
                    meter: row.meter,
                    serial: row.serial,
                    address: row.address,
                    collector: row.collector,
                    channel: entry.channel.id,
                    kind: entry.channel.kind,
                    expected,
                    present,
                    estimated,
                    overdue: intervals(settled).saturating_sub(present),
                    pushed,
                    backfilled,
                    late,
                };
                found.push((place, one));
            }
            found.sort_by_key(|(place, _)| *place);
            Ok(found.into_iter().map(|(_, day)| day).collect())
        })
    }
}
