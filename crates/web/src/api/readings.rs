//! Profiles and use as data.

use super::date;
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read::{self, failed};
use axum::Json;
use axum::extract::Path;
use mdm::read::Series;
use model::{ChannelKind, LocalDay, ServicePointId};
use serde_json::{Value, json};

fn intervals(day: &LocalDay, series: &Series) -> Vec<Value> {
    let one = |(index, (value, quality)): (usize, &(i64, model::Quality))| {
        json!({
            "start": day.interval_start(series.interval, index),
            "value": (!quality.is_missing()).then_some(value),
            "quality": quality.class(),
        })
    };
    series.slots.iter().enumerate().map(one).collect()
}

fn body(day: &LocalDay, series: &Series) -> Value {
    let (unit, scaler) = series.kind.stored_unit();
    json!({
        "kind": series.kind, "unit": unit, "scaler": scaler, "interval_s": series.interval.secs(),
        "version": series.version, "closed": series.sealed, "intervals": intervals(day, series),
    })
}

/// The kinds of a channel by their name in an address.
fn kind(text: &str) -> Result<ChannelKind, WebError> {
    let names = || ChannelKind::ALL.map(ChannelKind::name).join(", ");
    ChannelKind::ALL
        .into_iter()
        .find(|kind| kind.name() == text)
        .ok_or_else(|| WebError::Unclear(format!("`{text}` is no kind of channel; there are {}.", names())))
}

/// `GET /api/v1/meters/{id}/profile?kind=import&date=`: one channel's local day.
pub(crate) async fn profile(ctx: Ctx, Path(id): Path<String>) -> Result<Json<Value>, WebError> {
    let answer = ctx.blocking(move |ctx| {
        let meter = read::meter_id(&id)?;
        let kind = kind(&ctx.param("kind").unwrap_or_else(|| "import".to_owned()))?;
        let date = date(ctx, ctx.words().today())?;
        let found = ctx.app.mdm.profile(meter, kind, date).map_err(|error| failed(&error))?;
        let found = found.ok_or_else(|| WebError::NotFound("such channel of that meter".to_owned()))?;
        let findings: Vec<Value> = found
            .findings
            .iter()
            .map(|f| {
                json!({
                    "rule": f.rule, "severity": f.severity, "first": f.first, "count": f.count, "sentence": f.sentence,
                })
            })
            .collect();
        Ok(json!({
            "meter": meter, "date": date, "series": body(&found.day, &found.series), "findings": findings,
        }))
    });
    Ok(Json(answer.await?))
}

/// `GET /api/v1/usage?point=&view=day|month&date=`: a service point's day or month. Customers get only their own.
pub(crate) async fn usage(ctx: Ctx) -> Result<Json<Value>, WebError> {
    let answer = ctx.blocking(|ctx| {
        let person = ctx.person()?;
        let missing = || WebError::NotFound("service point".to_owned());
        let point: ServicePointId = match ctx.param("point") {
            Some(text) => text.parse().map_err(|_| missing())?,
            None => *person.service_points.first().ok_or_else(missing)?,
        };
        if !person.sees(point) {
            return Err(missing());
        }
        let date = date(ctx, ctx.words().today())?;
        if ctx.param("view").as_deref() == Some("month") {
            month(ctx, point, date)
        } else {
            day(ctx, point, date)
        }
    });
    Ok(Json(answer.await?))
}

fn no_meter() -> WebError {
    WebError::NotFound("meter at that service point".to_owned())
}

fn day(ctx: &Ctx, point: ServicePointId, date: jiff::civil::Date) -> Result<Value, WebError> {
    let found = ctx.app.mdm.usage_day(point, date).map_err(|error| failed(&error))?.ok_or_else(no_meter)?;
    let weather: Vec<Value> = found
        .weather
        .iter()
        .map(|hour| json!({ "start": hour.at, "temperature_dc": hour.temperature_dc }))
        .collect();
    Ok(json!({
        "service_point": point, "date": date, "commodity": found.commodity, "used": body(&found.day, &found.used),
        "sent": found.sent.as_ref().map(|series| body(&found.day, series)), "weather": weather,
    }))
}

fn month(ctx: &Ctx, point: ServicePointId, date: jiff::civil::Date) -> Result<Value, WebError> {
    let found = ctx.app.mdm.usage_month(point, date).map_err(|error| failed(&error))?.ok_or_else(no_meter)?;
    let unit = crate::page::usage::source::file_unit(found.commodity);
    let days: Vec<Value> = found
        .days
        .iter()
        .map(|day| {
            json!({
                "date": day.date, "used": day.used, "sent": day.sent, "expected": day.expected,
                "present": day.present, "estimated": day.estimated, "missing": day.missing(),
                "mean_temperature_dc": day.mean_temperature_dc,
            })
        })
        .collect();
    Ok(json!({
        "service_point": point, "month": found.first, "commodity": found.commodity, "unit": unit, "days": days,
    }))
}
