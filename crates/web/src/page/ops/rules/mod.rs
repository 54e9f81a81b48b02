//! The rule sets: what is in force, who put it there and why, and what another threshold would have done.

pub(crate) mod group;
mod thresholds;
mod view;

use super::bench::ask::bench_href;
use super::vee::words;
use crate::access::Access;
use crate::api::rules::LONGEST_TRIAL;
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::{self, Words};
use crate::read::{failed, look};
use crate::ui::{self, Chip, Crumb};
use axum::Form;
use axum::response::{IntoResponse, Redirect, Response};
use group::NewGroup;
use jiff::ToSpan;
use jiff::civil::Date;
use maud::Markup;
use mdm::what_if::{EffectSample, RuleEffect, WhatIf};
use operations::Right;
use vee::{Group, RuleBook};
use view::{Effect, EffectRow, GroupCard, SetRow, View};

/// How far back another threshold is tried, in days: a month.
const BACK: i64 = 30;
/// Examples shown of each rule.
const SAMPLES: usize = 3;
/// Digits of a hash that are shown.
const HASH: usize = 12;

/// `GET /ops/rules`, with `try=1` and thresholds for what they would have done.
pub(crate) async fn get(ctx: Ctx) -> Result<Markup, WebError> {
    let view = ctx
        .blocking_until(LONGEST_TRIAL, |ctx, go_on| view(ctx, &|name| ctx.param(name), None, go_on))
        .await?;
    Ok(page(&ctx, &view))
}

fn page(ctx: &Ctx, view: &View) -> Markup {
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: None, text: "Rules".to_owned() },
    ];
    ui::ops(&ctx.frame("Rules", "/ops/rules"), &crumbs, &view::main(view))
}

fn view(
    ctx: &Ctx,
    param: &dyn Fn(&str) -> Option<String>,
    refused: Option<String>,
    go_on: &dyn Fn() -> bool,
) -> Result<View, WebError> {
    let mdm = &ctx.app.mdm;
    let new = NewGroup::of(param);
    let trying = param("try").is_some();
    let standing = mdm.book_on(ctx.words().today()).map_err(|error| failed(&error))?;
    let drafted = new.as_ref().map(|new| new.draft(&standing));
    let (book, group, wrong) = match drafted {
        Some(Ok(book)) => {
            let last = book.groups().len().checked_sub(1);
            (book, last, None)
        }
        Some(Err(why)) => (standing.clone(), None, Some(why)),
        None => (standing.clone(), chosen(&standing, param), None),
    };
    let tried = thresholds::tried(&book, group, param).map_err(|error| WebError::internal(&error))?;
    let trying = trying && wrong.is_none();
    let refused = refused.or(wrong.filter(|_| param("try").is_some()));
    let mut refused = refused;
    let mut effect = None;
    if trying && !tried.wrong() {
        let today = ctx.words().today();
        let from = today.checked_sub(BACK.days()).unwrap_or(today);
        match mdm.what_if(ctx.now, &tried.toml, (from, today), go_on).map_err(|error| failed(&error))? {
            Ok(found) => effect = Some(effect_view(ctx, &tried, new.as_ref(), &found)),
            Err(why) => refused = Some(format!("These thresholds are refused: {why}.")),
        }
    }
    Ok(View {
        summary: format!(
            "Rule set {} judges today's readings. It has {} with other thresholds.",
            short(&book.hash().to_string()),
            fmt::counted(u64::try_from(standing.groups().len()).unwrap_or(0), "group")
        ),
        groups: if new.is_some() { Vec::new() } else { chips(&book, group) },
        group: group
            .filter(|_| new.is_none())
            .and_then(|index| book.groups().get(index))
            .map(|group| group.name.clone())
            .unwrap_or_default(),
        ends: group
            .filter(|_| new.is_none() && ctx.may(Right::SetRules))
            .and_then(|index| book.groups().get(index))
            .is_some_and(|group| group.to.is_none_or(|to| to > ctx.words().today())),
        today: ctx.words().today().to_string(),
        differing: standing.groups().iter().map(differing).collect(),
        new,
        sets: sets(ctx)?,
        rules: tried.cards,
        refused,
        effect,
        may_set: ctx.may(Right::SetRules),
        only: Access::With(Right::SetRules).sentence(),
        done: param("done").map(|hash| format!("Rule set {} is on record with your reason.", short(&hash))),
    })
}

