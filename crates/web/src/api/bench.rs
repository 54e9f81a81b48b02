//! The editing bench as data: a channel's day, its versions, candidates, edits.

use super::exceptions::{editor, exception};
use super::{json_body, number, optional, refused};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read::failed;
use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::JsonRejection;
use jiff::Timestamp;
use jiff::civil::Date;
use mdm::edit::{Edit, Edited, Op, ReasonCode, Slots};
use mdm::read::{AsOf, BenchDay, RawSlot, Series, VersionView};
use model::{BillId, ChannelId, LocalDay};
use serde::Deserialize;
use serde_json::{Value, json};

/// `{channel}/{date}` of the address.
type Place = Path<(String, String)>;

fn place(Path((channel, date)): Place) -> Result<(ChannelId, Date), WebError> {
    let channel = channel.parse().map_err(|_| WebError::NotFound("channel".to_owned()))?;
    let date = date
        .parse()
        .map_err(|_| WebError::Unclear(format!("`{date}` is no date; write it as in 2026-07-14.")))?;
    Ok((channel, date))
}

fn no_channel() -> WebError {
    WebError::NotFound("channel in service".to_owned())
}

pub(super) fn series(day: &LocalDay, series: &Series) -> Value {
    let (unit, scaler) = series.kind.stored_unit();
    let slot = |(index, (value, quality)): (usize, &(i64, model::Quality))| {
        json!({
            "start": day.interval_start(series.interval, index), "value": (!quality.is_missing()).then_some(value),
            "quality": quality.class(), "flags": quality.byte() >> 4,
        })
    };
    json!({
        "kind": series.kind, "unit": unit, "scaler": scaler, "interval_s": series.interval.secs(),
        "version": series.version, "closed": series.sealed,
        "intervals": series.slots.iter().enumerate().map(slot).collect::<Vec<_>>(),
    })
}

fn version(view: &VersionView) -> Value {
    json!({
        "version": view.version, "recorded_at": view.recorded_at, "source": view.source.name(), "user": view.user,
        "user_name": view.user_name, "reason": view.reason, "note": view.note,
        "op": view.op.as_ref().and_then(|op| serde_json::from_str::<Value>(op).ok()), "supersedes": view.supersedes,
        "closed": view.sealed, "rules": view.rules_hash, "read": view.read, "edited": view.edited,
        "estimated": view.estimated, "missing": view.missing, "total": view.total, "bills": view.bills,
        "came": view.came, "file": view.file.as_ref().map(|file| json!({ "id": file.id, "name": file.name })),
    })
}

fn raw(slot: &Option<RawSlot>) -> Value {
    slot.map_or(Value::Null, |raw| {
        json!({
            "value": raw.value, "status": raw.status, "received_at": raw.received_at, "source": raw.source,
            "distinct": raw.distinct,
        })
    })
}

fn bench(found: &BenchDay) -> Value {
    let register = |register: &vee::Register| json!({ "at": register.at, "value": register.value });
    let other = |other: &mdm::read::OtherDay| {
        json!({
            "date": other.date,
            "values": other.series.slots.iter().map(|(value, quality)| (!quality.is_missing()).then_some(value))
                .collect::<Vec<_>>(),
        })
    };
    let edit = |edit: &store::EditEntry| {
        json!({
            "command": edit.command, "at": edit.at, "user": edit.user, "slots": edit.slots, "reason": edit.reason,
            "note": edit.note, "op": serde_json::from_str::<Value>(&edit.op).ok(),
            "version_before": edit.version_before, "version_after": edit.version_after,
        })
    };
    let bracket = found.bracket.as_ref().map(|bracket| {
        json!({
            "from": register(&bracket.from), "to": register(&bracket.to), "advance": bracket.advance,
            "sum": bracket.sum, "missing": bracket.missing, "difference": bracket.difference(),
        })
    });
    json!({
        "channel": found.channel.id, "meter": found.channel.meter, "serial": found.serial,
        "commodity": found.commodity, "address": found.address, "date": found.day.date(),
        "series": series(&found.day, &found.series), "raw": found.raw.iter().map(raw).collect::<Vec<_>>(),
        "findings": found.findings.iter().map(exception).collect::<Vec<_>>(),
        "registers": found.registers.iter().map(register).collect::<Vec<_>>(), "bracket": bracket,
        "versions": found.versions.iter().map(version).collect::<Vec<_>>(),
        "edits": found.edits.iter().map(edit).collect::<Vec<_>>(),
        "siblings": found.siblings.iter().map(|one| series(&found.day, one)).collect::<Vec<_>>(),
        "like_days": found.like_days.iter().map(other).collect::<Vec<_>>(),
        "beside": found.beside.iter().map(|one| one.as_ref().map(other)).collect::<Vec<_>>(),
        "neighbours": found.neighbours.iter().map(|one| one.as_ref().map(exception)).collect::<Vec<_>>(),
    })
}

