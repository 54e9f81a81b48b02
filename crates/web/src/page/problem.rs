//! The page of a refusal or failure: what failed, what was not done, what to do.

use crate::ctx::Ctx;
use crate::error::WebError;
use crate::ui::{self, Icon, icon};
use maud::{Markup, html};

/// The page for `error`.
pub(crate) fn page(ctx: &Ctx, error: &WebError) -> Markup {
    let frame = ctx.frame(error.title(), "");
    let body = html! {
        main #main tabindex="-1" {
            section.card {
                h1 { (error.title()) }
                p { (error.sentence()) }
                p.go { a href="/" { "Back to the start" } }
                @if ctx.person.is_some() {
                    form method="post" action="/sign-out" { button.btn { (icon(Icon::Out)) "Sign out" } }
                }
            }
        }
    };
    ui::bare(&frame, &body)
}
