//! Whole days among what was pushed.
//!
//! What a day becomes is the same whichever way it takes; a test compares both. A day is whole when one batch brings every
//! interval of it and nothing else of that channel came along. Days are taken one after the other, as each leans on those
//! before.

use crate::catalogue::Catalogue;
use crate::day::Workshop;
use crate::ingest::{Incoming, is_believed};
use crate::profile::{ProfileHead, ProfileLoad, Profiles, keep_pages};
use crate::{IngestReport, Mdm, MdmError};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{BatchSource, ChannelId, ChannelKind, IntervalLength, LocalDay, MeterId, Quality, ReadBatch};
use std::collections::BTreeMap;
use store::Write;

/// Channels that a page must have at least: a day is looked for in every part of its page, and there shall be few.
const LEAST: u32 = 32;

/// What batches must have in common to lie in the same pages.
type Alike = (ChannelKind, IntervalLength, u8, i8, BatchSource);

/// Batches, each with its channel.
type OfChannels = Vec<(ChannelId, ReadBatch)>;

impl Mdm {
    /// Takes batches in, whole days of many neighbours the short way.
    pub(super) fn take_days(
        &self,
        w: &Write,
        now: Timestamp,
        batches: Vec<ReadBatch>,
    ) -> Result<IngestReport, MdmError> {
        let ordinary = |batches: Vec<ReadBatch>| {
            self.receive_in(w, now, batches.into_iter().map(Incoming::Batch).collect())
        };
        let mut of_day: BTreeMap<Date, (Option<LocalDay>, Vec<ReadBatch>)> = BTreeMap::new();
        let mut last: Option<LocalDay> = None;
        for batch in batches {
            // What nobody believes belongs to no day.
            if !is_believed(batch.start) {
                of_day.entry(Date::MIN).or_default().1.push(batch);
                continue;
            }
            let day = match last.take() {
                Some(day) if day.start() <= batch.start && batch.start < day.end() => day,
                _ => self.day_of(batch.start)?,
            };
            let (known, of) = of_day.entry(day.date()).or_default();
            known.get_or_insert_with(|| day.clone());
            of.push(batch);
            last = Some(day);
        }
        let catalogue = self.catalogue();
        let mut total = IngestReport::default();
        let mut waiting = Vec::new();
        for (day, batches) in of_day.into_values() {
            let (whole, rest) = match &day {
                Some(day) => sorted(&catalogue, day, batches),
                None => (BTreeMap::new(), batches),
            };
            // Without a whole day between them days are taken at once, as ever.
            waiting.extend(rest);
            let Some(day) = day.filter(|_| !whole.is_empty()) else { continue };
            let earlier = core::mem::take(&mut waiting);
            let (before, same): (Vec<_>, Vec<_>) =
                earlier.into_iter().partition(|batch| batch.start < day.start());
            if !before.is_empty() {
                add(&mut total, ordinary(before)?);
            }
            waiting = same;
            waiting.extend(self.take_whole(w, now, &day, whole, &mut total)?);
        }
        if !waiting.is_empty() {
            add(&mut total, ordinary(waiting)?);
        }
        Ok(total)
    }

    /// Puts what is clean of the whole days of one date into pages; what is not is handed back.
    fn take_whole(
        &self,
        w: &Write,
        now: Timestamp,
        day: &LocalDay,
        whole: BTreeMap<Alike, Vec<(ChannelId, ReadBatch)>>,
        report: &mut IngestReport,
    ) -> Result<Vec<ReadBatch>, MdmError> {
        let mut workshop = Workshop::new(self, w, now)?;
        workshop.load_power_events(Some(day.date()), Some(day.date()))?;
        let mut odd = Vec::new();
        for (_, mut batches) in whole {
            batches.sort_by_key(|(channel, _)| *channel);
            workshop.expect(&batches)?;
            let Some((_, first)) = batches.first() else { continue };
            let head = ProfileHead {
                kind: first.kind,
                interval: first.interval,
                unit: first.unit,
                scaler: first.scaler,
                source: first.source,
                received_at: first.received_at,
            };
            let load = ProfileLoad::admitted(&workshop, head, day.clone());
            let mut profiles = Profiles::default();
            let mut values = Vec::with_capacity(load.slots());
            for (channel, batch) in batches {
                if !workshop.passes(channel, &batch, day.date())? {
                    odd.push(batch);
                    continue;
                }
                values.clear();
                values.extend(batch.values.iter().flatten());
                profiles.push_received(batch.meter, &values, batch.received_at);
            }
            let prepared = self.prepare_in(w, &load, profiles)?;
            let kept = keep_pages(w, &load, prepared, LEAST)?;
            report.batches += kept.days.len();
            report.stored += kept.days.len() * load.slots();
            report.days.extend(kept.days);
            odd.extend(kept.odd);
        }
        Ok(odd)
    }
}

