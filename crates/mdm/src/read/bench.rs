//! Everything that the editing bench shows of a channel's day, in one snapshot.

use super::exceptions::exceptions_of;
use super::profile::{Series, series};
use super::versions::{VersionView, views};
use crate::catalogue::Entry;
use crate::surroundings::registers;
use crate::{Mdm, MdmError};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::{BatchSource, ChannelId, Commodity, LocalDay, RegisterValue, Serial};
use store::{Channel, EditEntry, Exception, ExceptionFilter, Read};
use vee::{Register, Slot};

/// How far from a day registers that bracket it are looked for.
const BRACKET: SignedDuration = SignedDuration::from_hours(35 * 24);
/// A batch may begin this long before the day that it reaches into.
pub(crate) const LONGEST_BATCH: SignedDuration = SignedDuration::from_hours(46 * 24);
/// How many weeks back the same weekday is shown.
const WEEKS: i64 = 4;

/// One interval as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawSlot {
    /// In the channel's stored unit; `None` where nothing was read, or nothing that fits the unit exactly.
    pub value: Option<i64>,
    /// The meter's status byte.
    pub status: u8,
    /// When the last reading of it was received.
    pub received_at: Timestamp,
    /// How that came.
    pub source: BatchSource,
    /// How many different values were read of it.
    pub distinct: u32,
}

/// The total registers around a day and whether the values between them add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bracket {
    /// The last read at or before the day's start.
    pub from: Register,
    /// The first read at or after its end.
    pub to: Register,
    /// How far the register went, through a rollover too; `None` where it went backward.
    pub advance: Option<i64>,
    /// The sum of the final values between the two.
    pub sum: i64,
    /// Intervals between the two of which nothing is known.
    pub missing: usize,
}

impl Bracket {
    /// The sum less the advance: zero where they agree.
    pub fn difference(&self) -> Option<i64> {
        self.advance.map(|advance| self.sum.saturating_sub(advance))
    }
}

/// A day beside the one on the bench.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherDay {
    /// Which.
    pub date: Date,
    /// Its values.
    pub series: Series,
}

/// A channel's day on the editing bench.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BenchDay {
    /// Whose.
    pub channel: Channel,
    /// On the meter's plate.
    pub serial: Serial,
    /// What is delivered.
    pub commodity: Commodity,
    /// Where.
    pub address: Option<String>,
    /// Which day.
    pub day: LocalDay,
    /// The final values, with version and whether that is closed.
    pub series: Series,
    /// What was read, one entry an interval; `None` where nothing was.
    pub raw: Vec<Option<RawSlot>>,
    /// What is and was found, and how far each has come.
    pub findings: Vec<Exception>,
    /// The reads of the total register inside the day, both bounds included.
    pub registers: Vec<Register>,
    /// The registers around the day.
    pub bracket: Option<Bracket>,
    /// The versions, the first one first.
    pub versions: Vec<VersionView>,
    /// What people did to the day, in order.
    pub edits: Vec<EditEntry>,
    /// The other channels of the meter that day.
    pub siblings: Vec<Series>,
    /// The same weekday of the four weeks before, the newest first; days of which nothing is kept are left out.
    pub like_days: Vec<OtherDay>,
    /// The day before and the day after.
    pub beside: [Option<OtherDay>; 2],
    /// The exceptions before and after this one in the queue, the oldest day first.
    pub neighbours: [Option<Exception>; 2],
}

impl BenchDay {
    /// The final values as slots.
    pub fn slots(&self) -> Vec<Slot> {
        self.series.slots.iter().map(|(value, quality)| Slot::new(*value, *quality)).collect()
    }
}

impl Mdm {
    /// A channel's day with everything that a person needs to decide about it; `None` for a channel that is not in service.
    /// `queue` is the queue that the person works through.
    ///
    /// # Errors
    /// What the store says.
    pub fn bench_day(
        &self,
        channel: ChannelId,
        date: Date,
        queue: &ExceptionFilter,
    ) -> Result<Option<BenchDay>, MdmError> {
        self.store().read(|r| self.bench_in(r, channel, date, queue))
    }

