//! The template of the completeness board: days by collectors, and the meters behind a number.

use crate::ui::{Icon, Tone, empty, icon, pager, status, step};
use maud::{Markup, html};

/// A day at a collector.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// The colour step from 0 (everything missing) to 6 (whole); `None` when nothing is expected.
    pub(crate) level: Option<u8>,
    /// The share in percent, or a dash.
    pub(crate) share: String,
    /// Missing intervals, empty when none.
    pub(crate) missing: String,
    /// All numbers in words.
    pub(crate) label: String,
    /// The meters behind the number.
    pub(crate) href: String,
    /// Whether these meters are listed below.
    pub(crate) current: bool,
}

/// A day.
#[derive(Clone, Debug)]
pub(crate) struct DayRow {
    /// Its name.
    pub(crate) name: String,
    /// One cell a collector, the sum of all last.
    pub(crate) cells: Vec<Cell>,
}

/// A meter of which something is late.
#[derive(Clone, Debug)]
pub(crate) struct LateRow {
    /// The bench with the day.
    pub(crate) href: String,
    /// Serial number.
    pub(crate) serial: String,
    /// Where it is.
    pub(crate) address: String,
    /// Intervals expected, read, estimated, missing.
    pub(crate) numbers: [String; 4],
    /// Whether it reports as it should.
    pub(crate) state: (Tone, Icon, &'static str),
}

/// The meters behind a number.
#[derive(Clone, Debug)]
pub(crate) struct Late {
    /// Day and collector.
    pub(crate) title: String,
    /// What the list holds.
    pub(crate) sentence: String,
    /// The meters.
    pub(crate) rows: Vec<LateRow>,
    /// `1–50 of 512`
    pub(crate) range: String,
    /// The page before and after.
    pub(crate) pages: (Option<String>, Option<String>),
    /// The same as a file.
    pub(crate) csv: String,
}

/// Everything the page shows.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// One sentence.
    pub(crate) summary: String,
    /// The last day shown, in words.
    pub(crate) title: String,
    /// Earlier and later days.
    pub(crate) steps: (Option<String>, Option<String>),
    /// The collectors, and `All`.
    pub(crate) columns: Vec<(String, String)>,
    /// The days, newest first.
    pub(crate) days: Vec<DayRow>,
    /// What the newest day holds: expected, read, estimated, missing.
    pub(crate) stats: Vec<(&'static str, String, String)>,
    /// The meters behind the number that is chosen.
    pub(crate) late: Option<Late>,
    /// The board as a file.
    pub(crate) csv: String,
}

/// The page's main element.
pub(crate) fn main(view: &View) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl {
                div { h1 { "Reads" } p { (view.summary) } }
                div.acts { a.btn href=(view.csv) { (icon(Icon::Down)) "CSV" } }
            }
            section.panel aria-labelledby="board" {
                div.ph {
                    h2 #board { (view.title) }
                    div.step {
                        (step(view.steps.0.as_deref(), Icon::Left, "Earlier days", "#main"))
                        (step(view.steps.1.as_deref(), Icon::Right, "Later days", "#main"))
                    }
                }
                dl.facts.pb { @for (name, value, note) in &view.stats { div { dt { (name) } dd { (value) small { (note) } } } } }
                @if view.days.is_empty() {
                    (empty(Icon::Reads, "No day is complete yet", "A day is judged when its readings are due."))
                } @else { (board(view)) }
            }
            @if let Some(late) = &view.late { (meters(late)) }
        }
    }
}

fn board(view: &View) -> Markup {
    html! {
        div.scroll.heatboard tabindex="0" role="region" aria-label="Share of intervals read, by day and collector" { table {
            caption.vh { "Share of the expected intervals that were read, in percent" }
            thead { tr { th scope="col" { "Day" } @for (name, kind) in &view.columns { th scope="col" { (name) small { (kind) } } } } }
            tbody { @for day in &view.days { tr {
                th scope="row" { (day.name) }
                @for cell in &day.cells { td {
                    a.(cell.level.map_or_else(|| "qn".to_owned(), |level| format!("h{level}"))) href=(cell.href) title=(cell.label) aria-current=[cell.current.then_some("true")] {
                        b { (cell.share) } @if !cell.missing.is_empty() { small { "−" (cell.missing) } }
                    }
                } }
            } } }
        } }
        p.hint.pb { "Percent of the expected intervals that were read; below it how many were not, whether estimated or still missing." }
    }
}

fn meters(late: &Late) -> Markup {
    html! {
        section.panel aria-labelledby="late" {
            div.ph { h2 #late { (late.title) } div.end { a.btn.sm.quiet href=(late.csv) { (icon(Icon::Down)) "CSV" } } }
            @if late.rows.is_empty() {
                (empty(Icon::Check, "Every interval was read", &late.sentence))
            } @else {
                p.pb.hint { (late.sentence) }
                div.scroll.feed tabindex="0" role="region" aria-label="Meters" { table role="table" {
                    caption.vh { (late.title) ", " (late.range) }
                    thead role="rowgroup" { tr role="row" {
                        th role="columnheader" scope="col" { "Meter" } th role="columnheader" scope="col" { "State" } th role="columnheader" scope="col" { "Address" }
                        @for name in ["Expected", "Read", "Estimated", "Missing"] { th.n role="columnheader" scope="col" { (name) } }
                    } }
                    tbody role="rowgroup" { @for row in &late.rows { tr role="row" {
                        th scope="row" role="rowheader" { a href=(row.href) { (row.serial) } }
                        td role="cell" { (status(row.state.0, row.state.1, row.state.2)) }
                        td.det role="cell" { (row.address) }
                        @for (name, number) in ["expected", "read", "estimated", "missing"].iter().zip(&row.numbers) { td.n role="cell" { (number) span.unit { " " (name) } } }
                    } } }
                } }
                (pager(&late.range, &late.pages))
            }
        }
    }
}
