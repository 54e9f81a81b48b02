//! Removing batches as they were read: a day of UTC and some thousand channels at a time.

use super::{Cursor, Cut, Portion};
use crate::block::unpack_raw;
use crate::column::{execute, rows, seconds, value};
use crate::raw::utc_day;
use crate::{Result, Write};
use model::ChannelId;

/// Channels of a portion.
const CHANNELS: u32 = 4_096;
const DAY_S: i64 = 86_400;

/// A batch that is old enough, as far as its start says.
struct Old {
    start_s: i64,
    channel: u32,
    interval_s: u32,
    hash: i64,
    /// Where its last interval ends.
    end_s: i64,
}

impl Write {
    pub(super) fn remove_raw(&self, cut: &Cut, from: Cursor) -> Result<Portion> {
        let mut portion = Portion::default();
        let before = cut.before_at.as_second();
        let sql = "SELECT min(start_s) FROM raw_batch WHERE start_s >= ?";
        let Some(first) = value::<Option<i64>>(&self.conn, sql, [from.0])?.filter(|first| *first < before)
        else {
            return Ok(portion);
        };
        // A cursor inside a day of UTC begins with the channels that it names, one that was overtaken with the first.
        let day = first - first.rem_euclid(DAY_S);
        let channel = if from.0 == day { from.1 } else { 0 };
        let end = channel.saturating_add(CHANNELS);
        let range = (ChannelId::new(channel), ChannelId::new(end));
        for old in self.old_batches((day, (day + DAY_S).min(before)), range)? {
            if old.end_s > before {
                continue;
            }
            let (start, last) = (utc_day(seconds(old.start_s)?, -1), utc_day(seconds(old.end_s)?, 2));
            let own = (ChannelId::new(old.channel), ChannelId::new(old.channel.saturating_add(1)));
            if !self.pinned_days(own, (start, last))?.is_empty() {
                portion.pinned += 1;
                continue;
            }
            let sql =
                "DELETE FROM raw_batch WHERE start_s = ? AND channel = ? AND interval_s = ? AND hash = ?";
            let gone = execute(&self.conn, sql, (old.start_s, old.channel, old.interval_s, old.hash))?;
            portion.removed += gone as u64;
        }
        let sql =
            "SELECT EXISTS (SELECT 1 FROM raw_batch WHERE start_s >= ? AND start_s < ? AND channel >= ?)";
        let more = value(&self.conn, sql, (day, (day + DAY_S).min(before), end))?;
        portion.next = Some(if more { Cursor(day, end) } else { Cursor(day + DAY_S, 0) });
        Ok(portion)
    }

    fn old_batches(&self, (from, to): (i64, i64), range: (ChannelId, ChannelId)) -> Result<Vec<Old>> {
        let sql = "SELECT start_s, channel, interval_s, hash, block FROM raw_batch \
                   WHERE start_s >= ? AND start_s < ? AND channel >= ? AND channel < ? ORDER BY start_s, channel";
        rows(&self.conn, sql, (from, to, range.0.get(), range.1.get()), |row| {
            let (start_s, interval_s): (i64, u32) = (row.get(0)?, row.get(2)?);
            let slots = i64::try_from(unpack_raw(row.blob(4)?)?.0.len()).unwrap_or(i64::MAX);
            Ok(Old {
                start_s,
                channel: row.get(1)?,
                interval_s,
                hash: row.get(3)?,
                end_s: start_s.saturating_add(slots.saturating_mul(interval_s.into())),
            })
        })
    }
}
