//! The head-end itself: links, meters, and the questions a driver asks it.

use crate::command::Orders;
use crate::event::{Failure, HeadEndEvent, LinkAction, LinkId, PushConn, Source};
use crate::link::{Link, LinkState};
use crate::meter::{Meter, State};
use crate::metrics::Metrics;
use crate::plan::Plans;
use crate::setup::{HeadEndConfig, RegisteredMeter, Route};
use crate::timers::Timers;
use dlms::gateway;
use dlms::wrapper::{Wpdu, WrapperDecoder, WrapperError};
use jiff::{SignedDuration, Timestamp};
use model::id::{CollectorId, CommandId, MeterId};
use rand_chacha::ChaCha12Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Reads meters, takes their pushes and brings them commands; without IO.
///
/// The driver opens and closes connections as [`HeadEnd::poll_action`] says, passes bytes in with
/// `handle_bytes` and `handle_push_bytes` and out with [`HeadEnd::poll_transmit`], calls
/// [`HeadEnd::handle_timeout`] when [`HeadEnd::poll_timeout`] says, and stores what
/// [`HeadEnd::poll_event`] tells. `now` never runs backwards.
pub struct HeadEnd {
    pub(crate) config: HeadEndConfig,
    pub(crate) rng: ChaCha12Rng,
    pub(crate) meters: BTreeMap<MeterId, Meter>,
    pub(crate) titles: BTreeMap<[u8; 8], MeterId>,
    pub(crate) nodes: BTreeMap<CollectorId, BTreeMap<Vec<u8>, MeterId>>,
    pub(crate) groups: BTreeMap<String, BTreeSet<MeterId>>,
    pub(crate) links: BTreeMap<LinkId, Link>,
    /// Direct connections that are open or opening, and those that wait for room.
    direct_open: usize,
    direct_waiting: VecDeque<LinkId>,
    pub(crate) plans: Plans,
    pub(crate) orders: Orders,
    pub(crate) timers: Timers<Timer>,
    pub(crate) events: VecDeque<HeadEndEvent>,
    actions: VecDeque<LinkAction>,
    out: VecDeque<(LinkId, Vec<u8>)>,
    pushes: BTreeMap<PushConn, WrapperDecoder>,
    pub(crate) metrics: Metrics,
}

impl core::fmt::Debug for HeadEnd {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("HeadEnd")
            .field("meters", &self.meters.len())
            .field("links", &self.links.len())
            .field("metrics", &self.metrics)
            .finish_non_exhaustive()
    }
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A meter's answer is overdue.
    Answer(MeterId),
    /// A meter's pause after a failure is over.
    Rest(MeterId),
    /// A scheduled read does not count any more.
    Missed(MeterId),
    /// A connection takes too long to open, or its pause after a failure is over.
    Link(LinkId),
    /// A plan is due.
    Plan(u32),
    /// A command is void.
    Command(CommandId),
}

/// Most wrapper payload a push may have; meters send a few kilobytes.
const LONGEST_PUSH: usize = 32_768;

impl HeadEnd {
    /// A head-end without meters whose chance follows from a number: for simulations and tests.
    pub fn new(config: HeadEndConfig, seed: u64) -> Self {
        let mut whole = [0; 32];
        ChaCha12Rng::seed_from_u64(seed).fill_bytes(&mut whole);
        Self::with_entropy(config, whole)
    }

    /// A head-end without meters. `seed` drives challenges and pauses: outside a simulation it comes from the
    /// system's randomness, for a challenge that can be foretold proves nothing.
    pub fn with_entropy(config: HeadEndConfig, seed: [u8; 32]) -> Self {
        Self {
            config,
            rng: ChaCha12Rng::from_seed(seed),
            meters: BTreeMap::new(),
            titles: BTreeMap::new(),
            nodes: BTreeMap::new(),
            groups: BTreeMap::new(),
            links: BTreeMap::new(),
            direct_open: 0,
            direct_waiting: VecDeque::new(),
            plans: Plans::default(),
            orders: Orders::default(),
            timers: Timers::new(),
            events: VecDeque::new(),
            actions: VecDeque::new(),
            out: VecDeque::new(),
            pushes: BTreeMap::new(),
            metrics: Metrics::default(),
        }
    }

