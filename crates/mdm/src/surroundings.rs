//! What estimation leans on besides the day itself: other days, neighbours, registers, power failures, weather, statistics.

use crate::catalogue::Entry;
use crate::{Mdm, MdmError};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use model::{ChannelId, EventKind, LocalDay, MeterEvent, MeterId, RegisterRead};
use std::collections::BTreeMap;
use store::Read;
use vee::{ClassDay, Context, Day, DayTemperature, Outage, Register, Rules, Slot, Stats, TouRead};

/// Time-of-use registers that meters have at most.
pub(crate) const RATES: u8 = 4;
/// Days after a gap that are looked at.
const LATER_D: i64 = 7;
const YEAR_D: i64 = 365;

/// The longest power failure whose beginning is looked for before a day.
const LONGEST_OUTAGE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How far estimation looks for what it can lean on. Each reaches further than the one before and costs more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// The neighbours only: enough for a straight line.
    Beside,
    /// The days before, and those after where a method can use them.
    Recent,
    /// The same weeks of last year, and temperatures.
    Distant,
}

/// What estimation leans on around consecutive days of a channel.
#[derive(Debug)]
pub(crate) struct Surroundings {
    /// Other days, earlier ones and later ones.
    like_days: Vec<Day>,
    /// The day before.
    before: Vec<Slot>,
    /// The day after.
    after: Vec<Slot>,
    registers: Vec<Register>,
    tou: Vec<TouRead>,
    temperatures: Vec<DayTemperature>,
    exchanges: Vec<Timestamp>,
    class_days: Vec<ClassDay>,
}

/// Mean temperatures by date as they were looked up, tenths of a degree; none where too little was measured.
pub(crate) type Weather = BTreeMap<Date, Option<i32>>;

/// Which days of a channel are worth looking for; its statistics tell without reading any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct History {
    recent: bool,
    last_year: bool,
}

impl History {
    /// Look for everything.
    pub(crate) const UNKNOWN: Self = Self { recent: true, last_year: true };

    pub(crate) fn of(stats: &Stats, first: Date) -> Self {
        let recent = stats.days().iter().any(|day| day.sound || day.zero || day.total != 0);
        let month = i32::from(first.year()) * 12 + i32::from(first.month()) - 1;
        let last_year = stats.months().iter().any(|kept| kept.month <= month - 11);
        Self { recent, last_year }
    }
}

impl Surroundings {
    /// What lies beside the days from `first` to `last`, both included.
    pub(crate) fn beside(
        mdm: &Mdm,
        read: &Read,
        entry: &Entry,
        (first, last): (&LocalDay, &LocalDay),
        rules: &Rules,
    ) -> Result<Self, MdmError> {
        let channel = entry.channel;
        let neighbour = |date: Result<Date, jiff::Error>| -> Result<Vec<Slot>, MdmError> {
            let Ok(date) = date else { return Ok(Vec::new()) };
            let Some(stored) = read.day(channel.id, date)? else { return Ok(Vec::new()) };
            Ok(Day::from_block(&stored.block, channel.kind, &mdm.local_day(date)?)?.slots)
        };
        let mut around = Self {
            like_days: Vec::new(),
            before: neighbour(first.date().yesterday())?,
            after: neighbour(last.date().tomorrow())?,
            registers: registers(read, entry, first.start(), last.end())?,
            tou: Vec::new(),
            temperatures: Vec::new(),
            exchanges: mdm.catalogue().exchanges(channel.meter).to_vec(),
            class_days: Vec::new(),
        };
        if !rules.estimation.tou.is_empty() {
            around.tou = tou_registers(read, entry, first.start(), last.end())?;
        }
        Ok(around)
    }

    /// Adds the days before, and those after where a method can use them; whether there are any.
    pub(crate) fn add_recent(
        &mut self,
        mdm: &Mdm,
        read: &Read,
        entry: &Entry,
        (first, last): (Date, Date),
        rules: &Rules,
        history: History,
    ) -> Result<bool, MdmError> {
        if !history.recent {
            return Ok(false);
        }
        let recent = moved(first, -i64::from(rules.like_day_lookback_d));
        self.add_days(mdm, read, entry, recent, first)?;
        if rules.estimation.uses_later_days() {
            let end = moved(last, 1 + LATER_D);
            self.add_days(mdm, read, entry, moved(last, 1), end)?;
            self.class_days = class_days(read, entry, recent, end)?;
        }
        Ok(!self.like_days.is_empty())
    }

