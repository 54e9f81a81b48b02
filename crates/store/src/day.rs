//! Day blocks: one row a channel, local day and version, in key order (day, channel, version).
//!
//! The newest version of a day is *open* while its intervals still arrive: filling an empty interval rewrites it in
//! place, for nothing that had a value changes. Once sealed, a version never changes again; [`Write::put_day`] refuses.

use crate::block::{pack, unpack};
use crate::column::{day_number, day_of, each, execute, interval, row, rows, seconds};
use crate::engine::Row;
use crate::month::month_number;
use crate::page::{PAGE, page_of};
use crate::{Read, Result, StoreError, Write};
use core::ops::RangeInclusive;
use jiff::Timestamp;
use jiff::civil::Date;
use model::{ChannelId, DayBlock, Quality};
use std::collections::BTreeMap;

/// A version of a day, as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDay {
    /// The values and their qualities.
    pub block: DayBlock,
    /// Whether this version is closed for good.
    pub sealed: bool,
    /// The number of the rule set that judged it; see [`Read::rule_set`].
    pub rules: u32,
}

/// What can be said of a day without unpacking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaySummary {
    /// Whose.
    pub channel: ChannelId,
    /// Which day.
    pub day: Date,
    /// The newest version.
    pub version: u32,
    /// Whether that is closed for good.
    pub sealed: bool,
    /// Intervals of the day.
    pub expected: u32,
    /// Those that were read.
    pub present: u32,
    /// Those that were estimated or derived.
    pub estimated: u32,
    /// The sum of all values, in the stored unit.
    pub total: i64,
}

const COLUMNS: &str = "SELECT day, channel, version, recorded_s, sealed, rules, block FROM day_block";
const SUMMARY: &str =
    "SELECT day, channel, version, sealed, expected, present, estimated, total FROM day_block";

fn stored(row: &Row<'_>) -> Result<StoredDay> {
    let blob = row.blob(6)?;
    let (step, packed) = blob.split_at_checked(4).ok_or(StoreError::Corrupt { what: "day block" })?;
    let step = u32::from_le_bytes([step[0], step[1], step[2], step[3]]);
    let (values, quality) = unpack(packed)?;
    Ok(StoredDay {
        block: DayBlock {
            channel: ChannelId::new(row.get(1)?),
            day: day_of(row.get(0)?)?,
            version: row.get(2)?,
            interval: interval(step)?,
            values,
            quality,
            recorded_at: seconds(row.get(3)?)?,
        },
        sealed: row.get(4)?,
        rules: row.get(5)?,
    })
}

fn summary(row: &Row<'_>) -> Result<DaySummary> {
    Ok(DaySummary {
        day: day_of(row.get(0)?)?,
        channel: ChannelId::new(row.get(1)?),
        version: row.get(2)?,
        sealed: row.get(3)?,
        expected: row.get(4)?,
        present: row.get(5)?,
        estimated: row.get(6)?,
        total: row.get(7)?,
    })
}

impl Read {
    /// The newest version of a channel's day.
    ///
    /// # Errors
    /// What the database says; a damaged block.
    pub fn day(&self, channel: ChannelId, day: Date) -> Result<Option<StoredDay>> {
        let sql = joined(COLUMNS, " WHERE day = ? AND channel = ? ORDER BY version DESC LIMIT 1");
        if let Some(found) = row(&self.conn, &sql, (day_number(day), channel.get()), stored)? {
            return Ok(Some(found));
        }
        if let Some(found) = self.paged(channel, day, |row, values| row.stored(channel, values))? {
            return Ok(Some(found));
        }
        Ok(self.folded(channel, day)?.pop().map(|folded| folded.stored))
    }

    /// One version of a channel's day.
    ///
    /// # Errors
    /// What the database says; a damaged block.
    pub fn day_version(&self, channel: ChannelId, day: Date, version: u32) -> Result<Option<StoredDay>> {
        let sql = joined(COLUMNS, " WHERE day = ? AND channel = ? AND version = ?");
        if let Some(found) = row(&self.conn, &sql, (day_number(day), channel.get(), version), stored)? {
            return Ok(Some(found));
        }
        Ok(self.settled(channel, day)?.into_iter().find(|stored| stored.block.version == version))
    }

