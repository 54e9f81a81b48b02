//! How good estimates are: readings of open homes are masked, filled and compared with what was read.
//!
//! Half of the homes, by a hash of their names, are held out: constants may be tuned on the others only, and bounds hold for
//! the held-out ones. What others of the class used on a day is taken from the other homes of the set, never from the home
//! whose gap is filled.

use super::Manner;
use super::homes::{Homes, sets};
use super::report::{Line, Report};
use anyhow::Result;
use jiff::Timestamp;
use jiff::civil::Date;
use model::Quality;
use std::collections::BTreeMap;
use vee::{ClassDay, Context, Day, Estimator, Facts, Method, Register, Rules, Slot, Stats, estimate_days};

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
/// Days at either end in which no gap begins: history before, and readings that have resumed after.
const MARGIN_D: usize = 14;
const AFTER_D: usize = 7;
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

/// Sums over gaps, in the stored unit.
#[derive(Clone, Copy, Default)]
struct Sums {
    gaps: u32,
    truth: i64,
    /// Of each way: absolute error of intervals, of totals, and the signed error.
    intervals: [i64; WAYS],
    totals: [i64; WAYS],
    signed: [i64; WAYS],
}

pub(super) fn run(manner: &Manner, report: &mut Report) -> Result<()> {
    let gaps = if manner.quick { GAPS / 12 } else { GAPS };
    let ways = ways();
    let mut everywhere = [Sums::default(); 2];
    for set in sets()? {
        let neighbours = Neighbours::of(&set);
        for (held_out, all) in [true, false].into_iter().zip(&mut everywhere) {
            let homes: Vec<usize> =
                (0..set.homes.len()).filter(|home| set.held_out[*home] == held_out).collect();
            if homes.is_empty() {
                continue;
            }
            let part = Part { set: &set, neighbours: &neighbours, homes, held_out };
            let mut sums = Sums::default();
            for (number, (name, length_s)) in LENGTHS.into_iter().enumerate() {
                let length_s = length_s.max(set.interval.secs());
                if number > 0 && length_s <= set.interval.secs() {
                    continue;
                }
                let of_length = measure(&part, length_s, gaps, &ways);
                tell(&part, name, length_s, &of_length, report)?;
                add(&mut sums, &of_length);
            }
            tell_bias(&part.name(), &sums, held_out && !manner.quick, report)?;
            add(all, &sums);
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
}

impl Part<'_> {
    fn name(&self) -> String {
        if self.held_out { self.set.name.to_owned() } else { format!("{}.tuned", self.set.name) }
    }
}

/// The bias of all gaps together, either way from zero.
fn tell_bias(name: &str, sums: &Sums, bounded: bool, report: &mut Report) -> Result<()> {
    for (way, what) in [(LIKE_DAYS, "like_days"), (AT_ONCE, "at_once"), (RESUMED, "resumed")] {
        let bias = percent(sums.signed[way].abs(), sums.truth);
        let line = Line::new(format!("estimation.{name}.bias.{what}"), bias, "%");
        report.tell(&if bounded && way != LIKE_DAYS { line.at_most(1.0) } else { line })?;
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
            let told = if part.held_out { told.at_most(linear * 1.05) } else { told };
            report.tell(&told.better_than(linear))?;
        }
    } else {
        let like = of(&sums.totals, LIKE_DAYS);
        let bound = part.held_out && (length_s == 86_400 || length_s == 259_200);
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

fn add(all: &mut Sums, sums: &Sums) {
    all.gaps += sums.gaps;
    all.truth += sums.truth;
    for way in 0..WAYS {
        all.signed[way] += sums.signed[way];
    }
}

/// Lays gaps into the homes in turn and fills each in every way; a gap counts only if every way that can take its
/// length fills it.
fn measure(part: &Part<'_>, length_s: u32, gaps: usize, ways: &[Way; WAYS]) -> Sums {
    let set = part.set;
    let mut dice = Dice(u64::from(length_s) ^ 0x5EED);
    let mut sums = Sums::default();
    for number in 0..gaps {
        let number = part.homes[number % part.homes.len()];
        let home = &set.homes[number];
        let Some(gap) = Gap::lay(home, length_s / set.interval.secs(), &mut dice) else { continue };
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
        sums.gaps += 1;
        sums.truth += gap.truth.iter().sum::<i64>();
        for (way, values) in filled.iter().enumerate() {
            let Some(values) = values else { continue };
            let error = |(value, truth): (&i64, &i64)| value - truth;
            sums.intervals[way] += values.iter().zip(&gap.truth).map(error).map(i64::abs).sum::<i64>();
            let signed: i64 = values.iter().zip(&gap.truth).map(error).sum();
            sums.totals[way] += signed.abs();
            sums.signed[way] += signed;
        }
    }
    sums
}

/// A repeatable sequence of numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drawn = usize::try_from(self.0 >> 33).unwrap_or(0);
        if bound == 0 { 0 } else { drawn % bound }
    }
}

