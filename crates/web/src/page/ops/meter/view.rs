//! The template of the meter page.

use crate::page::ops::events::{self, EventRow};
use crate::ui::{Icon, Tone, empty, icon, status, step};
use maud::{Markup, html};

/// A command in the meter's short list.
#[derive(Clone, Debug)]
pub(crate) struct CommandRow {
    /// Its page.
    pub(crate) href: String,
    /// What was asked.
    pub(crate) action: String,
    /// Where it stands.
    pub(crate) state: model::command::CommandState,
    /// When it was asked.
    pub(crate) asked: String,
}

/// A register as last read.
#[derive(Clone, Debug)]
pub(crate) struct RegisterRow {
    /// What it counts.
    pub(crate) name: String,
    /// The value in its unit.
    pub(crate) value: String,
    /// When it was read.
    pub(crate) at: String,
    /// How it came.
    pub(crate) source: &'static str,
}

/// A step of the way between meter and head-end.
#[derive(Clone, Debug)]
pub(crate) struct Hop {
    /// The node.
    pub(crate) name: String,
    /// Signal towards the next node.
    pub(crate) signal: String,
}

/// The day shown.
#[derive(Clone, Debug)]
pub(crate) struct Day {
    /// The meter's number in the system.
    pub(crate) meter: u32,
    /// Its date, as in addresses.
    pub(crate) date: String,
    /// Its name.
    pub(crate) title: String,
    /// The day before.
    pub(crate) earlier: Option<String>,
    /// The day after.
    pub(crate) later: Option<String>,
    /// The chart of what was used and sent, or the reason why there is none.
    pub(crate) profile: Result<Markup, String>,
    /// Its legend.
    pub(crate) legend: Markup,
    /// The chart of the voltage.
    pub(crate) voltage: Option<Markup>,
    /// Both as a table.
    pub(crate) table: Option<Markup>,
    /// Both as a file.
    pub(crate) csv: Option<String>,
    /// The bench with this day, for those who may see it.
    pub(crate) bench: Option<String>,
    /// Which version of the day it is and when it was made.
    pub(crate) version: String,
}

/// An open exception of the meter.
#[derive(Clone, Debug)]
pub(crate) struct ExceptionRow {
    /// The bench with it.
    pub(crate) href: String,
    /// The rule.
    pub(crate) rule: String,
    /// The day.
    pub(crate) day: String,
    /// How grave.
    pub(crate) severity: (Tone, Icon, &'static str),
}

/// The open exceptions of the meter.
#[derive(Clone, Debug)]
pub(crate) struct Exceptions {
    /// The newest.
    pub(crate) rows: Vec<ExceptionRow>,
    /// All of them, as a filtered queue.
    pub(crate) all: String,
    /// How many there are.
    pub(crate) total: u64,
}

/// Everything the page shows.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// The meter's number in the system.
    pub(crate) id: u32,
    /// Its serial number.
    pub(crate) serial: String,
    /// Whether it reports as it should.
    pub(crate) state: (Tone, Icon, &'static str),
    /// One line: address and customer.
    pub(crate) place: String,
    /// Name, value and a small note.
    pub(crate) facts: Vec<(&'static str, String, String)>,
    /// The day.
    pub(crate) day: Day,
    /// Last registers.
    pub(crate) registers: Vec<RegisterRow>,
    /// Recent events, newest first.
    pub(crate) events: Vec<EventRow>,
    /// Open exceptions, newest first; `None` for those who may not see them.
    pub(crate) exceptions: Option<Exceptions>,
    /// Recent commands, newest first.
    pub(crate) commands: Vec<CommandRow>,
    /// The way to the head-end, meter first.
    pub(crate) path: Vec<Hop>,
    /// What people did with it: when and what, the meter that came or went in its place (page and serial number), why.
    pub(crate) deeds: Vec<DeedRow>,
    /// Whether the person may send commands.
    pub(crate) may_read: bool,
}

/// What somebody did with the meter.
#[derive(Clone, Debug)]
pub(crate) struct DeedRow {
    /// What and when.
    pub(crate) what: String,
    /// The meter that came or went in its place: its page and its serial number.
    pub(crate) other: Option<(String, String)>,
    /// Who says so, and why.
    pub(crate) why: String,
}

/// The part of the page that the date changes.
const TARGET: &str = "#day";

/// The page's main element.
pub(crate) fn main(view: &View) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl {
                div { h1 { "Meter " (view.serial) } p.line { (status(view.state.0, view.state.1, view.state.2)) span { (view.place) } } }
                @if view.may_read { (actions(view)) }
            }
            section.panel aria-labelledby="identity" {
                div.ph { h2 #identity { "Identity and last contact" } }
                dl.facts.pb { @for (name, value, note) in &view.facts {
                    div { dt { (name) } dd { (value) @if !note.is_empty() { small { (note) } } } }
                } }
            }
            div.board {
                div.stack { (day(&view.day, view.may_read)) (meter_events(&view.events)) }
                div.stack { (exceptions(view.exceptions.as_ref())) (registers(&view.registers)) (commands(view)) (deeds(&view.deeds)) (path(&view.path)) }
            }
        }
    }
}

fn actions(view: &View) -> Markup {
    html! {
        div.acts {
            form method="post" action=(format!("/ops/meters/{}/commands", view.id)) {
                button.btn name="do" value="ping" { (icon(Icon::Ping)) "Ping" }
                button.btn.pri name="do" value="read" { (icon(Icon::Reads)) "Read now" }
            }
        }
    }
}

