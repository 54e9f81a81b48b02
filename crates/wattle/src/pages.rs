//! The pages on their socket, with bounds on what a stranger may take: connections, time, bytes.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Connections at a time; others wait in the system's queue until one ends.
const MOST_CONNECTIONS: usize = 1024;
/// How long the head of a request may take, and so how long a connection may rest.
const HEAD_WITHIN: Duration = Duration::from_secs(15);
/// How long a request may take until its answer begins, its body included.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// The same for a file that somebody sends, whose pieces have a limit of their own.
const FILE_WITHIN: Duration = Duration::from_secs(3600);
/// The longest head of a request.
const HEAD_BYTES: usize = 32 * 1024;
/// The longest body: the forms are short.
const BODY_BYTES: usize = 64 * 1024;

/// Threads that answer requests: each may hold a database connection with its cache.
pub(crate) const MOST_THREADS: usize = 32;

/// Serves pages until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, pages: Router) {
    let pages = pages.layer(middleware::from_fn(in_time)).layer(DefaultBodyLimit::max(BODY_BYTES));
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let pages = pages.clone();
                tokio::spawn(async move {
                    speak(stream, pages).await;
                    drop(place);
                });
            }
            Err(error) => {
                // Usually no file handle is left: wait for some to come back.
                tracing::warn!(%error, "a browser's connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn speak(stream: TcpStream, pages: Router) {
    let _ = stream.set_nodelay(true);
    let peer = stream.peer_addr().ok();
    let spoken = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(pages))
        .await;
    if let Err(error) = spoken {
        // A browser that goes away or stays silent is everyday; bytes that are no HTTP are a refusal.
        if error.is_parse() {
            tracing::warn!(?peer, %error, "refused");
        } else {
            tracing::debug!(?peer, %error, "a browser's connection ended");
        }
    }
}

/// Gives a request up whose body drips or whose answer does not come.
async fn in_time(request: Request, next: Next) -> Response {
    let long = web::takes_long(request.method(), request.uri().path());
    let within = if long { FILE_WITHIN } else { ANSWER_WITHIN };
    match tokio::time::timeout(within, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}
