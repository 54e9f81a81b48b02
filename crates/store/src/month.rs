//! A month: every version of every day of up to 32 neighbouring channels, packed as one.
//!
//! ```text
//! block    = 0x02, origins, channel*
//! origins  = count (varint), origin*                      where days come from, each told against the one before
//! origin   = flags, interval_s, rules, recorded_s and, of days out of pages, start_s, received_ms, source, unit, scaler,
//!            exponent                                     differences as zigzag varints
//! channel  = place + 1, runs, bytes of the values (varint), values
//! runs     = count (varint), run*                         days in a row that are alike
//! run      = first day << 1 | marks follow, days, version, origin of the first, slots, mark or marks
//! values   = table                                        those of all days beside each other, see `block::table`
//! ```
//!
//! Each of a run's days has the origin that follows the one before, as a night's load gives all channels the same. A missing
//! interval's value is not kept and comes back as 0.
//!
//! Fewer channels would leave more of the database's pages half empty, which at 8 cost an eighth; more would make one channel's month
//! a longer read.

use crate::block::BlockError;
use crate::block::input::{Input, put_signed, put_varint};
use crate::block::table::{self, Pieces, Unpacker};
use crate::column::{day_number, interval, seconds};
use crate::day::StoredDay;
use crate::{Result, StoreError};
use jiff::civil::Date;
use model::{ChannelId, DayBlock, Quality};

/// Channels of a month's page.
pub(crate) const SHARE: u32 = 32;
const FORMAT: u8 = 2;
/// What a hostile block may make us allocate: 45 days of minutes, as a day block may.
const MOST: usize = crate::block::MAX_VALUES * 4;

/// How the batch of a day out of a page was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AsRead {
    pub(crate) start_s: i64,
    pub(crate) received_ms: i64,
    pub(crate) source: u8,
    pub(crate) unit: u8,
    pub(crate) scaler: i8,
    pub(crate) exponent: i8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Origin {
    day: i32,
    recorded_s: i64,
    interval_s: u32,
    rules: u32,
    raw: Option<AsRead>,
}

/// A version of a day on its way into a month or out of it. It is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folded {
    pub(crate) stored: StoredDay,
    /// There when what was read is the values themselves.
    pub(crate) raw: Option<AsRead>,
}

impl Folded {
    fn origin(&self) -> Origin {
        let block = &self.stored.block;
        Origin {
            day: day_number(block.day),
            recorded_s: block.recorded_at.as_second(),
            interval_s: block.interval.secs(),
            rules: self.stored.rules,
            raw: self.raw,
        }
    }
}

struct Run {
    first: u8,
    days: u8,
    version: u32,
    origin: usize,
    slots: usize,
    quality: Vec<Quality>,
}

/// Packs the days of one month of the channels of a page; by channel, version, then day, which is as they are sorted here.
pub(crate) fn pack(mut days: Vec<Folded>) -> Vec<u8> {
    days.sort_by_key(|day| (day.stored.block.channel, day.stored.block.version, day.stored.block.day));
    let mut origins: Vec<Origin> = days.iter().map(Folded::origin).collect();
    origins.sort_unstable();
    origins.dedup();
    let mut out = vec![FORMAT];
    put_origins(&origins, &mut out);
    for of_channel in days.chunk_by(|a, b| a.stored.block.channel == b.stored.block.channel) {
        out.push((of_channel[0].stored.block.channel.get() % SHARE + 1).to_le_bytes()[0]);
        put_channel(of_channel, &origins, &mut out);
    }
    out
}

