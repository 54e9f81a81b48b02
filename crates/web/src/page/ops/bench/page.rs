//! The template of the editing bench: chart, rules, registers, versions.

use super::view::{Bracket, Compare, DiffRow, FindingRow, VersionRow, View};
use super::work;
use crate::ui::{Icon, Tone, chips, empty, icon, note, status, step};
use maud::{Markup, html};

/// The part of the page that a choice of intervals changes.
pub(crate) const TARGET: &str = "#work";

/// The page's main element.
pub(crate) fn main(view: &View) -> Markup {
    html! {
        main #main tabindex="-1" {
            (title(view))
            @if let Some(done) = &view.done { div role="status" { (note(Tone::Ok, Icon::Check, done)) } }
            div #work .stack {
                (day(view))
                div.board {
                    div.stack { (findings(&view.findings)) (work::panel(view)) (versions(view)) }
                    div.stack { (registers(&view.brackets)) (facts(view)) }
                }
            }
            (siblings(view))
        }
    }
}

fn title(view: &View) -> Markup {
    html! {
        div.ttl {
            div {
                h1 { (view.title) }
                p.line { "Meter " a href=(format!("/ops/meters/{}?date={}", view.meter, view.date)) { (view.serial) } span { (view.place) } }
            }
            nav.acts aria-label="Exceptions" {
                @if let Some(href) = &view.queue.0 { a.btn href=(href) rel="prev" data-key="p" { (icon(Icon::Left)) "Previous" } }
                @if let Some(href) = &view.queue.1 { a.btn href=(href) rel="next" data-key="n" { "Next exception" (icon(Icon::Right)) } }
                a.btn href="/ops/vee" { "Queue" }
            }
        }
    }
}

fn day(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="readings" {
            div.ph {
                h2 #readings { "Read and final" }
                div.step {
                    (step(view.steps.0.as_deref(), Icon::Left, "Previous day", "#main"))
                    (step(view.steps.1.as_deref(), Icon::Right, "Next day", "#main"))
                }
                div.end.wraps { (chips("Channel", &view.channels)) (chips("Show", &view.zoom)) }
            }
            div.pb {
                @if let Some(clock) = &view.clock { (note(Tone::Warn, Icon::Clock, clock)) }
                @match &view.chart {
                    Ok(chart) => { (chart) (legend()) (help()) }
                    Err(why) => (note(Tone::Mute, Icon::Reads, why)),
                }
                h3.ct { "The week around it" }
                (view.week)
                (table(view))
            }
        }
    }
}

fn table(view: &View) -> Markup {
    html! {
        div #table {
            @match &view.table {
                Some(table) => details.tbl open {
                    summary { "Show as a table" }
                    div.scroll tabindex="0" role="region" aria-label="Readings of the day" { (table) }
                },
                None => a.btn.sm href=(view.table_href) hx-get=(view.table_href) hx-target="#table" hx-select="#table" hx-swap="outerHTML" {
                    "Show as a table"
                },
            }
        }
    }
}

fn legend() -> Markup {
    html! {
        div.legend {
            span { i.sw.rawl {} "Read" }
            span { i.sw.use {} "Final, read" }
            span { i.sw.estl {} "Final, estimated" }
            span { i.sw.handl {} "Final, edited" }
            span { i.sw.none {} "Missing" }
            span { i.sw.stopl {} "Stopped by a rule" }
            span { i.sw.pickl {} "Chosen" }
            span { i.sw.thenl {} "Proposed" }
        }
    }
}

fn help() -> Markup {
    let keys = [
        ("← →", "the interval before, after"),
        ("Shift ← →", "choose from here on"),
        ("Enter", "work on what is chosen"),
        ("N, P", "next, previous exception"),
        ("A", "accept"),
        ("E", "estimate"),
        ("T", "write the note"),
        ("?", "this list"),
        ("Esc", "choose nothing"),
    ];
    html! {
        details.tbl.js data-help {
            summary { "Keyboard and pointer" }
            p.hint { "Click an interval, or draw over several. The keys work while the chart has the focus." }
            dl.keys { @for (key, what) in keys { div { dt { kbd { (key) } } dd { (what) } } } }
        }
    }
}

