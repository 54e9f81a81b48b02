//! What is left over from work: markers, switched-off code and tests, stray blanks; and SQL outside the store.

use super::mask::{Masked, mask};
use super::{Complaint, SourceFile};

/// Marks that something was left for later. Written apart so that this file does not find itself.
const MARKS: [&str; 4] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];

/// Calls that have no place in finished code, with what to do instead.
const CALLS: [(&str, &str); 4] = [
    (concat!("dbg", "!("), "remove it"),
    (concat!("todo", "!("), "write the code or do not offer the function"),
    (concat!("unimplemented", "!("), "write the code or do not offer the function"),
    (concat!("#[ign", "ore]"), "give a reason: #[ignore = \"why, and how to run it\"], or delete the test"),
];

/// Checks one file.
pub(super) fn check(file: &SourceFile) -> Vec<Complaint> {
    let mut complaints = blanks(file);
    if file.path.ends_with(".rs") {
        let masked = mask(&file.text);
        complaints.extend(calls(file, &masked));
        complaints.extend(comments(file, &masked));
        complaints.extend(sql(file, &masked));
    } else if file.path.ends_with(".css") || file.path.ends_with("js") || file.path.ends_with(".sql") {
        complaints.extend(marks(file, file.text.lines().enumerate().map(|(at, line)| (at + 1, line))));
    }
    complaints
}

fn blanks(file: &SourceFile) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (at, line) in file.text.split('\n').enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            complaints.push(Complaint::new(
                &file.path,
                at + 1,
                "blanks at the end of the line",
                "remove them",
            ));
        }
    }
    if !file.text.is_empty() && (!file.text.ends_with('\n') || file.text.ends_with("\n\n")) {
        let line = file.text.lines().count();
        complaints.push(Complaint::new(
            &file.path,
            line,
            "the file does not end with one newline",
            "end it with one",
        ));
    }
    complaints
}

fn calls(file: &SourceFile, masked: &Masked) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (at, line) in masked.code.lines().enumerate() {
        for (call, remedy) in CALLS {
            if line.contains(call) {
                complaints.push(Complaint::new(&file.path, at + 1, format!("`{call}` left behind"), remedy));
            }
        }
        if line.contains("#[allow(") || line.contains("#![allow(") {
            let remedy = "fix the cause, or write #[expect(.., reason = \"..\")]";
            complaints.push(Complaint::new(
                &file.path,
                at + 1,
                "a lint is switched off without a reason",
                remedy,
            ));
        }
    }
    complaints
}

fn marks<'a>(file: &SourceFile, lines: impl Iterator<Item = (usize, &'a str)>) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (line, text) in lines {
        let word = text.split(|c: char| !c.is_alphanumeric()).find(|word| MARKS.contains(word));
        if let Some(word) = word {
            let remedy = "do it now, or write it down where work is planned";
            complaints.push(Complaint::new(&file.path, line, format!("`{word}` left behind"), remedy));
        }
    }
    complaints
}

fn comments(file: &SourceFile, masked: &Masked) -> Vec<Complaint> {
    let lines = masked.comments.iter().map(|(line, text)| (*line, text.as_str()));
    let mut complaints = marks(file, lines.clone());
    for (line, text) in lines {
        let docs = text.starts_with("///") || text.starts_with("//!");
        if !docs && looks_like_code(text.trim_start_matches(['/', '*']).trim()) {
            complaints.push(Complaint::new(
                &file.path,
                line,
                "code in a comment",
                "delete it; history keeps it",
            ));
        }
    }
    complaints
}

/// Whether a comment's text is a statement rather than a sentence.
fn looks_like_code(text: &str) -> bool {
    let starts = [
        "let ", "fn ", "pub ", "use ", "if ", "for ", "while ", "match ", "return ", "impl ", "struct ", "#[",
    ];
    let opens = starts.iter().any(|start| text.starts_with(start));
    let calls = text.contains('(') || text.contains(" = ") || text.contains("::");
    (text.ends_with(';') && (opens || calls)) || (text.ends_with('{') && opens) || text.ends_with(");")
}

fn sql(file: &SourceFile, masked: &Masked) -> Vec<Complaint> {
    // A test that runs the finished program may look at its database from outside.
    let from_outside = file.path.contains("/tests/") && !file.path.contains("/src/");
    if from_outside || file.path.starts_with("crates/store/") || file.path.starts_with("xtask/") {
        return Vec::new();
    }
    let pairs = [
        ("SELECT ", " FROM "),
        ("INSERT ", "INTO "),
        ("UPDATE ", " SET "),
        ("DELETE ", "FROM "),
        ("CREATE ", "TABLE "),
    ];
    let is_sql = |text: &str| pairs.iter().any(|(verb, noun)| text.contains(verb) && text.contains(noun));
    let found = masked.strings.iter().filter(|(_, text)| is_sql(text));
    found
        .map(|(line, _)| {
            let remedy = "move it into `store` as a function with a name";
            Complaint::new(&file.path, *line, "SQL outside `store`", remedy)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        let file = SourceFile { path: path.to_owned(), text: text.to_owned() };
        check(&file).into_iter().map(|complaint| (complaint.line, complaint.what)).collect()
    }

    #[test]
    fn what_is_left_behind_is_found() {
        let mark = MARKS[0];
        let rows = [
            (format!("fn a() {{\n    {}x);\n}}\n", CALLS[0].0), 2, "left behind"),
            (format!("// {mark}: later\n"), 1, "left behind"),
            (format!("{}\nfn a() {{}}\n", CALLS[3].0), 1, "left behind"),
            ("// let x = f(1);\n".to_owned(), 1, "code in a comment"),
            ("// if ready {\n".to_owned(), 1, "code in a comment"),
            ("fn a() {} \n".to_owned(), 1, "blanks"),
            ("fn a() {}".to_owned(), 1, "newline"),
            ("#[allow(dead_code)]\nfn a() {}\n".to_owned(), 1, "without a reason"),
            ("const Q: &str = \"SELECT a FROM b\";\n".to_owned(), 1, "SQL"),
        ];
        for (text, line, words) in rows {
            let found = found("crates/web/src/a.rs", &text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].0 == line && found[0].1.contains(words), "{text}: {found:?}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_not() {
        let rows = [
            ("crates/web/src/a.rs", format!("const A: &str = \"{}\";\n", CALLS[0].0)),
            ("crates/web/src/a.rs", "// A sentence; and another one (with brackets).\n".to_owned()),
            ("crates/web/src/a.rs", "/// ```\n/// let x = f(1);\n/// ```\nfn a() {}\n".to_owned()),
            ("crates/web/src/a.rs", "const A: &str = \"Select a meter from the list\";\n".to_owned()),
            ("crates/store/src/a.rs", "const Q: &str = \"SELECT a FROM b\";\n".to_owned()),
            ("crates/wattle/tests/kill.rs", "const Q: &str = \"SELECT a FROM b\";\n".to_owned()),
            ("docs/a.md", format!("{} is fine in prose\n", MARKS[0])),
        ];
        for (path, text) in rows {
            assert_eq!(found(path, &text), [], "{text}");
        }
    }
}
