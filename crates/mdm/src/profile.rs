//! Day profiles in bulk: whole local days of many meters, at the speed of the disk.
//!
//! ```text
//!  lines --parse--> Profiles --prepare--> Prepared --commit--> the store
//!                   (any thread, any number of them)   (one at a time, one transaction for as many as are handed over)
//! ```
//!
//! A profile that was read whole, lies on the local day, breaks no rule and is of a channel of which nothing of that day is
//! known goes into a page as it is. Everything else takes the ordinary way through the workshop of `crate::day` in the same
//! transaction, so there is one set of rules and of versions, and the store holds the same whichever way a day came.
//!
//! Best in order of meter; two chunks may share a page. Nothing here spawns: whoever has threads calls
//! [`Mdm::prepare`] on them.

mod keep;
mod lines;

pub(crate) use keep::keep_pages;
pub use lines::{BadLine, parse};

use crate::activation::InForce;
use crate::catalogue::{Catalogue, Entry};
use crate::day::Workshop;
use crate::surroundings;
use crate::{Mdm, MdmError};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{
    BatchSource, ChannelId, ChannelKind, IntervalLength, LocalDay, MeterId, Quality, ReadBatch, Unit,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::page::{page_of, ranges_of};
use store::{DayPage, PageHead, Read, StatsPage};
use vee::Stats;
use vee::fast::{Around, ChannelDay, check_day};

/// Values beyond it, in the stored unit, are looked at one by one.
const PLAIN: i64 = 1_000_000_000;

/// What all profiles of a load share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfileHead {
    /// What was measured.
    pub kind: ChannelKind,
    /// Length of every interval.
    pub interval: IntervalLength,
    /// Unit of the values.
    pub unit: Unit,
    /// Decimal exponent of the values.
    pub scaler: i8,
    /// How they came.
    pub source: BatchSource,
    /// When they were received.
    pub received_at: Timestamp,
}

/// The load of one local day: what it needs to know is read once.
#[derive(Debug)]
pub struct ProfileLoad {
    head: ProfileHead,
    day: LocalDay,
    slots: usize,
    now: Timestamp,
    in_force: Arc<InForce>,
    rules_id: u32,
    catalogue: Arc<Catalogue>,
    /// Meters with a power event that may touch the day.
    dark: BTreeSet<MeterId>,
    /// What turns a value as read into a stored one; none when nothing may enter as it is.
    factor: Option<i64>,
}

/// Profiles of neighbouring meters, in columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profiles {
    meters: Vec<MeterId>,
    values: Vec<i64>,
    /// When each was received; empty where all were when the head says.
    received: Vec<Timestamp>,
    /// What is no whole local day.
    odd: Vec<ReadBatch>,
}

impl Profiles {
    /// Adds a whole day: one value a slot.
    pub fn push(&mut self, meter: MeterId, values: &[i64]) {
        self.meters.push(meter);
        self.values.extend_from_slice(values);
    }

    /// As [`Profiles::push`], received at a moment of its own; for all profiles or for none.
    pub(crate) fn push_received(&mut self, meter: MeterId, values: &[i64], received_at: Timestamp) {
        self.push(meter, values);
        self.received.push(received_at);
    }

    /// Adds what is no whole day of the load.
    pub fn push_odd(&mut self, batch: ReadBatch) {
        self.odd.push(batch);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.meters.len() + self.odd.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Profiles that were judged and packed, ready to be kept.
#[derive(Debug)]
pub struct Prepared {
    profiles: Profiles,
    pages: Vec<PreparedPage>,
    /// Rows of `profiles` that take the ordinary way.
    odd: Vec<usize>,
}

#[derive(Debug)]
struct PreparedPage {
    day: DayPage,
    rows: Vec<usize>,
    read: StatsPage,
    /// The new statistics of each channel of the page: where each ends in `stats`.
    channels: Vec<(ChannelId, usize)>,
    stats: Vec<u8>,
}

/// What became of a load so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProfileReport {
    /// Profiles that went into pages as they were.
    pub whole: u64,
    /// Profiles that took the ordinary way.
    pub odd: u64,
    /// Of these, batches that were there already.
    pub repeated: u64,
    /// Intervals that had no value before.
    pub intervals: u64,
    /// Profiles of meters that the registry does not know.
    pub unknown: u64,
    /// Findings written.
    pub findings: u64,
}

impl ProfileReport {
    /// Adds what became of another part.
    pub const fn add(&mut self, other: &Self) {
        self.whole += other.whole;
        self.odd += other.odd;
        self.repeated += other.repeated;
        self.intervals += other.intervals;
        self.unknown += other.unknown;
        self.findings += other.findings;
    }
}

impl ProfileLoad {
    /// How many intervals a whole profile has.
    pub const fn slots(&self) -> usize {
        self.slots
    }

