//! Properties of validation, whatever the values, the interval, the channel and the zone.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use model::{
    BatchSource, ChannelKind, IntervalLength, LocalDay, MeterId, Quality, QualityClass, ReadBatch, Unit,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::collections::{BTreeMap, BTreeSet};
use vee::fast::{Around, ChannelDay, Sibling, check_day};
use vee::{
    Day, DayInput, Evidence, Facts, Finding, Outage, Register, Rule, Rules, Slot, Stats, TouRead, admit_with,
    judge, merge, validate,
};

/// Zones of three continents with the days on which their clocks change, and two that are ordinary.
const DAYS: [(&str, Date); 8] = [
    ("Europe/Zurich", date(2026, 3, 29)),
    ("Europe/Zurich", date(2026, 10, 25)),
    ("Australia/Sydney", date(2026, 4, 5)),
    ("Australia/Sydney", date(2026, 10, 4)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("UTC", date(2026, 3, 4)),
    ("Europe/Zurich", date(2026, 7, 1)),
];
const LENGTHS_S: [u32; 6] = [300, 600, 900, 1800, 3600, 86_400];

fn local((zone, date): (&str, Date)) -> LocalDay {
    LocalDay::new(date, &TimeZone::get(zone).unwrap()).unwrap()
}

fn days() -> impl Strategy<Value = LocalDay> {
    select(&DAYS[..]).prop_map(local)
}

fn lengths(longest_s: u32) -> impl Strategy<Value = IntervalLength> {
    select(&LENGTHS_S[..])
        .prop_filter("short enough", move |secs| *secs <= longest_s)
        .prop_map(|secs| IntervalLength::from_secs(secs).unwrap())
}

fn kinds() -> impl Strategy<Value = ChannelKind> {
    select(&ChannelKind::ALL[..])
}

fn qualities() -> impl Strategy<Value = Quality> {
    let class = prop_oneof![4 => Just(QualityClass::Raw), 1 => select(&QualityClass::ALL[..])];
    (class, prop_oneof![4 => Just(0u8), 1 => (0u8..16).prop_map(|flags| flags << 4)])
        .prop_map(|(class, flags)| Quality::new(class).with(flags))
}

/// What meters count, and what no meter counts.
fn values() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => 0i64..3000,
        2 => Just(0i64),
        1 => -50i64..0,
        1 => 3000i64..60_000,
    ]
}

fn extremes() -> impl Strategy<Value = i64> {
    prop_oneof![
        select(vec![i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX, 1_000_000_000_000]),
        any::<i64>(),
        -5i64..5000,
    ]
}

fn day_of(day: &LocalDay, interval: IntervalLength, kind: ChannelKind, slots: &[(i64, Quality)]) -> Day {
    let mut made = Day::missing(day.clone(), interval, kind);
    for (slot, (value, quality)) in made.slots.iter_mut().zip(slots.iter().cycle()) {
        *slot = if quality.is_missing() { Slot::MISSING } else { Slot::new(*value, *quality) };
    }
    made
}

fn found(day: &Day, stats: &Stats) -> Vec<Finding> {
    found_beside(&DayInput::new(day, &Facts::new(day.kind, day.interval)), stats)
}

fn found_beside(input: &DayInput<'_>, stats: &Stats) -> Vec<Finding> {
    validate(input, &Rules::default(), stats, input.day.day.end() + 48.hours())
}

fn names(findings: &[Finding]) -> BTreeSet<Rule> {
    findings.iter().map(|finding| finding.rule).collect()
}

