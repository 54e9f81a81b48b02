//! One virtual meter on a socket: the wrapper or HDLC over TCP, a thread a connection.

use crate::clock::Clock;
use crate::visit::Link;
use dlms::hdlc::{Address, LinkConfig, LinkEvent, ServerLink};
use dlms::wrapper::{self, WrapperDecoder};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use meter::household::Household;
use meter::{Feed, METER_SAP, Meter, Push};
use model::{Energy, IntervalLength};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Connections at a time; a meter serves few.
const MOST_CONNECTIONS: usize = 16;
/// The longest message a client may send.
const LONGEST: usize = 65_535;
/// A connection without a word for so long is closed.
const IDLE: Duration = Duration::from_secs(300);
/// A client that takes no byte of an answer for so long has gone away.
const STALL: Duration = Duration::from_secs(60);
/// How often the meter is looked at for what it sends unasked.
const TICK: Duration = Duration::from_millis(200);

/// Where a meter's load comes from.
#[derive(Clone, Debug)]
pub enum Load {
    /// A synthetic household, and the zone whose hours it keeps.
    Household(Household, TimeZone),
    /// A real series: energy of each interval from `start` on; after its end it begins again.
    Series {
        /// Start of the first interval.
        start: Timestamp,
        /// Length of every interval.
        interval: IntervalLength,
        /// Energy delivered in each.
        delivered: Vec<Energy>,
    },
}

impl Load {
    /// What flows in the interval that starts at `from`.
    fn feed(&self, meter: &Meter, from: Timestamp, interval: IntervalLength) -> Feed {
        let to = from.checked_add(interval.duration()).unwrap_or(from);
        match self {
            Self::Household(household, zone) => {
                let load = household.load(from, interval.secs(), zone);
                match meter.model().commodity {
                    model::Commodity::Electricity => {
                        Feed::electricity(from, to, load.import, load.export, load.voltage)
                    }
                    model::Commodity::Gas => Feed::volume(from, to, load.gas_ml),
                    model::Commodity::Water => Feed::volume(from, to, load.water_ml),
                }
            }
            Self::Series { start, interval, delivered } => {
                let past = from.duration_since(*start).as_secs().div_euclid(i64::from(interval.secs()));
                let count = i64::try_from(delivered.len()).unwrap_or(1).max(1);
                let index = usize::try_from(past.rem_euclid(count)).unwrap_or(0);
                let energy = delivered.get(index).copied().unwrap_or(Energy::ZERO);
                Feed::electricity(from, to, energy, Energy::ZERO, model::Voltage::from_volts(230))
            }
        }
    }

    const fn interval(&self) -> IntervalLength {
        match self {
            Self::Household(..) => IntervalLength::QUARTER_HOUR,
            Self::Series { interval, .. } => *interval,
        }
    }
}

/// A meter with its load, shared by its connections.
#[derive(Debug)]
pub struct Device {
    meter: Mutex<(Meter, Timestamp)>,
    load: Load,
    clock: Clock,
    link: Link,
    push_to: Option<String>,
    connections: AtomicUsize,
    next_visit: AtomicUsize,
    /// Which connection spoke last for each client: an association belongs to it.
    owners: Mutex<BTreeMap<u16, usize>>,
}

/// What one connection has spoken for.
#[derive(Debug)]
struct Guests {
    visit: usize,
    clients: BTreeSet<u16>,
}

impl Device {
    /// A meter that has lived since `since` and lives on by `clock`.
    pub fn new(
        meter: Meter,
        load: Load,
        since: Timestamp,
        clock: Clock,
        link: Link,
        push_to: Option<String>,
    ) -> Self {
        let fed = load.interval().floor(since);
        let device = Self {
            meter: Mutex::new((meter, fed)),
            load,
            clock,
            link,
            push_to,
            connections: AtomicUsize::new(0),
            next_visit: AtomicUsize::new(0),
            owners: Mutex::new(BTreeMap::new()),
        };
        drop(device.live());
        device
    }

