//! What the validation remembers, in pages of 256 channels: a day's load reads and writes them in order.
//!
//! `block = 0x01, (channel & 255, length (varint), bytes)*`. A row of `channel_stats` is newer than the page and is taken
//! into it when the page is next written.

use crate::block::input::{Input, put_varint};
use crate::column::{each, execute, row};
use crate::engine::Filling;
use crate::page::{PAGE, page_of};
use crate::{Read, Result, Write};
use core::ops::Range;
use model::ChannelId;
use std::collections::BTreeMap;

/// Pages of statistics are written in bulk; what was there gives way.
const PAGES: Filling = Filling { table: "stats_page", columns: &["page", "stamp", "block"], key: &["page"] };

/// Statistics in rows of single channels, newer than their page.
type ChannelRows = Vec<(ChannelId, Vec<u8>)>;

/// The statistics of a page of channels, opaque here, and what they were read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatsPage {
    /// Of each channel that has any, by channel, where they lie in `bytes`.
    of: Vec<(ChannelId, Range<usize>)>,
    /// The page as it was read, then newer rows.
    bytes: Vec<u8>,
    stamp: i64,
    newer: ChannelRows,
}

impl StatsPage {
    /// How many channels have any.
    pub const fn len(&self) -> usize {
        self.of.len()
    }

    /// Whether none has.
    pub const fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Bytes of all together, and a little more.
    pub const fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Those of the channel that is number `at` by channel.
    pub fn at(&self, at: usize) -> Option<(ChannelId, &[u8])> {
        let (channel, range) = self.of.get(at)?;
        Some((*channel, self.bytes.get(range.clone())?))
    }

    /// Those of a channel.
    pub fn find(&self, channel: ChannelId) -> Option<&[u8]> {
        let at = self.of.binary_search_by_key(&channel, |(channel, _)| *channel).ok()?;
        self.at(at).map(|(_, stats)| stats)
    }

    /// All of them, by channel.
    pub fn iter(&self) -> impl Iterator<Item = (ChannelId, &[u8])> {
        (0..self.len()).filter_map(|at| self.at(at))
    }

    /// Takes in the newer rows beside the page.
    fn with_newer(mut self, newer: Vec<(ChannelId, Vec<u8>)>) -> Self {
        for (channel, stats) in &newer {
            let range = self.bytes.len()..self.bytes.len() + stats.len();
            self.bytes.extend_from_slice(stats);
            match self.of.binary_search_by_key(channel, |(channel, _)| *channel) {
                Ok(at) => self.of[at].1 = range,
                Err(at) => self.of.insert(at, (*channel, range)),
            }
        }
        Self { newer, ..self }
    }
}

/// New statistics of a page of channels, packed, and what they were made from.
#[derive(Clone, Debug)]
pub struct NewStats<'a> {
    page: u32,
    read: &'a StatsPage,
    block: Vec<u8>,
}

impl<'a> NewStats<'a> {
    /// Those of every channel of the page that has any, by channel; `read` is what they were made from.
    pub fn new<'b>(page: u32, read: &'a StatsPage, of: impl Iterator<Item = (ChannelId, &'b [u8])>) -> Self {
        let mut block = vec![1];
        for (channel, stats) in of {
            block.push((channel.get() & 0xFF).to_le_bytes()[0]);
            put_varint(stats.len() as u64, &mut block);
            block.extend_from_slice(stats);
        }
        Self { page, read, block }
    }
}

impl Read {
    /// What the validation remembers of the channels of a page.
    ///
    /// # Errors
    /// What the database says; a damaged page.
    pub fn stats_page(&self, page: u32) -> Result<StatsPage> {
        Ok(self.stats_pages((page, page.saturating_add(1)))?.remove(&page).unwrap_or_default())
    }

    /// As [`Read::stats_page`], of the pages from one up to and without another; pages without any are left out.
    ///
    /// # Errors
    /// As [`Read::stats_page`].
    pub fn stats_pages(&self, range: (u32, u32)) -> Result<BTreeMap<u32, StatsPage>> {
        let mut found: BTreeMap<u32, StatsPage> = BTreeMap::new();
        let sql = "SELECT page, stamp, block FROM stats_page WHERE page >= ? AND page < ? ORDER BY page";
        each(&self.conn, sql, range, |row| {
            let page = row.get(0)?;
            let block = row.blob(2)?;
            let of = parse(page, block)?;
            let read = StatsPage { of, bytes: block.to_vec(), stamp: row.get(1)?, newer: Vec::new() };
            found.insert(page, read);
            Ok(())
        })?;
        for (page, newer) in self.newer_stats(range)? {
            let read = found.remove(&page).unwrap_or_default();
            found.insert(page, read.with_newer(newer));
        }
        Ok(found)
    }