    /// Whether no rule looks at anything but the day itself, its statistics and its registers.
    fn is_alone(&self, entry: &Entry) -> bool {
        let meter = entry.channel.meter;
        let sibling = match entry.channel.kind {
            ChannelKind::Import => Some(ChannelKind::ReactiveImport),
            ChannelKind::Voltage => Some(ChannelKind::Import),
            _ => None,
        };
        let beside = sibling.is_some_and(|kind| self.catalogue.get(meter, kind).is_some());
        let fits = entry.channel.interval == self.head.interval;
        fits && !beside
            && entry.facts.multiplier == 1
            && entry.checked_by.is_none()
            && !self.dark.contains(&meter)
    }

    /// The batch that a row of values is.
    fn batch(&self, meter: MeterId, values: &[i64]) -> ReadBatch {
        let values = values.iter().map(|value| Some(*value)).collect();
        self.batch_of(meter, self.day.start(), values)
    }

    /// The batch that a row of profiles is.
    fn batch_at(&self, profiles: &Profiles, row: usize) -> Option<ReadBatch> {
        let values = profiles.values.chunks_exact(self.slots).nth(row).unwrap_or_default();
        let batch = self.batch(*profiles.meters.get(row)?, values);
        let received_at = profiles.received.get(row).copied().unwrap_or(batch.received_at);
        Some(ReadBatch { received_at, ..batch })
    }

    fn batch_of(&self, meter: MeterId, start: Timestamp, values: Vec<Option<i64>>) -> ReadBatch {
        ReadBatch {
            meter,
            kind: self.head.kind,
            start,
            interval: self.head.interval,
            status: vec![0; values.len()],
            values,
            scaler: self.head.scaler,
            unit: self.head.unit,
            received_at: self.head.received_at,
            source: self.head.source,
        }
    }

    fn page_head(&self) -> Option<PageHead> {
        Some(PageHead {
            day: self.day.date(),
            start: self.day.start(),
            interval: self.head.interval,
            slots: u16::try_from(self.slots).ok()?,
            quality: Quality::VALID,
            recorded_at: self.now,
            rules: self.rules_id,
            received_at: self.head.received_at,
            source: self.head.source,
            unit: self.head.unit,
            scaler: self.head.scaler,
            exponent: self.head.kind.stored_unit().1,
        })
    }
}

impl ProfileLoad {
    /// The load of a day out of readings that a workshop has at hand, each of which passed the gate.
    pub(crate) fn admitted(workshop: &Workshop<'_>, head: ProfileHead, day: LocalDay) -> Self {
        let dark = workshop.outages.keys().chain(workshop.off.keys()).copied().collect();
        Self {
            slots: day.intervals(head.interval),
            dark,
            catalogue: Arc::clone(&workshop.catalogue),
            head,
            now: workshop.now,
            in_force: Arc::clone(&workshop.in_force),
            rules_id: workshop.in_force.on(day.date()).map_or(workshop.rules_id, |(id, _)| id),
            factor: factor(&head, &day, workshop.now),
            day,
        }
    }
}

/// What turns a value as read into a stored one; none when nothing of the day may enter as it is.
fn factor(head: &ProfileHead, day: &LocalDay, now: Timestamp) -> Option<i64> {
    let (unit, exponent) = head.kind.stored_unit();
    let steps = u32::try_from(i32::from(head.scaler) - i32::from(exponent)).ok();
    let on_grid = head.interval.secs() == 86_400 || head.interval.floor(day.start()) == day.start();
    let plain = head.unit == unit && on_grid && day.end() <= now;
    steps.and_then(|steps| 10i64.checked_pow(steps)).filter(|_| plain)
}

impl Mdm {
    /// Begins to load the profiles of one local day, of the meters that are known now; see [`Mdm::reload`].
    ///
    /// # Errors
    /// What the store says.
    pub fn begin_profiles(
        &self,
        now: Timestamp,
        head: ProfileHead,
        date: Date,
    ) -> Result<ProfileLoad, MdmError> {
        let day = self.local_day(date)?;
        let supply = self.store.read(|r| surroundings::supply(r, day.start(), day.end(), now))?;
        let in_force = self.in_force();
        let rules_id = match in_force.on(date) {
            Some((id, _)) => id,
            None => self.store.write(|w| w.rule_set_id(&self.book.hash().to_string(), self.book.text()))?,
        };
        // What came otherwise is judged with the meter's clock beside it.
        let factor = factor(&head, &day, now).filter(|_| head.source == BatchSource::Import);
        Ok(ProfileLoad {
            slots: day.intervals(head.interval),
            dark: supply.outages.keys().chain(supply.off.keys()).copied().collect(),
            catalogue: self.catalogue(),
            head,
            day,
            now,
            in_force,
            rules_id,
            factor,
        })
    }

