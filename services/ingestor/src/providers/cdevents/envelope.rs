//! The CloudEvents HTTP binding: structured, binary and batch mode, and no envelope at all.
//!
//! The mode is told by the shape of the body, since senders often post with a plain `application/json`.
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::inbox::InboxRecord;
use serde::Deserialize;
use serde_json::Value;

use super::shape::{Text, read_shape};
use crate::providers::Unreadable;

/// A CDEvent and the attributes of its CloudEvent.
pub struct Envelope {
    /// Attribute `type`.
    pub kind: Text,
    /// Attribute `time`.
    pub time: Text,
    /// The CDEvent.
    pub data: Value,
}

/// What an envelope held.
pub enum Opened {
    /// A CDEvent.
    CdEvent(Envelope),
    /// An event of another vocabulary, and so why it is ignored.
    Foreign(String),
}

/// Why a delivery in binary mode is ignored whose event is of another vocabulary: its body may be anything.
pub fn foreign_binary(delivery: &InboxRecord) -> Option<String> {
    let structured = delivery.content_type.as_deref().is_some_and(|t| t.starts_with("application/cloudevents"));
    let kind = delivery.headers.get("ce-type").filter(|_| !structured)?;
    (!kind.starts_with("dev.cdevents.")).then(|| super::foreign(kind))
}

/// A CloudEvent in JSON.
#[derive(Deserialize)]
struct Structured {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    time: Text,
    #[serde(default)]
    data: Value,
    #[serde(default)]
    data_base64: Text,
}

/// Takes the CDEvent out of its envelope; the headers of the delivery are the envelope in binary mode.
///
/// # Errors
/// Where the value is neither a CDEvent nor a CloudEvent that holds one.
pub fn open(value: Value, delivery: Option<&InboxRecord>) -> Result<Opened, Unreadable> {
    if value.get("context").is_some() {
        let header = |name| Text::new(delivery.and_then(|d| d.headers.get(name)).map(String::as_str));
        return Ok(Opened::CdEvent(Envelope { kind: header("ce-type"), time: header("ce-time"), data: value }));
    }
    if value.get("specversion").is_none() {
        return Err(Unreadable::Value(
            "the body is neither a CDEvent (an object with `context` and `subject`) nor a CloudEvent (an object with \
             `specversion`, `type` and `data`)"
                .to_owned(),
        ));
    }
    let Structured { kind, time, data, data_base64 } = read_shape(value, "a CloudEvent")?;
    if !kind.starts_with("dev.cdevents.") {
        return Ok(Opened::Foreign(super::foreign(&kind)));
    }
    let data = match data_base64.get() {
        Some(encoded) => decode(encoded)?,
        None => data,
    };
    Ok(Opened::CdEvent(Envelope { kind: Text::new(Some(&kind)), time, data }))
}

fn decode(encoded: &str) -> Result<Value, Unreadable> {
    let bytes = STANDARD
        .decode(encoded)
        .map_err(|error| Unreadable::Value(format!("`data_base64` of the CloudEvent is not base64: {error}")))?;
    serde_json::from_slice(&bytes)
        .map_err(|source| Unreadable::Shape { what: "a CDEvent in `data_base64`".to_owned(), source })
}
