//! Files of readings, in and out: the one way that the command line, the pages and the API share.
//!
//! What a file is and what it says is the business of `exchange`; whether it fits is that of `mdm`. Here an archive is
//! gone through file by file, what each came to is told, and what is kept is written in somebody's format. Nothing here
//! opens a file: the callers bring what can be read, and what can be written to.

mod export;
mod import;
mod weather;

pub use export::{Export, ExportError, ExportWish, Exported, LeftOut, OutFormat, Which, writer};
pub use import::{FileError, FileWish, TakenFile, import};
pub use weather::{WeatherFileError, WeatherReport, import_weather};
