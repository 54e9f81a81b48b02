//! What groups and formulas share: their history, and the form that retires one.

use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read::look;
use crate::ui::{Icon, icon};
use jiff::civil::Date;
use maud::{Markup, html};
use mdm::dated::Dated;
use store::SINCE_EVER;

/// What a name meant from a day on.
#[derive(Clone, Debug)]
pub(crate) struct Meaning {
    /// From which day.
    pub(crate) since: String,
    /// What it meant.
    pub(crate) what: String,
    /// Who said so.
    pub(crate) who: String,
    /// Why, and when.
    pub(crate) why: String,
    /// Whether it counts today.
    pub(crate) current: bool,
}

/// The history of a name, newest first; `say` puts a meaning into words.
pub(crate) fn history<I, T>(
    ctx: &Ctx,
    dated: &Dated<I, T>,
    say: impl Fn(&T) -> String,
) -> Result<Vec<Meaning>, WebError> {
    let words = ctx.words();
    let counts = dated.on(words.today()).map(|one| one.number);
    let mut lines = Vec::new();
    for version in dated.versions.iter().rev() {
        let who = look(ctx, |store| store.user(version.user))?;
        let why = if version.reason.is_empty() { "no reason on record" } else { &version.reason };
        lines.push(Meaning {
            since: if version.from == SINCE_EVER {
                "For every day".to_owned()
            } else {
                format!("For days from {}", words.long(version.from))
            },
            what: version.is.as_ref().map_or_else(|| "Retired".to_owned(), &say),
            who: who.map_or_else(|| version.user.to_string(), |user| user.display_name),
            why: format!("{why} ({})", words.stamp(version.changed_at)),
            current: counts == Some(version.number),
        });
    }
    Ok(lines)
}

/// The history as a panel.
pub(crate) fn panel(lines: &[Meaning]) -> Markup {
    html! {
        section.panel aria-labelledby="history" {
            div.ph { h2 #history { "What it means, and meant" } }
            ol.sets { @for line in lines { li.now[line.current] {
                p { strong { (line.since) } @if line.current { " " span.tag { "today" } } }
                p { (line.what) }
                p { (line.who) ": " (line.why) }
            } } }
        }
    }
}

/// The form that retires a name, closed until it is wanted.
pub(crate) fn retire(action: &str, today: Date, what: &str) -> Markup {
    html! {
        section.panel aria-label=(format!("Retire the {what}")) { div.pb {
            details.tbl {
                summary { "Retire this " (what) }
                form.confirm method="post" action=(action) {
                    p { (format!("From the day on, the {what} is no more. Days before keep it, and so does its history.")) }
                    div.row {
                        div.field { label for="retire-from" { "From" } input #retire-from name="from" type="date" value=(today.to_string()) required; }
                        div.field.grow { label for="retire-reason" { "Reason" } input #retire-reason name="reason" type="text" maxlength="300" required autocomplete="off"; }
                    }
                    p { button.btn type="submit" { (icon(Icon::Check)) "Retire it" } }
                }
            }
        } }
    }
}

/// What the form that retires sends.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Retirement {
    /// The first day on which it is no more.
    pub(crate) from: String,
    /// Why.
    #[serde(default)]
    pub(crate) reason: String,
}

impl Retirement {
    /// The day, or what is wrong with it.
    pub(crate) fn day(&self) -> Result<Date, WebError> {
        self.from.trim().parse().map_err(|_| day_refused())
    }
}

fn day_refused() -> WebError {
    WebError::Unclear("Say from which day on, as in 2026-07-14.".to_owned())
}

/// The day of a field that may be left empty, or what is wrong with it.
pub(crate) fn day(text: &str) -> Result<Option<Date>, String> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| "Write the day as in 2026-07-14.".to_owned()),
    }
}
