use super::*;
use crate::day::DayMismatch;
use crate::facts::{Facts, Outage, Register};
use crate::finding::Rule;
use crate::stats::Stats;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use model::{ChannelId, ChannelKind, IntervalLength, LocalDay};
use proptest::prelude::*;

fn hours(on: Date, values: &[Option<i64>]) -> Day {
    let local = LocalDay::new(on, &TimeZone::UTC).unwrap();
    let mut day = Day::missing(local, IntervalLength::HOUR, ChannelKind::Import);
    for (slot, value) in day.slots.iter_mut().zip(values) {
        *slot = value.map_or(Slot::MISSING, |value| Slot::new(value, Quality::VALID));
    }
    day
}

/// A Wednesday in quarter hours.
fn quarters(values: &[Option<i64>]) -> Day {
    let local = LocalDay::new(date(2026, 3, 4), &TimeZone::UTC).unwrap();
    let mut day = Day::missing(local, IntervalLength::QUARTER_HOUR, ChannelKind::Import);
    day.slots.fill(Slot::new(1000, Quality::VALID));
    for (slot, value) in day.slots.iter_mut().zip(values) {
        *slot = value.map_or(Slot::MISSING, |value| Slot::new(value, Quality::VALID));
    }
    day
}

#[derive(Default)]
struct World {
    before: Vec<Slot>,
    after: Vec<Slot>,
    like_days: Vec<Day>,
    registers: Vec<Register>,
    outages: Vec<Outage>,
    stats: Stats,
    now: Option<Timestamp>,
}

impl World {
    fn run(&self, day: &mut Day) -> Estimated {
        let facts = Facts::new(day.kind, day.interval);
        let context = Context {
            before: &self.before,
            after: &self.after,
            like_days: &self.like_days,
            registers: &self.registers,
            outages: &self.outages,
            ..Context::new(&facts, &self.stats, self.now.unwrap_or("2026-04-01T00:00:00Z".parse().unwrap()))
        };
        let out = estimate(day, &context, &Rules::default());
        let first = day.clone();
        assert_eq!(estimate(day, &context, &Rules::default()), out, "twice says the same");
        assert_eq!(*day, first, "twice changes nothing");
        out
    }
}

fn values(day: &Day, slots: Range<usize>) -> Vec<i64> {
    day.slots[slots].iter().map(|slot| slot.value).collect()
}

fn brief(out: &Estimated) -> Vec<(Range<usize>, Method)> {
    out.estimates.iter().map(|estimate| (estimate.slots.clone(), estimate.method)).collect()
}

#[test]
fn a_straight_line_between_neighbours() {
    let mut day = quarters(&[Some(1200), None, None, None, Some(2000)]);
    let out = World::default().run(&mut day);
    assert_eq!(values(&day, 0..5), [1200, 1400, 1600, 1800, 2000]);
    assert_eq!(brief(&out), [(1..4, Method::Linear)]);
}

#[test]
fn a_line_reaches_two_hours_and_no_further() {
    for (holes, bridged) in [(8, true), (9, false)] {
        let mut day = quarters(&[Some(900)]);
        day.slots[1..=holes].fill(Slot::MISSING);
        let out = World::default().run(&mut day);
        assert_eq!(out.estimates.is_empty(), !bridged, "{holes}");
        assert_eq!(day.missing_count(), if bridged { 0 } else { holes });
    }
}

#[test]
fn no_line_from_a_doubtful_end() {
    for flags in [Quality::POWER_FAIL, Quality::PARTIAL] {
        let mut day = quarters(&[Some(900), None, Some(1100)]);
        day.slots[0].quality = Quality::VALID.with(flags);
        assert_eq!(World::default().run(&mut day).estimates, []);
    }
    let mut day = quarters(&[Some(900), None, Some(1100)]);
    day.slots[2].quality = Quality::new(QualityClass::Questionable);
    assert_eq!(World::default().run(&mut day).estimates, []);
}

