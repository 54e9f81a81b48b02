//! What the validation remembers, in pages of 256 channels: a day's load reads and writes them in order.
//!
//! `block = 0x01, (channel & 255, length (varint), bytes)*`. A row of `channel_stats` is newer than the page and is taken
//! into it when the page is next written.

use crate::block::input::{Input, put_varint};
use crate::column::{execute, row, rows};
use crate::page::{PAGE, page_of};
use crate::{Read, Result, Write};
use core::ops::Range;
use model::ChannelId;

/// The statistics of a page of channels, opaque here, and what they were read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatsPage {
    /// Of each channel that has any, by channel, where they lie in `bytes`.
    of: Vec<(ChannelId, Range<usize>)>,
    /// The page as it was read, then newer rows.
    bytes: Vec<u8>,
    stamp: i64,
    newer: Vec<(ChannelId, Vec<u8>)>,
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

impl Read {
    /// What the validation remembers of the channels of a page.
    ///
    /// # Errors
    /// What the database says; a damaged page.
    pub fn stats_page(&self, page: u32) -> Result<StatsPage> {
        let sql = "SELECT stamp, block FROM stats_page WHERE page = ?";
        let read = row(&self.conn, sql, [page], |row| {
            let block = row.blob(1)?;
            Ok(StatsPage {
                of: parse(page, block)?,
                bytes: block.to_vec(),
                stamp: row.get(0)?,
                newer: Vec::new(),
            })
        })?;
        Ok(read.unwrap_or_default().with_newer(self.newer_stats(page)?))
    }

    /// Whether a page still is as it was read.
    ///
    /// # Errors
    /// What the database says.
    pub fn is_current(&self, page: u32, read: &StatsPage) -> Result<bool> {
        let stamp: Option<i64> =
            row(&self.conn, "SELECT stamp FROM stats_page WHERE page = ?", [page], |row| row.get(0))?;
        Ok(stamp.unwrap_or_default() == read.stamp && self.newer_stats(page)? == read.newer)
    }

    fn newer_stats(&self, page: u32) -> Result<Vec<(ChannelId, Vec<u8>)>> {
        let (first, end) = (page * PAGE, (page * PAGE).saturating_add(PAGE));
        let sql =
            "SELECT channel, stats FROM channel_stats WHERE channel >= ? AND channel < ? ORDER BY channel";
        rows(&self.conn, sql, (first, end), |row| Ok((ChannelId::new(row.get(0)?), row.get(1)?)))
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
        let mut block = vec![1];
        for (channel, stats) in of {
            block.push((channel.get() & 0xFF).to_le_bytes()[0]);
            put_varint(stats.len() as u64, &mut block);
            block.extend_from_slice(stats);
        }
        let sql = "INSERT INTO stats_page (page, stamp, block) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (page) DO UPDATE SET stamp = excluded.stamp, block = excluded.block";
        execute(&self.conn, sql, (page, read.stamp + 1, block))?;
        if !read.newer.is_empty() {
            let sql = "DELETE FROM channel_stats WHERE channel >= ? AND channel < ?";
            execute(&self.conn, sql, (page * PAGE, (page * PAGE).saturating_add(PAGE)))?;
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
