//! A channel's day with everything that may stand around it, from the gate to the findings.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use model::{BatchSource, ChannelKind, CustomerClass, IntervalLength, LocalDay, MeterId, Quality, ReadBatch};
use std::collections::BTreeSet;
use vee::fast::Sibling;
use vee::{
    Day, DayInput, DayTemperature, Eligible, Evidence, Facts, Finding, Outage, Register, Rule, RuleBook,
    Slot, Stats, TouRead, admit_with, merge, validate,
};

/// What a test changes of a quiet day.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// A rules file; empty for the one that a new utility starts with.
    pub(crate) book: String,
    pub(crate) model: &'static str,
    pub(crate) zone: &'static str,
    pub(crate) date: Date,
    pub(crate) facts: Facts,
    pub(crate) values: Vec<i64>,
    pub(crate) quality: Vec<Quality>,
    /// What arrives; laid over the day before it is validated.
    pub(crate) batch: Option<ReadBatch>,
    pub(crate) evidence: Evidence<'static>,
    pub(crate) registers: Vec<Register>,
    pub(crate) rates: Vec<TouRead>,
    pub(crate) outages: Vec<Outage>,
    pub(crate) off: Vec<Outage>,
    pub(crate) exchanges: Vec<Timestamp>,
    pub(crate) beside: Vec<(ChannelKind, Vec<i64>, Vec<Quality>)>,
    pub(crate) check: Option<(ChannelKind, Vec<i64>)>,
    pub(crate) temperatures: Vec<DayTemperature>,
    /// The days before, the oldest first: how many days back, the values, and of what quality they are.
    pub(crate) history: Vec<(i64, Vec<i64>, Quality)>,
    pub(crate) now: Timestamp,
}

/// A quiet day of hours: 100 and 101 in turn.
pub(crate) fn quiet(hours: usize) -> Vec<i64> {
    (0..hours).map(|hour| if hour % 2 == 0 { 100 } else { 101 }).collect()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A time of the day that scenes play on.
pub(crate) fn outage(from: &str, to: &str) -> Outage {
    Outage { from: clock(from), to: clock(to) }
}

/// `02:30` of that day, and 24:00 as its end.
pub(crate) fn clock(text: &str) -> Timestamp {
    if text == "24:00" { at("2026-03-05T00:00:00Z") } else { at(&format!("2026-03-04T{text}:00Z")) }
}

impl Default for Scene {
    fn default() -> Self {
        Self::of(ChannelKind::Import)
    }
}

impl Scene {
    /// A quiet day of a home, two days later, of which nothing else is known.
    pub(crate) fn of(kind: ChannelKind) -> Self {
        Self {
            book: String::new(),
            model: "one-phase",
            zone: "UTC",
            date: date(2026, 3, 4),
            facts: Facts::new(kind, IntervalLength::HOUR),
            values: quiet(24),
            quality: vec![Quality::RAW; 24],
            batch: None,
            evidence: Evidence::default(),
            registers: Vec::new(),
            rates: Vec::new(),
            outages: Vec::new(),
            off: Vec::new(),
            exchanges: Vec::new(),
            beside: Vec::new(),
            check: None,
            temperatures: Vec::new(),
            history: Vec::new(),
            now: at("2026-03-07T00:00:00Z"),
        }
    }

    /// The same day by every hour's value that differs.
    pub(crate) fn with(mut self, changes: &[(usize, i64)]) -> Self {
        for (hour, value) in changes {
            self.values[*hour] = *value;
        }
        self
    }

    /// So many days before of the same values, up to yesterday.
    pub(crate) fn after(mut self, days: i64, values: &[i64], quality: Quality) -> Self {
        self.history.extend((1..=days).rev().map(|back| (back, values.to_vec(), quality)));
        self
    }

    /// A batch of the first five hours with the values that the day has.
    pub(crate) fn arriving(mut self) -> Self {
        let (unit, scaler) = self.facts.kind.stored_unit();
        self.batch = Some(ReadBatch {
            meter: MeterId::new(1),
            kind: self.facts.kind,
            start: at("2026-03-04T00:00:00Z"),
            interval: self.facts.interval,
            values: self.values[..5].iter().copied().map(Some).collect(),
            scaler,
            unit,
            status: vec![0; 5],
            received_at: self.now,
            source: BatchSource::Scheduled,
        });
        self
    }

    pub(crate) fn batch(&mut self) -> &mut ReadBatch {
        self.batch.as_mut().unwrap()
    }

    /// The total register at both midnights, moved by so much.
    pub(crate) fn registered(mut self, from: i64, to: i64) -> Self {
        self.registers =
            vec![Register { at: clock("00:00"), value: from }, Register { at: clock("24:00"), value: to }];
        self
    }

    pub(crate) fn set(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Every finding, from the gate to the day.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let zone = TimeZone::get(self.zone).unwrap();
        let local = |back: i64| LocalDay::new(self.date - back.days(), &zone).unwrap();
        let book =
            if self.book.is_empty() { RuleBook::default() } else { RuleBook::from_toml(&self.book).unwrap() };
        let (kind, interval) = (self.facts.kind, self.facts.interval);
        let who = Eligible { class: self.facts.class, model: self.model, kind };
        let rules = book.rules(self.date, &who);
        let made = |back: i64, values: &[i64], quality: &[Quality]| Day {
            day: local(back),
            interval,
            kind,
            slots: values.iter().zip(quality).map(|(value, quality)| Slot::new(*value, *quality)).collect(),
        };
        let mut stats = Stats::default();
        for (back, values, quality) in &self.history {
            stats.absorb(&made(*back, values, &vec![*quality; values.len()]));
        }
        let mut day = made(0, &self.values, &self.quality);
        let mut found = Vec::new();
        if let Some(batch) = &self.batch {
            let admitted = admit_with(batch, &self.evidence, &self.facts, rules, self.now);
            found.extend(admitted.findings);
            found.extend(merge(&mut day, &admitted.arrivals, rules).findings);
        }
        let beside: Vec<Sibling<'_>> = self
            .beside
            .iter()
            .map(|(kind, values, quality)| Sibling { kind: *kind, values, quality })
            .collect();
        let read = vec![Quality::RAW; self.values.len()];
        let check = self.check.as_ref().map(|(kind, values)| Sibling { kind: *kind, values, quality: &read });
        let input = DayInput {
            registers: &self.registers,
            rates: &self.rates,
            outages: &self.outages,
            off: &self.off,
            siblings: &beside,
            check,
            exchanges: &self.exchanges,
            temperatures: &self.temperatures,
            ..DayInput::new(&day, &self.facts)
        };
        found.extend(validate(&input, rules, &stats, self.now));
        found
    }

    pub(crate) fn rules(&self) -> BTreeSet<Rule> {
        self.findings().into_iter().map(|finding| finding.rule).collect()
    }

    /// The same scene under the default rules followed by a group.
    pub(crate) fn in_group(&self, group: &str) -> Self {
        let base = if self.book.is_empty() { include_str!("../../rules.toml") } else { &self.book };
        Self { book: format!("{base}\n{group}"), ..self.clone() }
    }

    pub(crate) fn of_class(&self, class: CustomerClass) -> Self {
        Self { facts: Facts { class, ..self.facts }, ..self.clone() }
    }
}
