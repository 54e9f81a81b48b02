//! Where meters hang and which of them belong together: stays at service points, feeders, rate classes, saved groups.

use crate::column::{commodity, day_number, day_of, execute, maybe_millis, millis, rows};
use crate::dated::{Defined, Definition, Tables};
use crate::{Read, Result, StoreError, Write};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{ChannelId, CollectorId, Commodity, GroupId, MeterId, Serial, ServicePointId, TransformerId};

/// A meter at one place, from when to when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// Which meter.
    pub meter: MeterId,
    /// On its plate.
    pub serial: Serial,
    /// Its model.
    pub model: String,
    /// What it measures.
    pub commodity: Commodity,
    /// The collector it is behind.
    pub collector: Option<CollectorId>,
    /// Where it was installed.
    pub service_point: Option<ServicePointId>,
    /// What feeds that.
    pub transformer: Option<TransformerId>,
    /// The feeder of the transformer.
    pub feeder: Option<String>,
    /// Since when.
    pub from: Timestamp,
    /// Until when; `None`: it still is.
    pub to: Option<Timestamp>,
}

/// What something is from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since<K> {
    /// What.
    pub of: K,
    /// The first day.
    pub from: Date,
    /// What it is; `None` for nothing.
    pub is: Option<String>,
}

const GROUPS: Tables = Tables { names: "meter_group", versions: "group_version" };

impl Read {
    /// Where every meter was in `[from, to)`, by meter and time.
    ///
    /// # Errors
    /// What the database says.
    pub fn stays(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Stay>> {
        let sql = "SELECT m.id, m.serial, m.model, m.commodity, m.collector, i.service_point, t.id, t.feeder, i.from_ms, \
                   i.to_ms FROM installation i JOIN meter m ON m.id = i.meter \
                   LEFT JOIN service_point s ON s.id = i.service_point LEFT JOIN transformer t ON t.id = s.transformer \
                   WHERE i.from_ms < ? AND (i.to_ms IS NULL OR i.to_ms > ?) ORDER BY i.meter, i.from_ms";
        rows(&self.conn, sql, (to.as_millisecond(), from.as_millisecond()), |row| {
            Ok(Stay {
                meter: MeterId::new(row.get(0)?),
                serial: Serial::new(row.get::<_, String>(1)?),
                model: row.get(2)?,
                commodity: commodity(&row.get::<_, String>(3)?)?,
                collector: row.get::<_, Option<u32>>(4)?.map(CollectorId::new),
                service_point: row.get::<_, Option<u32>>(5)?.map(ServicePointId::new),
                transformer: row.get::<_, Option<u32>>(6)?.map(TransformerId::new),
                feeder: row.get(7)?,
                from: millis(row.get(8)?)?,
                to: maybe_millis(row.get(9)?)?,
            })
        })
    }

    /// At which substation feeders begin, in the order in which it was said.
    ///
    /// # Errors
    /// What the database says.
    pub fn substations(&self) -> Result<Vec<Since<String>>> {
        let sql = "SELECT feeder, from_day, substation FROM feeder_since ORDER BY id";
        rows(&self.conn, sql, [], |row| {
            Ok(Since { of: row.get(0)?, from: day_of(row.get(1)?)?, is: row.get(2)? })
        })
    }

    /// Of which class of rates service points are, in the order in which it was said.
    ///
    /// # Errors
    /// What the database says.
    pub fn rate_classes(&self) -> Result<Vec<Since<ServicePointId>>> {
        let sql = "SELECT service_point, from_day, rate_class FROM rate_class_since ORDER BY id";
        rows(&self.conn, sql, [], |row| {
            let of = ServicePointId::new(row.get(0)?);
            Ok(Since { of, from: day_of(row.get(1)?)?, is: row.get(2)? })
        })
    }

    /// The saved groups, by name.
    ///
    /// # Errors
    /// What the database says.
    pub fn groups(&self) -> Result<Vec<Defined<GroupId>>> {
        self.defined(&GROUPS, GroupId::new)
    }

    /// One saved group.
    ///
    /// # Errors
    /// What the database says.
    pub fn group(&self, id: GroupId) -> Result<Option<Defined<GroupId>>> {
        self.defined_as(&GROUPS, id.get(), id)
    }

    /// The newest versions of a day of the given channels (in order, each once), each handed to `take`. Pages and rows are
    /// read in the order in which they lie.
    ///
    /// # Errors
    /// What the database says; a damaged block.
    pub fn each_newest(
        &self,
        day: jiff::civil::Date,
        channels: &[ChannelId],
        mut take: impl FnMut(crate::StoredDay),
    ) -> Result<()> {
        let (Some(first), Some(last)) = (channels.first(), channels.last()) else { return Ok(()) };
        let wanted = |channel: ChannelId| channels.binary_search(&channel).ok();
        let mut seen = vec![false; channels.len()];
        let end = ChannelId::new(last.get().saturating_add(1));
        let mut rows = self.day_rows(day, (*first, end))?.into_iter().peekable();
        while let Some(stored) = rows.next() {
            let channel = stored.block.channel;
            let superseded = rows.peek().is_some_and(|next| next.block.channel == channel);
            if let Some(place) = wanted(channel).filter(|_| !superseded) {
                seen[place] = true;
                take(stored);
            }
        }
        let mut buffer = Vec::new();
        let mut paged: Vec<crate::StoredDay> = Vec::new();
        self.each_page(day, (first.get() >> 8, (last.get() >> 8) + 1), |row| {
            let mut failed = None;
            row.view.each(row.page, &mut buffer, |channel, values| {
                let Some(place) = wanted(channel).filter(|place| !seen[*place]) else { return };
                seen[place] = true;
                match row.stored(channel, values.to_vec()) {
                    Ok(stored) => paged.push(stored),
                    Err(error) => failed = Some(error),
                }
            })?;
            failed.map_or(Ok(()), Err)
        })?;
        paged.into_iter().for_each(&mut take);
        // What is folded into months is not worth a second scan here.
        for (channel, _) in channels.iter().zip(&seen).filter(|(_, seen)| !**seen) {
            if let Some(stored) = self.day(*channel, day)? {
                take(stored);
            }
        }
        Ok(())
    }
}

impl Write {
    /// Says at which substation a feeder begins from a day on.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_feeder(&self, name: &str, substation: Option<&str>, from: Date, at: Timestamp) -> Result<()> {
        let sql = "INSERT INTO feeder_since (feeder, from_day, substation, changed_ms) VALUES (?, ?, ?, ?)";
        execute(&self.conn, sql, (name, day_number(from), substation, at.as_millisecond()))?;
        Ok(())
    }

