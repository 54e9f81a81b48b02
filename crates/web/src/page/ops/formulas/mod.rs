//! Formulas over channels, which utilities call virtual channels: one with its day and its history, and making one.

mod make;
mod text;
mod view;

use super::definition::{self, Retirement};
use crate::chart::{Bars, Slot, State};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::{self, Measure, Words, query_escape};
use crate::read::{self, failed};
use crate::series;
use crate::ui::{self, Crumb};
use axum::Form;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::Date;
use maud::{Markup, html};
use mdm::dated::Change;
use mdm::read::AsOf;
use mdm::virtual_channel::{VirtualChannel, VirtualDay, WhenMissing};
use model::{Quality, VirtualId};
use operations::Right;

pub(crate) use make::{get as new, post};
pub(crate) use text::Names;

/// The page of one.
pub(crate) fn href(id: VirtualId) -> String {
    format!("/ops/formulas/{id}")
}

fn crumbs(name: &str) -> [Crumb; 3] {
    [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: Some("/ops/groups"), text: "Groups".to_owned() },
        Crumb { href: None, text: name.to_owned() },
    ]
}

fn known(ctx: &Ctx, id: VirtualId) -> Result<VirtualChannel, WebError> {
    let all = ctx.app.mdm.virtual_channels().map_err(|error| failed(&error))?;
    all.into_iter().find(|one| one.id == id).ok_or_else(|| WebError::NotFound("formula".to_owned()))
}

/// `GET /ops/formulas/{id}?date=`
pub(crate) async fn get(ctx: Ctx, Path(id): Path<String>) -> Result<Markup, WebError> {
    let id = id.parse().map(VirtualId::new).map_err(|_| WebError::NotFound("formula".to_owned()))?;
    let today = ctx.words().today();
    let date = read::date_param(&ctx).unwrap_or_else(|| today.yesterday().unwrap_or(today));
    let view = ctx.blocking(move |ctx| one(ctx, id, date)).await?;
    let mut frame = ctx.frame(view.name.clone(), "/ops/groups");
    frame.api = Some(format!("/api/v1/virtual-channels/{id}/days/{date}"));
    Ok(ui::ops(&frame, &crumbs(&view.name), &view::one(&view)))
}

fn one(ctx: &Ctx, id: VirtualId, date: Date) -> Result<view::One, WebError> {
    let found = known(ctx, id)?;
    let words = ctx.words();
    let day = ctx.app.mdm.virtual_day(id, date, AsOf::Latest).map_err(|error| failed(&error))?;
    let names = text::Names::load(ctx)?;
    let step = |date: Result<Date, jiff::Error>| {
        let date = date.ok().filter(|date| *date <= words.today())?;
        Some(format!("{}?date={date}", href(id)))
    };
    let said = |formula: &_| names.sentence(formula);
    let meaning = found.on(date).and_then(|one| one.is.as_ref());
    let missing = meaning.map_or("", |formula| match formula.when_missing {
        WhenMissing::Missing => " Where an input is missing, so is the value.",
        WhenMissing::Zero => " A missing input counts as zero, and the value is questionable.",
    });
    Ok(view::One {
        title: words.long(date),
        what: meaning.map_or_else(
            || "Nothing is computed under this name on this day.".to_owned(),
            |formula| format!("{}.{missing}", names.sentence(formula)),
        ),
        steps: (step(date.yesterday()), step(date.tomorrow())),
        drawn: day.map_or_else(
            || Err("No formula was in force on this day.".to_owned()),
            |day| drawn(&day, &words),
        ),
        history: definition::history(ctx, &found, said)?,
        edit: ctx.may(Right::EditReadings).then(|| format!("/ops/formulas/new?of={id}")),
        retire: found
            .on(words.today())
            .filter(|_| ctx.may(Right::EditReadings))
            .map(|_| (format!("{}/retire", href(id)), words.today())),
        done: ctx.param("done"),
        name: found.name,
    })
}

