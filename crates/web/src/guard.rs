//! The layer around every route: who asks, whether they may, and how a refusal looks.

use crate::App;
use crate::access::{self, Access};
use crate::assets;
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::query_escape;
use crate::page::problem;
use axum::Json;
use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use flate2::Compression;

/// Name of the cookie that holds the session token.
pub(crate) const SESSION: &str = "wattle_session";

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
                   connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Bodies up to this size are compressed in one go; a longer file is sent as it is.
const COMPRESS_AT_MOST: usize = 4 << 20;

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

fn theme(headers: &HeaderMap) -> Option<&'static str> {
    match cookie(headers, "theme") {
        Some("dark") => Some("dark"),
        Some("light") => Some("light"),
        _ => None,
    }
}

/// Whether a request that changes something comes from our own pages.
///
/// Browsers say so in `Sec-Fetch-Site`; older ones send `Origin` with every POST. A client that sends neither is
/// no browser, and so carries no cookie that another site could misuse.
pub(crate) fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text("origin") else { return true };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_some() && host == text("host")
}

fn is_api(path: &str) -> bool {
    path.starts_with("/api/")
}

/// Decides whether the request goes on, and turns what comes back into a page, a document or a redirect.
pub(crate) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let (headers, method) = (request.headers().clone(), request.method().clone());
    let matched = request.extensions().get::<MatchedPath>().map(|matched| matched.as_str().to_owned());
    let mut ctx =
        Ctx { now: (app.clock)(), app, person: None, theme: theme(&headers), uri: request.uri().clone() };
    let verdict = admit(&mut ctx, &method, &headers, matched.as_deref()).await;
    let response = match verdict {
        Ok(()) => {
            request.extensions_mut().insert(ctx.clone());
            next.run(request).await
        }
        Err(error) => error.into_response(),
    };
    let response = match response.extensions().get::<WebError>().cloned() {
        Some(error) => refusal(&ctx, &path, &error),
        None => response,
    };
    finish(&path, &headers, response).await
}

async fn admit(
    ctx: &mut Ctx,
    method: &Method,
    headers: &HeaderMap,
    matched: Option<&str>,
) -> Result<(), WebError> {
    if method != Method::GET && method != Method::HEAD && !same_origin(headers) {
        return Err(WebError::Forbidden(
            "The request came from another site, so nothing was done.".to_owned(),
        ));
    }
    let Some(matched) = matched else { return Err(WebError::NotFound("page".to_owned())) };
    let rule = access::rule(method, matched);
    if rule == Some(Access::Anyone) && matched.starts_with("/a/") {
        return Ok(());
    }
    if let Some(token) = cookie(headers, SESSION).map(str::to_owned) {
        ctx.person = ctx.blocking(move |ctx| crate::people::session(ctx, &token)).await?;
    }
    let Some(rule) = rule else {
        return Err(WebError::Forbidden("Nobody may ask this page in this way.".to_owned()));
    };
    match (&ctx.person, rule.allows(ctx.person.as_ref().map(|person| person.role))) {
        (_, true) => Ok(()),
        (None, false) => Err(WebError::SignIn),
        (Some(_), false) => Err(WebError::Forbidden(rule.sentence())),
    }
}

fn refusal(ctx: &Ctx, path: &str, error: &WebError) -> Response {
    if is_api(path) {
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        return (error.status(), kind, Json(error.problem()).into_response().into_body()).into_response();
    }
    if matches!(error, WebError::SignIn) {
        return Redirect::to(&format!("/sign-in?next={}", query_escape(&ctx.here()))).into_response();
    }
    (error.status(), problem::page(ctx, error)).into_response()
}

async fn finish(path: &str, asked: &HeaderMap, response: Response) -> Response {
    let mut response = compress(asked, response).await;
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !path.starts_with("/a/") {
        // Load data must not stay in a shared cache, nor come back after sign-out.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Compresses a page or document that the client would take compressed; streams and files pass.
async fn compress(asked: &HeaderMap, response: Response) -> Response {
    let kind =
        response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let textual = ["text/html", "text/csv", "application/json", "application/problem+json"];
    let packed = response.headers().contains_key(header::CONTENT_ENCODING);
    let size = response.body().size_hint().upper().and_then(|size| usize::try_from(size).ok());
    if packed
        || size.is_none_or(|size| size > COMPRESS_AT_MOST)
        || !textual.iter().any(|t| kind.starts_with(t))
        || !assets::takes_gzip(asked)
    {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, COMPRESS_AT_MOST).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    parts.headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    match assets::gzip(&bytes, Compression::new(5)) {
        Some(packed) if packed.len() < bytes.len() => {
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(packed))
        }
        _ => Response::from_parts(parts, Body::from(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.parse().unwrap(), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn only_our_own_pages_may_change_things() {
        let rows: [(&[(&str, &str)], bool); 8] = [
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "same-site"), ("origin", "http://a:1"), ("host", "a:1")], false),
            (&[("origin", "http://a:1"), ("host", "a:1")], true),
            (&[("origin", "http://evil"), ("host", "a:1")], false),
            (&[("origin", "null"), ("host", "a:1")], false),
            (&[], true),
        ];
        for (pairs, allowed) in rows {
            assert_eq!(same_origin(&headers(pairs)), allowed, "{pairs:?}");
        }
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let headers = headers(&[("cookie", "xtheme=a; theme=dark; wattle_session=tok=1")]);
        assert_eq!(cookie(&headers, "theme"), Some("dark"));
        assert_eq!(cookie(&headers, SESSION), Some("tok=1"));
        assert_eq!(cookie(&headers, "wattle"), None);
    }
}
