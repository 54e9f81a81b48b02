//! Premises and the service points in them.

use crate::column::{Position, commodity, corrupt, row, rows};
use crate::engine::Row;
use crate::{Read, Result};
use model::master::Supply;
use model::{Commodity, CustomerClass, CustomerId, PremiseId, PremiseNumber, ServicePointId, TransformerId};

/// A building or part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Premise {
    /// Ours.
    pub id: PremiseId,
    /// The utility's.
    pub number: PremiseNumber,
    /// Street and house.
    pub address: String,
    /// Town.
    pub town: String,
    /// Where it is.
    pub position: Option<Position>,
}

/// Where a commodity is delivered and a meter installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePoint {
    /// Ours.
    pub id: ServicePointId,
    /// The utility's.
    pub number: String,
    /// In which premise.
    pub premise: PremiseId,
    /// Who is served there now.
    pub customer: Option<CustomerId>,
    /// What feeds it.
    pub transformer: Option<TransformerId>,
    /// What is delivered.
    pub commodity: Commodity,
    /// Whom it supplies, and with how much.
    pub supply: Supply,
}

const PREMISE: &str = "SELECT id, number, address, town, lat_e6, lon_e6 FROM premise";
const POINT: &str = "SELECT id, number, premise, customer, transformer, commodity, class, amps, volts, phases, \
                     generation_w FROM service_point";

fn premise(row: &Row<'_>) -> Result<Premise> {
    Ok(Premise {
        id: PremiseId::new(row.get(0)?),
        number: PremiseNumber::new(row.get::<_, String>(1)?),
        address: row.get(2)?,
        town: row.get(3)?,
        position: Position::of(row.get(4)?, row.get(5)?),
    })
}

fn point(row: &Row<'_>) -> Result<ServicePoint> {
    Ok(ServicePoint {
        id: ServicePointId::new(row.get(0)?),
        number: row.get(1)?,
        premise: PremiseId::new(row.get(2)?),
        customer: row.get::<_, Option<u32>>(3)?.map(CustomerId::new),
        transformer: row.get::<_, Option<u32>>(4)?.map(TransformerId::new),
        commodity: commodity(&row.get::<_, String>(5)?)?,
        supply: Supply {
            class: CustomerClass::from_name(&row.get::<_, String>(6)?)
                .ok_or_else(|| corrupt("customer class"))?,
            amps: row.get(7)?,
            volts: row.get(8)?,
            phases: row.get(9)?,
            generation_w: row.get(10)?,
        },
    })
}

impl Read {
    /// One premise.
    ///
    /// # Errors
    /// What the database says.
    pub fn premise(&self, id: PremiseId) -> Result<Option<Premise>> {
        row(&self.conn, &format!("{PREMISE} WHERE id = ?"), [id.get()], premise)
    }

    /// The premise of a number.
    ///
    /// # Errors
    /// What the database says.
    pub fn premise_by_number(&self, number: &PremiseNumber) -> Result<Option<Premise>> {
        row(&self.conn, &format!("{PREMISE} WHERE number = ?"), [number.as_str()], premise)
    }

    /// One service point.
    ///
    /// # Errors
    /// What the database says.
    pub fn service_point(&self, id: ServicePointId) -> Result<Option<ServicePoint>> {
        row(&self.conn, &format!("{POINT} WHERE id = ?"), [id.get()], point)
    }

    /// The service point of a number.
    ///
    /// # Errors
    /// What the database says.
    pub fn service_point_by_number(&self, number: &str) -> Result<Option<ServicePoint>> {
        row(&self.conn, &format!("{POINT} WHERE number = ?"), [number], point)
    }

    /// Every premise, by id.
    ///
    /// # Errors
    /// What the database says.
    pub fn premises(&self) -> Result<Vec<Premise>> {
        rows(&self.conn, &format!("{PREMISE} ORDER BY id"), [], premise)
    }

    /// Every service point, by id.
    ///
    /// # Errors
    /// What the database says.
    pub fn service_points(&self) -> Result<Vec<ServicePoint>> {
        rows(&self.conn, &format!("{POINT} ORDER BY id"), [], point)
    }

    /// The service points of a customer, electricity first.
    ///
    /// # Errors
    /// What the database says.
    pub fn service_points_of(&self, customer: CustomerId) -> Result<Vec<ServicePoint>> {
        rows(
            &self.conn,
            &format!("{POINT} WHERE customer = ? ORDER BY commodity, id"),
            [customer.get()],
            point,
        )
    }
}
