//! What meters told of themselves, and how our own clock stood: what readings are held against.

use crate::column::{execute, maybe_millis, millis, row, rows};
use crate::engine::Row;
use crate::{Read, Result, Write};
use jiff::Timestamp;
use model::{MeterId, Serial};
use std::collections::BTreeMap;

/// A time in which a meter's clock was not to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockLost {
    /// The last check before that found it good; `None` where there was none.
    pub from: Option<Timestamp>,
    /// The check that did not.
    pub to: Timestamp,
    /// How far it was ahead of ours then (negative: behind), milliseconds.
    pub offset_ms: i64,
}

/// What is known of a meter from its own mouth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownOfMeter {
    /// When it was asked last.
    pub checked_at: Timestamp,
    /// The serial number that it gave last.
    pub serial: Option<Serial>,
    /// Its transformer ratio.
    pub multiplier: Option<u32>,
    /// The decimal exponent of its registers less that of its model.
    pub scaler_off: Option<i8>,
    /// When its clock was found good last.
    pub clock_good: Option<Timestamp>,
    /// The last time in which it was not.
    pub clock_lost: Option<ClockLost>,
}

impl KnownOfMeter {
    /// Nothing but that it was asked.
    pub const fn new(checked_at: Timestamp) -> Self {
        Self {
            checked_at,
            serial: None,
            multiplier: None,
            scaler_off: None,
            clock_good: None,
            clock_lost: None,
        }
    }
}

fn known(row: &Row<'_>) -> Result<KnownOfMeter> {
    let lost = maybe_millis(row.get(6)?)?.zip(row.get::<_, Option<i64>>(7)?);
    let from = maybe_millis(row.get(5)?)?;
    Ok(KnownOfMeter {
        checked_at: millis(row.get(0)?)?,
        serial: row.get::<_, Option<String>>(1)?.map(Serial::new),
        multiplier: row.get(2)?,
        scaler_off: row.get(3)?,
        clock_good: maybe_millis(row.get(4)?)?,
        clock_lost: lost.map(|(to, offset_ms)| ClockLost { from, to, offset_ms }),
    })
}

impl Read {
    /// What a meter told of itself; `None` for one that was never asked.
    ///
    /// # Errors
    /// What the database says.
    pub fn meter_check(&self, meter: MeterId) -> Result<Option<KnownOfMeter>> {
        let sql = "SELECT checked_ms, serial, multiplier, scaler_off, good_ms, lost_from_ms, lost_to_ms, lost_offset_ms \
                   FROM meter_check WHERE meter = ?";
        row(&self.conn, sql, [meter.get()], known)
    }

    /// As [`Read::meter_check`], of the meters from one to another, both included; those that were never asked are left out.
    ///
    /// # Errors
    /// What the database says.
    pub fn meter_checks(&self, (from, to): (MeterId, MeterId)) -> Result<BTreeMap<MeterId, KnownOfMeter>> {
        let sql = "SELECT checked_ms, serial, multiplier, scaler_off, good_ms, lost_from_ms, lost_to_ms, lost_offset_ms, \
                   meter FROM meter_check WHERE meter >= ? AND meter <= ?";
        let found = rows(&self.conn, sql, (from.get(), to.get()), |row| {
            Ok((MeterId::new(row.get(8)?), known(row)?))
        })?;
        Ok(found.into_iter().collect())
    }

    /// How far our clock was ahead of the reference (negative: behind) when it was last compared at or before `at`, and when
    /// that was.
    ///
    /// # Errors
    /// What the database says.
    pub fn system_clock(&self, at: Timestamp) -> Result<Option<(Timestamp, i64)>> {
        let sql = "SELECT at_ms, offset_ms FROM system_clock WHERE at_ms <= ? ORDER BY at_ms DESC LIMIT 1";
        row(&self.conn, sql, [at.as_millisecond()], |row| Ok((millis(row.get(0)?)?, row.get(1)?)))
    }
}

impl Write {
    /// Keeps what is known of a meter, in place of what was.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_meter_check(&self, meter: MeterId, known: &KnownOfMeter) -> Result<()> {
        let sql = "INSERT INTO meter_check (meter, checked_ms, serial, multiplier, scaler_off, good_ms, lost_from_ms, \
                   lost_to_ms, lost_offset_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (meter) DO UPDATE SET \
                   checked_ms = excluded.checked_ms, serial = excluded.serial, multiplier = excluded.multiplier, \
                   scaler_off = excluded.scaler_off, good_ms = excluded.good_ms, lost_from_ms = excluded.lost_from_ms, \
                   lost_to_ms = excluded.lost_to_ms, lost_offset_ms = excluded.lost_offset_ms";
        let lost = known.clock_lost;
        let values = (
            meter.get(),
            known.checked_at.as_millisecond(),
            known.serial.as_ref().map(Serial::as_str),
            known.multiplier,
            known.scaler_off,
            known.clock_good.map(Timestamp::as_millisecond),
            lost.and_then(|lost| lost.from).map(Timestamp::as_millisecond),
            lost.map(|lost| lost.to.as_millisecond()),
            lost.map(|lost| lost.offset_ms),
        );
        execute(&self.conn, sql, values)?;
        Ok(())
    }

    /// Keeps how far our clock was ahead of `reference` (negative: behind) at `at`.
    ///
    /// # Errors
    /// What the database says.
    pub fn note_system_clock(&self, at: Timestamp, offset_ms: i64, reference: &str) -> Result<()> {
        let sql = "INSERT INTO system_clock (at_ms, offset_ms, reference) VALUES (?, ?, ?) ON CONFLICT (at_ms) DO NOTHING";
        execute(&self.conn, sql, (at.as_millisecond(), offset_ms, reference))?;
        Ok(())
    }
}
