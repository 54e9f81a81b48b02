//! What validation remembers of a channel's earlier days.

use crate::day::Day;
use jiff::civil::Date;
use model::Quality;
use serde::{Deserialize, Serialize};

/// How many days are remembered.
const DAYS: usize = 28;

/// One remembered day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayStat {
    /// Days since 1970-01-01 of the local date.
    pub day: i32,
    /// The day's total in the stored unit, estimates included.
    pub total: i64,
    /// Every interval was read, full length and trusted: the day may serve as a reference.
    pub sound: bool,
    /// At least one interval was estimated.
    pub estimated: bool,
    /// Every interval has a value and all are zero.
    pub zero: bool,
}

/// Rolling statistics of one channel: its last 28 days, oldest first.
///
/// Taking in the same day again replaces it, so days may be judged again in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    days: Vec<DayStat>,
}

/// Bytes that are no statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("statistics of {0} bytes are damaged")]
pub struct StatsError(pub usize);

impl Stats {
    /// The remembered days, oldest first.
    pub fn days(&self) -> &[DayStat] {
        &self.days
    }

    /// Takes in a day after it was judged and, where needed, estimated.
    pub fn absorb(&mut self, day: &Day) {
        let stat = DayStat {
            day: day_number(day.day.date()),
            total: day.total(),
            sound: day.slots.iter().all(|slot| slot.is_sound()),
            estimated: day.slots.iter().any(|slot| slot.quality.is_estimated()),
            zero: day.slots.iter().all(|slot| slot.value == 0 && slot.quality != Quality::MISSING),
        };
        match self.days.binary_search_by_key(&stat.day, |known| known.day) {
            Ok(at) => self.days[at] = stat,
            Err(0) if self.days.len() >= DAYS => {}
            Err(at) => {
                self.days.insert(at, stat);
                if self.days.len() > DAYS {
                    self.days.remove(0);
                }
            }
        }
    }

    /// Mean daily total of the sound days before `date`, and how many they are.
    pub fn mean_before(&self, date: Date) -> Option<(i64, usize)> {
        let today = day_number(date);
        let (mut sum, mut count) = (0i128, 0usize);
        for stat in self.days.iter().filter(|stat| stat.day < today && stat.sound) {
            sum += i128::from(stat.total);
            count += 1;
        }
        let mean = sum.checked_div(i128::try_from(count).ok()?)?;
        Some((i64::try_from(mean).ok()?, count))
    }

    /// How many days in a row just before `date` satisfy `test`; a day without statistics ends the row.
    pub(crate) fn row_before(&self, date: Date, test: impl Fn(&DayStat) -> bool) -> u32 {
        let today = day_number(date);
        let mut before = today;
        let mut count = 0;
        for stat in self.days.iter().rev().filter(|stat| stat.day < today) {
            before -= 1;
            if stat.day != before || !test(stat) {
                break;
            }
            count += 1;
        }
        count
    }

    /// The compact form for the store: 13 bytes a day.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.days.len() * RECORD);
        for stat in &self.days {
            out.extend_from_slice(&stat.day.to_le_bytes());
            out.extend_from_slice(&stat.total.to_le_bytes());
            out.push(u8::from(stat.sound) | u8::from(stat.estimated) << 1 | u8::from(stat.zero) << 2);
        }
        out
    }

    /// Reads the compact form.
    ///
    /// # Errors
    /// [`StatsError`] if the bytes were not written by [`Stats::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StatsError> {
        let damaged = StatsError(bytes.len());
        let (records, rest) = bytes.as_chunks::<RECORD>();
        if !rest.is_empty() || records.len() > DAYS {
            return Err(damaged);
        }
        let mut days: Vec<DayStat> = Vec::with_capacity(records.len());
        for record in records {
            let (day, total) = record.split_at(4);
            let (total, flags) = total.split_at(8);
            let flags = flags.first().copied().unwrap_or(0);
            let day = i32::from_le_bytes(day.try_into().map_err(|_| damaged)?);
            if days.last().is_some_and(|last| last.day >= day) || flags > 7 {
                return Err(damaged);
            }
            days.push(DayStat {
                day,
                total: i64::from_le_bytes(total.try_into().map_err(|_| damaged)?),
                sound: flags & 1 != 0,
                estimated: flags & 2 != 0,
                zero: flags & 4 != 0,
            });
        }
        Ok(Self { days })
    }
}

/// Bytes of one day in the compact form.
const RECORD: usize = 13;

/// Days since 1970-01-01.
fn day_number(date: Date) -> i32 {
    let epoch = Date::constant(1970, 1, 1);
    date.since(epoch).map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day::Slot;
    use jiff::ToSpan;
    use jiff::civil::date;
    use jiff::tz::TimeZone;
    use model::{ChannelKind, IntervalLength, LocalDay, QualityClass};

    fn day(offset: i64, value: i64) -> Day {
        let local = LocalDay::new(date(2026, 3, 1) + offset.days(), &TimeZone::UTC).unwrap();
        let mut day = Day::missing(local, IntervalLength::HOUR, ChannelKind::Import);
        day.slots.fill(Slot::new(value, Quality::VALID));
        day
    }

    #[test]
    fn any_order_and_any_repetition_remember_the_same() {
        let mut forward = Stats::default();
        let mut backward = Stats::default();
        for offset in 0..28 {
            forward.absorb(&day(offset, offset));
            backward.absorb(&day(27 - offset, 27 - offset));
            backward.absorb(&day(27 - offset, 27 - offset));
        }
        assert_eq!(forward, backward);
        assert_eq!(Stats::from_bytes(&forward.to_bytes()).unwrap(), forward);
        assert_eq!(forward.days().len(), 28);
        forward.absorb(&day(40, 1));
        assert_eq!(forward.days().len(), 28);
        forward.absorb(&day(-1, 1));
        assert_eq!(forward.days().len(), 28, "a day older than all remembered ones is not taken in");
    }

    #[test]
    fn the_mean_leaves_out_the_day_itself_and_unsound_days() {
        let mut stats = Stats::default();
        assert_eq!(stats.mean_before(date(2026, 3, 3)), None);
        stats.absorb(&day(0, 10));
        stats.absorb(&day(1, 20));
        let mut odd = day(2, 900);
        odd.slots[0].quality = Quality::new(QualityClass::EstimatedLinear);
        stats.absorb(&odd);
        stats.absorb(&day(3, 5000));
        assert_eq!(stats.mean_before(date(2026, 3, 4)), Some((15 * 24, 2)));
    }

    #[test]
    fn rows_end_at_a_hole() {
        let mut stats = Stats::default();
        for offset in [0, 2, 3] {
            stats.absorb(&day(offset, 0));
        }
        assert_eq!(stats.row_before(date(2026, 3, 5), |stat| stat.zero), 2);
        assert_eq!(stats.row_before(date(2026, 3, 4), |stat| stat.zero), 1);
        assert_eq!(stats.row_before(date(2026, 3, 7), |stat| stat.zero), 0);
    }

    #[test]
    fn damaged_bytes_are_refused() {
        assert!(Stats::from_bytes(&[0; 12]).is_err());
        assert!(Stats::from_bytes(&[0; 26]).is_err());
        assert!(Stats::from_bytes(&[0xFF; 13]).is_err());
        assert_eq!(Stats::from_bytes(&[]).unwrap(), Stats::default());
    }
}
