//! Files of other people: each is read exactly or refused with its line and reason, and stays so.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use exchange::container::{self, Source};
use exchange::{Item, Options, Reader};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

struct OnDisk(PathBuf);

impl Source for OnDisk {
    type Input = File;

    fn open(&self) -> io::Result<File> {
        File::open(&self.0)
    }
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Counts, sums and the first refusal of a file.
fn digest(reader: &mut dyn Reader) -> String {
    let (mut values, mut missing, mut registers, mut periods, mut summaries) = (0, 0, 0, 0, 0);
    let mut sums: BTreeMap<i8, i128> = BTreeMap::new();
    let mut refusals = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        match item {
            Item::Block(block) => {
                assert_eq!(block.values.len(), block.quality.len());
                for (_, value, _) in block.readings() {
                    values += usize::from(value.is_some());
                    missing += usize::from(value.is_none());
                    *sums.entry(block.scaler).or_default() += i128::from(value.unwrap_or(0));
                }
            }
            Item::Register(_) => registers += 1,
            Item::Period(_) => periods += 1,
            Item::Summary(_) => summaries += 1,
            Item::Refused(refusal) => refusals.push(refusal),
            Item::Note(_) => {}
        }
    }
    let least = sums.keys().copied().min().unwrap_or(0);
    let sum: i128 = sums.iter().map(|(e, sum)| sum * 10i128.pow(u32::from((e - least).unsigned_abs()))).sum();
    let mut text = format!(
        "values {values} missing {missing} sum {sum}e{least} registers {registers} periods {periods} summaries {summaries} refused {}",
        refusals.len()
    );
    if let Some(first) = refusals.first() {
        write!(text, " line {}: {}", first.line, first.reason).unwrap();
    }
    text
}

fn table(root: &Path) -> String {
    let (mut paths, mut table) = (Vec::new(), String::new());
    files(root, &mut paths);
    for path in paths.iter().filter(|path| path.extension().is_none_or(|ext| ext != "txt" && ext != "md")) {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let source = OnDisk(path.clone());
        for index in 0..container::count(&source).unwrap() {
            let Some(member) = container::member(&source, index).unwrap() else { continue };
            let told = match exchange::open(member.input, &Options::default()) {
                Ok((format, mut reader)) => format!("{} {}", format.name(), digest(reader.as_mut())),
                Err(error) => format!("refused line 1: {error}"),
            };
            writeln!(table, "{name} {index}: {told}").unwrap();
        }
    }
    table
}

#[test]
fn every_file_is_read_or_refused_as_it_was() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/exchange");
    let root = std::env::var_os("WATTLE_CORPUS").map_or(root, PathBuf::from);
    let found = table(&root);
    let known = root.join("table.txt");
    if std::env::var_os("WATTLE_CORPUS_WRITE").is_some() {
        fs::write(&known, &found).unwrap();
    }
    let wanted = fs::read_to_string(&known).unwrap();
    for (found, wanted) in found.lines().zip(wanted.lines()) {
        assert_eq!(found, wanted);
    }
    assert_eq!(found.lines().count(), wanted.lines().count());
}
