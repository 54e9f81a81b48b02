//! Files of readings from outside: sent twice, half garbage, of the future, of another unit, onto a full disk, killed.

use crate::common::{Ended, Plate, Process, Utility, done, run, text, until, wattle, write_plates};
use crate::ledger::is_sound;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const KEY: &str = "000102030405060708090A0B0C0D0E0F";
/// Days of a file that takes a moment.
const MANY: u32 = 900;

/// A utility with an electricity meter that nobody reads over the air.
fn utility(home: &Path, data: &Path) -> Utility {
    let utility = Utility::set_up(home, data);
    let plate = |serial: &str, model| Plate {
        serial: serial.to_owned(),
        title: format!("57544C00{serial:0>8}"),
        model,
        endpoint: "127.0.0.1:9".to_owned(),
        key: KEY.to_owned(),
        auth_key: KEY.to_owned(),
    };
    let loaded = utility.load(&write_plates(&home.join("master"), &[plate("00000001", "electricity")]));
    assert_eq!(loaded.code, Some(0), "{}", loaded.err);
    utility
}

/// `days` of quarter hours from the first of January 2026 on, UTC.
fn readings(days: u32) -> String {
    let mut rows = "meter,channel,unit,interval_s,start,value\n".to_owned();
    let first: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    for quarter in 0..days * 96 {
        let at = first + jiff::SignedDuration::from_mins(i64::from(quarter) * 15);
        writeln!(rows, "00000001,import,kWh,900,{at},0.{:03}", quarter % 997).unwrap();
    }
    rows
}

/// As many days that nothing can be spared of, so that keeping them takes more room than an empty database.
fn restless(days: u32) -> String {
    let mut rows = "meter,channel,unit,interval_s,start,value\n".to_owned();
    let first: jiff::Timestamp = "2024-03-01T00:00:00Z".parse().unwrap();
    for quarter in 0..days * 96 {
        let at = first + jiff::SignedDuration::from_mins(i64::from(quarter) * 15);
        let value = quarter.wrapping_mul(2_654_435_761) >> 19;
        writeln!(rows, "00000001,import,kWh,900,{at},{}.{:03}", value / 1000, value % 1000).unwrap();
    }
    rows
}

fn file(home: &Path, name: &str, text: &str) -> PathBuf {
    let path = home.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn import(utility: &Utility, file: &Path, more: &[&str]) -> Ended {
    let mut args = vec!["--json", "import", "--data", text(&utility.data), text(file)];
    args.extend(more);
    run(&args)
}

fn listed(utility: &Utility) -> Vec<Value> {
    done(&["--json", "import", "--data", text(&utility.data), "--list"]).records()
}

/// Start, value and quality of everything that is kept and was not estimated here.
fn kept(utility: &Utility, from: &str, to: &str) -> Vec<(String, String, String)> {
    let data = text(&utility.data);
    let out = done(&["export", "--data", data, "--format", "csv", "--all", "--from", from, "--to", to]).out;
    let rows = out.lines().filter(|line| line.contains(",import,")).map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        (cells[5].to_owned(), cells[6].to_owned(), cells[7].to_owned())
    });
    rows.filter(|(_, value, quality)| !value.is_empty() && !quality.starts_with("estimated")).collect()
}

#[test]
fn a_file_sent_again_in_another_format_doubles_nothing() {
    let home = tempfile::tempdir().unwrap();
    let utility = utility(home.path(), &home.path().join("data"));
    let path = file(home.path(), "days.csv", &readings(2));
    let first = import(&utility, &path, &[]).records()[0].clone();
    assert_eq!(
        (&first["stored"], &first["duplicates"], &first["known"]),
        (&192.into(), &0.into(), &false.into())
    );
    let second = import(&utility, &path, &[]).records()[0].clone();
    assert_eq!(
        (&second["stored"], &second["duplicates"], &second["known"]),
        (&0.into(), &192.into(), &true.into())
    );
    let before = kept(&utility, "2026-01-01", "2026-01-03");
    for format in ["nem12", "green-button", "csv-wide"] {
        let again = home.path().join(format);
        let days =
            ["--from", "2026-01-01", "--to", "2026-01-02", "--meter", "00000001", "--out", text(&again)];
        let mut args = vec!["export", "--data", text(&utility.data), "--format", format];
        args.extend(days);
        run(&args);
        let third = import(&utility, &again, &[]);
        let told = third.records()[0].clone();
        // The days of the utility's zone begin an hour before those of the file.
        assert_eq!(
            (&told["stored"], &told["conflicting"]),
            (&0.into(), &0.into()),
            "{format}: {}",
            third.out
        );
        assert!(told["duplicates"].as_u64().unwrap() > 150, "{format}: {}", third.out);
    }
    assert_eq!(kept(&utility, "2026-01-01", "2026-01-03"), before);
    is_sound(&utility.database());
}

