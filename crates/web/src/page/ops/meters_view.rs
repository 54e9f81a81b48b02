//! The template of the fleet list: filters as chips and as text, sorted columns, pages, a file.

use crate::ui::{Chip, Icon, Tone, chips, empty, icon, pager, status};
use maud::{Markup, html};

/// A heading that sorts.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// Where it leads; `None` for one that does not sort.
    pub(crate) href: Option<String>,
    /// Its name.
    pub(crate) label: &'static str,
    /// Whether the list is sorted by it now, and then whether ascending.
    pub(crate) sorted: Option<bool>,
    /// Class of the cells.
    pub(crate) class: &'static str,
}

/// One meter.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its page.
    pub(crate) href: String,
    /// Its serial number.
    pub(crate) serial: String,
    /// Whether it reports as it should.
    pub(crate) state: (Tone, Icon, &'static str),
    /// The address.
    pub(crate) address: String,
    /// Who is served there.
    pub(crate) customer: String,
    /// Commodity and model.
    pub(crate) model: String,
    /// The collector, or how it is reached.
    pub(crate) route: String,
    /// When it was last heard.
    pub(crate) heard: String,
}

/// Everything the page shows.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// How many there are.
    pub(crate) summary: String,
    /// The text filter as typed.
    pub(crate) text: String,
    /// The other filters, to keep when the text changes.
    pub(crate) hidden: Vec<(&'static str, String)>,
    /// The chips by filter.
    pub(crate) filters: Vec<(&'static str, Vec<Chip>)>,
    /// The headings.
    pub(crate) columns: Vec<Column>,
    /// The meters of this page.
    pub(crate) rows: Vec<Row>,
    /// `1–50 of 512`
    pub(crate) range: String,
    /// The page before and after.
    pub(crate) pages: (Option<String>, Option<String>),
    /// The same list as a file.
    pub(crate) csv: String,
}

/// The page's main element.
pub(crate) fn main(view: &View) -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl {
                div { h1 { "Meters" } p { (view.summary) } }
                div.acts { a.btn href=(view.csv) { (icon(Icon::Down)) "CSV" } }
            }
            section.panel aria-label="Fleet" {
                (filters(view))
                @if view.rows.is_empty() {
                    (empty(Icon::Search, "No meter fits these filters", "Take a filter away, or search for a part of the serial number, address or name."))
                } @else {
                    (table(view))
                    (pager(&view.range, &view.pages))
                }
            }
        }
    }
}

fn filters(view: &View) -> Markup {
    html! {
        div.filters {
            form.query role="search" action="/ops/meters" aria-label="Filter the list" {
                @for (name, value) in &view.hidden { input type="hidden" name=(name) value=(value); }
                span.find {
                    (icon(Icon::Search))
                    input type="search" name="q" value=(view.text) aria-label="Serial number, address or customer" placeholder="Serial number, address or customer" autocomplete="off";
                }
                button.btn type="submit" { "Filter" }
            }
            @for (name, values) in &view.filters { (chips(name, values)) }
        }
    }
}

fn table(view: &View) -> Markup {
    html! {
        div.scroll.feed tabindex="0" role="region" aria-label="Meters" { table role="table" {
            caption.vh { "Meters, " (view.range) }
            thead role="rowgroup" { tr role="row" {
                @for column in &view.columns {
                    th.(column.class) role="columnheader" scope="col" aria-sort=[column.sorted.map(|up| if up { "ascending" } else { "descending" })] {
                        @if let Some(href) = &column.href {
                            a href=(href) {
                                (column.label)
                                @if let Some(up) = column.sorted { (icon(if up { Icon::Up } else { Icon::Descend })) }
                            }
                        } @else { (column.label) }
                    }
                }
            } }
            tbody role="rowgroup" {
                @for row in &view.rows { tr role="row" {
                    th scope="row" role="rowheader" { a href=(row.href) { (row.serial) } }
                    td role="cell" { (status(row.state.0, row.state.1, row.state.2)) }
                    td.det role="cell" { (row.address) }
                    td.det.opt role="cell" { (row.customer) }
                    td.det.opt role="cell" { (row.model) }
                    td.det.opt role="cell" { (row.route) }
                    td.t role="cell" { (row.heard) }
                } }
            }
        } }
    }
}
