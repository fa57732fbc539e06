//! The adapters of the trackers of changes and incidents, Jira and ServiceNow: by documented bodies, by real ones, by their known traps
//! and by nonsense.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops, in its helpers too"
)]

mod captured;
mod documented;
mod nonsense;
mod shown;
mod traps;

use ingestor::people::People;
use ingestor::providers::{Observed, Reading, Unreadable};
use model::inbox::InboxRecord;
use model::{Bytes, Timestamp};
use serde_json::Value;

/// When every delivery of these tests is received: 2024-06-01T00:00:00Z, after all that is told of.
pub const RECEIVED_AT: Timestamp = Timestamp::from_seconds(1_717_200_000);

pub fn people() -> People {
    People::new(b"key of the tests")
}

pub fn delivery(provider: &str, body: impl Into<Vec<u8>>) -> InboxRecord {
    InboxRecord {
        source: "tracker".into(),
        realm: "default".into(),
        provider: provider.to_owned(),
        delivery: "1".to_owned(),
        event: None,
        content_type: Some("application/json".to_owned()),
        headers: [].into(),
        received_at: RECEIVED_AT,
        body: Bytes(body.into()),
    }
}

pub fn read(provider: &str, body: &Value) -> Result<Reading, Unreadable> {
    let delivery = delivery(provider, body.to_string());
    ingestor::providers::find(provider).expect("a provider").read(&delivery, &people())
}

pub fn events(provider: &str, body: &Value) -> Vec<Observed> {
    match read(provider, body) {
        Ok(Reading::Events(events)) => events,
        other => panic!("no events: {other:?}"),
    }
}

pub fn ignored(provider: &str, body: &Value) -> String {
    match read(provider, body) {
        Ok(Reading::Ignored(reason)) => reason,
        other => panic!("not ignored: {other:?}"),
    }
}