#[test]
fn a_line_over_midnight_is_the_same_from_both_sides() {
    let ends = (Slot::new(100, Quality::VALID), Slot::new(700, Quality::VALID));
    let mut today = quarters(&[]);
    today.slots[93] = ends.0;
    today.slots[94..].fill(Slot::MISSING);
    let mut tomorrow = quarters(&[None, None, None, Some(700)]);
    tomorrow.day = today.day.next().unwrap();
    let early = World { after: tomorrow.slots[..9].to_vec(), ..World::default() }.run(&mut today);
    let late = World { before: today.slots[87..].to_vec(), ..World::default() }.run(&mut tomorrow);
    assert_eq!(values(&today, 94..96), [200, 300]);
    assert_eq!(values(&tomorrow, 0..3), [400, 500, 600]);
    assert_eq!(brief(&early), [(94..96, Method::Linear)]);
    assert_eq!(brief(&late), [(0..3, Method::Linear)]);
}

#[test]
fn estimates_scale_to_the_registers_exactly() {
    // Valid 1000, 1100, 900; a line would give 1400, 1600, 1800; the register moved by 9000.
    let mut day = quarters(&[Some(1000), Some(1100), Some(900), Some(1200), None, None, None, Some(2000)]);
    let from = day.start_of(4);
    let to = day.start_of(7);
    let registers = vec![Register { at: from, value: 40_000 }, Register { at: to, value: 46_000 }];
    let out = World { registers, ..World::default() }.run(&mut day);
    assert_eq!(values(&day, 4..7), [1750, 2000, 2250]);
    assert_eq!(brief(&out), [(4..7, Method::Linear)]);
    assert!(out.estimates[0].scaled && !out.is_unscaled());
}

#[test]
fn what_registers_say_against_readings_is_not_scaled() {
    let mut day = quarters(&[Some(1200), None, None, None, Some(2000)]);
    let registers = vec![
        Register { at: day.day.start(), value: 0 },
        Register { at: day.start_of(5), value: 3000 },
        Register { at: day.start_of(9), value: 10 },
    ];
    let out = World { registers, ..World::default() }.run(&mut day);
    assert_eq!(values(&day, 1..4), [1400, 1600, 1800]);
    assert_eq!(
        out.findings.iter().map(|f| (f.rule, f.slots.clone())).collect::<Vec<_>>(),
        [(Rule::SumCheck, 0..5)]
    );
}

#[test]
fn a_whole_day_without_history_is_spread_over_its_registers() {
    let mut day = hours(date(2026, 3, 4), &[]);
    let registers =
        vec![Register { at: day.day.start(), value: 99_990 }, Register { at: day.day.end(), value: 100_015 }];
    let out = World { registers, ..World::default() }.run(&mut day);
    assert_eq!(day.total(), 25);
    assert!(day.slots.iter().all(|slot| slot.value == 1 || slot.value == 2));
    assert_eq!(brief(&out), [(0..24, Method::Flat)]);
    assert!(out.estimates[0].scaled);
}

#[test]
fn like_days_are_the_newest_three_of_the_weekday() {
    let on = date(2026, 3, 4);
    let back = |days: i64, value: i64| hours(on - jiff::Span::new().days(days), &[Some(value); 24]);
    let rows = [
        (
            "three newest of four",
            vec![back(7, 10), back(14, 20), back(21, 30), back(28, 900)],
            Some((20, Method::LikeDay)),
        ),
        ("too old", vec![back(35, 10)], None),
        ("itself and the future", vec![back(0, 10), back(-7, 10)], None),
        ("another working day stands in", vec![back(1, 10), back(3, 900)], Some((10, Method::SimilarDay))),
        ("a weekend does not", vec![back(3, 900), back(4, 900)], None),
        (
            "the same weekday is better than yesterday",
            vec![back(1, 900), back(7, 10)],
            Some((10, Method::LikeDay)),
        ),
    ];
    for (name, like_days, expected) in rows {
        let mut day = hours(on, &[Some(5), Some(5), None, None, None, Some(5)]);
        day.slots[6..].fill(Slot::new(5, Quality::VALID));
        let world = World { like_days, ..World::default() };
        let out = world.run(&mut day);
        let method = expected.map(|(_, method)| (2..5, method));
        assert_eq!(brief(&out), method.into_iter().collect::<Vec<_>>(), "{name}");
        if let Some((value, _)) = expected {
            assert_eq!(values(&day, 2..5), [value; 3], "{name}");
        }
    }
}

