//! Accepting a whole group of exceptions at once.

use super::{Edit, EditRefused, Editor, Op, ReasonCode, Slots};
use crate::day::Workshop;
use crate::{Mdm, MdmError};
use jiff::Timestamp;
use jiff::civil::Date;
use model::ChannelId;
use std::collections::BTreeMap;
use store::{CaseState, ExceptionFilter, ExceptionSort};

/// The most exceptions that are accepted at once: what one transaction should hold, and a person can answer for.
pub const MOST_AT_ONCE: u32 = 5_000;

impl Mdm {
    /// Accepts every open exception that `filter` lets through, in one transaction, if they are as many as the person saw.
    /// How many were accepted.
    ///
    /// # Errors
    /// What the store says; then nothing was done. A refusal is a value.
    pub fn accept_all(
        &self,
        now: Timestamp,
        editor: Editor,
        filter: &ExceptionFilter,
        expected_count: u64,
        reason: Option<ReasonCode>,
        note: &str,
    ) -> Result<Result<u64, EditRefused>, MdmError> {
        let filter = ExceptionFilter { state: Some(CaseState::Open), ..filter.clone() };
        self.store.write(|w| {
            let found = w.exceptions(&filter, ExceptionSort::Oldest, 0, MOST_AT_ONCE + 1)?;
            let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
            if count > u64::from(MOST_AT_ONCE) {
                return Ok(Err(EditRefused::TooMany));
            }
            if count != expected_count {
                return Ok(Err(EditRefused::CountChanged { expected: expected_count, found: count }));
            }
            let mut days: BTreeMap<(Date, ChannelId), (u64, Vec<usize>)> = BTreeMap::new();
            for exception in &found {
                let finding = &exception.finding;
                let (count, slots) = days.entry((finding.day, finding.channel)).or_default();
                *count += 1;
                let first = usize::try_from(finding.first).unwrap_or(usize::MAX);
                slots.extend((first..).take(usize::try_from(finding.count).unwrap_or(0)));
            }
            let mut workshop = Workshop::new(self, w, now)?;
            let mut accepted = 0;
            for ((date, channel), (count, slots)) in days {
                let intervals = self.intervals_of(channel, date)?.unwrap_or(0);
                let slots: Slots = slots.into_iter().filter(|slot| *slot < intervals).collect();
                let edit = Edit {
                    command: format!("accept-all-{}", now.as_millisecond()),
                    channel,
                    date,
                    slots,
                    op: Op::Accept,
                    reason,
                    note: note.to_owned(),
                    expected_version: w.day(channel, date)?.map_or(0, |stored| stored.block.version),
                };
                match workshop.edit(editor, &edit)? {
                    Ok(_) => accepted += count,
                    // Why the person may not do it is the same for every day; what does not fit one day stays open.
                    Err(
                        refused @ (EditRefused::NoReason
                        | EditRefused::NoteNeeded
                        | EditRefused::NoteTooLong(_)),
                    ) => {
                        return Ok(Err(refused));
                    }
                    Err(_) => {}
                }
            }
            workshop.finish()?;
            Ok(Ok(accepted))
        })
    }

    /// How many intervals a channel has on a date; `None` for a channel that is not in service.
    ///
    /// # Errors
    /// [`MdmError::Calendar`] at the far ends of the calendar.
    pub fn intervals_of(&self, channel: ChannelId, date: Date) -> Result<Option<usize>, MdmError> {
        let day = self.local_day(date)?;
        Ok(self.catalogue().by_id(channel).map(|entry| day.intervals(entry.channel.interval)))
    }
}
