//! What the validation remembers, in pages of 256 channels: a day's load reads and writes them in order.
//!
//! `block = 0x01, (channel & 255, length (varint), bytes)*`. A row of `channel_stats` is newer than the page and is taken
//! into it when the page is next written.

use crate::block::input::{Input, put_varint};
use crate::column::{execute, row, rows};
use crate::page::{PAGE, page_of};
use crate::{Read, Result, Write};
use model::ChannelId;

/// The statistics of a page of channels, opaque here, and what they were read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatsPage {
    /// Of each channel that has any, by channel.
    pub of: Vec<(ChannelId, Vec<u8>)>,
    stamp: i64,
    newer: Vec<(ChannelId, Vec<u8>)>,
}

impl Read {
    /// What the validation remembers of the channels of a page.
    ///
    /// # Errors
    /// What the database says; a damaged page.
    pub fn stats_page(&self, page: u32) -> Result<StatsPage> {
        let sql = "SELECT stamp, block FROM stats_page WHERE page = ?";
        let (stamp, mut of) =
            row(&self.conn, sql, [page], |row| Ok((row.get(0)?, parse(page, row.blob(1)?)?)))?
                .unwrap_or_default();
        let newer = self.newer_stats(page)?;
        for (channel, stats) in &newer {
            match of.binary_search_by_key(channel, |(channel, _)| *channel) {
                Ok(at) => of[at].1.clone_from(stats),
                Err(at) => of.insert(at, (*channel, stats.clone())),
            }
        }
        Ok(StatsPage { of, stamp, newer })
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

fn parse(page: u32, block: &[u8]) -> Result<Vec<(ChannelId, Vec<u8>)>> {
    let mut found = Vec::with_capacity(256);
    entries(block, |place, stats| {
        found.push((ChannelId::new(page * PAGE + u32::from(place)), stats.to_vec()));
    })?;
    Ok(found)
}

fn find(block: &[u8], channel: ChannelId) -> Result<Option<Vec<u8>>> {
    let mut found = None;
    entries(block, |place, stats| {
        if u32::from(place) == channel.get() & 0xFF {
            found = Some(stats.to_vec());
        }
    })?;
    Ok(found)
}

fn entries<'a>(block: &'a [u8], mut take: impl FnMut(u8, &'a [u8])) -> Result<()> {
    let mut input = Input::new(block);
    input.byte()?;
    while input.at < block.len() {
        let place = input.byte()?;
        let length = input.count()?;
        take(place, input.take(length)?);
    }
    Ok(())
}
