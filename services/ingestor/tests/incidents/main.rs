//! The adapters for incident tools, by what their makers publish, by real bodies, by known traps and by nonsense.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops, in its helpers too"
)]

mod captured;
mod documented;
mod nonsense;
mod shown;
mod traps;

use ingestor::people::People;
use ingestor::providers::{Observed, Reading, Unreadable, find, record};
use model::Timestamp;
use model::event::{Body, Incident, IncidentBody};
use model::inbox::InboxRecord;
use serde_json::Value;

/// When every delivery of these tests is received: 2024-06-01T00:00:00Z, after all that is told of.
pub const RECEIVED_AT: Timestamp = Timestamp::from_seconds(1_717_200_000);

pub fn people() -> People {
    People::new(b"key of the tests")
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

pub fn delivery(provider: &str, body: impl Into<Vec<u8>>) -> InboxRecord {
    record("s".into(), "r".into(), provider, &axum::http::HeaderMap::new(), body.into(), RECEIVED_AT)
}

pub fn read_bytes(provider: &str, body: impl Into<Vec<u8>>) -> Result<Reading, Unreadable> {
    find(provider).unwrap().read(&delivery(provider, body), &people())
}

pub fn read(provider: &str, body: &Value) -> Result<Reading, Unreadable> {
    read_bytes(provider, body.to_string())
}

pub fn events(provider: &str, body: &Value) -> Vec<Observed> {
    match read(provider, body) {
        Ok(Reading::Events(events)) => events,
        other => panic!("{body} tells no events: {other:?}"),
    }
}

/// What is told of incidents, in order.
pub fn told(provider: &str, body: &Value) -> Vec<IncidentBody> {
    let body_of = |observed: Observed| match observed.body {
        Body::Incident(told) => told,
        other => panic!("tells {other:?}, not of an incident"),
    };
    events(provider, body).into_iter().map(body_of).collect()
}

/// The incident of the last thing that is told.
pub fn incident(provider: &str, body: &Value) -> Incident {
    match told(provider, body).pop().unwrap() {
        IncidentBody::IncidentDetected(b) => b.incident,
        IncidentBody::IncidentAcknowledged(b) => b.incident,
        IncidentBody::IncidentUpdated(b) => b.incident,
        IncidentBody::IncidentResolved(b) => b.incident,
        IncidentBody::IncidentReopened(b) => b.incident,
        IncidentBody::IncidentMerged(b) => b.incident,
        IncidentBody::IncidentRetracted(b) => b.incident,
    }
}
