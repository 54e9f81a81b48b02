//! What answers amount to: clocks, readings, registers, events, and words for whoever ordered them.

use crate::clock;
use crate::engine::HeadEnd;
use crate::event::{Failure, HeadEndEvent, NamedValue};
use crate::facts::ModelFacts;
use crate::meter::{Job, Purpose, Step};
use crate::profile::{self, Origin, integer};
use crate::visit::{Answer, named};
use dlms::Data;
use dlms::apdu::DataAccessError;
use jiff::{SignedDuration, Timestamp};
use model::id::{MeterId, Serial};
use model::reading::{MeterCheck, RegisterRead};

use model::unit::RegisterValue;
use std::sync::Arc;

/// A job done, in words for whoever ordered it.
pub(crate) struct Done {
    pub(crate) detail: String,
    pub(crate) values: Vec<NamedValue>,
    /// Something else has to be done first, in the same visit and for the same purpose.
    pub(crate) then: Option<Step>,
}

impl Done {
    pub(crate) fn plain(detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), values: Vec::new(), then: None }
    }
}

impl HeadEnd {
    /// What an answer amounts to; `None` when the job goes on with another question.
    pub(crate) fn understand(
        &mut self,
        now: Timestamp,
        id: MeterId,
        facts: &Arc<ModelFacts>,
        answer: Answer,
    ) -> Result<Option<Done>, Failure> {
        let Some(meter) = self.meters.get_mut(&id) else { return Ok(None) };
        let Some(visit) = meter.visit.as_mut() else { return Ok(None) };
        let Some(job) = visit.current.clone() else { return Ok(None) };
        let origin = Origin { meter: id, facts, source: job.purpose.source(), received_at: now };
        match answer {
            Answer::Clock(time) => self.clock_read(now, id, &job, time).map(Some),
            Answer::ClockSet => {
                self.metrics.clocks_set += 1;
                Ok(Some(Done { then: Some(Step::VerifyClock), ..Done::plain("clock set") }))
            }
            Answer::Rows(rows) if job.step == Step::Events => {
                let Some(log) = &facts.events else { return Ok(None) };
                let events = profile::read_events(&rows, log, origin, meter.setup.event_seq)?;
                if let Some(last) = events.last() {
                    meter.setup.event_seq = Some(last.seq);
                    meter.last_event_at = Some(last.at);
                }
                let detail = format!("{} new events", events.len());
                self.events.extend(events.into_iter().map(HeadEndEvent::Event));
                Ok(Some(Done::plain(detail)))
            }
            Answer::Rows(rows) => self.rows_read(&job, &rows, origin),
            Answer::Values => {
                let answers = core::mem::take(&mut visit.answers);
                if job.step == Step::Identify {
                    meter.identified_at = Some(now);
                    let check = identity(answers, origin);
                    self.events.push_back(HeadEndEvent::Check(check));
                    return Ok(Some(Done::plain("identified")));
                }
                self.values_read(&job, answers, origin).map(Some)
            }
            Answer::More | Answer::Counter(_) => Ok(None),
        }
    }

    fn clock_read(
        &mut self,
        now: Timestamp,
        id: MeterId,
        job: &Job,
        time: Timestamp,
    ) -> Result<Done, Failure> {
        let tolerance = self.config.clock_tolerance;
        let Some(meter) = self.meters.get_mut(&id) else { return Ok(Done::plain("")) };
        let round_trip = meter.visit.as_ref().map_or(SignedDuration::ZERO, |visit| visit.round_trip);
        let offset = clock::offset(time, now, round_trip);
        meter.clock_offset = Some(offset);
        let offset_ms = i64::try_from(offset.as_millis()).ok();
        self.events.push_back(HeadEndEvent::Check(MeterCheck {
            clock_offset_ms: offset_ms,
            ..MeterCheck::new(id, now)
        }));
        let off = offset.abs() > tolerance;
        let seconds = i64::try_from((offset.as_millis() + 500).div_euclid(1000)).unwrap_or(i64::MAX);
        let trip = round_trip.as_millis();
        match job.step {
            Step::CheckClock if off => {
                Ok(Done { then: Some(Step::SetClock), ..Done::plain(format!("clock off by {seconds} s")) })
            }
            Step::VerifyClock if off => Err(Failure::ClockNotTaken(seconds)),
            _ => Ok(Done {
                values: vec![
                    NamedValue { name: "Clock".into(), text: format!("{time:.0}") },
                    NamedValue { name: "Clock offset".into(), text: format!("{seconds} s") },
                    NamedValue { name: "Round trip".into(), text: format!("{trip} ms") },
                ],
                ..Done::plain(format!("answered in {trip} ms, clock off by {seconds} s"))
            }),
        }
    }

