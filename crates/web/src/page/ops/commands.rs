//! The latest commands, of all meters or of one.

use super::command::action_words;
use super::command_view::badge;
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read;
use crate::ui::{self, Crumb, Icon, empty};
use maud::{Markup, html};
use model::MeterId;
use model::command::CommandState;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use store::CommandRecord;

/// How many are listed.
const LISTED: u32 = 50;

struct Row {
    id: u32,
    action: String,
    meter: u32,
    serial: String,
    state: CommandState,
    detail: String,
    asked: String,
}

/// The latest commands, newest first; with `meter` only its.
pub(crate) fn latest(ctx: &Ctx, meter: Option<MeterId>) -> Result<Vec<CommandRecord>, WebError> {
    let found = ctx.app.mdm.store().read(|read| match meter {
        Some(meter) => read.commands_of(meter, LISTED),
        None => read.latest_commands(LISTED),
    });
    found.map_err(|error: store::StoreError| WebError::internal(&error))
}

fn rows(ctx: &Ctx, records: &[CommandRecord]) -> Result<Vec<Row>, WebError> {
    let mut serials: BTreeMap<MeterId, String> = BTreeMap::new();
    for record in records {
        let meter = record.command.meter;
        if let Entry::Vacant(place) = serials.entry(meter) {
            let found = read::look(ctx, |read| read.meter(meter))?;
            place.insert(found.map_or_else(|| meter.to_string(), |meter| meter.serial.to_string()));
        }
    }
    let row = |record: &CommandRecord| Row {
        id: record.command.id.get(),
        action: action_words(ctx, record.command.action),
        meter: record.command.meter.get(),
        serial: serials.get(&record.command.meter).cloned().unwrap_or_default(),
        state: record.state,
        detail: record.detail.clone(),
        asked: ctx.words().stamp(record.command.requested_at),
    };
    Ok(records.iter().map(row).collect())
}

/// `GET /ops/commands?meter=`
pub(crate) async fn get(ctx: Ctx) -> Result<Markup, WebError> {
    let meter = ctx.param("meter").map(|id| read::meter_id(&id)).transpose()?;
    let rows = ctx.blocking(move |ctx| rows(ctx, &latest(ctx, meter)?)).await?;
    let mut frame = ctx.frame("Commands", "/ops/commands");
    frame.api =
        Some(meter.map_or("/api/v1/commands".to_owned(), |id| format!("/api/v1/commands?meter={id}")));
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: None, text: "Commands".to_owned() },
    ];
    Ok(ui::ops(&frame, &crumbs, &main(&rows, meter)))
}

fn main(rows: &[Row], meter: Option<MeterId>) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl { div {
                h1 { "Commands" }
                p {
                    @if meter.is_some() { "Those of one meter, newest first. " a href="/ops/commands" { "Show all" } }
                    @else { "The latest, newest first." }
                }
            } }
            section.panel.feed aria-label="Commands" {
                @if rows.is_empty() {
                    (empty(Icon::Ping, "No commands yet", "Ping or read a meter from its page."))
                } @else {
                    div.scroll tabindex="0" role="region" aria-label="Commands" { table role="table" {
                        thead role="rowgroup" { tr role="row" { @for name in ["Command", "Meter", "State", "Outcome", "Asked"] { th role="columnheader" scope="col" { (name) } } } }
                        tbody role="rowgroup" { @for row in rows { tr role="row" {
                            th scope="row" role="rowheader" { a href=(format!("/ops/commands/{}", row.id)) { (row.action) } }
                            td role="cell" { a href=(format!("/ops/meters/{}", row.meter)) { (row.serial) } }
                            td role="cell" { (badge(row.state)) }
                            td.det role="cell" { (row.detail) }
                            td.t role="cell" { (row.asked) }
                        } } }
                    } }
                }
            }
        }
    }
}