    /// Adds the same weeks of last year, and the temperatures of all days, where those of the first are known; whether
    /// there are any.
    pub(crate) fn add_distant(
        &mut self,
        mdm: &Mdm,
        read: &Read,
        entry: &Entry,
        (first, last): (Date, Date),
        rules: &Rules,
        (history, weather): (History, &mut Weather),
    ) -> Result<bool, MdmError> {
        let known = self.like_days.len();
        if history.last_year {
            let window = i64::from(rules.estimation.last_year_window_d);
            let recent = moved(first, -i64::from(rules.like_day_lookback_d));
            let (from, to) = (moved(first, -YEAR_D - window), moved(last, 1 - YEAR_D + window));
            self.add_days(mdm, read, entry, from, to.min(recent))?;
        }
        let more = self.like_days.len() > known;
        if self.like_days.is_empty() || temperature(mdm, read, first, weather)?.is_none() {
            return Ok(more);
        }
        let mut dates: Vec<Date> = self.like_days.iter().map(|day| day.day.date()).collect();
        let mut date = first;
        while date <= last {
            dates.push(date);
            date = moved(date, 1);
        }
        dates.sort_unstable();
        for date in dates {
            let mean_dc = temperature(mdm, read, date, weather)?;
            self.temperatures.extend(mean_dc.map(|mean_dc| DayTemperature { date, mean_dc }));
        }
        Ok(true)
    }

    fn add_days(
        &mut self,
        mdm: &Mdm,
        read: &Read,
        entry: &Entry,
        from: Date,
        to: Date,
    ) -> Result<(), MdmError> {
        for stored in read.days(entry.channel.id, from, to)? {
            let local = mdm.local_day(stored.block.day)?;
            self.like_days.push(Day::from_block(&stored.block, entry.channel.kind, &local)?);
        }
        Ok(())
    }

    /// As estimation wants it.
    pub(crate) fn context<'a>(
        &'a self,
        entry: &'a Entry,
        rules: &'a Rules,
        outages: &'a [Outage],
        stats: &'a Stats,
        now: Timestamp,
    ) -> Context<'a> {
        Context {
            before: &self.before,
            after: &self.after,
            like_days: &self.like_days,
            registers: &self.registers,
            tou: &self.tou,
            outages,
            events: &rules.estimation.events,
            holidays: &rules.estimation.holidays,
            temperatures: &self.temperatures,
            exchanges: &self.exchanges,
            class_days: &self.class_days,
            ..Context::new(&entry.facts, stats, now)
        }
    }
}

/// What others of the channel's kind and class used on the days `[from, to)`, as far as these are closed.
fn class_days(read: &Read, entry: &Entry, from: Date, to: Date) -> Result<Vec<ClassDay>, MdmError> {
    let mut found: Vec<ClassDay> = Vec::new();
    for used in read.class_days(entry.channel.kind, entry.facts.class, from, to)? {
        if found.last().is_none_or(|last| last.date != used.day) {
            found.push(ClassDay { date: used.day, halves: [(0, 0); 2] });
        }
        let half = found.last_mut().and_then(|last| last.halves.get_mut(usize::from(used.half)));
        if let Some(half) = half {
            *half = (used.channels, used.total);
        }
    }
    Ok(found)
}

fn moved(date: Date, days: i64) -> Date {
    date.checked_add(jiff::Span::new().days(days)).unwrap_or(date)
}

/// The mean temperatures of a day and of the four weeks before it.
pub(crate) fn recent_temperatures(
    mdm: &Mdm,
    read: &Read,
    date: Date,
    known: &mut Weather,
) -> Result<Vec<DayTemperature>, MdmError> {
    let mut found = Vec::new();
    for back in (0..=28).rev() {
        let date = moved(date, -back);
        let mean_dc = temperature(mdm, read, date, known)?;
        found.extend(mean_dc.map(|mean_dc| DayTemperature { date, mean_dc }));
    }
    Ok(found)
}

