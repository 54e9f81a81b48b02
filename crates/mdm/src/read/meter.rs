//! One meter and all that hangs on it.

use crate::{Mdm, MdmError};
use jiff::Timestamp;
use model::{MeterId, RegisterRead, ServicePointId};
use store::{
    Channel, Collector, CommandRecord, Customer, Health, Hop, Meter, Premise, ServicePoint, StoredEvent,
    Transformer,
};

/// A meter, where it is, how it is reached and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterView {
    /// The device.
    pub meter: Meter,
    /// Its series.
    pub channels: Vec<Channel>,
    /// Where it is installed.
    pub service_point: Option<ServicePoint>,
    /// In which building.
    pub premise: Option<Premise>,
    /// Who is served.
    pub customer: Option<Customer>,
    /// What feeds it.
    pub transformer: Option<Transformer>,
    /// The gateway it is behind.
    pub collector: Option<Collector>,
    /// How it was last heard.
    pub health: Health,
    /// The newest read of each register.
    pub registers: Vec<RegisterRead>,
    /// The last known path, the meter's end first.
    pub path: Vec<Hop>,
}

impl Mdm {
    /// A meter and all that hangs on it.
    ///
    /// # Errors
    /// What the store says.
    pub fn meter(&self, id: MeterId) -> Result<Option<MeterView>, MdmError> {
        self.store().read(|r| {
            let Some(meter) = r.meter(id)? else { return Ok(None) };
            let service_point = meter.service_point.map(|id| r.service_point(id)).transpose()?.flatten();
            let premise = service_point.as_ref().map(|point| r.premise(point.premise)).transpose()?.flatten();
            let customer = service_point
                .as_ref()
                .and_then(|point| point.customer)
                .map(|id| r.customer(id))
                .transpose()?
                .flatten();
            let transformer = service_point
                .as_ref()
                .and_then(|point| point.transformer)
                .map(|id| r.transformer(id))
                .transpose()?
                .flatten();
            let collector = match &meter.route {
                store::Route::Behind { collector, .. } => r.collector(*collector)?,
                store::Route::Direct { .. } => None,
            };
            Ok(Some(MeterView {
                channels: r.channels_of(id)?,
                service_point,
                premise,
                customer,
                transformer,
                collector,
                health: r.health(id)?,
                registers: r.latest_registers(id)?,
                path: r.path_of(id)?,
                meter,
            }))
        })
    }

    /// The meter that serves a service point now.
    ///
    /// # Errors
    /// What the store says.
    pub fn meter_at(&self, point: ServicePointId) -> Result<Option<Meter>, MdmError> {
        Ok(self.store().read(|r| r.meters_at(point))?.into_iter().find(|meter| meter.retired_at.is_none()))
    }

    /// The events of a meter in `[from, to)`, the newest first.
    ///
    /// # Errors
    /// What the store says.
    pub fn meter_events(
        &self,
        meter: MeterId,
        from: Timestamp,
        to: Timestamp,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, MdmError> {
        Ok(self.store().read(|r| r.events_of(meter, from, to, limit))?)
    }

    /// The commands of a meter, the newest first.
    ///
    /// # Errors
    /// What the store says.
    pub fn meter_commands(&self, meter: MeterId, limit: u32) -> Result<Vec<CommandRecord>, MdmError> {
        Ok(self.store().read(|r| r.commands_of(meter, limit))?)
    }
}
