//! What people define, with its history: saved groups and virtual channels.

use super::{change, number, optional};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read::failed;
use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::JsonRejection;
use jiff::civil::Date;
use mdm::dated::{Change, Dated, NameRefused};
use mdm::group::GroupRule;
use mdm::read::AsOf;
use mdm::virtual_channel::{Formula, InputVersion, VirtualDay, VirtualRefused};
use model::{GroupId, VirtualId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A name with all that it meant; what it means today under `what` too, `null` for one that is retired.
fn dated<I: Serialize, T: Serialize>(one: &Dated<I, T>, today: Date, what: &str) -> Value {
    let versions = one.versions.iter().map(|version| {
        let mut row = Map::from_iter([(what.to_owned(), json!(version.is))]);
        row.insert("number".to_owned(), json!(version.number));
        row.insert("from".to_owned(), json!(version.from));
        row.insert("changed_by".to_owned(), json!(version.user));
        row.insert("changed_at".to_owned(), json!(version.changed_at));
        row.insert("reason".to_owned(), json!(version.reason));
        Value::Object(row)
    });
    let versions: Vec<Value> = versions.collect();
    let mut row = Map::from_iter([("id".to_owned(), json!(one.id)), ("name".to_owned(), json!(one.name))]);
    row.insert(what.to_owned(), json!(one.meaning(today)));
    row.insert("versions".to_owned(), Value::Array(versions));
    Value::Object(row)
}

fn refused_name(refused: &NameRefused) -> WebError {
    match refused {
        NameRefused::Unknown => WebError::NotFound("such group or formula".to_owned()),
        NameRefused::Name | NameRefused::NoReason => WebError::Unclear(refused.to_string()),
        NameRefused::Unchanged(_) | NameRefused::NotInUse(..) => WebError::Refused(refused.to_string()),
    }
}

fn refused_formula(refused: &VirtualRefused) -> WebError {
    match refused {
        VirtualRefused::Name(refused) => refused_name(refused),
        other => WebError::Refused(other.to_string()),
    }
}

/// `GET /api/v1/groups`: with the history of each.
pub(crate) async fn groups(ctx: Ctx) -> Result<Json<Value>, WebError> {
    let found = ctx.blocking(|ctx| ctx.app.mdm.groups().map_err(|error| failed(&error))).await?;
    let today = ctx.words().today();
    let groups: Vec<Value> = found.iter().map(|group| dated(group, today, "rule")).collect();
    Ok(Json(json!({ "groups": groups })))
}

/// What saving a group takes; without `from` a new one means it since ever, one that is there from today on.
#[derive(Debug, Deserialize)]
pub(crate) struct NewGroup {
    name: String,
    rule: GroupRule,
    from: Option<Date>,
    #[serde(default)]
    reason: String,
}

/// `POST /api/v1/groups` with `{"name": .., "rule": {"list": [..]} | {"filter": {..}}, "from": .., "reason": ..}`
pub(crate) async fn put_group(
    ctx: Ctx,
    body: Result<Json<NewGroup>, JsonRejection>,
) -> Result<Json<Value>, WebError> {
    let work = |ctx: &Ctx, user, wish: &NewGroup| {
        let change = Change { now: ctx.now, user, from: wish.from, reason: &wish.reason };
        let done = ctx.app.mdm.put_group(&change, &wish.name, &wish.rule)?;
        Ok(done.map(|id| json!({ "id": id })))
    };
    change(ctx, body, work, refused_name).await
}

/// What retiring takes: the first day on which it is no more, today without one, and why.
#[derive(Debug, Deserialize)]
pub(crate) struct Retirement {
    from: Option<Date>,
    #[serde(default)]
    reason: String,
}

/// `POST /api/v1/groups/{id}/retire`
pub(crate) async fn retire_group(
    ctx: Ctx,
    Path(id): Path<String>,
    body: Result<Json<Retirement>, JsonRejection>,
) -> Result<Json<Value>, WebError> {
    let id = GroupId::new(number(&id, "id")?);
    let work = move |ctx: &Ctx, user, wish: &Retirement| {
        let change = Change { now: ctx.now, user, from: wish.from, reason: &wish.reason };
        Ok(ctx.app.mdm.retire_group(&change, id)?.map(|()| json!({ "id": id })))
    };
    change(ctx, body, work, refused_name).await
}

/// `GET /api/v1/virtual-channels`: with the history of each.
pub(crate) async fn virtual_channels(ctx: Ctx) -> Result<Json<Value>, WebError> {
    let found = ctx.blocking(|ctx| ctx.app.mdm.virtual_channels().map_err(|error| failed(&error))).await?;
    let today = ctx.words().today();
    let found: Vec<Value> = found.iter().map(|one| dated(one, today, "formula")).collect();
    Ok(Json(json!({ "virtual_channels": found })))
}

/// What saving a formula takes; `from` as for a group.
#[derive(Debug, Deserialize)]
pub(crate) struct NewVirtual {
    name: String,
    formula: Formula,
    from: Option<Date>,
    #[serde(default)]
    reason: String,
}

/// `POST /api/v1/virtual-channels`
pub(crate) async fn put_virtual(
    ctx: Ctx,
    body: Result<Json<NewVirtual>, JsonRejection>,
) -> Result<Json<Value>, WebError> {
    let work = |ctx: &Ctx, user, wish: &NewVirtual| {
        let change = Change { now: ctx.now, user, from: wish.from, reason: &wish.reason };
        let done = ctx.app.mdm.put_virtual(&change, &wish.name, &wish.formula)?;
        Ok(done.map(|id| json!({ "id": id })))
    };
    change(ctx, body, work, refused_formula).await
}

/// `POST /api/v1/virtual-channels/{id}/retire`
pub(crate) async fn retire_virtual(
    ctx: Ctx,
    Path(id): Path<String>,
    body: Result<Json<Retirement>, JsonRejection>,
) -> Result<Json<Value>, WebError> {
    let id = VirtualId::new(number(&id, "id")?);
    let work = move |ctx: &Ctx, user, wish: &Retirement| {
        let change = Change { now: ctx.now, user, from: wish.from, reason: &wish.reason };
        Ok(ctx.app.mdm.retire_virtual(&change, id)?.map(|()| json!({ "id": id })))
    };
    change(ctx, body, work, refused_formula).await
}

fn computed(found: &VirtualDay, date: Date) -> Value {
    let input = |input: &InputVersion| json!({ "channel": input.channel, "version": input.version });
    json!({
        "date": date, "series": super::bench::series(&found.day, &found.series),
        "inputs": found.inputs.iter().map(input).collect::<Vec<_>>(),
    })
}

/// `GET /api/v1/virtual-channels/{id}/days/{date}?at=|bill=`
pub(crate) async fn virtual_day(
    ctx: Ctx,
    Path((id, date)): Path<(String, String)>,
) -> Result<Json<Value>, WebError> {
    let id = VirtualId::new(number(&id, "id")?);
    let date: Date = number(&date, "date")?;
    let when: AsOf = super::bench::when(&ctx)?;
    let answer = ctx
        .blocking(move |ctx| {
            let found = ctx.app.mdm.virtual_day(id, date, when).map_err(|error| failed(&error))?;
            let found = found.ok_or_else(|| WebError::NotFound("virtual channel on that day".to_owned()))?;
            let mut answer = computed(&found, date);
            answer["id"] = json!(id);
            Ok(answer)
        })
        .await?;
    Ok(Json(answer))
}

/// `POST /api/v1/virtual-channels/preview?date=` with a formula: what it would give; nothing is written.
pub(crate) async fn preview(
    ctx: Ctx,
    body: Result<Json<Formula>, JsonRejection>,
) -> Result<Json<Value>, WebError> {
    let formula = super::json_body(body)?;
    let date: Date = optional(&ctx, "date")?.unwrap_or_else(|| ctx.words().today());
    let found = ctx
        .blocking(move |ctx| ctx.app.mdm.try_formula(&formula, date).map_err(|error| failed(&error)))
        .await?
        .map_err(|refusal| refused_formula(&refusal))?;
    Ok(Json(computed(&found, date)))
}