    /// Says of which class of rates a service point is from a day on.
    ///
    /// # Errors
    /// What the database says.
    pub fn set_rate_class(
        &self,
        point: ServicePointId,
        class: Option<&str>,
        from: Date,
        at: Timestamp,
    ) -> Result<()> {
        let sql = "INSERT INTO rate_class_since (service_point, from_day, rate_class, changed_ms) VALUES (?, ?, ?, ?)";
        execute(&self.conn, sql, (point.get(), day_number(from), class, at.as_millisecond()))?;
        Ok(())
    }

    /// Says who belongs to a group from a day on.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_group(&self, name: &str, what: &Definition) -> Result<GroupId> {
        self.define(&GROUPS, name, what).map(GroupId::new)
    }

    /// A meter is moved to another service point, or taken off without being retired: what it measured until then stays
    /// where it was measured.
    ///
    /// # Errors
    /// What the database says; [`StoreError::Corrupt`] for a meter that is nowhere, or that came to its place later.
    pub fn move_meter(&self, meter: MeterId, to: Option<ServicePointId>, at: Timestamp) -> Result<()> {
        self.end_stay(meter, at)?;
        let sql = "INSERT INTO installation (meter, from_ms, service_point) VALUES (?, ?, ?)";
        let point = to.map(ServicePointId::get);
        execute(&self.conn, sql, (meter.get(), at.as_millisecond(), point))?;
        execute(&self.conn, "UPDATE meter SET service_point = ? WHERE id = ?", (point, meter.get()))?;
        Ok(())
    }

    /// A meter is retired: it measures nothing from then on, and what it measured stays.
    ///
    /// # Errors
    /// As [`Write::move_meter`].
    pub fn retire_meter(&self, meter: MeterId, at: Timestamp) -> Result<()> {
        self.end_stay(meter, at)?;
        let sql = "UPDATE meter SET retired_ms = ? WHERE id = ?";
        execute(&self.conn, sql, (at.as_millisecond(), meter.get()))?;
        Ok(())
    }

    fn end_stay(&self, meter: MeterId, at: Timestamp) -> Result<()> {
        let sql = "UPDATE installation SET to_ms = ? WHERE meter = ? AND to_ms IS NULL AND from_ms < ?";
        let at = at.as_millisecond();
        match execute(&self.conn, sql, (at, meter.get(), at))? {
            1 => Ok(()),
            _ => Err(StoreError::Corrupt { what: "installation of a meter" }),
        }
    }
}
