//! Groups of meters and their load: where meters hang, saved groups, formulas; the sum of each with its coverage.

mod list;
mod make;
mod view;

use crate::chart::{Bars, Slot, State};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::{self, Measure, Words, query_escape};
use crate::page::ops::definition::{self, Retirement};
use crate::read::{self, failed};
use crate::series;
use crate::ui::{self, Crumb};
use axum::Form;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::Date;
use maud::{Markup, html};
use mdm::dated::Change;
use mdm::group::{GroupFilter, GroupRule, NotAScope, SavedGroup, Scope};
use mdm::load::{Load, LoadDay, LoadSlot};
use model::{ChannelKind, GroupId, IntervalLength, MeterId};
use operations::Right;
use std::collections::BTreeSet;
use view::Group;

pub(crate) use make::{get as new, post};

/// Members named on the page of a group.
const NAMED: usize = 20;
/// A sum over fewer meters tells what single people use.
const FEWEST: usize = 5;

fn href(scope: &str) -> String {
    format!("/ops/groups/load?scope={}", query_escape(scope))
}

/// `GET /ops/groups`
pub(crate) async fn get(ctx: Ctx) -> Result<Markup, WebError> {
    let view = ctx.blocking(list::view).await?;
    let mut frame = ctx.frame("Groups", "/ops/groups");
    frame.api = Some("/api/v1/groups".to_owned());
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: None, text: "Groups".to_owned() },
    ];
    Ok(ui::ops(&frame, &crumbs, &view::list(&view)))
}

/// `GET /ops/groups/load?scope=&date=`
pub(crate) async fn load(ctx: Ctx) -> Result<Markup, WebError> {
    let text = ctx.param("scope").unwrap_or_else(|| "system".to_owned());
    let scope: Scope = text.parse().map_err(|error: NotAScope| WebError::Unclear(error.to_string()))?;
    let today = ctx.words().today();
    let date = read::date_param(&ctx).unwrap_or_else(|| today.yesterday().unwrap_or(today));
    let asked = text.clone();
    let view = ctx.blocking(move |ctx| group(ctx, &asked, &scope, date)).await?;
    let mut frame = ctx.frame(view.name.clone(), "/ops/groups");
    frame.api = Some(format!("/api/v1/load?scope={}&from={date}", query_escape(&text)));
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: Some("/ops/groups"), text: "Groups".to_owned() },
        Crumb { href: None, text: view.name.clone() },
    ];
    Ok(ui::ops(&frame, &crumbs, &view::group(&view)))
}

/// The sum of a day of a scope, in the measure that its meters count.
fn sum(
    ctx: &Ctx,
    scope: &Scope,
    date: Date,
    interval: Option<IntervalLength>,
) -> Result<Result<Load, String>, WebError> {
    let next = date.tomorrow().unwrap_or(date);
    let found = ctx
        .app
        .mdm
        .load(scope, mdm::load::Measure::NetEnergy, (date, next), interval)
        .map_err(|error| failed(&error))?;
    Ok(found.map_err(|refusal| refusal.to_string()))
}

fn group(ctx: &Ctx, text: &str, scope: &Scope, date: Date) -> Result<Group, WebError> {
    let words = ctx.words();
    let saved = match scope {
        Scope::Group(id) => {
            let found = ctx.app.mdm.saved_group(*id).map_err(|error| failed(&error))?;
            Some(found.ok_or_else(|| WebError::NotFound("group".to_owned()))?)
        }
        _ => None,
    };
    let members = ctx.app.mdm.members(scope, date).map_err(|error| failed(&error))?.unwrap_or_default();
    let (name, what) = named(ctx, text, scope, saved.as_ref(), date)?;
    let few = members.len() < FEWEST && !ctx.may(Right::SeeAnyUsage);
    let load = sum(ctx, scope, date, None)?;
    let day = load.as_ref().ok().and_then(|load| load.days.first().map(|day| (load, day)));
    let step = |date: Result<Date, jiff::Error>| {
        let date = date.ok().filter(|date| *date <= words.today())?;
        Some(format!("{}&date={date}", href(text)))
    };
    let (chart, facts, table) = match (few, &load, day) {
        (true, ..) => (
            Err(format!(
                "A sum over fewer than {FEWEST} meters tells what single people use; your role does not see that."
            )),
            Vec::new(),
            None,
        ),
        (false, Err(why), _) => (Err(why.clone()), Vec::new(), None),
        (false, Ok(_), Some((load, day))) if day.slots.iter().any(|slot| slot.read + slot.estimated > 0) => {
            (Ok(chart(load, day, &words, 300.0)), facts(load, day), Some(table(load, day, &words)))
        }
        _ => (Err("Nothing of this day is known of these meters.".to_owned()), Vec::new(), None),
    };
    let (named, more) = people(ctx, &members)?;
    let history = saved.as_ref().map(|group| definition::history(ctx, group, sentence)).transpose()?;
    let may = ctx.may(Right::EditReadings);
    Ok(Group {
        edit: saved.as_ref().filter(|_| may).map(|group| format!("/ops/groups/new?of={}", group.id)),
        retire: saved
            .as_ref()
            .filter(|group| may && group.on(words.today()).is_some())
            .map(|group| (format!("/ops/groups/{}/retire", group.id), words.today())),
        history: history.unwrap_or_default(),
        done: ctx.param("done"),
        name,
        what: format!("{what}, {}.", fmt::counted(u64::try_from(members.len()).unwrap_or(0), "meter")),
        title: words.long(date),
        steps: (step(date.yesterday()), step(date.tomorrow())),
        chart,
        facts,
        table,
        members: if matches!(scope, Scope::System) { Vec::new() } else { named },
        more,
    })
}