#[test]
fn of_a_file_half_garbage_every_good_record_is_kept_and_every_bad_one_listed() {
    let home = tempfile::tempdir().unwrap();
    let utility = utility(home.path(), &home.path().join("data"));
    let (mut mixed, mut bad_lines, mut good) = (String::new(), BTreeSet::new(), BTreeSet::new());
    let garbage =
        ["nonsense", "00000001,import,kWh,900,2026-01-01T00:00:00Z,x", "00000001,import,kWh,900,,1", ",,,,,"];
    for (number, line) in readings(1).lines().enumerate() {
        writeln!(mixed, "{line}").unwrap();
        if number > 0 {
            good.insert(line.split(',').nth(4).unwrap().to_owned());
            writeln!(mixed, "{}", garbage[number % garbage.len()]).unwrap();
            bad_lines.insert(u64::try_from(number * 2 + 1).unwrap());
        }
    }
    let path = file(home.path(), "mixed.csv", &mixed);
    let ended = import(&utility, &path, &[]);
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(ended.err.contains("96 records were left out"), "{}", ended.err);
    let records = ended.records();
    assert_eq!((&records[0]["stored"], &records[0]["refused"]), (&96.into(), &96.into()));
    let lines = |records: &[Value]| -> BTreeSet<u64> {
        let refusals = records.iter().filter(|record| record["kind"] == "refusal");
        refusals.map(|one| one["line"].as_u64().unwrap()).collect()
    };
    assert_eq!(lines(&records), bad_lines);
    let quarantine = listed(&utility);
    assert_eq!(lines(&quarantine), bad_lines);
    for one in quarantine.iter().filter(|record| record["kind"] == "refusal") {
        for word in ["reason", "sentence", "remedy"] {
            assert!(one[word].as_str().is_some_and(|text| !text.is_empty()), "{one}");
        }
    }
    let starts: BTreeSet<String> =
        kept(&utility, "2026-01-01", "2026-01-02").into_iter().map(|row| row.0).collect();
    assert_eq!(starts, good);
}

#[test]
fn what_cannot_be_true_is_refused_and_never_kept() {
    let home = tempfile::tempdir().unwrap();
    let utility = utility(home.path(), &home.path().join("data"));
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48);
    let soon = soon.strftime("%Y-%m-%dT%H:00:00Z").to_string();
    let head = "meter,channel,unit,interval_s,start,value\n00000001,import";
    let table = [
        ("future", format!("{head},kWh,900,{soon},1\n")),
        ("unit", format!("{head},m3,900,2026-01-05T00:00:00Z,1\n")),
        ("interval", format!("{head},kWh,1800,2026-01-05T00:00:00Z,1\n")),
        ("inexact", format!("{head},kWh,900,2026-01-05T00:00:00Z,0.00000001\n")),
        ("unknown_meter", "meter,unit,interval_s,start,value\nnobody,kWh,900,2026-01-05T00:00:00Z,1\n".to_owned()),
        (
            "multiplier",
            "MEPMD01,20080501,A,B,00000001,D,202601060000,00000001,OK,E,KWH,40,00000015,1,202601050015,R0,1\n".to_owned(),
        ),
    ];
    for (reason, content) in table {
        let ended = import(&utility, &file(home.path(), reason, &content), &[]);
        assert_eq!(ended.code, Some(1), "{reason}: {}", ended.err);
        let records = ended.records();
        assert_eq!(records[0]["stored"], 0, "{reason}: {records:?}");
        assert!(records.iter().any(|record| record["reason"] == reason), "{reason}: {records:?}");
    }
    assert_eq!(kept(&utility, "2026-01-01", "2026-01-10"), []);
    let day = soon.split('T').next().unwrap();
    assert_eq!(kept(&utility, day, day), []);
}

