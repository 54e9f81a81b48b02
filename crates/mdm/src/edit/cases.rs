//! What an edit means for the exceptions of the day.

use super::{Edit, Editor, Op, Slots};
use crate::MdmError;
use crate::catalogue::Entry;
use crate::day::Workshop;
use model::{QualityClass, UserId};
use store::{Case, CaseState, Exception, Origin, StoredFinding};
use vee::Day;

fn range(finding: &StoredFinding) -> core::ops::Range<usize> {
    let number = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    number(finding.first)..number(finding.first).saturating_add(number(finding.count))
}

/// Whether a finding lies wholly inside the chosen intervals.
pub(super) fn covers(slots: &Slots, finding: &StoredFinding) -> bool {
    let mut range = range(finding);
    !range.is_empty() && range.all(|slot| slots.contains(slot))
}

/// Whether a finding has an interval in common with those chosen.
fn meets(slots: &Slots, finding: &StoredFinding) -> bool {
    slots.iter().any(|slot| range(finding).contains(&slot))
}

fn same(a: &StoredFinding, b: &StoredFinding) -> bool {
    (a.origin, &a.rule, a.first) == (b.origin, &b.rule, b.first)
}

impl Workshop<'_> {
    /// Moves the exceptions of a day on after an edit. `earlier` is what was found before it.
    ///
    /// Accepted is a finding that lies inside what was accepted. Edited or rejected is one that touched what was changed and
    /// is gone. Closed is one that is gone for another reason. An undo opens again what an edit had accepted.
    pub(super) fn move_cases(
        &self,
        entry: &Entry,
        day: &Day,
        editor: Editor,
        edit: &Edit,
        earlier: Vec<Exception>,
    ) -> Result<(), MdmError> {
        let found = self.write.findings(
            entry.channel.id,
            edit.date,
            edit.date.tomorrow().map_err(|_| model::time::DateOutOfRange(edit.date))?,
        )?;
        for old in earlier {
            let now = found.iter().find(|finding| same(finding, &old.finding));
            let state = match (now, &edit.op) {
                (Some(finding), Op::Accept) if covers(&edit.slots, finding) => CaseState::Accepted,
                (Some(finding), Op::Undo { .. }) if unsettled(day, finding) => CaseState::Open,
                (Some(finding), Op::Reject) if is_ingest(finding, &edit.slots) => CaseState::Rejected,
                (Some(finding), op) if op.changes_values() && is_ingest(finding, &edit.slots) => {
                    CaseState::Edited
                }
                (None, Op::Accept) if covers(&edit.slots, &old.finding) => CaseState::Accepted,
                (None, Op::Reject) if meets(&edit.slots, &old.finding) => CaseState::Rejected,
                (None, Op::Undo { .. }) => CaseState::Closed,
                (None, op) if op.changes_values() && meets(&edit.slots, &old.finding) => CaseState::Edited,
                (None, _) => CaseState::Closed,
                (Some(finding), Op::Note) if meets(&edit.slots, finding) => old.state,
                (Some(_), _) => continue,
            };
            let was_gone = now.is_none() && old.state != CaseState::Open && old.state != CaseState::Accepted;
            if was_gone {
                continue;
            }
            let finding = now.cloned().unwrap_or_else(|| old.finding.clone());
            self.put_case(finding, &old, state, Some(editor.user), edit.note.trim())?;
        }
        Ok(())
    }

    pub(super) fn put_case(
        &self,
        finding: StoredFinding,
        old: &Exception,
        state: CaseState,
        user: Option<UserId>,
        note: &str,
    ) -> Result<(), MdmError> {
        let case = Case {
            finding,
            state,
            assignee: old.assignee,
            note: if note.is_empty() { old.note.clone() } else { note.to_owned() },
            user,
            changed_at: self.now,
        };
        Ok(self.write.put_case(&case)?)
    }
}

/// What ingest found stays in the book for ever; a person who dealt with it has dealt with it.
fn is_ingest(finding: &StoredFinding, slots: &Slots) -> bool {
    finding.origin == Origin::Ingest && meets(slots, finding)
}

/// Whether a finding points at readings that nobody vouches for.
fn unsettled(day: &Day, finding: &StoredFinding) -> bool {
    day.slots
        .get(range(finding))
        .is_some_and(|slots| slots.iter().any(|slot| slot.quality.class() == QualityClass::Questionable))
}
