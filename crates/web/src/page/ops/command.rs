//! One command: asking for it, and the page that shows what becomes of it.

use super::command_view::{self, View};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read;
use crate::ui::{self, Crumb};
use axum::Form;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::SignedDuration;
use maud::{Markup, html};
use model::command::Action;
use model::{CommandId, MeterId};
use operations::{Desk, DeskError};
use serde::Deserialize;
use store::CommandRecord;

/// How many values of an answer are shown.
const VALUES: usize = 40;

/// What the buttons of the meter page send.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wish {
    /// `ping`, `read`, `profile` or `clock`.
    #[serde(default, rename = "do")]
    pub(crate) what: String,
    /// The day of a profile.
    #[serde(default)]
    pub(crate) date: String,
    /// Why.
    #[serde(default)]
    pub(crate) reason: String,
}

/// What a wish asks for.
pub(crate) fn action(ctx: &Ctx, wish: &Wish) -> Result<Action, WebError> {
    match wish.what.as_str() {
        "ping" => Ok(Action::Ping),
        "read" => Ok(Action::ReadRegisters),
        "clock" => Ok(Action::SetClock),
        "profile" => {
            let unclear =
                || WebError::Unclear("A profile is asked for by date, as in 2026-07-14.".to_owned());
            let date: jiff::civil::Date = wish.date.parse().map_err(|_| unclear())?;
            let day = ctx.app.mdm.local_day(date).map_err(|_| unclear())?;
            let to = day.end().min(ctx.now);
            if to <= day.start() {
                return Err(WebError::Unclear(
                    "That day has not begun; there is nothing to read.".to_owned(),
                ));
            }
            Ok(Action::ReadProfile { from: day.start(), to })
        }
        _ => Err(WebError::Unclear("A meter can be asked to ping, read, profile or clock.".to_owned())),
    }
}

/// Puts a wish into the outbox.
pub(crate) fn request(ctx: &Ctx, meter: MeterId, wish: &Wish) -> Result<CommandId, WebError> {
    let action = action(ctx, wish)?;
    let reason =
        if wish.reason.trim().is_empty() { "Asked from the meter page" } else { wish.reason.as_str() };
    let desk = Desk::new(ctx.app.mdm.store().clone());
    desk.request_command(ctx.now, ctx.person()?, meter, action, reason).map_err(|error| match error {
        DeskError::UnknownMeter(_) => WebError::NotFound("meter".to_owned()),
        DeskError::NotAllowed(role) => WebError::Forbidden(format!("{role} may not send this command.")),
        DeskError::Reason => WebError::Unclear("Give a reason of at most 500 characters.".to_owned()),
        DeskError::Range => WebError::Unclear("Ask for more than nothing and at most 45 days.".to_owned()),
        DeskError::Store(error) => WebError::internal(&error),
    })
}

/// `POST /ops/meters/{id}/commands`
pub(crate) async fn post(
    ctx: Ctx,
    Path(id): Path<String>,
    Form(wish): Form<Wish>,
) -> Result<Response, WebError> {
    let meter = read::meter_id(&id)?;
    let command = ctx.blocking(move |ctx| request(ctx, meter, &wish)).await?;
    Ok(Redirect::to(&format!("/ops/commands/{command}")).into_response())
}

/// What was asked, in words.
pub(crate) fn action_words(ctx: &Ctx, action: Action) -> String {
    match action {
        Action::Ping => "Ping".to_owned(),
        Action::ReadRegisters => "Read registers".to_owned(),
        Action::SetClock => "Set clock".to_owned(),
        Action::ReadProfile { from, .. } => {
            let date = from.to_zoned(ctx.app.utility.zone.clone()).date();
            format!("Read profile of {}", crate::fmt::short(date))
        }
    }
}

fn took(from: jiff::Timestamp, to: jiff::Timestamp) -> String {
    let took = to.duration_since(from).max(SignedDuration::ZERO);
    let tenths = took.as_millis() / 100;
    if tenths < 600 {
        format!("{}.{}\u{a0}s", tenths / 10, tenths % 10)
    } else {
        format!("{}\u{a0}min", tenths / 600)
    }
}