    /// Whether a page still is as it was read.
    ///
    /// # Errors
    /// What the database says.
    pub fn is_current(&self, page: u32, read: &StatsPage) -> Result<bool> {
        Ok(!self.changed_stats((page, page.saturating_add(1)), &[(page, read)])?.contains(&page))
    }

    /// Those of some pages, all of them in a range, that are not any more as they were read.
    ///
    /// # Errors
    /// What the database says.
    pub fn changed_stats(&self, range: (u32, u32), pages: &[(u32, &StatsPage)]) -> Result<Vec<u32>> {
        let mut stamps: BTreeMap<u32, i64> = BTreeMap::new();
        let sql = "SELECT page, stamp FROM stats_page WHERE page >= ? AND page < ?";
        each(&self.conn, sql, range, |row| {
            stamps.insert(row.get(0)?, row.get(1)?);
            Ok(())
        })?;
        let newer = self.newer_stats(range)?;
        let changed = |(page, read): &&(u32, &StatsPage)| {
            let of = newer.get(page).map(Vec::as_slice).unwrap_or_default();
            stamps.get(page).copied().unwrap_or_default() != read.stamp || of != read.newer
        };
        Ok(pages.iter().filter(changed).map(|(page, _)| *page).collect())
    }

    /// Rows of single channels, by page.
    fn newer_stats(&self, (from, to): (u32, u32)) -> Result<BTreeMap<u32, ChannelRows>> {
        let sql =
            "SELECT channel, stats FROM channel_stats WHERE channel >= ? AND channel < ? ORDER BY channel";
        let mut newer: BTreeMap<u32, ChannelRows> = BTreeMap::new();
        each(&self.conn, sql, (from.saturating_mul(PAGE), to.saturating_mul(PAGE)), |row| {
            let channel = ChannelId::new(row.get(0)?);
            newer.entry(page_of(channel)).or_default().push((channel, row.get(1)?));
            Ok(())
        })?;
        Ok(newer)
    }

    pub(crate) fn paged_stats(&self, channel: ChannelId) -> Result<Option<Vec<u8>>> {
        let page = page_of(channel);
        let found = row(&self.conn, "SELECT block FROM stats_page WHERE page = ?", [page], |row| {
            find(row.blob(0)?, channel)
        })?;
        Ok(found.flatten())
    }
}

impl Write {
    /// Keeps the statistics of a page of channels: those of every channel that has any, by channel. `read` is what they
    /// were made from.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_stats_page<'a>(
        &self,
        page: u32,
        read: &StatsPage,
        of: impl Iterator<Item = (ChannelId, &'a [u8])>,
    ) -> Result<()> {
        self.put_stats_pages(&[NewStats::new(page, read, of)])
    }

    /// As [`Write::put_stats_page`], for many.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_stats_pages(&self, pages: &[NewStats<'_>]) -> Result<()> {
        self.conn
            .fill(&PAGES, pages.iter().map(|new| (new.page, new.read.stamp + 1, new.block.as_slice())))?;
        for new in pages.iter().filter(|new| !new.read.newer.is_empty()) {
            let sql = "DELETE FROM channel_stats WHERE channel >= ? AND channel < ?";
            execute(&self.conn, sql, (new.page * PAGE, (new.page * PAGE).saturating_add(PAGE)))?;
        }
        Ok(())
    }
}

fn parse(page: u32, block: &[u8]) -> Result<Vec<(ChannelId, Range<usize>)>> {
    let mut found = Vec::with_capacity(PAGE as usize);
    entries(block, |place, range| {
        found.push((ChannelId::new(page * PAGE + u32::from(place)), range));
    })?;
    Ok(found)
}

fn find(block: &[u8], channel: ChannelId) -> Result<Option<Vec<u8>>> {
    let mut found = None;
    entries(block, |place, range| {
        if u32::from(place) == channel.get() & 0xFF {
            found = block.get(range).map(<[u8]>::to_vec);
        }
    })?;
    Ok(found)
}

fn entries(block: &[u8], mut take: impl FnMut(u8, Range<usize>)) -> Result<()> {
    let mut input = Input::new(block);
    input.byte()?;
    while input.at < block.len() {
        let place = input.byte()?;
        let length = input.count()?;
        input.take(length)?;
        take(place, input.at - length..input.at);
    }
    Ok(())
}