fn named(
    ctx: &Ctx,
    text: &str,
    scope: &Scope,
    saved: Option<&SavedGroup>,
    date: Date,
) -> Result<(String, String), WebError> {
    if let Some(group) = saved {
        let what = group.meaning(date).map_or_else(|| "No group on this day".to_owned(), sentence);
        return Ok((group.name.clone(), what));
    }
    let rest = text.split_once(':').map_or(text, |(_, name)| name).to_owned();
    let (name, what) = read::look(ctx, |store| {
        Ok(match scope {
            Scope::System => {
                ("System load".to_owned(), "What all electricity meters take, less what they send back")
            }
            Scope::Transformer(id) => {
                (store.transformer(*id)?.map_or(rest, |iron| iron.name), "The meters behind a transformer")
            }
            Scope::Feeder(_) => (format!("Feeder {rest}"), "The meters on a feeder"),
            Scope::Substation(_) => (format!("Substation {rest}"), "The meters of a substation"),
            Scope::RateClass(_) => (format!("Rate {rest}"), "The meters of a rate class"),
            Scope::Collector(id) => {
                (store.collector(*id)?.map_or(rest, |it| it.name), "The meters behind a collector")
            }
            Scope::Group(_) => (rest, "A saved group"),
            Scope::Meters(_) => ("Chosen meters".to_owned(), "Meters chosen one by one"),
        })
    })?;
    Ok((name, what.to_owned()))
}

/// Whom a saved group means, without a stop.
fn sentence(rule: &GroupRule) -> String {
    match rule {
        GroupRule::List(meters) => {
            let count = u64::try_from(meters.len()).unwrap_or(u64::MAX);
            format!("{} chosen one by one", fmt::counted(count, "meter"))
        }
        GroupRule::Filter(filter) => {
            let conditions = conditions(filter);
            if conditions.is_empty() {
                return "Every meter".to_owned();
            }
            format!("Every meter of {} on the day", conditions.join(", "))
        }
    }
}

fn conditions(filter: &GroupFilter) -> Vec<String> {
    let named = |what: &str, name: &Option<String>| name.as_ref().map(|name| format!("{what} {name}"));
    let all = [
        filter.commodity.map(|commodity| {
            match commodity {
                model::Commodity::Electricity => "electricity",
                model::Commodity::Gas => "gas",
                model::Commodity::Water => "water",
            }
            .to_owned()
        }),
        named("model", &filter.model),
        filter.collector.map(|id| format!("collector {id}")),
        filter.transformer.map(|id| format!("transformer {id}")),
        named("feeder", &filter.feeder),
        named("substation", &filter.substation),
        named("rate class", &filter.rate_class),
        named("serial numbers from", &filter.serial_prefix),
    ];
    all.into_iter().flatten().collect()
}

/// `POST /ops/groups/{id}/retire`
pub(crate) async fn retire(
    ctx: Ctx,
    Path(id): Path<String>,
    Form(wish): Form<Retirement>,
) -> Result<Response, WebError> {
    let id = id.parse().map(GroupId::new).map_err(|_| WebError::NotFound("group".to_owned()))?;
    let from = wish.day()?;
    let done = ctx
        .blocking(move |ctx| {
            let change =
                Change { now: ctx.now, user: ctx.person()?.id, from: Some(from), reason: &wish.reason };
            ctx.app.mdm.retire_group(&change, id).map_err(|error| failed(&error))
        })
        .await?;
    done.map_err(|refused| WebError::Refused(refused.to_string()))?;
    let done = query_escape("It is retired; the days before keep it.");
    Ok(Redirect::to(&format!("{}&done={done}", href(&format!("group:{id}")))).into_response())
}

/// A group's members that are named: link, serial number, address; and how many more there are.
type Named = (Vec<(String, String, String)>, u64);

