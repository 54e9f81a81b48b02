//! Lengths of files and functions, as a ratchet: what is too long today may only become shorter.

use super::mask::mask;
use super::{Complaint, SourceFile};
use anyhow::Context;
use std::collections::BTreeMap;

/// The longest file of code, lines.
const FILE: usize = 600;
/// The longest function, lines from its signature to its closing brace.
const FUNCTION: usize = 70;
/// Where what is longer today is written down.
pub(super) const RATCHET: &str = "xtask/ratchet.toml";

type Lengths = BTreeMap<String, Long>;

/// Something with a length, and where it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Long {
    file: String,
    line: usize,
    length: usize,
}

/// Compares every length with its limit or with its entry in the ratchet.
pub(super) fn check(files: &[SourceFile], ratchet: &str) -> anyhow::Result<Vec<Complaint>> {
    let table: toml::Table = toml::from_str(ratchet).with_context(|| format!("parse {RATCHET}"))?;
    let mut file_lengths = Lengths::new();
    let mut function_lengths = Lengths::new();
    for SourceFile { path, text } in files {
        let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
        if ["rs", "css", "js", "mjs"].contains(&ending) {
            let long = Long { file: path.clone(), line: 1, length: text.lines().count() };
            file_lengths.insert(path.clone(), long);
        }
        if ending == "rs" {
            for (name, line, length) in functions(&mask(text).code) {
                let long = Long { file: path.clone(), line, length };
                // Of several functions of one name the longest counts.
                let entry = function_lengths.entry(format!("{path}::{name}")).or_insert_with(|| long.clone());
                if entry.length < length {
                    *entry = long;
                }
            }
        }
    }
    let mut complaints = compare("files", "file", FILE, &file_lengths, &table);
    complaints.extend(compare("functions", "function", FUNCTION, &function_lengths, &table));
    Ok(complaints)
}

fn compare(
    section: &str,
    noun: &str,
    limit: usize,
    lengths: &Lengths,
    table: &toml::Table,
) -> Vec<Complaint> {
    let empty = toml::Table::new();
    let entries = table.get(section).and_then(toml::Value::as_table).unwrap_or(&empty);
    let allowed = |key: &str| {
        let number = entries.get(key).and_then(toml::Value::as_integer)?;
        usize::try_from(number).ok()
    };
    let mut complaints = Vec::new();
    for (key, long) in lengths {
        let words = |what: &str| format!("{noun} `{key}` has {} lines, {what}", long.length);
        let (what, remedy) = match allowed(key) {
            None if long.length > limit => (
                words(&format!("the limit is {limit}")),
                "look for the second idea inside and split it".to_owned(),
            ),
            Some(known) if long.length > known => {
                (words(&format!("it had {known} before")), "split it instead of letting it grow".to_owned())
            }
            Some(_) if long.length <= limit => {
                (words("within the limit"), format!("remove its line from {RATCHET}"))
            }
            Some(known) if long.length < known => (
                words(&format!("fewer than the {known} of {RATCHET}")),
                format!("lower its line in {RATCHET} to {}", long.length),
            ),
            _ => continue,
        };
        complaints.push(Complaint::new(&long.file, long.line, what, remedy));
    }
    for key in entries.keys().filter(|key| !lengths.contains_key(*key)) {
        let what = format!("{noun} `{key}` does not exist any more");
        complaints.push(Complaint::new(RATCHET, 1, what, "remove its line"));
    }
    complaints
}

/// Name, first line and length of every function with a body, from masked code.
fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    let mut line = 1;
    for at in 0..bytes.len() {
        if bytes[at] == b'\n' {
            line += 1;
        }
        let starts_word = at == 0 || !is_word(bytes[at - 1]);
        if !starts_word || !bytes[at..].starts_with(b"fn ") {
            continue;
        }
        let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if name.is_empty() {
            continue;
        }
        if let Some(length) = body_lines(&bytes[at..]) {
            found.push((name, line, length));
        }
    }
    found
}

/// Lines from here to the closing brace of the body; `None` for a signature without one.
fn body_lines(bytes: &[u8]) -> Option<usize> {
    let (mut lines, mut round, mut curly) = (1, 0i32, 0i32);
    for byte in bytes {
        match byte {
            b'\n' => lines += 1,
            b'(' | b'[' => round += 1,
            b')' | b']' => round -= 1,
            b';' if round == 0 && curly == 0 => return None,
            b'{' if round == 0 || curly > 0 => curly += 1,
            b'}' if curly > 0 => {
                curly -= 1;
                if curly == 0 && round == 0 {
                    return Some(lines);
                }
            }
            _ => {}
        }
    }
    None
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long_function(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    fn complaints(text: &str, ratchet: &str) -> Vec<String> {
        let file = SourceFile { path: "a.rs".to_owned(), text: text.to_owned() };
        check(&[file], ratchet)
            .unwrap()
            .into_iter()
            .map(|c| format!("{}:{} {}", c.file, c.line, c.what))
            .collect()
    }

    #[test]
    fn functions_are_found_with_their_lengths() {
        let code =
            "pub fn a(x: [u8; 2]) -> u8 {\n  if x { y }\n}\ntrait T {\n  fn b(&self);\n  fn c(&self) {}\n}\n";
        assert_eq!(functions(code), [("a".to_owned(), 1, 3), ("c".to_owned(), 6, 1)]);
    }

    #[test]
    fn the_ratchet_turns_one_way() {
        assert_eq!(complaints(&long_function(70), ""), Vec::<String>::new());
        assert_eq!(
            complaints(&long_function(71), "")[0],
            "a.rs:1 function `a.rs::long` has 71 lines, the limit is 70"
        );
        let entry = "[functions]\n\"a.rs::long\" = 80";
        assert_eq!(complaints(&long_function(80), entry), Vec::<String>::new());
        assert!(complaints(&long_function(81), entry)[0].contains("it had 80 before"));
        assert!(complaints(&long_function(79), entry)[0].contains("fewer than the 80"));
        assert!(complaints(&long_function(60), entry)[0].contains("within the limit"));
        assert!(complaints("", entry)[0].contains("does not exist any more"));
        assert!(complaints(&"//\n".repeat(601), "")[0].contains("has 601 lines, the limit is 600"));
    }
}
