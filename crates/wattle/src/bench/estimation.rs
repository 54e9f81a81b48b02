//! How good estimates are: readings of open homes are masked, filled and compared with what was read.
//!
//! Half of the homes, by a hash of their names, are held out: constants may be tuned on the others only, and bounds hold for
//! the held-out ones. What others of the class used on a day is taken from the other homes of the set, never from the home
//! whose gap is filled. Bias comes with its standard error, homes taken as what was drawn: gaps of one home are alike.

mod bias;
mod gap;

use super::Manner;
use super::homes::{Homes, sets};
use super::report::{Line, Report};
use anyhow::Result;
use bias::Bias;
use gap::{AFTER_D, Dice, Gap};
use jiff::Timestamp;
use jiff::civil::Date;
use model::Quality;
use std::collections::BTreeMap;
use vee::{ClassDay, Day, Estimator, Method, Register, Rules};

/// Lengths of gaps: name and seconds; 0 is one interval.
const LENGTHS: [(&str, u32); 8] = [
    ("interval", 0),
    ("1h", 3600),
    ("2h", 7200),
    ("4h", 14_400),
    ("12h", 43_200),
    ("1d", 86_400),
    ("3d", 259_200),
    ("7d", 604_800),
];
/// How many gaps of each length are laid into each half of a set.
const GAPS: usize = 900;

/// Ways to fill a gap, each a rule set and the days it may see.
struct Way {
    rules: Rules,
    after_d: usize,
}

/// The ways, in this order everywhere.
const WAYS: usize = 4;
const LINEAR: usize = 0;
const LIKE_DAYS: usize = 1;
const AT_ONCE: usize = 2;
const RESUMED: usize = 3;

fn ways() -> [Way; WAYS] {
    let only = |method, like_days| {
        let mut rules = Rules { like_days, linear_max_s: 86_400, ..Rules::default() };
        rules.estimation.ladder = vec![method];
        rules
    };
    let blend = || {
        let mut rules = only(Method::Flat, 3);
        rules.estimation.estimator = Estimator::Blend;
        rules
    };
    [
        Way { rules: only(Method::Linear, 3), after_d: 0 },
        Way { rules: only(Method::LikeDay, 4), after_d: 0 },
        Way { rules: blend(), after_d: 0 },
        Way { rules: blend(), after_d: AFTER_D },
    ]
}

/// Sums over gaps of one length, in the stored unit.
#[derive(Clone, Copy, Default)]
struct Sums {
    truth: i64,
    /// Of each way: absolute error of intervals and of totals.
    intervals: [i64; WAYS],
    totals: [i64; WAYS],
}

pub(super) fn run(manner: &Manner, report: &mut Report) -> Result<()> {
    let gaps = if manner.quick { GAPS / 18 } else { GAPS };
    let ways = ways();
    let mut everywhere = [Bias::default(), Bias::default()];
    for set in sets(manner.homes.as_deref())? {
        let neighbours = Neighbours::of(&set);
        for (held_out, all) in [true, false].into_iter().zip(&mut everywhere) {
            let homes: Vec<usize> =
                (0..set.homes.len()).filter(|home| set.held_out[*home] == held_out).collect();
            if homes.is_empty() {
                continue;
            }
            let bounded = held_out && !manner.quick;
            let part = Part { set: &set, neighbours: &neighbours, homes, held_out, bounded };
            let mut bias = Bias::default();
            for (number, (name, length_s)) in LENGTHS.into_iter().enumerate() {
                let length_s = length_s.max(set.interval.secs());
                if number > 0 && length_s <= set.interval.secs() {
                    continue;
                }
                let sums = measure(&part, length_s, gaps, &ways, &mut bias);
                tell(&part, name, length_s, &sums, report)?;
            }
            tell_bias(&part.name(), &bias, bounded, report)?;
            all.add(bias);
        }
        exact(&set, gaps / 6, report)?;
    }
    let [held_out, tuned] = everywhere;
    tell_bias("all", &held_out, !manner.quick, report)?;
    tell_bias("all.tuned", &tuned, false, report)
}

/// The homes of a set that are measured together.
struct Part<'a> {
    set: &'a Homes,
    neighbours: &'a Neighbours,
    homes: Vec<usize>,
    held_out: bool,
    /// Bounds hold for held-out homes, and only where there are enough gaps to tell.
    bounded: bool,
}

impl Part<'_> {
    fn name(&self) -> String {
        if self.held_out { self.set.name.to_owned() } else { format!("{}.tuned", self.set.name) }
    }
}

/// The bias of all gaps together, with its standard error over homes.
fn tell_bias(name: &str, bias: &Bias, bounded: bool, report: &mut Report) -> Result<()> {
    for (way, what) in [(LIKE_DAYS, "like_days"), (AT_ONCE, "at_once"), (RESUMED, "resumed")] {
        let (percent, error) = bias.percent(way);
        let line = Line::new(format!("estimation.{name}.bias.{what}"), percent, "%").plus_minus(error);
        report.tell(&if bounded && way != LIKE_DAYS { line.within(1.0) } else { line })?;
    }
    Ok(())
}

/// What each home used on each day on which all of it was read.
struct Neighbours {
    totals: Vec<BTreeMap<Date, i64>>,
}

impl Neighbours {
    fn of(set: &Homes) -> Self {
        let sound = |day: &&Day| day.slots.iter().all(|slot| slot.is_sound());
        let totals =
            |home: &Vec<Day>| home.iter().filter(sound).map(|day| (day.day.date(), day.total())).collect();
        Self { totals: set.homes.iter().map(totals).collect() }
    }

