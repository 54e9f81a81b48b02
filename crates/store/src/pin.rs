//! Bills and the versions of days that they were computed from.

use crate::column::{day_number, day_of, execute, maybe_millis, millis, row, rows};
use crate::engine::Row;
use crate::{Read, Result, Write};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{BillId, ChannelId};
use std::collections::BTreeMap;

/// A version of a day that a bill was computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pin {
    /// Whose day.
    pub channel: ChannelId,
    /// Which day.
    pub day: Date,
    /// The version that was billed.
    pub version: u32,
}

/// A billed day that is no longer what was billed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RebillFlag {
    /// The bill.
    pub bill: BillId,
    /// Whose day.
    pub channel: ChannelId,
    /// Which day.
    pub day: Date,
    /// The version that stands now, or stood when it was flagged.
    pub version: u32,
    /// What happened, in words.
    pub reason: String,
    /// When.
    pub flagged_at: Timestamp,
    /// When whoever bills took it up.
    pub taken_up_at: Option<Timestamp>,
}

fn flag(row: &Row<'_>) -> Result<RebillFlag> {
    Ok(RebillFlag {
        bill: BillId::new(row.get(0)?),
        channel: ChannelId::new(row.get(1)?),
        day: day_of(row.get(2)?)?,
        version: row.get(3)?,
        reason: row.get(4)?,
        flagged_at: millis(row.get(5)?)?,
        taken_up_at: maybe_millis(row.get(6)?)?,
    })
}

impl Read {
    /// What a bill was computed from, by channel and day.
    ///
    /// # Errors
    /// What the database says.
    pub fn pins_of(&self, bill: BillId) -> Result<Vec<Pin>> {
        let sql = "SELECT channel, day, version FROM bill_pin WHERE bill = ? ORDER BY channel, day";
        rows(&self.conn, sql, [bill.get()], |row| {
            Ok(Pin { channel: ChannelId::new(row.get(0)?), day: day_of(row.get(1)?)?, version: row.get(2)? })
        })
    }

    /// The bills that a day went into, each with the version that it took.
    ///
    /// # Errors
    /// What the database says.
    pub fn bills_of(&self, channel: ChannelId, day: Date) -> Result<Vec<(BillId, u32)>> {
        let sql = "SELECT bill, version FROM bill_pin WHERE channel = ? AND day = ? ORDER BY bill";
        rows(&self.conn, sql, (channel.get(), day_number(day)), |row| {
            Ok((BillId::new(row.get(0)?), row.get(1)?))
        })
    }

    /// The last day of a channel that went into a bill.
    ///
    /// # Errors
    /// What the database says.
    pub fn last_billed_day(&self, channel: ChannelId) -> Result<Option<Date>> {
        let sql = "SELECT max(day) FROM bill_pin WHERE channel = ?";
        let last = row(&self.conn, sql, [channel.get()], |row| row.get::<_, Option<i32>>(0))?;
        last.flatten().map(day_of).transpose()
    }

    /// As [`Read::last_billed_day`], of the channels from one to another, both included; those without a bill are left out.
    ///
    /// # Errors
    /// What the database says.
    pub fn last_billed_days(&self, (from, to): (ChannelId, ChannelId)) -> Result<BTreeMap<ChannelId, Date>> {
        let sql =
            "SELECT channel, max(day) FROM bill_pin WHERE channel >= ? AND channel <= ? GROUP BY channel";
        let found = rows(&self.conn, sql, (from.get(), to.get()), |row| {
            Ok((ChannelId::new(row.get(0)?), day_of(row.get(1)?)?))
        })?;
        Ok(found.into_iter().collect())
    }

    /// The flags that nobody took up yet, by bill, channel and day; or with `all` those taken up too.
    ///
    /// # Errors
    /// What the database says.
    pub fn rebill_flags(&self, all: bool) -> Result<Vec<RebillFlag>> {
        let sql = "SELECT bill, channel, day, version, reason, flagged_ms, taken_up_ms FROM rebill_flag \
                   WHERE taken_up_ms IS NULL OR ? = 1 ORDER BY bill, channel, day, version";
        rows(&self.conn, sql, [i64::from(all)], flag)
    }
}

impl Write {
    /// Remembers the version of a day that a bill was computed from. The first word counts: a bill is never computed anew
    /// under its number. Whether it was new.
    ///
    /// # Errors
    /// What the database says.
    pub fn pin(&self, bill: BillId, pin: &Pin, at: Timestamp) -> Result<bool> {
        let sql = "INSERT INTO bill_pin (channel, day, bill, version, pinned_ms) VALUES (?, ?, ?, ?, ?) \
                   ON CONFLICT DO NOTHING";
        let values = (pin.channel.get(), day_number(pin.day), bill.get(), pin.version, at.as_millisecond());
        Ok(execute(&self.conn, sql, values)? > 0)
    }

    /// Flags a billed day; the same again changes nothing. Whether it was new.
    ///
    /// # Errors
    /// What the database says.
    pub fn flag_rebill(&self, flag: &RebillFlag) -> Result<bool> {
        let sql = "INSERT INTO rebill_flag (channel, day, bill, version, reason, flagged_ms) VALUES (?, ?, ?, ?, ?, ?) \
                   ON CONFLICT DO NOTHING";
        let values = (
            flag.channel.get(),
            day_number(flag.day),
            flag.bill.get(),
            flag.version,
            &flag.reason,
            flag.flagged_at.as_millisecond(),
        );
        Ok(execute(&self.conn, sql, values)? > 0)
    }
}
