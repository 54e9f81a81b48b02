//! Temperatures from a table, what is said of its bad lines, and an estimate that uses them.

use crate::common::{Plate, Utility, done, run, text, write_plates};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const KEY: &str = "000102030405060708090A0B0C0D0E0F";
/// Monday to Friday; Tuesday and Friday are cold.
const DAYS: [(u32, i32); 5] = [(5, 8), (6, -6), (7, 9), (8, 8), (9, -5)];

fn utility(home: &Path) -> Utility {
    let utility = Utility::set_up(home, &home.join("data"));
    let plate = Plate {
        serial: "00000001".to_owned(),
        title: "57544C0000000001".to_owned(),
        model: "electricity",
        endpoint: "127.0.0.1:9".to_owned(),
        key: KEY.to_owned(),
        auth_key: KEY.to_owned(),
    };
    let loaded = utility.load(&write_plates(&home.join("master"), &[plate]));
    assert_eq!(loaded.code, Some(0), "{}", loaded.err);
    utility
}

/// Hours of the five days and one around them, with a line that is no time and one that is no temperature.
fn temperatures() -> String {
    let mut table = "valid;temp_f\nyesterday;50\n".to_owned();
    for (day, celsius) in DAYS {
        for hour in 0..24 {
            writeln!(table, "2026-01-{day:02} {hour:02}:00;{}", f64::from(celsius) * 1.8 + 32.0).unwrap();
        }
    }
    table + "2026-01-10 00:00;-9999\n2026-01-10 01:00;\n"
}

/// Quarter hours of local days, the same all day; on Friday from 8 to 12 there are none.
fn readings(days: &[(u32, u32)]) -> String {
    let mut rows = "meter,channel,unit,interval_s,start,value\n".to_owned();
    for (day, wh) in days {
        for quarter in (0..96).filter(|quarter| *day != 9 || !(32..48).contains(quarter)) {
            let (hour, minute) = (quarter / 4, quarter % 4 * 15);
            writeln!(rows, "00000001,import,kWh,900,2026-01-{day:02}T{hour:02}:{minute:02}+01:00,0.{wh:03}")
                .unwrap();
        }
    }
    rows
}

/// The values of Friday's estimates, in watt-hours.
fn estimated(utility: &Utility) -> Vec<String> {
    let data = text(&utility.data);
    let out = done(&[
        "export",
        "--data",
        data,
        "--format",
        "csv",
        "--all",
        "--from",
        "2026-01-09",
        "--to",
        "2026-01-10",
    ])
    .out;
    let rows = out.lines().filter(|line| line.contains(",import,") && line.contains("estimated"));
    rows.map(|line| line.split(',').nth(6).unwrap().to_owned()).collect()
}

#[test]
fn a_table_of_temperatures_comes_in_and_an_estimate_uses_it() {
    for with_weather in [false, true] {
        let home = tempfile::tempdir().unwrap();
        let utility = utility(home.path());
        let data = text(&utility.data);
        let file = |name: &str, content: &str| {
            let path = home.path().join(name);
            fs::write(&path, content).unwrap();
            path
        };
        if with_weather {
            let table = file("weather.csv", &temperatures());
            let import = ["--json", "import", "--data", data, "--weather", text(&table)];
            for again in [false, true] {
                let ended = run(&import);
                assert_eq!(ended.code, Some(1), "{}", ended.err);
                let records = ended.records();
                let counts =
                    ["new", "replaced", "same", "refused", "empty"].map(|name| records[0][name].as_u64());
                let (new, same) = if again { (0, 120) } else { (120, 0) };
                assert_eq!(counts, [new, 0, same, 2, 1].map(Some), "{}", records[0]);
                assert_eq!(records[0]["known"], again);
                let lines: Vec<_> =
                    records[1..].iter().map(|one| (one["line"].as_u64(), one["reason"].as_str())).collect();
                assert_eq!(lines, [(Some(2), Some("bad_field")), (Some(123), Some("bad_field"))]);
            }
            let listed = done(&["--json", "admin", "weather", "--data", data]).records();
            let of = |name: &str| listed[0][name].as_i64();
            assert_eq!(listed[0]["month"], "2026-01");
            assert_eq!(["hours", "days", "lowest_dc", "highest_dc"].map(of), [120, 5, -60, 90].map(Some));
            let kept = done(&["--json", "import", "--data", data, "--list"]).records();
            assert_eq!((&kept[0]["format"], &kept[0]["refused"]), (&"weather".into(), &2.into()));
        } else {
            let ended = run(&["admin", "weather", "--data", data]);
            assert!(ended.code == Some(0) && ended.err.contains("wattle import --weather"), "{}", ended.err);
        }
        let week = file("week.csv", &readings(&[(5, 100), (6, 500), (7, 100), (8, 100)]));
        let friday = file("friday.csv", &readings(&[(9, 400)]));
        for readings in [week, friday] {
            done(&["import", "--data", data, text(&readings)]);
        }
        // As cold as Tuesday; else the mean of the three working days before.
        let expected = if with_weather { "0.5" } else { "0.233" };
        let found = estimated(&utility);
        assert_eq!(found.len(), 16, "{found:?}");
        assert!(found.iter().all(|value| value.starts_with(expected)), "{found:?}");
    }
}

#[test]
fn a_table_that_cannot_be_used_says_why() {
    let home = tempfile::tempdir().unwrap();
    let utility = utility(home.path());
    let rows = [
        (
            "stations.csv",
            "station,time,temp\nA,2026-01-01T00:00Z,1\nB,2026-01-01T00:00Z,2\n",
            None,
            "the stations A, B",
        ),
        (
            "stations.csv",
            "station,time,temp\nA,2026-01-01T00:00Z,1\n",
            Some("C"),
            "nothing of the station \"C\", but of A",
        ),
        ("humidity.csv", "time,humidity\n2026-01-01T00:00Z,80\n", None, "no column for the temperature"),
        ("words.csv", "time,temp\nx,y\n", None, "no temperature that can be read"),
    ];
    for (name, content, station, said) in rows {
        let path = home.path().join(name);
        fs::write(&path, content).unwrap();
        let mut args = vec!["import", "--data", text(&utility.data), "--weather", text(&path)];
        if let Some(station) = station {
            args.extend(["--station", station]);
        }
        let ended = run(&args);
        assert_eq!(ended.code, Some(1), "{name}");
        assert!(ended.err.contains(said) && ended.err.contains(name), "{name}: {}", ended.err);
    }
    let ended = run(&["--json", "admin", "weather", "--data", text(&utility.data)]);
    assert!(ended.records().is_empty(), "nothing was taken in");
}
