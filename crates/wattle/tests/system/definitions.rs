//! Groups and rules from the command line: what is said, what is refused, and what stays on record.

use crate::common::{Ended, Utility, done, run, text};
use serde_json::json;
use std::fs;

#[test]
fn groups_are_defined_changed_and_retired_with_a_reason() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    Utility::set_up(home.path(), &data);
    let ask = |more: &[&str]| -> Ended {
        run(&[&["--json", "admin", "groups", "--data", text(&data)], more].concat())
    };
    let why = ["--reason", "for losses", "--by", "operator"];
    for (args, code, told) in [
        (&["put", "west"][..], 2, "either --filter or --serials"),
        (&["put", "west", "--filter", "feeder"], 2, "no KEY=VALUE"),
        (&["put", "west", "--filter", "moon=1"], 2, "`moon` is none of"),
        (&["put", "west", "--filter", "commodity=steam"], 2, "not `steam`"),
        (&["show", "west"], 2, "there is none yet"),
    ] {
        let args = if args[0] == "put" { [args, &why].concat() } else { args.to_vec() };
        let refused = ask(&args);
        assert_eq!(refused.code, Some(code), "{args:?}: {}", refused.err);
        assert!(refused.err.contains(told), "{args:?}: {}", refused.err);
    }
    let stranger = ask(&["put", "west", "--filter", "feeder=F-1", "--reason", "x", "--by", "nobody"]);
    assert!(stranger.code == Some(2) && stranger.err.contains("no account nobody"), "{}", stranger.err);
    let put = |filter: &str| ask(&[&["put", "west", "--filter", filter], &why[..]].concat());
    assert_eq!(put("feeder=F-1").code, Some(0));
    assert!(put("feeder=F-1").err.contains("just so already"));
    assert_eq!(put("feeder=F-1,rate_class=R-1").code, Some(0));
    let list = ask(&["list"]).records();
    assert_eq!((&list[0]["name"], &list[0]["meters"]), (&json!("west"), &json!(0)));
    assert_eq!(list[0]["rule"]["filter"]["rate_class"], "R-1");
    assert_eq!(ask(&[&["retire", "west"], &why[..]].concat()).code, Some(0));
    let history = ask(&["show", "west"]).records();
    let said: Vec<bool> = history.iter().map(|one| one["rule"].is_null()).collect();
    assert_eq!((said, &history[0]["from"]), (vec![false, false, true], &json!("1970-01-01")));
}

