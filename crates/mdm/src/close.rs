//! Closing days: what is still missing when the grace is over is estimated.

use crate::catalogue::Entry;
use crate::day::Workshop;
use crate::{IngestReport, Mdm, MdmError};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use model::{ChannelId, ChannelKind, CustomerClass, LocalDay, MeterId};
use std::collections::{BTreeMap, BTreeSet};
use store::{ClassUse, DaySummary, VersionSource, Write};

/// What closing a day came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CloseReport {
    /// Channels looked at.
    pub channels: usize,
    /// Intervals that stand as estimated or derived now.
    pub estimated: usize,
    /// Intervals of which nothing is known, not even enough to estimate.
    pub missing: usize,
    /// Findings written.
    pub findings: usize,
}

/// A range of meters, both ends included. All channels of a meter are in the same part, as rules compare them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The number of the first.
    pub first: u32,
    /// The number of the last; meters that come later belong to the last part.
    pub last: u32,
}

impl Part {
    /// Every meter.
    pub const ALL: Self = Self { first: 0, last: u32::MAX };

    fn holds(self, entry: &Entry) -> bool {
        (self.first..=self.last).contains(&entry.channel.meter.get())
    }
}

/// Whether a day and so many hours of grace are over.
pub(crate) fn is_past(day: &LocalDay, grace_h: u32, now: Timestamp) -> bool {
    let grace = SignedDuration::from_hours(grace_h.into());
    day.end().checked_add(grace).is_ok_and(|due| due <= now)
}

/// A store that was never closed is closed from here on: readings of a clock gone wrong may be older than any meter.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(400 * 24);

impl Mdm {
    /// The days whose grace is over at `now` and that are not closed yet, the earliest first. Where groups of the rule book
    /// have graces of their own, the shortest counts: channels that may wait longer are closed with a later day.
    ///
    /// # Errors
    /// What the store says.
    pub fn due_days(&self, now: Timestamp) -> Result<Vec<Date>, MdmError> {
        let (range, last) = self.store.read(|r| Ok::<_, MdmError>((r.day_range()?, r.last_closed_day()?)))?;
        let Some((first, _)) = range else { return Ok(Vec::new()) };
        let oldest = self.day_of(now.saturating_sub(LOOK_BACK).unwrap_or(now))?;
        let mut day =
            self.local_day(last.and_then(|last| last.tomorrow().ok()).unwrap_or(first.max(oldest.date())))?;
        let mut due = Vec::new();
        while is_past(&day, self.grace_h(day.date()).0, now) {
            due.push(day.date());
            day = day.next()?;
        }
        Ok(due)
    }

    /// Closes every day that is due, the earliest first, one transaction each.
    ///
    /// # Errors
    /// What the store says; days closed before stay closed.
    pub fn close_due(&self, now: Timestamp) -> Result<Vec<(Date, CloseReport)>, MdmError> {
        self.due_days(now)?.into_iter().map(|day| Ok((day, self.close_day(now, day)?))).collect()
    }

    /// Judges a day once more, fills its gaps and seals every channel's version of it. Late values still supersede
    /// the estimates, each time in a new version. Nothing happens while the grace is not over.
    ///
    /// With it go the channels of earlier days whose rules give them more time, once that is over, and estimates of
    /// [`vee::Estimation::revise_after_d`] days ago that the days read since make better.
    ///
    /// # Errors
    /// What the store says; then nothing was changed.
    pub fn close_day(&self, now: Timestamp, date: Date) -> Result<CloseReport, MdmError> {
        self.reload()?;
        self.store.write(|w| self.close_day_in(w, now, date))
    }

    /// As [`Mdm::close_day`], inside a transaction of the caller's; [`Mdm::reload`] first if meters may be new.
    ///
    /// # Errors
    /// What the store says; then the transaction must not be committed.
    pub fn close_day_in(&self, w: &Write, now: Timestamp, date: Date) -> Result<CloseReport, MdmError> {
        if !is_past(&self.local_day(date)?, self.grace_h(date).0, now) {
            return Ok(CloseReport::default());
        }
        let closed = self.close_part_in(w, now, date, Part::ALL)?;
        w.close_day(date, now)?;
        Ok(closed)
    }

