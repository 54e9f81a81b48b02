use super::*;

fn street(seed: u64) -> Report {
    let scenario = Scenario::named("street").unwrap();
    run(&SimConfig { scenario, seed, days: 1 }).unwrap()
}

#[test]
fn a_day_in_the_street_holds_and_repeats() {
    let report = street(1);
    assert!(report.holds(), "{report}");
    assert!(report.tally.read > 0 && report.tally.kills > 0 && report.tally.transformer_quarters > 0);
    assert_eq!(street(1), report, "the same seed gives the same run");
}
