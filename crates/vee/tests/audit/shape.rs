//! Rules 12, 13, 21, 24, 25 and 36 to 38: the shape of a day, what the meter flagged, and days that look like others.

use crate::scene::{Scene, at, clock, outage, quiet};
use crate::{Row, rests, speaks};
use model::reading::status;
use model::{ChannelKind, Quality, QualityClass};
use vee::{Register, Rule};

pub(crate) fn rows() -> Vec<Row> {
    [spike(), payload_spike(), jump(), stuck(), flags(), repeated(), pile_up(), clock_shift()]
        .into_iter()
        .flatten()
        .collect()
}

fn spike() -> Vec<Row> {
    let of = |kind, top: i64| Scene::of(kind).with(&[(9, 2500), (10, top), (11, 2600)]);
    let import = |top: i64| of(ChannelKind::Import, top);
    let running = |left: usize| {
        import(7001).set(|s| {
            s.values[24 - left..].fill(0);
            s.quality[24 - left..].fill(Quality::MISSING);
            (s.values[4], s.now) = (2500, clock("13:00"));
        })
    };
    let small = |kind, top: i64| Scene::of(kind).with(&[(3, 0), (10, top)]);
    vec![
        speaks(Rule::Spike, "a hair above 180 %", import(7001)),
        rests(Rule::Spike, "180 % to the watt-hour", import(7000)),
        rests(Rule::Spike, "before half of a day is there", running(13)),
        speaks(Rule::Spike, "when half of it is", running(12)),
        speaks(
            Rule::Spike,
            "when no more is to come",
            running(13).set(|s| s.now = at("2026-03-05T06:00:00Z")),
        ),
        speaks(Rule::Spike, "just above the floor", small(ChannelKind::Import, 1001)),
        rests(Rule::Spike, "the floor", small(ChannelKind::Import, 1000)),
        rests(Rule::Spike, "nobody read it", {
            import(7001)
                .with(&[(12, 2500)])
                .set(|s| s.quality[10] = Quality::new(QualityClass::EstimatedLinear))
        }),
        speaks(Rule::Spike, "gas above its floor", small(ChannelKind::Gas, 10_001)),
        rests(Rule::Spike, "the floor of gas", small(ChannelKind::Gas, 10_000)),
        speaks(Rule::Spike, "water above its floor", small(ChannelKind::Water, 3001)),
        rests(Rule::Spike, "the floor of water", small(ChannelKind::Water, 3000)),
        rests(Rule::Spike, "voltages do not add up", of(ChannelKind::Voltage, 7001)),
        rests(Rule::Spike, "a shop's group allows it", {
            import(7001).in_group("[[group]]\nname = \"all\"\n[group.set.spike]\npercent = 181\n")
        }),
    ]
}

/// What is compared comes together: the day that it is laid over has a higher third highest.
fn payload_spike() -> Vec<Row> {
    let of = |over: &str, top: i64, batch: bool| {
        let scene = Scene::default().with(&[(0, 2500), (1, top), (2, 2600), (3, 2400)]).arriving();
        let group = format!("[[group]]\nname = \"over\"\n[group.set.spike]\nover = \"{over}\"\n");
        let mut scene = scene.in_group(&group);
        scene.values[9..12].fill(7000);
        scene.batch = scene.batch.filter(|_| batch);
        scene
    };
    vec![
        speaks(Rule::Spike, "over the payload, a hair above", of("payload", 7001, true)),
        rests(Rule::Spike, "over the payload, 180 %", of("payload", 7000, true)),
        rests(Rule::Spike, "over the day, other hours are as high", of("day", 7001, true)),
        rests(Rule::Spike, "over the payload, a day judged again", of("payload", 7001, false)),
        rests(Rule::Spike, "over the payload, the day has one of its own", {
            of("payload", 2600, true).set(|s| s.values[15] = 90_000)
        }),
        rests(Rule::Spike, "over the payload, refused for its time", {
            of("payload", 7001, true).set(|s| s.batch().status[1] = status::TEST_MODE)
        }),
        rests(Rule::Spike, "over the payload, volts", {
            let mut scene =
                Scene::of(ChannelKind::Voltage).with(&[(0, 2500), (1, 7001), (2, 2600)]).arriving();
            scene.book = of("payload", 7001, true).book;
            scene
        }),
    ]
}

