//! Groups of meters and their load: where meters hang, saved groups, formulas; the sum of each with its coverage.

mod make;
mod view;

use crate::chart::{Bars, Slot, State};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::{self, Measure, Words, query_escape};
use crate::read::{self, failed};
use crate::series;
use crate::ui::{self, Crumb};
use jiff::civil::Date;
use maud::{Markup, html};
use mdm::group::{NotAScope, Scope};
use mdm::load::{Load, LoadDay, LoadSlot};
use model::{ChannelKind, IntervalLength, MeterId};
use operations::Right;
use std::collections::{BTreeMap, BTreeSet};
use view::{Group, GroupRow, List};

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
    let view = ctx.blocking(list).await?;
    let mut frame = ctx.frame("Groups", "/ops/groups");
    frame.api = Some("/api/v1/groups".to_owned());
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: None, text: "Groups".to_owned() },
    ];
    Ok(ui::ops(&frame, &crumbs, &view::list(&view)))
}

fn list(ctx: &Ctx) -> Result<List, WebError> {
    let mdm = &ctx.app.mdm;
    let words = ctx.words();
    let places = mdm.meter_places().map_err(|error| failed(&error))?;
    let saved = mdm.groups().map_err(|error| failed(&error))?;
    let formulas = mdm.virtual_channels().map_err(|error| failed(&error))?;
    let counted = |key: &dyn Fn(&store::MeterPlace) -> Option<String>| {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for name in places.iter().filter_map(key) {
            *counts.entry(name).or_default() += 1;
        }
        counts
    };
    let row = |scope: String, name: String, kind: &str, count: u64| GroupRow {
        href: href(&scope),
        name,
        kind: kind.to_owned(),
        members: fmt::grouped(count),
        note: String::new(),
    };
    let by_name = |prefix: &str, kind: &str, key: &dyn Fn(&store::MeterPlace) -> Option<String>| {
        counted(key)
            .into_iter()
            .map(|(name, count)| row(format!("{prefix}:{name}"), name, kind, count))
            .collect::<Vec<_>>()
    };
    let transformers: BTreeMap<String, u64> = counted(&|place| place.transformer.map(|id| id.to_string()));
    let irons = read::look(ctx, |store| {
        let mut rows = Vec::new();
        for (id, count) in &transformers {
            let name = match id.parse().ok() {
                Some(number) => store.transformer(number)?.map(|iron| iron.name),
                None => None,
            };
            rows.push((id.clone(), name.unwrap_or_else(|| id.clone()), *count));
        }
        Ok(rows)
    })?;
    let everybody = u64::try_from(places.len()).unwrap_or(0);
    let kinds = vec![
        ("Whole system", vec![row("system".to_owned(), "System load".to_owned(), "every meter", everybody)]),
        ("Saved groups", saved.iter().map(|group| saved_row(ctx, &words, group)).collect()),
        ("Formulas", formulas.iter().map(|it| formula_row(&words, it)).collect()),
        ("Substations", by_name("substation", "substation", &|place| place.substation.clone())),
        ("Feeders", by_name("feeder", "feeder", &|place| place.feeder.clone())),
        ("Rate classes", by_name("rate_class", "rate class", &|place| place.rate_class.clone())),
        (
            "Transformers",
            irons
                .into_iter()
                .map(|(id, name, count)| row(format!("transformer:{id}"), name, "transformer", count))
                .collect(),
        ),
    ];
    Ok(List {
        summary:
            "The load of meters that belong together, interval by interval, with how much of it was read."
                .to_owned(),
        kinds,
        may_make: ctx.may(Right::EditReadings),
        done: ctx.param("done").map(|name| format!("The group {name} is kept.")),
    })
}

fn saved_row(ctx: &Ctx, words: &Words, group: &store::MeterGroup) -> GroupRow {
    let scope = Scope::Group(group.id);
    let members = ctx.app.mdm.members(&scope).ok().flatten().map_or(0, |members| members.len());
    GroupRow {
        href: href(&format!("group:{}", group.id)),
        name: group.name.clone(),
        kind: if group.rule.contains("\"filter\"") { "filter" } else { "list" }.to_owned(),
        members: fmt::grouped(u64::try_from(members).unwrap_or(0)),
        note: format!("changed {}", words.ago(group.changed_at)),
    }
}

fn formula_row(words: &Words, it: &mdm::virtual_channel::VirtualChannel) -> GroupRow {
    GroupRow {
        href: format!(
            "/api/v1/virtual-channels/{}/days/{}",
            it.id,
            words.today().yesterday().unwrap_or(words.today())
        ),
        name: it.name.clone(),
        kind: "formula over channels, as data".to_owned(),
        members: "–".to_owned(),
        note: it.reason.clone(),
    }
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
    let members = ctx.app.mdm.members(scope).map_err(|error| failed(&error))?;
    let members = members.ok_or_else(|| WebError::NotFound("group".to_owned()))?;
    let (name, what) = named(ctx, text, scope)?;
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
    Ok(Group {
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

fn named(ctx: &Ctx, text: &str, scope: &Scope) -> Result<(String, &'static str), WebError> {
    let rest = text.split_once(':').map_or(text, |(_, name)| name).to_owned();
    read::look(ctx, |store| {
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
            Scope::Group(id) => (store.group(*id)?.map_or(rest, |it| it.name), "A saved group"),
            Scope::Meters(_) => ("Chosen meters".to_owned(), "Meters chosen one by one"),
        })
    })
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
