//! The field network as the utility knows it: collectors, transformers, how a meter was last heard and over what path.

use crate::column::{Position, execute, maybe_millis, row, rows};
use crate::engine::Row;
use crate::{Read, Result, Write};
use jiff::Timestamp;
use model::{CollectorId, MeterId, TransformerId};

/// A gateway of the field network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// Ours.
    pub id: CollectorId,
    /// As written on its pole.
    pub name: String,
    /// `host:port` of its gateway.
    pub endpoint: String,
    /// `mesh`, `plc`, `cellular`, `broadband`.
    pub technology: String,
    /// The network id of its gateway header.
    pub network_id: u8,
    /// How many meters may be talked to at once.
    pub max_concurrent: u16,
    /// Where it is.
    pub position: Option<Position>,
}

/// A distribution transformer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transformer {
    /// Ours.
    pub id: TransformerId,
    /// As written on it.
    pub name: String,
    /// The feeder it hangs on.
    pub feeder: String,
    /// Rated power, VA.
    pub rating_va: u32,
    /// Where it is.
    pub position: Option<Position>,
}

/// How a meter was last heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Last valid message of any kind.
    pub last_heard: Option<Timestamp>,
    /// Last complete read.
    pub last_read: Option<Timestamp>,
    /// Round trip of the last exchange, ms.
    pub rtt_ms: Option<u32>,
    /// Meter clock less ours, ms.
    pub clock_offset_ms: Option<i64>,
    /// Last failure.
    pub last_failure: Option<Timestamp>,
    /// Why it failed.
    pub failure: Option<String>,
}

/// One hop of the path between a meter and its collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The node nearer to the meter.
    pub from: String,
    /// The node nearer to the collector.
    pub to: String,
    /// Received signal, dBm, where it is radio.
    pub signal_dbm: Option<i16>,
}

const COLLECTOR: &str =
    "SELECT id, name, endpoint, technology, network_id, max_concurrent, lat_e6, lon_e6 FROM collector";
const TRANSFORMER: &str = "SELECT id, name, feeder, rating_va, lat_e6, lon_e6 FROM transformer";

fn collector(row: &Row<'_>) -> Result<Collector> {
    Ok(Collector {
        id: CollectorId::new(row.get(0)?),
        name: row.get(1)?,
        endpoint: row.get(2)?,
        technology: row.get(3)?,
        network_id: row.get(4)?,
        max_concurrent: row.get(5)?,
        position: Position::of(row.get(6)?, row.get(7)?),
    })
}

fn transformer(row: &Row<'_>) -> Result<Transformer> {
    Ok(Transformer {
        id: TransformerId::new(row.get(0)?),
        name: row.get(1)?,
        feeder: row.get(2)?,
        rating_va: row.get(3)?,
        position: Position::of(row.get(4)?, row.get(5)?),
    })
}

impl Read {
    /// One collector.
    ///
    /// # Errors
    /// What the database says.
    pub fn collector(&self, id: CollectorId) -> Result<Option<Collector>> {
        row(&self.conn, &format!("{COLLECTOR} WHERE id = ?"), [id.get()], collector)
    }

    /// Every collector, by id.
    ///
    /// # Errors
    /// What the database says.
    pub fn collectors(&self) -> Result<Vec<Collector>> {
        rows(&self.conn, &format!("{COLLECTOR} ORDER BY id"), [], collector)
    }

    /// One transformer.
    ///
    /// # Errors
    /// What the database says.
    pub fn transformer(&self, id: TransformerId) -> Result<Option<Transformer>> {
        row(&self.conn, &format!("{TRANSFORMER} WHERE id = ?"), [id.get()], transformer)
    }

    /// Every transformer, by id.
    ///
    /// # Errors
    /// What the database says.
    pub fn transformers(&self) -> Result<Vec<Transformer>> {
        rows(&self.conn, &format!("{TRANSFORMER} ORDER BY id"), [], transformer)
    }

    /// How a meter was last heard; all empty when it never was.
    ///
    /// # Errors
    /// What the database says.
    pub fn health(&self, meter: MeterId) -> Result<Health> {
        let sql = "SELECT last_heard_ms, last_read_ms, rtt_ms, clock_offset_ms, last_failure_ms, last_failure \
                   FROM health WHERE meter = ?";
        let found = row(&self.conn, sql, [meter.get()], |row| {
            Ok(Health {
                last_heard: maybe_millis(row.get(0)?)?,
                last_read: maybe_millis(row.get(1)?)?,
                rtt_ms: row.get(2)?,
                clock_offset_ms: row.get(3)?,
                last_failure: maybe_millis(row.get(4)?)?,
                failure: row.get(5)?,
            })
        })?;
        Ok(found.unwrap_or_default())
    }

    /// The last known path from a meter to its collector, the meter's end first.
    ///
    /// # Errors
    /// What the database says.
    pub fn path_of(&self, meter: MeterId) -> Result<Vec<Hop>> {
        let sql = "SELECT from_node, to_node, signal_dbm FROM hop WHERE meter = ? ORDER BY position";
        rows(&self.conn, sql, [meter.get()], |row| {
            Ok(Hop { from: row.get(0)?, to: row.get(1)?, signal_dbm: row.get(2)? })
        })
    }
}

impl Write {
    /// Updates what is `Some` in `news`; the rest stays as it was, and no time goes back.
    ///
    /// # Errors
    /// What the database says.
    pub fn note_health(&self, meter: MeterId, news: &Health) -> Result<()> {
        let sql = "INSERT INTO health (meter, last_heard_ms, last_read_ms, rtt_ms, clock_offset_ms, last_failure_ms, \
                   last_failure) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (meter) DO UPDATE SET \
                   last_heard_ms = max(coalesce(?2, health.last_heard_ms), coalesce(health.last_heard_ms, ?2)), \
                   last_read_ms = max(coalesce(?3, health.last_read_ms), coalesce(health.last_read_ms, ?3)), \
                   rtt_ms = coalesce(?4, health.rtt_ms), clock_offset_ms = coalesce(?5, health.clock_offset_ms), \
                   last_failure_ms = coalesce(?6, health.last_failure_ms), last_failure = coalesce(?7, health.last_failure)";
        let ms = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
        let values = (
            meter.get(),
            ms(news.last_heard),
            ms(news.last_read),
            news.rtt_ms,
            news.clock_offset_ms,
            ms(news.last_failure),
            &news.failure,
        );
        execute(&self.conn, sql, values)?;
        Ok(())
    }

    /// Replaces the path from a meter to its collector, the meter's end first.
    ///
    /// # Errors
    /// What the database says.
    pub fn set_path(&self, meter: MeterId, hops: &[Hop]) -> Result<()> {
        execute(&self.conn, "DELETE FROM hop WHERE meter = ?", [meter.get()])?;
        let sql = "INSERT INTO hop (meter, position, from_node, to_node, signal_dbm) VALUES (?, ?, ?, ?, ?)";
        for (position, hop) in (0u32..).zip(hops) {
            execute(&self.conn, sql, (meter.get(), position, &hop.from, &hop.to, hop.signal_dbm))?;
        }
        Ok(())
    }
}
