//! Files that people send, on their way to disk: bounded in size, in memory, in time and in number.

use crate::ctx::Ctx;
use crate::error::WebError;
use axum::body::Bytes;
use axum::extract::multipart::Field;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{Method, header};
use exchange::container::Source;
use futures_util::{Stream, StreamExt};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// The largest file that is taken, unless told otherwise.
const MOST_BYTES: u64 = 1 << 30;
/// Files at a time: each takes room on the disk and a thread.
const AT_ONCE: usize = 4;
/// How long a client may send nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pieces between the socket and the disk.
const PIECES: usize = 8;
/// The longest field of a form beside the file.
const FIELD_BYTES: usize = 64 * 1024;
/// The longest name of a file that is kept.
const NAME: usize = 200;

/// Where files that people send wait while they are taken in.
#[derive(Clone, Debug)]
pub struct Uploads {
    folder: PathBuf,
    most_bytes: u64,
    turns: Arc<Semaphore>,
}

impl Uploads {
    /// Files wait in `folder`, without a name: what a process leaves behind is gone with it.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, most_bytes: MOST_BYTES, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The same with another bound on a file's size.
    #[must_use]
    pub fn at_most(self, most_bytes: u64) -> Self {
        Self { most_bytes, ..self }
    }
}

/// Whether a request may take longer than a page: a large file comes over a slow line.
pub fn takes_long(method: &Method, path: &str) -> bool {
    *method == Method::POST && matches!(path, "/api/v1/imports" | "/ops/imports")
}

/// A file on disk that has no name there.
#[derive(Clone, Debug)]
pub(crate) struct Spooled {
    file: Arc<File>,
    bytes: u64,
}

/// A reader of a [`Spooled`] with a place of its own.
#[derive(Debug)]
pub(crate) struct Part {
    file: Arc<File>,
    at: u64,
    bytes: u64,
}

impl Source for Spooled {
    type Input = Part;

    fn open(&self) -> io::Result<Part> {
        Ok(Part { file: Arc::clone(&self.file), at: 0, bytes: self.bytes })
    }
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or(0));
        Ok(read)
    }
}

impl Seek for Part {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(offset) => self.bytes.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        let before = || io::Error::new(io::ErrorKind::InvalidInput, "before the beginning of the file");
        self.at = at.ok_or_else(before)?;
        Ok(self.at)
    }
}

/// What somebody sent: a file, and the fields beside it.
#[derive(Debug)]
pub(crate) struct Sent {
    /// The file's name, as the sender has it.
    pub(crate) name: String,
    /// The file.
    pub(crate) file: Spooled,
    fields: BTreeMap<String, String>,
    /// Others wait until this is done with.
    _turn: OwnedSemaphorePermit,
}

impl Sent {
    /// A field of the form, or a parameter of the address; blank is as good as absent.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }
}

/// Takes the one file of a request to disk: the body itself, or the part `file` of a form.
pub(crate) async fn receive(ctx: &Ctx, request: Request) -> Result<Sent, WebError> {
    let uploads = &ctx.app.uploads;
    let busy = "Files of others are being taken in; send yours again in a minute.";
    let turn = Arc::clone(&uploads.turns);
    let turn = turn.try_acquire_owned().map_err(|_| WebError::Refused(busy.to_owned()))?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let form = kind.is_some_and(|kind| kind.starts_with("multipart/form-data"));
    let mut fields = BTreeMap::new();
    let (name, file) = if form {
        let sent = Multipart::from_request(request, &()).await;
        let mut parts = sent.map_err(|error| WebError::Unclear(error.body_text()))?;
        let mut file = None;
        while let Some(part) = parts.next_field().await.map_err(|error| broken(&error))? {
            let field = part.name().unwrap_or_default().to_owned();
            if field == "file" && file.is_some() {
                let why = "Send one file at a time, or pack several into one zip.";
                return Err(WebError::Unclear(why.to_owned()));
            }
            if field == "file" {
                let name = part.file_name().unwrap_or_default().to_owned();
                file = Some((name, spool(uploads, part).await?));
            } else {
                fields.insert(field, text(part).await?);
            }
        }
        file.ok_or_else(|| WebError::Unclear("The form holds no file.".to_owned()))?
    } else {
        for name in ["format", "zone", "mapping", "dry_run"] {
            fields.extend(ctx.param(name).map(|value| (name.to_owned(), value)));
        }
        let body = request.into_body().into_data_stream();
        (ctx.param("name").unwrap_or_default(), spool(uploads, body).await?)
    };
    if file.bytes == 0 {
        return Err(WebError::Unclear("No file was chosen, or it is empty.".to_owned()));
    }
    let name = match name.trim() {
        "" => "upload".to_owned(),
        name => name.chars().filter(|char| !char.is_control()).take(NAME).collect(),
    };
    Ok(Sent { name, file, fields, _turn: turn })
}

