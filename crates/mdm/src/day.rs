//! One day at a time: merge, judge, estimate, and keep the next version.

use crate::activation::InForce;
use crate::beside::sibling;
use crate::catalogue::{Catalogue, Entry};
use crate::fill::Judged;
use crate::ingest::{IngestReport, Touched};
use crate::surroundings::{self, Supply, Weather};
use crate::version::still_rejected;
use crate::{Mdm, MdmError};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{ChannelId, LocalDay, MeterId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{KnownOfMeter, Origin, StoredDay, VersionOrigin, VersionSource, Write};
use vee::fast::Sibling;
use vee::{Day, DayInput, Outage, Register, Rules, Stats};

/// One transaction's work, with what would otherwise be read again and again.
pub(crate) struct Workshop<'a> {
    pub(crate) mdm: &'a Mdm,
    pub(crate) write: &'a Write,
    pub(crate) now: Timestamp,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) rules_id: u32,
    pub(crate) in_force: Arc<InForce>,
    days: BTreeMap<Date, LocalDay>,
    last_day: Option<LocalDay>,
    stats: BTreeMap<ChannelId, (Stats, bool)>,
    pub(crate) outages: BTreeMap<MeterId, Vec<Outage>>,
    /// When the relay was open.
    pub(crate) off: BTreeMap<MeterId, Vec<Outage>>,
    /// What meters told of themselves.
    pub(crate) checks: BTreeMap<MeterId, Option<KnownOfMeter>>,
    /// Up to where bills are out, by channel.
    pub(crate) billed: BTreeMap<ChannelId, Option<Timestamp>>,
    /// How our own clock stood when it was last compared, once that was looked up.
    pub(crate) system_clock: Option<Option<(Timestamp, i64)>>,
    /// Days that were estimated anew together with another.
    pub(crate) settled: BTreeSet<(ChannelId, Date)>,
    /// Temperatures as they were looked up.
    pub(crate) weather: Weather,
    /// Channels of which it was looked up whether there are registers of rates.
    pub(crate) rated: BTreeMap<ChannelId, bool>,
    /// Days of which a version was kept.
    kept: BTreeSet<Date>,
}

/// What is known of a day before this call.
pub(crate) struct Before {
    pub(crate) stored: Option<StoredDay>,
    pub(crate) day: Day,
    /// Readings that a person refused: interval and value.
    pub(crate) rejected: Vec<(u32, i64)>,
}

impl Before {
    /// The version that stands; 0 for none.
    pub(crate) fn version(&self) -> u32 {
        self.stored.as_ref().map_or(0, |stored| stored.block.version)
    }
}

/// How a day came to be what it is now.
pub(crate) struct Made {
    /// Values gave way to others, so that the version before must stay as it is.
    pub(crate) replaced: bool,
    /// The version is closed for good.
    pub(crate) closing: bool,
    /// Where it comes from.
    pub(crate) origin: VersionOrigin,
}

impl<'a> Workshop<'a> {
    pub(crate) fn new(mdm: &'a Mdm, write: &'a Write, now: Timestamp) -> Result<Self, MdmError> {
        let rules_id = write.rule_set_id(&mdm.book.hash().to_string(), mdm.book.text())?;
        Ok(Self {
            mdm,
            write,
            now,
            catalogue: mdm.catalogue(),
            rules_id,
            in_force: mdm.rules_by(write)?,
            days: BTreeMap::new(),
            last_day: None,
            stats: BTreeMap::new(),
            outages: BTreeMap::new(),
            off: BTreeMap::new(),
            checks: BTreeMap::new(),
            billed: BTreeMap::new(),
            system_clock: None,
            settled: BTreeSet::new(),
            weather: Weather::new(),
            rated: BTreeMap::new(),
            kept: BTreeSet::new(),
        })
    }

