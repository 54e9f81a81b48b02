use super::{at, meter, run};
use crate::{Direction, Feed, IntervalRow, Meter, MeterModel, PushKind, RelayState};
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::reading::status;
use model::{Energy, EventKind, Voltage};
use proptest::prelude::*;

fn sums(meter: &Meter) -> (u64, u64) {
    meter.load_profile().fold((0, 0), |(import, export), row| {
        (import + u64::from(row.delivered), export + u64::from(row.received))
    })
}

fn kinds(meter: &Meter) -> Vec<EventKind> {
    meter.events().filter_map(|row| EventKind::from_log_code(row.code)).collect()
}

/// What can be done to a meter between two looks at it.
#[derive(Clone, Debug)]
enum Deed {
    Feed { minutes: i64, import_mwh: i64, export_mwh: i64 },
    Pass { seconds: i64 },
    Power(bool),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        4 => (1..120i64, 0..2_000_000i64, 0..500_000i64)
            .prop_map(|(minutes, import_mwh, export_mwh)| Deed::Feed { minutes, import_mwh, export_mwh }),
        2 => (1..20_000i64).prop_map(|seconds| Deed::Pass { seconds }),
        1 => any::<bool>().prop_map(Deed::Power),
    ];
    proptest::collection::vec(deed, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever happens: intervals add up to the register, rates to the total, and the register is what flowed.
    #[test]
    fn energy_is_conserved(deeds in deeds(), ppm in -300..300i32) {
        let mut now = at("2024-03-30T17:07:13Z");
        let mut meter = meter("electricity", vec![crate::Fault::ClockDrift { ppm }], now);
        for deed in deeds {
            match deed {
                Deed::Feed { minutes, import_mwh, export_mwh } => {
                    let to = now + SignedDuration::from_mins(minutes);
                    let (import, export) = (Energy::from_mwh(import_mwh), Energy::from_mwh(export_mwh));
                    meter.feed(&Feed::electricity(now, to, import, export, Voltage::from_volts(230)));
                }
                Deed::Pass { seconds } => {
                    now += SignedDuration::from_secs(seconds);
                    meter.advance(now);
                }
                Deed::Power(on) => meter.set_power(now, on),
            }
        }
        meter.set_power(now, true);
        now += SignedDuration::from_hours(2);
        meter.advance(now);
        // Empty the interval that is still open.
        meter.advance(now + SignedDuration::from_mins(16));
        let (delivered, received) = meter.registers();
        let (import, export) = sums(&meter);
        prop_assert_eq!(import, u64::from(delivered[0]));
        prop_assert_eq!(export, u64::from(received[0]));
        prop_assert_eq!(delivered[1..].iter().sum::<u32>(), delivered[0]);
        prop_assert_eq!(received[1..].iter().sum::<u32>(), received[0]);
        prop_assert_eq!(meter.truth().delivered_milli / 1000, i64::from(delivered[0]));
        prop_assert_eq!(meter.truth().received_milli / 1000, i64::from(received[0]));
    }

    /// However finely time passes, the result is the same.
    #[test]
    fn steps_do_not_matter(cuts in proptest::collection::vec(1..7200i64, 1..40)) {
        let start = at("2024-07-01T00:00:00Z");
        let (mut whole, mut cut) = (meter("electricity", vec![], start), meter("electricity", vec![], start));
        let end = start + SignedDuration::from_secs(cuts.iter().sum());
        let feed = Feed::electricity(start, end, Energy::from_wh(12_345), Energy::ZERO, Voltage::from_volts(231));
        whole.feed(&feed);
        cut.feed(&feed);
        let mut now = start;
        for step in cuts {
            now += SignedDuration::from_secs(step);
            cut.advance(now);
        }
        whole.advance(end);
        prop_assert_eq!(whole.registers(), cut.registers());
        prop_assert!(whole.load_profile().eq(cut.load_profile()));
    }
}

#[test]
fn a_quarter_hour_fed_is_a_row_read() {
    let start = at("2024-07-01T10:00:00Z");
    let mut meter = meter("electricity", vec![], start);
    run(&mut meter, start, [(250, 0), (0, 1200), (7, 3)]);
    let rows: Vec<IntervalRow> = meter.load_profile().collect();
    let row = |end, delivered, received| IntervalRow {
        end_s: at(end).as_second(),
        status: status::DST,
        delivered,
        received,
        voltage_dv: 2300,
    };
    assert_eq!(
        rows,
        [
            row("2024-07-01T10:15:00Z", 250, 0),
            row("2024-07-01T10:30:00Z", 0, 1200),
            row("2024-07-01T10:45:00Z", 7, 3)
        ]
    );
}

