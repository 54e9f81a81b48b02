//! One visit: an association with a meter in which jobs are done one after the other.

use crate::clock;
use crate::event::{Failure, NamedValue};
use crate::facts::{EventColumn, ModelFacts};
use crate::meter::{Job, Purpose, Step};
use dlms::apdu::{AttributeRef, DataAccessError, Selection, StateError};
use dlms::client::{Client, ClientConfig, Outcome, Request, RequestId};
use dlms::security::Envelope;
use dlms::{Data, Obis};
use jiff::{SignedDuration, Timestamp};
use model::unit::RegisterValue;

/// What the visit is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Aim {
    /// Doing the meter's work.
    Work,
    /// Asking, without keys, which counter the meter saw last, because it refused us without a reason.
    Diagnosis(Failure),
}

#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) client: Client,
    pub(crate) aim: Aim,
    pub(crate) current: Option<Job>,
    pub(crate) request: Option<RequestId>,
    pub(crate) client_sap: u16,
    pub(crate) asked_at: Timestamp,
    pub(crate) round_trip: SignedDuration,
    pub(crate) releasing: bool,
    /// Which values are asked for, and what came so far.
    pub(crate) list: Vec<AttributeRef>,
    pub(crate) answers: Vec<Result<Data, DataAccessError>>,
    /// Lists of attributes may be asked.
    pub(crate) lists: bool,
    /// What the meter sent last, if it would be refused as a replay when it came again.
    last: Vec<u8>,
}

const DATA: u16 = 1;
const PROFILE: u16 = 7;
const CLOCK: u16 = 8;
/// Attributes asked for in one request.
const LIST: usize = 8;
/// Where a meter tells the last counter that it accepted from the management client.
const INVOCATION_COUNTER: Obis = Obis::new(0, 0, 43, 1, 0, 255);

/// What an answer means for the job in hand.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    /// Ask on.
    More,
    /// The clock, as it was when it was read.
    Clock(Timestamp),
    /// The clock took the new time.
    ClockSet,
    /// Profile or log rows.
    Rows(Data),
    /// The values of `list`, in its order.
    Values,
    /// The counter that the meter saw last.
    Counter(u32),
}

impl Visit {
    pub(crate) fn new(config: ClientConfig, aim: Aim, lists: bool, now: Timestamp) -> Self {
        Self {
            client_sap: config.client_sap,
            client: Client::new(config),
            aim,
            current: None,
            request: None,
            asked_at: now,
            round_trip: SignedDuration::ZERO,
            releasing: false,
            list: Vec::new(),
            answers: Vec::new(),
            lists,
            last: Vec::new(),
        }
    }

    /// Whether the field network delivered the same message twice. That is no attack on us, and its second
    /// copy says nothing new.
    pub(crate) fn is_doubled(&mut self, apdu: &[u8]) -> bool {
        const AARE: u8 = 0x61;
        let tag = apdu.first().copied().unwrap_or(0);
        if tag != AARE && Envelope::of_tag(tag).is_none() {
            return false;
        }
        let doubled = self.last == apdu;
        self.last.clear();
        self.last.extend_from_slice(apdu);
        doubled
    }

    fn ask(&mut self, request: Request) -> Result<(), Failure> {
        self.request = Some(self.client.request(request)?);
        Ok(())
    }

    fn get(&mut self, class: u16, object: Obis, selection: Option<Selection>) -> Result<(), Failure> {
        self.ask(Request::Get(AttributeRef { class, object, attribute: 2 }, selection))
    }

    pub(crate) fn ask_counter(&mut self) -> Result<(), Failure> {
        self.get(DATA, INVOCATION_COUNTER, None)
    }