#[test]
fn a_meter_is_exchanged_with_its_registers_and_a_reason() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let utility = Utility::set_up(home.path(), &data);
    let file = |name: &str, content: &str| {
        let path = home.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let key = "000102030405060708090A0B0C0D0E0F";
    let meter = |serial: &str, point: &str, n: u8| {
        format!("{serial},{point},electricity,57414C54450000{n:02X},10.0.0.{n}:4059\n")
    };
    let meters = meter("E-1", "S-1", 1) + &meter("E-2", "", 2);
    let loaded = utility.load(&[
        file("premises.csv", "premise,address,city\nP-1,1 Alder Court,Millbrook\n"),
        file("points.csv", "service_point,premise,commodity\nS-1,P-1,electricity\n"),
        file("meters.csv", &format!("serial,service_point,model,system_title,endpoint\n{meters}")),
        file(
            "keys.csv",
            &format!("serial,encryption_key,authentication_key\nE-1,{key},{key}\nE-2,{key},{key}\n"),
        ),
    ]);
    assert_eq!(loaded.code, Some(0), "{}", loaded.err);
    let ask = |more: &[&str]| run(&[&["--json", "admin", "meters", "--data", text(&data)], more].concat());
    let at = ask(&["show", "E-1"]).records()[0]["from"].as_str().unwrap().to_owned();
    let at: jiff::Timestamp = at.parse().unwrap();
    let at = (at + jiff::SignedDuration::from_millis(1)).to_string();
    let why = ["--at", &at, "--reason", "dark display", "--by", "operator"];
    for (args, told) in [
        (&["exchange", "E-1", "E-9"][..], "no meter has the serial number E-9"),
        (&["exchange", "E-1", "E-2", "--register", "import=much"], "`import=much` is no register"),
        (&["exchange", "E-1", "E-2", "--start", "gas=0"], "no register of gas"),
        (&["fit", "E-2", "S-1"], "meter E-1 measures there already"),
        (&["fit", "E-2", "S-9"], "no service point has the number S-9"),
        (&["take-off", "E-2"], "hangs nowhere"),
    ] {
        let refused = ask(&[args, &why[..]].concat());
        assert!(refused.code == Some(2) && refused.err.contains(told), "{args:?}: {}", refused.err);
    }
    let exchange = ["exchange", "E-1", "E-2", "--register", "import=4812377", "--start", "import=0"];
    let done = ask(&[&exchange[..], &why].concat());
    assert_eq!(done.code, Some(0), "{}", done.err);
    let new = ask(&["show", "E-2"]).records();
    assert_eq!((&new[0]["service_point"], &new[1]["service_point"]), (&json!(null), &json!("S-1")));
    assert_eq!((&new[2]["what"], &new[2]["other"]), (&json!("fitted"), &json!("E-1")));
    let old = ask(&["show", "E-1"]).records();
    assert_eq!((&old[1]["what"], &old[1]["reason"]), (&json!("retired"), &json!("dark display")));
    let again = ask(&[&exchange[..], &why].concat());
    assert!(again.err.contains("a retired meter does not come back"), "{}", again.err);
}

#[test]
fn rules_are_shown_compared_tried_and_put_in_force() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    Utility::set_up(home.path(), &data);
    let ask = |more: &[&str]| run(&[&["--json", "admin", "rules", "--data", text(&data)], more].concat());
    let toml = ask(&["show"]).records()[0]["toml"].as_str().unwrap().to_owned();
    let file = home.path().join("rules.toml");
    fs::write(&file, &toml).unwrap();
    let same = ask(&["diff", text(&file)]);
    assert!(same.out.is_empty() && same.err.contains("they say the same"), "{}{}", same.out, same.err);
    fs::write(&file, toml.replacen("grace_h = ", "grace_h = 1", 1)).unwrap();
    let differs = ask(&["diff", text(&file)]).records();
    assert_eq!((differs.len(), &differs[0]["key"]), (1, &json!("grace_h")));
    let tried = ask(&["what-if", text(&file), "--from", "2026-07-01", "--to", "2026-07-02"]);
    assert_eq!(tried.code, Some(0), "{}", tried.err);
    let back = ask(&["what-if", text(&file), "--from", "2026-07-02", "--to", "2026-07-01"]);
    assert_eq!(back.code, Some(2), "{}", back.err);
    let put =
        ["activate", text(&file), "--from", "2026-07-01", "--reason", "slow network", "--by", "operator"];
    assert_eq!(ask(&put).code, Some(0));
    assert!(ask(&put).err.contains("in force on 2026-07-01 already"));
    assert!(ask(&["diff", text(&file), "--date", "2026-07-01"]).out.is_empty());
    assert_eq!(ask(&["diff", text(&file), "--date", "2026-06-30"]).records().len(), 1);
    let history = ask(&["history"]).records();
    assert_eq!(
        (history.len(), &history[0]["by"], &history[0]["reason"]),
        (1, &json!("operator"), &json!("slow network"))
    );
    fs::write(&file, "spikes = 1").unwrap();
    let wrong = ask(&["diff", text(&file)]);
    assert!(
        wrong.code == Some(1) && wrong.err.contains("rules.toml") && wrong.err.contains("spikes"),
        "{}",
        wrong.err
    );
    assert!(done(&["admin", "rules", "--help"]).out.contains("what-if"));
}
