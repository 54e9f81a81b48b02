//! What arrived unasked, accepted or refused.

use crate::column::{execute, millis, rows, value};
use crate::{Read, Result, Write};
use jiff::Timestamp;
use model::MeterId;

/// How many arrivals are remembered; whoever floods a listener must not fill the disk.
const KEPT: i64 = 100_000;

/// One arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushEntry {
    /// When.
    pub received_at: Timestamp,
    /// From which meter, where that is known.
    pub meter: Option<MeterId>,
    /// The other end of the connection.
    pub peer: String,
    /// Whether it was taken.
    pub accepted: bool,
    /// What it was, or why it was refused.
    pub note: String,
}

impl Read {
    /// The newest arrivals, the newest first; of one meter or of all.
    ///
    /// # Errors
    /// What the database says.
    pub fn push_log(&self, meter: Option<MeterId>, limit: u32) -> Result<Vec<PushEntry>> {
        let sql = "SELECT received_ms, meter, peer, accepted, note FROM push_log \
                   WHERE meter = ?1 OR ?1 IS NULL ORDER BY id DESC LIMIT ?2";
        rows(&self.conn, sql, (meter.map(MeterId::get), limit), |row| {
            Ok(PushEntry {
                received_at: millis(row.get(0)?)?,
                meter: row.get::<_, Option<u32>>(1)?.map(MeterId::new),
                peer: row.get(2)?,
                accepted: row.get(3)?,
                note: row.get(4)?,
            })
        })
    }

    /// How many arrivals were refused since `from`.
    ///
    /// # Errors
    /// What the database says.
    pub fn refused_pushes(&self, from: Timestamp) -> Result<u64> {
        let sql = "SELECT count(*) FROM push_log WHERE accepted = 0 AND received_ms >= ?";
        value(&self.conn, sql, [from.as_millisecond()])
    }
}

impl Write {
    /// Notes an arrival; only the newest hundred thousand are kept.
    ///
    /// # Errors
    /// What the database says.
    pub fn log_push(&self, entry: &PushEntry) -> Result<()> {
        let sql = "INSERT INTO push_log (received_ms, meter, peer, accepted, note) VALUES (?, ?, ?, ?, ?) \
                   RETURNING id";
        let values = (
            entry.received_at.as_millisecond(),
            entry.meter.map(MeterId::get),
            &entry.peer,
            entry.accepted,
            &entry.note,
        );
        let id: i64 = value(&self.conn, sql, values)?;
        if id % 1000 == 0 {
            execute(&self.conn, "DELETE FROM push_log WHERE id <= ?", [id - KEPT])?;
        }
        Ok(())
    }
}
