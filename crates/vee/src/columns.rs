//! One channel's local day as columns, and the one sweep over them that every rule starts from.

use jiff::civil::Date;
use model::{ChannelKind, IntervalLength, LocalDay, Quality, QualityClass};

/// One channel's local day, borrowed from wherever its columns lie.
///
/// Interval `i` is half-open and starts `i` lengths after local midnight; `values[i]` is in the channel's stored
/// unit and 0 where `quality[i]` says missing. What lies beyond the shorter of the two columns is not there.
#[derive(Clone, Copy, Debug)]
pub struct ChannelDay<'a> {
    /// Which day, in the service point's zone; worked out once for every channel of a zone.
    pub day: &'a LocalDay,
    /// Length of every interval.
    pub interval: IntervalLength,
    /// What is measured.
    pub kind: ChannelKind,
    /// One value an interval.
    pub values: &'a [i64],
    /// One quality an interval.
    pub quality: &'a [Quality],
}

/// Classes of a value that somebody or something measured: raw, valid, verified, questionable.
const READ: u16 = bit(QualityClass::Raw)
    | bit(QualityClass::Valid)
    | bit(QualityClass::Verified)
    | bit(QualityClass::Questionable);
/// Classes that estimates may lean on.
const TRUSTED: u16 = bit(QualityClass::Raw)
    | bit(QualityClass::Valid)
    | bit(QualityClass::Verified)
    | bit(QualityClass::Edited);
/// Classes of estimates.
const ESTIMATED: u16 = bit(QualityClass::EstimatedLinear)
    | bit(QualityClass::EstimatedLikeDay)
    | bit(QualityClass::EstimatedProfile)
    | bit(QualityClass::EstimatedScaled)
    | bit(QualityClass::Projected)
    | bit(QualityClass::Substituted);

const fn bit(class: QualityClass) -> u16 {
    1 << class as u16
}

const fn class_bit(quality: Quality) -> u16 {
    1 << (quality.byte() & 0x0F)
}

/// Whether the value was read from a meter, whatever the rules said of it.
pub(crate) const fn is_read(quality: Quality) -> bool {
    class_bit(quality) & READ != 0
}

/// Whether what really flowed is known: read, or set by a person.
pub(crate) const fn is_known(quality: Quality) -> bool {
    class_bit(quality) & (READ | bit(QualityClass::Edited)) != 0
}

impl<'a> ChannelDay<'a> {
    /// How many intervals there are.
    pub fn len(&self) -> usize {
        self.values.len().min(self.quality.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Value and quality of every interval, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (i64, Quality)> + DoubleEndedIterator + 'a {
        self.values.iter().copied().zip(self.quality.iter().copied())
    }

    /// The start of interval `index`, Unix seconds; the end of the day for the index after the last.
    pub(crate) fn start_s(&self, index: usize) -> i64 {
        let offset = i64::from(self.interval.secs()) * i64::try_from(index).unwrap_or(i64::MAX / 86_400);
        let (start, end) = (self.day.start().as_second(), self.day.end().as_second());
        start.saturating_add(offset).min(end)
    }

    /// The end of interval `index`, Unix seconds, exclusive.
    pub(crate) fn end_s(&self, index: usize) -> i64 {
        self.start_s(index + 1)
    }
}

/// What one pass over a day gathers; every rule first asks it whether there is anything to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sweep {
    /// One bit a quality class that occurs.
    classes: u16,
    /// Every flag that occurs.
    pub(crate) flags: u8,
    /// Sum of all values, estimates included.
    pub(crate) total: i64,
    /// The smallest value as read; `i64::MAX` without one.
    pub(crate) least: i64,
    /// The largest value as read; `i64::MIN` without one.
    pub(crate) most: i64,
    /// Zeros as read.
    pub(crate) zeros: usize,
    /// The longest run of equal values as read.
    pub(crate) equal_run: usize,
    /// The largest step between neighbours as read.
    pub(crate) step: u64,
    /// A short digest of all values in their order.
    pub(crate) print: u8,
}

