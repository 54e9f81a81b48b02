//! Making a group or changing one: conditions that hold on the day, a filter of the fleet, or a list of serial numbers.

use super::view::{self, Choice, New};
use super::{href, sentence};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::{self, query_escape};
use crate::page::ops::definition::day;
use crate::read::{self, failed};
use crate::ui::{self, Crumb};
use axum::Form;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use mdm::dated::Change;
use mdm::group::{GroupFilter, GroupRule, SavedGroup};
use model::{Commodity, GroupId, MeterId};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use store::{FleetFilter, FleetSort};

/// What the form sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wish {
    name: String,
    commodity: String,
    substation: String,
    feeder: String,
    rate_class: String,
    model: String,
    text: String,
    serials: String,
    from: String,
    reason: String,
    /// Not empty when only to look.
    look: String,
    /// The group that is changed.
    of: String,
}

const COMMODITIES: [(&str, Commodity); 3] =
    [("electricity", Commodity::Electricity), ("gas", Commodity::Gas), ("water", Commodity::Water)];

impl Wish {
    fn filter(&self) -> GroupFilter {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let commodity = COMMODITIES.iter().find(|(name, _)| *name == self.commodity);
        GroupFilter {
            commodity: commodity.map(|(_, commodity)| *commodity),
            substation: some(&self.substation),
            feeder: some(&self.feeder),
            rate_class: some(&self.rate_class),
            model: some(&self.model),
            ..GroupFilter::default()
        }
    }
}

fn page(ctx: &Ctx, view: &New) -> Markup {
    let title = if view.of.is_some() { "Change a group" } else { "New group" };
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: Some("/ops/groups"), text: "Groups".to_owned() },
        Crumb { href: None, text: title.to_owned() },
    ];
    ui::ops(&ctx.frame(title, "/ops/groups"), &crumbs, &view::new(view))
}

/// `GET /ops/groups/new`, with `of=` for changing one.
pub(crate) async fn get(ctx: Ctx) -> Result<Markup, WebError> {
    let view = ctx
        .blocking(|ctx| {
            let text = ctx.param("q").unwrap_or_default();
            let Some(id) = ctx.param("of").and_then(|id| id.parse().ok()).map(GroupId::new) else {
                return form(ctx, Wish { text, ..Wish::default() });
            };
            let group = known(ctx, id)?;
            let mut wish =
                Wish { of: id.to_string(), from: ctx.words().today().to_string(), ..Wish::default() };
            match group.versions.iter().rev().find_map(|one| one.is.as_ref()) {
                Some(GroupRule::Filter(filter)) => fill(&mut wish, filter),
                Some(GroupRule::List(meters)) => wish.serials = serials(ctx, meters)?,
                None => {}
            }
            wish.name = group.name;
            form(ctx, wish)
        })
        .await?;
    Ok(page(&ctx, &view))
}

fn fill(wish: &mut Wish, filter: &GroupFilter) {
    let some = |name: &Option<String>| name.clone().unwrap_or_default();
    let commodity = COMMODITIES.iter().find(|(_, one)| Some(*one) == filter.commodity);
    wish.commodity = commodity.map_or("", |(name, _)| name).to_owned();
    wish.substation = some(&filter.substation);
    wish.feeder = some(&filter.feeder);
    wish.rate_class = some(&filter.rate_class);
    wish.model = some(&filter.model);
}

fn serials(ctx: &Ctx, meters: &[MeterId]) -> Result<String, WebError> {
    let found =
        read::look(ctx, |store| meters.iter().map(|id| store.meter(*id)).collect::<Result<Vec<_>, _>>())?;
    Ok(found.into_iter().flatten().map(|meter| meter.serial.to_string()).collect::<Vec<_>>().join("\n"))
}

fn known(ctx: &Ctx, id: GroupId) -> Result<SavedGroup, WebError> {
    let found = ctx.app.mdm.saved_group(id).map_err(|error| failed(&error))?;
    found.ok_or_else(|| WebError::NotFound("group".to_owned()))
}

