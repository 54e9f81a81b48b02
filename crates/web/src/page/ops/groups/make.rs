//! Making a group: from a filter of the fleet, or from a list of serial numbers.

use super::view::{self, New};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::{self, query_escape};
use crate::read::{self, failed};
use crate::ui::{self, Crumb};
use axum::Form;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use mdm::group::GroupRule;
use model::MeterId;
use serde::Deserialize;
use std::collections::BTreeMap;
use store::{FleetFilter, FleetSort};

/// The longest name.
const LONGEST: usize = 80;

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wish {
    #[serde(default)]
    name: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    serials: String,
    /// Not empty when only to look.
    #[serde(default)]
    look: String,
}

fn page(ctx: &Ctx, view: &New) -> Markup {
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: Some("/ops/groups"), text: "Groups".to_owned() },
        Crumb { href: None, text: "New".to_owned() },
    ];
    ui::ops(&ctx.frame("New group", "/ops/groups"), &crumbs, &view::new(view))
}

/// `GET /ops/groups/new`
pub(crate) async fn get(ctx: Ctx) -> Result<Markup, WebError> {
    Ok(page(&ctx, &New { text: ctx.param("q").unwrap_or_default(), ..New::default() }))
}

/// `POST /ops/groups`
pub(crate) async fn post(ctx: Ctx, Form(wish): Form<Wish>) -> Result<Response, WebError> {
    let done = ctx.blocking(move |ctx| make(ctx, wish)).await?;
    match done {
        Ok(name) => Ok(Redirect::to(&format!("/ops/groups?done={}", query_escape(&name))).into_response()),
        Err(view) => Ok(page(&ctx, &view).into_response()),
    }
}

/// The name of the group that was made, or the form again with what was found or what is wrong.
fn make(ctx: &Ctx, wish: Wish) -> Result<Result<String, New>, WebError> {
    let again = |found: Option<String>, refused: Option<String>, wish: Wish| {
        Ok(Err(New { name: wish.name, text: wish.text, serials: wish.serials, found, refused }))
    };
    let members = match members(ctx, &wish)? {
        Ok(members) => members,
        Err(why) => return again(None, Some(why), wish),
    };
    if members.is_empty() {
        return again(None, Some("No meter fits; search for less, or list serial numbers.".to_owned()), wish);
    }
    let count = fmt::counted(u64::try_from(members.len()).unwrap_or(0), "meter");
    if !wish.look.is_empty() {
        return again(Some(format!("{count} would belong to it.")), None, wish);
    }
    let name = wish.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > LONGEST {
        let why = format!("Give the group a name of 1 to {LONGEST} characters.");
        return again(None, Some(why), wish);
    }
    let known = ctx.app.mdm.groups().map_err(|error| failed(&error))?;
    if known.iter().any(|group| group.name == name) {
        return again(None, Some(format!("There is a group {name} already; take another name.")), wish);
    }
    let user = ctx.person()?.id;
    ctx.app.mdm.put_group(ctx.now, user, &name, &GroupRule::List(members)).map_err(|error| failed(&error))?;
    Ok(Ok(name))
}

fn members(ctx: &Ctx, wish: &Wish) -> Result<Result<Vec<MeterId>, String>, WebError> {
    let text = wish.text.trim();
    let filter = FleetFilter { text: (!text.is_empty()).then(|| text.to_owned()), ..FleetFilter::default() };
    let (rows, _) = read::look(ctx, |store| store.fleet(&filter, FleetSort::Serial, false, 0, u32::MAX))?;
    if !text.is_empty() {
        return Ok(Ok(rows.into_iter().map(|row| row.meter).collect()));
    }
    let known: BTreeMap<String, MeterId> =
        rows.into_iter().map(|row| (row.serial.to_string(), row.meter)).collect();
    let mut found = Vec::new();
    for (line, serial) in wish.serials.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match known.get(serial.trim()) {
            Some(meter) => found.push(*meter),
            None => {
                return Ok(Err(format!(
                    "Line {}: no meter has the serial number {}.",
                    line + 1,
                    serial.trim()
                )));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(Ok(found))
}
