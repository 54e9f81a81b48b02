//! The list of meters that an operator filters, sorts and pages through.

use crate::column::{commodity, commodity_name, maybe_millis, rows, value};
use crate::engine::Value;
use crate::{Read, Result};
use jiff::Timestamp;
use model::{CollectorId, Commodity, MeterId, PremiseId, Serial};

/// Which meters; every condition that is `Some` must hold. Retired meters are never listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetFilter {
    /// Part of the serial, address, premise number or customer name.
    pub text: Option<String>,
    /// Behind this collector.
    pub collector: Option<CollectorId>,
    /// Of this commodity.
    pub commodity: Option<Commodity>,
    /// Of this model.
    pub model: Option<String>,
    /// Not heard since this instant, or never.
    pub silent_since: Option<Timestamp>,
}

/// By what the list is sorted; equal ones by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FleetSort {
    /// Serial number.
    #[default]
    Serial,
    /// Address.
    Address,
    /// Last heard, the longest silent first.
    LastHeard,
    /// Model.
    Model,
    /// Collector, then serial.
    Collector,
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetRow {
    /// Which meter.
    pub meter: MeterId,
    /// On its plate.
    pub serial: Serial,
    /// Its model.
    pub model: String,
    /// What it measures.
    pub commodity: Commodity,
    /// The premise it is in.
    pub premise: Option<PremiseId>,
    /// Where that is.
    pub address: Option<String>,
    /// Who is served.
    pub customer: Option<String>,
    /// The collector it is behind; `None` for one on its own address.
    pub collector: Option<CollectorId>,
    /// That collector's name.
    pub collector_name: Option<String>,
    /// When it was last heard.
    pub last_heard: Option<Timestamp>,
    /// When it was last read completely.
    pub last_read: Option<Timestamp>,
}

const FROM: &str = " FROM meter m LEFT JOIN service_point s ON s.id = m.service_point \
                    LEFT JOIN premise p ON p.id = s.premise LEFT JOIN customer c ON c.id = s.customer \
                    LEFT JOIN collector k ON k.id = m.collector LEFT JOIN health h ON h.meter = m.id";

fn conditions(filter: &FleetFilter) -> (String, Vec<Value<'static>>) {
    let mut sql = String::from(" WHERE m.retired_ms IS NULL");
    let mut values = Vec::new();
    let mut add = |condition: &str, value: Value<'static>, times: usize| {
        sql.push_str(" AND ");
        sql.push_str(condition);
        values.extend(core::iter::repeat_n(value, times));
    };
    if let Some(text) = filter.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        let condition = "(instr(lower(m.serial), ?) > 0 OR instr(lower(p.address), ?) > 0 \
                         OR instr(lower(p.number), ?) > 0 OR instr(lower(c.name), ?) > 0)";
        add(condition, Value::Text(text.to_lowercase().into()), 4);
    }
    if let Some(collector) = filter.collector {
        add("m.collector = ?", Value::Integer(collector.get().into()), 1);
    }
    if let Some(commodity) = filter.commodity {
        add("m.commodity = ?", Value::Text(commodity_name(commodity).into()), 1);
    }
    if let Some(model) = &filter.model {
        add("m.model = ?", Value::Text(model.clone().into()), 1);
    }
    if let Some(since) = filter.silent_since {
        add("coalesce(h.last_heard_ms, -1) < ?", Value::Integer(since.as_millisecond()), 1);
    }
    (sql, values)
}

impl Read {
    /// Lines `offset..offset + limit` of the list, and how many there are in all.
    ///
    /// # Errors
    /// What the database says.
    pub fn fleet(
        &self,
        filter: &FleetFilter,
        sort: FleetSort,
        descending: bool,
        offset: u32,
        limit: u32,
    ) -> Result<(Vec<FleetRow>, u64)> {
        let (conditions, mut values) = conditions(filter);
        let total = value(&self.conn, &format!("SELECT count(*){FROM}{conditions}"), values.as_slice())?;
        let direction = if descending { "DESC NULLS LAST" } else { "ASC NULLS FIRST" };
        let order = match sort {
            FleetSort::Serial => format!("m.serial {direction}"),
            FleetSort::Address => format!("p.address {direction}"),
            FleetSort::LastHeard => format!("h.last_heard_ms {direction}"),
            FleetSort::Model => format!("m.model {direction}, m.serial"),
            FleetSort::Collector => format!("k.name {direction}, m.serial"),
        };
        let sql = format!(
            "SELECT m.id, m.serial, m.model, m.commodity, p.id, p.address, c.name, k.id, k.name, h.last_heard_ms, \
             h.last_read_ms{FROM}{conditions} ORDER BY {order}, m.id LIMIT ? OFFSET ?"
        );
        values.push(Value::Integer(limit.into()));
        values.push(Value::Integer(offset.into()));
        let found = rows(&self.conn, &sql, values, |row| {
            Ok(FleetRow {
                meter: MeterId::new(row.get(0)?),
                serial: Serial::new(row.get::<_, String>(1)?),
                model: row.get(2)?,
                commodity: commodity(&row.get::<_, String>(3)?)?,
                premise: row.get::<_, Option<u32>>(4)?.map(PremiseId::new),
                address: row.get(5)?,
                customer: row.get(6)?,
                collector: row.get::<_, Option<u32>>(7)?.map(CollectorId::new),
                collector_name: row.get(8)?,
                last_heard: maybe_millis(row.get(9)?)?,
                last_read: maybe_millis(row.get(10)?)?,
            })
        })?;
        Ok((found, total))
    }
}