/// `GET /api/v1/channels/{channel}/days/{date}`: everything about the day; the queue's filter tells the neighbours.
pub(crate) async fn day(ctx: Ctx, at: Place) -> Result<Json<Value>, WebError> {
    let (channel, date) = place(at)?;
    let queue = super::exceptions::filter(&ctx)?;
    let found = ctx
        .blocking(move |ctx| {
            let found = ctx.app.mdm.bench_day(channel, date, &queue).map_err(|error| failed(&error))?;
            found.ok_or_else(no_channel)
        })
        .await?;
    Ok(Json(bench(&found)))
}

/// `GET .../versions`
pub(crate) async fn versions(ctx: Ctx, at: Place) -> Result<Json<Value>, WebError> {
    let (channel, date) = place(at)?;
    let found =
        ctx.blocking(move |ctx| ctx.app.mdm.versions(channel, date).map_err(|error| failed(&error))).await?;
    Ok(Json(json!({ "versions": found.iter().map(version).collect::<Vec<_>>() })))
}

/// Which version the address means: `at=` (RFC 3339), `version=`, `bill=`, or none for the latest.
pub(super) fn when(ctx: &Ctx) -> Result<AsOf, WebError> {
    if let Some(text) = ctx.param("at") {
        let at: Timestamp = text.parse().map_err(|_| {
            WebError::Unclear(format!("`{text}` is no instant; write it as in 2026-07-14T12:00:00Z."))
        })?;
        return Ok(AsOf::At(at));
    }
    if let Some(version) = optional(ctx, "version")? {
        return Ok(AsOf::Version(version));
    }
    Ok(optional(ctx, "bill")?.map_or(AsOf::Latest, |bill| AsOf::Bill(BillId::new(bill))))
}

/// `GET .../as-of?at=|version=|bill=`: the values of the version that is meant.
pub(crate) async fn as_of(ctx: Ctx, at: Place) -> Result<Json<Value>, WebError> {
    let (channel, date) = place(at)?;
    let when = when(&ctx)?;
    let answer = ctx
        .blocking(move |ctx| {
            let found = ctx.app.mdm.as_of(channel, date, when).map_err(|error| failed(&error))?;
            let found = found.ok_or_else(|| WebError::NotFound("version of that day".to_owned()))?;
            let (day, block) = (ctx.app.mdm.local_day(date).map_err(|error| failed(&error))?, &found.block);
            let slot = |(index, (value, quality)): (usize, (&i64, &model::Quality))| {
                json!({
                    "start": day.interval_start(block.interval, index),
                    "value": (!quality.is_missing()).then_some(value), "quality": quality.class(),
                })
            };
            let pairs = block.values.iter().zip(&block.quality);
            Ok(json!({
                "channel": channel, "date": date, "version": block.version, "closed": found.sealed,
                "intervals": pairs.enumerate().map(slot).collect::<Vec<_>>(),
            }))
        })
        .await?;
    Ok(Json(answer))
}

