//! The template of the bench's workplace: candidates, the operation, its preview and the confirmation.

use super::page::{TARGET, diff};
use super::view::{CandidateColumn, Form, Preview, Selection, View};
use crate::ui::{Icon, Tone, empty, icon, note, status};
use maud::{Markup, html};

/// The panel.
pub(crate) fn panel(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="edit" {
            div.ph {
                h2 #edit { @match &view.selection { Some(chosen) => (chosen.span), None => "Work on it" } }
                @if view.selection.is_some() { div.end { a.btn.sm.quiet href=(view.here) data-key="Escape" { "Choose nothing" } } }
            }
            @match &view.preview {
                Some(Ok(preview)) => (confirm(view, preview)),
                Some(Err(why)) => div.pb { (note(Tone::Bad, Icon::Warn, why)) },
                None => {}
            }
            @if let Some(chosen) = &view.selection { (candidates(chosen, &view.candidates)) }
            @match &view.form {
                Some(form) => (operation(view, form)),
                None => div.pb { (note(Tone::Mute, Icon::Shield, &view.only)) },
            }
        }
    }
}

fn candidates(chosen: &Selection, columns: &[CandidateColumn]) -> Markup {
    html! {
        @if columns.is_empty() {
            (empty(Icon::Bars, "No method can estimate these intervals", "Estimates are made for energy, gas and water; other values can be set by hand."))
        } @else {
            div.cands { @for column in columns { (candidate(column)) } }
            @let fine: Vec<&CandidateColumn> = columns.iter().filter(|column| !column.values.is_empty()).collect();
            @if !fine.is_empty() {
                div.pb { details.tbl open[chosen.times.len() <= 8] {
                    summary { "Their values side by side" @if chosen.by_hour { ", by the hour" } }
                    div.scroll tabindex="0" role="region" aria-label="Candidate estimates" { table {
                        thead { tr { th scope="col" { "Time" } @for column in &fine { th.n scope="col" { (column.name) } } } }
                        tbody {
                            @for (index, time) in chosen.times.iter().enumerate() { tr {
                                th scope="row" { (time) }
                                @for column in &fine { td.n { (column.values.get(index).map_or("", String::as_str)) } }
                            } }
                            tr.sum { th scope="row" { "Total" } @for column in &fine { td.n { (column.total) } } }
                        }
                    } }
                } }
            }
        }
    }
}

fn candidate(column: &CandidateColumn) -> Markup {
    html! {
        div.cand.on[column.chosen] {
            h3 { (column.name) }
            p.v { @if column.choose.is_some() { b { (column.total) } } @else { (status(Tone::Mute, Icon::Cross, "does not apply")) } }
            p.hint { (column.why) }
            @if let Some(href) = &column.choose {
                a.btn.sm href=(href) data-key=[(!column.chosen).then_some("e")] hx-get=(href) hx-target=(TARGET) hx-select=(TARGET) hx-swap="outerHTML" hx-push-url="true" {
                    @if column.chosen { (icon(Icon::Check)) "Previewed" } @else { "Preview" }
                    span.vh { " " (column.name) }
                }
            }
        }
    }
}

fn time(form: &Form, id: &str, label: &str, value: &str) -> Markup {
    html! {
        div.field {
            label for=(id) { (label) }
            @if form.times.is_empty() {
                input id=(id) name=(id) type="time" step=(form.step_secs) max=[form.until.as_deref()] value=(value) required;
            } @else {
                input id=(id) name=(id) type="text" list="times" value=(value) required;
            }
        }
    }
}

fn operation(view: &View, form: &Form) -> Markup {
    let radio = |name: &str, label: &str| {
        html! {
            input type="radio" name="do" id=(format!("do-{name}")) value=(name) checked[form.operation == name] required;
            label for=(format!("do-{name}")) { (label) }
        }
    };
    html! {
        form.pb.op #op data-times=(form.marks.join(",")) action=(view.here.split('?').next().unwrap_or_default()) hx-get=(view.here.split('?').next().unwrap_or_default())
            hx-target=(TARGET) hx-select=(TARGET) hx-swap="outerHTML" hx-push-url="true" {
            input type="hidden" name="channel" value=(view.channel);
            @if !form.times.is_empty() { datalist #times { @for time in &form.times { option value=(time) {} } } }
            fieldset { legend { "Which intervals" }
                div.row { (time(form, "from", "From", &form.from)) (time(form, "to", "Until", &form.to))
                    button.btn.sm type="submit" formnovalidate name="pick" value="1" { "Choose these" } }
                @if let Some(until) = &form.until { p.hint { "The day goes on: intervals up to " (until) " are over and can be worked on." } }
                @if !form.times.is_empty() { p.hint { "The second time an hour happens is written with ~2, as in 02:15~2." } }
            }
            fieldset.ops-list { legend { "What to do with them" }
                ul {
                    li { (radio("accept", "Accept as read: the values are right")) }
                    li { (radio("reject", "Reject: throw the values away")) }
                    li { (radio("estimate", "Estimate by"))
                        select name="method" aria-label="Method of the estimate" {
                            @for (name, words) in &form.methods { option value=(name) selected[*name == form.method] { (words) } }
                        } }
                    li { (radio("interpolate", "Straight line between the neighbours")) }
                    li { (radio("copy", "Copy from the day")) input type="date" name="day" value=(form.day) aria-label="Day to copy from"; }
                    li { (radio("set", "Set each to")) (number("value", &form.value, &format!("Value, {}", form.unit))) span { (form.unit) } }
                    li { (radio("add", "Add to each")) (number("plus", &form.plus, &format!("Value to add, {}", form.unit))) span { (form.unit) } }
                    li { (radio("scale", "Scale to")) (number("percent", &form.percent, "Percent")) span { "%" } }
                }
            }
            p { button.btn.pri type="submit" { "Preview" } span.hint { " Nothing changes before you confirm." } }
        }
    }
}

fn number(name: &str, value: &str, label: &str) -> Markup {
    html! { input.num type="text" inputmode="decimal" name=(name) value=(value) aria-label=(label) autocomplete="off"; }
}

fn confirm(view: &View, preview: &Preview) -> Markup {
    html! {
        div.pb.proposal #preview {
            h3 { "Preview" }
            p { (preview.sentence) }
            @if let Some((tone, sign, text)) = &preview.check { p { (status(*tone, *sign, text)) } }
            @for text in &preview.notes { (note(Tone::Warn, Icon::Warn, text)) }
            (diff(&preview.rows, ["Final now", "Final then"], true))
            @if preview.more > 0 { p.hint { (format!("and {} more intervals; the dashed line of the chart shows them all", preview.more)) } }
            form.confirm method="post" action=(view.here.split('?').next().unwrap_or_default()) {
                @for (name, value) in &preview.fields { input type="hidden" name=(name) value=(value); }
                div.row {
                    div.field { label for="code" { "Reason" }
                        select #code name="code" required {
                            option value="" { "Choose a reason" }
                            @for (name, words) in &view.reasons { option value=(name) { (words) } }
                        } }
                    div.field.grow { label for="note" { "Note" }
                        input #note name="note" type="text" maxlength="300" required autocomplete="off" aria-describedby="note-hint"; }
                }
                p.hint #note-hint { "What you know and others will want to know in a year. It is kept with the version." }
                p { button.btn.pri type="submit" { (icon(Icon::Check)) "Apply" } a.btn.quiet href=(view.here) { "Leave it" } }
            }
        }
    }
}
