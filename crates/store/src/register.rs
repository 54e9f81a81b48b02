//! Cumulative registers as read.

use crate::column::{execute, kind, millis, row, rows, seconds, source, source_code, unit};
use crate::engine::Row;
use crate::{Read, Result, Write};
use jiff::Timestamp;
use model::{ChannelKind, MeterId, RegisterRead, RegisterValue};

const COLUMNS: &str =
    "SELECT meter, kind, tou, at_s, raw, scaler, unit, received_ms, source FROM register_read";

fn read(row: &Row<'_>) -> Result<RegisterRead> {
    Ok(RegisterRead {
        meter: MeterId::new(row.get(0)?),
        kind: kind(row.get(1)?)?,
        tou: row.get(2)?,
        at: seconds(row.get(3)?)?,
        value: RegisterValue { raw: row.get(4)?, scaler: row.get(5)?, unit: unit(row.get(6)?)? },
        received_at: millis(row.get(7)?)?,
        source: source(row.get(8)?)?,
    })
}

impl Read {
    /// Whether any register of the meters `[first, last]` was ever read.
    ///
    /// # Errors
    /// What the database says.
    pub fn has_registers(&self, first: MeterId, last: MeterId) -> Result<bool> {
        let sql = "SELECT meter FROM register_read WHERE meter >= ? AND meter <= ? LIMIT 1";
        Ok(row(&self.conn, sql, (first.get(), last.get()), |row| row.get::<_, u32>(0))?.is_some())
    }

    /// The reads of one register in `[from, to]`, both ends included, by time.
    ///
    /// # Errors
    /// What the database says.
    pub fn register_reads(
        &self,
        meter: MeterId,
        kind: ChannelKind,
        tou: u8,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<RegisterRead>> {
        let sql = format!(
            "{COLUMNS} WHERE meter = ? AND kind = ? AND tou = ? AND at_s >= ? AND at_s <= ? ORDER BY at_s"
        );
        rows(&self.conn, &sql, (meter.get(), kind.code(), tou, from.as_second(), to.as_second()), read)
    }

    /// The reads of every rate's register in `[from, to]`, both ends included, by rate and time.
    ///
    /// # Errors
    /// What the database says.
    pub fn rate_reads(
        &self,
        meter: MeterId,
        kind: ChannelKind,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<RegisterRead>> {
        // Rates one by one, so that the index is sought in and not walked through.
        let sql = format!(
            "{COLUMNS} WHERE meter = ? AND kind = ? AND tou IN (1, 2, 3, 4) AND at_s >= ? AND at_s <= ? ORDER BY tou, at_s"
        );
        rows(&self.conn, &sql, (meter.get(), kind.code(), from.as_second(), to.as_second()), read)
    }

    /// Whether any rate's register of a meter was ever read.
    ///
    /// # Errors
    /// What the database says.
    pub fn has_rates(&self, meter: MeterId, kind: ChannelKind) -> Result<bool> {
        let sql = "SELECT tou FROM register_read WHERE meter = ? AND kind = ? AND tou > 0 LIMIT 1";
        Ok(row(&self.conn, sql, (meter.get(), kind.code()), |row| row.get::<_, u8>(0))?.is_some())
    }

    /// The last read of one register at or before `at`.
    ///
    /// # Errors
    /// What the database says.
    pub fn register_before(
        &self,
        meter: MeterId,
        kind: ChannelKind,
        tou: u8,
        at: Timestamp,
    ) -> Result<Option<RegisterRead>> {
        let sql = format!(
            "{COLUMNS} WHERE meter = ? AND kind = ? AND tou = ? AND at_s <= ? ORDER BY at_s DESC LIMIT 1"
        );
        row(&self.conn, &sql, (meter.get(), kind.code(), tou, at.as_second()), read)
    }

    /// The first read of one register at or after `at`.
    ///
    /// # Errors
    /// What the database says.
    pub fn register_after(
        &self,
        meter: MeterId,
        kind: ChannelKind,
        tou: u8,
        at: Timestamp,
    ) -> Result<Option<RegisterRead>> {
        let sql =
            format!("{COLUMNS} WHERE meter = ? AND kind = ? AND tou = ? AND at_s >= ? ORDER BY at_s LIMIT 1");
        row(&self.conn, &sql, (meter.get(), kind.code(), tou, at.as_second()), read)
    }

    /// The newest read of every register of a meter.
    ///
    /// # Errors
    /// What the database says.
    pub fn latest_registers(&self, meter: MeterId) -> Result<Vec<RegisterRead>> {
        let mut found = Vec::new();
        for kind in ChannelKind::ALL {
            for tou in 0..=4 {
                found.extend(self.register_before(meter, kind, tou, Timestamp::MAX)?);
            }
        }
        Ok(found)
    }
}

impl Write {
    /// Keeps a register read; the same value at the same instant again changes nothing. Whether it was new.
    ///
    /// # Errors
    /// What the database says.
    pub fn insert_register(&self, read: &RegisterRead) -> Result<bool> {
        let sql = "INSERT INTO register_read (meter, kind, tou, at_s, raw, scaler, unit, received_ms, source) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        let values = (
            read.meter.get(),
            read.kind.code(),
            read.tou,
            read.at.as_second(),
            read.value.raw,
            read.value.scaler,
            read.value.unit.code(),
            read.received_at.as_millisecond(),
            source_code(read.source),
        );
        Ok(execute(&self.conn, sql, values)? > 0)
    }
}
