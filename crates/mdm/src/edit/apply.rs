//! Trying an edit out, and doing it.

use super::op::{Around, change, put};
use super::{Edit, EditRefused, Editor, LONGEST_NOTE, Op, ReasonCode, Slots};
use crate::catalogue::Entry;
use crate::day::{Before, Made, Workshop};
use crate::error::Stop;
use crate::fill::Judged;
use crate::ingest::IngestReport;
use crate::read::BenchDay;
use crate::{Mdm, MdmError};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{BillId, Quality, QualityClass};
use store::{EditEntry, Exception, ExceptionFilter, StoreError, VersionOrigin, VersionSource};
use vee::{Day, Slot};

/// The longest name of a deed.
const LONGEST_COMMAND: usize = 64;

/// What an edit came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The version that stands now.
    pub version: u32,
    /// The same deed was done before; nothing was done now.
    pub repeated: bool,
    /// The intervals that differ from before, with those that were estimated anew because of the edit.
    pub changed: Slots,
    /// What is found about the day now, with how far each has come.
    pub findings: Vec<Exception>,
    /// Bills that were computed from an earlier version and are flagged now.
    pub flagged_bills: Vec<BillId>,
}

/// What an edit would come to; nothing was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// What would be done.
    pub edited: Edited,
    /// The day as it is.
    pub before: Vec<Slot>,
    /// The bench as it would be afterwards.
    pub after: BenchDay,
}

/// A day after the operation and before it is judged.
struct Work {
    day: Day,
    rejected: Vec<(u32, i64)>,
    source: VersionSource,
}

impl Mdm {
    /// Does an edit, in one transaction: when this returns, the new version, the cases, the log and the flags of bills are
    /// on disk together. The same edit again does nothing more and says so.
    ///
    /// # Errors
    /// What the store says; then nothing was done. A refusal is a value.
    pub fn apply(
        &self,
        now: Timestamp,
        editor: Editor,
        edit: &Edit,
    ) -> Result<Result<Edited, EditRefused>, MdmError> {
        self.store.write(|w| {
            let mut workshop = Workshop::new(self, w, now)?;
            let done = workshop.edit(editor, edit)?;
            if done.is_ok() {
                workshop.finish()?;
            }
            Ok(done)
        })
    }

    /// What an edit would come to: the same work as [`Mdm::apply`], rolled back.
    ///
    /// # Errors
    /// What the store says.
    pub fn preview(
        &self,
        now: Timestamp,
        editor: Editor,
        edit: &Edit,
    ) -> Result<Result<Preview, EditRefused>, MdmError> {
        let looked = self.store.write(|w| {
            let mut workshop = Workshop::new(self, w, now)?;
            let before = match workshop.catalogue.by_id(edit.channel) {
                Some(entry) => {
                    let day = self.local_day(edit.date)?;
                    workshop.load(&entry, &day)?.day.slots
                }
                None => Vec::new(),
            };
            let done = workshop.edit(editor, edit)?;
            let looked = match done {
                Ok(edited) => {
                    let filter = ExceptionFilter::default();
                    let after = self.bench_in(w, edit.channel, edit.date, &filter)?;
                    after
                        .map(|after| Box::new(Preview { edited, before, after }))
                        .ok_or(EditRefused::UnknownChannel(edit.channel))
                }
                Err(refused) => Err(refused),
            };
            Err::<(), _>(Stop::With(looked))
        });
        match looked {
            Err(Stop::With(looked)) => Ok(looked.map(|preview| *preview)),
            Err(Stop::Failed(error)) => Err(error),
            Ok(()) => Ok(Err(EditRefused::NoChange)),
        }
    }
}

