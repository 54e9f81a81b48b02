//! `wattle decode` over every capture in `testdata/meter_frames`, with and without keys.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/meter_frames")
}

/// The captures of a folder: text and hexadecimal, not what is expected of them.
fn frames(folder: &str) -> Vec<PathBuf> {
    let listed = fs::read_dir(captures().join(folder)).unwrap();
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt" || extension == "hex"));
    files.sort();
    assert!(!files.is_empty(), "{folder} holds no captures");
    files
}

fn decode(file: &Path, options: &[String]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wattle")).arg("decode").arg(file).args(options).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// `--key` and `--auth-key` of the files beside a capture.
fn keys(file: &Path) -> Vec<String> {
    [("key", "--key"), ("gak", "--auth-key")]
        .iter()
        .map(|(extension, option)| (file.with_extension(extension), option))
        .filter(|(key, _)| key.exists())
        .flat_map(|(key, option)| [(*option).to_owned(), format!("@{}", key.display())])
        .collect()
}

/// Decodes as JSON; every line is an object, and there is at least one.
fn objects(file: &Path, mut options: Vec<String>) -> Vec<serde_json::Value> {
    options.push("--json".to_owned());
    let output = decode(file, &options);
    assert_eq!(output.status.code(), Some(0), "{}: {}", file.display(), stderr(&output));
    let lines = stdout(&output);
    let objects: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!objects.is_empty() && objects.iter().all(serde_json::Value::is_object), "{}", file.display());
    objects
}

#[test]
fn dlms_pushes_decode_and_encrypted_ones_only_with_their_key() {
    let mut encrypted = 0;
    for file in frames("dlms_push") {
        let keys = keys(&file);
        let ciphertext = |objects: &[serde_json::Value]| {
            objects.iter().any(|object| object["apdu"].get("ciphertext").is_some())
        };
        let (closed, open) = (objects(&file, Vec::new()), objects(&file, keys.clone()));
        assert_eq!(ciphertext(&closed), !keys.is_empty(), "{} without its key", file.display());
        assert!(!ciphertext(&open), "{} with its key", file.display());
        if !keys.is_empty() {
            encrypted += 1;
            let wrong = ["--key".to_owned(), "0F".repeat(16), "--auth-key".to_owned(), "0E".repeat(16)];
            assert_eq!(decode(&file, &wrong).status.code(), Some(1), "{} with a wrong key", file.display());
        }
    }
    assert_eq!(encrypted, 3);
}

#[test]
fn wired_m_bus_replies_decode() {
    for file in frames("mbus_wired") {
        for object in objects(&file, Vec::new()) {
            assert!(object.get("mbus").is_some(), "{}: {object}", file.display());
        }
    }
}

#[test]
fn what_is_no_frame_is_refused_by_offset_and_reason() {
    for folder in ["mbus_wired_errors", "p1"] {
        for file in frames(folder) {
            let output = decode(&file, &[]);
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{}: {}{said}", file.display(), stdout(&output));
            assert!(said.contains("offset ") && said.contains("error: "), "{}: {said}", file.display());
            assert!(!said.contains("panicked"), "{}: {said}", file.display());
        }
    }
}

#[test]
fn trees_read_as_they_always_did() {
    let trees = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trees");
    for (frame, tree) in [
        ("dlms_push/mbus_netz_noe_p1.txt", "mbus_netz_noe_p1.txt"),
        ("dlms_push/hdlc_norway_han_1phase.txt", "hdlc_norway_han_1phase.txt"),
        ("mbus_wired/rel_padpuls2.hex", "rel_padpuls2.txt"),
    ] {
        let file = captures().join(frame);
        let output = decode(&file, &keys(&file));
        assert_eq!(
            stdout(&output),
            fs::read_to_string(trees.join(tree)).unwrap(),
            "{frame}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn wrong_usage_and_a_missing_file_are_told_apart() {
    let nowhere = captures().join("nowhere.hex");
    assert_eq!(decode(&nowhere, &[]).status.code(), Some(1));
    assert_eq!(decode(&nowhere, &["--nonsense".to_owned()]).status.code(), Some(2));
    assert_eq!(decode(&nowhere, &["--key".to_owned(), "12".to_owned()]).status.code(), Some(2));
}
