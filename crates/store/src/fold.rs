//! Folding: the days of a month that nothing changes any more become rows of month pages, and are found there.

use crate::column::{day_number, day_of, each, execute, interval, millis, row, seconds, source, unit};
use crate::day::StoredDay;
use crate::day_page::{PageRow, as_read};
use crate::engine::Filling;
use crate::month::{AsRead, Folded, MonthView, SHARE, Share, date_of, month_number, pack};
use crate::page::{DayPage, PAGE, PageView, page_of};
use crate::raw::RawBatch;
use crate::{Read, Result, Write};
use jiff::Timestamp;
use jiff::civil::Date;
use model::ChannelId;
use std::collections::BTreeMap;

/// Months that come in folded are new.
const MONTHS: Filling =
    Filling { table: "month_page", columns: &["month", "page", "batches", "block"], key: &[] };

/// What folding came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FoldReport {
    /// Rows of month pages written.
    pub rows: u64,
    /// Versions of days in them that were not there before.
    pub days: u64,
    /// Versions that stay as they are because they are not sealed.
    pub open: u64,
}

/// A month of up to 32 neighbouring channels that comes in folded, as history does that another system kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonthPage {
    month: i32,
    days: (Date, Date),
    share: u32,
    batches: u32,
    block: Vec<u8>,
}

impl MonthPage {
    /// Packs the days of one month of the channels of one page of 256: a page a day. Days of other months or pages than the
    /// first one's are left out.
    ///
    /// # Errors
    /// Days that a page cannot have.
    pub fn of(pages: &[DayPage]) -> Result<Vec<Self>> {
        let Some(first) = pages.first() else { return Ok(Vec::new()) };
        let month = month_number(first.head.day);
        let mut of_share: BTreeMap<u32, Vec<Folded>> = BTreeMap::new();
        for page in pages {
            let head = &page.head;
            if month_number(head.day) != month || page.page() != first.page() {
                continue;
            }
            let block = page.to_block();
            let slots = usize::from(head.slots);
            let row = PageRow {
                day: head.day,
                page: page.page(),
                interval: head.interval,
                slots,
                recorded_s: head.recorded_at.as_second(),
                rules: head.rules,
                start_s: head.start.as_second(),
                received_ms: head.received_at.as_millisecond(),
                view: PageView::read(&block, slots)?,
            };
            take_page(&row, &mut |folded| {
                of_share.entry(folded.stored.block.channel.get() % PAGE / SHARE).or_default().push(folded);
            })?;
        }
        let packed = |(share, days): (u32, Vec<Folded>)| {
            let all = || days.iter().map(|folded| folded.stored.block.day);
            let days_of = all().min().zip(all().max()).unwrap_or((first.head.day, first.head.day));
            let batches = u32::try_from(days.len()).unwrap_or(u32::MAX);
            Self { month, days: days_of, share, batches, block: pack(days) }
        };
        Ok(of_share.into_iter().map(packed).collect())
    }
}

impl Read {
    /// Every version of a channel's day that is folded, the first one first.
    pub(crate) fn folded(&self, channel: ChannelId, day: Date) -> Result<Vec<Folded>> {
        let all = self.folded_month_of(channel, month_number(day))?;
        Ok(all.into_iter().filter(|folded| folded.stored.block.day == day).collect())
    }

    /// Every version of every day of a channel's month that is folded, by version, then day.
    pub(crate) fn folded_month_of(&self, channel: ChannelId, month: i32) -> Result<Vec<Folded>> {
        let page = channel.get() / SHARE;
        let sql = "SELECT block FROM month_page WHERE month = ? AND page = ?";
        let found = row(&self.conn, sql, (month, page), |row| {
            let mut view = MonthView::read(row.blob(0)?)?;
            while let Some(share) = view.next(page)? {
                if share.channel == channel {
                    return view.days(month, &share);
                }
            }
            Ok(Vec::new())
        })?;
        Ok(found.unwrap_or_default())
    }

