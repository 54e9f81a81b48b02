mod catalogue;
mod clock_shift;

use super::*;
use crate::day::Slot;
use crate::finding::Severity;
use jiff::civil::date;
use jiff::tz::TimeZone;
use model::{IntervalLength, LocalDay, QualityClass};

const HOUR: IntervalLength = IntervalLength::HOUR;

fn day_of(kind: ChannelKind, values: &[i64]) -> Day {
    let local = LocalDay::new(date(2026, 3, 4), &TimeZone::UTC).unwrap();
    let mut day = Day::missing(local, HOUR, kind);
    for (index, slot) in day.slots.iter_mut().enumerate() {
        *slot = Slot::new(values.get(index).copied().unwrap_or(100), Quality::RAW);
    }
    day
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A quiet day against the rules, late enough for everything to be overdue.
struct Case {
    day: Day,
    facts: Facts,
    registers: Vec<Register>,
    outages: Vec<Outage>,
    stats: Stats,
    rules: Rules,
    now: Timestamp,
}

impl Case {
    fn of(day: Day) -> Self {
        let facts = Facts::new(day.kind, day.interval);
        let now = at("2026-03-06T00:00:00Z");
        Self {
            day,
            facts,
            registers: vec![],
            outages: vec![],
            stats: Stats::default(),
            rules: Rules::default(),
            now,
        }
    }

    fn import(values: &[i64]) -> Self {
        // Alternating values keep the stuck rule quiet.
        let mut all: Vec<i64> = (0..24).map(|i| 100 + i % 2).collect();
        all[..values.len()].copy_from_slice(values);
        Self::of(day_of(ChannelKind::Import, &all))
    }

    fn findings(&self) -> Vec<Finding> {
        let input = DayInput {
            registers: &self.registers,
            outages: &self.outages,
            ..DayInput::new(&self.day, &self.facts)
        };
        validate(&input, &self.rules, &self.stats, self.now)
    }

    fn brief(&self) -> Vec<(Rule, Range<usize>)> {
        self.findings().into_iter().map(|finding| (finding.rule, finding.slots)).collect()
    }
}

#[test]
fn an_ordinary_day_has_no_findings() {
    assert_eq!(Case::import(&[]).brief(), []);
}

#[test]
fn the_spike_check_is_strictly_greater() {
    let rows = [
        (vec![7000, 2600, 2500], vec![]),
        (vec![7010, 2600, 2500], vec![(Rule::Spike, 0..1)]),
        (vec![2600, 2500, 7001], vec![(Rule::Spike, 2..3)]),
        (vec![7001, 7001, 2500], vec![(Rule::Spike, 0..1)]),
        (vec![7001, 7001, 7001], vec![]),
        (vec![999, 120, 110], vec![]),
        (vec![1000, 120, 110], vec![]),
        (vec![1001, 120, 110], vec![(Rule::Spike, 0..1)]),
    ];
    for (values, expected) in rows {
        assert_eq!(Case::import(&values).brief(), expected, "{values:?}");
    }
}

#[test]
fn a_spike_makes_its_interval_questionable_and_no_other() {
    let mut case = Case::import(&[9000, 2600, 2500]);
    let findings = case.findings();
    judge(&mut case.day, &findings);
    assert_eq!(case.day.slots[0].quality.class(), QualityClass::Questionable);
    assert!(case.day.slots[1..].iter().all(|slot| slot.quality == Quality::VALID));
    assert!(findings[0].sentence.contains("9.000 kWh at 00:00"), "{}", findings[0].sentence);
    let judged = case.day.clone();
    assert_eq!(case.findings(), findings, "a second run finds the same");
    judge(&mut case.day, &findings);
    assert_eq!(case.day, judged);
}

#[test]
fn a_judgement_is_lifted_when_its_reason_is_gone_but_people_are_not_overruled() {
    let mut case = Case::import(&[9000, 2600, 2500]);
    case.day.slots[1].quality = Quality::new(QualityClass::Verified);
    let findings = case.findings();
    judge(&mut case.day, &findings);
    judge(&mut case.day, &[]);
    assert_eq!(case.day.slots[0].quality, Quality::VALID);
    assert_eq!(case.day.slots[1].quality.class(), QualityClass::Verified);
}

#[test]
fn gaps_are_reported_when_overdue() {
    let mut case = Case::import(&[]);
    for index in [3, 4, 9] {
        case.day.slots[index] = Slot::MISSING;
    }
    assert_eq!(case.brief(), [(Rule::Gap, 3..5), (Rule::Gap, 9..10)]);
    assert!(case.findings()[0].sentence.contains("from 03:00 to 05:00 (2 intervals)"));
    case.now = at("2026-03-04T10:59:59Z");
    case.day.slots[11..].fill(Slot::MISSING);
    assert_eq!(case.brief(), [(Rule::Gap, 3..4)], "04:00 to 05:00 is overdue at 11:00");
    case.outages = vec![Outage { from: at("2026-03-04T02:50:00Z"), to: at("2026-03-04T04:00:00Z") }];
    assert_eq!(case.brief(), [(Rule::PartialOutage, 2..3)], "power failed inside the hour before");
}

#[test]
fn values_below_zero_above_the_rating_or_from_the_future() {
    let mut case = Case::import(&[-1, 100, 14_491, 14_490]);
    case.facts.rating_w = Some(14_490);
    case.rules.severity.insert(Rule::Spike, Severity::Info);
    let brief: Vec<_> = case.brief();
    assert!(brief.contains(&(Rule::Negative, 0..1)), "{brief:?}");
    assert!(brief.contains(&(Rule::Capacity, 2..3)), "{brief:?}");
    let mut case = Case::import(&[]);
    case.now = at("2026-03-04T22:56:59Z");
    assert_eq!(case.brief(), [(Rule::Future, 22..24)]);
    case.now = at("2026-03-04T22:57:00Z");
    assert_eq!(case.brief(), [(Rule::Future, 23..24)]);
}

#[test]
fn intervals_add_up_to_the_registers() {
    let total: i64 = (0..24).map(|i| 100 + i % 2).sum();
    let midnight = ("2026-03-04T00:00:00Z", "2026-03-05T00:00:00Z");
    // start, end, dials, expected rule
    let rows = [
        (1000, 1000 + total, None, None),
        (1000, 1000 + total + 2, None, None),
        (1000, 1000 + total + 3, None, Some(Rule::SumCheck)),
        (1000, 1000 + total - 3, None, Some(Rule::SumCheck)),
        (99_990, total - 10, Some(100_000), None),
        (99_990, total - 20, Some(100_000), Some(Rule::SumCheck)),
        (99_990, total - 10, None, Some(Rule::Register)),
        (5000, 4000, Some(100_000), Some(Rule::Register)),
    ];
    for (start, end, modulus, expected) in rows {
        let mut case = Case::import(&[]);
        case.facts.modulus = modulus;
        case.registers =
            vec![Register { at: at(midnight.0), value: start }, Register { at: at(midnight.1), value: end }];
        let brief = case.brief();
        assert_eq!(
            brief,
            expected.map(|rule| (rule, 0..24)).into_iter().collect::<Vec<_>>(),
            "{start} {end}"
        );
    }
}

#[test]
fn the_sum_tolerance_grows_with_the_register_difference() {
    for (excess, fails) in [(24, false), (25, true)] {
        let mut case = Case::of(day_of(ChannelKind::Import, &[1000; 24]));
        case.rules.stuck.floor = 5000;
        case.registers = vec![
            Register { at: case.day.day.start(), value: 0 },
            Register { at: case.day.day.end(), value: 24_000 + excess },
        ];
        assert_eq!(case.brief(), if fails { vec![(Rule::SumCheck, 0..24)] } else { vec![] });
    }
}

#[test]
fn a_read_inside_an_interval_counts_it_in_part() {
    // 06:30 to 12:30: five whole hours (503), the two cut hours may add 0 to 200.
    let rows = [(500, true), (501, false), (600, false), (705, false), (706, true)];
    for (delta, fails) in rows {
        let mut case = Case::import(&[]);
        case.registers = vec![
            Register { at: at("2026-03-04T06:30:00Z"), value: 10_000 },
            Register { at: at("2026-03-04T12:30:00Z"), value: 10_000 + delta },
        ];
        let expected = if fails { vec![(Rule::SumCheck, 7..12)] } else { vec![] };
        assert_eq!(case.brief(), expected, "{delta}");
    }
}

#[test]
fn with_a_hole_only_too_much_can_be_proven() {
    for (delta, fails) in [(5000, false), (1000, true)] {
        let mut case = Case::import(&[]);
        case.day.slots[3] = Slot::new(9_999, Quality::new(QualityClass::EstimatedLinear));
        case.now = case.day.day.start();
        case.rules.future_tolerance_s = 200_000;
        case.registers = vec![
            Register { at: case.day.day.start(), value: 0 },
            Register { at: case.day.day.end(), value: delta },
        ];
        let expected = if fails { vec![(Rule::SumCheck, 0..24)] } else { vec![] };
        assert_eq!(case.brief(), expected, "{delta}");
    }
}

#[test]
fn days_of_zero_use() {
    let quiet = |days: u32| {
        let mut case = Case::of(day_of(ChannelKind::Import, &[0; 24]));
        for back in 1..=days {
            let earlier = date(2026, 3, 4).checked_sub(jiff::Span::new().days(i64::from(back))).unwrap();
            let mut day = day_of(ChannelKind::Import, &[0; 24]);
            day.day = LocalDay::new(earlier, &TimeZone::UTC).unwrap();
            case.stats.absorb(&day);
        }
        case
    };
    assert_eq!(quiet(1).brief(), []);
    assert_eq!(quiet(2).brief(), [(Rule::Zero, 0..24)]);
    let mut dark = quiet(2);
    dark.outages = vec![Outage { from: at("2026-03-01T00:00:00Z"), to: at("2026-03-09T00:00:00Z") }];
    assert_eq!(dark.brief(), [], "an outage explains it");
    let mut other = quiet(2);
    other.rules.zero_days.electricity = 0;
    assert_eq!(other.brief(), [], "switched off");
}

#[test]
fn a_day_against_its_reference_days() {
    let with_mean = |reference: i64, value: i64, days: i64| {
        let mut case = Case::of(day_of(ChannelKind::Import, &[value; 24]));
        case.rules.stuck.count = 100;
        for back in 1..=days {
            let mut day = day_of(ChannelKind::Import, &[reference; 24]);
            day.day = LocalDay::new(date(2026, 3, 4) - jiff::Span::new().days(back), &TimeZone::UTC).unwrap();
            case.stats.absorb(&day);
        }
        case.brief()
    };
    let fails = vec![(Rule::HighLow, 0..24)];
    assert_eq!(with_mean(500, 1000, 7), [], "twice the mean is ordinary");
    assert_eq!(with_mean(500, 1001, 7), fails);
    assert_eq!(with_mean(500, 125, 7), [], "a quarter is ordinary");
    assert_eq!(with_mean(500, 124, 7), fails);
    assert_eq!(with_mean(500, 1001, 6), [], "too few reference days");
    assert_eq!(with_mean(100, 308, 7), [], "a small absolute difference");
    assert_eq!(with_mean(100, 309, 7), fails);
}

#[test]
fn stuck_values_reverse_energy_and_flags() {
    assert_eq!(Case::of(day_of(ChannelKind::Import, &[50; 24])).brief(), [(Rule::Stuck, 0..24)]);
    assert_eq!(Case::of(day_of(ChannelKind::Import, &[49; 24])).brief(), []);
    let mut roof = Case::of(day_of(ChannelKind::Export, &[41; 24]));
    assert_eq!(roof.brief(), []);
    roof.day.slots[0].value = 58;
    assert_eq!(roof.brief(), [(Rule::ReverseEnergy, 0..24)]);
    roof.facts.generation = true;
    assert_eq!(roof.brief(), []);
    let mut flagged = Case::import(&[]);
    flagged.day.slots[2].quality = Quality::RAW.with(Quality::POWER_FAIL);
    flagged.day.slots[5].quality = Quality::RAW.with(Quality::CLOCK_DOUBTFUL);
    assert_eq!(flagged.brief(), [(Rule::PartialOutage, 2..3), (Rule::Clock, 5..6)]);
}

#[test]
fn a_day_of_the_wrong_length_fails_whole() {
    let zone = TimeZone::get("America/Los_Angeles").unwrap();
    for (day, need) in [(date(2024, 3, 10), 92), (date(2024, 11, 3), 100)] {
        let local = LocalDay::new(day, &zone).unwrap();
        let mut case = Case::of(Day::missing(local, IntervalLength::QUARTER_HOUR, ChannelKind::Import));
        case.now = case.day.day.end();
        assert_eq!(case.day.slots.len(), need);
        for (index, slot) in case.day.slots.iter_mut().enumerate() {
            *slot = Slot::new(if index % 2 == 0 { 3 } else { 4 }, Quality::RAW);
        }
        assert_eq!(case.brief(), []);
        case.day.slots.resize(96, Slot::new(3, Quality::RAW));
        case.now = at("2026-01-01T00:00:00Z");
        assert_eq!(case.brief(), [(Rule::DstCompleteness, 0..96)]);
    }
}

#[test]
fn voltage_has_a_band_and_no_sums() {
    let mut case = Case::of(day_of(ChannelKind::Voltage, &[2300; 24]));
    assert_eq!(case.brief(), []);
    case.facts.nominal_dv = Some(2300);
    case.day.slots[4].value = 1839;
    case.day.slots[5].value = 1840;
    case.day.slots[9].value = 2646;
    assert_eq!(case.brief(), [(Rule::HighLow, 4..5), (Rule::HighLow, 9..10)]);
    case.day.slots[4].quality = Quality::RAW.with(Quality::POWER_FAIL);
    assert_eq!(case.brief(), [(Rule::PartialOutage, 4..5), (Rule::HighLow, 9..10)]);
}

#[test]
fn a_week_of_estimates_sends_somebody_out() {
    let mut case = Case::import(&[]);
    case.day.slots.fill(Slot::new(1, Quality::new(QualityClass::EstimatedProfile)));
    for back in 1..=6 {
        let mut day = case.day.clone();
        day.day = LocalDay::new(date(2026, 3, 4) - jiff::Span::new().days(back), &TimeZone::UTC).unwrap();
        assert_eq!(case.brief(), [(Rule::Gap, 0..24)]);
        case.stats.absorb(&day);
    }
    assert_eq!(case.brief(), [(Rule::Gap, 0..24), (Rule::ProlongedEstimation, 0..24)]);
}
