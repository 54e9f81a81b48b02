use super::*;
use maud::Markup;

fn slot(used: f64, state: State) -> Slot {
    Slot {
        tick: None,
        used,
        text: used.to_string(),
        sent: 0.0,
        usual: None,
        over: None,
        state,
        href: None,
        head: "h".to_owned(),
        rows: vec![("Energy".to_owned(), "1".to_owned())],
    }
}

fn bars(slots: Vec<Slot>) -> String {
    let chart = Bars {
        id: "t".to_owned(),
        label: "a chart".to_owned(),
        unit: "kWh",
        slots,
        overlay: None,
        ribbon: vec![],
        height: 424.0,
    };
    chart.render().into_string()
}

fn times(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn axis_steps_are_round_and_hold_the_data() {
    let rows = [
        (0.0, 6.1, 0.0, 8.0, 2.0),
        (0.0, 0.84, 0.0, 1.0, 0.25),
        (0.0, 8.0, 0.0, 8.0, 2.0),
        (0.0, 1.0, 0.0, 1.0, 0.25),
        (-3.0, 5.0, -4.0, 6.0, 2.0),
        (207.0, 253.0, 200.0, 260.0, 20.0),
        (5.0, 5.0, 5.0, 6.0, 0.25),
    ];
    for (lo, hi, low, high, step) in rows {
        let axis = Axis::spanning(lo, hi);
        assert!((axis.lo - low).abs() < 1e-9 && (axis.hi - high).abs() < 1e-9, "{lo}..{hi} gives {axis:?}");
        assert!((axis.step - step).abs() < 1e-9, "{lo}..{hi} gives {axis:?}");
    }
    for exponent in -6..9 {
        for mantissa in 1..100 {
            let hi = f64::from(mantissa) * 10f64.powi(exponent);
            let axis = Axis::spanning(0.0, hi);
            assert!(axis.hi >= hi * (1.0 - 1e-6) && axis.ticks().len() <= 8, "{hi}: {axis:?}");
        }
    }
}

#[test]
fn ticks_print_what_the_step_needs() {
    let axis = Axis::spanning(-3.0, 5.0);
    let texts: Vec<String> = axis.ticks().into_iter().map(|t| axis.text(t)).collect();
    assert_eq!(texts, ["\u{2212}4", "\u{2212}2", "0", "2", "4", "6"]);
    let axis = Axis::spanning(0.0, 0.84);
    assert_eq!(axis.text(axis.ticks()[1]), "0.25");
}

#[test]
fn days_of_23_24_and_25_hours_have_as_many_slots() {
    for hours in [23, 24, 25] {
        let html = bars(vec![slot(1.0, State::Measured); hours]);
        assert_eq!(times(&html, "class=\"bar hit\""), hours);
        assert_eq!(times(&html, "class=\"b use\""), hours);
        let last = format!("x=\"{}\"", pct(100.0 / count(hours) * count(hours - 1)));
        assert!(html.contains(&last), "the last slot of {hours} does not start where it should");
    }
}

#[test]
fn missing_is_a_dashed_slot_and_estimated_is_hatched() {
    let html = bars(vec![
        slot(1.0, State::Measured),
        slot(0.0, State::Missing),
        slot(0.5, State::Partial),
        slot(2.0, State::Estimated),
        slot(0.0, State::Ahead),
    ]);
    assert_eq!(times(&html, "class=\"miss\""), 2);
    assert_eq!(times(&html, "class=\"est\""), 1);
    assert_eq!(times(&html, "class=\"b use\""), 3);
    assert_eq!(times(&html, "class=\"bar hit\""), 5);
}

#[test]
fn a_day_of_nothing_still_has_an_axis() {
    let html = bars(vec![slot(0.0, State::Measured); 24]);
    assert!(html.contains(">1.00<") && !html.contains("NaN") && !html.contains("inf"));
    assert!(!bars(vec![]).contains("NaN"));
}

#[test]
fn what_is_sent_back_hangs_below_the_axis() {
    let mut sunny = slot(1.0, State::Measured);
    sunny.sent = 3.0;
    let html = bars(vec![sunny, slot(1.0, State::Measured)]);
    assert_eq!(times(&html, "class=\"b sun\""), 1);
    assert!(html.contains("\u{2212}2"), "the scale goes below zero");
}

#[test]
fn names_are_escaped_and_nothing_has_a_style_attribute() {
    let mut evil = slot(1.0, State::Measured);
    evil.head = "<script>alert(1)</script>\"".to_owned();
    evil.rows = vec![("<b>".to_owned(), "\"x\" onload=1".to_owned())];
    evil.href = Some("/usage?a=\"><script>".to_owned());
    let html = bars(vec![evil]);
    assert!(!html.contains("<script") && !html.contains("<b>"));
    assert!(!html.contains("style="));
    let mut link = slot(1.0, State::Measured);
    link.href = Some("/usage?date=2026-07-14".to_owned());
    assert!(bars(vec![link]).contains("<a class=\"bar\" href=\"/usage?date=2026-07-14\""));
}

#[test]
fn a_line_breaks_where_a_value_is_missing() {
    let point = |value| Point {
        tick: None,
        value,
        head: String::new(),
        rows: vec![("Voltage".to_owned(), "1".to_owned())],
    };
    let points = [Some(230.0), Some(231.0), None, Some(229.0)].map(point).to_vec();
    let chart =
        Line { label: "voltage".to_owned(), unit: "V", points, limits: Some((207.0, 253.0)), height: 220.0 };
    let html = chart.render().into_string();
    let path = html.split("class=\"vl\" d=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert_eq!((times(path, "M"), times(path, "L")), (2, 1));
    let nothing = Line { points: vec![], limits: None, ..chart };
    assert!(!nothing.render().into_string().contains("NaN"));
}

#[test]
fn a_heat_map_has_one_path_a_step() {
    let day = |values: [Option<f64>; 3]| HeatDay { name: "d".to_owned(), edge: None, hours: values.to_vec() };
    let map = HeatMap {
        label: "five weeks".to_owned(),
        unit: "kWh",
        steps: [0.4, 0.8, 1.2, 1.8, 2.6, 3.6],
        days: vec![day([Some(0.1), Some(0.5), None]), day([Some(0.2), Some(9.0), Some(0.1)])],
    };
    let html = map.render().into_string();
    for (class, cells) in [("q0", 3), ("q1", 1), ("q6", 1), ("qx", 1)] {
        let path = html.split(&format!("class=\"{class}\" d=\"")).nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(times(path, "M"), cells, "{class}");
    }
    assert!(html.contains("data-heat=\"0.10,0.50,-;0.20,9.00,0.10\""));
}

#[test]
fn a_sparkline_needs_two_values() {
    let text = |markup: Markup| markup.into_string();
    assert!(text(spark(&[1.0], 0.0, 1.0, "ok")).is_empty());
    assert!(!text(spark(&[1.0, 1.0], 1.0, 1.0, "ok")).contains("NaN"));
}