fn people(ctx: &Ctx, members: &BTreeSet<MeterId>) -> Result<Named, WebError> {
    read::look(ctx, |store| {
        let mut named = Vec::new();
        for id in members.iter().take(NAMED) {
            let Some(meter) = store.meter(*id)? else { continue };
            let point = meter.service_point.map(|point| store.service_point(point)).transpose()?.flatten();
            let premise = point.map(|point| store.premise(point.premise)).transpose()?.flatten();
            let address = premise.map_or_else(|| "not installed".to_owned(), |premise| premise.address);
            named.push((format!("/ops/meters/{id}"), meter.serial.to_string(), address));
        }
        Ok((named, u64::try_from(members.len().saturating_sub(NAMED)).unwrap_or(0)))
    })
}

const fn state(slot: &LoadSlot) -> State {
    match slot {
        LoadSlot { read: 0, estimated: 0, .. } => State::Missing,
        LoadSlot { missing: 1.., .. } => State::Partial,
        LoadSlot { estimated: 1.., .. } => State::Estimated,
        _ => State::Measured,
    }
}

fn coverage(slot: &LoadSlot) -> String {
    format!("{} read, {} estimated, {} missing", slot.read, slot.estimated, slot.missing)
}

/// The load of a day; what flows back hangs below the axis.
fn chart(load: &Load, day: &LoadDay, words: &Words, height: f64) -> Markup {
    let measure = Measure::of(ChannelKind::Net);
    let slot = |(index, slot): (usize, &LoadSlot)| {
        let start = day.day.interval_start(load.interval, index);
        let end = day.day.interval_start(load.interval, index + 1);
        Slot {
            tick: series::tick(&day.day, start),
            used: measure.real(slot.total.max(0)),
            text: measure.coarse(slot.total),
            sent: measure.real(slot.total.min(0).saturating_neg()),
            usual: None,
            over: None,
            state: state(slot),
            href: None,
            head: series::span(&day.day, start, end),
            rows: vec![
                ("Load".to_owned(), format!("{}\u{a0}{}", measure.fine(slot.total), measure.unit)),
                ("Channels".to_owned(), coverage(slot)),
            ],
        }
    };
    Bars {
        id: "load".to_owned(),
        label: format!("Load, {}", words.long(day.day.date())),
        unit: measure.unit,
        slots: day.slots.iter().enumerate().map(slot).collect(),
        overlay: None,
        ribbon: Vec::new(),
        height,
    }
    .render()
}

fn facts(load: &Load, day: &LoadDay) -> Vec<(&'static str, String, String)> {
    let measure = Measure::of(ChannelKind::Net);
    let with_unit = |value: i64| format!("{}\u{a0}{}", measure.coarse(value), measure.unit);
    let peak = day.peak().map(|(index, slot)| {
        let start = day.day.interval_start(load.interval, index);
        let end = day.day.interval_start(load.interval, index + 1);
        (with_unit(slot.total), series::span(&day.day, start, end))
    });
    let (value, at) = peak.unwrap_or_else(|| ("–".to_owned(), String::new()));
    let count = |part: fn(&LoadSlot) -> u32| day.slots.iter().map(|slot| u64::from(part(slot))).sum::<u64>();
    let (read, other, missing) =
        (count(|slot| slot.read), count(|slot| slot.estimated), count(|slot| slot.missing));
    let share = (read * 1000).checked_div(read + other + missing).unwrap_or(0);
    vec![
        (
            "In all",
            with_unit(day.total()),
            fmt::counted(u64::try_from(load.channels).unwrap_or(0), "channel"),
        ),
        ("Highest interval", value, at),
        (
            "Read",
            format!("{}\u{a0}%", fmt::decimal(i64::try_from(share).unwrap_or(0), 1, 1)),
            format!("{} estimated, {} missing", fmt::grouped(other), fmt::grouped(missing)),
        ),
    ]
}

fn table(load: &Load, day: &LoadDay, words: &Words) -> Markup {
    let measure = Measure::of(ChannelKind::Net);
    html! {
        table {
            caption.vh { "Load of " (words.long(day.day.date())) }
            thead { tr { th scope="col" { "Time" } th.n scope="col" { "Load, " (measure.unit) } th scope="col" { "Channels" } } }
            tbody { @for (index, slot) in day.slots.iter().enumerate() { tr {
                th scope="row" { (series::span(&day.day, day.day.interval_start(load.interval, index), day.day.interval_start(load.interval, index + 1))) }
                td.n { (measure.fine(slot.total)) } td { (coverage(slot)) }
            } } }
        }
    }
}

/// The system's load of a day in hours, for the overview; nothing where nothing is known.
pub(crate) fn system_load(ctx: &Ctx, date: Date) -> Result<Option<Markup>, WebError> {
    let Ok(load) = sum(ctx, &Scope::System, date, Some(IntervalLength::HOUR))? else { return Ok(None) };
    let Some(day) = load.days.first() else { return Ok(None) };
    let known = day.slots.iter().any(|slot| slot.read + slot.estimated > 0);
    Ok(known.then(|| chart(&load, day, &ctx.words(), 210.0)))
}