fn jump() -> Vec<Row> {
    // Three high hours keep the spike quiet.
    let of = |kind, value: i64| Scene::of(kind).with(&[(9, 4000), (10, value), (11, value), (12, value)]);
    let import = |value: i64| of(ChannelKind::Import, value);
    let morning = |before: i64| {
        let yesterday = Scene::default().with(&[(23, before)]).values;
        Scene::default().with(&[(0, 20_000), (1, 20_000), (2, 20_000)]).after(1, &yesterday, Quality::VALID)
    };
    vec![
        speaks(Rule::Jump, "a hair above six times", import(24_001)),
        rests(Rule::Jump, "six times", import(24_000)),
        rests(Rule::Jump, "small in kilowatts", {
            Scene::default().with(&[(9, 100), (10, 15_000), (11, 15_000), (12, 15_000)])
        }),
        speaks(Rule::Jump, "over midnight", morning(3333)),
        rests(Rule::Jump, "over midnight, six times", morning(3334)),
        rests(Rule::Jump, "the day before is not known", morning(3333).set(|s| s.history.clear())),
        rests(Rule::Jump, "nobody read the hour before", {
            import(24_001).set(|s| s.quality[9] = Quality::new(QualityClass::EstimatedLinear))
        }),
        rests(Rule::Jump, "a spike says it already", Scene::default().with(&[(9, 4000), (10, 24_001)])),
        rests(Rule::Jump, "volts", of(ChannelKind::Voltage, 24_001)),
    ]
}

fn stuck() -> Vec<Row> {
    let of = |kind, value: i64| Scene::of(kind).set(|s| s.values = vec![value; 24]);
    vec![
        speaks(Rule::Stuck, "24 hours", of(ChannelKind::Import, 50)),
        rests(Rule::Stuck, "23 hours", of(ChannelKind::Import, 50).with(&[(0, 51)])),
        rests(Rule::Stuck, "below the floor", of(ChannelKind::Import, 49)),
        rests(Rule::Stuck, "an inverter at its limit", of(ChannelKind::Generation, 50)),
        rests(Rule::Stuck, "a roof that feeds in", of(ChannelKind::Export, 50)),
        rests(Rule::Stuck, "an hour between was estimated", {
            of(ChannelKind::Import, 50).set(|s| s.quality[12] = Quality::new(QualityClass::EstimatedProfile))
        }),
    ]
}

fn flags() -> Vec<Row> {
    let flag = |flag: u8| Scene::default().set(|s| s.quality[5] = Quality::RAW.with(flag));
    let told = |bits: u8| {
        Scene::default().arriving().set(|s| {
            s.quality[..5].fill(Quality::MISSING);
            s.batch().status[1] = bits;
        })
    };
    let dark = |from: &str, to: &str| Scene::default().set(|s| s.outages = vec![outage(from, to)]);
    vec![
        speaks(Rule::Status, "cut short", flag(Quality::PARTIAL)),
        rests(Rule::Status, "no flag", flag(0)),
        rests(Rule::Status, "another flag", flag(Quality::POWER_FAIL)),
        speaks(Rule::Status, "the clock was set", told(status::CLOCK_SET)),
        speaks(Rule::Status, "a memory error", told(status::DEVICE_ERROR)),
        rests(Rule::Status, "summer time is no fault", told(status::DST)),
        speaks(Rule::PartialOutage, "the meter flags it", told(status::POWER_FAIL)),
        rests(Rule::PartialOutage, "the meter flags something else", told(status::PARTIAL)),
        speaks(Rule::PartialOutage, "power failed for a minute", dark("02:59", "04:00")),
        rests(Rule::PartialOutage, "power failed for a whole hour", dark("03:00", "04:00")),
        rests(Rule::PartialOutage, "power failed where nothing was read", {
            dark("02:59", "03:00").set(|s| s.quality[2] = Quality::MISSING)
        }),
    ]
}