    /// Every version of a channel's day, the first one first.
    ///
    /// # Errors
    /// What the database says; a damaged block.
    pub fn day_versions(&self, channel: ChannelId, day: Date) -> Result<Vec<StoredDay>> {
        let sql = joined(COLUMNS, " WHERE day = ? AND channel = ? ORDER BY version");
        let mut found = self.settled(channel, day)?;
        found.extend(rows(&self.conn, &sql, (day_number(day), channel.get()), stored)?);
        Ok(found)
    }

    /// The versions of a channel's day that are in a page or in a month, the first one first.
    fn settled(&self, channel: ChannelId, day: Date) -> Result<Vec<StoredDay>> {
        let paged = self.paged(channel, day, |row, values| row.stored(channel, values))?;
        if paged.is_some() {
            return Ok(paged.into_iter().collect());
        }
        Ok(self.folded(channel, day)?.into_iter().map(|folded| folded.stored).collect())
    }

    /// The newest version of a day that is in a page or in a month, 0 if none is.
    fn settled_version(&self, channel: ChannelId, day: Date) -> Result<u32> {
        Ok(self.settled(channel, day)?.last().map_or(0, |stored| stored.block.version))
    }

    /// The rows of a day of channels in `[from, to)`, by channel and version.
    pub(crate) fn day_rows(&self, day: Date, (from, to): (ChannelId, ChannelId)) -> Result<Vec<StoredDay>> {
        let sql =
            joined(COLUMNS, " WHERE day = ? AND channel >= ? AND channel < ? ORDER BY channel, version");
        rows(&self.conn, &sql, (day_number(day), from.get(), to.get()), stored)
    }

    /// The newest versions of a channel's days in `[from, to)`; days without a block are left out.
    ///
    /// # Errors
    /// What the database says; a damaged block.
    pub fn days(&self, channel: ChannelId, from: Date, to: Date) -> Result<Vec<StoredDay>> {
        let mut found: BTreeMap<Date, StoredDay> = BTreeMap::new();
        for month in months(from, to) {
            for folded in self.folded_month_of(channel, month)? {
                let day = folded.stored.block.day;
                if from <= day && day < to {
                    found.insert(day, folded.stored);
                }
            }
        }
        let sql = joined(COLUMNS, " WHERE day = ? AND channel = ? ORDER BY version DESC LIMIT 1");
        for number in day_number(from)..day_number(to) {
            let day = day_of(number)?;
            if let Some(newest) = row(&self.conn, &sql, (number, channel.get()), stored)? {
                found.insert(day, newest);
            } else if !found.contains_key(&day) {
                let paged = self.paged(channel, day, |row, values| row.stored(channel, values))?;
                found.extend(paged.map(|stored| (day, stored)));
            }
        }
        Ok(found.into_values().collect())
    }

    /// As [`Read::days`] without unpacking.
    ///
    /// # Errors
    /// What the database says.
    pub fn day_totals(&self, channel: ChannelId, from: Date, to: Date) -> Result<Vec<DaySummary>> {
        let mut found: BTreeMap<Date, DaySummary> = BTreeMap::new();
        for month in months(from, to) {
            for folded in self.folded_month_of(channel, month)? {
                let day = folded.stored.block.day;
                if from <= day && day < to {
                    found.insert(day, summary_of(&folded.stored));
                }
            }
        }
        let sql = joined(SUMMARY, " WHERE day = ? AND channel = ? ORDER BY version DESC LIMIT 1");
        for number in day_number(from)..day_number(to) {
            let day = day_of(number)?;
            if let Some(newest) = row(&self.conn, &sql, (number, channel.get()), summary)? {
                found.insert(day, newest);
            } else if !found.contains_key(&day) {
                let paged = self.paged(channel, day, |row, values| Ok(row.summary(channel, &values)))?;
                found.extend(paged.map(|summary| (day, summary)));
            }
        }
        Ok(found.into_values().collect())
    }