    /// Writes back what was remembered; files of days that changed after they were closed are to be written again.
    pub(crate) fn finish(&mut self) -> Result<(), MdmError> {
        crate::version::renew_files(self.write, core::mem::take(&mut self.kept), self.now)?;
        for (channel, (stats, changed)) in &mut self.stats {
            if core::mem::take(changed) {
                self.write.put_channel_stats(*channel, &stats.to_bytes())?;
            }
        }
        Ok(())
    }

    pub(crate) fn local_day(&mut self, date: Date) -> Result<LocalDay, MdmError> {
        if let Some(day) = self.days.get(&date) {
            return Ok(day.clone());
        }
        let day = self.mdm.local_day(date)?;
        self.days.insert(date, day.clone());
        Ok(day)
    }

    pub(crate) fn day_containing(&mut self, at: Timestamp) -> Result<LocalDay, MdmError> {
        match &self.last_day {
            Some(day) if day.start() <= at && at < day.end() => Ok(day.clone()),
            _ => {
                let day = self.mdm.day_of(at)?;
                self.last_day = Some(day.clone());
                Ok(day)
            }
        }
    }

    /// Loads the power failures and the times of an open relay that touch the days `[first, last]`.
    pub(crate) fn load_power_events(
        &mut self,
        first: Option<Date>,
        last: Option<Date>,
    ) -> Result<(), MdmError> {
        self.outages.clear();
        self.off.clear();
        let (Some(first), Some(last)) = (first, last) else { return Ok(()) };
        let (from, to) = (self.local_day(first)?.start(), self.local_day(last)?.end());
        let supply = surroundings::supply(self.write, from, to, self.now)?;
        (self.outages, self.off) = (supply.outages, supply.off);
        Ok(())
    }

    /// The rules in force for a channel on a day.
    pub(crate) fn rules(&self, entry: &Entry, day: Date) -> &Arc<Rules> {
        let book = self.in_force.on(day).map_or(&self.mdm.book, |(_, book)| book);
        book.rules(day, &self.catalogue.eligible(entry))
    }

    /// As [`Workshop::rules`], to be kept.
    pub(crate) fn rules_of(&self, entry: &Entry, day: Date) -> Arc<Rules> {
        Arc::clone(self.rules(entry, day))
    }

    /// The power failures of a channel's meter, as far as they are loaded.
    pub(crate) fn outages_of(&self, entry: &Entry) -> Vec<Outage> {
        self.outages.get(&entry.channel.meter).cloned().unwrap_or_default()
    }

    /// Knows more of a meter's supply from now on.
    pub(crate) fn know_supply(&mut self, supply: Supply) {
        self.outages.extend(supply.outages);
        self.off.extend(supply.off);
    }

    /// Lays deliveries over a day and keeps what comes of it.
    pub(crate) fn work_on(
        &mut self,
        entry: &Entry,
        touched: &Touched,
        report: &mut IngestReport,
    ) -> Result<(), MdmError> {
        let day = &touched.day;
        let before = self.load(entry, day)?;
        if before.stored.is_none() && touched.deliveries.is_empty() {
            return Ok(());
        }
        let mut day_now = before.day.clone();
        let (mut replaced, mut changed) = (false, touched.bounded);
        let mut conflicts = Vec::new();
        for delivery in &touched.deliveries {
            let arrivals = delivery.admissible(&day_now, &before.rejected);
            let merged = vee::merge(&mut day_now, &arrivals, self.rules(entry, day.date()));
            if merged.kept_edits > 0 {
                self.note_kept_edits(entry, &day_now, before.version(), delivery, report)?;
            }
            report.stored += merged.stored;
            report.superseded += merged.superseded;
            report.duplicates += merged.duplicates + delivery.arrivals.len() - arrivals.len();
            report.conflicting += merged.conflicting;
            report.outranked += merged.outranked;
            replaced |= merged.superseded + merged.conflicting > 0;
            changed |= merged.changed();
            conflicts.extend(merged.findings);
        }
        if !changed {
            return Ok(());
        }
        let guessed = before.day.slots.iter().any(|slot| slot.quality.is_estimated());
        let source = if touched.deliveries.is_empty() && guessed {
            VersionSource::Estimation
        } else {
            VersionSource::Readings
        };
        let version = self.judge_and_keep(entry, &before, day_now, replaced, source, report)?;
        for finding in &conflicts {
            let stored = self.stored_finding(entry, day, Origin::Ingest, version, finding, 0);
            report.findings += usize::from(self.write.insert_finding(&stored)?);
        }
        Ok(())
    }

