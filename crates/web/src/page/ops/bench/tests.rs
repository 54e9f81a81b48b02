//! Fragments of the bench over made-up views: what must be said, what must be escaped, what no policy allows.

use super::page::main;
use super::view::{
    Bracket, CandidateColumn, Compare, DiffRow, FindingRow, Form, Preview, Selection, VersionRow, View,
};
use crate::chart::{Bench, Look, Mark, StripDay, strip};
use crate::ui::{Chip, Icon, Tone};
use model::IntervalLength;

fn mark(index: usize, look: Look, value: f64) -> Mark {
    Mark {
        tick: None,
        raw: (look != Look::Missing).then_some(value),
        now: (look != Look::Missing).then_some(value),
        after: None,
        look,
        failed: (index == 3).then_some("bad"),
        chosen: (3..6).contains(&index),
        head: format!("{index:02}:00 – {:02}:00", index + 1),
        rows: vec![("Read".to_owned(), format!("{value}"))],
    }
}

fn chart(looks: &[Look]) -> Bench {
    let value = |index: usize| if index == 3 { 9.0 } else { 1.0 };
    Bench {
        label: "Read and final".to_owned(),
        unit: "kWh",
        first: 0,
        marks: looks.iter().enumerate().map(|(index, look)| mark(index, *look, value(index))).collect(),
        from_zero: true,
        height: 330.0,
    }
}

fn diff(time: &str, before: &str, after: &str) -> DiffRow {
    DiffRow {
        time: time.to_owned(),
        raw: before.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
        quality: ("Questionable".to_owned(), "Edited".to_owned()),
        changed: before != after,
    }
}

fn candidate(name: &str, fits: bool) -> CandidateColumn {
    CandidateColumn {
        name: name.to_owned(),
        why: if fits {
            "the mean of 3 days: 7, 14 and 21 July".to_owned()
        } else {
            "no temperature is known".to_owned()
        },
        values: if fits { vec!["0.31".to_owned(); 3] } else { Vec::new() },
        total: "0.93\u{a0}kWh".to_owned(),
        choose: fits.then(|| "/ops/vee/1/2026-07-13?do=estimate".to_owned()),
        chosen: false,
    }
}

fn form() -> Form {
    Form {
        from: "03:00".to_owned(),
        to: "06:00".to_owned(),
        day: "2026-07-06".to_owned(),
        methods: vec![("like_day".to_owned(), "Like day".to_owned())],
        marks: (0..=24).map(|hour| format!("{hour:02}:00")).collect(),
        unit: "kWh",
        step_secs: 900,
        ..Form::default()
    }
}

fn preview() -> Preview {
    Preview {
        sentence: "Set to 0.3 kWh: 3 intervals would change.".to_owned(),
        rows: vec![diff("03:00", "9.000", "0.300"), diff("04:00", "1.000", "0.300")],
        more: 0,
        check: Some((Tone::Ok, Icon::Check, "They agree to the last digit.".to_owned())),
        notes: vec!["1 bill used this day and would be flagged.".to_owned()],
        fields: vec![("version", "2".to_owned())],
    }
}

fn finding() -> FindingRow {
    FindingRow {
        severity: (Tone::Bad, Icon::Warn, "Stopped"),
        rule: "Spike".to_owned(),
        sentence: "6512 Wh at 14:00 is more than 180 % above the day's third highest of 400 Wh".to_owned(),
        span: "03:00 – 04:00".to_owned(),
        href: "?from=03:00".to_owned(),
        state: None,
    }
}

fn bracket() -> Bracket {
    Bracket {
        span: "The nearest reads".to_owned(),
        from: ("4,812.377 kWh".to_owned(), "13 Jul 00:00".to_owned()),
        to: ("4,836.1 kWh".to_owned(), "14 Jul 00:00".to_owned()),
        advance: "23.7 kWh".to_owned(),
        sum: "24.31 kWh".to_owned(),
        verdict: (Tone::Warn, Icon::Warn, "The intervals are above by 0.61 kWh.".to_owned()),
    }
}

