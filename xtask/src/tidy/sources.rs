//! Every file of `testdata/` has a row in `testdata/SOURCES.md` that says where it comes from.

use super::Complaint;

const TABLE: &str = "testdata/SOURCES.md";

/// Compares `files`, paths from `testdata/`, with the first column of the table.
///
/// A row names its files in backticks: a path, a folder with a slash at its end, or a pattern with `*` and `{a,b}`.
pub(super) fn check(files: &[&str], table: &str) -> Vec<Complaint> {
    let files: Vec<&str> = files.iter().copied().filter(|file| *file != "SOURCES.md").collect();
    let mut patterns: Vec<(usize, &str)> = Vec::new();
    for (at, line) in table.lines().enumerate() {
        let first = line.trim().strip_prefix('|').and_then(|row| row.split('|').next());
        if let Some(cell) = first {
            patterns.extend(cell.split('`').skip(1).step_by(2).map(|path| (at + 1, path)));
        }
    }
    let mut complaints = Vec::new();
    for file in &files {
        if !patterns.iter().any(|(_, pattern)| covers(pattern, file)) {
            let remedy = format!("add a row to {TABLE}: file, source, licence, what it is, what was changed");
            complaints.push(Complaint::new(&format!("testdata/{file}"), 1, "data without a source", remedy));
        }
    }
    for (line, pattern) in patterns {
        if !files.iter().any(|file| covers(pattern, file)) {
            let what = format!("`{pattern}` names no file");
            complaints.push(Complaint::new(TABLE, line, what, "remove it from the row, or bring the file"));
        }
    }
    complaints
}

fn covers(pattern: &str, file: &str) -> bool {
    let pattern = pattern.strip_prefix("testdata/").unwrap_or(pattern);
    if let Some((head, rest)) = pattern.split_once('{')
        && let Some((choices, tail)) = rest.split_once('}')
    {
        return choices.split(',').any(|choice| covers(&format!("{head}{choice}{tail}"), file));
    }
    if pattern.ends_with('/') {
        return file.starts_with(pattern);
    }
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == file };
    let Some(mut rest) = file.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = tail.split('*').collect();
    let last = parts.pop().unwrap_or("");
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_files() {
        for (pattern, file, yes) in [
            ("a/b.csv", "a/b.csv", true),
            ("testdata/a/b.csv", "a/b.csv", true),
            ("a/b.csv", "a/b.csv.gz", false),
            ("a/", "a/b/c.hex", true),
            ("a/", "ab/c.hex", false),
            ("a/*.hex", "a/c.hex", true),
            ("a/*.hex", "a/c.hey", false),
            ("a/*_x*.hex", "a/one_x2.hex", true),
            ("a/*_x*.hex", "a/one.hex", false),
            ("a/{b,c}_*", "a/c_1.txt", true),
            ("a/{b,c}_*", "a/d_1.txt", false),
        ] {
            assert_eq!(covers(pattern, file), yes, "{pattern} {file}");
        }
    }

    #[test]
    fn files_and_rows_agree() {
        let table = "# x\n\n| File | Source |\n|---|---|\n| `a.csv`, `b/` | somewhere `not/a/file` |\n| `gone.csv` | x |\n";
        let found = check(&["SOURCES.md", "a.csv", "b/c.hex", "d.csv"], table);
        let brief: Vec<_> = found.iter().map(|c| (c.file.as_str(), c.line)).collect();
        assert_eq!(brief, [("testdata/d.csv", 1), (TABLE, 6)]);
    }
}
