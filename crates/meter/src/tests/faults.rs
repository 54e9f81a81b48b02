use super::{at, meter, run};
use crate::{Fault, PushKind};
use jiff::SignedDuration;
use model::EventKind;

fn has(meter: &crate::Meter, kind: EventKind) -> usize {
    meter.events().filter(|row| row.code == kind.log_code()).count()
}

#[test]
fn a_stuck_register_no_longer_agrees_with_its_profile() {
    let start = at("2024-07-01T00:00:00Z");
    let mut meter =
        meter("electricity", vec![Fault::StuckRegister { from: at("2024-07-01T01:00:00Z") }], start);
    run(&mut meter, start, [(100, 0); 8]);
    assert_eq!(meter.registers().0[0], 400);
    assert_eq!(meter.load_profile().map(|row| row.delivered).sum::<u32>(), 800);
}

#[test]
fn theft_shows_only_in_the_truth() {
    let start = at("2024-07-01T00:00:00Z");
    let theft = Fault::Theft { from: at("2024-07-01T01:00:00Z"), measured_percent: 30 };
    let mut meter = meter("electricity", vec![theft], start);
    run(&mut meter, start, [(100, 0); 8]);
    assert_eq!(meter.registers().0[0], 400 + 120);
    assert_eq!(meter.truth().delivered_milli, 800_000);
    assert_eq!(meter.load_profile().map(|row| row.delivered).sum::<u32>(), 520);
}

#[test]
fn a_reboot_is_logged_and_silences_for_half_a_minute() {
    let start = at("2024-07-01T00:00:00Z");
    let strike = at("2024-07-01T00:20:00Z");
    let mut meter = meter("electricity", vec![Fault::Reboot { at: strike }], start);
    meter.advance(strike + SignedDuration::from_secs(10));
    assert!(!meter.is_awake());
    meter.advance(strike + SignedDuration::from_secs(31));
    assert!(meter.is_awake());
    assert_eq!(has(&meter, EventKind::Restarted), 1);
}

#[test]
fn what_a_restarting_meter_owes_it_sends_afterwards() {
    let start = at("2024-07-01T00:00:00Z");
    let (strike, tamper) = (at("2024-07-01T00:20:00Z"), at("2024-07-01T00:20:10Z"));
    let faults =
        vec![Fault::Reboot { at: strike }, Fault::Tamper { at: tamper, kind: EventKind::MagneticTamper }];
    let mut meter = meter("electricity", faults, start);
    assert_eq!(meter.poll_timeout(), Some(strike));
    assert_eq!(meter.poll_push(tamper), None);
    let back = strike + SignedDuration::from_secs(30);
    assert_eq!(meter.poll_timeout(), Some(back));
    assert_eq!(meter.poll_push(back).map(|push| push.kind), Some(PushKind::Alarm));
}

#[test]
fn a_counter_that_falls_back_repeats_itself() {
    let start = at("2024-07-01T00:00:00Z");
    let strike = at("2024-07-01T00:20:00Z");
    let mut meter = meter("electricity-push", vec![Fault::ReplayedCounter { at: strike }], start);
    assert_eq!(meter.invocation_counter(), 1000);
    meter.advance(strike);
    assert_eq!(meter.invocation_counter(), 900);
}

#[test]
fn an_opened_cover_is_told_at_once_and_closed_again() {
    let start = at("2024-07-01T00:00:00Z");
    let strike = at("2024-07-01T00:20:00Z");
    let tamper = Fault::Tamper { at: strike, kind: EventKind::CoverOpened };
    for name in ["electricity", "water"] {
        let mut meter = meter(name, vec![tamper], start);
        assert_eq!(meter.poll_push(strike - SignedDuration::from_secs(1)), None);
        assert_eq!(meter.poll_push(strike).map(|push| push.kind), Some(PushKind::Alarm), "{name}");
        meter.advance(strike + SignedDuration::from_mins(11));
        assert_eq!((has(&meter, EventKind::CoverOpened), has(&meter, EventKind::CoverClosed)), (1, 1));
    }
}

#[test]
fn a_dead_radio_measures_on() {
    let start = at("2024-07-01T00:00:00Z");
    let mut meter =
        meter("electricity-push", vec![Fault::DeadRadio { from: at("2024-07-01T00:20:00Z") }], start);
    assert!(meter.is_awake());
    let end = run(&mut meter, start, [(100, 0); 8]);
    assert!(!meter.is_awake());
    assert_eq!(meter.poll_push(end), None);
    assert!(meter.handle_apdu(end, 16, &[0x60]).apdu.is_none());
    assert_eq!(meter.registers().0[0], 800);
}

#[test]
fn tampering_from_outside_is_logged_too() {
    let start = at("2024-07-01T00:00:00Z");
    let mut meter = meter("electricity", vec![], start);
    meter.tamper(start, EventKind::MagneticTamper);
    assert_eq!(has(&meter, EventKind::MagneticTamper), 1);
    assert_eq!(meter.poll_push(start).map(|push| push.kind), Some(PushKind::Alarm));
}
