//! The list of groups: by where meters hang, saved ones, formulas.

use super::view::{GroupRow, List};
use super::{href, sentence};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::{self, Words};
use crate::page::ops::formulas::{self, Names};
use crate::read::{self, failed};
use mdm::dated::Dated;
use mdm::group::{MeterPlace, SavedGroup, Scope};
use mdm::virtual_channel::VirtualChannel;
use model::TransformerId;
use operations::Right;
use std::collections::BTreeMap;

/// Everything the list shows.
pub(super) fn view(ctx: &Ctx) -> Result<List, WebError> {
    let mdm = &ctx.app.mdm;
    let words = ctx.words();
    let saved = mdm.groups().map_err(|error| failed(&error))?;
    let formulas = mdm.virtual_channels().map_err(|error| failed(&error))?;
    let names = Names::load(ctx)?;
    let mut counts = Counts::default();
    mdm.each_place(ctx.now, |place| counts.add(place)).map_err(|error| failed(&error))?;
    let row = |scope: String, name: String, kind: &str, count: u64| GroupRow {
        href: href(&scope),
        name,
        kind: kind.to_owned(),
        members: fmt::grouped(count),
        note: String::new(),
    };
    let by_name = |prefix: &str, kind: &str, counts: &BTreeMap<String, u64>| {
        let counts = counts.iter();
        counts
            .map(|(name, count)| row(format!("{prefix}:{name}"), name.clone(), kind, *count))
            .collect::<Vec<_>>()
    };
    let irons = read::look(ctx, |store| {
        let mut rows = Vec::new();
        for (id, count) in &counts.transformers {
            let name = store.transformer(*id)?.map(|iron| iron.name);
            rows.push((id.to_string(), name.unwrap_or_else(|| id.to_string()), *count));
        }
        Ok(rows)
    })?;
    let kinds = vec![
        ("Whole system", vec![row("system".to_owned(), "System load".to_owned(), "every meter", counts.all)]),
        ("Saved groups", saved.iter().map(|group| saved_row(ctx, &words, group)).collect()),
        ("Formulas", formulas.iter().map(|it| formula_row(&words, &names, it)).collect()),
        ("Substations", by_name("substation", "substation", &counts.substations)),
        ("Feeders", by_name("feeder", "feeder", &counts.feeders)),
        ("Rate classes", by_name("rate_class", "rate class", &counts.classes)),
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

/// How many meters hang where now.
#[derive(Default)]
struct Counts {
    all: u64,
    substations: BTreeMap<String, u64>,
    feeders: BTreeMap<String, u64>,
    classes: BTreeMap<String, u64>,
    transformers: BTreeMap<TransformerId, u64>,
}

impl Counts {
    fn add(&mut self, place: &MeterPlace<'_>) {
        fn one<Q: ToOwned<Owned = K> + ?Sized, K: Ord>(counts: &mut BTreeMap<K, u64>, key: Option<&Q>) {
            if let Some(key) = key {
                *counts.entry(key.to_owned()).or_default() += 1;
            }
        }
        self.all += 1;
        one(&mut self.substations, place.substation);
        one(&mut self.feeders, place.feeder);
        one(&mut self.classes, place.rate_class);
        one(&mut self.transformers, place.transformer.as_ref());
    }
}

fn saved_row(ctx: &Ctx, words: &Words, group: &SavedGroup) -> GroupRow {
    let scope = Scope::Group(group.id);
    let members = ctx.app.mdm.members(&scope, words.today()).ok().flatten();
    GroupRow {
        href: href(&format!("group:{}", group.id)),
        name: group.name.clone(),
        kind: group.meaning(words.today()).map_or_else(|| "retired".to_owned(), sentence),
        members: members.map_or_else(
            || "–".to_owned(),
            |members| fmt::grouped(u64::try_from(members.len()).unwrap_or(0)),
        ),
        note: changed(words, group),
    }
}

fn changed<I, T>(words: &Words, dated: &Dated<I, T>) -> String {
    dated.newest().map_or_else(String::new, |last| format!("changed {}", words.ago(last.changed_at)))
}

fn formula_row(words: &Words, names: &Names<'_>, it: &VirtualChannel) -> GroupRow {
    GroupRow {
        href: formulas::href(it.id),
        name: it.name.clone(),
        kind: it.meaning(words.today()).map_or_else(|| "retired".to_owned(), |it| names.sentence(it)),
        members: "–".to_owned(),
        note: changed(words, it),
    }
}
