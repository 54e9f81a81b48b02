//! A file that can be sought in, as the format's library reads it.

use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::reader::{ChunkReader, Length};
use bytes::Bytes;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex};

/// What can be read and sought in.
pub(super) trait Seekable: Read + Seek + Send {}

impl<T: Read + Seek + Send> Seekable for T {}

/// The whole of a file.
pub(super) struct Chunks {
    input: Arc<Mutex<Box<dyn Seekable>>>,
    len: u64,
}

impl Chunks {
    pub(super) fn new(mut input: impl Seekable + 'static) -> io::Result<Self> {
        let len = input.seek(SeekFrom::End(0))?;
        Ok(Self { input: Arc::new(Mutex::new(Box::new(input))), len })
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Chunks {
    type T = BufReader<Piece>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let piece = Piece { input: Arc::clone(&self.input), at: start };
        Ok(BufReader::with_capacity(4096, piece))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let fits = u64::try_from(length).ok().and_then(|length| start.checked_add(length));
        if fits.is_none_or(|end| end > self.len) {
            return Err(ParquetError::EOF("a piece lies behind the end of the file".into()));
        }
        let mut bytes = vec![0; length];
        Piece { input: Arc::clone(&self.input), at: start }.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// The file from some place on.
pub(super) struct Piece {
    input: Arc<Mutex<Box<dyn Seekable>>>,
    at: u64,
}

impl Read for Piece {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut input = self.input.lock().map_err(|_| io::Error::other("a reader before broke off"))?;
        input.seek(SeekFrom::Start(self.at))?;
        let read = input.read(buffer)?;
        self.at += u64::try_from(read).map_err(io::Error::other)?;
        Ok(read)
    }
}