fn day(day: &Day, may_read: bool) -> Markup {
    html! {
        section.panel #day aria-labelledby="profile" {
            div.ph {
                h2 #profile { (day.title) }
                div.step {
                    (step(day.earlier.as_deref(), Icon::Left, "Previous day", TARGET))
                    (step(day.later.as_deref(), Icon::Right, "Next day", TARGET))
                }
                div.end {
                    @if may_read {
                        form method="post" action=(format!("/ops/meters/{}/commands", day.meter)) {
                            input type="hidden" name="date" value=(day.date);
                            button.btn.sm.quiet name="do" value="profile" { (icon(Icon::Reads)) "Read this day" }
                        }
                    }
                    @if let Some(bench) = &day.bench { a.btn.sm.quiet href=(bench) { (icon(Icon::Clock)) "Versions" } }
                    @if let Some(csv) = &day.csv { a.btn.sm.quiet href=(csv) { (icon(Icon::Down)) "CSV" } }
                }
            }
            div.pb {
                @match &day.profile {
                    Ok(chart) => { h3.ct { "Load profile" } (chart) (day.legend) }
                    Err(why) => p.note.info { (icon(Icon::Reads)) span { (why) } }
                }
                @if let Some(voltage) = &day.voltage {
                    h3.ct { "Average voltage" }
                    (voltage)
                }
                @if let Some(table) = &day.table {
                    details.tbl {
                        summary { "Show as a table" }
                        div.scroll tabindex="0" role="region" aria-label="Profile table" { (table) }
                    }
                }
                @if !day.version.is_empty() { p.hint { (day.version) } }
            }
        }
    }
}

fn meter_events(rows: &[EventRow]) -> Markup {
    html! {
        section.panel.feed aria-labelledby="events" {
            div.ph { h2 #events { "Events" } }
            @if rows.is_empty() {
                (empty(Icon::Check, "This meter has reported no events", "Outages, covers, voltage and clock changes are listed here."))
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Events of this meter" { table role="table" {
                    thead role="rowgroup" { tr role="row" { @for name in ["Time", "Event", "Note"] { th role="columnheader" scope="col" { (name) } } } }
                    tbody role="rowgroup" { @for row in rows { (events::meter_row(row)) } }
                } }
            }
        }
    }
}

fn exceptions(found: Option<&Exceptions>) -> Markup {
    html! {
        @if let Some(found) = found {
            section.panel.feed.flat aria-labelledby="exceptions" {
                div.ph { h2 #exceptions { "Exceptions" } @if found.total > 0 { div.end { a href=(found.all) { "All " (found.total) } } } }
                @if found.rows.is_empty() {
                    (empty(Icon::Check, "Nothing of this meter needs a person", "What a rule stops is listed here."))
                } @else {
                    table {
                        thead { tr { th scope="col" { "Rule" } th scope="col" { "Severity" } th.n scope="col" { "Day" } } }
                        tbody { @for row in &found.rows { tr {
                            th scope="row" { a href=(row.href) { (row.rule) } }
                            td { (status(row.severity.0, row.severity.1, row.severity.2)) } td.n.t { (row.day) }
                        } } }
                    }
                }
            }
        }
    }
}

fn registers(rows: &[RegisterRow]) -> Markup {
    html! {
        section.panel.feed.flat aria-labelledby="registers" {
            div.ph { h2 #registers { "Last registers" } }
            @if rows.is_empty() {
                (empty(Icon::Reads, "No register read yet", "They come with the next read, or at once with Read now."))
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Registers" { table {
                    thead { tr { th scope="col" { "Register" } th.n scope="col" { "Value" } th.n scope="col" { "Read" } } }
                    tbody { @for row in rows { tr {
                        th scope="row" { (row.name) } td.n { (row.value) } td.n.t title=(row.source) { (row.at) }
                    } } }
                } }
            }
        }
    }
}

fn commands(view: &View) -> Markup {
    html! {
        section.panel.feed.flat aria-labelledby="commands" {
            div.ph { h2 #commands { "Commands" } div.end { a href=(format!("/ops/commands?meter={}", view.id)) { "All" } } }
            @if view.commands.is_empty() {
                (empty(Icon::Ping, "Nothing was asked of this meter", if view.may_read { "Ping it or read it with the buttons above." } else { "Meter operations, engineers and administrators can ping and read it." }))
            } @else {
                table {
                    thead { tr { th scope="col" { "Command" } th scope="col" { "State" } th.n scope="col" { "Asked" } } }
                    tbody { @for row in &view.commands { tr {
                        th scope="row" { a href=(row.href) { (row.action) } }
                        td { (crate::page::ops::command_view::badge(row.state)) }
                        td.n.t { (row.asked) }
                    } } }
                }
            }
        }
    }
}

fn deeds(rows: &[DeedRow]) -> Markup {
    html! {
        @if !rows.is_empty() {
            section.panel aria-labelledby="deeds" {
                div.ph { h2 #deeds { "Fitted and taken off" } }
                ol.sets { @for row in rows { li {
                    p { strong { (row.what) } }
                    @if let Some((href, serial)) = &row.other { p { "exchanged with " a href=(href) { (serial) } } }
                    p { (row.why) }
                } } }
            }
        }
    }
}

fn path(hops: &[Hop]) -> Markup {
    html! {
        section.panel aria-labelledby="path" {
            div.ph { h2 #path { "Network path" } }
            @if hops.is_empty() {
                (empty(Icon::Wave, "No path known yet", "The collector reports it with the first answer."))
            } @else {
                ol.hops { @for hop in hops { li { span { (hop.name) } span.sig { (hop.signal) } } } }
            }
        }
    }
}