impl Workshop<'_> {
    /// Does an edit or refuses it; nothing is written before the last reason to refuse is passed.
    pub(crate) fn edit(
        &mut self,
        editor: Editor,
        edit: &Edit,
    ) -> Result<Result<Edited, EditRefused>, MdmError> {
        let Some(entry) = self.catalogue.by_id(edit.channel) else {
            return Ok(Err(EditRefused::UnknownChannel(edit.channel)));
        };
        let day = self.local_day(edit.date)?;
        if let Some(done) = self.write.edit(edit.channel, edit.date, &edit.command)? {
            return Ok(Ok(Edited {
                version: done.version_after,
                repeated: true,
                changed: Slots::default(),
                findings: self.exceptions_of(&entry, edit.date)?,
                flagged_bills: Vec::new(),
            }));
        }
        self.load_power_events(Some(edit.date), Some(edit.date))?;
        let before = self.load(&entry, &day)?;
        if let Err(refused) = self.may(&before, editor, edit)? {
            return Ok(Err(refused));
        }
        let work = match self.work_out(&entry, &before, edit)? {
            Ok(work) => work,
            Err(refused) => return Ok(Err(refused)),
        };
        self.carry_out(&entry, &before, editor, edit, work)
    }

    /// Whether this may be done at all.
    fn may(&self, before: &Before, editor: Editor, edit: &Edit) -> Result<Result<(), EditRefused>, MdmError> {
        let note = edit.note.trim().chars().count();
        let command = edit.command.chars().count();
        let refused = if command == 0 || command > LONGEST_COMMAND {
            Some(EditRefused::NoCommand)
        } else if edit.reason.is_none() {
            Some(EditRefused::NoReason)
        } else if note == 0 && (edit.reason == Some(ReasonCode::Other) || edit.op == Op::Note) {
            Some(EditRefused::NoteNeeded)
        } else if note > LONGEST_NOTE {
            Some(EditRefused::NoteTooLong(note))
        } else if edit.slots.is_empty() && !matches!(edit.op, Op::Undo { .. }) {
            Some(EditRefused::NoSlots)
        } else {
            let intervals = before.day.slots.len();
            let outside = edit.slots.last().filter(|slot| *slot >= intervals);
            let sets = !matches!(edit.op, Op::Undo { .. } | Op::Note | Op::Accept | Op::Reject);
            let over =
                |slot: &usize| before.day.day.interval_start(before.day.interval, slot + 1) <= self.now;
            let ahead = edit.slots.last().filter(|slot| sets && !over(slot));
            let outside = outside.map(|slot| EditRefused::SlotOutside { slot, intervals });
            outside.or_else(|| ahead.map(|slot| EditRefused::NotOver { slot }))
        };
        if let Some(refused) = refused {
            return Ok(Err(refused));
        }
        if before.version() != edit.expected_version {
            return Ok(Err(self.stale(before, edit)?));
        }
        if edit.op.changes_values() && !editor.may_edit_billed {
            let billed = self.write.bills_of(edit.channel, edit.date)?;
            if let Some((bill, _)) = billed.first() {
                return Ok(Err(EditRefused::Billed(*bill)));
            }
        }
        Ok(Ok(()))
    }

    fn stale(&self, before: &Before, edit: &Edit) -> Result<EditRefused, MdmError> {
        let current = before.version();
        let seen = self.write.day_version(edit.channel, edit.date, edit.expected_version)?;
        let differs = |slot: &usize| {
            let now = before.day.slots.get(*slot);
            let then = seen.as_ref().and_then(|seen| {
                Some(Slot::new(*seen.block.values.get(*slot)?, *seen.block.quality.get(*slot)?))
            });
            now.copied() != then
        };
        let origin = self.write.origin(edit.channel, edit.date, current)?;
        let stored_at = before.stored.as_ref().map(|stored| stored.block.recorded_at);
        let at = origin.as_ref().map(|origin| origin.recorded_at).or(stored_at).unwrap_or(self.now);
        Ok(EditRefused::Stale {
            expected: edit.expected_version,
            current,
            at,
            by: origin.and_then(|origin| origin.user),
            changed: (0..before.day.slots.len()).filter(differs).collect(),
        })
    }

    /// The day after the operation.
    fn work_out(
        &mut self,
        entry: &Entry,
        before: &Before,
        edit: &Edit,
    ) -> Result<Result<Work, EditRefused>, MdmError> {
        let mut work =
            Work { day: before.day.clone(), rejected: before.rejected.clone(), source: VersionSource::Edit };
        let done = match &edit.op {
            Op::Note => Ok(()),
            Op::Accept => {
                accept(&mut work.day, &edit.slots);
                Ok(())
            }
            Op::Reject => reject(&mut work, &edit.slots),
            Op::Undo { to } => self.undo(before, edit, *to, &mut work)?,
            Op::Estimate { method } => self.fill(entry, &mut work.day, &edit.slots, *method)?,
            op => {
                let neighbour = |date: Result<Date, jiff::Error>| match date {
                    Ok(date) => self.slots_of(entry, date),
                    Err(_) => Ok(Vec::new()),
                };
                let (yesterday, tomorrow) =
                    (neighbour(edit.date.yesterday())?, neighbour(edit.date.tomorrow())?);
                let other = self.other_day(entry, op)?;
                let around = Around {
                    before: &yesterday,
                    after: &tomorrow,
                    other: other.as_ref(),
                    linear_max_s: self.rules(entry, edit.date).linear_max_s,
                };
                change(&mut work.day, &edit.slots, op, &around)
            }
        };
        Ok(done.map(|()| work))
    }

    fn slots_of(&self, entry: &Entry, date: Date) -> Result<Vec<Slot>, MdmError> {
        Ok(self.load(entry, &self.mdm.local_day(date)?)?.day.slots)
    }

    fn other_day(&self, entry: &Entry, op: &Op) -> Result<Option<Day>, MdmError> {
        let Op::CopyDay { from } = op else { return Ok(None) };
        let other = self.load(entry, &self.mdm.local_day(*from)?)?;
        Ok(other.stored.is_some().then_some(other.day))
    }

    fn undo(
        &self,
        before: &Before,
        edit: &Edit,
        to: u32,
        work: &mut Work,
    ) -> Result<Result<(), EditRefused>, MdmError> {
        let current = before.version();
        let earlier = self.write.day_version(edit.channel, edit.date, to)?.filter(|_| to != current);
        let Some(earlier) = earlier else { return Ok(Err(EditRefused::NoSuchVersion { to, current })) };
        work.day = Day::from_block(&earlier.block, before.day.kind, &before.day.day)?;
        work.rejected =
            self.write.origin(edit.channel, edit.date, to)?.map(|origin| origin.rejected).unwrap_or_default();
        work.source = VersionSource::Undo;
        Ok(Ok(()))
    }

    /// Puts what a method of estimation gives into the chosen intervals.
    fn fill(
        &self,
        entry: &Entry,
        day: &mut Day,
        slots: &Slots,
        method: vee::Method,
    ) -> Result<Result<(), EditRefused>, MdmError> {
        let all = crate::candidates::candidates(self.mdm, self.write, entry, day, slots, self.now)?;
        let Some(chosen) = all.into_iter().find(|candidate| candidate.method == method) else {
            return Ok(Err(EditRefused::MethodUnfit { method: method.name(), why: String::new() }));
        };
        if !chosen.applies || chosen.values.len() != slots.len() {
            return Ok(Err(EditRefused::MethodUnfit { method: method.name(), why: chosen.why }));
        }
        let mut values = slots.iter().zip(chosen.values);
        Ok(values.try_for_each(|(slot, value)| put(day, slot, value)))
    }

    /// Judges the day, keeps it, moves the cases on and writes the deed down.
    fn carry_out(
        &mut self,
        entry: &Entry,
        before: &Before,
        editor: Editor,
        edit: &Edit,
        work: Work,
    ) -> Result<Result<Edited, EditRefused>, MdmError> {
        let earlier = self.exceptions_of(entry, edit.date)?;
        let mut day = work.day;
        // What stands after an undo is what stood then, to the byte, whatever the rules would make of it today.
        let Judged { findings, others } = if work.source == VersionSource::Undo {
            Judged { findings: self.look_at(entry, &day)?, others: Vec::new() }
        } else {
            self.judge(entry, before, &mut day)?
        };
        let differs = |slot: &usize| before.day.slots.get(*slot) != day.slots.get(*slot);
        let changed: Slots = (0..day.slots.len()).filter(differs).collect();
        if changed.is_empty() && edit.op.changes_values() {
            return Ok(Err(EditRefused::NoChange));
        }
        if edit.op == Op::Accept && changed.is_empty() && !touches(&earlier, &edit.slots) {
            return Ok(Err(EditRefused::NothingRead));
        }
        let version = if changed.is_empty() || edit.op == Op::Note {
            before.version()
        } else {
            let op = serde_json::to_string(&edit.op).map_err(StoreError::from)?;
            let origin = VersionOrigin {
                user: Some(editor.user),
                reason: edit.reason.map(|code| code.name().to_owned()),
                note: Some(edit.note.trim().to_owned()),
                op: Some(op),
                rejected: work.rejected,
                ..self.origin(work.source)
            };
            let version = self.keep(entry, before, &day, Made { replaced: true, closing: true, origin })?;
            self.put_findings(entry, before, &day, version, &findings)?;
            self.keep_others(entry, others, &mut IngestReport::default())?;
            version
        };
        self.move_cases(entry, &day, editor, edit, earlier)?;
        self.write_down(before.version(), version, editor, edit)?;
        let bills = self.write.bills_of(edit.channel, edit.date)?.into_iter();
        Ok(Ok(Edited {
            version,
            repeated: false,
            changed,
            findings: self.exceptions_of(entry, edit.date)?,
            flagged_bills: bills.filter(|(_, billed)| *billed != version).map(|(bill, _)| bill).collect(),
        }))
    }

    fn write_down(
        &self,
        version_before: u32,
        version_after: u32,
        editor: Editor,
        edit: &Edit,
    ) -> Result<(), MdmError> {
        let entry = EditEntry {
            command: edit.command.clone(),
            at: self.now,
            user: editor.user,
            op: serde_json::to_string(&edit.op).map_err(StoreError::from)?,
            slots: edit.slots.to_string(),
            reason: edit.reason.map_or("", ReasonCode::name).to_owned(),
            note: edit.note.trim().to_owned(),
            version_before,
            version_after,
        };
        self.write.insert_edit(edit.channel, edit.date, &entry)?;
        Ok(())
    }
}

