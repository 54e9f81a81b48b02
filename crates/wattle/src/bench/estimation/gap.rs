//! A gap in the readings of a home, and how it is filled.

use super::Way;
use jiff::Timestamp;
use jiff::civil::Date;
use vee::{ClassDay, Context, Day, Facts, Register, Slot, Stats, estimate_days};

/// Days at either end in which no gap begins: history before, and readings that have resumed after.
const MARGIN_D: usize = 14;
pub(super) const AFTER_D: usize = 7;

/// A repeatable sequence of numbers.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drawn = usize::try_from(self.0 >> 33).unwrap_or(0);
        if bound == 0 { 0 } else { drawn % bound }
    }
}

/// A gap in a home, and what was really read in it.
pub(super) struct Gap {
    /// The first day of it, and the days it touches.
    pub(super) first: usize,
    pub(super) days: usize,
    /// Intervals of those days.
    start: usize,
    len: usize,
    pub(super) truth: Vec<i64>,
}

impl Gap {
    /// The `nth` of `count` gaps of `len` intervals, if everything in and beside it was read; whole days begin at
    /// midnight.
    ///
    /// The days of a home are cut into as many parts and each gap is laid somewhere into its own: so all seasons have
    /// their share, and what is estimated of one gap and read in another cancels as it does in a year of real gaps.
    pub(super) fn lay(home: &[Day], len: u32, (nth, count): (usize, usize), dice: &mut Dice) -> Option<Self> {
        let len = usize::try_from(len).ok()?;
        let whole = home.first()?.slots.len();
        let room = home.len().checked_sub(MARGIN_D + AFTER_D + len / whole + 1)?;
        let (from, to) = (nth * room / count, ((nth + 1) * room / count).max(nth * room / count + 1));
        let first = MARGIN_D + from + dice.below(to - from);
        let start = if len >= whole { 0 } else { dice.below(whole) };
        let days = (start + len).div_ceil(whole);
        let slot = |at: usize| home.get(first + at / whole).and_then(|day| day.slots.get(at % whole));
        let truth: Vec<i64> = (start..start + len)
            .map(|at| slot(at).filter(|slot| slot.is_sound()).map(|slot| slot.value))
            .collect::<Option<_>>()?;
        let before = if start > 0 { slot(start - 1) } else { home.get(first - 1)?.slots.last() };
        let beside = before?.is_sound() && slot(start + len)?.is_sound();
        beside.then_some(Self { first, days, start, len, truth })
    }

    /// The date so many days after its first day.
    pub(super) fn date(&self, home: &[Day], days: i64) -> Date {
        let first = home[self.first].day.date();
        first.checked_add(jiff::Span::new().days(days)).unwrap_or(first)
    }

    /// The values that `way` fills in; none if it leaves something open.
    pub(super) fn fill(
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
