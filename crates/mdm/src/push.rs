//! Pushes: on disk first, judged later.

use crate::day::Workshop;
use crate::{Incoming, IngestReport, Mdm, MdmError};
use jiff::Timestamp;
use model::ReadBatch;

impl Mdm {
    /// Appends pushed batches as one group with one wait for the disk: when this returns `Ok` they may be acknowledged.
    /// They are in no day until [`Mdm::seal_pushes`] has run.
    ///
    /// # Errors
    /// What the store says; then none of them was kept.
    pub fn append_pushes(&self, now: Timestamp, batches: &[ReadBatch]) -> Result<(), MdmError> {
        Ok(self.store.write(|w| w.append_pushes(batches, now))?)
    }

    /// Takes the oldest groups of pushes, at most `groups`, into their days and removes them, in one transaction. What
    /// is told is all zeros when none waits.
    ///
    /// # Errors
    /// What the store says; then the groups still wait.
    pub fn seal_pushes(&self, now: Timestamp, groups: u32) -> Result<IngestReport, MdmError> {
        self.reload()?;
        self.store.write(|w| {
            let waiting = w.push_groups(groups)?;
            let mut items = Vec::new();
            for group in waiting {
                if w.remove_push_group(group.id)? {
                    items.extend(group.batches.into_iter().map(Incoming::Batch));
                }
            }
            let mut workshop = Workshop::new(self, w, now)?;
            let report = workshop.receive(items)?;
            workshop.finish()?;
            Ok(report)
        })
    }
}
