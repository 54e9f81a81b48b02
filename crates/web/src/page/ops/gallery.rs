//! `/ops/_ui` in debug builds: every component in its states, to look at and to test.

use crate::chart::{Bars, HeatDay, HeatMap, Line, Point, Ribbon, Slot, State, Tick, spark};
use crate::ctx::Ctx;
use crate::page::ops::command_view;
use crate::ui::{self, Crumb, Icon, Stat, Tone, empty, icon, stats, status};
use maud::{Markup, html};
use model::command::CommandState;

/// `GET /ops/_ui`
pub(crate) async fn get(ctx: Ctx) -> Markup {
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: None, text: "Components".to_owned() },
    ];
    ui::ops(&ctx.frame("Components", ""), &crumbs, &main())
}

fn main() -> Markup {
    html! {
        main #main tabindex="-1" {
            div.ttl { h1 { "Components" } }
            (story("Bars: measured, hatched, missing, partial, below the axis, ahead", &bars()))
            (story("Line: broken where a value is missing", &line()))
            (story("Heat map", &heat()))
            (story("Sparkline", &spark(&[1.0, 3.0, 2.0, 4.0], 0.0, 4.0, "ok")))
            (story("Figures", &stats(&[Stat { name: "Used", value: "12.4".to_owned(), unit: " kWh".to_owned(), note: "usual 11.0".to_owned() }])))
            (story("Status", &statuses()))
            (story("Empty", &empty(Icon::Search, "Nothing fits", "What to do next.")))
            (story("Notice", &html! { p.note.warn { (icon(Icon::Warn)) span { "One hour is estimated." } } }))
        }
    }
}

fn story(name: &str, body: &Markup) -> Markup {
    html! { section.panel { div.ph { h2 { (name) } } div.pb { (body) } } }
}

fn bars() -> Markup {
    let states = [
        State::Measured,
        State::Estimated,
        State::Missing,
        State::Partial,
        State::Measured,
        State::Ahead,
        State::Before,
    ];
    let slot = |(index, state): (usize, State)| Slot {
        tick: Some(Tick { text: format!("{index}"), on_phone: true }),
        used: if matches!(state, State::Missing | State::Ahead | State::Before) { 0.0 } else { 1.5 },
        text: "1.5".to_owned(),
        sent: if index == 4 { 1.0 } else { 0.0 },
        usual: (index == 0).then_some(1.2),
        over: None,
        state,
        href: None,
        head: format!("{state:?}"),
        rows: vec![("State".to_owned(), format!("{state:?}"))],
    };
    let ribbon = vec![
        Ribbon { from: 0, to: 1, class: "ok", label: "Measured" },
        Ribbon { from: 1, to: 2, class: "est", label: "Estimated" },
        Ribbon { from: 2, to: 4, class: "miss", label: "Missing" },
    ];
    let slots = states.into_iter().enumerate().map(slot).collect();
    let label = "Every state of a bar".to_owned();
    Bars { id: "story".to_owned(), label, unit: "kWh", slots, overlay: None, ribbon, height: 220.0 }.render()
}

fn line() -> Markup {
    let point = |value: Option<f64>| Point {
        tick: None,
        value,
        head: "A value".to_owned(),
        rows: vec![("Voltage".to_owned(), value.map_or("missing".to_owned(), |v| v.to_string()))],
    };
    let points = [Some(230.0), Some(233.0), None, Some(228.0), Some(255.0)].map(point).to_vec();
    let label = "A broken line".to_owned();
    Line { label, unit: "V", points, limits: Some((207.0, 253.0)), height: 180.0 }.render()
}

fn heat() -> Markup {
    let hours = (0..24u8).map(|hour| (hour != 5).then(|| f64::from(hour) / 8.0)).collect();
    let days = vec![HeatDay { name: "A day".to_owned(), edge: Some("1 Jul".to_owned()), hours }];
    let map = HeatMap {
        label: "A day of hours".to_owned(),
        unit: "kWh",
        steps: [0.4, 0.8, 1.2, 1.8, 2.4, 2.8],
        days,
    };
    html! { (map.render()) (map.scale()) }
}

fn statuses() -> Markup {
    let states = [
        CommandState::Queued,
        CommandState::Sent,
        CommandState::Confirmed,
        CommandState::Failed,
        CommandState::Expired,
    ];
    html! {
        p { (status(Tone::Ok, Icon::Check, "Reporting")) " " (status(Tone::Warn, Icon::Clock, "Late")) " " (status(Tone::Bad, Icon::Warn, "Silent")) }
        p { @for state in states { (command_view::badge(state)) " " } }
    }
}