    /// Every share of a month in `[from, to)`, by channel.
    pub(crate) fn each_share(
        &self,
        month: i32,
        (from, to): (ChannelId, ChannelId),
        mut take: impl FnMut(&Share<'_>, &MonthView<'_>) -> Result<()>,
    ) -> Result<()> {
        let sql =
            "SELECT page, block FROM month_page WHERE month = ? AND page >= ? AND page <= ? ORDER BY page";
        each(&self.conn, sql, (month, from.get() / SHARE, to.get() / SHARE), |row| {
            let page: u32 = row.get(0)?;
            let mut view = MonthView::read(row.blob(1)?)?;
            while let Some(share) = view.next(page)? {
                if share.channel >= from && share.channel < to {
                    take(&share, &view)?;
                }
            }
            Ok(())
        })
    }

    /// The channels in `[from, to)` of which anything of a day is folded.
    pub(crate) fn folded_channels(&self, day: Date, range: (ChannelId, ChannelId)) -> Result<Vec<ChannelId>> {
        let of_month = day.day().cast_unsigned();
        let mut known = Vec::new();
        self.each_share(month_number(day), range, |share, _| {
            if share.holds(of_month) {
                known.push(share.channel);
            }
            Ok(())
        })?;
        Ok(known)
    }

    /// The first and last day that is folded.
    pub(crate) fn folded_range(&self) -> Result<Option<(Date, Date)>> {
        let found = row(&self.conn, "SELECT min(first), max(last) FROM folded_month", [], |row| {
            Ok((row.get::<_, Option<i32>>(0)?, row.get::<_, Option<i32>>(1)?))
        })?;
        match found {
            Some((Some(first), Some(last))) => Ok(Some((day_of(first)?, day_of(last)?))),
            _ => Ok(None),
        }
    }

    /// The pages of 256 channels that have unfolded days of the month that holds `day`, in order, from `page` on.
    ///
    /// # Errors
    /// What the database says.
    pub fn unfolded_pages(&self, day: Date, page: u32) -> Result<Vec<u32>> {
        let (first, end) = bounds(month_number(day))?;
        let mut pages = std::collections::BTreeSet::new();
        for number in day_number(first)..day_number(end) {
            let sql = "SELECT DISTINCT page FROM day_page WHERE day = ? AND page >= ?";
            each(&self.conn, sql, (number, page), |row| {
                pages.insert(row.get::<_, u32>(0)?);
                Ok(())
            })?;
            let sql = "SELECT channel FROM day_block WHERE day = ? AND channel >= ? AND sealed = 1";
            each(&self.conn, sql, (number, page.saturating_mul(PAGE)), |row| {
                pages.insert(page_of(ChannelId::new(row.get(0)?)));
                Ok(())
            })?;
        }
        Ok(pages.into_iter().collect())
    }

    pub(crate) fn raw_of(&self, folded: &Folded, raw: AsRead) -> Result<RawBatch> {
        let block = &folded.stored.block;
        Ok(RawBatch {
            channel: block.channel,
            start: seconds(raw.start_s)?,
            interval: interval(block.interval.secs())?,
            values: as_read(&block.values, raw.scaler, raw.exponent)?,
            status: vec![0; block.values.len()],
            scaler: raw.scaler,
            unit: unit(raw.unit)?,
            received_at: millis(raw.received_ms)?,
            source: source(raw.source)?,
        })
    }
}

/// The first day of a month and of the next.
pub(crate) fn bounds(month: i32) -> Result<(Date, Date)> {
    Ok((date_of(month, 1)?, date_of(month + 1, 1)?))
}

