//! The templates of groups: the list, one group with its load, and making a new one.

use crate::page::ops::definition::{Meaning, panel, retire};
use crate::ui::{Icon, Tone, empty, icon, note, step};
use jiff::civil::Date;
use maud::{Markup, html};

/// One group.
#[derive(Clone, Debug)]
pub(crate) struct GroupRow {
    /// Its page.
    pub(crate) href: String,
    /// Its name.
    pub(crate) name: String,
    /// What it sums: saved group, transformer, feeder, formula.
    pub(crate) kind: String,
    /// How many channels.
    pub(crate) members: String,
    /// What else is to say.
    pub(crate) note: String,
}

/// Everything the list shows.
#[derive(Clone, Debug)]
pub(crate) struct List {
    /// One sentence.
    pub(crate) summary: String,
    /// The groups by kind.
    pub(crate) kinds: Vec<(&'static str, Vec<GroupRow>)>,
    /// Whether the person may make one.
    pub(crate) may_make: bool,
    /// What just happened.
    pub(crate) done: Option<String>,
}

/// The list's main element.
pub(crate) fn list(view: &List) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl {
                div { h1 { "Groups" } p { (view.summary) } }
                @if view.may_make { div.acts { a.btn href="/ops/formulas/new" { "New formula" } a.btn.pri href="/ops/groups/new" { "New group" } } }
            }
            @if let Some(done) = &view.done { div role="status" { (note(Tone::Ok, Icon::Check, done)) } }
            @if view.kinds.iter().all(|(_, rows)| rows.is_empty()) {
                section.panel aria-label="Groups" { (empty(Icon::Grid, "No group yet", "A group sums the load of meters that belong together: a street, a rate class, a trial.")) }
            }
            @for (kind, rows) in view.kinds.iter().filter(|(_, rows)| !rows.is_empty()) { (kind_panel(kind, rows)) }
        }
    }
}

fn kind_panel(kind: &str, rows: &[GroupRow]) -> Markup {
    html! {
        section.panel aria-label=(kind) {
            div.ph { h2 { (kind) } }
            div.scroll.feed.flat tabindex="0" role="region" aria-label=(format!("{kind}, list")) { table {
                thead { tr { th scope="col" { "Name" } th scope="col" { "What" } th.n scope="col" { "Meters" } } }
                tbody { @for row in rows { tr {
                    th scope="row" { a href=(row.href) { (row.name) } } td.det { (row.kind) @if !row.note.is_empty() { small { (row.note) } } } td.n { (row.members) }
                } } }
            } }
        }
    }
}

/// Everything the page of one group shows.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Its name.
    pub(crate) name: String,
    /// What it sums.
    pub(crate) what: String,
    /// The day in words.
    pub(crate) title: String,
    /// The day before and after.
    pub(crate) steps: (Option<String>, Option<String>),
    /// The load, or why there is none.
    pub(crate) chart: Result<Markup, String>,
    /// Name, value and note.
    pub(crate) facts: Vec<(&'static str, String, String)>,
    /// The load as a table.
    pub(crate) table: Option<Markup>,
    /// The members: link, serial number, address.
    pub(crate) members: Vec<(String, String, String)>,
    /// How many more there are.
    pub(crate) more: u64,
    /// What a saved group meant when.
    pub(crate) history: Vec<Meaning>,
    /// Where it is changed, for those who may.
    pub(crate) edit: Option<String>,
    /// Where it is retired, and today.
    pub(crate) retire: Option<(String, Date)>,
    /// What just happened.
    pub(crate) done: Option<String>,
}

