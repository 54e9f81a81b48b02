//! The template of the rule sets: what is in force, what it used to be, and what another threshold would have done.

use super::group::{NewGroup, Tick};
use crate::ui::{Chip, Icon, Tone, chips, empty, icon, note};
use maud::{Markup, html};

/// A rule set in force for a group.
#[derive(Clone, Debug)]
pub(crate) struct SetRow {
    /// The group that it is for.
    pub(crate) group: String,
    /// From which day on.
    pub(crate) since: String,
    /// Its hash, short.
    pub(crate) hash: String,
    /// Who put it in force.
    pub(crate) who: String,
    /// Why.
    pub(crate) why: String,
    /// Whether it is in force today.
    pub(crate) current: bool,
}

/// A group of the rules in force, and in what it differs from everybody.
#[derive(Clone, Debug)]
pub(crate) struct GroupCard {
    /// Its name.
    pub(crate) name: String,
    /// Its thresholds.
    pub(crate) href: String,
    /// Whom it is for.
    pub(crate) whom: String,
    /// What it says otherwise.
    pub(crate) differs: Vec<String>,
}

/// A threshold that can be changed.
#[derive(Clone, Debug)]
pub(crate) struct Threshold {
    /// Its name in the form, as in the rules file.
    pub(crate) name: String,
    /// What it is.
    pub(crate) label: String,
    /// What it is in force.
    pub(crate) now: String,
    /// What is tried.
    pub(crate) tried: String,
    /// Its unit.
    pub(crate) unit: String,
    /// Why the tried value is refused.
    pub(crate) error: Option<String>,
}

/// The thresholds of one rule.
#[derive(Clone, Debug)]
pub(crate) struct RuleCard {
    /// Its name.
    pub(crate) rule: String,
    /// What it means.
    pub(crate) meaning: String,
    /// Its thresholds.
    pub(crate) thresholds: Vec<Threshold>,
    /// Whether it is open: something of it is tried.
    pub(crate) open: bool,
}

/// What the tried thresholds would have done, for one rule.
#[derive(Clone, Debug)]
pub(crate) struct EffectRow {
    /// The rule.
    pub(crate) rule: String,
    /// Findings with the rules in force, and with those tried.
    pub(crate) counts: (String, String),
    /// The difference, with its sign.
    pub(crate) change: String,
    /// Days that it finds and did not, or no longer: link and words.
    pub(crate) samples: Vec<(String, String)>,
}

/// What the tried thresholds would have done.
#[derive(Clone, Debug)]
pub(crate) struct Effect {
    /// One sentence.
    pub(crate) sentence: String,
    /// By rule, those that change first.
    pub(crate) rows: Vec<EffectRow>,
    /// What is tried, repeated by the form that activates it.
    pub(crate) fields: Vec<(String, String)>,
    /// The earliest day it can be in force from.
    pub(crate) from: String,
}

/// Everything the page shows.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// One sentence.
    pub(crate) summary: String,
    /// The groups.
    pub(crate) groups: Vec<Chip>,
    /// The group that is chosen.
    pub(crate) group: String,
    /// The group that is begun.
    pub(crate) new: Option<NewGroup>,
    /// Whether the person may end the chosen group.
    pub(crate) ends: bool,
    /// Today, as forms write it.
    pub(crate) today: String,
    /// Every group with its differences.
    pub(crate) differing: Vec<GroupCard>,
    /// In force and before.
    pub(crate) sets: Vec<SetRow>,
    /// The thresholds by rule.
    pub(crate) rules: Vec<RuleCard>,
    /// What is wrong with what is tried, as a whole.
    pub(crate) refused: Option<String>,
    /// What it would have done.
    pub(crate) effect: Option<Effect>,
    /// Whether the person may activate.
    pub(crate) may_set: bool,
    /// Who may, otherwise.
    pub(crate) only: String,
    /// What just happened.
    pub(crate) done: Option<String>,
}

/// The page's main element.
pub(crate) fn main(view: &View) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl {
                div { h1 { @if view.new.is_some() { "New group of rules" } @else { "Rules" } } p { (view.summary) } }
                @if view.may_set && view.new.is_none() { div.acts { a.btn href="/ops/rules?new=1" { "New group" } } }
            }
            @if let Some(done) = &view.done { div role="status" { (note(Tone::Ok, Icon::Check, done)) } }
            @if let Some(why) = &view.refused { div role="alert" { (note(Tone::Bad, Icon::Warn, why)) } }
            @if let Some(effect) = &view.effect { (effect_panel(view, effect)) }
            div.board {
                (thresholds(view))
                div.stack { @if view.ends { (ending(view)) } (groups(view)) (history(view)) }
            }
        }
    }
}

