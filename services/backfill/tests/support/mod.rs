//! What the tests of histories share: an API on this machine with bad moments, and readings of it.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use backfill::{BackfillError, Checkpoint, Delivery, Progress, Sink};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The only token that it takes.
pub const TOKEN: &str = "t0ken";

/// What a request asks for.
pub struct Asked<'a> {
    /// Where the server is.
    pub root: &'a str,
    pub path: &'a str,
    pub query: &'a BTreeMap<String, String>,
}

/// What an API has, and how it shows it.
pub trait Shown: Send + Sync + 'static {
    /// Its header `Authorization`.
    fn authorization(&self) -> String;

    /// The header in which it says when there will be more requests, in a second from now.
    fn reset(&self, now: u64) -> String;

    fn answer(&self, asked: &Asked<'_>) -> Response;
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is the last one for now.
    Last,
    /// Too many at once.
    TooMany,
    /// The server is ill.
    BadGateway,
}

/// A server under way, until it is dropped.
pub struct Server {
    pub root: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    shown: Box<dyn Shown>,
    /// What goes wrong with the request of that number, from 0.
    faults: BTreeMap<usize, Fault>,
    root: String,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    requests: Vec<String>,
    blocked_until: u64,
    too_early: usize,
}

impl Server {
    pub async fn serve(shown: impl Shown, faults: &[(usize, Fault)]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        let faults = faults.iter().copied().collect();
        let shared = Arc::new(Shared { shown: Box::new(shown), faults, root: root.clone(), seen: Mutex::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { root, shared, server }
    }

    /// Paths with their queries, in the order in which they were asked for and answered well.
    pub fn requests(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().requests.clone()
    }

    /// Requests that came while none was to come.
    pub fn too_early(&self) -> usize {
        self.shared.seen.lock().unwrap().too_early
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if header("authorization") != shared.shown.authorization() {
        return refusal(StatusCode::UNAUTHORIZED, "401 Unauthorized");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut seen = shared.seen.lock().unwrap();
    let none_left = |now: u64| [("ratelimit-remaining", "0".to_owned()), ("ratelimit-reset", shared.shown.reset(now))];
    if now < Duration::from_secs(seen.blocked_until) {
        seen.too_early += 1;
        return (none_left(now.as_secs()), refusal(StatusCode::TOO_MANY_REQUESTS, "Retry later")).into_response();
    }
    let place = request.uri().path_and_query().unwrap().to_string();
    let fault = shared.faults.get(&seen.requests.len()).copied();
    match fault {
        // Asked for again, it is answered.
        Some(Fault::TooMany | Fault::BadGateway) if seen.requests.last().map(String::as_str) != Some("fault") => {
            seen.requests.push("fault".to_owned());
        }
        _ => seen.requests.push(place),
    }
    let found = || shared.shown.answer(&Asked { root: &shared.root, path: request.uri().path(), query: &query });
    match fault {
        Some(Fault::TooMany) => {
            seen.blocked_until = now.as_secs() + 1;
            (none_left(now.as_secs()), refusal(StatusCode::TOO_MANY_REQUESTS, "Retry later")).into_response()
        }
        Some(Fault::BadGateway) => (StatusCode::BAD_GATEWAY, "<html>502</html>").into_response(),
        Some(Fault::Last) => {
            seen.blocked_until = now.as_secs() + 1;
            (none_left(now.as_secs()), found()).into_response()
        }
        None => ([("ratelimit-remaining", "600")], found()).into_response(),
    }
}

pub fn json_of(body: &Value) -> Response {
    ([("content-type", "application/json")], body.to_string()).into_response()
}

pub fn refusal(status: StatusCode, message: &str) -> Response {
    (status, json_of(&json!({ "message": message }))).into_response()
}

/// What one reading gave and told.
pub struct Outcome<P> {
    pub deliveries: Vec<Delivery>,
    pub progress: Vec<Progress>,
    pub checkpoints: Vec<Checkpoint<P>>,
    pub error: Option<BackfillError>,
}

impl<P> Outcome<P> {
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.deliveries.iter().map(|delivery| delivery.id.clone()).collect();
        names.sort();
        names
    }

    pub fn bodies(&self, event: &str) -> Vec<Value> {
        let of = |delivery: &&Delivery| delivery.event.as_deref() == Some(event);
        self.deliveries.iter().filter(of).map(|delivery| serde_json::from_slice(&delivery.body).unwrap()).collect()
    }

    /// The body of the delivery of that name.
    pub fn body(&self, name: &str) -> Value {
        let delivery = self.deliveries.iter().find(|delivery| delivery.id == name);
        serde_json::from_slice(&delivery.unwrap_or_else(|| panic!("no {name}")).body).unwrap()
    }

    pub fn waits(&self) -> Vec<&str> {
        let waits = self.progress.iter().filter(|step| step.stage.contains("wait"));
        waits.map(|step| step.stage.as_str()).collect()
    }
}

/// Takes what `read` gives until it has given `most` deliveries.
pub async fn read<P: Send>(
    most: usize,
    read: impl AsyncFnOnce(&(dyn Fn(Checkpoint<P>) + Send + Sync), &Sink) -> Result<(), BackfillError>,
) -> Outcome<P> {
    let (sender, mut receiver) = mpsc::channel(1);
    let (progress, checkpoints) = (Arc::new(Mutex::new(Vec::new())), Mutex::new(Vec::new()));
    let told = Arc::clone(&progress);
    let sink = Sink { deliveries: sender, progress: Arc::new(move |step| told.lock().unwrap().push(step)) };
    let taking = tokio::spawn(async move {
        let mut taken = Vec::new();
        while taken.len() < most
            && let Some(delivery) = receiver.recv().await
        {
            taken.push(delivery);
        }
        taken
    });
    let error = read(&|checkpoint| checkpoints.lock().unwrap().push(checkpoint), &sink).await.err();
    drop(sink);
    let deliveries = taking.await.unwrap();
    let progress = std::mem::take(&mut *progress.lock().unwrap());
    Outcome { deliveries, progress, checkpoints: checkpoints.into_inner().unwrap(), error }
}
