//! Meters: what they are and how to reach them.

use crate::column::{commodity, corrupt, maybe_millis, millis, row, rows};
use crate::engine::Row;
use crate::{Read, Result};
use jiff::Timestamp;
use model::{CollectorId, Commodity, MeterId, Serial, ServicePointId};

/// How to reach a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// On its own address.
    Direct {
        /// `host:port`.
        endpoint: String,
    },
    /// Through a gateway.
    Behind {
        /// Which.
        collector: CollectorId,
        /// The meter's physical address there.
        address: u32,
    },
}

/// A device that measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    /// Ours.
    pub id: MeterId,
    /// On its plate.
    pub serial: Serial,
    /// The name of its model under `profiles/`.
    pub model: String,
    /// What it measures.
    pub commodity: Commodity,
    /// Where it is installed.
    pub service_point: Option<ServicePointId>,
    /// How to reach it.
    pub route: Route,
    /// DLMS system title.
    pub system_title: [u8; 8],
    /// The client address that we use with it.
    pub client_sap: u16,
    /// Its logical device.
    pub server_sap: u16,
    /// How associations are secured: `none`, `lls`, `hls5`.
    pub security: String,
    /// Since when it is there.
    pub installed_at: Timestamp,
    /// Since when it no longer is.
    pub retired_at: Option<Timestamp>,
    /// What values as read must be multiplied with: current times voltage transformer ratio.
    pub multiplier: u32,
    /// How many digits its total register shows; as its model has it without.
    pub dials: Option<u8>,
    /// The main meter that it checks.
    pub check_of: Option<MeterId>,
    /// Since when it measures at its service point, where that is on record.
    pub fitted_at: Option<Timestamp>,
}

const COLUMNS: &str = "SELECT id, serial, model, commodity, service_point, endpoint, collector, address, system_title, \
                       client_sap, server_sap, security, installed_ms, retired_ms, multiplier, dials, check_of, fitted_ms FROM meter";

fn meter(row: &Row<'_>) -> Result<Meter> {
    let collector: Option<u32> = row.get(6)?;
    let route = match (row.get::<_, Option<String>>(5)?, collector, row.get(7)?) {
        (Some(endpoint), None, None) => Route::Direct { endpoint },
        (None, Some(collector), Some(address)) => {
            Route::Behind { collector: CollectorId::new(collector), address }
        }
        _ => return Err(corrupt("route")),
    };
    Ok(Meter {
        id: MeterId::new(row.get(0)?),
        serial: Serial::new(row.get::<_, String>(1)?),
        model: row.get(2)?,
        commodity: commodity(&row.get::<_, String>(3)?)?,
        service_point: row.get::<_, Option<u32>>(4)?.map(ServicePointId::new),
        route,
        system_title: row.get(8)?,
        client_sap: row.get(9)?,
        server_sap: row.get(10)?,
        security: row.get(11)?,
        installed_at: millis(row.get(12)?)?,
        retired_at: maybe_millis(row.get(13)?)?,
        multiplier: row.get(14)?,
        dials: row.get(15)?,
        check_of: row.get::<_, Option<u32>>(16)?.map(MeterId::new),
        fitted_at: maybe_millis(row.get(17)?)?,
    })
}

impl Read {
    /// One meter.
    ///
    /// # Errors
    /// What the database says.
    pub fn meter(&self, id: MeterId) -> Result<Option<Meter>> {
        row(&self.conn, &format!("{COLUMNS} WHERE id = ?"), [id.get()], meter)
    }

    /// The meter with a serial number.
    ///
    /// # Errors
    /// What the database says.
    pub fn meter_by_serial(&self, serial: &Serial) -> Result<Option<Meter>> {
        row(&self.conn, &format!("{COLUMNS} WHERE serial = ?"), [serial.as_str()], meter)
    }

    /// The meters installed at a service point, the newest first.
    ///
    /// # Errors
    /// What the database says.
    pub fn meters_at(&self, point: ServicePointId) -> Result<Vec<Meter>> {
        let sql = format!(
            "{COLUMNS} WHERE service_point = ? ORDER BY retired_ms IS NOT NULL, installed_ms DESC, id"
        );
        rows(&self.conn, &sql, [point.get()], meter)
    }

    /// Every meter, by id.
    ///
    /// # Errors
    /// What the database says.
    pub fn meters(&self) -> Result<Vec<Meter>> {
        rows(&self.conn, &format!("{COLUMNS} ORDER BY id"), [], meter)
    }
}
