//! What estimation leans on besides the day itself: other days, neighbours, registers, power failures, weather, statistics.

use crate::catalogue::Entry;
use crate::{Mdm, MdmError};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use model::{ChannelId, EventKind, LocalDay, MeterEvent, MeterId, RegisterRead};
use std::collections::BTreeMap;
use store::Read;
use vee::{Context, Day, DayTemperature, Outage, Register, Rules, Slot, Stats, TouRead};

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
}

impl Surroundings {
    /// What there is around the days from `first` to `last`, both included.
    pub(crate) fn load(
        mdm: &Mdm,
        read: &Read,
        entry: &Entry,
        (first, last): (&LocalDay, &LocalDay),
        rules: &Rules,
        reach: Reach,
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
        };
        if !rules.estimation.tou.is_empty() {
            around.tou = tou_registers(read, entry, first.start(), last.end())?;
        }
        let mut days = |from: Date, to: Date| -> Result<(), MdmError> {
            for stored in read.days(channel.id, from, to)? {
                let local = mdm.local_day(stored.block.day)?;
                around.like_days.push(Day::from_block(&stored.block, channel.kind, &local)?);
            }
            Ok(())
        };
        let (first, last) = (first.date(), last.date());
        let recent = moved(first, -i64::from(rules.like_day_lookback_d));
        if reach >= Reach::Recent {
            days(recent, first)?;
            if rules.estimation.uses_later_days() {
                days(moved(last, 1), moved(last, 1 + LATER_D))?;
            }
        }
        if reach >= Reach::Distant {
            let window = i64::from(rules.estimation.last_year_window_d);
            let (from, to) = (moved(first, -YEAR_D - window), moved(last, 1 - YEAR_D + window));
            days(from, to.min(recent))?;
            around.temperatures = temperatures(mdm, read, from, to)?;
            around.temperatures.extend(temperatures(mdm, read, recent.max(to), moved(last, 1))?);
        }
        Ok(around)
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
            ..Context::new(&entry.facts, stats, now)
        }
    }
}

fn moved(date: Date, days: i64) -> Date {
    date.checked_add(jiff::Span::new().days(days)).unwrap_or(date)
}

/// The mean temperatures of a day and of the four weeks before it.
pub(crate) fn recent_temperatures(
    mdm: &Mdm,
    read: &Read,
    date: Date,
) -> Result<Vec<DayTemperature>, MdmError> {
    temperatures(mdm, read, moved(date, -28), moved(date, 1))
}

/// The mean temperatures of the days `[from, to)` of which at least half was measured.
fn temperatures(mdm: &Mdm, read: &Read, from: Date, to: Date) -> Result<Vec<DayTemperature>, MdmError> {
    let mut found = Vec::new();
    if from >= to {
        return Ok(found);
    }
    let hours = read.weather(mdm.local_day(from)?.start(), mdm.local_day(to)?.start())?;
    let mut hours = hours.into_iter().peekable();
    while let Some(at) = hours.peek().map(|hour| hour.at) {
        let day = mdm.day_of(at)?;
        let (mut sum, mut count) = (0i32, 0i32);
        while let Some(hour) = hours.next_if(|hour| hour.at < day.end()) {
            sum += i32::from(hour.temperature_dc);
            count += 1;
        }
        if count >= 12 {
            found.push(DayTemperature { date: day.date(), mean_dc: sum.div_euclid(count) });
        }
    }
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
    let mut found = Vec::new();
    for register in 1..=RATES {
        let reads = read.register_reads(entry.channel.meter, entry.channel.kind, register, from, to)?;
        let exact = reads
            .iter()
            .filter_map(|read| Some(TouRead { register, at: read.at, value: exact(read, entry)? }));
        found.extend(exact);
    }
    Ok(found)
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
