//! The GitLab adapter, by what GitLab documents, by real deliveries, by its known traps and by nonsense.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops, in its helpers too"
)]

mod backfilled;
mod captured;
mod documented;
#[path = "../github/json.rs"]
mod json;
mod nonsense;
#[path = "../github/shown.rs"]
mod shown;
mod traps;
mod traps_runs;

use ingestor::people::People;
use ingestor::providers::gitlab::GitLab;
use ingestor::providers::{Observed, Provider, Reading, Unreadable};
use model::event::{ApprovalBody, Body};
use model::inbox::InboxRecord;
use model::{Bytes, Timestamp};
use serde_json::Value;

/// When every delivery of these tests is received: 2024-06-01T00:00:00Z, after all that is told of.
pub const RECEIVED_AT: Timestamp = Timestamp::from_seconds(1_717_200_000);

pub fn people() -> People {
    People::new(b"key of the tests")
}

/// A delivery; the header that names its kind is not there, as most bodies that were captured came without it.
pub fn delivery(body: impl Into<Vec<u8>>) -> InboxRecord {
    InboxRecord {
        source: "gitlab".into(),
        realm: "default".into(),
        provider: "gitlab".to_owned(),
        delivery: "1".to_owned(),
        event: None,
        content_type: Some("application/json".to_owned()),
        headers: [].into(),
        received_at: RECEIVED_AT,
        body: Bytes(body.into()),
    }
}

pub fn read(body: &Value) -> Result<Reading, Unreadable> {
    GitLab.read(&delivery(body.to_string()), &people())
}

pub fn events(body: &Value) -> Vec<Observed> {
    match read(body) {
        Ok(Reading::Events(events)) => events,
        other => panic!("it tells no events: {other:?}"),
    }
}

pub fn ignored(body: &Value) -> String {
    match read(body) {
        Ok(Reading::Ignored(reason)) => reason,
        other => panic!("it is not ignored: {other:?}"),
    }
}

/// The body of the first event of this type that the delivery tells.
macro_rules! told {
    ($kind:ident, $body:expr) => {
        crate::events($body)
            .into_iter()
            .find_map(|observed| match observed.body {
                model::event::Body::Ci(model::event::CiBody::$kind(body)) => Some(body),
                _ => None,
            })
            .expect(concat!("a ", stringify!($kind)))
    };
}
pub(crate) use told;

/// What the delivery tells of gates.
pub fn approvals(body: &Value) -> Vec<ApprovalBody> {
    let approval = |observed: Observed| match observed.body {
        Body::Approval(approval) => Some(approval),
        _ => None,
    };
    events(body).into_iter().filter_map(approval).collect()
}
