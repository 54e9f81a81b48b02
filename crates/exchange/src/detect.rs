//! Which format a file is of, by what stands in it; never by its name.

use crate::cmep::CmepReader;
use crate::container::{self, Source};
use crate::csv::{Mapping, Shape};
use crate::espi::EspiReader;
use crate::item::Reader;
use crate::limits;
use crate::nem::NemReader;
use crate::parquet::ParquetReader;
use crate::refusal::ReadError;
use jiff::tz::TimeZone;
use std::io::{BufRead, Cursor, Read};

/// A format that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Green Button XML.
    GreenButton,
    /// NEM12 or NEM13.
    Nem,
    /// CMEP.
    Cmep,
    /// A table as text.
    Csv,
    /// Parquet.
    Parquet,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::GreenButton, Self::Nem, Self::Cmep, Self::Csv, Self::Parquet];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GreenButton => "green-button",
            Self::Nem => "nem12",
            Self::Cmep => "cmep",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// The format of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "nem13" | "nem" => Some(Self::Nem),
            "espi" => Some(Self::GreenButton),
            _ => Self::ALL.into_iter().find(|format| format.name() == name),
        }
    }

    /// The format of a file that begins with `head`, as many bytes of it as there are up to a few hundred.
    pub fn of(head: &[u8]) -> Option<Self> {
        let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
        let text = head.trim_ascii_start();
        if head.starts_with(b"PAR1") {
            return Some(Self::Parquet);
        }
        if text.starts_with(b"<") {
            return Some(Self::GreenButton);
        }
        if crate::cmep::begins_like(text) {
            return Some(Self::Cmep);
        }
        let nem: [&[u8]; 5] = [b"100,", b"200,", b"300,", b"250,", b"900"];
        if nem.iter().any(|record| text.starts_with(record)) {
            return Some(Self::Nem);
        }
        let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let table = line.iter().any(|byte| matches!(byte, b',' | b';' | b'\t'));
        let readable = core::str::from_utf8(line).is_ok() || head.len() >= HEAD;
        (table && readable && !line.contains(&0)).then_some(Self::Csv)
    }
}

/// Bytes that are looked at.
const HEAD: usize = 512;

/// How a file is to be read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The format; found by content where nothing is said.
    pub format: Option<Format>,
    /// What a table's columns mean.
    pub mapping: Mapping,
}

impl Options {
    fn zone(&self) -> Option<TimeZone> {
        self.mapping.time.zone.as_deref().and_then(crate::csv::zone)
    }
}

/// A file of an archive, or the one file there is, that is being read.
pub struct Opened {
    /// Its name in the archive; empty where there is none.
    pub name: String,
    /// What it is.
    pub format: Format,
    /// Its items.
    pub reader: Box<dyn Reader>,
}