    /// As [`Mdm::close_day_in`] for some meters only. The day counts as closed when [`Write::close_day`] says so, which is for
    /// whoever knows that all its parts are done.
    ///
    /// # Errors
    /// As there.
    pub fn close_part_in(
        &self,
        w: &Write,
        now: Timestamp,
        date: Date,
        part: Part,
    ) -> Result<CloseReport, MdmError> {
        let day = self.local_day(date)?;
        let mut closed = CloseReport::default();
        let (shortest, longest) = self.grace_h(date);
        if !is_past(&day, shortest, now) {
            return Ok(closed);
        }
        let mut report = IngestReport::default();
        let mut workshop = Workshop::new(self, w, now)?;
        workshop.load_power_events(Some(date), Some(date))?;
        workshop.close_channels(&day, part, &mut closed, &mut report)?;
        if longest > shortest {
            workshop.close_stragglers(&day, part, (shortest, longest), &mut closed, &mut report)?;
        }
        workshop.revise(&day, part, &mut report)?;
        workshop.finish()?;
        closed.findings = report.findings;
        Ok(closed)
    }

    /// All meters in parts of at most `meters`, each of which can be closed by itself; one part where there are no more.
    pub fn parts(&self, meters: usize) -> Vec<Part> {
        let mut all: Vec<MeterId> = self.catalogue().entries().map(|entry| entry.channel.meter).collect();
        all.dedup();
        let firsts = all.chunks(meters.max(1)).filter_map(<[_]>::first).skip(1);
        let mut parts = vec![Part::ALL];
        for first in firsts {
            let open = parts.last_mut().map(|last| core::mem::replace(&mut last.last, first.get() - 1));
            parts.push(Part { first: first.get(), last: open.unwrap_or(u32::MAX) });
        }
        parts
    }

    /// The shortest and the longest grace of anybody on a day, hours.
    fn grace_h(&self, day: Date) -> (u32, u32) {
        self.in_force().on(day).map_or(&self.book, |(_, book)| book).grace_range_h()
    }
}

