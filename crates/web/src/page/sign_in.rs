//! Sign-in: by password, and in the demo by choosing one of its people.

use crate::ctx::Ctx;
use crate::error::WebError;
use crate::guard::SESSION;
use crate::page::theme::local_path;
use crate::people::{self, DemoPerson};
use crate::ui::{self, Icon, icon, initials};
use axum::Form;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use tokio::sync::Semaphore;

/// How long the browser keeps the cookie; the session itself may end earlier.
const COOKIE_SECS: u32 = 12 * 3600;

/// What the forms send.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Given {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
    #[serde(default)]
    id: String,
}

/// Passwords checked at the same time: each check takes 19 MiB and is meant to be slow.
static CHECKS: Semaphore = Semaphore::const_new(2);

struct View {
    demo: Vec<DemoPerson>,
    next: String,
    name: String,
    refused: bool,
}

/// `GET /sign-in`
pub(crate) async fn get(ctx: Ctx) -> Result<Markup, WebError> {
    let next = local_path(&ctx.param("next").unwrap_or_default()).to_owned();
    let demo = ctx.blocking(people::demo_people).await?;
    Ok(page(&ctx, &View { demo, next, name: String::new(), refused: false }))
}

/// `POST /sign-in`
pub(crate) async fn post(ctx: Ctx, Form(given): Form<Given>) -> Result<Response, WebError> {
    let (name, password) = (given.name.clone(), given.password);
    // The semaphore is never closed, so there always comes a turn.
    let turn = CHECKS.acquire().await;
    let token = ctx.blocking(move |ctx| people::sign_in(ctx, &name, &password)).await?;
    drop(turn);
    match token {
        Some(token) => Ok(welcome(&ctx, &token, &given.next)),
        None => {
            let demo = ctx.blocking(people::demo_people).await?;
            let view = View { demo, next: given.next, name: given.name, refused: true };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&ctx, &view)).into_response())
        }
    }
}

/// `POST /sign-in/demo`
pub(crate) async fn post_demo(ctx: Ctx, Form(given): Form<Given>) -> Result<Response, WebError> {
    if !ctx.app.demo {
        return Err(WebError::NotFound("demo".to_owned()));
    }
    let id = given.id.parse().map_err(|_| WebError::NotFound("such person".to_owned()))?;
    let token = ctx.blocking(move |ctx| people::demo_sign_in(ctx, id)).await?;
    Ok(welcome(&ctx, &token, &given.next))
}

/// `POST /sign-out`
pub(crate) async fn sign_out(ctx: Ctx, headers: axum::http::HeaderMap) -> Result<Response, WebError> {
    if let Some(token) = crate::guard::cookie(&headers, SESSION).map(str::to_owned) {
        ctx.blocking(move |ctx| people::sign_out(ctx, &token)).await?;
    }
    let cookie = format!("{SESSION}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response())
}

fn welcome(ctx: &Ctx, token: &str, next: &str) -> Response {
    let secure = if ctx.app.secure_cookies { "; Secure" } else { "" };
    let cookie = format!("{SESSION}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={COOKIE_SECS}{secure}");
    ([(header::SET_COOKIE, cookie)], Redirect::to(local_path(next))).into_response()
}

fn page(ctx: &Ctx, view: &View) -> Markup {
    let frame = ctx.frame("Sign in", "");
    let body = html! {
        main #main tabindex="-1" {
            section.card {
                h1 { "Sign in" }
                @if !view.demo.is_empty() { (demo(view)) p.or { "Or with a name and password" } }
                (password(view))
            }
        }
    };
    ui::bare(&frame, &body)
}

fn demo(view: &View) -> Markup {
    html! {
        p { "This is a demo utility. Choose whom to be; no password is needed." }
        form method="post" action="/sign-in/demo" {
            input type="hidden" name="next" value=(view.next);
            ul.people {
                @for person in &view.demo {
                    li { button type="submit" name="id" value=(person.id) {
                        span.av aria-hidden="true" { (initials(&person.name)) }
                        span { strong { (person.name) } small { (person.what) } }
                        (icon(Icon::Right))
                    } }
                }
            }
        }
    }
}

fn password(view: &View) -> Markup {
    html! {
        form method="post" action="/sign-in" {
            input type="hidden" name="next" value=(view.next);
            @if view.refused {
                p.note.bad role="alert" { (icon(Icon::Warn)) span { "That name and password do not belong together. Nothing else was checked; try again." } }
            }
            div.field {
                label for="name" { "Name" }
                input #name name="name" autocomplete="username" required value=(view.name);
            }
            div.field {
                label for="password" { "Password" }
                input #password name="password" type="password" autocomplete="current-password" required;
            }
            button.btn.pri[view.demo.is_empty()] type="submit" { "Sign in" }
        }
    }
}
