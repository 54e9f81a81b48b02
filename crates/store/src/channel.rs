//! Channels: the series of a meter.

use crate::column::{interval, kind, row, rows};
use crate::engine::Row;
use crate::{Read, Result, Write};
use model::{ChannelId, ChannelKind, IntervalLength, MeterId};

/// One series of values of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Ours.
    pub id: ChannelId,
    /// Whose.
    pub meter: MeterId,
    /// What it holds.
    pub kind: ChannelKind,
    /// The length of its intervals.
    pub interval: IntervalLength,
}

const COLUMNS: &str = "SELECT id, meter, kind, interval_s FROM channel";

fn channel(row: &Row<'_>) -> Result<Channel> {
    Ok(Channel {
        id: ChannelId::new(row.get(0)?),
        meter: MeterId::new(row.get(1)?),
        kind: kind(row.get(2)?)?,
        interval: interval(row.get(3)?)?,
    })
}

impl Read {
    /// The channels of a meter, by kind.
    ///
    /// # Errors
    /// What the database says.
    pub fn channels_of(&self, meter: MeterId) -> Result<Vec<Channel>> {
        rows(&self.conn, &format!("{COLUMNS} WHERE meter = ? ORDER BY kind"), [meter.get()], channel)
    }

    /// Every channel, by id.
    ///
    /// # Errors
    /// What the database says.
    pub fn channels(&self) -> Result<Vec<Channel>> {
        rows(&self.conn, &format!("{COLUMNS} ORDER BY id"), [], channel)
    }

    /// The channel of a meter that holds `kind`.
    ///
    /// # Errors
    /// What the database says.
    pub fn channel(&self, meter: MeterId, kind: ChannelKind) -> Result<Option<Channel>> {
        row(
            &self.conn,
            &format!("{COLUMNS} WHERE meter = ? AND kind = ?"),
            (meter.get(), kind.code()),
            channel,
        )
    }

    /// A channel by its number, whether its meter is in service or not.
    ///
    /// # Errors
    /// What the database says.
    pub fn channel_by_id(&self, id: ChannelId) -> Result<Option<Channel>> {
        row(&self.conn, &format!("{COLUMNS} WHERE id = ?"), [id.get()], channel)
    }

    /// What the validation remembers of a channel, opaque here.
    ///
    /// # Errors
    /// What the database says.
    pub fn channel_stats(&self, channel: ChannelId) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT stats FROM channel_stats WHERE channel = ?";
        match row(&self.conn, sql, [channel.get()], |row| row.get(0))? {
            Some(stats) => Ok(Some(stats)),
            None => self.paged_stats(channel),
        }
    }
}

impl Write {
    /// Keeps what the validation remembers of a channel.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_channel_stats(&self, channel: ChannelId, stats: &[u8]) -> Result<()> {
        let sql = "INSERT INTO channel_stats (channel, stats) VALUES (?, ?) \
                   ON CONFLICT (channel) DO UPDATE SET stats = excluded.stats";
        crate::column::execute(&self.conn, sql, (channel.get(), stats))?;
        Ok(())
    }
}