    pub(crate) fn bench_in(
        &self,
        read: &Read,
        channel: ChannelId,
        date: Date,
        queue: &ExceptionFilter,
    ) -> Result<Option<BenchDay>, MdmError> {
        let Some(entry) = self.catalogue().by_id(channel) else { return Ok(None) };
        let day = self.local_day(date)?;
        let Some(meter) = read.meter(entry.channel.meter)? else { return Ok(None) };
        let point = meter.service_point.map(|point| read.service_point(point)).transpose()?.flatten();
        let premise = point.map(|point| read.premise(point.premise)).transpose()?.flatten();
        let mut siblings = Vec::new();
        for other in read.channels_of(meter.id)?.iter().filter(|other| other.id != channel) {
            siblings.push(series(read, other, &day)?);
        }
        let mut like_days = Vec::new();
        for week in 1..=WEEKS {
            let Ok(date) = date.checked_sub((7 * week).days()) else { continue };
            like_days.extend(self.other_day(read, &entry, date)?);
        }
        let beside = [date.yesterday(), date.tomorrow()]
            .map(|date| date.map_or(Ok(None), |date| self.other_day(read, &entry, date)));
        let [before, after] = beside;
        Ok(Some(BenchDay {
            serial: meter.serial,
            commodity: meter.commodity,
            address: premise.map(|premise| premise.address),
            series: series(read, &entry.channel, &day)?,
            raw: raw(read, &entry, &day)?,
            findings: exceptions_of(read, channel, date)?,
            registers: registers(read, &entry, day.start(), day.end())?,
            bracket: self.bracket(read, &entry, &day)?,
            versions: views(read, channel, &day)?,
            edits: read.edits(channel, date)?,
            siblings,
            like_days,
            beside: [before?, after?],
            neighbours: read.exceptions_beside(queue, channel, date)?,
            channel: entry.channel,
            day,
        }))
    }

    fn other_day(&self, read: &Read, entry: &Entry, date: Date) -> Result<Option<OtherDay>, MdmError> {
        let series = series(read, &entry.channel, &self.local_day(date)?)?;
        Ok((series.version > 0).then_some(OtherDay { date, series }))
    }

    fn bracket(&self, read: &Read, entry: &Entry, day: &LocalDay) -> Result<Option<Bracket>, MdmError> {
        let far = |at: Timestamp, by: SignedDuration| at.saturating_add(by).unwrap_or(at);
        let before = registers(read, entry, far(day.start(), -BRACKET), day.start())?.pop();
        let after = registers(read, entry, day.end(), far(day.end(), BRACKET))?.into_iter().next();
        let (Some(from), Some(to)) = (before, after) else { return Ok(None) };
        let (mut sum, mut missing) = (0i64, 0);
        let mut within = self.day_of(from.at)?;
        while within.start() < to.at {
            let values = series(read, &entry.channel, &within)?;
            for (index, (value, quality)) in values.slots.iter().enumerate() {
                let start = within.interval_start(values.interval, index);
                if start < from.at || start >= to.at {
                    continue;
                }
                missing += usize::from(quality.is_missing());
                sum = sum.saturating_add(*value);
            }
            within = within.next()?;
        }
        let advance = vee::register_advance(from.value, to.value, entry.facts.modulus).consumption();
        Ok(Some(Bracket { from, to, advance, sum, missing }))
    }
}

/// What was read of a day, the reading received last standing for an interval.
fn raw(read: &Read, entry: &Entry, day: &LocalDay) -> Result<Vec<Option<RawSlot>>, MdmError> {
    let (channel, interval) = (entry.channel, entry.channel.interval);
    let (_, exponent) = channel.kind.stored_unit();
    let mut slots: Vec<Option<RawSlot>> = vec![None; day.intervals(interval)];
    let from = day.start().saturating_sub(LONGEST_BATCH).unwrap_or(Timestamp::MIN);
    let mut batches = read.raw_batches(channel.id, from, day.end())?;
    batches.sort_by_key(|batch| batch.received_at);
    for batch in &batches {
        for (index, value) in batch.values.iter().enumerate() {
            let offset = i64::from(batch.interval.secs()).saturating_mul(i64::try_from(index).unwrap_or(0));
            let Ok(start) = batch.start.checked_add(SignedDuration::from_secs(offset)) else { continue };
            let Some(place) = day.interval_at(interval, start).and_then(|slot| slots.get_mut(slot)) else {
                continue;
            };
            let Some(raw) = value else { continue };
            let register = RegisterValue { raw: *raw, scaler: batch.scaler, unit: batch.unit };
            let fits = batch.unit == channel.kind.stored_unit().0 && batch.interval == interval;
            let value = fits.then(|| register.rescaled(exponent).ok()).flatten();
            let distinct = match place {
                Some(known) => known.distinct + u32::from(known.value != value),
                None => 1,
            };
            *place = Some(RawSlot {
                value,
                status: batch.status.get(index).copied().unwrap_or(0),
                received_at: batch.received_at,
                source: batch.source,
                distinct,
            });
        }
    }
    Ok(slots)
}
