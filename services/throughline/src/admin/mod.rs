//! The admin server: health, metrics, runbooks of the alerts, and the read side of a schema registry, on a port of its own.

mod registry;
mod runbooks;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{Encoder, Registry, TextEncoder};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::internal_events;
use crate::readiness::Readiness;

/// What the server tells about.
#[derive(Clone)]
pub struct Admin {
    pub readiness: Readiness,
    pub metrics: Registry,
    /// Installation's prefix of topic names.
    pub topic_prefix: String,
    /// Cancelled while the process drains: it is then not ready.
    pub draining: CancellationToken,
}

/// Takes the address.
///
/// # Errors
/// Where it is taken already or not ours.
pub async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen} (admin.listen)"))
}

/// Serves until the process ends.
pub async fn serve(listener: TcpListener, admin: Admin) {
    internal_events::admin_listens(listener.local_addr().ok());
    if let Err(error) = axum::serve(listener, router(admin)).await {
        internal_events::admin_stopped(&error);
    }
}

/// Everything the server answers.
pub fn router(admin: Admin) -> Router {
    let registry = registry::router(admin.topic_prefix.clone());
    Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(admin)
        .merge(registry)
        .merge(runbooks::router())
}

async fn readyz(State(admin): State<Admin>) -> Response {
    let mut report = admin.readiness.report();
    if admin.draining.is_cancelled() {
        report.ready = false;
    }
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    match serde_json::to_vec(&report) {
        Ok(body) => (status, [(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let encoder = TextEncoder::new();
    let mut body = Vec::new();
    match encoder.encode(&admin.metrics.gather(), &mut body) {
        Ok(()) => ([(header::CONTENT_TYPE, encoder.format_type().to_owned())], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
