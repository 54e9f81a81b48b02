//! Properties of scaling, whatever the gap, the channel, the estimator and the registers.

use super::*;
use crate::facts::{Facts, Register};
use crate::stats::Stats;
use jiff::civil::{Date, Time, date};
use jiff::tz::TimeZone;
use model::{ChannelKind, IntervalLength, LocalDay};
use proptest::prelude::*;
use std::collections::BTreeSet;

const NOW: &str = "2026-06-01T00:00:00Z";
const KINDS: [ChannelKind; 6] = [
    ChannelKind::Import,
    ChannelKind::Export,
    ChannelKind::Generation,
    ChannelKind::Net,
    ChannelKind::Gas,
    ChannelKind::Water,
];

/// Days of Zurich in hours, the second of which has 23, with what truly flowed.
fn days(kind: ChannelKind, truth: &[i64]) -> Vec<Day> {
    let zone = TimeZone::get("Europe/Zurich").unwrap();
    let mut at = 0;
    let mut day = |on: Date| {
        let local = LocalDay::new(on, &zone).unwrap();
        let mut day = Day::missing(local, IntervalLength::HOUR, kind);
        for slot in &mut day.slots {
            let value = truth[at % truth.len()] - if kind.is_signed() { 400 } else { 0 };
            *slot = Slot::new(value, Quality::VALID);
            at += 1;
        }
        day
    };
    [28, 29, 30].map(|number| day(date(2026, 3, number))).into()
}

/// The instant at which interval `index` of the days begins, or their end.
fn boundary(days: &[Day], index: usize) -> Timestamp {
    let mut left = index;
    for day in days {
        if left < day.slots.len() {
            return day.start_of(left);
        }
        left -= day.slots.len();
    }
    days.last().unwrap().day.end()
}

fn values(days: &[Day]) -> Vec<i64> {
    days.iter().flat_map(|day| &day.slots).map(|slot| slot.value).collect()
}

/// High from seven to twenty-two o'clock on working days, low else.
fn tou_rules(estimator: Estimator) -> Rules {
    let period = |register, days, from, to| TouPeriod { register, days, from, to };
    let hour = |hour| Time::constant(hour, 0, 0, 0);
    let mut rules = Rules::default();
    rules.estimation.estimator = estimator;
    rules.estimation.tou =
        vec![period(1, TouDays::Working, hour(7), hour(22)), period(2, TouDays::Every, hour(0), hour(0))];
    rules
}

fn bucket_of(days: &[Day], index: usize) -> u8 {
    let at = boundary(days, index).to_zoned(days[0].day.zone().clone());
    let rest = matches!(at.weekday(), jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday);
    if !rest && (7..22).contains(&at.hour()) { 1 } else { 2 }
}

