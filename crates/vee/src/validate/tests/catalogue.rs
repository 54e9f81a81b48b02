//! Rules that need more than a day's own values: a table each, with the values on both sides of the limit.

use super::{HOUR, at};
use crate::fast::{Around, ChannelDay, Sibling, check_day, judge};
use crate::{Facts, Finding, Outage, Register, Rule, Rules, Stats, Summary, TouRead};
use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use model::{ChannelKind, LocalDay, Quality};

const READ: [Quality; 24] = [Quality::RAW; 24];

/// A quiet day of hours: 100 and 101 in turn.
fn quiet() -> [i64; 24] {
    core::array::from_fn(|hour| if hour % 2 == 0 { 100 } else { 101 })
}

fn with(changes: &[(usize, i64)]) -> [i64; 24] {
    let mut values = quiet();
    for (hour, value) in changes {
        values[*hour] = *value;
    }
    values
}

fn day(back: i64) -> LocalDay {
    LocalDay::new(date(2026, 3, 4) - back.days(), &TimeZone::UTC).unwrap()
}

/// A case with everything that may stand around a day.
struct Case<'a> {
    kind: ChannelKind,
    values: [i64; 24],
    quality: [Quality; 24],
    around: Around<'a>,
    facts: Facts,
    stats: Stats,
    rules: Rules,
}

impl Case<'_> {
    fn of(kind: ChannelKind, values: [i64; 24]) -> Self {
        Self {
            kind,
            values,
            quality: READ,
            around: Around::default(),
            facts: Facts::new(kind, HOUR),
            stats: Stats::default(),
            rules: Rules::default(),
        }
    }

    fn remembers(mut self, back: i64, values: [i64; 24]) -> Self {
        let day = day(back);
        let view = ChannelDay { day: &day, interval: HOUR, kind: self.kind, values: &values, quality: &READ };
        self.stats.absorb_summary(&Summary::of(&view));
        self
    }

    fn findings(&self) -> Vec<Finding> {
        let day = day(0);
        let view = ChannelDay {
            day: &day,
            interval: HOUR,
            kind: self.kind,
            values: &self.values,
            quality: &self.quality,
        };
        let now: Timestamp = at("2026-03-06T00:00:00Z");
        let verdict = check_day(&view, &self.around, &self.facts, &self.rules, &self.stats, now);
        // The same again finds the same, byte for byte, before and after judging and remembering.
        let mut quality = self.quality;
        judge(&mut quality, &verdict.findings);
        let judged = ChannelDay { quality: &quality, ..view };
        let mut stats = self.stats.clone();
        stats.absorb_summary(&Summary::of(&judged));
        let again = check_day(&judged, &self.around, &self.facts, &self.rules, &stats, now);
        assert_eq!(again.findings, verdict.findings);
        verdict.findings
    }

    fn rules(&self) -> Vec<Rule> {
        self.findings().into_iter().map(|finding| finding.rule).collect()
    }
}

#[test]
fn a_spike_beside_nothing() {
    let mut values = [0; 24];
    for (value, expected) in [(1000, vec![]), (1001, vec![Rule::Spike])] {
        values[5] = value;
        assert_eq!(Case::of(ChannelKind::Import, values).rules(), expected, "{value}");
    }
}

#[test]
fn jumps_within_the_day_and_over_midnight() {
    // Two high hours keep the spike quiet, a third one keeps it quiet too.
    let high = |value| with(&[(9, 4000), (10, value), (11, value), (12, value)]);
    let rows = [(high(24_000), vec![]), (high(24_001), vec![Rule::Jump])];
    for (values, expected) in rows {
        assert_eq!(Case::of(ChannelKind::Import, values).rules(), expected, "{values:?}");
    }
    let morning = with(&[(0, 20_000), (1, 20_000), (2, 20_000)]);
    let yesterday = with(&[(23, 3333)]);
    let case = Case::of(ChannelKind::Import, morning);
    assert_eq!(case.rules(), [], "nothing is remembered of the day before");
    assert_eq!(case.remembers(1, yesterday).rules(), [Rule::Jump]);
}

