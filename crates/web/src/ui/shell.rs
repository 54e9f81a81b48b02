//! The frame around every page: customer portal, operator console, and the bare page of sign-in and errors.

use super::{Icon, icon, initials};
use crate::assets;
use maud::{DOCTYPE, Markup, html};

/// What a frame needs to know of its page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    /// Title of the page, without the utility.
    pub(crate) title: String,
    /// Name of the utility.
    pub(crate) utility: String,
    /// `light` or `dark` where the reader chose one.
    pub(crate) theme: Option<&'static str>,
    /// Path and query of the page, for the theme form.
    pub(crate) here: String,
    /// The section that is current in the navigation, by its path.
    pub(crate) section: &'static str,
    /// Name of the person, empty when nobody is signed in.
    pub(crate) person: String,
    /// A line under the name: an address or a role.
    pub(crate) place: String,
    /// Without script the page loads itself again after so many seconds.
    pub(crate) refresh_secs: Option<u32>,
    /// The API path that answers the same question, for operators.
    pub(crate) api: Option<String>,
}

/// One step of the path to a page; the last one has no link.
#[derive(Clone, Debug)]
pub(crate) struct Crumb {
    /// Where it leads.
    pub(crate) href: Option<&'static str>,
    /// Its name.
    pub(crate) text: String,
}

fn head(frame: &Frame) -> Markup {
    html! {
        meta charset="utf-8";
        meta name="viewport" content="width=device-width, initial-scale=1";
        meta name="color-scheme" content="light dark";
        meta name="htmx-config" content="includeIndicatorCSS:false, mode:same-origin";
        title { (frame.title) " · " (frame.utility) }
        link rel="preload" href=(assets::url("inter.woff2")) as="font" type="font/woff2" crossorigin;
        link rel="stylesheet" href=(assets::url("app.css"));
        link rel="icon" href=(assets::url("icon.svg")) type="image/svg+xml";
        script src=(assets::url("htmx.js")) defer {}
        script src=(assets::url("islands.js")) type="module" {}
        @if let Some(secs) = frame.refresh_secs { noscript { meta http-equiv="refresh" content=(secs); } }
    }
}

fn document(frame: &Frame, class: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" data-theme=[frame.theme] {
            head { (head(frame)) }
            body class=(class) { a.skip href="#main" { "Skip to content" } (body) }
        }
    }
}

fn theme_form(frame: &Frame) -> Markup {
    let other = if frame.theme == Some("dark") { "light" } else { "dark" };
    html! {
        form.theme method="post" action="/prefs/theme" {
            input type="hidden" name="back" value=(frame.here);
            button.iconbtn name="theme" value=(other) aria-label="Switch between light and dark" {
                span.only-light { (icon(Icon::Moon)) } span.only-dark { (icon(Icon::Sun)) }
            }
        }
    }
}

fn sign_out() -> Markup {
    html! { form method="post" action="/sign-out" { button.btn.sm.quiet type="submit" { (icon(Icon::Out)) "Sign out" } } }
}

/// The mark and the name of the utility; the last word of the name is set lighter.
fn brand(frame: &Frame, href: &str) -> Markup {
    let (first, rest) = frame.utility.split_once(' ').unwrap_or((&frame.utility, ""));
    html! {
        a.brand href=(href) {
            svg.mark viewBox="0 0 28 28" aria-hidden="true" {
                rect width="28" height="28" rx="8" {}
                path d="M5 17.500c3 0 3-3.500 6-3.500s3 3.500 6 3.500 3-3.500 6-3.500" {}
                path.m2 d="M5 12c3 0 3-3.500 6-3.500S14 12 17 12s3-3.500 6-3.500" {}
            }
            span { (first) b { " " (rest) } }
        }
    }
}

const CUSTOMER_NAV: [(&str, &str, Icon); 2] =
    [("Overview", "/", Icon::Home), ("Usage", "/usage", Icon::Bars)];

