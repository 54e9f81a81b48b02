//! How the fleet is, in one look.

use crate::{Mdm, MdmError};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use model::{ChannelKind, CollectorId, Commodity, Serial};
use std::collections::BTreeMap;
use store::{Collector, FleetFilter, FleetSort, StoredEvent};

/// A meter that was not heard for this long is silent.
pub const SILENT_AFTER: SignedDuration = SignedDuration::from_hours(26);

/// How much of a day was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadSuccess {
    /// Which day.
    pub day: Date,
    /// Intervals that should be there.
    pub expected: u64,
    /// Intervals that were read.
    pub present: u64,
    /// Intervals that were estimated or derived instead.
    pub estimated: u64,
}

impl ReadSuccess {
    /// Tenths of a percent that were read, rounded down so that only a whole day says 1000.
    pub fn permille(&self) -> Option<u32> {
        let permille = (self.present * 1000).checked_div(self.expected)?;
        u32::try_from(permille).ok()
    }
}

/// A collector and the meters behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectorView {
    /// The gateway; `None` for the meters on their own address.
    pub collector: Option<Collector>,
    /// How many meters.
    pub meters: u64,
    /// Those that are silent.
    pub silent: u64,
    /// Those of which something of the last whole day is missing.
    pub late: u64,
    /// The last that was heard of any of them.
    pub last_heard: Option<Timestamp>,
    /// How much of the last whole day was read.
    pub success: ReadSuccess,
}

/// An event with the meter's serial number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventView {
    /// What happened.
    pub event: StoredEvent,
    /// At which meter.
    pub serial: Serial,
}

/// The fleet in one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// Meters by commodity.
    pub meters: Vec<(Commodity, u64)>,
    /// Meters that were not heard for [`SILENT_AFTER`].
    pub silent: u64,
    /// How much of the last metering day whose grace is over was read.
    pub success: ReadSuccess,
    /// How much of today is there already, of the intervals that are over.
    pub today: ReadSuccess,
    /// By collector; the meters on their own address last.
    pub collectors: Vec<CollectorView>,
    /// The newest events, the newest first.
    pub events: Vec<EventView>,
    /// Events of the last 24 hours.
    pub events_24h: u64,
    /// Findings about the last whole day, by rule.
    pub findings: Vec<(String, u64)>,
    /// Arrivals refused in the last 24 hours.
    pub refused_24h: u64,
}

struct Counted {
    expected: u64,
    present: u64,
    estimated: u64,
}

const fn is_main(kind: ChannelKind) -> bool {
    matches!(kind, ChannelKind::Import | ChannelKind::Gas | ChannelKind::Water)
}