fn put_channel(days: &[Folded], origins: &[Origin], out: &mut Vec<u8>) {
    let mut runs: Vec<Run> = Vec::new();
    for day in days {
        let block = &day.stored.block;
        let origin = origins.binary_search(&day.origin()).unwrap_or(0);
        let of_month = block.day.day().cast_unsigned();
        match runs.last_mut() {
            Some(run)
                if run.version == block.version
                    && run.first + run.days == of_month
                    && run.origin + usize::from(run.days) == origin
                    && run.quality == block.quality =>
            {
                run.days += 1;
            }
            _ => runs.push(Run {
                first: of_month,
                days: 1,
                version: block.version,
                origin,
                slots: block.values.len(),
                quality: block.quality.clone(),
            }),
        }
    }
    put_varint(runs.len() as u64, out);
    for run in &runs {
        put_run(run, out);
    }
    let slots: Vec<usize> = days.iter().map(|day| day.stored.block.values.len()).collect();
    let mut packed = Vec::new();
    table::put(&kept_values(days), &slots, &mut packed);
    put_varint(packed.len() as u64, out);
    out.extend_from_slice(&packed);
}

/// The values of all days; where there is none, the one before again, as that costs least.
fn kept_values(days: &[Folded]) -> Vec<i64> {
    let blocks = || days.iter().map(|day| &day.stored.block);
    let all = || blocks().flat_map(|block| block.values.iter().zip(&block.quality));
    let mut last = all().find(|(_, quality)| !quality.is_missing()).map_or(0, |(value, _)| *value);
    let kept = |(value, quality): (&i64, &Quality)| {
        if !quality.is_missing() {
            last = *value;
        }
        last
    };
    all().map(kept).collect()
}

fn put_run(run: &Run, out: &mut Vec<u8>) {
    let alike = run.quality.windows(2).all(|pair| pair[0] == pair[1]);
    out.push(run.first << 1 | u8::from(!alike));
    out.push(run.days);
    put_varint(run.version.into(), out);
    put_varint(run.origin as u64, out);
    put_varint(run.slots as u64, out);
    if alike {
        out.push(run.quality.first().map_or(0, |quality| quality.byte()));
        return;
    }
    for same in run.quality.chunk_by(|a, b| a == b) {
        put_varint(same.len() as u64, out);
        out.push(same[0].byte());
    }
}

fn put_origins(origins: &[Origin], out: &mut Vec<u8>) {
    put_varint(origins.len() as u64, out);
    let mut before = EARLIEST;
    for origin in origins {
        let raw = origin.raw.unwrap_or(NOWHERE);
        out.push(u8::from(origin.raw.is_some()));
        put_signed((origin.day - before.day).into(), out);
        put_signed(origin.recorded_s - before.recorded_s, out);
        put_varint(origin.interval_s.into(), out);
        put_varint(origin.rules.into(), out);
        if origin.raw.is_some() {
            put_signed(raw.start_s - i64::from(origin.day) * 86_400, out);
            put_signed(raw.received_ms - origin.recorded_s.wrapping_mul(1000), out);
            out.extend_from_slice(&[
                raw.source,
                raw.unit,
                raw.scaler.to_le_bytes()[0],
                raw.exponent.to_le_bytes()[0],
            ]);
        }
        before = *origin;
    }
}

const NOWHERE: AsRead = AsRead { start_s: 0, received_ms: 0, source: 0, unit: 0, scaler: 0, exponent: 0 };
const EARLIEST: Origin = Origin { day: 0, recorded_s: 0, interval_s: 0, rules: 0, raw: None };

fn origins(input: &mut Input<'_>) -> Result<Vec<Origin>> {
    let count = input.count()?;
    let mut found: Vec<Origin> = Vec::new();
    for _ in 0..count {
        let before = found.last().copied().unwrap_or(EARLIEST);
        let flags = input.byte()?;
        let day = i64::from(before.day).wrapping_add(input.signed()?);
        let day = i32::try_from(day).map_err(|_| StoreError::Corrupt { what: "day of a month" })?;
        let recorded_s = before.recorded_s.wrapping_add(input.signed()?);
        let small = |value: u64| u32::try_from(value).map_err(|_| StoreError::Corrupt { what: "month" });
        let (interval_s, rules) = (small(input.varint()?)?, small(input.varint()?)?);
        let raw = if flags & 1 == 0 {
            None
        } else {
            Some(AsRead {
                start_s: (i64::from(day) * 86_400).wrapping_add(input.signed()?),
                received_ms: recorded_s.wrapping_mul(1000).wrapping_add(input.signed()?),
                source: input.byte()?,
                unit: input.byte()?,
                scaler: i8::from_le_bytes([input.byte()?]),
                exponent: i8::from_le_bytes([input.byte()?]),
            })
        };
        found.push(Origin { day, recorded_s, interval_s, rules, raw });
    }
    Ok(found)
}