fn findings(rows: &[FindingRow]) -> Markup {
    html! {
        section.panel aria-labelledby="rules" {
            div.ph { h2 #rules { "Rules that fired" } }
            @if rows.is_empty() {
                (empty(Icon::Check, "No rule stopped this day", "What a rule finds is listed here with its intervals."))
            } @else {
                ul.found { @for row in rows { li {
                    div { (status(row.severity.0, row.severity.1, row.severity.2)) strong { (row.rule) } a.go href=(row.href) { (row.span) } }
                    p { (row.sentence) }
                    @if let Some(state) = &row.state { p.hint { (state) } }
                } } }
            }
        }
    }
}

fn registers(rows: &[Bracket]) -> Markup {
    html! {
        section.panel aria-labelledby="registers" {
            div.ph { h2 #registers { "Registers around it" } }
            @if rows.is_empty() {
                (empty(Icon::Meter, "No register read on both sides", "Without two reads the sum of the intervals cannot be checked."))
            } @else {
                @for row in rows {
                    div.pb {
                        p.hint { (row.span) }
                        dl.sums {
                            div { dt { (row.from.1) } dd { (row.from.0) } }
                            div { dt { (row.to.1) } dd { (row.to.0) } }
                            div { dt { "Register moved" } dd { (row.advance) } }
                            div { dt { "Intervals add up to" } dd { (row.sum) } }
                        }
                        p { (status(row.verdict.0, row.verdict.1, &row.verdict.2)) }
                    }
                }
            }
        }
    }
}

fn facts(view: &View) -> Markup {
    html! {
        section.panel aria-labelledby="state" {
            div.ph { h2 #state { "This day" } }
            dl.facts.pb { @for (name, value, note) in &view.facts {
                div { dt { (name) } dd { (value) @if !note.is_empty() { small { (note) } } } }
            } }
        }
    }
}

fn versions(view: &View) -> Markup {
    html! {
        section.panel.feed aria-labelledby="versions" {
            div.ph { h2 #versions { "Versions" } }
            @if view.versions.is_empty() {
                (empty(Icon::Reads, "Nothing is stored of this day", "The first version is made when the first reading arrives."))
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Versions of this day" { table role="table" {
                    caption.vh { "Versions of this day, newest first" }
                    thead role="rowgroup" { tr role="row" { @for name in ["Version", "How", "Who and why", "When", ""] {
                        th role="columnheader" scope="col" { @if name.is_empty() { span.vh { "What to do" } } @else { (name) } }
                    } } }
                    tbody role="rowgroup" { @for row in &view.versions { (version(row)) } }
                } }
            }
            @if let Some(compare) = &view.compare { (compared(compare)) }
        }
    }
}

fn version(row: &VersionRow) -> Markup {
    html! {
        tr role="row" {
            th scope="row" role="rowheader" { (row.number) @if row.current { " " span.tag { "stands" } } }
            td.wrap role="cell" { (row.what) small { (row.rules) } }
            td.det role="cell" { (row.who) @if !row.why.is_empty() { br; (row.why) } }
            td.t role="cell" { (row.when) }
            td role="cell" { div.links {
                @if let Some(href) = &row.compare { a href=(href) { "Compare" span.vh { (format!(" version {} with the one before", row.number)) } } }
                @if let Some(href) = &row.undo { a href=(href) { "Undo" span.vh { (format!(" version {}", row.number)) } } }
            } }
        }
    }
}

fn compared(compare: &Compare) -> Markup {
    html! {
        div.pb #compare {
            h3.ct { (compare.title) }
            p { (compare.sentence) }
            @if !compare.rows.is_empty() { (diff(&compare.rows, ["Earlier", "Later"], false)) }
        }
    }
}

/// A table of what differs; with `raw` also what was read.
pub(crate) fn diff(rows: &[DiffRow], names: [&str; 2], raw: bool) -> Markup {
    html! {
        div.scroll.diff tabindex="0" role="region" aria-label=(format!("{} and {}", names[0], names[1])) { table {
            thead { tr {
                th scope="col" { "Time" } @if raw { th.n scope="col" { "Read" } }
                th.n scope="col" { (names[0]) } th.n scope="col" { (names[1]) } th scope="col" { "Quality" }
            } }
            tbody { @for row in rows { tr {
                th scope="row" { (row.time) } @if raw { td.n { (row.raw) } }
                td.n { (row.before) }
                td.n { @if row.changed { b { (row.after) } } @else { (row.after) } }
                td { @if row.quality.0 == row.quality.1 { (row.quality.0) } @else { (row.quality.0) " → " (row.quality.1) } }
            } } }
        } }
    }
}

fn siblings(view: &View) -> Markup {
    html! {
        @if !view.siblings.is_empty() {
            section.panel aria-labelledby="siblings" {
                div.ph { h2 #siblings { "The same meter, the same day" } }
                div.pb { @for (name, chart) in &view.siblings { h3.ct { (name) } (chart) } }
            }
        }
    }
}
