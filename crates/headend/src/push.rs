//! What meters send unasked: verified, understood, or refused under its own name.

use crate::engine::HeadEnd;
use crate::event::{CounterKind, Failure, HeadEndEvent, Health, Source};
use crate::facts::{Column, EventLogFacts, ModelFacts, ProfileFacts};
use crate::profile::{self, Origin, integer};
use dlms::Data;
use dlms::apdu::{Apdu, DataNotification};
use dlms::security::{self, Expect, Protection, SecurityError};
use jiff::Timestamp;
use model::id::MeterId;
use model::reading::BatchSource;
use std::sync::Arc;

const GENERAL_GLO: u8 = 0xDB;

impl HeadEnd {
    /// Takes a push; `behind` is the meter that the gateway header names, if there was one.
    pub(crate) fn push(&mut self, now: Timestamp, from: Source, behind: Option<MeterId>, apdu: &[u8]) {
        let sender = match sender_title(apdu) {
            Some(title) => self.titles.get(&title).copied(),
            None => behind,
        };
        let Some(id) = sender else {
            self.metrics.pushes_unknown += 1;
            self.events.push_back(HeadEndEvent::Refused { from, why: Failure::UnknownSender });
            return;
        };
        match self.open_push(id, apdu) {
            Ok((plain, counter)) => {
                if let Some(counter) = counter {
                    let kind = CounterKind::Push;
                    self.events.push_back(HeadEndEvent::PeerCounter { meter: id, kind, counter });
                }
                self.take_push(now, id, &plain);
            }
            Err(why) => {
                match &why {
                    Failure::ReplayedPush { .. } => self.metrics.pushes_replayed += 1,
                    Failure::Unprotected => self.metrics.pushes_unprotected += 1,
                    Failure::Malformed(_) => self.metrics.pushes_malformed += 1,
                    _ => self.metrics.pushes_forged += 1,
                }
                self.events.push_back(HeadEndEvent::Refused { from: Source::Meter(id), why });
            }
        }
    }

    /// Verifies and opens a push, and counts its counter as used.
    fn open_push(&mut self, id: MeterId, apdu: &[u8]) -> Result<(Vec<u8>, Option<u32>), Failure> {
        let meter = self.meters.get_mut(&id).ok_or(Failure::UnknownSender)?;
        let setup = &mut meter.setup;
        if security::Envelope::of_tag(apdu.first().copied().unwrap_or(0)).is_none() {
            if setup.push_protection == Protection::None {
                return Ok((apdu.to_vec(), None));
            }
            return Err(Failure::Unprotected);
        }
        let keys =
            setup.client.keys.as_ref().ok_or(Failure::Malformed("it is protected and we hold no keys"))?;
        let expect = Expect {
            keys,
            peer: setup.client.peer_title,
            least: setup.push_protection,
            last_counter: setup.push_counter,
        };
        let plain = security::unprotect(apdu, &expect).map_err(|why| match why {
            SecurityError::ReplayedCounter { last, got } => Failure::ReplayedPush { last, got },
            SecurityError::Downgraded { .. } => Failure::Unprotected,
            SecurityError::Truncated(_) | SecurityError::Malformed(_) => {
                Failure::Malformed("its security header is broken")
            }
            other => Failure::Push(other),
        })?;
        setup.push_counter = Some(plain.counter);
        Ok((plain.apdu, Some(plain.counter)))
    }

    fn take_push(&mut self, now: Timestamp, id: MeterId, plain: &[u8]) {
        let why = match Apdu::decode(plain) {
            Ok(Apdu::DataNotification(notification)) => return self.notified(now, id, &notification),
            Ok(_) => Failure::Malformed("it holds no data-notification"),
            Err(_) => Failure::Malformed("it holds no APDU"),
        };
        self.metrics.pushes_malformed += 1;
        self.events.push_back(HeadEndEvent::Refused { from: Source::Meter(id), why });
    }

