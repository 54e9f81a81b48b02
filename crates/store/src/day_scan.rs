//! A day of many channels at once, for exports: whose it is, its newest version, and what made that.

use crate::column::{each, kind, rows, value};
use crate::day::StoredDay;
use crate::month::month_number;
use crate::origin::{VersionSource, source_of};
use crate::page::page_of;
use crate::{Read, Result};
use jiff::civil::Date;
use model::{ChannelId, ChannelKind, Serial};
use std::collections::BTreeMap;

/// Whose a channel is, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelName {
    /// Ours.
    pub channel: ChannelId,
    /// What it holds.
    pub kind: ChannelKind,
    /// The serial of its meter.
    pub serial: Serial,
    /// The number of the service point where that is fitted; empty where it is at none.
    pub service_point: String,
}

impl Read {
    /// The channel after the last one.
    ///
    /// # Errors
    /// What the database says.
    pub fn channels_end(&self) -> Result<ChannelId> {
        let last: Option<u32> = value(&self.conn, "SELECT max(id) FROM channel", [])?;
        Ok(ChannelId::new(last.map_or(0, |last| last.saturating_add(1))))
    }

    /// The names of the channels in `[first, end)`, by id.
    ///
    /// # Errors
    /// What the database says.
    pub fn channel_names(&self, (first, end): (ChannelId, ChannelId)) -> Result<Vec<ChannelName>> {
        let sql = "SELECT channel.id, channel.kind, meter.serial, coalesce(service_point.number, '') FROM channel \
                   JOIN meter ON meter.id = channel.meter LEFT JOIN service_point ON service_point.id = meter.service_point \
                   WHERE channel.id >= ? AND channel.id < ? ORDER BY channel.id";
        rows(&self.conn, sql, (first.get(), end.get()), |row| {
            let serial: String = row.get(2)?;
            Ok(ChannelName {
                channel: ChannelId::new(row.get(0)?),
                kind: kind(row.get(1)?)?,
                serial: Serial::new(&serial),
                service_point: row.get(3)?,
            })
        })
    }

    /// The newest version of `day` of every channel in `[first, end)` that has one, by channel.
    ///
    /// # Errors
    /// What the database says; a damaged block.
    pub fn days_of(&self, day: Date, (first, end): (ChannelId, ChannelId)) -> Result<Vec<StoredDay>> {
        let mut found: BTreeMap<ChannelId, StoredDay> = BTreeMap::new();
        if first >= end {
            return Ok(Vec::new());
        }
        let month = month_number(day);
        self.each_share(month, (first, end), |share, view| {
            if share.holds(day.day().cast_unsigned()) {
                let days = view.days(month, share)?;
                let newest = days.into_iter().rfind(|folded| folded.stored.block.day == day);
                found.extend(newest.map(|folded| (share.channel, folded.stored)));
            }
            Ok(())
        })?;
        let last = ChannelId::new(end.get() - 1);
        let mut values = Vec::new();
        self.each_page(day, (page_of(first), page_of(last) + 1), |row| {
            let mut of_page = Vec::new();
            row.view.each(row.page, &mut values, |channel, values| {
                if channel >= first && channel < end {
                    of_page.push((channel, values.to_vec()));
                }
            })?;
            for (channel, values) in of_page {
                found.insert(channel, row.stored(channel, values)?);
            }
            Ok(())
        })?;
        for stored in self.day_rows(day, (first, end))? {
            found.insert(stored.block.channel, stored);
        }
        Ok(found.into_values().collect())
    }

    /// What made the versions of `day` of the channels in `[first, end)`; plain first versions are left out.
    ///
    /// # Errors
    /// What the database says.
    pub fn version_sources(
        &self,
        day: Date,
        (first, end): (ChannelId, ChannelId),
    ) -> Result<BTreeMap<(ChannelId, u32), VersionSource>> {
        let mut found = BTreeMap::new();
        let sql =
            "SELECT channel, version, source FROM day_origin WHERE channel >= ? AND channel < ? AND day = ?";
        let day = crate::column::day_number(day);
        each(&self.conn, sql, (first.get(), end.get(), day), |row| {
            found.insert((ChannelId::new(row.get(0)?), row.get(1)?), source_of(row.get(2)?)?);
            Ok(())
        })?;
        Ok(found)
    }
}