/// Numbers that look random and are the same for the same seed.
fn noise(seed: u64, count: usize, level: i64) -> Vec<i64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        level + i64::try_from(state >> 33).unwrap() % (level / 5) - level / 10
    };
    (0..count).map(|_| next()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    /// Judging, remembering and looking again: the same findings, the same bytes.
    #[test]
    fn a_day_validated_twice_is_the_same(
        day in days(), interval in lengths(86_400), kind in kinds(),
        slots in prop::collection::vec((values(), qualities()), 1..150),
        before in prop::collection::vec((values(), qualities()), 1..40),
        moved in 0i64..100_000, dark in (0i64..90_000, 1i64..20_000),
    ) {
        let mut stats = Stats::default();
        for back in (1..=12).rev() {
            let earlier = LocalDay::new(day.date() - back.days(), day.zone()).unwrap();
            stats.absorb(&day_of(&earlier, interval, kind, &before));
        }
        let mut judged = day_of(&day, interval, kind, &slots);
        let facts = Facts { rating_w: Some(14_490), nominal_dv: Some(2300), ..Facts::new(kind, interval) };
        let registers = [
            Register { at: day.start(), value: 90_000 },
            Register { at: day.start() + 7.hours(), value: 90_000 + moved },
            Register { at: day.end(), value: 90_000 + 2 * moved },
        ];
        let from = day.start() + dark.0.seconds();
        let outages = [Outage { from, to: from + dark.1.seconds() }];
        let look = |day: &Day, stats: &Stats| {
            let input = DayInput { registers: &registers, outages: &outages, ..DayInput::new(day, &facts) };
            found_beside(&input, stats)
        };
        let first = look(&judged, &stats);
        judge(&mut judged, &first);
        let once = judged.clone();
        prop_assert_eq!(&look(&judged, &stats), &first);
        stats.absorb(&judged);
        prop_assert_eq!(&look(&judged, &stats), &first);
        judge(&mut judged, &first);
        prop_assert_eq!(&judged, &once);
        let remembered = stats.to_bytes();
        stats.absorb(&judged);
        prop_assert_eq!(stats.to_bytes(), remembered);
    }

    /// Channels know nothing of each other, and a day that is judged again while it is remembered gives what it gave.
    #[test]
    fn the_order_of_channels_does_not_matter(
        channels in prop::collection::vec((kinds(), prop::collection::vec(values(), 24 * 9)), 2..5),
        turns in prop::collection::vec(any::<Index>(), 60),
    ) {
        let made = |channel: usize, number: usize| {
            let (kind, values) = &channels[channel];
            let day = LocalDay::new(date(2026, 3, 1) + i64::try_from(number).unwrap().days(), &TimeZone::UTC);
            let values = &values[24 * number..24 * number + 24];
            let slots: Vec<_> = values.iter().map(|value| (*value, Quality::RAW)).collect();
            day_of(&day.unwrap(), IntervalLength::HOUR, *kind, &slots)
        };
        let judge_next = |channel: usize, number: usize, stats: &mut Stats| {
            let mut day = made(channel, number);
            let findings = found(&day, stats);
            judge(&mut day, &findings);
            stats.absorb(&day);
            findings
        };
        // Channel by channel.
        let mut apart: BTreeMap<(usize, usize), Vec<Finding>> = BTreeMap::new();
        let mut last: Vec<Stats> = Vec::new();
        for channel in 0..channels.len() {
            let mut stats = Stats::default();
            for number in 0..9 {
                apart.insert((channel, number), judge_next(channel, number, &mut stats));
            }
            last.push(stats);
        }
        // In any turn.
        let mut mixed = BTreeMap::new();
        let mut all = vec![Stats::default(); channels.len()];
        let mut next = vec![0usize; channels.len()];
        let rest = (0..channels.len()).flat_map(|channel| [channel; 9]);
        for channel in turns.iter().map(|turn| turn.index(channels.len())).chain(rest) {
            let number = next[channel];
            if number < 9 {
                mixed.insert((channel, number), judge_next(channel, number, &mut all[channel]));
                next[channel] += 1;
            }
        }
        prop_assert_eq!(&mixed, &apart);
        prop_assert_eq!(&all, &last);
        for ((channel, number), findings) in apart {
            let again = found(&made(channel, number), &last[channel]);
            // Of the last hour before midnight only the newest days are remembered.
            let kept = |finding: &&Finding| {
                number >= 6 || finding.rule != Rule::Jump || finding.slots.start > 0
            };
            prop_assert!(again.iter().filter(kept).eq(findings.iter().filter(kept)), "{channel} {number}");
        }
    }

    /// Days of 23, 24 and 25 hours: what was counted adds up to the registers, wherever these were read, and a
    /// value that was not counted is found where it stands.
    #[test]
    fn every_hour_of_a_day_is_counted_once(
        day in days(), interval in lengths(3600), seed in any::<u64>(),
        at in prop::collection::vec(any::<Index>(), 2..6), touched in any::<Index>(),
    ) {
        let count = day.intervals(interval);
        let counted = noise(seed, count, 400);
        let register = |slot: usize| Register {
            at: day.interval_start(interval, slot),
            value: 7000 + counted[..slot].iter().sum::<i64>(),
        };
        let places = at.iter().map(|index| index.index(count + 1)).chain([0, count]);
        let places: BTreeSet<usize> = places.collect();
        let registers: Vec<Register> = places.iter().map(|slot| register(*slot)).collect();
        let slots: Vec<_> = counted.iter().map(|value| (*value, Quality::RAW)).collect();
        let mut made = day_of(&day, interval, ChannelKind::Import, &slots);
        let facts = Facts::new(made.kind, interval);
        let look = |day: &Day| {
            let input = DayInput { registers: &registers, ..DayInput::new(day, &facts) };
            found_beside(&input, &Stats::default())
        };
        prop_assert_eq!(look(&made), []);
        let touched = touched.index(count);
        made.slots[touched].value += 500;
        let findings = look(&made);
        let sum = findings.iter().find(|finding| finding.rule == Rule::SumCheck).unwrap();
        prop_assert!(sum.slots.contains(&touched), "{:?} {}", sum, touched);
    }

    /// What was not read is what the gaps say, interval by interval, and a day of another length is said to be one.
    #[test]
    fn gaps_are_what_was_not_read(
        day in days(), interval in lengths(86_400), seed in any::<u64>(),
        holes in prop::collection::vec(any::<Index>(), 0..9), more in select(vec![-1i64, 0, 1]),
    ) {
        let count = day.intervals(interval);
        let values: Vec<_> = noise(seed, count, 400).into_iter().map(|value| (value, Quality::RAW)).collect();
        let mut made = day_of(&day, interval, ChannelKind::Import, &values);
        let holes: BTreeSet<usize> = holes.iter().map(|index| index.index(count)).collect();
        holes.iter().for_each(|slot| made.slots[*slot] = Slot::MISSING);
        let findings = found(&made, &Stats::default());
        let gaps = || findings.iter().filter(|finding| finding.rule == Rule::Gap);
        let said: Vec<usize> = gaps().flat_map(|gap| gap.slots.clone()).collect();
        prop_assert_eq!(said, holes.iter().copied().collect::<Vec<_>>());
        for gap in gaps() {
            let from = made.start_of(gap.slots.start).to_zoned(day.zone().clone());
            let wall = from.strftime("%H:%M").to_string();
            prop_assert!(gap.sentence.contains(&format!("from {wall} to ")), "{} {}", gap.sentence, wall);
        }
        let other = count.saturating_add_signed(isize::try_from(more).unwrap());
        made.slots.resize(other, Slot::new(400, Quality::RAW));
        let says = names(&found(&made, &Stats::default())).contains(&Rule::DstCompleteness);
        prop_assert_eq!(says, other != count);
    }

    /// Water that runs in each of 23, 24 or 25 hours is a leak; one hour of rest, whichever, and it is none.
    #[test]
    fn a_leak_has_no_hour_of_rest_on_any_day(
        day in days(), interval in lengths(3600), seed in any::<u64>(), rest in any::<Index>(),
    ) {
        let per_hour = usize::try_from(3600 / interval.secs()).unwrap();
        let count = day.intervals(interval);
        let values: Vec<_> = noise(seed, count, 20).into_iter().map(|value| (value, Quality::RAW)).collect();
        let mut made = day_of(&day, interval, ChannelKind::Water, &values);
        prop_assert_eq!(names(&found(&made, &Stats::default())), BTreeSet::from([Rule::Leak]));
        let hour = rest.index(count / per_hour);
        made.slots[hour * per_hour..(hour + 1) * per_hour].fill(Slot::new(0, Quality::RAW));
        prop_assert!(!names(&found(&made, &Stats::default())).contains(&Rule::Leak));
    }

    /// A constant with noise on it has no shape, over the change of the clocks and all else. (That a week of it leans
    /// to one side, or that two of its days have one total and one digest, is a matter of chance; how often is measured
    /// by the bench of planted faults.)
    #[test]
    fn a_constant_with_noise_has_no_shape(
        place in select(&DAYS[..]), interval in lengths(3600), seed in any::<u64>(), level in 200i64..3000,
        kind in select(vec![ChannelKind::Import, ChannelKind::Generation, ChannelKind::Net]),
    ) {
        let middle = local(place);
        let mut stats = Stats::default();
        for number in -20i64..15 {
            let day = LocalDay::new(middle.date() + number.days(), middle.zone()).unwrap();
            let values = noise(seed.wrapping_add(number.cast_unsigned()), day.intervals(interval), level);
            let slots: Vec<_> = values.into_iter().map(|value| (value, Quality::RAW)).collect();
            let made = day_of(&day, interval, kind, &slots);
            let mut findings = found(&made, &stats);
            findings.retain(|finding| ![Rule::ClockShift, Rule::RepeatedDay].contains(&finding.rule));
            prop_assert_eq!(findings, [], "{}", day.date());
            stats.absorb(&made);
        }
    }

    /// What is k times as large, under limits k times as high, is judged the same.
    #[test]
    fn rules_that_compare_do_not_depend_on_the_unit(
        slots in prop::collection::vec(values(), 24..=24), before in prop::collection::vec(values(), 24..=24),
        kind in kinds().prop_filter("additive", |kind| kind.is_additive()),
        excess in -3i64..4, k in 2i64..2000,
    ) {
        let judged = |k: i64| {
            let facts = Facts {
                rating_w: Some(50_000 * k),
                resolution: k,
                modulus: Some(100_000_000 * k),
                ..Facts::new(kind, IntervalLength::HOUR)
            };
            let (mut stats, day) = (Stats::default(), local(DAYS[6]));
            let made = |date: Date, values: &[i64]| {
                // Multiples of eight: the mean of eight days is whole.
                let slots: Vec<_> = values.iter().map(|value| (8 * k * value, Quality::RAW)).collect();
                day_of(&LocalDay::new(date, day.zone()).unwrap(), IntervalLength::HOUR, kind, &slots)
            };
            for back in 1..=8 {
                let mut values = before.clone();
                values.rotate_right(usize::try_from(back).unwrap());
                stats.absorb(&made(day.date() - back.days(), &values));
            }
            let day = made(day.date(), &slots);
            let sum = day.total();
            // A whole number of thousands moved: a thousandth of it is whole.
            let moved = sum - sum % (8000 * k) + excess * 8000 * k;
            let registers =
                [Register { at: day.day.start(), value: 0 }, Register { at: day.day.end(), value: moved }];
            let input = DayInput { registers: &registers, ..DayInput::new(&day, &facts) };
            let findings = validate(&input, &scaled(k), &stats, day.day.end() + 48.hours());
            findings.into_iter().map(|f| (f.rule, f.severity, f.slots)).collect::<Vec<_>>()
        };
        prop_assert_eq!(judged(k), judged(1));
    }
}

