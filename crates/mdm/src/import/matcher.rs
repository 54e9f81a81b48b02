//! Items of a file, to readings of the channels of this utility, or to a line of the list of what was left out.

use super::names::{Feeds, Names};
use super::sorted::{Sorted, divided};
use super::{ImportReport, ImportSource};
use crate::Incoming;
use exchange::cmep::CONSTANT;
use exchange::{IntervalBlock, Item, Period, Refusal, RegisterReading, Series};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::{
    BatchSource, ChannelId, ChannelKind, LocalDay, MeterId, ReadBatch, RegisterRead, RegisterValue, Unit,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use store::{Channel, ImportRefusal, Read};

/// Refusals that are kept word by word; beyond them they are counted.
const KEPT: usize = 10_000;

/// A day, as the length of an interval.
const DAY_S: u32 = 86_400;

/// Why something of a file does not fit this utility.
pub(super) struct Unfit {
    reason: &'static str,
    sentence: String,
    remedy: &'static str,
}

pub(super) fn unfit(reason: &'static str, sentence: String, remedy: &'static str) -> Unfit {
    Unfit { reason, sentence, remedy }
}

/// What the values of a series were multiplied by. It is undone here, as the registry's multiplier is applied to whatever
/// comes; one that differs from it is refused, for nobody knows which of the two is right.
fn factor(series: &Series, multiplier: u32) -> Result<i64, Unfit> {
    let Ok(factor) = series.extra(CONSTANT).parse::<i64>() else { return Ok(1) };
    if factor == i64::from(multiplier) {
        return Ok(factor);
    }
    let sentence = format!("the file multiplies by {factor} where the registry has {multiplier}");
    Err(unfit("multiplier", sentence, "correct the one that is wrong and send the record again"))
}

pub(super) struct Matcher<'r> {
    read: &'r Read,
    now: Timestamp,
    zone: &'r TimeZone,
    names: Names<'r>,
    channels: BTreeMap<(MeterId, ChannelKind), Option<Channel>>,
    feeds: Feeds,
    /// What is taken in next.
    pub(super) ready: VecDeque<Incoming>,
    pub(super) report: ImportReport,
    /// From when to when the file holds readings of a channel.
    pub(super) spans: BTreeMap<ChannelId, (Timestamp, Timestamp)>,
}

impl<'r> Matcher<'r> {
    pub(super) fn new(read: &'r Read, now: Timestamp, source: &'r ImportSource, zone: &'r TimeZone) -> Self {
        Self {
            read,
            now,
            zone,
            names: Names::new(read, &source.meters),
            channels: BTreeMap::new(),
            feeds: Feeds::default(),
            ready: VecDeque::new(),
            report: ImportReport::default(),
            spans: BTreeMap::new(),
        }
    }

