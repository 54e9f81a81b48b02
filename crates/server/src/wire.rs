//! One TCP connection as two bounded queues. Bytes that arrive become events for an engine's loop;
//! bytes that leave are queued, and a peer that does not take them loses its connection.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Messages that may wait for a slow peer before its connection is given up.
const MOST_WAITING: usize = 4096;
/// Bytes taken from a socket at once.
const READ_BYTES: usize = 16 * 1024;

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
        let (mut incoming, mut leaving) = stream.into_split();
        let (outgoing, mut queue) = mpsc::channel::<Vec<u8>>(MOST_WAITING);
        tokio::spawn(async move {
            while let Some(mut bytes) = queue.recv().await {
                // Whatever waits goes out in one write.
                while bytes.len() < READ_BYTES {
                    let Ok(more) = queue.try_recv() else { break };
                    bytes.extend_from_slice(&more);
                }
                if leaving.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            let _ = leaving.shutdown().await;
        });
        let reader = tokio::spawn(async move {
            let mut buffer = vec![0; READ_BYTES];
            let why = loop {
                match tokio::time::timeout(idle, incoming.read(&mut buffer)).await {
                    Err(_) => break "nothing arrived for too long".to_owned(),
                    Ok(Err(error)) => break error.to_string(),
                    Ok(Ok(0)) => break "the peer closed the connection".to_owned(),
                    Ok(Ok(count)) => {
                        let bytes = buffer.get(..count).unwrap_or_default().to_vec();
                        if events.send(tag(WireEvent::Bytes(bytes))).await.is_err() {
                            return;
                        }
                    }
                }
            };
            let _ = events.send(tag(WireEvent::Closed(why))).await;
        });
        Self { outgoing, reader: reader.abort_handle() }
    }

    /// Queues bytes; `false` when the peer has fallen too far behind or is gone.
    pub(crate) fn send(&self, bytes: Vec<u8>) -> bool {
        self.outgoing.try_send(bytes).is_ok()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.reader.abort();
    }
}