#[test]
fn the_most_of_twelve_months() {
    let busy = with(&[(1, 5000), (2, 5000), (3, 5000)]);
    for (value, days, expected) in
        [(10_000, 28, vec![]), (10_001, 28, vec![Rule::Capacity]), (10_001, 27, vec![])]
    {
        let values = with(&[(8, value / 2), (9, value), (10, value / 2), (11, value / 2)]);
        let mut case = Case::of(ChannelKind::Import, values);
        case.rules.off.extend([Rule::HighLow, Rule::RepeatedDay]);
        for back in 4..4 + days {
            case = case.remembers(back, busy);
        }
        assert_eq!(case.rules(), expected, "{value} {days}");
    }
}

#[test]
fn use_where_nobody_is_supplied() {
    let off = [Outage { from: at("2026-03-04T00:00:00Z"), to: at("2026-03-04T05:00:00Z") }];
    // Of the five hours: 100 + 101 + 100 + 101 + value.
    for (value, expected) in [(98, vec![]), (99, vec![Rule::Inactive])] {
        let mut case = Case::of(ChannelKind::Import, with(&[(4, value)]));
        case.around.off = &off;
        assert_eq!(case.rules(), expected, "{value}");
    }
    let mut vacant = Case::of(ChannelKind::Import, quiet());
    vacant.facts.vacant = true;
    assert_eq!(vacant.rules(), [Rule::Inactive]);
}

#[test]
fn rates_add_up_to_the_total() {
    let (start, end) = (day(0).start(), day(0).end());
    let total: i64 = quiet().iter().sum();
    let registers = [Register { at: start, value: 500 }, Register { at: end, value: 500 + total }];
    for (second, expected) in
        [(total - 1000, vec![]), (total - 998, vec![]), (total - 997, vec![Rule::RateSum])]
    {
        let rates = [(1, start, 7), (2, start, 9), (1, end, 7 + 1000), (2, end, 9 + second)]
            .map(|(register, at, value)| TouRead { register, at, value });
        let mut case = Case::of(ChannelKind::Import, quiet());
        case.around.registers = &registers;
        case.around.rates = &rates;
        assert_eq!(case.rules(), expected, "{second}");
    }
}

#[test]
fn dials_and_exchanges() {
    let (start, noon, end) = (day(0).start(), at("2026-03-04T12:00:00Z"), day(0).end());
    let total: i64 = quiet().iter().sum();
    let reads =
        |values: [i64; 2]| [Register { at: start, value: values[0] }, Register { at: end, value: values[1] }];
    let exchange = [noon];
    // registers, exchanged, expected
    let rows = [
        (reads([0, total]), false, vec![]),
        (reads([100_000, 100_000 + total]), false, vec![Rule::Register, Rule::Register]),
        (reads([0, 60_000]), false, vec![Rule::Register]),
        (reads([90_000, 12]), false, vec![Rule::SumCheck]),
        (reads([90_000, 12]), true, vec![]),
    ];
    for (registers, exchanged, expected) in rows {
        let mut case = Case::of(ChannelKind::Import, quiet());
        case.facts.modulus = Some(100_000);
        case.around.registers = &registers;
        case.around.exchanges = if exchanged { &exchange } else { &[] };
        assert_eq!(case.rules(), expected, "{registers:?}");
    }
}

#[test]
fn a_net_register_runs_either_way() {
    let values = with(&[(12, -3000)]);
    let total: i64 = values.iter().sum();
    assert!(total < 0);
    let registers =
        [Register { at: day(0).start(), value: 9000 }, Register { at: day(0).end(), value: 9000 + total }];
    let mut case = Case::of(ChannelKind::Net, values);
    case.around.registers = &registers;
    assert_eq!(case.rules(), []);
}