fn broken(error: &dyn Display) -> WebError {
    WebError::Unclear(format!("The file broke off, so nothing was taken in: {error}."))
}

async fn text(part: Field<'_>) -> Result<String, WebError> {
    let name = part.name().unwrap_or_default().to_owned();
    let mut part = part;
    let mut bytes = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(|error| broken(&error))? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > FIELD_BYTES {
            return Err(WebError::TooLarge(format!("The field `{name}` is longer than any that is read.")));
        }
    }
    String::from_utf8(bytes).map_err(|_| WebError::Unclear(format!("The field `{name}` is no text.")))
}

/// Writes what comes to a file without a name, piece by piece.
async fn spool<E: Display>(
    uploads: &Uploads,
    mut stream: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<Spooled, WebError> {
    let (to_disk, mut pieces) = mpsc::channel::<Bytes>(PIECES);
    let folder = uploads.folder.clone();
    let writing = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&folder)?;
        let mut file = tempfile::tempfile_in(folder)?;
        while let Some(piece) = pieces.blocking_recv() {
            file.write_all(&piece)?;
        }
        Ok::<_, io::Error>(file)
    });
    let mut bytes = 0u64;
    let came = loop {
        let piece = match tokio::time::timeout(PATIENCE, stream.next()).await {
            Err(_) => break Err(broken(&"nothing came any more")),
            Ok(None) => break Ok(()),
            Ok(Some(Err(error))) => break Err(broken(&error)),
            Ok(Some(Ok(piece))) => piece,
        };
        bytes = bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if bytes > uploads.most_bytes {
            let most = uploads.most_bytes >> 20;
            let why =
                format!("The file is larger than {most} MiB; pack it by gzip or zip, or send it in parts.");
            break Err(WebError::TooLarge(why));
        }
        // The writer ends early only when the disk takes no more, which it tells itself.
        if to_disk.send(piece).await.is_err() {
            break Ok(());
        }
    };
    drop(to_disk);
    let written = writing.await.map_err(|error| WebError::internal(&error))?;
    came?;
    let file = written.map_err(|error| WebError::internal(&error))?;
    Ok(Spooled { file: Arc::new(file), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    #[tokio::test]
    async fn a_file_is_read_again_from_its_beginning_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(folder.path().to_owned()).at_most(10);
        let pieces = |texts: &[&'static str]| {
            let texts: Vec<Result<Bytes, String>> =
                texts.iter().map(|text| Ok(Bytes::from_static(text.as_bytes()))).collect();
            stream::iter(texts)
        };
        let spooled = spool(&uploads, pieces(&["hello", "world"])).await.unwrap();
        for _ in 0..2 {
            let mut text = String::new();
            let mut part = spooled.open().unwrap();
            part.read_to_string(&mut text).unwrap();
            assert_eq!(text, "helloworld");
            assert_eq!(part.seek(SeekFrom::End(-5)).unwrap(), 5);
            assert!(part.seek(SeekFrom::Current(-6)).is_err());
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it has no name");
        let large = spool(&uploads, pieces(&["hello", "world", "!"])).await;
        assert!(matches!(large, Err(WebError::TooLarge(_))));
        let cut = stream::iter([Ok(Bytes::from_static(b"a")), Err("gone")]);
        assert!(matches!(spool(&uploads, cut).await, Err(WebError::Unclear(why)) if why.contains("gone")));
    }
}
