//! The whole site over a small real utility: who gets what, and what pages say.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod access;
mod bench_api;
mod files;
mod pages;
mod utility;
mod work;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use std::sync::LazyLock;
use tower::ServiceExt;
use utility::Utility;

/// Each process has its own; the readings in it are judged once for all of them.
static UTILITY: LazyLock<Utility> = LazyLock::new(utility::build);

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// `Location`, or nothing.
    pub(crate) location: String,
    /// Every header as text.
    pub(crate) headers: axum::http::HeaderMap,
    /// The body as text.
    pub(crate) body: String,
}

/// Asks the site, as the holder of `cookie`.
pub(crate) async fn ask(method: Method, path: &str, cookie: &str, body: &str) -> Answer {
    let kind = if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::COOKIE, cookie)
        .header(header::HOST, "localhost")
        .header(header::ORIGIN, "http://localhost")
        .header(header::CONTENT_TYPE, kind)
        .body(Body::from(body.to_owned()))
        .unwrap();
    let response = web::router(UTILITY.app.clone()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = |name: header::HeaderName| {
        parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    let (status, location) = (parts.status, text(header::LOCATION));
    // A stream of events has no end to wait for.
    let streams = text(header::CONTENT_TYPE).starts_with("text/event-stream");
    let body =
        if streams { Vec::new() } else { axum::body::to_bytes(body, 16 << 20).await.unwrap().to_vec() };
    Answer { status, location, headers: parts.headers, body: String::from_utf8(body).unwrap() }
}

/// Reads a page as the holder of `cookie`.
pub(crate) async fn get(path: &str, cookie: &str) -> Answer {
    ask(Method::GET, path, cookie, "").await
}

/// Signs a person of the demo in; the cookie to send.
pub(crate) async fn sign_in(user: model::UserId) -> String {
    let answer = ask(Method::POST, "/sign-in/demo", "", &format!("id={user}&next=/")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

/// Serves the site for a look with a browser: `PORT=4180 cargo test -p web --test site -- --ignored serve`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs until it is stopped"]
async fn serve() {
    let port: u16 = std::env::var("PORT").unwrap_or_default().parse().unwrap_or(4180);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    utility::answer_commands(UTILITY.app.mdm.store().clone());
    axum::serve(listener, web::router(UTILITY.app.clone())).await.unwrap();
}