fn run(input: &mut Input<'_>) -> Result<Run> {
    let head = input.byte()?;
    let days = input.byte()?;
    let nonsense = || BlockError::Nonsense(0);
    let version = u32::try_from(input.varint()?).map_err(|_| nonsense())?;
    let origin = input.count()?;
    let slots = input.count()?;
    if slots > crate::block::MAX_VALUES || days > 31 {
        return Err(nonsense().into());
    }
    let mark = |byte: u8| Quality::try_from(byte).map_err(|_| nonsense());
    let mut quality = Vec::with_capacity(slots);
    if head & 1 == 0 {
        quality.resize(slots, mark(input.byte()?)?);
    }
    while quality.len() < slots {
        let length = input.count()?;
        if length == 0 || length > slots - quality.len() {
            return Err(nonsense().into());
        }
        let mark = mark(input.byte()?)?;
        quality.resize(quality.len() + length, mark);
    }
    Ok(Run { first: head >> 1, days, version, origin, slots, quality })
}

/// The days of a month's page, of one channel or of all.
pub(crate) struct MonthView<'a> {
    input: Input<'a>,
    origins: Vec<Origin>,
}

/// One channel's share of a month's page.
pub(crate) struct Share<'a> {
    pub(crate) channel: ChannelId,
    runs: Vec<Run>,
    values: &'a [u8],
}

impl<'a> MonthView<'a> {
    pub(crate) fn read(block: &'a [u8]) -> Result<Self> {
        let mut input = Input::new(block);
        let format = input.byte()?;
        if format != FORMAT {
            return Err(BlockError::Format(format).into());
        }
        let origins = origins(&mut input)?;
        Ok(Self { input, origins })
    }

    /// The next channel of the page, in order.
    pub(crate) fn next(&mut self, page: u32) -> Result<Option<Share<'a>>> {
        if self.input.at >= self.input.bytes.len() {
            return Ok(None);
        }
        let place = u32::from(self.input.byte()?);
        let channel = page.checked_mul(SHARE).and_then(|first| first.checked_add(place.checked_sub(1)?));
        let channel = ChannelId::new(channel.ok_or(StoreError::Corrupt { what: "channel of a month" })?);
        let mut runs = Vec::new();
        let mut total = 0usize;
        for _ in 0..self.input.count()? {
            let run = run(&mut self.input)?;
            total += run.slots * usize::from(run.days.max(1)) + 1;
            if total > MOST {
                return Err(BlockError::TooMany(total).into());
            }
            runs.push(run);
        }
        let length = self.input.count()?;
        Ok(Some(Share { channel, runs, values: self.input.take(length)? }))
    }

    /// Every version of every day of a share, in order of version, then day.
    pub(crate) fn days(&self, month: i32, share: &Share<'_>) -> Result<Vec<Folded>> {
        let mut unpacker = Unpacker::default();
        let mut rest: &[i64] = share.values(&mut unpacker)?;
        let mut found = Vec::new();
        for (run, of_month, index) in share.each_day() {
            let origin =
                self.origins.get(index).ok_or(StoreError::Corrupt { what: "origin of a month's day" })?;
            let (values, after) =
                rest.split_at_checked(run.slots).ok_or(StoreError::Corrupt { what: "month" })?;
            rest = after;
            let block = DayBlock {
                channel: share.channel,
                day: date_of(month, of_month)?,
                version: run.version,
                interval: interval(origin.interval_s)?,
                values: values.to_vec(),
                quality: run.quality.clone(),
                recorded_at: seconds(origin.recorded_s)?,
            };
            found.push(Folded {
                stored: StoredDay { block, sealed: true, rules: origin.rules },
                raw: origin.raw,
            });
        }
        Ok(found)
    }
}

