//! Components without a page of their own.

use super::{Icon, icon};
use maud::{Markup, html};

/// How a status is coloured; its icon and words say the same without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it should be.
    Ok,
    /// Needs a look.
    Warn,
    /// Needs somebody.
    Bad,
    /// Neither.
    Mute,
}

impl Tone {
    /// Its class.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Mute => "mute",
        }
    }
}

/// One of several values of a filter, each a link so that the address holds the choice.
#[derive(Clone, Debug)]
pub(crate) struct Chip {
    /// Where it leads.
    pub(crate) href: String,
    /// Its name.
    pub(crate) label: String,
    /// Whether it holds now.
    pub(crate) current: bool,
}

/// The values of a filter under its name.
pub(crate) fn chips(name: &str, values: &[Chip]) -> Markup {
    html! {
        div {
            span.lab { (name) }
            nav.fil aria-label=(name) {
                @for chip in values { a href=(chip.href) aria-current=[chip.current.then_some("true")] { (chip.label) } }
            }
        }
    }
}

/// A note of one sentence with its sign.
pub(crate) fn note(tone: Tone, sign: Icon, text: &str) -> Markup {
    let class = match tone {
        Tone::Ok => "ok",
        Tone::Warn => "warn",
        Tone::Bad => "bad",
        Tone::Mute => "info",
    };
    html! { p.note.(class) { (icon(sign)) span { (text) } } }
}

/// The page before and after, beside the range that is shown.
pub(crate) fn pager(range: &str, pages: &(Option<String>, Option<String>)) -> Markup {
    html! {
        nav.pager aria-label="Pages" {
            span { (range) }
            div.end {
                @if let Some(href) = &pages.0 { a.btn.sm href=(href) rel="prev" { (icon(Icon::Left)) "Previous" } }
                @if let Some(href) = &pages.1 { a.btn.sm href=(href) rel="next" { "Next" (icon(Icon::Right)) } }
            }
        }
    }
}

/// An icon and a word.
pub(crate) fn status(tone: Tone, sign: Icon, text: &str) -> Markup {
    html! { span.st.(tone.class()) { (icon(sign)) (text) } }
}

/// A figure of the row beside a headline.
#[derive(Clone, Debug)]
pub(crate) struct Stat {
    /// What it is.
    pub(crate) name: &'static str,
    /// The number.
    pub(crate) value: String,
    /// Its unit, with a leading non-breaking space, or nothing.
    pub(crate) unit: String,
    /// A word below, or nothing.
    pub(crate) note: String,
}

/// The row of figures.
pub(crate) fn stats(figures: &[Stat]) -> Markup {
    html! {
        dl.stats {
            @for figure in figures {
                div {
                    dt { (figure.name) }
                    dd { b { (figure.value) } (figure.unit) @if !figure.note.is_empty() { small { (figure.note) } } }
                }
            }
        }
    }
}

/// One of several links of which one is current. With script it swaps `target` instead of the page.
pub(crate) fn seg(href: &str, current: bool, label: &str, target: &str) -> Markup {
    html! {
        a href=(href) aria-current=[current.then_some("true")] hx-get=(href) hx-target=(target) hx-select=(target)
            hx-swap="outerHTML" hx-push-url="true" { (label) }
    }
}

/// An arrow to the day before or after; without a day to go to it is only drawn.
pub(crate) fn step(href: Option<&str>, sign: Icon, label: &str, target: &str) -> Markup {
    html! {
        @if let Some(href) = href {
            a.iconbtn href=(href) aria-label=(label) hx-get=(href) hx-target=(target) hx-select=(target)
                hx-swap="outerHTML" hx-push-url="true" { (icon(sign)) }
        } @else {
            span.iconbtn.off aria-hidden="true" { (icon(sign)) }
        }
    }
}

/// Nothing to show: why, and what happens next.
pub(crate) fn empty(sign: Icon, why: &str, next: &str) -> Markup {
    html! { div.empty { (icon(sign)) strong { (why) } p { (next) } } }
}

/// Up to two initials of a name.
pub(crate) fn initials(name: &str) -> String {
    name.split_whitespace()
        .filter_map(|word| word.chars().next())
        .filter(|c| c.is_alphabetic())
        .take(2)
        .collect()
}
