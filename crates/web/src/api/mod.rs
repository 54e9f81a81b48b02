//! The pages' questions as data, under `/api/v1`.
//!
//! Same sessions, same rights, same filters in the query as the pages. Instants are RFC 3339 in UTC, numbers end in
//! their unit, and a failure is a problem document (RFC 9457). A number that is not known is `null`, never zero.

mod fleet;
mod readings;

pub(crate) use fleet::{command, commands, meter, meters, overview, request_command};
pub(crate) use readings::{profile, usage};

use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read;
use jiff::civil::Date;

/// A date parameter; absent means `default`, anything else but a date is refused.
fn date(ctx: &Ctx, default: Date) -> Result<Date, WebError> {
    match ctx.param("date") {
        None => Ok(default),
        Some(text) => read::date_param(ctx).ok_or_else(|| {
            WebError::Unclear(format!("`{text}` is no date with readings; write it as in 2026-07-14."))
        }),
    }
}
