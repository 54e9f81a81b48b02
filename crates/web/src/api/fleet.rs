//! Overview, meters and commands as data.

use crate::ctx::Ctx;
use crate::error::WebError;
use crate::page::ops::command::{self as command_page, Wish};
use crate::page::ops::{commands as commands_page, meters as meters_page};
use crate::read::{self, failed};
use axum::Json;
use axum::extract::{Path, rejection::JsonRejection};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use mdm::read::{MeterView, ReadSuccess};
use serde_json::{Value, json};
use store::{CommandRecord, FleetRow, Route};

/// Lines of the list where the address does not say.
const PAGE: u32 = 100;
/// The most lines of one answer.
const LARGEST_PAGE: u32 = 1_000;

fn success(success: &ReadSuccess) -> Value {
    json!({
        "day": success.day, "expected": success.expected, "present": success.present,
        "estimated": success.estimated, "read_permille": success.permille(),
    })
}

/// `GET /api/v1/overview`
pub(crate) async fn overview(ctx: Ctx) -> Result<Json<Value>, WebError> {
    let found = ctx.blocking(|ctx| ctx.app.mdm.overview(ctx.now).map_err(|error| failed(&error))).await?;
    let collectors: Vec<Value> = found
        .collectors
        .iter()
        .map(|view| {
            json!({
                "collector": view.collector.as_ref().map(|collector| &collector.name),
                "technology": view.collector.as_ref().map(|collector| &collector.technology),
                "meters": view.meters, "silent": view.silent, "late": view.late,
                "last_heard": view.last_heard, "last_whole_day": success(&view.success),
            })
        })
        .collect();
    let findings: Vec<Value> =
        found.findings.iter().map(|(rule, count)| json!({ "rule": rule, "count": count })).collect();
    let meters: Vec<Value> = found
        .meters
        .iter()
        .map(|(commodity, count)| json!({ "commodity": commodity, "count": count }))
        .collect();
    Ok(Json(json!({
        "at": ctx.now, "meters": meters, "silent": found.silent, "last_whole_day": success(&found.success),
        "today": success(&found.today), "events_24h": found.events_24h, "refused_24h": found.refused_24h,
        "collectors": collectors, "findings": findings,
    })))
}

fn line(row: &FleetRow) -> Value {
    json!({
        "id": row.meter, "serial": row.serial, "model": row.model, "commodity": row.commodity,
        "address": row.address, "customer": row.customer, "collector": row.collector_name,
        "last_heard": row.last_heard, "last_read": row.last_read,
    })
}

/// `GET /api/v1/meters`: the filters of the list page, and `per_page`.
pub(crate) async fn meters(ctx: Ctx) -> Result<Json<Value>, WebError> {
    let asked = meters_page::Asked::of(&ctx);
    let size = match ctx.param("per_page") {
        None => PAGE,
        Some(text) => text
            .parse()
            .ok()
            .filter(|size| (1..=LARGEST_PAGE).contains(size))
            .ok_or_else(|| WebError::Unclear(format!("per_page is a number from 1 to {LARGEST_PAGE}.")))?,
    };
    let page = ctx.blocking(move |ctx| meters_page::page_of(ctx, &asked, size)).await?;
    Ok(Json(json!({ "total": page.total, "meters": page.rows.iter().map(line).collect::<Vec<_>>() })))
}

fn detail(found: &MeterView) -> Value {
    let meter = &found.meter;
    let route = match &meter.route {
        Route::Direct { endpoint } => json!({ "endpoint": endpoint }),
        Route::Behind { address, .. } => json!({
            "collector": found.collector.as_ref().map(|collector| &collector.name), "address": address,
        }),
    };
    let registers: Vec<Value> = found
        .registers
        .iter()
        .map(|register| {
            json!({
                "kind": register.kind, "tou": register.tou, "at": register.at, "raw": register.value.raw,
                "scaler": register.value.scaler, "unit": register.value.unit, "source": register.source,
            })
        })
        .collect();
    let channels: Vec<Value> = found
        .channels
        .iter()
        .map(|channel| json!({ "kind": channel.kind, "interval_s": channel.interval.secs() }))
        .collect();
    let path: Vec<Value> = found
        .path
        .iter()
        .map(|hop| json!({ "from": hop.from, "to": hop.to, "signal_dbm": hop.signal_dbm }))
        .collect();
    json!({
        "id": meter.id, "serial": meter.serial, "model": meter.model, "commodity": meter.commodity,
        "security": meter.security, "installed_at": meter.installed_at, "route": route,
        "service_point": found.service_point.as_ref().map(|point| &point.number),
        "address": found.premise.as_ref().map(|premise| &premise.address),
        "transformer": found.transformer.as_ref().map(|transformer| &transformer.name),
        "channels": channels, "registers": registers, "path": path,
        "health": {
            "last_heard": found.health.last_heard, "last_read": found.health.last_read,
            "rtt_ms": found.health.rtt_ms, "clock_offset_ms": found.health.clock_offset_ms,
            "last_failure": found.health.last_failure, "failure": found.health.failure,
        },
    })
}

/// `GET /api/v1/meters/{id}`
pub(crate) async fn meter(ctx: Ctx, Path(id): Path<String>) -> Result<Json<Value>, WebError> {
    let found = ctx
        .blocking(move |ctx| {
            let found = ctx.app.mdm.meter(read::meter_id(&id)?).map_err(|error| failed(&error))?;
            found.ok_or_else(|| WebError::NotFound("meter".to_owned()))
        })
        .await?;
    Ok(Json(detail(&found)))
}

fn record(record: &CommandRecord) -> Value {
    let command = &record.command;
    json!({
        "id": command.id, "meter": command.meter, "action": command.action, "reason": command.reason,
        "requested_by": command.requested_by, "requested_at": command.requested_at, "not_after": command.not_after,
        "state": record.state, "updated_at": record.updated_at, "detail": record.detail, "outcome": record.outcome,
    })
}

/// `GET /api/v1/commands?meter=`
pub(crate) async fn commands(ctx: Ctx) -> Result<Json<Value>, WebError> {
    let meter = ctx.param("meter").map(|id| read::meter_id(&id)).transpose()?;
    let found = ctx.blocking(move |ctx| commands_page::latest(ctx, meter)).await?;
    Ok(Json(json!({ "commands": found.iter().map(record).collect::<Vec<_>>() })))
}

/// `GET /api/v1/commands/{id}`
pub(crate) async fn command(ctx: Ctx, Path(id): Path<String>) -> Result<Json<Value>, WebError> {
    let found = ctx.blocking(move |ctx| command_page::find(ctx, &id)).await?;
    Ok(Json(record(&found)))
}

/// `POST /api/v1/meters/{id}/commands` with `{"do": "ping", "reason": "..."}`: 202 and where to look.
pub(crate) async fn request_command(
    ctx: Ctx,
    Path(id): Path<String>,
    wish: Result<Json<Wish>, JsonRejection>,
) -> Result<Response, WebError> {
    let Json(wish) = wish.map_err(|error| WebError::Unclear(error.body_text()))?;
    let meter = read::meter_id(&id)?;
    let (number, found) = ctx
        .blocking(move |ctx| {
            let number = command_page::request(ctx, meter, &wish)?;
            Ok((number, command_page::find(ctx, &number.to_string())?))
        })
        .await?;
    let place = [(header::LOCATION, format!("/api/v1/commands/{number}"))];
    Ok((StatusCode::ACCEPTED, place, Json(record(&found))).into_response())
}
