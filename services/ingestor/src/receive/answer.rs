//! What a sender is told.

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use super::inbox::PutError;
use crate::signature::{Rejected, Scheme};

/// When a sender should try again: long enough for Kafka to elect a leader or for memory to become free.
const RETRY_AFTER_SECONDS: &str = "10";

/// Why a delivery was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("no such source")]
    UnknownSource,
    #[error("deliveries are sent by POST")]
    Method,
    #[error(transparent)]
    Rejected(Rejected),
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the body broke off")]
    BrokenOff,
    #[error("the body took too long")]
    TooSlow,
    #[error("too much is in flight: try again later")]
    Overloaded,
    #[error("the delivery could not be stored: try again later")]
    NotStored(#[source] PutError),
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::UnknownSource => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Rejected(_) => StatusCode::UNAUTHORIZED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BrokenOff => StatusCode::BAD_REQUEST,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotStored(error) if error.is_too_large() => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotStored(error) if error.may_pass() => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotStored(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer. `scheme` is how the source proves itself, where there is one.
    pub(super) fn answer(&self, scheme: Option<Scheme>) -> Response {
        // Causes are for the operator's log, not for whoever sends.
        let mut response = answer(self.status(), "error", &self.to_string());
        let mut set = |name: HeaderName, value| response.headers_mut().insert(name, HeaderValue::from_static(value));
        match (self.status(), scheme) {
            (StatusCode::SERVICE_UNAVAILABLE, _) => drop(set(RETRY_AFTER, RETRY_AFTER_SECONDS)),
            (StatusCode::METHOD_NOT_ALLOWED, _) => drop(set(ALLOW, "POST")),
            (StatusCode::UNAUTHORIZED, Some(scheme)) => drop(set(WWW_AUTHENTICATE, scheme.challenge())),
            _ => {}
        }
        response
    }
}

/// Kafka has it.
pub(super) fn accepted(delivery: &str) -> Response {
    answer(StatusCode::ACCEPTED, "accepted", delivery)
}

fn answer(status: StatusCode, name: &str, value: &str) -> Response {
    let mut response = Response::new(Body::from(serde_json::json!({ name: value }).to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