impl core::fmt::Debug for Opened {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Opened")
            .field("name", &self.name)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

/// A reader of file `index` of `source`, see [`container::count`]; `None` for a folder in an archive.
///
/// Parquet is read where it lies, a column by itself, so that its size does not matter.
///
/// # Errors
/// As [`container::member`] and [`open`].
pub fn open_member<S: Source>(
    source: &S,
    index: usize,
    options: &Options,
) -> Result<Option<Opened>, ReadError> {
    let mut input = source.open()?;
    let format = Format::Parquet;
    let begins = index == 0 && container::begins(&mut input, b"PAR1")?;
    if begins && options.format.is_none_or(|wanted| wanted == format) {
        let reader = Box::new(ParquetReader::new(input, options.mapping.clone())?);
        return Ok(Some(Opened { name: String::new(), format, reader }));
    }
    let Some(member) = container::member(source, index)? else { return Ok(None) };
    match open(member.input, options) {
        Ok((format, reader)) => Ok(Some(Opened { name: member.name, format, reader })),
        Err(why) => Err(why.of_member(&member.name)),
    }
}

/// A reader of `input`, unpacked bytes of one file, and its format.
///
/// Parquet, whose end is read first, is held in memory up to [`limits::PARQUET_HELD`]; [`open_member`] has no such bound.
///
/// # Errors
/// [`ReadError::Unrecognised`] and its neighbours where no format begins like this.
pub fn open(mut input: Box<dyn BufRead>, options: &Options) -> Result<(Format, Box<dyn Reader>), ReadError> {
    let mut head = Vec::with_capacity(HEAD);
    input.by_ref().take(512).read_to_end(&mut head)?;
    let Some(format) = options.format.or_else(|| Format::of(&head)) else {
        return Err(unrecognised(&head));
    };
    let mut mapping = options.mapping.clone();
    let first_line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if mapping.shape == Shape::Long && memchr::memmem::find(first_line, b",v1,v2").is_some() {
        mapping.shape = Shape::WideDays;
    }
    if mapping.shape == Shape::Long && crate::csv::is_register_heading(first_line) {
        mapping.shape = Shape::Registers;
    }
    let input = Cursor::new(head).chain(input);
    let reader: Box<dyn Reader> = match format {
        Format::GreenButton => Box::new(EspiReader::new(input)),
        Format::Nem => Box::new(NemReader::new(input)),
        Format::Cmep => Box::new(CmepReader::new(input, options.zone().unwrap_or(TimeZone::UTC))),
        Format::Csv => {
            crate::csv::reader(input, mapping).map_err(|error| ReadError::Table(error.to_string()))?
        }
        Format::Parquet => Box::new(ParquetReader::new(Cursor::new(held(input)?), mapping)?),
    };
    Ok((format, reader))
}

/// What a file is that begins like no format.
fn unrecognised(head: &[u8]) -> ReadError {
    if head.trim_ascii().is_empty() {
        return ReadError::Empty;
    }
    let packed = [(&b"PK\x03\x04"[..], "zip"), (b"\x1F\x8B", "gzip")];
    if let Some((_, name)) = packed.iter().find(|(magic, _)| head.starts_with(magic)) {
        return ReadError::Nested(name);
    }
    if head.iter().any(|byte| *byte < b' ' && !byte.is_ascii_whitespace()) {
        return ReadError::NoText;
    }
    let line = head.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    ReadError::Unrecognised(String::from_utf8_lossy(line).trim_end().chars().take(60).collect())
}

/// A Parquet file that comes as a stream.
fn held(input: impl Read) -> Result<Vec<u8>, ReadError> {
    let most = u64::try_from(limits::PARQUET_HELD).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    input.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limits::PARQUET_HELD {
        let mib = limits::PARQUET_HELD >> 20;
        let what = format!(
            "a packed or sent Parquet file is read up to {mib} MiB; unpack it and name the file itself"
        );
        return Err(ReadError::Table(what));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn formats_by_content() {
        let table: [(&[u8], Option<Format>); 11] = [
            (b"100,NEM12,200404201300,MDA1,Ret1\n", Some(Format::Nem)),
            (b"\n\n200,VABD000163,E1Q1", Some(Format::Nem)),
            (b"\xEF\xBB\xBF<?xml version=\"1.0\"?>", Some(Format::GreenButton)),
            (b"MEPMD01,20080501,", Some(Format::Cmep)),
            (b"meter,time,value\n", Some(Format::Csv)),
            (b"a;b\n", Some(Format::Csv)),
            (b"PAR1\x15\x04", Some(Format::Parquet)),
            (b"", None),
            (b"\x00\x01,\x02", None),
            (b"hello", None),
            (b"1000,1\n", Some(Format::Csv)),
        ];
        for (head, format) in table {
            assert_eq!(Format::of(head), format, "{}", String::from_utf8_lossy(head));
        }
        for format in Format::ALL {
            assert_eq!(Format::from_name(format.name()), Some(format));
        }
    }

    /// What is opened, and what is said of it; a file of an archive is told by its name.
    #[test]
    fn what_cannot_be_read_is_said_in_plain_words() {
        let gz = |bytes: &[u8]| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(bytes).unwrap();
            packed.finish().unwrap()
        };
        let zip = |name: &str, bytes: &[u8]| {
            let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
            archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
            archive.finish().unwrap().into_inner()
        };
        let inner = zip("a.csv", b"meter,time,value\n");
        let cut = |mut bytes: Vec<u8>| {
            bytes.truncate(bytes.len() - 9);
            bytes
        };
        let table: [(Vec<u8>, &str); 11] = [
            (b"".into(), "the file is empty"),
            (b" \n\n".into(), "the file is empty"),
            (b"hello\nworld".into(), "no format that Wattle reads begins with \"hello\""),
            (b"\x7FELF\x02\x01\x01\0,".into(), "this is neither text nor Parquet"),
            (b"PAR1".into(), "its end, which says what is where, is damaged or was cut off; fetch it again"),
            (b"PAR1garbagegarbagePAR1".into(), "is damaged or was cut off; fetch it again"),
            (b"PK\x05\x06".into(), "the archive holds no file"),
            (cut(inner.clone()), "it is damaged or was cut short; fetch it again"),
            (zip("deep/a.zip", &inner), "deep/a.zip in the archive: a zip file inside a packed file"),
            (zip("a.csv.gz", &gz(b"x,y\n")), "a.csv.gz in the archive: a gzip file inside a packed file"),
            (zip("b.txt", b"hello"), "b.txt in the archive: no format"),
        ];
        for (bytes, told) in table {
            let source = &bytes[..];
            let opened = container::count(&source).and_then(|_| open_member(&source, 0, &Options::default()));
            let error = opened.unwrap_err().told();
            assert!(error.contains(told), "{error}");
        }
        let packed = cut(gz("meter,time,value\n".repeat(999).as_bytes()));
        let options = Options { format: Some(Format::Nem), ..Options::default() };
        let mut reader = open_member(&&packed[..], 0, &options).unwrap().unwrap().reader;
        let error = loop {
            match reader.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("read to its end"),
                Err(error) => break error.told(),
            }
        };
        assert!(
            error.ends_with("what is packed is damaged or was cut short; fetch the file again"),
            "{error}"
        );
    }
}