impl Share<'_> {
    /// The runs day by day: the run, the day of the month, the number of its origin.
    fn each_day(&self) -> impl Iterator<Item = (&Run, u8, usize)> {
        self.runs.iter().flat_map(|run| {
            (0..run.days).map(move |day| (run, run.first.saturating_add(day), run.origin + usize::from(day)))
        })
    }

    /// Whether any version of the day is here.
    pub(crate) fn holds(&self, of_month: u8) -> bool {
        self.each_day().any(|(_, day, _)| day == of_month)
    }

    /// The values of all days, one behind the other.
    fn values<'a>(&self, unpacker: &'a mut Unpacker) -> Result<&'a [i64]> {
        let days: Vec<usize> = self.each_day().map(|(run, _, _)| run.slots).collect();
        let values = unpacker.take(&mut Input::new(self.values), &days)?;
        let mut rest = &mut *values;
        for run in &self.runs {
            let (of_run, after) = rest.split_at_mut(run.slots * usize::from(run.days));
            if run.quality.iter().any(|quality| quality.is_missing()) {
                for (value, quality) in of_run.iter_mut().zip(run.quality.iter().cycle()) {
                    *value = if quality.is_missing() { 0 } else { *value };
                }
            }
            rest = after;
        }
        Ok(values)
    }

    /// The days of the month that it holds, into `days`, and how many slots each has, provided that there is one version
    /// of each, all are of the same length and no value is missing: then [`Share::sum`] knows what to add.
    pub(crate) fn plain_days(&self, days: &mut Vec<u8>) -> Option<usize> {
        days.clear();
        let slots = self.runs.first()?.slots;
        let plain = |run: &Run| run.slots == slots && run.quality.iter().all(|quality| !quality.is_missing());
        if !self.runs.iter().all(plain) {
            return None;
        }
        days.extend(self.each_day().map(|(_, of_month, _)| of_month));
        days.windows(2).all(|pair| pair[0] < pair[1]).then_some(slots)
    }

    /// Adds the values of plain days by bucket; no where they have to be unpacked for it.
    pub(crate) fn sum(&self, unpacker: &mut Unpacker, pieces: &Pieces, sums: &mut [i64]) -> Result<bool> {
        Ok(unpacker.sum(&mut Input::new(self.values), pieces, sums)?)
    }

    /// The newest version of each day with its values, without its qualities.
    pub(crate) fn newest(&self, unpacker: &mut Unpacker, mut visit: impl FnMut(u8, &[i64])) -> Result<()> {
        let mut rest = self.values(unpacker)?;
        let mut newest: [Option<&[i64]>; 32] = [None; 32];
        for (run, of_month, _) in self.each_day() {
            let (day, after) =
                rest.split_at_checked(run.slots).ok_or(StoreError::Corrupt { what: "month" })?;
            rest = after;
            if let Some(slot) = newest.get_mut(usize::from(of_month)) {
                *slot = Some(day);
            }
        }
        for (of_month, values) in (0u8..).zip(newest) {
            if let Some(values) = values {
                visit(of_month, values);
            }
        }
        Ok(())
    }
}

/// Months since 1970-01.
pub(crate) fn month_number(day: Date) -> i32 {
    (i32::from(day.year()) - 1970) * 12 + i32::from(day.month()) - 1
}

/// A day of a month.
pub(crate) fn date_of(month: i32, of_month: u8) -> Result<Date> {
    let corrupt = || StoreError::Corrupt { what: "day of a month" };
    let year = i16::try_from(1970 + month.div_euclid(12)).map_err(|_| corrupt())?;
    let month = i8::try_from(month.rem_euclid(12) + 1).map_err(|_| corrupt())?;
    let day = i8::try_from(of_month).map_err(|_| corrupt())?;
    Date::new(year, month, day).map_err(|_| corrupt())
}

#[cfg(test)]
mod tests;