impl Workshop<'_> {
    /// Closes the channels of a day whose grace is over.
    fn close_channels(
        &mut self,
        day: &LocalDay,
        part: Part,
        closed: &mut CloseReport,
        report: &mut IngestReport,
    ) -> Result<(), MdmError> {
        let summaries = self.summaries(day.date(), part)?;
        self.note_class_use(day.date(), part, &summaries)?;
        let whole: BTreeSet<ChannelId> = summaries
            .into_iter()
            .filter(|summary| summary.sealed && summary.present == summary.expected)
            .map(|summary| summary.channel)
            .collect();
        let catalogue = self.catalogue.clone();
        for entry in catalogue.entries_of(day).filter(|entry| part.holds(entry)) {
            let grace_h = self.rules(&entry, day.date()).grace_h;
            if !is_past(day, grace_h, self.now) {
                continue;
            }
            closed.channels += 1;
            if whole.contains(&entry.channel.id) {
                continue;
            }
            self.close_one(&entry, day, closed, report)?;
        }
        Ok(())
    }

    /// What the channels of a part have of a day.
    fn summaries(&self, day: Date, part: Part) -> Result<Vec<DaySummary>, MdmError> {
        let channels =
            || self.catalogue.entries().filter(|entry| part.holds(entry)).map(|entry| entry.channel.id);
        let (Some(first), Some(last)) = (channels().min(), channels().max()) else { return Ok(Vec::new()) };
        Ok(self.write.day_summaries_of(day, (first, last))?)
    }

    /// Remembers what each kind and class of channels used: the blend moves days by it.
    fn note_class_use(&self, date: Date, part: Part, summaries: &[DaySummary]) -> Result<(), MdmError> {
        let mut used: BTreeMap<(u8, &str, u8), (ChannelKind, CustomerClass, ClassUse)> = BTreeMap::new();
        for summary in summaries.iter().filter(|summary| summary.present == summary.expected) {
            let entry = self.catalogue.by_id(summary.channel).filter(|entry| part.holds(entry));
            let Some(entry) = entry else { continue };
            let (kind, class) = (entry.channel.kind, entry.facts.class);
            if !kind.is_additive() || kind.is_signed() {
                continue;
            }
            let half = u8::from(summary.channel.get() % 2 == 1);
            let fresh = ClassUse { day: date, half, channels: 0, total: 0 };
            let (_, _, sum) = used.entry((kind.code(), class.name(), half)).or_insert((kind, class, fresh));
            sum.channels += 1;
            sum.total = sum.total.saturating_add(summary.total);
        }
        for (kind, class, used) in used.values() {
            self.write.put_class_day(*kind, *class, part.first, used)?;
        }
        Ok(())
    }

    fn close_one(
        &mut self,
        entry: &Entry,
        day: &LocalDay,
        closed: &mut CloseReport,
        report: &mut IngestReport,
    ) -> Result<(), MdmError> {
        let after = self.judge_again(entry, day, VersionSource::Closing, report)?;
        let missing = after.missing_count();
        closed.missing += missing;
        closed.estimated += after.slots.iter().filter(|slot| !slot.quality.is_read()).count() - missing;
        Ok(())
    }

    /// Closes what of the days before had more time than others and has no more.
    fn close_stragglers(
        &mut self,
        day: &LocalDay,
        part: Part,
        (shortest, longest): (u32, u32),
        closed: &mut CloseReport,
        report: &mut IngestReport,
    ) -> Result<(), MdmError> {
        let back = longest.div_ceil(24) + 1;
        for days in 1..=back {
            let Ok(date) = day.date().checked_sub(jiff::Span::new().days(i64::from(days))) else { break };
            let earlier = self.local_day(date)?;
            let sealed: BTreeSet<ChannelId> = self
                .summaries(date, part)?
                .into_iter()
                .filter(|summary| summary.sealed)
                .map(|summary| summary.channel)
                .collect();
            let catalogue = self.catalogue.clone();
            let waits = |entry: &Entry| {
                let grace_h = self.rules(entry, date).grace_h;
                grace_h > shortest && is_past(&earlier, grace_h, self.now)
            };
            let late: Vec<Entry> = catalogue
                .entries()
                .filter(|entry| part.holds(entry))
                .filter(|entry| entry.installed_at < earlier.end() && !sealed.contains(&entry.channel.id))
                .filter(waits)
                .collect();
            if late.is_empty() {
                continue;
            }
            self.load_power_events(Some(date), Some(date))?;
            for entry in late {
                self.close_one(&entry, &earlier, closed, report)?;
            }
        }
        Ok(())
    }

    /// Estimates anew what no register bears out, now that days after the gap were read.
    fn revise(&mut self, day: &LocalDay, part: Part, report: &mut IngestReport) -> Result<(), MdmError> {
        let catalogue = self.catalogue.clone();
        let mut by_age: BTreeMap<u32, Vec<Entry>> = BTreeMap::new();
        for entry in catalogue.entries().filter(|entry| part.holds(entry)) {
            let estimation = &self.rules(&entry, day.date()).estimation;
            if estimation.revise_after_d > 0 && estimation.uses_later_days() {
                by_age.entry(estimation.revise_after_d).or_default().push(entry);
            }
        }
        for (age, entries) in by_age {
            let Ok(date) = day.date().checked_sub(jiff::Span::new().days(i64::from(age))) else { continue };
            let earlier = self.local_day(date)?;
            let guessed: BTreeSet<ChannelId> = self
                .summaries(date, part)?
                .into_iter()
                .filter(|summary| summary.sealed && summary.estimated > 0)
                .map(|summary| summary.channel)
                .collect();
            let due = entries.into_iter().filter(|entry| guessed.contains(&entry.channel.id));
            let due: Vec<Entry> = due.collect();
            if due.is_empty() {
                continue;
            }
            self.load_power_events(Some(date), Some(date))?;
            for entry in due {
                self.judge_again(&entry, &earlier, VersionSource::Estimation, report)?;
            }
        }
        Ok(())
    }
}