fn groups(view: &View) -> Markup {
    html! {
        @if !view.differing.is_empty() {
            section.panel aria-labelledby="groups" {
                div.ph { h2 #groups { "Groups" } }
                ol.sets { @for group in &view.differing { li.now[group.name == view.group] {
                    p { a href=(group.href) { strong { (group.name) } } }
                    p { (group.whom) }
                    @for one in &group.differs { p.hint { (one) } }
                    @if group.differs.is_empty() { p.hint { "as everybody" } }
                } } }
            }
        }
    }
}

fn thresholds(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="thresholds" {
            div.ph { h2 #thresholds { "Thresholds" } @if view.groups.len() > 1 { div.end.wraps { (chips("Group", &view.groups)) } } }
            form action="/ops/rules" {
                @if !view.group.is_empty() { input type="hidden" name="group" value=(view.group); }
                input type="hidden" name="try" value="1";
                @if let Some(new) = &view.new { (new_group(new)) }
                @for card in &view.rules { (card_of(card)) }
                div.pb { button.btn.pri type="submit" { "What would this have done?" } span.hint { " Nothing changes yet." } }
            }
        }
    }
}

/// Which group is begun, and whom it is for.
fn new_group(new: &NewGroup) -> Markup {
    html! {
        div.pb {
            input type="hidden" name="new" value="1";
            div.field { label for="name" { "Name" } input #name name="name" type="text" value=(new.name) maxlength="60" required autocomplete="off"; }
            @for (what, ticks) in &new.whom { fieldset.ticks { legend { (what) }
                @for tick in ticks { (tick_of(tick)) }
            } }
            p.hint { "The group is for channels of which every line with a tick holds; a line without one holds for all. It begins with the thresholds that hold today: change below what shall differ." }
        }
    }
}

fn tick_of((name, words, ticked): &Tick) -> Markup {
    html! { label for=(format!("w-{name}")) { input type="checkbox" id=(format!("w-{name}")) name=(name) value="1" checked[*ticked]; (words) } }
}

/// The form that ends the chosen group, closed until it is wanted.
fn ending(view: &View) -> Markup {
    html! {
        section.panel aria-label="End the group" { div.pb { details.tbl {
            summary { "End the group " (view.group) }
            form.confirm method="post" action="/ops/rules/end" {
                input type="hidden" name="group" value=(view.group);
                p { "From the day on, its channels are judged like everybody's. Days before keep it, and so does the record." }
                div.row {
                    div.field { label for="end-from" { "First day without it" } input #end-from name="from" type="date" value=(view.today) min=(view.today) required; }
                    div.field.grow { label for="end-note" { "Reason" } input #end-note name="note" type="text" maxlength="300" required autocomplete="off"; }
                }
                p { button.btn type="submit" { (icon(Icon::Check)) "End it" } }
            }
        } } }
    }
}

fn card_of(card: &RuleCard) -> Markup {
    html! {
        details.rule open[card.open] {
            summary { strong { (card.rule) } span { (card.meaning) } }
            div.row {
                @for threshold in &card.thresholds {
                    div.field {
                        label for=(format!("t-{}", threshold.name)) { (threshold.label) }
                        span.with { input id=(format!("t-{}", threshold.name)) name=(threshold.name) value=(threshold.tried) inputmode="numeric" autocomplete="off"
                            aria-describedby=(format!("h-{}", threshold.name)) aria-invalid=[threshold.error.as_ref().map(|_| "true")]; (threshold.unit) }
                        @match &threshold.error {
                            Some(why) => span.err id=(format!("h-{}", threshold.name)) { (why) },
                            None => span.hint id=(format!("h-{}", threshold.name)) { "in force: " (threshold.now) },
                        }
                    }
                }
            }
        }
    }
}

fn effect_panel(view: &View, effect: &Effect) -> Markup {
    html! {
        section.panel #effect aria-labelledby="effect-h" {
            div.ph { h2 #effect-h { "What it would have done" } }
            p.pb { (effect.sentence) }
            @if effect.rows.is_empty() {
                (empty(Icon::Check, "No finding would be different", "Neither more nor fewer readings would have been stopped."))
            } @else { (effect_table(&effect.rows)) }
            div.pb {
                @if view.may_set {
                    form.confirm method="post" action="/ops/rules" {
                        @if !view.group.is_empty() { input type="hidden" name="group" value=(view.group); }
                        @for (name, value) in &effect.fields { input type="hidden" name=(name) value=(value); }
                        div.row {
                            div.field { label for="from" { "In force from" } input #from name="from" type="date" value=(effect.from) min=(effect.from) required; }
                            div.field.grow { label for="note" { "Reason" } input #note name="note" type="text" maxlength="300" required autocomplete="off"; }
                        }
                        p { button.btn.pri type="submit" { (icon(Icon::Check)) "Put in force" } a.btn.quiet href="/ops/rules" { "Leave it" } }
                    }
                } @else { (note(Tone::Mute, Icon::Shield, &view.only)) }
            }
        }
    }
}

fn effect_table(rows: &[EffectRow]) -> Markup {
    html! {
        div.scroll.feed.flat tabindex="0" role="region" aria-label="Findings by rule" { table {
            thead { tr { th scope="col" { "Rule" } th.n scope="col" { "In force" } th.n scope="col" { "Tried" } th.n scope="col" { "Change" } th scope="col" { "For example" } } }
            tbody { @for row in rows { tr {
                th scope="row" { (row.rule) } td.n { (row.counts.0) } td.n { (row.counts.1) } td.n { b { (row.change) } }
                td { div.links { @for (href, words) in &row.samples { a href=(href) { (words) } } } }
            } } }
        } }
    }
}

fn history(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="history" {
            div.ph { h2 #history { "In force, and before" } }
            @if view.sets.is_empty() {
                (empty(Icon::Shield, "The rules that Wattle comes with", "Nobody has put others in force yet."))
            } @else {
                ol.sets { @for set in &view.sets { li.now[set.current] {
                    p { strong { (set.since) } @if set.current { " " span.tag { "in force" } } }
                    p { (set.group) }
                    p { (set.who) @if !set.why.is_empty() { ": " (set.why) } }
                    p.hint { "Rule set " (set.hash) }
                } } }
            }
        }
    }
}