/// The rules with every limit that has a unit k times as high.
fn scaled(k: i64) -> Rules {
    let mut rules = Rules::default();
    for floor in [
        &mut rules.spike.floor_w,
        &mut rules.spike.floor_gas_l_per_h,
        &mut rules.spike.floor_water_l_per_h,
        &mut rules.jump.floor_w,
        &mut rules.jump.floor_gas_l_per_h,
        &mut rules.jump.floor_water_l_per_h,
        &mut rules.demand.floor_w,
        &mut rules.demand.floor_gas_l_per_h,
        &mut rules.demand.floor_water_l_per_h,
        &mut rules.high_low.min_difference_wh,
        &mut rules.high_low.min_difference_l,
        &mut rules.stuck.floor,
        &mut rules.reverse_energy_wh,
        &mut rules.reverse_flow_l,
        &mut rules.leak.water_l_per_h,
        &mut rules.leak.gas_l_per_h,
    ] {
        *floor *= k;
    }
    rules
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    /// Whatever stands in a day and around it, nothing panics, and what is remembered is read back.
    #[test]
    fn no_value_is_too_large(
        day in days(), interval in lengths(86_400), kind in kinds(),
        slots in prop::collection::vec((extremes(), qualities()), 0..130),
        other in prop::collection::vec((extremes(), qualities()), 0..130),
        beside in kinds(),
        numbers in prop::collection::vec(extremes(), 12),
        vacant in any::<bool>(), position in proptest::option::of((any::<i32>(), any::<i32>())),
        multiplier in any::<u32>(), bits in proptest::option::of(any::<u8>()),
        times in prop::collection::vec(-90_000i64..180_000, 8),
    ) {
        let n = |index: usize| numbers[index % numbers.len()];
        let facts = Facts {
            modulus: Some(n(0)), resolution: n(1), rating_w: Some(n(2)), nominal_dv: Some(n(3)),
            vacant, position, multiplier, counter_bits: bits, ..Facts::new(kind, interval)
        };
        let at = |index: usize| day.start() + times[index].seconds();
        let read = |index| Register { at: at(index), value: n(4 + index) };
        let mut sorted: Vec<_> = (0..6).map(read).collect();
        sorted.extend([Register { at: day.start(), value: n(10) }, Register { at: day.end(), value: n(11) }]);
        sorted.sort_by_key(|read| read.at);
        let rate = |(index, read): (usize, &Register)| {
            TouRead { register: u8::try_from(index % 3).unwrap(), at: read.at, value: n(index) }
        };
        let rates: Vec<_> = sorted.iter().enumerate().map(rate).collect();
        let spans: Vec<_> = (0..3).map(|index| Outage { from: at(index), to: at(index + 3) }).collect();
        let (values, quality): (Vec<_>, Vec<_>) = slots.iter().copied().unzip();
        let (others, other_quality): (Vec<_>, Vec<_>) = other.iter().copied().unzip();
        let siblings = [
            Sibling { kind: beside, values: &others, quality: &other_quality },
            Sibling { kind: beside, values: &values, quality: &quality },
            Sibling { kind: ChannelKind::ReactiveImport, values: &values, quality: &quality },
            Sibling { kind: ChannelKind::Voltage, values: &values, quality: &quality },
        ];
        let around = Around {
            registers: &sorted, rates: &rates, outages: &spans, off: &spans[1..], siblings: &siblings,
            check: siblings.get(1).map(|check| Sibling { kind, ..*check }), ..Around::default()
        };
        let mut stats = Stats::default();
        for back in (0..=9).rev() {
            let earlier = LocalDay::new(day.date() - back.days(), day.zone()).unwrap();
            let view = ChannelDay { day: &earlier, interval, kind, values: &values, quality: &quality };
            let verdict = check_day(&view, &around, &facts, &Rules::default(), &stats, day.end());
            for finding in &verdict.findings {
                prop_assert!(finding.slots.end <= values.len(), "{:?}", finding);
            }
            stats.absorb_summary(&verdict.summary);
            prop_assert_eq!(&Stats::from_bytes(&stats.to_bytes()).unwrap(), &stats);
        }
    }

    /// Nor at the gate, whatever a file or a meter says.
    #[test]
    fn no_batch_is_too_odd(
        kind in kinds(), interval in lengths(86_400), scaler in any::<i8>(),
        start in any::<i64>(), received in any::<i64>(),
        values in prop::collection::vec((proptest::option::of(extremes()), any::<u8>()), 0..40),
        offsets in (any::<i64>(), any::<i64>(), any::<i8>(), any::<u32>()), sender in any::<bool>(),
    ) {
        let bound = |at: i64| if at < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let second = |at: i64| Timestamp::from_second(at).unwrap_or(bound(at));
        let start = interval.floor(second(start).max(Timestamp::MIN + 48.hours()));
        let (unit, _) = kind.stored_unit();
        let batch = ReadBatch {
            meter: MeterId::new(1), kind, start, interval, scaler,
            unit: if sender { unit } else { Unit::WattHour },
            values: values.iter().map(|(value, _)| *value).collect(),
            status: values.iter().map(|(_, status)| *status).collect(),
            received_at: second(received),
            source: if sender { BatchSource::Sender } else { BatchSource::Push },
        };
        let evidence = Evidence {
            system_offset_ms: Some(offsets.0), meter_offset_ms: Some(offsets.1),
            scaler_off: Some(offsets.2).filter(|off| off % 2 == 0),
            multiplier: Some(offsets.3).filter(|multiplier| multiplier % 2 == 0),
            ..Evidence::default()
        };
        let mut rules = Rules::default();
        rules.spike.over = vee::Over::Payload;
        let facts = Facts {
            counter_bits: Some(scaler.unsigned_abs()), multiplier: offsets.3, ..Facts::new(kind, interval)
        };
        for evidence in [evidence, Evidence::default()] {
            let admitted = admit_with(&batch, &evidence, &facts, &rules, second(received));
            for finding in &admitted.findings {
                prop_assert!(finding.slots.end <= batch.values.len(), "{:?}", finding);
            }
            let mut day = day_of(&local(DAYS[0]), interval, kind, &[(0, Quality::MISSING)]);
            let first = merge(&mut day, &admitted.arrivals, &rules);
            let second = merge(&mut day, &admitted.arrivals, &rules);
            prop_assert!(first.stored == 0 || !second.changed(), "{:?} {:?}", first, second);
        }
    }
}
