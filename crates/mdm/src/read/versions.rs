//! Versions of a day: which there are, which stood when, and how two differ.

use super::bench::LONGEST_BATCH;
use crate::{Mdm, MdmError};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use model::{BatchSource, BillId, ChannelId, LocalDay, UserId};
use store::{ImportedFile, RawBatch, Read, StoredDay, VersionSource};
use vee::Slot;

/// One version of a channel's day and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionView {
    /// Its number, from 1.
    pub version: u32,
    /// When it was made; for a first version of plain readings to the second, else to the millisecond.
    pub recorded_at: Timestamp,
    /// What made it.
    pub source: VersionSource,
    /// Who made it, where a person did.
    pub user: Option<UserId>,
    /// As that person is called.
    pub user_name: Option<String>,
    /// Why, as a code.
    pub reason: Option<String>,
    /// Why, in words.
    pub note: Option<String>,
    /// What was done, as JSON.
    pub op: Option<String>,
    /// The version that it took the place of; 0 for none.
    pub supersedes: u32,
    /// Whether it is closed for good.
    pub sealed: bool,
    /// The number of the rule set that judged it.
    pub rules: u32,
    /// That rule set's hash, where it is known.
    pub rules_hash: Option<String>,
    /// Intervals that were read.
    pub read: usize,
    /// Intervals that a person set.
    pub edited: usize,
    /// Intervals that were estimated or derived.
    pub estimated: usize,
    /// Intervals of which nothing is known.
    pub missing: usize,
    /// The sum of what is there, in the stored unit.
    pub total: i64,
    /// The bills that were computed from it.
    pub bills: Vec<BillId>,
    /// How the readings came that it was made of, each way once; none for what people or estimation made.
    pub came: Vec<BatchSource>,
    /// The file that they were taken in from.
    pub file: Option<ImportedFile>,
}

/// Which version of a day is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// The one that stands.
    Latest,
    /// The one that stood at an instant.
    At(Timestamp),
    /// The one that a bill was computed from.
    Bill(BillId),
    /// One by its number.
    Version(u32),
}

/// An interval in which two versions differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotChange {
    /// Which interval of the day.
    pub slot: usize,
    /// When it starts.
    pub start: Timestamp,
    /// What it was; `None` where the version has no such interval.
    pub before: Option<Slot>,
    /// What it is.
    pub after: Option<Slot>,
}

/// When a version was made, as exactly as it is known.
pub(crate) fn recorded_at(read: &Read, stored: &StoredDay) -> Result<Timestamp, MdmError> {
    let block = &stored.block;
    let origin = read.origin(block.channel, block.day, block.version)?;
    Ok(origin.map_or(block.recorded_at, |origin| origin.recorded_at))
}

/// The version of a day that is meant, if there is one.
pub(crate) fn as_of(
    read: &Read,
    channel: ChannelId,
    day: Date,
    when: AsOf,
) -> Result<Option<StoredDay>, MdmError> {
    match when {
        AsOf::Latest => Ok(read.day(channel, day)?),
        AsOf::Version(version) => Ok(read.day_version(channel, day, version)?),
        AsOf::Bill(bill) => {
            let billed = read.bills_of(channel, day)?.into_iter().find(|(of, _)| *of == bill);
            let Some((_, version)) = billed else { return Ok(None) };
            Ok(read.day_version(channel, day, version)?)
        }
        AsOf::At(at) => {
            for stored in read.day_versions(channel, day)?.into_iter().rev() {
                if recorded_at(read, &stored)? <= at {
                    return Ok(Some(stored));
                }
            }
            Ok(None)
        }
    }
}

/// Whether a batch that began before an instant holds readings from it on.
fn reaches(batch: &RawBatch, at: Timestamp) -> bool {
    let count = i64::try_from(batch.values.len()).unwrap_or(i64::MAX);
    let length = SignedDuration::from_secs(count.saturating_mul(batch.interval.secs().into()));
    batch.start.saturating_add(length).is_ok_and(|end| end > at)
}