/// Its main element.
pub(crate) fn group(view: &Group) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl {
                div { h1 { (view.name) } p { (view.what) } }
                @if let Some(href) = &view.edit { div.acts { a.btn.pri href=(href) { "Change it" } } }
            }
            @if let Some(done) = &view.done { div role="status" { (note(Tone::Ok, Icon::Check, done)) } }
            section.panel #load aria-labelledby="load-h" {
                div.ph {
                    h2 #load-h { (view.title) }
                    div.step { (step(view.steps.0.as_deref(), Icon::Left, "Previous day", "#load")) (step(view.steps.1.as_deref(), Icon::Right, "Next day", "#load")) }
                }
                div.pb {
                    @match &view.chart { Ok(chart) => (chart), Err(why) => (note(Tone::Mute, Icon::Reads, why)) }
                    dl.facts.gap { @for (name, value, note) in &view.facts { div { dt { (name) } dd { (value) @if !note.is_empty() { small { (note) } } } } } }
                    @if let Some(table) = &view.table { details.tbl {
                        summary { "Show as a table" }
                        div.scroll tabindex="0" role="region" aria-label="Load table" { (table) }
                    } }
                }
            }
            @if !view.members.is_empty() {
                section.panel.feed.flat aria-labelledby="members" {
                    div.ph { h2 #members { "Members" } }
                    table {
                        thead { tr { th scope="col" { "Meter" } th scope="col" { "Address" } } }
                        tbody { @for (href, serial, address) in &view.members { tr { th scope="row" { a href=(href) { (serial) } } td.det { (address) } } } }
                    }
                    @if view.more > 0 { p.hint.pb { (format!("and {} more", view.more)) } }
                }
            }
            @if !view.history.is_empty() { (panel(&view.history)) }
            @if let Some((action, today)) = &view.retire { (retire(action, *today, "group")) }
        }
    }
}

/// One of the values of a condition, and whether it is chosen.
pub(crate) type Choice = (String, bool);

/// The form that makes one.
#[derive(Clone, Debug, Default)]
pub(crate) struct New {
    /// The group that is changed.
    pub(crate) of: Option<String>,
    /// Its name so far.
    pub(crate) name: String,
    /// Conditions: name in the form, label, values.
    pub(crate) conditions: Vec<(&'static str, &'static str, Vec<Choice>)>,
    /// Text filter so far.
    pub(crate) text: String,
    /// Serial numbers so far, one a line.
    pub(crate) serials: String,
    /// From which day on.
    pub(crate) from: String,
    /// Why.
    pub(crate) reason: String,
    /// What the filter or list gives: how many meters.
    pub(crate) found: Option<String>,
    /// What is wrong.
    pub(crate) refused: Option<String>,
}

/// Its main element.
pub(crate) fn new(view: &New) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl { div {
                h1 { @if view.of.is_some() { "Change " (view.name) } @else { "New group" } }
                p { "The load of several meters, summed interval by interval. Each day is summed over whom the group meant on it." }
            } }
            @if let Some(why) = &view.refused { div role="alert" { (note(Tone::Bad, Icon::Warn, why)) } }
            section.panel aria-label="Group" { div.pb { (form(view)) } }
        }
    }
}

fn form(view: &New) -> Markup {
    html! {
        form.confirm method="post" action="/ops/groups" {
            @match &view.of {
                Some(of) => { input type="hidden" name="of" value=(of); input type="hidden" name="name" value=(view.name); }
                None => div.field { label for="name" { "Name" } input #name name="name" type="text" value=(view.name) maxlength="100" required autocomplete="off"; },
            }
            h2 { "Every meter that fits on the day" }
            div.row { @for (name, label, values) in &view.conditions {
                div.field { label for=(name) { (label) } select id=(name) name=(name) {
                    option value="" { "any" }
                    @for (value, chosen) in values { option value=(value) selected[*chosen] { (value) } }
                } }
            } }
            h2 { "Or meters chosen one by one" }
            div.field { label for="text" { "All whose serial number, address or customer holds" }
                input #text name="text" type="text" value=(view.text) autocomplete="off" aria-describedby="text-h"; span.hint #text-h { "Those that are there now. Leave it empty to list them below." } }
            div.field { label for="serials" { "These serial numbers, one a line" }
                textarea #serials name="serials" rows="6" { (view.serials) } }
            div.row {
                div.field { label for="from" { "From" } input #from name="from" type="date" value=(view.from) aria-describedby="from-h";
                    span.hint #from-h { @if view.of.is_some() { "Days before keep whom it meant." } @else { "Empty: for every day." } } }
                div.field.grow { label for="reason" { "Reason" } input #reason name="reason" type="text" value=(view.reason) maxlength="300" autocomplete="off" aria-describedby="reason-h";
                    span.hint #reason-h { "Kept with it." } }
            }
            @if let Some(found) = &view.found { (note(Tone::Ok, Icon::Check, found)) }
            p { button.btn name="look" value="1" { "Look" } button.btn.pri name="look" value="" { (icon(Icon::Check)) "Keep it" } a.btn.quiet href="/ops/groups" { "Leave it" } }
        }
    }
}