/// Which group's thresholds are shown: that of the field `group`, everybody's without it.
fn chosen(book: &RuleBook, param: &dyn Fn(&str) -> Option<String>) -> Option<usize> {
    let name = param("group")?;
    book.groups().iter().position(|group| group.name == name)
}

fn group_href(name: &str) -> String {
    format!("/ops/rules?group={}", fmt::query_escape(name))
}

fn chips(book: &RuleBook, chosen: Option<usize>) -> Vec<Chip> {
    let everybody =
        Chip { href: "/ops/rules".to_owned(), label: "Everybody".to_owned(), current: chosen.is_none() };
    let one = |(index, group): (usize, &Group)| Chip {
        href: group_href(&group.name),
        label: group.name.clone(),
        current: chosen == Some(index),
    };
    std::iter::once(everybody).chain(book.groups().iter().enumerate().map(one)).collect()
}

fn differing(group: &Group) -> GroupCard {
    let (whom, differs) = thresholds::group(group);
    GroupCard { name: group.name.clone(), href: group_href(&group.name), whom, differs }
}

fn short(hash: &str) -> String {
    hash.chars().take(HASH).collect()
}

fn sets(ctx: &Ctx) -> Result<Vec<SetRow>, WebError> {
    let words: Words = ctx.words();
    let all = ctx.app.mdm.activations().map_err(|error| failed(&error))?;
    let today = words.today();
    let standing = all.iter().rposition(|active| active.from <= today);
    let mut rows = Vec::new();
    for (index, active) in all.iter().enumerate().rev() {
        let who = look(ctx, |store| store.user(active.user))?;
        rows.push(SetRow {
            group: "Everybody".to_owned(),
            since: format!("For days from {}", words.long(active.from)),
            hash: short(&active.hash),
            who: who.map_or_else(|| active.user.to_string(), |user| user.display_name),
            why: format!("{} ({})", active.reason, words.stamp(active.activated_at)),
            current: standing == Some(index),
        });
    }
    Ok(rows)
}

fn effect_view(ctx: &Ctx, tried: &thresholds::Tried, new: Option<&NewGroup>, found: &WhatIf) -> Effect {
    let mut rules: Vec<&RuleEffect> = found.rules.iter().collect();
    rules.sort_by_key(|rule| core::cmp::Reverse(rule.would.abs_diff(rule.now)));
    let (now, would) = rules.iter().fold((0, 0), |(now, would), rule| (now + rule.now, would + rule.would));
    let whole = if found.complete {
        ""
    } else {
        " Not all days could be judged, so the numbers are lower than they would be."
    };
    let changed = rules.iter().any(|rule| rule.now != rule.would || !rule.samples.is_empty());
    Effect {
        sentence: format!(
            "In the last {BACK} days, {} of {}: {} with the rules in force, {} with those tried.{whole}",
            fmt::counted(u64::try_from(found.channel_days).unwrap_or(0), "channel day"),
            fmt::counted(u64::try_from(found.meters).unwrap_or(0), "meter"),
            fmt::counted(now, "finding"),
            fmt::grouped(would)
        ),
        rows: if changed {
            rules.into_iter().map(|rule| effect_row(ctx, rule)).collect()
        } else {
            Vec::new()
        },
        fields: new.map(NewGroup::fields).into_iter().flatten().chain(tried.changed.clone()).collect(),
        from: ctx.words().today().to_string(),
    }
}

