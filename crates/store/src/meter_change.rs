//! What people did with meters: fitted, taken off, retired.

use crate::column::{corrupt, execute, millis, rows};
use crate::{Read, Result, Write};
use jiff::Timestamp;
use model::{MeterId, ServicePointId, UserId};
use std::collections::BTreeMap;

/// What was done with a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MeterDeed {
    /// It was fitted at a service point.
    Fitted,
    /// It was taken off and lies in store: it may be fitted again.
    TakenOff,
    /// It was taken off for good.
    Retired,
}

impl MeterDeed {
    const ALL: [Self; 3] = [Self::Fitted, Self::TakenOff, Self::Retired];

    /// As kept: `fitted`, `taken_off`, `retired`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fitted => "fitted",
            Self::TakenOff => "taken_off",
            Self::Retired => "retired",
        }
    }
}

/// A deed on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterChange {
    /// Which meter.
    pub meter: MeterId,
    /// When it was done.
    pub at: Timestamp,
    /// What.
    pub what: MeterDeed,
    /// Where.
    pub service_point: Option<ServicePointId>,
    /// The meter that went, or came, in its place.
    pub other: Option<MeterId>,
    /// Who says so.
    pub user: UserId,
    /// Why.
    pub reason: String,
    /// When it was said.
    pub recorded_at: Timestamp,
}

impl Read {
    /// The meters that were taken off and lie in store, with the time since when.
    ///
    /// # Errors
    /// What the database says.
    pub fn taken_off(&self) -> Result<BTreeMap<MeterId, Timestamp>> {
        let sql = "SELECT meter, at_ms, what FROM meter_change ORDER BY at_ms, id";
        let all = rows(&self.conn, sql, [], |row| {
            Ok((MeterId::new(row.get(0)?), millis(row.get(1)?)?, row.get::<_, String>(2)?))
        })?;
        let mut lying = BTreeMap::new();
        for (meter, at, what) in all {
            if what == MeterDeed::TakenOff.name() {
                lying.insert(meter, at);
            } else {
                lying.remove(&meter);
            }
        }
        Ok(lying)
    }

    /// What was done with a meter, in the order in which it was done.
    ///
    /// # Errors
    /// What the database says.
    pub fn meter_changes(&self, meter: MeterId) -> Result<Vec<MeterChange>> {
        let sql = "SELECT meter, at_ms, what, service_point, other, by_user, reason, recorded_ms FROM meter_change \
                   WHERE meter = ? ORDER BY at_ms, id";
        rows(&self.conn, sql, [meter.get()], |row| {
            let what: String = row.get(2)?;
            let what = MeterDeed::ALL.into_iter().find(|deed| deed.name() == what);
            Ok(MeterChange {
                meter: MeterId::new(row.get(0)?),
                at: millis(row.get(1)?)?,
                what: what.ok_or_else(|| corrupt("deed with a meter"))?,
                service_point: row.get::<_, Option<u32>>(3)?.map(ServicePointId::new),
                other: row.get::<_, Option<u32>>(4)?.map(MeterId::new),
                user: UserId::new(row.get(5)?),
                reason: row.get(6)?,
                recorded_at: millis(row.get(7)?)?,
            })
        })
    }
}

impl Write {
    /// Puts a deed on record.
    ///
    /// # Errors
    /// What the database says.
    pub fn note_meter_change(&self, change: &MeterChange) -> Result<()> {
        let sql = "INSERT INTO meter_change (meter, at_ms, what, service_point, other, by_user, reason, recorded_ms) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        let values = (
            change.meter.get(),
            change.at.as_millisecond(),
            change.what.name(),
            change.service_point.map(ServicePointId::get),
            change.other.map(MeterId::get),
            change.user.get(),
            &change.reason,
            change.recorded_at.as_millisecond(),
        );
        execute(&self.conn, sql, values)?;
        Ok(())
    }

    /// A meter measures at its service point since `at`.
    ///
    /// # Errors
    /// What the database says.
    pub fn note_fitted(&self, meter: MeterId, at: Timestamp) -> Result<()> {
        let sql = "UPDATE meter SET fitted_ms = ? WHERE id = ?";
        execute(&self.conn, sql, (at.as_millisecond(), meter.get()))?;
        Ok(())
    }
}
