//! The template of the exception queue: groups by rule, the exceptions of one rule, the confirmation of many at once.

use crate::ui::{Chip, Icon, Tone, chips, empty, icon, note, pager, status};
use maud::{Markup, html};

/// The exceptions of one rule.
#[derive(Clone, Debug)]
pub(crate) struct GroupRow {
    /// Its list.
    pub(crate) href: String,
    /// The rule's name.
    pub(crate) rule: String,
    /// What it means, in a sentence.
    pub(crate) meaning: String,
    /// How grave, as a colour, a sign and a word.
    pub(crate) severity: (Tone, Icon, &'static str),
    /// How many are open.
    pub(crate) count: String,
    /// At how many meters.
    pub(crate) meters: String,
    /// The oldest day, and how long ago it is.
    pub(crate) oldest: (String, String),
}

/// One exception.
#[derive(Clone, Debug)]
pub(crate) struct ItemRow {
    /// The bench with it.
    pub(crate) href: String,
    /// The meter's serial number.
    pub(crate) serial: String,
    /// Where it is.
    pub(crate) address: String,
    /// The channel in words.
    pub(crate) channel: String,
    /// The day.
    pub(crate) day: String,
    /// What was found, with the numbers.
    pub(crate) sentence: String,
    /// How grave.
    pub(crate) severity: (Tone, Icon, &'static str),
    /// The rule, where the list holds several.
    pub(crate) rule: String,
}

/// The exceptions of a group.
#[derive(Clone, Debug)]
pub(crate) struct List {
    /// The rule's name, or `Every rule`.
    pub(crate) title: String,
    /// What it means.
    pub(crate) meaning: String,
    /// The exceptions of this page.
    pub(crate) rows: Vec<ItemRow>,
    /// `1–50 of 512`
    pub(crate) range: String,
    /// The page before and after.
    pub(crate) pages: (Option<String>, Option<String>),
    /// Where all of them can be accepted at once, for those who may.
    pub(crate) accept: Option<String>,
    /// The list without the rule.
    pub(crate) up: String,
}

/// Everything the page shows.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// How many there are.
    pub(crate) summary: String,
    /// The chips by filter.
    pub(crate) filters: Vec<(&'static str, Vec<Chip>)>,
    /// Whether a filter holds.
    pub(crate) filtered: bool,
    /// By rule.
    pub(crate) groups: Vec<GroupRow>,
    /// The exceptions of the rule that is chosen.
    pub(crate) list: Option<List>,
    /// The same as a file.
    pub(crate) csv: String,
    /// What just happened.
    pub(crate) done: Option<String>,
}

/// The page's main element.
pub(crate) fn main(view: &View) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl {
                div { h1 { "Exceptions" } p { (view.summary) } }
                div.acts { a.btn href=(view.csv) { (icon(Icon::Down)) "CSV" } }
            }
            @if let Some(done) = &view.done { div role="status" { (note(Tone::Ok, Icon::Check, done)) } }
            section.panel aria-label="Queue" {
                div.filters.two { @for (name, values) in &view.filters { (chips(name, values)) } }
                @if view.groups.is_empty() && view.filtered {
                    (empty(Icon::Search, "No exception fits these filters", "Take a filter away to see the whole queue."))
                } @else if view.groups.is_empty() {
                    (empty(Icon::Check, "Nothing needs a person", "Every reading passed, or was settled. What the rules stop next is listed here."))
                } @else if let Some(list) = &view.list {
                    (group(list))
                } @else {
                    (groups(&view.groups))
                }
            }
        }
    }
}

