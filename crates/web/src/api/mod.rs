//! The pages' questions as data, under `/api/v1`.
//!
//! Same sessions, same rights, same filters in the query as the pages. Instants are RFC 3339 in UTC, numbers end in
//! their unit, and a failure is a problem document (RFC 9457). A number that is not known is `null`, never zero.

pub(crate) mod aggregates;
pub(crate) mod bench;
pub(crate) mod definitions;
pub(crate) mod exceptions;
mod fleet;
pub(crate) mod imports;
mod readings;
pub(crate) mod rules;

pub(crate) use fleet::{command, commands, meter, meters, overview, request_command};
pub(crate) use readings::{profile, usage};

use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use jiff::civil::Date;
use mdm::MdmError;
use mdm::edit::EditRefused;
use model::UserId;
use serde_json::Value;
use std::str::FromStr;

/// A date parameter; absent means `default`, anything else but a date is refused.
fn date(ctx: &Ctx, default: Date) -> Result<Date, WebError> {
    match ctx.param("date") {
        None => Ok(default),
        Some(text) => read::date_param(ctx).ok_or_else(|| {
            WebError::Unclear(format!("`{text}` is no date with readings; write it as in 2026-07-14."))
        }),
    }
}

/// A parameter that stands for something, or is refused by name.
fn number<T: FromStr>(text: &str, name: &str) -> Result<T, WebError> {
    text.trim().parse().map_err(|_| WebError::Unclear(format!("`{text}` makes no sense as {name}.")))
}

/// As [`number`] for one that may be absent.
fn optional<T: FromStr>(ctx: &Ctx, name: &str) -> Result<Option<T>, WebError> {
    ctx.param(name).map(|text| number(&text, name)).transpose()
}

/// What was posted, or what is wrong with it.
fn json_body<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, WebError> {
    body.map(|Json(body)| body).map_err(|error| WebError::Unclear(error.body_text()))
}

/// A change that somebody asks for: `work` does it in the person's name and says what came of it, or why it is not done,
/// which `refused` puts into words.
async fn change<T, E>(
    ctx: Ctx,
    body: Result<Json<T>, JsonRejection>,
    work: impl FnOnce(&Ctx, UserId, &T) -> Result<Result<Value, E>, MdmError> + Send + 'static,
    refused: fn(&E) -> WebError,
) -> Result<Json<Value>, WebError>
where
    T: Send + 'static,
    E: Send + 'static,
{
    let wish = json_body(body)?;
    let done = ctx
        .blocking(move |ctx| work(ctx, ctx.person()?.id, &wish).map_err(|error| read::failed(&error)))
        .await?;
    done.map(Json).map_err(|refusal| refused(&refusal))
}

/// A refusal of the editing bench: what somebody else did meanwhile or what is not allowed is a conflict, the rest unclear.
fn refused(refusal: &EditRefused) -> WebError {
    match refusal {
        EditRefused::Billed(_) => WebError::Forbidden(refusal.to_string()),
        EditRefused::Stale { .. }
        | EditRefused::CountChanged { .. }
        | EditRefused::NoChange
        | EditRefused::NothingRead
        | EditRefused::NoSuchVersion { .. }
        | EditRefused::MethodUnfit { .. } => WebError::Refused(refusal.to_string()),
        _ => WebError::Unclear(refusal.to_string()),
    }
}
