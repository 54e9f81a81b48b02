//! What changes while a page is open, as server-sent events. Rows and panels come rendered.
//!
//! A stream ends after ten minutes and the browser opens it again, so that a session that ended does not go on
//! receiving.

use super::{command, command_view, events};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read;
use axum::extract::Path;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

/// Between two looks at a command.
const COMMAND_STEP: Duration = Duration::from_millis(300);
/// Between two looks at the events.
const EVENT_STEP: Duration = Duration::from_secs(2);
/// Looks at a command before the stream ends.
const COMMAND_LOOKS: u32 = 2_000;
/// Looks at the events before the stream ends.
const EVENT_LOOKS: u32 = 300;

/// `GET /ops/commands/{id}/live`: one `state` event at each change, the last one final.
pub(crate) async fn command(
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, WebError> {
    let number = id.clone();
    ctx.blocking(move |ctx| command::find(ctx, &number)).await?;
    let start = (ctx, id, String::new(), 0u32, false);
    let stream = unfold(start, |(mut ctx, id, mut last, mut looks, over)| async move {
        if over {
            return None;
        }
        loop {
            looks += 1;
            ctx.now = (ctx.app.clock)();
            let number = id.clone();
            let look =
                ctx.blocking(move |ctx| command::view(ctx, &command::find(ctx, &number)?)).await.ok()?;
            let html = command_view::progress(&look).into_string();
            if html != last {
                last.clone_from(&html);
                let done = look.state.is_final();
                let say = command_view::sentence(&look);
                let data = serde_json::json!({ "html": html, "say": say, "final": done });
                return Some((
                    Ok(Event::default().event("state").data(data.to_string())),
                    (ctx, id, last, looks, done),
                ));
            }
            if looks > COMMAND_LOOKS {
                return None;
            }
            tokio::time::sleep(COMMAND_STEP).await;
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// What has been shown of the feed, and what is about to be.
struct Feed {
    ctx: Ctx,
    seen: BTreeSet<String>,
    waiting: Vec<Event>,
    looks: u32,
}

impl Feed {
    /// Looks for events that have not been shown, the oldest last so that it is sent first.
    async fn look(&mut self) -> Option<()> {
        self.looks += 1;
        self.ctx.now = (self.ctx.app.clock)();
        let rows = self.ctx.blocking(read::recent_events).await.ok()?;
        let at = self.ctx.words().clock_secs(self.ctx.now);
        self.waiting.push(Event::default().event("beat").data(&at));
        let first = self.looks == 1;
        let mut fresh = Vec::new();
        for row in &rows {
            let html = events::fleet_row(row).into_string();
            let key = format!("{:?} {} {}", row.kind, row.meter, row.key);
            if self.seen.insert(key) && !first {
                let data = serde_json::json!({ "html": html, "at": at });
                fresh.push(Event::default().event("row").data(data.to_string()));
            }
        }
        self.waiting.extend(fresh);
        Some(())
    }
}

/// `GET /ops/live`: a `row` for every new meter event and a `beat` at every look.
pub(crate) async fn events(ctx: Ctx) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let feed = Feed { ctx, seen: BTreeSet::new(), waiting: Vec::new(), looks: 0 };
    let stream = unfold(feed, |mut feed| async move {
        if feed.waiting.is_empty() {
            if feed.looks >= EVENT_LOOKS {
                return None;
            }
            if feed.looks > 0 {
                tokio::time::sleep(EVENT_STEP).await;
            }
            feed.look().await?;
        }
        let next = feed.waiting.pop()?;
        Some((Ok(next), feed))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}