#[test]
fn what_the_sender_estimated_is_kept_as_that_until_a_reading_comes() {
    let home = tempfile::tempdir().unwrap();
    let utility = utility(home.path(), &home.path().join("data"));
    let day = |quality: &str, first: &str| {
        let values = format!("{first}{}", ",0.5".repeat(95));
        format!(
            "100,NEM12,202601050000,A,B\n200,00000001,E1,1,E1,,00000001,kWh,15,\n300,20260105,{values},{quality},,,20260106000000,\n900\n"
        )
    };
    let sent = import(&utility, &file(home.path(), "estimated", &day("S14", "0.4")), &[]);
    let told = sent.records()[0].clone();
    assert_eq!(
        (sent.code, &told["stored"], &told["substituted"]),
        (Some(0), &96.into(), &96.into()),
        "{}",
        sent.out
    );
    let words: BTreeSet<String> =
        kept(&utility, "2026-01-04", "2026-01-05").into_iter().map(|row| row.2).collect();
    assert_eq!(words, BTreeSet::from(["substituted".to_owned()]));
    let read = import(&utility, &file(home.path(), "read", &day("A", "0.4")), &[]).records()[0].clone();
    assert_eq!((&read["superseded"], &read["conflicting"]), (&96.into(), &0.into()));
    let again = import(&utility, &file(home.path(), "other", &day("F18", "0.9")), &[]).records()[0].clone();
    assert_eq!((&again["outranked"], &again["superseded"]), (&1.into(), &0.into()), "{again}");
    let after = kept(&utility, "2026-01-04", "2026-01-05");
    assert!(after.iter().all(|row| !row.2.starts_with("substituted")), "{after:?}");
    assert!(after.iter().any(|row| row.1 == "0.4") && after.iter().all(|row| row.1 != "0.9"));
}

/// Nothing of a file, or all of it.
fn absent_or_whole(utility: &Utility, rows: usize) -> bool {
    let stored = kept(utility, "2024-03-01", "2026-11-01").len();
    let files = listed(utility).iter().filter(|record| record["kind"] == "file").count();
    assert!((stored, files) == (0, 0) || (stored, files) == (rows, 1), "{stored} of {rows}, {files} files");
    files == 1
}

#[test]
fn a_load_that_finds_no_room_or_is_killed_is_absent_or_whole() {
    let home = tempfile::tempdir().unwrap();
    let utility = utility(home.path(), &home.path().join("data"));
    let path = file(home.path(), "many.csv", &restless(MANY));
    let rows = usize::try_from(MANY * 96).unwrap();
    // Files may grow a little further than the largest is, and then no more.
    let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    let log = utility.data.join("wattle.sqlite-wal");
    let room = size(&utility.database()).max(size(&log)) / 1024 + 16;
    let line = format!(r#"trap "" XFSZ; ulimit -f {room}; exec "$@""#);
    let plain = wattle(&["--json", "import", "--data", text(&utility.data), text(&path)]);
    let mut command = Command::new("bash");
    command.args(["-c", &line, "bash"]).arg(plain.get_program()).args(plain.get_args());
    let ended = Process::spawn(&mut command).wait();
    assert_eq!(ended.code, Some(1), "{} {}", ended.out, ended.err);
    assert!(ended.err.contains("nothing of it was taken in"), "{}", ended.err);
    assert!(!absent_or_whole(&utility, rows));
    for room in [40_000, 120_000] {
        let mut importing = Process::start(&["--json", "import", "--data", text(&utility.data), text(&path)]);
        until("the load to be under way", || {
            let grown = size(&log) > room;
            (grown || !importing.lives()).then_some(())
        });
        importing.kill();
        absent_or_whole(&utility, rows);
    }
    let ended = import(&utility, &path, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(absent_or_whole(&utility, rows));
    is_sound(&utility.database());
}
