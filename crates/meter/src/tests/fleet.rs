use super::{at, config, run};
use crate::household::Household;
use crate::{Feed, Meter, MeterModel};
use jiff::SignedDuration;
use jiff::tz::TimeZone;

/// Ten thousand meters with 45 full days stay under a gibibyte: what one takes, ten thousand times.
#[test]
fn a_filled_meter_is_small() {
    let start = at("2024-05-01T00:00:00Z");
    let model = MeterModel::builtin("electricity").unwrap();
    let mut meter = Meter::new(config(&model, vec![], 1), start);
    run(&mut meter, start, [(100, 0); 46 * 96]);
    assert_eq!(meter.load_profile().len(), 45 * 96);
    assert_eq!(meter.daily_profile().len(), 46);
    let bytes = meter.memory_bytes();
    assert!(bytes < 60_000, "{bytes} bytes");
    assert!(bytes * 10_000 < 1 << 30);
}

#[test]
fn a_seed_is_a_life() {
    let zone = TimeZone::get("Europe/Zurich").unwrap();
    let start = at("2024-05-01T00:00:00Z");
    let model = MeterModel::builtin("electricity-push").unwrap();
    let live = |seed: u64| {
        let mut meter = Meter::new(config(&model, vec![], seed), start);
        let home = Household::new(seed, true);
        let mut now = start;
        let mut pushes = Vec::new();
        for _ in 0..96 {
            let to = now + SignedDuration::from_mins(15);
            let load = home.load(now, 900, &zone);
            meter.feed(&Feed::electricity(now, to, load.import, load.export, load.voltage));
            while now < to {
                now += SignedDuration::from_secs(60);
                pushes.extend(meter.poll_push(now).map(|push| (now, push.apdu)));
            }
        }
        (pushes, meter.registers())
    };
    let first = live(5);
    assert_eq!(first, live(5));
    assert_ne!(first, live(6));
    assert_eq!(first.0.len(), 95, "a push for every interval that ended, the last one still to come");
}