    /// Makes readings of an item, or a refusal.
    pub(super) fn take(&mut self, item: &Item) {
        let (line, title) = match item {
            Item::Block(block) => (block.line, block.series.title()),
            Item::Register(read) => (read.line, read.series.title()),
            Item::Period(period) => (period.line, period.series.title()),
            Item::Summary(_) | Item::Note(_) => {
                self.report.noted += 1;
                return;
            }
            Item::Refused(refusal) => {
                self.refuse_line(refusal);
                return;
            }
        };
        let taken = match item {
            Item::Block(block) => self.block(block),
            Item::Register(read) => self.register(read),
            Item::Period(period) => self.period(period),
            Item::Summary(_) | Item::Note(_) | Item::Refused(_) => Ok(()),
        };
        if let Err(why) = taken {
            self.refuse(line, why, &title);
        }
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
            let (sentence, excerpt) = (why.sentence, title.to_owned());
            self.report.refusals.push(ImportRefusal { line, reason, sentence, remedy, excerpt });
        }
    }

    /// The channel of a series, and what its values were multiplied by that the meter data manager will apply itself.
    fn channel(&mut self, series: &Series) -> Result<(Channel, i64), Unfit> {
        let mut meter = self.names.meter(series)?;
        let kind = series.kind.or_else(|| series.measure.usual_kind(meter.commodity)).ok_or_else(|| {
            let sentence = format!("{} does not say what it measures", series.title());
            unfit("unknown_kind", sentence, "name value.kind and value.unit in a mapping file")
        })?;
        let title = series.title();
        if !self.feeds.admits(meter.id, kind, &title)
            && let Some(other) = self.names.other(series, meter.id)?
        {
            meter = other;
        }
        let id = meter.id;
        if !self.channels.contains_key(&(id, kind)) {
            let found = self.read.channel(id, kind);
            let found = found.map_err(|error| unfit("store", error.to_string(), "try again"))?;
            self.channels.insert((id, kind), found);
        }
        let Some(Some(channel)) = self.channels.get(&(id, kind)).copied() else {
            let sentence = format!("the meter of {title} has no channel for {}", kind.name());
            return Err(unfit(
                "unknown_channel",
                sentence,
                "check the meter's model, or name value.kind in a mapping file",
            ));
        };
        self.feeds.give(id, kind, &title)?;
        if series.measure.unit() != Some(kind.stored_unit().0) {
            let sentence = format!("the unit {} does not fit the channel {}", series.measure, kind.name());
            return Err(unfit("unit", sentence, "name value.unit in a mapping file, or convert the file"));
        }
        Ok((channel, factor(series, meter.multiplier)?))
    }

    fn block(&mut self, block: &IntervalBlock) -> Result<(), Unfit> {
        let (channel, factor) = self.channel(&block.series)?;
        if block.interval != channel.interval {
            let (has, wants) = (block.interval.secs(), channel.interval.secs());
            let sentence = format!("intervals of {has} s where the channel has {wants} s");
            return Err(unfit("interval", sentence, "ask for the channel's interval"));
        }
        if block.interval.secs() < DAY_S && block.interval.floor(block.start) != block.start {
            let sentence = format!("intervals begin at {}, off the grid", block.start);
            return Err(unfit("off_grid", sentence, "ask for aligned readings"));
        }
        let sorted = Sorted::of(block, factor, channel.kind, self.now);
        let title = block.series.title();
        for why in sorted.reasons(channel.kind) {
            self.refuse(block.line, why, &title);
        }
        let count = |values: &[Option<i64>]| u64::try_from(values.iter().flatten().count()).unwrap_or(0);
        let (read, sent) = (count(&sorted.read), count(&sorted.sent));
        self.report.offered += read + sent;
        self.report.substituted += sent;
        if read > 0 {
            self.batch(&channel, block.start, sorted.read, sorted.status, BatchSource::Import);
        }
        if sent > 0 {
            self.batch(&channel, block.start, sorted.sent, sorted.quality, BatchSource::Sender);
        }
        Ok(())
    }

    fn batch(
        &mut self,
        channel: &Channel,
        start: Timestamp,
        values: Vec<Option<i64>>,
        status: Vec<u8>,
        source: BatchSource,
    ) {
        let (unit, scaler) = channel.kind.stored_unit();
        let length = i64::from(channel.interval.secs());
        let last = i64::try_from(values.len().saturating_sub(1)).unwrap_or(0).saturating_mul(length);
        let last = start.saturating_add(SignedDuration::from_secs(last)).unwrap_or(start);
        let span = self.spans.entry(channel.id).or_insert((start, last));
        *span = (span.0.min(start), span.1.max(last));
        self.ready.push_back(Incoming::Batch(ReadBatch {
            meter: channel.meter,
            kind: channel.kind,
            start,
            interval: channel.interval,
            values,
            scaler,
            unit,
            status,
            received_at: self.now,
            source,
        }));
    }

    fn register(&mut self, read: &RegisterReading) -> Result<(), Unfit> {
        let (channel, factor) = self.channel(&read.series)?;
        if !read.quality.is_read() {
            let sentence = format!("the register at {} was not read but {}", read.at, read.quality.word());
            let remedy = "nothing: a register that nobody read bounds no estimate";
            return Err(unfit("estimated_by_sender", sentence, remedy));
        }
        if read.at > self.now {
            let sentence = format!("the register is of {}, which is to come", read.at);
            return Err(unfit("future", sentence, "check the file's times and zone"));
        }
        let (unit, _): (Unit, i8) = channel.kind.stored_unit();
        let divided = divided(read.value.mantissa, read.value.exponent, factor);
        let (raw, scaler) = divided.ok_or_else(|| {
            let sentence = format!("the register at {} is no multiple of {factor}", read.at);
            unfit("inexact", sentence, "ask for the register as read")
        })?;
        let value = RegisterValue { raw, scaler, unit };
        self.ready.push_back(Incoming::Register(RegisterRead {
            meter: channel.meter,
            kind: channel.kind,
            tou: read.tou,
            at: read.at,
            value,
            received_at: self.now,
            source: BatchSource::Import,
        }));
        Ok(())
    }

    fn period(&mut self, period: &Period) -> Result<(), Unfit> {
        // Between two registers that are taken in, the quantity says nothing new.
        if !period.series.extra("current_read").is_empty() {
            self.report.noted += 1;
            return Ok(());
        }
        if let Some(day) = self.day_of(period)? {
            return self.block(&day);
        }
        let sentence =
            format!("a quantity from {} to {} is no interval of a channel", period.start, period.end);
        Err(unfit("odd_period", sentence, "ask for interval data"))
    }

    /// The one interval of a channel of days, where the period is a local day: 23, 24 or 25 hours.
    fn day_of(&mut self, period: &Period) -> Result<Option<IntervalBlock>, Unfit> {
        let Some(value) = period.value else { return Ok(None) };
        let day = LocalDay::containing(period.start, self.zone).ok();
        if day.is_none_or(|day| day.start() != period.start || day.end() != period.end) {
            return Ok(None);
        }
        let (channel, _) = self.channel(&period.series)?;
        if channel.interval.secs() != DAY_S {
            return Ok(None);
        }
        Ok(Some(IntervalBlock {
            series: Arc::clone(&period.series),
            line: period.line,
            start: period.start,
            interval: channel.interval,
            scaler: value.exponent,
            values: vec![value.mantissa],
            quality: vec![period.quality],
            beside: Vec::new(),
            costs: Vec::new(),
            updated: None,
            loaded: None,
        }))
    }
}