    /// Judges a day whose grace is over once more and fills its gaps, because of what `source` says; the version is sealed.
    pub(crate) fn judge_again(
        &mut self,
        entry: &Entry,
        day: &LocalDay,
        source: VersionSource,
        report: &mut IngestReport,
    ) -> Result<Day, MdmError> {
        let before = self.load(entry, day)?;
        let day_now = before.day.clone();
        self.judge_and_keep(entry, &before, day_now, false, source, report)?;
        Ok(self.load(entry, day)?.day)
    }

    pub(crate) fn load(&self, entry: &Entry, day: &LocalDay) -> Result<Before, MdmError> {
        let channel = &entry.channel;
        let stored = self.write.day(channel.id, day.date())?;
        let day = match &stored {
            Some(stored) => Day::from_block(&stored.block, channel.kind, day)?,
            None => Day::missing(day.clone(), channel.interval, channel.kind),
        };
        // Only versions that took another's place can do without a reading.
        let version = stored.as_ref().map_or(0, |stored| stored.block.version);
        let origin = if version > 1 { self.write.origin(channel.id, day.day.date(), version)? } else { None };
        Ok(Before { stored, day, rejected: origin.map(|origin| origin.rejected).unwrap_or_default() })
    }

    /// Validates, judges and, where due, estimates; keeps the result if it differs. The version that now stands.
    fn judge_and_keep(
        &mut self,
        entry: &Entry,
        before: &Before,
        mut day: Day,
        replaced: bool,
        source: VersionSource,
        report: &mut IngestReport,
    ) -> Result<u32, MdmError> {
        let judged = self.judge(entry, before, &mut day)?;
        let mut origin = self.origin(source);
        if source == VersionSource::Estimation {
            origin.note = Some("a register or days after the gap had come".to_owned());
        }
        origin.rejected = still_rejected(&before.rejected, &day);
        let made = Made { replaced, closing: source == VersionSource::Closing, origin };
        let version = self.keep(entry, before, &day, made)?;
        report.findings += self.put_findings(entry, before, &day, version, &judged.findings)?;
        self.keep_others(entry, judged.others, report)?;
        Ok(version)
    }

    /// Says what is wrong with a day, marks its intervals and, where due, fills its gaps; with them those of other days that
    /// lie between the same registers.
    pub(crate) fn judge(
        &mut self,
        entry: &Entry,
        before: &Before,
        day: &mut Day,
    ) -> Result<Judged, MdmError> {
        let mut findings = self.look_at(entry, day)?;
        vee::judge(day, &findings);
        let Some(concerned) = self.concerned(entry, before, day) else {
            return Ok(Judged { findings, others: Vec::new() });
        };
        let filled = self.fill_gaps(entry, day, &concerned)?;
        findings.extend(filled.findings);
        Ok(Judged { findings, others: filled.others })
    }

    /// Says what is wrong with a day and changes nothing.
    pub(crate) fn look_at(&mut self, entry: &Entry, day: &Day) -> Result<Vec<vee::Finding>, MdmError> {
        let registers = self.registers(entry, &day.day)?;
        let outages = self.outages_of(entry);
        self.findings(entry, day, &registers, &outages)
    }