/// A register that counts what `moved` says, read at each mark; at the exchange the old meter is read, and the new one
/// begins at 7.
fn reads(
    days: &[Day],
    marks: &BTreeSet<usize>,
    exchanged: Option<usize>,
    moved: impl Fn(usize, usize) -> i64,
) -> Vec<(Timestamp, i64)> {
    let mut reads = Vec::new();
    let (mut value, mut last) = (50_000, 0);
    for mark in marks {
        value += moved(last, *mark);
        last = *mark;
        reads.push((boundary(days, *mark), value));
        if exchanged == Some(*mark) {
            value = 7;
            reads.push((boundary(days, *mark), value));
        }
    }
    reads
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn brackets_add_up_to_their_registers(
        truth in proptest::collection::vec(0i64..900, 71),
        holes in proptest::collection::vec(any::<bool>(), 71),
        marks in proptest::collection::btree_set(0usize..=71, 2..6),
        exchanged in proptest::option::of(1usize..71),
        kind in 0usize..KINDS.len(),
        blend in any::<bool>(),
        tou in any::<bool>(),
    ) {
        let kind = KINDS[kind];
        let estimator = if blend { Estimator::Blend } else { Estimator::Ladder };
        let whole = days(kind, &truth);
        let true_values = values(&whole);
        let mut span = whole.clone();
        for (slot, _) in span.iter_mut().flat_map(|day| &mut day.slots).zip(&holes).filter(|(_, hole)| **hole) {
            *slot = Slot::MISSING;
        }
        let marks: BTreeSet<usize> = marks.into_iter().chain(exchanged).collect();
        let moved = |from: usize, to: usize, of: u8| -> i64 {
            (from..to).filter(|at| of == 0 || bucket_of(&whole, *at) == of).map(|at| true_values[at]).sum()
        };
        let reads_of = |register: u8| reads(&whole, &marks, exchanged, |from, to| moved(from, to, register));
        let registers: Vec<Register> = reads_of(0).into_iter().map(|(at, value)| Register { at, value }).collect();
        let rates: Vec<TouRead> = [1, 2]
            .into_iter()
            .filter(|_| tou)
            .flat_map(|register| reads_of(register).into_iter().map(move |(at, value)| TouRead { register, at, value }))
            .collect();
        let exchanges: Vec<Timestamp> = exchanged.map(|mark| boundary(&whole, mark)).into_iter().collect();
        let facts = Facts { position: Some((47_376_900, 8_541_700)), ..Facts::new(kind, IntervalLength::HOUR) };
        let mut stats = Stats::default();
        let mut before = whole[0].clone();
        before.day = LocalDay::new(date(2026, 3, 27), before.day.zone()).unwrap();
        stats.absorb(&before);
        let context = Context {
            like_days: core::slice::from_ref(&before),
            registers: &registers,
            tou: &rates,
            exchanges: &exchanges,
            ..Context::new(&facts, &stats, NOW.parse().unwrap())
        };
        let rules = tou_rules(estimator);
        let gappy = span.clone();
        let made = estimate_days(&mut span, &context, &rules);
        let once = span.clone();
        prop_assert_eq!(estimate_days(&mut span, &context, &rules), made, "twice says the same");
        prop_assert_eq!(&span, &once, "twice changes nothing");
        let filled = values(&once);
        for (at, (old, new)) in gappy.iter().zip(&once).flat_map(|(a, b)| a.slots.iter().zip(&b.slots)).enumerate() {
            prop_assert!(holes[at] || old == new, "a reading was touched");
            prop_assert!(kind.is_signed() || new.value >= 0, "below zero at {at}");
            prop_assert!(!new.quality.is_missing());
        }
        let ends: Vec<usize> = marks.into_iter().collect();
        for pair in ends.windows(2) {
            let sum = |of: u8| -> i64 {
                (pair[0]..pair[1]).filter(|at| of == 0 || bucket_of(&whole, *at) == of).map(|at| filled[at]).sum()
            };
            for of in if tou { 0..=2 } else { 0..=0 } {
                prop_assert_eq!(sum(of), moved(pair[0], pair[1], of), "{:?} register {}", pair, of);
            }
        }
    }
}

/// A generator without a history: the registers are spread by the height of the sun, and nothing is made at night.
#[test]
fn a_generator_is_filled_as_the_sun_stands() {
    let local = LocalDay::new(date(2026, 6, 21), &TimeZone::get("Europe/Zurich").unwrap()).unwrap();
    let mut day = Day::missing(local, IntervalLength::HOUR, ChannelKind::Generation);
    let registers =
        [Register { at: day.day.start(), value: 0 }, Register { at: day.day.end(), value: 30_000 }];
    let stats = Stats::default();
    // Place, and the hours of light by the clock on the wall: the sun rises at 5:29 and sets at 21:26, and counts by
    // the middle of the hour; without a place it is taken to shine from six to eighteen, by its beginning.
    for (position, light) in [(Some((47_376_900, 8_541_700)), 6..21), (None, 7..18)] {
        let facts = Facts { position, ..Facts::new(day.kind, day.interval) };
        let context = Context {
            registers: &registers,
            ..Context::new(&facts, &stats, "2026-07-01T00:00:00Z".parse().unwrap())
        };
        let out = estimate(&mut day, &context, &Rules::default());
        assert_eq!((day.total(), out.estimates[0].method), (30_000, Method::Flat));
        let lit: Vec<usize> = (0..24).filter(|hour| day.slots[*hour].value > 0).collect();
        assert_eq!(lit, light.clone().collect::<Vec<_>>());
        let noon = if position.is_some() { 13 } else { 12 };
        assert!(day.slots.iter().all(|slot| slot.value <= day.slots[noon].value + 1), "{:?}", day.slots);
    }
}