    /// The newest version of a day of every channel of a page of 256, by channel.
    pub(crate) fn newest_in_page(&self, day: Date, page: u32) -> Result<Vec<StoredDay>> {
        let range = (ChannelId::new(page * PAGE), ChannelId::new((page * PAGE).saturating_add(PAGE)));
        let of_month = day.day().cast_unsigned();
        let mut found: BTreeMap<ChannelId, StoredDay> = BTreeMap::new();
        self.each_share(month_number(day), range, |share, view| {
            if share.holds(of_month) {
                let days = view.days(month_number(day), share)?;
                let newest = days.into_iter().rfind(|folded| folded.stored.block.day == day);
                found.extend(newest.map(|folded| (share.channel, folded.stored)));
            }
            Ok(())
        })?;
        let mut values = Vec::new();
        self.each_page(day, (page, page.saturating_add(1)), |row| {
            let mut days = Vec::new();
            row.view.each(row.page, &mut values, |channel, values| {
                days.push(row.stored(channel, values.to_vec()));
            })?;
            for stored in days {
                let stored = stored?;
                found.insert(stored.block.channel, stored);
            }
            Ok(())
        })?;
        found.extend(self.day_rows(day, range)?.into_iter().map(|stored| (stored.block.channel, stored)));
        Ok(found.into_values().collect())
    }

    /// What every channel has of a day, by channel.
    ///
    /// # Errors
    /// What the database says.
    pub fn day_summaries(&self, day: Date) -> Result<Vec<DaySummary>> {
        self.day_summaries_of(day, (ChannelId::new(0), ChannelId::new(u32::MAX)))
    }

    /// What the channels from one to another, both included, have of a day, by channel.
    ///
    /// # Errors
    /// What the database says.
    pub fn day_summaries_of(&self, day: Date, (from, to): (ChannelId, ChannelId)) -> Result<Vec<DaySummary>> {
        let mut found: BTreeMap<ChannelId, DaySummary> = BTreeMap::new();
        let end = ChannelId::new(to.get().saturating_add(1));
        let of_month = day.day().cast_unsigned();
        self.each_share(month_number(day), (from, end), |share, view| {
            if share.holds(of_month) {
                let days = view.days(month_number(day), share)?;
                let newest = days.into_iter().rfind(|folded| folded.stored.block.day == day);
                found.extend(newest.map(|folded| (share.channel, summary_of(&folded.stored))));
            }
            Ok(())
        })?;
        let mut values = Vec::new();
        self.each_page(day, (page_of(from), page_of(to).saturating_add(1)), |row| {
            let of_page = row.view.each(row.page, &mut values, |channel, values| {
                if from <= channel && channel <= to {
                    found.insert(channel, row.summary(channel, values));
                }
            });
            Ok(of_page?)
        })?;
        let sql =
            joined(SUMMARY, " WHERE day = ? AND channel >= ? AND channel <= ? ORDER BY channel, version");
        // The server counts channels in 31 bits.
        let last = to.get().min(i32::MAX.cast_unsigned());
        each(&self.conn, &sql, (day_number(day), from.get(), last), |row| {
            let one = summary(row)?;
            found.insert(one.channel, one);
            Ok(())
        })?;
        Ok(found.into_values().collect())
    }