/// The form with the values that there are to choose from.
fn form(ctx: &Ctx, wish: Wish) -> Result<New, WebError> {
    let mut values: [BTreeSet<String>; 4] = Default::default();
    let gather = |place: &mdm::group::MeterPlace<'_>| {
        let names = [place.substation, place.feeder, place.rate_class, Some(place.model)];
        for (values, name) in values.iter_mut().zip(names) {
            if let Some(name) = name.filter(|name| !values.contains(*name)) {
                values.insert(name.to_owned());
            }
        }
    };
    ctx.app.mdm.each_place(ctx.now, gather).map_err(|error| failed(&error))?;
    let choices = |values: BTreeSet<String>, chosen: &str| -> Vec<Choice> {
        values.into_iter().map(|value| (value.clone(), value == chosen)).collect()
    };
    let [substations, feeders, classes, models] = values;
    let commodities = COMMODITIES.iter().map(|(name, _)| (*name).to_owned()).collect();
    Ok(New {
        conditions: vec![
            ("commodity", "Measures", choices(commodities, &wish.commodity)),
            ("substation", "Substation", choices(substations, &wish.substation)),
            ("feeder", "Feeder", choices(feeders, &wish.feeder)),
            ("rate_class", "Rate class", choices(classes, &wish.rate_class)),
            ("model", "Meter model", choices(models, &wish.model)),
        ],
        of: Some(wish.of).filter(|of| !of.is_empty()),
        name: wish.name,
        text: wish.text,
        serials: wish.serials,
        from: wish.from,
        reason: wish.reason,
        found: None,
        refused: None,
    })
}

/// `POST /ops/groups`
pub(crate) async fn post(ctx: Ctx, Form(wish): Form<Wish>) -> Result<Response, WebError> {
    let done = ctx.blocking(move |ctx| make(ctx, wish)).await?;
    match done {
        Ok(id) => {
            let done = query_escape("The group is kept with your reason.");
            Ok(Redirect::to(&format!("{}&done={done}", href(&format!("group:{id}")))).into_response())
        }
        Err(view) => Ok(page(&ctx, &view).into_response()),
    }
}

/// The group that was kept, or the form again with what was found or what is wrong.
fn make(ctx: &Ctx, wish: Wish) -> Result<Result<GroupId, New>, WebError> {
    let refused = |wish: Wish, why: String| Ok(Err(New { refused: Some(why), ..form(ctx, wish)? }));
    let from = match day(&wish.from) {
        Ok(from) => from,
        Err(why) => return refused(wish, why),
    };
    let (rule, count) = match rule(ctx, &wish)? {
        Ok(found) => found,
        Err(why) => return refused(wish, why),
    };
    if !wish.look.is_empty() {
        let count = fmt::counted(u64::try_from(count).unwrap_or(0), "meter");
        let found = Some(format!("{}: {count} today.", sentence(&rule)));
        return Ok(Err(New { found, ..form(ctx, wish)? }));
    }
    let name = match wish.of.parse().map(GroupId::new) {
        Ok(id) => known(ctx, id)?.name,
        Err(_) => {
            let name = wish.name.trim().to_owned();
            let all = ctx.app.mdm.groups().map_err(|error| failed(&error))?;
            if all.iter().any(|group| group.name == name) {
                let why = format!("There is a group {name} already; take another name, or change that one.");
                return refused(wish, why);
            }
            name
        }
    };
    let change = Change { now: ctx.now, user: ctx.person()?.id, from, reason: &wish.reason };
    let done = ctx.app.mdm.put_group(&change, &name, &rule).map_err(|error| failed(&error))?;
    match done {
        Ok(id) => Ok(Ok(id)),
        Err(why) => refused(wish, why.to_string()),
    }
}

/// Whom the form means, and how many meters that is today; or what is wrong.
fn rule(ctx: &Ctx, wish: &Wish) -> Result<Result<(GroupRule, usize), String>, WebError> {
    let filter = wish.filter();
    let listed = !wish.text.trim().is_empty() || !wish.serials.trim().is_empty();
    match (filter == GroupFilter::default(), listed) {
        (true, false) => Ok(Err("Choose a condition, search, or list serial numbers.".to_owned())),
        (false, true) => Ok(Err("Either conditions or meters chosen one by one, not both.".to_owned())),
        (false, false) => {
            let mut count = 0;
            let add = |place: &mdm::group::MeterPlace<'_>| count += usize::from(filter.fits(place));
            ctx.app.mdm.each_place(ctx.now, add).map_err(|error| failed(&error))?;
            Ok(Ok((GroupRule::Filter(filter), count)))
        }
        (true, true) => Ok(match members(ctx, wish)? {
            Ok(members) if members.is_empty() => {
                Err("No meter fits; search for less, or list serial numbers.".to_owned())
            }
            Ok(members) => {
                let count = members.len();
                Ok((GroupRule::List(members), count))
            }
            Err(why) => Err(why),
        }),
    }
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
        let serial = serial.trim();
        // A retired meter is in no list of the fleet, but may have been in the group.
        let retired = || read::look(ctx, |store| store.meter_by_serial(&model::Serial::new(serial)));
        let meter = match known.get(serial) {
            Some(meter) => Some(*meter),
            None => retired()?.map(|meter| meter.id),
        };
        match meter {
            Some(meter) => found.push(meter),
            None => return Ok(Err(format!("Line {}: no meter has the serial number {serial}.", line + 1))),
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(Ok(found))
}
