//! What a handler knows of its request: who asks, when, in which theme, and the application behind it.

use crate::App;
use crate::error::WebError;
use crate::fmt::Words;
use crate::series::Present;
use crate::ui::Frame;
use axum::extract::{FromRequestParts, Query};
use axum::http::Uri;
use axum::http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use operations::{Person, Right};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// One request, put together by the guard.
#[derive(Clone, Debug)]
pub(crate) struct Ctx {
    /// The application.
    pub(crate) app: App,
    /// Who is signed in.
    pub(crate) person: Option<Person>,
    /// `light` or `dark` where the reader chose one.
    pub(crate) theme: Option<&'static str>,
    /// Path and query as asked.
    pub(crate) uri: Uri,
    /// The present, read once so that a page agrees with itself.
    pub(crate) now: Timestamp,
}

impl Ctx {
    /// The value of a query parameter; the last one counts, blank is as good as absent.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        let pairs: Query<Vec<(String, String)>> = Query::try_from_uri(&self.uri).ok()?;
        pairs
            .0
            .into_iter()
            .rev()
            .find(|(key, value)| key == name && !value.trim().is_empty())
            .map(|(_, value)| value)
    }

    /// Times in words, for the utility's zone.
    pub(crate) fn words(&self) -> Words {
        Words { zone: self.app.utility.zone.clone(), now: self.now }
    }

    /// Now, and how far back every reading should be here.
    pub(crate) fn present(&self) -> Present {
        let grace = SignedDuration::from_hours(self.app.mdm.rules().grace_h.into());
        Present { now: self.now, due: self.now.saturating_sub(grace).unwrap_or(Timestamp::MIN) }
    }

    /// The person; routes that anybody may use must not ask for one.
    pub(crate) fn person(&self) -> Result<&Person, WebError> {
        self.person.as_ref().ok_or(WebError::SignIn)
    }

    /// Whether the person has a right.
    pub(crate) fn may(&self, right: Right) -> bool {
        self.person.as_ref().is_some_and(|person| person.role.may(right))
    }

    /// Path and query, to come back to.
    pub(crate) fn here(&self) -> String {
        self.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
    }

    /// The frame of a page in `section`.
    pub(crate) fn frame(&self, title: impl Into<String>, section: &'static str) -> Frame {
        Frame {
            title: title.into(),
            utility: self.app.utility.name.clone(),
            theme: self.theme,
            here: self.here(),
            section,
            person: self.person.as_ref().map(|person| person.name.clone()).unwrap_or_default(),
            place: self.person.as_ref().map(|person| person.role.title().to_owned()).unwrap_or_default(),
            refresh_secs: None,
            api: None,
        }
    }

    /// Runs `work` on a thread that may block, as everything that asks the database must.
    pub(crate) async fn blocking<T, F>(&self, work: F) -> Result<T, WebError>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Result<T, WebError> + Send + 'static,
    {
        let ctx = self.clone();
        tokio::task::spawn_blocking(move || work(&ctx)).await.map_err(|error| WebError::internal(&error))?
    }
}

impl Ctx {
    /// As [`Ctx::blocking`] for work that may take long: it is told to stop when the client has gone away or when `limit` is
    /// over, and then answers with what it has.
    pub(crate) async fn blocking_until<T, F>(&self, limit: Duration, work: F) -> Result<T, WebError>
    where
        T: Send + 'static,
        F: FnOnce(&Self, &dyn Fn() -> bool) -> Result<T, WebError> + Send + 'static,
    {
        let wanted = Arc::new(AtomicBool::new(true));
        // Whoever goes away drops this, and so does the end of it all.
        let gone = Gone(Arc::clone(&wanted));
        let ctx = self.clone();
        let mut task = tokio::task::spawn_blocking(move || work(&ctx, &|| wanted.load(Ordering::Relaxed)));
        let done = match tokio::time::timeout(limit, &mut task).await {
            Ok(done) => done,
            Err(_) => {
                gone.tell();
                task.await
            }
        };
        done.map_err(|error| WebError::internal(&error))?
    }
}

/// Says that nobody wants the answer any more, at the latest when it is dropped.
struct Gone(Arc<AtomicBool>);

impl Gone {
    fn tell(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.tell();
    }
}

impl<S: Sync> FromRequestParts<S> for Ctx {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, WebError> {
        // Only a route outside the guard has no context, and there is none.
        parts.extensions.get::<Self>().cloned().ok_or(WebError::SignIn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_goes_away_stops_the_work() {
        let wanted = Arc::new(AtomicBool::new(true));
        let gone = Gone(Arc::clone(&wanted));
        assert!(wanted.load(Ordering::Relaxed));
        drop(gone);
        assert!(!wanted.load(Ordering::Relaxed));
    }
}
