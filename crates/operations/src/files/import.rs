//! A file on its way in: unpacked, recognised, taken in member by member.

use exchange::container::{self, Source};
use exchange::{Opened, Options, ReadError};
use jiff::Timestamp;
use mdm::{ImportError, ImportReport, ImportSource, Mdm};
use model::UserId;
use sha2::{Digest, Sha256};
use std::io::Read;

/// Files of one archive at most.
const MEMBERS: usize = 100_000;

/// How a file is to be taken in.
#[derive(Clone, Debug)]
pub struct FileWish<'a> {
    /// The file's name, for messages and the list of imports.
    pub name: &'a str,
    /// Its format and what its columns mean.
    pub options: &'a Options,
    /// Look only; nothing is taken in.
    pub dry_run: bool,
    /// Who sent it; nobody where it came by the command line.
    pub by: Option<UserId>,
}

/// What became of a file, or of one of the files of an archive.
#[derive(Clone, Debug)]
pub struct TakenFile {
    /// The file's name, and the member's after a colon.
    pub name: String,
    /// Its format.
    pub format: &'static str,
    /// The counts and what was left out.
    pub report: ImportReport,
}

/// Why a file, or the rest of an archive, was not taken in. What was told of before stays.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Nothing can be made of the file: the sender's fault.
    #[error("{name}{}: {}", line.map_or_else(String::new, |line| format!(" line {line}")), why.told())]
    Unreadable {
        /// The file.
        name: String,
        /// Where in it, if that is known.
        line: Option<u64>,
        /// Why, which the sentence says whole.
        why: ReadError,
    },
    /// An archive of more files than are gone through.
    #[error("the archive {name} holds {members} files; more than {MEMBERS} are not read")]
    TooMany {
        /// The archive.
        name: String,
        /// How many there are.
        members: usize,
    },
    /// The meter data manager or its store failed: ours.
    #[error("{name}")]
    Ours {
        /// The file.
        name: String,
        /// Why.
        source: mdm::MdmError,
    },
}

pub(super) fn unreadable(name: &str, why: ReadError) -> FileError {
    match why {
        ReadError::Member { name: inside, source } => unreadable(&format!("{name}:{inside}"), *source),
        why => {
            let line = matches!(why, ReadError::Unrecognised(_)).then_some(1);
            FileError::Unreadable { name: name.to_owned(), line, why }
        }
    }
}

/// Takes in a file, or each file of an archive, each in a transaction of its own; `told` hears of each when it is on disk.
///
/// # Errors
/// [`FileError`]; nothing of the file that it names was taken in, and nothing of those after it.
pub fn import<S: Source>(
    mdm: &Mdm,
    now: Timestamp,
    source: &S,
    wish: &FileWish<'_>,
    told: &mut dyn FnMut(TakenFile),
) -> Result<(), FileError> {
    let members = container::count(source).map_err(|error| unreadable(wish.name, error))?;
    if members > MEMBERS {
        return Err(FileError::TooMany { name: wish.name.to_owned(), members });
    }
    let digest = digest(source, wish.options).map_err(|error| unreadable(wish.name, error.into()))?;
    for index in 0..members {
        let opened = exchange::open_member(source, index, wish.options);
        let opened = opened.map_err(|error| unreadable(wish.name, error))?;
        let Some(Opened { name: inside, format, mut reader }) = opened else { continue };
        let name = if inside.is_empty() { wish.name.to_owned() } else { format!("{}:{inside}", wish.name) };
        let import = ImportSource {
            name: name.clone(),
            format: format.name().to_owned(),
            digest: format!("{digest}:{index}"),
            meters: wish.options.mapping.meters.clone(),
            dry_run: wish.dry_run,
            by: wish.by,
        };
        let report = mdm.import(now, &import, reader.as_mut()).map_err(|error| match error {
            ImportError::Read(source) => unreadable(&name, source),
            ImportError::Mdm(source) => FileError::Ours { name: name.clone(), source },
        })?;
        told(TakenFile { name, format: format.name(), report });
    }
    Ok(())
}

/// SHA-256 of the file and of how it is read: under another mapping it is another import.
pub(super) fn digest<S: Source>(source: &S, options: &Options) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut input = source.open()?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match input.read(&mut buffer)? {
            0 => break,
            read => hash.update(buffer.get(..read).unwrap_or_default()),
        }
    }
    hash.update(format!("{options:?}").as_bytes());
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
