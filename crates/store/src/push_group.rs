//! Pushes that are acknowledged before they are judged: appended in groups, one sync of the disk a group.
//!
//! A group is one row; what it holds was promised to the meters when the row was committed. Sealing takes groups into
//! days by the ordinary way and removes them in the same transaction, so that nothing is lost and nothing counts twice.
//!
//! `block = (meter, kind, start_s, interval_s, scaler, unit, source, values (as raw block))*`, numbers as varints.

use crate::block::input::{Input, put_signed, put_varint};
use crate::block::{pack_raw, unpack_raw};
use crate::column::{execute, interval, kind, millis, row, rows, seconds, source, source_code, unit, value};
use crate::{Read, Result, StoreError, Write};
use jiff::Timestamp;
use model::{MeterId, ReadBatch};

/// Batches of one receipt that were acknowledged together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushGroup {
    /// In order of their acknowledgement.
    pub id: i64,
    /// The batches, as they came.
    pub batches: Vec<ReadBatch>,
}

impl Read {
    /// The oldest groups that are not sealed yet, at most `count` of them.
    ///
    /// # Errors
    /// What the database says; a damaged group.
    pub fn push_groups(&self, count: u32) -> Result<Vec<PushGroup>> {
        let sql = "SELECT id, received_ms, block FROM push_group ORDER BY id LIMIT ?";
        rows(&self.conn, sql, [count], |row| {
            let batches = unpacked(row.blob(2)?, millis(row.get(1)?)?)?;
            Ok(PushGroup { id: row.get(0)?, batches })
        })
    }

    /// Whether a group that was received at `until` or before waits to be sealed.
    ///
    /// # Errors
    /// What the database says.
    pub fn pushes_due(&self, until: Timestamp) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM push_group WHERE received_ms <= ?)";
        value(&self.conn, sql, [until.as_millisecond()])
    }

    /// How many batches wait to be sealed.
    ///
    /// # Errors
    /// What the database says.
    pub fn pushes_waiting(&self) -> Result<u64> {
        let sql = "SELECT coalesce(sum(batches), 0) FROM push_group";
        Ok(value::<i64>(&self.conn, sql, [])?.unsigned_abs())
    }
}

impl Write {
    /// Appends a group. When the transaction is committed its batches may be acknowledged.
    ///
    /// # Errors
    /// What the database says; [`crate::block::BlockError::TooMany`].
    pub fn append_pushes(&self, batches: &[ReadBatch], received_at: Timestamp) -> Result<()> {
        if batches.is_empty() {
            return Ok(());
        }
        let mut block = Vec::with_capacity(batches.len() * 64);
        for batch in batches {
            put_varint(batch.meter.get().into(), &mut block);
            block.push(batch.kind.code());
            put_signed(batch.start.as_second(), &mut block);
            put_varint(batch.interval.secs().into(), &mut block);
            block.extend_from_slice(&[
                batch.scaler.to_le_bytes()[0],
                batch.unit.code(),
                source_code(batch.source),
            ]);
            put_signed(batch.received_at.as_millisecond() - received_at.as_millisecond(), &mut block);
            let values = pack_raw(&batch.values, &batch.status)?;
            put_varint(values.len() as u64, &mut block);
            block.extend_from_slice(&values);
        }
        let sql = "INSERT INTO push_group (received_ms, batches, block) VALUES (?, ?, ?)";
        let count = u32::try_from(batches.len()).unwrap_or(u32::MAX);
        execute(&self.conn, sql, (received_at.as_millisecond(), count, block))?;
        Ok(())
    }

    /// Takes the oldest group out as it is, packed, with the moment of its receipt: for one that can be sealed by nobody.
    ///
    /// # Errors
    /// What the database says.
    pub fn withdraw_push_group(&self) -> Result<Option<(Timestamp, Vec<u8>)>> {
        let sql =
            "DELETE FROM push_group WHERE id = (SELECT min(id) FROM push_group) RETURNING received_ms, block";
        row(&self.conn, sql, [], |row| Ok((millis(row.get(0)?)?, row.blob(1)?.to_vec())))
    }

    /// Removes a group whose batches were taken in by this transaction. Whether it was there.
    ///
    /// # Errors
    /// What the database says.
    pub fn remove_push_group(&self, id: i64) -> Result<bool> {
        Ok(execute(&self.conn, "DELETE FROM push_group WHERE id = ?", [id])? > 0)
    }
}

fn unpacked(block: &[u8], received_at: Timestamp) -> Result<Vec<ReadBatch>> {
    let small = |value: u64| u32::try_from(value).map_err(|_| StoreError::Corrupt { what: "push" });
    let mut input = Input::new(block);
    let mut batches = Vec::new();
    while input.at < block.len() {
        let meter = MeterId::new(small(input.varint()?)?);
        let kind = kind(input.byte()?)?;
        let start = seconds(input.signed()?)?;
        let interval = interval(small(input.varint()?)?)?;
        let scaler = i8::from_le_bytes([input.byte()?]);
        let (unit, source) = (unit(input.byte()?)?, source(input.byte()?)?);
        let received_at = millis(received_at.as_millisecond().wrapping_add(input.signed()?))?;
        let length = input.count()?;
        let (values, status) = unpack_raw(input.take(length)?)?;
        batches.push(ReadBatch {
            meter,
            kind,
            start,
            interval,
            values,
            scaler,
            unit,
            status,
            received_at,
            source,
        });
    }
    Ok(batches)
}
