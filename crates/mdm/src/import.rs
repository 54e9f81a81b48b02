//! A file of readings, on its way in: names are matched to meters, units to channels; what does not fit is listed.
//!
//! Only values that a meter measured are taken in as readings. What the sender estimated, substituted or projected is
//! listed and left out: it is no reading, and the gap is estimated here under our own rules.

use crate::{BulkReport, Incoming, Mdm, MdmError};
use exchange::{IntervalBlock, Item, Period, ReadError, Reader, Refusal, RegisterReading, Series};
use jiff::Timestamp;
use model::reading::status;
use model::{
    BatchSource, ChannelKind, Commodity, MeterId, Quality, ReadBatch, RegisterRead, RegisterValue, Serial,
    Unit,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use store::{Channel, ImportRefusal, ImportedFile, Read, StoreError};

/// Refusals that are kept word by word; beyond them they are counted.
const KEPT: usize = 10_000;

/// How far ahead of `now` an interval may end, seconds.
const AHEAD_S: i64 = 180;

/// A file as the caller names it.
#[derive(Clone, Debug)]
pub struct ImportSource {
    /// Its name.
    pub name: String,
    /// Its format.
    pub format: String,
    /// SHA-256 of its bytes and of how it is read.
    pub digest: String,
    /// Names in the file and the serials they stand for.
    pub meters: BTreeMap<String, String>,
    /// Look only; nothing is taken in.
    pub dry_run: bool,
}

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// The number under which the file is kept; `None` of a dry run.
    pub file: Option<u32>,
    /// It was taken in before, to the byte.
    pub known: bool,
    /// Intervals with a value that were offered.
    pub offered: u64,
    /// What the meter data manager made of them.
    pub bulk: BulkReport,
    /// Statements that are no readings: orders, summaries, time parameters.
    pub noted: u64,
    /// How many records were left out.
    pub refused: u64,
    /// The first of them.
    pub refusals: Vec<ImportRefusal>,
}

/// Why a file was not taken in; then nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be read to its end.
    #[error("read the file")]
    Read(#[from] ReadError),
    /// The meter data manager or its store failed.
    #[error("take the readings in")]
    Mdm(#[from] MdmError),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Mdm(error.into())
    }
}

impl Mdm {
    /// Takes a file of readings in, whole or not at all: one transaction, on disk when this returns.
    ///
    /// The same file again changes nothing. Records that cannot be taken in are listed with their line and reason and
    /// stop nobody else's.
    ///
    /// # Errors
    /// [`ImportError`]; then nothing was taken in.
    pub fn import(
        &self,
        now: Timestamp,
        source: &ImportSource,
        reader: &mut dyn Reader,
    ) -> Result<ImportReport, ImportError> {
        self.reload()?;
        if source.dry_run {
            return self.store().read(|read| {
                let matcher = RefCell::new(Matcher::new(read, now, source));
                let taken = Taken { reader, matcher: &matcher, failed: None };
                let failed = taken.run_out();
                let report = matcher.into_inner().report;
                failed.map_or(Ok(report), |error| Err(error.into()))
            });
        }
        let report = self.store().write(|write| {
            let matcher = RefCell::new(Matcher::new(write, now, source));
            let mut taken = Taken { reader, matcher: &matcher, failed: None };
            let bulk = self.load_all(write, now, &mut taken)?;
            if let Some(error) = taken.failed.take() {
                return Err(ImportError::from(error));
            }
            let mut report = matcher.into_inner().report;
            report.bulk = bulk;
            report.known = write.imported_file(&source.digest)?.is_some();
            let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
            let file = ImportedFile {
                id: 0,
                name: source.name.clone(),
                format: source.format.clone(),
                digest: source.digest.clone(),
                loaded_at: now,
                offered: report.offered,
                stored: number(bulk.intervals),
                registers: number(bulk.registers),
                refused: report.refused,
            };
            report.file = Some(write.put_imported_file(&file, &report.refusals)?);
            Ok(report)
        })?;
        Ok(report)
    }
}