fn versions() -> Vec<VersionRow> {
    vec![
        VersionRow {
            number: 2,
            what: "Set to 0.3 kWh".to_owned(),
            who: "Ruben Castillo".to_owned(),
            why: "Meter fault: seen on site".to_owned(),
            when: "14 Jul 09:12".to_owned(),
            rules: "rules 8f12ab34".to_owned(),
            compare: Some("?compare=1-2".to_owned()),
            undo: Some("?do=undo".to_owned()),
            current: true,
        },
        VersionRow {
            number: 1,
            what: "Readings arrived".to_owned(),
            who: "the system".to_owned(),
            why: String::new(),
            when: "14 Jul 00:20".to_owned(),
            rules: "rules 8f12ab34".to_owned(),
            compare: None,
            undo: None,
            current: false,
        },
    ]
}

/// Ninety-six quarter hours with every look.
fn looks() -> Vec<Look> {
    let mut looks = vec![Look::Read; 96];
    looks[10..14].fill(Look::Estimated);
    looks[20..24].fill(Look::Missing);
    looks[30..34].fill(Look::Edited);
    looks
}

fn week() -> maud::Markup {
    let day = |name: &str, current| StripDay {
        name: name.to_owned(),
        label: name.to_owned(),
        href: "/ops/vee/1/2026-07-12".to_owned(),
        current,
        failed: current.then_some("bad"),
        values: (0..96u8).map(|k| Some(f64::from(k % 24))).collect(),
    };
    strip(
        &["Fri 10", "Sat 11", "Sun 12", "Mon 13", "Tue 14", "Wed 15", "Thu 16"]
            .map(|name| day(name, name == "Mon 13")),
    )
}

fn sample() -> View {
    View {
        meter: 1,
        api: "/api/v1/channels/1/days/2026-07-13".to_owned(),
        serial: "40200031".to_owned(),
        place: "12 Alder Court, <script>alert(1)</script>".to_owned(),
        date: "2026-07-13".to_owned(),
        title: "Monday 13 July".to_owned(),
        clock: None,
        here: "/ops/vee/1/2026-07-13?channel=import".to_owned(),
        channel: "import".to_owned(),
        channels: vec![
            Chip { href: "?".to_owned(), label: "Import".to_owned(), current: true },
            Chip { href: "?".to_owned(), label: "Export".to_owned(), current: false },
        ],
        steps: (Some("?".to_owned()), None),
        queue: (Some("?p".to_owned()), Some("?n".to_owned())),
        done: None,
        chart: Ok(chart(&looks()).render()),
        zoom: ["Whole day", "0–6", "6–12"]
            .map(|label| Chip {
                href: "?".to_owned(),
                label: label.to_owned(),
                current: label == "Whole day",
            })
            .to_vec(),
        week: week(),
        facts: vec![
            ("Read in all", "24.31 kWh".to_owned(), "96 values".to_owned()),
            ("Version", "2".to_owned(), "closed".to_owned()),
        ],
        findings: vec![finding()],
        brackets: vec![bracket()],
        selection: Some(Selection {
            span: "03:00 – 06:00, 3 intervals".to_owned(),
            times: ["03:00", "04:00", "05:00"].map(str::to_owned).to_vec(),
            by_hour: false,
        }),
        candidates: vec![
            candidate("Linear", true),
            candidate("Like day", true),
            candidate("Proxy day", false),
            candidate("Wattle blend", true),
        ],
        form: Some(form()),
        preview: Some(Ok(preview())),
        reasons: vec![("meter_fault".to_owned(), "Meter fault".to_owned())],
        only: "This needs one of these roles: Data analyst.".to_owned(),
        versions: versions(),
        compare: Some(Compare {
            title: "Version 1 and version 2".to_owned(),
            sentence: "They differ in 1 interval.".to_owned(),
            rows: vec![diff("03:00", "9.000", "0.300")],
        }),
        siblings: Vec::new(),
        table: None,
        table_href: "?table=1".to_owned(),
    }
}

