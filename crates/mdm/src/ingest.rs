//! What arrives, on its way into days.

use crate::catalogue::Entry;
use crate::day::Workshop;
use crate::{Mdm, MdmError};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{ChannelId, LocalDay, MeterCheck, MeterEvent, QualityClass, ReadBatch, RegisterRead};
use std::collections::BTreeMap;
use store::{Origin, StoredFinding};
use vee::Arrival;

/// Something that a meter sent or was asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// Consecutive intervals of a channel.
    Batch(ReadBatch),
    /// A cumulative register.
    Register(RegisterRead),
    /// An event.
    Event(MeterEvent),
    /// What it told of itself; what comes after it is held against it.
    Check(MeterCheck),
}

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IngestReport {
    /// Batches that were new, whatever they held.
    pub batches: usize,
    /// Batches that were there already, to the byte.
    pub repeated_batches: usize,
    /// Intervals that had no value before.
    pub stored: usize,
    /// Intervals whose estimate gave way.
    pub superseded: usize,
    /// Intervals that held this very value already.
    pub duplicates: usize,
    /// Intervals that held another value as read: a new version was made and a finding written.
    pub conflicting: usize,
    /// Intervals whose sender estimated them, where a reading or an edit stands.
    pub outranked: usize,
    /// Items of meters or channels that the registry does not know.
    pub unknown: usize,
    /// Items that nothing can be made of: times before 1990, more values than a meter can hold.
    pub refused: usize,
    /// Register reads that were new.
    pub registers: usize,
    /// Events that were new.
    pub events: usize,
    /// Findings written.
    pub findings: usize,
    /// The days that were touched.
    pub days: Vec<(ChannelId, Date)>,
}

/// The arrivals of one batch in one day.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) arrivals: Vec<Arrival>,
    /// The batch was there already: it may fill what is empty but never contend with what came later.
    pub(crate) repeated: bool,
}

/// A day that something arrived for.
#[derive(Debug)]
pub(crate) struct Touched {
    pub(crate) day: LocalDay,
    /// In the order in which they came.
    pub(crate) deliveries: Vec<Delivery>,
    /// A register that bounds the day is new, so it is judged again even if no value is.
    pub(crate) bounded: bool,
    /// Only because of a register on another day: it is worked on after those of which readings arrived.
    pub(crate) far: bool,
}

/// The days touched by a call, worked on in order of time, as each leans on those before.
type TouchedDays = BTreeMap<(Date, ChannelId), Touched>;

/// Nothing that a meter says about times outside of these is believed; a clock that was never set is outside.
const BELIEVED: (Timestamp, Timestamp) =
    (Timestamp::constant(631_152_000, 0), Timestamp::constant(7_258_118_400, 0));

pub(crate) fn is_believed(at: Timestamp) -> bool {
    BELIEVED.0 <= at && at < BELIEVED.1
}

impl Mdm {
    /// Takes in whatever arrived, in one transaction: when this returns `Ok` all of it is on disk.
    ///
    /// Idempotent: the same items again change nothing. Order does not matter except that of two values that contradict
    /// each other the later one to arrive stands (both stay in the raw batches).
    ///
    /// # Errors
    /// What the store says; then nothing was taken in.
    pub fn receive(&self, now: Timestamp, items: Vec<Incoming>) -> Result<IngestReport, MdmError> {
        self.refresh_for(&items)?;
        self.store.write(|w| self.receive_in(w, now, items))
    }

    /// As [`Mdm::receive`], inside a transaction of the caller's; [`Mdm::reload`] first if meters may be new.
    ///
    /// # Errors
    /// What the store says; then the transaction must not be committed.
    pub fn receive_in(
        &self,
        w: &store::Write,
        now: Timestamp,
        items: Vec<Incoming>,
    ) -> Result<IngestReport, MdmError> {
        let mut workshop = Workshop::new(self, w, now)?;
        let report = workshop.receive(items)?;
        workshop.finish()?;
        Ok(report)
    }

