//! Where a version comes from, and what a new one means for bills that were computed from an earlier one.

use crate::MdmError;
use crate::catalogue::Entry;
use crate::day::Workshop;
use crate::ingest::{Delivery, IngestReport};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use model::{BillId, ChannelId};
use std::collections::BTreeSet;
use store::{NewJob, Origin, RebillFlag, StoredFinding, VersionOrigin, VersionSource, Write};
use vee::Day;

/// The kind of the jobs that write a closed day as a file for analysts; the key is its date. A version that is kept of a day
/// whose file is written has it written again.
pub const EXPORT_DAY: &str = "export-day";
/// Corrections seldom come alone: a file is written again so long after the first.
const GATHER: SignedDuration = SignedDuration::from_mins(5);
/// How often a file is tried.
const ATTEMPTS: u32 = 12;

/// The rule under which a reading is reported that came for an interval set by a person.
pub const EDIT_KEPT: &str = "edit_kept";

/// The readings that a version of `day` still does without.
pub(crate) fn still_rejected(rejected: &[(u32, i64)], day: &Day) -> Vec<(u32, i64)> {
    let without = |slot: u32| {
        usize::try_from(slot)
            .ok()
            .and_then(|slot| day.slots.get(slot))
            .is_some_and(|slot| !slot.quality.is_read())
    };
    rejected.iter().filter(|(slot, _)| without(*slot)).copied().collect()
}

/// Has the files of closed days written again, where somebody has days written as files.
pub(crate) fn renew_files(write: &Write, days: BTreeSet<Date>, now: Timestamp) -> Result<(), MdmError> {
    if days.is_empty() {
        return Ok(());
    }
    // A day that is not closed gets its first file when it is.
    let Some(last) = write.last_closed_day()? else { return Ok(()) };
    for day in days.into_iter().filter(|day| *day <= last) {
        let job = NewJob {
            kind: EXPORT_DAY.to_owned(),
            key: day.to_string(),
            payload: format!("changed {now}"),
            due_at: now.saturating_add(GATHER).unwrap_or(now),
            most_attempts: ATTEMPTS,
        };
        write.redo_job(&job, now)?;
    }
    Ok(())
}

impl Workshop<'_> {
    /// What made a version, before it has a number.
    pub(crate) fn origin(&self, source: VersionSource) -> VersionOrigin {
        VersionOrigin {
            version: 0,
            recorded_at: self.now,
            source,
            user: None,
            reason: None,
            note: None,
            op: None,
            supersedes: 0,
            rejected: Vec::new(),
        }
    }

    /// A version that took another's place says where it comes from, and bills computed from the other are flagged.
    /// First versions of plain readings are the rule and cost nothing here.
    pub(crate) fn note_version(
        &self,
        channel: ChannelId,
        date: Date,
        known: u32,
        version: u32,
        origin: VersionOrigin,
    ) -> Result<(), MdmError> {
        if version < 2 && origin.user.is_none() {
            return Ok(());
        }
        let why = match origin.source {
            VersionSource::Readings => "readings arrived after the day was billed",
            VersionSource::Closing => "the day was closed after it was billed",
            VersionSource::Edit => "the day was edited after it was billed",
            VersionSource::Undo => "an edit was undone after the day was billed",
            VersionSource::Estimation => "gaps were estimated anew after the day was billed",
            VersionSource::Rules => "other rules judged the day after it was billed",
        };
        if version > known {
            self.flag_bills(channel, date, version, why)?;
        }
        let supersedes = if version > known { known } else { known.saturating_sub(1) };
        Ok(self.write.put_origin(channel, date, &VersionOrigin { version, supersedes, ..origin })?)
    }

    /// Flags the bills that took another version of the day; which.
    pub(crate) fn flag_bills(
        &self,
        channel: ChannelId,
        day: Date,
        version: u32,
        why: &str,
    ) -> Result<Vec<BillId>, MdmError> {
        let mut flagged = Vec::new();
        for (bill, billed) in self.write.bills_of(channel, day)? {
            let flag = RebillFlag {
                bill,
                channel,
                day,
                version,
                reason: format!("{why} (billed: version {billed}, now: version {version})"),
                flagged_at: self.now,
                taken_up_at: None,
            };
            self.write.flag_rebill(&flag)?;
            flagged.push(bill);
        }
        Ok(flagged)
    }

    /// A reading that differs from what a person set changes nothing, but somebody should look.
    pub(crate) fn note_kept_edits(
        &self,
        entry: &Entry,
        day: &Day,
        version: u32,
        delivery: &Delivery,
        report: &mut IngestReport,
    ) -> Result<(), MdmError> {
        let differing = delivery.arrivals.iter().filter_map(|arrival| {
            let index = day.day.interval_at(day.interval, arrival.start)?;
            let slot = day.slots.get(index)?;
            let edited = slot.quality.class() == model::QualityClass::Edited;
            (edited && slot.value != arrival.value).then_some((index, slot.value, arrival.value))
        });
        let differing: Vec<(usize, i64, i64)> = differing.collect();
        let (Some(first), Some(last)) = (differing.first(), differing.last()) else { return Ok(()) };
        // What was delivered before the edit is delivered again: the person knew it.
        if delivery.repeated {
            return Ok(());
        }
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let finding = StoredFinding {
            channel: entry.channel.id,
            day: day.day.date(),
            origin: Origin::Ingest,
            rule: EDIT_KEPT.to_owned(),
            first: number(first.0),
            count: number(last.0 - first.0 + 1),
            version,
            severity: vee::Severity::Issue.name().to_owned(),
            sentence: format!(
                "{} readings arrived for intervals that a person set and that stand; the first was set to {}, read as {}",
                differing.len(),
                first.1,
                first.2
            ),
            found_at: self.now,
        };
        report.findings += usize::from(self.write.insert_finding(&finding)?);
        self.flag_bills(
            entry.channel.id,
            day.day.date(),
            version,
            "readings arrived for intervals that a person had set",
        )?;
        Ok(())
    }
}