fn html(view: &View) -> String {
    main(view).into_string()
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn every_interval_can_be_chosen_and_is_marked_as_it_is() {
    let page = html(&sample());
    assert_eq!(count(&page, "class=\"bar hit"), 96);
    assert_eq!(count(&page, "class=\"bar hit sel\""), 3);
    assert_eq!((count(&page, "class=\"est\""), count(&page, "class=\"miss\"")), (4, 4));
    assert_eq!(count(&page, "class=\"bb hand\""), 1);
    assert_eq!(count(&page, "class=\"stop bad\""), 1);
    assert!(!page.contains("NaN") && !page.contains("style="));
    assert!(!page.contains("<script>"), "names are escaped");
}

#[test]
fn days_of_23_and_25_hours_have_as_many_targets() {
    for hours in [23, 25] {
        let chart = chart(&vec![Look::Read; hours]).render().into_string();
        assert_eq!(count(&chart, "class=\"bar hit"), hours);
    }
    assert!(!chart(&[]).render().into_string().contains("NaN"));
}

#[test]
fn a_value_below_zero_stays_inside_the_picture() {
    let mut below = chart(&[Look::Read; 4]);
    below.marks[1].now = Some(-3.0);
    let picture = below.render().into_string();
    assert!(picture.contains("\u{2212}2") || picture.contains("\u{2212}3") || picture.contains("\u{2212}4"));
}

#[test]
fn nothing_can_be_applied_without_a_preview_and_a_reason() {
    let page = html(&sample());
    let form = page
        .split("<form class=\"confirm\" method=\"post\"")
        .nth(1)
        .unwrap()
        .split("</form>")
        .next()
        .unwrap();
    for part in [
        "name=\"code\" required",
        "name=\"note\" type=\"text\" maxlength=\"300\" required",
        "name=\"version\" value=\"2\"",
    ] {
        assert!(form.contains(part), "{part}");
    }
    let before = html(&View { preview: None, ..sample() });
    assert_eq!(count(&before, "method=\"post\""), 0, "only what was previewed can be applied");
    let refused = html(&View { preview: Some(Err("Nothing would change.".to_owned())), ..sample() });
    assert!(refused.contains("Nothing would change.") && count(&refused, "method=\"post\"") == 0);
}

#[test]
fn the_table_of_the_day_comes_when_it_is_asked_for() {
    let before = html(&sample());
    assert!(before.contains("href=\"?table=1\"") && !before.contains("Readings of the day"));
    let table = Some(maud::html! { table { caption { "t" } } });
    let after = html(&View { table, ..sample() });
    assert!(after.contains("<details class=\"tbl\" open>") && after.contains("Readings of the day"));
}

#[test]
fn many_intervals_are_compared_by_the_hour() {
    let rows = |interval, chosen| super::source::row_of_candidates(interval, &chosen);
    let quarter = IntervalLength::QUARTER_HOUR;
    assert_eq!((rows(quarter, 0..24), rows(quarter, 0..25)), (1, 4));
    assert_eq!(rows(IntervalLength::HOUR, 0..25), 1);
}

#[test]
fn those_who_may_only_look_get_no_form() {
    let view = View { form: None, preview: None, ..sample() };
    let page = html(&view);
    assert!(page.contains("This needs one of these roles") && count(&page, "<form") == 0);
}

#[test]
fn a_method_that_does_not_apply_says_why_and_offers_nothing() {
    let page = html(&sample());
    let card = page.split("Proxy day").nth(1).unwrap().split("class=\"cand").next().unwrap();
    assert!(card.contains("does not apply") && card.contains("no temperature is known"));
    assert!(!card.contains("<a "));
}

#[test]
fn a_day_without_exceptions_and_versions_says_so() {
    let view = View {
        findings: Vec::new(),
        brackets: Vec::new(),
        versions: Vec::new(),
        compare: None,
        chart: Err("Nothing is kept of this day.".to_owned()),
        ..sample()
    };
    let page = html(&view);
    for part in [
        "No rule stopped this day",
        "No register read on both sides",
        "Nothing is stored of this day",
        "Nothing is kept",
    ] {
        assert!(page.contains(part), "{part}");
    }
}