impl Write {
    /// Folds what a page of 256 channels has of the month that holds `day`: every sealed version of every day moves into
    /// month pages; versions that are open stay. Reading is the same before and after.
    ///
    /// # Errors
    /// What the database says; a damaged block.
    pub fn fold(&self, day: Date, page: u32, now: Timestamp) -> Result<FoldReport> {
        let month = month_number(day);
        let (first, end) = bounds(month)?;
        let range = (ChannelId::new(page * PAGE), ChannelId::new((page * PAGE).saturating_add(PAGE)));
        let mut report = FoldReport::default();
        let mut of_share: BTreeMap<u32, Vec<Folded>> = BTreeMap::new();
        let mut add = |folded: Folded| {
            of_share.entry(folded.stored.block.channel.get() / SHARE).or_default().push(folded);
        };
        for number in day_number(first)..day_number(end) {
            let date = day_of(number)?;
            self.each_page(date, (page, page.saturating_add(1)), |row| {
                report.days += u64::from(take_page(row, &mut add)?);
                Ok(())
            })?;
            for stored in self.day_rows(date, range)? {
                if stored.sealed {
                    report.days += 1;
                    add(Folded { stored, raw: None });
                } else {
                    report.open += 1;
                }
            }
        }
        if report.days == 0 {
            return Ok(report);
        }
        let (oldest, newest) = (of_share.values().flatten().map(|folded| folded.stored.block.day).min())
            .zip(of_share.values().flatten().map(|folded| folded.stored.block.day).max())
            .unwrap_or((first, first));
        self.each_share(month, range, |share, view| {
            if let Some(days) = of_share.get_mut(&(share.channel.get() / SHARE)) {
                days.extend(view.days(month, share)?);
            }
            Ok(())
        })?;
        for (share, days) in of_share {
            let batches = days.iter().filter(|folded| folded.raw.is_some()).count();
            let sql = "INSERT INTO month_page (month, page, batches, block) VALUES (?1, ?2, ?3, ?4) \
                       ON CONFLICT (month, page) DO UPDATE SET batches = excluded.batches, block = excluded.block";
            execute(&self.conn, sql, (month, share, u32::try_from(batches).unwrap_or(u32::MAX), pack(days)))?;
            report.rows += 1;
        }
        self.clear(first, end, page, range)?;
        self.note_folded(month, (oldest, newest), now)?;
        Ok(report)
    }

    /// Keeps months that come in folded, as those of the channels of a page of 256. Nothing else may be known of these days.
    ///
    /// # Errors
    /// What the database says; also when a page of that month is there already.
    pub fn put_months(&self, page: u32, months: &[MonthPage], now: Timestamp) -> Result<()> {
        let first = page.saturating_mul(PAGE / SHARE);
        let row =
            |one: &MonthPage| (one.month, first.saturating_add(one.share), one.batches, one.block.clone());
        self.conn.fill(&MONTHS, months.iter().map(row))?;
        for one in months {
            self.note_folded(one.month, one.days, now)?;
        }
        Ok(())
    }

    /// Removes what was folded.
    fn clear(&self, first: Date, end: Date, page: u32, range: (ChannelId, ChannelId)) -> Result<()> {
        for number in day_number(first)..day_number(end) {
            execute(&self.conn, "DELETE FROM day_page WHERE day = ? AND page = ?", (number, page))?;
            let sql = "DELETE FROM day_block WHERE day = ? AND channel >= ? AND channel < ? AND sealed = 1";
            execute(&self.conn, sql, (number, range.0.get(), range.1.get()))?;
        }
        Ok(())
    }

    fn note_folded(&self, month: i32, (first, last): (Date, Date), now: Timestamp) -> Result<()> {
        let sql = "INSERT INTO folded_month (month, first, last, folded_ms) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (month) DO UPDATE SET first = min(folded_month.first, ?2), \
                   last = max(folded_month.last, ?3), folded_ms = ?4";
        execute(&self.conn, sql, (month, day_number(first), day_number(last), now.as_millisecond()))?;
        Ok(())
    }
}

/// Hands over every day of a page; how many.
fn take_page(row: &PageRow<'_>, add: &mut impl FnMut(Folded)) -> Result<u32> {
    let raw = AsRead {
        start_s: row.start_s,
        received_ms: row.received_ms,
        source: row.view.source,
        unit: row.view.unit,
        scaler: row.view.scaler,
        exponent: row.view.exponent,
    };
    let receipts = row.view.receipts()?;
    let mut days: Vec<Result<StoredDay>> = Vec::new();
    row.view.each(row.page, &mut Vec::new(), |channel, values| {
        days.push(row.stored(channel, values.to_vec()));
    })?;
    let mut count = 0;
    for (place, stored) in days.into_iter().enumerate() {
        let receipt = receipts.get(place).copied().unwrap_or_default();
        let raw = AsRead { received_ms: raw.received_ms.saturating_add(receipt), ..raw };
        add(Folded { stored: stored?, raw: Some(raw) });
        count += 1;
    }
    Ok(count)
}