    fn rows_read(&mut self, job: &Job, rows: &Data, origin: Origin<'_>) -> Result<Option<Done>, Failure> {
        let (Some(profile), Step::Profile { from, to }) = (&origin.facts.profile, &job.step) else {
            return Ok(None);
        };
        let read = profile::read(rows, profile, origin)?;
        self.metrics.intervals += read.intervals;
        let end = from.saturating_add(self.config.profile_chunk).map_or(*to, |end| end.min(*to));
        let Some(meter) = self.meters.get_mut(&origin.meter) else { return Ok(None) };
        if let Some(last) = read.last_end.filter(|_| job.purpose == Purpose::Scheduled) {
            meter.setup.collected_to = meter.setup.collected_to.max(Some(last));
        }
        let rest = Step::Profile { from: end, to: *to };
        if end < *to
            && let Some(current) = meter.visit.as_mut().and_then(|visit| visit.current.as_mut())
        {
            current.step = rest;
        }
        self.events.extend(read.batches.into_iter().map(HeadEndEvent::Batch));
        let total = match job.purpose {
            Purpose::Command(command) => self.command_read(command, read.intervals),
            Purpose::Scheduled | Purpose::Backfill => read.intervals,
        };
        Ok((end >= *to).then(|| Done::plain(format!("{total} values of the load profile read"))))
    }

    fn values_read(
        &mut self,
        job: &Job,
        answers: Vec<Result<Data, DataAccessError>>,
        origin: Origin<'_>,
    ) -> Result<Done, Failure> {
        let facts = origin.facts;
        let mut answers = answers.into_iter();
        let mut reads = Vec::new();
        let mut values = Vec::new();
        for register in &facts.registers {
            let Some(Ok(value)) = answers.next() else { continue };
            let raw = integer(&value).ok_or_else(|| Failure::Type(register.object.to_string()))?;
            let value = RegisterValue { raw, scaler: register.scaler, unit: register.unit };
            let rate = if register.tou == 0 { "total".to_owned() } else { format!("rate {}", register.tou) };
            values.push(named(&format!("{} {rate}", register.kind.name()), value));
            let (kind, tou, at) = (register.kind, register.tou, origin.received_at);
            let (meter, received_at, source) = (origin.meter, origin.received_at, origin.source);
            reads.push(RegisterRead { meter, kind, tou, at, value, received_at, source });
        }
        for (value, facts) in answers.zip(&facts.instantaneous) {
            let Some(raw) = value.ok().as_ref().and_then(integer) else { continue };
            values.push(named(&facts.name, RegisterValue { raw, scaler: facts.scaler, unit: facts.unit }));
        }
        if reads.is_empty() && !facts.registers.is_empty() {
            return Err(Failure::NotInModel("registers"));
        }
        let detail = format!("{} registers read", reads.len());
        self.events.push_back(HeadEndEvent::Registers(reads));
        let values = if matches!(job.purpose, Purpose::Command(_)) { values } else { Vec::new() };
        Ok(Done { values, ..Done::plain(detail) })
    }
}

/// What a meter told of itself; what it has not, or what makes no sense, is not known.
fn identity(answers: Vec<Result<Data, DataAccessError>>, origin: Origin<'_>) -> MeterCheck {
    let mut answers = answers.into_iter().map(Result::ok);
    let mut next = || answers.next().flatten();
    let serial = next().and_then(|value| match value {
        Data::OctetString(bytes) | Data::VisibleString(bytes) => text(&bytes),
        _ => None,
    });
    let mut ratio = || next().as_ref().and_then(integer).and_then(|ratio| u32::try_from(ratio).ok());
    let ratios = (ratio(), ratio());
    let multiplier = match ratios {
        (None, None) => None,
        (current, voltage) => current.unwrap_or(1).checked_mul(voltage.unwrap_or(1)),
    };
    let known = origin.facts.registers.iter().find(|register| register.class != 1);
    let scaler = next().and_then(|value| match value {
        Data::Structure(parts) => {
            parts.first().and_then(integer).and_then(|scaler| i8::try_from(scaler).ok())
        }
        _ => None,
    });
    let scaler_off = scaler.zip(known).and_then(|(told, known)| told.checked_sub(known.scaler));
    MeterCheck {
        serial: serial.map(Serial::new),
        multiplier: multiplier.filter(|multiplier| *multiplier > 0),
        scaler_off,
        ..MeterCheck::new(origin.meter, origin.received_at)
    }
}

/// A name in printable characters, without what it was filled up with.
fn text(bytes: &[u8]) -> Option<String> {
    let text = core::str::from_utf8(bytes).ok()?.trim_matches(['\0', ' ']);
    (!text.is_empty() && text.chars().all(|c| c.is_ascii_graphic())).then(|| text.to_owned())
}
