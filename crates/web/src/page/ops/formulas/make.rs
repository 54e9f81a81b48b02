//! Making a formula or changing one: terms as lines, tried on a day that was, kept from a day on with a reason.

use super::text::Names;
use super::{crumbs, drawn, href, known};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::query_escape;
use crate::page::ops::definition::day;
use crate::page::ops::formulas::view::{self, New};
use crate::read::failed;
use crate::ui;
use axum::Form;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use mdm::dated::Change;
use mdm::virtual_channel::{Formula, WhenMissing};
use model::{ChannelKind, VirtualId};
use serde::Deserialize;

/// What the form sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wish {
    name: String,
    kind: String,
    terms: String,
    missing: String,
    from: String,
    reason: String,
    /// The day to try it on.
    date: String,
    /// Not empty when only to look.
    look: String,
    /// The formula that is changed.
    of: String,
}

fn page(ctx: &Ctx, view: &New) -> Markup {
    let title = if view.of.is_some() { "Change a formula" } else { "New formula" };
    ui::ops(&ctx.frame(title, "/ops/groups"), &crumbs(title), &view::new(view))
}

/// `GET /ops/formulas/new`, with `of=` for changing one.
pub(crate) async fn get(ctx: Ctx) -> Result<Markup, WebError> {
    let view = ctx
        .blocking(|ctx| {
            let today = ctx.words().today();
            let yesterday = today.yesterday().unwrap_or(today).to_string();
            let of = ctx.param("of").and_then(|id| id.parse().ok()).map(VirtualId::new);
            let Some(id) = of else {
                let kind = ChannelKind::Net.name().to_owned();
                return Ok(form(Wish { kind, date: yesterday, ..Wish::default() }));
            };
            let found = known(ctx, id)?;
            let last = found.versions.iter().rev().find_map(|one| one.is.as_ref());
            let names = Names::load(ctx)?;
            let lines = last.map(|formula| names.lines(formula)).unwrap_or_default();
            let missing = last.is_some_and(|formula| formula.when_missing == WhenMissing::Zero);
            Ok(form(Wish {
                kind: last.map_or("net", |formula| formula.kind.name()).to_owned(),
                terms: lines,
                missing: if missing { "zero" } else { "missing" }.to_owned(),
                from: today.to_string(),
                date: yesterday,
                of: id.to_string(),
                name: found.name,
                ..Wish::default()
            }))
        })
        .await?;
    Ok(page(&ctx, &view))
}

fn form(wish: Wish) -> New {
    New {
        of: Some(wish.of).filter(|of| !of.is_empty()),
        name: wish.name,
        kinds: ChannelKind::ALL.map(|kind| (kind.name(), kind.name() == wish.kind)).to_vec(),
        terms: wish.terms,
        zero: wish.missing == "zero",
        from: wish.from,
        reason: wish.reason,
        date: wish.date,
        ..New::default()
    }
}

/// `POST /ops/formulas`
pub(crate) async fn post(ctx: Ctx, Form(wish): Form<Wish>) -> Result<Response, WebError> {
    let done = ctx.blocking(move |ctx| make(ctx, wish)).await?;
    match done {
        Ok(id) => {
            let done = query_escape("It is kept with your reason.");
            Ok(Redirect::to(&format!("{}?done={done}", href(id))).into_response())
        }
        Err(view) => Ok(page(&ctx, &view).into_response()),
    }
}

/// The formula that was kept, or the form again with what it would give or what is wrong.
fn make(ctx: &Ctx, wish: Wish) -> Result<Result<VirtualId, New>, WebError> {
    let refused = |wish: Wish, why: String| Ok(Err(New { refused: Some(why), ..form(wish) }));
    let (from, date) = match (day(&wish.from), day(&wish.date)) {
        (Ok(from), Ok(date)) => (from, date),
        (Err(why), _) | (_, Err(why)) => return refused(wish, why),
    };
    let terms = match Names::load(ctx)?.terms(&wish.terms) {
        Ok(terms) => terms,
        Err(why) => return refused(wish, why),
    };
    let kind = ChannelKind::from_name(&wish.kind).unwrap_or(ChannelKind::Net);
    let when_missing = if wish.missing == "zero" { WhenMissing::Zero } else { WhenMissing::Missing };
    let formula = Formula { kind, terms, when_missing };
    let mdm = &ctx.app.mdm;
    if !wish.look.is_empty() {
        let today = ctx.words().today();
        let date = date.unwrap_or_else(|| today.yesterday().unwrap_or(today));
        let found = mdm.try_formula(&formula, date).map_err(|error| failed(&error))?;
        let sentence = Names::load(ctx)?.sentence(&formula);
        return Ok(Err(match found {
            Ok(found) => New {
                tried: Some((format!("{sentence}, {}", ctx.words().long(date)), drawn(&found, &ctx.words()))),
                ..form(wish)
            },
            Err(why) => New { refused: Some(why.to_string()), ..form(wish) },
        }));
    }
    // The name of what is changed is not for the form to say.
    let name = match wish.of.parse().map(VirtualId::new) {
        Ok(id) => known(ctx, id)?.name,
        Err(_) => {
            let all = mdm.virtual_channels().map_err(|error| failed(&error))?;
            if all.iter().any(|one| one.name == wish.name.trim()) {
                let why = format!(
                    "There is a formula {} already; take another name, or change that one.",
                    wish.name.trim()
                );
                return refused(wish, why);
            }
            wish.name.clone()
        }
    };
    let change = Change { now: ctx.now, user: ctx.person()?.id, from, reason: &wish.reason };
    let done = mdm.put_virtual(&change, &name, &formula).map_err(|error| failed(&error))?;
    match done {
        Ok(id) => Ok(Ok(id)),
        Err(why) => refused(wish, why.to_string()),
    }
}