/// Nothing is estimated before a meter was installed or after it was removed, and what is missing there keeps nothing
/// from being scaled.
#[test]
fn only_the_time_in_service_is_filled() {
    let mut span = days(ChannelKind::Import, &[100]);
    for slot in span.iter_mut().flat_map(|day| &mut day.slots) {
        *slot = Slot::MISSING;
    }
    let (installed, removed) = (boundary(&span, 5), boundary(&span, 60));
    let facts = Facts {
        installed: Some(installed),
        removed: Some(removed),
        ..Facts::new(ChannelKind::Import, IntervalLength::HOUR)
    };
    let registers =
        [Register { at: span[0].day.start(), value: 0 }, Register { at: span[2].day.end(), value: 5500 }];
    let stats = Stats::default();
    let context = Context { registers: &registers, ..Context::new(&facts, &stats, NOW.parse().unwrap()) };
    estimate_days(&mut span, &context, &Rules::default());
    let filled: Vec<bool> =
        span.iter().flat_map(|day| &day.slots).map(|slot| !slot.quality.is_missing()).collect();
    assert_eq!(filled, (0..71).map(|at| (5..60).contains(&at)).collect::<Vec<_>>());
    assert_eq!(values(&span).iter().sum::<i64>(), 5500);
}

/// A cold day that the channel's own history does not know of: others of the class tell, if they agree with each other.
#[test]
fn the_class_moves_the_blend_as_far_as_its_halves_agree() {
    let on = date(2026, 3, 4);
    let hours = |back: i64, value: i64| {
        let local = LocalDay::new(on - jiff::Span::new().days(back), &TimeZone::UTC).unwrap();
        let mut day = Day::missing(local, IntervalLength::HOUR, ChannelKind::Import);
        day.slots.fill(Slot::new(value, Quality::VALID));
        day
    };
    let like_days: Vec<Day> = (1..=20).map(|back| hours(back, 1000)).collect();
    let facts = Facts::new(ChannelKind::Import, IntervalLength::HOUR);
    let stats = Stats::default();
    let mut rules = Rules::default();
    rules.estimation.estimator = Estimator::Blend;
    // How the two halves move on the day, in thousandths of the days before, and the mean of the hours then.
    let rows = [
        ("both", [1500, 1500], 1480..=1500),
        ("neither", [1000, 1000], 1000..=1000),
        ("against", [1500, 500], 1000..=1000),
    ];
    for (name, moves, expected) in rows {
        let class_days: Vec<ClassDay> = (0..=20)
            .rev()
            .map(|back| {
                let halves =
                    moves.map(|permille| (50u32, if back == 0 { 50 * 9 * permille } else { 450_000 }));
                ClassDay { date: on - jiff::Span::new().days(back), halves }
            })
            .collect();
        let context = Context {
            like_days: &like_days,
            class_days: &class_days,
            ..Context::new(&facts, &stats, NOW.parse().unwrap())
        };
        let mut day = hours(0, 0);
        day.slots.fill(Slot::MISSING);
        estimate(&mut day, &context, &rules);
        assert!(expected.contains(&(day.total() / 24)), "{name}: {}", day.total() / 24);
    }
}
