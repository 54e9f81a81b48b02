use super::*;
use model::master::Route;

struct Nothing;

impl Known for Nothing {
    fn has(&self, _: Kind, _: &str) -> bool {
        false
    }

    fn has_model(&self, model: &str) -> bool {
        model == "electricity"
    }
}

/// The example row of every template, as a file.
fn examples() -> Vec<(String, String)> {
    Kind::ALL
        .into_iter()
        .map(|kind| {
            let template = kind.template();
            let example = template.lines().last().unwrap().trim_start_matches("# ").to_owned();
            let header = template.lines().find(|line| !line.starts_with('#')).unwrap().to_owned();
            (format!("{}.csv", kind.name()), format!("{header}\n{example}\n"))
        })
        .collect()
}

#[test]
fn the_templates_examples_are_a_utility() {
    let data = parse(&examples(), &Nothing).unwrap();
    assert_eq!(data.meters.len(), 1);
    assert_eq!(data.meters[0].route, Route::Behind("COL-1".into(), 17));
    assert_eq!(data.premises[0].position, Some((34_092_200, -117_435_000)));
    assert_eq!(data.service_points[0].transformer.as_deref(), Some("TX-12"));
    assert_eq!(data.service_points[0].rate_class.as_deref(), Some("R-1"));
    assert_eq!(data.transformers[0].substation.as_deref(), Some("S-West"));
}

/// Each row: what is changed in which file, and what the fault must say.
#[test]
fn faults_name_file_line_and_remedy() {
    for (file, from, to, told) in [
        ("meters.csv", "COL-1", "COL-9", "meters.csv:2: `collector` is `COL-9`"),
        (
            "meters.csv",
            "5741540002658E07",
            "57415400",
            "meters.csv:2: `system_title` is not 16 hexadecimal digits",
        ),
        ("meters.csv", ",electricity,", ",abacus,", "meters.csv:2: `model` is `abacus`"),
        ("meters.csv", ",17,", ",,", "needs either `collector` and `address`"),
        ("keys.csv", "D0D1", "zzzz", "keys.csv:2: `authentication_key` is not 32 hexadecimal digits"),
        ("keys.csv", "40210455", "40210456", "meters.csv:2: meter `40210455` has no row in a keys file"),
        ("service_points.csv", "electricity", "steam", "service_points.csv:2: `commodity` is `steam`"),
        ("service_points.csv", "P-1001", "P-1", "service_points.csv:2: `premise` is `P-1`"),
        ("premises.csv", "34.0922", "340922", "premises.csv:2: `latitude_deg` is `340922`"),
        ("collectors.csv", "10.0.0.5:4059", "nowhere", "collectors.csv:2: `endpoint` is `nowhere`"),
        ("customers.csv", "customer,name", "client,name", "customers.csv:1: has a header of none"),
        ("premises.csv", "34.0922,", "34.0922,1,", "premises.csv:2: has 6 columns where the header has 5"),
    ] {
        let mut files = examples();
        let text = &mut files.iter_mut().find(|(name, _)| name == file).unwrap().1;
        assert!(text.contains(from), "{file} holds no {from}");
        *text = text.replacen(from, to, 1);
        let faults = parse(&files, &Nothing).unwrap_err();
        let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|fault| fault.contains(told)), "{told} not in {all:#?}");
        assert!(all.iter().all(|fault| !fault.contains("D0D1D2")), "a key is in a message: {all:#?}");
    }
}

#[test]
fn a_name_stands_once() {
    let mut files = examples();
    let row = files[0].1.lines().last().unwrap().to_owned();
    files[0].1.push_str(&row);
    let faults = parse(&files, &Nothing).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].to_string(), "premises.csv:3: `premise` `P-1001` stands twice; keep one row");
}

#[test]
fn a_feeder_begins_at_one_substation() {
    let mut files = examples();
    let (_, text) = files.iter_mut().find(|(name, _)| name == "transformers.csv").unwrap();
    text.push_str("\nTX-13,F-1204,S-East,50\nTX-14,F-1205,S-East,50\nTX-15,F-1204,,50\n");
    let faults = parse(&files, &Nothing).unwrap_err();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let expected = "transformers.csv:3: `substation` is `S-East`, but feeder `F-1204` begins at `S-West` on an earlier row";
    assert_eq!(told, [expected]);
}

#[test]
fn what_is_written_is_read_back() {
    let mut data = parse(&examples(), &Nothing).unwrap();
    data.premises[0].address = "12 \"Mill\" Lane, rear".to_owned();
    data.premises[0].position = Some((-34_092_201, 5));
    assert_eq!(parse(&files(&data), &Nothing).unwrap(), data);
}

/// A meters' file with some columns of its example otherwise.
fn with(columns: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut files = examples();
    let (_, text) = files.iter_mut().find(|(name, _)| name == "meters.csv").unwrap();
    let (header, row) = text.split_once('\n').unwrap();
    let row = header.split(',').zip(row.trim_end().split(','));
    let row: Vec<&str> = row
        .map(|(name, old)| columns.iter().find(|(column, _)| *column == name).map_or(old, |(_, new)| *new))
        .collect();
    *text = format!("{header}\n{}\n", row.join(","));
    files
}

/// When a meter was fitted, which one it replaced, and what is said of either that cannot be.
#[test]
fn a_meter_that_replaces_another_says_when() {
    let fitted =
        parse(&with(&[("fitted", "2026-03-01T10:30:00+01:00"), ("replaces", "")]), &Nothing).unwrap();
    assert_eq!(fitted.meters[0].metering.fitted, Some("2026-03-01T09:30:00Z".parse().unwrap()));
    assert_eq!(fitted.meters[0].metering.replaces, None);
    for (columns, told) in [
        (
            [("fitted", "2026-03-01"), ("replaces", "")],
            "`fitted` is `2026-03-01`, not an instant with its offset",
        ),
        ([("fitted", ""), ("replaces", "40210455")], "`replaces` needs `fitted`"),
        ([("fitted", "2026-03-01T10:30:00+01:00"), ("replaces", "999")], "`replaces` is `999`"),
    ] {
        let faults = parse(&with(&columns), &Nothing).unwrap_err();
        let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|fault| fault.contains(told)), "{told} not in {all:#?}");
        assert!(all.iter().all(|fault| fault.starts_with("meters.csv:2: ")), "{all:#?}");
    }
}
