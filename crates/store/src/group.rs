//! Where meters hang and which of them belong together: feeders, rate classes, saved groups.

use crate::column::{commodity, execute, millis, row, rows};
use crate::engine::Row;
use crate::{Read, Result, Write};
use jiff::Timestamp;
use model::{
    ChannelId, CollectorId, Commodity, GroupId, MeterId, Serial, ServicePointId, TransformerId, UserId,
};

/// Where a meter in service hangs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterPlace {
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
    /// Where it is installed.
    pub service_point: Option<ServicePointId>,
    /// What feeds that.
    pub transformer: Option<TransformerId>,
    /// The feeder of the transformer.
    pub feeder: Option<String>,
    /// Where the feeder begins.
    pub substation: Option<String>,
    /// The class of rates of the service point.
    pub rate_class: Option<String>,
}

/// A saved group of meters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterGroup {
    /// Ours.
    pub id: GroupId,
    /// As people call it.
    pub name: String,
    /// Who belongs to it, as the meter data manager writes it.
    pub rule: String,
    /// Who said so.
    pub user: UserId,
    /// When.
    pub changed_at: Timestamp,
}

const GROUP: &str = "SELECT id, name, rule, by_user, changed_ms FROM meter_group";

fn group(row: &Row<'_>) -> Result<MeterGroup> {
    Ok(MeterGroup {
        id: GroupId::new(row.get(0)?),
        name: row.get(1)?,
        rule: row.get(2)?,
        user: UserId::new(row.get(3)?),
        changed_at: millis(row.get(4)?)?,
    })
}

impl Read {
    /// Where every meter in service hangs, by id.
    ///
    /// # Errors
    /// What the database says.
    pub fn meter_places(&self) -> Result<Vec<MeterPlace>> {
        let sql = "SELECT m.id, m.serial, m.model, m.commodity, m.collector, s.id, t.id, t.feeder, f.substation, \
                   s.rate_class FROM meter m LEFT JOIN service_point s ON s.id = m.service_point \
                   LEFT JOIN transformer t ON t.id = s.transformer LEFT JOIN feeder f ON f.name = t.feeder \
                   WHERE m.retired_ms IS NULL ORDER BY m.id";
        rows(&self.conn, sql, [], |row| {
            Ok(MeterPlace {
                meter: MeterId::new(row.get(0)?),
                serial: Serial::new(row.get::<_, String>(1)?),
                model: row.get(2)?,
                commodity: commodity(&row.get::<_, String>(3)?)?,
                collector: row.get::<_, Option<u32>>(4)?.map(CollectorId::new),
                service_point: row.get::<_, Option<u32>>(5)?.map(ServicePointId::new),
                transformer: row.get::<_, Option<u32>>(6)?.map(TransformerId::new),
                feeder: row.get(7)?,
                substation: row.get(8)?,
                rate_class: row.get(9)?,
            })
        })
    }

    /// The saved groups, by name.
    ///
    /// # Errors
    /// What the database says.
    pub fn groups(&self) -> Result<Vec<MeterGroup>> {
        rows(&self.conn, &[GROUP, " ORDER BY name"].concat(), [], group)
    }

    /// One saved group.
    ///
    /// # Errors
    /// What the database says.
    pub fn group(&self, id: GroupId) -> Result<Option<MeterGroup>> {
        row(&self.conn, &[GROUP, " WHERE id = ?"].concat(), [id.get()], group)
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
    /// Says at which substation a feeder begins.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_feeder(&self, name: &str, substation: &str) -> Result<()> {
        let sql = "INSERT INTO feeder (name, substation) VALUES (?, ?) \
                   ON CONFLICT (name) DO UPDATE SET substation = excluded.substation";
        execute(&self.conn, sql, (name, substation))?;
        Ok(())
    }

    /// Says to which class of rates a service point belongs.
    ///
    /// # Errors
    /// What the database says.
    pub fn set_rate_class(&self, point: ServicePointId, class: Option<&str>) -> Result<()> {
        execute(&self.conn, "UPDATE service_point SET rate_class = ? WHERE id = ?", (class, point.get()))?;
        Ok(())
    }

    /// Saves a group under its name, in place of one of the same name.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_group(&self, name: &str, rule: &str, user: UserId, at: Timestamp) -> Result<GroupId> {
        let sql = "INSERT INTO meter_group (name, rule, by_user, changed_ms) VALUES (?, ?, ?, ?) \
                   ON CONFLICT (name) DO UPDATE SET rule = excluded.rule, by_user = excluded.by_user, \
                   changed_ms = excluded.changed_ms";
        execute(&self.conn, sql, (name, rule, user.get(), at.as_millisecond()))?;
        let id = row(&self.conn, "SELECT id FROM meter_group WHERE name = ?", [name], |row| row.get(0))?;
        id.map(GroupId::new).ok_or_else(|| crate::column::corrupt("group"))
    }
}