fn repeated() -> Vec<Row> {
    let today = Scene::default().with(&[(3, 777), (9, 333)]);
    let before = |back: i64, values: Vec<i64>, quality: Quality| {
        today.clone().set(|s| s.history.push((back, values, quality)))
    };
    let moved = Scene::default().with(&[(3, 333), (9, 777)]).values;
    let same = today.values.clone();
    // Monday to Sunday, each as the one before.
    let week = |backs: &[i64]| {
        today.clone().set(|s| {
            let of = |back: i64| Scene::default().with(&[(3, 777), (9, 333 + back % 7)]).values;
            s.history = backs.iter().map(|back| (*back, of(*back), Quality::VALID)).collect();
        })
    };
    vec![
        speaks(Rule::RepeatedDay, "the day of six days before", before(6, same.clone(), Quality::VALID)),
        rests(Rule::RepeatedDay, "two hours are exchanged", before(6, moved, Quality::VALID)),
        rests(Rule::RepeatedDay, "further back than is remembered", {
            let others =
                (1..=28).map(|back| (back, Scene::default().with(&[(2, back)]).values, Quality::VALID));
            let far = before(29, same.clone(), Quality::VALID);
            far.set(|s| {
                s.history.extend(others);
                s.history.sort_by_key(|(back, ..)| -back);
            })
        }),
        rests(Rule::RepeatedDay, "that day was estimated", {
            before(6, same.clone(), Quality::new(QualityClass::EstimatedProfile))
        }),
        rests(
            Rule::RepeatedDay,
            "yesterday was that of a week before as well",
            week(&[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ),
        speaks(Rule::RepeatedDay, "the first of a week that is that before", week(&[7, 6, 5, 4, 3, 2, 1])),
        rests(Rule::RepeatedDay, "an hour was not read", {
            before(6, same, Quality::VALID).set(|s| s.quality[4] = Quality::MISSING)
        }),
        rests(Rule::RepeatedDay, "a day of one value", {
            let flat = vec![40; 24];
            Scene::default().set(|s| s.values.clone_from(&flat)).after(1, &flat, Quality::VALID)
        }),
    ]
}

fn pile_up() -> Vec<Row> {
    let of = |kind, hole: &[(usize, i64)], value: i64| {
        Scene::of(kind).with(hole).with(&[(10, value)]).after(1, &quiet(24), Quality::VALID)
    };
    let hole = [(7, 0), (8, 0), (9, 0)];
    let import = |value: i64| of(ChannelKind::Import, &hole, value);
    vec![
        speaks(Rule::PileUp, "three hours in one", import(402)),
        speaks(Rule::PileUp, "a hair more than half above the next", import(202)),
        rests(Rule::PileUp, "half above the next", import(151)),
        rests(Rule::PileUp, "a single empty hour", of(ChannelKind::Import, &[(9, 0)], 201)),
        speaks(Rule::PileUp, "hours that were never read", {
            import(402).set(|s| s.quality[7..10].fill(Quality::MISSING))
        }),
        rests(Rule::PileUp, "more than the hole can be missing", import(1300)),
        rests(Rule::PileUp, "nothing is known of other days", import(402).set(|s| s.history.clear())),
        rests(Rule::PileUp, "a net channel has true zeros", of(ChannelKind::Net, &hole, 402)),
    ]
}

/// A register at every hour, and intervals that come so many hours late.
fn clock_shift() -> Vec<Row> {
    let drawn = |hour: i64| 150 + 37 * (hour * hour).rem_euclid(29);
    let shifted = |hours: i64, reads: usize| {
        let mut value = 0;
        let registers = (0..reads).map(|hour| {
            let hour = i64::try_from(hour).unwrap();
            let read = Register { at: clock("00:00") + jiff::SignedDuration::from_hours(hour), value };
            value += drawn(hour);
            read
        });
        Scene::default().set(|s| {
            s.registers = registers.collect();
            s.values = (0..24).map(|hour| drawn(hour - hours)).collect();
            s.now = at("2026-04-06T00:00:00Z");
        })
    };
    vec![
        speaks(Rule::ClockShift, "registers of a day whose intervals are an hour late", shifted(1, 24)),
        speaks(Rule::ClockShift, "an hour early", shifted(-1, 24)),
        rests(Rule::ClockShift, "at their hour", shifted(0, 24)),
        rests(Rule::ClockShift, "two hours late", shifted(2, 24)),
        rests(Rule::ClockShift, "too few registers to tell", shifted(1, 3)),
        rests(Rule::ClockShift, "no registers and no habit", shifted(1, 24).set(|s| s.registers.clear())),
    ]
}