    fn findings(
        &mut self,
        entry: &Entry,
        day: &Day,
        registers: &[Register],
        outages: &[Outage],
    ) -> Result<Vec<vee::Finding>, MdmError> {
        self.remember(entry.channel.id)?;
        let rates = if registers.len() < 2 { Vec::new() } else { self.rates(entry, &day.day)? };
        let beside = self.beside(entry, day)?;
        let siblings: Vec<Sibling<'_>> = beside.iter().map(sibling).collect();
        let check = self.check(entry, day)?;
        let off = self.off(entry, &day.day);
        let input = DayInput {
            registers,
            rates: &rates,
            outages,
            off: &off,
            siblings: &siblings,
            check: check.as_ref().map(sibling),
            exchanges: self.catalogue.exchanges(entry.channel.meter),
            ..DayInput::new(day, &entry.facts)
        };
        let stats = &self.stats[&entry.channel.id].0;
        let rules = self.rules(entry, day.day.date());
        // A day that is far from what is usual may be so for its weather; only then is that looked up.
        if !vee::wants_weather(&input, rules, stats, self.now) {
            return Ok(vee::validate(&input, rules, stats, self.now));
        }
        let temperatures =
            surroundings::recent_temperatures(self.mdm, self.write, day.day.date(), &mut Weather::new())?;
        let input = DayInput { temperatures: &temperatures, ..input };
        Ok(vee::validate(&input, rules, stats, self.now))
    }

    /// Keeps a day if it differs from before. The version that now stands.
    pub(crate) fn keep(
        &mut self,
        entry: &Entry,
        before: &Before,
        day: &Day,
        made: Made,
    ) -> Result<u32, MdmError> {
        let channel = entry.channel.id;
        let known = before.version();
        let was_sealed = before.stored.as_ref().is_some_and(|stored| stored.sealed);
        let changed = before.stored.is_none() || before.day.slots != day.slots;
        let sealed = made.closing || self.is_over(entry, &day.day) || day.missing_count() == 0;
        let version = match known {
            0 => 1,
            known if changed && (made.replaced || was_sealed) => known + 1,
            known => known,
        };
        if changed || (sealed && !was_sealed) {
            let block = day.to_block(channel, version, self.now);
            let rules = self.in_force.on(day.day.date()).map_or(self.rules_id, |(id, _)| id);
            self.write.put_day(&StoredDay { block, sealed, rules })?;
            self.kept.insert(day.day.date());
            self.note_version(channel, day.day.date(), known, version, made.origin)?;
            if let Some((stats, dirty)) = self.stats.get_mut(&channel) {
                stats.absorb(day);
                *dirty = true;
            }
        }
        Ok(version)
    }

    /// Puts what validation found in place of what it found before; how many are new.
    pub(crate) fn put_findings(
        &self,
        entry: &Entry,
        before: &Before,
        day: &Day,
        version: u32,
        findings: &[vee::Finding],
    ) -> Result<usize, MdmError> {
        if before.stored.is_some() {
            self.write.clear_validation(entry.channel.id, day.day.date())?;
        }
        let mut new = 0;
        for finding in findings {
            let stored = self.stored_finding(entry, &day.day, Origin::Validation, version, finding, 0);
            new += usize::from(self.write.insert_finding(&stored)?);
        }
        Ok(new)
    }

    /// Whether a day and the grace of a channel's rules are over, so that what is missing may be estimated.
    pub(crate) fn is_over(&self, entry: &Entry, day: &LocalDay) -> bool {
        crate::close::is_past(day, self.rules(entry, day.date()).grace_h, self.now)
    }

    /// The reads of the total register inside the day, both bounds included, in the stored unit.
    fn registers(&self, entry: &Entry, day: &LocalDay) -> Result<Vec<Register>, MdmError> {
        surroundings::registers(self.write, entry, day.start(), day.end())
    }

    /// What is remembered of a channel, once [`Workshop::remember`] was asked to.
    pub(crate) fn stats_of(&self, channel: ChannelId) -> Option<&Stats> {
        self.stats.get(&channel).map(|(stats, _)| stats)
    }

    pub(crate) fn remember(&mut self, channel: ChannelId) -> Result<(), MdmError> {
        if !self.stats.contains_key(&channel) {
            let stats = surroundings::stats(self.write, channel)?;
            self.stats.insert(channel, (stats, false));
        }
        Ok(())
    }
}