#[test]
fn a_like_day_with_an_unsound_interval_in_the_window_does_not_serve() {
    let mut like = hours(date(2026, 2, 25), &[Some(10); 24]);
    like.slots[9].quality = Quality::new(QualityClass::EstimatedLikeDay);
    for (hole, served) in [(2..5, true), (7..10, false)] {
        let mut day = hours(date(2026, 3, 4), &[Some(5); 24]);
        day.slots[hole].fill(Slot::MISSING);
        let out = World { like_days: vec![like.clone()], ..World::default() }.run(&mut day);
        assert_eq!(!out.estimates.is_empty(), served);
    }
}

#[test]
fn the_last_resort_is_the_mean_day_spread_evenly() {
    let mut stats = Stats::default();
    stats.absorb(&hours(date(2026, 3, 1), &[Some(10); 24]));
    stats.absorb(&hours(date(2026, 3, 2), &[Some(11); 24]));
    let mut day = hours(date(2026, 3, 4), &[]);
    let out = World { stats, ..World::default() }.run(&mut day);
    assert_eq!(brief(&out), [(0..24, Method::Flat)]);
    assert_eq!(day.total(), 252);
}

#[test]
fn zero_is_known_only_for_whole_intervals_without_supply() {
    let mut day = quarters(&[]);
    day.slots[1..5].fill(Slot::MISSING);
    let outages = vec![Outage {
        from: day.start_of(1) + SignedDuration::from_secs(60),
        to: day.start_of(4) + SignedDuration::from_secs(60),
    }];
    let out = World { outages, ..World::default() }.run(&mut day);
    assert_eq!(values(&day, 2..4), [0, 0]);
    assert_eq!(day.slots[2].quality, Quality::new(QualityClass::DerivedZero));
    // Beside a known zero there is no sound neighbour: the cut intervals stay open.
    assert!(day.slots[1].quality.is_missing() && day.slots[4].quality.is_missing());
    assert_eq!(brief(&out), [(2..4, Method::KnownZero)]);
}

#[test]
fn nothing_is_filled_before_it_is_overdue() {
    let mut day = quarters(&[Some(1200), None, None, None, Some(2000)]);
    let now = |text: &str| World { now: Some(text.parse().unwrap()), ..World::default() };
    assert_eq!(now("2026-03-04T06:59:59Z").run(&mut day).estimates, []);
    assert_eq!(brief(&now("2026-03-04T07:00:00Z").run(&mut day)), [(1..4, Method::Linear)]);
}

#[test]
fn late_readings_take_the_place_of_estimates() {
    let mut day = quarters(&[Some(1200), None, None, None, Some(2000)]);
    let _ = World::default().run(&mut day);
    let late = crate::Arrival { start: day.start_of(2), value: 1000, quality: Quality::RAW };
    assert_eq!(crate::merge(&mut day, &[late], &Rules::default()).superseded, 1);
    crate::judge(&mut day, &[]);
    let out = World::default().run(&mut day);
    assert_eq!(values(&day, 0..5), [1200, 1100, 1000, 1500, 2000]);
    assert_eq!(brief(&out), [(1..2, Method::Linear), (3..4, Method::Linear)]);
}

#[test]
fn a_block_goes_there_and_back() {
    let mut day = quarters(&[Some(1200), None, Some(3)]);
    day.slots[2].quality = Quality::new(QualityClass::Edited);
    let block = day.to_block(ChannelId::new(7), 3, day.day.end());
    assert_eq!(Day::from_block(&block, day.kind, &day.day).unwrap(), day);
    let other = day.day.next().unwrap();
    let refusal = Day::from_block(&block, day.kind, &other).unwrap_err();
    assert!(matches!(refusal, DayMismatch::Date { .. }));
}