    /// Asks the first question of the job in hand.
    pub(crate) fn begin(&mut self, now: Timestamp, facts: &ModelFacts, seen: Seen) -> Result<(), Failure> {
        let Some(job) = &self.current else { return Ok(()) };
        match &job.step {
            Step::CheckClock | Step::Ping | Step::VerifyClock => self.get(CLOCK, facts.clock, None),
            Step::SetClock => {
                let value = Data::OctetString(clock::to_bytes(now + self.round_trip / 2, facts).to_vec());
                let clock = AttributeRef { class: CLOCK, object: facts.clock, attribute: 2 };
                self.ask(Request::Set(clock, None, value))
            }
            Step::Profile { from, to } => {
                let profile = facts.profile.as_ref().ok_or(Failure::NotInModel("a load profile"))?;
                let length = profile.interval.duration();
                let before = if profile.has_cumulative() { SignedDuration::ZERO } else { length };
                let end = (*to).min(from.saturating_add(seen.chunk).unwrap_or(*to));
                let range = by_range(*from + before, end, facts);
                self.get(PROFILE, profile.object, Some(range))
            }
            Step::Events => {
                let log = facts.events.as_ref().ok_or(Failure::NotInModel("an event log"))?;
                // Without a running number everything since the last event is read again and compared.
                let selection = by_range(seen.events_from, now + SignedDuration::from_hours(24), facts);
                debug_assert!(log.columns.contains(&EventColumn::Clock));
                self.get(PROFILE, log.object, Some(selection))
            }
            Step::Registers => {
                let value = |class, object| AttributeRef { class, object, attribute: 2 };
                self.list = facts.registers.iter().map(|facts| value(facts.class, facts.object)).collect();
                if matches!(job.purpose, Purpose::Command(_)) {
                    let moment = facts.instantaneous.iter();
                    self.list.extend(moment.map(|facts| value(facts.class, facts.object)));
                }
                self.answers.clear();
                self.ask_values()
            }
            Step::Identify => {
                let identity = facts.identity.ok_or(Failure::NotInModel("an identity"))?;
                let data = |object| AttributeRef { class: DATA, object, attribute: 2 };
                self.list =
                    vec![data(identity.serial), data(identity.current_ratio), data(identity.voltage_ratio)];
                let register = facts.registers.iter().find(|register| register.class != DATA);
                self.list.extend(register.map(|register| AttributeRef {
                    class: register.class,
                    object: register.object,
                    attribute: 3,
                }));
                self.answers.clear();
                self.ask_values()
            }
            Step::Collect => Err(Failure::NotInModel("a load profile")),
        }
    }

    fn ask_values(&mut self) -> Result<(), Failure> {
        let rest = &self.list[self.answers.len()..];
        let request = match rest {
            [] => return Err(Failure::NotInModel("registers")),
            [one] => Request::Get(*one, None),
            [one, ..] if !self.lists => Request::Get(*one, None),
            many => Request::GetList(many.iter().take(LIST).map(|one| (*one, None)).collect()),
        };
        self.ask(request)
    }

    /// Understands the answer to the last question; asks on where the job needs more.
    pub(crate) fn take(
        &mut self,
        now: Timestamp,
        facts: &ModelFacts,
        outcome: Outcome,
    ) -> Result<Answer, Failure> {
        self.request = None;
        self.round_trip = now.duration_since(self.asked_at);
        let what = self.name(facts);
        if let Outcome::Exception(exception) = &outcome {
            // It would be allowed, were the association still open.
            if exception.state == StateError::ServiceNotAllowed {
                return Err(Failure::AssociationLost);
            }
            if self.lists && self.list.len() > 1 {
                self.lists = false;
                self.ask_values()?;
                return Ok(Answer::More);
            }
            return Err(Failure::Exception { what, why: *exception });
        }
        let refused = |why| Failure::Access { what: what.clone(), why };
        if matches!(self.aim, Aim::Diagnosis(_)) {
            let Outcome::Get(value) = outcome else { return Err(Failure::Type(what)) };
            let counter = crate::profile::integer(&value.map_err(refused)?);
            let counter = counter.and_then(|counter| u32::try_from(counter).ok());
            return counter.map(Answer::Counter).ok_or(Failure::Type(what));
        }
        let step = self.current.as_ref().map(|job| &job.step);
        match (step, outcome) {
            (Some(Step::CheckClock | Step::Ping | Step::VerifyClock), Outcome::Get(value)) => {
                let time = clock::read(&value.map_err(refused)?, facts).ok_or(Failure::Type(what))?;
                Ok(Answer::Clock(time.at))
            }
            (Some(Step::SetClock), Outcome::Set(result)) => {
                result.map_err(refused)?;
                Ok(Answer::ClockSet)
            }
            (Some(Step::Profile { .. } | Step::Events), Outcome::Get(value)) => {
                value.map(Answer::Rows).map_err(refused)
            }
            (Some(Step::Registers | Step::Identify), Outcome::Get(value)) => self.collect(vec![value]),
            (Some(Step::Registers | Step::Identify), Outcome::GetList(values)) => self.collect(values),
            _ => Err(Failure::Type(what)),
        }
    }

