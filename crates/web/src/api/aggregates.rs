//! Completeness and sums as data.

use super::{number, optional};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read::failed;
use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::ToSpan;
use jiff::civil::Date;
use mdm::group::{NotAScope, Scope};
use mdm::load::{Load, LoadDay, Measure};
use mdm::read::{Completeness, CompletenessCell, MeterDay};
use model::{CollectorId, IntervalLength};
use serde_json::{Value, json};

/// The days `[from, to)` of the address; without them the last `days` whole days.
fn days(ctx: &Ctx, days: i64) -> Result<(Date, Date), WebError> {
    let to: Date = optional(ctx, "to")?.unwrap_or_else(|| ctx.words().today());
    let from = optional(ctx, "from")?.unwrap_or_else(|| to.saturating_sub(days.days()));
    if from >= to {
        return Err(WebError::Unclear(
            "`to` is the day after the last one and lies after `from`.".to_owned(),
        ));
    }
    Ok((from, to))
}

fn cell(cell: &CompletenessCell) -> Value {
    json!({
        "meters": cell.meters, "whole": cell.whole, "expected": cell.expected, "present": cell.present,
        "estimated": cell.estimated, "missing": cell.missing, "overdue": cell.overdue, "pushed": cell.pushed,
        "backfilled": cell.backfilled, "late": cell.late, "read_permille": cell.permille(),
    })
}

async fn board(ctx: &Ctx) -> Result<Completeness, WebError> {
    let (from, to) = days(ctx, 14)?;
    ctx.blocking(move |ctx| ctx.app.mdm.completeness(ctx.now, from, to).map_err(|error| failed(&error))).await
}

/// `GET /api/v1/completeness?from=&to=`: by collector and day.
pub(crate) async fn completeness(ctx: Ctx) -> Result<Json<Value>, WebError> {
    let found = board(&ctx).await?;
    let rows: Vec<Value> = found
        .rows
        .iter()
        .map(|row| {
            json!({
                "collector": row.collector, "name": row.name, "days": row.cells.iter().map(cell).collect::<Vec<_>>(),
            })
        })
        .collect();
    let total: Vec<Value> = found.total.iter().map(cell).collect();
    Ok(Json(json!({ "dates": found.days, "collectors": rows, "total": total })))
}

fn csv(name: &str, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")),
    ];
    (headers, text).into_response()
}

/// A field of a CSV line; what a table program would take for a formula is quoted.
fn field(text: &str) -> String {
    let guarded =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

/// `GET /api/v1/completeness.csv?from=&to=`: a line a collector and day.
pub(crate) async fn completeness_csv(ctx: Ctx) -> Result<Response, WebError> {
    let found = board(&ctx).await?;
    let mut text = String::from(
        "date,collector,meters,whole,expected,present,estimated,missing,overdue,pushed,backfilled,late\n",
    );
    for row in &found.rows {
        for (date, cell) in found.days.iter().zip(&row.cells) {
            text.push_str(&format!(
                "{date},{},{},{},{},{},{},{},{},{},{},{}\n",
                field(row.name.as_deref().unwrap_or("direct")),
                cell.meters,
                cell.whole,
                cell.expected,
                cell.present,
                cell.estimated,
                cell.missing,
                cell.overdue,
                cell.pushed,
                cell.backfilled,
                cell.late
            ));
        }
    }
    Ok(csv("completeness", text))
}

/// `GET /api/v1/completeness/meters?date=&collector=ID|direct&gaps=1`: the meters behind a number.
pub(crate) async fn completeness_meters(ctx: Ctx) -> Result<Json<Value>, WebError> {
    let date: Date = optional(&ctx, "date")?.unwrap_or_else(|| ctx.words().today());
    let collector = match ctx.param("collector").as_deref() {
        None => None,
        Some("direct") => Some(None),
        Some(id) => Some(Some(CollectorId::new(number(id, "collector")?))),
    };
    let only_gaps = ctx.param("gaps").is_some_and(|text| text != "0");
    let mut found = ctx
        .blocking(move |ctx| {
            ctx.app.mdm.completeness_of(ctx.now, date, collector).map_err(|error| failed(&error))
        })
        .await?;
    if only_gaps {
        found.retain(|day| !day.is_whole());
    }
    let one = |day: &MeterDay| {
        json!({
            "meter": day.meter, "serial": day.serial, "address": day.address, "collector": day.collector,
            "channel": day.channel, "kind": day.kind, "expected": day.expected, "present": day.present,
            "estimated": day.estimated, "missing": day.missing(), "overdue": day.overdue, "pushed": day.pushed,
            "backfilled": day.backfilled, "late": day.late,
        })
    };
    Ok(Json(json!({ "date": date, "meters": found.iter().map(one).collect::<Vec<_>>() })))
}

fn load_day(load: &Load, day: &LoadDay) -> Value {
    let slot = |(index, slot): (usize, &mdm::load::LoadSlot)| {
        json!({
            "start": day.day.interval_start(load.interval, index), "total": slot.total, "read": slot.read,
            "estimated": slot.estimated, "missing": slot.missing,
        })
    };
    json!({
        "date": day.day.date(), "total": day.total(), "peak": day.peak().map(|(index, slot)| {
            json!({ "start": day.day.interval_start(load.interval, index), "total": slot.total })
        }),
        "intervals": day.slots.iter().enumerate().map(slot).collect::<Vec<_>>(),
    })
}

/// `GET /api/v1/load?scope=feeder:F-1&measure=net_energy&from=&to=&interval_s=`: a sum with its coverage.
pub(crate) async fn load(ctx: Ctx) -> Result<Json<Value>, WebError> {
    let scope: Scope = ctx
        .param("scope")
        .unwrap_or_else(|| "system".to_owned())
        .parse()
        .map_err(|error: NotAScope| WebError::Unclear(error.to_string()))?;
    let name = ctx.param("measure").unwrap_or_else(|| "net_energy".to_owned());
    let measure = Measure::from_name(&name).ok_or_else(|| {
        WebError::Unclear(format!("`{name}` is no measure; there are net_energy and the kinds of channels."))
    })?;
    let span = days(&ctx, 1)?;
    let interval = optional(&ctx, "interval_s")?
        .map(|secs| {
            IntervalLength::from_secs(secs)
                .map_err(|_| WebError::Unclear(format!("{secs} s is no length of an interval.")))
        })
        .transpose()?;
    let found = ctx
        .blocking(move |ctx| {
            ctx.app.mdm.load(&scope, measure, span, interval).map_err(|error| failed(&error))
        })
        .await?
        .map_err(|refusal| WebError::Unclear(refusal.to_string()))?;
    let (unit, scaler) = measure.kind().stored_unit();
    Ok(Json(json!({
        "measure": name, "unit": unit, "scaler": scaler, "interval_s": found.interval.secs(),
        "channels": found.channels, "days": found.days.iter().map(|day| load_day(&found, day)).collect::<Vec<_>>(),
    })))
}
