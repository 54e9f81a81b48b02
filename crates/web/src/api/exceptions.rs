//! The exception queue as data.

use super::{json_body, number, optional, refused};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read::failed;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use mdm::edit::{Editor, ReasonCode};
use model::{ChannelId, CollectorId, Commodity, UserId};
use operations::Right;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{CaseState, Exception, ExceptionFilter, ExceptionSort, Origin, StoredFinding};

/// Lines of an answer where the address does not say.
const PAGE: u32 = 100;
/// The most lines of one answer.
const LARGEST_PAGE: u32 = 5_000;

/// The filter in the address: `rule`, `severity` (several with commas), `commodity`, `collector`, `channel`, `from`, `to`,
/// `state`, `assignee`, `text`.
pub(super) fn filter(ctx: &Ctx) -> Result<ExceptionFilter, WebError> {
    let state = |text: String| {
        CaseState::from_name(&text).ok_or_else(|| {
            let names = CaseState::ALL.map(CaseState::name).join(", ");
            WebError::Unclear(format!("`{text}` is no state of an exception; there are {names}."))
        })
    };
    let commodity = |text: String| {
        serde_json::from_value::<Commodity>(Value::String(text.clone()))
            .map_err(|_| WebError::Unclear(format!("`{text}` is no commodity.")))
    };
    Ok(ExceptionFilter {
        rule: ctx.param("rule"),
        severities: ctx
            .param("severity")
            .map(|text| text.split(',').map(|name| name.trim().to_owned()).collect())
            .unwrap_or_default(),
        commodity: ctx.param("commodity").map(commodity).transpose()?,
        collector: optional(ctx, "collector")?.map(CollectorId::new),
        channel: optional(ctx, "channel")?.map(ChannelId::new),
        from: optional(ctx, "from")?,
        to: optional(ctx, "to")?,
        state: ctx.param("state").map(state).transpose()?,
        assignee: optional(ctx, "assignee")?.map(UserId::new),
        text: ctx.param("text"),
    })
}

pub(super) const fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Validation => "validation",
        Origin::Ingest => "ingest",
    }
}

pub(super) fn exception(exception: &Exception) -> Value {
    let finding = &exception.finding;
    json!({
        "meter": exception.meter, "serial": exception.serial, "address": exception.address,
        "commodity": exception.commodity, "channel": finding.channel, "kind": exception.kind, "date": finding.day,
        "rule": finding.rule, "severity": finding.severity, "origin": origin(finding.origin), "first": finding.first,
        "count": finding.count, "version": finding.version, "sentence": finding.sentence, "found_at": finding.found_at,
        "state": exception.state.name(), "assignee": exception.assignee, "note": exception.note,
        "decided_by": exception.decided_by, "decided_at": exception.decided_at,
    })
}

/// `GET /api/v1/exceptions`: the filter, `sort` (oldest, newest, severity, meter), `offset`, `per_page`.
pub(crate) async fn list(ctx: Ctx) -> Result<Json<Value>, WebError> {
    let filter = filter(&ctx)?;
    let sort = match ctx.param("sort").as_deref() {
        None | Some("oldest") => ExceptionSort::Oldest,
        Some("newest") => ExceptionSort::Newest,
        Some("severity") => ExceptionSort::Severity,
        Some("meter") => ExceptionSort::Meter,
        Some(other) => {
            return Err(WebError::Unclear(format!(
                "`{other}` is no order; there are oldest, newest, severity, meter."
            )));
        }
    };
    let offset = optional(&ctx, "offset")?.unwrap_or(0);
    let limit = optional(&ctx, "per_page")?.unwrap_or(PAGE).min(LARGEST_PAGE);
    let queue = ctx
        .blocking(move |ctx| {
            ctx.app.mdm.exceptions(&filter, sort, offset, limit).map_err(|error| failed(&error))
        })
        .await?;
    let group = |group: &store::ExceptionGroup| {
        json!({
            "rule": group.rule, "severity": group.severity, "count": group.count, "meters": group.meters,
            "oldest": group.oldest, "newest": group.newest,
        })
    };
    Ok(Json(json!({
        "total": queue.total, "groups": queue.groups.iter().map(group).collect::<Vec<_>>(),
        "exceptions": queue.rows.iter().map(exception).collect::<Vec<_>>(),
    })))
}

/// Who edits: the person, and whether billed days are theirs to change.
pub(super) fn editor(ctx: &Ctx) -> Result<Editor, WebError> {
    Ok(Editor { user: ctx.person()?.id, may_edit_billed: ctx.may(Right::EditBilled) })
}

/// What accepting a group takes.
#[derive(Debug, Deserialize)]
pub(crate) struct AcceptAll {
    expected_count: u64,
    reason: Option<ReasonCode>,
    #[serde(default)]
    note: String,
}

/// `POST /api/v1/exceptions/accept` with the filter in the address.
pub(crate) async fn accept(
    ctx: Ctx,
    body: Result<Json<AcceptAll>, JsonRejection>,
) -> Result<Json<Value>, WebError> {
    let wish = json_body(body)?;
    let filter = filter(&ctx)?;
    let accepted = ctx
        .blocking(move |ctx| {
            let editor = editor(ctx)?;
            let mdm = &ctx.app.mdm;
            mdm.accept_all(ctx.now, editor, &filter, wish.expected_count, wish.reason, &wish.note)
                .map_err(|error| failed(&error))
        })
        .await?;
    accepted.map(|count| Json(json!({ "accepted": count }))).map_err(|refusal| refused(&refusal))
}

/// What giving an exception into somebody's hands takes.
#[derive(Debug, Deserialize)]
pub(crate) struct Assign {
    channel: ChannelId,
    date: jiff::civil::Date,
    rule: String,
    origin: String,
    first: u32,
    assignee: Option<UserId>,
}

/// `POST /api/v1/exceptions/assign`
pub(crate) async fn assign(
    ctx: Ctx,
    body: Result<Json<Assign>, JsonRejection>,
) -> Result<Json<Value>, WebError> {
    let wish = json_body(body)?;
    let done = ctx
        .blocking(move |ctx| {
            let about = StoredFinding {
                channel: wish.channel,
                day: wish.date,
                origin: if wish.origin == "ingest" { Origin::Ingest } else { Origin::Validation },
                rule: wish.rule,
                first: wish.first,
                count: 0,
                version: 0,
                severity: String::new(),
                sentence: String::new(),
                found_at: ctx.now,
            };
            let by = ctx.person()?.id;
            ctx.app.mdm.assign(ctx.now, by, &about, wish.assignee).map_err(|error| failed(&error))
        })
        .await?;
    if done {
        Ok(Json(json!({ "assigned": true })))
    } else {
        Err(WebError::NotFound("open exception like that".to_owned()))
    }
}

/// `GET /api/v1/rebill-flags?all=1`: billed days that are no longer what was billed.
pub(crate) async fn rebill_flags(ctx: Ctx) -> Result<Json<Value>, WebError> {
    let all = number::<u8>(ctx.param("all").as_deref().unwrap_or("0"), "all")? != 0;
    let found =
        ctx.blocking(move |ctx| ctx.app.mdm.rebill_flags(all).map_err(|error| failed(&error))).await?;
    let flag = |flag: &store::RebillFlag| {
        json!({
            "bill": flag.bill, "channel": flag.channel, "date": flag.day, "version": flag.version,
            "reason": flag.reason, "flagged_at": flag.flagged_at, "taken_up_at": flag.taken_up_at,
        })
    };
    Ok(Json(json!({ "flags": found.iter().map(flag).collect::<Vec<_>>() })))
}