#[test]
fn a_partial_outage_flags_its_edges_only() {
    let outages = [Outage { from: at("2026-03-04T02:30:00Z"), to: at("2026-03-04T05:15:00Z") }];
    let mut case = Case::of(ChannelKind::Import, with(&[(3, 0), (4, 0)]));
    case.around.outages = &outages;
    let findings = case.findings();
    let places: Vec<_> = findings.iter().map(|finding| (finding.rule, finding.slots.clone())).collect();
    assert_eq!(places, [(Rule::PartialOutage, 2..3), (Rule::PartialOutage, 5..6)]);
    let mut quality = READ;
    judge(&mut quality, &findings);
    let flagged: Vec<usize> = (0..24).filter(|hour| quality[*hour].has(Quality::POWER_FAIL)).collect();
    assert_eq!(flagged, [2, 5]);
}

/// What is checked and its quality, what stands beside it, and what is expected.
type Beside<'a> = (ChannelKind, [Quality; 24], ChannelKind, &'a [i64; 24], &'a [Quality; 24], Vec<Rule>);

#[test]
fn channels_of_one_device_belong_together() {
    let missing = |hours: &[usize]| {
        let mut quality = READ;
        for hour in hours {
            quality[*hour] = Quality::MISSING;
        }
        quality
    };
    let values = quiet();
    let volts = [2300; 24];
    let mut dead = volts;
    (dead[7], dead[8]) = (1149, 1150);
    let reactive_power = |hours: usize| {
        let mut var = [30i64; 24];
        var[3..3 + hours].fill(1001);
        var
    };
    let (four, five) = (reactive_power(4), reactive_power(5));
    let (whole, holed) = (READ, missing(&[7]));
    let rows: [Beside<'_>; 8] = [
        (ChannelKind::Import, whole, ChannelKind::Export, &values, &whole, vec![]),
        (ChannelKind::Export, holed, ChannelKind::Import, &values, &whole, vec![Rule::Gap, Rule::Sibling]),
        (ChannelKind::Export, holed, ChannelKind::Import, &values, &holed, vec![Rule::Gap]),
        (ChannelKind::Import, whole, ChannelKind::Voltage, &dead, &whole, vec![Rule::VoltageEnergy]),
        (ChannelKind::Import, whole, ChannelKind::Voltage, &volts, &holed, vec![Rule::VoltageEnergy]),
        (ChannelKind::Import, whole, ChannelKind::ReactiveImport, &four, &whole, vec![]),
        (ChannelKind::Import, whole, ChannelKind::ReactiveImport, &five, &whole, vec![Rule::Reactive]),
        (ChannelKind::Import, whole, ChannelKind::ReactiveImport, &four, &holed, vec![Rule::Reactive]),
    ];
    for (kind, quality, beside, others, other_quality, expected) in rows {
        let siblings = [Sibling { kind: beside, values: others, quality: other_quality }];
        let mut case = Case::of(kind, values);
        case.quality = quality;
        case.facts.nominal_dv = Some(2300);
        case.facts.generation = true;
        case.around.siblings = &siblings;
        assert_eq!(case.rules(), expected, "{kind:?} beside {beside:?}");
    }
}

#[test]
fn main_and_check_meter() {
    // 24 * 1000; 1.5 % of it is 360.
    for (apart, expected) in [(360, vec![]), (361, vec![Rule::MainCheck])] {
        let mut main = [1000; 24];
        (main[0], main[1]) = (999, 1001);
        let mut check = main;
        check[2] -= apart;
        let mut case = Case::of(ChannelKind::Import, main);
        case.around.check = Some(Sibling { kind: ChannelKind::Import, values: &check, quality: &READ });
        assert_eq!(case.rules(), expected, "{apart}");
    }
}

#[test]
fn no_roof_feeds_in_by_night() {
    // Zurich in March: the sun is below -6 degrees until about 05:30 UTC.
    let sunny = |night: i64| {
        let mut values = [0; 24];
        (values[2], values[11], values[12]) = (night, 900, 901);
        values
    };
    for (night, expected) in [(50, vec![]), (51, vec![Rule::SolarNight])] {
        let mut case = Case::of(ChannelKind::Export, sunny(night));
        (case.facts.position, case.facts.generation) = (Some((47_376_900, 8_541_700)), true);
        assert_eq!(case.rules(), expected, "{night}");
    }
}

