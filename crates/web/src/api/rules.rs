//! Rule sets as data: what is in force, what others would do, putting one in force.

use super::{change, json_body};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read::failed;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use jiff::civil::Date;
use mdm::what_if::{EffectSample, RuleEffect};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// How long rules are tried for one answer; it then says that it is not whole.
pub(crate) const LONGEST_TRIAL: Duration = Duration::from_secs(20);

/// `GET /api/v1/rule-sets`: the rules in force and what was put in force when, by whom and why.
pub(crate) async fn list(ctx: Ctx) -> Result<Json<Value>, WebError> {
    let today = ctx.words().today();
    let (found, book) = ctx
        .blocking(move |ctx| {
            let mdm = &ctx.app.mdm;
            let found = mdm.activations().map_err(|error| failed(&error))?;
            Ok((found, mdm.book_on(today).map_err(|error| failed(&error))?))
        })
        .await?;
    let one = |one: &store::Activation| {
        json!({
            "hash": one.hash, "from": one.from, "activated_at": one.activated_at, "user": one.user,
            "reason": one.reason,
        })
    };
    Ok(Json(json!({
        "hash": book.hash().to_string(), "rules": book.base(), "groups": book.groups(),
        "activations": found.iter().map(one).collect::<Vec<_>>(),
    })))
}

/// What trying rules takes: the file's text, and the days from `from` to before `to`.
#[derive(Debug, Deserialize)]
pub(crate) struct Trial {
    toml: String,
    from: Date,
    to: Date,
}

fn sample(sample: &EffectSample) -> Value {
    json!({
        "meter": sample.meter, "channel": sample.channel, "kind": sample.kind, "date": sample.date,
        "first": sample.first, "count": sample.count, "appears": sample.appears, "sentence": sample.sentence,
    })
}

fn effect(effect: &RuleEffect) -> Value {
    json!({
        "rule": effect.rule, "now": effect.now, "would": effect.would, "meters_now": effect.meters_now,
        "meters_would": effect.meters_would, "samples": effect.samples.iter().map(sample).collect::<Vec<_>>(),
    })
}

/// `POST /api/v1/rule-sets/what-if`: what these rules would have found beside those in force; nothing is written.
pub(crate) async fn what_if(
    ctx: Ctx,
    body: Result<Json<Trial>, JsonRejection>,
) -> Result<Json<Value>, WebError> {
    let trial = json_body(body)?;
    let found = ctx
        .blocking_until(LONGEST_TRIAL, move |ctx, go_on| {
            let days = (trial.from, trial.to);
            ctx.app.mdm.what_if(ctx.now, &trial.toml, days, go_on).map_err(|error| failed(&error))
        })
        .await?
        .map_err(|refused| WebError::Unclear(format!("Failed to {refused}.")))?;
    Ok(Json(json!({
        "rules": found.rules.iter().map(effect).collect::<Vec<_>>(), "channel_days": found.channel_days,
        "meters": found.meters, "complete": found.complete,
    })))
}

/// What putting rules in force takes.
#[derive(Debug, Deserialize)]
pub(crate) struct Wish {
    toml: String,
    from: Date,
    #[serde(default)]
    reason: String,
}

/// `POST /api/v1/rule-sets`
pub(crate) async fn activate(
    ctx: Ctx,
    body: Result<Json<Wish>, JsonRejection>,
) -> Result<Json<Value>, WebError> {
    let work = |ctx: &Ctx, user, wish: &Wish| {
        let done = ctx.app.mdm.activate_rules(ctx.now, user, &wish.toml, wish.from, &wish.reason)?;
        Ok(done.map(|hash| json!({ "hash": hash })))
    };
    change(ctx, body, work, |refused| WebError::Unclear(format!("Failed to {refused}."))).await
}
