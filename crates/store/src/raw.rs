//! What was truly read, never changed.

use crate::block::{pack_raw, unpack_raw};
use crate::column::{execute, interval, millis, rows, seconds, source, source_code, unit, value};
use crate::month::month_number;
use crate::{Read, Result, Write};
use jiff::Timestamp;
use model::{BatchSource, ChannelId, IntervalLength, ReadBatch, Unit};

/// A batch as it was read: value `i` belongs to the half-open interval that starts `i` lengths after `start`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawBatch {
    /// Whose series.
    pub channel: ChannelId,
    /// Start of the first interval, UTC.
    pub start: Timestamp,
    /// Length of every interval.
    pub interval: IntervalLength,
    /// Integers as on the wire; `None` where the meter had no entry.
    pub values: Vec<Option<i64>>,
    /// The meter's status byte of each.
    pub status: Vec<u8>,
    /// Decimal exponent of the values.
    pub scaler: i8,
    /// Unit of the values.
    pub unit: Unit,
    /// When it was received.
    pub received_at: Timestamp,
    /// How it came.
    pub source: BatchSource,
}

impl Read {
    /// The batches of a channel that start in `[from, to)`, by start.
    ///
    /// # Errors
    /// What the database says; a damaged block.
    pub fn raw_batches(&self, channel: ChannelId, from: Timestamp, to: Timestamp) -> Result<Vec<RawBatch>> {
        let sql = "SELECT start_s, interval_s, received_ms, source, unit, scaler, block FROM raw_batch \
                   WHERE start_s >= ? AND start_s < ? AND channel = ? ORDER BY start_s, received_ms";
        let mut found = rows(&self.conn, sql, (from.as_second(), to.as_second(), channel.get()), |row| {
            let (values, status) = unpack_raw(row.blob(6)?)?;
            Ok(RawBatch {
                channel,
                start: seconds(row.get(0)?)?,
                interval: interval(row.get(1)?)?,
                values,
                status,
                scaler: row.get(5)?,
                unit: unit(row.get(4)?)?,
                received_at: millis(row.get(2)?)?,
                source: source(row.get(3)?)?,
            })
        })?;
        let before = found.len();
        found.extend(self.raw_in_days(channel, from, to)?);
        if found.len() > before {
            found.sort_by_key(|batch| (batch.start, batch.received_at));
        }
        Ok(found)
    }

    /// The batches that are kept as the days that were made of them, in pages and in months.
    fn raw_in_days(&self, channel: ChannelId, from: Timestamp, to: Timestamp) -> Result<Vec<RawBatch>> {
        let mut found = Vec::new();
        let Some((first, last)) = self.day_range()? else { return Ok(found) };
        let inside = |raw: &RawBatch| raw.start >= from && raw.start < to;
        // A local day begins at most a day from its date in UTC.
        let (mut day, end) = (utc_day(from, -1).max(first), utc_day(to, 1).min(last));
        for month in month_number(day)..=month_number(end) {
            for folded in self.folded_month_of(channel, month)? {
                if let Some(raw) = folded.raw {
                    found.push(self.raw_of(&folded, raw)?);
                }
            }
        }
        while day <= end {
            found.extend(self.paged(channel, day, |row, values| row.raw(channel, &values))?);
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        found.retain(inside);
        Ok(found)
    }

    /// How the batches came that start in `[from, to)`: by channel and source, how many, and how many of them were
    /// received after `due`.
    ///
    /// # Errors
    /// What the database says.
    pub fn batches_by_source(
        &self,
        from: Timestamp,
        to: Timestamp,
        due: Timestamp,
    ) -> Result<Vec<(ChannelId, BatchSource, u32, u32)>> {
        let sql = "SELECT channel, source, count(*), sum(CASE WHEN received_ms > ? THEN 1 ELSE 0 END) FROM raw_batch \
                   WHERE start_s >= ? AND start_s < ? GROUP BY channel, source ORDER BY channel, source";
        rows(&self.conn, sql, (due.as_millisecond(), from.as_second(), to.as_second()), |row| {
            Ok((ChannelId::new(row.get(0)?), source(row.get(1)?)?, row.get(2)?, row.get(3)?))
        })
    }

    /// How many batches are kept.
    ///
    /// # Errors
    /// What the database says.
    pub fn raw_batch_count(&self) -> Result<u64> {
        let counts = [
            "SELECT count(*) FROM raw_batch",
            "SELECT coalesce(sum(channels), 0) FROM day_page",
            "SELECT coalesce(sum(batches), 0) FROM month_page",
        ];
        let mut total = 0;
        for sql in counts {
            total += value::<i64>(&self.conn, sql, [])?.unsigned_abs();
        }
        Ok(total)
    }
}

impl Write {
    /// Keeps a batch. The same content for the same intervals again changes nothing. Whether it was new.
    ///
    /// # Errors
    /// What the database says; [`crate::block::BlockError::TooMany`].
    pub fn insert_raw(&self, channel: ChannelId, batch: &ReadBatch) -> Result<bool> {
        let block = pack_raw(&batch.values, &batch.status)?;
        let second = batch.start.saturating_add(jiff::SignedDuration::from_secs(1)).unwrap_or(batch.start);
        for known in self.raw_in_days(channel, batch.start, second)? {
            let same =
                known.interval == batch.interval && known.unit == batch.unit && known.scaler == batch.scaler;
            if same && pack_raw(&known.values, &known.status)? == block {
                return Ok(false);
            }
        }
        let hash = content_hash(&block, batch.unit, batch.scaler);
        let sql = "INSERT INTO raw_batch (start_s, channel, interval_s, hash, received_ms, source, unit, scaler, block) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        let touched = execute(
            &self.conn,
            sql,
            (
                batch.start.as_second(),
                channel.get(),
                batch.interval.secs(),
                hash,
                batch.received_at.as_millisecond(),
                source_code(batch.source),
                batch.unit.code(),
                batch.scaler,
                block,
            ),
        )?;
        Ok(touched > 0)
    }
}

/// The date of an instant in UTC, so many days on.
pub(crate) fn utc_day(at: Timestamp, days: i64) -> jiff::civil::Date {
    let date = jiff::tz::TimeZone::UTC.to_datetime(at).date();
    date.checked_add(jiff::Span::new().days(days)).unwrap_or(date)
}

/// Tells batches of the same intervals apart by what they say; FNV-1a, as the program's life does not change it.
fn content_hash(block: &[u8], unit: Unit, scaler: i8) -> i64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = block.iter().copied().fold(0xcbf2_9ce4_8422_2325, step);
    step(step(hash, unit.code()), scaler.cast_unsigned()).cast_signed()
}
