//! The command line: exit codes, remedies, `--json`, and a utility's own start from nothing to a meter that is read.

use crate::common::{
    Browser, Process, Utility, done, meter, run, run_with, text, until, wattle, write_plates,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// A password as typed.
const PASSWORD: &str = "long enough, is it\n";

/// Every subcommand.
const COMMANDS: [&[&str]; 19] = [
    &[],
    &["demo"],
    &["serve"],
    &["field"],
    &["meter"],
    &["read"],
    &["decode"],
    &["sim"],
    &["bench"],
    &["sql"],
    &["admin"],
    &["admin", "migrate"],
    &["admin", "groups"],
    &["admin", "rules"],
    &["admin", "load"],
    &["admin", "template"],
    &["admin", "user"],
    &["admin", "user", "add"],
    &["admin", "user", "lock"],
];

#[test]
fn every_command_explains_itself() {
    for command in COMMANDS {
        let args: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let said = done(&args).out;
        assert!(said.contains("Usage: wattle"), "{command:?}: {said}");
        assert!(said.contains("--json"), "{command:?}: {said}");
    }
    assert!(done(&["--version"]).out.starts_with("wattle 0."));
}

/// Each row: what is asked, how it ends, and what the message must hold: the culprit and the remedy.
#[test]
fn wrong_use_ends_with_its_code_and_names_the_remedy() {
    let home = tempfile::tempdir().unwrap();
    let (nothing, empty) = (home.path().join("nothing"), home.path().join("empty.csv"));
    fs::write(&empty, "").unwrap();
    let (nothing, empty) = (text(&nothing), text(&empty));
    let table: &[(&[&str], i32, &[&str])] = &[
        (&["brew"], 2, &["unrecognized subcommand 'brew'", "--help"]),
        (&["demo", "--speed", "0"], 2, &["--speed from 1"]),
        (&["demo", "--scenario", "atlantis"], 2, &["atlantis", "street", ".toml"]),
        (&["demo", "--meters", "0"], 2, &["--meters must be at least 1"]),
        (&["field", "--scenario", "atlantis"], 2, &["atlantis", "street"]),
        (&["field", "--listen", "nowhere"], 2, &["--listen"]),
        (&["field", "--scenario", "nothing.toml"], 1, &["could not read nothing.toml"]),
        (&["serve"], 2, &["--config"]),
        (&["sql", "SELECT 1"], 2, &["--data DIR", "--database"]),
        (&["sql", " ", "--data", nothing], 2, &["the query is empty", "lists the views"]),
        (&["sql", "--format", "xml"], 2, &["xml", "table, csv or json"]),
        (&["sql", "SELECT 1", "--data", nothing], 1, &["holds no utility", "wattle admin migrate"]),
        (&["serve", "--config", nothing], 1, &["could not read", nothing]),
        (&["serve", "--config", empty], 1, &["empty.csv is no configuration", "data"]),
        (&["meter", "--model", "abacus"], 2, &["abacus", "electricity", ".toml"]),
        (&["meter", "--zone", "Mars/Olympus"], 2, &["Mars/Olympus"]),
        (&["meter", "--key", "12"], 2, &["--key must be 16 bytes"]),
        (&["meter", "--load", nothing], 1, &["could not read", nothing]),
        (&["read"], 2, &["<ADDRESS>"]),
        (&["read", "127.0.0.1:9"], 1, &["127.0.0.1:9"]),
        (&["read", "127.0.0.1:9", "--auth", "gmac"], 2, &["--key and --auth-key"]),
        (&["read", "127.0.0.1:9", "--profile", "yesterday"], 2, &["FROM..TO"]),
        (&["read", "127.0.0.1:9", "--obis", "energy"], 2, &["energy"]),
        (&["decode", nothing], 1, &["could not read", nothing]),
        (&["decode", empty], 1, &["empty.csv", "the input is empty"]),
        (&["sim", "--days", "0"], 2, &["must be at least 1"]),
        (&["sim", "--scenario", "atlantis"], 2, &["atlantis", "street"]),
        (&["bench", "patience"], 2, &["no such bench", "dlms", "headend", "demo"]),
        (&["admin"], 2, &["migrate", "load", "template", "user"]),
        (&["admin", "migrate", "--data", nothing], 2, &["--name and --zone"]),
        (&["admin", "migrate", "--data", nothing, "--zone", "Mars"], 2, &["Mars", "Europe/Zurich"]),
        (&["admin", "load", "--data", nothing, empty], 1, &["holds no utility", "wattle admin migrate"]),
        (&["admin", "template", "dogs"], 2, &["dogs", "premises", "keys"]),
        (&["admin", "user", "--data", nothing, "list"], 1, &["holds no utility", "wattle admin migrate"]),
    ];
    for (args, code, told) in table {
        let ended = run(args);
        assert_eq!(ended.code, Some(*code), "wattle {args:?}: {}", ended.err);
        for word in *told {
            assert!(ended.err.contains(word), "wattle {args:?} does not say `{word}`: {}", ended.err);
        }
        assert!(ended.out.is_empty(), "wattle {args:?} prints data: {}", ended.out);
        assert!(!ended.err.contains("panicked"), "wattle {args:?}: {}", ended.err);
    }
}

/// Each row: a file, how it is to be read, how that ends, and what is said, the last of it once and in our words.
#[test]
fn a_wrong_file_is_named_with_its_remedy() {
    let home = tempfile::tempdir().unwrap();
    let folder = text(home.path());
    let mine = |name: &str, content: &str| fs::write(home.path().join(name), content).unwrap();
    let hour = |hour: u8, value: &str| format!("M,2026-03-01T{hour:02}:00:00Z,{value}\n");
    let rows = [hour(0, "1.5"), hour(1, "1.5"), hour(2, "1.5"), hour(3, "x")].concat();
    mine("table.csv", &format!("meter,time,value\n{rows}"));
    mine("b.parquet", "PAR1PAR1");
    mine("photo.csv", "GIF87a\0\u{1}");
    mine("empty.csv", "");
    mine("map.toml", "nonsense = 3\n");
    let mapping = home.path().join("map.toml");
    let csv: &[&str] = &["--to", "csv"];
    let with = |more: &[&'static str]| [csv, more].concat();
    let table: &[(&str, &[&str], i32, &[&str])] = &[
        ("nothing", csv, 1, &["nothing", "there is no such file"]),
        (".", csv, 1, &[folder, "this is a folder: name a file in it"]),
        ("empty.csv", csv, 1, &["empty.csv: the file is empty"]),
        ("photo.csv", csv, 1, &["NEM12", "photo.csv: this is neither text nor Parquet"]),
        ("b.parquet", csv, 1, &["b.parquet: the file is no table", "cut off; fetch it again"]),
        ("table.csv", &["--to", "xls"], 2, &["xls", "green-button"]),
        ("table.csv", &with(&["--format", "xls"]), 2, &["xls", "nem12"]),
        ("table.csv", &with(&["--zone", "Mars"]), 2, &["Mars is no zone", "+10:00"]),
        ("table.csv", &[csv, &["--mapping", text(&mapping)]].concat(), 1, &["nonsense", "TOML parse error"]),
        ("table.csv", csv, 1, &["table.csv:5: ", "1 record was left out"]),
    ];
    for (file, more, code, told) in table {
        let path = home.path().join(file);
        let ended = run(&[&["convert", text(&path)], *more].concat());
        assert_eq!(ended.code, Some(*code), "{file} {more:?}: {}", ended.err);
        for word in *told {
            assert!(ended.err.contains(word), "{file} {more:?} does not say `{word}`: {}", ended.err);
        }
        assert_eq!(ended.err.matches(told.last().unwrap()).count(), 1, "{file}: {}", ended.err);
        for word in ["os error", "Parquet error", "Zip archive", "panicked"] {
            assert!(!ended.err.contains(word), "{file}: {}", ended.err);
        }
    }
}

#[test]
fn json_is_one_object_a_line() {
    let (_meter, plate) = meter(1, "electricity", &[]);
    let frame = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../testdata/meter_frames/dlms_push/hdlc_norway_han_1phase.txt"
    );
    let table: &[&[&str]] = &[
        &["serve", "--example"],
        &["meter", "--list-models"],
        &["read", &plate.endpoint, "--clock"],
        &["read", &plate.endpoint, "--list"],
        &["decode", frame],
        &["admin", "template"],
        &["admin", "template", "--models"],
        &["bench"],
        &["sim", "--meters", "4", "--days", "1"],
        &["field", "--meters", "6", "--exit-after", "0"],
        &["demo", "--scenario", "street", "--meters", "6", "--days", "1", "--port", "0", "--exit-after", "0"],
    ];
    for args in table {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let records = done(&args).records();
        assert!(!records.is_empty(), "wattle {args:?} prints nothing");
        assert!(records.iter().all(Value::is_object), "wattle {args:?}: {records:?}");
    }
}

#[test]
fn templates_come_back_as_master_data() {
    let home = tempfile::tempdir().unwrap();
    let utility = Utility::set_up(home.path(), &home.path().join("data"));
    let master = home.path().join("master");
    done(&["admin", "template", "--out", text(&master)]);
    // What stands in a file that is filled in is not written over.
    let again = done(&["admin", "template", "--out", text(&master)]);
    assert!(again.out.is_empty() && again.err.contains("left alone"), "{}", again.err);
    let files = filled(&master);
    let meters = files.iter().find(|file| file.ends_with("meters.csv")).unwrap();
    let good = fs::read_to_string(meters).unwrap();
    fs::write(meters, good.replace(",electricity,", ",abacus,").replace("COL-1", "COL-9")).unwrap();
    let refused = utility.load(&files);
    assert_eq!(refused.code, Some(1));
    for told in ["meters.csv:", "`model` is `abacus`", "`collector` is `COL-9`", "nothing was written"] {
        assert!(refused.err.contains(told), "no `{told}` in {}", refused.err);
    }
    fs::write(meters, good).unwrap();
    // Had the first attempt written anything, it would stand in the way of the second.
    let loaded = utility.load(&files);
    assert_eq!(loaded.code, Some(0), "{}", loaded.err);
    let twice = utility.load(&files);
    assert_eq!(twice.code, Some(1));
    assert!(twice.err.contains("is in the store already"), "{}", twice.err);
}

/// The templates with their example rows filled in.
fn filled(master: &std::path::Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(master).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in &files {
        let template = fs::read_to_string(file).unwrap();
        let (rest, example) = template.trim_end().rsplit_once("\n# ").unwrap();
        fs::write(file, format!("{rest}\n{example}\n")).unwrap();
    }
    files
}

#[test]
fn a_utility_and_its_people_are_kept() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let utility = Utility::set_up(home.path(), &data);
    let key = fs::read(data.join("master.key")).unwrap();
    let again = done(&["--json", "admin", "migrate", "--data", text(&data)]).records();
    assert_eq!((&again[0]["utility"], &again[0]["zone"]), (&"Test Utility".into(), &"Europe/Zurich".into()));
    assert_eq!(fs::read(data.join("master.key")).unwrap(), key);
    let moved = run(&["admin", "migrate", "--data", text(&data), "--zone", "Europe/Oslo"]);
    assert_eq!(moved.code, Some(1));
    assert!(moved.err.contains("cannot change"), "{}", moved.err);
    let user = |more: &[&str], input: &str| {
        let args: Vec<&str> = ["--json", "admin", "user", "--data", text(&data)]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        run_with(&args, input)
    };
    assert_eq!(user(&["add", "clerk", "--role", "clerk"], PASSWORD).code, Some(0));
    for (args, input, code, told) in [
        (&["add", "clerk", "--role", "clerk"][..], PASSWORD, 1, "clerk"),
        (&["add", "brief", "--role", "clerk"], "short\n", 1, "characters"),
        (&["add", "maya", "--role", "customer"], PASSWORD, 1, "customer"),
        (&["add", "maya", "--role", "customer", "--customer", "C-1"], PASSWORD, 1, "no customer C-1"),
        (&["add", "maya", "--role", "king"], PASSWORD, 2, "administrator"),
        (&["add", "maya", "--role", "clerk", "--password", "secret"], "", 2, "@FILE"),
        (&["lock", "nobody"], "", 1, "no account nobody"),
    ] {
        let refused = user(args, input);
        assert_eq!(refused.code, Some(code), "{args:?}: {}", refused.err);
        assert!(refused.err.contains(told), "{args:?}: {}", refused.err);
    }
    assert_eq!(user(&["lock", "clerk"], "").code, Some(0));
    let ask = |query: &str| run(&["--json", "sql", query, "--data", text(&data)]);
    assert_eq!(ask("SELECT count(*) AS meters FROM wattle_meter").out.trim_end(), "{\"meters\":0}");
    let refused = ask("DELETE FROM meter");
    assert_eq!(
        (refused.code, refused.err.as_str()),
        (Some(1), "error: not run: one query at a time is taken here, and none that writes\n")
    );
    for (query, told) in [
        ("SELECT form wattle_meter", "error: the query failed: no such column: form\n"),
        (
            "SELECT serial FROM meter",
            "error: not run: meter is not open to readers; `wattle sql` without a query lists the views\n",
        ),
        ("SELEC 1", "error: the query failed: near \"SELEC\": syntax error\n"),
    ] {
        let refused = ask(query);
        assert_eq!((refused.code, refused.err.as_str()), (Some(1), told), "{query}");
    }
    let people = user(&["list"], "").records();
    let locked: BTreeSet<(&str, bool)> =
        people.iter().map(|one| (one["name"].as_str().unwrap(), one["locked"].as_bool().unwrap())).collect();
    assert_eq!(locked, BTreeSet::from([("clerk", true), ("operator", false)]));
    let (mut serving, url, _) = utility.serve();
    Browser::operator(&url);
    let form = "name=clerk&password=long+enough,+is+it&next=/";
    let refused =
        Browser::stranger(&url).ask("POST", "/sign-in", "application/x-www-form-urlencoded", form).unwrap();
    assert_eq!(refused.0, 422, "a locked account signs in");
    assert_eq!(serving.terminate().code, Some(0));
}

