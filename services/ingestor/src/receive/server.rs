//! Connections: their number, their patience, and their end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::ReceiveConfig;
use super::metrics::Metrics;

/// What a connection may buffer, the head of a request included. Webhooks have a few hundred bytes of headers.
const CONNECTION_BUFFER: usize = 32 * 1024;

/// Pause after a failed accept: it is for want of something that only time gives back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Bounds of a server.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    max_connections: usize,
    header_timeout: Duration,
    shutdown_timeout: Duration,
}

/// An open connection, as far as the numbers go.
struct Open {
    _slot: OwnedSemaphorePermit,
    metrics: Metrics,
}

impl Bounds {
    pub(super) fn of(config: &ReceiveConfig) -> Self {
        Self {
            max_connections: config.max_connections.min(Semaphore::MAX_PERMITS),
            header_timeout: Duration::from_millis(config.header_timeout_ms),
            shutdown_timeout: Duration::from_millis(config.shutdown_timeout_ms),
        }
    }
}

impl Open {
    fn new(slot: OwnedSemaphorePermit, metrics: &Metrics) -> Self {
        metrics.connected();
        Self { _slot: slot, metrics: metrics.clone() }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.metrics.disconnected();
    }
}

/// Serves until `shutdown`, then finishes what is in flight within the deadline and cuts the rest.
///
/// `axum::serve` has no limit for idle and half-sent heads, hence hyper by hand.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    metrics: &Metrics,
    shutdown: CancellationToken,
) {
    metrics.listening(listener.local_addr().ok());
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(bounds.header_timeout).max_buf_size(CONNECTION_BUFFER);
    // A sender that is done sending may still want its answer.
    http.half_close(true);
    let service = TowerToHyperService::new(router);
    let slots = Arc::new(Semaphore::new(bounds.max_connections));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    while let Some((stream, slot)) = shutdown.run_until_cancelled(accept(&listener, &slots, metrics)).await.flatten() {
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service.clone()));
        let open = Open::new(slot, metrics);
        connections.spawn(async move {
            // A connection that ends badly is the sender's affair: what it sent was answered or not, and counted.
            let _ = connection.await;
            drop(open);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let finished = tokio::time::timeout(bounds.shutdown_timeout, graceful.shutdown()).await;
    while connections.try_join_next().is_some() {}
    metrics.closed(if finished.is_ok() { 0 } else { connections.len() });
}

/// The next connection, once there is room for one.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    metrics: &Metrics,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small and should not wait for more. Where it cannot be set, they do.
                let _ = stream.set_nodelay(true);
                return Some((stream, slot));
            }
            Err(error) => {
                metrics.not_connected(&error);
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Opens the port.
pub(super) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}