#[test]
fn water_and_gas_rest_once_a_day_and_run_one_way() {
    let mut resting = quiet();
    resting[3] = 0;
    let backward = |litres: i64| {
        let mut values = resting;
        values[4] = -litres;
        values
    };
    let rows = [
        (resting, vec![]),
        (quiet(), vec![Rule::Leak]),
        (backward(9), vec![Rule::Negative]),
        (backward(10), vec![Rule::Negative, Rule::ReverseFlow]),
    ];
    for (values, expected) in rows {
        for kind in [ChannelKind::Water, ChannelKind::Gas] {
            assert_eq!(Case::of(kind, values).rules(), expected, "{kind:?} {values:?}");
        }
    }
}

#[test]
fn a_day_that_was_there_before() {
    let values = with(&[(3, 777), (9, 333)]);
    let moved = with(&[(3, 333), (9, 777)]);
    assert_eq!(Case::of(ChannelKind::Import, values).remembers(6, values).rules(), [Rule::RepeatedDay]);
    assert_eq!(Case::of(ChannelKind::Import, values).remembers(6, moved).rules(), []);
    assert_eq!(Case::of(ChannelKind::Import, [0; 24]).remembers(1, [0; 24]).rules(), []);
}

#[test]
fn what_a_hole_is_missing_comes_after_it() {
    let mut case =
        Case::of(ChannelKind::Import, with(&[(7, 0), (8, 0), (9, 0), (10, 402)])).remembers(1, quiet());
    assert_eq!(case.rules(), [Rule::PileUp]);
    case.values[10] = 151;
    assert_eq!(case.rules(), [], "not more than half above the next");
    case.values[10] = 1300;
    assert_eq!(case.rules(), [Rule::Spike], "far more than the hole can be missing");
}

#[test]
fn a_rule_that_is_off_says_nothing() {
    let mut case = Case::of(ChannelKind::Import, with(&[(3, -1)]));
    assert_eq!(case.rules(), [Rule::Negative]);
    case.rules.off.insert(Rule::Negative);
    assert_eq!(case.rules(), []);
}

#[test]
fn findings_do_not_depend_on_estimates() {
    let estimated = Quality::new(model::QualityClass::EstimatedLikeDay);
    let mut case = Case::of(ChannelKind::Import, with(&[(3, 9000)]));
    (case.quality[12], case.values[12]) = (estimated, 100);
    let before = case.findings();
    case.values[12] = 8_888_888;
    assert_eq!(case.findings(), before);
}

#[test]
fn a_cold_day_is_odd_only_among_cold_days() {
    let temperatures = |here: i32| -> Vec<crate::DayTemperature> {
        let of = |back: i64| {
            if back == 0 {
                here
            } else if back % 2 == 0 {
                -50
            } else {
                150
            }
        };
        (0..=8)
            .rev()
            .map(|back| crate::DayTemperature { date: day(back).date(), mean_dc: of(back) })
            .collect()
    };
    let values = |level: i64| core::array::from_fn(|hour| level + i64::try_from(hour % 2).unwrap());
    // Every other day was cold and took five times as much.
    let odd = |around| {
        let mut case = Case::of(ChannelKind::Import, values(2200));
        for back in (1..=8).rev() {
            case = case.remembers(back, values(if back % 2 == 0 { 1500 } else { 300 }));
        }
        Case { around, ..case }.rules()
    };
    let [cold, warm] = [temperatures(-60), temperatures(150)];
    assert_eq!(odd(Around::default()), [Rule::HighLow]);
    assert_eq!(odd(Around { temperatures: &cold, ..Around::default() }), [], "a cold day among cold days");
    assert_eq!(odd(Around { temperatures: &warm, ..Around::default() }), [Rule::HighLow], "a warm one");
}