    /// Opens its listener.
    ///
    /// # Errors
    /// What the system says.
    pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(address)
    }

    /// Serves clients until the process ends.
    pub fn serve(self, listener: &TcpListener) {
        let device = Arc::new(self);
        let ticker = Arc::clone(&device);
        std::thread::spawn(move || ticker.tick());
        for stream in listener.incoming() {
            let stream = match stream {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    std::thread::sleep(TICK);
                    continue;
                }
            };
            if device.connections.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
                device.connections.fetch_sub(1, Ordering::Relaxed);
                tracing::warn!("refused a connection: {MOST_CONNECTIONS} are open");
                continue;
            }
            let device = Arc::clone(&device);
            std::thread::spawn(move || {
                let peer = stream.peer_addr().ok();
                let ended = match device.link {
                    Link::Wrapper => device.speak_wrapper(stream),
                    Link::Hdlc => device.speak_hdlc(stream),
                };
                if let Err(error) = ended {
                    tracing::info!(?peer, %error, "a connection ended");
                }
                device.connections.fetch_sub(1, Ordering::Relaxed);
            });
        }
    }

    /// The meter, its load fed and its time advanced to now.
    fn live(&self) -> MutexGuard<'_, (Meter, Timestamp)> {
        let mut guard = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let interval = self.load.interval();
        while guard.1 <= now {
            let feed = self.load.feed(&guard.0, guard.1, interval);
            guard.0.feed(&feed);
            guard.1 = guard.1.checked_add(interval.duration()).unwrap_or(Timestamp::MAX);
        }
        guard.0.advance(now);
        guard
    }

    /// Sends what the meter has to say by itself.
    fn tick(&self) {
        loop {
            std::thread::sleep(TICK);
            let pushes: Vec<_> = {
                let mut guard = self.live();
                let now = guard.0.now();
                std::iter::from_fn(|| guard.0.poll_push(now)).collect()
            };
            let Some(address) = self.push_to.as_ref().filter(|_| !pushes.is_empty()) else { continue };
            if let Err(error) = send(address, &pushes) {
                tracing::warn!(address, pushes = pushes.len(), %error, "pushes were lost");
            }
        }
    }

    fn guests(&self) -> Guests {
        Guests { visit: self.next_visit.fetch_add(1, Ordering::Relaxed), clients: BTreeSet::new() }
    }

    fn owners(&self) -> MutexGuard<'_, BTreeMap<u16, usize>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the associations of a connection, but for those that a later one has taken over.
    fn leave(&self, guests: &mut Guests) {
        let mut guard = self.live();
        let mut owners = self.owners();
        for client in std::mem::take(&mut guests.clients) {
            if owners.get(&client) == Some(&guests.visit) {
                owners.remove(&client);
                guard.0.link_lost(client);
            }
        }
    }

    fn answer(&self, guests: &mut Guests, client: u16, apdu: &[u8]) -> dlms::server::Reply {
        let mut guard = self.live();
        guests.clients.insert(client);
        self.owners().insert(client, guests.visit);
        let now = guard.0.now();
        let reply = guard.0.handle_apdu(now, client, apdu);
        if let Some(refusal) = reply.refused {
            tracing::warn!(client, "refused: failed to {refusal}");
        }
        reply
    }

    fn speak_wrapper(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(IDLE))?;
        stream.set_write_timeout(Some(STALL))?;
        let mut decoder = WrapperDecoder::new(LONGEST);
        let mut guests = self.guests();
        let ended = self.wrapper_turns(&mut stream, &mut decoder, &mut guests);
        self.leave(&mut guests);
        ended
    }

    fn wrapper_turns(
        &self,
        stream: &mut TcpStream,
        decoder: &mut WrapperDecoder,
        guests: &mut Guests,
    ) -> io::Result<()> {
        let mut buffer = [0; 4096];
        loop {
            let count = stream.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            decoder.push(buffer.get(..count).unwrap_or_default());
            for unit in decoder.by_ref() {
                // The standard leaves a broken wrapper no way to go on: the connection is closed.
                let unit =
                    unit.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
                if unit.destination != METER_SAP {
                    continue;
                }
                let reply = self.answer(guests, unit.source, &unit.payload);
                if let Some(apdu) = reply.apdu {
                    let bytes = wrapper::encode(METER_SAP, unit.source, &apdu)
                        .map_err(|error| io::Error::other(error.to_string()))?;
                    stream.write_all(&bytes)?;
                }
                if reply.close {
                    return Ok(());
                }
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a shell reads the clock: HDLC needs its own timeouts")]
    fn speak_hdlc(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(STALL))?;
        let started = Instant::now();
        let mut link = ServerLink::new(LinkConfig::new(Address::short(0), Address::server(METER_SAP, None)));
        let mut guests = self.guests();
        let mut buffer = [0; 4096];
        let ended = loop {
            let now = started.elapsed();
            let patience = link.poll_timeout().map_or(IDLE, |at| at.saturating_sub(now));
            stream.set_read_timeout(Some(patience.max(Duration::from_millis(1))))?;
            match stream.read(&mut buffer) {
                Ok(0) => break Ok(()),
                Ok(count) => link.handle_bytes(started.elapsed(), buffer.get(..count).unwrap_or_default()),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    if link.poll_timeout().is_none() {
                        break Ok(());
                    }
                    link.handle_timeout(started.elapsed());
                }
                Err(error) => break Err(error),
            }
            self.hdlc_events(&mut link, &mut guests);
            let mut failed = None;
            while let Some(bytes) = link.poll_transmit() {
                failed = stream.write_all(&bytes).err().or(failed);
            }
            if let Some(error) = failed {
                break Err(error);
            }
        };
        self.leave(&mut guests);
        ended
    }

    fn hdlc_events(&self, link: &mut ServerLink, guests: &mut Guests) {
        while let Some(event) = link.poll_event() {
            match event {
                LinkEvent::Connected { .. } => {}
                LinkEvent::Apdu { apdu, client } => {
                    if let Some(answer) = self.answer(guests, client, &apdu).apdu {
                        link.send(&answer);
                    }
                }
                LinkEvent::Disconnected => self.leave(guests),
                LinkEvent::Error(error) => tracing::info!(%error, "on the HDLC link"),
            }
        }
    }
}

/// Pushes go over one connection, for two could overtake each other.
fn send(address: &str, pushes: &[Push]) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_write_timeout(Some(STALL))?;
    for push in pushes {
        let bytes = wrapper::encode(METER_SAP, push.client_sap, &push.apdu)
            .map_err(|error| io::Error::other(error.to_string()))?;
        stream.write_all(&bytes)?;
    }
    Ok(())
}

/// How long before now a meter's life begins, so that its profile is filled.
pub fn life_before(now: Timestamp, days: u16) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(now)
}