/// From nothing to meters that are read: a field elsewhere, its master data, a head-end.
#[test]
fn a_field_is_loaded_and_read() {
    let home = tempfile::tempdir().unwrap();
    let utility = Utility::set_up(home.path(), &home.path().join("data"));
    let master = home.path().join("master");
    let mut field =
        Process::start(&["--json", "field", "--meters", "12", "--seed", "3", "--master", text(&master)]);
    assert_eq!(field.record()["kind"], "collector");
    let mut files: Vec<PathBuf> = fs::read_dir(&master).unwrap().map(|entry| entry.unwrap().path()).collect();
    // One more meter, with two days in its profile, so that there are intervals to be read at once.
    let (_meter, plate) = meter(77, "electricity", &[]);
    files.extend(write_plates(&home.path().join("own"), &[plate]));
    let loaded = utility.load(&files);
    assert_eq!(loaded.code, Some(0), "{}", loaded.err);
    let (mut serving, url, _) = utility.serve();
    assert_eq!(Browser::stranger(&url).status("/api/v1/meters"), Some(401));
    let operator = Browser::operator(&url);
    until("meters to be read", || {
        let list = operator.json("/api/v1/meters");
        let rows = list["meters"].as_array().unwrap().clone();
        let told = |name: &str| rows.iter().filter(|row| row[name].is_string()).count();
        assert_eq!(rows.len(), 13);
        (told("last_read") > 1 && told("last_heard") > 0).then_some(())
    });
    assert!(serving.lives(), "{}", serving.said());
    assert_eq!(serving.terminate().code, Some(0));
    assert_eq!(field.terminate().code, Some(0));
}

#[test]
fn a_demo_ends_when_it_is_told_to() {
    let args = ["--json", "demo", "--scenario", "street", "--meters", "10", "--days", "2", "--port", "0"];
    let home = tempfile::tempdir().unwrap();
    let mut demo = Process::spawn(wattle(&args).env("TMPDIR", home.path()));
    let told = demo.record();
    let visitor = Browser::stranger(told["url"].as_str().unwrap());
    assert_eq!(visitor.status("/sign-in"), Some(200));
    let ended = demo.terminate();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.contains("stopped"), "{}", ended.err);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "the demo leaves its data behind");
    let mut brief = Process::start(&[&args[..], &["--exit-after", "1"]].concat());
    assert_eq!(brief.wait().code, Some(0));
}
