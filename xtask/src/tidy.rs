//! The house rules that no compiler checks: rings, lengths, debris, where SQL and tokio may be, sources of data.
//!
//! Every complaint names file and line and says what to do.

mod debris;
mod lengths;
mod manifests;
mod mask;
mod sources;

use anyhow::{Context, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// One thing that is not as it should be.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Complaint {
    file: String,
    line: usize,
    what: String,
    remedy: String,
}

impl Complaint {
    fn new(file: &str, line: usize, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into(), remedy: remedy.into() }
    }
}

/// A file of the project by its path from the root, with `/` between folders.
#[derive(Debug)]
struct SourceFile {
    path: String,
    text: String,
}

/// Folders that hold what was built or fetched.
const PASSED_OVER: [&str; 7] = ["target", "node_modules", ".git", ".venv", "venv", "__pycache__", ".cache"];

/// Endings of the files that people write here.
const WRITTEN: [&str; 11] = ["rs", "toml", "md", "css", "js", "mjs", "sql", "py", "json", "yml", "html"];

/// Checks the house rules of the checkout that this program was built from.
#[expect(clippy::print_stderr, reason = "a command line")]
pub(crate) fn run() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("find the workspace")?;
    let mut complaints = check(root)?;
    complaints.sort();
    complaints.dedup();
    for Complaint { file, line, what, remedy } in &complaints {
        eprintln!("{file}:{line}: {what}\n    remedy: {remedy}");
    }
    match complaints.len() {
        0 => Ok(()),
        1 => bail!("one house rule is broken"),
        many => bail!("house rules are broken in {many} places"),
    }
}

fn check(root: &Path) -> anyhow::Result<Vec<Complaint>> {
    let mut paths = Vec::new();
    walk(root, root, &mut paths)?;
    let mut files = Vec::new();
    for path in paths.iter().filter(|path| is_written(path)) {
        let text = fs::read_to_string(root.join(path)).with_context(|| format!("read {path}"))?;
        files.push(SourceFile { path: path.clone(), text });
    }
    let find = |name: &str| files.iter().find(|file| file.path == name).map(|file| file.text.as_str());
    let mut complaints = manifests::check(&files, find("ARCHITECTURE.md").unwrap_or(""));
    complaints.extend(lengths::check(&files, find(lengths::RATCHET).unwrap_or(""))?);
    complaints.extend(files.iter().flat_map(debris::check));
    let data: Vec<&str> = paths.iter().filter_map(|path| path.strip_prefix("testdata/")).collect();
    complaints.extend(sources::check(&data, find("testdata/SOURCES.md").unwrap_or("")));
    Ok(complaints)
}

/// Collects the paths of all files below `at`, from `root`, in order.
fn walk(root: &Path, at: &Path, found: &mut Vec<String>) -> anyhow::Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(at)
        .with_context(|| format!("list {}", at.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !PASSED_OVER.contains(&name) {
                walk(root, &path, found)?;
            }
        } else if let Some(path) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            found.push(path.replace('\\', "/"));
        }
    }
    Ok(())
}

/// Whether people write the file here: text, not data, not somebody else's.
fn is_written(path: &str) -> bool {
    let data = path.starts_with("testdata/") && path != "testdata/SOURCES.md";
    let others = path.split('/').any(|folder| folder == "vendor") || path.ends_with("package-lock.json");
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    !data && !others && WRITTEN.contains(&ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_and_vendored_files_are_not_ours_to_tidy() {
        for (path, written) in [
            ("crates/vee/src/lib.rs", true),
            ("testdata/SOURCES.md", true),
            ("testdata/dlms/keys.json", false),
            ("crates/web/vendor/htmx.js", false),
            ("tests/browser/package-lock.json", false),
            ("docs/shot.png", false),
        ] {
            assert_eq!(is_written(path), written, "{path}");
        }
    }
}
