//! What goes wrong, as a public sentence and an internal cause that share a reference.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Why a request is not answered as asked.
///
/// As a response it only carries itself in the extensions: the outermost layer knows who asked, in which theme
/// and whether for a page or for data, and renders it there.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum WebError {
    /// There is no such thing, or the person may not know that there is.
    #[error("there is no {0}")]
    NotFound(String),
    /// The request makes no sense; the sentence says what would.
    #[error("{0}")]
    Unclear(String),
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignIn,
    /// The person may not do this; the sentence says who may.
    #[error("{0}")]
    Forbidden(String),
    /// The request is clear and not done, for a reason that the person can do something about.
    #[error("{0}")]
    Refused(String),
    /// More than is taken at once; the sentence says what to do.
    #[error("{0}")]
    TooLarge(String),
    /// Our fault.
    #[error("internal error {reference}: {cause}")]
    Internal {
        /// What the person can quote.
        reference: String,
        /// What the log says.
        cause: String,
    },
}

/// A problem document. Standard: RFC 9457.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

impl WebError {
    /// Our fault: logged at once with a reference that the page shows.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        let mut bytes = [0; 4];
        // Without entropy the reference is all zeros, which is still a reference.
        let _ = getrandom::fill(&mut bytes);
        let reference: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let cause = cause.to_string();
        tracing::error!(reference, cause, "a page failed");
        Self::Internal { reference, cause }
    }

    /// The HTTP status.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Unclear(_) => StatusCode::BAD_REQUEST,
            Self::SignIn => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Refused(_) => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A heading for people.
    pub(crate) const fn title(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "Not found",
            Self::Unclear(_) => "We could not read that request",
            Self::SignIn => "Sign in first",
            Self::Forbidden(_) => "Not yours to see",
            Self::Refused(_) => "Not done",
            Self::TooLarge(_) => "Too large",
            Self::Internal { .. } => "Something failed on our side",
        }
    }

    /// The public sentence: what failed, what was not done, what to do.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::NotFound(what) => format!("There is no {what} here, or it is not yours."),
            Self::Unclear(sentence)
            | Self::Forbidden(sentence)
            | Self::Refused(sentence)
            | Self::TooLarge(sentence) => sentence.clone(),
            Self::SignIn => "Sign in and ask again.".to_owned(),
            Self::Internal { reference, .. } => {
                format!("Nothing was changed. Try again; if it stays, tell us the reference {reference}.")
            }
        }
    }

    /// As a problem document.
    pub(crate) fn problem(&self) -> Problem {
        let reference = match self {
            Self::Internal { reference, .. } => Some(reference.clone()),
            _ => None,
        };
        Problem {
            r#type: "about:blank",
            title: self.title(),
            status: self.status().as_u16(),
            detail: self.sentence(),
            reference,
        }
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
