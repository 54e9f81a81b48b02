//! The template of the usage page: the same frame for a day and a month.

use crate::ui::{Icon, Stat, empty, icon, seg, stats, step};
use maud::{Markup, html};

/// One of several links of which one is current.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Where it leads.
    pub(crate) href: String,
    /// Its name.
    pub(crate) label: String,
    /// Whether it is shown now.
    pub(crate) current: bool,
}

/// Everything the template shows.
#[derive(Debug)]
pub(crate) struct View {
    /// What is measured: electricity, gas, water.
    pub(crate) points: Vec<Choice>,
    /// Day and month.
    pub(crate) views: Vec<Choice>,
    /// Name of the day or month.
    pub(crate) title: String,
    /// One step back and one ahead, with their names.
    pub(crate) earlier: (Option<String>, &'static str),
    /// One step ahead.
    pub(crate) later: (Option<String>, &'static str),
    /// The sentence.
    pub(crate) headline: String,
    /// More sentences.
    pub(crate) remarks: String,
    /// A warning about readings that are not as read.
    pub(crate) caveat: Option<String>,
    /// What a later correction changed, if there was one.
    pub(crate) corrected: Option<String>,
    /// The figures.
    pub(crate) figures: Vec<Stat>,
    /// The chart, `None` when nothing is known.
    pub(crate) chart: Option<Markup>,
    /// Its legend.
    pub(crate) legend: Markup,
    /// Its table.
    pub(crate) table: Markup,
    /// The same numbers as a file.
    pub(crate) csv: String,
    /// The five weeks, when there are readings enough.
    pub(crate) weeks: Option<Markup>,
}

/// The part of the page that a date, view or commodity changes.
const TARGET: &str = "#use";

/// The page's main element.
pub(crate) fn main(view: &View) -> Markup {
    html! {
        main #main.wrap tabindex="-1" {
            div #use {
                div.hero {
                    header.lede {
                        p.eye { "Your use" }
                        h1 { (view.headline) }
                        @if !view.remarks.is_empty() { p.sub { (view.remarks) } }
                    }
                    @if !view.figures.is_empty() { (stats(&view.figures)) }
                }
                section.card.chartcard aria-labelledby="chart" {
                    (head(view))
                    @match &view.chart {
                        Some(chart) => {
                            (chart)
                            (view.legend)
                            @if let Some(corrected) = &view.corrected { p.note.info { (icon(Icon::Check)) span { (corrected) } } }
                            @if let Some(caveat) = &view.caveat { p.note.warn { (icon(Icon::Warn)) span { (caveat) } } }
                            details.tbl {
                                summary { "Show as a table" }
                                div.scroll tabindex="0" role="region" aria-label="Readings table" { (view.table) }
                            }
                        }
                        None => (empty(Icon::Bars, "Nothing to draw yet", "Readings of a day arrive through the day and the next morning. Earlier days are one step back."))
                    }
                }
                @if let Some(weeks) = &view.weeks { (weeks) }
            }
        }
    }
}

fn head(view: &View) -> Markup {
    html! {
        div.cardhead {
            h2 #chart { (view.title) }
            div.step {
                (step(view.earlier.0.as_deref(), Icon::Left, view.earlier.1, TARGET))
                (step(view.later.0.as_deref(), Icon::Right, view.later.1, TARGET))
            }
            div.ctl {
                @if view.points.len() > 1 {
                    nav.seg aria-label="What is measured" { @for c in &view.points { (seg(&c.href, c.current, &c.label, TARGET)) } }
                }
                nav.seg aria-label="Period" { @for c in &view.views { (seg(&c.href, c.current, &c.label, TARGET)) } }
                a.btn.sm.quiet href=(view.csv) { (icon(Icon::Down)) "CSV" }
                a.btn.sm.quiet href="/usage/download" { "Download more" }
            }
        }
    }
}
