//! Meters come and go: fitted at a service point, taken off, retired, exchanged for another; with date, reason and the
//! registers as somebody read them off.
//!
//! ```text
//!              at
//!  old meter ---| final register
//!               |--- new meter, start register
//! ```
//!
//! What the old one measured stays where it was measured; no register is compared across the exchange.

use crate::catalogue::Catalogue;
use crate::day::Workshop;
use crate::error::Stop;
use crate::{Incoming, Mdm, MdmError};
use jiff::Timestamp;
use model::{BatchSource, ChannelKind, MeterId, RegisterRead, RegisterValue, ServicePointId, UserId};
use std::sync::Arc;
use store::{Meter, MeterChange, MeterDeed, Stay, Write};

/// A total register as somebody read it off, in the stored unit of its channel, multiplier not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOff {
    /// What it counts.
    pub kind: ChannelKind,
    /// What it showed.
    pub value: i64,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The meter is taken off; it lies in store from then on.
    TakeOff,
    /// The meter is taken off for good.
    Retire,
    /// The meter, which hangs nowhere, is fitted.
    Fit {
        /// Where.
        at: ServicePointId,
    },
    /// The meter is taken off, and another one, which hangs nowhere, takes its place.
    Exchange {
        /// Which one comes.
        new: MeterId,
        /// What that showed when it was fitted.
        start: Vec<ReadOff>,
        /// Whether the one that goes is retired, and not only put in store.
        retire: bool,
    },
}

/// Who did what with a meter, when and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitting {
    /// Which meter.
    pub meter: MeterId,
    /// What.
    pub deed: Deed,
    /// When it was done.
    pub at: Timestamp,
    /// What its registers showed then.
    pub registers: Vec<ReadOff>,
    /// Who says so.
    pub user: UserId,
    /// Why.
    pub reason: String,
}

/// Why it cannot be so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FittingRefused {
    /// No reason.
    #[error("say why")]
    NoReason,
    /// It lies in the future.
    #[error("{0} is yet to come; say it when it is done")]
    Future(Timestamp),
    /// No such meter or service point.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// The meter was retired.
    #[error("meter {0} was retired; a retired meter does not come back")]
    Retired(String),
    /// It hangs nowhere.
    #[error("meter {0} hangs nowhere at that time")]
    Nowhere(String),
    /// It hangs somewhere.
    #[error("meter {0} hangs somewhere already; take it off first")]
    Hangs(String),
    /// It came to where it is later.
    #[error("meter {serial} came to where it is only at {since}")]
    Later {
        /// Which meter.
        serial: String,
        /// Since when it is there.
        since: Timestamp,
    },
    /// Another meter of the commodity is there.
    #[error("meter {0} measures there already; exchange it")]
    Taken(String),
    /// A meter of one commodity at a service point of another.
    #[error("meter {0} measures something else than is delivered there")]
    Commodity(String),
    /// A register of something that the meter does not measure.
    #[error("meter {serial} has no register of {kind}")]
    Register {
        /// Which meter.
        serial: String,
        /// Of what.
        kind: &'static str,
    },
}

impl Mdm {
    /// Puts on record that a meter was fitted, taken off, retired or exchanged, and takes its registers in: all in one
    /// transaction. The days around it are judged again with what is then known.
    ///
    /// # Errors
    /// What the store says; then nothing was done. A refusal is a value.
    pub fn fit(&self, now: Timestamp, fitting: &Fitting) -> Result<Result<(), FittingRefused>, MdmError> {
        let done = self.store().write(|write| {
            let mut items = Vec::new();
            // Half of an exchange is none: what was written before a refusal is rolled back.
            (Deeds { write, now, fitting }).all(&mut items)?.map_err(Stop::With)?;
            let mut workshop = Workshop::new(self, write, now)?;
            // What was just written is what the days are judged by.
            workshop.catalogue = Arc::new(Catalogue::load(write, &self.models)?);
            workshop.receive(items)?;
            Ok::<_, Stop<FittingRefused>>(workshop.finish()?)
        });
        match done {
            Ok(()) => Ok(Ok(self.reload()?)),
            Err(Stop::With(refused)) => Ok(Err(refused)),
            Err(Stop::Failed(error)) => Err(error),
        }
    }
}

struct Deeds<'a> {
    write: &'a Write,
    now: Timestamp,
    fitting: &'a Fitting,
}

type Checked<T> = Result<Result<T, FittingRefused>, MdmError>;

/// The value, or the refusal on its way out.
macro_rules! granted {
    ($checked:expr) => {
        match $checked? {
            Ok(value) => value,
            Err(refused) => return Ok(Err(refused)),
        }
    };
}

