//! One TCP connection as two bounded queues. Bytes that arrive become events for an engine's loop;
//! bytes that leave are queued, and a peer that does not take them loses its connection.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Messages that may wait for a slow peer before its connection is given up.
const MOST_WAITING: usize = 4096;
/// Bytes that may wait for it.
const MOST_BYTES: usize = 1 << 20;
/// How long a peer may take no byte of what is sent to it.
const STALL: Duration = Duration::from_secs(60);
/// Bytes taken from a socket at once; whatever waits for the loop is a multiple of it.
const READ_BYTES: usize = 4096;
/// Signals taken before an engine is turned.
const AT_ONCE: usize = 256;

/// Takes connections from a listener for ever and hands each to a loop.
pub(crate) async fn accept<E>(listener: TcpListener, signals: mpsc::Sender<E>, tag: impl Fn(TcpStream) -> E) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if signals.send(tag(stream)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                // Usually no file handle is left: wait for some to come back.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Waits at most `patience` for signals to a loop and takes what is there, some hundred at once, so that an engine is
/// turned once for many; `None` when nobody is left to send any.
pub(crate) async fn burst<E>(incoming: &mut mpsc::Receiver<E>, patience: Duration) -> Option<Vec<E>> {
    let mut taken = Vec::new();
    match tokio::time::timeout(patience, incoming.recv_many(&mut taken, AT_ONCE)).await {
        Ok(0) => None,
        Ok(_) | Err(_) => Some(taken),
    }
}

/// What happened on a connection.
#[derive(Debug)]
pub(crate) enum WireEvent {
    /// Bytes arrived.
    Bytes(Vec<u8>),
    /// It is gone, and why in words.
    Closed(String),
}

/// The engine's end of a connection. Dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct Wire {
    outgoing: mpsc::Sender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    reader: AbortHandle,
}

impl Wire {
    /// Runs a connection; every event goes through `tag` into `events`, so that one loop can hear many.
    ///
    /// A connection on which nothing arrives for `idle` is closed.
    pub(crate) fn run<E, F>(stream: TcpStream, idle: Duration, events: mpsc::Sender<E>, tag: F) -> Self
    where
        E: Send + 'static,
        F: Fn(WireEvent) -> E + Send + 'static,
    {
        // Frames are small and answered at once: waiting to fill a packet only adds delay.
        let _ = stream.set_nodelay(true);
        let (incoming, mut leaving) = stream.into_split();
        let waiting = Arc::new(AtomicUsize::new(0));
        let left = Arc::clone(&waiting);
        let (outgoing, mut queue) = mpsc::channel::<Vec<u8>>(MOST_WAITING);
        tokio::spawn(async move {
            while let Some(mut bytes) = queue.recv().await {
                // Whatever waits goes out in one write.
                while bytes.len() < READ_BYTES {
                    let Ok(more) = queue.try_recv() else { break };
                    bytes.extend_from_slice(&more);
                }
                let length = bytes.len();
                if !matches!(tokio::time::timeout(STALL, leaving.write_all(&bytes)).await, Ok(Ok(()))) {
                    return;
                }
                left.fetch_sub(length, Ordering::Relaxed);
            }
            let _ = leaving.shutdown().await;
        });
        let reader = tokio::spawn(async move {
            let why = loop {
                match tokio::time::timeout(idle, incoming.readable()).await {
                    Err(_) => break "nothing arrived for too long".to_owned(),
                    Ok(Err(error)) => break error.to_string(),
                    Ok(Ok(())) => {}
                }
                match arrived(&incoming) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => break error.to_string(),
                    Ok(bytes) if bytes.is_empty() => break "the peer closed the connection".to_owned(),
                    Ok(bytes) => {
                        if events.send(tag(WireEvent::Bytes(bytes))).await.is_err() {
                            return;
                        }
                    }
                }
            };
            let _ = events.send(tag(WireEvent::Closed(why))).await;
        });
        Self { outgoing, waiting, reader: reader.abort_handle() }
    }

    /// Queues bytes; `false` when the peer has fallen too far behind or is gone.
    pub(crate) fn send(&self, bytes: Vec<u8>) -> bool {
        let length = bytes.len();
        if self.waiting.load(Ordering::Relaxed).saturating_add(length) > MOST_BYTES {
            return false;
        }
        self.waiting.fetch_add(length, Ordering::Relaxed);
        self.outgoing.try_send(bytes).is_ok()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// What waits in the socket. The buffer is not kept: thousands of silent connections must cost little.
fn arrived(incoming: &OwnedReadHalf) -> io::Result<Vec<u8>> {
    let mut buffer = [0; READ_BYTES];
    let count = incoming.try_read(&mut buffer)?;
    Ok(buffer.get(..count).unwrap_or_default().to_vec())
}
