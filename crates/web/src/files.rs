//! Readings in and out of files, for the pages and the API alike.

use crate::ctx::Ctx;
use crate::error::WebError;
use crate::upload::Sent;
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use exchange::csv::Mapping;
use exchange::{Format, Options};
use futures_util::stream;
use jiff::civil::Date;
use operations::files::{self, Export, ExportError, ExportWish, FileError, FileWish, TakenFile};
use std::io::{self, BufWriter, Write};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// Bytes of a piece of a file that goes out.
const PIECE: usize = 64 * 1024;
/// Pieces that wait for a slow reader.
const PIECES: usize = 4;
/// How long a reader may take none.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the format has no place for, told before the file.
const LEFT_OUT: HeaderName = HeaderName::from_static("wattle-left-out");
/// Channels named in that header.
const NAMED: usize = 10;

/// What became of what somebody sent.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The file, or each file of an archive, that was taken in.
    pub(crate) files: Vec<TakenFile>,
    /// Why the rest was not.
    pub(crate) stopped: Option<String>,
    /// Nothing was kept, only looked at.
    pub(crate) dry_run: bool,
}

impl Outcome {
    /// Whether anything is kept that was not there before.
    pub(crate) fn is_news(&self) -> bool {
        !self.dry_run && self.files.iter().any(|file| !file.report.known)
    }
}

/// How the sender says that the file is to be read.
fn options(sent: &Sent) -> Result<Options, WebError> {
    let format = match sent.field("format") {
        None => None,
        Some(name) => Some(Format::from_name(name).ok_or_else(|| {
            let known = Format::ALL.map(Format::name).join(", ");
            WebError::Unclear(format!("`{name}` is no format that is read; there are {known}."))
        })?),
    };
    let mut mapping = match sent.field("mapping") {
        None => Mapping::default(),
        Some(toml) => Mapping::parse(toml).map_err(|error| WebError::Unclear(format!("{error}.")))?,
    };
    if let Some(zone) = sent.field("zone") {
        mapping =
            Mapping { time: exchange::csv::Times { zone: Some(zone.to_owned()), ..mapping.time }, ..mapping };
    }
    // A zone that there is not would otherwise be found out at the first stamp.
    mapping.check().map_err(|error| WebError::Unclear(format!("{error}.")))?;
    Ok(Options { format, mapping })
}

/// Takes in what somebody sent. Blocks.
pub(crate) fn take_in(ctx: &Ctx, sent: &Sent) -> Result<Outcome, WebError> {
    let options = options(sent)?;
    let dry_run = sent.field("dry_run").is_some_and(|word| word != "0" && word != "false");
    let wish = FileWish { name: &sent.name, options: &options, dry_run, by: Some(ctx.person()?.id) };
    let mut files = Vec::new();
    let done = files::import(&ctx.app.mdm, ctx.now, &sent.file, &wish, &mut |taken| files.push(taken));
    let stopped = match done {
        Ok(()) => None,
        Err(error @ FileError::Ours { .. }) => return Err(WebError::internal(&error)),
        Err(error) => Some(format!("{error}; nothing of it was taken in.")),
    };
    match stopped {
        Some(why) if files.is_empty() => Err(WebError::Unclear(why)),
        stopped => Ok(Outcome { files, stopped, dry_run }),
    }
}

/// A day of the address.
pub(crate) fn day(ctx: &Ctx, name: &str) -> Result<Date, WebError> {
    let text = ctx.param(name);
    let text = text.ok_or_else(|| WebError::Unclear(format!("Say `{name}`, a day as in 2026-07-14.")))?;
    text.parse().map_err(|_| WebError::Unclear(format!("`{text}` is no day; write it as in 2026-07-14.")))
}

fn refused(error: &ExportError) -> WebError {
    match error {
        ExportError::Unknown { what, name } => WebError::NotFound(format!("{what} {name}")),
        ExportError::Backwards { .. } => WebError::Unclear(format!("{error}.")),
        ExportError::Write(_) | ExportError::Mdm(_) => WebError::internal(error),
    }
}

/// A file of readings under `name`, written while it is sent. What went wrong midway cuts it off, so that nobody takes a
/// part for the whole.
pub(crate) async fn send(ctx: &Ctx, wish: ExportWish, name: &str) -> Result<Response, WebError> {
    let format = wish.format;
    let export = ctx.blocking(move |ctx| {
        let planned = Export::plan(&ctx.app.mdm, ctx.now, wish).map_err(|error| refused(&error))?;
        match planned.left_out() {
            [first, ..] if planned.is_empty() => {
                Err(WebError::Refused(format!("Nothing can be written: {}.", first.why)))
            }
            _ => Ok(planned),
        }
    });
    let export = export.await?;
    let left_out = export.left_out();
    let mut named: Vec<String> = left_out.iter().take(NAMED).map(|one| one.series.clone()).collect();
    if left_out.len() > NAMED {
        named.push(format!("and {} more", left_out.len() - NAMED));
    }
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '-' };
    let name: String = name.chars().map(safe).collect();
    let kind = (header::CONTENT_TYPE, format.media_type().to_owned());
    let place =
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.{}\"", format.extension()));
    let body = Body::from_stream(pieces(ctx, export));
    let ascii = |text: String| text.replace(|c: char| !c.is_ascii_graphic() && c != ' ', "?");
    Ok(match named.is_empty() {
        true => ([kind, place], body).into_response(),
        false => ([kind, place, (LEFT_OUT, ascii(named.join(", ")))], body).into_response(),
    })
}

fn pieces(ctx: &Ctx, export: Export) -> impl stream::Stream<Item = io::Result<Bytes>> + use<> {
    let (to_reader, from_writer) = mpsc::channel(PIECES);
    let mdm = std::sync::Arc::clone(&ctx.app.mdm);
    let socket = Handle::current();
    tokio::task::spawn_blocking(move || {
        let pipe = Pipe { to_reader: to_reader.clone(), socket };
        if let Err(error) = export.write(&mdm, Box::new(BufWriter::with_capacity(PIECE, pipe))) {
            // A reader that went away is no fault of ours, and hears nothing any more.
            if to_reader.try_send(Err(io::Error::other("the file is incomplete"))).is_ok() {
                tracing::error!(%error, "an export broke off");
            }
        }
    });
    stream::unfold(from_writer, |mut from| async move { from.recv().await.map(|piece| (piece, from)) })
}

/// The writing end of a download.
struct Pipe {
    to_reader: mpsc::Sender<io::Result<Bytes>>,
    socket: Handle,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Ok(Bytes::copy_from_slice(bytes));
        let sent = async { tokio::time::timeout(PATIENCE, self.to_reader.send(piece)).await };
        match self.socket.block_on(sent) {
            Ok(Ok(())) => Ok(bytes.len()),
            _ => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the reader takes no more")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
