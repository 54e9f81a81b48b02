//! `wattle vee` and `wattle estimate` on plain files that strangers have.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn wattle(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wattle")).args(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The records of standard output.
fn records(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    file
}

/// Five weeks of hours from Monday 2024-01-01 UTC: 100 Wh at night, 400 by day; `left_out` hours are no rows.
fn hours(left_out: std::ops::Range<usize>) -> String {
    let mut text = "meter,time,value_wh\n".to_owned();
    for hour in (0..35 * 24).filter(|hour| !left_out.contains(hour)) {
        let value = if (6..22).contains(&(hour % 24)) { 400 + hour % 7 } else { 100 + hour % 5 };
        let date = jiff::civil::date(2024, 1, 1) + jiff::Span::new().days(i64::try_from(hour / 24).unwrap());
        writeln!(text, "A1,{date}T{:02}:00:00Z,{value}", hour % 24).unwrap();
    }
    text
}

#[test]
fn a_gap_is_found_and_filled_by_the_ladder() {
    let folder = tempfile::tempdir().unwrap();
    // Two hours, and the day of 2024-01-29 from six to twelve.
    let file = write(folder.path(), "hours.csv", &hours(28 * 24 + 6..28 * 24 + 12));
    let output = wattle(&["vee", file.to_str().unwrap(), "--estimate", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let records = records(&output);
    let gap = records.iter().find(|record| record["rule"] == "gap").unwrap();
    assert_eq!(gap["from"], "2024-01-29T06:00+00:00");
    let filled: Vec<_> = records.iter().filter(|record| record["method"] == "like_day").collect();
    assert_eq!(filled.len(), 6);
    assert_eq!(filled[0]["time"], "2024-01-29T06:00+00:00");
    assert!(filled.iter().all(|record| (400..=406).contains(&record["value"].as_i64().unwrap())));
    assert!(stderr(&output).contains("filled: 6 like_day"), "{}", stderr(&output));
    // The same input gives the same bytes.
    assert_eq!(wattle(&["vee", file.to_str().unwrap(), "--estimate", "--json"]).stdout, output.stdout);
}

#[test]
fn a_mask_is_filled_and_compared_and_registers_make_it_exact() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "hours.csv", &hours(0..0));
    let mask = write(folder.path(), "mask.csv", "from,to\n2024-01-30T00:00Z,2024-02-01T00:00Z\n");
    let (file, mask) = (file.to_str().unwrap(), mask.to_str().unwrap());
    let total = |output: &Output, field: &str| -> i64 {
        records(output).iter().map(|record| record[field].as_i64().unwrap()).sum()
    };
    let output = wattle(&["estimate", file, "--mask", mask, "--method", "blend", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(records(&output).len(), 48);
    assert!(records(&output).iter().all(|record| record["method"] == "wattle_blend"));
    let read = total(&output, "read");
    let registers = format!("A1,2024-01-30T00:00Z,1000\nA1,2024-02-01T00:00Z,{}\n", 1000 + read + 77);
    let registers = write(folder.path(), "registers.csv", &registers);
    let output =
        wattle(&["estimate", file, "--mask", mask, "--registers", registers.to_str().unwrap(), "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(total(&output, "value"), read + 77);
    assert!(records(&output).iter().all(|record| record["scaled"] == true));
}

#[test]
fn half_a_file_of_garbage_costs_only_that_half() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = hours(0..0);
    text.insert_str("meter,time,value_wh\n".len(), "A1,yesterday,12\nA1,2024-01-01T00:00:00Z,many\n");
    let file = write(folder.path(), "half.csv", &text);
    let output = wattle(&["vee", file.to_str().unwrap(), "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let refused: Vec<u64> =
        records(&output).iter().filter_map(|record| record["refused"]["line"].as_u64()).collect();
    assert_eq!(refused, [2, 3]);
    let said = stderr(&output);
    assert!(said.contains("half.csv:2: ") && said.contains("1 channel, 35 days, 840 intervals"), "{said}");
}

#[test]
fn a_table_without_heading_in_local_half_hours_of_kilowatt_hours() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::new();
    // The day on which the clocks go forward in London has 46 half hours.
    for half_hour in (0..48).filter(|half_hour| !(2..4).contains(half_hour)) {
        writeln!(
            text,
            "M7,2024-03-31 {:02}:{:02},0.{:03}",
            half_hour / 2,
            half_hour % 2 * 30,
            100 + half_hour
        )
        .unwrap();
    }
    let file = write(folder.path(), "local.csv", &text);
    let output = wattle(&["vee", file.to_str().unwrap(), "--zone", "Europe/London", "--unit", "kWh"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("1 day, 46 intervals of which 0 were not read"), "{}", stderr(&output));
}

#[test]
fn wrong_usage_is_told_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "hours.csv", &hours(0..0));
    let mask = write(folder.path(), "mask.csv", "2024-01-30T00:00Z,2024-01-31T00:00Z\n");
    let (file, mask) = (file.to_str().unwrap(), mask.to_str().unwrap());
    let of = |name: &str, text: &str| write(folder.path(), name, text).to_str().unwrap().to_owned();
    let stranger = of("stranger.csv", "B7,2024-01-30T00:00Z,2024-01-31T00:00Z\n");
    let elsewhen = of("elsewhen.csv", "2025-01-30T00:00Z,2025-01-31T00:00Z\n");
    let (empty, folder_name) = (of("empty.csv", ""), folder.path().to_str().unwrap());
    let registers = of("registers.csv", "B7,2024-01-30T00:00Z,7\n");
    fs::write(folder.path().join("junk.bin"), [0xFF, 0xFE, 0x00, 0x9F, 0x92]).unwrap();
    let junk = format!("{folder_name}/junk.bin");
    let rows: [(&[&str], i32, &str); 15] = [
        (&["vee", folder_name], 1, "is a folder; name a file in it"),
        (&["vee", &empty], 1, "empty.csv is empty"),
        (&["vee", &junk], 1, "junk.bin"),
        (&["vee", file, "--rules", &junk], 1, "junk.bin is no text"),
        (&["vee", file, "--unit", "bushel"], 2, "--unit bushel is no unit"),
        (&["vee", file, "--kind", "steam"], 2, "--kind steam is none of"),
        (&["vee", file, "--format", "pdf"], 2, "is no format"),
        (&["vee", file, "--registers", &registers], 1, "no readings of B7; the readings are of A1"),
        (
            &["estimate", file, "--mask", &stranger],
            1,
            "names B7, of whom the file has no readings; it has those of A1",
        ),
        (&["estimate", file, "--mask", &elsewhen], 1, "no interval of the readings lies inside"),
        (&["estimate", file, "--mask", &empty], 2, "names no interval; a line is"),
        (&["vee", file, "--zone", "Atlantis"], 2, "Europe/Zurich"),
        (&["estimate", file, "--mask", mask, "--method", "magic"], 2, "wattle_blend"),
        (&["estimate", file], 2, "--mask"),
        (&["vee", "nowhere.csv"], 1, "could not open nowhere.csv"),
    ];
    for (arguments, code, words) in rows {
        let output = wattle(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn local_times_are_asked_for_and_nothing_is_missing_around_a_file() {
    let folder = tempfile::tempdir().unwrap();
    // From six in the morning of one day to six of the next.
    let mut text = "meter,time,value_wh\n".to_owned();
    for hour in 6..30 {
        writeln!(text, "A1,2026-03-{:02} {:02}:00,{}", 3 + hour / 24, hour % 24, 100 + hour).unwrap();
    }
    let file = write(folder.path(), "local.csv", &text);
    let file = file.to_str().unwrap();
    for (arguments, asked) in [(&["vee", file][..], true), (&["vee", file, "--zone", "+01:00"], false)] {
        let output = wattle(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains("1 channel, 2 days, 24 intervals of which 0 were not read"), "{said}");
        assert!(said.contains("findings: none"), "{said}");
        assert_eq!(said.contains("were taken for UTC; say --zone"), asked, "{said}");
    }
}

#[test]
fn the_days_of_nem12_are_those_of_its_market() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../testdata/exchange/nem12/unzipped/Example_NEM12_actual_interval.csv");
    let output = wattle(&["vee", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("of which 0 were not read"), "{}", stderr(&output));
}