    /// Makes a collector known, or changes what is known of it; at most `max_concurrent` of its meters are
    /// visited at a time. A new endpoint counts when the connection is next opened.
    pub fn add_collector(&mut self, id: CollectorId, endpoint: impl Into<String>, max_concurrent: usize) {
        let endpoint = endpoint.into();
        let link = self.links.entry(LinkId::Collector(id));
        let link = link.or_insert_with(|| Link::new(String::new(), max_concurrent));
        link.limit = max_concurrent.max(1);
        link.endpoint = endpoint;
    }

    /// Makes a meter known. One that is known already keeps what it was about to do and gets the new
    /// settings at its next visit; its counters never go back.
    pub fn add_meter(&mut self, setup: RegisteredMeter) {
        let id = setup.id;
        self.forget_names(id);
        if let Some(title) = setup.client.peer_title {
            self.titles.insert(title.0, id);
        }
        self.groups.entry(setup.group.clone()).or_default().insert(id);
        match &setup.route {
            Route::Behind { collector, address } => {
                self.nodes.entry(*collector).or_default().insert(address.clone(), id);
            }
            Route::Direct { endpoint } => {
                let link = self.links.entry(LinkId::Meter(id));
                let link = link.or_insert_with(|| Link::new(String::new(), 1));
                link.endpoint.clone_from(endpoint);
            }
        }
        match self.meters.get_mut(&id) {
            Some(meter) => {
                meter.next_counter = meter.next_counter.max(setup.counter_ceiling);
                meter.setup = setup;
            }
            None => {
                self.meters.insert(id, Meter::new(setup));
            }
        }
    }

    /// Forgets a meter; what was to be done there is dropped.
    pub fn remove_meter(&mut self, now: Timestamp, id: MeterId) {
        self.forget_names(id);
        let Some(meter) = self.meters.remove(&id) else { return };
        let link = meter.link();
        for timer in [Timer::Answer(id), Timer::Rest(id), Timer::Missed(id)] {
            self.timers.clear(timer);
        }
        if let Some(link) = self.links.get_mut(&link) {
            link.active.remove(&id);
        }
        if link == LinkId::Meter(id) {
            self.close(now, link);
            self.links.remove(&link);
        } else {
            self.admit(now, link);
        }
    }

    fn forget_names(&mut self, id: MeterId) {
        let Some(meter) = self.meters.get(&id) else { return };
        if let Some(title) = meter.setup.client.peer_title {
            self.titles.remove(&title.0);
        }
        if let Some(group) = self.groups.get_mut(&meter.setup.group) {
            group.remove(&id);
        }
        if let Route::Behind { collector, address } = &meter.setup.route
            && let Some(nodes) = self.nodes.get_mut(collector)
        {
            nodes.remove(address);
        }
    }

    /// What has been counted.
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How many meters are known.
    pub fn meter_count(&self) -> usize {
        self.meters.len()
    }

    /// How many meters wait, rest after a failure, or are being visited.
    pub fn busy_meters(&self) -> usize {
        self.meters.values().filter(|meter| meter.state != State::Idle).count()
    }

    /// How many meters of a collector are being visited.
    pub fn visits_at(&self, collector: CollectorId) -> usize {
        self.links.get(&LinkId::Collector(collector)).map_or(0, |link| link.active.len())
    }

    /// The counters that the driver was asked to persist are persisted.
    pub fn counter_reserved(&mut self, now: Timestamp, meter: MeterId, ceiling: u32) {
        let Some(known) = self.meters.get_mut(&meter) else { return };
        known.reserving = false;
        known.setup.counter_ceiling = known.setup.counter_ceiling.max(ceiling);
        if known.state == State::NoCounters {
            known.state = State::Idle;
            self.enqueue(now, meter);
        }
    }

    /// A connection that was asked for is open.
    pub fn handle_connected(&mut self, now: Timestamp, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.state != LinkState::Opening {
            return;
        }
        link.state = LinkState::Open;
        link.failures = 0;
        link.decoder = WrapperDecoder::default();
        self.timers.clear(Timer::Link(id));
        self.events.push_back(HeadEndEvent::Link { link: id, up: true });
        self.admit(now, id);
    }

    /// A connection did not open, or closed without having been told to.
    pub fn handle_closed(&mut self, now: Timestamp, id: LinkId) {
        self.lose(now, id, &Failure::LinkLost);
    }

