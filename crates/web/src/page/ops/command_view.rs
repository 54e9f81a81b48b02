//! A command's state, as the command page, its live stream and the meter page show it.

use crate::ui::{Icon, Tone, icon, status};
use maud::{Markup, html};
use model::command::CommandState;

/// Everything shown of a command.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Its number.
    pub(crate) id: u32,
    /// What was asked, in words.
    pub(crate) action: String,
    /// The meter's page.
    pub(crate) meter_href: String,
    /// The meter's serial number.
    pub(crate) serial: String,
    /// Where it stands.
    pub(crate) state: CommandState,
    /// What the head-end says of it.
    pub(crate) detail: String,
    /// Who asked.
    pub(crate) by: String,
    /// Why.
    pub(crate) reason: String,
    /// When it was asked.
    pub(crate) asked: String,
    /// When it last changed.
    pub(crate) changed: String,
    /// How long it took or has taken.
    pub(crate) took: String,
    /// Until when it may be sent.
    pub(crate) until: String,
    /// What came back, name and value.
    pub(crate) values: Vec<(String, String)>,
}

/// How a state looks in a table.
pub(crate) const fn look(state: CommandState) -> (Tone, Icon, &'static str) {
    match state {
        CommandState::Queued => (Tone::Mute, Icon::Clock, "Queued"),
        CommandState::Sent => (Tone::Mute, Icon::Ping, "Sent"),
        CommandState::Confirmed => (Tone::Ok, Icon::Check, "Confirmed"),
        CommandState::Failed => (Tone::Bad, Icon::Cross, "Failed"),
        CommandState::Expired => (Tone::Warn, Icon::Clock, "Expired"),
    }
}

/// The state as a word with its icon.
pub(crate) fn badge(state: CommandState) -> Markup {
    let (tone, sign, text) = look(state);
    status(tone, sign, text)
}

/// One sentence on where it stands.
pub(crate) fn sentence(view: &View) -> String {
    match view.state {
        CommandState::Queued => "Waiting for the head-end to take it.".to_owned(),
        CommandState::Sent => "The head-end is talking to the meter.".to_owned(),
        CommandState::Confirmed => format!("The meter answered after {}.", view.took),
        CommandState::Failed => "It was not done.".to_owned(),
        CommandState::Expired => {
            "Its time ran out before the meter answered. Nothing more will be sent.".to_owned()
        }
    }
}

/// The part that changes while the page is open.
pub(crate) fn progress(view: &View) -> Markup {
    let (_, sign, _) = look(view.state);
    let class = match view.state {
        CommandState::Confirmed => "ok",
        CommandState::Failed | CommandState::Expired => "bad",
        CommandState::Queued | CommandState::Sent => "wait",
    };
    html! {
        div {
            (stages(view.state))
            div.outcome.(class) {
                (icon(sign))
                div {
                    strong { (sentence(view)) }
                    @if !view.detail.is_empty() { p { (view.detail) } }
                }
            }
            @if !view.values.is_empty() {
                div.pb { dl.facts { @for (name, value) in &view.values { div { dt { (name) } dd { (value) } } } } }
            }
        }
    }
}

fn stages(state: CommandState) -> Markup {
    let reached = match state {
        CommandState::Queued => 1,
        CommandState::Sent => 2,
        CommandState::Confirmed | CommandState::Failed | CommandState::Expired => 3,
    };
    let last = match state {
        CommandState::Failed => "Failed",
        CommandState::Expired => "Expired",
        _ => "Answered",
    };
    let bad = matches!(state, CommandState::Failed | CommandState::Expired);
    html! {
        ol.stage aria-label="Progress" {
            @for (index, name) in ["Queued", "Sent", last].into_iter().enumerate() {
                @let done = index < reached;
                li.done[done && !(bad && index == 2)].bad[bad && index == 2] aria-current=[(index + 1 == reached).then_some("step")] { (name) }
            }
        }
    }
}