#[test]
fn local_days_have_92_96_and_100_rows() {
    for (start, end, rows, dst_rows) in [
        ("2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z", 92, 85),
        ("2024-07-01T22:00:00Z", "2024-07-02T22:00:00Z", 96, 96),
        ("2024-10-26T22:00:00Z", "2024-10-27T23:00:00Z", 100, 11),
        ("2024-12-01T23:00:00Z", "2024-12-02T23:00:00Z", 96, 0),
    ] {
        let mut meter = meter("electricity", vec![], at(start));
        meter.advance(at(end));
        let kept: Vec<IntervalRow> = meter.load_profile().collect();
        assert_eq!(kept.len(), rows, "{start}");
        assert_eq!(kept.iter().filter(|row| row.status & status::DST != 0).count(), dst_rows, "{start}");
        assert!(kept.windows(2).all(|pair| pair[1].end_s - pair[0].end_s == 900));
        let daily: Vec<i64> = meter.daily_profile().map(|row| row.at_s).collect();
        assert_eq!(daily, [at(end).as_second()], "one day ended");
    }
}

#[test]
fn rates_follow_the_calendar() {
    // Local times; Tuesday, Saturday, and Christmas, which was a Wednesday.
    let table = [
        ("2024-07-02T10:00:00", 2),
        ("2024-07-02T16:00:00", 1),
        ("2024-07-02T20:59:59", 1),
        ("2024-07-02T21:00:00", 2),
        ("2024-07-02T23:00:00", 3),
        ("2024-07-06T12:00:00", 4),
        ("2024-07-06T06:59:59", 3),
        ("2024-12-25T17:00:00", 4),
    ];
    let model = MeterModel::builtin("electricity").unwrap();
    for (local, rate) in table {
        assert_eq!(model.tariff.as_ref().unwrap().rate(local.parse().unwrap()), rate, "{local}");
    }
    // A feed over the switch at 16:00 local is split there.
    let start = at("2024-07-02T13:00:00Z");
    let mut meter = meter("electricity", vec![], start);
    let end = start + SignedDuration::from_hours(2);
    meter.feed(&Feed::electricity(start, end, Energy::from_wh(1000), Energy::ZERO, Voltage::ZERO));
    meter.advance(end);
    assert_eq!(meter.registers().0, [1000, 500, 500, 0, 0]);
}

#[test]
fn a_power_failure_leaves_a_hole_and_says_so() {
    let start = at("2024-07-01T10:00:00Z");
    let mut meter = meter("electricity", vec![], start);
    let end = start + SignedDuration::from_hours(2);
    meter.feed(&Feed::electricity(start, end, Energy::from_wh(800), Energy::ZERO, Voltage::from_volts(230)));
    meter.set_power(at("2024-07-01T10:20:00Z"), false);
    let gasp = meter.poll_push(at("2024-07-01T10:20:01Z")).expect("a last gasp");
    assert_eq!(gasp.kind, PushKind::LastGasp);
    assert!(meter.handle_apdu(at("2024-07-01T10:20:02Z"), 16, &[0x60]).apdu.is_none(), "silent");
    meter.set_power(at("2024-07-01T11:10:00Z"), true);
    assert_eq!(meter.poll_push(at("2024-07-01T11:10:00Z")), None, "not all of a street at once");
    let back = meter.poll_push(at("2024-07-01T11:12:00Z")).expect("the restore push");
    assert_eq!(back.kind, PushKind::Restored);
    meter.advance(end);
    let failed = status::DST | status::POWER_FAIL | status::PARTIAL;
    let rows: Vec<_> =
        meter.load_profile().map(|row| (row.end().to_string(), row.delivered, row.status)).collect();
    let row = |end: &str, wh, status| (format!("2024-07-01T{end}:00Z"), wh, status);
    assert_eq!(
        rows,
        [
            row("10:15", 100, status::DST),
            row("10:30", 33, failed),
            row("11:15", 33, failed),
            row("11:30", 100, status::DST),
            row("11:45", 100, status::DST),
            row("12:00", 100, status::DST),
        ]
    );
    assert_eq!(kinds(&meter), [EventKind::PowerFailed, EventKind::PowerRestored]);
}

#[test]
fn a_last_gasp_has_only_seconds() {
    let start = at("2024-07-01T10:00:00Z");
    let mut meter = meter("electricity", vec![], start);
    meter.set_power(start, false);
    assert_eq!(meter.poll_push(start + SignedDuration::from_secs(11)), None);
    // A failure that begins and ends between two looks still reports both.
    let later = start + SignedDuration::from_mins(5);
    meter.set_power(later, true);
    let pushed = std::iter::from_fn(|| meter.poll_push(later + SignedDuration::from_mins(2)));
    assert_eq!(pushed.map(|push| push.kind).collect::<Vec<_>>(), [PushKind::Restored]);
}