    /// What the homes other than `home` used on the days `[from, to]`, in two halves.
    fn without(&self, home: usize, from: Date, to: Date) -> Vec<ClassDay> {
        let mut days: BTreeMap<Date, ClassDay> = BTreeMap::new();
        for (number, totals) in self.totals.iter().enumerate().filter(|(number, _)| *number != home) {
            for (date, total) in totals.range(from..=to) {
                let day = days.entry(*date).or_insert(ClassDay { date: *date, halves: [(0, 0); 2] });
                let half = &mut day.halves[number % 2];
                *half = (half.0 + 1, half.1 + total);
            }
        }
        days.into_values().collect()
    }
}

fn tell(part: &Part<'_>, name: &str, length_s: u32, sums: &Sums, report: &mut Report) -> Result<()> {
    let of = |errors: &[i64; WAYS], way: usize| percent(errors[way], sums.truth);
    let line =
        |what: &str, value: f64| Line::new(format!("estimation.{}.{name}.{what}", part.name()), value, "%");
    if length_s <= 3600 {
        let linear = of(&sums.intervals, LINEAR);
        for (way, what) in [(AT_ONCE, "at_once.interval_error"), (RESUMED, "resumed.interval_error")] {
            let told = line(what, of(&sums.intervals, way));
            let told = if part.bounded { told.at_most(linear * 1.05) } else { told };
            report.tell(&told.better_than(linear))?;
        }
    } else {
        let like = of(&sums.totals, LIKE_DAYS);
        let bound = part.bounded && (length_s == 86_400 || length_s == 259_200);
        for (way, what) in [(AT_ONCE, "at_once.total_error"), (RESUMED, "resumed.total_error")] {
            let told = line(what, of(&sums.totals, way)).better_than(like);
            report.tell(&if bound { told.at_most(like) } else { told })?;
        }
    }
    Ok(())
}

fn percent(part: i64, of: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
    let (part, of) = (part as f64, of.max(1) as f64);
    100.0 * part / of
}

/// Lays gaps into the homes in turn and fills each in every way; a gap counts only if every way that can take its
/// length fills it.
fn measure(part: &Part<'_>, length_s: u32, gaps: usize, ways: &[Way; WAYS], bias: &mut Bias) -> Sums {
    let set = part.set;
    let mut dice = Dice(u64::from(length_s) ^ 0x5EED);
    let mut sums = Sums::default();
    let each = gaps.div_ceil(part.homes.len());
    for gap in 0..gaps {
        let (number, nth) = (part.homes[gap % part.homes.len()], gap / part.homes.len());
        let home = &set.homes[number];
        let Some(gap) = Gap::lay(home, length_s / set.interval.secs(), (nth, each), &mut dice) else {
            continue;
        };
        let class_days = part.neighbours.without(number, gap.date(home, -28), gap.date(home, 28));
        let line = length_s <= 86_400;
        let filled: Vec<Option<Vec<i64>>> = ways
            .iter()
            .enumerate()
            .map(|(at, way)| if at == LINEAR && !line { None } else { gap.fill(home, way, &[], &class_days) })
            .collect();
        if filled.iter().skip(usize::from(!line)).any(Option::is_none) {
            continue;
        }
        let truth = gap.truth.iter().sum::<i64>();
        sums.truth += truth;
        let mut signed_errors = [0; WAYS];
        for (way, values) in filled.iter().enumerate() {
            let Some(values) = values else { continue };
            let error = |(value, truth): (&i64, &i64)| value - truth;
            sums.intervals[way] += values.iter().zip(&gap.truth).map(error).map(i64::abs).sum::<i64>();
            let signed: i64 = values.iter().zip(&gap.truth).map(error).sum();
            sums.totals[way] += signed.abs();
            signed_errors[way] = signed;
        }
        bias.count((set.name.as_str(), number), truth, &signed_errors);
    }
    sums
}

/// With registers read at the midnights around the gap its total must come out to the unit, by the ladder and by the
/// blend.
fn exact(set: &Homes, gaps: usize, report: &mut Report) -> Result<()> {
    let mut blend = Rules::default();
    blend.estimation.estimator = Estimator::Blend;
    for (name, rules) in [("ladder", Rules::default()), ("blend", blend)] {
        let way = Way { rules, after_d: AFTER_D };
        let (mut tried, mut hit) = (0u32, 0u32);
        for (_, length_s) in LENGTHS {
            let mut dice = Dice(u64::from(length_s) ^ 0xACC7);
            for number in 0..gaps {
                let home = &set.homes[number % set.homes.len()];
                let len = length_s.max(set.interval.secs()) / set.interval.secs();
                let nth = (number / set.homes.len(), gaps.div_ceil(set.homes.len()));
                let Some(gap) = Gap::lay(home, len, nth, &mut dice) else { continue };
                let days = &home[gap.first..gap.first + gap.days];
                if days.iter().flat_map(|day| &day.slots).any(|slot| slot.quality == Quality::MISSING) {
                    continue;
                }
                let used: i64 = days.iter().map(Day::total).sum();
                let at = |day: Option<&Day>, end: bool| {
                    day.map_or(Timestamp::MIN, |day| if end { day.day.end() } else { day.day.start() })
                };
                let registers = [
                    Register { at: at(days.first(), false), value: 1000 },
                    Register { at: at(days.last(), true), value: 1000 + used },
                ];
                let filled = gap.fill(home, &way, &registers, &[]);
                tried += 1;
                let truth: i64 = gap.truth.iter().sum();
                hit += u32::from(filled.is_some_and(|values| values.iter().sum::<i64>() == truth));
            }
        }
        let share = percent(hit.into(), tried.into());
        let line = Line::new(format!("estimation.{}.registers.{name}.exact", set.name), share, "% of gaps");
        report.tell(&line.at_least(100.0))?;
    }
    Ok(())
}