    /// Bytes from a connection of ours.
    pub fn handle_bytes(&mut self, now: Timestamp, id: LinkId, bytes: &[u8]) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.state != LinkState::Open {
            return;
        }
        self.metrics.bytes_in += as_u64(bytes.len());
        link.decoder.push(bytes);
        while let Some(found) = self.links.get_mut(&id).and_then(|link| link.decoder.next()) {
            match found {
                Ok(message) => self.handle_message(now, id, &message),
                Err(error) => {
                    self.refuse_framing(Source::Link(id), error);
                    self.actions.push_back(LinkAction::Close { link: id });
                    self.lose(now, id, &Failure::LinkLost);
                    return;
                }
            }
        }
    }

    fn refuse_framing(&mut self, from: Source, error: WrapperError) {
        self.metrics.framing_errors += 1;
        self.events.push_back(HeadEndEvent::Refused { from, why: error.into() });
    }

    fn handle_message(&mut self, now: Timestamp, id: LinkId, message: &Wpdu) {
        let LinkId::Collector(collector) = id else {
            let LinkId::Meter(meter) = id else { return };
            return self.handle_apdu(now, meter, message.destination, &message.payload);
        };
        match gateway::parse(&message.payload) {
            Ok(Some(frame)) => {
                let meter = self.nodes.get(&collector).and_then(|nodes| nodes.get(frame.address)).copied();
                if frame.kind == gateway::GatewayKind::Request {
                    self.push(now, Source::Link(id), meter, frame.apdu);
                } else if let Some(meter) = meter {
                    self.handle_apdu(now, meter, message.destination, frame.apdu);
                } else {
                    self.metrics.strays += 1;
                }
            }
            Ok(None) => self.metrics.strays += 1,
            Err(error) => {
                self.metrics.framing_errors += 1;
                self.events.push_back(HeadEndEvent::Refused { from: Source::Link(id), why: error.into() });
            }
        }
    }

    /// Bytes from a connection that somebody opened to our push listener.
    pub fn handle_push_bytes(&mut self, now: Timestamp, conn: PushConn, bytes: &[u8]) {
        self.metrics.bytes_in += as_u64(bytes.len());
        let decoder = self.pushes.entry(conn).or_insert_with(|| WrapperDecoder::new(LONGEST_PUSH));
        decoder.push(bytes);
        while let Some(found) = self.pushes.get_mut(&conn).and_then(Iterator::next) {
            let from = Source::Push(conn);
            match found {
                Ok(message) => match gateway::parse(&message.payload) {
                    Ok(Some(frame)) => self.push(now, from, None, frame.apdu),
                    Ok(None) => self.push(now, from, None, &message.payload),
                    Err(error) => {
                        self.metrics.pushes_malformed += 1;
                        self.events.push_back(HeadEndEvent::Refused { from, why: error.into() });
                    }
                },
                Err(error) => {
                    self.refuse_framing(from, error);
                    self.pushes.remove(&conn);
                    self.actions.push_back(LinkAction::ClosePush { conn });
                }
            }
        }
    }

    /// A connection of the push listener is closed.
    pub fn handle_push_closed(&mut self, conn: PushConn) {
        self.pushes.remove(&conn);
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Answer(meter) => {
                    let patience = self.config.response_timeout.as_secs();
                    self.fail_visit(now, meter, Failure::NoAnswer(patience));
                }
                Timer::Rest(meter) => {
                    if let Some(known) = self.meters.get_mut(&meter)
                        && known.state == State::Resting
                    {
                        known.state = State::Idle;
                        self.enqueue(now, meter);
                    }
                }
                Timer::Missed(meter) => self.miss(meter),
                Timer::Link(link) => self.handle_link_timer(now, link),
                Timer::Plan(plan) => self.plan_due(now, plan),
                Timer::Command(command) => self.command_void(command),
            }
        }
    }

    fn handle_link_timer(&mut self, now: Timestamp, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.state == LinkState::Opening {
            self.actions.push_back(LinkAction::Close { link: id });
            self.lose(now, id, &Failure::NoConnection);
        } else {
            link.resting = false;
            self.admit(now, id);
        }
    }

    /// The next bytes to send, and on which connection.
    pub fn poll_transmit(&mut self) -> Option<(LinkId, Vec<u8>)> {
        let (link, bytes) = self.out.pop_front()?;
        self.metrics.bytes_out += as_u64(bytes.len());
        Some((link, bytes))
    }

    /// The next thing to do about connections; take it after the bytes of [`HeadEnd::poll_transmit`].
    pub fn poll_action(&mut self) -> Option<LinkAction> {
        self.actions.pop_front()
    }

    /// The next thing to store, show or act on.
    pub fn poll_event(&mut self) -> Option<HeadEndEvent> {
        self.events.pop_front()
    }

    /// When [`HeadEnd::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.timers.next()
    }

    pub(crate) fn transmit(&mut self, link: LinkId, bytes: Vec<u8>) {
        self.out.push_back((link, bytes));
    }

    /// Lets waiting meters in, opening the connection where it is closed.
    pub(crate) fn admit(&mut self, now: Timestamp, id: LinkId) {
        loop {
            let Some(link) = self.links.get_mut(&id) else { return };
            if link.state == LinkState::Closed {
                if link.somebody_waits() && !link.resting {
                    self.open(now, id);
                }
                return;
            }
            let Some(meter) = link.admit() else { break };
            let Some(known) = self.meters.get_mut(&meter).filter(|known| known.state == State::Waiting)
            else {
                continue;
            };
            if known.work.is_empty() {
                // What it waited for has expired.
                known.state = State::Idle;
                continue;
            }
            link.active.insert(meter);
            self.begin_visit(now, meter);
        }
        let unused = |link: &Link| link.state == LinkState::Open && link.active.is_empty();
        if matches!(id, LinkId::Meter(_)) && self.links.get(&id).is_some_and(unused) {
            self.close(now, id);
        }
    }

    fn open(&mut self, now: Timestamp, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if matches!(id, LinkId::Meter(_)) {
            if self.direct_open >= self.config.max_direct {
                self.direct_waiting.push_back(id);
                return;
            }
            self.direct_open += 1;
        }
        link.state = LinkState::Opening;
        self.actions.push_back(LinkAction::Open { link: id, endpoint: link.endpoint.clone() });
        self.timers.set(Timer::Link(id), now + self.config.connect_timeout);
    }

    /// Closes a connection that nobody uses.
    fn close(&mut self, now: Timestamp, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.state == LinkState::Closed {
            return;
        }
        link.state = LinkState::Closed;
        self.timers.clear(Timer::Link(id));
        self.actions.push_back(LinkAction::Close { link: id });
        self.events.push_back(HeadEndEvent::Link { link: id, up: false });
        self.direct_closed(now, id);
    }

    fn direct_closed(&mut self, now: Timestamp, id: LinkId) {
        if !matches!(id, LinkId::Meter(_)) {
            return;
        }
        self.direct_open = self.direct_open.saturating_sub(1);
        while self.direct_open < self.config.max_direct {
            let Some(next) = self.direct_waiting.pop_front() else { return };
            if self.links.get(&next).is_some_and(|link| link.state == LinkState::Closed) {
                self.open(now, next);
            }
        }
    }

    /// The connection is gone: visits on it fail, and it rests before it is opened again.
    fn lose(&mut self, now: Timestamp, id: LinkId, why: &Failure) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.state == LinkState::Closed {
            return;
        }
        let was_open = link.state == LinkState::Open;
        link.state = LinkState::Closed;
        link.resting = true;
        let failures = link.failures;
        link.failures = link.failures.saturating_add(1);
        let active: Vec<MeterId> = link.active.iter().copied().collect();
        if was_open {
            self.events.push_back(HeadEndEvent::Link { link: id, up: false });
        }
        let pause = self.pause(failures);
        self.timers.set(Timer::Link(id), now + pause);
        for meter in active {
            self.fail_visit(now, meter, why.clone());
        }
        // A meter on its own address has nobody else waiting: its failure to connect is its visit's failure.
        if let LinkId::Meter(meter) = id
            && !was_open
        {
            if let Some(link) = self.links.get_mut(&id) {
                link.clear_lines();
            }
            self.fail_visit(now, meter, Failure::NoConnection);
        }
        self.direct_closed(now, id);
    }

    /// `first * 2^failures`, at most the longest pause, less up to a quarter by chance.
    pub(crate) fn pause(&mut self, failures: u8) -> SignedDuration {
        let factor = 1i32 << failures.min(16);
        let first = self.config.backoff_first;
        let full =
            first.checked_mul(factor).map_or(self.config.backoff_most, |d| d.min(self.config.backoff_most));
        let quarter = u64::try_from(full.as_millis() / 4).unwrap_or(0);
        let less = if quarter == 0 { 0 } else { self.rng.next_u64() % quarter };
        full - SignedDuration::from_millis(i64::try_from(less).unwrap_or(0))
    }
}

pub(crate) fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