/// Readings that failed a rule and were found true.
fn accept(day: &mut Day, slots: &Slots) {
    for slot in slots.iter() {
        if let Some(slot) = day.slots.get_mut(slot).filter(|slot| slot.quality.is_read()) {
            slot.quality = slot.quality.reclassed(QualityClass::Verified);
        }
    }
}

/// Readings that are refused, and remembered so that they are not taken in again.
fn reject(work: &mut Work, slots: &Slots) -> Result<(), EditRefused> {
    let mut any = false;
    for index in slots.iter() {
        let Some(slot) = work.day.slots.get_mut(index).filter(|slot| slot.quality.is_read()) else {
            continue;
        };
        let refused = (u32::try_from(index).unwrap_or(u32::MAX), slot.value);
        if !work.rejected.contains(&refused) {
            work.rejected.push(refused);
        }
        *slot = Slot::new(0, Quality::MISSING);
        any = true;
    }
    if any { Ok(()) } else { Err(EditRefused::NothingRead) }
}

fn touches(exceptions: &[Exception], slots: &Slots) -> bool {
    exceptions.iter().any(|exception| super::cases::covers(slots, &exception.finding))
}

impl Workshop<'_> {
    /// Everything that is found about a channel's day now.
    pub(super) fn exceptions_of(&self, entry: &Entry, date: Date) -> Result<Vec<Exception>, MdmError> {
        crate::read::exceptions_of(self.write, entry.channel.id, date)
    }
}