    /// A meter that was provisioned after the registry was read makes it be read again.
    fn refresh_for(&self, items: &[Incoming]) -> Result<(), MdmError> {
        let catalogue = self.catalogue();
        let strange = items.iter().any(|item| match item {
            Incoming::Batch(batch) => catalogue.get(batch.meter, batch.kind).is_none(),
            Incoming::Register(_) | Incoming::Event(_) | Incoming::Check(_) => false,
        });
        if strange { self.reload() } else { Ok(()) }
    }
}

impl Workshop<'_> {
    /// Files everything, then works through the days that were touched.
    pub(crate) fn receive(&mut self, items: Vec<Incoming>) -> Result<IngestReport, MdmError> {
        let mut report = IngestReport::default();
        let mut touched = TouchedDays::new();
        for item in items {
            match item {
                Incoming::Event(event) => {
                    report.events += usize::from(self.write.insert_event(&event, self.now)?);
                }
                Incoming::Check(check) => self.take_check(&check)?,
                Incoming::Register(read) => self.take_register(&read, &mut touched, &mut report)?,
                Incoming::Batch(batch) => self.take_batch(&batch, &mut touched, &mut report)?,
            }
        }
        let dates = touched.keys().map(|(date, _)| *date);
        self.load_power_events(dates.clone().min(), dates.max())?;
        let (far, near): (Vec<_>, Vec<_>) = touched.into_iter().partition(|(_, touched)| touched.far);
        for ((date, channel), touched) in near.into_iter().chain(far) {
            let Some(entry) = self.catalogue.by_id(channel) else { continue };
            if touched.far && self.settled.contains(&(channel, date)) {
                continue;
            }
            report.days.push((channel, date));
            self.work_on(&entry, &touched, &mut report)?;
        }
        Ok(report)
    }

    /// Keeps a register read; the days that it bounds are judged again.
    fn take_register(
        &mut self,
        read: &RegisterRead,
        touched: &mut TouchedDays,
        report: &mut IngestReport,
    ) -> Result<(), MdmError> {
        let Some(entry) = self.catalogue.get(read.meter, read.kind) else {
            report.unknown += 1;
            return Ok(());
        };
        if !is_believed(read.at) {
            report.refused += 1;
            return Ok(());
        }
        if !self.write.insert_register(read)? {
            return Ok(());
        }
        report.registers += 1;
        if read.tou != 0 {
            self.rated.insert(entry.channel.id, true);
        }
        let day = self.day_containing(read.at)?;
        if read.tou != 0 && self.rules(&entry, day.date()).estimation.tou.is_empty() {
            return Ok(());
        }
        for date in self.days_bracketed(&entry, read.at)? {
            let far = self.local_day(date)?;
            let new = !touched.contains_key(&(date, entry.channel.id));
            let touched = touch(touched, entry.channel.id, far);
            (touched.bounded, touched.far) = (true, touched.far || new);
        }
        if read.at == day.start()
            && let Ok(yesterday) = day.date().yesterday()
        {
            let yesterday = self.local_day(yesterday)?;
            touch(touched, entry.channel.id, yesterday).bound();
        }
        touch(touched, entry.channel.id, day).bound();
        Ok(())
    }

    /// Keeps a batch as read, admits its values and sorts them by day.
    fn take_batch(
        &mut self,
        batch: &ReadBatch,
        touched: &mut TouchedDays,
        report: &mut IngestReport,
    ) -> Result<(), MdmError> {
        let Some(entry) = self.catalogue.get(batch.meter, batch.kind) else {
            report.unknown += 1;
            return Ok(());
        };
        if !is_believed(batch.start) || batch.values.len() > store::block::MAX_VALUES {
            report.refused += 1;
            return Ok(());
        }
        let new = self.write.insert_raw(entry.channel.id, batch)?;
        if new {
            report.batches += 1;
        } else {
            report.repeated_batches += 1;
        }
        let witness = self.witness(batch)?;
        let date = self.day_containing(batch.start)?.date();
        let facts = vee::Facts { billed_to: self.billed_to(entry.channel.id)?, ..entry.facts };
        let rules = self.rules(&entry, date);
        let admitted = vee::admit_with(batch, &witness.evidence(), &facts, rules, self.now);
        if new && !admitted.findings.is_empty() {
            self.note_refusals(&entry, batch, &admitted.findings, report)?;
        }
        let mut arrivals = admitted.arrivals.into_iter().peekable();
        while let Some(first) = arrivals.peek().copied() {
            let day = self.day_containing(first.start)?;
            let mut of_day = Vec::with_capacity(100);
            while let Some(arrival) = arrivals.next_if(|arrival| arrival.start < day.end()) {
                of_day.push(arrival);
            }
            let delivery = Delivery { arrivals: of_day, repeated: !new };
            let touched = touch(touched, entry.channel.id, day);
            touched.deliveries.push(delivery);
            touched.far = false;
        }
        Ok(())
    }

    /// Findings about a batch are filed under the day in which it starts.
    fn note_refusals(
        &mut self,
        entry: &Entry,
        batch: &ReadBatch,
        findings: &[vee::Finding],
        report: &mut IngestReport,
    ) -> Result<(), MdmError> {
        let day = self.day_containing(batch.start)?;
        let offset = day.interval_at(entry.channel.interval, batch.start).unwrap_or(0);
        for finding in findings {
            let stored = self.stored_finding(entry, &day, Origin::Ingest, 0, finding, offset);
            report.findings += usize::from(self.write.insert_finding(&stored)?);
        }
        Ok(())
    }

    pub(crate) fn stored_finding(
        &self,
        entry: &Entry,
        day: &LocalDay,
        origin: Origin,
        version: u32,
        finding: &vee::Finding,
        offset: usize,
    ) -> StoredFinding {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        StoredFinding {
            channel: entry.channel.id,
            day: day.date(),
            origin,
            rule: finding.rule.name().to_owned(),
            first: number(finding.slots.start.saturating_add(offset)),
            count: number(finding.slots.len()),
            version,
            severity: finding.severity.name().to_owned(),
            sentence: finding.sentence.clone(),
            found_at: self.now,
        }
    }
}