/// `GET .../diff?before=1&after=2`
pub(crate) async fn diff(ctx: Ctx, at: Place) -> Result<Json<Value>, WebError> {
    let (channel, date) = place(at)?;
    let need = |name: &str| number::<u32>(ctx.param(name).as_deref().unwrap_or(""), name);
    let (before, after) = (need("before")?, need("after")?);
    let found = ctx
        .blocking(move |ctx| ctx.app.mdm.diff(channel, date, before, after).map_err(|error| failed(&error)))
        .await?;
    let side = |slot: Option<vee::Slot>| {
        slot.map(|slot| json!({ "value": slot.value, "quality": slot.quality.class() }))
    };
    let change = |change: &mdm::read::SlotChange| {
        json!({
            "slot": change.slot, "start": change.start, "before": side(change.before), "after": side(change.after),
        })
    };
    Ok(Json(json!({ "changes": found.iter().map(change).collect::<Vec<_>>() })))
}

/// `GET .../candidates?slots=40-47`: what each method of estimation would put there.
pub(crate) async fn candidates(ctx: Ctx, at: Place) -> Result<Json<Value>, WebError> {
    let (channel, date) = place(at)?;
    let slots: Slots = ctx
        .param("slots")
        .unwrap_or_default()
        .parse()
        .map_err(|error: mdm::edit::NoSlots| WebError::Unclear(error.to_string()))?;
    let found = ctx
        .blocking(move |ctx| {
            let found =
                ctx.app.mdm.candidates(ctx.now, channel, date, &slots).map_err(|error| failed(&error))?;
            found.ok_or_else(no_channel)
        })
        .await?;
    let one = |one: &vee::Candidate| {
        json!({
            "method": one.method.name(), "applies": one.applies, "values": one.values, "total": one.total,
            "scaled": one.scaled, "quality": one.quality.class(), "why": one.why,
        })
    };
    Ok(Json(json!({ "candidates": found.iter().map(one).collect::<Vec<_>>() })))
}

/// What an edit takes; channel and date are in the address.
#[derive(Debug, Deserialize)]
pub(crate) struct Wish {
    command: String,
    #[serde(default)]
    slots: Slots,
    #[serde(flatten)]
    op: Op,
    reason: Option<ReasonCode>,
    #[serde(default)]
    note: String,
    expected_version: u32,
}

impl Wish {
    fn edit(self, channel: ChannelId, date: Date) -> Edit {
        let Self { command, slots, op, reason, note, expected_version } = self;
        Edit { command, channel, date, slots, op, reason, note, expected_version }
    }
}

fn edited(edited: &Edited) -> Value {
    json!({
        "version": edited.version, "repeated": edited.repeated, "changed": edited.changed,
        "findings": edited.findings.iter().map(exception).collect::<Vec<_>>(),
        "flagged_bills": edited.flagged_bills,
    })
}

/// `POST .../edits`: does an edit; 409 with the reason where it is refused.
pub(crate) async fn apply(
    ctx: Ctx,
    at: Place,
    body: Result<Json<Wish>, JsonRejection>,
) -> Result<Json<Value>, WebError> {
    let (channel, date) = place(at)?;
    let edit = json_body(body)?.edit(channel, date);
    let done = ctx
        .blocking(move |ctx| ctx.app.mdm.apply(ctx.now, editor(ctx)?, &edit).map_err(|error| failed(&error)))
        .await?;
    done.map(|done| Json(edited(&done))).map_err(|refusal| refused(&refusal))
}

/// `POST .../edits/preview`: what an edit would come to.
pub(crate) async fn preview(
    ctx: Ctx,
    at: Place,
    body: Result<Json<Wish>, JsonRejection>,
) -> Result<Json<Value>, WebError> {
    let (channel, date) = place(at)?;
    let edit = json_body(body)?.edit(channel, date);
    let looked = ctx
        .blocking(move |ctx| {
            ctx.app.mdm.preview(ctx.now, editor(ctx)?, &edit).map_err(|error| failed(&error))
        })
        .await?;
    let preview = looked.map_err(|refusal| refused(&refusal))?;
    Ok(Json(json!({ "edited": edited(&preview.edited), "after": bench(&preview.after) })))
}
