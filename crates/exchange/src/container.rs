//! Packed files: gzip and zip, unpacked as they are read, within bounds.

use crate::refusal::ReadError;
use flate2::read::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use zip::result::ZipError;

/// What unpacks to more than this many times its size, once past [`FREE`] bytes, is a bomb.
const RATIO: u64 = 1000;

/// Bytes that any packed file may unpack to.
const FREE: u64 = 64 << 20;

/// A file of an archive, or the one file there is.
pub struct Member {
    /// Its name in the archive; empty where there is none.
    pub name: String,
    /// Its bytes, unpacked.
    pub input: Box<dyn BufRead>,
}

impl core::fmt::Debug for Member {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Member").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An input that can be opened again, as a file can.
pub trait Source {
    /// What is read.
    type Input: Read + Seek + Send + 'static;

    /// The input from its beginning.
    ///
    /// # Errors
    /// What the system says.
    fn open(&self) -> io::Result<Self::Input>;
}

impl Source for &[u8] {
    type Input = io::Cursor<Vec<u8>>;

    fn open(&self) -> io::Result<Self::Input> {
        Ok(io::Cursor::new(self.to_vec()))
    }
}

/// How many files `source` holds: those of a zip archive, else one.
///
/// # Errors
/// [`ReadError`] where an archive cannot be opened.
pub fn count<S: Source>(source: &S) -> Result<usize, ReadError> {
    let mut input = source.open()?;
    if begins(&mut input, b"PK\x05\x06")? {
        return Err(ReadError::Container("the archive holds no file".into()));
    }
    if !begins(&mut input, b"PK\x03\x04")? {
        return Ok(1);
    }
    let archive = zip::ZipArchive::new(BufReader::new(input)).map_err(refused)?;
    Ok(archive.len())
}

/// File `index` of `source`, unpacked as it is read.
///
/// # Errors
/// [`ReadError`] where an archive cannot be opened or holds no such file.
pub fn member<S: Source>(source: &S, index: usize) -> Result<Option<Member>, ReadError> {
    let mut input = source.open()?;
    let packed = input.seek(SeekFrom::End(0))?;
    input.rewind()?;
    if begins(&mut input, b"PK\x03\x04")? {
        return zipped(input, index);
    }
    if begins(&mut input, b"\x1F\x8B")? {
        let bounded = Bounded::new(MultiGzDecoder::new(BufReader::new(input)), packed);
        return Ok(Some(Member { name: String::new(), input: Box::new(BufReader::new(bounded)) }));
    }
    Ok(Some(Member { name: String::new(), input: Box::new(BufReader::with_capacity(1 << 16, input)) }))
}

/// An archive's member is read through an archive of its own, as a member borrows the archive it is in.
fn zipped(input: impl Read + Seek + 'static, index: usize) -> Result<Option<Member>, ReadError> {
    let mut archive = zip::ZipArchive::new(BufReader::new(input)).map_err(refused)?;
    let file = archive.by_index(index).map_err(refused)?;
    if file.is_dir() {
        return Ok(None);
    }
    let (name, packed) = (file.name().to_owned(), file.compressed_size());
    let (from, method) = (file.data_start(), file.compression());
    drop(file);
    let mut inner = archive.into_inner();
    inner.seek(SeekFrom::Start(from))?;
    let raw = inner.take(packed);
    let input: Box<dyn BufRead> = match method {
        zip::CompressionMethod::Stored => Box::new(BufReader::new(raw)),
        zip::CompressionMethod::Deflated => {
            let unpacked = flate2::read::DeflateDecoder::new(raw);
            Box::new(BufReader::new(Bounded::new(unpacked, packed)))
        }
        _ => return Err(ReadError::Container(METHOD.into()).of_member(&name)),
    };
    Ok(Some(Member { name, input }))
}

const METHOD: &str =
    "it is encrypted, or packed in a way that is not read; pack it with deflate, as most programs do";

/// What is wrong with an archive, without the words of its library.
fn refused(error: ZipError) -> ReadError {
    match error {
        ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => error.into(),
        ZipError::UnsupportedArchive(_) | ZipError::InvalidPassword => ReadError::Container(METHOD.into()),
        _ => ReadError::Container("it is damaged or was cut short; fetch it again".into()),
    }
}

pub(crate) fn begins(input: &mut (impl Read + Seek), magic: &[u8]) -> Result<bool, ReadError> {
    let mut head = vec![0; magic.len()];
    let mut filled = 0;
    while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest)? {
            0 => break,
            read => filled += read,
        }
    }
    input.rewind()?;
    Ok(head == magic)
}

/// Ends in an error where the unpacked bytes are out of all proportion.
struct Bounded<R> {
    input: R,
    read: u64,
    most: u64,
}

impl<R: Read> Bounded<R> {
    fn new(input: R, packed: u64) -> Self {
        Self { input, read: 0, most: packed.saturating_mul(RATIO).max(FREE) }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                let what = "what is packed is damaged or was cut short; fetch the file again";
                io::Error::new(io::ErrorKind::InvalidData, what)
            }
            _ => error,
        })?;
        self.read = self.read.saturating_add(u64::try_from(read).unwrap_or(0));
        if self.read > self.most {
            let what = format!("the file unpacks to more than {RATIO} times its size");
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(read)
    }
}
