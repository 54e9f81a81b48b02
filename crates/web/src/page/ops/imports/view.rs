//! The templates of imports.

use crate::files::Outcome;
use crate::fmt;
use crate::ui::{Icon, Tone, empty, icon, note};
use maud::{Markup, html};

/// A file in the list.
#[derive(Clone, Debug)]
pub(crate) struct FileRow {
    /// Its page.
    pub(crate) href: String,
    /// Its name.
    pub(crate) name: String,
    /// Its format.
    pub(crate) format: String,
    /// When it came.
    pub(crate) at: String,
    /// Intervals taken in.
    pub(crate) stored: String,
    /// Intervals that were there.
    pub(crate) duplicates: String,
    /// Records left out.
    pub(crate) refused: u64,
}

/// Everything the list shows.
#[derive(Clone, Debug)]
pub(crate) struct List {
    /// The files, the last one first.
    pub(crate) files: Vec<FileRow>,
    /// Those before.
    pub(crate) older: Option<String>,
    /// Whether this person may send one.
    pub(crate) may_send: bool,
    /// Why the file that was sent is not here.
    pub(crate) refused: Option<String>,
    /// What was found in the file that was sent.
    pub(crate) looked: Option<Vec<String>>,
}

/// What was found in a file, a sentence each.
pub(crate) fn looked(outcome: &Outcome) -> Vec<String> {
    let one = |file: &operations::files::TakenFile| {
        let report = &file.report;
        let left_out = fmt::counted(report.refused, "record");
        let kept = if outcome.dry_run { "Nothing was kept." } else { "They are kept." };
        format!(
            "{}: {}, {}, {left_out} left out. {kept}",
            file.name,
            file.format,
            fmt::counted(report.offered, "interval")
        )
    };
    outcome.files.iter().map(one).collect()
}

/// Its main element.
pub(crate) fn list(view: &List) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl { div { h1 { "Imports" } p { "Files of readings from others. A file is taken in whole or not at all; what does not fit is kept aside with its line and reason." } } }
            @if let Some(why) = &view.refused { div role="alert" { (note(Tone::Bad, Icon::Warn, why)) } }
            @for sentence in view.looked.iter().flatten() { (note(Tone::Mute, Icon::Check, sentence)) }
            @if view.may_send { (send()) }
            section.panel.feed.flat aria-labelledby="files" {
                div.ph { h2 #files { "Files" } }
                @if view.files.is_empty() {
                    (empty(Icon::Reads, "No file was taken in yet", "Files of meter data companies and other systems appear here, with what was left out of them."))
                } @else {
                    div.scroll tabindex="0" role="region" aria-label="Files" { (table(&view.files)) }
                    @if let Some(older) = &view.older { p.pb { a.btn href=(older) { "Older files" } } }
                }
            }
        }
    }
}

fn table(files: &[FileRow]) -> Markup {
    html! {
        table {
            thead { tr { th scope="col" { "File" } th scope="col" { "Format" } th scope="col" { "Taken in" } th.num scope="col" { "Intervals" } th.num scope="col" { "There already" } th.num scope="col" { "Left out" } } }
            tbody { @for file in files { tr {
                th scope="row" { a href=(file.href) { (file.name) } }
                td { (file.format) } td { (file.at) } td.num { (file.stored) } td.num { (file.duplicates) }
                td.num { @if file.refused > 0 { strong { (fmt::grouped(file.refused)) } } @else { "0" } }
            } } }
        }
    }
}

fn send() -> Markup {
    html! {
        section.panel aria-labelledby="send" {
            div.ph { h2 #send { "Send a file" } }
            div.pb {
                form.confirm method="post" action="/ops/imports" enctype="multipart/form-data" {
                    div.field { label for="file" { "File" }
                        input #file name="file" type="file" required aria-describedby="file-h";
                        span.hint #file-h { "Green Button, NEM12, NEM13, CMEP, CSV or Parquet, also packed as .gz or .zip. What it is, is found out from its content." } }
                    div.field { label for="zone" { "Time zone of stamps without an offset" }
                        input #zone name="zone" type="text" autocomplete="off" placeholder="Europe/Zurich"; }
                    div.field { label for="mapping" { "What the columns of a table mean, if their headings do not say (TOML)" }
                        textarea #mapping name="mapping" rows="4" {} }
                    p { button.btn name="dry_run" value="1" { "Look only" } button.btn.pri name="dry_run" value="0" { (icon(Icon::Check)) "Take it in" } }
                }
            }
        }
    }
}

/// How often a reason was given.
#[derive(Clone, Debug)]
pub(crate) struct Reason {
    /// Its short name.
    pub(crate) name: String,
    /// How often.
    pub(crate) count: u64,
    /// What can be done.
    pub(crate) remedy: String,
}

/// Everything the page of one file shows.
#[derive(Clone, Debug)]
pub(crate) struct One {
    /// Its name.
    pub(crate) name: String,
    /// Format, when and by whom.
    pub(crate) what: String,
    /// It was sent again and changed nothing.
    pub(crate) known: bool,
    /// Counts.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// Why records were left out, the commonest reason first.
    pub(crate) reasons: Vec<Reason>,
    /// Line, sentence and record.
    pub(crate) rows: Vec<(String, String, String)>,
    /// How many more were left out.
    pub(crate) more: u64,
    /// All of them as a file.
    pub(crate) csv: String,
}

/// Its main element.
pub(crate) fn one(view: &One) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl { div { h1 { (view.name) } p { (view.what) } } }
            @if view.known { (note(Tone::Mute, Icon::Check, "This very file was taken in before, so nothing was changed. These are the counts of the first time.")) }
            section.panel aria-labelledby="counts" {
                div.ph { h2 #counts { "What came of it" } }
                div.pb { dl.facts { @for (name, value) in &view.facts { div { dt { (name) } dd { (value) } } } } }
            }
            section.panel.feed.flat aria-labelledby="left" {
                div.ph { h2 #left { "Left out" } @if !view.rows.is_empty() { a.btn.sm.quiet href=(view.csv) { (icon(Icon::Down)) "CSV" } } }
                @if view.rows.is_empty() {
                    (empty(Icon::Check, "Nothing was left out", "Every record of the file was taken in or was there already."))
                } @else { (left_out(view)) }
            }
        }
    }
}

fn left_out(view: &One) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Reasons" { table {
            thead { tr { th scope="col" { "Reason" } th.num scope="col" { "Records" } th scope="col" { "What to do" } } }
            tbody { @for reason in &view.reasons { tr { th scope="row" { code { (reason.name) } } td.num { (fmt::grouped(reason.count)) } td.det { (reason.remedy) } } } }
        } }
        div.scroll tabindex="0" role="region" aria-label="Records" { table {
            thead { tr { th.num scope="col" { "Line" } th scope="col" { "Why" } th scope="col" { "Record" } } }
            tbody { @for (line, sentence, record) in &view.rows { tr { th.num scope="row" { (line) } td { (sentence) } td.det { code { (record) } } } } }
        } }
        @if view.more > 0 { p.hint.pb { (format!("and {} more", fmt::grouped(view.more))) } }
    }
}
