//! Rows of pages: writing them in bulk and finding one channel's day in them.

use crate::column::{
    day_number, day_of, each, execute, interval, millis, row, rows, seconds, source, unit, value,
};
use crate::day::{DaySummary, StoredDay};
use crate::engine::{Filling, Row};
use crate::page::{DayPage, PAGE, PageView, page_of};
use crate::raw::RawBatch;
use crate::{Read, Result, StoreError, Write};
use jiff::civil::Date;
use model::{ChannelId, DayBlock};
use std::collections::BTreeMap;

/// Pages are written in bulk.
const PAGES: Filling = Filling {
    table: "day_page",
    columns: &[
        "day",
        "page",
        "part",
        "first",
        "last",
        "channels",
        "interval_s",
        "slots",
        "recorded_s",
        "rules",
        "start_s",
        "received_ms",
        "block",
    ],
    key: &[],
};

pub(crate) const COLUMNS: &str =
    "day, interval_s, slots, recorded_s, rules, start_s, received_ms, block, page";

/// A page's row, turned over once for all its channels.
pub(crate) struct PageRow<'a> {
    pub(crate) day: Date,
    pub(crate) page: u32,
    pub(crate) interval: model::IntervalLength,
    pub(crate) slots: usize,
    pub(crate) recorded_s: i64,
    pub(crate) rules: u32,
    pub(crate) start_s: i64,
    pub(crate) received_ms: i64,
    pub(crate) view: PageView<'a>,
}

impl<'a> PageRow<'a> {
    pub(crate) fn of(row: &Row<'a>) -> Result<Self> {
        let slots = usize::from(row.get::<_, u16>(2)?);
        Ok(Self {
            day: day_of(row.get(0)?)?,
            page: row.get(8)?,
            interval: interval(row.get(1)?)?,
            slots,
            recorded_s: row.get(3)?,
            rules: row.get(4)?,
            start_s: row.get(5)?,
            received_ms: row.get(6)?,
            view: PageView::read(row.blob(7)?, slots)?,
        })
    }

    pub(crate) fn stored(&self, channel: ChannelId, values: Vec<i64>) -> Result<StoredDay> {
        Ok(StoredDay {
            block: DayBlock {
                channel,
                day: self.day,
                version: 1,
                interval: self.interval,
                quality: vec![self.view.quality; values.len()],
                values,
                recorded_at: seconds(self.recorded_s)?,
            },
            sealed: true,
            rules: self.rules,
        })
    }

    pub(crate) fn summary(&self, channel: ChannelId, values: &[i64]) -> DaySummary {
        let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
        DaySummary {
            channel,
            day: self.day,
            version: 1,
            sealed: true,
            expected: count,
            present: count,
            estimated: 0,
            total: values.iter().fold(0i64, |sum, value| sum.saturating_add(*value)),
        }
    }

    /// The batch of which a day was made.
    pub(crate) fn raw(&self, channel: ChannelId, values: &[i64]) -> Result<RawBatch> {
        Ok(RawBatch {
            channel,
            start: seconds(self.start_s)?,
            interval: self.interval,
            values: as_read(values, self.view.scaler, self.view.exponent)?,
            status: vec![0; values.len()],
            scaler: self.view.scaler,
            unit: unit(self.view.unit)?,
            received_at: millis(self.received_ms.saturating_add(self.view.receipt(channel)?))?,
            source: source(self.view.source)?,
        })
    }
}

/// Stored integers back to what was on the wire; exact, as the stored unit is never coarser.
pub(crate) fn as_read(values: &[i64], scaler: i8, exponent: i8) -> Result<Vec<Option<i64>>> {
    let steps = u32::try_from(i32::from(scaler) - i32::from(exponent))
        .map_err(|_| StoreError::Corrupt { what: "scaler of a page" })?;
    let factor = 10i64.checked_pow(steps).ok_or(StoreError::Corrupt { what: "scaler of a page" })?;
    Ok(values.iter().map(|value| Some(value / factor)).collect())
}

