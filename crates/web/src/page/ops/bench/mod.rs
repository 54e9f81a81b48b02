//! The editing bench: one channel's day with everything that a person needs to decide about it.
//!
//! `GET` shows, and tries out what its address says; nothing is kept of that. `POST` does it, with a reason, if the day is still
//! the one that was seen.

pub(crate) mod ask;
mod deed;
mod drawing;
mod found;
mod history;
mod page;
mod source;
mod view;
mod work;

#[cfg(test)]
mod tests;

use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read::failed;
use crate::ui::{self, Crumb};
use ask::Asked;
use axum::Form;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use mdm::edit::ReasonCode;
pub(crate) use source::{editor, reasons};
use view::View;

/// `GET /ops/vee/{meter}/{day}`
pub(crate) async fn get(ctx: Ctx, Path((meter, day)): Path<(String, String)>) -> Result<Markup, WebError> {
    let asked = Asked::of(&ctx, &meter, &day)?;
    let view = ctx.blocking(move |ctx| source::view(ctx, &asked)).await?;
    Ok(page(&ctx, &view))
}

fn page(ctx: &Ctx, view: &View) -> Markup {
    let mut frame = ctx.frame(format!("{} {}", view.serial, view.title), "/ops/vee");
    frame.api = Some(view.api.clone());
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: Some("/ops/vee"), text: "Exceptions".to_owned() },
        Crumb { href: None, text: format!("{}, {}", view.serial, view.date) },
    ];
    ui::ops(&frame, &crumbs, &page::main(view))
}

/// `POST /ops/vee/{meter}/{day}`: does what was previewed. A refusal is the bench again, with the reason and what was typed.
pub(crate) async fn post(
    ctx: Ctx,
    Path((meter, day)): Path<(String, String)>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let param = move |name: &str| {
        let value =
            fields.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned());
        value.filter(|value| !value.is_empty())
    };
    let mut asked = Asked::of(&ctx, &meter, &day)?;
    asked.kind = ask::CHANNELS
        .iter()
        .find(|(name, _)| param("channel").as_deref() == Some(name))
        .map(|(_, kind)| *kind);
    (asked.rule, asked.from, asked.to) = (param("rule"), param("from"), param("to"));
    let done = {
        let asked = asked.clone();
        ctx.blocking(move |ctx| apply(ctx, &asked, &param)).await?
    };
    match done {
        Ok(href) => Ok(Redirect::to(&href).into_response()),
        Err(why) => {
            let view = ctx
                .blocking(move |ctx| {
                    let mut view = source::view(ctx, &asked)?;
                    view.preview = Some(Err(why));
                    Ok(view)
                })
                .await?;
            Ok(page(&ctx, &view).into_response())
        }
    }
}

/// Where to go when it is done, or why it is not.
fn apply(
    ctx: &Ctx,
    asked: &Asked,
    param: &dyn Fn(&str) -> Option<String>,
) -> Result<Result<String, String>, WebError> {
    let found = found::find(ctx, asked)?;
    let kind = found.bench.series.kind;
    let name = param("do").unwrap_or_default();
    let op = match deed::operation(&name, kind, param) {
        Ok(op) => op,
        Err(why) => return Ok(Err(why)),
    };
    let chosen = match found.range(asked.from.as_deref(), asked.to.as_deref()) {
        Ok(chosen) => chosen,
        Err(why) => return Ok(Err(why)),
    };
    let Some(version) = param("version").and_then(|text| text.parse().ok()) else {
        return Ok(Err("The form does not say which version it is about; preview it again.".to_owned()));
    };
    let note = param("note").unwrap_or_default();
    if note.is_empty() {
        return Ok(Err("Write a note: what you know and others will want to know in a year.".to_owned()));
    }
    let edit =
        source::edit(&found, asked, chosen.as_ref(), op, version, &param("command").unwrap_or_default());
    let edit =
        mdm::edit::Edit { reason: param("code").and_then(|code| ReasonCode::from_name(&code)), note, ..edit };
    let edited = ctx.app.mdm.apply(ctx.now, editor(ctx)?, &edit).map_err(|error| failed(&error))?;
    Ok(match edited {
        Ok(edited) => Ok(format!("{}&done={}", asked.here(kind), edited.version)),
        Err(why) => Err(why.to_string()),
    })
}
