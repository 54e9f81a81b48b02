//! What each operation makes of the chosen intervals: arithmetic only.

use super::{EditRefused, Op, Slots};
use core::ops::Range;
use model::{Quality, QualityClass, ratio};
use vee::{Day, Slot};

/// What an operation may lean on besides the day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    /// The slots of the day before, empty where nothing is kept.
    pub(super) before: &'a [Slot],
    /// The slots of the day after.
    pub(super) after: &'a [Slot],
    /// The day to copy from.
    pub(super) other: Option<&'a Day>,
    /// The longest straight line, seconds.
    pub(super) linear_max_s: u32,
}

/// Lays an operation over `day`; only those that set values by arithmetic, the others are done by the workshop.
pub(super) fn change(day: &mut Day, slots: &Slots, op: &Op, around: &Around<'_>) -> Result<(), EditRefused> {
    match op {
        Op::Set { values } => {
            if values.len() != 1 && values.len() != slots.len() {
                return Err(EditRefused::ValueCount { slots: slots.len(), values: values.len() });
            }
            for (slot, value) in slots.iter().zip(values.iter().cycle()) {
                put(day, slot, *value)?;
            }
        }
        Op::Add { amount } => {
            for slot in slots.iter() {
                let value = there(day, slot)?.checked_add(*amount);
                put(day, slot, value.ok_or(EditRefused::TooLarge { slot })?)?;
            }
        }
        Op::Scale { factor } => {
            for slot in slots.iter() {
                let value = there(day, slot)?;
                put(day, slot, factor.times(value))?;
            }
        }
        Op::Interpolate => {
            for run in slots.runs() {
                interpolate(day, &run, around)?;
            }
        }
        Op::CopyDay { from } => {
            for slot in slots.iter() {
                let value = around.other.and_then(|other| at_same_time(day, slot, other));
                put(day, slot, value.ok_or(EditRefused::NothingToCopy { from: *from, slot })?)?;
            }
        }
        Op::Estimate { .. } | Op::Accept | Op::Reject | Op::Undo { .. } | Op::Note => {}
    }
    Ok(())
}

/// Sets a value as a person's. The flags of what was read there do not hold for it.
pub(super) fn put(day: &mut Day, slot: usize, value: i64) -> Result<(), EditRefused> {
    if value < 0 && !day.kind.is_signed() {
        return Err(EditRefused::Negative { slot, value });
    }
    // Far beyond any meter, and small enough that a day's sum still fits.
    if value.unsigned_abs() > 1 << 50 {
        return Err(EditRefused::TooLarge { slot });
    }
    if let Some(place) = day.slots.get_mut(slot) {
        *place = Slot::new(value, Quality::new(QualityClass::Edited));
    }
    Ok(())
}

fn there(day: &Day, slot: usize) -> Result<i64, EditRefused> {
    day.slots
        .get(slot)
        .filter(|slot| !slot.quality.is_missing())
        .map(|slot| slot.value)
        .ok_or(EditRefused::Missing { slot })
}

/// ```text
/// a | 1 | 2 | 3 | b      value k = a + (b - a) * k / (n + 1)
/// ```
fn interpolate(day: &mut Day, run: &Range<usize>, around: &Around<'_>) -> Result<(), EditRefused> {
    let (from, to) = (run.start, run.end - 1);
    let length = u64::try_from(run.len()).unwrap_or(u64::MAX).saturating_mul(day.interval.secs().into());
    if length > u64::from(around.linear_max_s) {
        return Err(EditRefused::TooLong { from, to, limit_s: around.linear_max_s });
    }
    let left = if from > 0 { day.slots.get(from - 1) } else { around.before.last() };
    let right = day.slots.get(run.end).or_else(|| around.after.first());
    let value = |slot: Option<&Slot>| slot.filter(|s| !s.quality.is_missing()).map(|s| i128::from(s.value));
    let (Some(a), Some(b)) = (value(left), value(right)) else {
        return Err(EditRefused::NoNeighbour { from, to });
    };
    let steps = i128::try_from(run.len() + 1).unwrap_or(i128::MAX);
    for (k, slot) in (1i128..).zip(run.clone()) {
        put(day, slot, ratio::rounded(a * (steps - k) + b * k, steps))?;
    }
    Ok(())
}

/// The value of `other` at the local wall-clock time at which `slot` of `day` starts. On a day of 25 hours the hour that
/// comes twice takes the first of the two.
fn at_same_time(day: &Day, slot: usize, other: &Day) -> Option<i64> {
    if other.interval != day.interval {
        return None;
    }
    let clock = |day: &Day, slot: usize| day.start_of(slot).to_zoned(day.day.zone().clone()).time();
    let wanted = clock(day, slot);
    let same_place = other.slots.len() == day.slots.len() && clock(other, slot) == wanted;
    let found =
        if same_place { Some(slot) } else { (0..other.slots.len()).find(|at| clock(other, *at) == wanted) };
    let value = other.slots.get(found?)?;
    (!value.quality.is_missing()).then_some(value.value)
}
