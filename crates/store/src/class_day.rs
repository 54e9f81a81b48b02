//! What channels of one kind and class of customer used from day to day, summed when a day is closed.

use crate::column::{day_number, day_of, execute, rows};
use crate::{Read, Result, Write};
use jiff::civil::Date;
use model::{ChannelKind, CustomerClass};

/// The use of one half of the channels of a kind and a class on a day; only what was read whole counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassUse {
    /// The local date.
    pub day: Date,
    /// Which half, 0 or 1.
    pub half: u8,
    /// How many channels were read whole.
    pub channels: u32,
    /// Their total in the stored unit.
    pub total: i64,
}

impl Read {
    /// The use of a kind and a class on the days `[from, to)`, by day and half.
    ///
    /// # Errors
    /// What the database says.
    pub fn class_days(
        &self,
        kind: ChannelKind,
        class: CustomerClass,
        from: Date,
        to: Date,
    ) -> Result<Vec<ClassUse>> {
        let sql = "SELECT day, half, sum(channels), sum(total) FROM class_day WHERE kind = ? AND class = ? AND day >= ? \
                   AND day < ? GROUP BY day, half ORDER BY day, half";
        rows(&self.conn, sql, (kind.code(), class.name(), day_number(from), day_number(to)), |row| {
            Ok(ClassUse {
                day: day_of(row.get(0)?)?,
                half: row.get(1)?,
                channels: u32::try_from(row.get::<_, i64>(2)?).unwrap_or(u32::MAX),
                total: row.get(3)?,
            })
        })
    }
}

impl Write {
    /// Keeps the use of a kind and a class in a part of the fleet, named by its first meter, in place of what was known.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_class_day(
        &self,
        kind: ChannelKind,
        class: CustomerClass,
        part: u32,
        used: &ClassUse,
    ) -> Result<()> {
        let sql = "INSERT INTO class_day (kind, class, day, part, half, channels, total) VALUES (?, ?, ?, ?, ?, ?, ?) \
                   ON CONFLICT (kind, class, day, part, half) DO UPDATE SET channels = excluded.channels, total = excluded.total";
        let row =
            (kind.code(), class.name(), day_number(used.day), part, used.half, used.channels, used.total);
        execute(&self.conn, sql, row)?;
        Ok(())
    }
}
