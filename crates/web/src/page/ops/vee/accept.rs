//! Accepting many exceptions of one rule at once: a page that names the exact count, then the deed, with one reason for all.

use super::view::{self, Confirm};
use super::{Asked, words};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt;
use crate::page::ops::bench::{editor, reasons};
use crate::read::failed;
use crate::ui::{self, Crumb};
use axum::Form;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use mdm::edit::ReasonCode;
use mdm::read::{ExceptionFilter, ExceptionSort};

fn refused(why: &str) -> WebError {
    WebError::Unclear(why.to_owned())
}

/// The exceptions that the fields mean: always open ones, and always of one rule.
fn filter(ctx: &Ctx, asked: &Asked) -> Result<ExceptionFilter, WebError> {
    if asked.rule.is_none() {
        return Err(refused("Many exceptions are accepted rule by rule; open a rule first."));
    }
    Ok(ExceptionFilter { state: Some(mdm::read::CaseState::Open), ..asked.filter(ctx.words().today()) })
}

/// `GET /ops/vee/accept`
pub(crate) async fn get(ctx: Ctx) -> Result<Markup, WebError> {
    let asked = Asked::of(|name| ctx.param(name));
    let view = ctx.blocking(move |ctx| confirm(ctx, &asked, None)).await?;
    Ok(page(&ctx, &view))
}

fn page(ctx: &Ctx, view: &Confirm) -> Markup {
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: Some("/ops/vee"), text: "Exceptions".to_owned() },
        Crumb { href: None, text: format!("Accept {}", view.rule) },
    ];
    ui::ops(&ctx.frame(format!("Accept {}", view.rule), "/ops/vee"), &crumbs, &view::confirm(view))
}

fn confirm(ctx: &Ctx, asked: &Asked, why: Option<String>) -> Result<Confirm, WebError> {
    let filter = filter(ctx, asked)?;
    let queue =
        ctx.app.mdm.exceptions(&filter, ExceptionSort::Oldest, 0, 0).map_err(|error| failed(&error))?;
    let group = queue.groups.first();
    let (rule, _) = words::rule(asked.rule.as_deref().unwrap_or_default());
    let mut fields = asked.params();
    fields.retain(|(name, _)| *name != "page");
    fields.push(("count", queue.total.to_string()));
    Ok(Confirm {
        count: fmt::counted(queue.total, "exception"),
        span: group.map_or_else(
            || "Nothing of this rule is open any more.".to_owned(),
            |group| {
                format!(
                    "{} from {} to {}.",
                    fmt::counted(group.meters, "meter"),
                    fmt::short(group.oldest),
                    fmt::short(group.newest)
                )
            },
        ),
        rule,
        fields,
        reasons: reasons(),
        back: asked.href("/ops/vee"),
        refused: why,
    })
}

/// `POST /ops/vee/accept`
pub(crate) async fn post(ctx: Ctx, Form(fields): Form<Vec<(String, String)>>) -> Result<Response, WebError> {
    let param = move |name: &str| {
        let value =
            fields.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned());
        value.filter(|value| !value.is_empty())
    };
    let asked = Asked::of(&param);
    let done = {
        let asked = asked.clone();
        ctx.blocking(move |ctx| accept(ctx, &asked, &param)).await?
    };
    match done {
        Ok(count) => Ok(Redirect::to(&format!("/ops/vee?done={count}")).into_response()),
        Err(why) => {
            let view = ctx.blocking(move |ctx| confirm(ctx, &asked, Some(why))).await?;
            Ok(page(&ctx, &view).into_response())
        }
    }
}

/// How many were accepted, or why none was.
fn accept(
    ctx: &Ctx,
    asked: &Asked,
    param: &dyn Fn(&str) -> Option<String>,
) -> Result<Result<u64, String>, WebError> {
    let (Some(reason), Some(note)) =
        (param("code").and_then(|code| ReasonCode::from_name(&code)), param("note"))
    else {
        return Ok(Err("Choose a reason and write a note; both are kept with each version.".to_owned()));
    };
    let filter = filter(ctx, asked)?;
    let Some(count) = param("count").and_then(|count| count.parse().ok()) else {
        return Ok(Err("The form does not say how many it is about; look at the list again.".to_owned()));
    };
    let accepted = ctx.app.mdm.accept_all(ctx.now, editor(ctx)?, &filter, count, Some(reason), &note);
    Ok(accepted.map_err(|error| failed(&error))?.map_err(|why| why.to_string()))
}