impl Read {
    /// A channel's day, if it is in a page.
    pub(crate) fn paged<T>(
        &self,
        channel: ChannelId,
        day: Date,
        take: impl Fn(&PageRow<'_>, Vec<i64>) -> Result<T>,
    ) -> Result<Option<T>> {
        let sql = [
            "SELECT ",
            COLUMNS,
            " FROM day_page WHERE day = ?1 AND page = ?2 AND first <= ?3 AND last >= ?3",
        ]
        .concat();
        let mut found = None;
        each(&self.conn, &sql, (day_number(day), page_of(channel), channel.get()), |row| {
            if found.is_none() {
                let row = PageRow::of(row)?;
                found = row.view.find(channel)?.map(|values| take(&row, values)).transpose()?;
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Every page of a day with `page` in `[from, to)`, in order.
    pub(crate) fn each_page(
        &self,
        day: Date,
        (from, to): (u32, u32),
        mut take: impl FnMut(&PageRow<'_>) -> Result<()>,
    ) -> Result<()> {
        let sql = [
            "SELECT ",
            COLUMNS,
            " FROM day_page WHERE day = ? AND page >= ? AND page < ? ORDER BY page, part",
        ]
        .concat();
        each(&self.conn, &sql, (day_number(day), from, to), |row| take(&PageRow::of(row)?))
    }

    /// The channels of a page of which anything of `day` is kept, whether as a row, in a page or in a month; with them
    /// those whose raw batch of the day, beginning at `start_s`, is kept.
    ///
    /// # Errors
    /// What the database says; a damaged page.
    pub fn known_in_page(&self, day: Date, page: u32, start_s: i64) -> Result<Vec<ChannelId>> {
        let mut known = self.known_in_pages(day, (page, page.saturating_add(1)), start_s)?;
        Ok(known.remove(&page).unwrap_or_default())
    }

    /// As [`Read::known_in_page`], of the pages from one up to and without another; pages of which nothing is known are left
    /// out.
    ///
    /// # Errors
    /// As [`Read::known_in_page`].
    pub fn known_in_pages(
        &self,
        day: Date,
        (from, to): (u32, u32),
        start_s: i64,
    ) -> Result<BTreeMap<u32, Vec<ChannelId>>> {
        let (first, end) = (from.saturating_mul(PAGE), to.saturating_mul(PAGE));
        let mut known = Vec::new();
        let sql = "SELECT channel FROM day_block WHERE day = ? AND channel >= ? AND channel < ?";
        known.extend(rows(&self.conn, sql, (day_number(day), first, end), |row| {
            Ok(ChannelId::new(row.get(0)?))
        })?);
        let sql = "SELECT channel FROM raw_batch WHERE start_s = ? AND channel >= ? AND channel < ?";
        known.extend(rows(&self.conn, sql, (start_s, first, end), |row| Ok(ChannelId::new(row.get(0)?)))?);
        self.each_page(day, (from, to), |row| {
            known.extend(row.view.channels(row.page));
            Ok(())
        })?;
        known.extend(self.folded_channels(day, (ChannelId::new(first), ChannelId::new(end)))?);
        known.sort_unstable();
        known.dedup();
        let mut of: BTreeMap<u32, Vec<ChannelId>> = BTreeMap::new();
        for channel in known {
            of.entry(page_of(channel)).or_default().push(channel);
        }
        Ok(of)
    }

    /// How many channels' days of a date lie in pages.
    ///
    /// # Errors
    /// What the database says.
    pub fn paged_days(&self, day: Date) -> Result<u32> {
        let sql = "SELECT coalesce(sum(channels), 0) FROM day_page WHERE day = ?";
        let count: i64 = value(&self.conn, sql, [day_number(day)])?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// How far the load called `name` has come; 0 for one that was never begun.
    ///
    /// # Errors
    /// What the database says.
    pub fn load_mark(&self, name: &str) -> Result<u64> {
        row(&self.conn, "SELECT position FROM load_mark WHERE name = ?", [name], |row| row.get(0))
            .map(Option::unwrap_or_default)
    }
}

impl Write {
    /// Keeps a page. The caller has looked that no channel in it has anything of that day ([`Read::known_in_page`]), in
    /// this transaction.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_page(&self, page: &DayPage) -> Result<()> {
        self.put_pages(&[page])
    }

    /// As [`Write::put_page`], for many: the quickest way to keep a day.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_pages(&self, pages: &[&DayPage]) -> Result<()> {
        let filled: Vec<_> = pages.iter().filter_map(|page| Some((*page, page.range()?))).collect();
        let mut next = self.next_parts(&filled.iter().map(|(page, _)| *page).collect::<Vec<_>>())?;
        let parts: Vec<u32> = filled
            .iter()
            .map(|(page, _)| {
                let part = next.entry((page.head.day, page.page())).or_default();
                *part += 1;
                *part - 1
            })
            .collect();
        let row = |((page, (first, last)), part): (&(&DayPage, (ChannelId, ChannelId)), u32)| {
            let head = &page.head;
            (
                day_number(head.day),
                page.page(),
                part,
                first.get(),
                last.get(),
                page.len(),
                head.interval.secs(),
                u32::from(head.slots),
                head.recorded_at.as_second(),
                head.rules,
                head.start.as_second(),
                head.received_at.as_millisecond(),
                page.to_block(),
            )
        };
        self.conn.fill(&PAGES, filled.iter().zip(parts).map(row))?;
        Ok(())
    }

    /// The part that the next page of each day and number is.
    fn next_parts(&self, pages: &[&DayPage]) -> Result<BTreeMap<(Date, u32), u32>> {
        let mut bounds: BTreeMap<Date, (u32, u32)> = BTreeMap::new();
        for page in pages {
            let (first, last) = bounds.entry(page.head.day).or_insert((page.page(), page.page()));
            (*first, *last) = (page.page().min(*first), page.page().max(*last));
        }
        let mut next = BTreeMap::new();
        for (day, (first, last)) in bounds {
            let sql = "SELECT page, max(part) + 1 FROM day_page WHERE day = ? AND page >= ? AND page <= ? GROUP BY page";
            each(&self.conn, sql, (day_number(day), first, last), |row| {
                next.insert((day, row.get::<_, u32>(0)?), row.get(1)?);
                Ok(())
            })?;
        }
        Ok(next)
    }

    /// Notes how far the load called `name` has come, in the transaction that brought it there.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_load_mark(&self, name: &str, position: u64) -> Result<()> {
        let sql = "INSERT INTO load_mark (name, position) VALUES (?1, ?2) \
                   ON CONFLICT (name) DO UPDATE SET position = excluded.position";
        execute(&self.conn, sql, (name, i64::try_from(position).unwrap_or(i64::MAX)))?;
        Ok(())
    }
}
