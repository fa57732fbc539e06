//! The front door: `POST /hooks/{source}`.
//!
//! It checks that a delivery is its source's own, puts the body untouched on the inbox topic, and answers. It reads nothing in
//! the body, so no defect of an adapter refuses or loses a delivery, and malformed JSON is taken like any other.
//!
//! | answer | when |
//! |---|---|
//! | 202 `{"accepted":"<delivery>"}` | all replicas in sync have it |
//! | 400 | the body broke off |
//! | 401 | the signature or token is missing or wrong, or was made more than 5 minutes from now |
//! | 404, 405 | no such source; not a POST |
//! | 408 | the body took too long |
//! | 413 | the body is larger than the limit; no more than the limit was held of it |
//! | 503 with `Retry-After` | memory is exhausted, or Kafka did not take it in time |
//!
//! Memory is bounded: bodies by one budget over all requests, what waits for Kafka by the producer's, connections by their number.
//! While Kafka is away deliveries are still tried, each for the delivery timeout: providers rarely send twice, and most outages
//! are shorter.

mod answer;
mod body;
mod config;
mod inbox;
mod metrics;
mod server;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::EXPECT;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use crate::providers::record;
pub use config::{ApiConfig, ConfigError, ReceiveConfig, SourceConfig};
pub use inbox::{Inbox, PutError};
pub use metrics::Metrics;

use crate::clock;
use crate::signature::{Scheme, choose, verify};
use crate::sources::Watch;
use answer::Refusal;
use body::Budget;
use config::KnownSource;
use server::Bounds;

/// The front door. A clone is the same one.
#[derive(Clone)]
pub struct Receiver {
    shared: Arc<Shared>,
}

struct Shared {
    sources: BTreeMap<String, KnownSource>,
    max_body: usize,
    body_timeout: Duration,
    bounds: Bounds,
    listen: SocketAddr,
    budget: Budget,
    inbox: Inbox,
    watch: Watch,
    metrics: Metrics,
}

/// Why the front door could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("no port opened at receive.listen = {listen}")]
pub struct ListenError {
    listen: SocketAddr,
    #[source]
    source: io::Error,
}

impl Receiver {
    /// Sets it up: gets the secrets, and checks everything that can be checked without Kafka.
    ///
    /// # Errors
    /// Where the configuration cannot work.
    pub fn new(config: &ReceiveConfig, inbox: Inbox, metrics: Metrics) -> Result<Self, ConfigError> {
        let sources = config.resolve()?;
        metrics.set_up(
            config.budget_bytes,
            sources.iter().map(|(name, source)| (name.as_str(), source.secrets.is_empty())),
        );
        let shared = Shared {
            watch: Watch::new(sources.values().map(|source| &source.name)),
            sources,
            max_body: config.max_body_bytes,
            body_timeout: Duration::from_millis(config.body_timeout_ms),
            bounds: Bounds::of(config),
            listen: config.listen,
            budget: Budget::new(config.budget_bytes, metrics.budget_used.clone()),
            inbox,
            metrics,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Whether deliveries are likely to be accepted: Kafka was reached a moment ago.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.shared.inbox.is_ready()
    }

    /// What it sees of its sources.
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.shared.watch.clone()
    }

    /// Opens the port of the configuration.
    ///
    /// # Errors
    /// Where the system does not give it.
    pub async fn bind(&self) -> Result<TcpListener, ListenError> {
        let listen = self.shared.listen;
        server::bind(listen).await.map_err(|source| ListenError { listen, source })
    }
}

/// The routes of the front door.
pub fn router(receiver: Receiver) -> Router {
    Router::new().route("/hooks/{source}", post(receive).fallback(wrong_method)).with_state(receiver)
}

/// Serves `router` (the routes of the front door, and whatever else is to be reached at the same port) until `shutdown`. Requests
/// in flight are then finished within the shutdown timeout, and no new ones taken.
pub async fn serve(receiver: &Receiver, listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let shared = &receiver.shared;
    server::serve(listener, router, shared.bounds.clone(), &shared.metrics, shutdown).await;
}

async fn receive(State(receiver): State<Receiver>, Path(name): Path<String>, request: Request) -> Response {
    let shared = &receiver.shared;
    let (head, mut body) = request.into_parts();
    let source = shared.sources.get(&name);
    let result = match source {
        Some(source) => shared.take(source, &head, &mut body).await,
        None => Err(Refusal::UnknownSource),
    };
    match result {
        Ok(delivery) => answer::accepted(&delivery),
        Err(refusal) => {
            shared.metrics.refused(source.map(|source| source.name.as_str()), &refusal);
            if let Some(source) = source {
                shared.note(source, &refusal);
            }
            // A sender that waits for `100 Continue` has sent nothing, and reading on would ask it to.
            if !head.headers.contains_key(EXPECT) {
                body::drain(body, shared.max_body);
            }
            refusal.answer(source.map(|source| choose(source.door.schemes, &head.headers)))
        }
    }
}

async fn wrong_method(State(receiver): State<Receiver>) -> Response {
    receiver.shared.metrics.refused(None, &Refusal::Method);
    Refusal::Method.answer(None)
}

impl Shared {
    /// Takes one delivery; returns its id once Kafka has it.
    async fn take(&self, source: &KnownSource, head: &Parts, body: &mut Body) -> Result<String, Refusal> {
        let scheme = choose(source.door.schemes, &head.headers);
        if !scheme.signs_body() {
            self.check(scheme, source, head, b"")?;
        }
        let declared = body::declared_length(body).unwrap_or(0);
        let declared = usize::try_from(declared).ok().filter(|declared| *declared <= self.max_body);
        let declared = declared.ok_or(Refusal::TooLarge { limit: self.max_body })?;
        let mut share = self.budget.share(declared)?;
        let read = body::read(body, self.max_body, &mut share);
        let bytes = tokio::time::timeout(self.body_timeout, read).await.map_err(|_| Refusal::TooSlow)??;
        if scheme.signs_body() {
            self.check(scheme, source, head, &bytes)?;
        }
        self.put(source, head, bytes).await
    }

    fn check(&self, scheme: Scheme, source: &KnownSource, head: &Parts, body: &[u8]) -> Result<(), Refusal> {
        if source.secrets.is_empty() {
            return Ok(());
        }
        verify(scheme, &head.headers, body, &source.secrets, clock::now()).map_err(Refusal::Rejected)
    }

    async fn put(&self, source: &KnownSource, head: &Parts, bytes: Vec<u8>) -> Result<String, Refusal> {
        let (now, length) = (clock::now(), bytes.len());
        let (name, realm) = (source.name.clone(), source.realm.clone());
        let record = record(name, realm, source.door.provider, &head.headers, bytes, now);
        let (delivery, event) = (record.delivery.clone(), record.event.clone());
        let started = Instant::now();
        let result = self.inbox.put(record).await;
        self.metrics.put(started.elapsed());
        result.map_err(Refusal::NotStored)?;
        self.metrics.accepted(source.name.as_str(), &delivery, length, now);
        self.watch.accepted(&source.name, event.as_deref(), now);
        Ok(delivery)
    }

    /// What a refusal says of its source.
    fn note(&self, source: &KnownSource, refusal: &Refusal) {
        match refusal {
            Refusal::Rejected(_) => self.watch.rejected(&source.name, clock::now()),
            refusal if refusal.status().is_server_error() => self.watch.refused(&source.name, clock::now()),
            _ => {}
        }
    }
}