fn effect_row(ctx: &Ctx, rule: &RuleEffect) -> EffectRow {
    let change = i64::try_from(rule.would).unwrap_or(0) - i64::try_from(rule.now).unwrap_or(0);
    let sign = if change > 0 { "+" } else { "" };
    let may = ctx.may(Right::SeeAnyUsage);
    let sample = |it: &EffectSample| {
        let href = bench_href(it.meter, it.kind, it.date, None);
        (href, format!("{} {}", if it.appears { "new:" } else { "gone:" }, fmt::short(it.date)))
    };
    EffectRow {
        rule: words::rule(rule.rule.name()).0,
        counts: (fmt::grouped(rule.now), fmt::grouped(rule.would)),
        change: format!("{sign}{}", fmt::decimal(change, 0, 0)),
        samples: if may { rule.samples.iter().take(SAMPLES).map(sample).collect() } else { Vec::new() },
    }
}

/// `POST /ops/rules`: puts what was tried in force, with a reason and the first day that it judges.
pub(crate) async fn post(ctx: Ctx, Form(fields): Form<Vec<(String, String)>>) -> Result<Response, WebError> {
    let param = params(fields);
    let done = ctx
        .blocking_until(LONGEST_TRIAL, move |ctx, go_on| match activate(ctx, &param)? {
            Ok(hash) => Ok(Ok(hash)),
            Err(why) => {
                let again = |name: &str| if name == "try" { Some("1".to_owned()) } else { param(name) };
                Ok(Err(view(ctx, &again, Some(why), go_on)?))
            }
        })
        .await?;
    match done {
        Ok(hash) => Ok(Redirect::to(&format!("/ops/rules?done={hash}")).into_response()),
        Err(view) => Ok(page(&ctx, &view).into_response()),
    }
}

/// The fields of a form by name; what is empty counts as not there.
fn params(fields: Vec<(String, String)>) -> impl Fn(&str) -> Option<String> {
    move |name: &str| {
        let value =
            fields.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned());
        value.filter(|value| !value.is_empty())
    }
}

fn activate(ctx: &Ctx, param: &dyn Fn(&str) -> Option<String>) -> Result<Result<String, String>, WebError> {
    let mut book = ctx.app.mdm.book_on(ctx.words().today()).map_err(|error| failed(&error))?;
    let mut group = chosen(&book, param);
    if let Some(new) = NewGroup::of(param) {
        book = match new.draft(&book) {
            Ok(book) => book,
            Err(why) => return Ok(Err(why)),
        };
        group = book.groups().len().checked_sub(1);
    }
    let tried = thresholds::tried(&book, group, param).map_err(|error| WebError::internal(&error))?;
    if tried.wrong() {
        return Ok(Err("A threshold is no whole number; it is marked below.".to_owned()));
    }
    if tried.changed.is_empty() {
        return Ok(Err("No threshold differs from those in force; change one first.".to_owned()));
    }
    match first_day(ctx, param) {
        Ok(from) => apply(ctx, &tried.toml, from, param),
        Err(why) => Ok(Err(why)),
    }
}

/// The first day of the field `from`, today at the earliest.
fn first_day(ctx: &Ctx, param: &dyn Fn(&str) -> Option<String>) -> Result<Date, String> {
    let from = param("from").and_then(|from| from.parse::<Date>().ok());
    let from = from.ok_or_else(|| "Say from which day on, as in 2026-07-14.".to_owned())?;
    if from < ctx.words().today() {
        return Err(
            "Rules can be put in force from today on; days that are judged already stay as they are."
                .to_owned(),
        );
    }
    Ok(from)
}

/// Puts a rules file in force for the days from `from` on, with the reason of the field `note`.
fn apply(
    ctx: &Ctx,
    toml: &str,
    from: Date,
    param: &dyn Fn(&str) -> Option<String>,
) -> Result<Result<String, String>, WebError> {
    let note = param("note").unwrap_or_default();
    let user = ctx.person()?.id;
    let done =
        ctx.app.mdm.activate_rules(ctx.now, user, toml, from, &note).map_err(|error| failed(&error))?;
    Ok(done.map_err(|why| why.to_string()))
}
