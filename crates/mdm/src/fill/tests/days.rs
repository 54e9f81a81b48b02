//! Days that are no reference: those that an event touched in the window of the gap, and those of another kind.

use super::*;

/// The first interval of a gap on [`MONDAY`], and the one after it.
type Window = (usize, usize);

/// Five weeks of readings and a Monday with a gap; `odd` days before it hold half as much again.
fn town_with_gap(toml: &str, (from, to): Window, odd: &[i64]) -> Mdm {
    let kind = ChannelKind::Import;
    let mdm = town(kind, QUARTER, rules(toml));
    for day in -35..=0 {
        let on = MONDAY + day.days();
        let mut batch = batch(&mdm, kind, QUARTER, on);
        if odd.contains(&day) {
            batch.values.iter_mut().flatten().for_each(|value| *value += *value / 2);
        }
        if day == 0 {
            batch.values[from..to].fill(None);
        }
        mdm.ingest(days_later(&mdm, on, 1), vec![batch]).unwrap();
    }
    close(&mdm, MONDAY);
    mdm
}

fn filled(mdm: &Mdm, (from, to): Window) -> Vec<i64> {
    stored(mdm, MONDAY).block.values[from..to].to_vec()
}

/// The mean of days so many before the Monday, rounded to the nearest.
fn mean(mdm: &Mdm, (from, to): Window, days: &[i64]) -> Vec<i64> {
    let values = |day: &i64| batch(mdm, ChannelKind::Import, QUARTER, MONDAY + day.days()).values;
    let all: Vec<Vec<Option<i64>>> = days.iter().map(values).collect();
    let count = i64::try_from(days.len()).unwrap();
    let sum = |at: usize| all.iter().filter_map(|day| day[at]).sum::<i64>();
    (from..to).map(|at| (2 * sum(at) + count).div_euclid(2 * count)).collect()
}

#[test]
fn events_and_holidays_decide_which_days_the_ladder_takes() {
    // A load-control event on the Monday before, from 14 to 16 o'clock in Zurich.
    let event = "[[estimation.events]]\nfrom = \"2026-03-23T13:00:00Z\"\nto = \"2026-03-23T15:00:00Z\"\n";
    let holidays = |dates: &str| format!("[estimation]\nholidays = [{dates}]\n");
    let (morning, afternoon, touching) = ((24, 40), (52, 70), (64, 80));
    let rows: [(&str, String, Window, &[i64]); 7] = [
        ("nothing is known", String::new(), afternoon, &[-7, -14, -21]),
        ("an event in the window", event.to_owned(), afternoon, &[-14, -21, -28]),
        ("an event at another time of day", event.to_owned(), morning, &[-7, -14, -21]),
        ("an event that ends as the gap begins", event.to_owned(), touching, &[-7, -14, -21]),
        ("a holiday among the Mondays", holidays("\"2026-03-16\""), afternoon, &[-7, -21, -28]),
        // The Sunday before has 92 intervals and does not serve.
        ("the Monday itself is a holiday", holidays("\"2026-03-30\""), afternoon, &[-8, -15, -22]),
        (
            "both are, and are Sundays alike",
            holidays("\"2026-03-23\", \"2026-03-30\""),
            afternoon,
            &[-7, -8, -15],
        ),
    ];
    for (name, toml, window, days) in rows {
        let mdm = town_with_gap(&toml, window, &[]);
        assert_eq!(filled(&mdm, window), mean(&mdm, window, days), "{name}");
    }
}

#[test]
fn what_an_event_did_to_a_day_does_not_reach_the_blend() {
    let window = (40, 72);
    let with = |events: &str, odd: &[i64]| {
        let toml = format!("[estimation]\nestimator = \"blend\"\n{events}");
        filled(&town_with_gap(&toml, window, odd), window)
    };
    let day = "[[estimation.events]]\nfrom = \"2026-03-22T23:00:00Z\"\nto = \"2026-03-23T23:00:00Z\"\n";
    assert_ne!(with("", &[-7]), with("", &[]), "an odd day counts where no event explains it");
    assert_eq!(with(day, &[-7]), with(day, &[]));
}