/// The batches of a day that are whole, by what they have in common, and the others.
fn sorted(
    catalogue: &Catalogue,
    day: &LocalDay,
    batches: Vec<ReadBatch>,
) -> (BTreeMap<Alike, OfChannels>, Vec<ReadBatch>) {
    let mut times: BTreeMap<(MeterId, ChannelKind), u32> = BTreeMap::new();
    for batch in &batches {
        *times.entry((batch.meter, batch.kind)).or_default() += 1;
    }
    let mut whole: BTreeMap<Alike, OfChannels> = BTreeMap::new();
    let mut rest = Vec::new();
    for batch in batches {
        let entry = catalogue.get(batch.meter, batch.kind);
        let fits = batch.start == day.start()
            && batch.values.len() == day.intervals(batch.interval)
            && batch.values.iter().all(Option::is_some)
            && batch.status.len() == batch.values.len()
            && batch.status.iter().all(|status| *status == 0)
            && batch.source != BatchSource::Sender
            && times.get(&(batch.meter, batch.kind)) == Some(&1);
        match entry.filter(|entry| fits && entry.channel.interval == batch.interval) {
            Some(entry) => {
                let alike = (batch.kind, batch.interval, batch.unit.code(), batch.scaler, batch.source);
                whole.entry(alike).or_default().push((entry.channel.id, batch));
            }
            None => rest.push(batch),
        }
    }
    // Too few for any page.
    whole.retain(|_, of| {
        let enough = of.len() >= LEAST as usize;
        if !enough {
            rest.extend(of.drain(..).map(|(_, batch)| batch));
        }
        enough
    });
    (whole, rest)
}

impl Workshop<'_> {
    /// Looks up at once what will be asked of many channels.
    fn expect(&mut self, batches: &[(ChannelId, ReadBatch)]) -> Result<(), MdmError> {
        let (Some((first, _)), Some((last, _))) = (batches.first(), batches.last()) else { return Ok(()) };
        let mut billed = self.write.last_billed_days((*first, *last))?;
        let meters = || batches.iter().map(|(_, batch)| batch.meter);
        let bounds = meters().min().zip(meters().max());
        let mut checks =
            bounds.map_or_else(|| Ok(BTreeMap::new()), |bounds| self.write.meter_checks(bounds))?;
        for (channel, batch) in batches {
            let day = billed.remove(channel).map(|day| Ok::<_, MdmError>(self.local_day(day)?.end()));
            self.billed.insert(*channel, day.transpose()?);
            self.checks.entry(batch.meter).or_insert_with(|| checks.remove(&batch.meter));
        }
        Ok(())
    }

    /// Whether every value of a batch passes the gate as it is.
    fn passes(&mut self, channel: ChannelId, batch: &ReadBatch, date: Date) -> Result<bool, MdmError> {
        let Some(entry) = self.catalogue.by_id(channel) else { return Ok(false) };
        let witness = self.witness(batch)?;
        let facts = vee::Facts { billed_to: self.billed_to(channel)?, ..entry.facts };
        let rules = self.rules(&entry, date);
        let admitted = vee::admit_with(batch, &witness.evidence(), &facts, rules, self.now);
        let all = admitted.arrivals.len() == batch.values.len();
        let plain = admitted.arrivals.iter().all(|arrival| arrival.quality == Quality::RAW);
        Ok(admitted.findings.is_empty() && all && plain)
    }
}

fn add(total: &mut IngestReport, more: IngestReport) {
    total.batches += more.batches;
    total.repeated_batches += more.repeated_batches;
    total.stored += more.stored;
    total.superseded += more.superseded;
    total.duplicates += more.duplicates;
    total.conflicting += more.conflicting;
    total.outranked += more.outranked;
    total.unknown += more.unknown;
    total.refused += more.refused;
    total.registers += more.registers;
    total.events += more.events;
    total.findings += more.findings;
    total.days.extend(more.days);
}

#[cfg(test)]
mod tests;