fn touch(touched: &mut TouchedDays, channel: ChannelId, day: LocalDay) -> &mut Touched {
    let fresh = Touched { day, deliveries: Vec::new(), bounded: false, far: false };
    touched.entry((fresh.day.date(), channel)).or_insert(fresh)
}

impl Touched {
    const fn bound(&mut self) {
        (self.bounded, self.far) = (true, false);
    }
}

impl Delivery {
    /// The arrivals that may enter `day` as it stands; not those that a person refused.
    pub(crate) fn admissible(&self, day: &vee::Day, rejected: &[(u32, i64)]) -> Vec<Arrival> {
        let at = |arrival: &Arrival| day.day.interval_at(day.interval, arrival.start);
        let refused = |arrival: &Arrival| {
            !rejected.is_empty()
                && at(arrival)
                    .and_then(|index| u32::try_from(index).ok())
                    .is_some_and(|index| rejected.contains(&(index, arrival.value)))
        };
        let fills = |arrival: &&Arrival| {
            // An older estimate of a sender must not come back over a newer one, nor anything over what was read.
            let may_fill = |slot: &vee::Slot| {
                let newer =
                    slot.quality.class() == QualityClass::Substituted && arrival.quality.is_estimated();
                slot.value == arrival.value || !(slot.quality.is_read() || newer)
            };
            !refused(arrival)
                && (!self.repeated
                    || at(arrival).and_then(|index| day.slots.get(index)).is_some_and(may_fill))
        };
        self.arrivals.iter().filter(fills).copied().collect()
    }
}