    /// The first and the last day of which anything is kept.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn day_range(&self) -> Result<Option<(Date, Date)>> {
        let ends = [
            "SELECT min(day) FROM day_block",
            "SELECT max(day) FROM day_block",
            "SELECT min(day) FROM day_page",
            "SELECT max(day) FROM day_page",
        ];
        let mut range = self.folded_range()?;
        for sql in ends {
            let end = row(&self.conn, sql, [], |row| row.get::<_, Option<i32>>(0))?.flatten();
            let Some(day) = end.map(day_of).transpose()? else { continue };
            range = Some(range.map_or((day, day), |(first, last)| (first.min(day), last.max(day))));
        }
        Ok(range)
    }

    /// The last closed day.
    ///
    /// # Errors
    /// What the database says.
    pub fn last_closed_day(&self) -> Result<Option<Date>> {
        let last =
            row(&self.conn, "SELECT max(day) FROM closed_day", [], |row| row.get::<_, Option<i32>>(0))?;
        last.flatten().map(day_of).transpose()
    }
}

impl Write {
    /// Keeps a version of a day: a new one, or in place of the same version while that is open.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the version is there already and sealed; [`crate::block::BlockError::TooMany`].
    pub fn put_day(&self, stored: &StoredDay) -> Result<()> {
        let block = &stored.block;
        if self.settled_version(block.channel, block.day)? >= block.version {
            return Err(StoreError::Corrupt { what: "version: it is sealed" });
        }
        let Counted { present, estimated, total } = Counted::of(&block.values, &block.quality);
        let mut blob = block.interval.secs().to_le_bytes().to_vec();
        blob.extend(pack(&block.values, &block.quality)?);
        let sql = "INSERT INTO day_block (day, channel, version, recorded_s, sealed, rules, expected, present, \
                   estimated, total, block) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
                   ON CONFLICT (day, channel, version) DO UPDATE SET recorded_s = ?4, sealed = ?5, rules = ?6, \
                   expected = ?7, present = ?8, estimated = ?9, total = ?10, block = ?11 WHERE day_block.sealed = 0";
        let touched = execute(
            &self.conn,
            sql,
            (
                day_number(block.day),
                block.channel.get(),
                block.version,
                block.recorded_at.as_second(),
                stored.sealed,
                stored.rules,
                u32::try_from(block.values.len()).unwrap_or(u32::MAX),
                present,
                estimated,
                total,
                blob,
            ),
        )?;
        if touched == 0 { Err(StoreError::Corrupt { what: "version: it is sealed" }) } else { Ok(()) }
    }

    /// Remembers that a day is closed. Whether that was new.
    ///
    /// # Errors
    /// What the database says.
    pub fn close_day(&self, day: Date, at: Timestamp) -> Result<bool> {
        let sql = "INSERT INTO closed_day (day, closed_ms) VALUES (?, ?) ON CONFLICT DO NOTHING";
        Ok(execute(&self.conn, sql, (day_number(day), at.as_millisecond()))? > 0)
    }
}

/// The months that `[from, to)` touches.
fn months(from: Date, to: Date) -> core::ops::RangeInclusive<i32> {
    let last = to.yesterday().unwrap_or(to);
    if from < to { month_number(from)..=month_number(last) } else { RangeInclusive::new(1, 0) }
}

fn summary_of(stored: &StoredDay) -> DaySummary {
    let block = &stored.block;
    let counted = Counted::of(&block.values, &block.quality);
    DaySummary {
        channel: block.channel,
        day: block.day,
        version: block.version,
        sealed: stored.sealed,
        expected: u32::try_from(block.values.len()).unwrap_or(u32::MAX),
        present: counted.present,
        estimated: counted.estimated,
        total: counted.total,
    }
}

/// What a day holds, counted.
pub(crate) struct Counted {
    pub(crate) present: u32,
    pub(crate) estimated: u32,
    pub(crate) total: i64,
}

impl Counted {
    pub(crate) fn of(values: &[i64], quality: &[Quality]) -> Self {
        let (mut present, mut estimated, mut total) = (0u32, 0u32, 0i64);
        for (value, quality) in values.iter().zip(quality) {
            if quality.is_missing() {
                continue;
            }
            present += u32::from(quality.is_read());
            estimated += u32::from(!quality.is_read());
            total = total.saturating_add(*value);
        }
        Self { present, estimated, total }
    }
}

fn joined(columns: &str, rest: &str) -> String {
    [columns, rest].concat()
}