    fn collect(&mut self, values: Vec<Result<Data, DataAccessError>>) -> Result<Answer, Failure> {
        self.answers.extend(values);
        if self.answers.len() < self.list.len() {
            self.ask_values()?;
            return Ok(Answer::More);
        }
        Ok(Answer::Values)
    }

    fn name(&self, facts: &ModelFacts) -> String {
        let step = self.current.as_ref().map(|job| &job.step);
        match step {
            _ if matches!(self.aim, Aim::Diagnosis(_)) => format!("invocation counter {INVOCATION_COUNTER}"),
            Some(Step::CheckClock | Step::Ping | Step::SetClock | Step::VerifyClock) => {
                format!("clock {}", facts.clock)
            }
            Some(Step::Profile { .. } | Step::Collect) => {
                facts.profile.as_ref().map_or_else(String::new, |p| format!("load profile {}", p.object))
            }
            Some(Step::Events) => {
                facts.events.as_ref().map_or_else(String::new, |log| format!("event log {}", log.object))
            }
            Some(Step::Registers) => "registers".to_owned(),
            Some(Step::Identify) => "its identity".to_owned(),
            None => "nothing".to_owned(),
        }
    }
}

/// Where reading stopped, and how much may be asked at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) events_from: Timestamp,
    pub(crate) chunk: SignedDuration,
}

/// Rows whose clock is in `[from, to]`, all columns.
///
/// Standard: IEC 62056-6-2, profile generic, range_descriptor.
fn by_range(from: Timestamp, to: Timestamp, facts: &ModelFacts) -> Selection {
    let time = |at| Data::OctetString(clock::to_bytes(at, facts).to_vec());
    let clock = Data::Structure(vec![
        Data::LongUnsigned(CLOCK),
        Data::OctetString(facts.clock.0.to_vec()),
        Data::Integer(2),
        Data::LongUnsigned(0),
    ]);
    Selection {
        selector: 1,
        parameters: Data::Structure(vec![clock, time(from), time(to), Data::Array(Vec::new())]),
    }
}

/// `value` as a person reads it.
pub(crate) fn named(name: &str, value: RegisterValue) -> NamedValue {
    let (raw, symbol) = (value.raw, value.unit.symbol());
    let number = if value.scaler >= 0 {
        let factor = 10i128.pow(u32::from(value.scaler.unsigned_abs()).min(20));
        (i128::from(raw) * factor).to_string()
    } else {
        let digits = usize::from(value.scaler.unsigned_abs()).min(18);
        let text = format!("{:0width$}", raw.unsigned_abs(), width = digits + 1);
        let (whole, part) = text.split_at(text.len() - digits);
        format!("{}{whole}.{part}", if raw < 0 { "-" } else { "" })
    };
    NamedValue { name: name.to_owned(), text: format!("{number} {symbol}").trim_end().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::unit::Unit;

    #[test]
    fn values_read_as_people_write_them() {
        let text = |raw, scaler, unit| named("x", RegisterValue { raw, scaler, unit }).text;
        assert_eq!(text(2301, -1, Unit::Volt), "230.1 V");
        assert_eq!(text(-5, -3, Unit::Ampere), "-0.005 A");
        assert_eq!(text(12, 3, Unit::WattHour), "12000 Wh");
        assert_eq!(text(7, 0, Unit::Count), "7");
    }
}
