//! One client and one meter on a blocking socket: what a person does who reads a meter by hand.

use dlms::client::{Client, ClientConfig, ClientError, ClientEvent, Outcome, Request};
use dlms::hdlc::{Address, ClientLink, LinkConfig, LinkError, LinkEvent};
use dlms::wrapper::{self, WrapperDecoder, WrapperError};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// The link under the APDUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// TCP-UDP wrapper (IEC 62056-4-7).
    Wrapper,
    /// HDLC (IEC 62056-46), here carried by TCP.
    Hdlc,
}

/// Where and how a meter is reached.
#[derive(Clone, Debug)]
pub struct Reach {
    /// `host:port`.
    pub address: String,
    /// The link.
    pub link: Link,
    /// The meter's logical device, usually 1.
    pub server_sap: u16,
    /// How long one answer may take.
    pub timeout: Duration,
}

/// Why a visit ended.
#[derive(Debug, thiserror::Error)]
pub enum VisitError {
    /// No connection.
    #[error("connect to {address}")]
    Connect {
        /// Whom we called.
        address: String,
        /// Why not.
        source: io::Error,
    },
    /// The connection broke.
    #[error("talk to the meter: the connection broke")]
    Broken(#[source] io::Error),
    /// The meter hung up in the middle.
    #[error("talk to the meter: it closed the connection{0}")]
    HungUp(&'static str),
    /// No answer in time.
    #[error("hear from the meter within {0:?}")]
    Silent(Duration),
    /// The wrapper was violated.
    #[error("follow the wrapper: {0}")]
    Wrapper(#[from] WrapperError),
    /// The HDLC link failed.
    #[error("use the HDLC link: {0}")]
    Hdlc(LinkError),
    /// The dialogue failed.
    #[error(transparent)]
    Dialogue(#[from] ClientError),
    /// No randomness from the system.
    #[error("draw random bytes from the system: {0}")]
    Entropy(getrandom::Error),
}

enum Framing {
    Wrapper(WrapperDecoder),
    Hdlc(Box<ClientLink>),
}

/// An open association with a meter.
pub struct Visit {
    stream: TcpStream,
    framing: Framing,
    client: Client,
    client_sap: u16,
    reach: Reach,
    started: Instant,
    apdus: VecDeque<Vec<u8>>,
    told: VecDeque<ClientEvent>,
}

impl core::fmt::Debug for Visit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Visit").field("reach", &self.reach).finish_non_exhaustive()
    }
}

impl Visit {
    /// Connects and associates.
    ///
    /// # Errors
    /// [`VisitError`]; its [`VisitError::Dialogue`] names the culprit.
    #[expect(clippy::disallowed_methods, reason = "a shell reads the clock")]
    pub fn open(reach: Reach, config: ClientConfig) -> Result<Self, VisitError> {
        let refused = |source| VisitError::Connect { address: reach.address.clone(), source };
        let address = reach
            .address
            .to_socket_addrs()
            .map_err(refused)?
            .next()
            .ok_or_else(|| refused(io::ErrorKind::AddrNotAvailable.into()))?;
        let stream = TcpStream::connect_timeout(&address, reach.timeout).map_err(refused)?;
        stream.set_nodelay(true).map_err(VisitError::Broken)?;
        let client_sap = config.client_sap;
        let framing = match reach.link {
            Link::Wrapper => Framing::Wrapper(WrapperDecoder::new(usize::from(u16::MAX))),
            Link::Hdlc => {
                let client = Address::short(u8::try_from(client_sap).unwrap_or(u8::MAX));
                let server = Address::server(reach.server_sap, None);
                Framing::Hdlc(Box::new(ClientLink::new(LinkConfig::new(client, server))))
            }
        };
        let mut visit = Self {
            stream,
            framing,
            client: Client::new(config),
            client_sap,
            reach,
            started: Instant::now(),
            apdus: VecDeque::new(),
            told: VecDeque::new(),
        };
        visit.open_link()?;
        visit.associate()?;
        Ok(visit)
    }

    /// Asks one thing and waits for its answer. What the meter tells unasked meanwhile is kept for
    /// [`Visit::told`].
    ///
    /// # Errors
    /// [`VisitError`].
    pub fn request(&mut self, request: Request) -> Result<Outcome, VisitError> {
        let asked = self.client.request(request)?;
        loop {
            match self.wait()? {
                ClientEvent::Response { id, outcome } if id == asked => return Ok(outcome),
                other => self.told.push_back(other),
            }
        }
    }

    /// What the meter told unasked.
    pub fn told(&mut self) -> Option<ClientEvent> {
        self.told.pop_front()
    }

    /// The next invocation counter that this client would use.
    pub fn next_counter(&self) -> u32 {
        self.client.next_counter()
    }

    /// Releases the association and closes the connection. Errors are no news any more.
    pub fn close(mut self) {
        if self.client.release().is_ok() {
            while let Ok(event) = self.wait() {
                if event == ClientEvent::Released {
                    break;
                }
            }
        }
        let now = self.started.elapsed();
        if let Framing::Hdlc(link) = &mut self.framing {
            link.disconnect(now);
            let _ = self.flush();
        }
    }

    fn open_link(&mut self) -> Result<(), VisitError> {
        let now = self.started.elapsed();
        let Framing::Hdlc(link) = &mut self.framing else { return Ok(()) };
        link.connect(now);
        self.flush()?;
        let deadline = self.started.elapsed() + self.reach.timeout;
        while !matches!(&self.framing, Framing::Hdlc(link) if link.is_open()) {
            self.receive(deadline)?;
        }
        Ok(())
    }

    fn associate(&mut self) -> Result<(), VisitError> {
        let mut failed = None;
        let begun = self.client.associate(&mut |bytes| {
            if let Err(error) = getrandom::fill(bytes) {
                failed = Some(error);
            }
        });
        if let Some(error) = failed {
            return Err(VisitError::Entropy(error));
        }
        begun?;
        loop {
            match self.wait()? {
                ClientEvent::Associated { .. } => return Ok(()),
                other => self.told.push_back(other),
            }
        }
    }

    fn wait(&mut self) -> Result<ClientEvent, VisitError> {
        let deadline = self.started.elapsed() + self.reach.timeout;
        loop {
            self.flush()?;
            if let Some(event) = self.client.poll_event() {
                return Ok(event);
            }
            match self.apdus.pop_front() {
                Some(apdu) => self.client.handle_apdu(&apdu)?,
                None => self.receive(deadline)?,
            }
        }
    }

    /// Sends everything that waits.
    fn flush(&mut self) -> Result<(), VisitError> {
        let now = self.started.elapsed();
        while let Some(apdu) = self.client.poll_transmit() {
            match &mut self.framing {
                Framing::Wrapper(_) => {
                    let bytes = wrapper::encode(self.client_sap, self.reach.server_sap, &apdu)?;
                    self.stream.write_all(&bytes).map_err(VisitError::Broken)?;
                }
                Framing::Hdlc(link) => link.send(now, &apdu),
            }
        }
        if let Framing::Hdlc(link) = &mut self.framing {
            link.handle_timeout(now);
            while let Some(bytes) = link.poll_transmit() {
                self.stream.write_all(&bytes).map_err(VisitError::Broken)?;
            }
        }
        Ok(())
    }

    /// Waits for bytes until `deadline`, or until the link wants to be turned.
    fn receive(&mut self, deadline: Duration) -> Result<(), VisitError> {
        let now = self.started.elapsed();
        if now >= deadline {
            return Err(VisitError::Silent(self.reach.timeout));
        }
        let turn = match &self.framing {
            Framing::Wrapper(_) => None,
            Framing::Hdlc(link) => link.poll_timeout(),
        };
        let patience = turn.unwrap_or(deadline).min(deadline).saturating_sub(now);
        let patience = patience.max(Duration::from_millis(1));
        self.stream.set_read_timeout(Some(patience)).map_err(VisitError::Broken)?;
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(VisitError::HungUp(self.hint())),
            Ok(count) => self.take(buffer.get(..count).unwrap_or_default()),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                self.flush()
            }
            Err(error) => Err(VisitError::Broken(error)),
        }
    }

    const fn hint(&self) -> &'static str {
        match self.reach.link {
            Link::Wrapper => "; does it speak HDLC? then add --hdlc",
            Link::Hdlc => "; does it speak the wrapper? then leave out --hdlc",
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), VisitError> {
        let now = self.started.elapsed();
        match &mut self.framing {
            Framing::Wrapper(decoder) => {
                decoder.push(bytes);
                for unit in decoder.by_ref() {
                    self.apdus.push_back(unit?.payload);
                }
            }
            Framing::Hdlc(link) => {
                link.handle_bytes(now, bytes);
                let mut fault = None;
                while let Some(event) = link.poll_event() {
                    match event {
                        LinkEvent::Apdu { apdu, .. } => self.apdus.push_back(apdu),
                        LinkEvent::Error(LinkError::Frame(_)) | LinkEvent::Connected { .. } => {}
                        LinkEvent::Error(error) => fault = Some(VisitError::Hdlc(error)),
                        LinkEvent::Disconnected => {
                            return Err(fault.unwrap_or(VisitError::HungUp("")));
                        }
                    }
                }
                self.flush()?;
            }
        }
        Ok(())
    }
}
