//! Removing days and superseded versions: a page of 256 channels and a month at a time.

use super::{Cursor, Cut, Kept, Portion};
use crate::column::{day_number, day_of, execute, value};
use crate::fold::bounds;
use crate::month::{Folded, SHARE, month_number, pack};
use crate::page::PAGE;
use crate::{Read, Result, Write};
use jiff::Timestamp;
use jiff::civil::Date;
use model::ChannelId;
use std::collections::{BTreeMap, BTreeSet};

/// Pages of a portion.
const PAGES: u32 = 8;

/// A page of a month, what stays of it whatever its age, and the newest version of each of its days.
struct Of<'a> {
    cut: &'a Cut,
    range: (ChannelId, ChannelId),
    days: (Date, Date),
    pinned: BTreeSet<(ChannelId, Date)>,
    newest: BTreeMap<(ChannelId, Date), u32>,
}

impl Of<'_> {
    fn goes(&self, folded: &Folded) -> bool {
        let block = &folded.stored.block;
        let key = (block.channel, block.day);
        if self.pinned.contains(&key) {
            return false;
        }
        // A version out of a page is what was read as well.
        let read = folded.raw.is_some() && self.cut.raw_before.is_none_or(|before| block.day >= before);
        match self.cut.kind {
            Kept::Versions => !read && self.newest.get(&key).is_some_and(|newest| block.version < *newest),
            _ => !read,
        }
    }
}

impl Read {
    /// The next page of 256 channels that has anything of a month.
    fn next_page(&self, month: i32, from: u32) -> Result<Option<u32>> {
        let (first, end) = bounds(month)?;
        let sql = "SELECT min(page) FROM month_page WHERE month = ? AND page >= ?";
        let share = from.saturating_mul(PAGE / SHARE);
        let mut next =
            value::<Option<u32>>(&self.conn, sql, (month, share))?.map(|page| page / (PAGE / SHARE));
        for number in day_number(first)..day_number(end) {
            let sql = "SELECT min(page) FROM day_page WHERE day = ? AND page >= ?";
            let paged = value::<Option<u32>>(&self.conn, sql, (number, from))?;
            let sql = "SELECT min(channel) FROM day_block WHERE day = ? AND channel >= ?";
            let alone = value::<Option<u32>>(&self.conn, sql, (number, from.saturating_mul(PAGE)))?;
            next = [next, paged, alone.map(|channel| channel / PAGE)].into_iter().flatten().min();
        }
        Ok(next)
    }
}

impl Write {
    pub(super) fn remove_days(&self, cut: &Cut, from: Cursor, now: Timestamp) -> Result<Portion> {
        let mut portion = Portion::default();
        let Some((first, _)) = self.day_range()? else { return Ok(portion) };
        let (first, end) = (month_number(first), month_number(cut.before));
        let begun = i32::try_from(from.0).ok().filter(|month| *month >= first);
        let (mut month, mut page) = begun.map_or((first, 0), |month| (month, from.1));
        let mut pages = 0;
        while month < end {
            match self.next_page(month, page)? {
                Some(_) if pages == PAGES => {
                    portion.next = Some(Cursor(month.into(), page));
                    return Ok(portion);
                }
                Some(found) => {
                    self.thin(cut, month, found, now, &mut portion)?;
                    pages += 1;
                    page = found.saturating_add(1);
                }
                None => (month, page) = (month + 1, 0),
            }
        }
        Ok(portion)
    }

    /// Takes out of a page's month what goes.
    fn thin(&self, cut: &Cut, month: i32, page: u32, now: Timestamp, portion: &mut Portion) -> Result<()> {
        let days = bounds(month)?;
        let range = (ChannelId::new(page * PAGE), ChannelId::new((page * PAGE).saturating_add(PAGE)));
        self.fold(days.0, page, now)?;
        let mut shares: BTreeMap<u32, Vec<Folded>> = BTreeMap::new();
        self.each_share(month, range, |share, view| {
            shares.entry(share.channel.get() / SHARE).or_default().extend(view.days(month, share)?);
            Ok(())
        })?;
        let pinned = self.pinned_days(range, days)?;
        let mut of = Of { cut, range, days, pinned, newest: BTreeMap::new() };
        let mut open = Vec::new();
        for number in day_number(days.0)..day_number(days.1) {
            open.extend(self.day_rows(day_of(number)?, range)?);
        }
        for stored in shares.values().flatten().map(|folded| &folded.stored).chain(&open) {
            let newest = of.newest.entry((stored.block.channel, stored.block.day)).or_default();
            *newest = stored.block.version.max(*newest);
        }
        for (share, all) in shares {
            let (gone, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(|folded| of.goes(folded));
            portion.pinned += of.count_pinned(&kept);
            if gone.is_empty() {
                continue;
            }
            portion.removed += gone.len() as u64;
            self.put_share(month, share, kept)?;
            for folded in gone {
                let block = folded.stored.block;
                let sql = "DELETE FROM day_origin WHERE channel = ? AND day = ? AND version = ?";
                execute(&self.conn, sql, (block.channel.get(), day_number(block.day), block.version))?;
            }
        }
        if cut.kind == Kept::Intervals {
            portion.removed += self.clear_days(&of)?;
        }
        Ok(())
    }

    /// Puts a month's share back as it is now, or away.
    fn put_share(&self, month: i32, share: u32, kept: Vec<Folded>) -> Result<()> {
        if kept.is_empty() {
            execute(&self.conn, "DELETE FROM month_page WHERE month = ? AND page = ?", (month, share))?;
            let sql = "DELETE FROM folded_month WHERE month = ?1 AND NOT EXISTS (SELECT 1 FROM month_page WHERE month = ?1)";
            execute(&self.conn, sql, [month])?;
            return Ok(());
        }
        let batches = kept.iter().filter(|folded| folded.raw.is_some()).count();
        let sql = "UPDATE month_page SET batches = ?, block = ? WHERE month = ? AND page = ?";
        execute(&self.conn, sql, (u32::try_from(batches).unwrap_or(u32::MAX), pack(kept), month, share))?;
        Ok(())
    }

    /// Removes what else there is of days that no bill was computed from: versions that were never closed, findings, cases,
    /// origins. How many versions.
    fn clear_days(&self, of: &Of<'_>) -> Result<u64> {
        let mut removed = 0;
        for table in ["day_block", "finding", "finding_case", "day_origin"] {
            let sql = format!(
                "DELETE FROM {table} WHERE channel >= ? AND channel < ? AND day >= ? AND day < ? AND NOT EXISTS \
                 (SELECT 1 FROM bill_pin p WHERE p.channel = {table}.channel AND p.day = {table}.day)"
            );
            let values = (of.range.0.get(), of.range.1.get(), day_number(of.days.0), day_number(of.days.1));
            let gone = execute(&self.conn, &sql, values)?;
            removed += if table == "day_block" { gone as u64 } else { 0 };
        }
        Ok(removed)
    }
}

impl Of<'_> {
    fn count_pinned(&self, kept: &[Folded]) -> u64 {
        let pinned = |folded: &&Folded| {
            let block = &folded.stored.block;
            self.pinned.contains(&(block.channel, block.day))
                && (self.cut.kind == Kept::Intervals
                    || self
                        .newest
                        .get(&(block.channel, block.day))
                        .is_some_and(|newest| block.version < *newest))
        };
        kept.iter().filter(pinned).count() as u64
    }
}
