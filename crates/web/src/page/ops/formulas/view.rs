//! The templates of formulas: one with its day and history, and the form.

use crate::page::ops::definition::{Meaning, panel, retire};
use crate::ui::{Icon, Tone, icon, note, step};
use jiff::civil::Date;
use maud::{Markup, html};

/// A day of a formula.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    /// The chart.
    pub(crate) chart: Markup,
    /// Name, value and note.
    pub(crate) facts: Vec<(&'static str, String, String)>,
    /// The values as a table.
    pub(crate) table: Markup,
}

/// Everything the page of one shows.
#[derive(Clone, Debug)]
pub(crate) struct One {
    /// Its name.
    pub(crate) name: String,
    /// What it computes on the day, in a sentence.
    pub(crate) what: String,
    /// The day in words.
    pub(crate) title: String,
    /// The day before and after.
    pub(crate) steps: (Option<String>, Option<String>),
    /// The day, or why there is nothing.
    pub(crate) drawn: Result<Drawn, String>,
    /// What it meant when.
    pub(crate) history: Vec<Meaning>,
    /// Where it is changed, for those who may.
    pub(crate) edit: Option<String>,
    /// Where it is retired, and today.
    pub(crate) retire: Option<(String, Date)>,
    /// What just happened.
    pub(crate) done: Option<String>,
}

/// Its main element.
pub(crate) fn one(view: &One) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl {
                div { h1 { (view.name) } p { (view.what) } }
                @if let Some(href) = &view.edit { div.acts { a.btn.pri href=(href) { "Change it" } } }
            }
            @if let Some(done) = &view.done { div role="status" { (note(Tone::Ok, Icon::Check, done)) } }
            section.panel #day aria-labelledby="day-h" {
                div.ph {
                    h2 #day-h { (view.title) }
                    div.step { (step(view.steps.0.as_deref(), Icon::Left, "Previous day", "#day")) (step(view.steps.1.as_deref(), Icon::Right, "Next day", "#day")) }
                }
                div.pb { (drawn(&view.drawn)) }
            }
            (panel(&view.history))
            @if let Some((action, today)) = &view.retire { (retire(action, *today, "formula")) }
        }
    }
}

fn drawn(view: &Result<Drawn, String>) -> Markup {
    html! {
        @match view {
            Err(why) => (note(Tone::Mute, Icon::Reads, why)),
            Ok(day) => {
                (day.chart)
                dl.facts.gap { @for (name, value, note) in &day.facts { div { dt { (name) } dd { (value) @if !note.is_empty() { small { (note) } } } } } }
                details.tbl {
                    summary { "Show as a table" }
                    div.scroll tabindex="0" role="region" aria-label="Computed values" { (day.table) }
                }
            }
        }
    }
}

/// The form.
#[derive(Clone, Debug, Default)]
pub(crate) struct New {
    /// The formula that is changed.
    pub(crate) of: Option<String>,
    /// Its name so far.
    pub(crate) name: String,
    /// What may come out, and whether it is chosen.
    pub(crate) kinds: Vec<(&'static str, bool)>,
    /// The terms so far.
    pub(crate) terms: String,
    /// Whether a missing input counts as zero.
    pub(crate) zero: bool,
    /// From which day on.
    pub(crate) from: String,
    /// Why.
    pub(crate) reason: String,
    /// The day to try it on.
    pub(crate) date: String,
    /// What it would give: a sentence and the day.
    pub(crate) tried: Option<(String, Result<Drawn, String>)>,
    /// What is wrong.
    pub(crate) refused: Option<String>,
}

/// Its main element.
pub(crate) fn new(view: &New) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl { div {
                h1 { @if view.of.is_some() { "Change " (view.name) } @else { "New formula" } }
                p { "A series computed from channels whenever it is read: net, house use, a meter without its submeter." }
            } }
            @if let Some(why) = &view.refused { div role="alert" { (note(Tone::Bad, Icon::Warn, why)) } }
            @if let Some((sentence, day)) = &view.tried {
                section.panel #tried aria-labelledby="tried-h" {
                    div.ph { h2 #tried-h { "What it would give" } }
                    div.pb { p { (sentence) } (drawn(day)) }
                }
            }
            section.panel aria-label="Formula" { div.pb { (form(view)) } }
        }
    }
}

fn form(view: &New) -> Markup {
    html! {
        form.confirm method="post" action="/ops/formulas" {
            @match &view.of {
                Some(of) => { input type="hidden" name="of" value=(of); input type="hidden" name="name" value=(view.name); }
                None => div.field { label for="name" { "Name" } input #name name="name" type="text" value=(view.name) maxlength="100" required autocomplete="off"; },
            }
            div.field { label for="terms" { "Terms, one a line" }
                textarea #terms name="terms" rows="6" required spellcheck="false" aria-describedby="terms-h" { (view.terms) }
                span.hint #terms-h { "A factor, a serial number and what is measured: 1 40200001 import. A factor may be -1, 0.5 or 2/3. Or another formula: 1 formula NAME." } }
            div.row {
                div.field { label for="kind" { "What comes out" } select #kind name="kind" { @for (name, chosen) in &view.kinds { option value=(name) selected[*chosen] { (name) } } } }
                div.field { label for="missing" { "A missing input" } select #missing name="missing" {
                    option value="missing" selected[!view.zero] { "makes the value missing" } option value="zero" selected[view.zero] { "counts as zero" } } }
                div.field { label for="date" { "Try it on" } input #date name="date" type="date" value=(view.date); }
            }
            div.row {
                div.field { label for="from" { "In force from" } input #from name="from" type="date" value=(view.from) aria-describedby="from-h";
                    span.hint #from-h { @if view.of.is_some() { "Days before keep what was." } @else { "Empty: for every day." } } }
                div.field.grow { label for="reason" { "Reason" } input #reason name="reason" type="text" value=(view.reason) maxlength="300" autocomplete="off" aria-describedby="reason-h";
                    span.hint #reason-h { "Kept with it." } }
            }
            p { button.btn name="look" value="1" { "Try it" } button.btn.pri name="look" value="" { (icon(Icon::Check)) "Keep it" } a.btn.quiet href="/ops/groups" { "Leave it" } }
        }
    }
}