fn any_slot() -> impl Strategy<Value = Slot> {
    prop_oneof![
        6 => (0i64..5000).prop_map(|value| Slot::new(value, Quality::RAW)),
        3 => Just(Slot::MISSING),
        1 => (0i64..5000, 0u8..12, 0u8..16).prop_map(|(value, class, flags)| {
            let class = QualityClass::ALL[usize::from(class)];
            let value = if class == QualityClass::Missing { 0 } else { value };
            Slot::new(value, Quality::new(class).with(flags << 4))
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever the day: readings stay, a second run of the whole chain changes nothing, and where the
    /// registers bracket the day and nothing is left open, it adds up to them exactly.
    #[test]
    fn the_chain_is_idempotent_and_touches_no_reading(
        slots in proptest::collection::vec(any_slot(), 96),
        like in proptest::collection::vec(any_slot(), 96),
        delta in 0i64..600_000,
        outage in (0i64..96, 0i64..20),
    ) {
        let mut day = quarters(&[]);
        day.slots = slots;
        let mut like_day = quarters(&[]);
        like_day.day = LocalDay::new(date(2026, 2, 25), &TimeZone::UTC).unwrap();
        like_day.slots = like;
        let start = day.day.start();
        let quarter = |n: i64| start + SignedDuration::from_secs(900 * n);
        let world = World {
            registers: vec![Register { at: start, value: 7 }, Register { at: day.day.end(), value: 7 + delta }],
            outages: vec![Outage { from: quarter(outage.0), to: quarter(outage.0 + outage.1) }],
            like_days: vec![like_day],
            ..World::default()
        };
        let rules = Rules::default();
        let stats = Stats::default();
        let facts = Facts::new(day.kind, day.interval);
        let now = "2026-04-01T00:00:00Z".parse().unwrap();
        let before = day.clone();
        let chain = |day: &mut Day| {
            let input = crate::DayInput { registers: &world.registers, outages: &world.outages, ..crate::DayInput::new(day, &facts) };
            let findings = crate::validate(&input, &rules, &stats, now);
            crate::judge(day, &findings);
            (findings, world.run(day))
        };
        let _ = chain(&mut day);
        let once = day.clone();
        let (_, again) = chain(&mut day);
        prop_assert_eq!(&day, &once);
        for (old, new) in before.slots.iter().zip(&day.slots) {
            if old.quality.is_read() || old.quality.class() == QualityClass::Edited {
                prop_assert_eq!(old.value, new.value);
            }
        }
        let any_estimated = day.slots.iter().any(|slot| slot.quality.is_estimated());
        if day.missing_count() == 0 && again.findings.is_empty() && any_estimated {
            prop_assert_eq!(day.total(), delta);
        }
    }
}

#[test]
fn every_method_stands_side_by_side_with_its_grounds() {
    let day = quarters(&[Some(1200), None, None, None, Some(2000)]);
    let mut like = quarters(&[]);
    like.day = LocalDay::new(date(2026, 2, 25), &TimeZone::UTC).unwrap();
    let facts = Facts::new(day.kind, day.interval);
    let stats = Stats::default();
    let context = Context {
        like_days: core::slice::from_ref(&like),
        ..Context::new(&facts, &stats, "2026-03-04T03:00:00Z".parse().unwrap())
    };
    let found = candidates(&day, 1..4, &context, &Rules::default());
    assert_eq!(found.iter().map(|c| c.method).collect::<Vec<_>>(), Method::ALL);
    let of = |method| found.iter().find(|candidate| candidate.method == method).unwrap();
    let line = of(Method::Linear);
    assert_eq!((line.applies, line.scaled, line.total), (true, false, 4800));
    assert_eq!(line.values, [1400, 1600, 1800]);
    assert_eq!(line.quality, Quality::new(QualityClass::EstimatedLinear));
    assert_eq!(of(Method::LikeDay).why, "the mean of 1 day: Wed 2026-02-25");
    assert_eq!(of(Method::Profile).why, "the rule set holds no load shape of the class");
    for candidate in &found {
        assert_eq!(candidate.values.len(), if candidate.applies { 3 } else { 0 }, "{candidate:?}");
        assert!(!candidate.why.is_empty());
    }
    let none = candidates(&day, 96..99, &context, &Rules::default());
    assert_eq!(none, []);
}

#[test]
fn candidates_are_scaled_where_registers_enclose_them() {
    let day = quarters(&[Some(1200), Some(1), Some(1), Some(1), Some(2000)]);
    let facts = Facts::new(day.kind, day.interval);
    let stats = Stats::default();
    let registers =
        [Register { at: day.start_of(1), value: 10 }, Register { at: day.start_of(4), value: 6010 }];
    let context = Context {
        registers: &registers,
        ..Context::new(&facts, &stats, "2026-03-04T03:00:00Z".parse().unwrap())
    };
    let found = candidates(&day, 1..4, &context, &Rules::default());
    let line = found.iter().find(|candidate| candidate.method == Method::Linear).unwrap();
    assert_eq!((line.values.as_slice(), line.scaled), ([1750, 2000, 2250].as_slice(), true));
    assert!(found.iter().filter(|candidate| candidate.applies).all(|candidate| candidate.total == 6000));
}
