//! A meter as the head-end remembers it: what is to be done there, and with which counters.

use crate::event::{Failure, LinkId};
use crate::setup::{RegisteredMeter, Route};
use crate::visit::Visit;
use dlms::client::Authentication;
use dlms::security::Protection;
use jiff::{SignedDuration, Timestamp};
use model::id::CommandId;
use model::reading::BatchSource;
use std::collections::VecDeque;

/// Why something is done; it decides what happens when it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Scheduled,
    Backfill,
    Command(CommandId),
}

impl Purpose {
    pub(crate) const fn source(self) -> BatchSource {
        match self {
            Self::Scheduled => BatchSource::Scheduled,
            Self::Backfill => BatchSource::Backfill,
            Self::Command(_) => BatchSource::OnDemand,
        }
    }
}

/// One thing to do in a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Read the clock and set it when it is off.
    CheckClock,
    /// Read the clock and say so.
    Ping,
    /// Set the clock, then read it back.
    SetClock,
    /// Read the clock back after it was set.
    VerifyClock,
    /// Read the profile from where we stopped; becomes a `Profile` when its turn comes.
    Collect,
    /// Read the profile of the intervals in `[from, to)`.
    Profile { from: Timestamp, to: Timestamp },
    /// Read the registers, and for a person also the values of the moment.
    Registers,
    /// Read the event log from where we stopped.
    Events,
    /// Ask who it is and how it counts.
    Identify,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) step: Step,
    pub(crate) purpose: Purpose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Idle,
    /// Waits until counters are reserved.
    NoCounters,
    /// Waits for its turn on the link.
    Waiting,
    Visited,
    /// Waits after a failure.
    Resting,
}

#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) setup: RegisteredMeter,
    pub(crate) state: State,
    pub(crate) work: VecDeque<Job>,
    pub(crate) visit: Option<Box<Visit>>,
    /// The next invocation counter of ours to use; below the ceiling all are reserved.
    pub(crate) next_counter: u32,
    pub(crate) reserving: bool,
    pub(crate) attempts: u8,
    /// Our counter was set right after the meter refused it, and no visit has succeeded since.
    pub(crate) resynchronised: bool,
    /// Until when the scheduled read in `work` counts.
    pub(crate) due_until: Option<Timestamp>,
    pub(crate) last_failure: Option<Failure>,
    pub(crate) clock_offset: Option<SignedDuration>,
    /// Until when a meter that saves its battery listens.
    pub(crate) awake_until: Option<Timestamp>,
    /// Time of the last event that was read.
    pub(crate) last_event_at: Option<Timestamp>,
    /// Lists of attributes are not understood.
    pub(crate) no_lists: bool,
    /// When it last told who it is.
    pub(crate) identified_at: Option<Timestamp>,
}

/// More than any visit uses.
pub(crate) const COUNTERS_PER_VISIT: u32 = 1024;

impl Meter {
    pub(crate) fn new(setup: RegisteredMeter) -> Self {
        Self {
            // Meters start with 0 as the last counter accepted, so 0 is never taken.
            next_counter: setup.counter_ceiling.max(1),
            setup,
            state: State::Idle,
            work: VecDeque::new(),
            visit: None,
            reserving: false,
            attempts: 0,
            resynchronised: false,
            due_until: None,
            last_failure: None,
            clock_offset: None,
            awake_until: None,
            last_event_at: None,
            no_lists: false,
            identified_at: None,
        }
    }

    pub(crate) const fn link(&self) -> LinkId {
        match &self.setup.route {
            Route::Direct { .. } => LinkId::Meter(self.setup.id),
            Route::Behind { collector, .. } => LinkId::Collector(*collector),
        }
    }

    /// Whether a visit could run out of reserved counters.
    pub(crate) fn lacks_counters(&self) -> bool {
        let client = &self.setup.client;
        let counts = client.protection != Protection::None
            || matches!(client.authentication, Authentication::Hls5Gmac);
        counts && self.setup.counter_ceiling.saturating_sub(self.next_counter) < COUNTERS_PER_VISIT
    }

    /// Whether it would not hear us.
    pub(crate) fn sleeps(&self, now: Timestamp) -> bool {
        self.setup.facts.listens.is_some() && self.awake_until.is_none_or(|until| until <= now)
    }

    /// Jobs not done, the one in hand first.
    pub(crate) fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.visit.iter().filter_map(|visit| visit.current.as_ref()).chain(&self.work)
    }

    pub(crate) fn has(&self, purpose: Purpose) -> bool {
        self.jobs().any(|job| job.purpose == purpose)
    }

    pub(crate) fn is_urgent(&self) -> bool {
        self.jobs().any(|job| matches!(job.purpose, Purpose::Command(_)))
    }

    /// Puts a person's order before everything else, but behind earlier orders.
    pub(crate) fn order(&mut self, job: Job) {
        let is_order = |job: &Job| matches!(job.purpose, Purpose::Command(_));
        let at = self.work.iter().position(|job| !is_order(job)).unwrap_or(self.work.len());
        self.work.insert(at, job);
    }

    pub(crate) fn drop_work(&mut self, purpose: Purpose) {
        self.work.retain(|job| job.purpose != purpose);
    }
}