pub(crate) fn views(read: &Read, channel: ChannelId, local: &LocalDay) -> Result<Vec<VersionView>, MdmError> {
    let day = local.date();
    let origins = read.origins(channel, day)?;
    let bills = read.bills_of(channel, day)?;
    let mut views = Vec::new();
    let files = read.imports_of(channel, day)?;
    let from = local.start().saturating_sub(LONGEST_BATCH).unwrap_or(Timestamp::MIN);
    let mut batches = read.raw_batches(channel, from, local.end())?;
    batches.retain(|batch| reaches(batch, local.start()));
    let mut since = Timestamp::MIN;
    for stored in read.day_versions(channel, day)? {
        let block = &stored.block;
        let origin = origins.iter().find(|origin| origin.version == block.version);
        let count = |test: fn(model::Quality) -> bool| block.quality.iter().filter(|q| test(**q)).count();
        let edited = count(|quality| quality.class() == model::QualityClass::Edited);
        let (read_count, missing) = (count(model::Quality::is_read), count(model::Quality::is_missing));
        let user = origin.and_then(|origin| origin.user);
        let source = origin.map_or(VersionSource::Readings, |origin| origin.source);
        let recorded_at = origin.map_or(block.recorded_at, |origin| origin.recorded_at);
        // What is recorded to the second was recorded within it.
        let until = recorded_at.saturating_add(SignedDuration::from_millis(999)).unwrap_or(recorded_at);
        let after = core::mem::replace(&mut since, until);
        let within = |at: Timestamp| source == VersionSource::Readings && after < at && at <= until;
        let ways = batches.iter().filter(|batch| within(batch.received_at)).map(|batch| batch.source);
        let mut came: Vec<BatchSource> = Vec::new();
        for way in ways {
            if !came.contains(&way) {
                came.push(way);
            }
        }
        views.push(VersionView {
            version: block.version,
            recorded_at,
            source,
            came,
            file: files.iter().rfind(|file| within(file.loaded_at)).cloned(),
            user,
            user_name: user.map(|user| read.user(user)).transpose()?.flatten().map(|user| user.display_name),
            reason: origin.and_then(|origin| origin.reason.clone()),
            note: origin.and_then(|origin| origin.note.clone()).filter(|note| !note.is_empty()),
            op: origin.and_then(|origin| origin.op.clone()),
            supersedes: origin.map_or(0, |origin| origin.supersedes),
            sealed: stored.sealed,
            rules: stored.rules,
            rules_hash: read.rule_set_hash(stored.rules)?,
            read: read_count,
            edited,
            estimated: block.quality.len() - read_count - edited - missing,
            missing,
            total: block.values.iter().fold(0i64, |sum, value| sum.saturating_add(*value)),
            bills: bills.iter().filter(|(_, v)| *v == block.version).map(|(bill, _)| *bill).collect(),
        });
    }
    Ok(views)
}

impl Mdm {
    /// The versions of a channel's day, the first one first.
    ///
    /// # Errors
    /// What the store says.
    pub fn versions(&self, channel: ChannelId, day: Date) -> Result<Vec<VersionView>, MdmError> {
        let local = self.local_day(day)?;
        self.store().read(|r| views(r, channel, &local))
    }

    /// A channel's day as it stands, as it stood at an instant, or as a bill took it.
    ///
    /// A version counts from the millisecond in which it was made. The newest version of a day whose readings still arrive
    /// is filled in place, so before its last filling nothing is answered.
    ///
    /// # Errors
    /// What the store says.
    pub fn as_of(&self, channel: ChannelId, day: Date, when: AsOf) -> Result<Option<StoredDay>, MdmError> {
        self.store().read(|r| as_of(r, channel, day, when))
    }

    /// The intervals in which two versions of a day differ; a version that is not there has none.
    ///
    /// # Errors
    /// What the store says.
    pub fn diff(
        &self,
        channel: ChannelId,
        date: Date,
        before: u32,
        after: u32,
    ) -> Result<Vec<SlotChange>, MdmError> {
        let day = self.local_day(date)?;
        self.store().read(|r| {
            let slots = |version| -> Result<(Vec<Slot>, _), MdmError> {
                let Some(stored) = r.day_version(channel, date, version)? else {
                    return Ok((Vec::new(), None));
                };
                let block = stored.block;
                let pairs = block.values.into_iter().zip(block.quality);
                Ok((pairs.map(|(value, quality)| Slot::new(value, quality)).collect(), Some(block.interval)))
            };
            let ((then, step), (now, step_now)) = (slots(before)?, slots(after)?);
            let Some(step) = step_now.or(step) else { return Ok(Vec::new()) };
            let change = |slot| {
                let (before, after) = (then.get(slot).copied(), now.get(slot).copied());
                let start = day.interval_start(step, slot);
                (before != after).then_some(SlotChange { slot, start, before, after })
            };
            Ok((0..then.len().max(now.len())).filter_map(change).collect())
        })
    }
}