impl Deeds<'_> {
    fn all(&self, items: &mut Vec<Incoming>) -> Checked<()> {
        let Fitting { meter, deed, at, registers, reason, .. } = self.fitting;
        if reason.trim().is_empty() {
            return Ok(Err(FittingRefused::NoReason));
        }
        if *at > self.now {
            return Ok(Err(FittingRefused::Future(*at)));
        }
        let meter = granted!(self.meter(*meter));
        granted!(self.read_off(&meter, registers, items));
        match deed {
            Deed::Fit { at: point } => self.put_up(&meter, *point, None),
            Deed::TakeOff => self.take_down(&meter, MeterDeed::TakenOff, None).map(|done| done.map(|_| ())),
            Deed::Retire => self.take_down(&meter, MeterDeed::Retired, None).map(|done| done.map(|_| ())),
            Deed::Exchange { new, start, retire } => {
                let new = granted!(self.meter(*new));
                granted!(self.read_off(&new, start, items));
                let deed = if *retire { MeterDeed::Retired } else { MeterDeed::TakenOff };
                let point = granted!(self.take_down(&meter, deed, Some(new.id)));
                let Some(point) = point else {
                    return Ok(Err(FittingRefused::Nowhere(meter.serial.to_string())));
                };
                self.put_up(&new, point, Some(meter.id))
            }
        }
    }

    fn meter(&self, id: MeterId) -> Checked<Meter> {
        let Some(meter) = self.write.meter(id)? else { return Ok(Err(FittingRefused::Unknown("meter"))) };
        if meter.retired_at.is_some() {
            return Ok(Err(FittingRefused::Retired(meter.serial.to_string())));
        }
        Ok(Ok(meter))
    }

    /// Where a meter is now, which must be so since before the deed.
    fn stay(&self, meter: &Meter) -> Checked<Stay> {
        let stays = self.write.stays(self.fitting.at, Timestamp::MAX)?;
        let mut stays = stays.into_iter().filter(|stay| stay.meter == meter.id && stay.to.is_none());
        let serial = || meter.serial.to_string();
        Ok(match stays.next() {
            Some(stay) if stay.from >= self.fitting.at => {
                Err(FittingRefused::Later { serial: serial(), since: stay.from })
            }
            Some(stay) => Ok(stay),
            None => Err(FittingRefused::Nowhere(serial())),
        })
    }

    /// Takes a meter off; where it hung.
    fn take_down(
        &self,
        meter: &Meter,
        what: MeterDeed,
        other: Option<MeterId>,
    ) -> Checked<Option<ServicePointId>> {
        let stay = granted!(self.stay(meter));
        if what == MeterDeed::Retired {
            self.write.retire_meter(meter.id, self.fitting.at)?;
        } else if stay.service_point.is_none() {
            return Ok(Err(FittingRefused::Nowhere(meter.serial.to_string())));
        } else {
            self.write.move_meter(meter.id, None, self.fitting.at)?;
        }
        self.note(meter.id, what, stay.service_point, other)?;
        Ok(Ok(stay.service_point))
    }

    fn put_up(&self, meter: &Meter, point: ServicePointId, other: Option<MeterId>) -> Checked<()> {
        let stay = granted!(self.stay(meter));
        let serial = || meter.serial.to_string();
        if stay.service_point.is_some() {
            return Ok(Err(FittingRefused::Hangs(serial())));
        }
        let Some(place) = self.write.service_points()?.into_iter().find(|place| place.id == point) else {
            return Ok(Err(FittingRefused::Unknown("service point")));
        };
        if place.commodity != meter.commodity {
            return Ok(Err(FittingRefused::Commodity(serial())));
        }
        let measures = |there: &Meter| there.retired_at.is_none() && there.check_of.is_none();
        if let Some(there) = self.write.meters_at(point)?.into_iter().find(measures) {
            return Ok(Err(FittingRefused::Taken(there.serial.to_string())));
        }
        self.write.move_meter(meter.id, Some(point), self.fitting.at)?;
        self.write.note_fitted(meter.id, self.fitting.at)?;
        self.note(meter.id, MeterDeed::Fitted, Some(point), other)?;
        Ok(Ok(()))
    }

    fn note(
        &self,
        meter: MeterId,
        what: MeterDeed,
        service_point: Option<ServicePointId>,
        other: Option<MeterId>,
    ) -> Result<(), MdmError> {
        let Fitting { at, user, reason, .. } = self.fitting;
        Ok(self.write.note_meter_change(&MeterChange {
            meter,
            at: *at,
            what,
            service_point,
            other,
            user: *user,
            reason: reason.trim().to_owned(),
            recorded_at: self.now,
        })?)
    }

    /// Registers that somebody read off, as register reads.
    fn read_off(&self, meter: &Meter, registers: &[ReadOff], items: &mut Vec<Incoming>) -> Checked<()> {
        let channels = self.write.channels_of(meter.id)?;
        for register in registers {
            let has = channels.iter().any(|channel| channel.kind == register.kind);
            if !has || !register.kind.is_additive() {
                let (serial, kind) = (meter.serial.to_string(), register.kind.name());
                return Ok(Err(FittingRefused::Register { serial, kind }));
            }
            let (unit, scaler) = register.kind.stored_unit();
            items.push(Incoming::Register(RegisterRead {
                meter: meter.id,
                kind: register.kind,
                tou: 0,
                at: self.fitting.at,
                value: RegisterValue { raw: register.value, scaler, unit },
                received_at: self.now,
                source: BatchSource::Import,
            }));
        }
        Ok(Ok(()))
    }
}

#[cfg(test)]
mod tests;
