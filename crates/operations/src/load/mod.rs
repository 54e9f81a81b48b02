//! A utility's own start: premises, customers, service points, meters, collectors and keys from CSV.
//!
//! Everything is read and checked whole before anything is written; every fault names its file, line
//! and remedy, and one run shows them all.

mod check;
mod file;
mod write;

pub use file::Kind;
pub use write::files;

use file::Table;
use model::master::MasterData;

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, as named by the caller.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong and what would be right.
    pub why: String,
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.why)
    }
}

/// What is known already, so that a file may refer to it.
pub trait Known {
    /// Whether a record of `kind` with this name or number exists.
    fn has(&self, kind: Kind, name: &str) -> bool;
    /// Whether `model` is a meter model.
    fn has_model(&self, model: &str) -> bool;
}

/// Reads and checks files whole. `files` are names (for messages) and texts, in any order.
///
/// # Errors
/// Every fault of every file, in order of file and line.
pub fn parse(files: &[(String, String)], known: &dyn Known) -> Result<MasterData, Vec<Fault>> {
    let mut faults = Vec::new();
    let tables: Vec<Table> =
        files.iter().filter_map(|(name, text)| Table::parse(name, text, &mut faults)).collect();
    let data = check::whole(&tables, known, &mut faults);
    if faults.is_empty() {
        return Ok(data);
    }
    faults.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    faults.dedup();
    Err(faults)
}

#[cfg(test)]
mod tests;