#[test]
fn midnight_without_power_is_still_in_the_billing_profile() {
    let start = at("2024-07-01T21:00:00Z");
    let mut meter = meter("electricity", vec![], start);
    run(&mut meter, start, [(100, 0); 2]);
    meter.set_power(at("2024-07-01T21:30:00Z"), false);
    meter.set_power(at("2024-07-01T23:00:00Z"), true);
    let daily: Vec<_> = meter.daily_profile().map(|row| (row.at_s, row.delivered[0])).collect();
    assert_eq!(daily, [(at("2024-07-01T22:00:00Z").as_second(), 200)]);
}

#[test]
fn a_clock_that_gains_closes_its_intervals_early() {
    let start = at("2024-07-01T00:00:00Z");
    let mut meter = meter("electricity", vec![crate::Fault::ClockDrift { ppm: 1000 }], start);
    let end = start + 1.hour();
    meter.feed(&Feed::electricity(start, end, Energy::from_wh(3600), Energy::ZERO, Voltage::ZERO));
    meter.advance(end);
    // A thousandth of 900 s is 0.9 s: at 1 Wh a second, 899.1 Wh an interval, stamped as if it were 900 s.
    let rows: Vec<_> =
        meter.load_profile().map(|row| (row.end_s - start.as_second(), row.delivered)).collect();
    assert_eq!(rows, [(900, 899), (1800, 899), (2700, 899), (3600, 899)]);
    let ahead = meter.clock().duration_since(meter.now());
    assert_eq!(ahead, SignedDuration::from_millis(3600));
}

#[test]
fn more_than_a_row_holds_waits_for_the_next() {
    let start = at("2024-07-01T00:00:00Z");
    let mut meter = meter("electricity", vec![], start);
    run(&mut meter, start, [(20_000_000, 0), (0, 0)]);
    let rows: Vec<_> = meter.load_profile().map(|row| row.delivered).collect();
    assert_eq!(rows, [16_777_215, 3_222_785]);
    assert_eq!(sums(&meter).0, u64::from(meter.registers().0[0]));
}

#[test]
fn a_register_rolls_over_and_the_profile_does_not_care() {
    let start = at("2024-07-01T00:00:00Z");
    let mut meter = meter("electricity", vec![], start);
    meter.start_registers_at(999_999_950, 0);
    run(&mut meter, start, [(100, 0)]);
    assert_eq!(meter.registers().0[0], 50);
    assert_eq!(meter.load_profile().next().unwrap().delivered, 100);
}

#[test]
fn sag_and_swell_begin_and_end_once() {
    let start = at("2024-07-01T00:00:00Z");
    let mut meter = meter("electricity", vec![], start);
    let mut now = start;
    for volts in [230, 200, 199, 230, 260, 261, 230] {
        let to = now + SignedDuration::from_mins(15);
        meter.feed(&Feed::electricity(now, to, Energy::ZERO, Energy::ZERO, Voltage::from_volts(volts)));
        now = to;
    }
    assert_eq!(
        kinds(&meter),
        [EventKind::SagStarted, EventKind::SagStopped, EventKind::SwellStarted, EventKind::SwellStopped]
    );
}

#[test]
fn late_feeds_lose_nothing() {
    let start = at("2024-07-01T00:00:00Z");
    let mut meter = meter("electricity", vec![], start);
    meter.advance(start + SignedDuration::from_mins(20));
    run(&mut meter, start, [(100, 0); 4]);
    assert_eq!(meter.registers().0[0], 400);
    assert_eq!(meter.relay_state(), RelayState::Connected);
    assert!(crate::Quantity::Import.register() == Some((Direction::Delivered, 0)));
}

#[test]
fn gas_is_pushed_once_a_day_and_nothing_answers_in_between() {
    let start = at("2024-07-01T22:00:00Z");
    let mut meter = meter("gas", vec![], start);
    let mut now = start;
    let mut pushes: Vec<(Timestamp, PushKind)> = Vec::new();
    for hour in 0..72 {
        let to = now + 1.hour();
        meter.feed(&Feed::volume(now, to, 1_500 * hour));
        while now < to {
            now += SignedDuration::from_mins(1);
            let answered = meter.is_awake();
            if let Some(push) = meter.poll_push(now) {
                pushes.push((now, push.kind));
                assert!(meter.is_awake(), "it listens after it woke");
            } else {
                assert!(
                    !answered || pushes.last().is_some_and(|(at, _)| now.duration_since(*at).as_secs() <= 60)
                );
            }
        }
    }
    assert_eq!(pushes.len(), 2, "the third day's push is still to come: {pushes:?}");
    assert!(pushes.iter().all(|(_, kind)| *kind == PushKind::Profile));
    let litres: u64 = meter.load_profile().map(|row| u64::from(row.delivered)).sum();
    assert_eq!(litres, u64::from(meter.registers().0[0]));
    assert_eq!(litres, (0..72).map(|hour| 1_500 * hour).sum::<u64>() / 1000);
}
