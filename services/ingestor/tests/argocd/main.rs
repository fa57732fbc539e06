//! The Argo CD adapter, by fixtures, by its known traps, by real bodies and by nonsense.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops, in its helpers too"
)]

#[path = "../support/any_json.rs"]
mod any_json;
mod captured;
mod documented;
mod nonsense;
#[path = "../github/shown.rs"]
mod shown;
mod traps;

use std::error::Error;

use ingestor::people::People;
use ingestor::providers::argocd::ArgoCd;
use ingestor::providers::{Observed, Provider, Reading};
use model::event::{Body, CiBody, Deployment};
use model::inbox::InboxRecord;
use model::{Bytes, Timestamp};
use serde_json::Value;

/// When every delivery of these tests is received: 2024-06-01T00:00:00Z, weeks after all that is told of.
pub const RECEIVED_AT: Timestamp = Timestamp::from_seconds(1_717_200_000);

pub fn people() -> People {
    People::new(b"key of the tests")
}

pub fn delivery(body: impl Into<Vec<u8>>) -> InboxRecord {
    InboxRecord {
        source: "argo".into(),
        realm: "default".into(),
        provider: "argocd".to_owned(),
        delivery: "1".to_owned(),
        event: None,
        content_type: Some("application/json".to_owned()),
        headers: [].into(),
        received_at: RECEIVED_AT,
        body: Bytes(body.into()),
    }
}

pub fn read(body: &Value) -> Result<Reading, String> {
    ArgoCd.read(&delivery(body.to_string()), &people()).map_err(|error| {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{error}{cause}")
    })
}

pub fn events(body: &Value) -> Vec<Observed> {
    match read(body) {
        Ok(Reading::Events(events)) => events,
        other => panic!("{body} tells {other:?}"),
    }
}

/// The sync, which is told first.
pub fn sync(body: &Value) -> Deployment {
    match events(body).remove(0).body {
        Body::Ci(CiBody::Deployment(deployment)) => deployment,
        other => panic!("no deployment but {other:?}"),
    }
}