/// A page of the customer portal.
pub(crate) fn customer(frame: &Frame, body: &Markup) -> Markup {
    let body = html! {
        header.top {
            div.wrap {
                (brand(frame, "/"))
                nav.tabs aria-label="Main" {
                    @for (text, href, sign) in CUSTOMER_NAV {
                        a href=(href) aria-current=[(href == frame.section).then_some("page")] { (icon(sign)) span { (text) } }
                    }
                }
                div.acct {
                    (theme_form(frame))
                    details.menu {
                        summary aria-label=(format!("Account: {}, {}", frame.person, frame.place)) {
                            span.addr { (frame.place) } (icon(Icon::User))
                        }
                        div.pop { p { strong { (frame.person) } br; (frame.place) } (sign_out()) }
                    }
                }
            }
        }
        (body)
        footer.foot { div.wrap {
            p { "Readings arrive through the day and may change until they are final. Estimated and missing readings are always marked." }
        } }
    };
    document(frame, "cust", &body)
}

/// A heading and its pages: name, address, sign.
type Section = (&'static str, &'static [(&'static str, &'static str, Icon)]);

/// The console's sections by what people do there.
const OPS_NAV: [Section; 2] = [
    (
        "Operate",
        &[
            ("Overview", "/ops", Icon::Grid),
            ("Meters", "/ops/meters", Icon::Meter),
            ("Commands", "/ops/commands", Icon::Power),
        ],
    ),
    (
        "Data",
        &[
            ("Exceptions", "/ops/vee", Icon::Warn),
            ("Reads", "/ops/reads", Icon::Reads),
            ("Rules", "/ops/rules", Icon::Shield),
            ("Groups", "/ops/groups", Icon::Bars),
            ("Imports", "/ops/imports", Icon::Down),
        ],
    ),
];

/// A page of the operator console.
pub(crate) fn ops(frame: &Frame, crumbs: &[Crumb], body: &Markup) -> Markup {
    let body = html! {
        aside.side aria-label="Sections" {
            (brand(frame, "/ops"))
            nav aria-label="Console" {
                @for (name, pages) in OPS_NAV {
                    h2 { (name) }
                    ul { @for (text, href, sign) in pages {
                        li { a href=(href) aria-current=[(*href == frame.section).then_some("page")] { (icon(*sign)) span { (text) } } }
                    } }
                }
            }
            div.who {
                span.av aria-hidden="true" { (initials(&frame.person)) }
                span { (frame.person) small { (frame.place) } }
            }
        }
        div.main {
            header.topbar {
                (crumb_line(crumbs))
                form.find role="search" action="/ops/meters" {
                    label.vh for="q" { "Find a meter by serial number, address or customer" }
                    (icon(Icon::Search)) input #q name="q" type="search" placeholder="Meter, address, customer…" autocomplete="off";
                    kbd aria-hidden="true" { "Ctrl K" }
                }
                div.barend { (theme_form(frame)) (ops_menu(frame)) }
            }
            (body)
            footer.foot {
                @if let Some(api) = &frame.api { p { "This page as data: " a href=(api) { code { (api) } } } }
            }
        }
    };
    document(frame, "ops", &body)
}

fn crumb_line(crumbs: &[Crumb]) -> Markup {
    html! {
        nav.crumbs aria-label="Path" {
            @for crumb in crumbs {
                @match crumb.href {
                    Some(href) => { a href=(href) { (crumb.text) } span aria-hidden="true" { "/" } }
                    None => strong { (crumb.text) }
                }
            }
        }
    }
}

fn ops_menu(frame: &Frame) -> Markup {
    html! {
        details.menu {
            summary aria-label=(format!("Menu: {}", frame.person)) { (icon(Icon::User)) }
            div.pop {
                p { strong { (frame.person) } br; (frame.place) }
                @for (text, href, sign) in OPS_NAV.iter().flat_map(|(_, pages)| *pages) { a.onlyphone href=(href) { (icon(*sign)) (text) } }
                (sign_out())
            }
        }
    }
}

/// A page outside both faces: sign-in and refusals.
pub(crate) fn bare(frame: &Frame, body: &Markup) -> Markup {
    let body = html! {
        div.gate {
            header { (brand(frame, "/")) }
            (body)
        }
    };
    document(frame, "cust", &body)
}
