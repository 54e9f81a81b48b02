//! The templates of groups: the list, one group with its load, and making a new one.

use crate::ui::{Icon, Tone, empty, icon, note, step};
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
                @if view.may_make { div.acts { a.btn.pri href="/ops/groups/new" { "New group" } } }
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
}

/// Its main element.
pub(crate) fn group(view: &Group) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl { div { h1 { (view.name) } p { (view.what) } } }
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
        }
    }
}

/// The form that makes one.
#[derive(Clone, Debug, Default)]
pub(crate) struct New {
    /// Its name so far.
    pub(crate) name: String,
    /// Text filter so far.
    pub(crate) text: String,
    /// Serial numbers so far, one a line.
    pub(crate) serials: String,
    /// What the filter or list gives: how many meters.
    pub(crate) found: Option<String>,
    /// What is wrong.
    pub(crate) refused: Option<String>,
}

/// Its main element.
pub(crate) fn new(view: &New) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl { div { h1 { "New group" } p { "The load of several meters, summed interval by interval." } } }
            section.panel aria-label="New group" { div.pb {
                @if let Some(why) = &view.refused { div role="alert" { (note(Tone::Bad, Icon::Warn, why)) } }
                form.confirm method="post" action="/ops/groups" {
                    div.field { label for="name" { "Name" } input #name name="name" type="text" value=(view.name) maxlength="80" required autocomplete="off"; }
                    div.field { label for="text" { "Every meter whose serial number, address or customer holds" }
                        input #text name="text" type="text" value=(view.text) autocomplete="off" aria-describedby="text-h"; span.hint #text-h { "Leave it empty to list them below." } }
                    div.field { label for="serials" { "Or these serial numbers, one a line" }
                        textarea #serials name="serials" rows="6" { (view.serials) } }
                    @if let Some(found) = &view.found { (note(Tone::Ok, Icon::Check, found)) }
                    p { button.btn name="look" value="1" { "Look" } button.btn.pri name="look" value="" { (icon(Icon::Check)) "Make it" } a.btn.quiet href="/ops/groups" { "Leave it" } }
                }
            } }
        }
    }
}
