//! Meter events as received.

use crate::column::{clock, clock_code, corrupt, execute, millis, rows, value};
use crate::engine::Row;
use crate::{Read, Result, Write};
use jiff::Timestamp;
use model::{EventKind, MeterEvent, MeterId};

/// An event and when we learned of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// What happened.
    pub event: MeterEvent,
    /// When we learned of it.
    pub received_at: Timestamp,
}

const COLUMNS: &str = "SELECT meter, kind, at_ms, clock, seq, received_ms FROM event";

fn stored(row: &Row<'_>) -> Result<StoredEvent> {
    Ok(StoredEvent {
        event: MeterEvent {
            meter: MeterId::new(row.get(0)?),
            kind: EventKind::from_log_code(row.get(1)?).ok_or_else(|| corrupt("event kind"))?,
            at: millis(row.get(2)?)?,
            clock: clock(row.get(3)?)?,
            seq: row.get(4)?,
        },
        received_at: millis(row.get(5)?)?,
    })
}

impl Read {
    /// The events of a meter in `[from, to)`, the newest first, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub fn events_of(
        &self,
        meter: MeterId,
        from: Timestamp,
        to: Timestamp,
        limit: u32,
    ) -> Result<Vec<StoredEvent>> {
        let sql = format!(
            "{COLUMNS} WHERE meter = ? AND at_ms >= ? AND at_ms < ? ORDER BY at_ms DESC, seq DESC LIMIT ?"
        );
        rows(&self.conn, &sql, (meter.get(), from.as_millisecond(), to.as_millisecond(), limit), stored)
    }

    /// The newest events of all meters since `from`, the newest first, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub fn recent_events(&self, from: Timestamp, limit: u32) -> Result<Vec<StoredEvent>> {
        let sql = format!("{COLUMNS} WHERE at_ms >= ? ORDER BY at_ms DESC, meter, seq DESC LIMIT ?");
        rows(&self.conn, &sql, (from.as_millisecond(), limit), stored)
    }

    /// The power failures and restorations, and the openings and closings of relays, of all meters in `[from, to)`, by time.
    ///
    /// # Errors
    /// What the database says.
    pub fn supply_events(&self, from: Timestamp, to: Timestamp) -> Result<Vec<MeterEvent>> {
        let sql = format!(
            "{COLUMNS} WHERE kind IN ({}, {}, {}, {}) AND at_ms >= ? AND at_ms < ? ORDER BY at_ms, meter, seq",
            EventKind::PowerFailed.log_code(),
            EventKind::PowerRestored.log_code(),
            EventKind::Disconnected.log_code(),
            EventKind::Connected.log_code()
        );
        let found = rows(&self.conn, &sql, (from.as_millisecond(), to.as_millisecond()), stored)?;
        Ok(found.into_iter().map(|stored| stored.event).collect())
    }

    /// As [`Read::supply_events`], of one meter.
    ///
    /// # Errors
    /// What the database says.
    pub fn supply_events_of(
        &self,
        meter: MeterId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<MeterEvent>> {
        let sql = format!(
            "{COLUMNS} WHERE meter = ? AND kind IN ({}, {}, {}, {}) AND at_ms >= ? AND at_ms < ? ORDER BY at_ms, seq",
            EventKind::PowerFailed.log_code(),
            EventKind::PowerRestored.log_code(),
            EventKind::Disconnected.log_code(),
            EventKind::Connected.log_code()
        );
        let within = (meter.get(), from.as_millisecond(), to.as_millisecond());
        Ok(rows(&self.conn, &sql, within, stored)?.into_iter().map(|stored| stored.event).collect())
    }

    /// How many events happened since `from`.
    ///
    /// # Errors
    /// What the database says.
    pub fn event_count(&self, from: Timestamp) -> Result<u64> {
        let sql = "SELECT count(*) FROM event WHERE at_ms >= ?";
        value(&self.conn, sql, [from.as_millisecond()])
    }
}

impl Write {
    /// Keeps an event; the same again changes nothing. Whether it was new.
    ///
    /// # Errors
    /// What the database says.
    pub fn insert_event(&self, event: &MeterEvent, received_at: Timestamp) -> Result<bool> {
        let sql = "INSERT INTO event (meter, kind, at_ms, clock, seq, received_ms) VALUES (?, ?, ?, ?, ?, ?) \
                   ON CONFLICT DO NOTHING";
        let values = (
            event.meter.get(),
            event.kind.log_code(),
            event.at.as_millisecond(),
            clock_code(event.clock),
            event.seq,
            received_at.as_millisecond(),
        );
        Ok(execute(&self.conn, sql, values)? > 0)
    }
}