/// A gap in a home, and what was really read in it.
struct Gap {
    /// The first day of it, and the days it touches.
    first: usize,
    days: usize,
    /// Intervals of those days.
    start: usize,
    len: usize,
    truth: Vec<i64>,
}

impl Gap {
    /// A gap of `len` intervals where everything in and beside it was read; whole days begin at midnight.
    fn lay(home: &[Day], len: u32, dice: &mut Dice) -> Option<Self> {
        let len = usize::try_from(len).ok()?;
        let whole = home.first()?.slots.len();
        let room = home.len().checked_sub(MARGIN_D + AFTER_D + len / whole + 1)?;
        let first = MARGIN_D + dice.below(room);
        let start = if len >= whole { 0 } else { dice.below(whole) };
        let days = (start + len).div_ceil(whole);
        let slot = |at: usize| home.get(first + at / whole).and_then(|day| day.slots.get(at % whole));
        let truth: Vec<i64> = (start..start + len)
            .map(|at| slot(at).filter(|slot| slot.is_sound()).map(|slot| slot.value))
            .collect::<Option<_>>()?;
        let before = if start > 0 { slot(start - 1) } else { home.get(first - 1)?.slots.last() };
        let beside = before?.is_sound() && slot(start + len)?.is_sound();
        (beside && truth.iter().sum::<i64>() > 0).then_some(Self { first, days, start, len, truth })
    }

    /// The date so many days after its first day.
    fn date(&self, home: &[Day], days: i64) -> Date {
        let first = home[self.first].day.date();
        first.checked_add(jiff::Span::new().days(days)).unwrap_or(first)
    }

    /// The values that `way` fills in; none if it leaves something open.
    fn fill(
        &self,
        home: &[Day],
        way: &Way,
        registers: &[Register],
        class_days: &[ClassDay],
    ) -> Option<Vec<i64>> {
        let (from, to) = (self.first, self.first + self.days);
        let mut span: Vec<Day> = home.get(from..to)?.to_vec();
        let whole = span.first()?.slots.len();
        for at in self.start..self.start + self.len {
            span[at / whole].slots[at % whole] = Slot::MISSING;
        }
        let mut like_days: Vec<Day> = home.get(from.saturating_sub(28)..from)?.to_vec();
        like_days.extend_from_slice(home.get(to..(to + way.after_d).min(home.len()))?);
        let facts = Facts::new(span.first()?.kind, span.first()?.interval);
        let stats = Stats::default();
        let context = Context {
            before: &home.get(from.checked_sub(1)?)?.slots,
            after: &home.get(to)?.slots,
            like_days: &like_days,
            registers,
            class_days,
            ..Context::new(&facts, &stats, Timestamp::MAX)
        };
        estimate_days(&mut span, &context, &way.rules);
        let slots: Vec<Slot> = span.iter().flat_map(|day| day.slots.iter().copied()).collect();
        let filled = slots.get(self.start..self.start + self.len)?;
        let open = filled.iter().any(|slot| slot.quality.is_missing());
        (!open).then(|| filled.iter().map(|slot| slot.value).collect())
    }
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
                let Some(gap) = Gap::lay(home, len, &mut dice) else { continue };
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
