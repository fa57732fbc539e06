//! The GitHub adapter, by what GitHub publishes, by real deliveries, by its known traps and by nonsense.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops, in its helpers too"
)]

mod backfilled;
#[path = "../../../../tests/fixtures/github_bodies.rs"]
mod bodies;
mod captured;
mod documented;
mod examples;
mod json;
mod nonsense;
mod shown;
mod traps;

use ingestor::people::People;
use ingestor::providers::github::GitHub;
use ingestor::providers::{Observed, Provider, Reading, Unreadable};
use model::event::Body;
use model::inbox::InboxRecord;
use model::{Bytes, Timestamp};
use serde_json::Value;

/// When every delivery of these tests is received: 2024-06-01T00:00:00Z, after all that is told of.
pub const RECEIVED_AT: Timestamp = Timestamp::from_seconds(1_717_200_000);

pub fn people() -> People {
    People::new(b"key of the tests")
}

pub fn delivery(event: &str, body: impl Into<Vec<u8>>) -> InboxRecord {
    InboxRecord {
        source: "github".into(),
        realm: "default".into(),
        provider: "github".to_owned(),
        delivery: "1".to_owned(),
        event: Some(event.to_owned()),
        content_type: Some("application/json".to_owned()),
        headers: [].into(),
        received_at: RECEIVED_AT,
        body: Bytes(body.into()),
    }
}

pub fn read(event: &str, body: &Value) -> Result<Reading, Unreadable> {
    GitHub.read(&delivery(event, body.to_string()), &people())
}

pub fn events(event: &str, body: &Value) -> Vec<Observed> {
    match read(event, body) {
        Ok(Reading::Events(events)) => events,
        other => panic!("{event} tells no events: {other:?}"),
    }
}

pub fn ignored(event: &str, body: &Value) -> String {
    match read(event, body) {
        Ok(Reading::Ignored(reason)) => reason,
        other => panic!("{event} is not ignored: {other:?}"),
    }
}

/// The body of the only event of this type that the delivery tells.
macro_rules! told {
    ($kind:ident, $event:expr, $body:expr) => {{
        let mut found = crate::events($event, $body).into_iter().filter_map(|observed| match observed.body {
            model::event::Body::Ci(model::event::CiBody::$kind(body)) => Some(body),
            _ => None,
        });
        let only = found.next().expect(concat!("a ", stringify!($kind)));
        assert!(found.next().is_none());
        only
    }};
}
pub(crate) use told;

pub fn approval(event: &str, body: &Value) -> model::event::ApprovalBody {
    match events(event, body).remove(0).body {
        Body::Approval(approval) => approval,
        other => panic!("{event} is no approval: {other:?}"),
    }
}
