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