fn groups(rows: &[GroupRow]) -> Markup {
    html! {
        div.scroll.feed tabindex="0" role="region" aria-label="Exceptions by rule" { table role="table" {
            caption.vh { "Open exceptions by rule, the gravest first" }
            thead role="rowgroup" { tr role="row" {
                th role="columnheader" scope="col" { "Rule" } th role="columnheader" scope="col" { "Severity" }
                th.n role="columnheader" scope="col" { "Open" } th.n role="columnheader" scope="col" { "Meters" }
                th.n role="columnheader" scope="col" { "Oldest" }
            } }
            tbody role="rowgroup" { @for row in rows { tr role="row" {
                th.lead scope="row" role="rowheader" { a href=(row.href) { (row.rule) } p { (row.meaning) } }
                td role="cell" { (status(row.severity.0, row.severity.1, row.severity.2)) }
                td.n role="cell" { a href=(row.href) aria-label=(format!("{} of {}", row.count, row.rule)) { b { (row.count) } } span.unit { " open" } }
                td.n role="cell" { (row.meters) span.unit { @if row.meters == "1" { " meter" } @else { " meters" } } }
                td.n.whole role="cell" { (row.oldest.0) small { (row.oldest.1) } }
            } } }
        } }
    }
}

fn group(list: &List) -> Markup {
    let several = list.rows.iter().any(|row| !row.rule.is_empty());
    html! {
        div.grouphead {
            div { h2 { (list.title) } p { (list.meaning) } }
            div.links { a href=(list.up) { "All rules" } @if let Some(href) = &list.accept { a.btn.sm href=(href) { (icon(Icon::Check)) "Accept all of these" } } }
        }
        div.scroll.feed tabindex="0" role="region" aria-label="Exceptions" { table role="table" {
            caption.vh { (list.title) ", " (list.range) }
            thead role="rowgroup" { tr role="row" {
                th role="columnheader" scope="col" { "Meter" } th role="columnheader" scope="col" { "Day" }
                @if several { th role="columnheader" scope="col" { "Rule" } }
                th role="columnheader" scope="col" { "What was found" }
                th.opt role="columnheader" scope="col" { "Address" } th role="columnheader" scope="col" { "Severity" }
            } }
            tbody role="rowgroup" { @for row in &list.rows { tr role="row" {
                th scope="row" role="rowheader" { a href=(row.href) { (row.serial) } small { (row.channel) } }
                td.t role="cell" { (row.day) }
                @if several { td role="cell" { (row.rule) } }
                td.det role="cell" { (row.sentence) }
                td.det.opt role="cell" { (row.address) }
                td role="cell" { (status(row.severity.0, row.severity.1, row.severity.2)) }
            } } }
        } }
        (pager(&list.range, &list.pages))
    }
}

/// The page before many exceptions are accepted at once.
#[derive(Clone, Debug)]
pub(crate) struct Confirm {
    /// The rule's name.
    pub(crate) rule: String,
    /// How many.
    pub(crate) count: String,
    /// At how many meters, over which days.
    pub(crate) span: String,
    /// The fields that the form repeats: the filters and the count.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// The reason codes: name in addresses, words.
    pub(crate) reasons: Vec<(String, String)>,
    /// Back to the list.
    pub(crate) back: String,
    /// What stands against it, after a refused attempt.
    pub(crate) refused: Option<String>,
}

/// Its main element.
pub(crate) fn confirm(view: &Confirm) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl { div { h1 { "Accept " (view.count) " of " (view.rule) } p { (view.span) } } }
            section.panel aria-label="Confirm" { div.pb {
                @if let Some(why) = &view.refused { div role="alert" { (note(Tone::Bad, Icon::Warn, why)) } }
                p { "The values stay as they were read and are marked as verified by you. Each of them gets a version that can be undone by itself." }
                form.confirm method="post" action="/ops/vee/accept" {
                    @for (name, value) in &view.fields { input type="hidden" name=(name) value=(value); }
                    div.row {
                        div.field { label for="code" { "Reason" } select #code name="code" required {
                            option value="" { "Choose a reason" }
                            @for (name, words) in &view.reasons { option value=(name) { (words) } }
                        } }
                        div.field.grow { label for="note" { "Note" } input #note name="note" type="text" maxlength="300" required autocomplete="off"; }
                    }
                    p { button.btn.pri type="submit" { (icon(Icon::Check)) "Accept " (view.count) } a.btn.quiet href=(view.back) { "Leave them" } }
                }
            } }
        }
    }
}
