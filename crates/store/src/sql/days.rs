//! Days on their way to a query: one by one, or by pages when a query goes through many channels of a day.

use crate::column::day_of;
use crate::day::{Counted, StoredDay};
use crate::page::page_of;
use crate::{Read, Result};
use core::fmt::Write;
use jiff::tz::TimeZone;
use model::{ChannelId, LocalDay};
use std::collections::BTreeMap;

/// Reads days for a query and keeps the last page of them.
#[derive(Debug)]
pub(super) struct Days {
    read: Read,
    zone: TimeZone,
    /// Of which day and page `kept` is, or of which a single channel was asked for last.
    last: Option<(i32, u32)>,
    /// Whether all of that page is here.
    whole: bool,
    kept: BTreeMap<ChannelId, StoredDay>,
}

impl Days {
    pub(super) const fn new(read: Read, zone: TimeZone) -> Self {
        Self { read, zone, last: None, whole: false, kept: BTreeMap::new() }
    }

    /// The newest version of a channel's day as `[[slot, start_s, length_s, value, mark, version], ...]`.
    pub(super) fn unpacked(&mut self, channel: ChannelId, number: i32) -> Result<Option<String>> {
        let zone = self.zone.clone();
        let Some(stored) = self.day(channel, number)? else { return Ok(None) };
        let block = &stored.block;
        let start = LocalDay::new(block.day, &zone).map_err(|_| crate::column::corrupt("day"))?.start();
        let (mut at, step) = (start.as_second(), block.interval.secs());
        let mut text = String::with_capacity(block.values.len() * 32);
        for (slot, (value, quality)) in block.values.iter().zip(&block.quality).enumerate() {
            let next = if text.is_empty() { '[' } else { ',' };
            let (mark, version) = (quality.byte(), block.version);
            // Writing to a string cannot fail.
            let _ = if quality.is_missing() {
                write!(text, "{next}[{slot},{at},{step},null,{mark},{version}]")
            } else {
                write!(text, "{next}[{slot},{at},{step},{value},{mark},{version}]")
            };
            at += i64::from(step);
        }
        text.push(']');
        Ok((!block.values.is_empty()).then_some(text))
    }

    /// The same counted: `[[version, sealed, expected, present, estimated, total, recorded_s]]`.
    pub(super) fn counted(&mut self, channel: ChannelId, number: i32) -> Result<Option<String>> {
        let Some(stored) = self.day(channel, number)? else { return Ok(None) };
        let block = &stored.block;
        let Counted { present, estimated, total } = Counted::of(&block.values, &block.quality);
        Ok(Some(format!(
            "[[{},{},{},{present},{estimated},{total},{}]]",
            block.version,
            u8::from(stored.sealed),
            block.values.len(),
            block.recorded_at.as_second(),
        )))
    }

    /// A second channel of the same page and day brings the page.
    fn day(&mut self, channel: ChannelId, number: i32) -> Result<Option<&StoredDay>> {
        let place = (number, page_of(channel));
        if self.last != Some(place) {
            self.kept.clear();
            (self.last, self.whole) = (Some(place), false);
            self.kept.extend(self.read.day(channel, day_of(number)?)?.map(|stored| (channel, stored)));
        } else if !self.whole && !self.kept.contains_key(&channel) {
            let newest = self.read.newest_in_page(day_of(number)?, place.1)?;
            self.kept = newest.into_iter().map(|stored| (stored.block.channel, stored)).collect();
            self.whole = true;
        }
        Ok(self.kept.get(&channel))
    }
}