/// `POST /ops/formulas/{id}/retire`
pub(crate) async fn retire(
    ctx: Ctx,
    Path(id): Path<String>,
    Form(wish): Form<Retirement>,
) -> Result<Response, WebError> {
    let id = id.parse().map(VirtualId::new).map_err(|_| WebError::NotFound("formula".to_owned()))?;
    let from = wish.day()?;
    let done = ctx
        .blocking(move |ctx| {
            let change =
                Change { now: ctx.now, user: ctx.person()?.id, from: Some(from), reason: &wish.reason };
            ctx.app.mdm.retire_virtual(&change, id).map_err(|error| failed(&error))
        })
        .await?;
    done.map_err(|refused| WebError::Refused(refused.to_string()))?;
    let done = query_escape("It is retired; the days before keep it.");
    Ok(Redirect::to(&format!("{}?done={done}", href(id))).into_response())
}

fn state(quality: Quality) -> State {
    if quality.is_missing() {
        State::Missing
    } else if quality.is_estimated() {
        State::Estimated
    } else {
        State::Measured
    }
}

/// A day of a formula: chart, facts and table; or why there is nothing to draw.
fn drawn(day: &VirtualDay, words: &Words) -> Result<view::Drawn, String> {
    let series = &day.series;
    if series.slots.iter().all(|(_, quality)| quality.is_missing()) {
        return Err("Nothing of this day is known: every value lacks an input.".to_owned());
    }
    let measure = Measure::of(series.kind);
    let of = |index: usize| {
        let start = day.day.interval_start(series.interval, index);
        (start, day.day.interval_start(series.interval, index + 1))
    };
    let slot = |(index, (value, quality)): (usize, &(i64, Quality))| {
        let (start, end) = of(index);
        Slot {
            tick: series::tick(&day.day, start),
            used: measure.real((*value).max(0)),
            text: measure.coarse(*value),
            sent: measure.real((*value).min(0).saturating_neg()),
            usual: None,
            over: None,
            state: state(*quality),
            href: None,
            head: series::span(&day.day, start, end),
            rows: vec![
                ("Value".to_owned(), format!("{}\u{a0}{}", measure.fine(*value), measure.unit)),
                ("Quality".to_owned(), word(*quality)),
            ],
        }
    };
    let chart = Bars {
        id: "formula".to_owned(),
        label: format!("Computed, {}", words.long(day.day.date())),
        unit: measure.unit,
        slots: series.slots.iter().enumerate().map(slot).collect(),
        overlay: None,
        ribbon: Vec::new(),
        height: 260.0,
    };
    let there = series.slots.iter().filter(|(_, quality)| !quality.is_missing());
    let total = there.clone().fold(0i64, |sum, (value, _)| sum.saturating_add(*value));
    let missing = series.slots.len() - there.count();
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let inputs = day.inputs.iter().map(|input| match input.version {
        0 => format!("channel {}: nothing", input.channel),
        version => format!("channel {}: version {version}", input.channel),
    });
    let mut facts = Vec::new();
    if series.kind.is_additive() {
        facts.push(("In all", format!("{}\u{a0}{}", measure.coarse(total), measure.unit), String::new()));
    }
    facts.push(("Missing", fmt::counted(number(missing), "interval"), format!("of {}", series.slots.len())));
    let shown: Vec<String> = inputs.take(4).collect();
    let more = day.inputs.len().saturating_sub(shown.len());
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    facts.push((
        "Computed from",
        fmt::counted(number(day.inputs.len()), "channel"),
        shown.join(", ") + &rest,
    ));
    let table = table(day, measure, words);
    Ok(view::Drawn { chart: chart.render(), facts, table })
}

fn table(day: &VirtualDay, measure: Measure, words: &Words) -> Markup {
    let series = &day.series;
    let span = |index: usize| {
        let start = day.day.interval_start(series.interval, index);
        series::span(&day.day, start, day.day.interval_start(series.interval, index + 1))
    };
    html! {
        table {
            caption.vh { "Computed values of " (words.long(day.day.date())) }
            thead { tr { th scope="col" { "Time" } th.n scope="col" { "Value, " (measure.unit) } th scope="col" { "Quality" } } }
            tbody { @for (index, (value, quality)) in series.slots.iter().enumerate() { tr {
                th scope="row" { (span(index)) }
                td.n { @if quality.is_missing() { "–" } @else { (measure.fine(*value)) } } td { (word(*quality)) }
            } } }
        }
    }
}

fn word(quality: Quality) -> String {
    fmt::heading(&quality.class().name().replace('_', " "))
}