/// The mean temperature of a day of which at least half was measured; looked up once.
fn temperature(mdm: &Mdm, read: &Read, date: Date, known: &mut Weather) -> Result<Option<i32>, MdmError> {
    if let Some(found) = known.get(&date) {
        return Ok(*found);
    }
    let day = mdm.local_day(date)?;
    let hours = read.weather(day.start(), day.end())?;
    let sum: i32 = hours.iter().map(|hour| i32::from(hour.temperature_dc)).sum();
    let count = i32::try_from(hours.len()).unwrap_or(i32::MAX);
    let found = (count >= 12).then(|| sum.div_euclid(count));
    known.insert(date, found);
    Ok(found)
}

/// When meters were without supply.
#[derive(Debug, Default)]
pub(crate) struct Supply {
    /// Power failures that ended.
    pub(crate) outages: BTreeMap<MeterId, Vec<Outage>>,
    /// Times of an open relay.
    pub(crate) off: BTreeMap<MeterId, Vec<Outage>>,
}

/// The power failures and times of an open relay of every meter that touch `[from, to)`.
pub(crate) fn supply(
    read: &Read,
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
) -> Result<Supply, MdmError> {
    let from = from.saturating_sub(LONGEST_OUTAGE).unwrap_or(Timestamp::MIN);
    Ok(supply_from(read.supply_events(from, to)?, now))
}

/// As [`supply`], of one meter.
pub(crate) fn supply_of(
    read: &Read,
    meter: MeterId,
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
) -> Result<Supply, MdmError> {
    let from = from.saturating_sub(LONGEST_OUTAGE).unwrap_or(Timestamp::MIN);
    Ok(supply_from(read.supply_events_of(meter, from, to)?, now))
}

fn supply_from(events: Vec<MeterEvent>, now: Timestamp) -> Supply {
    let (mut failed, mut opened) = (BTreeMap::new(), BTreeMap::new());
    let mut supply = Supply::default();
    for event in events {
        let (open, done) = match event.kind {
            EventKind::PowerFailed | EventKind::PowerRestored => (&mut failed, &mut supply.outages),
            _ => (&mut opened, &mut supply.off),
        };
        if matches!(event.kind, EventKind::PowerFailed | EventKind::Disconnected) {
            open.entry(event.meter).or_insert(event.at);
        } else if let Some(since) = open.remove(&event.meter) {
            done.entry(event.meter).or_default().push(Outage { from: since, to: event.at });
        }
    }
    // Who was disconnected and not connected again is off until now; a power failure without an end is no evidence.
    for (meter, since) in opened {
        supply.off.entry(meter).or_default().push(Outage { from: since, to: now });
    }
    supply
}

/// The reads of the total register in `[from, to]`, both included, in the stored unit, by time. A register in another
/// unit, or finer than the stored one, cannot be compared exactly and is left out.
pub(crate) fn registers(
    read: &Read,
    entry: &Entry,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Register>, MdmError> {
    let channel = &entry.channel;
    if !channel.kind.is_additive() {
        return Ok(Vec::new());
    }
    let reads = read.register_reads(channel.meter, channel.kind, 0, from, to)?;
    Ok(reads.iter().filter_map(|read| Some(Register { at: read.at, value: exact(read, entry)? })).collect())
}

/// The reads of the time-of-use registers in `[from, to]`, as [`registers`].
pub(crate) fn tou_registers(
    read: &Read,
    entry: &Entry,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<TouRead>, MdmError> {
    let reads = read.rate_reads(entry.channel.meter, entry.channel.kind, from, to)?;
    let exact =
        |read: &RegisterRead| Some(TouRead { register: read.tou, at: read.at, value: exact(read, entry)? });
    Ok(reads.iter().filter_map(exact).collect())
}

/// A register in the stored unit, multiplier applied; none if that is not exact.
pub(crate) fn exact(read: &RegisterRead, entry: &Entry) -> Option<i64> {
    let (unit, exponent) = entry.channel.kind.stored_unit();
    let value = (read.value.unit == unit).then(|| read.value.rescaled(exponent).ok()).flatten()?;
    value.checked_mul(entry.facts.multiplier.into())
}

/// What is remembered of a channel's earlier days.
pub(crate) fn stats(read: &Read, channel: ChannelId) -> Result<Stats, MdmError> {
    Ok(match read.channel_stats(channel)? {
        Some(bytes) => Stats::from_bytes(&bytes)?,
        None => Stats::default(),
    })
}
