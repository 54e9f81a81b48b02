//! The exception queue: what was found, by rule, and how far each has come.

use crate::{Mdm, MdmError};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{ChannelId, UserId};
use store::{Case, CaseState, Exception, ExceptionFilter, ExceptionGroup, ExceptionSort, Read};

/// The queue, one page of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// By rule, the most numerous first.
    pub groups: Vec<ExceptionGroup>,
    /// How many there are in all.
    pub total: u64,
    /// The exceptions of the page.
    pub rows: Vec<Exception>,
}

/// The whole of what is found about a channel's day, gone or not, by interval.
pub(crate) fn exceptions_of(read: &Read, channel: ChannelId, date: Date) -> Result<Vec<Exception>, MdmError> {
    let next = date.tomorrow().map_err(|_| model::time::DateOutOfRange(date))?;
    let filter = ExceptionFilter {
        channel: Some(channel),
        from: Some(date),
        to: Some(next),
        ..ExceptionFilter::default()
    };
    Ok(read.exceptions(&filter, ExceptionSort::Oldest, 0, u32::MAX)?)
}

impl Mdm {
    /// Exceptions `offset..offset + limit` of those that `filter` lets through, and all of them by rule.
    ///
    /// # Errors
    /// What the store says.
    pub fn exceptions(
        &self,
        filter: &ExceptionFilter,
        sort: ExceptionSort,
        offset: u32,
        limit: u32,
    ) -> Result<Queue, MdmError> {
        self.store().read(|r| {
            let groups = r.exception_groups(filter)?;
            let total = groups.iter().map(|group| group.count).sum();
            Ok(Queue { total, rows: r.exceptions(filter, sort, offset, limit)?, groups })
        })
    }

    /// Everything that is or was found about a channel's day.
    ///
    /// # Errors
    /// What the store says.
    pub fn exceptions_of_day(&self, channel: ChannelId, date: Date) -> Result<Vec<Exception>, MdmError> {
        self.store().read(|r| exceptions_of(r, channel, date))
    }

    /// Gives an open exception into somebody's hands, or takes it out of them. Whether there is such an exception.
    ///
    /// # Errors
    /// What the store says.
    pub fn assign(
        &self,
        now: Timestamp,
        by: UserId,
        about: &store::StoredFinding,
        assignee: Option<UserId>,
    ) -> Result<bool, MdmError> {
        self.store().write(|w| {
            let found = exceptions_of(w, about.channel, about.day)?.into_iter().find(|exception| {
                let finding = &exception.finding;
                (finding.origin, &finding.rule, finding.first) == (about.origin, &about.rule, about.first)
            });
            let Some(found) = found.filter(|found| found.state == CaseState::Open) else { return Ok(false) };
            w.put_case(&Case {
                finding: found.finding,
                state: CaseState::Open,
                assignee,
                note: found.note,
                user: Some(by),
                changed_at: now,
            })?;
            Ok(true)
        })
    }
}
