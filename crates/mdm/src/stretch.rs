//! Which days registers bind together.
//!
//! Where a register was read before a gap of several days and after it, all of those days are estimated at once, so that
//! their sum is what the register moved by:
//!
//! ```text
//!  register                                   register
//!     |   Monday   |  Tuesday   | Wednesday  |   |
//!       read - - - - - - - - - - - - - - read       one stretch: Monday to Wednesday
//! ```

use crate::catalogue::Entry;
use crate::day::{Before, Workshop};
use crate::surroundings::{RATES, exact};
use crate::{Mdm, MdmError};
use core::ops::Range;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use model::RegisterRead;
use std::collections::BTreeMap;
use store::Read;
use vee::{Day, Rules, Slot};

/// Reads off the channel's grid bracket nothing; so many of them in a row are passed over.
const OFF_GRID: usize = 8;

/// The nearest reads of a channel's registers, for [`Rules`] that may use those of time-of-use too.
pub(crate) struct Marks<'a> {
    pub(crate) mdm: &'a Mdm,
    pub(crate) read: &'a Read,
    pub(crate) entry: &'a Entry,
    pub(crate) rules: &'a Rules,
}

impl Marks<'_> {
    /// The registers that matter: the total, and those of time-of-use where the rules say when they count.
    fn registers(&self) -> impl Iterator<Item = u8> + use<> {
        0..=(if self.rules.estimation.tou.is_empty() { 0 } else { RATES })
    }

    fn most(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.rules.estimation.bracket_max_d))
    }

    fn is_on_grid(&self, read: &RegisterRead) -> Result<bool, MdmError> {
        let day = self.mdm.day_of(read.at)?;
        let on_grid = day.interval_at(self.entry.channel.interval, read.at);
        let starts = on_grid.map(|index| day.interval_start(self.entry.channel.interval, index));
        Ok(starts == Some(read.at) && exact(read, self.entry).is_some())
    }

    /// When a register was last read at or before an instant, none if that is too long ago to bracket anything. Of
    /// several registers the one that was read first.
    pub(crate) fn before(&self, at: Timestamp) -> Result<Option<Timestamp>, MdmError> {
        let channel = &self.entry.channel;
        let mut found: Option<Timestamp> = None;
        for register in self.registers() {
            let mut until = at;
            for _ in 0..OFF_GRID {
                let last = self.read.register_before(channel.meter, channel.kind, register, until)?;
                let Some(last) = last.filter(|last| last.at.duration_until(at) <= self.most()) else { break };
                if self.is_on_grid(&last)? {
                    found = Some(found.map_or(last.at, |found| found.min(last.at)));
                    break;
                }
                until = last.at.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MIN);
            }
        }
        Ok(found)
    }

    /// As [`Marks::before`], after an instant.
    pub(crate) fn after(&self, at: Timestamp) -> Result<Option<Timestamp>, MdmError> {
        let channel = &self.entry.channel;
        let mut found: Option<Timestamp> = None;
        for register in self.registers() {
            let mut from = at;
            for _ in 0..OFF_GRID {
                let next = self.read.register_after(channel.meter, channel.kind, register, from)?;
                let Some(next) = next.filter(|next| at.duration_until(next.at) <= self.most()) else { break };
                if self.is_on_grid(&next)? {
                    found = Some(found.map_or(next.at, |found| found.max(next.at)));
                    break;
                }
                from = next.at.saturating_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
            }
        }
        Ok(found)
    }

    /// The first and the last day that registers bind to the instants `[from, to]`.
    fn bound(&self, from: Timestamp, to: Timestamp) -> Result<(Date, Date), MdmError> {
        let date_before = |at: Timestamp| {
            let last = at.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(at);
            Ok::<_, MdmError>(self.mdm.day_of(last)?.date())
        };
        let alone = (self.mdm.day_of(from)?.date(), date_before(to)?);
        let (first, last) = (self.before(from)?, self.after(to)?);
        let inside = match (first, last) {
            (Some(_), Some(_)) | (None, None) => true,
            // A read on one side only: it brackets something if there is another inside.
            (Some(_), None) => self.before(to)?.is_some_and(|at| at > from),
            (None, Some(_)) => self.after(from)?.is_some_and(|at| at < to),
        };
        if !inside {
            return Ok(alone);
        }
        let first = first.map_or(Ok(alone.0), |at| self.mdm.day_of(at).map(|day| day.date()))?;
        let last = last.map_or(Ok(alone.1), date_before)?;
        Ok((first.min(alone.0), last.max(alone.1)))
    }
}