/// The readings of a file as the bulk load takes them; stops at what cannot be read.
struct Taken<'a, 'r> {
    reader: &'a mut dyn Reader,
    matcher: &'a RefCell<Matcher<'r>>,
    failed: Option<ReadError>,
}

impl Taken<'_, '_> {
    fn run_out(mut self) -> Option<ReadError> {
        while self.next().is_some() {}
        self.failed
    }
}

impl Iterator for Taken<'_, '_> {
    type Item = Incoming;

    fn next(&mut self) -> Option<Incoming> {
        loop {
            match self.reader.next() {
                Ok(Some(item)) => {
                    if let Some(incoming) = self.matcher.borrow_mut().take(item) {
                        return Some(incoming);
                    }
                }
                Ok(None) => return None,
                Err(error) => {
                    self.failed = Some(error);
                    return None;
                }
            }
        }
    }
}

/// Why something of a file does not fit this utility.
struct Unfit {
    reason: &'static str,
    sentence: String,
    remedy: &'static str,
}

fn unfit(reason: &'static str, sentence: String, remedy: &'static str) -> Unfit {
    Unfit { reason, sentence, remedy }
}

struct Matcher<'r> {
    read: &'r Read,
    now: Timestamp,
    names: &'r BTreeMap<String, String>,
    meters: BTreeMap<String, Option<(MeterId, Commodity)>>,
    channels: BTreeMap<(MeterId, ChannelKind), Option<Channel>>,
    /// Which series of the file feeds a channel.
    feeds: BTreeMap<(MeterId, ChannelKind), String>,
    report: ImportReport,
}

impl<'r> Matcher<'r> {
    fn new(read: &'r Read, now: Timestamp, source: &'r ImportSource) -> Self {
        Self {
            read,
            now,
            names: &source.meters,
            meters: BTreeMap::new(),
            channels: BTreeMap::new(),
            feeds: BTreeMap::new(),
            report: ImportReport::default(),
        }
    }

    fn take(&mut self, item: Item) -> Option<Incoming> {
        let (line, title) = match &item {
            Item::Block(block) => (block.line, block.series.title()),
            Item::Register(read) => (read.line, read.series.title()),
            Item::Period(period) => (period.line, period.series.title()),
            Item::Summary(_) | Item::Note(_) => {
                self.report.noted += 1;
                return None;
            }
            Item::Refused(refusal) => {
                self.refuse_line(refusal);
                return None;
            }
        };
        let taken = match &item {
            Item::Block(block) => self.block(block),
            Item::Register(read) => self.register(read),
            Item::Period(period) => self.period(period),
            Item::Summary(_) | Item::Note(_) | Item::Refused(_) => Ok(None),
        };
        taken.unwrap_or_else(|why| {
            self.refuse(line, why, &title);
            None
        })
    }

    fn refuse_line(&mut self, refusal: &Refusal) {
        self.report.refused += 1;
        if self.report.refusals.len() < KEPT {
            self.report.refusals.push(ImportRefusal {
                line: refusal.line,
                reason: refusal.reason.name().to_owned(),
                sentence: refusal.reason.to_string(),
                remedy: refusal.reason.remedy().to_owned(),
                excerpt: refusal.text.clone(),
            });
        }
    }

    fn refuse(&mut self, line: u64, why: Unfit, title: &str) {
        self.report.refused += 1;
        if self.report.refusals.len() < KEPT {
            let (reason, remedy) = (why.reason.to_owned(), why.remedy.to_owned());
            let excerpt = title.to_owned();
            self.report.refusals.push(ImportRefusal {
                line,
                reason,
                sentence: why.sentence,
                remedy,
                excerpt,
            });
        }
    }

