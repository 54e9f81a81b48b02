//! What cannot be read: where it stands, why, and what to do about it.

use crate::limits;

/// A record that was left out, with the reason. Everything around it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The line in the file, from 1; of a compressed file, in what it unpacks to.
    pub line: u64,
    /// Why.
    pub reason: Reason,
    /// The beginning of the record, at most [`limits::EXCERPT`] characters.
    pub text: String,
}

impl Refusal {
    /// Refuses the record `text` that begins on `line`.
    pub fn new(line: u64, reason: Reason, text: &[u8]) -> Self {
        let head = text.get(..limits::EXCERPT.min(text.len())).unwrap_or(text);
        let text = String::from_utf8_lossy(head).trim_end_matches(['\r', '\n']).to_owned();
        Self { line, reason, text }
    }
}

/// Why a record was left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The line is longer than any record of the format.
    #[error("the line is longer than {limit} bytes")]
    LineTooLong {
        /// The bound.
        limit: usize,
    },
    /// A field that the record needs is not there.
    #[error("field {field} is missing")]
    Missing {
        /// Its name.
        field: &'static str,
    },
    /// A field holds what it cannot hold.
    #[error("{field} is {found:?}, which is not {wanted}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What stands there.
        found: String,
        /// What may stand there.
        wanted: &'static str,
    },
    /// The record has too many or too few values.
    #[error("{found} values where {wanted} belong")]
    Count {
        /// How many there are.
        found: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// The stamp lies off the grid of the series.
    #[error("{at} is off the grid of {secs} s that the series began with")]
    OffGrid {
        /// The instant, UTC.
        at: jiff::Timestamp,
        /// Length of the series' intervals.
        secs: u32,
    },
    /// Too few readings to tell how long an interval is.
    #[error("the length of the interval cannot be told from the stamps around this one")]
    NoInterval,
    /// A local time that a clock change skips.
    #[error("{0} does not exist: the clock was set forward over it")]
    SkippedHour(jiff::civil::DateTime),
    /// A record that has to follow another one.
    #[error("a record {record} stands here without the {needs} that it belongs to")]
    Orphan {
        /// What stands here.
        record: String,
        /// What is missing before it.
        needs: &'static str,
    },
    /// A record kind that the format does not have.
    #[error("{0:?} is no record of this format")]
    Unknown(String),
    /// Two statements of the record contradict each other.
    #[error("{0}")]
    Contradiction(String),
    /// The format can say this, but nothing can be kept of it.
    #[error("{0}")]
    Unsupported(String),
    /// The file ends, or is damaged, in the middle of a record.
    #[error("the file is damaged here: {0}")]
    Damaged(String),
}

impl Reason {
    /// A field that holds the wrong thing; long contents are cut.
    pub fn field(field: &'static str, found: &[u8], wanted: &'static str) -> Self {
        let head = found.get(..60.min(found.len())).unwrap_or(found);
        Self::Field { field, found: String::from_utf8_lossy(head).into_owned(), wanted }
    }

    /// What the person who has the file can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::LineTooLong { .. } => "split the record, or check that the file has line ends",
            Self::Missing { .. } | Self::Count { .. } => "ask the sender for the record again, whole",
            Self::Field { .. } => "correct the field, or name the column's form in a mapping file",
            Self::OffGrid { .. } => "name the interval in a mapping file, or ask for aligned readings",
            Self::NoInterval => "name the interval, time.interval_s in a mapping file",
            Self::SkippedHour(_) => "name the zone that the stamps are really in, for example with --zone",
            Self::Orphan { .. } => "send the record again after the record it belongs to",
            Self::Unknown(_) => "check that the file is of the format that was named",
            Self::Contradiction(_) => "ask the sender which of the two is right",
            Self::Unsupported(_) => "convert the record before importing it",
            Self::Damaged(_) => "fetch the file again",
        }
    }

    /// A short name for tables and JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::LineTooLong { .. } => "line_too_long",
            Self::Missing { .. } => "missing_field",
            Self::Field { .. } => "bad_field",
            Self::Count { .. } => "wrong_count",
            Self::OffGrid { .. } => "off_grid",
            Self::NoInterval => "no_interval",
            Self::SkippedHour(_) => "skipped_hour",
            Self::Orphan { .. } => "orphan_record",
            Self::Unknown(_) => "unknown_record",
            Self::Contradiction(_) => "contradiction",
            Self::Unsupported(_) => "unsupported",
            Self::Damaged(_) => "damaged",
        }
    }
}

/// Why a file cannot be read at all, or no further.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes do not come.
    #[error("the input broke off")]
    Io(#[source] std::io::Error),
    /// The file is not there.
    #[error("there is no such file")]
    NotThere,
    /// It is no file but a folder.
    #[error("this is a folder: name a file in it")]
    Folder,
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// It is of bytes that no format of readings begins with.
    #[error(
        "this is neither text nor Parquet; readings are read from Green Button, NEM12, NEM13, CMEP, CSV and Parquet"
    )]
    NoText,
    /// A packed file in another one.
    #[error("a {0} file inside a packed file is not opened: unpack the outer one and name what is in it")]
    Nested(&'static str),
    /// No format recognises the beginning of the file.
    #[error(
        "no format that Wattle reads begins with {0:?}; say which one it is if it is green-button, nem12, nem13, cmep or csv"
    )]
    Unrecognised(String),
    /// The heading of a table lacks a column.
    #[error("line {line}: the heading has no column for {column}; name it in a mapping file")]
    Heading {
        /// Where the heading stands.
        line: u64,
        /// What is missing.
        column: &'static str,
    },
    /// A packed file that would unpack to more than is believed, or is damaged.
    #[error("the packed file cannot be opened: {0}")]
    Container(String),
    /// A table file of columns that cannot be read.
    #[error("the file is no table of readings: {0}")]
    Table(String),
    /// A file of an archive.
    #[error("{name} in the archive")]
    Member {
        /// Its name.
        name: String,
        /// Why it cannot be read.
        source: Box<Self>,
    },
}

impl ReadError {
    /// The reason with all that is behind it, in one sentence.
    pub fn told(&self) -> String {
        let mut told = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            told.push_str(": ");
            told.push_str(&error.to_string());
            cause = error.source();
        }
        told
    }

    /// Of a file in an archive, by its name; that of a file by itself is empty.
    pub(crate) fn of_member(self, name: &str) -> Self {
        if name.is_empty() { self } else { Self::Member { name: name.to_owned(), source: Box::new(self) } }
    }
}

impl From<std::io::Error> for ReadError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::NotThere,
            std::io::ErrorKind::IsADirectory => Self::Folder,
            _ => Self::Io(error),
        }
    }
}
