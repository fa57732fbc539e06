//! The way through the browser: a page on this machine, GitHub, and back.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use backfill::github::{Converted, convert};
use backfill::http::Client;
use serde::Deserialize;
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::keep::Place;
use super::{install, page};

/// Where GitHub sends the browser.
pub const BACK: &str = "/made";
/// Time for the browser to take the last page.
const LAST_PAGE: Duration = Duration::from_secs(3);

/// What the browser is given first.
pub struct Start {
    /// The page with the button.
    pub page: String,
    /// Comes back with the code.
    pub state: String,
}

/// An App whose key and secret are in their files.
#[derive(Debug)]
pub struct Kept {
    pub app: Converted,
    /// File of the private key.
    pub key: PathBuf,
    /// File of the webhooks' secret.
    pub secret: PathBuf,
}

/// One registration.
pub struct Flow {
    start: Start,
    /// How the page may be called: what another name leads here by is not the user's doing.
    hosts: [String; 2],
    client: Client,
    /// What the first good code takes.
    open: Mutex<Option<Open>>,
    ended: oneshot::Receiver<anyhow::Result<Kept>>,
}

/// What is still to come.
struct Open {
    places: (Place, Place),
    end: oneshot::Sender<anyhow::Result<Kept>>,
}

/// What the handlers need.
struct Shared {
    start: Start,
    hosts: [String; 2],
    client: Client,
    open: Mutex<Option<Open>>,
}

/// Listens on this machine alone.
pub async fn bind(listen: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    if !listen.ip().is_loopback() {
        bail!("--listen {listen} can be reached from elsewhere: take 127.0.0.1");
    }
    let unusable = || format!("cannot listen on {listen}: take another port with --listen");
    let listener = TcpListener::bind(listen).await.with_context(unusable)?;
    let address = listener.local_addr().with_context(unusable)?;
    Ok((listener, address))
}

impl Flow {
    /// Keeps the key in the first place, the webhooks' secret in the second.
    pub fn new(start: Start, address: SocketAddr, client: Client, places: (Place, Place)) -> Self {
        let (end, ended) = oneshot::channel();
        let hosts = [address.to_string(), format!("localhost:{}", address.port())];
        Self { start, hosts, client, open: Mutex::new(Some(Open { places, end })), ended }
    }

    /// Serves until the App is kept, it fails, or somebody presses Ctrl-C, which gives none.
    pub async fn serve(self, listener: TcpListener) -> anyhow::Result<Option<Kept>> {
        let Self { start, hosts, client, open, ended } = self;
        let stop = CancellationToken::new();
        let router = router(Arc::new(Shared { start, hosts, client, open }));
        let server = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        let mut server = tokio::spawn(server.into_future());
        let kept = tokio::select! {
            kept = ended => kept.context("the browser's request was cut off")?.map(Some),
            stopped = tokio::signal::ctrl_c() => stopped.map(|()| None).context("Ctrl-C cannot be waited for"),
            served = &mut server => bail!("the page is served no longer: {served:?}"),
        };
        stop.cancel();
        // A browser may hold a connection open that it sends nothing by.
        let _ = tokio::time::timeout(LAST_PAGE, server).await;
        kept
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(start))
        .route(BACK, get(back))
        .layer(from_fn_with_state(Arc::clone(&shared), guard))
        .with_state(shared)
}

/// Answers those alone who call the page by its name, and lets no page do more than it has to.
async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let mut response = if host.is_some_and(|host| shared.hosts.iter().any(|known| known == host)) {
        next.run(request).await
    } else {
        StatusCode::MISDIRECTED_REQUEST.into_response()
    };
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    response
}

async fn start(State(shared): State<Arc<Shared>>) -> Html<String> {
    Html(shared.start.page.clone())
}

/// What GitHub sends the browser back with.
#[derive(Deserialize)]
struct Returned {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

async fn back(State(shared): State<Arc<Shared>>, Query(Returned { code, state }): Query<Returned>) -> Response {
    let failed = |status: StatusCode, heading: &str, why: &str| {
        (status, [(header::REFERRER_POLICY, "no-referrer")], Html(page::failed(heading, why))).into_response()
    };
    if !bool::from(state.as_bytes().ct_eq(shared.start.state.as_bytes())) {
        return failed(StatusCode::FORBIDDEN, "This does not come from here", "Begin again at the first page.");
    }
    if code.is_empty() {
        return failed(StatusCode::BAD_REQUEST, "GitHub gave no code", "Begin again at the first page.");
    }
    let open = shared.open.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(Open { places, end }) = open else {
        return failed(StatusCode::CONFLICT, "This is done already", "The terminal shows how it ended.");
    };
    let kept = keep(&shared.client, &code, places).await;
    let answer = match &kept {
        Ok(kept) => {
            let page = page::made(&kept.app.name, &install(&kept.app));
            ([(header::REFERRER_POLICY, "no-referrer")], Html(page)).into_response()
        }
        Err(error) => failed(StatusCode::BAD_GATEWAY, "The App is not connected", &format!("{error:#}")),
    };
    // Nobody waits any more where Ctrl-C was faster.
    let _ = end.send(kept);
    answer
}

async fn keep(client: &Client, code: &str, (key, secret): (Place, Place)) -> anyhow::Result<Kept> {
    let app = convert(client, code).await.context("GitHub does not give the App's key")?;
    let Some(webhook_secret) = &app.webhook_secret else {
        bail!("the App {} has no webhook: delete it at {} and begin again", app.slug, app.html_url);
    };
    let paths = (key.path().to_owned(), secret.path().to_owned());
    let unkept = || format!("what GitHub gives once is lost: make a new key and secret for the App {}", app.slug);
    key.keep(&app.pem).with_context(unkept)?;
    secret.keep(webhook_secret).with_context(unkept)?;
    Ok(Kept { key: paths.0, secret: paths.1, app })
}