    /// The meter that a name stands for: a serial, or the number of a service point with one meter.
    fn meter(&mut self, series: &Series) -> Result<(MeterId, Commodity), Unfit> {
        for name in [&series.meter, &series.service_point] {
            if name.is_empty() {
                continue;
            }
            let name = self.names.get(name).unwrap_or(name);
            if !self.meters.contains_key(name) {
                let found = find_meter(self.read, name)
                    .map_err(|error| unfit("store", error.to_string(), "try again"))?;
                self.meters.insert(name.clone(), found);
            }
            if let Some(Some(found)) = self.meters.get(name) {
                return Ok(*found);
            }
        }
        let sentence = format!("no meter or service point is called {:?}", series.title());
        Err(unfit(
            "unknown_meter",
            sentence,
            "load it with `wattle admin load`, or name it under [meters] in a mapping file",
        ))
    }

    fn channel(&mut self, series: &Series) -> Result<Channel, Unfit> {
        let (meter, commodity) = self.meter(series)?;
        let kind = series.kind.or_else(|| series.measure.usual_kind(commodity)).ok_or_else(|| {
            let sentence = format!("{} does not say what it measures", series.title());
            unfit("unknown_kind", sentence, "name value.kind and value.unit in a mapping file")
        })?;
        if !self.channels.contains_key(&(meter, kind)) {
            let found = self
                .read
                .channel(meter, kind)
                .map_err(|error| unfit("store", error.to_string(), "try again"))?;
            self.channels.insert((meter, kind), found);
        }
        let Some(Some(channel)) = self.channels.get(&(meter, kind)).copied() else {
            let sentence = format!("the meter of {} has no channel for {}", series.title(), kind.name());
            return Err(unfit(
                "unknown_channel",
                sentence,
                "check the meter's model, or name value.kind in a mapping file",
            ));
        };
        let title = series.title();
        let feeds = self.feeds.entry((meter, kind)).or_insert_with(|| title.clone());
        if *feeds != title {
            let sentence =
                format!("{title} and {feeds} of this file would both fill the channel {}", kind.name());
            return Err(unfit("second_series", sentence, "import them apart, as different meters"));
        }
        if series.measure.unit() != Some(kind.stored_unit().0) {
            let sentence = format!("the unit {:?} does not fit the channel {}", series.measure, kind.name());
            return Err(unfit("unit", sentence, "name value.unit in a mapping file, or convert the file"));
        }
        Ok(channel)
    }

    fn block(&mut self, block: &IntervalBlock) -> Result<Option<Incoming>, Unfit> {
        let channel = self.channel(&block.series)?;
        if block.interval != channel.interval {
            let (has, wants) = (block.interval.secs(), channel.interval.secs());
            let sentence = format!("intervals of {has} s where the channel has {wants} s");
            return Err(unfit("interval", sentence, "ask for the channel's interval"));
        }
        if block.interval.secs() < 86_400 && block.interval.floor(block.start) != block.start {
            let sentence = format!("intervals begin at {}, off the grid", block.start);
            return Err(unfit("off_grid", sentence, "ask for aligned readings"));
        }
        let (unit, exponent) = channel.kind.stored_unit();
        let mut sorted = Sorted::default();
        for (index, (at, value, quality)) in block.readings().enumerate() {
            let ahead = at.as_second() + i64::from(block.interval.secs()) > self.now.as_second() + AHEAD_S;
            let value = match value {
                Some(_) if ahead => sorted.future.note(at),
                Some(_) if !quality.is_read() => sorted.estimated.note(at),
                Some(value) => {
                    let raw = RegisterValue { raw: value, scaler: block.scaler, unit };
                    match raw.rescaled(exponent) {
                        Ok(stored) => Some(stored),
                        Err(_) => sorted.inexact.note(at),
                    }
                }
                None => None,
            };
            sorted.values.push(value);
            sorted.status.push(status_of(block.quality.get(index).copied().unwrap_or(quality)));
        }
        let title = block.series.title();
        for why in sorted.reasons(channel.kind) {
            self.refuse(block.line, why, &title);
        }
        let offered = sorted.values.iter().flatten().count();
        self.report.offered += u64::try_from(offered).unwrap_or(0);
        Ok((offered > 0).then_some(Incoming::Batch(ReadBatch {
            meter: channel.meter,
            kind: channel.kind,
            start: block.start,
            interval: block.interval,
            values: sorted.values,
            scaler: exponent,
            unit,
            status: sorted.status,
            received_at: self.now,
            source: BatchSource::Import,
        })))
    }

