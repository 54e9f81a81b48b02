//! Removing registers, events and logs.

use super::{Cursor, Cut, Portion};
use crate::column::{day_number, execute, rows, value};
use crate::{Result, Write};
use std::collections::BTreeMap;

/// Meters of a portion of registers.
const METERS: u32 = 256;
/// Time of a portion of events.
const SLICE_MS: i64 = 86_400_000;

impl Write {
    /// Registers that bound a day which a bill was computed from stay.
    pub(super) fn remove_registers(&self, cut: &Cut, from: Cursor) -> Result<Portion> {
        let mut portion = Portion::default();
        let sql = "SELECT min(meter) FROM register_read WHERE meter >= ?";
        let Some(first) = value::<Option<u32>>(&self.conn, sql, [from.1])? else { return Ok(portion) };
        let end = first.saturating_add(METERS);
        let before = cut.before_at.as_second();
        let pinned = self.bounded_by_bills(cut, (first, end))?;
        let old = "meter >= ? AND meter < ? AND at_s < ?";
        if pinned.is_empty() {
            let sql = format!("DELETE FROM register_read WHERE {old}");
            portion.removed = execute(&self.conn, &sql, (first, end, before))? as u64;
        } else {
            let sql =
                format!("SELECT meter, kind, at_s FROM register_read WHERE {old} GROUP BY meter, kind, at_s");
            let reads = rows(&self.conn, &sql, (first, end, before), |row| {
                Ok((row.get::<_, u32>(0)?, row.get::<_, u8>(1)?, row.get::<_, i64>(2)?))
            })?;
            for (meter, kind, at_s) in reads {
                let day = at_s.div_euclid(86_400);
                let near = |days: &Vec<i64>| days.iter().any(|pinned| (day - pinned).abs() <= 2);
                if pinned.get(&(meter, kind)).is_some_and(near) {
                    portion.pinned += 1;
                    continue;
                }
                let sql = "DELETE FROM register_read WHERE meter = ? AND kind = ? AND at_s = ?";
                portion.removed += execute(&self.conn, sql, (meter, kind, at_s))? as u64;
            }
        }
        portion.next = Some(Cursor(0, end));
        Ok(portion)
    }

    /// The days that bills were computed from, by meter and kind, as numbers.
    fn bounded_by_bills(&self, cut: &Cut, (first, end): (u32, u32)) -> Result<BTreeMap<(u32, u8), Vec<i64>>> {
        let sql = "SELECT c.meter, c.kind, p.day FROM channel c JOIN bill_pin p ON p.channel = c.id \
                   WHERE c.meter >= ? AND c.meter < ? AND p.day <= ? GROUP BY c.meter, c.kind, p.day";
        let mut found: BTreeMap<(u32, u8), Vec<i64>> = BTreeMap::new();
        for (key, day) in rows(&self.conn, sql, (first, end, day_number(cut.before)), |row| {
            Ok(((row.get::<_, u32>(0)?, row.get::<_, u8>(1)?), row.get::<_, i64>(2)?))
        })? {
            found.entry(key).or_default().push(day);
        }
        Ok(found)
    }

    pub(super) fn remove_events(&self, cut: &Cut, from: Cursor) -> Result<Portion> {
        let mut portion = Portion::default();
        let before = cut.before_at.as_millisecond();
        let sql = "SELECT min(at_ms) FROM event WHERE at_ms >= ?";
        let Some(first) = value::<Option<i64>>(&self.conn, sql, [from.0])?.filter(|first| *first < before)
        else {
            return Ok(portion);
        };
        let end = first.saturating_add(SLICE_MS).min(before);
        let sql = "DELETE FROM event WHERE at_ms >= ? AND at_ms < ?";
        portion.removed = execute(&self.conn, sql, (first, end))? as u64;
        portion.next = Some(Cursor(end, 0));
        Ok(portion)
    }

    pub(super) fn remove_logs(&self, cut: &Cut) -> Result<Portion> {
        let before = cut.before_at.as_millisecond();
        let noted = execute(&self.conn, "DELETE FROM push_log WHERE received_ms < ?", [before])?;
        let sql = "DELETE FROM import_refusal WHERE file IN (SELECT id FROM import_file WHERE loaded_ms < ?)";
        let refused = execute(&self.conn, sql, [before])?;
        Ok(Portion { removed: (noted + refused) as u64, ..Portion::default() })
    }
}