impl Mdm {
    /// The fleet in one look, as of `now`.
    ///
    /// # Errors
    /// What the store says.
    pub fn overview(&self, now: Timestamp) -> Result<Overview, MdmError> {
        let today = self.day_of(now)?;
        // A day that ended an hour ago is not late yet: what counts is the last one whose grace is over.
        let grace = SignedDuration::from_hours(self.rules().grace_h.into());
        let settled = self.day_of(now.saturating_sub(grace).unwrap_or(Timestamp::MIN))?.date();
        let whole_day = settled.yesterday().map_err(|_| model::time::DateOutOfRange(settled))?;
        let silent_since = now.saturating_sub(SILENT_AFTER).unwrap_or(Timestamp::MIN);
        let day_ago = now.saturating_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
        let collected = self.counted(whole_day, None)?;
        let so_far = self.counted(today.date(), Some(now))?;
        self.store().read(|r| {
            let (fleet, _) = r.fleet(&FleetFilter::default(), FleetSort::Serial, false, 0, u32::MAX)?;
            let serials: BTreeMap<_, _> = fleet.iter().map(|row| (row.meter, row.serial.clone())).collect();
            let mut meters: BTreeMap<Commodity, u64> = BTreeMap::new();
            let mut groups: BTreeMap<(bool, Option<CollectorId>), CollectorView> = BTreeMap::new();
            for collector in r.collectors()? {
                groups.insert((false, Some(collector.id)), CollectorView::empty(Some(collector), whole_day));
            }
            for row in &fleet {
                *meters.entry(row.commodity).or_default() += 1;
                let group = groups
                    .entry((row.collector.is_none(), row.collector))
                    .or_insert_with(|| CollectorView::empty(None, whole_day));
                group.meters += 1;
                group.silent += u64::from(row.last_heard.is_none_or(|at| at < silent_since));
                group.last_heard = group.last_heard.max(row.last_heard);
                if let Some(counted) = collected.get(&row.meter) {
                    group.late += u64::from(counted.present < counted.expected);
                    group.success.add(counted);
                }
            }
            let collectors: Vec<CollectorView> = groups.into_values().collect();
            let events = r.recent_events(day_ago, 20)?;
            Ok(Overview {
                meters: meters.into_iter().collect(),
                silent: collectors.iter().map(|group| group.silent).sum(),
                success: ReadSuccess::of(whole_day, collected.values()),
                today: ReadSuccess::of(today.date(), so_far.values()),
                collectors,
                events: events
                    .into_iter()
                    .filter_map(|event| {
                        let serial = serials.get(&event.event.meter)?.clone();
                        Some(EventView { event, serial })
                    })
                    .collect(),
                events_24h: r.event_count(day_ago)?,
                findings: r.finding_counts(whole_day, settled)?,
                refused_24h: r.refused_pushes(day_ago)?,
            })
        })
    }

    /// How much of a day was read, of the channels that count what is used.
    ///
    /// # Errors
    /// What the store says.
    pub fn read_success(&self, date: Date) -> Result<ReadSuccess, MdmError> {
        Ok(ReadSuccess::of(date, self.counted(date, None)?.values()))
    }

    /// By meter, what there is of a day; until `now` where that is given.
    fn counted(
        &self,
        date: Date,
        now: Option<Timestamp>,
    ) -> Result<BTreeMap<model::MeterId, Counted>, MdmError> {
        let day = self.local_day(date)?;
        let catalogue = self.catalogue();
        let summaries: BTreeMap<_, _> = self
            .store()
            .read(|r| r.day_summaries(date))?
            .into_iter()
            .map(|summary| (summary.channel, summary))
            .collect();
        let mut counted = BTreeMap::new();
        for entry in catalogue.entries().filter(|entry| is_main(entry.channel.kind)) {
            let length = entry.channel.interval;
            let from = entry.installed_at.max(day.start());
            let until = now.unwrap_or(day.end()).min(day.end());
            let secs = until.duration_since(from).as_secs().max(0);
            let expected = u64::try_from(secs / i64::from(length.secs())).unwrap_or(0);
            let summary = summaries.get(&entry.channel.id);
            let present = summary.map_or(0, |summary| u64::from(summary.present)).min(expected);
            let estimated = summary.map_or(0, |summary| u64::from(summary.estimated)).min(expected - present);
            counted.insert(entry.channel.meter, Counted { expected, present, estimated });
        }
        Ok(counted)
    }
}

impl CollectorView {
    const fn empty(collector: Option<Collector>, day: Date) -> Self {
        let success = ReadSuccess { day, expected: 0, present: 0, estimated: 0 };
        Self { collector, meters: 0, silent: 0, late: 0, last_heard: None, success }
    }
}

impl ReadSuccess {
    fn of<'a>(day: Date, counted: impl Iterator<Item = &'a Counted>) -> Self {
        let mut all = Self { day, expected: 0, present: 0, estimated: 0 };
        counted.for_each(|one| all.add(one));
        all
    }

    const fn add(&mut self, one: &Counted) {
        self.expected += one.expected;
        self.present += one.present;
        self.estimated += one.estimated;
    }
}