    fn register(&mut self, read: &RegisterReading) -> Result<Option<Incoming>, Unfit> {
        let channel = self.channel(&read.series)?;
        if !read.quality.is_read() {
            let sentence = format!("the register at {} was not read but {}", read.at, read.quality.word());
            return Err(unfit("estimated_by_sender", sentence, "nothing: only what was read is taken in"));
        }
        if read.at > self.now {
            let sentence = format!("the register is of {}, which is to come", read.at);
            return Err(unfit("future", sentence, "check the file's times and zone"));
        }
        let (unit, _): (Unit, i8) = channel.kind.stored_unit();
        let value = RegisterValue { raw: read.value.mantissa, scaler: read.value.exponent, unit };
        Ok(Some(Incoming::Register(RegisterRead {
            meter: channel.meter,
            kind: channel.kind,
            tou: read.tou,
            at: read.at,
            value,
            received_at: self.now,
            source: BatchSource::Import,
        })))
    }

    fn period(&mut self, period: &Period) -> Result<Option<Incoming>, Unfit> {
        // Between two registers that are taken in, the quantity says nothing new.
        if !period.series.extra("current_read").is_empty() {
            self.report.noted += 1;
            return Ok(None);
        }
        let sentence =
            format!("a quantity from {} to {} is no interval of a channel", period.start, period.end);
        Err(unfit("odd_period", sentence, "ask for interval data"))
    }
}

fn find_meter(read: &Read, name: &str) -> Result<Option<(MeterId, Commodity)>, StoreError> {
    if let Some(meter) = read.meter_by_serial(&Serial::new(name))? {
        return Ok(Some((meter.id, meter.commodity)));
    }
    let Some(point) = read.service_point_by_number(name)? else { return Ok(None) };
    let there = read.meters_at(point.id)?;
    let mut there = there.iter().filter(|meter| meter.retired_at.is_none());
    Ok(there.next().filter(|_| there.next().is_none()).map(|meter| (meter.id, meter.commodity)))
}

/// The status byte that carries a quality's flags.
fn status_of(quality: Quality) -> u8 {
    let pairs = [
        (Quality::POWER_FAIL, status::POWER_FAIL),
        (Quality::PARTIAL, status::PARTIAL),
        (Quality::CLOCK_DOUBTFUL, status::CLOCK_INVALID),
    ];
    pairs.iter().filter(|(flag, _)| quality.has(*flag)).fold(0, |bits, (_, bit)| bits | bit)
}

#[derive(Default)]
struct Sorted {
    values: Vec<Option<i64>>,
    status: Vec<u8>,
    future: Left,
    estimated: Left,
    inexact: Left,
}

/// Intervals that were left out for one reason.
#[derive(Default)]
struct Left {
    count: usize,
    first: Option<Timestamp>,
}

impl Left {
    fn note(&mut self, at: Timestamp) -> Option<i64> {
        self.count += 1;
        self.first.get_or_insert(at);
        None
    }
}

impl Sorted {
    fn reasons(&self, kind: ChannelKind) -> Vec<Unfit> {
        let mut reasons = Vec::new();
        let mut add = |left: &Left, reason, what: &str, remedy| {
            if let Some(first) = left.first {
                let sentence = format!("{} intervals {what}, the first at {first}", left.count);
                reasons.push(unfit(reason, sentence, remedy));
            }
        };
        add(&self.future, "future", "end in the future", "check the file's times and zone");
        add(
            &self.estimated,
            "estimated_by_sender",
            "were not read but estimated, edited or projected by the sender",
            "nothing: only what was read is taken in, and gaps are estimated here",
        );
        let unit = format!("are no whole number of the channel's unit ({})", kind.name());
        add(&self.inexact, "inexact", &unit, "ask for values in whole units");
        reasons
    }
}
