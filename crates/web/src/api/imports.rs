//! Files of readings as data: sending one, what became of it, what was left out.

use crate::ctx::Ctx;
use crate::error::WebError;
use crate::files::{self, Outcome};
use crate::page::ops::imports::{found, quarantine_csv};
use crate::read::look;
use crate::upload;
use axum::Json;
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use operations::files::{ExportWish, OutFormat, TakenFile, Which};
use serde_json::{Value, json};
use store::{ImportRefusal, ImportedFile};

/// Refusals that are answered at once; the rest is in the quarantine.
const AT_ONCE: usize = 100;
/// Files of a list.
const LISTED: u32 = 100;

fn refusal(one: &ImportRefusal) -> Value {
    json!({
        "line": one.line, "reason": one.reason, "sentence": one.sentence, "remedy": one.remedy, "text": one.excerpt,
    })
}

fn taken(file: &TakenFile) -> Value {
    let (report, bulk) = (&file.report, &file.report.bulk);
    json!({
        "import": report.file, "file": file.name, "format": file.format, "known": report.known,
        "offered": report.offered, "accepted": bulk.intervals, "superseded": bulk.superseded,
        "conflicting": bulk.conflicting, "duplicates": bulk.duplicates, "outranked": bulk.outranked,
        "substituted": report.substituted, "registers": bulk.registers,
        "findings": bulk.findings, "noted": report.noted, "refused": report.refused,
        "refusals": report.refusals.iter().take(AT_ONCE).map(refusal).collect::<Vec<_>>(),
        "quarantine": report.file.map(|id| format!("/api/v1/imports/{id}/quarantine")),
    })
}

/// `POST /api/v1/imports?format=&zone=&mapping=&name=&dry_run=`: the body is the file, or the part `file` of a form whose
/// other parts have these names. 201 when something new is kept, 200 when the file was known or only looked at.
pub(crate) async fn post(ctx: Ctx, request: Request) -> Result<(StatusCode, Json<Value>), WebError> {
    let sent = upload::receive(&ctx, request).await?;
    let outcome: Outcome = ctx.blocking(move |ctx| files::take_in(ctx, &sent)).await?;
    let status = if outcome.is_news() { StatusCode::CREATED } else { StatusCode::OK };
    let body = json!({
        "files": outcome.files.iter().map(taken).collect::<Vec<_>>(), "stopped": outcome.stopped,
        "dry_run": outcome.dry_run,
    });
    Ok((status, Json(body)))
}

fn file(one: &ImportedFile) -> Value {
    json!({
        "import": one.id, "file": one.name, "format": one.format, "loaded_at": one.loaded_at, "offered": one.offered,
        "stored": one.stored, "duplicates": one.duplicates, "substituted": one.substituted, "registers": one.registers, "refused": one.refused,
        "by": one.by, "quarantine": format!("/api/v1/imports/{}/quarantine", one.id),
    })
}

/// `GET /api/v1/imports?before=`: the files that were taken in, the last one first, a hundred at a time.
pub(crate) async fn list(ctx: Ctx) -> Result<Json<Value>, WebError> {
    let before = super::optional(&ctx, "before")?.unwrap_or(u32::MAX);
    let files = ctx.blocking(move |ctx| look(ctx, |read| read.imported_files_before(before, LISTED))).await?;
    let more = files.last().filter(|_| files.len() >= usize::try_from(LISTED).unwrap_or(0));
    let next = more.map(|last| format!("/api/v1/imports?before={}", last.id));
    Ok(Json(json!({ "files": files.iter().map(file).collect::<Vec<_>>(), "next": next })))
}

/// `GET /api/v1/imports/{id}`
pub(crate) async fn one(ctx: Ctx, Path(id): Path<String>) -> Result<Json<Value>, WebError> {
    let found = ctx.blocking(move |ctx| found(ctx, &id)).await?;
    Ok(Json(file(&found)))
}

/// `GET /api/v1/imports/{id}/quarantine`: every record that was left out, in the order of the file.
pub(crate) async fn quarantine(ctx: Ctx, Path(id): Path<String>) -> Result<Json<Value>, WebError> {
    let (file, refusals) = ctx
        .blocking(move |ctx| {
            let file = found(ctx, &id)?;
            Ok((file.clone(), look(ctx, |read| read.import_refusals(file.id))?))
        })
        .await?;
    Ok(Json(json!({
        "import": file.id, "file": file.name, "refused": file.refused,
        "refusals": refusals.iter().map(refusal).collect::<Vec<_>>(),
    })))
}

/// `GET /api/v1/imports/{id}/quarantine.csv`
pub(crate) async fn csv(ctx: Ctx, path: Path<String>) -> Result<Response, WebError> {
    quarantine_csv(ctx, path).await
}

/// `GET /api/v1/export?format=&meter=&service_point=&from=&to=&registers=`: a file of readings, written while it is sent.
/// Without meter and service point it holds every meter.
pub(crate) async fn export(ctx: Ctx) -> Result<Response, WebError> {
    let name = ctx.param("format").unwrap_or_default();
    let format = OutFormat::from_name(&name).ok_or_else(|| {
        WebError::Unclear(format!("`{name}` is no format; written are {}.", OutFormat::names()))
    })?;
    let (from, to) = (files::day(&ctx, "from")?, files::day(&ctx, "to")?);
    let (which, whose) = match (ctx.param("meter"), ctx.param("service_point")) {
        (Some(serial), _) => (Which::Meter(serial.clone()), serial),
        (None, Some(number)) => (Which::ServicePoint(number.clone()), number),
        (None, None) => (Which::All, "all".to_owned()),
    };
    let registers = ctx.param("registers").is_some_and(|word| word != "0" && word != "false");
    let wish = ExportWish { format, which, from, to, registers, used_only: false };
    files::send(&ctx, wish, &format!("readings-{whose}-{from}-{to}")).await
}
