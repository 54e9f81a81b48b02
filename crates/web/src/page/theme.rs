//! The reader's choice of light or dark, kept in a cookie.

use axum::Form;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// The form of the button in the header.
#[derive(Debug, Deserialize)]
pub(crate) struct Choice {
    #[serde(default)]
    theme: String,
    #[serde(default)]
    back: String,
}

/// A path of this site, or the start page: a form must not send people elsewhere.
pub(crate) fn local_path(path: &str) -> &str {
    let plain = !path.contains(['\\', '\r', '\n', '\t']);
    if plain && path.starts_with('/') && !path.starts_with("//") { path } else { "/" }
}

/// `POST /prefs/theme`
pub(crate) async fn post(Form(choice): Form<Choice>) -> Response {
    let theme = if choice.theme == "dark" { "dark" } else { "light" };
    let cookie = format!("theme={theme}; Path=/; SameSite=Lax; Max-Age=31536000; HttpOnly");
    ([(header::SET_COOKIE, cookie)], Redirect::to(local_path(&choice.back))).into_response()
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn only_own_paths_are_followed() {
        for (given, followed) in [
            ("/usage?date=2026-07-14", "/usage?date=2026-07-14"),
            ("//evil.example/", "/"),
            ("https://evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("", "/"),
        ] {
            assert_eq!(local_path(given), followed);
        }
    }
}