    /// A data-notification of a meter that has proved who it is.
    pub(crate) fn notified(&mut self, now: Timestamp, id: MeterId, notification: &DataNotification) {
        let Some(meter) = self.meters.get_mut(&id) else { return };
        let facts = Arc::clone(&meter.setup.facts);
        let origin = Origin { meter: id, facts: &facts, source: BatchSource::Push, received_at: now };
        let why = match understand(&notification.body, origin) {
            Ok(told) => {
                self.metrics.pushes += 1;
                self.take_told(id, told, &facts);
                let health = Health { meter: id, last_heard: now, round_trip: None, clock_offset: None };
                self.events.push_back(HeadEndEvent::Health(health));
                return self.awake(now, id);
            }
            Err(why) => why,
        };
        self.metrics.pushes_malformed += 1;
        self.events.push_back(HeadEndEvent::Refused { from: Source::Meter(id), why });
    }

    fn take_told(&mut self, id: MeterId, told: Told, facts: &ModelFacts) {
        let Some(meter) = self.meters.get_mut(&id) else { return };
        match told {
            Told::Profile(read) => {
                let length = facts.profile.as_ref().map(|profile| profile.interval.duration());
                // Only what joins what we have moves the mark; a hole before it is still to be read.
                let start = read.first_end.zip(length).map(|(end, length)| end - length);
                if let (Some(start), Some(collected)) = (start, meter.setup.collected_to)
                    && start <= collected
                {
                    meter.setup.collected_to = Some(collected).max(read.last_end);
                }
                self.metrics.intervals += read.intervals;
                self.events.extend(read.batches.into_iter().map(HeadEndEvent::Batch));
            }
            // The mark of the log does not move: events before this one may not have been read.
            Told::Events(events) => self.events.extend(events.into_iter().map(HeadEndEvent::Event)),
        }
    }
}

/// The system title in a general envelope, believed only after its tag is verified.
fn sender_title(apdu: &[u8]) -> Option<[u8; 8]> {
    match apdu {
        [GENERAL_GLO, 8, rest @ ..] => rest.first_chunk::<8>().copied(),
        _ => None,
    }
}

/// What a push tells.
enum Told {
    Profile(profile::Read),
    Events(Vec<model::event::MeterEvent>),
}

/// Understands the body of a push by its shape: rows of the load profile, or rows of the event log,
/// alone or behind the identification of push object and device.
fn understand(body: &Data, origin: Origin<'_>) -> Result<Told, Failure> {
    let candidates: &[Data] = match body {
        Data::Structure(parts) => parts,
        other => core::slice::from_ref(other),
    };
    let facts = origin.facts;
    for part in candidates {
        let Data::Array(rows) = part else { continue };
        let first = rows.first();
        if let Some(profile) = facts.profile.as_ref().filter(|profile| fits_profile(first, profile)) {
            return Ok(Told::Profile(profile::read(part, profile, origin)?));
        }
        if let Some(log) = facts.events.as_ref().filter(|log| fits_log(first, log)) {
            return Ok(Told::Events(profile::read_events(part, log, origin, None)?));
        }
    }
    // A single event stands in the body itself, behind the identification.
    if let Some(log) = &facts.events
        && let Some(from) = candidates.len().checked_sub(log.columns.len())
    {
        let row = Data::Structure(candidates[from..].to_vec());
        if fits_log(Some(&row), log) {
            return Ok(Told::Events(profile::read_events(&Data::Array(vec![row]), log, origin, None)?));
        }
    }
    Err(Failure::Malformed("it is neither rows of the load profile nor of the event log"))
}

fn cells(row: Option<&Data>, count: usize) -> Option<&[Data]> {
    match row {
        Some(Data::Structure(cells)) if cells.len() == count => Some(cells),
        _ => None,
    }
}

fn fits_profile(row: Option<&Data>, profile: &ProfileFacts) -> bool {
    cells(row, profile.columns.len()).is_some_and(|cells| {
        cells.iter().zip(&profile.columns).all(|(cell, column)| match column {
            Column::Clock => matches!(cell, Data::OctetString(_) | Data::DateTime(_)),
            Column::Status | Column::Channel { .. } => integer(cell).is_some() || *cell == Data::Null,
            Column::Ignored => true,
        })
    })
}

fn fits_log(row: Option<&Data>, log: &EventLogFacts) -> bool {
    cells(row, log.columns.len()).is_some_and(|cells| {
        cells.iter().zip(&log.columns).all(|(cell, column)| match column {
            crate::facts::EventColumn::Clock => matches!(cell, Data::OctetString(_) | Data::DateTime(_)),
            crate::facts::EventColumn::Code | crate::facts::EventColumn::Sequence => integer(cell).is_some(),
            crate::facts::EventColumn::Ignored => true,
        })
    })
}
