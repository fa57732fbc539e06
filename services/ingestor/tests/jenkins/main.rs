//! The Jenkins adapter, by fixtures, by its known traps, by real bodies and by nonsense.
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
use ingestor::providers::jenkins::Jenkins;
use ingestor::providers::{Provider, Reading};
use model::event::{Body, CiBody, PipelineRun};
use model::inbox::InboxRecord;
use model::{Bytes, Timestamp};
use serde_json::Value;

/// When every delivery of these tests is received: 2024-06-01T00:00:00Z, after all that is told of.
pub const RECEIVED_AT: Timestamp = Timestamp::from_seconds(1_717_200_000);

pub fn people() -> People {
    People::new(b"key of the tests")
}

pub fn delivery(body: impl Into<Vec<u8>>) -> InboxRecord {
    InboxRecord {
        source: "ci".into(),
        realm: "default".into(),
        provider: "jenkins".to_owned(),
        delivery: "1".to_owned(),
        event: None,
        content_type: Some("application/json".to_owned()),
        headers: [].into(),
        received_at: RECEIVED_AT,
        body: Bytes(body.into()),
    }
}

pub fn read_bytes(body: impl Into<Vec<u8>>) -> Result<Reading, String> {
    Jenkins.read(&delivery(body), &people()).map_err(|error| {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{error}{cause}")
    })
}

pub fn read(body: &Value) -> Result<Reading, String> {
    read_bytes(body.to_string())
}

pub fn bodies(body: &Value) -> Vec<Body> {
    match read(body) {
        Ok(Reading::Events(events)) => events.into_iter().map(|event| event.body).collect(),
        other => panic!("{body} tells {other:?}"),
    }
}

/// The run, which is told first.
pub fn run(body: &Value) -> PipelineRun {
    match bodies(body).remove(0) {
        Body::Ci(CiBody::PipelineRun(run)) => run,
        other => panic!("no run but {other:?}"),
    }
}

pub fn ignored(body: &Value) -> String {
    match read(body) {
        Ok(Reading::Ignored(reason)) => reason,
        other => panic!("{body} is not ignored: {other:?}"),
    }
}