/// The intervals that something is to be found out about, from the first to the last.
pub(crate) fn open(day: &Day) -> Option<Range<usize>> {
    hull(day, |_, slot| is_open(*slot))
}

/// From the first to the last interval that satisfies `test`.
pub(crate) fn hull(day: &Day, test: impl Fn(usize, &Slot) -> bool) -> Option<Range<usize>> {
    let mut found =
        day.slots.iter().enumerate().filter(|(index, slot)| test(*index, slot)).map(|(index, _)| index);
    let first = found.next()?;
    Some(first..found.next_back().unwrap_or(first) + 1)
}

/// Whether estimation may put another value there.
fn is_open(slot: Slot) -> bool {
    slot.quality.is_missing() || slot.quality.is_own_estimate()
}

impl Workshop<'_> {
    /// The other days that registers bind to the intervals `touched` of a day, by date; none if the day stands alone.
    ///
    /// The same whichever of them is asked: a day at either end that has gaps outside of the bracket draws in what binds
    /// those. More days than [`vee::Estimation::bracket_max_d`] are not worked on together.
    pub(crate) fn bound_days(
        &self,
        entry: &Entry,
        day: &Day,
        touched: &Range<usize>,
        rules: &Rules,
    ) -> Result<BTreeMap<Date, Before>, MdmError> {
        let marks = Marks { mdm: self.mdm, read: self.write, entry, rules };
        let own = day.day.date();
        let (mut from, mut to) = (day.start_of(touched.start), day.start_of(touched.end));
        let mut others: BTreeMap<Date, Before> = BTreeMap::new();
        let most = usize::try_from(rules.estimation.bracket_max_d).unwrap_or(usize::MAX);
        loop {
            let (first, last) = marks.bound(from, to)?;
            let mut date = first;
            let mut more = false;
            while date <= last {
                if date != own && !others.contains_key(&date) {
                    let local = self.mdm.local_day(date)?;
                    others.insert(date, self.load(entry, &local)?);
                    more = true;
                }
                let Ok(next) = date.tomorrow() else { break };
                date = next;
            }
            if others.len() >= most {
                return Ok(BTreeMap::new());
            }
            if !more {
                return Ok(others);
            }
            for before in others.values() {
                if let Some(hole) = open(&before.day) {
                    from = from.min(before.day.start_of(hole.start));
                    to = to.max(before.day.start_of(hole.end));
                }
            }
            if let Some(hole) = open(day) {
                from = from.min(day.start_of(hole.start));
                to = to.max(day.start_of(hole.end));
            }
        }
    }

    /// The days with estimates that a register read at `at` may now bracket, besides its own day and the one before.
    pub(crate) fn days_bracketed(&mut self, entry: &Entry, at: Timestamp) -> Result<Vec<Date>, MdmError> {
        let day = self.day_containing(at)?;
        let rules = self.rules_of(entry, day.date());
        let marks = Marks { mdm: self.mdm, read: self.write, entry, rules: &rules };
        let second = SignedDuration::from_secs(1);
        let before = marks.before(at.saturating_sub(second).unwrap_or(at))?;
        let after = marks.after(at.saturating_add(second).unwrap_or(at))?;
        let first = before.map_or(Ok(day.date()), |at| self.mdm.day_of(at).map(|day| day.date()))?;
        let last = after.map_or(Ok(day.date()), |at| self.mdm.day_of(at).map(|day| day.date()))?;
        let near = |date: Date| date == day.date() || Ok(date) == day.date().yesterday().map_err(|_| ());
        let wide = !near(first) || last > day.date();
        if !wide {
            return Ok(Vec::new());
        }
        let end = last.tomorrow().unwrap_or(last);
        let totals = self.write.day_totals(entry.channel.id, first, end)?;
        Ok(totals.into_iter().filter(|day| day.estimated > 0).map(|day| day.day).collect())
    }
}