    /// Judges and packs profiles: on any thread, beside others. Nothing is kept yet.
    ///
    /// # Errors
    /// What the store says; damaged statistics.
    pub fn prepare(&self, load: &ProfileLoad, profiles: Profiles) -> Result<Prepared, MdmError> {
        self.store.read(|read| self.prepare_in(read, load, profiles))
    }

    /// As [`Mdm::prepare`], as `read` sees it.
    pub(crate) fn prepare_in(
        &self,
        read: &Read,
        load: &ProfileLoad,
        profiles: Profiles,
    ) -> Result<Prepared, MdmError> {
        let mut prepared = Prepared { profiles, pages: Vec::new(), odd: Vec::new() };
        let mut entries = Vec::with_capacity(prepared.profiles.meters.len());
        for (row, meter) in prepared.profiles.meters.iter().enumerate() {
            let entry = load.catalogue.get(*meter, load.head.kind);
            match entry {
                Some(entry) if load.is_alone(&entry) => {
                    entries.push((row, entry));
                }
                _ => prepared.odd.push(row),
            }
        }
        let (Some(head), Some(factor)) = (load.page_head(), load.factor) else {
            prepared.odd.extend(entries.into_iter().map(|(row, _)| row));
            return Ok(prepared);
        };
        let numbers: BTreeSet<u32> = entries.iter().map(|(_, entry)| page_of(entry.channel.id)).collect();
        let mut before = Before::default();
        for range in ranges_of(numbers) {
            before.known.extend(read.known_in_pages(head.day, range, head.start.as_second())?);
            before.stats.extend(read.stats_pages(range)?);
        }
        let mut work = PageWork { mdm: self, load, read, head, factor, before };
        for of_page in entries.chunk_by(|a, b| page_of(a.1.channel.id) == page_of(b.1.channel.id)) {
            let page = work.page(of_page, &prepared.profiles, &mut prepared.odd)?;
            prepared.pages.extend(page);
        }
        Ok(prepared)
    }
}

/// What is there of pages before they are judged.
#[derive(Default)]
struct Before {
    /// The channels of which something of the day is known.
    known: BTreeMap<u32, Vec<ChannelId>>,
    /// What is remembered of the days before.
    stats: BTreeMap<u32, StatsPage>,
}

/// Judging the profiles of one page.
struct PageWork<'a> {
    mdm: &'a Mdm,
    load: &'a ProfileLoad,
    read: &'a Read,
    head: PageHead,
    factor: i64,
    before: Before,
}

