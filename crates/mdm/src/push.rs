//! Pushes: on disk first, judged later.
//!
//! A head-end appends the pushes of many meters as one row ([`store::Write::append_pushes`]) in the transaction that notes
//! their counters. They are in no day until a job has sealed them here, by the same way as everything that arrives.

use crate::{Incoming, IngestReport, Mdm, MdmError};
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
        let mut items = Vec::new();
        let mut taken = 0;
        for group in w.push_groups(groups)? {
            if w.remove_push_group(group.id)? {
                taken += 1;
                items.extend(group.batches.into_iter().map(Incoming::Batch));
            }
        }
        Ok((taken, self.receive_in(w, now, items)?))
    }
}