/// A record as it is shown.
pub(crate) fn view(ctx: &Ctx, record: &CommandRecord) -> Result<View, WebError> {
    let (words, command) = (ctx.words(), &record.command);
    let store = ctx.app.mdm.store();
    let by = command.requested_by;
    let (meter, user) = store
        .read(|read| {
            Ok::<_, store::StoreError>((read.meter(command.meter)?, by.map(|id| read.user(id)).transpose()?))
        })
        .map_err(|error| WebError::internal(&error))?;
    let end = if record.state.is_final() { record.updated_at } else { ctx.now };
    Ok(View {
        id: command.id.get(),
        action: action_words(ctx, command.action),
        meter_href: format!("/ops/meters/{}", command.meter),
        serial: meter.map_or_else(|| command.meter.to_string(), |meter| meter.serial.to_string()),
        state: record.state,
        detail: record.detail.clone(),
        by: user.flatten().map_or_else(|| "The system".to_owned(), |user| user.display_name),
        reason: command.reason.clone(),
        asked: words.stamp(command.requested_at),
        changed: words.stamp(record.updated_at),
        took: took(command.requested_at, end),
        until: words.stamp(command.not_after),
        values: record.outcome.as_ref().map(values).unwrap_or_default(),
    })
}

/// The values that came back, as the desk arranged them: a list of `name` and `text`.
fn values(outcome: &serde_json::Value) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value, key: &str| value[key].as_str().map(str::to_owned);
    let list = outcome.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .filter_map(|value| Some((crate::fmt::heading(&text(value, "name")?), text(value, "text")?)))
        .take(VALUES)
        .collect()
}

/// The record of a command number in a path.
pub(crate) fn find(ctx: &Ctx, id: &str) -> Result<CommandRecord, WebError> {
    let missing = || WebError::NotFound("command".to_owned());
    let id: CommandId = id.parse().map_err(|_| missing())?;
    let desk = Desk::new(ctx.app.mdm.store().clone());
    desk.command(id).map_err(|error| WebError::internal(&error))?.ok_or_else(missing)
}

/// `GET /ops/commands/{id}`
pub(crate) async fn get(ctx: Ctx, Path(id): Path<String>) -> Result<Markup, WebError> {
    let view = ctx.blocking(move |ctx| view(ctx, &find(ctx, &id)?)).await?;
    let mut frame = ctx.frame(format!("{} {}", view.action, view.serial), "/ops/commands");
    frame.api = Some(format!("/api/v1/commands/{}", view.id));
    frame.refresh_secs = (!view.state.is_final()).then_some(2);
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: Some("/ops/commands"), text: "Commands".to_owned() },
        Crumb { href: None, text: format!("Command {}", view.id) },
    ];
    Ok(ui::ops(&frame, &crumbs, &main(&view)))
}

fn main(view: &View) -> Markup {
    let live = (!view.state.is_final()).then(|| format!("/ops/commands/{}/live", view.id));
    html! {
        main #main tabindex="-1" {
            div.ttl { div {
                h1 { (view.action) }
                p { "Meter " a href=(view.meter_href) { (view.serial) } }
            } }
            section.panel aria-labelledby="state" {
                div.ph { h2 #state { "State" } }
                div data-state-sse=[live] { (command_view::progress(view)) }
            }
            section.panel aria-labelledby="order" {
                div.ph { h2 #order { "Order" } }
                dl.facts.pb {
                    @for (name, value) in [("Asked by", &view.by), ("Reason", &view.reason), ("Asked at", &view.asked), ("Void after", &view.until), ("Last change", &view.changed)] {
                        div { dt { (name) } dd { (value) } }
                    }
                }
            }
            p { a href=(view.meter_href) { "Back to the meter" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::values;

    #[test]
    fn what_came_back_is_listed_by_name() {
        let outcome = serde_json::json!([{ "name": "clock", "text": "13:37" }, { "name": 7 }, "odd"]);
        assert_eq!(values(&outcome), [("Clock".to_owned(), "13:37".to_owned())]);
        assert!(values(&serde_json::json!({ "name": "no list" })).is_empty());
    }
}
