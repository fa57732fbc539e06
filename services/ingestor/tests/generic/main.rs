//! The adapter for generic JSON, by what is documented, by what goes wrong, and by nonsense.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops, in its helpers too"
)]

#[path = "../support/any_json.rs"]
mod any_json;
mod complaints;
mod documented;
mod meaning;
mod nonsense;
mod rules;
#[path = "../github/shown.rs"]
mod shown;

use ingestor::people::People;
use ingestor::providers::generic::GENERIC;
use ingestor::providers::{Observed, Provider, Reading};
use model::event::Body;
use model::inbox::InboxRecord;
use model::{Bytes, Timestamp};
use serde_json::Value;

/// When every delivery of these tests is received: 2026-06-01T00:00:00Z, after all that is told of.
pub const RECEIVED_AT: Timestamp = Timestamp::from_seconds(1_780_272_000);

pub fn people() -> People {
    People::new(b"key of the tests")
}

pub fn delivery(body: impl Into<Vec<u8>>) -> InboxRecord {
    InboxRecord {
        source: "scripts".into(),
        realm: "default".into(),
        provider: "generic".to_owned(),
        delivery: "d1".to_owned(),
        event: None,
        content_type: Some("application/json".to_owned()),
        headers: [].into(),
        received_at: RECEIVED_AT,
        body: Bytes(body.into()),
    }
}

pub fn read(body: &Value) -> Result<Reading, String> {
    GENERIC.read(&delivery(body.to_string()), &people()).map_err(|error| error.to_string())
}

/// The only thing that a body tells.
pub fn only(body: &Value) -> Observed {
    match read(body) {
        Ok(Reading::Events(mut events)) if events.len() == 1 => events.remove(0),
        other => panic!("{body} tells {other:?}"),
    }
}

/// The body of the only event, of this type.
macro_rules! told {
    ($kind:path, $body:expr) => {
        match crate::only($body).body {
            $kind(body) => body,
            other => panic!("{other:?}"),
        }
    };
}
pub(crate) use told;

pub fn ci(body: &Value) -> model::event::CiBody {
    told!(Body::Ci, body)
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}
