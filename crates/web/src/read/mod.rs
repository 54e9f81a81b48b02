//! What pages read, in the form that several of them need. All of it blocks: call it through [`Ctx::blocking`].

use crate::ctx::Ctx;
use crate::error::WebError;
use crate::page::ops::events::{self, EventRow};
use crate::series::Series;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use model::{MeterId, ServicePointId};
use store::{Premise, ServicePoint, StoreError, StoredEvent};

/// Events of the fleet's feed.
const FEED: u32 = 12;

/// No reading is older.
const FIRST_YEAR: i16 = 1990;

/// The number of a meter in a path or query.
pub(crate) fn meter_id(text: &str) -> Result<MeterId, WebError> {
    text.parse().map_err(|_| WebError::NotFound("meter".to_owned()))
}

/// The date in the address, if it is one that readings can have: not ahead, and not before there were such meters.
pub(crate) fn date_param(ctx: &Ctx) -> Option<Date> {
    let date: Date = ctx.param("date")?.parse().ok()?;
    (date.year() >= FIRST_YEAR && date <= ctx.words().today()).then_some(date)
}

/// An mdm error as a page's.
pub(crate) fn failed(error: &mdm::MdmError) -> WebError {
    WebError::internal(error)
}

/// One look at the store.
pub(crate) fn look<T>(ctx: &Ctx, ask: impl FnOnce(&store::Read) -> store::Result<T>) -> Result<T, WebError> {
    ctx.app.mdm.store().read(|read| ask(read)).map_err(|error: StoreError| WebError::internal(&error))
}

/// A service point and the premise it is in.
pub(crate) fn place(
    ctx: &Ctx,
    point: ServicePointId,
) -> Result<Option<(ServicePoint, Option<Premise>)>, WebError> {
    look(ctx, |read| {
        let Some(point) = read.service_point(point)? else { return Ok(None) };
        let premise = read.premise(point.premise)?;
        Ok(Some((point, premise)))
    })
}

fn address(read: &store::Read, meter: MeterId) -> store::Result<(String, String)> {
    let Some(meter) = read.meter(meter)? else { return Ok((meter.to_string(), String::new())) };
    let point = meter.service_point.map(|point| read.service_point(point)).transpose()?.flatten();
    let premise = point.map(|point| read.premise(point.premise)).transpose()?.flatten();
    Ok((meter.serial.to_string(), premise.map(|premise| premise.address).unwrap_or_default()))
}

/// An event as a row.
pub(crate) fn event_row(ctx: &Ctx, stored: &StoredEvent, serial: String, address: String) -> EventRow {
    let (words, event) = (ctx.words(), &stored.event);
    EventRow {
        key: format!("{} {}", event.seq, event.at.as_millisecond()),
        at: words.stamp(event.at),
        kind: event.kind,
        meter: event.meter,
        serial,
        address,
        note: events::note(&words, event.at, event.clock, stored.received_at),
    }
}

/// The newest events of the fleet, newest first.
pub(crate) fn recent_events(ctx: &Ctx) -> Result<Vec<EventRow>, WebError> {
    let since = ctx.now.saturating_sub(SignedDuration::from_hours(7 * 24)).unwrap_or(Timestamp::MIN);
    let found = look(ctx, |read| {
        let events = read.recent_events(since, FEED)?;
        events
            .into_iter()
            .map(|event| Ok((address(read, event.event.meter)?, event)))
            .collect::<store::Result<Vec<_>>>()
    })?;
    Ok(found.into_iter().map(|((serial, address), event)| event_row(ctx, &event, serial, address)).collect())
}

impl From<mdm::read::Series> for Series {
    fn from(series: mdm::read::Series) -> Self {
        Self { interval: series.interval, slots: series.slots }
    }
}
