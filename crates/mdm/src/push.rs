//! Pushes: on disk first, judged later.
//!
//! A head-end appends the pushes of many meters as one row ([`store::Write::append_pushes`]) in the transaction that notes
//! their counters. They are in no day until a job has sealed them here. Whole days of neighbouring meters go into pages as a
//! night's profiles do; everything else goes the way of everything that arrives.

mod whole;

use crate::{IngestReport, Mdm, MdmError};
use jiff::Timestamp;

impl Mdm {
    /// Takes the oldest groups of pushes, at most `groups`, into their days and removes them, in one transaction. What
    /// is told is all zeros when none waits.
    ///
    /// # Errors
    /// What the store says; then the groups still wait.
    pub fn seal_pushes(&self, now: Timestamp, groups: u32) -> Result<IngestReport, MdmError> {
        self.reload()?;
        self.store.write(|w| self.seal_pushes_in(w, now, groups)).map(|(_, report)| report)
    }

    /// As [`Mdm::seal_pushes`], inside a transaction of the caller's, with how many groups there were; [`Mdm::reload`] first if
    /// meters may be new.
    ///
    /// # Errors
    /// What the store says; then the transaction must not be committed.
    pub fn seal_pushes_in(
        &self,
        w: &store::Write,
        now: Timestamp,
        groups: u32,
    ) -> Result<(u32, IngestReport), MdmError> {
        let mut batches = Vec::new();
        let mut taken = 0;
        for group in w.push_groups(groups)? {
            if w.remove_push_group(group.id)? {
                taken += 1;
                batches.extend(group.batches);
            }
        }
        Ok((taken, self.take_days(w, now, batches)?))
    }
}
