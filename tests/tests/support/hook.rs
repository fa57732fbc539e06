//! The deliveries of a webhook, as GitHub's API shows them, and as GitHub sends them once more when it is asked to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use end_to_end::demo::Webhook;
use end_to_end::installation::SECRET;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The only token that it takes.
pub const TOKEN: &str = "t0ken";
/// The webhook: of the organisation `acme`.
pub const HOOK: &str = "acme/7";
/// A page is no longer than this, whatever is asked for.
const PAGE: usize = 30;

/// An API under way, until it is dropped.
pub struct HookApi {
    /// Root of the API.
    pub root: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    root: String,
    /// Where the webhook sends to.
    target: String,
    sent: Mutex<Vec<Sent>>,
    asked: Mutex<Vec<String>>,
}

/// An attempt to deliver.
#[derive(Clone)]
struct Sent {
    webhook: Webhook,
    /// Milliseconds since 1970.
    at: i64,
    status: u16,
    redelivery: bool,
    /// Whether the API still shows what was sent.
    has_content: bool,
}

impl HookApi {
    /// An API whose webhook sends to `target`.
    pub async fn serve(target: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        let shared = Shared { root: root.clone(), target, sent: Mutex::default(), asked: Mutex::default() };
        let shared = Arc::new(shared);
        let deliveries = "/orgs/acme/hooks/7/deliveries";
        let router = Router::new()
            .route(deliveries, get(list))
            .route(&format!("{deliveries}/{{id}}"), get(detail))
            .route(&format!("{deliveries}/{{id}}/attempts"), post(again))
            .fallback(history)
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { root, shared, server }
    }

    /// Notes that these were sent now, and answered so.
    pub fn sent(&self, webhooks: &[Webhook], status: u16) {
        let at = jiff::Timestamp::now().as_millisecond();
        let sent = |webhook: &Webhook| {
            // Of some the API shows no content any more.
            let has_content = !webhook.delivery.ends_with('7');
            Sent { webhook: webhook.clone(), at, status, redelivery: false, has_content }
        };
        self.shared.sent.lock().unwrap().extend(webhooks.iter().map(sent));
    }

    /// Deliveries whose content is shown no more, of these.
    pub fn without_content(webhooks: &[Webhook]) -> usize {
        webhooks.iter().filter(|webhook| webhook.delivery.ends_with('7')).count()
    }

    /// Paths that were asked for.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }
}

impl Drop for HookApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn refuses(&self, headers: &HeaderMap, uri: &Uri) -> Option<Response> {
        self.asked.lock().unwrap().push(uri.path().to_owned());
        let said = headers.get("authorization").and_then(|value| value.to_str().ok());
        (said != Some(&format!("Bearer {TOKEN}")))
            .then(|| (StatusCode::UNAUTHORIZED, told(&json!({ "message": "Bad credentials" }))).into_response())
    }
}

fn told(body: &Value) -> Response {
    ([("content-type", "application/json")], body.to_string()).into_response()
}

fn shown(id: usize, sent: &Sent) -> Value {
    let at = jiff::Timestamp::from_second(sent.at / 1000).unwrap().to_string();
    json!({
        "id": id, "guid": sent.webhook.delivery, "delivered_at": at, "redelivery": sent.redelivery, "duration": 0.03,
        "status": if sent.status == 202 { "OK" } else { "failed to connect to host" }, "status_code": sent.status,
        "event": sent.webhook.event, "action": null, "installation_id": null, "repository_id": 1, "throttled_at": null,
    })
}

async fn list(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    if let Some(refusal) = shared.refuses(&headers, &uri) {
        return refusal;
    }
    let sent = shared.sent.lock().unwrap();
    let from: usize = query.get("cursor").map_or(0, |cursor| cursor.trim_start_matches("v1_").parse().unwrap());
    let all: Vec<Value> = sent.iter().enumerate().rev().skip(from).take(PAGE).map(|(id, of)| shown(id, of)).collect();
    if from + PAGE >= sent.len() {
        return told(&json!(all));
    }
    let next = format!("<{}{}?per_page=100&cursor=v1_{}>; rel=\"next\"", shared.root, uri.path(), from + PAGE);
    ([("link", next)], told(&json!(all))).into_response()
}

async fn detail(State(shared): State<Arc<Shared>>, Path(id): Path<usize>, headers: HeaderMap, uri: Uri) -> Response {
    if let Some(refusal) = shared.refuses(&headers, &uri) {
        return refusal;
    }
    let sent = shared.sent.lock().unwrap()[id].clone();
    let mut all = shown(id, &sent);
    let content = sent.has_content.then(|| serde_json::from_slice::<Value>(&sent.webhook.body).unwrap());
    let headers: BTreeMap<String, String> = sent.webhook.signed_headers(SECRET.as_bytes()).into_iter().collect();
    all["request"] = json!({ "headers": headers, "payload": content });
    all["response"] = json!({ "headers": {}, "payload": null });
    told(&all)
}

async fn again(State(shared): State<Arc<Shared>>, Path(id): Path<usize>, headers: HeaderMap, uri: Uri) -> Response {
    if let Some(refusal) = shared.refuses(&headers, &uri) {
        return refusal;
    }
    let sent = shared.sent.lock().unwrap()[id].clone();
    tokio::spawn(async move {
        let mut request = reqwest::Client::new().post(&shared.target).body(sent.webhook.body.clone());
        for (name, value) in sent.webhook.signed_headers(SECRET.as_bytes()) {
            request = request.header(name, value);
        }
        let status = request.send().await.map_or(502, |answer| answer.status().as_u16());
        let at = jiff::Timestamp::now().as_millisecond();
        shared.sent.lock().unwrap().push(Sent { at, status, redelivery: true, ..sent });
    });
    (StatusCode::ACCEPTED, told(&json!({}))).into_response()
}

/// A repository with one commit.
async fn history(State(shared): State<Arc<Shared>>, headers: HeaderMap, uri: Uri) -> Response {
    if let Some(refusal) = shared.refuses(&headers, &uri) {
        return refusal;
    }
    let who = json!({ "name": "Mona", "email": "mona@example.com", "date": "2026-01-05T09:00:00Z" });
    let commit = json!({ "message": "Sell more", "author": who, "committer": who });
    let sha = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
    match uri.path() {
        "/repos/acme/shop" => told(&json!({
            "id": 1, "name": "shop", "full_name": "acme/shop", "html_url": "https://github.com/acme/shop",
            "default_branch": "main",
        })),
        "/repos/acme/shop/commits" => {
            told(&json!([{ "sha": sha, "commit": commit, "parents": [], "author": null, "committer": null }]))
        }
        path if path.starts_with("/repos/acme/shop/actions/") => {
            told(&json!({ "total_count": 0, "workflow_runs": [], "workflows": [] }))
        }
        path if path.starts_with("/repos/acme/shop/") => told(&json!([])),
        _ => (StatusCode::NOT_FOUND, told(&json!({ "message": "Not Found" }))).into_response(),
    }
}