impl PageWork<'_> {
    fn page(
        &mut self,
        entries: &[(usize, Entry)],
        profiles: &Profiles,
        odd: &mut Vec<usize>,
    ) -> Result<Option<PreparedPage>, MdmError> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(None) };
        let page = page_of(first.1.channel.id);
        let known = self.before.known.get(&page).cloned().unwrap_or_default();
        let bounded = self.read.has_registers(first.1.channel.meter, last.1.channel.meter)?;
        let read = self.before.stats.get(&page).cloned().unwrap_or_default();
        let mut out = PreparedPage {
            day: DayPage::new(self.head, page),
            rows: Vec::with_capacity(entries.len()),
            channels: Vec::with_capacity(256),
            stats: Vec::with_capacity(read.size() + 16 * entries.len()),
            read,
        };
        let mut values = vec![0i64; self.load.slots];
        let mut stats = Stats::default();
        let mut carried = 0;
        for (row, entry) in entries {
            let channel = entry.channel.id;
            let raw = profiles.values.chunks_exact(self.load.slots).nth(*row).unwrap_or_default();
            let fits = known.binary_search(&channel).is_err() && stored(raw, self.factor, &mut values);
            let received_at = profiles.received.get(*row).copied().unwrap_or(self.head.received_at);
            carried = out.carry(carried, channel);
            let before = out.read.at(carried).filter(|(of, _)| *of == channel);
            stats.read(before.map_or(&[][..], |(_, bytes)| bytes))?;
            let known = before.is_some();
            let clean = fits && self.is_clean(entry, &values, &mut stats, bounded)?;
            if clean && out.day.push_received(channel, &values, received_at) {
                carried += usize::from(known);
                stats.write_to(&mut out.stats);
                out.channels.push((channel, out.stats.len()));
                out.rows.push(*row);
            } else {
                odd.push(*row);
            }
        }
        out.carry(carried, ChannelId::new(u32::MAX));
        Ok((!out.day.is_empty()).then_some(out))
    }

    /// Whether the day breaks no rule; then the statistics take it in.
    fn is_clean(
        &self,
        entry: &Entry,
        values: &[i64],
        stats: &mut Stats,
        bounded: bool,
    ) -> Result<bool, MdmError> {
        let registers = if bounded {
            surroundings::registers(self.read, entry, self.load.day.start(), self.load.day.end())?
        } else {
            Vec::new()
        };
        let raw = [Quality::RAW; 128];
        let long;
        let quality = match raw.get(..values.len()) {
            Some(quality) => quality,
            None => {
                long = vec![Quality::RAW; values.len()];
                &long
            }
        };
        let (kind, interval) = (entry.channel.kind, entry.channel.interval);
        let day = ChannelDay { day: &self.load.day, interval, kind, values, quality };
        let around = Around { registers: &registers, ..Around::default() };
        // With two reads of the total those of the rates are looked at too.
        if registers.len() > 1 {
            return Ok(false);
        }
        let book = self.load.in_force.on(self.head.day).map_or(&self.mdm.book, |(_, book)| book);
        let rules = book.rules(self.head.day, &self.load.catalogue.eligible(entry));
        let verdict = check_day(&day, &around, &entry.facts, rules, stats, self.load.now);
        if verdict.is_clean() {
            stats.absorb_summary(&verdict.summary);
        }
        Ok(verdict.is_clean())
    }
}

impl PreparedPage {
    /// Takes over the statistics of the channels before `until` as they are; where to go on.
    fn carry(&mut self, from: usize, until: ChannelId) -> usize {
        let mut at = from;
        while let Some((channel, bytes)) = self.read.at(at).filter(|(channel, _)| *channel < until) {
            self.stats.extend_from_slice(bytes);
            self.channels.push((channel, self.stats.len()));
            at += 1;
        }
        at
    }

    /// The statistics by channel.
    fn statistics(&self) -> impl Iterator<Item = (ChannelId, &[u8])> {
        let mut from = 0;
        self.channels.iter().map(move |(channel, end)| {
            let bytes = self.stats.get(from..*end).unwrap_or_default();
            from = *end;
            (*channel, bytes)
        })
    }
}

/// Turns values as read into stored ones. Whether all are plain.
fn stored(raw: &[i64], factor: i64, values: &mut [i64]) -> bool {
    let mut plain = raw.len() == values.len();
    for (value, raw) in values.iter_mut().zip(raw) {
        *value = raw.wrapping_mul(factor);
        plain &= raw.unsigned_abs() <= PLAIN.unsigned_abs() && value.unsigned_abs() <= PLAIN.unsigned_abs();
    }
    plain && factor <= PLAIN
}

#[cfg(test)]
pub(crate) mod tests;

/// The same tests on PostgreSQL, where that is installed.
#[cfg(test)]
mod tests_on_postgres {
    include!("profile/tests.rs");
}