impl Sweep {
    pub(crate) fn of(day: &ChannelDay<'_>) -> Self {
        let quality = &day.quality[..day.len()];
        let values = &day.values[..day.len()];
        let bytes = quality.iter().fold(0u8, |all, quality| all | quality.byte());
        let mut sweep = Self { classes: 0, flags: bytes & 0xF0, ..Self::EMPTY };
        // Raw and valid only, nothing flagged: the usual day, without a look at the qualities again.
        if bytes <= Quality::VALID.byte() {
            sweep.classes = if values.is_empty() { 0 } else { bit(QualityClass::Valid) };
            sweep.take_all(values);
        } else {
            sweep.classes = quality.iter().fold(0, |all, quality| all | class_bit(*quality));
            if sweep.has_only(READ) {
                sweep.take_all(values);
            } else {
                sweep.take_read(values, quality);
            }
        }
        sweep.print = digest(values);
        sweep
    }

    const EMPTY: Self = Self {
        classes: 0,
        flags: 0,
        total: 0,
        least: i64::MAX,
        most: i64::MIN,
        zeros: 0,
        equal_run: 0,
        step: 0,
        print: 0,
    };

    /// Every value was read.
    fn take_all(&mut self, values: &[i64]) {
        let Some(&first) = values.first() else { return };
        let (mut total, mut least, mut most, mut zeros) = (0i64, first, first, 0usize);
        for &value in values {
            total = total.saturating_add(value);
            least = least.min(value);
            most = most.max(value);
            zeros += usize::from(value == 0);
        }
        let (mut run, mut longest, mut step) = (1usize, 1usize, 0u64);
        for pair in values.windows(2) {
            run = if pair[0] == pair[1] { run + 1 } else { 1 };
            longest = longest.max(run);
            step = step.max(pair[1].abs_diff(pair[0]));
        }
        *self = Self { total, least, most, zeros, equal_run: longest, step, ..*self };
    }

    /// Some values were not read.
    fn take_read(&mut self, values: &[i64], quality: &[Quality]) {
        let (mut run, mut last) = (0usize, None);
        for (&value, &quality) in values.iter().zip(quality) {
            self.total = self.total.saturating_add(value);
            if !is_read(quality) {
                (run, last) = (0, None);
                continue;
            }
            self.least = self.least.min(value);
            self.most = self.most.max(value);
            self.zeros += usize::from(value == 0);
            run = if last == Some(value) { run + 1 } else { 1 };
            self.equal_run = self.equal_run.max(run);
            self.step = self.step.max(last.map_or(0, |last: i64| value.abs_diff(last)));
            last = Some(value);
        }
    }

    const fn has_only(&self, classes: u16) -> bool {
        self.classes & !classes == 0
    }

    /// Whether every interval was read.
    pub(crate) const fn all_read(&self) -> bool {
        self.has_only(READ)
    }

    /// Whether every interval was read or set by a person.
    pub(crate) const fn all_known(&self) -> bool {
        self.has_only(READ | bit(QualityClass::Edited))
    }

    /// Whether some interval has no value.
    pub(crate) const fn any_missing(&self) -> bool {
        self.classes & bit(QualityClass::Missing) != 0
    }

    /// Whether some interval was estimated.
    pub(crate) const fn any_estimated(&self) -> bool {
        self.classes & ESTIMATED != 0
    }

    /// Whether the day may serve as a reference: every interval trusted, full length, without a power failure.
    pub(crate) const fn is_sound(&self) -> bool {
        self.has_only(TRUSTED)
            && self.classes != 0
            && self.flags & (Quality::POWER_FAIL | Quality::PARTIAL) == 0
    }
}

/// Eight bits that two different days rarely share.
fn digest(values: &[i64]) -> u8 {
    let mixed = values.iter().fold(0x9E37_79B9_7F4A_7C15_u64, |hash, value| {
        (hash.rotate_left(5) ^ value.cast_unsigned()).wrapping_mul(0x2545_F491_4F6C_DD1D)
    });
    mixed.to_be_bytes()[0]
}

/// Days since 1970-01-01 of a calendar date.
///
/// The civil-from-days arithmetic of the proleptic Gregorian calendar, without a calendar object.
pub(crate) fn day_number(date: Date) -> i32 {
    let (month, day) = (i32::from(date.month()), i32::from(date.day()));
    let year = i32::from(date.year()) - i32::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;
    use jiff::civil::date;

    #[test]
    fn days_are_numbered_as_the_calendar_does() {
        let epoch = date(1970, 1, 1);
        for offset in (-800_000..2_900_000).step_by(997) {
            let day = epoch + i64::from(offset).days();
            assert_eq!(day_number(day), offset, "{day}");
        }
        assert_eq!(day_number(date(2024, 2, 29)), 19_782);
    }
}
