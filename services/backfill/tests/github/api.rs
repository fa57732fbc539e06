//! An API of GitHub's shapes on this machine: objects by their path, lists by pages, and bad moments when they are asked for.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The only token that it takes.
pub const TOKEN: &str = "t0ken";
/// GitHub gives no more of one search.
const MOST: usize = 1000;

/// What there is.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub objects: BTreeMap<String, Value>,
    pub lists: BTreeMap<String, Vec<Value>>,
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is the last one of the hour.
    LastOfTheHour,
    /// It is one too many for this hour.
    UsedUp,
    /// Too many at once.
    TooMany,
    /// The server is ill.
    BadGateway,
}

/// A server under way, until it is dropped.
pub struct Api {
    pub root: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    world: World,
    page_size: usize,
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

impl Api {
    pub async fn serve(world: World, page_size: usize, faults: &[(usize, Fault)]) -> Self {
        Self::serve_beside(Router::new(), world, page_size, faults).await
    }

    /// Serves the world where the other routes answer nothing.
    pub async fn serve_beside(others: Router, world: World, page_size: usize, faults: &[(usize, Fault)]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        let faults = faults.iter().copied().collect();
        let shared = Shared { world, page_size, faults, root: root.clone(), seen: Mutex::default() };
        let shared = Arc::new(shared);
        let router = others.fallback_service(Router::new().fallback(answer).with_state(Arc::clone(&shared)));
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

impl Drop for Api {
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
    if header("authorization") != format!("Bearer {TOKEN}") {
        return refusal(StatusCode::UNAUTHORIZED, "Bad credentials");
    }
    if header("user-agent").is_empty() || header("accept") != "application/vnd.github+json" {
        return refusal(StatusCode::FORBIDDEN, "Request forbidden by administrative rules");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut seen = shared.seen.lock().unwrap();
    if now < Duration::from_secs(seen.blocked_until) {
        seen.too_early += 1;
        return limited(StatusCode::FORBIDDEN, "0", seen.blocked_until, "API rate limit exceeded");
    }
    let place = request.uri().path_and_query().unwrap().to_string();
    let path = request.uri().path();
    let fault = shared.faults.get(&seen.requests.len()).copied();
    match fault {
        // Asked for again, it is answered.
        Some(Fault::TooMany | Fault::BadGateway) if seen.requests.last().map(String::as_str) != Some("fault") => {
            seen.requests.push("fault".to_owned());
        }
        _ => seen.requests.push(place),
    }
    match fault {
        Some(Fault::TooMany) => {
            seen.blocked_until = now.as_secs() + 1;
            let refusal = refusal(StatusCode::TOO_MANY_REQUESTS, "You have exceeded a secondary rate limit");
            ([("retry-after", "1")], refusal).into_response()
        }
        Some(Fault::UsedUp) => {
            seen.blocked_until = now.as_secs() + 3600;
            limited(StatusCode::FORBIDDEN, "0", seen.blocked_until, "API rate limit exceeded")
        }
        Some(Fault::BadGateway) => (StatusCode::BAD_GATEWAY, "<html>Unicorn!</html>").into_response(),
        Some(Fault::LastOfTheHour) => {
            seen.blocked_until = now.as_secs() + 1;
            let left =
                [("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", seen.blocked_until.to_string())];
            (left, found(&shared, path, &query)).into_response()
        }
        None => ([("x-ratelimit-remaining", "4000")], found(&shared, path, &query)).into_response(),
    }
}

fn found(shared: &Shared, path: &str, query: &BTreeMap<String, String>) -> Response {
    if let Some(object) = shared.world.objects.get(path) {
        return axum_json(object);
    }
    let Some(all) = shared.world.lists.get(path) else { return refusal(StatusCode::NOT_FOUND, "Not Found") };
    let wanted: Vec<&Value> = all.iter().filter(|item| asked_for(item, query)).collect();
    let asked = query.get("per_page").map_or(30, |text| text.parse().unwrap());
    let size = shared.page_size.min(asked);
    let page: usize = query.get("page").map_or(1, |text| text.parse().unwrap());
    let given = &wanted[..wanted.len().min(MOST)];
    let pages = given.len().div_ceil(size).max(1);
    let items: Vec<&Value> = given.iter().skip((page - 1) * size).take(size).copied().collect();
    let wrapped = ["workflow_runs", "jobs", "workflows"].into_iter().find(|name| {
        path.ends_with(&format!("/actions/{}", name.trim_start_matches("workflow_")))
            || path.ends_with(&format!("/{name}"))
    });
    let body = match wrapped {
        Some(name) => json!({ "total_count": wanted.len(), name: items }),
        None => json!(items),
    };
    if page >= pages {
        return axum_json(&body);
    }
    let at = |page: usize| {
        let mut query = query.clone();
        query.insert("page".to_owned(), page.to_string());
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{}{path}?{}", shared.root, query.join("&"))
    };
    let link = format!("<{}>; rel=\"next\", <{}>; rel=\"last\"", at(page + 1), at(pages));
    ([("link", link)], axum_json(&body)).into_response()
}

/// By the times that lists can be cut by; all of them are of the form that compares as a text.
fn asked_for(item: &Value, query: &BTreeMap<String, String>) -> bool {
    let since =
        query.get("since").is_none_or(|since| item["commit"]["committer"]["date"].as_str().unwrap() >= since.as_str());
    let created = query.get("created").is_none_or(|span| {
        let (from, to) = span.split_once("..").unwrap();
        (from..=to).contains(&item["created_at"].as_str().unwrap())
    });
    since && created
}

fn axum_json(body: &Value) -> Response {
    ([("content-type", "application/json")], body.to_string()).into_response()
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, axum_json(&json!({ "message": message }))).into_response()
}

fn limited(status: StatusCode, left: &str, reset: u64, message: &str) -> Response {
    let left = [("x-ratelimit-remaining", left.to_owned()), ("x-ratelimit-reset", reset.to_string())];
    (left, refusal(status, message)).into_response()
}
